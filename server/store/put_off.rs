//! Events whose decision waits for the end of a run, because their image may be that run's own. An event waits for one
//! run at a time; when that has ended it is undecided again.

use rusqlite::{Connection, params};

use crate::model::Result;

/// The event is decided once more when the run has ended.
pub fn until_end(c: &Connection, event_id: i64, run_id: i64) -> Result<()> {
    c.prepare_cached(
        "INSERT INTO events_put_off (event_id, run_id) VALUES (?1, ?2)
         ON CONFLICT DO UPDATE SET run_id = max(run_id, excluded.run_id)",
    )?
    .execute(params![event_id, run_id])?;
    Ok(())
}

/// Whether the event waits for the end of a run.
pub fn is(c: &Connection, event_id: i64) -> Result<bool> {
    let mut statement = c.prepare_cached("SELECT 1 FROM events_put_off WHERE event_id = ?1")?;
    Ok(statement.exists([event_id])?)
}

/// Events whose run has ended, oldest first.
pub fn ripe(c: &Connection) -> Result<Vec<i64>> {
    let mut statement = c.prepare_cached(
        "SELECT event_id FROM events_put_off WHERE run_id NOT IN
            (SELECT id FROM runs WHERE status IN ('queued', 'waiting', 'running')) ORDER BY event_id LIMIT 100",
    )?;
    Ok(statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// From here on they are undecided.
pub fn wake(c: &Connection, events: &[i64]) -> Result<()> {
    for id in events {
        c.prepare_cached("DELETE FROM events_put_off WHERE event_id = ?1")?.execute([id])?;
        c.prepare_cached("UPDATE events SET undecided = 1 WHERE id = ?1")?.execute([id])?;
    }
    Ok(())
}
