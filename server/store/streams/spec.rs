//! What is wanted of a stream: made, replaced, listed, taken away. Nothing here asks a registry: what must be
//! imported is noted as due, and the bell brings whoever imports.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::super::events;
use super::super::rows::{json, json_opt, millis, time, time_opt, to_json};
use super::put::{begin, put_tag};
use super::{others, whole};
use crate::model::{
    Error, Happened, ImportCondition, ReferencePolicy, Result, StreamPath, StreamSpec, TagSpec, TagsSpec,
};
use crate::msg;

#[derive(Clone, Debug)]
pub struct Stream {
    pub id: i64,
    pub path: StreamPath,
    /// `host/path` of which every tag is followed.
    pub repository: Option<String>,
    /// The same as the file says it, if it does.
    pub written_repository: Option<String>,
    pub lookup_local: bool,
    pub annotations: BTreeMap<String, String>,
    pub labels: BTreeMap<String, String>,
    pub created_at: Timestamp,
    pub created_by: String,
}

/// A tag as it is wanted, and how its imports stand.
#[derive(Clone, Debug)]
pub struct StreamTag {
    pub spec: TagSpec,
    /// The file names it, or a person made it follow something; otherwise it was only pushed or set.
    pub in_spec: bool,
    /// When the next import is due.
    pub import_at: Option<Timestamp>,
    pub condition: Option<ImportCondition>,
}

/// What came of `apply`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    Created,
    Configured,
    Unchanged,
}

pub(super) const STREAM: &str = "id, owner || '/' || name, repository, lookup_local, annotations, created_at, created_by, written_repository, labels";

pub(super) fn stream(row: &Row<'_>) -> rusqlite::Result<Stream> {
    Ok(Stream {
        id: row.get(0)?,
        path: super::super::rows::text(row, 1)?,
        repository: row.get(2)?,
        lookup_local: row.get(3)?,
        annotations: json(row, 4)?,
        created_at: time(row, 5)?,
        created_by: row.get(6)?,
        written_repository: row.get(7)?,
        labels: json(row, 8)?,
    })
}

const TAG: &str = "name, source, reference, insecure, scheduled, import_mode, reference_policy, annotations, \
                   generation, import_at, condition, in_spec";

fn stream_tag(row: &Row<'_>) -> rusqlite::Result<StreamTag> {
    let policy: String = row.get(6)?;
    let reference_policy = if policy == "Local" { ReferencePolicy::Local } else { ReferencePolicy::Source };
    Ok(StreamTag {
        spec: TagSpec {
            name: row.get(0)?,
            source: json_opt(row, 1)?,
            reference: row.get(2)?,
            insecure: row.get(3)?,
            scheduled: row.get(4)?,
            import_mode: row.get(5)?,
            reference_policy,
            annotations: json(row, 7)?,
            generation: row.get(8)?,
        },
        import_at: time_opt(row, 9)?,
        condition: json_opt(row, 10)?,
        in_spec: row.get(11)?,
    })
}

pub fn by_path(c: &Connection, path: &StreamPath) -> Result<Option<Stream>> {
    let mut statement =
        c.prepare_cached(&format!("SELECT {STREAM} FROM image_streams WHERE owner = ?1 AND name = ?2"))?;
    Ok(statement.query_row([path.owner.as_str(), path.name.as_str()], stream).optional()?)
}

/// By owner and name, from behind `after`.
pub fn page(c: &Connection, after: Option<&StreamPath>, limit: u32) -> Result<Vec<Stream>> {
    let (owner, name) = after.map_or(("", ""), |path| (path.owner.as_str(), path.name.as_str()));
    let mut statement = c.prepare_cached(&format!(
        "SELECT {STREAM} FROM image_streams WHERE (owner, name) > (?1, ?2) ORDER BY owner, name LIMIT ?3"
    ))?;
    Ok(statement.query_map(params![owner, name, limit], stream)?.collect::<rusqlite::Result<_>>()?)
}

/// All tags of a stream by name, those without a source too.
pub fn tags(c: &Connection, stream_id: i64) -> Result<Vec<StreamTag>> {
    let mut statement =
        c.prepare_cached(&format!("SELECT {TAG} FROM stream_tags WHERE stream_id = ?1 ORDER BY name"))?;
    Ok(statement.query_map([stream_id], stream_tag)?.collect::<rusqlite::Result<_>>()?)
}

pub fn tag(c: &Connection, stream_id: i64, name: &str) -> Result<Option<StreamTag>> {
    let mut statement =
        c.prepare_cached(&format!("SELECT {TAG} FROM stream_tags WHERE stream_id = ?1 AND name = ?2"))?;
    Ok(statement.query_row(params![stream_id, name], stream_tag).optional()?)
}

