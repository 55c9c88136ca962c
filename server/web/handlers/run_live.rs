//! A run's page while it goes on: server-sent events with pieces of HTML that were rendered here, so that
//! the script in the browser puts them in their places and understands nothing. There is no queue per
//! reader: how far each stage's log has come is a cursor, and a bell only says "look again". A reader
//! who comes back sends the cursors and goes on where they were.

use std::collections::{BTreeMap, VecDeque};

use actix_web::{HttpRequest, web};
use askama::Template;
use bytes::Bytes;
use futures_util::stream;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::run::readable;
use super::run_log::starts_after;
use super::run_view::{self, Rows, step_view};
use super::visit::{Answer, Visit};
use crate::model::{Error, Result, StageRecord, Status};
use crate::store::repositories::Repository;
use crate::web::ansi::{Place, Terminal};
use crate::web::api::runs::RunPath;
use crate::web::live::{self, Bells};
use crate::web::pages::run::{
    RunFactsPiece, RunHeadPiece, RunStagePiece, RunStagesPiece, RunStepPiece, RunView,
};

/// Stages whose places a browser may name.
const MOST_PLACES: usize = 1000;

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
    let (repository, run) = readable(&visit, &path)?;
    let places = live::last_event_id(&request).unwrap_or(&from.from);
    let mut logs: BTreeMap<u32, Log> = BTreeMap::new();
    for (stage, place) in read_places(places) {
        logs.insert(stage, Log::at(stage, place));
    }
    let bells = Bells::of(&visit.door, run.id);
    let reader = Reader {
        visit,
        repository,
        run: run.id,
        logs,
        bells,
        state: String::new(),
        stages: BTreeMap::new(),
        steps: BTreeMap::new(),
        waiting: VecDeque::new(),
        ended: false,
    };
    Ok(live::streaming(stream::try_unfold(reader, |mut reader| async move {
        let next = reader.next().await?;
        Ok(next.map(|event| (event, reader)))
    })))
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
        Log {
            terminal: Terminal::resume(stage, place),
            fed: place.offset,
            partial: String::new(),
            done: false,
        }
    }
}

struct Reader {
    visit: Visit,
    repository: Repository,
    run: i64,
    logs: BTreeMap<u32, Log>,
    bells: Bells,
    /// Of the run, the stages and the steps, as last sent.
    state: String,
    stages: BTreeMap<u32, Status>,
    steps: BTreeMap<(u32, u32), Status>,
    waiting: VecDeque<Bytes>,
    ended: bool,
}

