//! SQLite: the only room with SQL. One file per noun; functions over `&Connection`, synchronous.
//!
//! Reads take a connection of the pool and run where they are called (7-120 us each; what scans goes
//! to `web::block`). Writes go to one writer thread that commits in groups with `synchronous=FULL`:
//! when `write` returns, the row survives a power cut. Every commit rings the bell.
//!
//! The planner gets no statistics (nothing runs `ANALYZE` or `PRAGMA optimize`): they would be as old as the last
//! stop of the server, and a house that has grown since would scan whole tables. Every query names an index's columns.

pub mod accounts;
pub mod causality;
pub mod deliveries;
pub mod docker_webhooks;
pub mod endpoints;
pub mod events;
pub mod images;
pub mod pipelines;
pub mod pushes;
pub mod put_off;
pub mod refs;
pub mod repositories;
mod reserve;
mod rows;
pub mod runs;
mod sealed;
pub mod settings;
pub mod streams;
pub mod tags;
pub mod triggers;
pub mod variables;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use rusqlite::Connection;
use rusqlite::OpenFlags;
use rusqlite::config::DbConfig;
use rusqlite_migration::{M, Migrations};
pub use sealed::Sealer;
use tokio::sync::watch;

use crate::model::{Error, Result};
use crate::msg;

const MIGRATIONS: &[M<'_>] = &[
    M::up(include_str!("migrations/0001.sql")),
    M::up(include_str!("migrations/0002.sql")),
    M::up(include_str!("migrations/0003.sql")),
    M::up(include_str!("migrations/0004.sql")),
    M::up(include_str!("migrations/0005.sql")),
    M::up(include_str!("migrations/0006.sql")),
];
const IDLE_READERS: usize = 4;
/// A database larger than this is not checked at start, in bytes; `check` does it.
const LARGEST_CHECKED: u64 = 4 << 20;

/// A handle on the one database; cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    readers: Mutex<Vec<Connection>>,
    writer: writer::Writer,
    bell: watch::Sender<u64>,
    sealer: Sealer,
    reserve: reserve::Reserve,
}

/// Apart from `read`, which is compiled for each of its callers.
impl Inner {
    /// A connection that sees one state until it is taken back.
    fn lend(&self) -> Result<Connection> {
        let pooled = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match pooled {
            Some(connection) => connection,
            None => connect(&self.path, true)?,
        };
        writer::run(&connection, "BEGIN")?;
        Ok(connection)
    }

    fn take_back(&self, connection: Connection) {
        if writer::run(&connection, "COMMIT").is_err() {
            // What was read was read; this connection is not used again.
            return;
        }
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < IDLE_READERS {
            readers.push(connection);
        }
    }
}

impl Store {
    /// Opens `directory/ropewalk.db`, migrates it, and makes `directory/key` on the first start.
    ///
    /// A database of a newer version is refused (`Conflict`); one of an older version is copied to
    /// `ropewalk.db.before-N` first.
    pub fn open(directory: &Path) -> Result<Store> {
        std::fs::create_dir_all(directory)
            .map_err(|e| Error::internal(format_args!("create {}", directory.display()), e))?;
        let path = directory.join("ropewalk.db");
        let has_content = std::fs::metadata(&path).is_ok_and(|file| file.len() > 0);
        if !has_content && directory.join("key").exists() {
            // The key is made after the database: to begin anew here would hide what others still have.
            return Err(Error::Conflict(msg!("store-damaged", cause = "empty or missing")));
        }
        let reserve = reserve::Reserve::new(directory.join("reserve"));
        // On a full disk SQLite has no room for what it shares between connections.
        if reserve.is_needed() {
            reserve.give_up();
        }
        let connection = open(&path).map_err(|cause| match cause {
            Error::Internal(_) if reserve.is_needed() => Error::Conflict(msg!("store-disk-full")),
            other => other,
        })?;
        let (bell, _) = watch::channel(0);
        let writer = writer::Writer::start(connection, bell.clone())?;
        let sealer = Sealer::open(&directory.join("key"))?;
        let readers = Mutex::new(Vec::new());
        Ok(Store { inner: Arc::new(Inner { path, readers, writer, bell, sealer, reserve }) })
    }

    /// Runs `look` on a read-only connection of the pool. Whatever is written meanwhile, it sees one state.
    pub fn read<T>(&self, look: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let connection = self.inner.lend()?;
        let result = look(&connection);
        self.inner.take_back(connection);
        result
    }

    /// Runs `change` in a transaction of the writer thread. What it wrote is durable when this
    /// returns `Ok`; an `Err` of `change` undoes its writes and nobody else's.
    pub async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.inner.writer.run(writer::Parts::Several, change).await
    }

    /// As `write`, for a change that writes with a single statement, as its last act: that undoes itself when it
    /// fails. For what comes by the thousand.
    pub async fn write_one<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.inner.writer.run(writer::Parts::One, change).await
    }

    /// The bell: its number is raised after every commit. Call `borrow_and_update` before looking,
    /// then `changed` to wait.
    pub fn bell(&self) -> watch::Receiver<u64> {
        self.inner.bell.subscribe()
    }

    /// Takes a little room for a time when there is none. Call it now and then.
    pub fn keep_reserve(&self) {
        self.inner.reserve.keep();
    }

    /// The disk is full and something must be written all the same: gives up the reserve.
    pub fn make_room(&self) {
        self.inner.reserve.give_up();
    }

    /// The bell's number: how many commits there were since the start.
    pub fn writes(&self) -> u64 {
        *self.inner.bell.borrow()
    }

    /// Encrypts and decrypts what the store keeps for other systems.
    pub fn sealer(&self) -> &Sealer {
        &self.inner.sealer
    }

    /// Size of the database file and its journal in bytes.
    pub fn size(&self) -> u64 {
        let one = |suffix: &str| {
            let mut name = self.inner.path.clone().into_os_string();
            name.push(suffix);
            std::fs::metadata(name).map_or(0, |m| m.len())
        };
        one("") + one("-wal")
    }

    /// SQLite's own integrity and foreign-key checks; empty when all is well.
    pub fn check(&self) -> Result<Vec<String>> {
        self.read(|c| {
            let mut statement = c.prepare("PRAGMA integrity_check")?;
            let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
            let mut found: Vec<String> = rows.collect::<rusqlite::Result<_>>()?;
            found.retain(|line| line != "ok");
            let mut keys = c.prepare("PRAGMA foreign_key_check")?;
            let broken = keys.query_map([], |row| row.get::<_, String>(0))?;
            for table in broken {
                found.push(format!("foreign key broken in {}", table?));
            }
            Ok(found)
        })
    }
}

