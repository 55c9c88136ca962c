//! One object's reader: fields with the types that OpenShift gives them. What is wrong is a finding, what is there and
//! not carried out a note.

use std::collections::BTreeMap;

use super::super::finding::{Findings, Place, nearest, shown};
use super::super::ropewalk::node::{Entry, Node, Value};
use super::super::ropewalk::reader::{Fields, Reader};
use super::scalars::{Scalar, is_nothing, scalar};
use crate::model::{Finding, Message, OwnerName};
use crate::msg;

/// What OpenShift itself writes into `metadata`.
const METADATA: [&str; 16] = [
    "name",
    "namespace",
    "annotations",
    "labels",
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generateName",
    "generation",
    "managedFields",
    "selfLink",
    "ownerReferences",
    "finalizers",
    "clusterName",
];
/// Of an object reference.
const FROM: [&str; 7] = ["kind", "name", "namespace", "apiVersion", "uid", "resourceVersion", "fieldPath"];

pub struct File<'d> {
    pub reader: Reader<'d>,
    pub name: String,
    /// Stands for a namespace that is not written.
    pub owner: &'d OwnerName,
    /// Stands for a version that is not written, of an item of a list of one kind.
    pub version: Option<&'static str>,
    pub notes: Vec<Finding>,
}

/// `metadata`, as far as it is kept.
pub struct Metadata {
    pub place: Place,
    pub name: String,
    pub namespace: Option<String>,
    pub annotations: BTreeMap<String, String>,
    pub labels: BTreeMap<String, String>,
}

/// An object reference.
pub struct Reference {
    pub place: Place,
    pub kind: String,
    pub name: String,
    /// Where the name stands.
    pub named: Place,
    pub namespace: Option<String>,
}

impl<'d> File<'d> {
    pub fn new(name: &str, owner: &'d OwnerName, findings: &'d mut Findings) -> Self {
        let reader = Reader { findings, step_count: 0 };
        File { reader, name: shown(name), owner, version: None, notes: Vec::new() }
    }

    /// The map at `node`. A key that is nearly one of `known` is a finding, any other a note: OpenShift ignores it.
    pub fn fields<'n>(&mut self, node: &'n Node, what: &str, known: &[&'static str]) -> Option<Fields<'n>> {
        let fields = self.reader.any_fields(node, what)?;
        for entry in fields.entries().iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            if self.reader.findings.is_full() {
                break;
            }
            let key = shown(&entry.key);
            match nearest(&entry.key, known.iter().copied()) {
                Some(known) => {
                    self.reader.say(entry.place, msg!("pipeline-key-similar", key = key, known = known))
                }
                None if self.notes.len() >= MOST_NOTES => {}
                None => {
                    let place = shown(what);
                    self.note_that(entry.place, msg!("openshift-unknown-field", key = key, place = place));
                }
            }
        }
        Some(fields)
    }

    /// The fields at the top of an object whose version must be one of these.
    pub fn top<'n>(
        &mut self,
        node: &'n Node,
        kind: &str,
        (versions, known): ([&str; 2], &[&'static str]),
    ) -> Option<Fields<'n>> {
        let all: Vec<&'static str> =
            ["apiVersion", "kind", "metadata"].iter().chain(known).copied().collect();
        let fields = self.fields(node, kind, &all)?;
        match (fields.get("apiVersion"), self.version) {
            (Some(version), _) => {
                let place = version.place;
                let version = self.string(version, "apiVersion")?;
                if !versions.contains(&version.as_str()) {
                    let known = versions.join(", ");
                    self.reader
                        .say(place, msg!("openshift-version", version = shown(&version), known = known));
                }
            }
            (None, Some(_)) => {}
            (None, None) => {
                self.reader.say(node.place, msg!("openshift-missing", key = "apiVersion"));
                return None;
            }
        }
        if let Some(status) = fields.get("status").filter(|status| !is_nothing(status)) {
            self.note(status.place, "status");
        }
        Some(fields)
    }

    /// `metadata`; labels are a note where `labelled` is not set.
    pub fn metadata(&mut self, fields: &Fields, labelled: bool) -> Option<Metadata> {
        let Some(node) = fields.get("metadata").filter(|node| !is_nothing(node)) else {
            self.reader.say(fields.place, msg!("openshift-missing", key = "metadata"));
            return None;
        };
        let inner = self.fields(node, "metadata", &METADATA)?;
        for key in METADATA.iter().skip(if labelled { 4 } else { 3 }) {
            if let Some(found) = inner.get(key).filter(|found| !is_nothing(found)) {
                self.note(found.place, &format!("metadata.{key}"));
            }
        }
        let Some(name) = inner.get("name").filter(|name| !is_nothing(name)) else {
            self.reader.say(node.place, msg!("openshift-missing", key = "metadata.name"));
            return None;
        };
        let place = name.place;
        let name = self.string(name, "metadata.name")?;
        let namespace = self.text(&inner, "namespace");
        let annotations = self.strings(&inner, "annotations");
        let labels = if labelled { self.strings(&inner, "labels") } else { BTreeMap::new() };
        Some(Metadata { place, name, namespace, annotations, labels })
    }

