//! The inputs of a run that an announced image starts: what the webhook says, with the image's names put in, checked
//! against what the definition declares; and the image's own values, declared or not.

use std::collections::BTreeMap;

use super::inputs::fill_inputs;
use crate::model::{Announced, DockerWebhook, Input, Result, announced_values, put_in};

/// Every input of the run. `Invalid` names the first that is missing, unknown or not of its kind.
pub fn announced_inputs(
    declared: &[Input],
    webhook: &DockerWebhook,
    image: &Announced,
) -> Result<BTreeMap<String, String>> {
    let values = announced_values(image);
    let mut given: BTreeMap<String, String> =
        webhook.inputs.iter().map(|(name, text)| (name.clone(), put_in(text, &values))).collect();
    for input in declared {
        if let Some(value) = values.get(&input.name) {
            given.entry(input.name.clone()).or_insert_with(|| value.clone());
        }
    }
    let mut filled = fill_inputs(declared, &given)?;
    for (name, value) in values {
        filled.entry(name).or_insert(value);
    }
    Ok(filled)
}
