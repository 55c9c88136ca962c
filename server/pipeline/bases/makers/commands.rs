//! Which words of a command name an image that it makes: docker, podman, buildah, skopeo, crane and their like, by
//! their verbs and options. A tool behind a variable (`$DOCKER build`) is one when a verb follows at once.

use super::Resolver;
use super::words::{Command, Part, Word};

const TOOLS: &[&str] = &[
    "docker",
    "podman",
    "buildah",
    "nerdctl",
    "img",
    "skopeo",
    "crane",
    "gcrane",
    "regctl",
    "oras",
    "ctr",
    "pack",
    "s2i",
    "ko",
    "kaniko",
    "executor",
    "buildctl",
    "docker.exe",
    "finch",
    "earthly",
];
/// Words before the verb.
const GROUPS: &[&str] =
    &["buildx", "builder", "image", "images", "manifest", "imagetools", "artifact", "registry", "index"];
/// What makes nothing.
const USES: &[&str] = &[
    "run",
    "exec",
    "pull",
    "create",
    "start",
    "stop",
    "kill",
    "rm",
    "rmi",
    "ps",
    "logs",
    "inspect",
    "login",
    "logout",
    "save",
    "network",
    "volume",
    "system",
    "info",
    "version",
    "wait",
    "container",
    "compose",
    "stack",
    "service",
    "history",
    "port",
    "events",
    "stats",
    "top",
    "context",
    "export",
    "ls",
    "digest",
    "ls-remote",
    "list-tags",
];
const MAKES: &[&str] = &[
    "build", "bud", "tag", "push", "commit", "import", "load", "bake", "copy", "cp", "sync", "mutate",
    "append", "rebase", "flatten", "publish", "resolve", "apply", "put",
];

/// What a command makes.
#[derive(Debug, PartialEq, Eq)]
pub enum Made {
    Nothing,
    Names(Vec<Word>),
    /// Images whose names do not stand in the command.
    Unknown,
}

fn base_name(word: &Word) -> &str {
    // A Makefile's `@docker`.
    let text = word.plain().unwrap_or_default().trim_start_matches(['@', '-', '+']);
    text.rsplit('/').next().unwrap_or(text)
}

/// Tool, verb, the verb's place, and whether it came behind `imagetools`.
fn verb(command: &[Word]) -> Option<(&str, &str, usize, bool)> {
    for (at, word) in command.iter().enumerate() {
        let tool = base_name(word);
        let is_tool = TOOLS.contains(&tool);
        let may_be = word.0.iter().any(|part| !matches!(part, Part::Plain(_)));
        if !is_tool && !may_be {
            continue;
        }
        let mut group = false;
        for (behind, word) in command.iter().enumerate().skip(at + 1) {
            let text = word.plain().unwrap_or_default();
            if text == "imagetools" || text == "manifest" {
                group = true;
            }
            let counts = is_tool || behind == at + 1 || GROUPS.contains(&base_name(&command[at + 1]));
            let makes = MAKES.contains(&text) || group && text == "create";
            if counts && (makes || USES.contains(&text)) {
                return Some((tool, text, behind, group));
            }
            if !is_tool && behind > at + 2 {
                break;
            }
        }
    }
    None
}

/// Whether a command uses an image and makes none.
pub fn only_uses(command: &[Word]) -> bool {
    verb(command).is_some_and(|(_, verb, _, group)| USES.contains(&verb) && !group)
}

