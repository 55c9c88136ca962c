//! The names a step may use: which the server sets, which a definition adds, and how a name may look.

use std::collections::BTreeSet;

use super::finding::{nearest, shown};
use crate::model::Message;
use crate::msg;

/// What the server sets for every step, whatever the definition says.
pub const BUILTIN_NAMES: &[&str] = &[
    "BUILD_NUMBER",
    "BUILD_ID",
    "BUILD_TAG",
    "BUILD_URL",
    "JOB_NAME",
    "WORKSPACE",
    "STAGE_NAME",
    "GIT_COMMIT",
    "GIT_BRANCH",
    "GIT_URL",
    "BRANCH_NAME",
    "TAG_NAME",
    "NODE_NAME",
    "CI",
    "REGISTRY",
    "HOME",
    "COMPOSE_PROJECT_NAME",
];

/// `[A-Za-z_][A-Za-z0-9_]*`, at most 200 characters.
pub fn is_name(name: &str) -> bool {
    let start = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    start && name.len() <= 200 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// The names that are known at one point of a definition.
#[derive(Clone)]
pub struct Scope(BTreeSet<String>);

impl Scope {
    /// What is known before the definition says anything.
    pub fn builtin() -> Self {
        Scope(BUILTIN_NAMES.iter().map(|&name| name.to_owned()).collect())
    }

    pub fn add(&mut self, name: &str) {
        self.0.insert(name.to_owned());
    }

    /// What is wrong with using `name` here, if anything.
    pub fn objection(&self, name: &str) -> Option<Message> {
        if self.0.contains(name) {
            return None;
        }
        Some(match nearest(name, self.0.iter().map(String::as_str)) {
            Some(known) => msg!("pipeline-unknown-variable-similar", name = shown(name), known = known),
            None => msg!("pipeline-unknown-variable", name = shown(name)),
        })
    }
}
