//! Image streams with their tags and histories. A tag's newest item is what it names now.
//!
//! `spec` is what is wanted of a stream, `by_hand` what a person does to a tag, `imports` what is to be asked at registries,
//! `put` one tag's row, `others` tags that stand for other tags, `whole` the streams that follow all of a repository, `history` what is kept.

pub mod by_hand;
pub mod history;
pub mod imports;
pub mod others;
mod put;
pub mod spec;
pub mod whole;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::events;
use super::rows::{millis, text_opt, time, to_json};
use crate::model::{
    Digest, Happened, Result, Sighting, StreamPath, StreamTagName, TagAddress, TagItem, TagSource,
};
use crate::msg;

const ITEM: &str = "i.id, i.created_at, i.reference, i.digest, i.generation, i.by";

fn item(row: &Row<'_>) -> rusqlite::Result<TagItem> {
    Ok(TagItem {
        id: row.get(0)?,
        created_at: time(row, 1)?,
        reference: row.get(2)?,
        digest: text_opt(row, 3)?,
        generation: row.get(4)?,
        by: row.get(5)?,
    })
}

/// What the tag names now.
pub fn current(c: &Connection, name: &StreamTagName) -> Result<Option<TagItem>> {
    let mut statement = c.prepare_cached(&format!(
        "SELECT {ITEM} FROM stream_items i JOIN image_streams s ON s.id = i.stream_id
         WHERE s.owner = ?1 AND s.name = ?2 AND i.tag = ?3 ORDER BY i.id DESC LIMIT 1"
    ))?;
    let key = [name.stream.owner.as_str(), name.stream.name.as_str(), &name.tag];
    Ok(statement.query_row(key, item).optional()?)
}

/// The tag's history, newest first.
pub fn items(c: &Connection, stream_id: i64, tag: &str, limit: u32) -> Result<Vec<TagItem>> {
    let mut statement = c.prepare_cached(&format!(
        "SELECT {ITEM} FROM stream_items i WHERE i.stream_id = ?1 AND i.tag = ?2 ORDER BY i.id DESC LIMIT ?3"
    ))?;
    Ok(statement.query_map(params![stream_id, tag, limit], item)?.collect::<rusqlite::Result<_>>()?)
}

/// When a tag of the stream last came to name another image.
pub fn moved_at(c: &Connection, stream_id: i64) -> Result<Option<Timestamp>> {
    let mut statement = c.prepare_cached("SELECT max(created_at) FROM stream_items WHERE stream_id = ?1")?;
    Ok(statement.query_row([stream_id], |row| super::rows::time_opt(row, 0))?)
}

/// What a tag is made to name.
pub struct NewItem<'a> {
    /// `host/repository@sha256:...`
    pub reference: String,
    pub digest: Option<&'a Digest>,
    pub by: Option<&'a str>,
    /// The event that led here.
    pub cause_id: Option<i64>,
}

/// Makes the tag name an image, and with it the stream's tags that stand for it. The same image again is only noted
/// as imported anew, and returns `false`.
pub fn push_item(
    c: &Connection,
    (stream_id, tag): (i64, &str),
    new: &NewItem<'_>,
    at: Timestamp,
) -> Result<bool> {
    let newest = items(c, stream_id, tag, 1)?.into_iter().next();
    if let Some(newest) = newest.as_ref().filter(|newest| newest.reference == new.reference) {
        imports::noted(c, (stream_id, tag), newest)?;
        return Ok(false);
    }
    c.prepare_cached(
        "INSERT INTO stream_items (stream_id, tag, created_at, reference, digest, generation, by)
         SELECT ?1, ?2, ?3, ?4, ?5, generation, ?6 FROM stream_tags WHERE stream_id = ?1 AND name = ?2",
    )?
    .execute(params![
        stream_id,
        tag,
        millis(at),
        new.reference,
        new.digest.map(Digest::as_str),
        new.by
    ])?;
    let happened = Happened::StreamTagMoved {
        stream: StreamTagName { stream: path(c, stream_id)?, tag: tag.to_owned() },
        old: newest.map(|newest| newest.reference),
        new: Some(new.reference.clone()),
        by: new.by.map(str::to_owned),
    };
    let event = events::add_caused(c, new.cause_id, (None, &happened), at)?;
    for alias in aliases(c, stream_id, tag)? {
        let new = NewItem { reference: new.reference.clone(), cause_id: Some(event), ..*new };
        push_item(c, (stream_id, &alias), &new, at)?;
    }
    others::arrived(c, (stream_id, tag), (event, at))?;
    Ok(true)
}