/// What `command` makes.
pub fn made(command: &[Word], resolver: &Resolver<'_>) -> Made {
    let mut names = options(command);
    if let Some((tool, verb, at, group)) = verb(command) {
        let behind = &command[at + 1..];
        match verb {
            "build" | "bud" => {
                names.extend(tagged(behind));
                if matches!(tool, "pack" | "s2i") {
                    names.extend(positional(behind));
                }
                if matches!(tool, "ko" | "earthly") && names.is_empty() {
                    return known_repository(resolver);
                }
                if names.is_empty() && has_options(behind, resolver) {
                    return Made::Unknown;
                }
            }
            "publish" | "resolve" | "apply" if tool == "ko" => return known_repository(resolver),
            "load" if tool != "crane" => return Made::Unknown,
            "bake" => names.extend(tagged(behind)),
            "create" if group => {
                names.extend(tagged(behind));
                names.extend(positional(behind).into_iter().take(1));
            }
            "tag" if matches!(tool, "crane" | "gcrane") => {
                names.extend(positional(behind).into_iter().take(1));
            }
            "push" => names.extend(positional(behind)),
            "tag" | "commit" | "import" => match positional(behind) {
                all if all.len() >= 2 => names.extend(all.into_iter().skip(1)),
                // A name is missing or comes of a variable that holds several words.
                _ if verb == "tag" => return Made::Unknown,
                _ => {}
            },
            "cp" | "copy" | "sync" | "mutate" | "append" | "rebase" | "flatten" | "put"
                if tool != "docker" && tool != "podman" =>
            {
                names.extend(tagged(behind));
                names.extend(positional(behind).into_iter().skip(1));
            }
            _ => {}
        }
    }
    if names.is_empty() { Made::Nothing } else { Made::Names(names) }
}

/// `ko` makes images below the repository that its variable names.
fn known_repository(resolver: &Resolver<'_>) -> Made {
    let variable = Word(vec![Part::Variable("KO_DOCKER_REPO".into(), None)]);
    match resolver.values(&variable, 0).contains("*") {
        true => Made::Unknown,
        false => Made::Names(vec![Word(vec![Part::Variable("KO_DOCKER_REPO".into(), None), Part::Any])]),
    }
}

/// Whether a variable may hold further options, a name among them: `docker build $OPTIONS .`, `docker build "$@"`.
fn has_options(words: &[Word], resolver: &Resolver<'_>) -> bool {
    let before = std::iter::once(None).chain(words.iter().map(Some));
    words.iter().zip(before).any(|(word, before)| {
        let is_value = before.is_some_and(|b| b.lead().starts_with('-') && !b.lead().contains('='));
        let alone = matches!(word.0.as_slice(), [Part::Any | Part::Variable(..)]);
        alone && !is_value && resolver.values(word, 0).iter().any(|v| v == "*" || v.starts_with('-'))
    })
}

/// Words that are no options. What options without a `=` are given counts, too: it is hardly an image's name.
fn positional(words: &[Word]) -> Vec<Word> {
    let end = words.iter().position(|word| matches!(word.plain(), Some("#" | "then" | "done")));
    let words = &words[..end.unwrap_or(words.len())];
    words.iter().filter(|word| !word.lead().starts_with('-') && !is_redirection(word)).cloned().collect()
}

fn is_redirection(word: &Word) -> bool {
    matches!(word.plain(), Some("1" | "2" | "/dev/null"))
}

/// Options that name an image whatever the tool is.
fn options(command: &[Word]) -> Vec<Word> {
    let mut found = Vec::new();
    for (at, word) in command.iter().enumerate() {
        let lead = word.lead();
        let next = || command.get(at + 1).cloned();
        if lead == "--destination" {
            found.extend(next());
        }
        if let Some(value) = lead.strip_prefix("--destination=") {
            found.push(word.behind(lead.len() - value.len()));
        }
        // A name that is given another content than the registry's.
        let context = if lead == "--build-context" { next() } else { None };
        let inline = lead.strip_prefix("--build-context=").map(|rest| word.behind(lead.len() - rest.len()));
        for context in context.into_iter().chain(inline) {
            let name = context.lead().split('=').next().unwrap_or_default().to_owned();
            found.push(Word(vec![Part::Plain(name)]));
        }
        // `-Djib.to.image=x`, `-Ddocker.image.name=x`, `-Pimage=x`
        let property =
            (lead.starts_with("-D") || lead.starts_with("-P")) && lead.to_lowercase().contains("image");
        if let Some((name, _)) = lead.split_once('=').filter(|_| property) {
            found.push(word.behind(name.len() + 1));
        }
    }
    found.retain(|word| !word.0.is_empty());
    found
}

