//! What the compose files of a commit say together: which services are built and not pulled, which Dockerfiles are
//! built with which arguments, and which images come of it.

use std::collections::{BTreeMap, BTreeSet};

use super::compose::{self, Service, Value};
use super::expand::Known;
use super::sources::Wish;
use super::{SourceFile, Values, is_compose};

/// Most ways that compose files build one Dockerfile.
const MOST_BUILDS: usize = 16;

/// A way in which compose files build a Dockerfile.
pub struct Way<'f> {
    pub file: &'f SourceFile,
    pub arguments: BTreeMap<String, Value>,
}

/// What the compose files say together.
pub struct Plan<'f> {
    pub composed: Vec<(&'f SourceFile, Vec<Service>)>,
    /// Folder and service, of those that are built.
    built: BTreeSet<(String, String)>,
    /// Images that the files build themselves.
    pub made: BTreeSet<String>,
    /// By Dockerfile.
    pub ways: BTreeMap<String, Vec<Way<'f>>>,
    /// Files that the compose files name.
    pub wishes: BTreeMap<String, Wish>,
    /// Where each file's lines end.
    lines: BTreeMap<&'f str, Vec<usize>>,
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

impl<'f> Plan<'f> {
    pub fn of(files: &'f [SourceFile], values: &Values) -> Plan<'f> {
        let own = |name: &str| values.look(name);
        let environments = files.iter().filter(|file| file.path.rsplit('/').next() == Some(".env"));
        let environments: BTreeMap<&str, BTreeMap<String, Known>> =
            environments.map(|file| (folder(&file.path), compose::env_file(&file.text, &own))).collect();
        let mut plan = Plan {
            composed: Vec::new(),
            built: BTreeSet::new(),
            made: BTreeSet::new(),
            ways: BTreeMap::new(),
            wishes: BTreeMap::new(),
            lines: files.iter().map(|file| (file.path.as_str(), ends(&file.text))).collect(),
        };
        for file in files.iter().filter(|file| is_compose(file.path.rsplit('/').next().unwrap_or_default())) {
            let beside = environments.get(folder(&file.path));
            let look = |name: &str| match values.look(name) {
                Known::Unset => beside.and_then(|env| env.get(name)).cloned().unwrap_or(Known::Unset),
                known => known,
            };
            let services = compose::services(&file.path, &file.text, &look);
            plan.composed.push((file, services));
        }
        plan.gather();
        plan
    }

    fn gather(&mut self) {
        for (file, services) in &self.composed {
            for service in services {
                let Some(build) = &service.build else { continue };
                self.built.insert((folder(&file.path).to_owned(), service.name.clone()));
                let Some(path) = build.dockerfile.clone() else { continue };
                let ways = self.ways.entry(path).or_default();
                if ways.len() < MOST_BUILDS {
                    ways.push(Way { file, arguments: build.arguments.clone() });
                }
            }
        }
        for (file, services) in &self.composed {
            for service in services {
                if let Some(Value { value: Ok(image), .. }) = &service.image
                    && self.is_built(&file.path, &service.name)
                {
                    self.made.insert(image.clone());
                }
            }
        }
    }

    /// From 1.
    pub fn line(&self, file: &SourceFile, at: usize) -> u32 {
        let before =
            self.lines.get(file.path.as_str()).map_or(0, |ends| ends.partition_point(|end| *end < at));
        u32::try_from(before + 1).unwrap_or(u32::MAX)
    }

    pub fn is_built(&self, path: &str, service: &str) -> bool {
        self.built.contains(&(folder(path).to_owned(), service.to_owned()))
    }
}

fn ends(text: &str) -> Vec<usize> {
    text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect()
}
