//! Reads logs by byte offset, one stage or a whole run, while they grow.
//!
//! A log that does not exist yet reads as empty: a stage that has not begun is not an error. Everything here
//! blocks on the file system for at most the bytes asked for, except `line_offset`, which scans the file.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use bytes::Bytes;

use super::{Logs, failed};
use crate::model::Result;

const BLOCK: usize = 64 * 1024;

impl Logs {
    /// Bytes stored of a stage so far.
    pub fn len(&self, run: i64, stage: u32) -> Result<u64> {
        match std::fs::metadata(self.log_path(run, stage)) {
            Ok(meta) => Ok(meta.len()),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(e) => Err(failed("look at a log", &e)),
        }
    }

    /// At most `max` bytes from offset `from`; empty at or after the end.
    pub fn read(&self, run: i64, stage: u32, from: u64, max: usize) -> Result<Bytes> {
        let Some(mut file) = self.open_log(run, stage)? else { return Ok(Bytes::new()) };
        let read = || -> io::Result<Vec<u8>> {
            let there = file.metadata()?.len().saturating_sub(from);
            let take = there.min(max as u64);
            let mut out = Vec::with_capacity(usize::try_from(take).unwrap_or(max));
            file.seek(SeekFrom::Start(from))?;
            file.take(take).read_to_end(&mut out)?;
            Ok(out)
        };
        read().map(Bytes::from).map_err(|e| failed("read a log", &e))
    }

    /// Where the last `bytes` bytes start, moved forward to the start of a line when there is one among them.
    pub fn tail_start(&self, run: i64, stage: u32, bytes: u64) -> Result<u64> {
        let from = self.len(run, stage)?.saturating_sub(bytes);
        if from == 0 {
            return Ok(0);
        }
        // One byte earlier, so that an offset that starts a line already stays.
        let mut at = from - 1;
        loop {
            let block = self.read(run, stage, at, BLOCK)?;
            if block.is_empty() {
                return Ok(from);
            }
            if let Some(end) = memchr::memchr(b'\n', &block) {
                return Ok(at + end as u64 + 1);
            }
            at += block.len() as u64;
        }
    }

    /// Where line `line` (from 1) starts; `None` when there are fewer lines.
    pub fn line_offset(&self, run: i64, stage: u32, line: u64) -> Result<Option<u64>> {
        let length = self.len(run, stage)?;
        let mut left = line.saturating_sub(1);
        let mut at = 0;
        while left > 0 {
            let block = self.read(run, stage, at, BLOCK)?;
            if block.is_empty() {
                return Ok(None);
            }
            for end in memchr::memchr_iter(b'\n', &block) {
                left -= 1;
                if left == 0 {
                    let start = at + end as u64 + 1;
                    return Ok((start < length).then_some(start));
                }
            }
            at += block.len() as u64;
        }
        Ok((length > 0).then_some(0))
    }

    /// How many line ends lie before `offset`, so that a page that starts in the middle can number its lines.
    pub fn lines_before(&self, run: i64, stage: u32, offset: u64) -> Result<u64> {
        self.lines_between(run, stage, 0, offset)
    }

    /// How many lines end in the bytes from `from` up to `to`.
    pub fn lines_between(&self, run: i64, stage: u32, from: u64, to: u64) -> Result<u64> {
        let (mut at, mut lines) = (from, 0);
        while at < to {
            let want = usize::try_from(to - at).unwrap_or(BLOCK).min(BLOCK);
            let block = self.read(run, stage, at, want)?;
            if block.is_empty() {
                break;
            }
            lines += memchr::memchr_iter(b'\n', &block).count() as u64;
            at += block.len() as u64;
        }
        Ok(lines)
    }

    /// (offset, milliseconds since the stage began), ascending: bytes from that offset on came at that time.
    pub fn times(&self, run: i64, stage: u32) -> Result<Vec<(u64, u64)>> {
        let bytes = match std::fs::read(self.index_path(run, stage)) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(failed("read the times of a log", &e)),
        };
        let (entries, _torn) = bytes.as_chunks::<16>();
        let number = |half: &[u8]| half.iter().rev().fold(0u64, |n, b| (n << 8) | u64::from(*b));
        Ok(entries.iter().map(|e| (number(&e[..8]), number(&e[8..]))).collect())
    }

    /// The stages of a run that have a log, in order, with their lengths.
    pub fn stages(&self, run: i64) -> Result<Vec<(u32, u64)>> {
        let entries = match std::fs::read_dir(self.run_dir(run)) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(failed("list the logs of a run", &e)),
        };
        let mut stages = Vec::new();
        for entry in entries.filter_map(io::Result::ok) {
            let name = entry.file_name();
            let stage = name.to_str().and_then(|n| n.strip_suffix(".log")).and_then(|n| n.parse().ok());
            if let Some(stage) = stage {
                stages.push((stage, self.len(run, stage)?));
            }
        }
        stages.sort_unstable();
        Ok(stages)
    }

    /// Length of the whole run's log: its stages one after the other.
    pub fn run_len(&self, run: i64) -> Result<u64> {
        Ok(self.stages(run)?.iter().map(|(_, length)| length).sum())
    }

    /// At most `max` bytes of the whole run's log from offset `from`. Offsets stay valid while the run goes
    /// on, since a stage only begins when the one before it has ended.
    pub fn read_run(&self, run: i64, from: u64, max: usize) -> Result<Bytes> {
        let mut skip = from;
        let mut out = Vec::new();
        for (stage, length) in self.stages(run)? {
            if skip >= length {
                skip -= length;
                continue;
            }
            out.extend_from_slice(&self.read(run, stage, skip, max - out.len())?);
            skip = 0;
            if out.len() >= max {
                break;
            }
        }
        Ok(Bytes::from(out))
    }

    fn open_log(&self, run: i64, stage: u32) -> Result<Option<File>> {
        match File::open(self.log_path(run, stage)) {
            Ok(file) => Ok(Some(file)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(failed("open a log", &e)),
        }
    }
}
