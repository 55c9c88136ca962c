//! An image's configuration: labels, command, history. Read leniently, because every builder writes it a
//! little differently; only the parts people ask for. Pure; knows no connection.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::manifest::{Layer, or_default};
use crate::model::Message;
use crate::msg;

/// A build step, with or without a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    pub created: Option<Timestamp>,
    pub created_by: String,
    pub comment: String,
    /// True for steps that only changed the configuration.
    pub empty_layer: bool,
}

/// The parts of an image's configuration that people ask for.
#[derive(Clone, Debug, Default)]
pub(super) struct Config {
    pub created: Option<Timestamp>,
    pub architecture: String,
    pub os: String,
    pub labels: BTreeMap<String, String>,
    pub env: Vec<String>,
    pub entrypoint: Vec<String>,
    pub command: Vec<String>,
    pub working_dir: String,
    pub user: String,
    pub history: Vec<History>,
}

impl Config {
    pub fn parse(body: &[u8]) -> Result<Config, Message> {
        let raw: RawConfig = serde_json::from_slice(body)
            .map_err(|cause| msg!("registry-config-unreadable", cause = cause))?;
        let history = raw.history.into_iter().map(|step| History {
            created: time(&step.created),
            created_by: step.created_by,
            comment: step.comment,
            empty_layer: step.empty_layer,
        });
        Ok(Config {
            created: time(&raw.created),
            architecture: raw.architecture,
            os: raw.os,
            history: history.collect(),
            labels: raw.config.labels,
            env: raw.config.env,
            entrypoint: raw.config.entrypoint,
            command: raw.config.command,
            working_dir: raw.config.working_dir,
            user: raw.config.user,
        })
    }

    /// Gives each layer the step that made it, if the history has as many steps with layers as there are.
    pub fn explain(&self, layers: &mut [Layer]) {
        let made = || self.history.iter().filter(|step| !step.empty_layer);
        if made().count() == layers.len() {
            for (layer, step) in layers.iter_mut().zip(made()) {
                layer.created_by.clone_from(&step.created_by);
            }
        }
    }
}

#[derive(Deserialize)]
struct RawConfig {
    #[serde(default, deserialize_with = "or_default")]
    created: String,
    #[serde(default, deserialize_with = "or_default")]
    architecture: String,
    #[serde(default, deserialize_with = "or_default")]
    os: String,
    #[serde(default, deserialize_with = "or_default")]
    config: RawSettings,
    #[serde(default, deserialize_with = "or_default")]
    history: Vec<RawHistory>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct RawSettings {
    #[serde(deserialize_with = "or_default")]
    labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_default")]
    env: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    entrypoint: Vec<String>,
    #[serde(rename = "Cmd", deserialize_with = "or_default")]
    command: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    working_dir: String,
    #[serde(deserialize_with = "or_default")]
    user: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawHistory {
    #[serde(deserialize_with = "or_default")]
    created: String,
    #[serde(deserialize_with = "or_default")]
    created_by: String,
    #[serde(deserialize_with = "or_default")]
    comment: String,
    #[serde(deserialize_with = "or_default")]
    empty_layer: bool,
}

/// Go's zero time means that nobody said when.
fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok().filter(|time: &Timestamp| *time >= Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nulls_and_zero_times_are_empty() {
        let config = Config::parse(
            br#"{"created":"0001-01-01T00:00:00Z","config":{"Labels":null,"Env":null,"Cmd":["sh"],"User":null},"history":null}"#,
        )
        .unwrap();
        assert!(config.created.is_none() && config.labels.is_empty() && config.history.is_empty());
        assert_eq!(config.command, ["sh"]);
        assert!(Config::parse(b"{\"config\":null}").unwrap().env.is_empty());
    }

    proptest! {
        #[test]
        fn reading_never_panics(body in "\\{\"(config|history|created)\":[\\PC]{0,40}\\}|\\PC{0,60}") {
            let _ = Config::parse(body.as_bytes());
        }
    }
}
