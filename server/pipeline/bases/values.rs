//! What is known of a run's environment before the run is: the definition's own entries, its inputs and the little
//! that the server sets the same for every run. What only the run knows, or a step sets itself, is `Later`.

use std::collections::{BTreeMap, BTreeSet};

use super::super::variables::BUILTIN_NAMES;
use super::commands::Commands;
use super::expand::{Dialect, Known, expand};
use crate::model::{Action, Definition, Piece, Text, VariableUse};

/// The longest part of a definition's scripts that is searched for variables they set, in bytes.
const LONGEST: usize = 1024 * 1024;

/// The variables of a definition's steps.
#[derive(Clone, Debug, Default)]
pub struct Values {
    known: BTreeMap<String, Known>,
    /// Names that a step's script gives a value to (`NAME=`, `--build-arg NAME=`).
    assigned: BTreeSet<String>,
    /// Images that a step's script makes (`docker build --tag IMAGE`, `docker tag X IMAGE`, `docker push IMAGE`).
    made: BTreeSet<String>,
    /// What the steps' commands name.
    pub(super) commands: Commands,
}

impl Values {
    pub fn of(definition: &Definition, inputs: &BTreeMap<String, String>, registry_host: &str) -> Values {
        let mut values = Values::default();
        let builtin = BUILTIN_NAMES.iter().map(|name| ((*name).to_owned(), Known::Later));
        values.known.extend(builtin);
        values.known.insert("REGISTRY".into(), Known::Set(registry_host.to_owned()));
        values.known.insert("CI".into(), Known::Set("true".into()));
        // Their values are for the run alone.
        let later = |stored: &VariableUse| (stored.as_name.clone(), Known::Later);
        values.known.extend(definition.variables.iter().map(later));
        for (name, value) in inputs {
            values.known.insert(name.clone(), Known::Set(value.clone()));
        }
        values.add(&definition.environment, false);
        let mut left = LONGEST;
        for stage in &definition.stages {
            values.known.extend(stage.variables.iter().map(later));
            values.add(&stage.environment, true);
            for step in &stage.steps {
                values.add(&step.environment, true);
                let (Action::Sh(text) | Action::Bat(text) | Action::Echo(text)) = &step.action;
                let text = text.source();
                left = left.saturating_sub(text.len());
                if left > 0 {
                    values.assigned.extend(assigned(&text));
                    let made = made(&text).into_iter();
                    let look = |name: &str| values.look(name);
                    let known = made.filter_map(|word| expand(word, Dialect::Compose, &look).ok());
                    let known: Vec<String> = known.map(|expanded| expanded.text).collect();
                    values.made.extend(known);
                }
            }
        }
        values.commands = Commands::of(definition, &|name| values.look(name));
        values
    }

    /// Entries in their order. Of a `part` of the pipeline they only count where they agree with the rest.
    fn add(&mut self, entries: &[(String, Text)], part: bool) {
        for (name, text) in entries {
            let mut value = Known::Set(String::new());
            for piece in &text.0 {
                let more = match piece {
                    Piece::Literal(text) => Known::Set(text.clone()),
                    Piece::Variable(name) => self.look(name),
                };
                value = match (value, more) {
                    (Known::Set(before), Known::Set(more)) if before.len() + more.len() < 1024 => {
                        Known::Set(before + &more)
                    }
                    _ => Known::Later,
                };
            }
            if part && self.known.get(name) != Some(&value) {
                value = Known::Later;
            }
            self.known.insert(name.clone(), value);
        }
    }

    pub fn look(&self, name: &str) -> Known {
        self.known.get(name).cloned().unwrap_or(Known::Unset)
    }

    /// Whether a script makes this image.
    pub fn makes(&self, reference: &str) -> bool {
        self.made.contains(reference)
    }

    /// Whether a script gives one of these a value of its own.
    pub fn sets_one_of<'n>(&self, names: &'n [String]) -> Option<&'n String> {
        names.iter().find(|name| self.assigned.contains(*name))
    }
}

/// The words of a script that name an image it makes.
fn made(script: &str) -> Vec<&str> {
    let words: Vec<&str> =
        script.split_whitespace().map(|word| word.trim_matches(['"', '\'', ';'])).collect();
    let before = |at: usize, by: usize| at.checked_sub(by).and_then(|at| words.get(at)).copied();
    let named = words.iter().enumerate().filter_map(|(at, word)| match (before(at, 1), before(at, 2)) {
        (Some("-t" | "--tag" | "push"), _) | (_, Some("tag")) => Some(*word),
        _ => word.strip_prefix("--tag=").map(|word| word.trim_matches(['"', '\''])),
    });
    named.collect()
}

/// Names before a `=` in a script.
fn assigned(script: &str) -> BTreeSet<String> {
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let bytes = script.as_bytes();
    let mut found = BTreeSet::new();
    for (at, _) in script.match_indices('=') {
        let start = bytes[..at].iter().rposition(|b| !is_name(*b)).map_or(0, |before| before + 1);
        let option = start > 0 && matches!(bytes[start - 1], b'-' | b'$' | b'{');
        if start < at && !option && !bytes[start].is_ascii_digit() {
            found.extend(script.get(start..at).map(str::to_owned));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_searched_for_what_they_set() {
        let script =
            "export TAG=v5; docker build --build-arg V=12 --file=x . && test \"$A\" == \"${B=1}\"\n2=3";
        let found = assigned(script);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["TAG", "V"]);
        let script = "docker build -q -t a:1 . && docker build --tag=\"$R/b:2\" x\ndocker tag a:1 c:3; docker push c:3; docker pull d:4";
        assert_eq!(made(script), ["a:1", "$R/b:2", "c:3", "c:3"]);
    }
}
