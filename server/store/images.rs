//! Images that runs pushed, and the bases they stood on: provenance, both ways.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::repositories::Viewer;
use super::rows::{json, json_opt, millis, text, text_opt, time, time_opt, to_json};
use crate::model::{BaseImage, Digest, Result, RunImage};

const COLUMNS: &str = "run_id, stage, repository, tag, digest, size, labels, pushed_at";

fn image(row: &Row<'_>) -> rusqlite::Result<RunImage> {
    Ok(RunImage {
        run_id: row.get(0)?,
        stage: row.get(1)?,
        repository: row.get(2)?,
        tag: row.get(3)?,
        digest: text(row, 4)?,
        size: row.get(5)?,
        labels: json(row, 6)?,
        pushed_at: time(row, 7)?,
    })
}

/// Records an image of a run; pushed again under the same tag by the same run, the newer digest counts. `false` when
/// it was recorded already: a later stage that finds it in the registry has not pushed it.
pub fn record(c: &Connection, new: &RunImage) -> Result<bool> {
    let changed = c
        .prepare_cached(
            "INSERT INTO run_images (run_id, stage, repository, tag, digest, size, labels, pushed_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (run_id, repository, tag) DO UPDATE SET stage = excluded.stage, digest = excluded.digest,
            size = excluded.size, labels = excluded.labels, pushed_at = excluded.pushed_at
         WHERE digest <> excluded.digest",
        )?
        .execute(params![
            new.run_id,
            new.stage,
            new.repository,
            new.tag,
            new.digest.as_str(),
            new.size,
            to_json(&new.labels)?,
            millis(new.pushed_at)
        ])?;
    Ok(changed == 1)
}

pub fn of_run(c: &Connection, run_id: i64) -> Result<Vec<RunImage>> {
    let mut statement = c.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM run_images WHERE run_id = ?1 ORDER BY stage, repository, tag"
    ))?;
    Ok(statement.query_map([run_id], image)?.collect::<rusqlite::Result<_>>()?)
}

/// Every run that pushed this digest, newest first.
pub fn by_digest(c: &Connection, digest: &Digest) -> Result<Vec<RunImage>> {
    let mut statement = c.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM run_images WHERE digest = ?1 ORDER BY run_id DESC LIMIT 100"
    ))?;
    Ok(statement.query_map([digest.as_str()], image)?.collect::<rusqlite::Result<_>>()?)
}

/// Every run that pushed this tag, newest first.
pub fn by_tag(c: &Connection, repository: &str, tag: &str) -> Result<Vec<RunImage>> {
    let mut statement = c.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM run_images WHERE repository = ?1 AND tag = ?2 ORDER BY run_id DESC LIMIT 100"
    ))?;
    Ok(statement.query_map([repository, tag], image)?.collect::<rusqlite::Result<_>>()?)
}

/// Whether a run of the pipeline has pushed an image of this registry repository, under any tag.
pub fn is_pushed_by(c: &Connection, pipeline_id: i64, repository: &str) -> Result<bool> {
    let mut statement = c.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM run_images i JOIN runs r ON r.id = i.run_id
           WHERE i.repository = ?1 AND r.pipeline_id = ?2)",
    )?;
    Ok(statement.query_row(params![repository, pipeline_id], |row| row.get(0))?)
}

/// The newest run behind each tag of a registry repository.
pub fn of_repository(c: &Connection, repository: &str) -> Result<Vec<RunImage>> {
    let mut statement = c.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM run_images i WHERE repository = ?1
           AND run_id = (SELECT max(run_id) FROM run_images o WHERE o.repository = i.repository AND o.tag = i.tag)
         ORDER BY tag"
    ))?;
    Ok(statement.query_map([repository], image)?.collect::<rusqlite::Result<_>>()?)
}

/// The last image that was pushed to a registry repository by a run `viewer` may see.
pub fn newest(c: &Connection, repository: &str, viewer: Viewer<'_>) -> Result<Option<RunImage>> {
    let (all, owner) = viewer.columns();
    let mut statement = c.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM run_images WHERE repository = ?1 AND run_id =
           (SELECT max(i.run_id) FROM run_images i JOIN runs n ON n.id = i.run_id
              JOIN repositories r ON r.id = n.repository_id
            WHERE i.repository = ?1 AND (?2 OR r.private = 0 OR r.owner = ?3))
         ORDER BY pushed_at DESC, tag DESC LIMIT 1"
    ))?;
    Ok(statement.query_row(params![repository, all, owner], image).optional()?)
}

const BASE: &str = "reference, pinned, digest, note, made_at, used";

fn base(row: &Row<'_>) -> rusqlite::Result<BaseImage> {
    Ok(BaseImage {
        reference: row.get(0)?,
        pinned: row.get(1)?,
        digest: text_opt(row, 2)?,
        note: json_opt(row, 3)?,
        made_at: time_opt(row, 4)?,
        used: json(row, 5)?,
    })
}

/// What the bases of a run stood at when it was queued.
pub fn bases(c: &Connection, run_id: i64) -> Result<Vec<BaseImage>> {
    let mut statement =
        c.prepare_cached(&format!("SELECT {BASE} FROM base_images WHERE run_id = ?1 ORDER BY reference"))?;
    Ok(statement.query_map([run_id], base)?.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn record_base(c: &Connection, run_id: i64, base: &BaseImage) -> Result<()> {
    c.prepare_cached(
        "INSERT INTO base_images (run_id, reference, pinned, digest, note, made_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
    )?
    .execute(params![
        run_id,
        base.reference,
        base.pinned,
        base.digest.as_ref().map(Digest::as_str),
        base.note.as_ref().map(to_json).transpose()?,
        base.made_at.map(millis)
    ])?;
    Ok(())
}

/// What became of a base in the course of its run: what is said of it now, and what was used.
pub fn end_base(c: &Connection, run_id: i64, base: &BaseImage) -> Result<()> {
    let note = base.note.as_ref().map(to_json).transpose()?;
    c.prepare_cached("UPDATE base_images SET note = ?3, used = ?4 WHERE run_id = ?1 AND reference = ?2")?
        .execute(params![run_id, base.reference, note, to_json(&base.used)?])?;
    Ok(())
}

/// The newest runs that stood on this digest.
pub fn runs_on(c: &Connection, digest: &Digest, limit: u32) -> Result<Vec<i64>> {
    let mut statement = c.prepare_cached(
        "SELECT DISTINCT run_id FROM base_images WHERE digest = ?1 ORDER BY run_id DESC LIMIT ?2",
    )?;
    let rows = statement.query_map(params![digest.as_str(), limit], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
