//! OpenShift's own YAML: `ImageStream`, the triggers of `BuildConfig`, and `List`s of them, one document or several.
//!
//! Strict: a field that OpenShift does not have is a finding with its place, and one finding is enough to change
//! nothing. A field that OpenShift has and we do not carry out is a note by name. Nothing is looked up here.

mod build_config;
mod stream;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::finding::{Findings, Place, shown};
use super::ropewalk::node::{self, Entry, Node, Value};
use super::ropewalk::reader::{Fields, Reader, is_null};
use crate::model::{Finding, Message, OwnerName, Result, StreamSpec, TriggersSpec};
use crate::msg;

/// Most objects of one file, those in lists counted.
const MOST_OBJECTS: usize = 200;
/// How deep lists may be in lists.
const DEEPEST_LIST: usize = 3;
const KINDS: [&str; 3] = ["ImageStream", "BuildConfig", "List"];
/// What OpenShift itself writes into `metadata`.
const METADATA: [&str; 15] = [
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
];

/// What a file asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Objects {
    /// In the order of the file.
    pub objects: Vec<Object>,
    /// What is there but not carried out.
    pub notes: Vec<Finding>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Object {
    Stream(StreamSpec),
    Triggers(TriggersSpec),
}

/// Reads a file; `owner` stands for a namespace that is not written. The error is every finding, never empty.
pub fn read(name: &str, bytes: &[u8], owner: &OwnerName) -> Result<Objects, Vec<Finding>> {
    let mut findings = Findings::new(name);
    let mut found = Objects::default();
    if let Some(text) = super::text_of(bytes, &mut findings)
        && let Some(documents) = node::documents(&text, &mut findings)
    {
        let reader = Reader { findings: &mut findings, step_count: 0 };
        let mut file = File { reader, name: shown(name), owner, found: &mut found };
        for document in documents.iter().filter(|document| !is_nothing(document)) {
            file.object(document, 0);
        }
        if file.found.objects.is_empty() && findings.is_empty() {
            findings.at(Place::START, msg!("openshift-nothing"));
        }
    }
    if findings.is_empty() { Ok(found) } else { Err(findings.into_vec()) }
}

/// A value as YAML, for export.
pub fn write(value: &serde_json::Value) -> Result<String> {
    serde_saphyr::to_string(value).map_err(|e| crate::model::Error::internal("write YAML", e))
}

struct File<'f, 'd> {
    reader: Reader<'d>,
    name: String,
    owner: &'f OwnerName,
    found: &'f mut Objects,
}

/// `metadata`, as far as it is kept.
struct Metadata {
    place: Place,
    name: String,
    namespace: Option<String>,
    annotations: BTreeMap<String, String>,
}

fn is_nothing(node: &Node) -> bool {
    matches!(&node.value, Value::Text { text, plain: true } if is_null(text))
}

impl File<'_, '_> {
    fn object(&mut self, node: &Node, depth: usize) {
        if self.reader.findings.is_full() {
            return;
        }
        let Some(entries) = self.reader.map(node, "kind") else { return };
        if self.found.objects.len() >= MOST_OBJECTS || depth > DEEPEST_LIST {
            return self.reader.say(node.place, msg!("openshift-too-many", most = MOST_OBJECTS));
        }
        let kind = entries.iter().find(|entry| entry.key == "kind");
        let Some(kind) = kind.and_then(|entry| self.reader.string(&entry.value, "kind")) else {
            return self.reader.say(node.place, msg!("openshift-missing", key = "kind"));
        };
        let kind = kind.to_owned();
        let done = match kind.as_str() {
            "ImageStream" => self.stream(node).map(Object::Stream),
            "BuildConfig" => self.build_config(node).map(Object::Triggers),
            "List" | "ImageStreamList" | "BuildConfigList" => return self.list(node, depth),
            other => {
                let known = KINDS.join(", ");
                return self
                    .reader
                    .say(node.place, msg!("openshift-kind", kind = shown(other), known = known));
            }
        };
        self.found.objects.extend(done);
    }

