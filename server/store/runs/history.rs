//! Looking back: how long stages take, and the last runs of many repositories at once.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::super::rows::text;
use crate::model::{Result, Status};

/// What a stage usually takes.
#[derive(Clone, Debug)]
pub struct StageDuration {
    pub name: String,
    /// Median of the last five passed runs, in milliseconds.
    pub median: i64,
}

/// Median durations of the stages of a pipeline, over its last five passed runs. Empty without any.
pub fn durations(c: &Connection, pipeline_id: i64) -> Result<Vec<StageDuration>> {
    let mut statement = c.prepare_cached(
        "SELECT s.name, s.finished_at - s.started_at FROM
           (SELECT id FROM runs WHERE pipeline_id = ?1 AND status = 'passed' ORDER BY number DESC LIMIT 5) n
         JOIN stages s ON s.run_id = n.id
         WHERE s.started_at IS NOT NULL AND s.finished_at IS NOT NULL ORDER BY s.idx",
    )?;
    let rows =
        statement.query_map([pipeline_id], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
    let mut names = Vec::new();
    let mut taken: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for row in rows {
        let (name, millis) = row?;
        if !taken.contains_key(&name) {
            names.push(name.clone());
        }
        taken.entry(name).or_default().push(millis);
    }
    let median = |name: String| {
        let mut values = taken.remove(&name).unwrap_or_default();
        values.sort_unstable();
        let median = values.get(values.len() / 2).copied().unwrap_or_default();
        StageDuration { name, median }
    };
    Ok(names.into_iter().map(median).collect())
}

/// One bar of a sparkline.
#[derive(Clone, Copy, Debug)]
pub struct Past {
    pub status: Status,
    /// Milliseconds, 0 while it has not ended.
    pub duration: i64,
}

/// The last `limit` runs of each given repository, oldest first, for sparklines.
pub fn of_repositories(c: &Connection, ids: &[i64], limit: u32) -> Result<Vec<Vec<Past>>> {
    let mut statement = c.prepare_cached(
        "SELECT status, coalesce(finished_at - started_at, 0) FROM runs WHERE repository_id = ?1 ORDER BY id DESC LIMIT ?2",
    )?;
    let mut all = Vec::with_capacity(ids.len());
    for id in ids {
        let rows = statement
            .query_map(params![id, limit], |row| Ok(Past { status: text(row, 0)?, duration: row.get(1)? }))?;
        let mut past: Vec<Past> = rows.collect::<rusqlite::Result<_>>()?;
        past.reverse();
        all.push(past);
    }
    Ok(all)
}
