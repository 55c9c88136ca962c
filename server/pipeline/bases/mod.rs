//! The images a pipeline stands on: what its Dockerfiles, compose files and stages name, and the bytes to change
//! so that they name one image and no other. Text comes in, text goes out; nothing is looked up.
//!
//! ```text
//! values      what is known of variables before a run      expand   `${V:-d}`
//! dockerfile  FROM, COPY --from, RUN --mount               compose, yaml   image, build, .env
//! ```
//!
//! Whoever looks for bases and whoever rewrites them calls the same `sites`, so that what was pinned is what is
//! changed. What cannot be told before the build is a site with a note, never one less.

mod compose;
mod dockerfile;
mod expand;
#[cfg(test)]
mod tests;
mod values;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::finding::shown;
use crate::model::{Definition, ImageReference, Message};
use crate::msg;
use compose::{Service, Value};
use dockerfile::Named;
use expand::{Known, Problem};

pub use values::Values;

/// Most sites of a commit.
const MOST_SITES: usize = 1000;
/// Most ways that compose files build one Dockerfile.
const MOST_BUILDS: usize = 16;

/// A file of the commit.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Below the repository's root.
    pub path: String,
    pub text: String,
}

impl SourceFile {
    /// `None` for what is no text.
    pub fn of(path: String, bytes: Vec<u8>) -> Option<SourceFile> {
        String::from_utf8(bytes).ok().map(|text| SourceFile { path, text })
    }
}

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    pub path: String,
    /// From 1; 0 where there is no line.
    pub line: u32,
    /// With variables put in; as it is written when that could not be done.
    pub reference: String,
    /// Why it cannot be pinned.
    pub note: Option<Message>,
    /// The bytes of the file that a pin replaces.
    pub span: Option<Range<usize>>,
}

/// Reference to `host/repository@sha256:...`.
pub type Pins = BTreeMap<String, String>;

/// Whether a file of this name may name images: Dockerfiles, Containerfiles, compose files, and `.env`.
pub fn is_candidate(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name == ".env" || is_dockerfile(name) || is_compose(name)
}

fn is_dockerfile(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower == "containerfile"
        || lower == "dockerfile"
        || lower.starts_with("dockerfile.") && !lower.ends_with(".md")
        || lower.ends_with(".dockerfile")
}

fn is_compose(name: &str) -> bool {
    let yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    yaml && (name.starts_with("docker-compose") || name.starts_with("compose"))
}

/// Everything the files name, in order of path and place.
pub fn sites(files: &[SourceFile], values: &Values) -> Vec<Site> {
    let plan = Plan::of(files, values);
    let mut all = Vec::new();
    for file in files {
        let name = file.path.rsplit('/').next().unwrap_or(&file.path);
        if is_dockerfile(name) {
            of_dockerfile(file, (&plan, values), &mut all);
        }
    }
    for (file, services) in &plan.composed {
        of_compose(file, services, (&plan, values), &mut all);
    }
    for site in &mut all {
        if site.note.is_none() && plan.made.contains(&site.reference) {
            site.note = Some(msg!("pin-built-here"));
        }
    }
    let key = |site: &Site| (site.path.clone(), site.span.as_ref().map(|s| s.start), site.line, site.reference.clone());
    all.sort_by_key(key);
    all.dedup();
    all.truncate(MOST_SITES);
    all
}

/// The images a definition's stages and steps run in.
pub fn of_definition(path: &str, definition: &Definition) -> Vec<Site> {
    let mut all = Vec::new();
    let mut add = |image: &Option<String>, line: u32| {
        all.extend(image.as_ref().map(|image| Site {
            path: path.to_owned(),
            line,
            reference: image.clone(),
            note: None,
            span: None,
        }));
    };
    add(&definition.image, 0);
    for stage in &definition.stages {
        add(&stage.image, 0);
        stage.steps.iter().for_each(|step| add(&step.image, step.line));
    }
    all
}

/// The files that `pins` change, with their new texts.
pub fn pinned(files: &[SourceFile], values: &Values, pins: &Pins) -> Vec<SourceFile> {
    let all = sites(files, values);
    let changed = |file: &SourceFile| {
        let sites: Vec<&Site> = all.iter().filter(|site| site.path == file.path).collect();
        let text = rewritten(&file.text, &sites, pins)?;
        Some(SourceFile { path: file.path.clone(), text })
    };
    files.iter().filter_map(changed).collect()
}

/// The text with every pinned reference replaced; `None` when that changes nothing.
fn rewritten(text: &str, sites: &[&Site], pins: &Pins) -> Option<String> {
    let mut out = String::with_capacity(text.len() + 256);
    let mut behind = 0;
    for site in sites {
        let (Some(span), None) = (&site.span, &site.note) else { continue };
        let Some(pin) = pins.get(&site.reference) else { continue };
        // What overlaps was replaced with the site before.
        let Some(between) = text.get(behind..span.start) else { continue };
        out.push_str(between);
        out.push_str(pin);
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
    let file = SourceFile { path: path.to_owned(), text: text.to_owned() };
    pinned(&[file], &Values::default(), pins).pop().map(|file| file.text)
}

/// A way in which compose files build a Dockerfile.
struct Way<'f> {
    file: &'f SourceFile,
    arguments: BTreeMap<String, Value>,
}

