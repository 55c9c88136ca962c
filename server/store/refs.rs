//! The refs as of their last event, and the one function that turns a difference into events. Push,
//! inotify and the minute poll all end here.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::events;
use crate::model::{CommitId, Happened, RefName, Result};

/// Refs that moved and are observed in one transaction. Whoever has more writes them in parts: a hundred thousand would
/// keep everybody from writing for seconds.
pub const TOGETHER: usize = 500;

/// What each ref of the repository was at its last event.
pub fn seen(c: &Connection, repository_id: i64) -> Result<BTreeMap<RefName, CommitId>> {
    let mut statement = c.prepare_cached("SELECT name, object FROM refs_seen WHERE repository_id = ?1")?;
    let rows = statement
        .query_map([repository_id], |row| Ok((super::rows::text(row, 0)?, super::rows::text(row, 1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Compares the record with `now` (ref, present object id or `None` when it is gone) and writes one
/// `RefMoved` event for each that differs. Returns the ids of the events written.
///
/// The caller holds the repository's update lock, so that `now` cannot be older than the record.
pub fn observe(
    c: &Connection,
    repository_id: i64,
    now: &[(RefName, Option<CommitId>)],
    by: Option<&str>,
    at: Timestamp,
) -> Result<Vec<i64>> {
    let mut written = Vec::new();
    for (reference, new) in now {
        let old = seen_one(c, repository_id, reference)?;
        if old == *new {
            continue;
        }
        match new {
            Some(object) => c
                .prepare_cached(
                    "INSERT INTO refs_seen VALUES (?1, ?2, ?3)
                     ON CONFLICT (repository_id, name) DO UPDATE SET object = excluded.object",
                )?
                .execute(params![repository_id, reference.as_str(), object.as_str()])?,
            None => c
                .prepare_cached("DELETE FROM refs_seen WHERE repository_id = ?1 AND name = ?2")?
                .execute(params![repository_id, reference.as_str()])?,
        };
        let moved = Happened::RefMoved {
            reference: reference.clone(),
            old,
            new: new.clone(),
            by: by.map(str::to_owned),
        };
        written.push(events::add(c, Some(repository_id), &moved, at)?);
    }
    Ok(written)
}

fn seen_one(c: &Connection, repository_id: i64, reference: &RefName) -> Result<Option<CommitId>> {
    let mut statement =
        c.prepare_cached("SELECT object FROM refs_seen WHERE repository_id = ?1 AND name = ?2")?;
    let mut rows = statement.query(params![repository_id, reference.as_str()])?;
    match rows.next()? {
        Some(row) => Ok(Some(super::rows::text(row, 0)?)),
        None => Ok(None),
    }
}
