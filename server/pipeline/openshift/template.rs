//! `Template` of `template.openshift.io/v1`, as `oc process` does it: parameters get their values, `${NAME}` in any text
//! and any key becomes the value, `${{NAME}}` alone becomes what the value is as JSON. A name that is no parameter stays
//! as it is written, and is said.

mod expression;

use std::collections::{BTreeMap, BTreeSet};

use super::super::finding::{Findings, Place, shown};
use super::super::ropewalk::node::{Entry, Node, Value};
use super::documents;
use super::fields::File;
use super::scalars::is_nothing;
use super::walk::{Walk, entry};
use crate::model::{Finding, Result};
use crate::msg;

/// Most that parameters of one file may put in, in bytes.
pub const LARGEST: usize = 4 * 1024 * 1024;
const MOST_PARAMETERS: usize = 500;

/// The template's objects with its parameters put in; the error is never empty.
pub fn process(walk: &mut Walk, node: &Node, notes: &mut Vec<Finding>) -> Result<Vec<Node>, Vec<Finding>> {
    let mut findings = Findings::new(&walk.name);
    let mut file = File::new(&walk.name, &walk.given.owner, &mut findings);
    let read = parameters(&mut file, walk, node);
    let labels = match file.reader.any_fields(node, "Template") {
        Some(fields) => file.strings(&fields, "labels"),
        None => BTreeMap::new(),
    };
    let objects = match entry(node, "objects").filter(|objects| !is_nothing(objects)) {
        Some(objects) => file.reader.list(objects, "objects").unwrap_or_default().to_vec(),
        None => Vec::new(),
    };
    notes.append(&mut file.notes);
    let Some(values) = read.filter(|_| findings.is_empty()) else { return Err(findings.into_vec()) };
    let mut put = Put { values: &values, left: walk.budget, unknown: BTreeSet::new() };
    let mut done = Vec::new();
    for mut object in objects {
        strip_namespace(&mut object);
        let whole = put.node(&mut object).and_then(|()| put.labels(&mut object, &labels));
        if whole.is_none() {
            findings.at(object.place, msg!("openshift-template-too-large", largest = LARGEST));
            return Err(findings.into_vec());
        }
        done.push(object);
    }
    walk.budget = put.left;
    for name in put.unknown.iter().take(20) {
        let Place { line, column } = node.place;
        let message = msg!("openshift-parameter-undeclared", name = shown(name));
        notes.push(Finding { path: shown(&walk.name), line, column, message });
    }
    Ok(done)
}

/// The values of the template's parameters; `None` after saying what is wrong.
fn parameters(file: &mut File, walk: &Walk, node: &Node) -> Option<BTreeMap<String, String>> {
    const KNOWN: [&str; 7] = ["name", "displayName", "description", "value", "generate", "from", "required"];
    let known = ["message", "objects", "parameters", "labels", "objectLabels"];
    let fields = file.top(node, "Template", (["template.openshift.io/v1", "v1"], &known))?;
    let list = match fields.get("parameters").filter(|list| !is_nothing(list)) {
        Some(list) => file.reader.list(list, "parameters")?,
        None => &[],
    };
    if let Some(node) = list.get(MOST_PARAMETERS) {
        file.reader.say(node.place, msg!("openshift-too-many", most = MOST_PARAMETERS));
        return None;
    }
    let given = &walk.given.parameters;
    let mut values = BTreeMap::new();
    for node in list {
        let Some(fields) = file.fields(node, "parameters", &KNOWN) else { continue };
        let Some(name) = file.text(&fields, "name") else {
            if fields.get("name").is_none_or(is_nothing) {
                file.reader.say(node.place, msg!("openshift-missing", key = "parameters.name"));
            }
            continue;
        };
        if !is_name(&name) {
            file.reader.say(node.place, msg!("openshift-parameter-name", name = shown(&name)));
            continue;
        }
        let (value, generate) = (file.text(&fields, "value"), file.text(&fields, "generate"));
        let from = file.text(&fields, "from").unwrap_or_default();
        let required = file.flag(&fields, "required");
        // A value that is given, even an empty one, stands before one that is made up.
        let value = match (given.get(&name), value, generate) {
            (Some(given), _, _) => given.clone(),
            (None, Some(value), _) => value,
            (None, None, Some(generate)) => {
                made_up(file, node.place, (&name, &generate, &from)).unwrap_or_default()
            }
            (None, None, None) => String::new(),
        };
        if value.is_empty() && required {
            file.reader.say(node.place, msg!("openshift-parameter-required", name = shown(&name)));
        }
        values.insert(name, value);
    }
    for name in given.keys().filter(|name| !values.contains_key(*name) && !walk.given.ignore_unknown) {
        let known = values.keys().take(20).map(String::as_str).collect::<Vec<_>>().join(", ");
        file.reader.say(node.place, msg!("openshift-parameter-unknown", name = shown(name), known = known));
    }
    Some(values)
}

