//! Followed tags at registries: what each named when it was last looked at, as `refs` is for git. A tag is
//! followed because a stream, a pipeline's base or a Docker trigger wants it.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::rows::{json_opt, millis, text_opt, time, to_json};
use super::{events, streams};
use crate::model::{Digest, Happened, Message, Result, Sighting, TagAddress};

/// A tag as it was last seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub digest: Option<Digest>,
    /// The tag is there, and its image has no digest: it is in the old format (schema 1).
    pub undigested: bool,
    pub moved_at: Timestamp,
    pub checked_at: Timestamp,
    /// Why the last look failed.
    pub error: Option<Message>,
}

impl Seen {
    /// Whether the tag named just that.
    pub fn names(&self, found: &Sighting) -> bool {
        self.digest.as_ref() == found.digest() && self.undigested == (*found == Sighting::NoDigest)
    }
}

fn seen(row: &Row<'_>) -> rusqlite::Result<Seen> {
    Ok(Seen {
        digest: text_opt(row, 0)?,
        moved_at: time(row, 1)?,
        checked_at: time(row, 2)?,
        error: json_opt(row, 3)?,
        undigested: row.get(4)?,
    })
}

pub fn get(c: &Connection, address: &TagAddress) -> Result<Option<Seen>> {
    let mut statement = c.prepare_cached(
        "SELECT digest, moved_at, checked_at, error, undigested FROM tags_seen
         WHERE host = ?1 AND repository = ?2 AND tag = ?3",
    )?;
    Ok(statement.query_row([&address.host, &address.repository, &address.tag], seen).optional()?)
}

/// Writes down what the registry says now. When it is not what it was: a `TagMoved` event, and whatever follows
/// from it for streams, in the same transaction. Returns the event's id.
pub fn observe(
    c: &Connection,
    address: &TagAddress,
    (found, delivery_id): (&Sighting, Option<i64>),
    at: Timestamp,
) -> Result<Option<i64>> {
    let before = get(c, address)?;
    let old = before.as_ref().and_then(|seen| seen.digest.clone());
    let new = found.digest().cloned();
    let moved = match &before {
        Some(before) => !before.names(found),
        // A tag that never was there has not moved.
        None => *found != Sighting::Gone,
    };
    let moved_at = if moved { at } else { before.map_or(at, |seen| seen.moved_at) };
    c.prepare_cached(
        "INSERT INTO tags_seen (host, repository, tag, digest, moved_at, checked_at, undigested)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT DO UPDATE SET digest = excluded.digest, moved_at = excluded.moved_at,
            checked_at = excluded.checked_at, error = NULL, undigested = excluded.undigested",
    )?
    .execute(params![
        address.host,
        address.repository,
        address.tag,
        new.as_ref().map(Digest::as_str),
        millis(moved_at),
        millis(at),
        *found == Sighting::NoDigest
    ])?;
    if !moved {
        return Ok(None);
    }
    let undigested = *found == Sighting::NoDigest;
    let happened = Happened::TagMoved { address: address.clone(), old, new, undigested, delivery_id };
    let event = events::add(c, None, &happened, at)?;
    streams::follow(c, address, (found, event), at)?;
    Ok(Some(event))
}

/// As `observe`, unless somebody has written since `before` was read: who looked first may know less. `false` then,
/// and nothing is written.
pub fn observe_since(
    c: &Connection,
    (address, before): (&TagAddress, Option<&Seen>),
    found: (&Sighting, Option<i64>),
    at: Timestamp,
) -> Result<bool> {
    if get(c, address)?.as_ref() != before {
        return Ok(false);
    }
    observe(c, address, found, at)?;
    Ok(true)
}

/// Tags of a repository that were there when they were last looked at, by name.
pub fn there(c: &Connection, host: &str, repository: &str) -> Result<Vec<(String, Digest)>> {
    let mut statement = c.prepare_cached(
        "SELECT tag, digest FROM tags_seen WHERE host = ?1 AND repository = ?2 AND digest IS NOT NULL ORDER BY tag",
    )?;
    let one = |row: &Row<'_>| Ok((row.get(0)?, super::rows::text(row, 1)?));
    Ok(statement.query_map([host, repository], one)?.collect::<rusqlite::Result<_>>()?)
}

/// Whether a stream's tag or a pipeline's base names the tag.
pub fn is_followed(c: &Connection, address: &TagAddress) -> Result<bool> {
    let mut statement = c.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM stream_tags WHERE source_host = ?1 AND source_repository = ?2 AND source_tag = ?3
                        AND reference = 0)
             OR EXISTS (SELECT 1 FROM pipeline_bases WHERE host = ?1 AND repository = ?2 AND tag = ?3)",
    )?;
    let key = [&address.host, &address.repository, &address.tag];
    Ok(statement.query_row(key, |row| row.get(0))?)
}

/// The look failed: what the tag named before still counts.
pub fn failed(c: &Connection, address: &TagAddress, why: &Message, at: Timestamp) -> Result<()> {
    c.prepare_cached(
        "INSERT INTO tags_seen (host, repository, tag, moved_at, checked_at, error) VALUES (?1, ?2, ?3, ?4, ?4, ?5)
         ON CONFLICT DO UPDATE SET checked_at = excluded.checked_at, error = excluded.error",
    )?
    .execute(params![address.host, address.repository, address.tag, millis(at), to_json(why)?])?;
    Ok(())
}

/// Every tag at `host` that a stream's tag or a pipeline's base names, each once, by repository and tag.
pub fn followed(c: &Connection, host: &str) -> Result<Vec<TagAddress>> {
    let mut statement = c.prepare_cached(
        "SELECT source_repository, source_tag FROM stream_tags WHERE source_host = ?1 AND reference = 0
         UNION SELECT repository, tag FROM pipeline_bases WHERE host = ?1 ORDER BY 1, 2",
    )?;
    let address =
        |row: &Row<'_>| Ok(TagAddress { host: host.to_owned(), repository: row.get(0)?, tag: row.get(1)? });
    Ok(statement.query_map([host], address)?.collect::<rusqlite::Result<_>>()?)
}
