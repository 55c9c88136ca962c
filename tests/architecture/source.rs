//! Reads the house's own source for the architecture test: which file belongs to which room, what of
//! it is production code, and which paths that code names. A reader of tokens, not a compiler: it knows
//! comments, strings, `#[cfg(test)]` and `use` lists, and that is all the rules need.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub struct File {
    /// Below the project's root, with `/`.
    pub path: String,
    pub text: String,
    /// Without comments and the insides of strings; same length in lines.
    pub code: String,
}

pub fn walk(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, ending, found);
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
}

/// Every `.rs` file below `folder`.
pub fn files(folder: &str) -> Vec<File> {
    let mut paths = Vec::new();
    walk(&root().join(folder), ".rs", &mut paths);
    let one = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        let path = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
        File { path, code: strip(&text), text }
    };
    paths.iter().map(one).collect()
}

/// Production code only: without `#[cfg(test)]` items, and without the files those items name.
pub fn production(folder: &str) -> Vec<File> {
    let mut all = files(folder);
    let mut of_tests = BTreeSet::new();
    for file in &mut all {
        let (code, modules) = without_tests(&file.code);
        let (parent, name) = file.path.rsplit_once('/').unwrap();
        let stem = name.trim_end_matches(".rs");
        let below = if matches!(stem, "mod" | "lib" | "main") {
            parent.to_owned()
        } else {
            format!("{parent}/{stem}")
        };
        of_tests.extend(modules.iter().map(|module| format!("{below}/{module}")));
        file.code = code;
    }
    let is_test = |path: &str| {
        of_tests.iter().any(|test| path == format!("{test}.rs") || path.starts_with(&format!("{test}/")))
    };
    all.retain(|file| !is_test(&file.path));
    all
}

impl File {
    /// `web` of `server/web/api/users.rs`, `app` of `server/app.rs`.
    pub fn room(&self) -> &str {
        let below = self.path.strip_prefix("server/").unwrap();
        below.split('/').next().unwrap().trim_end_matches(".rs")
    }

    /// How deep the file's module lies below the crate's root.
    fn depth(&self) -> usize {
        let below = self.path.strip_prefix("server/").unwrap();
        let parts = below.split('/').count();
        if below.ends_with("/mod.rs") { parts - 1 } else { parts }
    }

    /// First parts of all paths from the crate's root: `crate::store::Store` -> `store`.
    pub fn root_names(&self) -> BTreeSet<String> {
        let mut found = names_after(&self.code, "crate::");
        found.extend(names_after(&self.code, &"super::".repeat(self.depth())));
        found
    }

    /// Lines before the file's tests.
    pub fn length(&self) -> usize {
        let before =
            self.text.find("\n#[cfg(test)]\nmod tests {").map_or(&self.text[..], |at| &self.text[..at]);
        before.lines().count()
    }

    /// Whether a path begins with `name`: `name::x`, not `other::name::x`.
    pub fn names_crate(&self, name: &str) -> bool {
        let opening = format!("{name}::");
        self.code.match_indices(&opening).any(|(at, _)| !self.code[..at].ends_with(is_word_or_path))
            || self.code.contains(&format!("use {name};"))
    }
}

fn is_word_or_path(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | ':')
}

/// `prefix` followed by one name, or by a list in braces: the first part of each entry.
fn names_after(code: &str, prefix: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices(prefix) {
        if code[..at].ends_with(is_word_or_path) {
            continue;
        }
        let rest = &code[at + prefix.len()..];
        match rest.strip_prefix('{') {
            Some(list) => found.extend(entries(list)),
            None => {
                found.insert(word(rest));
            }
        }
    }
    found.remove("");
    found
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// First words of the entries of a `use` list, up to its closing brace.
fn entries(list: &str) -> Vec<String> {
    let (mut depth, mut current, mut found) = (0, String::new(), Vec::new());
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => found.push(word(std::mem::take(&mut current).trim_start())),
            c if depth == 0 => current.push(c),
            _ => {}
        }
    }
    found.push(word(current.trim_start()));
    found
}

/// The code without its `#[cfg(test)]` items, and the names of the modules among them that are files.
fn without_tests(code: &str) -> (String, Vec<String>) {
    const MARK: &str = "#[cfg(test)]";
    let (mut kept, mut modules, mut rest) = (String::new(), Vec::new(), code);
    while let Some(at) = rest.find(MARK) {
        kept.push_str(&rest[..at]);
        let item = &rest[at + MARK.len()..];
        let end = item_end(item);
        let head = &item[..end];
        if let Some((_, name)) = head.split_once("mod ").filter(|_| head.ends_with(';')) {
            modules.push(word(name));
        }
        rest = &item[end..];
    }
    kept.push_str(rest);
    (kept, modules)
}

/// Where an item ends: at its `;`, or behind its braces.
fn item_end(item: &str) -> usize {
    let mut depth = 0;
    for (at, c) in item.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                // `use a::{b};` ends at its semicolon.
                if depth == 0 && !item[..at].trim_start().starts_with("use ") {
                    return at + 1;
                }
            }
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    item.len()
}

/// Blanks comments and what is inside of strings and characters; lines stay where they are.
pub fn strip(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped =
            comment(rest).or_else(|| raw_string(rest)).or_else(|| string(rest)).or_else(|| character(rest));
        let length = skipped.unwrap_or(c.len_utf8());
        match skipped {
            Some(_) => {
                out.push(' ');
                out.extend(rest[..length].chars().filter(|c| *c == '\n'));
            }
            // `r` or `b` inside of a word does not begin a string.
            None if c.is_alphanumeric() || c == '_' => {
                let whole = word(rest);
                out.push_str(&whole);
                rest = &rest[whole.len()..];
                continue;
            }
            None => out.push(c),
        }
        rest = &rest[length..];
    }
    out
}

fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    text.starts_with("/*").then(|| text.find("*/").map_or(text.len(), |at| at + 2))
}

fn raw_string(text: &str) -> Option<usize> {
    let body = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = body.len() - body.trim_start_matches('#').len();
    let inside = body[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let start = text.len() - inside.len();
    Some(inside.find(&end).map_or(text.len(), |at| start + at + end.len()))
}

fn string(text: &str) -> Option<usize> {
    let body = text.strip_prefix("b\"").or_else(|| text.strip_prefix('"'))?;
    let start = text.len() - body.len();
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(start + at + 1),
            _ => {}
        }
    }
    Some(text.len())
}

/// `'x'`, `'\n'`, `b'x'`; not a lifetime.
fn character(text: &str) -> Option<usize> {
    let body = text.strip_prefix("b'").or_else(|| text.strip_prefix('\''))?;
    let start = text.len() - body.len();
    let mut chars = body.char_indices();
    if chars.next()?.1 == '\\' {
        let (after, _) = chars.next()?;
        return body[after + 1..].find('\'').map(|at| start + after + 1 + at + 1);
    }
    let (at, c) = chars.next()?;
    (c == '\'').then_some(start + at + 1)
}
