//! Image triggers of pipelines, and the images that pipelines stand on.

pub mod changes;
pub mod waiting;

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::rows::{json, millis, time, time_opt, to_json};
use super::tags::Seen;
use super::{images, streams, tags};
use crate::model::{BaseImage, Error, Result, StreamTagName, TagAddress};
use crate::msg;

/// What is watched, by name, and what it names: `host/repository@sha256:...`.
pub type Watched = BTreeMap<String, String>;

#[derive(Clone, Debug)]
pub struct ImageTrigger {
    pub id: i64,
    pub pipeline_id: i64,
    /// `None` watches the pipeline's own bases.
    pub from: Option<StreamTagName>,
    pub paused: bool,
    /// What the newest run of the pipeline had.
    pub last: Watched,
    /// When it last started a run itself.
    pub last_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub created_by: String,
}

const COLUMNS: &str =
    "id, pipeline_id, stream_owner, stream_name, stream_tag, paused, last, last_at, created_at, created_by";

fn trigger(row: &Row<'_>) -> rusqlite::Result<ImageTrigger> {
    let owner: Option<String> = row.get(2)?;
    let from = match owner {
        Some(owner) => {
            let (name, tag): (String, String) = (row.get(3)?, row.get(4)?);
            let text = format!("{owner}/{name}:{tag}");
            let misfit = |e: Error| {
                rusqlite::Error::FromSqlConversionFailure(
                    2,
                    rusqlite::types::Type::Text,
                    e.to_string().into(),
                )
            };
            Some(text.parse().map_err(misfit)?)
        }
        None => None,
    };
    Ok(ImageTrigger {
        id: row.get(0)?,
        pipeline_id: row.get(1)?,
        from,
        paused: row.get(5)?,
        last: json(row, 6)?,
        last_at: time_opt(row, 7)?,
        created_at: time(row, 8)?,
        created_by: row.get(9)?,
    })
}

pub fn of_pipeline(c: &Connection, pipeline_id: i64) -> Result<Vec<ImageTrigger>> {
    let mut statement = c.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM image_triggers WHERE pipeline_id = ?1 ORDER BY id"
    ))?;
    Ok(statement.query_map([pipeline_id], trigger)?.collect::<rusqlite::Result<_>>()?)
}

