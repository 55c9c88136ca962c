//! The documents of a file as trees: YAML with merge keys put in, or JSON, of which there may be several in a row.
//! The same key twice is kept aside: it counts against the object it stands in, and against no other.

use serde_json::Value as Json;

use super::super::finding::{Findings, Place};
use super::super::ropewalk::node::{self, Entry, Node, Value};
use crate::model::{Finding, Result};

/// The trees, and keys that stand twice.
pub type Read = (Vec<Node>, Vec<Finding>);

pub fn all(name: &str, text: &str) -> Result<Read, Vec<Finding>> {
    let json = json(text);
    let mut findings = Findings::new(name);
    // No text of JSON has a tab in it, and YAML is particular about tabs.
    let spaced = json.as_ref().map(|_| text.replace('\t', " "));
    match (node::documents(spaced.as_deref().unwrap_or(text), &mut findings), json) {
        (Some(documents), _) => {
            let twice = if findings.is_empty() { Vec::new() } else { findings.into_vec() };
            Ok((documents.into_iter().map(merged).collect(), twice))
        }
        // Several in a row, or escapes that YAML does not have.
        (None, Some(json)) => Ok((json.iter().map(|value| tree(value, Place::START)).collect(), Vec::new())),
        (None, None) => Err(findings.into_vec()),
    }
}

/// All of the text as JSON, if it is.
fn json(text: &str) -> Option<Vec<Json>> {
    if !text.trim_start().starts_with('{') {
        return None;
    }
    let all = serde_json::Deserializer::from_str(text).into_iter::<Json>();
    all.collect::<Result<Vec<_>, _>>().ok()
}

/// A JSON value as it would have been read from YAML.
pub fn tree(value: &Json, place: Place) -> Node {
    let text = |text: String, plain: bool| Value::Text { text, plain };
    let value = match value {
        Json::Null => text("null".to_owned(), true),
        Json::Bool(value) => text(value.to_string(), true),
        Json::Number(value) => text(value.to_string(), true),
        Json::String(value) => text(value.clone(), false),
        Json::Array(list) => Value::List(list.iter().map(|item| tree(item, place)).collect()),
        Json::Object(map) => {
            let entry =
                |(key, value): (&String, &Json)| Entry { key: key.clone(), place, value: tree(value, place) };
            Value::Map(map.iter().map(entry).collect())
        }
    };
    Node::new(place, value)
}

/// With `<<` put in: what stands in the map itself goes before what is merged. No node becomes two by it.
fn merged(mut node: Node) -> Node {
    match &mut node.value {
        Value::Text { .. } => {}
        Value::List(list) => *list = std::mem::take(list).into_iter().map(merged).collect(),
        Value::Map(entries) => {
            let (mut own, mut more) = (Vec::new(), Vec::new());
            for Entry { key, place, value } in std::mem::take(entries) {
                let value = merged(value);
                match value.value {
                    Value::Map(inner) if key == "<<" => more.extend(inner),
                    Value::List(list) if key == "<<" => more.extend(list.into_iter().flat_map(entries_of)),
                    _ => own.push(Entry { key, place, value }),
                }
            }
            let mut known: std::collections::BTreeSet<String> =
                own.iter().map(|entry| entry.key.clone()).collect();
            own.extend(more.into_iter().filter(|entry| known.insert(entry.key.clone())));
            *entries = own;
        }
    }
    node
}

fn entries_of(node: Node) -> Vec<Entry> {
    match node.value {
        Value::Map(entries) => entries,
        _ => Vec::new(),
    }
}
