//! What the steps' commands name: the folders they work in, compose files after `-f`, Dockerfiles and contexts of a
//! build. Read from the definition alone; what only the run knows is said.

use std::collections::{BTreeMap, BTreeSet};

use super::expand::Known;
use super::paths::below;
use super::script::Script;
use super::sources::Wish;
use super::{Site, folders};
use crate::model::{Action, Definition, Message};
use crate::msg;

/// The longest part of a definition's scripts that is read, in bytes.
const LONGEST: usize = 1024 * 1024;
/// Most projects, Dockerfiles, folders and notes, each.
pub const MOST: usize = 200;
/// The files that compose looks for, in the folder and in those above.
const USUAL: [&str; 8] = [
    "compose.yaml",
    "compose.yml",
    "docker-compose.yml",
    "docker-compose.yaml",
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
];
/// Compose files that a command puts together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    pub files: Vec<String>,
    /// The project's folder.
    pub base: String,
}

/// What the commands of a definition's steps name.
#[derive(Clone, Debug, Default)]
pub struct Commands {
    /// Folders whose files are read.
    pub folders: Vec<String>,
    /// The steps' own folders.
    pub directories: BTreeSet<String>,
    /// Files that are read wherever they are.
    pub wishes: BTreeMap<String, Wish>,
    pub projects: Vec<Project>,
    /// Dockerfiles, with the names that are contexts there.
    pub dockerfiles: BTreeMap<String, BTreeSet<String>>,
    /// What is not read.
    pub notes: Vec<Site>,
}

impl Commands {
    pub fn of(definition: &Definition, look: &dyn Fn(&str) -> Known) -> Commands {
        let mut found = Commands { folders: folders(definition), ..Commands::default() };
        let mut left = LONGEST;
        for step in definition.stages.iter().flat_map(|stage| &stage.steps) {
            found.directories.insert(step.directory.clone());
            let (Action::Sh(text) | Action::Bat(text)) = &step.action else { continue };
            let text = text.source();
            left = left.saturating_sub(text.len());
            if left > 0 {
                let mut script = Script { look, folder: Some(step.directory.clone()), found: &mut found };
                script.read(&text);
            }
        }
        for directory in found.directories.clone() {
            found.above(&directory);
        }
        let all = [found.projects.len(), found.dockerfiles.len(), found.folders.len(), found.notes.len()];
        if left == 0 || all.into_iter().any(|count| count >= MOST) {
            found.notes.push(Site::of_file("docker build", 0, msg!("bases-more", most = MOST)));
        }
        found
    }

    /// Compose looks for its files in the folders above, too.
    fn above(&mut self, directory: &str) {
        let mut folder = directory;
        while let Some((above, _)) =
            folder.rsplit_once('/').or(if folder.is_empty() { None } else { Some(("", "")) })
        {
            for name in USUAL {
                self.wish(below(above, &[name]), "", false);
            }
            folder = above;
        }
    }

    pub fn wish(&mut self, path: Option<String>, by: &str, required: bool) {
        if let Some(path) = path.filter(|_| self.wishes.len() < MOST * USUAL.len()) {
            let wish = self.wishes.entry(path).or_insert(Wish { by: by.to_owned(), required });
            if required && !wish.required {
                *wish = Wish { by: by.to_owned(), required };
            }
        }
    }

    pub fn note(&mut self, written: &str, message: Message) {
        let site = Site::of_file(written, 0, message);
        if self.notes.len() < MOST && !self.notes.contains(&site) {
            self.notes.push(site);
        }
    }
}
