//! Writes what was decided: pipelines found, runs queued, outcomes of events, some events in one transaction. When one of
//! them cannot be written, the others are, and it gets that as its outcome.

use std::sync::Arc;

use jiff::Timestamp;

use super::decide::{Decision, Plan, only};
use super::{Trigger, announced, images};
use crate::model::{Error, Outcome, Result};
use crate::msg;
use crate::store::{Connection, events, pipelines, put_off, runs};

impl Trigger {
    /// Ids of those that could not be written; when it is the `last` try, they have that as their outcome. `Err` when
    /// the house lacks something: then they are as they were.
    pub(super) async fn write(&self, plans: Vec<(i64, Plan)>, last: bool) -> Result<Vec<i64>> {
        let (plans, mut failed) = (Arc::new(plans), Vec::new());
        let all = plans.clone();
        let together = move |c: &Connection| all.iter().try_for_each(|(id, plan)| carry_in(c, *id, plan));
        match self.store.write(together).await {
            Ok(()) => return Ok(failed),
            Err(error @ Error::Unavailable(_)) => return Err(error),
            Err(_) => {}
        }
        for (at, (id, _)) in plans.iter().enumerate() {
            let (one, id) = (plans.clone(), *id);
            let alone = move |c: &Connection| one.get(at).map_or(Ok(()), |(id, plan)| carry_in(c, *id, plan));
            match self.store.write(alone).await {
                Ok(()) => continue,
                Err(error @ Error::Unavailable(_)) => return Err(error),
                Err(error) => {
                    tracing::error!(event = id, %error, "what an event leads to could not be written")
                }
            }
            failed.push(id);
            if last {
                let outcome = only(msg!("trigger-failed", id = id));
                self.store.write(move |c| carry_in(c, id, &outcome)).await?;
            }
        }
        Ok(failed)
    }
}

/// Writes the plan: pipelines found, runs queued, outcome of the event.
fn carry_in(c: &Connection, id: i64, plan: &Plan) -> Result<()> {
    let now = Timestamp::now();
    // A row that cannot be read gets its outcome all the same.
    let event = events::by_id(c, id).ok().flatten();
    // What came of it before it was put off stays.
    let before = event.iter().flat_map(|event| event.outcome.iter().flatten());
    let mut outcome: Vec<Outcome> = before.filter(|outcome| outcome.run_id.is_some()).cloned().collect();
    for decision in &plan.decisions {
        let one = match decision {
            Decision::Nothing(outcome) => outcome.clone(),
            Decision::Wait(outcome, run_id) => {
                put_off::until_end(c, id, *run_id)?;
                outcome.clone()
            }
            Decision::Start(start) => {
                let mut run = start.run.clone();
                if let Some(found) = &start.discovered {
                    run.pipeline_id = keep_discovered(c, found, now)?;
                }
                if !images::still_due(c, &run)? {
                    let message = msg!("trigger-same-image");
                    outcome.push(Outcome {
                        pipeline: Some(start.pipeline.clone()),
                        run_id: None,
                        run_number: None,
                        message,
                    });
                    continue;
                }
                if let Some(found) = &start.found {
                    found.note(c, run.pipeline_id, now)?;
                }
                let (run_id, number) = runs::queue(c, &run, now)?;
                Outcome {
                    pipeline: Some(start.pipeline.clone()),
                    run_id: Some(run_id),
                    run_number: Some(number),
                    message: start.message.clone(),
                }
            }
        };
        outcome.push(one);
    }
    if let Some(event) = &event {
        announced::note(c, event, &outcome, now)?;
    }
    events::decide(c, id, &outcome)?;
    Ok(())
}

/// The row of the pipeline found at the root; made when the repository has none, moved when its path moved.
fn keep_discovered(c: &Connection, found: &pipelines::NewPipeline, now: Timestamp) -> Result<i64> {
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
