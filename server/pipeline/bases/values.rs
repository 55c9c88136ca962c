//! What is known of a run's environment before the run is: the definition's own entries, its inputs and the little
//! that the server sets the same for every run. What only the run knows is `Later`. And what the steps' scripts, and
//! those they may call, can make by themselves.

use std::collections::BTreeMap;

use super::super::variables::BUILTIN_NAMES;
use super::commands::Commands;
use super::expand::Known;
use super::makers::{Makers, Texts};
use crate::model::{Action, Definition, Piece, Text, VariableUse};

/// The longest part of a definition's scripts that is searched for what they make, in bytes.
const LONGEST: usize = 1024 * 1024;

/// The variables of a definition's steps.
#[derive(Clone, Debug, Default)]
pub struct Values {
    known: BTreeMap<String, Known>,
    makers: Makers,
    /// What the steps' commands name.
    pub(super) commands: Commands,
}

impl Values {
    /// `scripts` are files of the commit that steps may call: path and text.
    pub fn of(
        definition: &Definition,
        inputs: &BTreeMap<String, String>,
        registry_host: &str,
        scripts: &[(String, String)],
    ) -> Values {
        let mut values = Values::default();
        let builtin = BUILTIN_NAMES.iter().map(|name| ((*name).to_owned(), Known::Later));
        values.known.extend(builtin);
        values.known.insert("REGISTRY".into(), Known::Set(registry_host.to_owned()));
        values.known.insert("CI".into(), Known::Set("true".into()));
        // Their values are for the run alone.
        let later = |stored: &VariableUse| (stored.as_name.clone(), Known::Later);
        values.known.extend(definition.variables.iter().map(later));
        for (name, value) in inputs {
            values.known.insert(name.clone(), Known::Set(value.clone()));
        }
        values.add(&definition.environment, false);
        for stage in &definition.stages {
            values.known.extend(stage.variables.iter().map(later));
            values.add(&stage.environment, true);
            for step in &stage.steps {
                values.add(&step.environment, true);
            }
        }
        values.makers = values.makers(definition, scripts);
        values.commands = Commands::of(definition, &|name| values.look(name));
        values
    }

    fn makers(&self, definition: &Definition, scripts: &[(String, String)]) -> Makers {
        let mut texts = Texts::default();
        let mut left = LONGEST;
        for step in definition.stages.iter().flat_map(|stage| &stage.steps) {
            let (Action::Sh(text) | Action::Bat(text) | Action::Echo(text)) = &step.action;
            let text = text.source();
            left = left.saturating_sub(text.len());
            if left > 0 {
                texts.add_script(&text);
            }
        }
        for (path, text) in scripts {
            texts.add_file(path, text);
        }
        texts.makers(&|name| self.look(name))
    }

    /// Entries in their order. Of a `part` of the pipeline they only count where they agree with the rest.
    fn add(&mut self, entries: &[(String, Text)], part: bool) {
        for (name, text) in entries {
            let mut value = Known::Set(String::new());
            for piece in &text.0 {
                let more = match piece {
                    Piece::Literal(text) => Known::Set(text.clone()),
                    Piece::Variable(name) => self.look(name),
                };
                value = match (value, more) {
                    (Known::Set(before), Known::Set(more)) if before.len() + more.len() < 1024 => {
                        Known::Set(before + &more)
                    }
                    _ => Known::Later,
                };
            }
            if part && self.known.get(name) != Some(&value) {
                value = Known::Later;
            }
            self.known.insert(name.clone(), value);
        }
    }

    pub fn look(&self, name: &str) -> Known {
        self.known.get(name).cloned().unwrap_or(Known::Unset)
    }

    /// What the scripts make.
    pub fn made(&self) -> &Makers {
        &self.makers
    }
}