    /// A map of texts, such as `annotations`. One without a value is empty.
    pub fn strings(&mut self, fields: &Fields, key: &str) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let node = fields.get(key).filter(|node| !is_nothing(node));
        let entries = node.and_then(|node| self.reader.map(node, key)).unwrap_or_default();
        for Entry { key: name, value, .. } in entries {
            if self.reader.findings.is_full() {
                break;
            }
            if is_nothing(value) {
                found.insert(name.clone(), String::new());
            } else if let Some(text) = self.string(value, &format!("{key}.{name}")) {
                found.insert(name.clone(), text);
            }
        }
        found
    }

    /// A reference to another object. `None` where there is none, or after saying what is wrong with it.
    pub fn reference(&mut self, fields: &Fields, key: &str) -> Option<Reference> {
        let node = fields.get(key).filter(|node| !is_nothing(node))?;
        let inner = self.fields(node, key, &FROM)?;
        for extra in FROM.iter().skip(3) {
            if let Some(found) = inner.get(extra).filter(|found| !is_nothing(found)) {
                self.note(found.place, &format!("{key}.{extra}"));
            }
        }
        let named = inner.get("name").map_or(node.place, |name| name.place);
        let kind = self.text(&inner, "kind");
        let name = self.text(&inner, "name");
        for (what, value) in [("kind", &kind), ("name", &name)] {
            let is_missing = inner.get(what).is_none_or(|node| is_nothing(node) || is_empty(node));
            if value.is_none() && is_missing {
                self.reader.say(node.place, msg!("openshift-missing", key = format!("{key}.{what}")));
            }
        }
        let namespace = self.text(&inner, "namespace");
        Some(Reference { place: node.place, kind: kind?, name: name?, named, namespace })
    }

    /// A text; nothing where the field is not written or has no value.
    pub fn text(&mut self, fields: &Fields, key: &str) -> Option<String> {
        let node = fields.get(key).filter(|node| !is_nothing(node))?;
        self.string(node, key).filter(|text| !text.is_empty())
    }

    /// A text as OpenShift takes one: what would be a number or a boolean needs quotes.
    pub fn string(&mut self, node: &Node, key: &str) -> Option<String> {
        let Value::Text { text, plain: true } = &node.value else {
            return self.reader.string(node, key).map(str::to_owned);
        };
        let (key_shown, value) = (shown(key), shown(text));
        let wrong = match scalar(text) {
            Scalar::Nothing | Scalar::Text => return self.reader.string(node, key).map(str::to_owned),
            Scalar::Boolean(read) => {
                msg!("openshift-text-boolean", key = key_shown, value = value, read = read)
            }
            Scalar::Number(read) => {
                msg!("openshift-text-number", key = key_shown, value = value, read = read)
            }
        };
        self.reader.say(node.place, wrong);
        None
    }

    pub fn flag(&mut self, fields: &Fields, key: &str) -> bool {
        let Some(node) = fields.get(key).filter(|node| !is_nothing(node)) else { return false };
        match &node.value {
            Value::Text { text, plain: true } => match scalar(text) {
                Scalar::Boolean(value) => return value,
                _ => self.reader.say(node.place, msg!("pipeline-want-boolean", key = shown(key))),
            },
            Value::Text { text, .. } => {
                let value = shown(text);
                self.reader.say(node.place, msg!("openshift-boolean-text", key = shown(key), value = value));
            }
            _ => self.reader.say(node.place, msg!("pipeline-want-boolean", key = shown(key))),
        }
        false
    }

    /// One of `known`; the first when nothing is written, as OpenShift has it.
    pub fn one_of(&mut self, fields: &Fields, key: &str, known: [&'static str; 2]) -> &'static str {
        let Some(text) = self.text(fields, key) else { return known[0] };
        match known.into_iter().find(|value| *value == text) {
            Some(value) => value,
            None => {
                let place = fields.get(key).map_or(fields.place, |node| node.place);
                let wrong =
                    msg!("openshift-value", key = key, value = shown(&text), known = known.join(", "));
                self.reader.say(place, wrong);
                known[0]
            }
        }
    }

    /// There, and not carried out.
    pub fn note(&mut self, place: Place, key: &str) {
        self.note_that(place, msg!("openshift-not-carried-out", key = shown(key)));
    }

    pub fn note_that(&mut self, place: Place, message: Message) {
        let Place { line, column } = place;
        self.notes.push(Finding { path: self.name.clone(), line, column, message });
    }
}

/// More notes of one object than a person reads.
const MOST_NOTES: usize = 100;

fn is_empty(node: &Node) -> bool {
    matches!(&node.value, Value::Text { text, .. } if text.is_empty())
}