/// Makes the stream, or makes it what is wanted. A tag whose source changes gets a new generation and is imported;
/// one that is no longer named keeps its history and follows nothing.
pub fn apply(c: &Connection, wanted: &StreamSpec, by: &str, at: Timestamp) -> Result<Applied> {
    let before = by_path(c, &wanted.path)?;
    let mut changed = false;
    let id = match &before {
        Some(stream) => {
            changed |= change(c, stream, wanted)?;
            stream.id
        }
        None => create(c, wanted, by, at)?,
    };
    let mut sources = Vec::new();
    for spec in &wanted.tags {
        let (differs, imports) = put_tag(c, id, spec, true)?;
        changed |= differs;
        if imports {
            sources.push(spec);
        }
    }
    let named: BTreeSet<&str> = wanted.tags.iter().map(|tag| tag.name.as_str()).collect();
    for left in tags(c, id)? {
        if left.in_spec && !named.contains(left.spec.name.as_str()) {
            let bare = TagSpec { generation: left.spec.generation, ..TagSpec::bare(left.spec.name) };
            changed |= put_tag(c, id, &bare, false)?.0;
        }
    }
    others::no_circle(c, id, &wanted.tags)?;
    for spec in sources {
        begin(c, id, spec, by, at)?;
    }
    Ok(applied(before.is_some(), changed))
}

/// Makes some tags what is wanted, and leaves the others. `stream` makes the stream when there is none.
pub fn apply_tags(
    c: &Connection,
    wanted: &TagsSpec,
    stream: &StreamSpec,
    (by, at): (&str, Timestamp),
) -> Result<Applied> {
    let before = by_path(c, &wanted.path)?;
    let (id, new) = match before {
        Some(stream) => (stream.id, false),
        None => (create(c, stream, by, at)?, true),
    };
    let mut changed = false;
    let mut sources = Vec::new();
    for spec in &wanted.tags {
        let (differs, imports) = put_tag(c, id, spec, true)?;
        changed |= differs;
        if imports {
            sources.push(spec);
        }
    }
    others::no_circle(c, id, &wanted.tags)?;
    for spec in sources {
        begin(c, id, spec, by, at)?;
    }
    Ok(applied(!new, changed))
}

fn applied(was_there: bool, changed: bool) -> Applied {
    match (was_there, changed) {
        (false, _) => Applied::Created,
        (true, true) => Applied::Configured,
        (true, false) => Applied::Unchanged,
    }
}

fn create(c: &Connection, wanted: &StreamSpec, by: &str, at: Timestamp) -> Result<i64> {
    c.execute(
        "INSERT INTO image_streams
            (owner, name, repository, lookup_local, annotations, created_at, created_by, written_repository, labels)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            wanted.path.owner.as_str(),
            wanted.path.name.as_str(),
            wanted.repository,
            wanted.lookup_local,
            to_json(&wanted.annotations)?,
            millis(at),
            by,
            wanted.written_repository,
            to_json(&wanted.labels)?
        ],
    )?;
    let id = c.last_insert_rowid();
    whole::fall_behind(c, id)?;
    let happened = Happened::StreamCreated { stream: wanted.path.clone(), by: by.to_owned() };
    events::add(c, None, &happened, at)?;
    Ok(id)
}

fn change(c: &Connection, stream: &Stream, wanted: &StreamSpec) -> Result<bool> {
    let same = (&stream.repository, &stream.written_repository, stream.lookup_local)
        == (&wanted.repository, &wanted.written_repository, wanted.lookup_local)
        && (&stream.annotations, &stream.labels) == (&wanted.annotations, &wanted.labels);
    if same {
        return Ok(false);
    }
    c.execute(
        "UPDATE image_streams SET repository = ?2, lookup_local = ?3, annotations = ?4, written_repository = ?5,
            labels = ?6 WHERE id = ?1",
        params![
            stream.id,
            wanted.repository,
            wanted.lookup_local,
            to_json(&wanted.annotations)?,
            wanted.written_repository,
            to_json(&wanted.labels)?
        ],
    )?;
    if stream.repository != wanted.repository {
        whole::fall_behind(c, stream.id)?;
    }
    Ok(true)
}

/// `NotFound` when there is none.
pub fn delete(c: &Connection, path: &StreamPath, by: &str, at: Timestamp) -> Result<()> {
    let gone = c.execute(
        "DELETE FROM image_streams WHERE owner = ?1 AND name = ?2",
        [path.owner.as_str(), path.name.as_str()],
    )?;
    if gone == 0 {
        return Err(Error::NotFound(msg!("streams-not-found", name = path)));
    }
    let happened = Happened::StreamDeleted { stream: path.clone(), by: by.to_owned() };
    events::add(c, None, &happened, at)?;
    Ok(())
}
