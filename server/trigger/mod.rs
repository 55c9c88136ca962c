//! Decides: takes the oldest undecided events of the journal and turns each into queued runs, or into
//! the reason why there are none. It carries nothing out and looks at no repository but the event's.

mod announced;
mod branch;
mod circle;
mod decide;
mod images;

use jiff::Timestamp;

use crate::git;
use crate::model::{Event, Happened, Result, Turn};
use crate::pin::Pin;
use crate::store::{Store, events, pipelines, put_off, runs};
use decide::{Decision, Plan};

/// How many events one turn takes.
const BATCH: u32 = 32;

pub struct Trigger {
    store: Store,
    repositories: git::Repositories,
    pin: Pin,
}

impl Trigger {
    pub fn new(store: Store, repositories: git::Repositories, pin: Pin) -> Self {
        Trigger { store, repositories, pin }
    }

    /// Decides the oldest undecided events. Each decision and the runs it queues are one transaction,
    /// so a crash in between decides nothing or everything.
    pub async fn tick(&self) -> Result<Turn> {
        let ripe = self.store.read(put_off::ripe)?;
        if !ripe.is_empty() {
            self.store.write(move |c| put_off::wake(c, &ripe)).await?;
        }
        let waiting = self.store.read(|c| events::undecided(c, BATCH))?;
        if waiting.is_empty() {
            return Ok(Turn::Idle);
        }
        for event in waiting {
            self.decide(event).await?;
        }
        Ok(Turn::Worked)
    }

    async fn decide(&self, event: Event) -> Result<()> {
        let plan = match &event.happened {
            Happened::TagMoved { .. } | Happened::StreamTagMoved { .. } | Happened::TriggerChanged { .. } => {
                images::decide(&self.store, (&self.repositories, &self.pin), &event).await?
            }
            Happened::ImageAnnounced { .. } => {
                announced::decide(&self.store, (&self.repositories, &self.pin), &event).await?
            }
            _ => decide::decide(&self.store, (&self.repositories, &self.pin), &event).await?,
        };
        self.store.write(move |c| carry_in(c, &event, plan)).await
    }
}

/// Writes the plan: pipelines found, runs queued, outcome of the event.
fn carry_in(c: &crate::store::Connection, event: &Event, plan: Plan) -> Result<()> {
    let now = Timestamp::now();
    // What came of it before it was put off stays.
    let before = event.outcome.iter().flatten().filter(|outcome| outcome.run_id.is_some());
    let mut outcome: Vec<crate::model::Outcome> = before.cloned().collect();
    for decision in plan.decisions {
        let one = match decision {
            Decision::Nothing(outcome) => outcome,
            Decision::Wait(outcome, run_id) => {
                put_off::until_end(c, event.id, run_id)?;
                outcome
            }
            Decision::Start(start) => {
                let mut start = *start;
                if let Some(found) = start.discovered {
                    start.run.pipeline_id = keep_discovered(c, &found, now)?;
                }
                if !images::still_due(c, &start.run)? {
                    let message = crate::msg!("trigger-same-image");
                    outcome.push(crate::model::Outcome {
                        pipeline: Some(start.pipeline),
                        run_id: None,
                        run_number: None,
                        message,
                    });
                    continue;
                }
                if let Some(found) = &start.found {
                    found.note(c, start.run.pipeline_id, now)?;
                }
                let (run_id, number) = runs::queue(c, &start.run, now)?;
                crate::model::Outcome {
                    pipeline: Some(start.pipeline),
                    run_id: Some(run_id),
                    run_number: Some(number),
                    message: start.message,
                }
            }
        };
        outcome.push(one);
    }
    announced::note(c, event, &outcome, now)?;
    events::decide(c, event.id, &outcome)?;
    Ok(())
}

/// The row of the pipeline found at the root; made when the repository has none, moved when its path moved.
fn keep_discovered(
    c: &crate::store::Connection,
    found: &pipelines::NewPipeline,
    now: Timestamp,
) -> Result<i64> {
    match pipelines::by_name(c, found.repository_id, &found.name)? {
        Some(known) => {
            if known.discovered && known.path != found.path {
                pipelines::set_path(c, known.id, &found.path)?;
            }
            Ok(known.id)
        }
        None => pipelines::create(c, found, now),
    }
}
