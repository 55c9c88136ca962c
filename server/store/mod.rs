//! SQLite: the only room with SQL. One file per noun; functions over `&Connection`, synchronous.
//!
//! Reads take a connection of the pool and run where they are called (7-120 us each; what scans goes
//! to `web::block`). Writes go to one writer thread that commits in groups with `synchronous=FULL`:
//! when `write` returns, the row survives a power cut. Every commit rings the bell.
//!
//! The planner gets no statistics (nothing runs `ANALYZE` or `PRAGMA optimize`): they would be as old as the last
//! stop of the server, and a house that has grown since would scan whole tables. Every query names an index's columns.

pub mod accounts;
pub mod audit;
mod begin;
pub mod causality;
mod checkpoint;
pub mod deliveries;
pub mod docker_webhooks;
pub mod endpoints;
pub mod events;
pub mod images;
pub mod lease;
mod open;
pub mod pipelines;
pub mod pushes;
pub mod put_off;
pub mod refs;
pub mod repositories;
mod reserve;
mod rows;
pub mod runs;
mod sealed;
pub mod sealed_values;
pub mod settings;
pub mod streams;
pub mod tags;
pub mod triggers;
pub mod variables;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use open::{beside, connect, open};
pub use rusqlite::Connection;
pub use sealed::Sealer;
use tokio::sync::watch;

use crate::model::{Error, Result};
use crate::msg;

const IDLE_READERS: usize = 4;
/// How long a statement waits for another process, or for a log that is begun anew.
const PATIENCE: Duration = Duration::from_secs(5);

/// A handle on the one database; cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    readers: Mutex<Vec<Connection>>,
    // In this order they end: what is written last is carried over too.
    writer: writer::Writer,
    _checkpoints: checkpoint::Checkpoints,
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
    /// Opens `directory/ropewalk.db` and migrates it. `directory/key` is made when something is sealed first.
    ///
    /// A database of a newer version is refused (`Conflict`); one of an older version is copied to
    /// `ropewalk.db.before-N` first. Where something of an earlier database is left and the database, its key or its
    /// repositories are not, nothing is made anew: `Conflict` with what to do.
    pub fn open(directory: &Path) -> Result<Store> {
        std::fs::create_dir_all(directory)
            .map_err(|cause| Error::Conflict(begin::unusable(directory, cause)))?;
        let path = directory.join("ropewalk.db");
        begin::file(directory, &path)?;
        let reserve = reserve::Reserve::new(directory.join("reserve"));
        // On a full disk SQLite has no room for what it shares between connections.
        if reserve.is_needed() {
            reserve.give_up();
        }
        let connection = open(directory, &path).map_err(|cause| match cause {
            Error::Internal(_) | Error::Unavailable(_) if reserve.is_needed() => {
                Error::Conflict(msg!("store-disk-full"))
            }
            other => other,
        })?;
        let key = directory.join("key");
        let sealer = Sealer::open(&key)?;
        // The key's own look is the last: it may note that the key is this database's.
        begin::repositories(&connection, directory)?;
        begin::key(&connection, &sealer, &key)?;
        Self::start(connection, path, (sealer, reserve))
    }

    fn start(
        connection: Connection,
        path: PathBuf,
        (sealer, reserve): (Sealer, reserve::Reserve),
    ) -> Result<Store> {
        let (bell, _) = watch::channel(0);
        let checkpoints = checkpoint::Checkpoints::start(connect(&path, false)?)?;
        let heard = writer::Heard {
            bell: bell.clone(),
            checkpoints: checkpoints.told(),
            bound: checkpoint::Bound::new(&path),
        };
        let writer = writer::Writer::start(connection, heard)?;
        let readers = Mutex::new(Vec::new());
        let inner = Inner { path, readers, writer, _checkpoints: checkpoints, bell, sealer, reserve };
        Ok(Store { inner: Arc::new(inner) })
    }

    /// Gives the database in `directory` another key in place of one that is lost; the one that is there is put aside.
    /// No server may use the directory. Returns where the old key is now, and the places of what cannot be opened any
    /// more and has to be entered again.
    pub fn renew_key(directory: &Path) -> Result<(Option<PathBuf>, Vec<String>)> {
        let path = directory.join("ropewalk.db");
        begin::file(directory, &path)?;
        let connection = open(directory, &path)?;
        let key = directory.join("key");
        let aside = sealed::renew(&key, jiff::Timestamp::now())?;
        let sealer = Sealer::open(&key)?;
        sealed_values::own_key(&connection, &sealer)?;
        Ok((aside, sealed_values::look(&connection, &sealer)?.closed))
    }

    /// At the end: carries everything over into the database file, so that it alone is a whole copy.
    pub fn finish(&self) -> Result<()> {
        self.inner.readers.lock().unwrap_or_else(PoisonError::into_inner).clear();
        checkpoint::finish(&connect(&self.inner.path, false)?)
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
        let one = |suffix: &str| std::fs::metadata(beside(&self.inner.path, suffix)).map_or(0, |m| m.len());
        one("") + one("-wal")
    }

    /// SQLite's own integrity and foreign-key checks; empty when all is well.
    pub fn check(&self) -> Result<Vec<String>> {
        self.read(audit::integrity)
    }
}

