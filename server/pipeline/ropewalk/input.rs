//! `inputs`: what a person or another system may give a run.

use super::super::finding::shown;
use super::super::inputs::{is_number, objection};
use super::super::variables::{BUILTIN_NAMES, Scope, is_name};
use super::node::{Entry, Node, Value};
use super::reader::{Fields, Reader, is_null};
use crate::model::{Input, InputKind};
use crate::msg;

pub const KEYS: &[&str] = &["type", "default", "description", "choices"];
pub const TYPES: &[&str] = &["string", "text", "boolean", "number", "choice"];
const MOST: usize = 50;

impl Reader<'_> {
    pub fn inputs(&mut self, fields: &Fields, scope: &mut Scope) -> Vec<Input> {
        let mut found = Vec::new();
        let Some(entries) = fields.get("inputs").and_then(|node| self.map(node, "inputs")) else {
            return found;
        };
        if let Some(entry) = entries.get(MOST) {
            self.say(entry.place, msg!("pipeline-too-many-inputs", most = MOST));
            return found;
        }
        for Entry { key, place, value } in entries {
            if !is_name(key) {
                self.say(*place, msg!("pipeline-variable-name", name = shown(key)));
                continue;
            }
            // A run's number and commit are facts, not wishes; only the registry may be chosen.
            if BUILTIN_NAMES.contains(&key.as_str()) && key != "REGISTRY" {
                self.say(*place, msg!("pipeline-input-builtin", name = key));
            }
            scope.add(key);
            found.extend(self.input(key, value));
        }
        found
    }

    fn input(&mut self, name: &str, node: &Node) -> Option<Input> {
        let input = match &node.value {
            Value::Map(_) => self.long_input(name, node)?,
            _ => self.short_input(name, node)?,
        };
        let wrong = input.default.as_deref().and_then(|default| objection(&input, default));
        match wrong {
            Some(message) => {
                let default = match &node.value {
                    Value::Map(entries) => entries.iter().find(|entry| entry.key == "default"),
                    _ => None,
                };
                self.say(default.map_or(node.place, |entry| entry.value.place), message);
                None
            }
            None => Some(input),
        }
    }

    /// `NAME: default`; the kind follows from how the default is written.
    fn short_input(&mut self, name: &str, node: &Node) -> Option<Input> {
        let default = self.string(node, name)?.to_owned();
        let plain = matches!(node.value, Value::Text { plain: true, .. });
        let kind = match default.as_str() {
            "true" | "false" if plain => InputKind::Boolean,
            text if plain && is_number(text) => InputKind::Number,
            text if text.contains('\n') => InputKind::Text,
            _ => InputKind::String,
        };
        Some(Input { name: name.to_owned(), kind, description: String::new(), default: Some(default) })
    }

    fn long_input(&mut self, name: &str, node: &Node) -> Option<Input> {
        let fields = self.fields(node, name, KEYS)?;
        let description = match fields.get("description") {
            Some(node) => self.string(node, "description")?.to_owned(),
            None => String::new(),
        };
        let default = match fields.get("default") {
            Some(Node { value: Value::Text { text, plain: true }, .. }) if is_null(text) => None,
            Some(node) => Some(self.string(node, "default")?.to_owned()),
            None => None,
        };
        let kind = self.kind(&fields)?;
        Some(Input { name: name.to_owned(), kind, description, default })
    }

    fn kind(&mut self, fields: &Fields) -> Option<InputKind> {
        let choices = match fields.get("choices") {
            Some(node) => Some((node, self.choices(node)?)),
            None => None,
        };
        let written = match fields.get("type") {
            Some(node) => Some((node, self.string(node, "type")?)),
            None => None,
        };
        match (written, choices) {
            (None | Some((_, "choice")), Some((_, choices))) => Some(InputKind::Choice(choices)),
            (Some((node, "choice")), None) => {
                self.say(node.place, msg!("pipeline-input-choices-missing"));
                None
            }
            (Some(_), Some((node, _))) => {
                self.say(node.place, msg!("pipeline-input-choices-extra"));
                None
            }
            (None | Some((_, "string")), None) => Some(InputKind::String),
            (Some((_, "text")), None) => Some(InputKind::Text),
            (Some((_, "boolean")), None) => Some(InputKind::Boolean),
            (Some((_, "number")), None) => Some(InputKind::Number),
            (Some((node, other)), None) => {
                let known = TYPES.join(", ");
                self.say(node.place, msg!("pipeline-input-type", value = shown(other), known = known));
                None
            }
        }
    }

    fn choices(&mut self, node: &Node) -> Option<Vec<String>> {
        let list = self.list(node, "choices")?;
        if list.is_empty() || list.len() > 200 {
            self.say(node.place, msg!("pipeline-input-choices-missing"));
            return None;
        }
        list.iter().map(|node| self.string(node, "choices").map(str::to_owned)).collect()
    }
}
