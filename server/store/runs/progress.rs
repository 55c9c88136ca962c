//! Moving runs, stages and steps forward. Every update states the status it expects to find, so that
//! nothing that ended is ever changed, and `passed` is only written over recorded zeros.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::super::events;
use super::super::rows::{millis, text, to_json};
use super::{COLUMNS, run};
use crate::model::{Error, Happened, Message, Result, Run, Status};

/// The oldest queued run whose pipeline has none running: two runs of one pipeline share compose project
/// names and host paths, so they take turns. `None` when there is nothing to do.
pub fn claimable(c: &Connection) -> Result<Option<i64>> {
    let mut statement = c.prepare_cached(
        "SELECT n.id FROM runs n INDEXED BY runs_status WHERE n.status = 'queued'
           AND NOT EXISTS (SELECT 1 FROM runs o INDEXED BY runs_status WHERE o.status = 'running' AND o.pipeline_id = n.pipeline_id)
         ORDER BY n.id LIMIT 1",
    )?;
    Ok(statement.query_row([], |row| row.get(0)).optional()?)
}

/// Claims what `claimable` finds: it is `running` when this returns.
pub fn claim(c: &Connection, at: Timestamp) -> Result<Option<Run>> {
    let Some(id) = claimable(c)? else { return Ok(None) };
    c.prepare_cached(
        "UPDATE runs SET status = 'running', started_at = ?2 WHERE id = ?1 AND status = 'queued'",
    )?
    .execute(params![id, millis(at)])?;
    super::by_id(c, id)
}

/// Which of the given runs somebody asked to cancel, and who.
pub fn cancel_requests(c: &Connection, ids: &[i64]) -> Result<Vec<(i64, String)>> {
    let mut statement =
        c.prepare_cached("SELECT cancel_by FROM runs WHERE id = ?1 AND cancel_by IS NOT NULL")?;
    let mut asked = Vec::new();
    for id in ids {
        if let Some(by) = statement.query_row([id], |row| row.get(0)).optional()? {
            asked.push((*id, by));
        }
    }
    Ok(asked)
}

/// Every run that is `running`, for recovery after a start.
pub fn unfinished(c: &Connection) -> Result<Vec<Run>> {
    let mut statement = c.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM runs n INDEXED BY runs_status JOIN repositories r ON r.id = n.repository_id
           JOIN pipelines p ON p.id = n.pipeline_id WHERE n.status = 'running' ORDER BY n.id"
    ))?;
    Ok(statement.query_map([], run)?.collect::<rusqlite::Result<_>>()?)
}

/// Moves a stage on. `Internal` when its present status does not allow it.
pub fn set_stage(c: &Connection, run_id: i64, stage: u32, to: Status, at: Timestamp) -> Result<()> {
    let mut statement = c.prepare_cached("SELECT status FROM stages WHERE run_id = ?1 AND idx = ?2")?;
    let from: Status = statement.query_row(params![run_id, stage], |row| text(row, 0))?;
    check(from, to)?;
    if to == Status::Passed {
        require_zeros(c, run_id, Some(stage))?;
    }
    let column = if to.is_final() { "finished_at" } else { "started_at" };
    c.prepare_cached(&format!(
        "UPDATE stages SET status = ?3, {column} = ?4 WHERE run_id = ?1 AND idx = ?2 AND status = ?5"
    ))?
    .execute(params![run_id, stage, to.as_str(), millis(at), from.as_str()])?;
    Ok(())
}

/// What is new about a step.
#[derive(Clone, Copy, Debug)]
pub struct StepChange {
    pub stage: u32,
    pub step: u32,
    pub to: Status,
    pub exit_code: Option<i64>,
    /// Byte offset in the stage's log; given when it starts.
    pub log_from: Option<u64>,
}

pub fn set_step(c: &Connection, run_id: i64, change: StepChange, at: Timestamp) -> Result<()> {
    if change.to == Status::Passed && change.exit_code != Some(0) {
        return Err(Error::Internal("a step may only pass with exit code 0".into()));
    }
    let mut statement =
        c.prepare_cached("SELECT status FROM steps WHERE run_id = ?1 AND stage = ?2 AND idx = ?3")?;
    let from: Status = statement.query_row(params![run_id, change.stage, change.step], |row| text(row, 0))?;
    check(from, change.to)?;
    let column = if change.to.is_final() { "finished_at" } else { "started_at" };
    c.prepare_cached(&format!(
        "UPDATE steps SET status = ?4, exit_code = coalesce(?5, exit_code), log_from = coalesce(?6, log_from),
            {column} = ?7 WHERE run_id = ?1 AND stage = ?2 AND idx = ?3 AND status = ?8"
    ))?
    .execute(params![
        run_id,
        change.stage,
        change.step,
        change.to.as_str(),
        change.exit_code,
        change.log_from,
        millis(at),
        from.as_str()
    ])?;
    Ok(())
}

