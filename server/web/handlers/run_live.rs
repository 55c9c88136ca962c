//! A run's page while it goes on: server-sent events with pieces of HTML that were rendered here, so that
//! the script in the browser puts them in their places and understands nothing. There is no queue per
//! reader: how far each stage's log has come is a cursor, and a bell only says "look again". A reader
//! who comes back sends the cursors and goes on where they were; one who is far behind a large log is
//! taken to its end, as the page itself would show it.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, web};
use askama::Template;
use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::run::readable;
use super::run_log::{begun, starts_after};
use super::run_view::{self, Rows, step_view};
use super::visit::{Answer, Visit};
use crate::logs::Logs;
use crate::model::{Error, Result, StageRecord, Status};
use crate::web::ansi::{Place, Terminal};
use crate::web::api::runs::RunPath;
use crate::web::live::{self, Bells, Look, News};
use crate::web::pages::run::{
    RunFactsPiece, RunHeadPiece, RunStagePiece, RunStagesPiece, RunStepPiece, RunView,
};

/// Stages whose places a browser may name.
const MOST_PLACES: usize = 1000;
/// Bytes a reader may be behind before the rest is left out, and what is shown then.
const FAR_BEHIND: u64 = 4 * 1024 * 1024;
const LEFT_TO_SHOW: u64 = 256 * 1024;

#[derive(Deserialize)]
pub struct From {
    #[serde(default)]
    from: String,
}

/// `GET .../runs/{number}/live?from=STAGE:PLACE,...`.
pub async fn live(
    request: HttpRequest,
    visit: Visit,
    path: web::Path<RunPath>,
    from: web::Query<From>,
) -> Answer {
    let (_, run) = readable(&visit, &path)?;
    let places = read_places(live::last_event_id(&request).unwrap_or(&from.from));
    let logs = places.into_iter().map(|(stage, place)| (stage, Log::at(stage, place))).collect();
    let door = visit.door.clone();
    let reader = Reader {
        visit,
        path: path.into_inner(),
        run: run.id,
        rows: None,
        logs,
        state: String::new(),
        stages: BTreeMap::new(),
        steps: BTreeMap::new(),
    };
    Ok(live::follow(&door, Some(run.id), reader))
}

/// `0:PLACE,1:PLACE`; what cannot be read is left out and starts from the beginning.
fn read_places(text: &str) -> Vec<(u32, Place)> {
    let one = |pair: &str| {
        let (stage, place) = pair.split_once(':')?;
        Some((stage.parse().ok()?, place.parse().ok()?))
    };
    text.split(',').take(MOST_PLACES).filter_map(one).collect()
}

/// One stage's log on its way to the page.
struct Log {
    terminal: Terminal,
    /// Bytes fed, also those of a line without an end.
    fed: u64,
    /// The unfinished line as it was last sent.
    partial: String,
    done: bool,
}

impl Log {
    fn at(stage: u32, place: Place) -> Self {
        let terminal = Terminal::resume(stage, place);
        Log { terminal, fed: place.offset, partial: String::new(), done: false }
    }
}

/// What one look at one stage's log brought.
struct Piece {
    stage: u32,
    bytes: Bytes,
    /// Where the reader is taken to, with the bytes from there on.
    skipped_to: Option<Place>,
    /// Nothing will come after it.
    last: bool,
}

struct Reader {
    visit: Visit,
    path: RunPath,
    run: i64,
    /// As last read.
    rows: Option<Rows>,
    logs: BTreeMap<u32, Log>,
    /// Of the run, the stages and the steps, as last sent.
    state: String,
    stages: BTreeMap<u32, Status>,
    steps: BTreeMap<(u32, u32), Status>,
}

impl Look for Reader {
    async fn look(&mut self, bells: &mut Bells, news: &mut News) -> Result<()> {
        // Every time: a session ends without a word.
        if !self.visit.is_still_let_in()? {
            news.end();
            return Ok(());
        }
        // The log before the rows: then they know which step wrote these bytes. Whether a log is whole
        // is asked of the rows that were read before it.
        let piece = self.read_ahead().await?;
        if bells.has_store_rung() && !self.refresh(news).await? {
            news.end();
            return Ok(());
        }
        match piece {
            Some(piece) => self.write(piece, news)?,
            None if news.is_empty() && self.is_over() => {
                self.push(news, "end", &json!({}))?;
                news.end();
            }
            None => {}
        }
        Ok(())
    }
}

