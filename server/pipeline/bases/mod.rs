//! The images a pipeline stands on: what its Dockerfiles, compose files and stages name, and the bytes to change
//! so that they name one image and no other. Text comes in, text goes out; nothing is looked up.
//!
//! ```text
//! sources     which files are read                        commands, script, shell, options   what steps name
//! values      what is known of variables before a run      expand   `${V:-d}`
//! plan        what the compose files say together         places   from what is read to sites
//! makers      what scripts build, tag and push
//! dockerfile  FROM, COPY --from, RUN --mount               lines, words   its lines and words
//! project     which compose files belong together         lists, compose, services, inline, paths
//! yaml        the tree of a compose file                   indented   quoted text in column one
//! ```
//!
//! Whoever looks for bases and whoever rewrites them calls the same `sites`, so that what was pinned is what is
//! changed. What cannot be told before the build is a site with a note, never one less.

mod commands;
mod compose;
mod dockerfile;
mod expand;
mod indented;
mod inline;
mod lines;
mod lists;
mod makers;
mod options;
mod paths;
mod places;
mod plan;
mod project;
#[cfg(test)]
mod reading_tests;
mod script;
mod services;
mod shell;
mod sources;
#[cfg(test)]
mod tests;
mod values;
mod words;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::model::{CommitFiles, Definition, Message};
use crate::msg;
use plan::Plan;

pub use makers::{Makers, is_script};
pub use sources::{SourceFile, Sources};
pub use values::Values;

/// Most sites of a commit.
const MOST_SITES: usize = 1000;

/// The folders in which the definition's steps work, none below another.
pub fn folders(definition: &Definition) -> Vec<String> {
    let steps = definition.stages.iter().flat_map(|stage| &stage.steps);
    let all: BTreeSet<&str> = steps.map(|step| step.directory.as_str()).collect();
    let is_below = |one: &str, other: &str| {
        other.is_empty() || one.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'))
    };
    let top = |one: &&str| !all.iter().any(|other| other != one && is_below(one, other));
    all.iter().copied().filter(top).map(str::to_owned).collect()
}

/// A place that names an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    pub path: String,
    /// From 1; 0 where there is no line.
    pub line: u32,
    /// With variables put in; as it is written when that could not be done.
    pub reference: String,
    /// Why it cannot be pinned.
    pub note: Option<Message>,
    /// Why the file stays as it is though it is known what it names at first: something else may decide in the run.
    pub left: Option<Message>,
    /// The bytes of the file that a pin replaces.
    pub span: Option<Range<usize>>,
    /// BuildKit fetches it to read the Dockerfile; nothing is built on it.
    pub is_frontend: bool,
    /// Whether the pin's digest is put behind those bytes, and they stay.
    pub after: bool,
}

impl Site {
    /// What is said of a file and not of an image; `line` as in `Site`.
    fn of_file(path: &str, line: u32, note: Message) -> Site {
        let shown = super::finding::shown(path);
        let reference = if line == 0 { shown } else { format!("{shown}:{line}") };
        Site { path: path.to_owned(), line, reference, note: Some(note), ..Site::default() }
    }
}

/// Reference to `host/repository@sha256:...`.
pub type Pins = BTreeMap<String, String>;

/// Whether a file of this name may name images: Dockerfiles, Containerfiles, compose files, and `.env`.
pub fn is_candidate(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name == ".env" || is_dockerfile(name) || is_compose(name)
}

