//! The database of a data directory, opened to be looked at and nothing else: no migration, no key, no file beside it,
//! whether a server runs on it or not, and also where nothing can be written.
//!
//! Beside a running server it is read as any reader would. Without one, a database whose log is carried over is opened
//! as a file that does not change; one that was left with a log (after a crash, or copied from a living server) is
//! looked at in a copy, because SQLite cannot read a log without writing beside it.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rusqlite::{Connection, OpenFlags};

use super::open::{MIGRATIONS, beside, connect};
use super::{begin, lease, sealed_values};
use crate::model::{CommitId, Digest, Error, Message, Result, Secret};
use crate::msg;

/// Of one kind of fault; what is broken throughout is not listed throughout.
const MOST: usize = 100;

pub struct Audit {
    connection: Connection,
    path: PathBuf,
    stamp: Option<(u64, SystemTime)>,
    copy: Option<PathBuf>,
    version: i64,
}

/// A stage that began, and up to where its steps say that its log goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageLog {
    pub run: i64,
    pub stage: u32,
    pub least: u64,
}

impl Audit {
    /// `Conflict` with what is wrong when there is nothing that could be looked at.
    pub fn open(directory: &Path) -> Result<Audit> {
        let path = directory.join("ropewalk.db");
        begin::file(directory, &path)?;
        let size = std::fs::metadata(&path).map_or(0, |file| file.len());
        if size == 0 {
            return Err(Error::Conflict(msg!("cli-check-nothing", path = path.display())));
        }
        let (running, log) = (lease::is_locked(directory), beside(&path, "-wal"));
        let has_log = std::fs::metadata(log).is_ok_and(|file| file.len() > 0);
        let (connection, copy) = match (running, has_log) {
            (true, _) => (connect(&path, true)?, None),
            (false, false) => (as_it_is(&path)?, None),
            (false, true) => {
                let copy = copied(&path)?;
                // Now it is removed whatever happens.
                let opened = connect(&copy.join("ropewalk.db"), false);
                (opened.inspect_err(|_| drop(std::fs::remove_dir_all(&copy)))?, Some(copy))
            }
        };
        let stamp = (!running).then(|| stamp(&path)).flatten();
        let mut audit = Audit { connection, path, stamp, copy, version: 0 };
        audit.version = audit.connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        begin::tables(&audit.connection, directory, &audit.path)?;
        Ok(audit)
    }

    /// The rows, as every reader sees them.
    pub fn rows(&self) -> &Connection {
        &self.connection
    }

    /// `Some` when this program cannot read the rows, since they are of another version.
    pub fn other_version(&self) -> Option<Message> {
        let known = MIGRATIONS.len() as i64;
        let path = self.path.display();
        match self.version.cmp(&known) {
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => {
                Some(msg!("store-newer", found = self.version, known = known, path = path))
            }
            std::cmp::Ordering::Less => Some(msg!("cli-check-older", found = self.version, known = known)),
        }
    }

    /// Whether somebody has written to it although no server seemed to run.
    pub fn has_changed(&self) -> bool {
        self.stamp.is_some() && stamp(&self.path) != self.stamp
    }

    /// SQLite's own words for what is wrong.
    pub fn integrity(&self) -> Result<Vec<String>> {
        integrity(&self.connection)
    }

    /// What is wrong with the key, if anything; else the places of what it does not open.
    pub fn key(&self, directory: &Path) -> Result<Vec<(String, Message)>> {
        let path = directory.join("key");
        let sealer = match super::Sealer::open(&path) {
            Ok(sealer) => sealer,
            Err(Error::Conflict(message)) => return Ok(vec![("key".to_owned(), message)]),
            Err(other) => return Err(other),
        };
        match begin::key_of(&self.connection, &sealer, &path) {
            Ok(_) => {}
            Err(Error::Conflict(message)) => return Ok(vec![("key".to_owned(), message)]),
            Err(other) => return Err(other),
        }
        let closed = sealed_values::look(&self.connection, &sealer)?.closed;
        Ok(closed.into_iter().map(|place| (place, msg!("cli-check-sealed"))).collect())
    }

