//! Repositories: hosted ones, and mirrors of remote ones.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::rows::{json_opt, millis, time, time_opt, to_json};
use crate::model::{Error, Message, OwnerName, RepositoryName, RepositoryPath, Result};
use crate::msg;

#[derive(Clone, Debug)]
pub struct Repository {
    pub id: i64,
    pub path: RepositoryPath,
    pub description: String,
    /// Seen by its owner and admins only.
    pub private: bool,
    /// Short name; `None` until the first branch was pushed.
    pub default_branch: Option<String>,
    pub created_at: Timestamp,
    pub last_run_id: Option<i64>,
    /// Set when it mirrors a remote repository; such a one takes no pushes.
    pub remote: Option<Remote>,
}

#[derive(Clone, Debug)]
pub struct Remote {
    pub url: String,
    pub user: Option<String>,
    /// As `Sealer::seal` made it.
    pub sealed: Option<Vec<u8>>,
    pub polled_at: Option<Timestamp>,
    /// The last poll's failure, empty of credentials.
    pub error: Option<Message>,
}

const COLUMNS: &str =
    "r.id, r.owner, r.name, r.description, r.private, r.default_branch, r.created_at, r.last_run_id,
    r.remote_url, r.remote_user, r.remote_secret, r.polled_at, r.poll_error";

fn repository(row: &Row<'_>) -> rusqlite::Result<Repository> {
    let remote = match row.get::<_, Option<String>>(8)? {
        Some(url) => Some(Remote {
            url,
            user: row.get(9)?,
            sealed: row.get(10)?,
            polled_at: time_opt(row, 11)?,
            error: json_opt(row, 12)?,
        }),
        None => None,
    };
    let owner: OwnerName = super::rows::text(row, 1)?;
    let name: RepositoryName = super::rows::text(row, 2)?;
    Ok(Repository {
        id: row.get(0)?,
        path: RepositoryPath { owner, name },
        description: row.get(3)?,
        private: row.get(4)?,
        default_branch: row.get(5)?,
        created_at: time(row, 6)?,
        last_run_id: row.get(7)?,
        remote,
    })
}

#[derive(Clone, Debug)]
pub struct NewRepository {
    pub path: RepositoryPath,
    pub description: String,
    pub private: bool,
    pub remote: Option<Remote>,
}

/// `Conflict` when the path is taken, also in other case.
pub fn create(c: &Connection, new: &NewRepository, at: Timestamp) -> Result<i64> {
    let remote = new.remote.as_ref();
    let made = c.execute(
        "INSERT INTO repositories (owner, name, description, private, created_at, remote_url, remote_user, remote_secret)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
        params![
            new.path.owner.as_str(),
            new.path.name.as_str(),
            new.description,
            new.private,
            millis(at),
            remote.map(|r| &r.url),
            remote.and_then(|r| r.user.as_ref()),
            remote.and_then(|r| r.sealed.as_ref()),
        ],
    )?;
    if made == 0 {
        return Err(Error::Conflict(msg!("repository-exists", path = new.path)));
    }
    Ok(c.last_insert_rowid())
}

pub fn by_path(c: &Connection, path: &RepositoryPath) -> Result<Option<Repository>> {
    let mut statement = c.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM repositories r WHERE r.owner = ?1 AND r.name = ?2"
    ))?;
    Ok(statement.query_row([path.owner.as_str(), path.name.as_str()], repository).optional()?)
}

pub fn by_id(c: &Connection, id: i64) -> Result<Option<Repository>> {
    let mut statement = c.prepare_cached(&format!("SELECT {COLUMNS} FROM repositories r WHERE r.id = ?1"))?;
    Ok(statement.query_row([id], repository).optional()?)
}

/// Every repository, for the poll.
pub fn all(c: &Connection) -> Result<Vec<Repository>> {
    let mut statement = c.prepare_cached(&format!("SELECT {COLUMNS} FROM repositories r ORDER BY r.id"))?;
    Ok(statement.query_map([], repository)?.collect::<rusqlite::Result<_>>()?)
}

