//! One tag as it is wanted: its row written, and what its source names taken, where that is known already.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::super::rows::to_json;
use super::spec::{StreamTag, tag};
use super::{NewItem, history, imports, items, others, push_item};
use crate::model::{ReferencePolicy, Result, TagItem, TagSource, TagSpec};
use crate::msg;

/// Writes one tag's spec; whether it differs from before, and whether its source is to be imported anew.
pub(super) fn put_tag(c: &Connection, stream_id: i64, spec: &TagSpec, in_spec: bool) -> Result<(bool, bool)> {
    let before = tag(c, stream_id, &spec.name)?;
    let generation = before.as_ref().map_or(0, |before| before.spec.generation);
    let renewed = before.as_ref().is_none_or(|before| {
        (&before.spec.source, before.spec.reference, before.spec.reference_policy)
            != (&spec.source, spec.reference, spec.reference_policy)
            || spec.generation == 0
    });
    let as_before = TagSpec { generation, ..spec.clone() };
    let is_same = |before: &StreamTag| before.spec == as_before && before.in_spec == in_spec;
    if !renewed && before.as_ref().is_some_and(is_same) {
        return Ok((false, false));
    }
    let address = spec.source.as_ref().and_then(TagSource::address);
    c.prepare_cached(
        "INSERT INTO stream_tags (stream_id, name, source, source_host, source_repository, source_tag, reference,
            insecure, scheduled, import_mode, reference_policy, annotations, generation, in_spec)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
         ON CONFLICT DO UPDATE SET source = ?3, source_host = ?4, source_repository = ?5, source_tag = ?6,
            reference = ?7, insecure = ?8, scheduled = ?9, import_mode = ?10, reference_policy = ?11,
            annotations = ?12, generation = ?13, in_spec = ?14",
    )?
    .execute(params![
        stream_id,
        spec.name,
        spec.source.as_ref().map(to_json).transpose()?,
        address.as_ref().map(|address| &address.host),
        address.as_ref().map(|address| &address.repository),
        address.as_ref().map(|address| &address.tag),
        spec.reference,
        spec.insecure,
        spec.scheduled,
        spec.import_mode,
        if spec.reference_policy == ReferencePolicy::Local { "Local" } else { "Source" },
        to_json(&spec.annotations)?,
        generation + i64::from(renewed),
        in_spec
    ])?;
    let key = (stream_id, spec.name.as_str());
    let imports = spec.source.is_some() && !spec.reference;
    if renewed || !imports {
        imports::well(c, key)?;
    }
    if !imports {
        imports::never(c, key)?;
    } else if !renewed && spec.scheduled && before.is_some_and(|before| !before.spec.scheduled) {
        return Ok((true, true));
    }
    Ok((true, imports && renewed))
}

/// Lets the tag name what its source names: at once where we know it, else when it was asked.
pub(super) fn begin(c: &Connection, stream_id: i64, spec: &TagSpec, by: &str, at: Timestamp) -> Result<()> {
    let key = (stream_id, spec.name.as_str());
    let found = match &spec.source {
        None => return Ok(()),
        Some(TagSource::DockerImage(_)) => return imports::ask(c, key, at),
        Some(TagSource::OtherTag(_) | TagSource::OtherImage(_)) => {
            return others::begin(c, key, spec, (by, at));
        }
        Some(TagSource::ImageStreamTag(other)) => items(c, stream_id, other, 1)?.into_iter().next(),
        Some(TagSource::ImageStreamImage(digest)) => history::with_digest(c, stream_id, digest)?,
    };
    match found {
        Some(item) => set_item(c, key, &item, Some(by), at),
        // An alias of what is not there yet follows it later.
        None if matches!(spec.source, Some(TagSource::ImageStreamTag(_))) => Ok(()),
        None => imports::failed(c, key, ("NotFound", &msg!("streams-no-such-image")), at),
    }
}

pub(super) fn set_item(
    c: &Connection,
    key: (i64, &str),
    item: &TagItem,
    by: Option<&str>,
    at: Timestamp,
) -> Result<()> {
    let reference = item.reference.clone();
    let new = NewItem { reference, digest: item.digest.as_ref(), by, cause_id: None };
    push_item(c, key, &new, at)?;
    Ok(())
}
