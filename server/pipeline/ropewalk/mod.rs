//! `ropewalk.yml`, our own definition file: small, and strict, so that a slip of the pen is a finding
//! and never a stage that silently did something else. Its grammar for people is
//! `docs/reference/ropewalk-yml.md`, for editors `schema`.

mod input;
pub(super) mod node;
pub(super) mod reader;
mod schema;
mod stage;

use super::MAX_VARIABLES;
use super::branches;
use super::finding::{Findings, shown};
use super::variables::Scope;
use crate::model::{Definition, Dialect, Triggers, VariableName, VariableUse};
use crate::msg;
use reader::{Fields, Reader};

pub use schema::schema;

/// The keys at the top.
const KEYS: &[&str] =
    &["image", "env", "variables", "inputs", "branches", "triggers", "timeout", "keep", "stages"];
const TRIGGERS: &[&str] = &["push", "tag"];
/// Most globs under `branches`.
const MOST_BRANCHES: usize = 50;

/// The definition in `text`, with whatever is wrong in `findings`.
pub fn read(text: &str, findings: &mut Findings) -> Option<Definition> {
    let root = node::document(text, findings)?;
    let mut reader = Reader { findings, step_count: 0 };
    let fields = reader.fields(&root, "ropewalk.yml", KEYS)?;
    let mut scope = Scope::builtin();
    let variables = reader.variables(&fields, &mut scope);
    let inputs = reader.inputs(&fields, &mut scope);
    let environment = reader.environment(&fields, &mut scope);
    Some(Definition {
        dialect: Dialect::Ropewalk,
        image: reader.image(&fields),
        environment,
        inputs,
        variables,
        branches: reader.branches(&fields),
        triggers: reader.triggers(&fields),
        timeout_seconds: reader.timeout(&fields),
        keep: fields.get("keep").and_then(|node| reader.boolean(node, "keep")).unwrap_or_default(),
        stages: reader.stages(&fields, &scope),
    })
}

impl Reader<'_> {
    /// Names of stored variables; they become known in `scope`.
    fn variables(&mut self, fields: &Fields, scope: &mut Scope) -> Vec<VariableUse> {
        let mut found: Vec<VariableUse> = Vec::new();
        let Some(list) = fields.get("variables").and_then(|node| self.list(node, "variables")) else {
            return found;
        };
        if let Some(node) = list.get(MAX_VARIABLES) {
            self.say(node.place, msg!("pipeline-too-many-variables", most = MAX_VARIABLES));
            return found;
        }
        for node in list {
            let Some(name) = self.string(node, "variables") else { continue };
            if VariableName::new(name).is_err() {
                self.say(node.place, msg!("pipeline-variable-name", name = shown(name)));
            } else if found.iter().any(|earlier| earlier.name == name) {
                self.say(node.place, msg!("pipeline-variable-twice", name = shown(name)));
            }
            scope.add(name);
            let name = name.to_owned();
            found.push(VariableUse { as_name: name.clone(), name, line: node.place.line });
        }
        found
    }

    fn branches(&mut self, fields: &Fields) -> Vec<String> {
        let mut found = Vec::new();
        let Some(list) = fields.get("branches").and_then(|node| self.list(node, "branches")) else {
            return found;
        };
        if let Some(node) = list.get(MOST_BRANCHES) {
            self.say(node.place, msg!("pipeline-too-many-branches", most = MOST_BRANCHES));
            return found;
        }
        for node in list {
            let Some(glob) = self.string(node, "branches") else { continue };
            match branches::objection(glob) {
                Some(message) => self.say(node.place, message),
                None => found.push(glob.to_owned()),
            }
        }
        if list.is_empty() {
            // No glob at all means every branch; an empty list looks like none.
            self.say(fields.place, msg!("pipeline-empty-list", key = shown("branches")));
        }
        found
    }

    fn triggers(&mut self, fields: &Fields) -> Triggers {
        let mut triggers = Triggers::default();
        let Some(fields) = fields.get("triggers").and_then(|node| self.fields(node, "triggers", TRIGGERS))
        else {
            return triggers;
        };
        for (key, value) in [("push", &mut triggers.push), ("tag", &mut triggers.tag)] {
            if let Some(found) = fields.get(key).and_then(|node| self.boolean(node, key)) {
                *value = found;
            }
        }
        triggers
    }
}

#[cfg(test)]
mod tests;
