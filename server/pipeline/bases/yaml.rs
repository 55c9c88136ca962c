//! YAML as compose files are written: a tree with the bytes of every text, so that they can be put differently.
//! Lenient where the definition's reader is strict (tags, merges, text in column one), since the file is another
//! program's; bounded all the same. A file that is no YAML is told with the line at which it stops being it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use serde_saphyr::granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Span, Tag};

use super::indented::Indented;

const DEEPEST: usize = 32;
/// Most nodes, each alias counted once.
const MOST_NODES: usize = 50_000;
/// How many maps one key is looked for in, through `<<`.
const MOST_MERGES: usize = 256;
/// Most entries of those together.
const MOST_MERGED: usize = 10_000;
/// Most bytes that are gone through for one file, when its quoted texts begin in column one.
const MOST_BYTES: usize = 16 * 1024 * 1024;

#[derive(Debug)]
pub enum Node {
    /// Nothing, `~` or `null`.
    Null,
    /// `!reset`: what other files say of it does not count.
    Reset,
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
        let mut left = MOST_MERGED;
        for _ in 0..MOST_MERGES {
            let node = open.pop().filter(|_| left > 0)?;
            left = left.saturating_sub(node.entries().len());
            let own = node.entries().iter().rfind(|(name, _)| name == key);
            if let Some((_, found)) = own {
                return Some(found);
            }
            node.open_merges(&mut open);
        }
        None
    }

    /// The map's own entries, the last of a key, and behind them those that are merged into it; at most `most`.
    pub fn merged(&self, most: usize) -> Vec<(&str, &Node)> {
        let mut open = vec![self];
        let mut found: Vec<(&str, &Node)> = Vec::new();
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        let mut left = MOST_MERGED;
        for _ in 0..MOST_MERGES {
            let Some(node) = open.pop().filter(|_| left > 0) else { break };
            left = left.saturating_sub(node.entries().len());
            let before = found.len();
            for (name, entry) in node.entries().iter().filter(|(name, _)| name != "<<") {
                match places.get(name.as_str()) {
                    Some(at) if *at >= before => found[*at].1 = entry,
                    Some(_) => {}
                    None if found.len() >= most => return found,
                    None => {
                        places.insert(name, found.len());
                        found.push((name, entry));
                    }
                }
            }
            node.open_merges(&mut open);
        }
        found
    }

    /// What is merged into this map; the first of several counts, so it is looked at first.
    fn open_merges<'n>(&'n self, open: &mut Vec<&'n Node>) {
        for (_, merged) in self.entries().iter().filter(|(name, _)| name == "<<").take(1) {
            match &**merged {
                Node::List(all) => open.extend(all.iter().take(MOST_MERGES).rev().map(|node| &**node)),
                node => open.push(node),
            }
        }
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Node::Text { value, .. } => Some(value),
            _ => None,
        }
    }

    pub fn list(&self) -> &[Rc<Node>] {
        match self {
            Node::List(all) => all,
            _ => &[],
        }
    }

    pub fn entries(&self) -> &[(String, Rc<Node>)] {
        match self {
            Node::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Where the first text in it begins.
    pub fn at(&self) -> usize {
        let mut node = self;
        for _ in 0..DEEPEST {
            match node {
                Node::Text { at, .. } => return *at,
                Node::Map(entries) if !entries.is_empty() => node = &entries[0].1,
                Node::List(all) if !all.is_empty() => node = &all[0],
                _ => return 0,
            }
        }
        0
    }
}

/// Where a text stops being YAML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// From 1; 0 when the file is too large or too deep.
    pub line: usize,
}

/// A list or map that is not closed yet.
struct Open {
    node: Node,
    anchor: usize,
    key: Option<String>,
    /// Of what is in it, aliases included: what is nested without end could not even be dropped.
    depth: usize,
}

/// The documents of `text`.
pub fn documents(text: &str) -> Result<Vec<Rc<Node>>, Unreadable> {
    let mut indented = Indented::default();
    let mut left = MOST_BYTES;
    loop {
        let read = indented.applied(text);
        match tree(&read, text, &indented) {
            Ok(all) => return Ok(all),
            Err(Failed::Syntax(error)) => {
                let line = error.marker().line();
                let is_flush = *error.kind() == ErrorKind::InvalidQuotedScalarIndent;
                left = left.saturating_sub(read.len() + 1);
                if !is_flush || left == 0 || !indented.add(text, line) {
                    return Err(Unreadable { line });
                }
            }
            Err(Failed::Limit) => return Err(Unreadable { line: 0 }),
        }
    }
}

enum Failed {
    Syntax(Box<ScanError>),
    Limit,
}

