//! Puts a step's environment together and its texts' variables in. Pure; bounded, since a chain of
//! `A=$B$B` doubles at every line and a definition is untrusted.

use std::collections::BTreeMap;

use super::finding::shown;
use super::variables::is_name;
use crate::model::{Error, Piece, Result, Text};
use crate::msg;

/// Longest value of one variable, in bytes: a Linux process takes no longer one.
const LONGEST_VALUE: usize = 128 * 1024 - 256;
/// Largest environment, in bytes of names and values.
const LARGEST: usize = 512 * 1024;
/// Longest script or line after its variables are in, in bytes.
const LONGEST_TEXT: usize = 2 * 1024 * 1024;

/// A step's environment: what the server sets, over it the run's inputs, over them the definition's
/// `layers` (pipeline, stage, step) in order. Within a layer an entry may use every name before it.
/// `Invalid` names the entry or the unknown variable.
pub fn environment(
    builtin: &BTreeMap<String, String>,
    inputs: &BTreeMap<String, String>,
    layers: &[&[(String, Text)]],
) -> Result<BTreeMap<String, String>> {
    let mut values = builtin.clone();
    values.extend(inputs.iter().map(|(name, value)| (name.clone(), value.clone())));
    if let Some(name) = values.keys().find(|name| !is_name(name)) {
        return Err(Error::Invalid(msg!("pipeline-variable-name", name = shown(name))));
    }
    let mut size: usize = values.iter().map(|(name, value)| name.len() + value.len()).sum();
    let too_large = || Error::Invalid(msg!("pipeline-environment-too-large", longest = LARGEST));
    if size > LARGEST {
        return Err(too_large());
    }
    for (name, text) in layers.iter().copied().flatten() {
        if !is_name(name) {
            return Err(Error::Invalid(msg!("pipeline-variable-name", name = shown(name))));
        }
        let value = fill(text, &values, LONGEST_VALUE)?;
        if value.contains('\0') {
            return Err(Error::Invalid(msg!("pipeline-variable-nul", name = shown(name))));
        }
        size += name.len() + value.len();
        if size > LARGEST {
            return Err(too_large());
        }
        values.insert(name.clone(), value);
    }
    Ok(values)
}

/// A step's script or message with its variables put in from the step's environment. `Invalid` names
/// the unknown variable, or says that the text becomes too long.
pub fn resolve(text: &Text, values: &BTreeMap<String, String>) -> Result<String> {
    fill(text, values, LONGEST_TEXT)
}

fn fill(text: &Text, values: &BTreeMap<String, String>, longest: usize) -> Result<String> {
    let mut out = String::new();
    for piece in &text.0 {
        let more = match piece {
            Piece::Literal(text) => text,
            Piece::Variable(name) => values
                .get(name)
                .ok_or_else(|| Error::Invalid(msg!("pipeline-unknown-variable", name = shown(name))))?,
        };
        if out.len() + more.len() > longest {
            return Err(Error::Invalid(msg!("pipeline-text-too-long", longest = longest)));
        }
        out.push_str(more);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn entry(name: &str, pieces: &[Piece]) -> (String, Text) {
        (name.to_owned(), Text(pieces.to_vec()))
    }

    fn variable(name: &str) -> Piece {
        Piece::Variable(name.to_owned())
    }

    #[test]
    fn later_layers_win_and_may_use_earlier_names() {
        let pipeline = [
            entry("REGISTRY", &[Piece::Literal("registry.local:5000".into())]),
            entry("IMAGE", &[variable("REGISTRY"), Piece::Literal("/api:".into()), variable("BUILD_NUMBER")]),
        ];
        let step = [entry("PATH", &[Piece::Literal("/opt:".into()), variable("COLOUR")])];
        let built = environment(
            &map(&[("BUILD_NUMBER", "7"), ("REGISTRY", "other")]),
            &map(&[("COLOUR", "blue")]),
            &[&pipeline, &[], &step],
        );
        let built = built.expect("composed");
        assert_eq!(built["IMAGE"], "registry.local:5000/api:7");
        assert_eq!(built["PATH"], "/opt:blue");
    }

    #[test]
    fn unknown_names_and_bad_names_are_named() {
        let error = environment(&map(&[]), &map(&[]), &[&[entry("A", &[variable("NOPE")])]]).unwrap_err();
        assert_eq!(error.message().map(|m| m.args["name"].as_str()), Some("NOPE"));
        assert!(environment(&map(&[]), &map(&[("A-B", "x")]), &[]).is_err());
        assert!(environment(&map(&[]), &map(&[]), &[&[entry("1A", &[])]]).is_err());
    }

    #[test]
    fn doubling_chains_stop_at_a_limit() {
        let mut chain = vec![entry("A0", &[Piece::Literal("x".repeat(1000))])];
        for index in 1..60 {
            let before = variable(&format!("A{}", index - 1));
            chain.push(entry(&format!("A{index}"), &[before.clone(), before]));
        }
        let error = environment(&map(&[]), &map(&[]), &[&chain]).unwrap_err();
        assert_eq!(error.message().map(|m| m.key.as_ref()), Some("pipeline-text-too-long"));
    }
}
