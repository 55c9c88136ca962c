//! Carries the write-ahead log over into the database file, so that this file alone is (nearly) all there is: a moment
//! after the last commit, now and then while commits go on, and at the end.
//!
//! While the server runs this is done on a connection of its own by `PASSIVE` checkpoints: those wait for nobody, and
//! nobody waits for them. Only when nothing is left to carry over is the log cut to nothing, which takes a moment. SQLite
//! writes the log from its start again only when no reader uses it; where readers always do, the writer now and then
//! waits for those of the moment (`Bound`), so that the log has an end.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::model::{Error, Result};

/// So long without a commit is a pause.
const QUIET: Duration = Duration::from_millis(500);
/// Where there is no pause, so often all the same.
const LONGEST: Duration = Duration::from_secs(15);
/// A log larger than this is begun anew by the writer, in bytes; SQLite alone carries it over at 31 MiB.
const LARGEST: u64 = 64 << 20;
/// How much larger it must be before the writer waits for readers once more.
const AGAIN: u64 = 16 << 20;
/// How long the writer waits for the readers of the moment.
const WAIT: Duration = Duration::from_millis(100);

#[derive(Default)]
struct State {
    commits: u64,
    /// Nothing was committed since the last checkpoint.
    resting: bool,
    over: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// The thread that carries over; it ends with this.
pub struct Checkpoints {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// Tells that thread of commits. Cheap to clone.
#[derive(Clone)]
pub struct Told(Arc<Shared>);

impl Checkpoints {
    /// `connection` is for this alone.
    pub fn start(connection: Connection) -> Result<Checkpoints> {
        // What cannot be done at once can be done later.
        connection.busy_timeout(Duration::ZERO)?;
        let shared = Arc::<Shared>::default();
        let given = shared.clone();
        let thread = std::thread::Builder::new()
            .name("store-checkpoint".into())
            .spawn(move || {
                // What an earlier process left.
                carry_over(&connection);
                while given.wait_for_pause() {
                    carry_over(&connection);
                }
            })
            .map_err(|e| Error::internal("start the checkpoint thread", e))?;
        Ok(Checkpoints { shared, thread: Some(thread) })
    }

    pub fn told(&self) -> Told {
        Told(self.shared.clone())
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.shared.lock().over = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Told {
    /// Something was committed.
    pub fn committed(&self) {
        let mut state = self.0.lock();
        state.commits += 1;
        // While it waits for a pause it looks by itself: under load nobody is woken.
        if state.resting {
            state.resting = false;
            self.0.changed.notify_all();
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until something was committed and then nothing for a while; false when it is over.
    fn wait_for_pause(&self) -> bool {
        let mut state = self.lock();
        state.resting = true;
        let resting = |state: &mut State| state.resting && !state.over;
        state = self.changed.wait_while(state, resting).unwrap_or_else(PoisonError::into_inner);
        let begun = Instant::now();
        while !state.over {
            let seen = state.commits;
            let waited = self.changed.wait_timeout_while(state, QUIET, |state| !state.over);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if state.commits == seen || begun.elapsed() >= LONGEST {
                return !state.over;
            }
        }
        false
    }
}

/// How many frames the log has, and how many of them the database file has too.
fn checkpoint(connection: &Connection, how: &str) -> rusqlite::Result<(i64, i64)> {
    // SQLite answers with a row, also when somebody was in the way.
    connection.query_row(&format!("PRAGMA wal_checkpoint({how})"), [], |row| Ok((row.get(1)?, row.get(2)?)))
}

fn carry_over(connection: &Connection) {
    let done = checkpoint(connection, "PASSIVE").and_then(|(all, carried)| match all == carried && all > 0 {
        true => checkpoint(connection, "TRUNCATE").map(drop),
        false => Ok(()),
    });
    // Somebody writes, or the disk is full: the log keeps what it has.
    if let Err(error) = done {
        tracing::debug!(%error, "the write-ahead log was not carried over");
    }
}

/// At the end: nothing is left in the log, unless somebody reads for longer than anybody should.
pub fn finish(connection: &Connection) -> Result<()> {
    checkpoint(connection, "TRUNCATE")?;
    Ok(())
}

/// Keeps the log from growing without end.
pub struct Bound {
    log: PathBuf,
    next: u64,
}

impl Bound {
    /// `database` is the database's file.
    pub fn new(database: &Path) -> Bound {
        Bound { log: super::beside(database, "-wal"), next: LARGEST }
    }

    /// After a commit, on the writer's connection.
    pub fn keep(&mut self, connection: &Connection) {
        let size = std::fs::metadata(&self.log).map_or(0, |file| file.len());
        if size < self.next {
            self.next = self.next.min(size.max(LARGEST - AGAIN) + AGAIN);
            return;
        }
        // A reader that takes longer is not waited for: once more when the log is larger still.
        let tried = connection.busy_timeout(WAIT).and_then(|()| checkpoint(connection, "TRUNCATE"));
        let _ = connection.busy_timeout(super::PATIENCE);
        if let Err(error) = tried {
            tracing::debug!(%error, "the write-ahead log could not be begun anew");
        }
        let left = std::fs::metadata(&self.log).map_or(0, |file| file.len());
        self.next = left.max(LARGEST - AGAIN) + AGAIN;
        if left >= LARGEST {
            tracing::warn!(bytes = left, "a long read keeps the write-ahead log from being begun anew");
        }
    }
}
