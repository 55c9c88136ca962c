//! What many pages show of the store: runs in one line, bars, and the head of a repository's pages.

use jiff::Timestamp;

use super::visit::Visit;
use crate::model::{Result, Run};
use crate::msg;
use crate::store::pipelines::{self, Pipeline};
use crate::store::repositories::Repository;
use crate::store::runs;
use crate::web::auth;
use crate::web::errors::Failure;
use crate::web::pages::repository::{Head, PipelineRow, Tab};
use crate::web::pages::{Bars, CommitBrief, Page, RunBrief, links};

/// Runs in one line each.
pub async fn briefs(visit: &Visit, found: Vec<Run>) -> Result<Vec<RunBrief>> {
    let lines = visit.shared.commits.of(&visit.door.git, &found).await?;
    let both = found.iter().zip(lines);
    Ok(both.map(|(run, line)| brief(run, line, visit.page.now)).collect())
}

/// One run in one line.
pub async fn brief_of(visit: &Visit, run: &Run) -> Result<RunBrief> {
    let mut lines = visit.shared.commits.of(&visit.door.git, std::slice::from_ref(run)).await?;
    Ok(brief(run, lines.pop().flatten(), visit.page.now))
}

fn brief(run: &Run, commit: Option<CommitBrief>, now: Timestamp) -> RunBrief {
    let repository = run.repository.to_string();
    RunBrief {
        href: links::run(&repository, run.pipeline.as_str(), run.number),
        pipeline: run.pipeline.to_string(),
        number: run.number,
        status: run.status,
        cause: run.cause.clone(),
        reference: run.reference.short().to_owned(),
        commit,
        queued_at: run.queued_at,
        seconds: seconds(run.started_at, run.finished_at, now),
        repository,
    }
}

/// How long something took, or has taken until `now`; `None` when it has not begun.
pub fn seconds(started: Option<Timestamp>, finished: Option<Timestamp>, now: Timestamp) -> Option<u64> {
    let milliseconds = finished.unwrap_or(now).as_millisecond() - started?.as_millisecond();
    Some(u64::try_from(milliseconds.max(0)).unwrap_or(0).div_ceil(1000))
}

/// The address of what must be signed in for, found by its parts.
pub fn readable(visit: &Visit, path: &(String, String)) -> Result<Repository, Failure> {
    auth::readable(&visit.door, &visit.identity, &auth::path_of(&path.0, &path.1)?)
}

pub fn writable(visit: &Visit, path: &(String, String)) -> Result<Repository, Failure> {
    auth::writable(&visit.door, &visit.identity, &auth::path_of(&path.0, &path.1)?)
}

/// What stands at the top of every page of a repository.
pub fn head(visit: &Visit, repository: &Repository, tab: Tab) -> Head {
    let remote = repository.remote.as_ref();
    let settings = &visit.door.settings;
    let address = settings.address_at(&visit.host);
    Head {
        repository: repository.path.to_string(),
        description: repository.description.clone(),
        mirror_of: remote.map(|remote| remote.url.clone()),
        poll_error: remote.and_then(|remote| remote.error.clone()),
        polled_at: remote.and_then(|remote| remote.polled_at),
        private: repository.private,
        clone_url: format!("{}/{}.git", address.unwrap_or(&settings.url), repository.path),
        clone_note: address
            .is_none()
            .then(|| msg!("web-clone-elsewhere", host = visit.host, url = settings.url)),
        default_branch: repository.default_branch.clone().unwrap_or_default(),
        tab,
        may_write: auth::can_write(&visit.identity, repository),
    }
}

/// The pipelines of a repository, each with its last runs.
pub fn pipeline_rows(visit: &Visit, repository: &Repository) -> Result<Vec<PipelineRow>> {
    visit.door.store.read(|c| {
        let row = |pipeline: Pipeline| {
            let runs = runs::of_pipeline(c, pipeline.id, None, Bars::PLACES as u32)?;
            Ok(PipelineRow {
                repository: repository.path.to_string(),
                name: pipeline.name.to_string(),
                path: pipeline.path,
                branches: pipeline.branches,
                last: runs.first().map(|run| run.status),
                bars: bars(&visit.page, &runs),
            })
        };
        pipelines::of_repository(c, repository.id)?.into_iter().map(row).collect()
    })
}

/// Bars of runs that come newest first.
fn bars(page: &Page, newest_first: &[Run]) -> Bars {
    let bar = |run: &Run| (run.status, seconds(run.started_at, run.finished_at, page.now));
    Bars::new(page, &newest_first.iter().rev().map(bar).collect::<Vec<_>>())
}

/// Items that were asked for with one more than wanted: cuts the last off and says whether it was there.
pub fn cut<T>(items: &mut Vec<T>, wanted: usize) -> bool {
    let more = items.len() > wanted;
    items.truncate(wanted);
    more
}
