//! YAML as a tree with places: texts, lists and maps, nothing typed yet.
//!
//! It is built from the parser's events and not by serde, so that a reader can report every mistake
//! with line and column in the reader's language, and `1.10` stays what was written. Nesting, the size
//! after aliases are put in, and the number of documents are limited; tags are refused.

use std::collections::{BTreeMap, BTreeSet};

use serde_saphyr::granit_parser::{Event, Options, Parser, ScalarStyle, Span};

use super::super::finding::{Findings, Place, shown};
use crate::msg;

/// Deepest nesting; the grammar needs seven levels.
const DEEPEST: usize = 24;
/// And of a file of objects, of which most are not ours: schemas in it are deep.
const DEEPEST_OBJECT: usize = 64;
/// Largest tree in bytes: texts and about what a node takes, aliases counted as often as they are used.
const LARGEST: usize = 4 * 1024 * 1024;
const NODE: usize = 64;

#[derive(Clone, Debug)]
pub struct Node {
    pub place: Place,
    pub value: Value,
    weight: usize,
}

#[derive(Clone, Debug)]
pub enum Value {
    /// `plain` is a text without quotes, which may be meant as a number, a boolean or nothing.
    Text {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Clone, Debug)]
pub struct Entry {
    pub key: String,
    pub place: Place,
    pub value: Node,
}

/// A list or map that is not closed yet.
struct Open {
    node: Node,
    anchor: usize,
    /// The key that waits for its value, in a map.
    key: Option<(String, Place)>,
    keys: BTreeSet<String>,
}

struct Builder<'f> {
    findings: &'f mut Findings,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    weight: usize,
    root: Option<Node>,
    /// The documents before this one; `None` where there may be only one.
    before: Option<Vec<Node>>,
    deepest: usize,
}

/// The document in `text`, or `None` after saying why there is none.
pub fn document(text: &str, findings: &mut Findings) -> Option<Node> {
    read(text, findings, None)?.pop()
}

/// All documents in `text`, or `None` after saying why there is none.
pub fn documents(text: &str, findings: &mut Findings) -> Option<Vec<Node>> {
    read(text, findings, Some(Vec::new()))
}

fn read(text: &str, findings: &mut Findings, before: Option<Vec<Node>>) -> Option<Vec<Node>> {
    let deepest = if before.is_some() { DEEPEST_OBJECT } else { DEEPEST };
    let mut options = Options::default();
    options.disallow_directives = before.is_none();
    options.flow_nesting_limit = deepest;
    options.block_nesting_limit = deepest;
    options.set_emit_comments(false);
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut builder = Builder {
        findings,
        open: Vec::new(),
        anchors: BTreeMap::new(),
        weight: 0,
        root: None,
        before,
        deepest,
    };
    while let Some(event) = parser.next_event() {
        match event {
            Ok((Event::StreamEnd, _)) => break,
            Ok((event, span)) => builder.event(event, &span)?,
            Err(error) => {
                let place = at(error.marker().line(), error.marker().col());
                builder.findings.at(place, msg!("pipeline-yaml", problem = shown(&error.info())));
                return None;
            }
        }
    }
    let mut all = builder.before.unwrap_or_default();
    all.extend(builder.root);
    if all.is_empty() {
        builder.findings.at(Place::START, msg!("pipeline-empty"));
        return None;
    }
    Some(all)
}

fn at(line: usize, column: usize) -> Place {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Place { line: number(line.max(1)), column: number(column).saturating_add(1) }
}

impl Node {
    /// A node that stood in no file, such as what a parameter's value says.
    pub fn new(place: Place, value: Value) -> Node {
        Node { place, value, weight: NODE }
    }
}

/// `!!str`, which makes a text of what looks like a number.
fn is_text(event: &Event) -> bool {
    matches!(event, Event::Scalar(_, _, _, Some(tag)) if tag.is_yaml_core_schema_tag("str"))
}

