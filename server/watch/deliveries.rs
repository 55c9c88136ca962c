//! What registries sent: read, and the registry asked what is true. A delivery only hurries a look; that it is lost,
//! doubled or late changes no result. What follows from one delivery is written in one transaction, so that it happens
//! once whenever the server dies; one whose registry cannot be asked stays and is tried again.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Watch;
use super::reason::Impression;
use super::sender::{Heard, Sender};
use crate::model::{
    Announced, Delivery, DeliveryPart, Digest, Error, Happened, Message, Notice, Reading, Result, Sighting,
    TagAddress,
};
use crate::msg;
use crate::registry::{self, DOCKER_HUB};
use crate::store::{Connection, deliveries, docker_webhooks, endpoints, events, pipelines, tags};

/// One notice with what the registry said.
struct Found {
    notice: Notice,
    part: DeliveryPart,
    /// Of pushes that somebody wants to hear of.
    announced: Option<Announced>,
    heard: Heard,
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
        let mut all = Vec::new();
        for notice in notices {
            let notice = match silent.contains(&sender.host) {
                true => notice,
                false => self.registries.placed(&sender.host, notice).await,
            };
            if sender.host == self.registries.own().host() {
                self.registries.own().tags_changed(&notice.repository);
            }
            match self.look_up(delivery, &sender, notice, silent).await? {
                Ok(found) => all.push(found),
                Err(why) => return Ok(Outcome::Later(vec![why])),
            }
        }
        Ok(Outcome::Looked(Looked { sender, found: all, skipped }))
    }

    /// What the registry says of one notice, or why it says nothing.
    async fn look_up(
        &self,
        delivery: &Delivery,
        sender: &Sender,
        notice: Notice,
        silent: &mut BTreeSet<String>,
    ) -> Result<std::result::Result<Found, DeliveryPart>> {
        let address = notice.address(&sender.host);
        let part = |message| DeliveryPart { image: address.to_string(), message, events: Vec::new() };
        let ended =
            |message, heard| Found { part: part(message), announced: None, heard, notice: notice.clone() };
        let nobody = Heard::default();
        let key = keyed(delivery, sender, &notice);
        let other = notice.host.as_ref().filter(|host| **host != sender.host);
        if let Some(other) = other {
            return Ok(Ok(ended(msg!("hook-other-host", host = other, expected = sender.host), nobody)));
        }
        let (known, followed) = self.store.read(|c| {
            let known = key.as_ref().map_or(Ok(false), |key| deliveries::is_known(c, key))?;
            Ok((known, self.is_followed(c, &address)?))
        })?;
        if known {
            return Ok(Ok(ended(msg!("hook-twice"), nobody)));
        }
        let heard = if notice.pushed { sender.heard(&address) } else { nobody };
        let wanted = !heard.ids.is_empty();
        if !followed && !wanted {
            return Ok(Ok(ended(msg!("hook-not-followed"), heard)));
        }
        if silent.contains(&address.host) {
            return Ok(Err(part(msg!("hook-registry-silent", host = address.host))));
        }
        let (message, digest) = if self.registries.at(&address.host).is_none() {
            if self.store.read(|c| endpoints::by_host(c, &address.host))?.is_some() {
                // Its client is being made, or cannot be.
                return Ok(Err(part(msg!("hook-registry-silent", host = address.host))));
            }
            (msg!("hook-not-asked", host = address.host), None)
        } else {
            match self.look_at_tag(&address, Some(delivery.id)).await {
                Ok(sighting) => {
                    self.noticed_of(&address.host, Impression::Well).await?;
                    self.compared(delivery, &address, &sighting)?
                }
                Err(error) => {
                    self.noticed_of(&address.host, Impression::of(Some(&error))).await?;
                    let Some(message) = error.message().cloned() else { return Err(error) };
                    silent.insert(address.host.clone());
                    return Ok(Err(part(message)));
                }
            }
        };
        let announced = wanted.then(|| Announced::new(&address, &notice.owner, digest));
        Ok(Ok(Found { part: part(message), announced, heard, notice }))
    }

    /// Whether anybody follows the tag: by its name, as Docker Hub's when our registry is the engine's mirror, or with
    /// all others of its repository.
    fn is_followed(&self, c: &Connection, address: &TagAddress) -> Result<bool> {
        let mirrored = address.host == self.registries.own().host();
        let hub = TagAddress { host: DOCKER_HUB.to_owned(), ..address.clone() };
        Ok(tags::is_followed(c, address)?
            || (mirrored && tags::is_followed(c, &hub)?)
            || deliveries::is_of_stream(c, address)?)
    }

    /// Whether the tag has moved since the delivery came, whoever saw it first.
    fn compared(
        &self,
        delivery: &Delivery,
        address: &TagAddress,
        sighting: &Sighting,
    ) -> Result<(Message, Option<Digest>)> {
        let digest = sighting.digest().cloned();
        let seen = self.store.read(|c| tags::get(c, address))?;
        let moved = seen.is_some_and(|seen| seen.moved_at >= delivery.received_at);
        let message = match (&digest, moved) {
            (Some(digest), true) => msg!("hook-moved", digest = digest.short()),
            (Some(digest), false) => msg!("hook-nothing-new", digest = digest.short()),
            (None, _) if *sighting == Sighting::Gone => msg!("hook-gone"),
            (None, _) => msg!("hook-no-digest"),
        };
        Ok((message, digest))
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
fn keyed(delivery: &Delivery, sender: &Sender, notice: &Notice) -> Option<String> {
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
