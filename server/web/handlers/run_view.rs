//! A run as its page shows it, made of its rows. The logs are put in afterwards, by `run_log` for a page
//! and by `run_live` while it runs; nothing here reads a file.

use jiff::Timestamp;

use super::pieces::{brief_of, seconds};
use super::run_log::begun;
use super::visit::Visit;
use crate::model::{Result, Run, RunImage, StageRecord, Status, StepRecord};
use crate::store::images;
use crate::store::repositories::Repository;
use crate::store::runs::{self, StageDuration};
use crate::web::auth;
use crate::web::pages::registry::ImageBrief;
use crate::web::pages::run::{Expected, RunView, StageView, StepView};

/// The rows of a run.
pub struct Rows {
    pub run: Run,
    pub stages: Vec<StageRecord>,
    pub images: Vec<RunImage>,
}

/// How long the logs of a run are, by stage. Asked before the rows are read, it is how much of each log the
/// rows can say which step wrote it.
pub type Lengths = Vec<(u32, u64)>;

impl Rows {
    /// `None` when the run is gone.
    pub fn read(visit: &Visit, run: i64) -> Result<Option<Rows>> {
        visit.door.store.read(|c| {
            let Some(run) = runs::by_id(c, run)? else { return Ok(None) };
            let (stages, images) = (runs::stages(c, run.id)?, images::of_run(c, run.id)?);
            Ok(Some(Rows { run, stages, images }))
        })
    }

    /// What changes whenever something of the run does, and at no other time.
    pub fn state(&self) -> String {
        let Run { status, started_at, cancel_by, .. } = &self.run;
        let stages: Vec<_> = self.stages.iter().map(|stage| (stage.status, stage.steps.len())).collect();
        let images: Vec<_> = self.images.iter().map(|image| &image.digest).collect();
        format!("{status} {started_at:?} {cancel_by:?} {stages:?} {images:?}")
    }
}

/// Everything but the logs.
pub async fn view(visit: &Visit, repository: &Repository, rows: &Rows) -> Result<RunView> {
    let Rows { run, stages, images } = rows;
    let now = visit.page.now;
    let (bases, medians, previous, next) = visit.door.store.read(|c| {
        let before = runs::of_pipeline(c, run.pipeline_id, Some(run.number), 1)?;
        let after = runs::by_number(c, run.pipeline_id, run.number + 1)?;
        let previous = before.first().map(|run| run.number);
        let medians = runs::durations(c, run.pipeline_id)?;
        Ok((images::bases(c, run.id)?, medians, previous, after.map(|run| run.number)))
    })?;
    let stage_views: Vec<_> = stages.iter().map(|stage| stage_view(stage, &medians, now)).collect();
    let is_final = run.status.is_final();
    Ok(RunView {
        brief: brief_of(visit, run).await?,
        started_at: run.started_at,
        finished_at: run.finished_at,
        message: run.message.clone(),
        findings: run.findings.clone(),
        expected: if run.status == Status::Running { expected(&stage_views) } else { None },
        stages: stage_views,
        commit_id: run.commit.to_string(),
        definition_path: run.definition_path.clone(),
        inputs: run.inputs.clone().into_iter().collect(),
        images: images.iter().map(|image| image_brief(image, stages)).collect(),
        base_images: bases,
        previous,
        next,
        may_write: auth::can_write(&visit.identity, repository),
        cancelling: run.cancel_by.is_some() && !is_final,
        live: !is_final,
        open: None,
    })
}

/// An image a run pushed, with the name of the stage that did.
pub fn image_brief(image: &RunImage, stages: &[StageRecord]) -> ImageBrief {
    let stage = stages.iter().find(|stage| stage.index == image.stage);
    ImageBrief {
        repository: image.repository.clone(),
        tag: image.tag.clone(),
        digest: image.digest.to_string(),
        size: image.size,
        stage: stage.map(|stage| stage.name.clone()).unwrap_or_default(),
    }
}

fn stage_view(stage: &StageRecord, medians: &[StageDuration], now: Timestamp) -> StageView {
    let median = medians.iter().find(|median| median.name == stage.name);
    StageView {
        index: stage.index,
        name: stage.name.clone(),
        status: stage.status,
        started_at: stage.started_at,
        seconds: seconds(stage.started_at, stage.finished_at, now),
        expected_seconds: median.and_then(|m| u64::try_from(m.median).ok()).map(|m| m.div_ceil(1000)),
        steps: begun(stage).map(|step| step_view(step, now)).collect(),
        earlier_href: None,
        later_href: None,
        place: "0.0.-.-.0".to_owned(),
    }
}

pub fn step_view(step: &StepRecord, now: Timestamp) -> StepView {
    StepView {
        index: step.index,
        title: step.title.clone(),
        status: step.status,
        exit_code: step.exit_code,
        started_at: step.started_at,
        seconds: seconds(step.started_at, step.finished_at, now),
        log: String::new(),
    }
}

/// What is left when every stage takes what it usually does; `None` when that is not known.
fn expected(stages: &[StageView]) -> Option<Expected> {
    let (mut taken, mut left) = (0, 0);
    for stage in stages {
        let so_far = stage.seconds.unwrap_or(0);
        taken += so_far;
        if !stage.status.is_final() {
            left += stage.expected_seconds?.saturating_sub(so_far);
        }
    }
    let percent = (taken * 100 / (taken + left).max(1)).min(99);
    Some(Expected { taken, left, percent: u8::try_from(percent).unwrap_or(99) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(status: Status, seconds: Option<u64>, expected_seconds: Option<u64>) -> StageView {
        StageView {
            index: 0,
            name: String::new(),
            status,
            started_at: None,
            seconds,
            expected_seconds,
            steps: Vec::new(),
            earlier_href: None,
            later_href: None,
            place: String::new(),
        }
    }

    #[test]
    fn what_is_left_is_the_sum_of_what_stages_usually_take() {
        let done = stage(Status::Passed, Some(10), Some(90));
        let now = stage(Status::Running, Some(20), Some(50));
        let later = stage(Status::Queued, None, Some(40));
        let found = expected(&[done, now, later]).unwrap();
        assert_eq!((found.left, found.percent), (70, 30));
        assert!(expected(&[stage(Status::Running, Some(1), None)]).is_none(), "unknown is not guessed");
        let late = expected(&[stage(Status::Running, Some(100), Some(50))]).unwrap();
        assert_eq!((late.left, late.percent), (0, 99));
    }
}
