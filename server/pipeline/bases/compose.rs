//! What one compose file says: the images its services run, the Dockerfiles it builds with which arguments and
//! contexts, and the files it takes in. By compose's own rules for variables and the `.env` beside the project.

use std::ops::Range;

use super::super::finding::shown;
use super::expand::{Alone, Dialect, Known, Problem, expand};
use super::inline::Inline;
use super::paths::{below, is_remote};
pub use super::services::{Build, Composed, Extends, Include, Service, Value};
use super::words::context_key;
use super::yaml::Node;
use crate::model::Message;
use crate::msg;

/// Most services of a file.
const MOST_SERVICES: usize = 1000;
/// Most build arguments, contexts or included files of one place.
const MOST: usize = 500;
const IMAGE: &str = "docker-image://";

/// Where a file is read.
pub struct Reader<'r> {
    pub file: usize,
    pub text: &'r str,
    /// The project's folder.
    pub base: &'r str,
    pub look: &'r dyn Fn(&str) -> Known,
    pub composed: Composed,
}

impl Reader<'_> {
    pub fn read(mut self, root: &Node) -> Composed {
        self.includes(root);
        let services = match root.get("services") {
            Some(Node::Null | Node::Reset) => return self.composed,
            Some(services @ Node::Map(_)) => services,
            Some(other) => {
                self.note(other.at(), msg!("bases-compose-shape"));
                return self.composed;
            }
            // The first format of all has the services at the top.
            None if is_first_format(root) => root,
            None => {
                if !matches!(root, Node::Map(_)) {
                    self.note(0, msg!("bases-compose-shape"));
                }
                return self.composed;
            }
        };
        let all = services.merged(MOST_SERVICES + 1);
        if all.len() > MOST_SERVICES {
            self.note(0, msg!("bases-compose-many", most = MOST_SERVICES));
        }
        for (name, node) in all.into_iter().take(MOST_SERVICES).filter(|(name, _)| !name.starts_with("x-")) {
            let service = self.service(name, node);
            self.composed.services.push(service);
            self.volumes(name, node);
        }
        self.composed
    }

    /// Says when a map or list is longer than what is read of it.
    fn long(&mut self, node: Option<&Node>) {
        let length = node.map_or(0, |node| node.entries().len().max(node.list().len()));
        if let Some(node) = node.filter(|_| length > MOST) {
            self.note(node.at(), msg!("bases-compose-many", most = MOST));
        }
    }

    fn note(&mut self, at: usize, message: Message) {
        self.composed.notes.push((at, message));
    }

    fn service(&mut self, name: &str, node: &Node) -> Service {
        let build = node.get("build");
        Service {
            name: name.to_owned(),
            image: node.get("image").and_then(|node| self.value(node)),
            never_built: matches!(build, Some(Node::Reset)),
            build: build
                .filter(|node| !matches!(node, Node::Null | Node::Reset))
                .map(|node| self.build(node)),
            extends: node.get("extends").and_then(|node| self.extends(node)),
        }
    }

    /// Images that are mounted.
    fn volumes(&mut self, name: &str, node: &Node) {
        self.long(node.get("volumes"));
        for volume in node.get("volumes").map(Node::list).unwrap_or_default().iter().take(MOST) {
            if volume.get("type").and_then(Node::text) == Some("image")
                && let Some(image) = volume.get("source").and_then(|node| self.value(node))
            {
                let name = format!("{name} ");
                self.composed.services.push(Service { name, image: Some(image), ..Service::default() });
            }
        }
    }

    fn value(&self, node: &Node) -> Option<Value> {
        let Node::Text { value, span, at } = node else { return None };
        Some(self.filled(value, span.clone(), *at))
    }

    fn filled(&self, text: &str, span: Option<Range<usize>>, at: usize) -> Value {
        let mut found = Value {
            file: self.file,
            at,
            written: text.to_owned(),
            value: Err(Problem::Malformed),
            span,
            used: Vec::new(),
            from: None,
        };
        match expand(text, Dialect::Compose, self.look) {
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

    /// A path with its variables; what only the run knows is said.
    fn path(&mut self, node: &Node) -> Option<Result<String, ()>> {
        let Node::Text { value, at, .. } = node else { return None };
        match expand(value, Dialect::Compose, self.look) {
            Ok(expanded) => Some(Ok(expanded.text)),
            Err(_) => {
                let path = shown(value);
                self.note(*at, msg!("bases-path-later", path = path));
                Some(Err(()))
            }
        }
    }

    /// The path within the repository that a path of this file means; what is elsewhere is said.
    fn local(&mut self, node: &Node) -> Option<Result<String, ()>> {
        let path = match self.path(node)? {
            Ok(path) => path,
            Err(()) => return Some(Err(())),
        };
        match below(self.base, &[&path]) {
            Some(path) => Some(Ok(path)),
            None => {
                let message = match is_remote(&path) {
                    true => msg!("bases-remote", path = shown(&path)),
                    false => msg!("bases-outside", path = shown(&path)),
                };
                self.note(node.at(), message);
                Some(Err(()))
            }
        }
    }

    fn extends(&mut self, node: &Node) -> Option<Extends> {
        if let Node::Text { value, at, .. } = node {
            return Some(Extends { at: *at, file: None, service: value.clone() });
        }
        let service = node.get("service")?.text()?.to_owned();
        let file = match node.get("file") {
            Some(file) => Some(self.local(file)?.ok()?),
            None => None,
        };
        Some(Extends { at: node.at(), file, service })
    }

    fn includes(&mut self, root: &Node) {
        self.long(root.get("include"));
        for node in root.get("include").map(Node::list).unwrap_or_default().iter().take(MOST) {
            let mut include = Include { at: node.at(), ..Include::default() };
            let path = if matches!(**node, Node::Map(_)) { node.get("path") } else { Some(&**node) };
            include.paths = self.locals(path);
            include.folder = node.get("project_directory").and_then(|node| self.local(node)?.ok());
            let environments = node.get("env_file").filter(|node| !matches!(node, Node::Null));
            include.environments = environments.map(|node| self.locals(Some(node)));
            self.composed.includes.push(include);
        }
    }

    /// One path, or a list of them.
    fn locals(&mut self, node: Option<&Node>) -> Vec<String> {
        let Some(node) = node else { return Vec::new() };
        match node {
            Node::List(all) => all.iter().take(MOST).filter_map(|node| self.local(node)?.ok()).collect(),
            node => self.local(node).and_then(Result::ok).into_iter().collect(),
        }
    }

    fn build(&mut self, node: &Node) -> Build {
        let mut build = Build { at: node.at(), base: self.base.to_owned(), ..Build::default() };
        match node {
            Node::Text { .. } => build.context = self.local(node),
            Node::List(_) => {
                self.note(node.at(), msg!("bases-compose-shape"));
                build.context = Some(Err(()));
            }
            _ => build.context = node.get("context").and_then(|node| self.local(node)),
        }
        build.dockerfile = node.get("dockerfile").and_then(|node| self.path(node));
        if let Some(Node::Text { value, at, span }) = node.get("dockerfile_inline") {
            build.inline = Some(Inline::of((self.file, self.text), (value, span.clone(), *at), self.look));
        }
        ["args", "additional_contexts"].into_iter().for_each(|key| self.long(node.get(key)));
        for (name, node) in pairs(node.get("args")) {
            let value = match node {
                Some((text, span, at)) => Some(self.filled(&text, span, at)),
                None => self.environment(name, build.at),
            };
            build.arguments.extend(value.map(|value| (name.to_owned(), value)));
        }
        for (name, node) in pairs(node.get("additional_contexts")) {
            build.contexts.insert(context_key(name));
            let Some((text, span, at)) = node else { continue };
            if let Some(image) = text.strip_prefix(IMAGE) {
                let span = span.map(|span| span.start + IMAGE.len()..span.end);
                build.images.push(self.filled(image, span, at));
            } else if is_remote(&text) && !text.starts_with("oci-layout:") {
                let path = shown(&text);
                self.note(at, msg!("bases-remote", path = path));
            }
        }
        build
    }

    /// An argument without a value: it is the environment's, or not passed at all.
    fn environment(&self, name: &str, at: usize) -> Option<Value> {
        let value = match (self.look)(name) {
            Known::Set(value) => Ok(value),
            Known::Later => Err(Problem::Later(name.to_owned())),
            Known::Unset => return None,
        };
        let (file, written, used, from) =
            (self.file, name.to_owned(), vec![name.to_owned()], Some(name.to_owned()));
        Some(Value { file, at, written, value, span: None, used, from })
    }
}

fn is_first_format(root: &Node) -> bool {
    root.get("version").is_none()
        && root.get("include").is_none()
        && root.entries().iter().any(|(name, node)| {
            !name.starts_with("x-") && (node.get("image").is_some() || node.get("build").is_some())
        })
}

/// A text, the bytes that are exactly it, and where it begins.
type Written = (String, Option<Range<usize>>, usize);
type Pair<'n> = (&'n str, Option<Written>);

/// The entries of a map, or of a list of `NAME=value`; without a value where there is none.
fn pairs(node: Option<&Node>) -> Vec<Pair<'_>> {
    match node {
        Some(node @ Node::Map(_)) => {
            let value = |node: &Node| match node {
                Node::Text { value, span, at } => Some((value.clone(), span.clone(), *at)),
                _ => None,
            };
            node.merged(MOST).into_iter().map(|(name, node)| (name, value(node))).collect()
        }
        Some(Node::List(list)) => {
            let pair = |node: &std::rc::Rc<Node>| -> Option<(usize, Option<Written>)> {
                let Node::Text { value, span, at } = &**node else { return None };
                let Some((name, text)) = value.split_once('=') else { return Some((value.len(), None)) };
                let span = span.clone().map(|span| span.start + name.len() + 1..span.end);
                Some((name.len(), Some((text.to_owned(), span, *at))))
            };
            let named = list.iter().take(MOST).filter_map(|node| {
                let (length, value) = pair(node)?;
                Some((node.text()?.get(..length)?, value))
            });
            named.collect()
        }
        _ => Vec::new(),
    }
}
