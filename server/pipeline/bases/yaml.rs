//! YAML as compose files are written: a tree with the bytes of every text, so that they can be put differently.
//! Lenient where the definition's reader is strict (tags, merges), since the file is another program's; bounded all
//! the same. A file that is no YAML is nothing.

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use serde_saphyr::granit_parser::{Event, Options, Parser, ScalarStyle, Span};

const DEEPEST: usize = 32;
/// Most nodes, each alias counted once.
const MOST_NODES: usize = 50_000;
/// How many maps one key is looked for in, through `<<`.
const MOST_MERGES: u32 = 32;

#[derive(Debug)]
pub enum Node {
    Text {
        value: String,
        /// The bytes that are exactly `value`; `None` when it is written with escapes or over lines.
        span: Option<Range<usize>>,
        at: usize,
    },
    List(Vec<Rc<Node>>),
    Map(Vec<(String, Rc<Node>)>),
}

impl Node {
    /// The value of a key: the map's own, else that of what is merged into it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        let mut open = vec![self];
        let mut left = MOST_MERGES;
        while let Some(node) = open.pop() {
            left = left.checked_sub(1)?;
            let entries = node.entries();
            if let Some((_, found)) = entries.iter().find(|(name, _)| name == key) {
                return Some(found);
            }
            // The first of several counts, so it is looked at first.
            for (_, merged) in entries.iter().filter(|(name, _)| name == "<<").take(1) {
                match &**merged {
                    Node::List(all) => open.extend(all.iter().take(MOST_MERGES as usize).rev().map(|n| &**n)),
                    node => open.push(node),
                }
            }
        }
        None
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Node::Text { value, .. } => Some(value),
            Node::List(_) | Node::Map(_) => None,
        }
    }

    pub fn entries(&self) -> &[(String, Rc<Node>)] {
        match self {
            Node::Map(entries) => entries,
            Node::Text { .. } | Node::List(_) => &[],
        }
    }
}

/// A list or map that is not closed yet.
struct Open {
    node: Node,
    anchor: usize,
    key: Option<String>,
    /// Of what is in it, aliases included: what is nested without end could not even be dropped.
    depth: usize,
}

/// The first document of `text`.
pub fn document(text: &str) -> Option<Rc<Node>> {
    let mut options = Options::default();
    options.flow_nesting_limit = DEEPEST;
    options.block_nesting_limit = DEEPEST;
    options.set_emit_comments(false);
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut tree = Tree { text, open: Vec::new(), anchors: BTreeMap::new(), count: 0, root: None };
    while let Some(event) = parser.next_event() {
        match event {
            Ok((Event::StreamEnd | Event::DocumentEnd, _)) if tree.root.is_some() => break,
            Ok((event, span)) => tree.event(event, &span)?,
            Err(_) => return None,
        }
    }
    tree.root
}

struct Tree<'t> {
    text: &'t str,
    open: Vec<Open>,
    anchors: BTreeMap<usize, (Rc<Node>, usize)>,
    count: usize,
    root: Option<Rc<Node>>,
}

impl Tree<'_> {
    fn event(&mut self, event: Event, span: &Span) -> Option<()> {
        self.count += 1;
        if self.count > MOST_NODES || self.open.len() > DEEPEST {
            return None;
        }
        match event {
            Event::Scalar(value, style, anchor, _) => {
                let node = self.scalar(value.into_owned(), style, span);
                self.add((Rc::new(node), 0), anchor)
            }
            Event::SequenceStart(_, anchor, _) => self.begin(Node::List(Vec::new()), anchor),
            Event::MappingStart(_, anchor, _) => self.begin(Node::Map(Vec::new()), anchor),
            Event::SequenceEnd | Event::MappingEnd => {
                let closed = self.open.pop()?;
                self.add((Rc::new(closed.node), closed.depth + 1), closed.anchor)
            }
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned()?;
                self.add(node, 0)
            }
            Event::UnresolvedAlias(_) => None,
            _ => Some(()),
        }
    }

    fn scalar(&self, value: String, style: ScalarStyle, span: &Span) -> Node {
        let range = span.byte_range().unwrap_or_default();
        let inner = match style {
            ScalarStyle::Plain => range.clone(),
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted if range.len() >= 2 => {
                range.start + 1..range.end - 1
            }
            _ => 0..0,
        };
        let exact = !inner.is_empty() && self.text.get(inner.clone()) == Some(value.as_str());
        Node::Text { span: exact.then_some(inner), at: range.start, value }
    }

    fn begin(&mut self, node: Node, anchor: usize) -> Option<()> {
        self.open.push(Open { node, anchor, key: None, depth: 0 });
        Some(())
    }

    fn add(&mut self, (node, depth): (Rc<Node>, usize), anchor: usize) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), depth));
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Some(());
        };
        open.depth = open.depth.max(depth);
        match &mut open.node {
            Node::List(list) => list.push(node),
            Node::Map(entries) => match open.key.take() {
                Some(key) => entries.push((key, node)),
                // A list or map as a key is nobody's service.
                None => open.key = Some(node.text().unwrap_or_default().to_owned()),
            },
            Node::Text { .. } => return None,
        }
        Some(())
    }
}
