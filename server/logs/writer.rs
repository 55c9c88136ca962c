//! Writes the log of one stage: mask, buffer, append, ring.
//!
//! Bytes reach the file at the latest `FLUSH_EVERY` after they came, provided the owner awaits `due` beside its
//! input; the first bytes after a pause go out at once. Nothing is ever rewritten, so after a crash the file is
//! a prefix of the log, to which `Logs::close_after_crash` adds one line. Beyond the cap the stage is drained
//! and not stored.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::mask::{Mask, Masker};
use super::{Logs, bell, failed, sync_dir};
use crate::model::{Error, Result};

const BUFFER: usize = 64 * 1024;
const FLUSH_EVERY: Duration = Duration::from_millis(50);
/// Entries of the time index are at least this far apart.
const INDEX_EVERY: Duration = Duration::from_millis(100);

/// Which of a step's two outputs some bytes came from. Each is masked by itself, so that a secret split
/// over two pieces is found although the other output spoke in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    Out,
    Err,
}

/// The only writer of one stage's log. Dropping it without `finish` leaves what was flushed.
pub struct Writer {
    file: File,
    index: File,
    buffer: Vec<u8>,
    lanes: [Masker; 2],
    mask: Mask,
    /// Bytes in the file.
    stored: u64,
    limit: u64,
    full: bool,
    at_line_start: bool,
    started: Instant,
    flushed: Instant,
    indexed: Option<Instant>,
    bell: watch::Sender<u64>,
    logs: Logs,
    run: i64,
    path: Arc<PathBuf>,
}

impl Logs {
    /// Starts (or, after a crash, continues) the log of a stage. `mask` holds the run's secrets.
    pub fn writer(&self, run: i64, stage: u32, mask: Mask) -> Result<Writer> {
        let doing = "open the log of a stage";
        std::fs::create_dir_all(self.run_dir(run)).map_err(|e| failed(doing, &e))?;
        let open =
            |path| OpenOptions::new().create(true).append(true).open(path).map_err(|e| failed(doing, &e));
        let path = self.log_path(run, stage);
        let file = open(&path)?;
        let index = open(&self.index_path(run, stage))?;
        let stored = file.metadata().map_err(|e| failed(doing, &e))?.len();
        let now = Instant::now();
        Ok(Writer {
            at_line_start: ends_line(&path).map_err(|e| failed(doing, &e))?,
            full: stored >= self.limit,
            limit: self.limit,
            lanes: [mask.masker(), mask.masker()],
            buffer: Vec::with_capacity(BUFFER),
            started: now,
            // The first bytes are due at once.
            flushed: now.checked_sub(FLUSH_EVERY).unwrap_or(now),
            indexed: None,
            bell: self.bells.joined(run),
            logs: self.clone(),
            path: Arc::new(path),
            file,
            index,
            mask,
            stored,
            run,
        })
    }

    /// A crash cut this log short: ends its last line and adds `marker` as one line, once. Durable on return.
    pub fn close_after_crash(&self, run: i64, stage: u32, marker: &str) -> Result<()> {
        let path = self.log_path(run, stage);
        let line = format!("{}\n", marker.replace(['\n', '\r'], " "));
        let close = || -> io::Result<()> {
            std::fs::create_dir_all(self.run_dir(run))?;
            let mut file = OpenOptions::new().create(true).append(true).read(true).open(&path)?;
            let length = file.metadata()?.len();
            let mut end = Vec::new();
            file.seek(SeekFrom::Start(length.saturating_sub(line.len() as u64)))?;
            file.read_to_end(&mut end)?;
            if end != line.as_bytes() {
                let broken = !end.is_empty() && end.last() != Some(&b'\n');
                file.write_all(if broken { b"\n" } else { b"" })?;
                file.write_all(line.as_bytes())?;
            }
            file.sync_all()?;
            sync_dir(&self.run_dir(run))
        };
        close().map_err(|e| failed("close a log after a crash", &e))?;
        self.ring(run);
        Ok(())
    }
}

impl Writer {
    /// Takes output as it comes, in any pieces. Flushes by itself when the last flush is long enough ago.
    pub fn append(&mut self, lane: Lane, bytes: &[u8]) -> Result<()> {
        // In slices, so that the buffer never grows beyond its size by more than a slice.
        for slice in bytes.chunks(BUFFER) {
            let masker = match lane {
                Lane::Out => &mut self.lanes[0],
                Lane::Err => &mut self.lanes[1],
            };
            masker.push(slice, &mut self.buffer);
            if self.buffer.len() >= BUFFER {
                self.store()?;
            }
        }
        if self.flushed.elapsed() >= FLUSH_EVERY { self.flush() } else { Ok(()) }
    }

