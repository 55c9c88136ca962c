//! The compose files of a commit as projects: which files belong together, what they take in by `include` and
//! `extends`, whose `.env` counts. Every file that is named and not there yet becomes a wish; circles end with a note.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::compose::{Composed, Extends, Include, Reader, Service};
use super::expand::Known;
use super::paths::{MOST_LINES, below, env_file, folder, join};
use super::sources::Wish;
use super::yaml::{self, Node, Unreadable};
use super::{SourceFile, Values, is_compose};
use crate::model::Message;
use crate::msg;

/// Most files that are gone through, each as often as it is taken in.
const MOST_LOADS: usize = 1000;
/// Most sentences about files and places.
const MOST_NOTES: usize = 300;
const MOST_NOTES_BUT_ONE: usize = MOST_NOTES - 1;
/// How deep files take in others.
const DEEPEST: usize = 16;

type Parsed = Rc<Result<Vec<Rc<Node>>, Unreadable>>;
type Loaded = (Environment, Rc<Vec<Composed>>);
pub type Environment = Rc<Vec<BTreeMap<String, Known>>>;

/// What all projects say.
#[derive(Debug, Default)]
pub struct Projects {
    /// By project; those that are taken in are projects of their own.
    pub groups: Vec<Vec<Service>>,
    pub wishes: BTreeMap<String, Wish>,
    /// File, place, message.
    pub notes: Vec<(usize, usize, Message)>,
}

pub struct Loader<'f, 'v> {
    pub(super) files: &'f [SourceFile],
    pub(super) by_path: BTreeMap<&'f str, usize>,
    pub(super) values: &'v Values,
    parsed: BTreeMap<usize, Parsed>,
    /// By file, project's folder and environment, which is kept so that its place is no other's.
    loaded: BTreeMap<(usize, String, usize), Loaded>,
    /// Files that are taken in right now, outermost first.
    within: Vec<usize>,
    found: Projects,
}

impl<'f, 'v> Loader<'f, 'v> {
    pub fn of(files: &'f [SourceFile], values: &'v Values) -> Loader<'f, 'v> {
        let by_path = files.iter().enumerate().map(|(index, file)| (file.path.as_str(), index)).collect();
        Loader {
            files,
            by_path,
            values,
            parsed: BTreeMap::new(),
            loaded: BTreeMap::new(),
            within: Vec::new(),
            found: Projects::default(),
        }
    }

    /// Every compose file with a usual name, the files of a folder together, and the lists that `COMPOSE_FILE` and the
    /// steps' commands name.
    pub fn read(mut self) -> Projects {
        let mut elsewhere: BTreeSet<String> = BTreeSet::new();
        for (paths, base, environment) in self.lists() {
            elsewhere.extend(paths.iter().filter(|path| folder(path) != base).cloned());
            let environment = self.environment(&environment, &[below(&base, &[".env"]).unwrap_or_default()]);
            self.project(&paths, &base, &environment, (None, "COMPOSE_FILE"));
        }
        let mut folders: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let files = self.files;
        for file in files.iter().filter(|file| is_compose(file.name()) && !elsewhere.contains(&file.path)) {
            folders.entry(folder(&file.path)).or_default().push(file.path.clone());
        }
        for (base, paths) in folders {
            let environment = self.environment(&Environment::default(), &[join(base, ".env")]);
            self.project(&paths, base, &environment, (None, "COMPOSE_FILE"));
        }
        self.found
    }

    pub(super) fn wish(&mut self, path: &str, by: &str, required: bool) {
        if !self.by_path.contains_key(path) {
            let wish = Wish { by: by.to_owned(), required };
            self.found.wishes.entry(path.to_owned()).or_insert(wish);
        }
    }

    pub(super) fn look(&self, environment: &Environment, name: &str) -> Known {
        let known = std::iter::once(self.values.look(name))
            .chain(environment.iter().filter_map(|values| values.get(name).cloned()));
        known.into_iter().find(|known| *known != Known::Unset).unwrap_or(Known::Unset)
    }

    /// `outer` with what these files add; what is known before wins.
    pub(super) fn environment(&mut self, outer: &Environment, paths: &[String]) -> Environment {
        let mut all = (**outer).clone();
        for path in paths {
            self.wish(path, "", false);
            let Some(index) = self.by_path.get(path.as_str()).copied() else { continue };
            let file = &self.files[index];
            if file.text.lines().nth(MOST_LINES).is_some() {
                self.note(index, 0, msg!("bases-env-long", most = MOST_LINES));
            }
            let so_far: Environment = Rc::new(all.clone());
            let values = env_file(&file.text, &|name| self.look(&so_far, name));
            all.push(values);
        }
        Rc::new(all)
    }

    pub(super) fn note(&mut self, file: usize, at: usize, message: Message) {
        let note = (file, at, message);
        match self.found.notes.len() {
            MOST_NOTES.. => {}
            _ if self.found.notes.contains(&note) => {}
            MOST_NOTES_BUT_ONE => self.found.notes.push((file, 0, msg!("bases-more", most = MOST_NOTES))),
            _ => self.found.notes.push(note),
        }
    }

