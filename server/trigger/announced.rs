//! A registry told a Docker trigger of a push: whether that starts a run, and why not if it does not. The questions
//! and their order are the model's, so that a dry run gives the same answers; beyond them, one image that was pushed once
//! starts one run, and none that the pipeline has led to itself.

use jiff::Timestamp;

use super::branch::{self, Order};
use super::circle::{self, Origin};
use super::decide::{Decision, Plan, nothing, only, wait};
use crate::git;
use crate::model::{Announced, Cause, Event, Happened, Input, Message, Outcome, Result};
use crate::msg;
use crate::pin::Pin;
use crate::pipeline;
use crate::store::docker_webhooks::{self, Around};
use crate::store::pipelines::Pipeline;
use crate::store::{Connection, Store, deliveries, pushes};

pub async fn decide(store: &Store, rooms: (&git::Repositories, &Pin), event: &Event) -> Result<Plan> {
    let Happened::ImageAnnounced { webhook_id, image, delivery_id, .. } = &event.happened else {
        return Ok(only(msg!("trigger-not-a-trigger")));
    };
    let found = store.read(|c| docker_webhooks::by_id(c, *webhook_id))?;
    let Some(webhook) = found else { return Ok(only(msg!("hook-webhook-gone"))) };
    let around = store.read(|c| docker_webhooks::circumstances(c, &webhook, Timestamp::now()))?;
    let Around { facts, place } = around;
    let name = place.as_ref().map(|(_, pipeline)| pipeline.name.as_str().to_owned());
    let refuse = |message: Message| Plan { decisions: vec![nothing(name.as_deref(), message)] };
    if let Some(bad) = webhook.checks(image, &facts)?.into_iter().find(|check| !check.good) {
        return Ok(refuse(bad.message));
    }
    let Some((repository, pipeline)) = place else { return Ok(refuse(msg!("webhook-no-pipeline"))) };
    match store.read(|c| objection(c, event, (*webhook_id, *delivery_id, image), &pipeline))? {
        Objection::None => {}
        Objection::For(message) => return Ok(refuse(message)),
        Objection::Until(message, run) => {
            return Ok(Plan { decisions: vec![wait(pipeline.name.as_str(), message, run)] });
        }
    }
    let cause = Cause::Webhook {
        webhook: webhook.name.clone(),
        image: image.address().to_string(),
        delivery_id: *delivery_id,
    };
    let order = Order { pipeline, repository, cause, started_by: Vec::new(), event_id: event.id };
    let fill = |inputs: &[Input]| pipeline::announced_inputs(inputs, &webhook, image);
    Ok(match branch::start(rooms, order, fill).await? {
        Ok(start) => Plan { decisions: vec![Decision::Start(Box::new(start))] },
        Err(message) => refuse(message),
    })
}

enum Objection {
    None,
    For(Message),
    /// As long as that run is at work.
    Until(Message, i64),
}

fn objection(
    c: &Connection,
    event: &Event,
    (webhook_id, delivery_id, image): (i64, i64, &Announced),
    pipeline: &Pipeline,
) -> Result<Objection> {
    // What a person sends again counts again.
    let again = deliveries::is_replay(c, delivery_id)?;
    if !again && !pushes::is_new(c, webhook_id, image, pushed_at(event, image))? {
        let digest = image.digest.as_ref().map(ToString::to_string).unwrap_or_default();
        return Ok(Objection::For(msg!("trigger-same-push", digest = digest)));
    }
    let images: Vec<String> = image.pinned().filter(|_| !again).into_iter().collect();
    let origin = circle::origin(c, pipeline, &images)?;
    Ok(match (origin.objection(), origin) {
        (None, _) => Objection::None,
        (Some(message), Origin::Perhaps(run)) => Objection::Until(message, run.id),
        (Some(message), _) => Objection::For(message),
    })
}

fn pushed_at(event: &Event, image: &Announced) -> Timestamp {
    image.pushed_at.unwrap_or(event.at)
}

/// What the trigger has heard of, and whether it started a run; nothing about other events, about what is no image of a
/// trigger, and about what was told twice or is not decided yet.
pub fn note(c: &Connection, event: &Event, outcome: &[Outcome], at: Timestamp) -> Result<()> {
    let Happened::ImageAnnounced { webhook_id, image, .. } = &event.happened else { return Ok(()) };
    let started = outcome.iter().any(|outcome| outcome.run_id.is_some());
    if image.objection.is_some() || !(started || counts(c, event, (*webhook_id, image))?) {
        return Ok(());
    }
    pushes::note(c, *webhook_id, image, (pushed_at(event, image), started), at)
}

/// Whether it is a push that the trigger has not heard of.
fn counts(c: &Connection, event: &Event, (webhook_id, image): (i64, &Announced)) -> Result<bool> {
    Ok(!put_off(c, event)? && pushes::is_new(c, webhook_id, image, pushed_at(event, image))?)
}

fn put_off(c: &Connection, event: &Event) -> Result<bool> {
    crate::store::put_off::is(c, event.id)
}
