//! Pipelines of a repository: found at its root, or made by a person for a path.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::rows::{json, millis, text, time, to_json};
use crate::model::{Error, PipelineName, Result};
use crate::msg;

#[derive(Clone, Debug)]
pub struct Pipeline {
    pub id: i64,
    pub repository_id: i64,
    pub name: PipelineName,
    /// Of the definition in the repository; `ci` for numbered scripts in that folder.
    pub path: String,
    /// Globs on branch names, in addition to the definition's own; empty means all.
    pub branches: Vec<String>,
    /// Found at the root without being asked.
    pub discovered: bool,
    pub created_at: Timestamp,
    pub last_run_id: Option<i64>,
}

const COLUMNS: &str = "id, repository_id, name, path, branches, discovered, created_at, last_run_id";

fn pipeline(row: &Row<'_>) -> rusqlite::Result<Pipeline> {
    Ok(Pipeline {
        id: row.get(0)?,
        repository_id: row.get(1)?,
        name: text(row, 2)?,
        path: row.get(3)?,
        branches: json(row, 4)?,
        discovered: row.get(5)?,
        created_at: time(row, 6)?,
        last_run_id: row.get(7)?,
    })
}

#[derive(Clone, Debug)]
pub struct NewPipeline {
    pub repository_id: i64,
    pub name: PipelineName,
    pub path: String,
    pub branches: Vec<String>,
    pub discovered: bool,
}

/// `Conflict` when the repository has a pipeline of that name.
pub fn create(c: &Connection, new: &NewPipeline, at: Timestamp) -> Result<i64> {
    let made = c.execute(
        "INSERT INTO pipelines (repository_id, name, path, branches, discovered, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
        params![
            new.repository_id,
            new.name.as_str(),
            new.path,
            to_json(&new.branches)?,
            new.discovered,
            millis(at)
        ],
    )?;
    if made == 0 {
        return Err(Error::Conflict(msg!("pipeline-exists", name = new.name)));
    }
    Ok(c.last_insert_rowid())
}

pub fn of_repository(c: &Connection, repository_id: i64) -> Result<Vec<Pipeline>> {
    let mut statement =
        c.prepare_cached(&format!("SELECT {COLUMNS} FROM pipelines WHERE repository_id = ?1 ORDER BY name"))?;
    Ok(statement.query_map([repository_id], pipeline)?.collect::<rusqlite::Result<_>>()?)
}

pub fn by_name(c: &Connection, repository_id: i64, name: &PipelineName) -> Result<Option<Pipeline>> {
    let mut statement =
        c.prepare_cached(&format!("SELECT {COLUMNS} FROM pipelines WHERE repository_id = ?1 AND name = ?2"))?;
    Ok(statement.query_row(params![repository_id, name.as_str()], pipeline).optional()?)
}

pub fn by_id(c: &Connection, id: i64) -> Result<Option<Pipeline>> {
    let mut statement = c.prepare_cached(&format!("SELECT {COLUMNS} FROM pipelines WHERE id = ?1"))?;
    Ok(statement.query_row([id], pipeline).optional()?)
}

/// A discovered pipeline follows its definition when that moves (from `Jenkinsfile` to `ropewalk.yml`, say).
pub fn set_path(c: &Connection, id: i64, path: &str) -> Result<()> {
    c.execute("UPDATE pipelines SET path = ?2 WHERE id = ?1", params![id, path])?;
    Ok(())
}

/// `Conflict` while one of its runs is not finished.
pub fn delete(c: &Connection, id: i64) -> Result<()> {
    let busy: bool = c.query_row(
        "SELECT EXISTS (SELECT 1 FROM runs WHERE pipeline_id = ?1 AND status IN ('queued', 'waiting', 'running'))",
        [id],
        |row| row.get(0),
    )?;
    if busy {
        return Err(Error::Conflict(msg!("pipeline-busy")));
    }
    c.execute("DELETE FROM pipelines WHERE id = ?1", [id])?;
    Ok(())
}
