//! The journal: append-only rows of what happened, with what the triggers made of each.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::rows::{json, json_opt, millis, time, to_json};
use crate::model::{Event, Happened, Outcome, Result, TagAddress};

const COLUMNS: &str = "e.id, e.at, e.repository_id, e.happened, e.outcome, e.cause_id";

fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    Ok(Event {
        id: row.get(0)?,
        at: time(row, 1)?,
        repository_id: row.get(2)?,
        happened: json(row, 3)?,
        outcome: json_opt(row, 4)?,
        cause_id: row.get(5)?,
    })
}

/// Appends; returns the event's id.
pub fn add(c: &Connection, repository_id: Option<i64>, happened: &Happened, at: Timestamp) -> Result<i64> {
    add_caused(c, None, (repository_id, happened), at)
}

/// Appends what the event `cause_id` led to; returns the event's id.
pub fn add_caused(
    c: &Connection,
    cause_id: Option<i64>,
    (repository_id, happened): (Option<i64>, &Happened),
    at: Timestamp,
) -> Result<i64> {
    c.prepare_cached(
        "INSERT INTO events (at, kind, repository_id, happened, undecided, cause_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        millis(at),
        happened.kind(),
        repository_id,
        to_json(happened)?,
        happened.wants_decision(),
        cause_id
    ])?;
    Ok(c.last_insert_rowid())
}

/// The first after `after` whose events wait for a decision: the id of a repository, or 0 for the events of none.
pub fn next_turn(c: &Connection, after: i64) -> Result<Option<i64>> {
    let mut statement = c.prepare_cached(
        "SELECT coalesce(e.repository_id, 0) FROM events e INDEXED BY events_turns
         WHERE e.undecided = 1 AND coalesce(e.repository_id, 0) > ?1 ORDER BY coalesce(e.repository_id, 0) LIMIT 1",
    )?;
    Ok(statement.query_row([after], |row| row.get(0)).optional()?)
}

/// Ids of its oldest events that are not decided; `turn` as `next_turn` gives it.
pub fn undecided_of(c: &Connection, turn: i64, limit: u32) -> Result<Vec<i64>> {
    let mut statement = c.prepare_cached(
        "SELECT e.id FROM events e INDEXED BY events_turns
         WHERE e.undecided = 1 AND coalesce(e.repository_id, 0) = ?1 ORDER BY e.id LIMIT ?2",
    )?;
    Ok(statement.query_map(params![turn, limit], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// Events that are not decided, those of one turn together.
pub fn undecided(c: &Connection, limit: u32) -> Result<Vec<Event>> {
    let mut statement = c.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM events e INDEXED BY events_turns
         WHERE e.undecided = 1 ORDER BY coalesce(e.repository_id, 0), e.id LIMIT ?1"
    ))?;
    Ok(statement.query_map([limit], event)?.collect::<rusqlite::Result<_>>()?)
}

/// Whether an event of the repository with an id from `first` to `last` is not decided.
pub fn any_undecided(c: &Connection, repository_id: i64, (first, last): (i64, i64)) -> Result<bool> {
    let mut statement = c.prepare_cached(
        "SELECT 1 FROM events e INDEXED BY events_turns
         WHERE e.undecided = 1 AND coalesce(e.repository_id, 0) = ?1 AND e.id BETWEEN ?2 AND ?3",
    )?;
    Ok(statement.exists(params![repository_id, first, last])?)
}

/// Writes what came of the event. `false` when it had been decided already: then nothing must be queued for it.
pub fn decide(c: &Connection, id: i64, outcome: &[Outcome]) -> Result<bool> {
    let changed = c
        .prepare_cached("UPDATE events SET undecided = 0, outcome = ?2 WHERE id = ?1 AND undecided = 1")?
        .execute(params![id, to_json(&outcome)?])?;
    Ok(changed == 1)
}

pub fn by_id(c: &Connection, id: i64) -> Result<Option<Event>> {
    let mut statement = c.prepare_cached(&format!("SELECT {COLUMNS} FROM events e WHERE e.id = ?1"))?;
    Ok(statement.query_row([id], event).optional()?)
}

/// The move of a tag that a delivery brought to light, while it is among the newest.
pub fn moved_by(c: &Connection, delivery_id: i64, address: &TagAddress) -> Result<Option<i64>> {
    let mut statement = c.prepare_cached(
        "SELECT id FROM (SELECT id, happened FROM events WHERE kind = 'tag-moved' ORDER BY id DESC LIMIT 100)
         WHERE happened ->> '$.delivery_id' = ?1 AND happened ->> '$.address.repository' = ?2
            AND happened ->> '$.address.tag' = ?3 LIMIT 1",
    )?;
    let key = params![delivery_id, address.repository, address.tag];
    Ok(statement.query_row(key, |row| row.get(0)).optional()?)
}

/// What an event led to, oldest first.
pub fn caused_by(c: &Connection, id: i64, limit: u32) -> Result<Vec<Event>> {
    let mut statement = c.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM events e WHERE e.cause_id = ?1 ORDER BY e.id LIMIT ?2"
    ))?;
    Ok(statement.query_map(params![id, limit], event)?.collect::<rusqlite::Result<_>>()?)
}