    /// A line of the server's own (masked like the rest), on a line of its own.
    pub fn line(&mut self, text: &str) -> Result<()> {
        self.end_line()?;
        let text = self.mask.text(text);
        self.buffer.extend_from_slice(text.trim_end_matches('\n').as_bytes());
        self.buffer.push(b'\n');
        self.flush()
    }

    /// Call between steps: what comes next starts a line. Returns the length of the log so far, in bytes,
    /// flushed or not: where the next step's output starts.
    pub fn end_line(&mut self) -> Result<u64> {
        self.settle()?;
        let starts_line = self.buffer.last().map_or(self.at_line_start, |b| *b == b'\n');
        if !starts_line && !self.full {
            self.buffer.push(b'\n');
        }
        self.settle()
    }

    /// Gives out what was held back because it might have become a secret. Returns the length of the log so
    /// far, in bytes, flushed or not.
    pub fn settle(&mut self) -> Result<u64> {
        for lane in &mut self.lanes {
            lane.finish(&mut self.buffer);
        }
        if self.buffer.len() >= BUFFER {
            self.store()?;
        }
        Ok(self.stored + if self.full { 0 } else { self.buffer.len() as u64 })
    }

    /// Resolves when `flush` is due; never while there is nothing to flush. Safe to drop and call again.
    pub async fn due(&self) {
        if self.buffer.is_empty() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep_until(self.flushed + FLUSH_EVERY).await;
    }

    /// Hands everything decided to the operating system and rings the run's bell.
    pub fn flush(&mut self) -> Result<()> {
        self.flushed = Instant::now();
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.store()?;
        bell::ring(&self.bell);
        Ok(())
    }

    /// The stage has ended: everything is durable when this returns. The result is the log's length in bytes.
    pub async fn finish(mut self) -> Result<u64> {
        self.settle()?;
        self.flush()?;
        let doing = "make a log durable";
        let file = self.file.try_clone().map_err(|e| failed(doing, &e))?;
        let path = self.path.clone();
        let sync = move || file.sync_data().and_then(|()| path.parent().map_or(Ok(()), sync_dir));
        let synced = tokio::task::spawn_blocking(sync).await.map_err(|e| Error::internal(doing, e))?;
        synced.map_err(|e| failed(doing, &e))?;
        Ok(self.stored)
    }

    fn store(&mut self) -> Result<()> {
        if self.full {
            self.buffer.clear();
            return Ok(());
        }
        let room = self.limit.saturating_sub(self.stored);
        if self.buffer.len() as u64 > room {
            self.full = true;
            self.buffer.truncate(usize::try_from(room).unwrap_or(usize::MAX));
            let note =
                format!("\n[ropewalk] this log has reached {} bytes; what follows is not kept\n", self.limit);
            self.buffer.extend_from_slice(note.as_bytes());
        }
        self.note_time()?;
        let written = self.file.write_all(&self.buffer);
        if written.is_err() {
            // A part may have been written; the file, not the wish, is the truth.
            self.stored = self.file.metadata().map_or(self.stored, |m| m.len());
        }
        written.map_err(|e| failed("write a log", &e))?;
        self.stored += self.buffer.len() as u64;
        self.at_line_start = self.buffer.last() == Some(&b'\n');
        self.buffer.clear();
        Ok(())
    }

    fn note_time(&mut self) -> Result<()> {
        let now = Instant::now();
        if self.indexed.is_some_and(|last| now - last < INDEX_EVERY) || self.buffer.is_empty() {
            return Ok(());
        }
        self.indexed = Some(now);
        let millis = u64::try_from((now - self.started).as_millis()).unwrap_or(u64::MAX);
        let mut entry = [0u8; 16];
        entry[..8].copy_from_slice(&self.stored.to_le_bytes());
        entry[8..].copy_from_slice(&millis.to_le_bytes());
        self.index.write_all(&entry).map_err(|e| failed("write the times of a log", &e))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        bell::ring(&self.bell);
        self.logs.bells.left(self.run);
    }
}

/// Whether the file is empty or its last byte ends a line.
fn ends_line(path: &std::path::Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0u8];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}