impl Reader {
    /// An event whose id is how far all logs have come with it: where a reader goes on who has got it.
    fn push(&self, news: &mut News, name: &str, data: &serde_json::Value) -> Result<()> {
        let one = |(stage, log): (&u32, &Log)| format!("{stage}:{}", log.terminal.place());
        let places = self.logs.iter().map(one).collect::<Vec<_>>().join(",");
        news.push(name, &places, data)
    }

    /// Everything has been sent that there will ever be.
    fn is_over(&self) -> bool {
        let Some(Rows { run, stages, .. }) = &self.rows else { return false };
        let is_sent = |stage: &StageRecord| {
            stage.started_at.is_none() || self.logs.get(&stage.index).is_some_and(|log| log.done)
        };
        run.status.is_final() && stages.iter().all(is_sent)
    }

    /// Reads the rows anew and sends what they changed; `false` when the run is gone, or is nothing for
    /// this visitor any more.
    async fn refresh(&mut self, news: &mut News) -> Result<bool> {
        self.visit.page.now = Timestamp::now();
        let Ok((repository, _)) = readable(&self.visit, &self.path) else { return Ok(false) };
        let Some(rows) = Rows::read(&self.visit, self.run)? else { return Ok(false) };
        let state = rows.state();
        if state != self.state {
            let view = run_view::view(&self.visit, &repository, &rows).await?;
            let page = &self.visit.page;
            let pieces = [
                ("run-head", html(&RunHeadPiece { page, run: &view })?),
                ("run-stages", html(&RunStagesPiece { page, run: &view })?),
                ("run-facts", html(&RunFactsPiece { page, run: &view })?),
            ];
            for (id, html) in pieces {
                self.push(news, "swap", &json!({ "id": id, "html": html }))?;
            }
            self.changed_stages(&rows, &view, news)?;
            self.state = state;
        }
        self.changed_steps(&rows, news)?;
        self.rows = Some(rows);
        Ok(true)
    }

    /// The frames of stages that began or ended; the script keeps the logs that are in them.
    fn changed_stages(&mut self, rows: &Rows, view: &RunView, news: &mut News) -> Result<()> {
        let open = view.open_stage();
        for (record, stage) in rows.stages.iter().zip(&view.stages) {
            if self.stages.insert(record.index, record.status) == Some(record.status) {
                continue;
            }
            let piece = RunStagePiece { page: &self.visit.page, run: view, stage, open };
            self.push(news, "stage", &json!({ "id": record.index, "html": html(&piece)? }))?;
        }
        Ok(())
    }

    fn changed_steps(&mut self, rows: &Rows, news: &mut News) -> Result<()> {
        for record in &rows.stages {
            for step in begun(record) {
                if self.steps.insert((record.index, step.index), step.status) == Some(step.status) {
                    continue;
                }
                let piece = RunStepPiece {
                    page: &self.visit.page,
                    stage_index: record.index,
                    step: &step_view(step, self.visit.page.now),
                };
                self.push(news, "step", &json!({ "stage": record.index, "html": html(&piece)? }))?;
            }
        }
        Ok(())
    }

    /// The next piece of the first log that has one, by the rows known so far.
    async fn read_ahead(&mut self) -> Result<Option<Piece>> {
        let Some(rows) = &self.rows else { return Ok(None) };
        for record in rows.stages.iter().filter(|stage| stage.started_at.is_some()) {
            let stage = record.index;
            let log = self.logs.entry(stage).or_insert_with(|| Log::at(stage, Place::default()));
            if log.done {
                continue;
            }
            let over = record.status.is_final() || rows.run.status.is_final();
            let (logs, run, fed, place) =
                (self.visit.door.logs.clone(), self.run, log.fed, log.terminal.place());
            let read = web::block(move || read(&logs, (run, stage), fed, place)).await;
            let (skipped_to, bytes) = read.map_err(|e| Error::internal("read a log", e))??;
            if over || !bytes.is_empty() {
                return Ok(Some(Piece { stage, last: over && bytes.is_empty(), skipped_to, bytes }));
            }
        }
        Ok(None)
    }

