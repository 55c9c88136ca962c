//! From the documents of a file to its objects: lists and templates are gone through, kinds that are not ours are left.

use super::super::finding::{Findings, Place, shown};
use super::super::ropewalk::node::{Node, Value};
use super::fields::File;
use super::scalars::is_nothing;
use super::{Given, Object, Objects, Piece, What, template};
use crate::model::{Finding, Result};
use crate::msg;

/// Most objects of one file, those in lists counted.
const MOST_OBJECTS: usize = 500;
/// How deep lists and templates may be in lists.
const DEEPEST_LIST: usize = 4;

/// What an item of a list is that does not say it itself.
pub type Usual = (&'static str, &'static str);

pub struct Walk<'g> {
    pub name: String,
    pub given: &'g Given,
    found: Objects,
    /// Keys that stand twice; those within an object are its own.
    twice: Vec<Finding>,
    /// How many bytes templates may still put in.
    pub budget: usize,
    templates: usize,
}

/// Why the whole file is not read.
type Stop = Vec<Finding>;

impl<'g> Walk<'g> {
    pub fn new(name: &str, given: &'g Given, twice: Vec<Finding>) -> Self {
        let found = Objects::default();
        Walk { name: name.to_owned(), given, found, twice, budget: template::LARGEST, templates: 0 }
    }

    /// Everything that was found; what stands twice outside of all objects is a mistake of the file.
    pub fn done(mut self) -> Result<Objects, Stop> {
        if !self.twice.is_empty() {
            return Err(self.twice);
        }
        if self.templates == 0 && !self.given.parameters.is_empty() {
            self.note(Place::START, msg!("openshift-no-template"));
        }
        Ok(self.found)
    }

    pub fn object(&mut self, node: &Node, depth: usize, usual: Option<Usual>) -> Result<(), Stop> {
        if self.found.pieces.len() >= MOST_OBJECTS || depth > DEEPEST_LIST {
            let mut findings = Findings::new(&self.name);
            findings.at(node.place, msg!("openshift-too-many", most = MOST_OBJECTS));
            return Err(findings.into_vec());
        }
        let mut findings = Findings::new(&self.name);
        let mut file = File::new(&self.name, &self.given.owner, &mut findings);
        let kind = match (file.reader.any_fields(node, "kind"), usual) {
            (Some(fields), usual) => match (fields.get("kind").filter(|kind| !is_nothing(kind)), usual) {
                (Some(kind), _) => file.string(kind, "kind"),
                (None, Some((kind, _))) => Some(kind.to_owned()),
                (None, None) => {
                    file.reader.say(node.place, msg!("openshift-missing", key = "kind"));
                    None
                }
            },
            (None, _) => None,
        };
        let Some(kind) = kind else {
            let twice = self.within(node);
            let findings = findings.into_vec().into_iter().chain(twice).collect();
            self.piece(node, ("", String::new()), What::Refused(findings), Vec::new());
            return Ok(());
        };
        let group = text_at(node, "apiVersion").unwrap_or(usual.map_or("", |usual| usual.1));
        let ours = is_ours(group);
        match kind.as_str() {
            "List" => self.list(node, depth, None),
            "ImageStreamList" if ours => {
                self.list(node, depth, Some(("ImageStream", "image.openshift.io/v1")))
            }
            "ImageStreamTagList" if ours => {
                self.list(node, depth, Some(("ImageStreamTag", "image.openshift.io/v1")))
            }
            "BuildConfigList" if ours => {
                self.list(node, depth, Some(("BuildConfig", "build.openshift.io/v1")))
            }
            "TemplateList" if ours => self.list(node, depth, Some(("Template", "template.openshift.io/v1"))),
            "Template" if ours => self.template(node, depth),
            other => {
                self.leaf(node, other, usual.filter(|_| ours), ours);
                Ok(())
            }
        }
    }

    fn list(&mut self, node: &Node, depth: usize, usual: Option<Usual>) -> Result<(), Stop> {
        let mut findings = Findings::new(&self.name);
        let items = entry(node, "items").filter(|items| !is_nothing(items));
        let items = match items.map(|items| &items.value) {
            Some(Value::List(items)) => items.as_slice(),
            Some(_) => {
                findings.at(node.place, msg!("pipeline-want-list", key = "items"));
                &[]
            }
            None => {
                findings.at(node.place, msg!("openshift-missing", key = "items"));
                &[]
            }
        };
        if !findings.is_empty() {
            self.piece(node, ("List", String::new()), What::Refused(findings.into_vec()), Vec::new());
        }
        items.iter().try_for_each(|item| self.object(item, depth + 1, usual))
    }

