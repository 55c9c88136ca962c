//! What the server says about itself and its surroundings: each part with its state, and how to mend it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Message;

/// Worst last, so that the state of the whole is the maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Condition {
    Ok,
    Degraded,
    Failing,
}

/// One part: `database`, `disk`, `docker`, `registry`, `git`, `poll`, `queue`, `repositories`, `loops` (several when loops
/// fail); and when there is something to say of it `lease` (whose data this is) and `sealed` (values whose key is lost).
#[derive(Clone, Debug)]
pub struct Check {
    pub part: &'static str,
    pub condition: Condition,
    /// What is so, and for anything but `Ok` also how to mend it.
    pub message: Message,
    pub at: Timestamp,
}

/// A container that runs on the engine, ours or anybody's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningContainer {
    pub id: String,
    pub name: String,
    /// As it was named when the container was made (`registry.local:5000/numbers/api:v3-build-1`); may point elsewhere by now.
    pub image: String,
    /// `sha256:...` of the image's configuration.
    pub image_id: String,
    /// `repository@sha256:...`
    pub digests: Vec<String>,
    pub labels: BTreeMap<String, String>,
    /// `running`, `paused`, `restarting`.
    pub state: String,
}

/// What the house saw of its surroundings when it last looked; `app` keeps it fresh.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    pub checks: Vec<Check>,
    pub containers: Vec<RunningContainer>,
}

impl Surroundings {
    pub fn condition(&self) -> Condition {
        self.checks.iter().map(|check| check.condition).max().unwrap_or(Condition::Degraded)
    }
}