    /// Sends a piece, each part of it to the step that wrote it.
    fn write(&mut self, piece: Piece, news: &mut News) -> Result<()> {
        let stage = piece.stage;
        if let Some(place) = piece.skipped_to {
            self.logs.insert(stage, Log::at(stage, place));
            self.push(news, "clear", &json!({ "stage": stage, "line": place.line + 1 }))?;
        }
        let record = self.rows.as_ref().and_then(|rows| rows.stages.iter().find(|s| s.index == stage));
        let steps = record.map(starts_after).unwrap_or_default();
        let mut bytes = &piece.bytes[..];
        loop {
            let Some(log) = self.logs.get_mut(&stage) else { return Ok(()) };
            let (step, until) = step_at(&steps, log.fed);
            let room =
                until.map_or(usize::MAX, |until| usize::try_from(until - log.fed).unwrap_or(usize::MAX));
            let (now, rest) = bytes.split_at(room.min(bytes.len()));
            let mut html = String::new();
            log.fed += now.len() as u64;
            log.terminal.feed(now, &mut html);
            if piece.last {
                log.terminal.finish(&mut html);
                log.done = true;
            }
            let is_end = rest.is_empty();
            let partial = if is_end && !piece.last { log.terminal.unfinished() } else { String::new() };
            if !html.is_empty() || partial != log.partial {
                log.partial.clone_from(&partial);
                let data = json!({ "stage": stage, "step": step, "html": html, "partial": partial });
                self.push(news, "lines", &data)?;
            }
            if is_end {
                return Ok(());
            }
            bytes = rest;
        }
    }
}

/// The bytes after `fed`; when that is too far from the end, from a later place on. Blocking.
fn read(logs: &Logs, (run, stage): (i64, u32), fed: u64, place: Place) -> Result<(Option<Place>, Bytes)> {
    if logs.len(run, stage)?.saturating_sub(fed) < FAR_BEHIND {
        return Ok((None, logs.read(run, stage, fed, live::PIECE)?));
    }
    let from = logs.tail_start(run, stage, LEFT_TO_SHOW)?;
    let lines = logs.lines_between(run, stage, place.offset, from)?;
    let place = Place::plain(from, place.line + lines);
    Ok((Some(place), logs.read(run, stage, from, live::PIECE)?))
}

/// Which of the steps, given with the byte at which the next one's output begins, wrote byte `at`; and that byte.
fn step_at(steps: &[(u32, Option<u64>)], at: u64) -> (u32, Option<u64>) {
    let found = steps.iter().find(|(_, next)| next.is_none_or(|next| at < next));
    found.copied().unwrap_or((0, None))
}

fn html(piece: &impl Template) -> Result<String> {
    piece.render().map_err(|e| Error::internal("write a piece of a page", e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_byte_belongs_to_one_step() {
        let steps = [(0, Some(10)), (1, Some(10)), (2, None)];
        assert_eq!(step_at(&steps, 0), (0, Some(10)));
        assert_eq!(step_at(&steps, 9), (0, Some(10)));
        assert_eq!(step_at(&steps, 10), (2, None), "the second step wrote nothing");
        assert_eq!(step_at(&[], 0), (0, None));
    }

    #[test]
    fn places_come_back_as_they_went_out() {
        let found = read_places("0:120.7.-.-.0,1:0.0.3.-.1,nonsense,2:x");
        assert_eq!(found.len(), 2);
        assert_eq!(found[1].1.to_string(), "0.0.3.-.1");
    }

    proptest! {
        #[test]
        fn places_are_read_without_panics(text in "[0-9:.,a-]{0,60}") {
            read_places(&text);
        }
    }
}
