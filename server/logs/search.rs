//! Finds text in a log without loading it: block by block, with one line's start and number per hit.
//!
//! ASCII letters match in either case, everything else byte by byte. Memory stays bounded whatever the length
//! of a line. Blocks on the file system for a scan of the whole file at worst: call it off the async threads.

use memchr::memmem::Finder;

use super::Logs;
use crate::model::{Error, Result};
use crate::msg;

const BLOCK: usize = 256 * 1024;
const LONGEST_QUERY: usize = 200;

/// A line with the text in it; a line with several occurrences is one hit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// From 1.
    pub line: u64,
    /// Where the line starts, in bytes.
    pub line_offset: u64,
    /// Where its first occurrence starts, in bytes.
    pub offset: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Found {
    pub hits: Vec<Hit>,
    /// There are more lines than `limit`.
    pub more: bool,
}

impl Logs {
    /// The first `limit` lines of a stage's log that have `query` in them.
    pub fn find(&self, run: i64, stage: u32, query: &str, limit: usize) -> Result<Found> {
        if query.is_empty() {
            return Ok(Found::default());
        }
        if query.len() > LONGEST_QUERY {
            return Err(Error::Invalid(msg!("logs-query-long", longest = LONGEST_QUERY)));
        }
        let query = query.to_ascii_lowercase();
        let finder = Finder::new(query.as_bytes());
        let mut scan = Scan { line: 1, line_offset: 0, found: Found::default(), limit };
        let (mut at, mut block) = (0u64, Vec::new());
        loop {
            // The end of the last block comes again, so that an occurrence over its edge is whole.
            let piece = self.read(run, stage, at + block.len() as u64, BLOCK)?;
            if piece.is_empty() {
                return Ok(scan.found);
            }
            block.extend(piece.iter().map(u8::to_ascii_lowercase));
            if scan.block(at, &block, &finder) {
                return Ok(scan.found);
            }
            let keep = block.len().saturating_sub(query.len() - 1);
            scan.advance(at, &block[..keep]);
            block.drain(..keep);
            at += keep as u64;
        }
    }
}

struct Scan {
    /// Of the start of the block at hand.
    line: u64,
    line_offset: u64,
    found: Found,
    limit: usize,
}

impl Scan {
    /// Whether the search is over.
    fn block(&mut self, base: u64, block: &[u8], finder: &Finder) -> bool {
        let (mut line, mut line_offset, mut counted) = (self.line, self.line_offset, 0);
        for at in finder.find_iter(block) {
            for end in memchr::memchr_iter(b'\n', &block[counted..at]) {
                line += 1;
                line_offset = base + (counted + end) as u64 + 1;
            }
            counted = at;
            if self.found.hits.last().is_some_and(|hit| hit.line == line) {
                continue;
            }
            if self.found.hits.len() >= self.limit {
                self.found.more = true;
                return true;
            }
            self.found.hits.push(Hit { line, line_offset, offset: base + at as u64 });
        }
        false
    }

    fn advance(&mut self, base: u64, passed: &[u8]) {
        for end in memchr::memchr_iter(b'\n', passed) {
            self.line += 1;
            self.line_offset = base + end as u64 + 1;
        }
    }
}
