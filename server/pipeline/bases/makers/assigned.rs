//! The values that scripts give variables: `NAME=value`, loops, and how Makefiles, YAML and JSON write it.

use std::collections::BTreeMap;

use super::words::{Command, Word, is_name};

/// Every value that the texts give a variable, as words.
pub fn assignments(all: &[Command]) -> BTreeMap<String, Vec<Word>> {
    let mut found: BTreeMap<String, Vec<Word>> = BTreeMap::new();
    let mut add = |name: &str, word: Word| {
        let known = found.entry(name.to_owned()).or_default();
        if known.len() < 64 && !known.contains(&word) {
            known.push(word);
        }
    };
    for command in all {
        for (at, word) in command.iter().enumerate() {
            let lead = word.lead();
            let next = command.get(at + 1);
            if let Some((name, _)) = lead.split_once('=').filter(|(name, _)| is_name(name)) {
                match word.behind(name.len() + 1) {
                    // `NAME= value` of a Makefile.
                    empty if empty.0.is_empty() => next.cloned().into_iter().for_each(|word| add(name, word)),
                    value => add(name, value),
                }
            }
            let name = word.plain().unwrap_or_default();
            let operator = next.and_then(Word::plain).unwrap_or_default();
            if is_name(name) && matches!(operator, "=" | ":=" | "?=" | "+=" | "::=") {
                command.get(at + 2).cloned().into_iter().for_each(|word| add(name, word));
            }
            if is_name(name) && operator == "in" && at > 0 && command[at - 1].plain() == Some("for") {
                command.iter().skip(at + 2).for_each(|word| add(name, word.clone()));
            }
            // `NAME: value` of YAML and of JSON.
            if let Some(name) = name.strip_suffix(':').filter(|name| is_name(name)) {
                next.cloned().into_iter().for_each(|word| add(name, word));
            }
            if is_name(name) && operator == ":" {
                command.get(at + 2).cloned().into_iter().for_each(|word| add(name, word));
            }
        }
    }
    found
}
