//! What led to what, in both directions: events and runs, images and what stands on them.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::rows::text;
use crate::model::{Digest, Result, StreamTagName, TagAddress};

/// The event that queued the run; `None` for one that a person started.
pub fn event_of_run(c: &Connection, run_id: i64) -> Result<Option<i64>> {
    let mut statement = c.prepare_cached("SELECT event_id FROM runs WHERE id = ?1")?;
    Ok(statement.query_row([run_id], |row| row.get(0)).optional()?.flatten())
}

/// A tag of a stream that has named an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naming {
    pub tag: StreamTagName,
    /// Whether it names it still.
    pub current: bool,
}

/// The tags of streams that have named this digest, those that still do first.
pub fn streams_naming(c: &Connection, digest: &Digest, limit: u32) -> Result<Vec<Naming>> {
    let mut statement = c.prepare_cached(
        "SELECT DISTINCT s.owner || '/' || s.name || ':' || i.tag,
            i.digest = (SELECT n.digest FROM stream_items n WHERE n.stream_id = i.stream_id AND n.tag = i.tag
                        ORDER BY n.id DESC LIMIT 1) AS current
         FROM stream_items i JOIN image_streams s ON s.id = i.stream_id WHERE i.digest = ?1
         ORDER BY current DESC, 1 LIMIT ?2",
    )?;
    let naming = |row: &Row<'_>| {
        Ok(Naming { tag: text(row, 0)?, current: row.get::<_, Option<bool>>(1)?.unwrap_or(false) })
    };
    Ok(statement.query_map(params![digest.as_str(), limit], naming)?.collect::<rusqlite::Result<_>>()?)
}

/// Pipelines that stand on a tag which names this digest now.
pub fn pipelines_on(c: &Connection, digest: &Digest) -> Result<Vec<i64>> {
    let mut statement = c.prepare_cached(
        "SELECT DISTINCT b.pipeline_id FROM tags_seen t
         JOIN pipeline_bases b ON b.host = t.host AND b.repository = t.repository AND b.tag = t.tag
         WHERE t.digest = ?1 ORDER BY b.pipeline_id LIMIT 500",
    )?;
    Ok(statement.query_map([digest.as_str()], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// What this tag named for the runs of the pipelines that stand on it, newest first.
pub fn digests_used(c: &Connection, address: &TagAddress, limit: u32) -> Result<Vec<Digest>> {
    let mut statement = c.prepare_cached(
        "SELECT b.digest, max(r.id) AS newest FROM pipeline_bases p JOIN runs r ON r.pipeline_id = p.pipeline_id
         JOIN base_images b ON b.run_id = r.id AND b.reference = p.reference
         WHERE p.host = ?1 AND p.repository = ?2 AND p.tag = ?3 AND b.digest IS NOT NULL
         GROUP BY b.digest ORDER BY newest DESC LIMIT ?4",
    )?;
    let key = params![address.host, address.repository, address.tag, limit];
    Ok(statement.query_map(key, |row| text(row, 0))?.collect::<rusqlite::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn what_nobody_knows_leads_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let digest = Digest::new(format!("sha256:{}", "1".repeat(64))).unwrap();
        let found = store
            .read(|c| Ok((event_of_run(c, 1)?, streams_naming(c, &digest, 10)?, pipelines_on(c, &digest)?)));
        assert_eq!(found.unwrap(), (None, Vec::new(), Vec::new()));
    }
}
