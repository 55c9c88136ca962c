//! A run: its stages and how long they take, the log as it is written, where it came from and what it
//! made. The pieces that change while it runs are templates of their own, so that `live` can send them.

use askama::Template;
use jiff::Timestamp;

use super::registry::ImageBrief;
use super::repository::Head;
use super::{Page, RunBrief, links, pieces};
use crate::model::{BaseImage, Finding, Message, Status};

#[derive(Template)]
#[template(path = "run.html")]
pub struct RunPage {
    pub page: Page,
    pub head: Head,
    pub run: RunView,
}

/// Everything about one run. Filled anew for every event that changes it.
pub struct RunView {
    pub brief: RunBrief,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// Why it ended as it did.
    pub message: Option<Message>,
    pub findings: Vec<Finding>,
    pub stages: Vec<StageView>,
    /// While it runs, and when earlier runs tell how long.
    pub expected: Option<Expected>,
    /// Full commit id; there also when `brief.commit` is `None`.
    pub commit_id: String,
    pub definition_path: String,
    /// `(name, value)`; secrets are already masked.
    pub inputs: Vec<(String, String)>,
    pub images: Vec<ImageBrief>,
    /// `(reference, digest)` of the images it stood on.
    pub base_images: Vec<BaseImage>,
    /// Numbers of the neighbours, for `h` and `l`.
    pub previous: Option<u64>,
    pub next: Option<u64>,
    /// Whether the viewer may cancel and re-run.
    pub may_write: bool,
    /// A person asked to cancel it and it has not ended yet.
    pub cancelling: bool,
    /// Whether the page follows it: it has not ended, and the page shows the end of every log.
    pub live: bool,
    /// The stage a reader asked for.
    pub open: Option<u32>,
}

/// The median of the last durations against the time it has taken.
pub struct Expected {
    /// Seconds its stages have taken so far.
    pub taken: u64,
    /// Seconds left; 0 when it takes longer than usual.
    pub left: u64,
    /// 0-99.
    pub percent: u8,
}

pub struct StageView {
    /// From 0.
    pub index: u32,
    pub name: String,
    pub status: Status,
    pub started_at: Option<Timestamp>,
    pub seconds: Option<u64>,
    /// Median of the passed ones before.
    pub expected_seconds: Option<u64>,
    pub steps: Vec<StepView>,
    /// Address that shows the part of the log before the one on the page, if there is one.
    pub earlier_href: Option<String>,
    /// The same for the part after it.
    pub later_href: Option<String>,
    /// `ansi::Place` after the last line on the page: where `live` goes on.
    pub place: String,
}

pub struct StepView {
    pub index: u32,
    pub title: String,
    pub status: Status,
    pub exit_code: Option<i64>,
    pub started_at: Option<Timestamp>,
    pub seconds: Option<u64>,
    /// Rendered by `ansi::Terminal`; the one value of a run that is HTML.
    pub log: String,
}

impl RunView {
    pub(super) fn is_final(&self) -> bool {
        self.brief.status.is_final()
    }
    pub(super) fn sign(&self) -> &'static str {
        pieces::status_sign(self.brief.status)
    }
    pub(super) fn favicon(&self) -> &'static str {
        pieces::favicon(self.brief.status)
    }
    pub(super) fn live_href(&self) -> String {
        links::live(&self.brief.repository, &self.brief.pipeline, self.brief.number)
    }
    pub(super) fn cancel_href(&self) -> String {
        links::cancel(&self.brief.repository, &self.brief.pipeline, self.brief.number)
    }
    pub(super) fn rerun_href(&self) -> String {
        links::rerun(&self.brief.repository, &self.brief.pipeline, self.brief.number)
    }
    pub(super) fn causality_href(&self) -> String {
        links::run_causality(&self.brief.repository, &self.brief.pipeline, self.brief.number)
    }
    pub(super) fn neighbour_href(&self, number: &u64) -> String {
        links::run(&self.brief.repository, &self.brief.pipeline, *number)
    }
    pub(super) fn pipeline_href(&self) -> String {
        links::pipeline(&self.brief.repository, &self.brief.pipeline)
    }
    pub(super) fn log_href(&self, stage: &u32) -> String {
        links::stage_log(&self.brief.repository, &self.brief.pipeline, self.brief.number, *stage)
    }
    pub(super) fn commit_href(&self) -> String {
        links::commit(&self.brief.repository, &self.commit_id)
    }
    pub(super) fn definition_href(&self) -> String {
        links::file(&self.brief.repository, &self.commit_id, &self.definition_path)
    }
    /// The stage to open: what failed, else what runs, else the last that has something to read.
    pub fn open_stage(&self) -> u32 {
        let of = |wanted: fn(Status) -> bool| self.stages.iter().find(|s| wanted(s.status)).map(|s| s.index);
        self.open
            .or_else(|| of(|s| matches!(s, Status::Failed | Status::Lost | Status::Cancelled)))
            .or_else(|| of(|s| s == Status::Running))
            .or_else(|| self.stages.iter().rev().find(|s| !s.steps.is_empty()).map(|s| s.index))
            .unwrap_or(0)
    }
}

impl StageView {
    pub(super) fn is_open(&self, open: &u32) -> bool {
        self.index == *open
    }
    /// Whether it began at all, so that there can be a log.
    pub(super) fn has_log(&self) -> bool {
        !self.steps.is_empty()
    }
}

/// The part above the logs: status, times, buttons. `swap` id `run-head`.
#[derive(Template)]
#[template(path = "partials/run_head.html")]
pub struct RunHeadPiece<'a> {
    pub page: &'a Page,
    pub run: &'a RunView,
}

/// The strip of stages. `swap` id `run-stages`.
#[derive(Template)]
#[template(path = "partials/run_stages.html")]
pub struct RunStagesPiece<'a> {
    pub page: &'a Page,
    pub run: &'a RunView,
}

/// Cause, commit, inputs, images. `swap` id `run-facts`.
#[derive(Template)]
#[template(path = "partials/run_facts.html")]
pub struct RunFactsPiece<'a> {
    pub page: &'a Page,
    pub run: &'a RunView,
}

/// One stage's section with all of its steps; sent with `swap` id `stage-N` when a stage begins.
#[derive(Template)]
#[template(path = "partials/run_stage.html")]
pub struct RunStagePiece<'a> {
    pub page: &'a Page,
    pub run: &'a RunView,
    pub stage: &'a StageView,
    /// Index of the stage that is open.
    pub open: u32,
}

/// One step, without lines yet; sent with `step` when it begins, and its summary again when it ends.
#[derive(Template)]
#[template(path = "partials/run_step.html")]
pub struct RunStepPiece<'a> {
    pub page: &'a Page,
    pub stage_index: u32,
    pub step: &'a StepView,
}
