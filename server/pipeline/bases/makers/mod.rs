//! What a run may make by itself: the images that its scripts build, tag, import or push. Read from every text of the
//! commit that a step can call. A name counts by its repository, whatever the tag; a part that only the shell knows fits
//! everything; of a maker whose whole name is unknown, every image's name in the scripts may be it. So it is never told
//! of too little on purpose: what is missed here is noticed in the engine while the run is under way.

mod assigned;
mod commands;
mod options;
#[cfg(test)]
mod tests;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use super::expand::Known;
use crate::model::ImageReference;
use words::{Command, Kind, Part, Word};

/// Most values that one word is taken to have; beyond, it may be anything.
const MOST_VALUES: usize = 64;
/// How far variables name variables.
const DEEPEST: usize = 6;
/// Most names that are kept.
const MOST_NAMES: usize = 5000;

/// The names of what a run may make.
#[derive(Clone, Debug, Default)]
pub struct Makers {
    /// Repositories without their tags; `*` fits any text.
    patterns: BTreeSet<String>,
    /// Names that count when a maker's whole name is unknown.
    candidates: BTreeSet<String>,
    /// Whether there is such a maker.
    unknown: bool,
}

/// Whether a file of this name may hold commands that steps call.
pub fn is_script(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let Some((stem, ending)) = name.rsplit_once('.') else {
        // What names images without making any, and prose.
        const OTHERS: &[&str] = &[
            "dockerfile",
            "containerfile",
            "jenkinsfile",
            "license",
            "readme",
            "copying",
            "authors",
            "notice",
        ];
        return !OTHERS.iter().any(|other| name.starts_with(other));
    };
    const ENDINGS: &[&str] = &[
        "sh", "bash", "zsh", "ksh", "dash", "mk", "mak", "just", "hcl", "env", "gradle", "kts", "groovy",
        "py", "rb", "pl", "ps1", "bat", "cmd", "fish", "toml",
    ];
    const NAMES: &[&str] = &[
        "package.json",
        "docker-bake.json",
        "docker-bake.override.json",
        "pom.xml",
        "taskfile.yml",
        "taskfile.yaml",
        "skaffold.yaml",
        "project.toml",
        ".ko.yaml",
        ".gitlab-ci.yml",
        "build.xml",
        "earthfile",
        "tiltfile",
        "dobifile",
        "dobi.yaml",
        "devspace.yaml",
        "build.sbt",
        "magefile.go",
    ];
    let of_bake = name.contains("bake") && matches!(ending, "json" | "yml" | "yaml");
    let of_make = stem == "makefile" || stem == "gnumakefile" || name.starts_with(".env");
    ENDINGS.contains(&ending) || NAMES.contains(&name.as_str()) || of_bake || of_make
}

fn kind(path: &str) -> Kind {
    let lower = path.to_ascii_lowercase();
    let data = ["json", "hcl", "xml", "gradle", "kts", "groovy", "py", "rb", "toml", "go", "sbt"];
    match lower.rsplit_once('.') {
        Some((_, ending)) if data.contains(&ending) => Kind::Data,
        _ => Kind::Script,
    }
}

/// Texts are added, then it is asked what they may make.
#[derive(Default)]
pub struct Texts {
    commands: Vec<Command>,
    /// Names that stand in files which list what is built.
    listed: Vec<Word>,
}

impl Texts {
    /// A step's script.
    pub fn add_script(&mut self, text: &str) {
        self.commands.extend(words::commands(text, Kind::Script));
    }

    /// A file of the commit.
    pub fn add_file(&mut self, path: &str, text: &str) {
        let found = words::commands(text, kind(path));
        let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
        let builds =
            ["bake", "pom.xml", ".gradle", "skaffold", ".sbt"].iter().any(|part| name.contains(part))
                || name.ends_with(".hcl");
        if builds {
            self.listed.extend(commands::listed(&found));
        }
        self.commands.extend(found);
    }

    /// `look` is what is known of the environment.
    pub fn makers(&self, look: &dyn Fn(&str) -> Known) -> Makers {
        let resolver = Resolver { assigned: assigned::assignments(&self.commands), look };
        let mut makers = Makers::default();
        let mut named = self.listed.clone();
        for command in &self.commands {
            match commands::made(command, &resolver) {
                commands::Made::Nothing => {}
                commands::Made::Names(names) => named.extend(names),
                commands::Made::Unknown => makers.unknown = true,
            }
        }
        for name in &named {
            makers.add(name, &resolver);
        }
        if makers.unknown {
            makers.candidates = self.candidates(&resolver);
        }
        makers
    }

    /// Every word that may be an image's name, but for those of commands that only use one.
    fn candidates(&self, resolver: &Resolver<'_>) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for command in self.commands.iter().filter(|command| !commands::only_uses(command)) {
            for word in command {
                let word = match word.lead().split_once('=').filter(|(name, _)| words::is_name(name)) {
                    Some((name, _)) => word.behind(name.len() + 1),
                    None => word.clone(),
                };
                if found.len() >= MOST_NAMES {
                    return found;
                }
                let text = word.plain().unwrap_or_default();
                let looks = text.contains(['/', ':']) && ImageReference::parse(text).is_ok();
                if looks || word.0.len() > 1 {
                    let all = resolver.values(&word, 0).into_iter();
                    found.extend(all.filter_map(|value| repository(&value)).filter(|name| is_telling(name)));
                }
            }
        }
        found
    }
}