impl Reader {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Ok(Some(event));
            }
            if self.ended {
                return Ok(None);
            }
            self.bells.take();
            self.look().await?;
            if self.waiting.is_empty() && !self.ended && !self.bells.wait().await {
                return Ok(Some(live::heartbeat()));
            }
        }
    }

    /// An event whose id is how far all logs have come with it: where a reader goes on who has got it.
    fn push(&mut self, name: &str, data: &serde_json::Value) {
        let one = |(stage, log): (&u32, &Log)| format!("{stage}:{}", log.terminal.place());
        let places = self.logs.iter().map(one).collect::<Vec<_>>().join(",");
        self.waiting.push_back(live::event(name, &places, &data.to_string()));
    }

    /// Puts what is new into `waiting`.
    async fn look(&mut self) -> Result<()> {
        self.visit.page.now = Timestamp::now();
        // The rows before the logs: when a stage says it is over, its log read afterwards is whole.
        let Some(rows) = Rows::read(&self.visit, self.run)? else {
            self.ended = true;
            return Ok(());
        };
        let state = rows.state();
        if state != self.state {
            let view = run_view::view(&self.visit, &self.repository, &rows).await?;
            let page = &self.visit.page;
            let pieces = [
                ("run-head", html(&RunHeadPiece { page, run: &view })?),
                ("run-stages", html(&RunStagesPiece { page, run: &view })?),
                ("run-facts", html(&RunFactsPiece { page, run: &view })?),
            ];
            for (id, html) in pieces {
                self.push("swap", &json!({ "id": id, "html": html }));
            }
            self.changed_stages(&rows, &view)?;
            self.state = state;
        }
        self.changed_steps(&rows)?;
        for stage in &rows.stages {
            let over = stage.status.is_final() || rows.run.status.is_final();
            if self.read_log(stage, over).await? {
                return Ok(());
            }
        }
        if rows.run.status.is_final() {
            self.push("end", &json!({}));
            self.ended = true;
        }
        Ok(())
    }

    /// The frames of stages that began or ended; the script keeps the logs that are in them.
    fn changed_stages(&mut self, rows: &Rows, view: &RunView) -> Result<()> {
        let open = view.open_stage();
        for (record, stage) in rows.stages.iter().zip(&view.stages) {
            if self.stages.insert(record.index, record.status) == Some(record.status) {
                continue;
            }
            let piece = RunStagePiece { page: &self.visit.page, run: view, stage, open };
            self.push("stage", &json!({ "id": record.index, "html": html(&piece)? }));
        }
        Ok(())
    }

    fn changed_steps(&mut self, rows: &Rows) -> Result<()> {
        for record in &rows.stages {
            for step in record.steps.iter().filter(|step| step.log_from.is_some()) {
                if self.steps.insert((record.index, step.index), step.status) == Some(step.status) {
                    continue;
                }
                let piece = RunStepPiece {
                    page: &self.visit.page,
                    stage_index: record.index,
                    step: &step_view(step, self.visit.page.now),
                };
                self.push("step", &json!({ "stage": record.index, "html": html(&piece)? }));
            }
        }
        Ok(())
    }

    /// The next piece of a stage's log, in its step; `false` when there is nothing new.
    async fn read_log(&mut self, stage: &StageRecord, over: bool) -> Result<bool> {
        let fresh = || Log::at(stage.index, Place::default());
        let log = self.logs.entry(stage.index).or_insert_with(fresh);
        let Some((step, until)) = step_at(stage, log.fed) else { return Ok(false) };
        if log.done {
            return Ok(false);
        }
        let mut bytes = live::read(&self.visit.door.logs, self.run, stage.index, log.fed).await?;
        if let Some(until) = until {
            bytes.truncate(usize::try_from(until - log.fed).unwrap_or(usize::MAX));
        }
        let mut html = String::new();
        log.fed += bytes.len() as u64;
        log.terminal.feed(&bytes, &mut html);
        if over && bytes.is_empty() {
            log.terminal.finish(&mut html);
            log.done = true;
        }
        let partial = if log.done { String::new() } else { log.terminal.unfinished() };
        if html.is_empty() && partial == log.partial {
            return Ok(!bytes.is_empty());
        }
        log.partial.clone_from(&partial);
        let data = json!({ "stage": stage.index, "step": step, "html": html, "partial": partial });
        self.push("lines", &data);
        Ok(true)
    }
}

/// The step whose output stands at byte `at`, and where the next one's begins.
fn step_at(stage: &StageRecord, at: u64) -> Option<(u32, Option<u64>)> {
    let begun = stage.steps.iter().filter(|step| step.log_from.is_some());
    let steps: Vec<_> = begun.zip(starts_after(stage)).collect();
    let found = steps.iter().find(|(_, next)| next.is_none_or(|next| at < next));
    found.map(|(step, next)| (step.index, *next))
}

fn html(piece: &impl Template) -> Result<String> {
    piece.render().map_err(|e| Error::internal("write a piece of a page", e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::StepRecord;
    use proptest::prelude::*;

    fn stage(starts: &[Option<u64>]) -> StageRecord {
        let step = |(index, log_from): (usize, &Option<u64>)| StepRecord {
            index: index as u32,
            title: String::new(),
            status: Status::Running,
            exit_code: None,
            started_at: None,
            finished_at: None,
            log_from: *log_from,
        };
        let steps = starts.iter().enumerate().map(step).collect();
        StageRecord {
            index: 0,
            name: String::new(),
            status: Status::Running,
            started_at: None,
            finished_at: None,
            steps,
        }
    }

    #[test]
    fn every_byte_belongs_to_one_step() {
        let stage = stage(&[Some(0), Some(10), Some(10), None]);
        assert_eq!(step_at(&stage, 0), Some((0, Some(10))));
        assert_eq!(step_at(&stage, 9), Some((0, Some(10))));
        assert_eq!(step_at(&stage, 10), Some((2, None)), "the second step wrote nothing");
        assert_eq!(step_at(&super::tests::stage(&[None]), 0), None);
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
