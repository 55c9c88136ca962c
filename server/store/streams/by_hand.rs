//! What a person does to a tag of a stream: sets it, lets it follow something, rolls it back, has it imported, takes
//! it away.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::super::events;
use super::put::{begin, put_tag};
use super::spec::{by_path, tag};
use super::{NewItem, current, imports, items, others, push_item};
use crate::model::{Error, Happened, Result, StreamTagName, TagSource, TagSpec};
use crate::msg;

/// Gives one tag its source, and lets it name what that names.
pub fn follow(c: &Connection, stream_id: i64, spec: &TagSpec, by: &str, at: Timestamp) -> Result<()> {
    let spec = TagSpec { generation: 0, ..spec.clone() };
    put_tag(c, stream_id, &spec, true)?;
    others::no_circle(c, stream_id, std::slice::from_ref(&spec))?;
    begin(c, stream_id, &spec, by, at)
}

/// Asks for the source's image now; `Conflict` when the tag has no source to be asked.
pub fn import_now(c: &Connection, name: &StreamTagName, by: &str, at: Timestamp) -> Result<()> {
    let missing = || Error::NotFound(msg!("streams-tag-not-found", name = name));
    let stream = by_path(c, &name.stream)?.ok_or_else(missing)?;
    let spec = tag(c, stream.id, &name.tag)?.ok_or_else(missing)?.spec;
    match &spec.source {
        Some(TagSource::DockerImage(_)) if !spec.reference => {
            imports::ask_anew(c, (stream.id, &name.tag), at)
        }
        Some(_) if !spec.reference => follow(c, stream.id, &spec, by, at),
        _ => Err(Error::Conflict(msg!("streams-no-source", name = name))),
    }
}

/// Makes the tag name an image by hand; the tag is made when there is none. What it follows stays: the next move
/// of its source counts again.
pub fn set(c: &Connection, (stream_id, tag): (i64, &str), new: &NewItem<'_>, at: Timestamp) -> Result<bool> {
    c.prepare_cached("INSERT INTO stream_tags (stream_id, name) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![stream_id, tag])?;
    push_item(c, (stream_id, tag), new, at)
}

/// Back to an image of the tag's history. `NotFound` when there is no such item.
pub fn roll_back(
    c: &Connection,
    (stream_id, tag): (i64, &str),
    item_id: i64,
    (by, at): (&str, Timestamp),
) -> Result<bool> {
    let all = items(c, stream_id, tag, u32::MAX)?;
    let item = all.iter().find(|item| item.id == item_id);
    let item = item.ok_or_else(|| Error::NotFound(msg!("streams-no-such-image")))?;
    let reference = item.reference.clone();
    push_item(
        c,
        (stream_id, tag),
        &NewItem { reference, digest: item.digest.as_ref(), by: Some(by), cause_id: None },
        at,
    )
}

/// Takes the tag away with its history. `NotFound` when there is none.
pub fn untag(c: &Connection, name: &StreamTagName, by: &str, at: Timestamp) -> Result<()> {
    let stream = by_path(c, &name.stream)?;
    let missing = || Error::NotFound(msg!("streams-tag-not-found", name = name));
    let stream = stream.ok_or_else(missing)?;
    let old = current(c, name)?.map(|item| item.reference);
    let gone = c.execute(
        "DELETE FROM stream_tags WHERE stream_id = ?1 AND name = ?2",
        params![stream.id, name.tag],
    )?;
    if gone == 0 {
        return Err(missing());
    }
    let happened = Happened::StreamTagMoved { stream: name.clone(), old, new: None, by: Some(by.to_owned()) };
    events::add(c, None, &happened, at)?;
    Ok(())
}
