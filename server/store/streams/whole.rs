//! Streams that follow every tag of a repository, and the new ones among them, whose repository has still to be
//! looked at as a whole: a tag that was there before does not move, and would never come to them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};

use super::super::rows::to_json;
use super::super::{settings, tags};
use super::NewItem;
use super::by_hand::set;
use super::spec::{STREAM, stream, tag};
use crate::model::{Error, Result};

/// Ids of the streams that are behind.
const BEHIND: &str = "streams-behind";

/// A new stream is behind until its repository was looked at.
pub(super) fn fall_behind(c: &Connection, stream_id: i64) -> Result<()> {
    let mut all = behind(c)?;
    all.insert(stream_id);
    settings::set(c, BEHIND, &to_json(&all)?)
}

/// Streams whose repository has still to be looked at as a whole, because they are new.
pub fn behind(c: &Connection) -> Result<BTreeSet<i64>> {
    let text = settings::get(c, BEHIND)?.unwrap_or_else(|| "[]".to_owned());
    serde_json::from_str(&text).map_err(|e| Error::internal("read which streams are behind", e))
}

/// Their repositories have been looked at: their tags name what is there.
pub fn catch_up(c: &Connection, ids: &BTreeSet<i64>, at: Timestamp) -> Result<()> {
    for id in ids {
        let mut statement = c.prepare_cached(&format!("SELECT {STREAM} FROM image_streams WHERE id = ?1"))?;
        let Some(stream) = statement.query_row([id], stream).optional()? else { continue };
        let Some((host, repository)) = stream.repository.as_deref().and_then(|r| r.split_once('/')) else {
            continue;
        };
        for (name, digest) in tags::there(c, host, repository)? {
            if tag(c, *id, &name)?.is_some_and(|known| known.spec.source.is_some()) {
                continue;
            }
            let reference = format!("{host}/{repository}@{digest}");
            let new = NewItem { reference, digest: Some(&digest), by: None, cause_id: None };
            set(c, (*id, &name), &new, at)?;
        }
    }
    let left: BTreeSet<i64> = behind(c)?.difference(ids).copied().collect();
    settings::set(c, BEHIND, &to_json(&left)?)
}

/// Repositories at `host` of which every tag is followed, each once.
pub fn whole_repositories(c: &Connection, host: &str) -> Result<Vec<String>> {
    let mut statement = c.prepare_cached(
        "SELECT DISTINCT substr(repository, length(?1) + 2) FROM image_streams
         WHERE repository IS NOT NULL AND substr(repository, 1, length(?1) + 1) = ?1 || '/' ORDER BY 1",
    )?;
    Ok(statement.query_map([host], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}