/// What the compose files say together.
struct Plan<'f> {
    composed: Vec<(&'f SourceFile, Vec<Service>)>,
    /// Folder and service, of those that are built.
    built: BTreeSet<(String, String)>,
    /// Images that the files build themselves.
    made: BTreeSet<String>,
    /// By Dockerfile.
    ways: BTreeMap<String, Vec<Way<'f>>>,
    /// Where each file's lines end.
    lines: BTreeMap<&'f str, Vec<usize>>,
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

impl<'f> Plan<'f> {
    fn of(files: &'f [SourceFile], values: &Values) -> Plan<'f> {
        let own = |name: &str| values.look(name);
        let environments = files.iter().filter(|file| file.path.rsplit('/').next() == Some(".env"));
        let environments: BTreeMap<&str, BTreeMap<String, Known>> = environments
            .map(|file| (folder(&file.path), compose::env_file(&file.text, &own)))
            .collect();
        let mut plan = Plan {
            composed: Vec::new(),
            built: BTreeSet::new(),
            made: BTreeSet::new(),
            ways: BTreeMap::new(),
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
    fn line(&self, file: &SourceFile, at: usize) -> u32 {
        let before = self.lines.get(file.path.as_str()).map_or(0, |ends| ends.partition_point(|end| *end < at));
        u32::try_from(before + 1).unwrap_or(u32::MAX)
    }

    fn is_built(&self, path: &str, service: &str) -> bool {
        self.built.contains(&(folder(path).to_owned(), service.to_owned()))
    }
}

fn ends(text: &str) -> Vec<usize> {
    text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect()
}

/// The reference that came of what is written, or what is written and why nothing came of it.
fn resolved(value: &Result<String, Problem>, written: &str) -> (String, Option<Message>) {
    let note = match value {
        Ok(reference) if ImageReference::parse(reference).is_ok() => return (reference.clone(), None),
        Err(Problem::Later(name)) => msg!("pin-variable-later", name = shown(name)),
        Ok(_) | Err(Problem::Malformed) => msg!("pin-unreadable", reference = shown(written)),
    };
    (shown(written), Some(note))
}

/// A value that names an image.
fn site(file: &SourceFile, value: &Value, (plan, values): (&Plan<'_>, &Values)) -> Site {
    let (reference, mut note) = resolved(&value.value, &value.written);
    if let Some(name) = values.sets_one_of(&value.used) {
        note = Some(msg!("pin-variable-later", name = shown(name)));
    }
    if note.is_none() && value.span.is_none() {
        note = Some(msg!("pin-unreadable", reference = shown(&value.written)));
    }
    Site { path: file.path.clone(), line: plan.line(file, value.at), reference, note, span: value.span.clone() }
}

fn of_compose(file: &SourceFile, services: &[Service], (plan, values): (&Plan<'_>, &Values), all: &mut Vec<Site>) {
    for service in services.iter().filter(|service| !plan.is_built(&file.path, &service.name)) {
        all.extend(service.image.as_ref().map(|image| site(file, image, (plan, values))));
    }
}

fn of_dockerfile(file: &SourceFile, (plan, values): (&Plan<'_>, &Values), all: &mut Vec<Site>) {
    let plain = Vec::new();
    let ways = plan.ways.get(&file.path).unwrap_or(&plain);
    let given = |way: &Way<'_>| -> BTreeMap<String, Known> {
        let known = |value: &Value| match &value.value {
            Ok(text) => Known::Set(text.clone()),
            Err(_) => Known::Later,
        };
        way.arguments.iter().map(|(name, value)| (name.clone(), known(value))).collect()
    };
    let by_itself = dockerfile::look(&file.text, &BTreeMap::new());
    if !by_itself.whole && !by_itself.named.is_empty() {
        let note = Some(msg!("pin-dockerfile-unreadable"));
        all.push(Site { path: file.path.clone(), line: 0, reference: file.path.clone(), note, span: None });
    }
    let each: Vec<Vec<Named>> = ways.iter().map(|way| dockerfile::look(&file.text, &given(way)).named).collect();
    for (index, named) in by_itself.named.iter().enumerate() {
        if all.len() > MOST_SITES {
            return;
        }
        let in_ways: Vec<(&Way<'_>, &Named)> =
            ways.iter().zip(&each).filter_map(|(way, found)| Some((way, found.get(index)?))).collect();
        of_place(file, (named, &in_ways), (plan, values), all);
    }
}

/// One `FROM`, `COPY` or `RUN`, in each way that it is built.
fn of_place(
    file: &SourceFile,
    (by_itself, ways): (&Named, &[(&Way<'_>, &Named)]),
    (plan, values): (&Plan<'_>, &Values),
    all: &mut Vec<Site>,
) {
    let mut plain = Vec::new();
    for (way, named) in ways {
        let passed = named.argument.as_ref().and_then(|argument| way.arguments.get(argument));
        match passed {
            // The image is decided by what the compose file passes, so it is pinned there.
            Some(value) if named.is_base => all.push(site(way.file, value, (plan, values))),
            Some(_) => {}
            None => plain.push(*named),
        }
    }
    if ways.is_empty() {
        plain.push(by_itself);
    }
    plain.retain(|named| named.is_base);
    let several = plain.iter().any(|named| named.reference != plain[0].reference);
    for named in plain {
        let (reference, mut note) = resolved(&named.reference, &named.written);
        if named.argument.is_none()
            && let Some(name) = values.sets_one_of(&named.used)
        {
            note = Some(msg!("pin-variable-later", name = shown(name)));
        }
        if several {
            note = Some(msg!("pin-several", reference = shown(&named.written)));
        }
        let line = plan.line(file, named.at);
        all.push(Site { path: file.path.clone(), line, reference, note, span: named.span.clone() });
    }
}
