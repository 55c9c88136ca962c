//! A sentence for a person, before it has a language: a key of the catalogue and its arguments.
//!
//! Everything a user reads is stored and passed around in this form and becomes text only at the
//! door (`messages`), so that a run's failure reads in the viewer's language, not the server's.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Key (kebab-case, as in `web-templates/messages/*/*.ftl`) and named arguments (already text).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub key: Cow<'static, str>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<Cow<'static, str>, String>,
}

impl Message {
    pub const fn new(key: &'static str) -> Self {
        Message { key: Cow::Borrowed(key), args: BTreeMap::new() }
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.args.insert(Cow::Borrowed(name), value.to_string());
        self
    }
}

/// For logs and developers; people get the rendering of the catalogue.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)?;
        for (name, value) in &self.args {
            write!(f, " {name}={value:?}")?;
        }
        Ok(())
    }
}

/// `msg!("key")` or `msg!("key", name = value, ...)`: the only way production code names a catalogue
/// key, so that a test can find every key that must exist.
#[macro_export]
macro_rules! msg {
    ($key:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::model::Message::new($key)$(.with(stringify!($name), &$value))*
    };
}
