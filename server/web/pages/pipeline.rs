//! Pipelines of a repository: the list, one with its stages and runs as a matrix, a new one, and the
//! form that starts a run.

use askama::Template;

use super::repository::{Head, PipelineRow};
use super::streams::TriggerRow;
use super::{Page, RunBrief, links};
use crate::model::{Dialect, Finding, InputKind, Message, Status};

#[derive(Template)]
#[template(path = "pipelines.html")]
pub struct Pipelines {
    pub page: Page,
    pub head: Head,
    pub pipelines: Vec<PipelineRow>,
    pub runs: Vec<RunBrief>,
    pub next: Option<String>,
}

#[derive(Template)]
#[template(path = "pipeline.html")]
pub struct Pipeline {
    pub page: Page,
    pub head: Head,
    pub name: String,
    /// Of its definition; and where that is shown.
    pub path: String,
    pub path_href: String,
    pub dialect: Option<Dialect>,
    /// Found at the root without being asked.
    pub discovered: bool,
    pub branches: Vec<String>,
    /// The columns, in order of the newest run; with the median of the durations of its passed runs.
    pub stages: Vec<(String, Option<u64>)>,
    /// The newest first.
    pub rows: Vec<MatrixRow>,
    /// What is wrong with the definition on the default branch.
    pub findings: Vec<Finding>,
    /// Which moves of images start it.
    pub triggers: Vec<TriggerRow>,
    /// The form for one more.
    pub typed: TriggerFields,
    pub next: Option<String>,
}

/// As it was typed, and what is wrong with it.
#[derive(Default)]
pub struct TriggerFields {
    pub from: String,
    pub paused: bool,
    pub error: Option<Message>,
}

impl Pipeline {
    pub(super) fn triggers_href(&self) -> String {
        links::triggers(&self.head.repository, &self.name)
    }
    pub(super) fn trigger_href(&self, id: &i64, act: &str) -> String {
        format!("{}/{id}/{act}", self.triggers_href())
    }
    pub(super) fn brief(&self, reference: &str) -> String {
        super::streams::brief(reference)
    }
    pub(super) fn watches_bases(&self) -> bool {
        self.triggers.iter().any(|trigger| trigger.from.is_empty())
    }
    pub(super) fn start_href(&self) -> String {
        links::start(&self.head.repository, &self.name, "")
    }
    pub(super) fn delete_href(&self) -> String {
        links::delete_pipeline(&self.head.repository, &self.name)
    }
    pub(super) fn dialect_name(&self) -> &'static str {
        match self.dialect {
            Some(Dialect::Jenkinsfile) => "Jenkinsfile",
            Some(Dialect::Ropewalk) => "ropewalk.yml",
            Some(Dialect::Scripts) => "ci/NN-*",
            None => "",
        }
    }
}

pub struct MatrixRow {
    pub run: RunBrief,
    /// One for each of `Pipeline::stages`; `None` when that run had no such stage.
    pub cells: Vec<Option<MatrixCell>>,
}

pub struct MatrixCell {
    pub status: Status,
    pub seconds: Option<u64>,
    /// The stage on the run's page.
    pub href: String,
}

/// Posted to the same address: fields `name`, `path`, `branches` (globs, separated by spaces).
#[derive(Template)]
#[template(path = "pipeline_new.html")]
pub struct NewPipeline {
    pub page: Page,
    pub head: Head,
    pub name: String,
    pub path: String,
    pub branches: String,
    /// Definitions found on the default branch.
    pub candidates: Vec<String>,
    pub error: Option<Message>,
}

/// Posted to the same address: `ref`, and each input as `input.NAME`.
#[derive(Template)]
#[template(path = "start.html")]
pub struct Start {
    pub page: Page,
    pub head: Head,
    pub name: String,
    pub reference: String,
    pub refs: Vec<String>,
    pub inputs: Vec<InputField>,
    pub error: Option<Message>,
    /// Why it cannot start from this revision.
    pub findings: Vec<Finding>,
}

pub struct InputField {
    pub name: String,
    pub kind: InputKind,
    pub description: String,
    /// Typed before, else the default.
    pub value: String,
    pub required: bool,
    pub error: Option<Message>,
}

impl InputField {
    pub(super) fn is_true(&self) -> bool {
        self.value == "true"
    }
}