fn is_dockerfile(name: &str) -> bool {
    const OTHERS: [&str; 9] =
        [".dockerignore", ".md", ".sh", ".py", ".json", ".yml", ".yaml", ".rst", ".orig"];
    let lower = name.to_ascii_lowercase();
    let ending = |stem: &str| {
        lower.strip_prefix(stem).map(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_']))
    };
    let begins = ["dockerfile", "containerfile"].into_iter().any(|stem| ending(stem) == Some(true));
    let ends = lower.ends_with(".dockerfile") || lower.ends_with(".containerfile");
    (begins || ends) && !OTHERS.iter().any(|other| lower.ends_with(other))
}

fn is_compose(name: &str) -> bool {
    let yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    yaml && (name.starts_with("docker-compose") || name.starts_with("compose"))
}

/// All of a commit's folders, and no file by name.
pub const EVERYWHERE: (&[String], &[String]) = (&[String::new()], &[]);

/// The texts of files that steps may call, by path.
pub fn scripts(found: CommitFiles) -> Vec<(String, String)> {
    found
        .files
        .into_iter()
        .map(|(path, bytes)| (path, String::from_utf8_lossy(&bytes).into_owned()))
        .collect()
}

/// That some of them could not be read, with the first.
pub fn unread_scripts(found: &CommitFiles) -> Option<Site> {
    let (path, _) = found.unread.first()?;
    let note = msg!("pin-scripts-unread", count = found.unread.len(), first = super::finding::shown(path));
    Some(Site::of_file(path, 0, note))
}

/// Everything the files name, in order of path and place.
pub fn sites(files: &[SourceFile], values: &Values) -> Vec<Site> {
    let plan = Plan::of(files, values);
    let mut all = Vec::new();
    for file in files {
        if plan.is_dockerfile(file) {
            places::of_dockerfile(file, &plan, &mut all);
        }
    }
    for (file, services) in &plan.composed {
        places::of_compose(file, services, &plan, &mut all);
    }
    places::within_compose(&plan, &mut all);
    all.extend(plan.notes.iter().cloned());
    not_what_is_made(&mut all, &made(&plan, values));
    let key = |site: &Site| {
        (site.path.clone(), site.span.as_ref().map(|s| s.start), site.line, site.reference.clone())
    };
    all.sort_by_key(key);
    all.dedup();
    not_twice(&mut all);
    let over = all.len().saturating_sub(MOST_SITES);
    all.truncate(MOST_SITES);
    if over > 0 {
        all.push(Site::of_file(".", 0, msg!("bases-sites", most = MOST_SITES, over = over)));
    }
    all
}

/// One place that is read in two ways and names two images cannot be changed to one of them.
fn not_twice(all: &mut [Site]) {
    let mut seen: BTreeMap<(String, usize), (usize, bool)> = BTreeMap::new();
    for index in 0..all.len() {
        let Some(span) = all[index].span.clone() else { continue };
        let key = (all[index].path.clone(), span.start);
        let differs = match seen.get(&key) {
            Some((first, _)) => all[*first].reference != all[index].reference,
            None => false,
        };
        let entry = seen.entry(key).or_insert((index, false));
        entry.1 |= differs;
    }
    for site in all.iter_mut().filter(|site| site.note.is_none()) {
        let Some(span) = &site.span else { continue };
        if seen.get(&(site.path.clone(), span.start)).is_some_and(|(_, differs)| *differs) {
            site.note = Some(msg!("pin-several", reference = super::finding::shown(&site.reference)));
        }
    }
}

/// What the scripts and the compose files make.
fn made(plan: &Plan<'_>, values: &Values) -> Makers {
    let mut makers = values.made().clone();
    for (file, services) in &plan.composed {
        for service in services.iter().filter(|service| plan.is_built(&file.path, &service.name)) {
            let image = service.image.as_ref();
            image
                .into_iter()
                .for_each(|image| makers.add_composed(&image.written, &|name| values.look(name)));
        }
    }
    plan.made.iter().for_each(|image| makers.add_composed(image, &|_| expand::Known::Unset));
    makers
}

/// An image that the run may make itself is the run's: its registry's older one never takes its place.
fn not_what_is_made(sites: &mut [Site], makers: &Makers) {
    for site in sites.iter_mut().filter(|site| site.note.is_none()) {
        if makers.may_make(&site.reference) {
            site.note = Some(msg!("pin-built-here"));
        }
    }
}

/// The images a definition's stages and steps run in.
pub fn of_definition(path: &str, definition: &Definition, values: &Values) -> Vec<Site> {
    let mut all = Vec::new();
    let mut add = |image: &Option<String>, line: u32| {
        all.extend(image.as_ref().map(|image| Site {
            path: path.to_owned(),
            line,
            reference: image.clone(),
            ..Site::default()
        }));
    };
    add(&definition.image, 0);
    for stage in &definition.stages {
        add(&stage.image, 0);
        stage.steps.iter().for_each(|step| add(&step.image, step.line));
    }
    not_what_is_made(&mut all, values.made());
    all
}

/// The files that `pins` change, with their new texts.
pub fn pinned(files: &[SourceFile], values: &Values, pins: &Pins) -> Vec<SourceFile> {
    let all = sites(files, values);
    let changed = |file: &SourceFile| {
        let sites: Vec<&Site> = all.iter().filter(|site| site.path == file.path).collect();
        let text = rewritten(&file.text, &sites, pins)?;
        Some(file.with_text(text))
    };
    files.iter().filter_map(changed).collect()
}

/// The text with every pinned reference replaced; `None` when that changes nothing.
fn rewritten(text: &str, sites: &[&Site], pins: &Pins) -> Option<String> {
    let mut out = String::with_capacity(text.len() + 256);
    let mut behind = 0;
    for site in sites {
        let (Some(span), None, None) = (&site.span, &site.note, &site.left) else { continue };
        let Some(pin) = pins.get(&site.reference) else { continue };
        // What overlaps was replaced with the site before.
        let Some(between) = text.get(behind..span.start) else { continue };
        let digest = pin.split_once('@').map(|(repository, _)| (repository, &pin[repository.len()..]));
        let written = site.reference.rsplit_once(':').map(|(repository, _)| repository);
        let (kept, put) = match (site.after, digest) {
            (false, _) => ("", pin.as_str()),
            // A digest behind the tag is of the repository that is named there, and of no mirror of it.
            (true, Some((repository, digest))) if written == Some(repository) => {
                (text.get(span.clone()).unwrap_or_default(), digest)
            }
            (true, _) => continue,
        };
        out.push_str(between);
        out.push_str(kept);
        out.push_str(put);
        behind = span.end;
    }
    out.push_str(text.get(behind..)?);
    (out != text).then_some(out)
}

/// One Dockerfile by itself, as `docker build` reads it.
pub fn pin_dockerfile(text: &str, pins: &Pins) -> Option<String> {
    alone("Dockerfile", text, pins)
}

/// One compose file by itself, with nothing in the environment.
pub fn pin_compose(text: &str, pins: &Pins) -> Option<String> {
    alone("compose.yml", text, pins)
}

fn alone(path: &str, text: &str, pins: &Pins) -> Option<String> {
    let file = SourceFile::of_text(path, text);
    pinned(&[file], &Values::default(), pins).pop().map(|file| file.text)
}
