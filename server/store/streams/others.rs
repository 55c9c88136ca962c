//! Tags that stand for other tags. Within a stream an alias goes along, so there must be no circle of them. A tag that
//! comes from another stream takes that one's image once, which is a promotion: at once, or when it is there.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::super::rows::{json, to_json};
use super::put::set_item;
use super::spec::{by_path, tag};
use super::{NewItem, current, history, imports, items, path, push_item};
use crate::model::{
    Error, ImportCondition, Message, ReferencePolicy, Result, StreamPath, StreamTagName, TagItem, TagSource,
    TagSpec,
};
use crate::msg;

/// `Invalid` with the way round when tags of the stream stand for each other in a circle; `changed` are those that may
/// have closed one.
pub fn no_circle(c: &Connection, stream_id: i64, changed: &[TagSpec]) -> Result<()> {
    if !changed.iter().any(|tag| matches!(tag.source, Some(TagSource::ImageStreamTag(_)))) {
        return Ok(());
    }
    let mut statement =
        c.prepare_cached("SELECT name, source FROM stream_tags WHERE stream_id = ?1 AND source IS NOT NULL")?;
    let rows = statement.query_map([stream_id], |row| Ok((row.get(0)?, json(row, 1)?)))?;
    let mut next: BTreeMap<String, String> = BTreeMap::new();
    for row in rows {
        if let (name, TagSource::ImageStreamTag(other)) = row? {
            next.insert(name, other);
        }
    }
    for start in changed {
        let mut way = vec![start.name.as_str()];
        while let Some(tag) = way.last().and_then(|tag| next.get(*tag)) {
            way.push(tag);
            if *tag == start.name {
                way.truncate(8);
                return Err(Error::Invalid(msg!("openshift-alias-circle", way = way.join(" → "))));
            }
            if way.len() > next.len() {
                break;
            }
        }
    }
    Ok(())
}

/// `NotFound` unless what new sources of other streams name is there: the stream, and the image of its history. A tag
/// may come later. What was taken before is not asked for again. Their names become what the streams are called.
pub fn are_there(c: &Connection, stream: &StreamPath, wanted: &mut [TagSpec]) -> Result<()> {
    let known = by_path(c, stream)?;
    for spec in wanted {
        let (other, digest) = match &spec.source {
            Some(TagSource::OtherTag(name)) => (&name.stream, None),
            Some(TagSource::OtherImage(name)) => (&name.stream, Some(&name.digest)),
            _ => continue,
        };
        let before = match &known {
            Some(stream) => tag(c, stream.id, &spec.name)?,
            None => None,
        };
        let there = by_path(c, other)?;
        let missing = match (&there, digest) {
            (None, _) => Some(msg!("openshift-no-other-stream", stream = other, tag = spec.name)),
            (Some(there), Some(digest)) if history::with_digest(c, there.id, digest)?.is_none() => {
                Some(msg!("openshift-no-other-image", stream = other, tag = spec.name, digest = digest))
            }
            _ => None,
        };
        if let Some(there) = there {
            match &mut spec.source {
                Some(TagSource::OtherTag(name)) => name.stream = there.path,
                Some(TagSource::OtherImage(name)) => name.stream = there.path,
                _ => {}
            }
        }
        let taken = before.is_some_and(|before| before.spec.source == spec.source && spec.generation != 0);
        if let Some(message) = missing.filter(|_| !taken) {
            return Err(Error::NotFound(message));
        }
    }
    Ok(())
}

/// What tags of the stream wait for in other streams.
pub fn waiting(c: &Connection, stream: &StreamPath, wanted: &[TagSpec]) -> Result<Vec<Message>> {
    let Some(stream) = by_path(c, stream)? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for spec in wanted.iter().filter(|spec| matches!(spec.source, Some(TagSource::OtherTag(_)))) {
        let condition = tag(c, stream.id, &spec.name)?.and_then(|tag| tag.condition);
        found.extend(condition.map(|condition| condition.message));
    }
    Ok(found)
}

/// What a source in another stream names now.
pub fn image(c: &Connection, source: &Option<TagSource>) -> Result<Option<TagItem>> {
    match source {
        Some(TagSource::OtherTag(name)) => current(c, name),
        Some(TagSource::OtherImage(name)) => match by_path(c, &name.stream)? {
            Some(stream) => history::with_digest(c, stream.id, &name.digest),
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

/// Takes the image, or says that it is waited for.
pub(super) fn begin(
    c: &Connection,
    key: (i64, &str),
    spec: &TagSpec,
    (by, at): (&str, Timestamp),
) -> Result<()> {
    match image(c, &spec.source)? {
        // Copied first, then named.
        Some(_) if spec.reference_policy == ReferencePolicy::Local => imports::ask(c, key, at),
        Some(item) => {
            set_item(c, key, &item, Some(by), at)?;
            imports::well(c, key)
        }
        None => waits(c, key, spec, at),
    }
}

fn waits(c: &Connection, (stream_id, tag): (i64, &str), spec: &TagSpec, at: Timestamp) -> Result<()> {
    let source = match &spec.source {
        Some(TagSource::OtherTag(name)) => name.to_string(),
        Some(TagSource::OtherImage(name)) => name.to_string(),
        _ => return Ok(()),
    };
    let generation = super::spec::tag(c, stream_id, tag)?.map_or(0, |tag| tag.spec.generation);
    let message = msg!("streams-waits-for", source = source);
    let condition = ImportCondition { reason: "NotFound".to_owned(), message, at, generation };
    c.prepare_cached("UPDATE stream_tags SET condition = ?3 WHERE stream_id = ?1 AND name = ?2")?
        .execute(params![stream_id, tag, to_json(&condition)?])?;
    Ok(())
}

/// A tag names something new: tags of other streams that have waited for it take it, each once.
pub(super) fn arrived(
    c: &Connection,
    (stream_id, tag): (i64, &str),
    (event, at): (i64, Timestamp),
) -> Result<()> {
    let name = StreamTagName { stream: path(c, stream_id)?, tag: tag.to_owned() };
    let source = to_json(&TagSource::OtherTag(name))?;
    let waiting: Vec<(i64, String)> = c
        .prepare_cached(
            "SELECT t.stream_id, t.name FROM stream_tags t
             WHERE t.source = ?1 AND t.source IS NOT NULL AND t.source_host IS NULL AND t.reference = 0
               AND t.generation > coalesce((SELECT max(i.generation) FROM stream_items i
                    WHERE i.stream_id = t.stream_id AND i.tag = t.name), 0)",
        )?
        .query_map([source], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (other, name) in waiting {
        let key = (other, name.as_str());
        if imports::is_copied(c, key)? {
            imports::ask(c, key, at)?;
        } else if let Some(item) = items(c, stream_id, tag, 1)?.into_iter().next() {
            let new = NewItem {
                reference: item.reference.clone(),
                digest: item.digest.as_ref(),
                by: None,
                cause_id: Some(event),
            };
            push_item(c, key, &new, at)?;
            imports::well(c, key)?;
        }
    }
    Ok(())
}
