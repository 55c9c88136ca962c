//! Triggers on what is not there yet: they fire when it comes, and until then it is said what they wait for.

use rusqlite::Connection;

use super::super::streams::{self, spec};
use crate::model::{Message, Result, StreamTagName};
use crate::msg;

/// What a trigger on this tag waits for; `None` when the tag names an image.
pub fn of(c: &Connection, from: &StreamTagName) -> Result<Option<Message>> {
    if streams::current(c, from)?.is_some() {
        return Ok(None);
    }
    let Some(stream) = spec::by_path(c, &from.stream)? else {
        return Ok(Some(msg!("trigger-waits-stream", stream = from.stream, tag = from.tag)));
    };
    Ok(Some(match spec::tag(c, stream.id, &from.tag)? {
        None => msg!("trigger-waits-tag", stream = from.stream, tag = from.tag),
        Some(tag) if tag.spec.reference => msg!("trigger-waits-reference", name = from),
        Some(_) => msg!("trigger-waits-image", name = from),
    }))
}
