//! Whether a data directory may be opened: what is lost must not be replaced by something new that looks well. It only
//! looks, and its refusals say what to do.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::sealed::Sealer;
use super::sealed_values;
use crate::model::{Error, Message, Result};
use crate::msg;

/// Before the database file is opened, which would make it.
pub fn file(directory: &Path, path: &Path) -> Result<()> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return anew(directory, path),
        Err(cause) => return Err(Error::Conflict(unusable(directory, cause))),
    };
    if !found.is_file() {
        return Err(Error::Conflict(msg!("store-not-a-file", path = path.display())));
    }
    if found.len() == 0 { anew(directory, path) } else { Ok(()) }
}

/// Before an opened database gets its tables, or its first account.
pub fn tables(c: &Connection, directory: &Path, path: &Path) -> Result<()> {
    let made: bool = c.query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))?;
    let accounts = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'accounts')";
    let known = made && c.query_row(accounts, [], |row| row.get(0))?;
    let someone = || c.query_row("SELECT EXISTS (SELECT 1 FROM accounts)", [], |row| row.get::<_, bool>(0));
    if known && someone()? {
        return Ok(());
    }
    anew(directory, path)
}

/// `Conflict` when something is there that only a database with accounts can have left.
fn anew(directory: &Path, path: &Path) -> Result<()> {
    match left(directory) {
        None => Ok(()),
        Some(left) => {
            let (path, directory) = (path.display(), directory.display());
            let left = left.display();
            Err(Error::Conflict(msg!("store-begins-anew", path = path, left = left, directory = directory)))
        }
    }
}

/// The first thing found that belongs to a database. The key is made after the first account.
pub fn left(directory: &Path) -> Option<PathBuf> {
    let key = directory.join("key");
    if fs::symlink_metadata(&key).is_ok() {
        return Some(key);
    }
    let inside = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let is_repository = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "git");
    let owners = inside(&directory.join("repositories"));
    let repository = owners.iter().find_map(|owner| inside(owner).into_iter().find(is_repository));
    repository.or_else(|| inside(&directory.join("logs")).into_iter().next())
}

/// The folder of repositories must be there when repositories are known: made anew it would be an empty one.
pub fn repositories(c: &Connection, directory: &Path) -> Result<()> {
    let folder = directory.join("repositories");
    if folder.exists() {
        return Ok(());
    }
    let sql = "SELECT count(*) FROM repositories WHERE remote_url IS NULL";
    match c.query_row(sql, [], |row| row.get::<_, i64>(0))? {
        0 => Ok(()),
        count => {
            let path = folder.display();
            Err(Error::Conflict(msg!("store-no-repositories", path = path, count = count)))
        }
    }
}

/// Whether the key beside the database is the one its values were sealed with; notes it when nobody has yet.
pub fn key(c: &Connection, sealer: &Sealer, path: &Path) -> Result<()> {
    match key_of(c, sealer, path)? {
        Key::Unknown => sealed_values::own_key(c, sealer),
        Key::Own | Key::NotYet => Ok(()),
    }
}

pub enum Key {
    Own,
    /// It opens what there is, and the database does not know it.
    Unknown,
    /// There is none, and nothing that was sealed.
    NotYet,
}

/// Only looks. `Conflict` when it is lost or another's.
pub fn key_of(c: &Connection, sealer: &Sealer, path: &Path) -> Result<Key> {
    let (shown, directory) = (path.display(), path.parent().unwrap_or(path).display());
    let seen = || sealed_values::look(c, sealer);
    if !sealer.has_key() {
        return match seen()?.count {
            0 => Ok(Key::NotYet),
            count => {
                let lost = msg!("store-key-lost", path = shown, count = count, directory = directory);
                Err(Error::Conflict(lost))
            }
        };
    }
    let count = match sealed_values::is_own_key(c, sealer)? {
        Some(true) => return Ok(Key::Own),
        Some(false) => seen()?.count,
        None => {
            let seen = seen()?;
            if seen.count == 0 || seen.closed.len() < seen.count {
                return Ok(Key::Unknown);
            }
            seen.count
        }
    };
    Err(Error::Conflict(msg!("store-key-other", path = shown, count = count, directory = directory)))
}

/// Why the folder cannot be used at all.
pub fn unusable(directory: &Path, cause: impl std::fmt::Display) -> Message {
    msg!("store-unusable", path = directory.display(), cause = cause)
}
