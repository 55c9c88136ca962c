//! A run's inputs: given values checked against what the definition declares, defaults filled in.

use std::collections::BTreeMap;

use super::finding::{nearest, shown};
use crate::model::{Error, Input, InputKind, Message, Result};
use crate::msg;

/// Longest value of one input in bytes.
const LONGEST: usize = 64 * 1024;

/// Every declared input with its value. `Invalid` names the first input that is unknown, missing or
/// not of its kind.
pub fn fill_inputs(declared: &[Input], given: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
    for name in given.keys() {
        if !declared.iter().any(|input| input.name == *name) {
            let known = nearest(name, declared.iter().map(|input| input.name.as_str()));
            return Err(Error::Invalid(match known {
                Some(known) => msg!("pipeline-input-unknown-similar", name = shown(name), known = known),
                None => msg!("pipeline-input-unknown", name = shown(name)),
            }));
        }
    }
    let mut filled = BTreeMap::new();
    for input in declared {
        let value = given.get(&input.name).or(input.default.as_ref());
        let value = value.ok_or_else(|| Error::Invalid(msg!("pipeline-input-missing", name = input.name)))?;
        if let Some(message) = objection(input, value) {
            return Err(Error::Invalid(message));
        }
        filled.insert(input.name.clone(), value.clone());
    }
    Ok(filled)
}

/// What is wrong with `value` for `input`, if anything.
pub(super) fn objection(input: &Input, value: &str) -> Option<Message> {
    let name = &input.name;
    if value.len() > LONGEST {
        return Some(msg!("pipeline-input-too-long", name = name, longest = LONGEST));
    }
    if value.contains('\0') {
        return Some(msg!("pipeline-variable-nul", name = name));
    }
    match &input.kind {
        InputKind::Text => None,
        InputKind::String if value.contains(['\n', '\r']) => {
            Some(msg!("pipeline-input-one-line", name = name))
        }
        InputKind::String => None,
        InputKind::Boolean if matches!(value, "true" | "false") => None,
        InputKind::Boolean => Some(msg!("pipeline-input-boolean", name = name, value = shown(value))),
        InputKind::Number if is_number(value) => None,
        InputKind::Number => Some(msg!("pipeline-input-number", name = name, value = shown(value))),
        InputKind::Choice(choices) if choices.iter().any(|choice| choice == value) => None,
        InputKind::Choice(choices) => {
            let choices = shown(&choices.join(", "));
            Some(msg!("pipeline-input-choice", name = name, value = shown(value), choices = choices))
        }
    }
}

/// An optional sign, digits, and optionally a point with more digits.
pub(super) fn is_number(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    match unsigned.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(unsigned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared() -> Vec<Input> {
        let input = |name: &str, kind, default: Option<&str>| Input {
            name: name.to_owned(),
            kind,
            description: String::new(),
            default: default.map(str::to_owned),
        };
        vec![
            input("VERSION", InputKind::String, None),
            input("PUSH", InputKind::Boolean, Some("true")),
            input("COUNT", InputKind::Number, Some("3")),
            input("COLOUR", InputKind::Choice(vec!["red".into(), "blue".into()]), Some("red")),
            input("NOTES", InputKind::Text, Some("")),
        ]
    }

    fn fill(given: &[(&str, &str)]) -> Result<BTreeMap<String, String>, String> {
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        fill_inputs(&declared(), &given).map_err(|error| error.message().expect("a sentence").key.to_string())
    }

    #[test]
    fn defaults_fill_what_is_not_given() {
        let filled = fill(&[("VERSION", "1.0"), ("NOTES", "two\nlines")]).expect("filled");
        assert_eq!((filled["PUSH"].as_str(), filled["COLOUR"].as_str()), ("true", "red"));
        assert_eq!(filled.len(), 5);
    }

    #[test]
    fn wrong_values_are_refused_by_name() {
        for (name, value, key) in [
            ("VERSIO", "1", "pipeline-input-unknown-similar"),
            ("ZZZZZZ", "1", "pipeline-input-unknown"),
            ("VERSION", "a\nb", "pipeline-input-one-line"),
            ("VERSION", "a\0b", "pipeline-variable-nul"),
            ("PUSH", "yes", "pipeline-input-boolean"),
            ("COUNT", "3x", "pipeline-input-number"),
            ("COUNT", "-", "pipeline-input-number"),
            ("COLOUR", "green", "pipeline-input-choice"),
        ] {
            let given =
                if name == "VERSION" { vec![(name, value)] } else { vec![("VERSION", "1"), (name, value)] };
            assert_eq!(fill(&given), Err(key.to_owned()), "{name}={value:?}");
        }
        assert_eq!(fill(&[]), Err("pipeline-input-missing".to_owned()));
    }
}
