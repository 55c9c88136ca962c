//! Opening the database's file: how a connection is set up, and the migrations that bring an older one up to date.

use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use rusqlite_migration::{M, Migrations};

use super::{PATIENCE, begin};
use crate::model::{Error, Result};
use crate::msg;

pub(super) const MIGRATIONS: &[M<'_>] = &[
    M::up(include_str!("migrations/0001.sql")),
    M::up(include_str!("migrations/0002.sql")),
    M::up(include_str!("migrations/0003.sql")),
    M::up(include_str!("migrations/0004.sql")),
    M::up(include_str!("migrations/0005.sql")),
];
/// A database larger than this is not checked at start, in bytes; `check` does it.
const LARGEST_CHECKED: u64 = 4 << 20;

/// `ropewalk.db` with a suffix, as SQLite names what it keeps beside a database.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(suffix);
    name.into()
}

/// The writer's connection to a database that is whole and of this version.
pub(super) fn open(directory: &Path, path: &Path) -> Result<Connection> {
    let mut connection = connect_or_say(directory, path)?;
    begin::tables(&connection, directory, path)?;
    migrate(&mut connection, path)?;
    check_small(&connection, path)?;
    Ok(connection)
}

/// A folder that cannot be written to is something a person can mend.
fn connect_or_say(directory: &Path, path: &Path) -> Result<Connection> {
    use rusqlite::ErrorCode::{CannotOpen, PermissionDenied, ReadOnly};
    let refused = |cause: &rusqlite::Error| {
        matches!(cause.sqlite_error_code(), Some(CannotOpen | PermissionDenied | ReadOnly))
    };
    open_file(path, false).map_err(|cause| match refused(&cause) {
        true => Error::Conflict(begin::unusable(directory, cause)),
        false => cause.into(),
    })
}

pub(super) fn connect(path: &Path, read_only: bool) -> Result<Connection> {
    Ok(open_file(path, read_only)?)
}

fn open_file(path: &Path, read_only: bool) -> rusqlite::Result<Connection> {
    let flags = if read_only {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    } else {
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
    };
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(64);
    // A plan never depends on the values. Otherwise what asks a table with an index of some of its rows is prepared
    // anew whenever a value is bound, in case it now says that the index has them all.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "cache_size", if read_only { -1024 } else { -4096 })?;
    connection.pragma_update(None, "foreign_keys", true)?;
    if !read_only {
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        // 31 MiB: when much comes at once, every commit waits while the log is carried over.
        connection.pragma_update(None, "wal_autocheckpoint", 8000)?;
        // A log that was larger for once is cut to this when it is begun anew.
        connection.pragma_update(None, "journal_size_limit", 32 << 20)?;
    }
    Ok(connection)
}

/// SQLite's quick check, where it costs no time that anybody would notice.
fn check_small(connection: &Connection, path: &Path) -> Result<()> {
    if std::fs::metadata(path).is_ok_and(|file| file.len() > LARGEST_CHECKED) {
        return Ok(());
    }
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" { Ok(()) } else { Err(Error::Conflict(msg!("store-damaged", cause = found))) }
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<()> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = MIGRATIONS.len() as i64;
    if version > known {
        return Err(Error::Conflict(msg!(
            "store-newer",
            found = version,
            known = known,
            path = path.display()
        )));
    }
    if version > 0 && version < known {
        let copy = path.with_extension(format!("db.before-{}", version + 1));
        connection.execute("VACUUM INTO ?1", [copy.to_string_lossy()])?;
    }
    let migrations = Migrations::from_slice(MIGRATIONS);
    migrations.to_latest(connection).map_err(|cause| match cause {
        rusqlite_migration::Error::RusqliteError { err, .. } => err.into(),
        other => Error::internal("migrate the database", other),
    })
}
