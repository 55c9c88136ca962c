//! The part of each stage's log that a page shows: the end of it, or what lies around a place somebody
//! asked for. Bounded in bytes and lines, so that a log of a gigabyte is a page like any other. Blocking.

use super::run_view::{Lengths, Rows};
use crate::logs::Logs;
use crate::model::{Result, StageRecord, StepRecord};
use crate::web::ansi::{Place, Terminal};
use crate::web::pages::links;
use crate::web::pages::run::{RunView, StageView};

/// Bytes and lines of one stage on a page.
const MOST_BYTES: u64 = 2 * 1024 * 1024;
const MOST_LINES: usize = 5000;
/// Lines shown before the one that was asked for.
const CONTEXT: u64 = 50;

/// Which part of a stage's log is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    End,
    /// What ends at this byte.
    Before(u64),
    /// What begins a little before this line.
    Line(u64),
}

/// Bytes `from` to `to` of a log, and the number of lines before them.
struct Cut {
    bytes: Vec<u8>,
    from: u64,
    lines_before: u64,
}

/// Puts the logs into the view: the end of each stage's, but `part` of the stage `wanted`. Of a log that
/// still grows only what is older than the rows, for who wrote the rest they cannot know.
pub fn fill(
    logs: &Logs,
    (rows, lengths): (&Rows, &Lengths),
    view: &mut RunView,
    wanted: Option<(u32, Part)>,
) -> Result<()> {
    let run = &rows.run;
    let address = links::run(&run.repository.to_string(), run.pipeline.as_str(), run.number);
    for (record, stage) in rows.stages.iter().zip(&mut view.stages) {
        let part = wanted.filter(|(index, _)| *index == stage.index).map_or(Part::End, |(_, part)| part);
        let is_whole = record.status.is_final() || run.status.is_final();
        let known = lengths.iter().find(|(index, _)| *index == stage.index).map_or(0, |(_, length)| *length);
        let length = if is_whole { logs.len(run.id, stage.index)? } else { known };
        let cut = cut(logs, (run.id, stage.index), part, length)?;
        write(record, stage, &cut, is_whole);
        let end = cut.from + cut.bytes.len() as u64;
        let anchor = format!("#stage-{}", stage.index);
        if cut.from > 0 {
            stage.earlier_href = Some(format!("{address}?stage={}&before={}{anchor}", stage.index, cut.from));
        }
        if part != Part::End && end < length {
            let next = cut.lines_before + memchr::memchr_iter(b'\n', &cut.bytes).count() as u64 + 1 + CONTEXT;
            stage.later_href = Some(format!("{address}?stage={}&line={next}{anchor}", stage.index));
            // What came between could not be put in its place.
            view.live = false;
        }
    }
    Ok(())
}

fn cut(logs: &Logs, (run, stage): (i64, u32), part: Part, length: u64) -> Result<Cut> {
    let (from, end) = match part {
        Part::End => (logs.tail_start(run, stage, MOST_BYTES)?.min(length), length),
        Part::Before(end) => {
            let end = end.min(length);
            (end.saturating_sub(MOST_BYTES), end)
        }
        Part::Line(line) => {
            let from = logs.line_offset(run, stage, line.saturating_sub(CONTEXT).max(1))?;
            let from = from.unwrap_or(length.saturating_sub(MOST_BYTES));
            (from, length.min(from + MOST_BYTES))
        }
    };
    let bytes = logs.read(run, stage, from, usize::try_from(end - from).unwrap_or(0))?;
    let (skipped, kept) = match part {
        Part::Line(_) => (0, first_lines(&bytes)),
        Part::Before(_) if from > 0 => {
            // A window that was moved by bytes alone begins within a line.
            let begun = memchr::memchr(b'\n', &bytes).map_or(0, |at| at + 1);
            let (skipped, kept) = last_lines(&bytes[begun..]);
            (begun + skipped, kept)
        }
        Part::End | Part::Before(_) => last_lines(&bytes),
    };
    let from = from + skipped as u64;
    let lines_before = if from == 0 { 0 } else { logs.lines_before(run, stage, from)? };
    Ok(Cut { bytes: kept.to_vec(), from, lines_before })
}

/// The last lines there is room for, and how many bytes stand before them.
fn last_lines(bytes: &[u8]) -> (usize, &[u8]) {
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let start = memchr::memrchr_iter(b'\n', body).nth(MOST_LINES - 1).map_or(0, |at| at + 1);
    (start, &bytes[start..])
}

fn first_lines(bytes: &[u8]) -> &[u8] {
    let end = memchr::memchr_iter(b'\n', bytes).nth(MOST_LINES - 1).map_or(bytes.len(), |at| at + 1);
    &bytes[..end]
}

/// Writes the cut into the steps it belongs to. The line that has no end yet is left to `run_live`
/// while the stage goes on.
fn write(record: &StageRecord, stage: &mut StageView, cut: &Cut, is_whole: bool) {
    let mut terminal = Terminal::resume(stage.index, Place::plain(cut.from, cut.lines_before));
    let ends = starts_after(record);
    let end = cut.from + cut.bytes.len() as u64;
    let mut at = cut.from;
    let last = stage.steps.len().saturating_sub(1);
    for (index, (step, (_, next))) in stage.steps.iter_mut().zip(ends).enumerate() {
        let until = next.unwrap_or(end).clamp(at, end);
        let offset = |byte: u64| usize::try_from(byte - cut.from).unwrap_or(0);
        terminal.feed(&cut.bytes[offset(at)..offset(until)], &mut step.log);
        if is_whole && index == last && at < end {
            terminal.finish(&mut step.log);
        }
        at = until;
    }
    stage.place = terminal.place().to_string();
}

/// The steps of a stage that have something to show. A stage that ended before any of them began has said
/// why in its log, and the first one shows it.
pub fn begun(record: &StageRecord) -> impl Iterator<Item = &StepRecord> {
    let none = record.started_at.is_some()
        && record.status.is_final()
        && record.steps.iter().all(|step| step.log_from.is_none());
    record
        .steps
        .iter()
        .enumerate()
        .filter(move |(at, step)| step.log_from.is_some() || none && *at == 0)
        .map(|(_, step)| step)
}

/// The index of each of them, and where the next one's output starts.
pub fn starts_after(record: &StageRecord) -> Vec<(u32, Option<u64>)> {
    let next = begun(record).skip(1).map(|step| step.log_from).chain([None]);
    begun(record).map(|step| step.index).zip(next).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_so_many_lines_are_kept() {
        let text = "x\n".repeat(MOST_LINES + 7);
        let (skipped, kept) = last_lines(text.as_bytes());
        assert_eq!((skipped, kept.len()), (14, MOST_LINES * 2));
        assert_eq!(first_lines(text.as_bytes()).len(), MOST_LINES * 2);
        assert_eq!(last_lines(b"a\nb"), (0, &b"a\nb"[..]));
        assert_eq!(last_lines(b""), (0, &b""[..]));
    }

    proptest! {
        #[test]
        fn cutting_never_panics_and_keeps_an_end(bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..200)) {
            let (skipped, kept) = last_lines(&bytes);
            prop_assert_eq!(&bytes[skipped..], kept);
            prop_assert!(bytes.starts_with(first_lines(&bytes)));
        }
    }
}
