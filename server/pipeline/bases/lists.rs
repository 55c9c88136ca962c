//! Which compose files are put together by `COMPOSE_FILE` or by a command's options.

use super::super::finding::shown;
use super::expand::Known;
use super::paths::{below, folder};
use super::project::{Environment, Loader};
use crate::msg;

impl Loader<'_, '_> {
    /// Files that are one project, its folder, and what is known beside the project's own `.env`.
    pub(super) fn lists(&mut self) -> Vec<(Vec<String>, String, Environment)> {
        let mut lists = Vec::new();
        let files = self.files;
        for file in files.iter().filter(|file| file.name() == ".env") {
            let own = self.environment(&Environment::default(), std::slice::from_ref(&file.path));
            let base = folder(&file.path);
            if let Some(paths) = self.listed(&own, base, &file.path) {
                lists.push((paths, own));
            }
        }
        let none = Environment::default();
        for directory in &self.values.commands.directories {
            if let Some(paths) = self.listed(&none, directory, "COMPOSE_FILE") {
                lists.push((paths, none.clone()));
            }
        }
        let named = |(paths, environment): (Vec<String>, Environment)| {
            let base = folder(paths.first()?).to_owned();
            Some((paths, base, environment))
        };
        let mut all: Vec<_> = lists.into_iter().filter_map(named).collect();
        for project in &self.values.commands.projects {
            all.push((project.files.clone(), project.base.clone(), none.clone()));
        }
        all
    }

    /// What `COMPOSE_FILE` lists, from `base` on.
    fn listed(&mut self, environment: &Environment, base: &str, by: &str) -> Option<Vec<String>> {
        let list = match self.look(environment, "COMPOSE_FILE") {
            Known::Set(list) => list,
            Known::Unset | Known::Later => return None,
        };
        let separator = match self.look(environment, "COMPOSE_PATH_SEPARATOR") {
            Known::Set(separator) if !separator.is_empty() => separator,
            _ => ":".to_owned(),
        };
        let mut paths = Vec::new();
        for name in list.split(separator.as_str()).filter(|name| !name.is_empty()) {
            match below(base, &[name]) {
                Some(path) => {
                    self.wish(&path, by, true);
                    paths.push(path);
                }
                None => {
                    if let Some(index) = self.by_path.get(by).copied() {
                        self.note(index, 0, msg!("bases-outside", path = shown(name)));
                    }
                }
            }
        }
        Some(paths)
    }
}