/// Tags of the stream whose source is `tag`.
fn aliases(c: &Connection, stream_id: i64, tag: &str) -> Result<Vec<String>> {
    let source = to_json(&TagSource::ImageStreamTag(tag.to_owned()))?;
    let mut statement =
        c.prepare_cached("SELECT name FROM stream_tags WHERE stream_id = ?1 AND source = ?2 AND name <> ?3")?;
    Ok(statement
        .query_map(params![stream_id, source, tag], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?)
}

fn path(c: &Connection, stream_id: i64) -> Result<StreamPath> {
    let mut statement = c.prepare_cached("SELECT owner || '/' || name FROM image_streams WHERE id = ?1")?;
    Ok(statement.query_row([stream_id], |row| super::rows::text(row, 0))?)
}

/// A followed tag at a registry moved: the tags of streams that come from it move along. What is gone at the
/// registry stays in the history; the image may still be there by digest.
pub(super) fn follow(
    c: &Connection,
    address: &TagAddress,
    (found, event): (&Sighting, i64),
    at: Timestamp,
) -> Result<()> {
    let reference = match found {
        Sighting::Image(digest) => address.pinned(digest),
        Sighting::NoDigest => address.to_string(),
        Sighting::Gone => {
            let message = msg!("streams-source-gone", source = address);
            return imports::source_failed(c, address, ("NotFound", &message), at);
        }
    };
    let new = NewItem { reference, digest: found.digest(), by: None, cause_id: Some(event) };
    for (stream_id, tag) in from_source(c, address)? {
        if imports::is_copied(c, (stream_id, &tag))? {
            // Copied first, then named.
            imports::ask(c, (stream_id, &tag), at)?;
        } else {
            push_item(c, (stream_id, &tag), &new, at)?;
            imports::well(c, (stream_id, &tag))?;
        }
    }
    for stream_id in of_registry_repository(c, address)? {
        c.prepare_cached("INSERT INTO stream_tags (stream_id, name) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
            .execute(params![stream_id, address.tag])?;
        let own: bool = c
            .prepare_cached("SELECT source IS NULL FROM stream_tags WHERE stream_id = ?1 AND name = ?2")?
            .query_row(params![stream_id, address.tag], |row| row.get(0))?;
        if own {
            push_item(c, (stream_id, &address.tag), &new, at)?;
        }
    }
    Ok(())
}

fn from_source(c: &Connection, address: &TagAddress) -> Result<Vec<(i64, String)>> {
    let mut statement = c.prepare_cached(
        "SELECT stream_id, name FROM stream_tags
         WHERE source_host = ?1 AND source_repository = ?2 AND source_tag = ?3 AND reference = 0 ORDER BY stream_id, name",
    )?;
    let key = [&address.host, &address.repository, &address.tag];
    Ok(statement.query_map(key, |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?)
}

/// Streams that follow every tag of this repository.
fn of_registry_repository(c: &Connection, address: &TagAddress) -> Result<Vec<i64>> {
    let mut statement = c.prepare_cached("SELECT id FROM image_streams WHERE repository = ?1 ORDER BY id")?;
    let key = [format!("{}/{}", address.host, address.repository)];
    Ok(statement.query_map(key, |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

#[cfg(test)]
mod tests;
