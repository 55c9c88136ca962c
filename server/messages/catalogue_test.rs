//! The catalogue is whole: the same keys and arguments in all languages, every key that the source or
//! a template names exists and is given what it needs, and no sentence is left over.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use fluent_bundle::FluentResource;

use super::{FILES, Language};

type Keys = BTreeMap<String, BTreeSet<String>>;

/// Key -> names of its arguments, of one file. A message starts at the line's start.
fn keys_of(text: &str) -> Keys {
    let mut keys = Keys::new();
    let mut current = String::new();
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        if line.starts_with(|c: char| c.is_ascii_lowercase())
            && let Some((key, _)) = line.split_once('=')
        {
            current = key.trim().to_owned();
            assert!(keys.insert(current.clone(), BTreeSet::new()).is_none(), "{current} is there twice");
        }
        for after in line.split('$').skip(1) {
            let name: String =
                after.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect();
            if let Some(args) = keys.get_mut(&current) {
                args.insert(name);
            }
        }
    }
    keys
}

fn keys_in(language: Language) -> Keys {
    let mut all = Keys::new();
    for (_, _, text) in FILES.iter().filter(|(l, _, _)| *l == language) {
        for (key, args) in keys_of(text) {
            assert!(all.insert(key.clone(), args).is_none(), "{language}: {key} is in two files");
        }
    }
    all
}

fn files_below(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            files_below(&path, ending, found);
        } else if path.to_str().is_some_and(|p| p.ends_with(ending)) {
            found.push(path);
        }
    }
}

/// The text between the bracket that opens at the end of `before` and its partner, strings respected.
fn bracketed(text: &str) -> &str {
    let (mut depth, mut in_string, mut escaped) = (1, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            '(' | '[' | '{' if !in_string => depth += 1,
            ')' | ']' | '}' if !in_string => {
                depth -= 1;
                if depth == 0 {
                    return &text[..at];
                }
            }
            _ => {}
        }
    }
    text
}

/// `"key"` at the start of `text`, when it is a literal.
fn literal(text: &str) -> Option<&str> {
    let rest = text.trim_start().strip_prefix('"')?;
    rest.split_once('"').map(|(key, _)| key)
}

/// Names before a single `=` after a comma of depth 0: the arguments of `msg!`.
fn macro_arguments(inside: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let (mut depth, mut in_string, mut start) = (0, false, 0);
    let mut pieces = Vec::new();
    for (at, c) in inside.char_indices() {
        match c {
            '"' => in_string = !in_string,
            '(' | '[' | '{' if !in_string => depth += 1,
            ')' | ']' | '}' if !in_string => depth -= 1,
            ',' if !in_string && depth == 0 => {
                pieces.push(&inside[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    pieces.push(&inside[start..]);
    for piece in pieces.into_iter().skip(1) {
        if let Some((name, _)) = piece.split_once('=') {
            names.insert(name.trim().to_owned());
        }
    }
    names
}

/// The names in `.with("name", ..)` calls that follow directly on a `t("key")`.
fn chained_arguments(mut rest: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    while let Some(after) = rest.trim_start().strip_prefix(".with(") {
        let inside = bracketed(after);
        names.extend(literal(inside).map(str::to_owned));
        rest = &after[(inside.len() + 1).min(after.len())..];
    }
    names
}

/// Every `(place, key, arguments)` that is named in production code and templates.
fn uses() -> Vec<(String, String, BTreeSet<String>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    files_below(&root.join("server"), ".rs", &mut files);
    files_below(&root.join("web-templates"), ".html", &mut files);
    let mut found = Vec::new();
    for file in files.iter().filter(|f| !f.ends_with("catalogue_test.rs")) {
        let place = file.strip_prefix(root).unwrap().display().to_string();
        let text = std::fs::read_to_string(file).unwrap();
        let code: String =
            text.lines().filter(|l| !l.trim_start().starts_with("//")).map(|l| format!("{l}\n")).collect();
        for after in code.split("msg!(").skip(1) {
            if let Some(key) = literal(after) {
                found.push((place.clone(), key.to_owned(), macro_arguments(bracketed(after))));
            }
        }
        for after in code.split(".t(").skip(1) {
            if let Some(key) = literal(after) {
                let rest = &after[(bracketed(after).len() + 1).min(after.len())..];
                found.push((place.clone(), key.to_owned(), chained_arguments(rest)));
            }
        }
    }
    found
}

#[test]
fn every_file_parses_and_is_on_the_list() {
    for (language, room, text) in FILES {
        if let Err((_, errors)) = FluentResource::try_new((*text).to_owned()) {
            panic!("{language}/{room}.ftl: {errors:?}");
        }
    }
    let mut files = Vec::new();
    files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("web-templates/messages"), ".ftl", &mut files);
    for file in files {
        let room = file.file_stem().unwrap().to_str().unwrap();
        assert!(FILES.iter().any(|(_, known, _)| *known == room), "{room}.ftl is not in messages::FILES");
    }
}

#[test]
fn every_language_has_the_same_keys_and_arguments() {
    let english = keys_in(Language::English);
    for language in Language::ALL {
        let keys = keys_in(language);
        let missing: Vec<_> = english.keys().filter(|k| !keys.contains_key(*k)).collect();
        let extra: Vec<_> = keys.keys().filter(|k| !english.contains_key(*k)).collect();
        assert!(missing.is_empty() && extra.is_empty(), "{language}: missing {missing:?}, extra {extra:?}");
        for (key, args) in &english {
            assert_eq!(args, &keys[key], "{language}: arguments of {key}");
        }
    }
}

#[test]
fn every_key_in_use_exists_with_its_arguments() {
    let english = keys_in(Language::English);
    let wrong: Vec<String> = uses()
        .into_iter()
        .filter_map(|(place, key, given)| match english.get(&key) {
            None => Some(format!("{place}: {key} is in no file")),
            Some(wanted) if *wanted != given => {
                Some(format!("{place}: {key} wants {wanted:?}, is given {given:?}"))
            }
            Some(_) => None,
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_sentence_is_left_over() {
    let used: BTreeSet<String> = uses().into_iter().map(|(_, key, _)| key).collect();
    let left: Vec<_> = keys_in(Language::English).into_keys().filter(|k| !used.contains(k)).collect();
    assert!(left.is_empty(), "used nowhere: {left:#?}");
}
