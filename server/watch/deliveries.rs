//! What registries sent: read, and the registry asked what is true. A delivery only hurries a look; that it is lost,
//! doubled or late changes no result. What follows from one delivery is written in one transaction, so that it happens
//! once whenever the server dies; one whose registry cannot be asked stays and is tried again.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Watch;
use super::asked::Answer;
use super::sender::{Heard, Sender};
use crate::model::{Announced, Delivery, DeliveryPart, Error, Happened, Notice, Reading, Result};
use crate::msg;
use crate::registry;
use crate::store::{Connection, deliveries, docker_webhooks, events, pipelines};

/// One notice with what the registry said.
pub(super) struct Found {
    pub notice: Notice,
    pub part: DeliveryPart,
    /// Of pushes that somebody wants to hear of.
    pub announced: Option<Announced>,
    pub heard: Heard,
}

/// What looking into a delivery brought.
pub(super) struct Looked {
    sender: Sender,
    found: Vec<Found>,
    /// Notices beyond the most that one delivery may have.
    skipped: usize,
}

/// What comes of a delivery.
pub(super) enum Outcome {
    /// A registry could not be asked: it stays, with the reason.
    Later(Vec<DeliveryPart>),
    /// The registry does not have yet what it is said to have: it is asked again in a moment.
    Early(Vec<DeliveryPart>),
    /// There was nothing to look for.
    Ended(Vec<DeliveryPart>),
    Looked(Looked),
}

impl Outcome {
    /// Whether runs may follow.
    pub fn is_urgent(&self) -> bool {
        matches!(self, Outcome::Looked(looked) if looked.found.iter().any(|found| found.announced.is_some()))
    }
}

impl Watch {
    /// `silent` are the registries that did not answer this time round: nobody waits for them again.
    pub(super) async fn look_into(
        &self,
        delivery: &Delivery,
        silent: &mut BTreeSet<String>,
    ) -> Result<Outcome> {
        let Some(sender) = self.sender(delivery)? else {
            return Ok(Outcome::Ended(vec![DeliveryPart::whole(msg!("hook-webhook-gone"))]));
        };
        let (notices, skipped) = match registry::read_delivery(&delivery.headers, &delivery.body) {
            Reading::Unknown(message) => return Ok(Outcome::Ended(vec![DeliveryPart::whole(message)])),
            Reading::Notices { notices, skipped } => (notices, skipped),
        };
        let (mut all, mut early) = (Vec::new(), Vec::new());
        let waited = self.lock().inbox.waited(delivery.id);
        for notice in notices {
            let notice = match silent.contains(&sender.host) {
                true => notice,
                false => self.registries.placed(&sender.host, notice).await,
            };
            if sender.host == self.registries.own().host() {
                self.registries.own().tags_changed(&notice.repository);
            }
            match self.look_up(delivery, &sender, notice, silent).await? {
                Answer::Later(why) => return Ok(Outcome::Later(vec![why])),
                Answer::Found(found, Some(patience)) if waited < patience => early.push(found.part),
                Answer::Found(found, _) => all.push(*found),
            }
        }
        match early.is_empty() {
            true => Ok(Outcome::Looked(Looked { sender, found: all, skipped })),
            false => Ok(Outcome::Early(early)),
        }
    }

    /// Everything that follows, at once.
    pub(super) async fn write(&self, delivery: Delivery, looked: Looked) -> Result<()> {
        let Looked { sender, found, skipped } = looked;
        let write = move |c: &Connection| {
            let now = Timestamp::now();
            let mut outcome = Vec::new();
            for found in found {
                let key = keyed(&delivery, &sender, &found.notice);
                let mut part = found.part;
                if let Some(key) = key
                    && !deliveries::first_time(c, &key, delivery.id, now)?
                {
                    part.message = msg!("hook-twice");
                    outcome.push(part);
                    continue;
                }
                if let Some(image) = &found.announced {
                    part.events = announce(c, (delivery.id, &found.heard.ids), image, now)?;
                }
                let missed = found.heard.missed;
                let other = DeliveryPart {
                    message: msg!("hook-filters-missed", count = missed),
                    events: Vec::new(),
                    ..part.clone()
                };
                outcome.push(part);
                outcome.extend((missed > 0).then_some(other));
            }
            if skipped > 0 {
                outcome.push(DeliveryPart::whole(msg!("hook-skipped", count = skipped)));
            }
            if outcome.is_empty() {
                outcome.push(DeliveryPart::whole(msg!("hook-empty")));
            }
            match deliveries::done(c, delivery.id, &outcome, now)? {
                true => Ok(()),
                false => Err(Error::Internal("a delivery was handled twice".into())),
            }
        };
        self.store.write(write).await
    }

    pub(super) async fn end(&self, id: i64, outcome: Vec<DeliveryPart>) -> Result<()> {
        self.store.write(move |c| deliveries::done(c, id, &outcome, Timestamp::now())).await?;
        Ok(())
    }
}

/// The key under which the sender's event counts once. What a person sends again counts again.
pub(super) fn keyed(delivery: &Delivery, sender: &Sender, notice: &Notice) -> Option<String> {
    let key = notice.key.as_ref()?;
    match delivery.replay_of {
        Some(_) => Some(format!("replay {} {key}", delivery.id)),
        None => Some(format!("{}{key}", sender.prefix)),
    }
}

/// An event for each webhook that is still there, under the repository of its pipeline.
fn announce(
    c: &Connection,
    (delivery_id, webhooks): (i64, &[i64]),
    image: &Announced,
    at: Timestamp,
) -> Result<Vec<i64>> {
    let cause = events::moved_by(c, delivery_id, &image.address())?;
    let mut made = Vec::new();
    for id in webhooks {
        let Some(webhook) = docker_webhooks::by_id(c, *id)? else { continue };
        let pipeline = webhook.pipeline_id.map(|id| pipelines::by_id(c, id)).transpose()?.flatten();
        let happened = Happened::ImageAnnounced {
            webhook_id: webhook.id,
            webhook: webhook.name,
            delivery_id,
            image: image.clone(),
        };
        let about = (pipeline.map(|p| p.repository_id), &happened);
        made.push(events::add_caused(c, cause, about, at)?);
    }
    Ok(made)
}
