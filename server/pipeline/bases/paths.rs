//! Paths of a commit as compose files and commands write them, and the `.env` beside them.

use std::collections::BTreeMap;

use super::expand::{Dialect, Known, expand};

/// Most lines of a `.env`.
pub const MOST_LINES: usize = 5000;

pub fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

pub fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Whether a context is something to fetch.
pub fn is_remote(path: &str) -> bool {
    path.contains("://") || path.starts_with("git@") || path.starts_with("github.com/")
}

/// The path that `parts` lead to from `folder`; `None` when that is outside of the repository.
pub fn below(folder: &str, parts: &[&str]) -> Option<String> {
    let mut path: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in parts {
        if part.starts_with(['/', '~']) || is_remote(part) || part.contains('\\') {
            return None;
        }
        for name in part.split('/') {
            match name {
                "" | "." => {}
                ".." => drop(path.pop()?),
                name => path.push(name),
            }
        }
    }
    Some(path.join("/"))
}

/// The values of a `.env`; what a line takes from others comes from `look` or from lines before it.
pub fn env_file(text: &str, look: &dyn Fn(&str) -> Known) -> BTreeMap<String, Known> {
    let mut found: BTreeMap<String, Known> = BTreeMap::new();
    for line in text.lines().take(MOST_LINES) {
        let line = line.trim_start_matches('\u{feff}').trim();
        let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
        let Some((name, raw)) = line.split_once('=').filter(|_| !line.starts_with('#')) else { continue };
        let raw = raw.trim();
        let quoted = |quote: char| {
            let inner = raw.strip_prefix(quote)?;
            inner.find(quote).map(|end| &inner[..end])
        };
        let value = match (quoted('\''), quoted('"')) {
            (Some(plain), _) => Known::Set(plain.to_owned()),
            (None, inner) => {
                let text = inner.unwrap_or_else(|| raw.split(" #").next().unwrap_or(raw).trim_end());
                let known = |name: &str| match look(name) {
                    Known::Unset => found.get(name).cloned().unwrap_or(Known::Unset),
                    known => known,
                };
                match expand(text, Dialect::Compose, &known) {
                    Ok(expanded) => Known::Set(expanded.text),
                    Err(_) => Known::Later,
                }
            }
        };
        found.insert(name.trim().to_owned(), value);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_the_repository() {
        assert_eq!(below("a/b", &[".", "Dockerfile"]).as_deref(), Some("a/b/Dockerfile"));
        assert_eq!(below("a/b", &["../api", "./D"]).as_deref(), Some("a/api/D"));
        assert_eq!(below("a", &["../..", "D"]), None);
        for path in ["https://example.org/x.git", "git@host:x.git", "/etc", "~/x", "github.com/a/b", "a\\b"] {
            assert_eq!(below("", &[path]), None, "{path}");
        }
    }

    #[test]
    fn env_files_are_read_as_compose_does() {
        let text = "A=1\n# no\nexport B='$A' # x\nC=\"${A}2\" \nD=x # y\nE\nF=${BUILD_NUMBER}\n";
        let look = |name: &str| if name == "BUILD_NUMBER" { Known::Later } else { Known::Unset };
        let found = env_file(text, &look);
        let set = |text: &str| Known::Set(text.to_owned());
        assert_eq!(
            [&found["A"], &found["B"], &found["C"], &found["D"]],
            [&set("1"), &set("$A"), &set("12"), &set("x")]
        );
        assert_eq!((found.get("E"), &found["F"]), (None, &Known::Later));
    }
}
