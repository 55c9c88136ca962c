//! The JSON Schema of `ropewalk.yml`, for editors. The types here only describe; the reading is done by
//! hand in the files beside this one, and a test holds both to the same keys.

#![allow(dead_code)] // Never filled: the schema is made of their shape and their words.

use std::collections::BTreeMap;

use schemars::{JsonSchema, schema_for};

/// A pipeline: stages to carry out, one after another.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "ropewalk.yml")]
struct File {
    /// Image for steps that name none; without it, the server's step image.
    image: Option<String>,
    /// Environment variables of every step. `${NAME}` stands for an earlier one, an input, or one the server sets.
    env: Option<BTreeMap<Name, Scalar>>,
    /// Names of variables that are stored in the server, for every step; `env` and inputs of the same name win.
    #[schemars(length(max = 200))]
    variables: Option<Vec<Name>>,
    /// Values a run is given; steps see them as environment variables.
    inputs: Option<BTreeMap<Name, Input>>,
    /// Globs on branch names: `*` within one part of a name, `**` across parts. Without it, every branch.
    #[schemars(length(min = 1, max = 50))]
    branches: Option<Vec<String>>,
    /// Which changes start runs by themselves.
    triggers: Option<Triggers>,
    /// Limit for the whole run.
    timeout: Option<Duration>,
    /// Whether Compose projects that the run starts stay after its end; false without being written.
    keep: Option<bool>,
    #[schemars(length(min = 1, max = 100))]
    stages: Vec<Stage>,
}

/// A letter or `_`, then letters, digits and `_`.
#[derive(JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
struct Name(#[schemars(regex(pattern = r"^[A-Za-z_][A-Za-z0-9_]*$"))] String);

/// A time as `90s`, `30m`, `1h30m` or `2d`; at most seven days.
#[derive(JsonSchema)]
struct Duration(#[schemars(regex(pattern = r"^(?=.)(\d+d)?(\d+h)?(\d+m)?(\d+s)?$"))] String);

/// Taken as it is written.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Scalar {
    String(String),
    Number(f64),
    Boolean(bool),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Triggers {
    /// A push to a branch; true without being written.
    push: Option<bool>,
    /// A push of a tag; false without being written.
    tag: Option<bool>,
}

/// The default alone, or the long form.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Input {
    Short(Scalar),
    Long(LongInput),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct LongInput {
    #[schemars(rename = "type")]
    kind: Option<InputType>,
    /// Without it the input is mandatory.
    default: Option<Scalar>,
    description: Option<String>,
    /// The values to choose from.
    #[schemars(length(min = 1, max = 200))]
    choices: Option<Vec<Scalar>>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum InputType {
    String,
    Text,
    Boolean,
    Number,
    Choice,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Stage {
    /// Unique within the pipeline.
    #[schemars(length(min = 1, max = 100))]
    name: String,
    /// Image for the stage's steps.
    image: Option<String>,
    /// Environment variables of the stage's steps.
    env: Option<BTreeMap<Name, Scalar>>,
    /// Limit for the stage.
    timeout: Option<Duration>,
    /// Folder of the stage's steps, below the repository's root.
    dir: Option<String>,
    #[schemars(length(min = 1))]
    steps: Vec<Step>,
}

/// A script for the shell, or a step with settings.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Step {
    Script(String),
    Long(LongStep),
}

/// Exactly one of `run` and `echo`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct LongStep {
    /// A script for the shell, left to the shell as it is written.
    run: Option<String>,
    /// A line for the log; `${NAME}` stands for a variable.
    echo: Option<String>,
    image: Option<String>,
    env: Option<BTreeMap<Name, Scalar>>,
    timeout: Option<Duration>,
    /// In place of the stage's folder.
    dir: Option<String>,
}

/// The schema, as `docs/reference/ropewalk.schema.json` holds it.
pub fn schema() -> serde_json::Value {
    let mut schema = schema_for!(File).to_value();
    without_null(&mut schema);
    schema
}

/// A key that may be left out is not one that may be `null`; the derived schema says it may be both.
fn without_null(schema: &mut serde_json::Value) {
    use serde_json::Value;
    match schema {
        Value::Array(list) => list.iter_mut().for_each(without_null),
        Value::Object(object) => {
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_mut_slice() {
                    let only = only.take();
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
                choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
            }
            object.values_mut().for_each(without_null);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::{KEYS, TRIGGERS, input, stage};
    use super::*;

    fn keys(schema: &serde_json::Value, pointer: &str) -> Vec<String> {
        let object = schema.pointer(pointer).and_then(|found| found.as_object());
        let mut keys: Vec<String> = object.unwrap_or_else(|| panic!("{pointer}")).keys().cloned().collect();
        keys.sort();
        keys
    }

    fn sorted(known: &[&str]) -> Vec<String> {
        let mut known: Vec<String> = known.iter().map(|key| (*key).to_owned()).collect();
        known.sort();
        known
    }

    #[test]
    fn schema_and_reader_know_the_same_keys() {
        let schema = schema();
        assert_eq!(keys(&schema, "/properties"), sorted(KEYS));
        assert_eq!(keys(&schema, "/$defs/Triggers/properties"), sorted(TRIGGERS));
        assert_eq!(keys(&schema, "/$defs/LongInput/properties"), sorted(input::KEYS));
        assert_eq!(keys(&schema, "/$defs/Stage/properties"), sorted(stage::STAGE_KEYS));
        assert_eq!(keys(&schema, "/$defs/LongStep/properties"), sorted(stage::STEP_KEYS));
        let types = schema.pointer("/$defs/InputType/enum").and_then(|types| types.as_array());
        let types: Vec<&str> = types.expect("types").iter().filter_map(|value| value.as_str()).collect();
        assert_eq!(types, input::TYPES);
    }

    /// Run with `ROPEWALK_WRITE_SCHEMA=1` to write the committed copy anew.
    #[test]
    fn the_committed_copy_is_this_schema() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference/ropewalk.schema.json");
        if std::env::var_os("ROPEWALK_WRITE_SCHEMA").is_some() {
            let text = serde_json::to_string_pretty(&schema()).expect("JSON");
            std::fs::write(path, text + "\n").expect("written");
        }
        let committed: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(path).expect("a committed copy")).expect("JSON");
        assert!(committed == schema(), "{path} is not what schema() makes");
    }
}