fn tree(read: &str, text: &str, indented: &Indented) -> Result<Vec<Rc<Node>>, Failed> {
    let mut options = Options::default();
    options.flow_nesting_limit = DEEPEST;
    options.block_nesting_limit = DEEPEST;
    options.set_emit_comments(false);
    let mut parser = Parser::new_from_str_with_options(read, options);
    let mut tree =
        Tree { text, indented, open: Vec::new(), anchors: BTreeMap::new(), count: 0, documents: Vec::new() };
    while let Some(event) = parser.next_event() {
        match event {
            Ok((event, span)) => tree.event(event, &span).ok_or(Failed::Limit)?,
            Err(error) => return Err(Failed::Syntax(Box::new(error))),
        }
    }
    Ok(tree.documents)
}

struct Tree<'t> {
    text: &'t str,
    indented: &'t Indented,
    open: Vec<Open>,
    anchors: BTreeMap<usize, (Rc<Node>, usize)>,
    count: usize,
    documents: Vec<Rc<Node>>,
}

impl Tree<'_> {
    fn event(&mut self, event: Event, span: &Span) -> Option<()> {
        self.count += 1;
        if self.count > MOST_NODES || self.open.len() > DEEPEST {
            return None;
        }
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                let node = self.scalar(value.into_owned(), style, tag.as_deref(), span);
                self.add((Rc::new(node), 0), anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.begin(Node::List(Vec::new()), anchor, tag.as_deref())
            }
            Event::MappingStart(_, anchor, tag) => self.begin(Node::Map(Vec::new()), anchor, tag.as_deref()),
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

    fn scalar(&self, value: String, style: ScalarStyle, tag: Option<&Tag>, span: &Span) -> Node {
        if tag.is_some_and(is_reset) {
            return Node::Reset;
        }
        if style == ScalarStyle::Plain
            && tag.is_none()
            && matches!(&*value, "" | "~" | "null" | "Null" | "NULL")
        {
            return Node::Null;
        }
        let range = span.byte_range().unwrap_or_default();
        let range = self.indented.at(range.start)..self.indented.at(range.end);
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

    fn begin(&mut self, node: Node, anchor: usize, tag: Option<&Tag>) -> Option<()> {
        let node = if tag.is_some_and(is_reset) { Node::Reset } else { node };
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
            self.documents.push(node);
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
            Node::Reset => {}
            Node::Null | Node::Text { .. } => return None,
        }
        Some(())
    }
}

fn is_reset(tag: &Tag) -> bool {
    tag.suffix() == "reset"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, path: &[&str]) -> Option<String> {
        let all = documents(text).unwrap();
        let found = path.iter().try_fold(&*all[0], |node, key| node.get(key));
        found.and_then(Node::text).map(str::to_owned)
    }

    #[test]
    fn quoted_texts_go_on_in_any_column() {
        let text =
            "a:\n  j: '{\n\"k\": é\n}'\n  k: \"x\ny\n\n  z\n\"\n  l: [\n1,\n2\n]\n  i: \"debian:12\"\n";
        assert_eq!(value(text, &["a", "j"]).as_deref(), Some("{ \"k\": é }"));
        assert_eq!(value(text, &["a", "k"]).as_deref(), Some("x y\nz "));
        let all = documents(text).unwrap();
        let Some(Node::Text { span: Some(span), .. }) = all[0].get("a").unwrap().get("i") else { panic!() };
        assert_eq!(&text[span.clone()], "debian:12");
        assert_eq!(documents("a: 'x\nb: 1\nc: 2\n").unwrap_err().line, 1);
        assert_eq!(documents("a: 1\nb: [\n").err().map(|e| e.line > 0), Some(true));
        assert_eq!(documents("a:\n\tb: 1\n").unwrap_err().line, 2);
    }

    #[test]
    fn merges_nulls_tags_documents_and_doubles_are_read_as_compose_does() {
        let text = "x: &x {a: 1, b: 2}\ny: &y {<<: *x, b: 3, c: ~}\nm: {<<: [*y, {d: 4, b: 9}], a: 5}\n---\nz: !!str null\n";
        let all = documents(text).unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(all[1].get("z").and_then(Node::text), Some("null"));
        let merged = all[0].get("m").unwrap().merged(10);
        let merged: Vec<_> = merged.into_iter().map(|(name, node)| (name, node.text())).collect();
        assert_eq!(merged, [("a", Some("5")), ("b", Some("3")), ("c", None), ("d", Some("4"))]);
        assert_eq!(value("a: 1\na: 2\n", &["a"]).as_deref(), Some("2"));
        assert_eq!(value("\u{feff}a: !x 2\n", &["a"]).as_deref(), Some("2"));
        let all = documents("a: !reset {b: 1}\nc: !reset null\nd: !override {e: 1}\n").unwrap();
        assert!(matches!(all[0].get("a"), Some(Node::Reset)) && matches!(all[0].get("c"), Some(Node::Reset)));
        assert!(all[0].get("d").unwrap().get("e").is_some());
    }
}