/// Ends everything of the run that has not ended: what was running becomes `running_to`, what had not begun `skipped`.
pub fn skip_rest(c: &Connection, run_id: i64, running_to: Status, at: Timestamp) -> Result<()> {
    for table in ["stages", "steps"] {
        c.execute(
            &format!(
                "UPDATE {table} SET status = ?2, finished_at = ?3 WHERE run_id = ?1 AND status = 'running'"
            ),
            params![run_id, running_to.as_str(), millis(at)],
        )?;
        c.execute(
            &format!(
                "UPDATE {table} SET status = 'skipped' WHERE run_id = ?1 AND status IN ('queued', 'waiting')"
            ),
            [run_id],
        )?;
    }
    Ok(())
}

/// Ends the run. `passed` needs every stage passed and a recorded exit 0 for every step.
pub fn finish(
    c: &Connection,
    run_id: i64,
    status: Status,
    message: Option<&Message>,
    at: Timestamp,
) -> Result<()> {
    if status == Status::Passed {
        require_zeros(c, run_id, None)?;
    }
    let message = message.map(to_json).transpose()?;
    let changed = c.execute(
        "UPDATE runs SET status = ?2, finished_at = ?3, message = ?4 WHERE id = ?1 AND status IN ('queued', 'waiting', 'running')",
        params![run_id, status.as_str(), millis(at), message],
    )?;
    if changed == 0 {
        return Err(Error::Internal(format!("run {run_id} has ended before")));
    }
    let repository: i64 =
        c.query_row("SELECT repository_id FROM runs WHERE id = ?1", [run_id], |row| row.get(0))?;
    events::add(c, Some(repository), &Happened::RunFinished { run_id, status }, at)?;
    Ok(())
}

/// A run the server lost sight of: nothing of it is left running, and nothing of it counts as passed.
pub fn mark_lost(c: &Connection, run_id: i64, message: &Message, at: Timestamp) -> Result<()> {
    skip_rest(c, run_id, Status::Lost, at)?;
    finish(c, run_id, Status::Lost, Some(message), at)
}

/// Asks for the end of a run. A queued one is cancelled here and now, for a running one the run loop
/// sees the request. `Conflict` when it has ended.
pub fn cancel(c: &Connection, run: &Run, by: &str, message: &Message, at: Timestamp) -> Result<()> {
    let asked = c.execute(
        "UPDATE runs SET cancel_by = ?2 WHERE id = ?1 AND status IN ('queued', 'waiting', 'running')",
        params![run.id, by],
    )?;
    if asked == 0 {
        return Err(Error::Conflict(crate::msg!("run-ended", number = run.number)));
    }
    let asked_for = Happened::RunCancelRequested { run_id: run.id, by: by.to_owned() };
    events::add(c, Some(run.repository_id), &asked_for, at)?;
    if super::status(c, run.id)? != Some(Status::Running) {
        skip_rest(c, run.id, Status::Cancelled, at)?;
        finish(c, run.id, Status::Cancelled, Some(message), at)?;
    }
    Ok(())
}

fn check(from: Status, to: Status) -> Result<()> {
    if from.may_become(to) {
        return Ok(());
    }
    Err(Error::Internal(format!("a status may not go from {from} to {to}")))
}

/// Invariant: no information is never success.
fn require_zeros(c: &Connection, run_id: i64, stage: Option<u32>) -> Result<()> {
    let missing: i64 = c.query_row(
        "SELECT (SELECT count(*) FROM steps WHERE run_id = ?1 AND (?2 IS NULL OR stage = ?2)
                   AND (status <> 'passed' OR exit_code IS NOT 0))
              + (SELECT count(*) FROM stages WHERE run_id = ?1 AND ?2 IS NULL AND status <> 'passed')
              + (SELECT count(*) = 0 FROM stages WHERE run_id = ?1)",
        params![run_id, stage],
        |row| row.get(0),
    )?;
    if missing == 0 {
        return Ok(());
    }
    Err(Error::Internal(format!("run {run_id} cannot pass: {missing} of its parts have no recorded success")))
}
