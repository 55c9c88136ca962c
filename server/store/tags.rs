//! Followed tags at registries: what each named when it was last looked at, as `refs` is for git. A tag is
//! followed because a stream, a pipeline's base or a Docker trigger wants it.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::rows::{json_opt, millis, text_opt, time, to_json};
use super::{events, streams};
use crate::model::{Digest, Happened, Message, Result, Sighting, TagAddress};

/// A tag as it was last seen.
#[derive(Clone, Debug)]
pub struct Seen {
    pub digest: Option<Digest>,
    pub moved_at: Timestamp,
    pub checked_at: Timestamp,
    /// Why the last look failed.
    pub error: Option<Message>,
}

fn seen(row: &Row<'_>) -> rusqlite::Result<Seen> {
    Ok(Seen {
        digest: text_opt(row, 0)?,
        moved_at: time(row, 1)?,
        checked_at: time(row, 2)?,
        error: json_opt(row, 3)?,
    })
}

pub fn get(c: &Connection, address: &TagAddress) -> Result<Option<Seen>> {
    let mut statement = c.prepare_cached(
        "SELECT digest, moved_at, checked_at, error FROM tags_seen
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
        Some(_) => old != new,
        // A tag that never was there has not moved.
        None => *found != Sighting::Gone,
    };
    let moved_at = if moved { at } else { before.map_or(at, |seen| seen.moved_at) };
    c.prepare_cached(
        "INSERT INTO tags_seen (host, repository, tag, digest, moved_at, checked_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET digest = excluded.digest, moved_at = excluded.moved_at,
            checked_at = excluded.checked_at, error = NULL",
    )?
    .execute(params![
        address.host,
        address.repository,
        address.tag,
        new.as_ref().map(Digest::as_str),
        millis(moved_at),
        millis(at)
    ])?;
    if !moved {
        return Ok(None);
    }
    let happened = Happened::TagMoved { address: address.clone(), old, new, delivery_id };
    let event = events::add(c, None, &happened, at)?;
    streams::follow(c, address, (found, event), at)?;
    Ok(Some(event))
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