impl Makers {
    fn add(&mut self, name: &Word, resolver: &Resolver<'_>) {
        for value in resolver.values(name, 0) {
            match repository(&value) {
                Some(pattern) if is_telling(&pattern) && self.patterns.len() < MOST_NAMES => {
                    self.patterns.insert(pattern);
                }
                _ => self.unknown = true,
            }
        }
    }

    /// What a compose file calls an image that it builds.
    pub fn add_composed(&mut self, written: &str, look: &dyn Fn(&str) -> Known) {
        let resolver = Resolver { assigned: BTreeMap::new(), look };
        for word in words::commands(written, Kind::Script).into_iter().flatten() {
            // Another name than an unknown one is no reason to doubt every name.
            let known = resolver.values(&word, 0).into_iter().filter_map(|value| repository(&value));
            self.patterns.extend(known.filter(|pattern| is_telling(pattern)));
        }
    }

    /// Whether an image of this repository may be made, whatever its tag.
    pub fn may_make(&self, reference: &str) -> bool {
        let Some(name) = repository(reference) else { return false };
        let fits = |pattern: &String| fits(pattern, &name);
        self.patterns.iter().any(fits) || self.candidates.iter().any(fits)
    }
}

/// What words can be in the shell.
pub struct Resolver<'a> {
    assigned: BTreeMap<String, Vec<Word>>,
    look: &'a dyn Fn(&str) -> Known,
}

impl Resolver<'_> {
    /// Every text a word can be; `*` stands for what is not known.
    pub fn values(&self, word: &Word, depth: usize) -> BTreeSet<String> {
        let mut all = BTreeSet::from([String::new()]);
        for part in &word.0 {
            let more = match part {
                Part::Plain(text) => BTreeSet::from([text.clone()]),
                Part::Any => BTreeSet::from(["*".to_owned()]),
                Part::Variable(name, default) => self.variable(name, default.as_deref(), depth),
            };
            if all.len() * more.len() > MOST_VALUES {
                return BTreeSet::from(["*".to_owned()]);
            }
            all = all
                .iter()
                .flat_map(|before| more.iter().map(move |more| format!("{before}{more}")))
                .collect();
        }
        all.retain(|value| value.len() <= 1024);
        all
    }

    fn variable(&self, name: &str, default: Option<&str>, depth: usize) -> BTreeSet<String> {
        let any = || BTreeSet::from(["*".to_owned()]);
        if depth >= DEEPEST {
            return any();
        }
        let mut all: BTreeSet<String> = default.map(str::to_owned).into_iter().collect();
        match (self.look)(name) {
            Known::Set(value) => drop(all.insert(value)),
            // So much of it is known, and many name an image by it that nothing stands on.
            Known::Later if name == "BUILD_TAG" => drop(all.insert("ropewalk-*".to_owned())),
            Known::Later => return any(),
            Known::Unset => {}
        }
        for word in self.assigned.get(name).into_iter().flatten() {
            // `V=${V:-default}`, `V=$V-more`
            if let Some(own) =
                word.0.iter().find(|part| matches!(part, Part::Variable(other, _) if other == name))
            {
                match (own, word.0.len()) {
                    (Part::Variable(_, Some(default)), 1) => drop(all.insert(default.clone())),
                    (_, 1) => {}
                    _ => return any(),
                }
                continue;
            }
            all.extend(self.values(word, depth + 1));
            if all.len() > MOST_VALUES {
                return any();
            }
        }
        if all.is_empty() { any() } else { all }
    }
}

/// The repository a name means, written one way: without tag and digest, `docker.io/library/x` as `x`.
fn repository(name: &str) -> Option<String> {
    let schemes = ["docker://", "docker-daemon:", "oci-archive:", "containers-storage:"];
    let name = schemes.iter().fold(name, |name, scheme| name.strip_prefix(scheme).unwrap_or(name));
    let name = name.split('@').next().unwrap_or(name);
    let name = match name.rsplit_once(':') {
        Some((before, tag)) if !tag.contains('/') => before,
        _ => name,
    };
    let name = ["docker.io/", "index.docker.io/", "registry-1.docker.io/"]
        .iter()
        .find_map(|host| name.strip_prefix(host))
        .unwrap_or(name);
    let name = name.strip_prefix("library/").unwrap_or(name).trim_end_matches('/');
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/' | b':' | b'*');
    (!name.is_empty() && name.bytes().all(allowed)).then(|| name.to_owned())
}

/// Whether something of the name is known besides separators.
fn is_telling(pattern: &str) -> bool {
    pattern.bytes().any(|b| b.is_ascii_alphanumeric())
}

/// Whether `pattern` fits the whole of `text`.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else { return rest.is_empty() };
    for part in between {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}
