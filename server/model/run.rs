//! A run and what it is made of, as the store keeps it and the API shows it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{CommitId, Digest, Finding, ImageChange, Message, PipelineName, RefName, RepositoryPath, Status};

/// What started a run. Stored as JSON; the API shows it as `{"kind": ..., ...}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Cause {
    /// A push through our own door.
    Push { by: String },
    /// A change somebody made behind the server's back, or at a remote repository, found by comparison.
    Poll,
    /// A person in the dashboard or through the API.
    Person { by: String },
    /// Carried out again with the inputs and the commit of run `of`.
    Rerun { by: String, of: u64 },
    /// Images moved that the pipeline watches.
    ImageChange { changes: Vec<ImageChange> },
    /// A registry told the Docker trigger of this name of a push; `image` is `host/repository:tag`.
    Webhook { webhook: String, image: String, delivery_id: i64 },
}

impl Cause {
    pub const fn kind(&self) -> &'static str {
        match self {
            Cause::Push { .. } => "push",
            Cause::Poll => "poll",
            Cause::Person { .. } => "person",
            Cause::Rerun { .. } => "rerun",
            Cause::ImageChange { .. } => "image-change",
            Cause::Webhook { .. } => "webhook",
        }
    }
    pub fn by(&self) -> Option<&str> {
        match self {
            Cause::Push { by } | Cause::Person { by } | Cause::Rerun { by, .. } => Some(by),
            Cause::Poll | Cause::ImageChange { .. } | Cause::Webhook { .. } => None,
        }
    }
}

/// One execution of a pipeline.
#[derive(Clone, Debug)]
pub struct Run {
    pub id: i64,
    pub repository_id: i64,
    pub pipeline_id: i64,
    pub repository: RepositoryPath,
    pub pipeline: PipelineName,
    /// Per pipeline, from 1, never used twice.
    pub number: u64,
    pub status: Status,
    pub cause: Cause,
    pub reference: RefName,
    pub commit: CommitId,
    /// Path of the definition in the repository, and the id of its blob (empty for numbered scripts).
    pub definition_path: String,
    pub definition_blob: String,
    pub inputs: BTreeMap<String, String>,
    pub queued_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// Why it ended as it did, when there is something to say.
    pub message: Option<Message>,
    /// Why it could not start, when its definition could not be read.
    pub findings: Vec<Finding>,
    /// Set when a person asked to cancel it; the run loop carries it out.
    pub cancel_by: Option<String>,
}

#[derive(Clone, Debug)]
pub struct StageRecord {
    /// From 0, in order.
    pub index: u32,
    pub name: String,
    pub status: Status,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub steps: Vec<StepRecord>,
}

#[derive(Clone, Debug)]
pub struct StepRecord {
    pub index: u32,
    /// First line of the script, or of the text that is echoed.
    pub title: String,
    pub status: Status,
    /// `None` until it ended by itself; `passed` needs a recorded 0.
    pub exit_code: Option<i64>,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// Where its output starts in the stage's log, in bytes.
    pub log_from: Option<u64>,
}

/// An image a stage pushed, as the registry confirmed it afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunImage {
    pub run_id: i64,
    pub stage: u32,
    pub repository: String,
    pub tag: String,
    pub digest: Digest,
    /// Sum of config and layers in bytes, compressed, as the manifest states them.
    pub size: u64,
    pub labels: BTreeMap<String, String>,
    pub pushed_at: Timestamp,
}
