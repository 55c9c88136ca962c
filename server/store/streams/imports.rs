//! Imports of streams' tags: which are due, and what came of them. Asking the registry is not done here.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::super::events;
use super::super::rows::{json, json_opt, millis, text, time, time_opt, to_json};
use super::{NewItem, from_source, path, push_item};
use crate::model::{
    Digest, Happened, ImportCondition, Message, ReferencePolicy, Result, StreamPath, StreamTagName,
    TagAddress, TagItem, TagSource,
};

/// An import that is to be done.
#[derive(Clone, Debug)]
pub struct Due {
    pub stream_id: i64,
    pub stream: StreamPath,
    pub tag: String,
    pub source: TagSource,
    pub policy: ReferencePolicy,
    pub scheduled: bool,
    pub due_at: Timestamp,
    /// Of the tag now.
    pub generation: i64,
    /// A person, or a new source, asks for it: not only the schedule.
    pub asked: bool,
}

impl Due {
    pub fn name(&self) -> StreamTagName {
        StreamTagName { stream: self.stream.clone(), tag: self.tag.clone() }
    }
}

fn due_row(row: &Row<'_>) -> rusqlite::Result<Due> {
    let policy: String = row.get(4)?;
    let policy = if policy == "Local" { ReferencePolicy::Local } else { ReferencePolicy::Source };
    Ok(Due {
        stream_id: row.get(0)?,
        stream: text(row, 1)?,
        tag: row.get(2)?,
        source: json(row, 3)?,
        policy,
        scheduled: row.get(5)?,
        due_at: time(row, 6)?,
        generation: row.get(7)?,
        asked: row.get(8)?,
    })
}

/// Imports that are due at `now`: those that were asked for first, then the longest waiting.
pub fn due(c: &Connection, now: Timestamp) -> Result<Vec<Due>> {
    let mut statement = c.prepare_cached(
        "SELECT t.stream_id, s.owner || '/' || s.name, t.name, t.source, t.reference_policy, t.scheduled, t.import_at,
            t.generation, t.generation > coalesce((SELECT max(i.generation) FROM stream_items i
                WHERE i.stream_id = t.stream_id AND i.tag = t.name), 0)
         FROM stream_tags t JOIN image_streams s ON s.id = t.stream_id
         WHERE t.import_at <= ?1 AND t.source IS NOT NULL ORDER BY 9 DESC, t.import_at",
    )?;
    Ok(statement.query_map([millis(now)], due_row)?.collect::<rusqlite::Result<_>>()?)
}

/// When the next import after `now` is due.
pub fn next_after(c: &Connection, now: Timestamp) -> Result<Option<Timestamp>> {
    let mut statement = c.prepare_cached(
        "SELECT min(import_at) FROM stream_tags WHERE import_at > ?1 AND source IS NOT NULL",
    )?;
    Ok(statement.query_row([millis(now)], |row| time_opt(row, 0))?)
}

/// Has the source asked as soon as may be. A schedule begins anew after it.
pub fn ask(c: &Connection, (stream_id, tag): (i64, &str), at: Timestamp) -> Result<()> {
    c.prepare_cached("UPDATE stream_tags SET import_at = ?3 WHERE stream_id = ?1 AND name = ?2")?
        .execute(params![stream_id, tag, millis(at)])?;
    Ok(())
}

/// A person wants the source's image, whatever the tag names by hand.
pub fn ask_anew(c: &Connection, key: (i64, &str), at: Timestamp) -> Result<()> {
    c.prepare_cached(
        "UPDATE stream_tags SET generation = generation + 1 WHERE stream_id = ?1 AND name = ?2",
    )?
    .execute(params![key.0, key.1])?;
    ask(c, key, at)
}

pub(super) fn never(c: &Connection, (stream_id, tag): (i64, &str)) -> Result<()> {
    c.prepare_cached("UPDATE stream_tags SET import_at = NULL WHERE stream_id = ?1 AND name = ?2")?
        .execute(params![stream_id, tag])?;
    Ok(())
}

/// What the import found. The tag names it when its source is newer than what it names, or the source's image is
/// not the one imported last: not merely because a person has set the tag to another one.
pub fn imported(
    c: &Connection,
    due: &Due,
    (reference, digest): (&str, Option<&Digest>),
    (next, at): (Option<Timestamp>, Timestamp),
) -> Result<bool> {
    let key = (due.stream_id, due.tag.as_str());
    let Some(generation) = generation(c, key)? else { return Ok(false) };
    settle(c, due, next)?;
    if generation != due.generation {
        // Its source is another by now; that has an import of its own.
        return Ok(false);
    }
    well(c, key)?;
    let newest: i64 = c
        .prepare_cached(
            "SELECT coalesce(max(generation), 0) FROM stream_items WHERE stream_id = ?1 AND tag = ?2",
        )?
        .query_row(params![key.0, key.1], |row| row.get(0))?;
    let last: Option<String> = c
        .prepare_cached(
            "SELECT reference FROM stream_items WHERE stream_id = ?1 AND tag = ?2 AND by IS NULL
             ORDER BY id DESC LIMIT 1",
        )?
        .query_row(params![key.0, key.1], |row| row.get(0))
        .optional()?;
    if newest >= generation && last.as_deref() == Some(reference) {
        return Ok(false);
    }
    let new = NewItem { reference: reference.to_owned(), digest, by: None, cause_id: None };
    push_item(c, key, &new, at)
}

