//! One step's script, followed command by command for the files that Docker's commands name. Only where a path is
//! plain or its variables are known; what only the run knows is said.

use std::collections::BTreeSet;

use super::super::finding::shown;
use super::commands::{Commands, MOST, Project};
use super::expand::{Dialect, Known, expand};
use super::is_dockerfile;
use super::options::{OF_BUILD, OF_COMPOSE, OF_DOCKER, OF_STACK, Options};
use super::paths::{below, folder, is_remote};
use super::shell::{self, Token};
use super::words::context_key;
use crate::msg;

/// One step's script.
pub struct Script<'s> {
    pub look: &'s dyn Fn(&str) -> Known,
    /// Where the commands work; `None` when only the run knows.
    pub folder: Option<String>,
    pub found: &'s mut Commands,
}

impl Script<'_> {
    pub fn read(&mut self, text: &str) {
        let mut outer = Vec::new();
        for token in shell::commands(text) {
            match token {
                Token::Open => outer.push(self.folder.clone()),
                Token::Close => self.folder = outer.pop().unwrap_or_else(|| self.folder.clone()),
                Token::Command(words) => self.command(&words),
            }
        }
    }

    fn command(&mut self, words: &[String]) {
        let mut words = words;
        while let Some((first, rest)) = words.split_first() {
            let assigns = first.split_once('=').filter(|(name, _)| shell::is_name(name));
            if let Some(("COMPOSE_FILE", list)) = assigns {
                self.listed(list);
            }
            if assigns.is_none()
                && !matches!(
                    first.as_str(),
                    "sudo"
                        | "exec"
                        | "time"
                        | "env"
                        | "export"
                        | "command"
                        | "then"
                        | "do"
                        | "else"
                        | "if"
                        | "!"
                        | "-E"
                )
            {
                break;
            }
            words = rest;
        }
        let Some((program, rest)) = words.split_first() else { return };
        let program = program.rsplit('/').next().unwrap_or(program);
        match program {
            "cd" | "pushd" => self.enter(rest),
            "docker-compose" | "podman-compose" => self.compose(rest),
            "docker" | "podman" | "nerdctl" | "buildah" | "docker-buildx" => self.docker(program, rest),
            _ => {}
        }
    }

    /// A word's text when its variables are known.
    fn text(&self, word: &str) -> Option<String> {
        expand(word, Dialect::Compose, self.look).ok().map(|expanded| expanded.text)
    }

    /// The path within the repository; `None` where it is elsewhere or not known, which is said.
    fn path(&mut self, word: &str, command: &str) -> Option<String> {
        let as_written = format!("{command} {}", shown(word));
        let Some(folder) = self.folder.clone() else {
            self.found.note(&as_written, msg!("bases-path-later", path = shown(word)));
            return None;
        };
        // The workspace's own name leads to its root.
        let (folder, word) = match ["$WORKSPACE/", "${WORKSPACE}/", "$PWD/", "${PWD}/"]
            .iter()
            .find_map(|p| word.strip_prefix(p))
        {
            Some(rest) if word.contains("WORKSPACE") => (String::new(), rest),
            Some(rest) => (folder, rest),
            None => (folder, word),
        };
        // A backtick stands for what only the shell knows.
        let Some(text) = self.text(word).filter(|text| !text.contains(['*', '?', '`', '$'])) else {
            self.found.note(&as_written, msg!("bases-path-later", path = shown(word)));
            return None;
        };
        let path = below(&folder, &[&text]);
        if path.is_none() {
            let message = match is_remote(&text) {
                true => msg!("bases-remote", path = shown(&text)),
                false => msg!("bases-outside", path = shown(&text)),
            };
            self.found.note(&as_written, message);
        }
        path
    }

    fn enter(&mut self, rest: &[String]) {
        let Some(folder) = &self.folder else { return };
        let word = rest.iter().find(|word| !word.starts_with('-') || *word == "-");
        let to =
            word.and_then(|word| self.text(word)).filter(|text| text != "-" && !text.contains(['$', '`']));
        self.folder = to.and_then(|to| below(folder, &[&to]));
        if let Some(folder) = self.folder.clone() {
            self.visit(&folder);
        }
    }

    /// A folder in which commands work is looked through as a step's own is.
    fn visit(&mut self, folder: &str) {
        let found = &mut *self.found;
        let is_below = |other: &String| {
            other.is_empty()
                || folder == other
                || folder.strip_prefix(other.as_str()).is_some_and(|r| r.starts_with('/'))
        };
        if found.folders.len() < MOST && !found.folders.iter().any(is_below) {
            found.folders.push(folder.to_owned());
        }
        if found.directories.len() < MOST {
            found.directories.insert(folder.to_owned());
        }
    }

    fn listed(&mut self, list: &str) {
        let Some(list) = self.text(list) else {
            self.found
                .note(&format!("COMPOSE_FILE={}", shown(list)), msg!("bases-path-later", path = shown(list)));
            return;
        };
        let files: Vec<String> =
            list.split(':').filter_map(|name| self.path(name, "COMPOSE_FILE=")).collect();
        self.project(files, None, "COMPOSE_FILE");
    }

    fn project(&mut self, files: Vec<String>, base: Option<String>, by: &str) {
        let Some(first) = files.first() else { return };
        let base = base.unwrap_or_else(|| folder(first).to_owned());
        files.iter().for_each(|file| self.found.wish(Some(file.clone()), by, true));
        let project = Project { files, base };
        if self.found.projects.len() < MOST && !self.found.projects.contains(&project) {
            self.found.projects.push(project);
        }
    }

    fn compose(&mut self, rest: &[String]) {
        let options = Options { words: rest, values: OF_COMPOSE };
        let mut files = Vec::new();
        let mut base = None;
        for (name, value) in options.before_the_first_word().0 {
            match name {
                "-f" | "--file" if value == "-" => {
                    self.found.note("docker compose -f -", msg!("bases-stdin"));
                }
                "-f" | "--file" => files.extend(self.path(value, "docker compose -f")),
                "--project-directory" => base = self.path(value, "docker compose --project-directory"),
                _ => {}
            }
        }
        self.project(files, base, "docker compose -f");
    }

    fn docker(&mut self, program: &str, rest: &[String]) {
        let (_, rest) = Options { words: rest, values: OF_DOCKER }.before_the_first_word();
        let word = |at: usize| rest.get(at).map(String::as_str).unwrap_or_default();
        let behind = |count: usize| rest.get(count..).unwrap_or_default();
        match (program, word(0), word(1)) {
            ("docker-buildx", "build" | "b", _) | ("buildah", "bud" | "build", _) => self.build(behind(1)),
            (_, "compose", _) => self.compose(behind(1)),
            (_, "build", _) => self.build(behind(1)),
            (_, "buildx" | "image" | "builder", "build" | "b") => self.build(behind(2)),
            (_, "buildx", "bake") => self.found.note("docker buildx bake", msg!("bases-bake")),
            (_, "stack", "deploy" | "up") => {
                let options = Options { words: behind(2), values: OF_STACK };
                let (all, _) = options.before_the_first_word();
                let named = all.into_iter().filter(|(name, _)| matches!(*name, "-c" | "--compose-file"));
                let files =
                    named.filter_map(|(_, value)| self.path(value, "docker stack deploy -c")).collect();
                self.project(files, None, "docker stack deploy -c");
            }
            _ => {}
        }
    }

    fn build(&mut self, rest: &[String]) {
        let options = Options { words: rest, values: OF_BUILD };
        let (all, positional) = options.all();
        let mut file = None;
        let mut contexts = BTreeSet::new();
        for (name, value) in all {
            match name {
                "-f" | "--file" => file = Some(value),
                "--build-context" => {
                    contexts.extend(value.split_once('=').map(|(name, _)| context_key(name)));
                }
                _ => {}
            }
        }
        let Some(context) = positional else { return };
        let path = match file {
            Some("-") => {
                self.found.note("docker build -f -", msg!("bases-stdin"));
                None
            }
            Some(file) => self.path(file, "docker build -f"),
            None if context == "-" => {
                self.found.note("docker build -", msg!("bases-stdin"));
                None
            }
            None => self.path(context, "docker build").and_then(|context| below(&context, &["Dockerfile"])),
        };
        let Some(path) = path.filter(|_| self.found.dockerfiles.len() < MOST) else { return };
        // A Dockerfile in the step's folder may be written by the step itself, which is nothing to be told of.
        let required = file.is_some() || !is_dockerfile(&path);
        self.found.wish(Some(path.clone()), "docker build", required);
        self.found.dockerfiles.entry(path).or_default().extend(contexts);
    }
}
