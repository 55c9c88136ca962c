//! Imports into image streams that are due: asks the registry what the source names, has it copied where that is
//! wanted, and writes what came of it. A row brings an import, a schedule brings the row.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};

use super::tags::{AT_ONCE, reason};
use super::{Watch, schedule};
use crate::model::{
    Digest, Error, ImageReference, Message, ReferencePolicy, Result, Sighting, TagAddress, TagSource, Turn,
    is_repository,
};
use crate::msg;
use crate::registry::{Client, copy_image};
use crate::store::streams::imports::{self, Due};
use crate::store::tags::{self, Seen};

/// Most that are looked at in one turn.
const BATCH: u32 = 256;

/// What a source names.
struct Found {
    reference: String,
    digest: Option<Digest>,
    /// Where it was looked up.
    at: TagAddress,
    /// The tag that was looked at, what was known of it before, and what it names.
    sighting: Option<(TagAddress, Option<Seen>, Sighting)>,
}

enum Outcome {
    Found(Box<Found>),
    Failed(&'static str, Message),
}

impl Watch {
    /// Carries out what is due at `now`, within the limits.
    pub async fn import_due(&self, now: Timestamp) -> Result<Turn> {
        let all = self.store.read(|c| imports::due(c, now, BATCH))?;
        let mut free = self.lock().pace.free(now);
        let mut scheduled = 0;
        let mut due = all;
        due.retain(|due| {
            if !due.asked && free == 0 {
                return false;
            }
            if !due.asked {
                free -= 1;
                scheduled += 1;
            }
            true
        });
        self.lock().pace.take(scheduled, now);
        if due.is_empty() {
            return Ok(Turn::Idle);
        }
        let work = stream::iter(due).map(|due| self.import(due, now)).buffer_unordered(AT_ONCE);
        let done: Vec<Result<()>> = work.collect().await;
        done.into_iter().collect::<Result<()>>()?;
        Ok(Turn::Worked)
    }

    /// How long until an import is due, if no row brings one earlier.
    pub fn next_import(&self, now: Timestamp) -> Result<Option<Duration>> {
        let next = self.store.read(imports::next)?;
        let next = next.map(|next| if next <= now { self.lock().pace.free_at(now) } else { next });
        Ok(next.map(|next| Duration::try_from(next.duration_since(now)).unwrap_or_default()))
    }

    async fn import(&self, due: Due, now: Timestamp) -> Result<()> {
        let outcome = self.outcome(&due).await;
        let outcome = match outcome {
            Ok(found) => Outcome::Found(Box::new(found)),
            Err(error) => {
                let (word, message) = reason(&error);
                Outcome::Failed(word, message)
            }
        };
        let next = self.again(&due, &outcome, now);
        self.store.write(move |c| write(c, &due, &outcome, next)).await
    }

    /// When the tag is to be imported again: by its schedule, or because nothing was learned. What comes from our own
    /// registry is looked at every minute anyway.
    fn again(&self, due: &Due, outcome: &Outcome, now: Timestamp) -> Option<Timestamp> {
        let own =
            |address: TagAddress| self.registries.located(&address).host == self.registries.own().host();
        let polled = due.source.address().is_some_and(own);
        let in_vain = matches!(outcome, Outcome::Failed("Unreachable" | "InternalError", _));
        match polled {
            true if in_vain => now.checked_add(SignedDuration::from_mins(1)).ok(),
            true => None,
            false => (due.scheduled || in_vain)
                .then(|| schedule::next(now, schedule::seed(due.stream_id, &due.tag))),
        }
    }

    async fn outcome(&self, due: &Due) -> Result<Found> {
        let TagSource::DockerImage(text) = &due.source else {
            return Err(Error::Invalid(msg!("streams-not-imported")));
        };
        let image = ImageReference::parse(text)?;
        let mut found = match TagAddress::of(&image) {
            Some(address) => self.by_tag(address).await?,
            None => self.by_digest(image).await?,
        };
        if due.policy == ReferencePolicy::Local {
            found.reference = self.copied(due, &found).await?;
        }
        Ok(found)
    }

    async fn by_tag(&self, address: TagAddress) -> Result<Found> {
        let before = self.store.read(|c| tags::get(c, &address))?;
        let at = self.registries.located(&address);
        let sighting = self.registries.sight(&at).await?;
        let reference = match &sighting {
            Sighting::Image(digest) => address.pinned(digest),
            Sighting::NoDigest => address.to_string(),
            Sighting::Gone => return Err(Error::NotFound(msg!("streams-source-gone", source = address))),
        };
        let digest = sighting.digest().cloned();
        Ok(Found { reference, digest, at, sighting: Some((address, before, sighting)) })
    }

    async fn by_digest(&self, image: ImageReference) -> Result<Found> {
        let shown = image.to_string();
        let missing = || Error::NotFound(msg!("streams-source-gone", source = shown));
        let digest = image.digest.clone().ok_or_else(missing)?;
        let untagged = ImageReference { tag: None, digest: None, ..image };
        let address = TagAddress::of(&untagged).ok_or_else(missing)?;
        let at = self.registries.located(&address);
        let there = self.client_at(&at)?.head(&at.repository, digest.as_str()).await?;
        there.ok_or_else(missing)?;
        Ok(Found { at, reference: address.pinned(&digest), digest: Some(digest), sighting: None })
    }

    /// The image in our own registry, where the stream keeps its copies; `host/repository@sha256:...`.
    async fn copied(&self, due: &Due, found: &Found) -> Result<String> {
        let own = self.registries.own();
        let target = due.stream.to_string().to_lowercase();
        let Some(digest) = found.digest.as_ref().filter(|_| is_repository(&target)) else {
            return Err(Error::Invalid(msg!("streams-local-not-possible", name = due.name())));
        };
        let reference = format!("{}/{target}@{digest}", own.host());
        if found.at.host == own.host() && found.at.repository == target {
            return Ok(reference);
        }
        let from = self.client_at(&found.at)?;
        copy_image(&from, (&found.at.repository, digest.as_str()), own, (&target, &due.tag)).await?;
        Ok(reference)
    }

    fn client_at(&self, at: &TagAddress) -> Result<Client> {
        let client = self.registries.at(&at.host);
        client.ok_or_else(|| Error::Denied(msg!("registry-host-unknown", host = at.host)))
    }
}

fn write(c: &crate::store::Connection, due: &Due, outcome: &Outcome, next: Option<Timestamp>) -> Result<()> {
    let at = Timestamp::now();
    match outcome {
        Outcome::Found(found) => {
            let reference = (found.reference.as_str(), found.digest.as_ref());
            if let Some((address, before, sighting)) = &found.sighting {
                tags::observe_since(c, (address, before.as_ref()), (sighting, None), at)?;
            }
            imports::imported(c, due, reference, (next, at))?;
            Ok(())
        }
        Outcome::Failed(word, message) => imports::import_failed(c, due, (word, message), (next, at)),
    }
}
