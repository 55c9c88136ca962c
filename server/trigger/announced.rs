//! A registry told a Docker trigger of a push: whether that starts a run, and why not if it does not. The questions
//! and their order are the model's, so that a dry run gives the same answers.

use jiff::Timestamp;

use super::branch::{self, Order};
use super::decide::{Decision, Plan, nothing, only};
use crate::git;
use crate::model::{Cause, Event, Happened, Input, Message, Result};
use crate::msg;
use crate::pin::Pin;
use crate::pipeline;
use crate::store::Store;
use crate::store::docker_webhooks::{self, Around};

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
