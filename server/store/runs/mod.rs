//! Runs with their stages and steps. Reading is here; `queue` makes them, `progress` moves them forward.

mod history;
mod progress;
mod queue;

pub use history::{Past, StageDuration, durations, of_repositories};
pub use progress::{
    StepChange, cancel, cancel_requests, claim, claimable, finish, mark_lost, set_stage, set_step, skip_rest,
    unfinished,
};
pub use queue::{NewRun, queue};

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::repositories::Viewer;
use super::rows::{json, json_opt, text, time, time_opt};
use crate::model::{CommitId, Definition, RepositoryPath, Result, Run, StageRecord, Status, StepRecord};

const COLUMNS: &str =
    "n.id, n.repository_id, n.pipeline_id, r.owner, r.name, p.name, n.number, n.status, n.cause,
    n.reference, n.commit_id, n.definition_path, n.definition_blob, n.inputs, n.queued_at, n.started_at,
    n.finished_at, n.message, n.findings, n.cancel_by";
/// `CROSS JOIN`: always from the run to what it belongs to, whatever the planner thinks of the tables' sizes.
const TABLES: &str = "runs n CROSS JOIN repositories r ON r.id = n.repository_id
    CROSS JOIN pipelines p ON p.id = n.pipeline_id";
/// As `TABLES`, for the few that have not ended: by their index, whatever the planner thinks.
const UNFINISHED: &str = "runs n INDEXED BY runs_unfinished JOIN repositories r ON r.id = n.repository_id
    JOIN pipelines p ON p.id = n.pipeline_id";

fn run(row: &Row<'_>) -> rusqlite::Result<Run> {
    Ok(Run {
        id: row.get(0)?,
        repository_id: row.get(1)?,
        pipeline_id: row.get(2)?,
        repository: RepositoryPath { owner: text(row, 3)?, name: text(row, 4)? },
        pipeline: text(row, 5)?,
        number: row.get(6)?,
        status: text(row, 7)?,
        cause: json(row, 8)?,
        reference: text(row, 9)?,
        commit: text(row, 10)?,
        definition_path: row.get(11)?,
        definition_blob: row.get(12)?,
        inputs: json(row, 13)?,
        queued_at: time(row, 14)?,
        started_at: time_opt(row, 15)?,
        finished_at: time_opt(row, 16)?,
        message: json_opt(row, 17)?,
        findings: json(row, 18)?,
        cancel_by: row.get(19)?,
    })
}

pub fn by_id(c: &Connection, id: i64) -> Result<Option<Run>> {
    let mut statement = c.prepare_cached(&format!("SELECT {COLUMNS} FROM {TABLES} WHERE n.id = ?1"))?;
    Ok(statement.query_row([id], run).optional()?)
}

pub fn by_number(c: &Connection, pipeline_id: i64, number: u64) -> Result<Option<Run>> {
    let mut statement = c.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM {TABLES} WHERE n.pipeline_id = ?1 AND n.number = ?2"
    ))?;
    Ok(statement.query_row(params![pipeline_id, number], run).optional()?)
}

/// The runs one event started, oldest first.
pub fn of_event(c: &Connection, event_id: i64) -> Result<Vec<Run>> {
    let mut statement =
        c.prepare_cached(&format!("SELECT {COLUMNS} FROM {TABLES} WHERE n.event_id = ?1 ORDER BY n.id"))?;
    Ok(statement.query_map([event_id], run)?.collect::<rusqlite::Result<_>>()?)
}

/// The runs of one commit, newest first.
pub fn of_commit(c: &Connection, repository_id: i64, commit: &CommitId, limit: u32) -> Result<Vec<Run>> {
    let mut statement = c.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM {TABLES} WHERE n.repository_id = ?1 AND n.commit_id = ?2 ORDER BY n.id DESC LIMIT ?3"
    ))?;
    Ok(statement
        .query_map(params![repository_id, commit.as_str(), limit], run)?
        .collect::<rusqlite::Result<_>>()?)
}

