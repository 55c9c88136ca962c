//! Which words of a command name an image that it makes: docker, podman, buildah, skopeo, crane and their like, by
//! their verbs and options. A tool behind a variable (`$DOCKER build`) is one when a verb follows at once.

use super::Resolver;
use super::options::{everywhere, tagged};
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
    let mut names = everywhere(command);
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