fn made_up(file: &mut File, place: Place, (name, generate, from): (&str, &str, &str)) -> Option<String> {
    if generate != "expression" {
        let value = shown(generate);
        file.reader
            .say(place, msg!("openshift-value", key = "generate", value = value, known = "expression"));
        return None;
    }
    match expression::generate(from) {
        Ok(value) => {
            file.note_that(place, msg!("openshift-parameter-generated", name = shown(name)));
            Some(value)
        }
        Err(message) => {
            file.reader.say(place, message);
            None
        }
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// A namespace that is written out is not taken along; one with a parameter in it is.
fn strip_namespace(object: &mut Node) {
    let Value::Map(entries) = &mut object.value else { return };
    let metadata = entries.iter_mut().find(|entry| entry.key == "metadata");
    let Some(Value::Map(inner)) = metadata.map(|entry| &mut entry.value.value) else { return };
    inner.retain(|entry| {
        let kept = matches!(&entry.value.value, Value::Text { text, .. } if parameter(text).is_some());
        entry.key != "namespace" || kept
    });
}

/// The first `${NAME}`: what stands before it, the name, what stands behind.
fn parameter(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(at) = text[from..].find("${").map(|at| from + at) {
        let (before, rest) = (&text[..at], &text[at + 2..]);
        if let Some((name, behind)) = rest.split_once('}').filter(|(name, _)| is_name(name)) {
            return Some((before, name, behind));
        }
        from = at + 2;
    }
    None
}

struct Put<'v> {
    values: &'v BTreeMap<String, String>,
    left: usize,
    /// Names in the objects that are no parameters.
    unknown: BTreeSet<String>,
}

impl Put<'_> {
    /// Puts the values in; `None` when that is more than there may be.
    fn node(&mut self, node: &mut Node) -> Option<()> {
        match &mut node.value {
            Value::Text { text, .. } => {
                let whole = text.strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}"));
                if let Some(value) = whole.and_then(|name| self.values.get(name)) {
                    self.left = self.left.checked_sub(value.len())?;
                    let json = serde_json::from_str::<serde_json::Value>(value);
                    *node = documents::tree(&json.unwrap_or_else(|_| value.clone().into()), node.place);
                } else if let Some(new) = self.text(text)? {
                    node.value = Value::Text { text: new, plain: false };
                }
            }
            Value::List(list) => {
                for item in list {
                    self.node(item)?;
                }
            }
            Value::Map(entries) => {
                for Entry { key, value, .. } in entries {
                    if let Some(new) = self.text(key)? {
                        *key = new;
                    }
                    self.node(value)?;
                }
            }
        }
        Some(())
    }

    /// The text with its values; the inner `None` when nothing of it is a parameter.
    fn text(&mut self, text: &str) -> Option<Option<String>> {
        let (mut out, mut rest, mut changed) = (String::new(), text, false);
        while let Some((before, name, behind)) = parameter(rest) {
            out.push_str(before);
            match self.values.get(name) {
                Some(value) => {
                    self.left = self.left.checked_sub(value.len())?;
                    out.push_str(value);
                    changed = true;
                }
                None => {
                    if self.unknown.len() < MOST_PARAMETERS {
                        self.unknown.insert(name.to_owned());
                    }
                    out.push_str(&format!("${{{name}}}"));
                }
            }
            rest = behind;
        }
        out.push_str(rest);
        Some(changed.then_some(out))
    }

    /// The template's labels become the object's, before its own.
    fn labels(&mut self, object: &mut Node, labels: &BTreeMap<String, String>) -> Option<()> {
        let place = object.place;
        let Value::Map(entries) = &mut object.value else { return Some(()) };
        if labels.is_empty() {
            return Some(());
        }
        let metadata = map_in(entries, "metadata", place)?;
        let own = map_in(metadata, "labels", place)?;
        for (key, value) in labels {
            let key = self.text(key)?.unwrap_or_else(|| key.clone());
            let text = self.text(value)?.unwrap_or_else(|| value.clone());
            self.left = self.left.checked_sub(key.len() + text.len())?;
            own.retain(|entry| entry.key != key);
            own.push(Entry { key, place, value: Node::new(place, Value::Text { text, plain: false }) });
        }
        Some(())
    }
}

/// The entries of the map below `key`; made when there is none.
fn map_in<'e>(entries: &'e mut Vec<Entry>, key: &str, place: Place) -> Option<&'e mut Vec<Entry>> {
    let there = entries.iter().position(|entry| entry.key == key);
    let at = there.unwrap_or(entries.len());
    if there.is_none() {
        entries.push(Entry { key: key.to_owned(), place, value: Node::new(place, Value::Map(Vec::new())) });
    }
    let value = &mut entries.get_mut(at)?.value;
    if is_nothing(value) {
        value.value = Value::Map(Vec::new());
    }
    match &mut value.value {
        Value::Map(inner) => Some(inner),
        // Not a map at all: that is said when the object is read.
        _ => None,
    }
}