/// What `--tag` and `--output` name.
fn tagged(words: &[Word]) -> Vec<Word> {
    let mut found = Vec::new();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let (lead, plain) = (word.lead(), word.plain().unwrap_or_default());
        let short = plain.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
        let is_cluster =
            short.is_some_and(|s| s.len() > 1 && s.ends_with('t') && s.bytes().all(|b| b"qt".contains(&b)));
        if matches!(plain, "-t" | "--tag" | "--image" | "--name") || is_cluster {
            found.extend(words.peek().map(|word| (*word).clone()));
        } else if let Some(rest) = lead.strip_prefix("--tag=").or(lead.strip_prefix("--image=")) {
            found.push(word.behind(lead.len() - rest.len()));
        } else if let Some(rest) = lead.strip_prefix("-t").filter(|_| lead.len() > 2 || word.0.len() > 1) {
            found.push(word.behind(lead.len() - rest.trim_start_matches('=').len()));
        } else if let Some(rest) = lead.strip_prefix("name=") {
            found.push(word.behind(lead.len() - rest.len()));
        } else if matches!(plain, "-o" | "--output") {
            found.extend(words.peek().into_iter().flat_map(|word| outputs(word)));
        } else if lead.starts_with("--output=") || lead.starts_with("-o") && lead.len() > 2 {
            found.extend(outputs(word));
        } else if let Some(at) = lead.find("tags=").filter(|_| !lead.starts_with('-')) {
            // `--set target.tags=x`
            found.push(word.behind(at + "tags=".len()));
        }
    }
    found.retain(|word| !word.0.is_empty());
    found
}

/// The names in `type=image,name=a,push=true`.
fn outputs(word: &Word) -> Vec<Word> {
    let mut found = Vec::new();
    let mut open: Option<Word> = None;
    let mut close = |open: &mut Option<Word>| found.extend(open.take().filter(|word| !word.0.is_empty()));
    for part in &word.0 {
        let Part::Plain(text) = part else {
            if let Some(word) = &mut open {
                word.0.push(part.clone());
            }
            continue;
        };
        for (index, piece) in text.split(',').enumerate() {
            if index > 0 {
                close(&mut open);
            }
            match (piece.split_once("name="), &mut open) {
                (Some((_, name)), _) => {
                    open = Some(Word(vec![Part::Plain(name.to_owned())]));
                    if name.is_empty() {
                        open = Some(Word::default());
                    }
                }
                (None, Some(word)) => word.0.push(Part::Plain(piece.to_owned())),
                // `"name=a,b"`
                (None, None) if index > 0 && !piece.contains('=') => {
                    open = Some(Word(vec![Part::Plain(piece.to_owned())]));
                }
                (None, None) => {}
            }
        }
    }
    close(&mut open);
    found
}

/// The names in files that list what is built: bake files, `pom.xml`, Gradle and their like. Which word is the name and
/// which is the base cannot be told everywhere, so every word with a slash counts that does not stand behind `from`.
pub fn listed(commands: &[Command]) -> Vec<Word> {
    let words = commands.iter().flatten();
    let mut found = Vec::new();
    let mut is_base = false;
    for word in words {
        let lead = word.lead();
        match word.plain() {
            Some("from" | "contexts" | "args" | "baseImage") => is_base = true,
            Some("to" | "tags" | "target" | "container" | "name" | "output") => is_base = false,
            _ => {}
        }
        let is_path = lead.starts_with(['.', '/']) || lead.contains("://");
        let slashed = word.0.iter().any(|part| matches!(part, Part::Plain(text) if text.contains('/')));
        let tagged = word.0.iter().any(|part| matches!(part, Part::Plain(text) if text.contains(':')));
        if !is_base && !is_path && (slashed || tagged && word.plain().is_none_or(|text| !text.ends_with(':')))
        {
            found.push(word.clone());
        }
    }
    found
}
