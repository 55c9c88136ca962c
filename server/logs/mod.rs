//! Append-only log files per stage: append with masking, follow and read by byte offset.
//!
//! One plain text file per stage, `{dir}/{run id}/{stage index}.log`; the path is made of numbers only,
//! so nothing from outside reaches it. Secrets are masked before a byte is on disk, and a byte is on disk
//! before a reader hears of it: the bell of a run rings after each flush, and readers then read the file
//! at their own pace. There is no queue per reader, so a slow reader loses nothing and delays nobody.
//! Beside each log lies `{stage}.idx`, a sparse list of (offset, milliseconds since the stage began).
//! This room never parses what it stores and never knows where the bytes came from.

mod bell;
mod forms;
mod mask;
mod patterns;
mod reader;
mod search;
mod writer;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;

use crate::model::{Error, Result};
use crate::msg;

pub use forms::check_secret;
pub use mask::{MARK, Mask};
pub use search::{Found, Hit};
pub use writer::{Lane, Writer};

/// How many bytes of one stage are kept unless `with_limit` says otherwise: 1 GiB.
pub const DEFAULT_LIMIT: u64 = 1 << 30;

/// The folder of all logs. Cheap to clone; clones share the bells.
#[derive(Clone)]
pub struct Logs {
    dir: Arc<PathBuf>,
    bells: Arc<bell::Bells>,
    limit: u64,
}

impl Logs {
    /// Opens (and makes, when missing) the folder.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self> {
        let dir = dir.into();
        std::fs::create_dir_all(&dir).map_err(|e| failed("make the log folder", &e))?;
        Ok(Logs { dir: Arc::new(dir), bells: Arc::default(), limit: DEFAULT_LIMIT })
    }

    /// The same folder with another cap on the bytes kept per stage.
    #[must_use]
    pub fn with_limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    /// Rings after every flush of any stage of the run, and on `ring`. The value only counts; take
    /// `borrow_and_update` before looking at the file. `changed()` fails once the run is `done`.
    pub fn bell(&self, run: i64) -> watch::Receiver<u64> {
        self.bells.listen(run)
    }

    /// For news that are not bytes: a stage began, a run was cancelled.
    pub fn ring(&self, run: i64) {
        self.bells.ring(run);
    }

    /// The run has ended: listeners are woken a last time and the bell is taken down.
    pub fn done(&self, run: i64) {
        self.bells.remove(run);
    }

    /// Deletes everything kept of a run; nothing to delete is fine.
    pub fn remove(&self, run: i64) -> Result<()> {
        self.bells.remove(run);
        match std::fs::remove_dir_all(self.run_dir(run)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(failed("remove the log of a run", &e)),
            _ => Ok(()),
        }
    }

    fn run_dir(&self, run: i64) -> PathBuf {
        self.dir.join(run.to_string())
    }

    fn log_path(&self, run: i64, stage: u32) -> PathBuf {
        self.run_dir(run).join(format!("{stage}.log"))
    }

    fn index_path(&self, run: i64, stage: u32) -> PathBuf {
        self.run_dir(run).join(format!("{stage}.idx"))
    }
}

/// How long a stage's log is in a folder that is only looked at, in bytes; `None` when there is none.
pub fn length(folder: &Path, run: i64, stage: u32) -> Option<u64> {
    let path = folder.join(run.to_string()).join(format!("{stage}.log"));
    std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|file| file.len())
}

/// The runs that a folder has logs of.
pub fn runs(folder: &Path) -> impl Iterator<Item = i64> + use<> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// A full disk is something a person can mend, so it gets a sentence; the rest is ours.
fn failed(doing: &str, cause: &io::Error) -> Error {
    match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::Conflict(msg!("logs-disk-full")),
        io::ErrorKind::ReadOnlyFilesystem => Error::Conflict(msg!("logs-read-only")),
        _ => Error::internal(doing, cause),
    }
}

/// Makes a new name in `dir` survive a power loss.
fn sync_dir(dir: &Path) -> io::Result<()> {
    std::fs::File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests;
