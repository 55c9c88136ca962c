//! Names from outside, checked in this one place: owners, repositories, pipelines, refs, commits.
//!
//! Every path, argument vector and URL in the house is built from these types, never from raw text.
//! The rules are an allowlist: what is not known to be harmless to a file system, a shell, a URL,
//! a Docker reference and a Windows checkout is refused. Source of the cases: past advisories on
//! Gogs, Gitea and Jenkins (`docs/explanation/security.md`).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::endpoint::{check_endpoint, check_variable};
use super::{Error, Result};
use crate::msg;

macro_rules! name_type {
    ($(#[$doc:meta])* $type:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// Checks `value`; `Invalid` names the rule it breaks.
            pub fn new(value: impl Into<String>) -> Result<Self> {
                let value = value.into();
                $check(&value)?;
                Ok($type(value))
            }
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
        impl TryFrom<String> for $type {
            type Error = Error;
            fn try_from(value: String) -> Result<Self> {
                Self::new(value)
            }
        }
        impl From<$type> for String {
            fn from(value: $type) -> String {
                value.0
            }
        }
        impl std::str::FromStr for $type {
            type Err = Error;
            fn from_str(value: &str) -> Result<Self> {
                Self::new(value)
            }
        }
    };
}

name_type!(
    /// An account's name: 1-40 of `A-Za-z0-9._-`, starting and ending with a letter or digit; compared without case.
    OwnerName,
    check_owner
);
name_type!(
    /// A repository's name without its owner: 1-100 of `A-Za-z0-9._-`, starting and ending with a letter or digit.
    RepositoryName,
    check_repository
);
name_type!(
    /// A pipeline's name within its repository: 1-64 of `A-Za-z0-9._-`, starting and ending with a letter or digit.
    PipelineName,
    check_pipeline
);
name_type!(
    /// An endpoint's name: as a pipeline's, but not `new`, which is a page.
    EndpointName,
    check_endpoint
);
name_type!(
    /// A variable's name: 1-100 of `A-Za-z0-9_`, not beginning with a digit.
    VariableName,
    check_variable
);
name_type!(
    /// A full ref name, `refs/heads/..` or `refs/tags/..`, in git's rules and a stricter allowlist.
    RefName,
    check_ref
);
name_type!(
    /// A commit's (or any object's) full id: 40 or 64 lower-case hex digits.
    CommitId,
    check_commit
);

/// Names that would shadow a page or an address of the server when used as an owner.
const RESERVED_OWNERS: &str = "
activity admin-panel api assets badges cc.xml deployments docs endpoints environments health healthz
hooks image-streams images login logout metrics new pipelines registry ropewalk runs search settings
setup sign-in sign-out static trace users v2 webhooks favicon.ico robots.txt language theme accounts
repositories";

/// Device names that Windows keeps for itself, with or without an extension.
const WINDOWS_DEVICES: &[&str] = &[
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9",
    "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

pub(super) fn check_plain(value: &str, longest: usize) -> Result<()> {
    if value.is_empty() {
        return Err(Error::Invalid(msg!("name-empty")));
    }
    if value.len() > longest {
        return Err(Error::Invalid(msg!("name-too-long", longest = longest)));
    }
    if !value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-')) {
        return Err(Error::Invalid(msg!("name-characters", name = value.escape_debug())));
    }
    let edge_ok = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
    if !edge_ok(value.bytes().next()) || !edge_ok(value.bytes().last()) || value.contains("..") {
        return Err(Error::Invalid(msg!("name-edges", name = value)));
    }
    let lower = value.to_ascii_lowercase();
    let stem = lower.split('.').next().unwrap_or_default();
    if WINDOWS_DEVICES.contains(&stem) {
        return Err(Error::Invalid(msg!("name-reserved", name = value)));
    }
    if [".git", ".wiki", ".lock", ".atom", ".rss"].iter().any(|end| lower.ends_with(end)) {
        return Err(Error::Invalid(msg!("name-ending", name = value)));
    }
    Ok(())
}

fn check_owner(value: &str) -> Result<()> {
    check_plain(value, 40)?;
    if RESERVED_OWNERS.split_whitespace().any(|kept| kept.eq_ignore_ascii_case(value)) {
        return Err(Error::Invalid(msg!("name-reserved", name = value)));
    }
    Ok(())
}

fn check_repository(value: &str) -> Result<()> {
    check_plain(value, 100)
}

fn check_pipeline(value: &str) -> Result<()> {
    check_plain(value, 64)
}

fn check_commit(value: &str) -> Result<()> {
    let hex = value.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if hex && matches!(value.len(), 40 | 64) {
        return Ok(());
    }
    Err(Error::Invalid(msg!(
        "commit-invalid",
        commit = value.chars().take(80).collect::<String>().escape_debug()
    )))
}

fn check_ref(value: &str) -> Result<()> {
    let refuse = || {
        Err(Error::Invalid(msg!(
            "ref-invalid",
            name = value.chars().take(260).collect::<String>().escape_debug()
        )))
    };
    let Some(short) = value.strip_prefix("refs/heads/").or_else(|| value.strip_prefix("refs/tags/")) else {
        return refuse();
    };
    let forbidden = |c: char| {
        c.is_control()
            || matches!(
                c,
                ' ' | '~'
                    | '^'
                    | ':'
                    | '?'
                    | '*'
                    | '['
                    | '\\'
                    | '$'
                    | '`'
                    | '"'
                    | '\''
                    | '<'
                    | '>'
                    | '|'
                    | ';'
                    | '&'
                    | '('
                    | ')'
                    | '{'
                    | '}'
                    | '!'
            )
            || is_invisible(c)
    };
    if short.is_empty() || value.len() > 250 || short == "HEAD" || short == "@" || short.starts_with('-') {
        return refuse();
    }
    if short.chars().any(forbidden) || short.contains("..") || short.contains("@{") || short.contains("//") {
        return refuse();
    }
    let bad_part = |part: &str| {
        let lower = part.to_lowercase();
        let stem = lower.split('.').next().unwrap_or_default().to_owned();
        part.is_empty()
            || part.starts_with('.')
            || part.starts_with('-')
            || part.ends_with('.')
            || lower.ends_with(".lock")
            || WINDOWS_DEVICES.contains(&stem.as_str())
    };
    if short.split('/').any(bad_part) {
        return refuse();
    }
    Ok(())
}

/// Characters that change how a name looks without being seen: zero-width, bidirectional marks, tags.
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180E}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}')
}

