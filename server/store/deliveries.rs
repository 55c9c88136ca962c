//! What registries sent: written before it is answered, handled in order, kept for a time so that it can be looked
//! at and sent again.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::pushes;
use super::rows::{json, json_opt, millis, text, time, time_opt, to_json};
use crate::model::{Delivery, DeliveryPart, DeliverySource, Error, Result, TagAddress};
use crate::msg;

const COLUMNS: &str =
    "id, received_at, source, webhook_id, address, headers, body, replay_of, replay_by, handled, tries,
    handled_at, outcome";

fn delivery(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    Ok(Delivery {
        id: row.get(0)?,
        received_at: time(row, 1)?,
        source: text(row, 2)?,
        webhook_id: row.get(3)?,
        address: row.get(4)?,
        headers: json(row, 5)?,
        body: row.get(6)?,
        replay_of: row.get(7)?,
        replay_by: row.get(8)?,
        handled: row.get(9)?,
        tries: row.get(10)?,
        handled_at: time_opt(row, 11)?,
        outcome: json_opt(row, 12)?.unwrap_or_default(),
    })
}

/// A delivery as it is kept.
pub struct NewDelivery {
    source: DeliverySource,
    webhook_id: Option<i64>,
    address: String,
    headers: String,
    body: Vec<u8>,
}

impl NewDelivery {
    /// `headers` are those without credentials. Whatever can be made ready before the writer's turn is.
    pub fn new(
        (source, webhook_id): (DeliverySource, Option<i64>),
        address: String,
        headers: &[(&str, String)],
        body: Vec<u8>,
    ) -> Result<NewDelivery> {
        Ok(NewDelivery { source, webhook_id, address, headers: to_json(&headers)?, body })
    }
}

/// Keeps a delivery as it came; returns its id.
pub fn receive(c: &Connection, new: &NewDelivery, at: Timestamp) -> Result<i64> {
    c.prepare_cached(
        "INSERT INTO deliveries (received_at, source, webhook_id, address, headers, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![millis(at), new.source.as_str(), new.webhook_id, new.address, new.headers, new.body])?;
    Ok(c.last_insert_rowid())
}

/// The same once more, by a person; returns the new one's id. `NotFound` when it is no longer kept.
pub fn replay(c: &Connection, id: i64, by: &str, at: Timestamp) -> Result<i64> {
    let made = c
        .prepare_cached(
            "INSERT INTO deliveries (received_at, source, webhook_id, address, headers, body, replay_of, replay_by)
             SELECT ?2, source, webhook_id, address, headers, body, id, ?3 FROM deliveries WHERE id = ?1",
        )?
        .execute(params![id, millis(at), by])?;
    match made {
        0 => Err(Error::NotFound(msg!("hook-delivery-not-found", id = id))),
        _ => Ok(c.last_insert_rowid()),
    }
}

pub fn by_id(c: &Connection, id: i64) -> Result<Option<Delivery>> {
    let mut statement = c.prepare_cached(&format!("SELECT {COLUMNS} FROM deliveries WHERE id = ?1"))?;
    Ok(statement.query_row([id], delivery).optional()?)
}

/// Those that nothing came of yet, after `after`, oldest first: id, and the webhook whose token it bore. Bodies are
/// not read.
pub fn waiting(c: &Connection, after: i64, limit: u32) -> Result<Vec<(i64, Option<i64>)>> {
    let mut statement = c.prepare_cached(
        "SELECT id, webhook_id FROM deliveries WHERE handled = 0 AND id > ?1 ORDER BY id LIMIT ?2",
    )?;
    let rows = statement.query_map([after, i64::from(limit)], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The webhook whose token a delivery bore; the outer `None` when it is no longer kept.
pub fn webhook_of(c: &Connection, id: i64) -> Result<Option<Option<i64>>> {
    let mut statement = c.prepare_cached("SELECT webhook_id FROM deliveries WHERE id = ?1")?;
    Ok(statement.query_row([id], |row| row.get(0)).optional()?)
}

/// Whether a person sent it again; `false` when it is no longer kept.
pub fn is_replay(c: &Connection, id: i64) -> Result<bool> {
    let mut statement =
        c.prepare_cached("SELECT 1 FROM deliveries WHERE id = ?1 AND replay_of IS NOT NULL")?;
    Ok(statement.exists([id])?)
}

/// Newest first, before `before`; those of one webhook, or all.
pub fn page(
    c: &Connection,
    webhook_id: Option<i64>,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Delivery>> {
    let narrowed = if webhook_id.is_some() { "webhook_id = ?1" } else { "?1 IS NULL" };
    let mut statement = c.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM deliveries WHERE {narrowed} AND id < ?2 ORDER BY id DESC LIMIT ?3"
    ))?;
    let key = params![webhook_id, before.unwrap_or(i64::MAX), limit];
    Ok(statement.query_map(key, delivery)?.collect::<rusqlite::Result<_>>()?)
}

/// Writes what came of it. `false` when that had been written already: then nothing may follow from it again.
pub fn done(c: &Connection, id: i64, outcome: &[DeliveryPart], at: Timestamp) -> Result<bool> {
    let changed = c
        .prepare_cached(
            "UPDATE deliveries SET handled = 1, handled_at = ?2, outcome = ?3 WHERE id = ?1 AND handled = 0",
        )?
        .execute(params![id, millis(at), to_json(&outcome)?])?;
    Ok(changed == 1)
}

/// It could not be handled; it stays and is tried again.
pub fn failed(c: &Connection, id: i64, why: &[DeliveryPart]) -> Result<()> {
    c.prepare_cached("UPDATE deliveries SET tries = tries + 1, outcome = ?2 WHERE id = ?1 AND handled = 0")?
        .execute(params![id, to_json(&why)?])?;
    Ok(())
}

/// Whether the sender's event is here for the first time; from now on it is not.
pub fn first_time(c: &Connection, key: &str, delivery_id: i64, at: Timestamp) -> Result<bool> {
    let made = c
        .prepare_cached(
            "INSERT INTO delivered_events (event_key, delivery_id, at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?
        .execute(params![key, delivery_id, millis(at)])?;
    Ok(made == 1)
}

/// Whether the sender's event was here before.
pub fn is_known(c: &Connection, key: &str) -> Result<bool> {
    let mut statement = c.prepare_cached("SELECT 1 FROM delivered_events WHERE event_key = ?1")?;
    Ok(statement.exists([key])?)
}

/// Forgets what is older than `before`: ids of events, and deliveries that were handled.
pub fn prune(c: &Connection, before: Timestamp) -> Result<()> {
    c.prepare_cached("DELETE FROM delivered_events WHERE at < ?1")?.execute([millis(before)])?;
    pushes::prune(c, before)?;
    // The oldest come first, a few each time: the table is never read as a whole.
    c.prepare_cached(
        "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries ORDER BY id LIMIT 500)
         AND handled = 1 AND received_at < ?1",
    )?
    .execute([millis(before)])?;
    Ok(())
}

/// Whether a stream follows every tag of the repository.
pub fn is_of_stream(c: &Connection, address: &TagAddress) -> Result<bool> {
    let mut statement = c.prepare_cached("SELECT 1 FROM image_streams WHERE repository = ?1")?;
    Ok(statement.exists([format!("{}/{}", address.host, address.repository)])?)
}
