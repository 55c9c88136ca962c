//! The one writer thread: takes all changes that wait, runs each in a savepoint of one transaction,
//! commits once, then answers. It never answers before the commit. A change that is one statement needs no
//! savepoint, which costs as much as a small row.

use std::sync::mpsc;

use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

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

pub struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    pub fn start(connection: Connection, bell: watch::Sender<u64>) -> Result<Writer> {
        let (jobs, queue) = mpsc::channel::<Job>();
        std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || {
                while let Ok(first) = queue.recv() {
                    commit_group(&connection, first, &queue, &bell);
                }
            })
            .map_err(|e| Error::internal("start the writer thread", e))?;
        Ok(Writer { jobs })
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
        self.jobs.send(job).map_err(|_| stopped())?;
        receiver.await.map_err(|_| stopped())?
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

fn commit_group(connection: &Connection, first: Job, queue: &mpsc::Receiver<Job>, bell: &watch::Sender<u64>) {
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
        bell.send_modify(|number| *number += 1);
    }
    for answer in answers {
        answer(committed.clone());
    }
}

/// Kept prepared: read anew each time these cost as much as a small change.
pub fn run(connection: &Connection, sql: &str) -> Result<()> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}
