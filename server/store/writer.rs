//! The one writer thread: takes all changes that wait, runs each in a savepoint of one transaction,
//! commits once, then answers. It never answers before the commit. A change that is one statement needs no
//! savepoint, which costs as much as a small row.

use std::sync::mpsc;
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

use super::checkpoint::{Bound, Told};
use crate::model::{Error, Result};
use crate::msg;

/// Called after the commit, with its outcome.
type Answer = Box<dyn FnOnce(Result<()>) + Send>;
/// Given the connection inside the group's transaction, or why there is none.
type Job = Box<dyn FnOnce(Result<&Connection>) -> Answer + Send>;

/// At most this many changes share one commit, so that the first of them does not wait for ever.
const LARGEST_GROUP: usize = 256;

/// How many statements a change is that write.
#[derive(Clone, Copy)]
pub enum Parts {
    /// It undoes itself when it fails.
    One,
    Several,
}

/// Ends with this: what waits is written first, and its connection is closed.
pub struct Writer {
    /// `None` only while it ends.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

/// Who hears of a commit.
pub struct Heard {
    pub bell: watch::Sender<u64>,
    pub checkpoints: Told,
    pub bound: Bound,
}

impl Writer {
    pub fn start(connection: Connection, mut heard: Heard) -> Result<Writer> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || {
                while let Ok(first) = queue.recv() {
                    commit_group(&connection, first, &queue, &mut heard);
                }
            })
            .map_err(|e| Error::internal("start the writer thread", e))?;
        Ok(Writer { jobs: Some(jobs), thread: Some(thread) })
    }

    pub async fn run<T: Send + 'static>(
        &self,
        parts: Parts,
        change: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let result = connection.and_then(|c| carry_out(c, parts, change));
            Box::new(move |committed| {
                let _ = sender.send(result.and_then(|value| committed.map(|()| value)));
            })
        });
        let stopped =
            || Error::Unavailable(msg!("store-unavailable", cause = "the writer thread has stopped"));
        self.jobs.as_ref().and_then(|jobs| jobs.send(job).ok()).ok_or_else(stopped)?;
        receiver.await.map_err(|_| stopped())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        // A change that held the last handle ends its own thread.
        let own = |thread: &JoinHandle<()>| thread.thread().id() == std::thread::current().id();
        if let Some(thread) = self.thread.take_if(|thread| !own(thread)) {
            let _ = thread.join();
        }
    }
}

fn carry_out<T>(
    connection: &Connection,
    parts: Parts,
    change: impl FnOnce(&Connection) -> Result<T>,
) -> Result<T> {
    begin(connection, parts)?;
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| change(connection)))
        .unwrap_or_else(|_| Err(Error::Internal("a change of the store panicked".into())));
    settle(connection, parts, outcome.is_ok())?;
    outcome
}

// Apart from `carry_out`, which is compiled for each change.

fn begin(connection: &Connection, parts: Parts) -> Result<()> {
    match parts {
        Parts::One => Ok(()),
        Parts::Several => run(connection, "SAVEPOINT change"),
    }
}

fn settle(connection: &Connection, parts: Parts, well: bool) -> Result<()> {
    let run = |sql| run(connection, sql);
    match (parts, well) {
        (Parts::One, _) => return Ok(()),
        (Parts::Several, true) => return run("RELEASE change"),
        (Parts::Several, false) => {}
    }
    // On a full disk SQLite has undone everything itself.
    let undone = run("ROLLBACK TO change").and_then(|()| run("RELEASE change"));
    undone.unwrap_or_else(|cause| tracing::debug!(%cause, "a savepoint was gone before its change"));
    Ok(())
}

fn commit_group(connection: &Connection, first: Job, queue: &mpsc::Receiver<Job>, heard: &mut Heard) {
    if let Err(error) = run(connection, "BEGIN IMMEDIATE") {
        first(Err(error))(Ok(()));
        return;
    }
    let mut answers = Vec::new();
    // Only a change rings, or a loop that merely looked through `write` would wake itself for ever.
    let before = connection.total_changes();
    let mut next = Some(first);
    while let Some(job) = next {
        answers.push(job(Ok(connection)));
        if connection.is_autocommit() {
            // On a full disk SQLite gives up the whole group; what comes next must not be written outside of one.
            break;
        }
        next = if answers.len() < LARGEST_GROUP { queue.try_recv().ok() } else { None };
    }
    let committed = run(connection, "COMMIT");
    if committed.is_err() && !connection.is_autocommit() {
        let _ = run(connection, "ROLLBACK");
    }
    if connection.total_changes() != before && committed.is_ok() {
        heard.bell.send_modify(|number| *number += 1);
        heard.checkpoints.committed();
    }
    for answer in answers {
        answer(committed.clone());
    }
    // After the answers: nobody waits for it but who comes next.
    heard.bound.keep(connection);
}

/// Kept prepared: read anew each time these cost as much as a small change.
pub fn run(connection: &Connection, sql: &str) -> Result<()> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}
