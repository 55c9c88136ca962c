//! Images that moved, and the pipelines that watch them. As OpenShift does it: all of a pipeline's triggers are
//! looked at together, so that several changes make one run; what a trigger has had starts nothing again; a
//! paused one waits; and what a run has is noted in the transaction that queues it.

use std::collections::BTreeMap;

use crate::git;
use crate::model::{Cause, Event, Happened, ImageChange, Input, Message, Result};
use crate::msg;
use crate::pin::Pin;
use crate::pipeline;
use crate::store::pipelines::Pipeline;
use crate::store::repositories::Repository;
use crate::store::triggers::changes::pending;
use crate::store::triggers::{self, ImageTrigger};
use crate::store::{Connection, Store, pipelines, repositories, runs};

use super::branch::{self, Order};
use super::circle::{self, Origin};
use super::decide::{Decision, Plan, nothing, only, wait};

/// What is to be started for a pipeline, before anything of its repository was read.
struct Due {
    pipeline: Pipeline,
    repository: Repository,
    /// The triggers that have seen something new.
    triggers: Vec<i64>,
    changes: Vec<ImageChange>,
}

impl Due {
    fn order(self, event_id: i64) -> Order {
        let cause = Cause::ImageChange { changes: self.changes };
        Order {
            pipeline: self.pipeline,
            repository: self.repository,
            cause,
            started_by: self.triggers,
            event_id,
        }
    }
}

fn defaults(inputs: &[Input]) -> Result<BTreeMap<String, String>> {
    pipeline::fill_inputs(inputs, &BTreeMap::new())
}

enum Finding {
    Due(Box<Due>),
    Nothing(Message),
    /// Not to be decided before that run has ended.
    Wait(Message, i64),
}

/// The pipelines that the event may concern.
fn concerned(c: &Connection, happened: &Happened) -> Result<Vec<i64>> {
    match happened {
        Happened::TagMoved { address, .. } => triggers::watching_base(c, address),
        Happened::StreamTagMoved { stream, .. } => triggers::watching_stream(c, stream),
        Happened::TriggerChanged { pipeline_id, .. } => Ok(vec![*pipeline_id]),
        _ => Ok(Vec::new()),
    }
}

pub async fn decide(store: &Store, rooms: (&git::Repositories, &Pin), event: &Event) -> Result<Plan> {
    let ids = store.read(|c| concerned(c, &event.happened))?;
    if ids.is_empty() {
        return Ok(only(msg!("trigger-nobody-watches")));
    }
    let mut decisions = Vec::new();
    for id in ids {
        let Some((pipeline, finding)) = store.read(|c| look(c, id, &event.happened))? else { continue };
        let name = pipeline.name.as_str().to_owned();
        decisions.push(match finding {
            Finding::Nothing(message) => nothing(Some(&name), message),
            Finding::Wait(message, run_id) => wait(&name, message, run_id),
            Finding::Due(due) => match branch::start(rooms, due.order(event.id), defaults).await? {
                Ok(start) => Decision::Start(Box::new(start)),
                Err(message) => nothing(Some(&name), message),
            },
        });
    }
    Ok(Plan { decisions })
}

/// What the pipeline's triggers say to what is there now.
fn look(c: &Connection, id: i64, happened: &Happened) -> Result<Option<(Pipeline, Finding)>> {
    let Some(pipeline) = pipelines::by_id(c, id)? else { return Ok(None) };
    let Some(repository) = repositories::by_id(c, pipeline.repository_id)? else { return Ok(None) };
    let all = triggers::of_pipeline(c, id)?;
    let mut due = Due { pipeline, repository, triggers: Vec::new(), changes: Vec::new() };
    for trigger in all.iter().filter(|trigger| !trigger.paused) {
        let changes = pending(c, trigger)?;
        if !changes.is_empty() {
            due.triggers.push(trigger.id);
            due.changes.extend(changes);
        }
    }
    let finding = if due.changes.is_empty() {
        let paused = all.iter().any(|trigger| trigger.paused && concerns(trigger, happened));
        Finding::Nothing(if paused { msg!("trigger-paused") } else { msg!("trigger-same-image") })
    } else {
        let images: Vec<String> = due.changes.iter().map(|change| change.new.clone()).collect();
        let origin = circle::origin(c, &due.pipeline, &images)?;
        match (origin.objection(), origin) {
            (Some(message), Origin::Perhaps(run)) => Finding::Wait(message, run.id),
            (Some(message), _) => Finding::Nothing(message),
            (None, _) => return Ok(Some((due.pipeline.clone(), Finding::Due(Box::new(due))))),
        }
    };
    Ok(Some((due.pipeline, finding)))
}

fn concerns(trigger: &ImageTrigger, happened: &Happened) -> bool {
    match happened {
        Happened::StreamTagMoved { stream, .. } => trigger.from.as_ref() == Some(stream),
        Happened::TagMoved { .. } => trigger.from.is_none(),
        _ => true,
    }
}

/// Whether the run is still due when it is to be written: no other run has had these images meanwhile.
pub fn still_due(c: &Connection, run: &runs::NewRun) -> Result<bool> {
    if run.started_by.is_empty() {
        return Ok(true);
    }
    for trigger in triggers::of_pipeline(c, run.pipeline_id)? {
        let due = run.started_by.contains(&trigger.id) && !trigger.paused;
        if due && !pending(c, &trigger)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}
