//! What a compose file says of images: those its services run, and which Dockerfiles it builds with which
//! arguments. By compose's own rules for variables and the `.env` beside the file.

use std::collections::BTreeMap;
use std::ops::Range;

use super::expand::{Alone, Dialect, Known, Problem, expand};
use super::yaml::{self, Node};

/// Most services of a file, and most build arguments of one.
const MOST: usize = 200;
/// Most lines of a `.env`.
const MOST_LINES: usize = 2000;

/// A text with its variables put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    pub at: usize,
    pub written: String,
    pub value: Result<String, Problem>,
    /// The bytes to replace.
    pub span: Option<Range<usize>>,
    /// Variables that take part, unless one decides alone.
    pub used: Vec<String>,
}

#[derive(Debug)]
pub struct Service {
    pub name: String,
    pub image: Option<Value>,
    pub build: Option<Build>,
}

#[derive(Debug)]
pub struct Build {
    /// Below the repository's root; `None` when it is not in the repository.
    pub dockerfile: Option<String>,
    pub arguments: BTreeMap<String, Value>,
}

/// The services of the compose file `text` at `path`.
pub fn services(path: &str, text: &str, look: &dyn Fn(&str) -> Known) -> Vec<Service> {
    let Some(root) = yaml::document(text) else { return Vec::new() };
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let all = root.get("services").map(Node::entries).unwrap_or_default();
    let named = all.iter().filter(|(name, _)| !name.starts_with("x-")).take(MOST);
    named
        .map(|(name, node)| Service {
            name: name.clone(),
            image: node.get("image").and_then(|node| value(node, look)),
            build: node.get("build").map(|node| build(folder, node, look)),
        })
        .collect()
}

fn value(node: &Node, look: &dyn Fn(&str) -> Known) -> Option<Value> {
    let Node::Text { value, span, at } = node else { return None };
    Some(filled(value, span.clone(), *at, look))
}

fn filled(text: &str, span: Option<Range<usize>>, at: usize, look: &dyn Fn(&str) -> Known) -> Value {
    let mut found =
        Value { at, written: text.to_owned(), value: Err(Problem::Malformed), span, used: Vec::new() };
    match expand(text, Dialect::Compose, look) {
        Ok(expanded) => {
            found.used = expanded.used;
            match expanded.alone {
                Some(Alone::Default(range)) => {
                    found.used.clear();
                    found.span = found.span.map(|span| span.start + range.start..span.start + range.end);
                }
                Some(Alone::Variable(_)) | None => {}
            }
            found.value = Ok(expanded.text);
        }
        Err(problem) => {
            found.span = None;
            found.value = Err(problem);
        }
    }
    found
}

fn build(folder: &str, node: &Node, look: &dyn Fn(&str) -> Known) -> Build {
    let text = |node: Option<&Node>| {
        let text = node.and_then(Node::text)?;
        expand(text, Dialect::Compose, look).ok().map(|expanded| expanded.text)
    };
    let context = match node {
        Node::Text { .. } => text(Some(node)),
        _ => text(node.get("context")),
    };
    let context = context.unwrap_or_else(|| ".".to_owned());
    let dockerfile = match node.get("dockerfile") {
        Some(node) => text(Some(node)),
        None => Some("Dockerfile".to_owned()),
    };
    let dockerfile = dockerfile.filter(|_| node.get("dockerfile_inline").is_none());
    Build {
        dockerfile: dockerfile.and_then(|file| below(folder, &[&context, &file])),
        arguments: node.get("args").map(|node| arguments(node, look)).unwrap_or_default(),
    }
}

fn arguments(node: &Node, look: &dyn Fn(&str) -> Known) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    match node {
        Node::Map(entries) => {
            for (name, node) in entries.iter().take(MOST) {
                found.extend(value(node, look).map(|value| (name.clone(), value)));
            }
        }
        Node::List(list) => {
            for node in list.iter().take(MOST) {
                let Node::Text { value, span, at } = &**node else { continue };
                let Some((name, text)) = value.split_once('=') else { continue };
                let span = span.clone().map(|span| span.start + name.len() + 1..span.end);
                found.insert(name.to_owned(), filled(text, span, *at, look));
            }
        }
        Node::Text { .. } => {}
    }
    found
}

/// The path that `parts` lead to from `folder`; `None` when that is outside of the repository.
fn below(folder: &str, parts: &[&str]) -> Option<String> {
    let mut path: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in parts {
        if part.starts_with('/') || part.contains("://") || part.contains('\\') {
            return None;
        }
        for name in part.split('/') {
            match name {
                "" | "." => {}
                ".." => drop(path.pop()?),
                name => path.push(name),
            }
        }
    }
    Some(path.join("/"))
}

/// The values of a `.env`; what a line takes from others comes from `look` or from lines before it.
pub fn env_file(text: &str, look: &dyn Fn(&str) -> Known) -> BTreeMap<String, Known> {
    let mut found: BTreeMap<String, Known> = BTreeMap::new();
    for line in text.lines().take(MOST_LINES) {
        let line = line.trim_start_matches('\u{feff}').trim();
        let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
        let Some((name, raw)) = line.split_once('=').filter(|_| !line.starts_with('#')) else { continue };
        let raw = raw.trim();
        let quoted = |quote: char| {
            let inner = raw.strip_prefix(quote)?;
            inner.find(quote).map(|end| &inner[..end])
        };
        let value = match (quoted('\''), quoted('"')) {
            (Some(plain), _) => Known::Set(plain.to_owned()),
            (None, inner) => {
                let text = inner.unwrap_or_else(|| raw.split(" #").next().unwrap_or(raw).trim_end());
                let known = |name: &str| match look(name) {
                    Known::Unset => found.get(name).cloned().unwrap_or(Known::Unset),
                    known => known,
                };
                match expand(text, Dialect::Compose, &known) {
                    Ok(expanded) => Known::Set(expanded.text),
                    Err(_) => Known::Later,
                }
            }
        };
        found.insert(name.trim().to_owned(), value);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_the_repository() {
        assert_eq!(below("a/b", &[".", "Dockerfile"]).as_deref(), Some("a/b/Dockerfile"));
        assert_eq!(below("a/b", &["../api", "./D"]).as_deref(), Some("a/api/D"));
        assert_eq!(below("a", &["../..", "D"]), None);
        assert_eq!(below("", &["https://example.org/x.git"]), None);
    }

    #[test]
    fn env_files_are_read_as_compose_does() {
        let text = "A=1\n# no\nexport B='$A' # x\nC=\"${A}2\" \nD=x # y\nE\nF=${BUILD_NUMBER}\n";
        let look = |name: &str| if name == "BUILD_NUMBER" { Known::Later } else { Known::Unset };
        let found = env_file(text, &look);
        let set = |text: &str| Known::Set(text.to_owned());
        assert_eq!(
            [&found["A"], &found["B"], &found["C"], &found["D"]],
            [&set("1"), &set("$A"), &set("12"), &set("x")]
        );
        assert_eq!((found.get("E"), &found["F"]), (None, &Known::Later));
    }
}