    fn list(&mut self, node: &Node, depth: usize) {
        let Some(fields) = self.reader.fields(node, "List", &["apiVersion", "kind", "metadata", "items"])
        else {
            return;
        };
        let Some(items) = fields.get("items") else {
            return self.reader.say(node.place, msg!("openshift-missing", key = "items"));
        };
        for item in self.reader.list(items, "items").unwrap_or_default() {
            self.object(item, depth + 1);
        }
    }

    /// The fields at the top of an object whose version must be one of these.
    fn top<'n>(&mut self, node: &'n Node, kind: &str, versions: [&str; 2]) -> Option<Fields<'n>> {
        let fields = self.reader.fields(node, kind, &["apiVersion", "kind", "metadata", "spec", "status"])?;
        let version = match fields.get("apiVersion") {
            Some(version) => self.reader.string(version, "apiVersion")?,
            None => {
                self.reader.say(node.place, msg!("openshift-missing", key = "apiVersion"));
                return None;
            }
        };
        if !versions.contains(&version) {
            let place = fields.get("apiVersion").map_or(node.place, |version| version.place);
            let known = versions.join(", ");
            self.reader.say(place, msg!("openshift-version", version = shown(version), known = known));
        }
        if let Some(status) = fields.get("status").filter(|status| !is_nothing(status)) {
            self.note(status.place, "status");
        }
        Some(fields)
    }

    fn metadata(&mut self, fields: &Fields) -> Option<Metadata> {
        let Some(node) = fields.get("metadata") else {
            self.reader.say(fields.place, msg!("openshift-missing", key = "metadata"));
            return None;
        };
        let inner = self.reader.fields(node, "metadata", &METADATA)?;
        for key in METADATA.iter().skip(3) {
            if let Some(found) = inner.get(key).filter(|found| !is_nothing(found)) {
                self.note(found.place, &format!("metadata.{key}"));
            }
        }
        let Some(name) = inner.get("name") else {
            self.reader.say(node.place, msg!("openshift-missing", key = "metadata.name"));
            return None;
        };
        let place = name.place;
        let name = self.reader.string(name, "name")?.to_owned();
        let namespace = self.text(&inner, "namespace");
        Some(Metadata { place, name, namespace, annotations: self.annotations(&inner) })
    }

    fn annotations(&mut self, fields: &Fields) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let node = fields.get("annotations").filter(|node| !is_nothing(node));
        let entries = node.and_then(|node| self.reader.map(node, "annotations")).unwrap_or_default();
        for Entry { key, value, .. } in entries {
            let text = match &value.value {
                Value::Text { text, .. } => text.clone(),
                _ => {
                    self.reader.string(value, key);
                    continue;
                }
            };
            found.insert(key.clone(), text);
        }
        found
    }

    /// A text; nothing where the field is not written or has no value.
    fn text(&mut self, fields: &Fields, key: &str) -> Option<String> {
        let node = fields.get(key).filter(|node| !is_nothing(node))?;
        self.reader.string(node, key).map(str::to_owned).filter(|text| !text.is_empty())
    }

    fn flag(&mut self, fields: &Fields, key: &str) -> bool {
        let node = fields.get(key).filter(|node| !is_nothing(node));
        node.and_then(|node| self.reader.boolean(node, key)).unwrap_or(false)
    }

    /// One of `known`; the first when nothing is written.
    fn one_of(&mut self, fields: &Fields, key: &str, known: [&'static str; 2]) -> &'static str {
        let Some(node) = fields.get(key).filter(|node| !is_nothing(node)) else { return known[0] };
        let Some(text) = self.reader.string(node, key) else { return known[0] };
        match known.into_iter().find(|value| *value == text) {
            Some(value) => value,
            None => {
                let wrong = msg!("openshift-value", key = key, value = shown(text), known = known.join(", "));
                self.reader.say(node.place, wrong);
                known[0]
            }
        }
    }

    /// There, and not carried out.
    fn note(&mut self, place: Place, key: &str) {
        self.note_that(place, msg!("openshift-not-carried-out", key = shown(key)));
    }

    fn note_that(&mut self, place: Place, message: Message) {
        let Place { line, column } = place;
        self.found.notes.push(Finding { path: self.name.clone(), line, column, message });
    }
}