/// The writer's connection to a database that is whole and of this version.
fn open(path: &Path) -> Result<Connection> {
    let mut connection = connect(path, false)?;
    migrate(&mut connection, path)?;
    check_small(&connection, path)?;
    Ok(connection)
}

fn connect(path: &Path, read_only: bool) -> Result<Connection> {
    let flags = if read_only {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    } else {
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
    };
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::from_secs(5))?;
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

impl From<rusqlite::Error> for Error {
    fn from(cause: rusqlite::Error) -> Error {
        match cause.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Error::Conflict(msg!("store-disk-full")),
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
                Error::Conflict(msg!("store-damaged", cause = cause))
            }
            _ => Error::Internal(format!("database: {cause}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_valid() {
        Migrations::from_slice(MIGRATIONS).validate().unwrap();
    }

    /// Each version's migration meets the rows that the versions before it wrote.
    #[test]
    fn every_version_takes_over_what_the_one_before_had() {
        let samples = [
            include_str!("../../tests/schema/0001.sql"),
            include_str!("../../tests/schema/0002.sql"),
            include_str!("../../tests/schema/0003.sql"),
            include_str!("../../tests/schema/0004.sql"),
            include_str!("../../tests/schema/0005.sql"),
            include_str!("../../tests/schema/0006.sql"),
        ];
        assert_eq!(samples.len(), MIGRATIONS.len(), "sample rows for every migration");
        let directory = tempfile::tempdir().unwrap();
        let mut connection = connect(&directory.path().join("ropewalk.db"), false).unwrap();
        for (version, rows) in (1..).zip(samples) {
            Migrations::from_slice(MIGRATIONS).to_version(&mut connection, version).unwrap();
            connection.execute_batch(rows).unwrap();
        }
        drop(connection);
        let store = Store::open(directory.path()).unwrap();
        assert_eq!(store.check().unwrap(), Vec::<String>::new());
        let read = |id| store.read(|c| runs::by_id(c, id)).unwrap().unwrap();
        assert_eq!((read(1).number, read(2).message.unwrap().key.as_ref()), (1, "run-step-failed"));
        assert_eq!(store.read(|c| events::page(c, &Default::default(), 9)).unwrap().len(), 2);
        assert_eq!(store.read(|c| triggers::of_pipeline(c, 1)).unwrap().len(), 2);
        assert!(store.read(repositories::all).unwrap()[1].remote.as_ref().unwrap().error.is_some());
    }

    #[test]
    fn a_newer_database_is_refused_with_its_path() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ropewalk.db");
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 9999).unwrap();
        let refused = Store::open(directory.path()).err().unwrap();
        assert!(matches!(refused, Error::Conflict(ref m) if m.key == "store-newer"), "{refused}");
    }

    #[tokio::test]
    async fn a_failed_write_undoes_itself_and_nobody_else() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let mut bell = store.bell();
        bell.borrow_and_update();
        let good = store.write(|c| settings::set(c, "a", "1"));
        let bad = store.write(|c| {
            settings::set(c, "b", "2")?;
            Err::<(), _>(Error::Invalid(msg!("store-disk-full")))
        });
        let (good, bad) = tokio::join!(good, bad);
        good.unwrap();
        bad.unwrap_err();
        assert!(bell.has_changed().unwrap());
        assert_eq!(store.read(|c| settings::get(c, "a")).unwrap().as_deref(), Some("1"));
        assert_eq!(store.read(|c| settings::get(c, "b")).unwrap(), None);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_read_sees_one_state() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let now = tokio::runtime::Handle::current();
        let seen = tokio::task::block_in_place(|| {
            store.read(|c| {
                let before = settings::get(c, "a")?;
                now.block_on(store.write(|c| settings::set(c, "a", "1")))?;
                Ok((before, settings::get(c, "a")?))
            })
        });
        assert_eq!(seen.unwrap(), (None, None));
        assert_eq!(store.read(|c| settings::get(c, "a")).unwrap().as_deref(), Some("1"));
    }

    #[test]
    fn a_value_changes_no_plan() {
        let directory = tempfile::tempdir().unwrap();
        drop(Store::open(directory.path()).unwrap());
        let connection = connect(&directory.path().join("ropewalk.db"), true).unwrap();
        let sql = "SELECT id FROM deliveries WHERE handled = 0 AND id > ?1 ORDER BY id LIMIT ?2";
        let mut statement = connection.prepare(sql).unwrap();
        for after in [0, 7] {
            assert!(!statement.exists([after, 9]).unwrap());
        }
        assert_eq!(statement.get_status(rusqlite::StatementStatus::RePrepare), 0);
    }
}