/// Pipelines with a trigger on this stream tag.
pub fn watching_stream(c: &Connection, name: &StreamTagName) -> Result<Vec<i64>> {
    let mut statement = c.prepare_cached(
        "SELECT DISTINCT pipeline_id FROM image_triggers
         WHERE stream_owner = ?1 AND stream_name = ?2 AND stream_tag = ?3 ORDER BY pipeline_id",
    )?;
    let key = [name.stream.owner.as_str(), name.stream.name.as_str(), &name.tag];
    Ok(statement.query_map(key, |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// Pipelines with a trigger on their own bases, of which this tag is one.
pub fn watching_base(c: &Connection, address: &TagAddress) -> Result<Vec<i64>> {
    let mut statement = c.prepare_cached(
        "SELECT DISTINCT b.pipeline_id FROM pipeline_bases b JOIN image_triggers t ON t.pipeline_id = b.pipeline_id
         WHERE b.host = ?1 AND b.repository = ?2 AND b.tag = ?3 AND t.stream_owner IS NULL ORDER BY 1",
    )?;
    let key = [&address.host, &address.repository, &address.tag];
    Ok(statement.query_map(key, |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// Pipelines that stand on this tag, whether they watch it or not.
pub fn standing_on(c: &Connection, address: &TagAddress) -> Result<Vec<i64>> {
    let mut statement = c.prepare_cached(
        "SELECT pipeline_id FROM pipeline_bases WHERE host = ?1 AND repository = ?2 AND tag = ?3 ORDER BY pipeline_id",
    )?;
    let key = [&address.host, &address.repository, &address.tag];
    Ok(statement.query_map(key, |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// What a new trigger is: `from` as in `ImageTrigger`.
pub struct NewTrigger {
    pub pipeline_id: i64,
    pub from: Option<StreamTagName>,
    pub paused: bool,
    pub created_by: String,
}

/// `Conflict` when the pipeline watches that already; only one may watch the own bases.
pub fn create(c: &Connection, new: &NewTrigger, at: Timestamp) -> Result<i64> {
    let stream = new.from.as_ref();
    let last = match stream {
        Some(_) => Watched::new(),
        None => stood_on(c, new.pipeline_id)?,
    };
    let made = c.execute(
        "INSERT INTO image_triggers (pipeline_id, stream_owner, stream_name, stream_tag, paused, created_at, created_by, last)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
        params![
            new.pipeline_id,
            stream.map(|name| name.stream.owner.as_str()),
            stream.map(|name| name.stream.name.as_str()),
            stream.map(|name| name.tag.as_str()),
            new.paused,
            millis(at),
            new.created_by,
            to_json(&last)?
        ],
    )?;
    if made == 0 {
        return Err(Error::Conflict(msg!("trigger-exists")));
    }
    Ok(c.last_insert_rowid())
}

/// `NotFound` when the pipeline has no such trigger.
pub fn set_paused(c: &Connection, pipeline_id: i64, id: i64, paused: bool) -> Result<()> {
    let key = params![paused, id, pipeline_id];
    match c.execute("UPDATE image_triggers SET paused = ?1 WHERE id = ?2 AND pipeline_id = ?3", key)? {
        0 => Err(Error::NotFound(msg!("trigger-not-found"))),
        _ => Ok(()),
    }
}

/// `NotFound` when the pipeline has no such trigger.
pub fn delete(c: &Connection, pipeline_id: i64, id: i64) -> Result<()> {
    match c.execute("DELETE FROM image_triggers WHERE id = ?1 AND pipeline_id = ?2", [id, pipeline_id])? {
        0 => Err(Error::NotFound(msg!("trigger-not-found"))),
        _ => Ok(()),
    }
}

/// What the trigger watches and what that names now; what was never seen is left out.
pub fn watched_now(c: &Connection, trigger: &ImageTrigger) -> Result<Watched> {
    if let Some(from) = &trigger.from {
        let item = streams::current(c, from)?;
        return Ok(item.map(|item| (from.to_string(), item.reference)).into_iter().collect());
    }
    let mut watched = Watched::new();
    for base in bases(c, trigger.pipeline_id)? {
        match tags::get(c, &base.address)? {
            Some(Seen { digest: Some(digest), .. }) => {
                watched.insert(base.reference, base.address.pinned(&digest));
            }
            // The tag itself stands for all its images, as none has a digest: they count once.
            Some(Seen { undigested: true, .. }) => {
                watched.insert(base.reference, base.address.to_string());
            }
            _ => {}
        }
    }
    Ok(watched)
}

/// Notes what a run that is being queued has, so that no trigger starts another for the same images. `by` are the
/// triggers that start it.
pub(super) fn note_run(
    c: &Connection,
    pipeline_id: i64,
    (pinned, by): (&[BaseImage], &[i64]),
    at: Timestamp,
) -> Result<()> {
    for trigger in of_pipeline(c, pipeline_id)? {
        let mut now = watched_now(c, &trigger)?;
        if trigger.from.is_none() {
            now.extend(pinned.iter().filter_map(had));
        }
        let last_at = if by.contains(&trigger.id) { Some(at) } else { trigger.last_at };
        c.prepare_cached("UPDATE image_triggers SET last = ?2, last_at = ?3 WHERE id = ?1")?
            .execute(params![trigger.id, to_json(&now)?, last_at.map(millis)])?;
    }
    Ok(())
}

/// What a run had of a base, as `Watched`; for one in the old format, which has no digest, its tag.
fn had(base: &BaseImage) -> Option<(String, String)> {
    let undigested =
        || base.note.as_ref().filter(|note| note.key == "pin-no-digest")?.args.get("image").cloned();
    Some((base.reference.clone(), base.pinned.clone().or_else(undigested)?))
}

/// What the newest run of the pipeline had of its bases.
fn stood_on(c: &Connection, pipeline_id: i64) -> Result<Watched> {
    let newest: Option<i64> = c
        .prepare_cached("SELECT max(id) FROM runs WHERE pipeline_id = ?1")?
        .query_row([pipeline_id], |row| row.get(0))?;
    let bases = newest.map_or(Ok(Vec::new()), |run| images::bases(c, run))?;
    Ok(bases.iter().filter_map(had).collect())
}

/// An image that a pipeline's definition, Dockerfiles or compose files name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipelineBase {
    /// As it is written.
    pub reference: String,
    /// Where it is looked up.
    pub address: TagAddress,
    /// `path:line`, or the path alone.
    pub places: Vec<String>,
}

pub fn bases(c: &Connection, pipeline_id: i64) -> Result<Vec<PipelineBase>> {
    let mut statement = c.prepare_cached(
        "SELECT reference, host, repository, tag, places FROM pipeline_bases WHERE pipeline_id = ?1 ORDER BY reference",
    )?;
    let base = |row: &Row<'_>| {
        Ok(PipelineBase {
            reference: row.get(0)?,
            address: TagAddress { host: row.get(1)?, repository: row.get(2)?, tag: row.get(3)? },
            places: json(row, 4)?,
        })
    };
    Ok(statement.query_map([pipeline_id], base)?.collect::<rusqlite::Result<_>>()?)
}

/// Replaces what is known of a pipeline's bases.
pub fn set_bases(c: &Connection, pipeline_id: i64, bases: &[PipelineBase]) -> Result<()> {
    c.prepare_cached("DELETE FROM pipeline_bases WHERE pipeline_id = ?1")?.execute([pipeline_id])?;
    for base in bases {
        c.prepare_cached(
            "INSERT INTO pipeline_bases (pipeline_id, reference, host, repository, tag, places)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            pipeline_id,
            base.reference,
            base.address.host,
            base.address.repository,
            base.address.tag,
            to_json(&base.places)?
        ])?;
    }
    Ok(())
}

/// The trigger with this id, if it is one of the pipeline's.
pub fn by_id(c: &Connection, pipeline_id: i64, id: i64) -> Result<Option<ImageTrigger>> {
    let mut statement = c.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM image_triggers WHERE id = ?1 AND pipeline_id = ?2"
    ))?;
    Ok(statement.query_row([id, pipeline_id], trigger).optional()?)
}