/// The import failed; what the tag named before still counts.
pub fn import_failed(
    c: &Connection,
    due: &Due,
    why: (&str, &Message),
    (next, at): (Option<Timestamp>, Timestamp),
) -> Result<()> {
    settle(c, due, next)?;
    failed(c, (due.stream_id, &due.tag), why, at)
}

/// The import is done, unless it was asked for again meanwhile.
fn settle(c: &Connection, due: &Due, next: Option<Timestamp>) -> Result<()> {
    c.prepare_cached(
        "UPDATE stream_tags SET import_at = ?4 WHERE stream_id = ?1 AND name = ?2 AND import_at = ?3",
    )?
    .execute(params![due.stream_id, due.tag, millis(due.due_at), next.map(millis)])?;
    Ok(())
}

/// Sets the condition to the newest sentence; an event only when the reason is new.
pub fn failed(
    c: &Connection,
    (stream_id, tag): (i64, &str),
    (reason, message): (&str, &Message),
    at: Timestamp,
) -> Result<()> {
    let before: Option<ImportCondition> = c
        .prepare_cached("SELECT condition FROM stream_tags WHERE stream_id = ?1 AND name = ?2")?
        .query_row(params![stream_id, tag], |row| json_opt(row, 0))
        .optional()?
        .flatten();
    let generation = generation(c, (stream_id, tag))?.unwrap_or_default();
    let told = before.filter(|before| before.reason == reason && before.generation == generation);
    if told.as_ref().is_some_and(|told| told.message == *message) {
        return Ok(());
    }
    // OpenShift's time is that of the last change of the condition, not of its sentence.
    let since = told.as_ref().map_or(at, |told| told.at);
    let condition =
        ImportCondition { reason: reason.to_owned(), message: message.clone(), at: since, generation };
    c.prepare_cached("UPDATE stream_tags SET condition = ?3 WHERE stream_id = ?1 AND name = ?2")?
        .execute(params![stream_id, tag, to_json(&condition)?])?;
    if told.is_none() {
        let stream = StreamTagName { stream: path(c, stream_id)?, tag: tag.to_owned() };
        events::add(c, None, &Happened::ImportFailed { stream, message: message.clone() }, at)?;
    }
    Ok(())
}

/// A followed tag could not be looked at: so say all tags that come from it.
pub fn source_failed(
    c: &Connection,
    address: &TagAddress,
    why: (&str, &Message),
    at: Timestamp,
) -> Result<()> {
    for (stream_id, tag) in from_source(c, address)? {
        failed(c, (stream_id, &tag), why, at)?;
    }
    Ok(())
}

/// A followed tag can be looked at again.
pub fn source_well(c: &Connection, address: &TagAddress) -> Result<()> {
    for (stream_id, tag) in from_source(c, address)? {
        if !is_copied(c, (stream_id, &tag))? {
            well(c, (stream_id, &tag))?;
        }
    }
    Ok(())
}

pub(super) fn well(c: &Connection, (stream_id, tag): (i64, &str)) -> Result<()> {
    c.prepare_cached(
        "UPDATE stream_tags SET condition = NULL WHERE stream_id = ?1 AND name = ?2 AND condition IS NOT NULL",
    )?
    .execute(params![stream_id, tag])?;
    Ok(())
}

/// Whether the tag's images are copied into our registry.
pub(super) fn is_copied(c: &Connection, (stream_id, tag): (i64, &str)) -> Result<bool> {
    let mut statement = c.prepare_cached(
        "SELECT reference_policy = 'Local' FROM stream_tags WHERE stream_id = ?1 AND name = ?2",
    )?;
    Ok(statement.query_row(params![stream_id, tag], |row| row.get(0)).optional()?.unwrap_or(false))
}

/// The newest item was found again: it is of the tag's generation now.
pub(super) fn noted(c: &Connection, key: (i64, &str), newest: &TagItem) -> Result<()> {
    if generation(c, key)? != Some(newest.generation) {
        c.prepare_cached(
            "UPDATE stream_items SET generation = (SELECT generation FROM stream_tags WHERE stream_id = ?2 AND name = ?3)
             WHERE id = ?1",
        )?
        .execute(params![newest.id, key.0, key.1])?;
    }
    Ok(())
}

fn generation(c: &Connection, (stream_id, tag): (i64, &str)) -> Result<Option<i64>> {
    let mut statement =
        c.prepare_cached("SELECT generation FROM stream_tags WHERE stream_id = ?1 AND name = ?2")?;
    Ok(statement.query_row(params![stream_id, tag], |row| row.get(0)).optional()?)
}