impl From<rusqlite::Error> for Error {
    fn from(cause: rusqlite::Error) -> Error {
        match cause.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Error::Unavailable(msg!("store-disk-full")),
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
                Error::Unavailable(msg!("store-damaged", cause = cause))
            }
            // Of the file and whoever else holds it; everything else is the fault of what was to be written.
            Some(
                rusqlite::ErrorCode::DatabaseBusy
                | rusqlite::ErrorCode::DatabaseLocked
                | rusqlite::ErrorCode::CannotOpen
                | rusqlite::ErrorCode::SystemIoFailure
                | rusqlite::ErrorCode::ReadOnly
                | rusqlite::ErrorCode::PermissionDenied
                | rusqlite::ErrorCode::FileLockingProtocolFailed
                | rusqlite::ErrorCode::OutOfMemory,
            ) => Error::Unavailable(msg!("store-unavailable", cause = cause)),
            _ => Error::Internal(format!("database: {cause}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite_migration::Migrations;

    use super::open::MIGRATIONS;
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
            include_str!("../../tests/schema/0007.sql"),
            include_str!("../../tests/schema/0008.sql"),
        ];
        assert_eq!(samples.len(), MIGRATIONS.len(), "sample rows for every migration");
        let directory = tempfile::tempdir().unwrap();
        let mut connection = connect(&directory.path().join("ropewalk.db"), false).unwrap();
        for (version, rows) in (1..).zip(samples) {
            Migrations::from_slice(MIGRATIONS).to_version(&mut connection, version).unwrap();
            connection.execute_batch(rows).unwrap();
        }
        drop(connection);
        // The samples' sealed values are made up: no key opens them.
        let closed = Store::renew_key(directory.path()).unwrap().1;
        assert_eq!(closed, ["repositories/minsu/mirror", "webhooks/api"]);
        std::fs::create_dir(directory.path().join("repositories")).unwrap();
        let store = Store::open(directory.path()).unwrap();
        assert_eq!(store.check().unwrap(), Vec::<String>::new());
        let read = |id| store.read(|c| runs::by_id(c, id)).unwrap().unwrap();
        assert_eq!((read(1).number, read(2).message.unwrap().key.as_ref()), (1, "run-step-failed"));
        assert_eq!(store.read(|c| events::page(c, &Default::default(), 9)).unwrap().len(), 2);
        assert_eq!(store.read(|c| triggers::of_pipeline(c, 1)).unwrap().len(), 2);
        let bases = store.read(|c| images::bases(c, 1)).unwrap();
        assert!(bases.iter().any(|base| base.used.iter().any(|used| used.differs)), "{bases:?}");
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