/// What a page of the journal is filtered by.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub repository_id: Option<i64>,
    pub kind: Option<String>,
    /// Only events with a smaller id: the key of the page before.
    pub before: Option<i64>,
    pub image: ImageFilter,
}

/// What events about images are narrowed to; empty texts do not count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageFilter {
    /// Name of a Docker trigger.
    pub webhook: String,
    /// `namespace/name`, or a part of it.
    pub image: String,
    pub tag: String,
    pub owner: String,
    /// Whether a run came of it.
    pub started: Option<bool>,
}

/// Newest first.
pub fn page(c: &Connection, filter: &Filter, limit: u32) -> Result<Vec<Event>> {
    let before = filter.before.unwrap_or(i64::MAX);
    let narrowed = match (filter.repository_id, &filter.kind) {
        (Some(_), Some(_)) => "e.repository_id = ?2 AND e.kind = ?3",
        (Some(_), None) => "e.repository_id = ?2 AND ?3 IS NULL",
        (None, Some(_)) => "?2 IS NULL AND e.kind = ?3",
        (None, None) => "?2 IS NULL AND ?3 IS NULL",
    };
    let key = params![before, filter.repository_id, filter.kind, limit];
    if filter.image == ImageFilter::default() {
        let mut statement = c.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM events e WHERE e.id < ?1 AND {narrowed} ORDER BY e.id DESC LIMIT ?4"
        ))?;
        return Ok(statement.query_map(key, event)?.collect::<rusqlite::Result<_>>()?);
    }
    let image = &filter.image;
    let mut statement = c.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM events e WHERE e.id < ?1 AND {narrowed} AND
            (?5 = '' OR e.happened ->> '$.webhook' = ?5 COLLATE NOCASE) AND
            (?6 = '' OR instr(coalesce(e.happened ->> '$.image.repository', e.happened ->> '$.address.repository',
                e.happened ->> '$.repository', ''), ?6) > 0) AND
            (?7 = '' OR coalesce(e.happened ->> '$.image.tag', e.happened ->> '$.address.tag', e.happened ->> '$.tag') = ?7) AND
            (?8 = '' OR e.happened ->> '$.image.owner' = ?8) AND
            (?9 IS NULL OR ?9 = EXISTS (SELECT 1 FROM json_each(e.outcome) o WHERE o.value ->> '$.run_id' IS NOT NULL))
         ORDER BY e.id DESC LIMIT ?4"
    ))?;
    let key = params![
        before,
        filter.repository_id,
        filter.kind,
        limit,
        image.webhook,
        image.image,
        image.tag,
        image.owner,
        image.started
    ];
    Ok(statement.query_map(key, event)?.collect::<rusqlite::Result<_>>()?)
}