    /// Puts the parameters in, and goes on with the objects.
    fn template(&mut self, node: &Node, depth: usize) -> Result<(), Stop> {
        self.templates += 1;
        let mut notes = Vec::new();
        match template::process(self, node, &mut notes) {
            Ok(objects) => {
                self.found.notes.extend(notes);
                objects.iter().try_for_each(|object| self.object(object, depth + 1, None))
            }
            Err(findings) => {
                let twice = self.within(node);
                let findings = findings.into_iter().chain(twice).collect();
                self.piece(node, ("Template", name_of(node)), What::Refused(findings), notes);
                Ok(())
            }
        }
    }

    /// One object that holds no others.
    fn leaf(&mut self, node: &Node, kind: &str, usual: Option<Usual>, ours: bool) {
        let twice = self.within(node);
        let mut findings = Findings::new(&self.name);
        let mut file = File::new(&self.name, &self.given.owner, &mut findings);
        file.version = usual.map(|usual| usual.1);
        let done = match kind {
            _ if !ours => None,
            "ImageStream" => Some(file.stream(node).map(Object::Stream)),
            "ImageStreamTag" | "ImageTag" => Some(file.stream_tag(node, kind)),
            "ImageStreamImport" => Some(file.import(node)),
            "ImageStreamMapping" => Some(file.mapping(node)),
            "BuildConfig" => Some(file.build_config(node).map(Object::Triggers)),
            _ => None,
        };
        let notes = std::mem::take(&mut file.notes);
        let what = match done {
            None => What::Left(msg!("openshift-left", kind = shown(kind))),
            Some(Some(object)) if findings.is_empty() && twice.is_empty() => What::Ours(object),
            Some(_) => {
                let found =
                    if findings.is_empty() && !twice.is_empty() { Vec::new() } else { findings.into_vec() };
                What::Refused(found.into_iter().chain(twice).collect())
            }
        };
        self.piece(node, (kind, name_of(node)), what, notes);
    }

    fn piece(&mut self, node: &Node, (kind, name): (&str, String), what: What, notes: Vec<Finding>) {
        let Place { line, column } = node.place;
        self.found.pieces.push(Piece { kind: shown(kind), name, line, column, what, notes });
    }

    pub fn note(&mut self, place: Place, message: crate::model::Message) {
        let Place { line, column } = place;
        self.found.notes.push(Finding { path: shown(&self.name), line, column, message });
    }

    /// The keys that stand twice in this node; they are counted against it alone.
    fn within(&mut self, node: &Node) -> Vec<Finding> {
        if self.twice.is_empty() {
            return Vec::new();
        }
        let (from, to) = (order(node.place), last(node));
        let inside = |finding: &Finding| (from..=to).contains(&(finding.line, finding.column));
        let (inside, outside) = std::mem::take(&mut self.twice).into_iter().partition(inside);
        self.twice = outside;
        inside
    }
}

fn order(place: Place) -> (u32, u32) {
    (place.line, place.column)
}

/// Where the last thing in the node stands.
fn last(node: &Node) -> (u32, u32) {
    let inner = match &node.value {
        Value::Text { .. } => None,
        Value::List(list) => list.iter().map(last).max(),
        Value::Map(entries) => entries.iter().map(|entry| order(entry.place).max(last(&entry.value))).max(),
    };
    inner.unwrap_or_default().max(order(node.place))
}

/// The groups that OpenShift has these kinds in; `v1` is what they were in before there were groups, and a missing
/// version is said to be missing.
fn is_ours(version: &str) -> bool {
    match version.split_once('/') {
        Some((group, _)) => {
            matches!(group, "image.openshift.io" | "build.openshift.io" | "template.openshift.io")
        }
        None => true,
    }
}

pub fn entry<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    match &node.value {
        Value::Map(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value),
        _ => None,
    }
}

fn text_at<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    match &entry(node, key)?.value {
        Value::Text { text, .. } => Some(text),
        _ => None,
    }
}

/// `metadata.name`, as it is written.
fn name_of(node: &Node) -> String {
    entry(node, "metadata").and_then(|metadata| text_at(metadata, "name")).map(shown).unwrap_or_default()
}
