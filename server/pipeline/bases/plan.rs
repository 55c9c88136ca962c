//! What the compose files of a commit say together: which services are built and not pulled, which Dockerfiles are
//! built with which arguments, and which images come of it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::finding::shown;
use super::compose::{Build, Service, Value};
use super::inline::Inline;
use super::paths::below;
use super::project::{Loader, Projects};
use super::sources::Wish;
use super::{Site, SourceFile, Values, is_dockerfile};
use crate::msg;

/// Most ways that compose files build one Dockerfile.
const MOST_BUILDS: usize = 64;

/// A way in which compose files build a Dockerfile.
#[derive(Debug)]
pub struct Way {
    pub arguments: BTreeMap<String, Value>,
    /// Names that are contexts and no images.
    pub contexts: BTreeSet<String>,
}

/// What the compose files say together.
pub struct Plan<'f> {
    files: &'f [SourceFile],
    /// By the file in which the image is named.
    pub composed: Vec<(&'f SourceFile, Vec<Service>)>,
    /// File and service, of those that are built.
    built: BTreeSet<(String, String)>,
    /// Images that the files build themselves.
    pub made: BTreeSet<String>,
    /// By Dockerfile.
    pub ways: BTreeMap<String, Vec<Way>>,
    /// Dockerfiles within compose files.
    pub inlines: Vec<(Inline, Way)>,
    /// Images that are contexts of a build.
    pub contexts: Vec<Value>,
    /// Dockerfiles that only a command names, and the names that are contexts there.
    commanded: BTreeMap<String, BTreeSet<String>>,
    /// Files that the compose files name.
    pub wishes: BTreeMap<String, Wish>,
    /// What was not read.
    pub notes: Vec<Site>,
    /// Where each file's lines end.
    lines: BTreeMap<&'f str, Vec<usize>>,
}

impl<'f> Plan<'f> {
    pub fn of(files: &'f [SourceFile], values: &Values) -> Plan<'f> {
        let Projects { groups, wishes, notes } = Loader::of(files, values).read();
        let mut plan = Plan {
            files,
            composed: Vec::new(),
            built: BTreeSet::new(),
            made: BTreeSet::new(),
            ways: BTreeMap::new(),
            inlines: Vec::new(),
            contexts: Vec::new(),
            commanded: values.commands.dockerfiles.clone(),
            wishes,
            notes: values.commands.notes.clone(),
            lines: files.iter().map(|file| (file.path.as_str(), ends(&file.text))).collect(),
        };
        for (file, at, message) in notes {
            let file = &files[file];
            let line = if at == 0 { 0 } else { plan.line(file, at) };
            plan.notes.push(Site::of_file(&file.path, line, message));
        }
        groups.into_iter().for_each(|group| plan.group(group));
        plan
    }

    /// The services of one project.
    fn group(&mut self, group: Vec<Service>) {
        let reset: BTreeSet<&str> =
            group.iter().filter(|service| service.never_built).map(|service| service.name.as_str()).collect();
        let mut builds: BTreeMap<&str, Vec<&Build>> = BTreeMap::new();
        for service in group.iter().filter(|service| !reset.contains(service.name.as_str())) {
            builds.entry(&service.name).or_default().extend(&service.build);
        }
        for service in &group {
            let all = builds.get(service.name.as_str()).map(Vec::as_slice).unwrap_or_default();
            if let Some(build) = service.build.as_ref().filter(|_| !all.is_empty()) {
                // What is said in part only is the rest of what another file says.
                let whole = build.context.is_some() || build.dockerfile.is_some() || build.inline.is_some();
                let rest = all.iter().filter(|other| !whole && other.context.is_some());
                let build = rest.fold(build.clone(), |build, other| build.filled(other));
                self.build(build);
            }
            let Some(image) = &service.image else { continue };
            let file = &self.files[image.file];
            if !all.is_empty() {
                self.built.insert((file.path.clone(), service.name.clone()));
                self.made.extend(image.value.as_ref().ok().cloned());
            }
            match self.composed.iter_mut().find(|(known, _)| known.path == file.path) {
                Some((_, services)) => services.push(service.clone()),
                None => self.composed.push((file, vec![service.clone()])),
            }
        }
    }

    fn build(&mut self, build: Build) {
        let Build { at: _, base, context, dockerfile, inline, arguments, contexts, images } = build;
        self.contexts.extend(images);
        let way = Way { arguments, contexts };
        if let Some(inline) = inline {
            self.inlines.push((inline, way));
            return;
        }
        let name = dockerfile.unwrap_or_else(|| Ok("Dockerfile".to_owned()));
        // What is elsewhere, or not known, is said where it was read.
        let (Ok(context), Ok(name)) = (context.unwrap_or(Ok(base)), name) else { return };
        let Some(path) = below(&context, &[&name]) else {
            let message = msg!("bases-outside", path = shown(&name));
            self.notes.push(Site::of_file(&name, 0, message));
            return;
        };
        if !self.lines.contains_key(path.as_str()) {
            let by = format!("{}/", if context.is_empty() { "." } else { &context });
            self.wishes.entry(path.clone()).or_insert(Wish { by, required: true });
        }
        let ways = self.ways.entry(path.clone()).or_default();
        match ways.len() {
            0..MOST_BUILDS => ways.push(way),
            MOST_BUILDS => self.notes.push(Site::of_file(&path, 0, msg!("bases-ways", most = MOST_BUILDS))),
            _ => {}
        }
    }

    /// From 1.
    pub fn line(&self, file: &SourceFile, at: usize) -> u32 {
        let before =
            self.lines.get(file.path.as_str()).map_or(0, |ends| ends.partition_point(|end| *end < at));
        u32::try_from(before + 1).unwrap_or(u32::MAX)
    }

    /// The file that a value stands in.
    pub fn file(&self, value: &Value) -> &'f SourceFile {
        &self.files[value.file]
    }

    pub fn inlined(&self, inline: &Inline) -> &'f SourceFile {
        &self.files[inline.file]
    }

    /// Whether the service whose image `path` names is built and not pulled.
    pub fn is_built(&self, path: &str, service: &str) -> bool {
        self.built.contains(&(path.to_owned(), service.to_owned()))
    }

    pub fn is_dockerfile(&self, file: &SourceFile) -> bool {
        is_dockerfile(file.name())
            || self.ways.contains_key(&file.path)
            || self.commanded.contains_key(&file.path)
    }

    /// Names that a step's command makes contexts when it builds this Dockerfile.
    pub fn contexts_of(&self, path: &str) -> BTreeSet<String> {
        self.commanded.get(path).cloned().unwrap_or_default()
    }
}

fn ends(text: &str) -> Vec<usize> {
    text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect()
}