/// The highest id given out: whether there are new ones.
pub fn newest(c: &Connection) -> Result<i64> {
    let mut statement = c.prepare_cached("SELECT coalesce(max(id), 0) FROM repositories")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// Repositories `viewer` may see (`None`: public ones; admins: all), those with the newest run first,
/// after the one with key `(last_run_id, id)`.
pub fn page(
    c: &Connection,
    viewer: Viewer<'_>,
    after: Option<(i64, i64)>,
    limit: u32,
) -> Result<Vec<Repository>> {
    let (all, owner) = viewer.columns();
    let (run, id) = after.unwrap_or((i64::MAX, i64::MAX));
    let mut statement = c.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM repositories r
         WHERE (?1 OR r.private = 0 OR r.owner = ?2) AND (coalesce(r.last_run_id, 0), r.id) < (?3, ?4)
         ORDER BY coalesce(r.last_run_id, 0) DESC, r.id DESC LIMIT ?5"
    ))?;
    Ok(statement
        .query_map(params![all, owner, run, id, limit], repository)?
        .collect::<rusqlite::Result<_>>()?)
}

/// Repositories `viewer` may see whose `owner/name` has `part` in it, case set aside, by name. Looks at every name.
pub fn named(c: &Connection, viewer: Viewer<'_>, part: &str, limit: u32) -> Result<Vec<Repository>> {
    let (all, owner) = viewer.columns();
    let mut statement = c.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM repositories r
         WHERE (?1 OR r.private = 0 OR r.owner = ?2) AND instr(lower(r.owner || '/' || r.name), lower(?3)) > 0
         ORDER BY r.owner, r.name LIMIT ?4"
    ))?;
    Ok(statement.query_map(params![all, owner, part, limit], repository)?.collect::<rusqlite::Result<_>>()?)
}

/// Whose eyes a list is for.
#[derive(Clone, Copy, Debug)]
pub enum Viewer<'a> {
    Nobody,
    Account(&'a OwnerName),
    Admin,
}

impl<'a> Viewer<'a> {
    /// (sees everything, owner whose private repositories show)
    pub(super) fn columns(self) -> (bool, &'a str) {
        match self {
            Viewer::Nobody => (false, ""),
            Viewer::Account(name) => (false, name.as_str()),
            Viewer::Admin => (true, ""),
        }
    }
}

pub fn set_default_branch(c: &Connection, id: i64, branch: &str) -> Result<()> {
    c.execute("UPDATE repositories SET default_branch = ?2 WHERE id = ?1", params![id, branch])?;
    Ok(())
}

pub fn set_polled(c: &Connection, id: i64, at: Timestamp, error: Option<&Message>) -> Result<()> {
    c.execute(
        "UPDATE repositories SET polled_at = ?2, poll_error = ?3 WHERE id = ?1",
        params![id, millis(at), error.map(to_json).transpose()?],
    )?;
    Ok(())
}

pub fn update(c: &Connection, id: i64, description: &str, private: bool) -> Result<()> {
    c.execute(
        "UPDATE repositories SET description = ?2, private = ?3 WHERE id = ?1",
        params![id, description, private],
    )?;
    Ok(())
}

/// Deletes the rows of the repository, its pipelines and runs. `Conflict` while one of its runs is not finished.
pub fn delete(c: &Connection, id: i64) -> Result<()> {
    let busy: bool = c.query_row(
        "SELECT EXISTS (SELECT 1 FROM runs WHERE repository_id = ?1 AND status IN ('queued', 'waiting', 'running'))",
        [id],
        |row| row.get(0),
    )?;
    if busy {
        return Err(Error::Conflict(msg!("repository-busy")));
    }
    c.execute("DELETE FROM repositories WHERE id = ?1", [id])?;
    Ok(())
}
