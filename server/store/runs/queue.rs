//! Making runs: the number is given out, everything the run depends on is written into it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, params};
use sha2::{Digest as _, Sha256};

use super::super::rows::{millis, to_json};
use super::super::{images, triggers};
use crate::model::{
    Action, BaseImage, Cause, CommitId, Definition, Finding, Message, RefName, Result, Status,
};

#[derive(Clone)]
pub struct NewRun {
    pub repository_id: i64,
    pub pipeline_id: i64,
    pub cause: Cause,
    pub reference: RefName,
    pub commit: CommitId,
    pub definition_path: String,
    pub definition_blob: String,
    /// What to carry out, or why nothing can be.
    pub definition: std::result::Result<Definition, Vec<Finding>>,
    pub inputs: BTreeMap<String, String>,
    pub event_id: Option<i64>,
    /// What its bases stand at now; the run uses these and no others.
    pub bases: Vec<BaseImage>,
    /// The image triggers that start it.
    pub started_by: Vec<i64>,
    /// Shown with a run that failed before it started.
    pub refusal: Option<Message>,
}

/// Queues the run and returns its id and number. One whose definition has findings is `failed` at once.
/// An event starts a pipeline once: for a second time this returns what the first made.
pub fn queue(c: &Connection, new: &NewRun, at: Timestamp) -> Result<(i64, u64)> {
    if let Some(known) = already_queued(c, new)? {
        return Ok(known);
    }
    let number = next_number(c, new.pipeline_id)?;
    let (status, findings, finished) = match &new.definition {
        Ok(_) => (Status::Queued, Vec::new(), None),
        Err(findings) => (Status::Failed, findings.clone(), Some(millis(at))),
    };
    let definition_id = match &new.definition {
        Ok(definition) => Some(keep_definition(c, definition)?),
        Err(_) => None,
    };
    c.prepare_cached(
        "INSERT INTO runs (repository_id, pipeline_id, number, status, cause, reference, commit_id, definition_path,
            definition_blob, definition_id, inputs, queued_at, finished_at, message, findings, event_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
    )?
    .execute(params![
        new.repository_id,
        new.pipeline_id,
        number,
        status.as_str(),
        to_json(&new.cause)?,
        new.reference.as_str(),
        new.commit.as_str(),
        new.definition_path,
        new.definition_blob,
        definition_id,
        to_json(&new.inputs)?,
        millis(at),
        finished,
        new.refusal.as_ref().map(to_json).transpose()?,
        to_json(&findings)?,
        new.event_id,
    ])?;
    let id = c.last_insert_rowid();
    c.prepare_cached("UPDATE pipelines SET last_run_id = ?2 WHERE id = ?1")?
        .execute([new.pipeline_id, id])?;
    c.prepare_cached("UPDATE repositories SET last_run_id = ?2 WHERE id = ?1")?
        .execute([new.repository_id, id])?;
    if let Ok(definition) = &new.definition {
        add_stages(c, id, definition)?;
    }
    for base in &new.bases {
        images::record_base(c, id, base)?;
    }
    triggers::note_run(c, new.pipeline_id, (&new.bases, &new.started_by), at)?;
    Ok((id, number))
}

fn already_queued(c: &Connection, new: &NewRun) -> Result<Option<(i64, u64)>> {
    let Some(event) = new.event_id else { return Ok(None) };
    let mut statement =
        c.prepare_cached("SELECT id, number FROM runs WHERE event_id = ?1 AND pipeline_id = ?2")?;
    let mut rows = statement.query([event, new.pipeline_id])?;
    match rows.next()? {
        Some(row) => Ok(Some((row.get(0)?, row.get(1)?))),
        None => Ok(None),
    }
}

fn next_number(c: &Connection, pipeline_id: i64) -> Result<u64> {
    let mut statement = c.prepare_cached(
        "INSERT INTO run_numbers (owner, repository, pipeline, last)
         SELECT r.owner, r.name, p.name, 1 FROM pipelines p JOIN repositories r ON r.id = p.repository_id WHERE p.id = ?1
         ON CONFLICT (owner, repository, pipeline) DO UPDATE SET last = last + 1 RETURNING last",
    )?;
    Ok(statement.query_row([pipeline_id], |row| row.get(0))?)
}

fn keep_definition(c: &Connection, definition: &Definition) -> Result<i64> {
    let body = to_json(definition)?;
    let hash = Sha256::digest(body.as_bytes());
    c.prepare_cached("INSERT INTO definitions (hash, body) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![&hash[..], body])?;
    let mut statement = c.prepare_cached("SELECT id FROM definitions WHERE hash = ?1")?;
    Ok(statement.query_row([&hash[..]], |row| row.get(0))?)
}

fn add_stages(c: &Connection, run_id: i64, definition: &Definition) -> Result<()> {
    for (index, stage) in (0u32..).zip(&definition.stages) {
        c.prepare_cached("INSERT INTO stages (run_id, idx, name, status) VALUES (?1, ?2, ?3, 'queued')")?
            .execute(params![run_id, index, stage.name])?;
        for (number, step) in (0u32..).zip(&stage.steps) {
            c.prepare_cached(
                "INSERT INTO steps (run_id, stage, idx, title, status) VALUES (?1, ?2, ?3, ?4, 'queued')",
            )?
            .execute(params![run_id, index, number, title(&step.action)])?;
        }
    }
    Ok(())
}

/// The first line that is not blank and does not only name an interpreter, at most 120 characters of it.
fn title(action: &Action) -> String {
    let (Action::Sh(text) | Action::Bat(text) | Action::Echo(text)) = action;
    let source = text.source();
    let mut lines = source.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    let line = if first.starts_with("#!") { lines.next().unwrap_or(first) } else { first };
    line.chars().take(120).collect()
}