impl RefName {
    /// `refs/heads/NAME`.
    pub fn branch(short: &str) -> Result<Self> {
        Self::new(format!("refs/heads/{short}"))
    }
    /// `main` for `refs/heads/main`, `v1` for `refs/tags/v1`.
    pub fn short(&self) -> &str {
        self.branch_name().or_else(|| self.tag_name()).unwrap_or(&self.0)
    }
    pub fn branch_name(&self) -> Option<&str> {
        self.0.strip_prefix("refs/heads/")
    }
    pub fn tag_name(&self) -> Option<&str> {
        self.0.strip_prefix("refs/tags/")
    }
}

impl CommitId {
    /// The first ten digits, for people.
    pub fn short(&self) -> &str {
        &self.0[..10]
    }
}

/// `owner/name`; where it is compared, case does not count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RepositoryPath {
    pub owner: OwnerName,
    pub name: RepositoryName,
}

impl RepositoryPath {
    /// From the two parts of an address; a trailing `.git` of the name is taken off.
    pub fn new(owner: &str, name: &str) -> Result<Self> {
        let name = name.strip_suffix(".git").unwrap_or(name);
        Ok(RepositoryPath { owner: OwnerName::new(owner)?, name: RepositoryName::new(name)? })
    }
}

impl fmt::Display for RepositoryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

impl std::str::FromStr for RepositoryPath {
    type Err = Error;
    fn from_str(value: &str) -> Result<Self> {
        match value.split_once('/') {
            Some((owner, name)) => Self::new(owner, name),
            None => Err(Error::Invalid(msg!("repository-path", path = value.escape_debug()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hostile_names_are_refused() {
        let long = "a".repeat(256);
        for bad in [
            "",
            ".",
            "..",
            "a/../b",
            "a\\b",
            "%2e%2e",
            ".git",
            "a.git",
            "CON",
            "con.txt",
            "nul",
            "a\0b",
            "a\u{200b}b",
            "-x",
            "--upload-pack=x",
            "$(id)",
            "a b",
            "a..b",
            "ends-",
            "x.lock",
            &long,
        ] {
            assert!(OwnerName::new(bad).is_err(), "owner {bad:?}");
            assert!(RepositoryName::new(bad).is_err(), "repository {bad:?}");
            assert!(PipelineName::new(bad).is_err(), "pipeline {bad:?}");
        }
        for bad in ["api", "Registry", "static", "healthz"] {
            assert!(OwnerName::new(bad).is_err(), "owner {bad:?}");
        }
        for good in ["admin", "a", "team-1", "numbers", "a.b_c"] {
            assert!(OwnerName::new(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn hostile_refs_are_refused() {
        for bad in [
            "refs/heads/-x",
            "refs/heads/--exec=touch",
            "refs/heads/$(id)",
            "refs/heads/<script>",
            "refs/heads/con",
            "refs/heads/HEAD",
            "refs/ropewalk/internal",
            "refs/heads/",
            "refs/heads/a..b",
            "refs/heads/a.lock",
            "HEAD",
            "refs/heads/a b",
            "refs/heads/a\u{202e}b",
            "refs/heads/a//b",
            "refs/heads/.a",
            "refs/heads/a/-b",
            "main",
        ] {
            assert!(RefName::new(bad).is_err(), "{bad:?}");
        }
        for good in [
            "refs/heads/main",
            "refs/heads/feature/x",
            "refs/tags/v1.0",
            "refs/heads/한글",
            "refs/heads/fix#12",
        ] {
            assert!(RefName::new(good).is_ok(), "{good}");
        }
    }

    proptest! {
        #[test]
        fn checks_never_panic_and_good_names_are_safe(text in "\\PC{0,300}") {
            if let Ok(name) = RepositoryName::new(text.clone()) {
                prop_assert!(!name.as_str().contains(['/', '\\', '\0', '%', ' ']));
                prop_assert!(!name.as_str().starts_with(['-', '.']));
            }
            let _ = RefName::new(format!("refs/heads/{text}"));
            let _ = CommitId::new(text);
        }
    }
}
