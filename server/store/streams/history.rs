//! The history of streams' tags: finding an image in it, and pruning it as OpenShift does, but never what is used.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::super::rows::{millis, text_opt};
use super::{ITEM, item};
use crate::model::{Digest, Result, TagItem};

/// The newest of a tag that are always kept.
const KEPT: u32 = 3;
/// And everything younger than this.
const KEPT_FOR: SignedDuration = SignedDuration::from_mins(60);

/// The newest item of a stream with this digest, of whatever tag.
pub fn with_digest(c: &Connection, stream_id: i64, digest: &Digest) -> Result<Option<TagItem>> {
    let mut statement = c.prepare_cached(&format!(
        "SELECT {ITEM} FROM stream_items i WHERE i.digest = ?2 AND i.stream_id = ?1 ORDER BY i.id DESC LIMIT 1"
    ))?;
    Ok(statement.query_row(params![stream_id, digest.as_str()], item).optional()?)
}

/// How many items a tag has.
pub fn length(c: &Connection, stream_id: i64, tag: &str) -> Result<u32> {
    let mut statement =
        c.prepare_cached("SELECT count(*) FROM stream_items WHERE stream_id = ?1 AND tag = ?2")?;
    Ok(statement.query_row(params![stream_id, tag], |row| row.get(0))?)
}

/// Items that are neither among the newest of their tag, nor young, nor the last that was imported, nor what another
/// tag names.
fn old(c: &Connection, now: Timestamp) -> Result<Vec<(i64, String, Option<Digest>)>> {
    let before = millis(now.checked_sub(KEPT_FOR).unwrap_or(Timestamp::MIN));
    let mut statement = c.prepare_cached(
        "SELECT i.id, i.reference, i.digest FROM stream_items i WHERE i.created_at < ?1
           AND (SELECT count(*) FROM stream_items n
                WHERE n.stream_id = i.stream_id AND n.tag = i.tag AND n.id > i.id) >= ?2
           AND (i.by IS NOT NULL OR EXISTS (SELECT 1 FROM stream_items n
                WHERE n.stream_id = i.stream_id AND n.tag = i.tag AND n.id > i.id AND n.by IS NULL))
           AND NOT EXISTS (SELECT 1 FROM stream_items o
                WHERE o.digest = i.digest AND (o.stream_id, o.tag) <> (i.stream_id, i.tag)
                  AND o.id = (SELECT max(m.id) FROM stream_items m WHERE m.stream_id = o.stream_id AND m.tag = o.tag))",
    )?;
    let rows = statement
        .query_map(params![before, KEPT], |row| Ok((row.get(0)?, row.get(1)?, text_opt(row, 2)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// What no run stands on and no trigger had last.
fn is_free(c: &Connection, reference: &str, digest: Option<&Digest>) -> Result<bool> {
    let digest = digest.map(Digest::as_str);
    let mut statement = c.prepare_cached(
        "SELECT NOT EXISTS (SELECT 1 FROM base_images WHERE digest = ?2)
            AND NOT EXISTS (SELECT 1 FROM image_triggers t, json_each(t.last) w WHERE w.value = ?1)",
    )?;
    Ok(statement.query_row(params![reference, digest], |row| row.get(0))?)
}

/// Ids of what nobody needs any more; `running` are the digests that containers stand on.
pub fn prunable(c: &Connection, running: &BTreeSet<Digest>, now: Timestamp) -> Result<Vec<i64>> {
    let mut found = Vec::new();
    for (id, reference, digest) in old(c, now)? {
        let runs = digest.as_ref().is_some_and(|digest| running.contains(digest));
        if !runs && is_free(c, &reference, digest.as_ref())? {
            found.push(id);
        }
    }
    Ok(found)
}

/// Takes away what nobody needs any more, and says how many it was.
pub fn prune(c: &Connection, running: &BTreeSet<Digest>, now: Timestamp) -> Result<usize> {
    let ids = prunable(c, running, now)?;
    for id in &ids {
        c.prepare_cached("DELETE FROM stream_items WHERE id = ?1")?.execute([id])?;
    }
    Ok(ids.len())
}