    fn line(&self, file: usize, at: usize) -> String {
        let before = self.files[file].text.as_bytes().get(..at).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("{}:{line}", self.files[file].path)
    }

    /// Goes through the files of a project and keeps what its services come to.
    fn project(
        &mut self,
        paths: &[String],
        base: &str,
        environment: &Environment,
        by: (Option<usize>, &str),
    ) {
        let mut group = Vec::new();
        for path in paths {
            let Some(index) = self.by_path.get(path.as_str()).copied() else {
                self.wish(path, by.1, true);
                continue;
            };
            if self.within.contains(&index) || self.within.len() >= DEEPEST {
                let place = by.0.unwrap_or(index);
                let path = &self.files[index].path;
                self.note(place, 0, msg!("bases-circle", path = path));
                continue;
            }
            self.within.push(index);
            for composed in self.load(index, base, environment).iter() {
                for include in &composed.includes {
                    self.include(index, include, environment);
                }
                for service in &composed.services {
                    let place = (index, base);
                    group.push(self.effective(service.clone(), place, environment, &mut Vec::new()));
                }
            }
            self.within.pop();
        }
        self.found.groups.push(group);
    }

    fn include(&mut self, index: usize, include: &Include, outer: &Environment) {
        let Some(first) = include.paths.first() else { return };
        let base = include.folder.clone().unwrap_or_else(|| folder(first).to_owned());
        let by = self.line(index, include.at);
        let paths = match &include.environments {
            Some(paths) => {
                paths.iter().for_each(|path| self.wish(path, &by, true));
                paths.clone()
            }
            None => vec![join(&base, ".env")],
        };
        let environment = self.environment(outer, &paths);
        self.project(&include.paths, &base, &environment, (Some(index), &by));
    }

    /// What the documents of a file say, read in this project.
    fn load(&mut self, index: usize, base: &str, environment: &Environment) -> Rc<Vec<Composed>> {
        let key = (index, base.to_owned(), Rc::as_ptr(environment) as usize);
        if let Some((_, known)) = self.loaded.get(&key) {
            return known.clone();
        }
        if self.loaded.len() >= MOST_LOADS {
            self.note(index, 0, msg!("bases-loads", most = MOST_LOADS));
            return Rc::default();
        }
        let all = Rc::new(self.documents(index, base, environment));
        self.loaded.insert(key, (environment.clone(), all.clone()));
        all
    }

    fn documents(&mut self, index: usize, base: &str, environment: &Environment) -> Vec<Composed> {
        let file = &self.files[index];
        if !file.is_utf8() {
            self.note(index, 0, msg!("bases-compose-utf8"));
            return Vec::new();
        }
        let parsed = self.parsed.entry(index).or_insert_with(|| Rc::new(yaml::documents(&file.text))).clone();
        let documents = match &*parsed {
            Ok(documents) => documents,
            Err(Unreadable { line }) => {
                let message = match line {
                    0 => msg!("bases-compose-large"),
                    line => msg!("bases-compose-yaml", line = line),
                };
                self.note(index, 0, message);
                return Vec::new();
            }
        };
        let mut all = Vec::new();
        for document in documents {
            let look = |name: &str| self.look(environment, name);
            let composed = Composed::default();
            let reader = Reader { file: index, text: &file.text, base, look: &look, composed };
            let mut composed = reader.read(document);
            let notes = std::mem::take(&mut composed.notes);
            notes.into_iter().for_each(|(at, message)| self.note(index, at, message));
            all.push(composed);
        }
        all
    }

    /// The service with what it takes from the one it extends.
    fn effective(
        &mut self,
        service: Service,
        (index, base): (usize, &str),
        environment: &Environment,
        seen: &mut Vec<(usize, String)>,
    ) -> Service {
        let Some(Extends { at, file, service: name }) = service.extends.clone() else { return service };
        let target = match &file {
            None => index,
            Some(path) => match self.by_path.get(path.as_str()).copied() {
                Some(target) => target,
                None => {
                    let by = self.line(index, at);
                    self.wish(path, &by, true);
                    return service;
                }
            },
        };
        let key = (target, name.clone());
        if seen.contains(&key) || seen.len() >= DEEPEST {
            let path = &self.files[target].path;
            self.note(index, at, msg!("bases-circle", path = path));
            return service;
        }
        seen.push(key);
        let base = if file.is_some() { folder(&self.files[target].path).to_owned() } else { base.to_owned() };
        let all = self.load(target, &base, environment);
        let mut all = all.iter().flat_map(|composed| &composed.services);
        let Some(parent) = all.find(|service| service.name == name).cloned() else {
            let shown = super::super::finding::shown(&name);
            self.note(index, at, msg!("bases-no-service", service = shown));
            return service;
        };
        let parent = self.effective(parent, (target, &base), environment, seen);
        Service {
            image: service.image.or(parent.image),
            build: match (service.build, parent.build) {
                (Some(own), Some(other)) => Some(own.filled(&other)),
                (own, _) if service.never_built => own,
                (own, other) => own.or(other),
            },
            extends: None,
            ..service
        }
    }
}