    /// The commits that runs of a repository were of, each with a run's pipeline and number.
    pub fn commits(&self, repository_id: i64) -> Result<Vec<(CommitId, String)>> {
        let mut statement = self.connection.prepare(
            "SELECT r.commit_id, p.name || ' #' || max(r.number) FROM runs r JOIN pipelines p ON p.id = r.pipeline_id
             WHERE r.repository_id = ?1 GROUP BY r.commit_id",
        )?;
        let rows =
            statement.query_map([repository_id], |row| Ok((super::rows::text(row, 0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Calls `look` with every stage that has a log.
    pub fn each_log(&self, mut look: impl FnMut(StageLog)) -> Result<()> {
        let mut statement = self.connection.prepare(
            "SELECT s.run_id, s.idx, coalesce((SELECT max(log_from) FROM steps t WHERE t.run_id = s.run_id AND t.stage = s.idx), 0)
             FROM stages s WHERE s.started_at IS NOT NULL ORDER BY s.run_id, s.idx",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            look(StageLog { run: row.get(0)?, stage: row.get(1)?, least: row.get(2)? });
        }
        Ok(())
    }

    /// Whether a run of this id is known.
    pub fn has_run(&self, id: i64) -> Result<bool> {
        Ok(self.connection.prepare_cached("SELECT 1 FROM runs WHERE id = ?1")?.exists([id])?)
    }

    /// Images that runs have pushed, each repository and digest once, the newest first.
    pub fn images(&self, limit: usize) -> Result<Vec<(String, Digest, String)>> {
        let mut statement = self.connection.prepare(
            "SELECT repository, digest, min(tag) FROM run_images GROUP BY repository, digest ORDER BY max(run_id) DESC LIMIT ?1",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows =
            statement.query_map([limit], |row| Ok((row.get(0)?, super::rows::text(row, 1)?, row.get(2)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        if let Some(copy) = &self.copy {
            let _ = std::fs::remove_dir_all(copy);
        }
    }
}

/// SQLite's integrity and foreign-key checks, the first of each.
pub fn integrity(c: &Connection) -> Result<Vec<String>> {
    let mut statement = c.prepare(&format!("PRAGMA integrity_check({MOST})"))?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut found: Vec<String> = rows.collect::<rusqlite::Result<_>>()?;
    found.retain(|line| line != "ok");
    let mut keys = c.prepare("PRAGMA foreign_key_check")?;
    let mut broken = keys.query([])?;
    while let Some(row) = broken.next()? {
        if found.len() >= MOST {
            break;
        }
        found.push(format!("foreign key broken in {}", row.get::<_, String>(0)?));
    }
    Ok(found)
}

fn stamp(path: &Path) -> Option<(u64, SystemTime)> {
    let file = std::fs::metadata(path).ok()?;
    Some((file.len(), file.modified().ok()?))
}

/// Without a lock and without a file beside it.
fn as_it_is(path: &Path) -> Result<Connection> {
    let mut address = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                address.push(char::from(*byte))
            }
            other => address.push_str(&format!("%{other:02X}")),
        }
    }
    address.push_str("?immutable=1");
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(Connection::open_with_flags(address, flags)?)
}

/// Database and log in a folder of their own that only we can read.
fn copied(path: &Path) -> Result<PathBuf> {
    use std::os::unix::fs::DirBuilderExt as _;
    let folder = std::env::temp_dir().join(format!("ropewalk-check-{}", Secret::random(8)?.reveal()));
    let copy = || -> std::io::Result<()> {
        std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
        std::fs::copy(path, folder.join("ropewalk.db"))?;
        std::fs::copy(beside(path, "-wal"), folder.join("ropewalk.db-wal"))?;
        Ok(())
    };
    copy().map_err(|cause| {
        let _ = std::fs::remove_dir_all(&folder);
        Error::Conflict(msg!("cli-check-no-copy", path = folder.display(), cause = cause))
    })?;
    Ok(folder)
}