/// Runs of a pipeline below number `before` (all for `None`), newest first.
pub fn of_pipeline(c: &Connection, pipeline_id: i64, before: Option<u64>, limit: u32) -> Result<Vec<Run>> {
    let mut statement = c.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM {TABLES} WHERE n.pipeline_id = ?1 AND n.number < ?2 ORDER BY n.number DESC LIMIT ?3"
    ))?;
    let before = before.map_or(i64::MAX, |b| i64::try_from(b).unwrap_or(i64::MAX));
    Ok(statement.query_map(params![pipeline_id, before, limit], run)?.collect::<rusqlite::Result<_>>()?)
}

/// Runs of a repository with an id below `before` (all for `None`), newest first.
pub fn of_repository(
    c: &Connection,
    repository_id: i64,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Run>> {
    let mut statement = c.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM {TABLES} WHERE n.repository_id = ?1 AND n.id < ?2 ORDER BY n.id DESC LIMIT ?3"
    ))?;
    let rows = statement.query_map(params![repository_id, before.unwrap_or(i64::MAX), limit], run)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Runs that have not ended and that `viewer` may see: the running ones first, then in the order they were queued.
pub fn active(c: &Connection, viewer: Viewer<'_>, limit: u32) -> Result<Vec<Run>> {
    let (all, owner) = viewer.columns();
    let mut statement = c.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM {UNFINISHED} WHERE n.status IN ('queued', 'waiting', 'running')
           AND (?1 OR r.private = 0 OR r.owner = ?2) ORDER BY n.status <> 'running', n.id LIMIT ?3"
    ))?;
    Ok(statement.query_map(params![all, owner, limit], run)?.collect::<rusqlite::Result<_>>()?)
}

/// How many runs are (queued or waiting, running) in the whole house.
pub fn counts(c: &Connection) -> Result<(u64, u64)> {
    let mut statement = c.prepare_cached(
        "SELECT coalesce(sum(status <> 'running'), 0), coalesce(sum(status = 'running'), 0)
         FROM runs INDEXED BY runs_unfinished WHERE status IN ('queued', 'waiting', 'running')",
    )?;
    Ok(statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// What the run carries out; `None` when its definition had findings and nothing is to be carried out.
pub fn definition(c: &Connection, run_id: i64) -> Result<Option<Definition>> {
    let mut statement = c.prepare_cached(
        "SELECT d.body FROM runs n JOIN definitions d ON d.id = n.definition_id WHERE n.id = ?1",
    )?;
    Ok(statement.query_row([run_id], |row| json(row, 0)).optional()?)
}

/// Stages in order, each with its steps in order.
pub fn stages(c: &Connection, run_id: i64) -> Result<Vec<StageRecord>> {
    let mut statement = c.prepare_cached(
        "SELECT idx, name, status, started_at, finished_at FROM stages WHERE run_id = ?1 ORDER BY idx",
    )?;
    let rows = statement.query_map([run_id], |row| {
        Ok(StageRecord {
            index: row.get(0)?,
            name: row.get(1)?,
            status: text(row, 2)?,
            started_at: time_opt(row, 3)?,
            finished_at: time_opt(row, 4)?,
            steps: Vec::new(),
        })
    })?;
    let mut stages: Vec<StageRecord> = rows.collect::<rusqlite::Result<_>>()?;
    let mut statement = c.prepare_cached(
        "SELECT stage, idx, title, status, exit_code, started_at, finished_at, log_from FROM steps
         WHERE run_id = ?1 ORDER BY stage, idx",
    )?;
    let steps = statement.query_map([run_id], |row| Ok((row.get::<_, u32>(0)?, step(row)?)))?;
    for found in steps {
        let (stage, step) = found?;
        if let Some(stage) = stages.iter_mut().find(|s| s.index == stage) {
            stage.steps.push(step);
        }
    }
    Ok(stages)
}

fn step(row: &Row<'_>) -> rusqlite::Result<StepRecord> {
    Ok(StepRecord {
        index: row.get(1)?,
        title: row.get(2)?,
        status: text(row, 3)?,
        exit_code: row.get(4)?,
        started_at: time_opt(row, 5)?,
        finished_at: time_opt(row, 6)?,
        log_from: row.get(7)?,
    })
}

/// The status of one run, for whoever only waits for it.
pub fn status(c: &Connection, run_id: i64) -> Result<Option<Status>> {
    let mut statement = c.prepare_cached("SELECT status FROM runs WHERE id = ?1")?;
    Ok(statement.query_row([run_id], |row| text(row, 0)).optional()?)
}

#[cfg(test)]
mod tests;