impl Builder<'_> {
    /// Takes one event in; `None` ends the reading, after a finding.
    fn event(&mut self, event: Event, span: &Span) -> Option<()> {
        let place = at(span.start.line(), span.start.col());
        let tagged = matches!(
            &event,
            Event::Scalar(_, _, _, Some(_))
                | Event::SequenceStart(_, _, Some(_))
                | Event::MappingStart(_, _, Some(_))
        );
        // Objects that are not ours have tags; of those only the one for texts says something.
        let is_text = is_text(&event);
        if tagged && self.before.is_none() {
            let place = span.tag_start().map_or(place, |mark| at(mark.line(), mark.col()));
            return self.stop(place, msg!("pipeline-yaml-tag"));
        }
        match event {
            Event::DocumentStart(..) if self.root.is_some() => match &mut self.before {
                Some(before) => {
                    before.extend(self.root.take());
                    Some(())
                }
                None => self.stop(place, msg!("pipeline-yaml-documents")),
            },
            Event::Scalar(text, style, anchor, _) => {
                let plain = matches!(style, ScalarStyle::Plain) && !is_text;
                let text = text.into_owned();
                if text.contains('\0') {
                    return self.stop(place, msg!("pipeline-yaml-nul"));
                }
                let weight = NODE + text.len();
                self.add(Node { place, value: Value::Text { text, plain }, weight }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => self.start(Value::List(Vec::new()), anchor, place),
            Event::MappingStart(_, anchor, _) => self.start(Value::Map(Vec::new()), anchor, place),
            Event::SequenceEnd | Event::MappingEnd => {
                let closed = self.open.pop()?;
                self.add(closed.node, closed.anchor)
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(node) => {
                    self.weigh(node.weight, place)?;
                    self.add(node, 0)
                }
                None => self.stop(place, msg!("pipeline-yaml-alias")),
            },
            Event::UnresolvedAlias(_) => self.stop(place, msg!("pipeline-yaml-alias")),
            _ => Some(()),
        }
    }

    fn stop(&mut self, place: Place, message: crate::model::Message) -> Option<()> {
        self.findings.at(place, message);
        None
    }

    fn weigh(&mut self, more: usize, place: Place) -> Option<()> {
        self.weight += more;
        if self.weight > LARGEST {
            return self.stop(place, msg!("pipeline-yaml-too-large"));
        }
        Some(())
    }

    fn start(&mut self, value: Value, anchor: usize, place: Place) -> Option<()> {
        if self.open.len() >= self.deepest {
            return self.stop(place, msg!("pipeline-too-deep"));
        }
        // A map or list as a key would be lost otherwise.
        if self.open.last().is_some_and(|open| matches!(open.node.value, Value::Map(_)) && open.key.is_none())
        {
            return self.stop(place, msg!("pipeline-yaml-key"));
        }
        self.weigh(NODE, place)?;
        let node = Node { place, value, weight: NODE };
        self.open.push(Open { node, anchor, key: None, keys: BTreeSet::new() });
        Some(())
    }

    /// Puts a finished node where it belongs.
    fn add(&mut self, node: Node, anchor: usize) -> Option<()> {
        if matches!(node.value, Value::Text { .. }) {
            self.weigh(node.weight, node.place)?;
        }
        if anchor != 0 {
            self.weigh(node.weight, node.place)?;
            self.anchors.insert(anchor, node.clone());
        }
        let place = node.place;
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Some(());
        };
        open.node.weight += node.weight;
        match &mut open.node.value {
            Value::List(list) => list.push(node),
            Value::Map(entries) => match (open.key.take(), node) {
                (Some((key, place)), value) => entries.push(Entry { key, place, value }),
                (None, Node { value: Value::Text { text, .. }, .. }) => {
                    if !open.keys.insert(text.clone()) {
                        self.findings.at(place, msg!("pipeline-key-twice", key = shown(&text)));
                    }
                    open.key = Some((text, place));
                }
                (None, _) => return self.stop(place, msg!("pipeline-yaml-key")),
            },
            Value::Text { .. } => {}
        }
        Some(())
    }
}
