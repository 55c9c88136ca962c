//! Imports into image streams that are due: asks the registry what the source names, has it copied where that is
//! wanted, and writes what came of it. A row brings an import, a schedule brings the row.
//!
//! Each registry has a lane of its own, with a few imports at a time: one that is slow or dead holds up its own imports
//! and nobody else's.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _, future, stream};
use jiff::{SignedDuration, Timestamp};

use super::lanes::Lane;
use super::reason::{Impression, is_in_vain, is_silence, reason};
use super::tags::AT_ONCE;
use super::{Watch, schedule};
use crate::model::{
    Digest, Error, ImageReference, Message, ReferencePolicy, Result, Sighting, TagAddress, TagSource, Turn,
    is_repository,
};
use crate::msg;
use crate::registry::{Client, copy_image};
use crate::store::Connection;
use crate::store::streams::imports::{self, Due};
use crate::store::streams::others;
use crate::store::tags::{self, Seen};

/// Most of one registry that are taken into its lane at a time.
const BATCH: usize = 256;
/// After so many failures in a row the rest of a lane is not asked for.
const HOPELESS: usize = 4;

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
    /// Why not: the word for the condition, and the sentence.
    Failed(&'static str, Message),
}

/// Imports from one registry that were taken together.
pub struct Taken {
    lane: Lane,
    due: Vec<Due>,
    at: Timestamp,
}

impl Watch {
    /// Carries out what is due at `now`, within the limits, and waits for all of it.
    pub async fn import_due(&self, now: Timestamp) -> Result<Turn> {
        let (lanes, _) = self.take_imports(now)?;
        if lanes.is_empty() {
            return Ok(Turn::Idle);
        }
        let done = future::join_all(lanes.into_iter().map(|taken| self.import_taken(taken))).await;
        done.into_iter().collect::<Result<()>>()?;
        Ok(Turn::Worked)
    }

    /// Takes what is due at `now`, within the limits, into the lanes that are free; and says how long until more is due,
    /// if no row and no lane brings it earlier.
    pub fn take_imports(&self, now: Timestamp) -> Result<(Vec<Taken>, Option<Duration>)> {
        let (all, later) = self.store.read(|c| Ok((imports::due(c, now)?, imports::next_after(c, now)?)))?;
        let mut free = self.lock().pace.free(now);
        let (mut scheduled, mut held_back) = (0, false);
        // `None` for a lane that somebody else is in.
        let mut lanes: BTreeMap<String, Option<Taken>> = BTreeMap::new();
        for due in all {
            let host = self.host_of(&due.source);
            let lane = || self.importing.enter(&host).map(|lane| Taken { lane, due: Vec::new(), at: now });
            let Some(taken) = lanes.entry(host.clone()).or_insert_with(lane) else { continue };
            if taken.due.len() >= BATCH {
                continue;
            }
            if !due.asked {
                if free == 0 {
                    held_back = true;
                    continue;
                }
                free -= 1;
                scheduled += 1;
            }
            taken.due.push(due);
        }
        let mut state = self.lock();
        state.pace.take(scheduled, now);
        let paced = held_back.then(|| state.pace.free_at(now));
        drop(state);
        let next = [later, paced].into_iter().flatten().min();
        let wait = next.map(|next| Duration::try_from(next.duration_since(now)).unwrap_or_default());
        let taken = lanes.into_values().flatten().filter(|taken| !taken.due.is_empty());
        Ok((taken.collect(), wait))
    }

    /// Carries out the imports of one lane, a few at a time.
    pub async fn import_taken(&self, taken: Taken) -> Result<()> {
        let Taken { lane, due, at } = taken;
        let failures = AtomicUsize::new(0);
        let work = stream::iter(due).map(|due| self.import_one(due, &lane.host, &failures, at));
        let done: Vec<Result<()>> = work.buffer_unordered(AT_ONCE).collect().await;
        done.into_iter().collect()
    }

    /// The registry that is asked for a source; empty when none is.
    fn host_of(&self, source: &TagSource) -> String {
        let TagSource::DockerImage(text) = source else { return String::new() };
        let Ok(image) = ImageReference::parse(text) else { return String::new() };
        let address = TagAddress::of(&ImageReference { digest: None, ..image });
        address.map(|address| self.registries.located(&address).host).unwrap_or_default()
    }

    /// A mistake of ours over one image must not cost the others of its lane.
    async fn import_one(&self, due: Due, host: &str, failures: &AtomicUsize, at: Timestamp) -> Result<()> {
        let importing = AssertUnwindSafe(self.import(due, host, failures, at)).catch_unwind().await;
        importing.unwrap_or_else(|_| Err(Error::Internal("an import panicked".into())))
    }

    async fn import(&self, due: Due, host: &str, failures: &AtomicUsize, at: Timestamp) -> Result<()> {
        let (outcome, impression) = if failures.load(Ordering::Relaxed) >= HOPELESS {
            (Err(Error::Conflict(msg!("streams-import-hopeless", host = host))), Impression::Nothing)
        } else {
            self.outcome(&due, failures).await
        };
        let outcome = match outcome {
            Ok(found) => Outcome::Found(Box::new(found)),
            Err(error) => {
                let (word, message) = reason(&error);
                Outcome::Failed(word, message)
            }
        };
        // A lane may have taken its time.
        let next = self.again(&due, &outcome, at.max(Timestamp::now()));
        let host = host.to_owned();
        let due = Arc::new(due);
        let this = due.clone();
        let write = move |c: &Connection| {
            write(c, &this, &outcome, next)?;
            impression.note(c, &host)
        };
        match self.store.write(write).await {
            Err(error) if !matches!(error, Error::Unavailable(_)) => {
                // Once more in a second it would be the same: it has its outcome, and its next time.
                tracing::error!(stream = %due.name(), %error, "what was imported could not be written");
                let failed = Outcome::Failed("InternalError", msg!("streams-internal"));
                let next = next.or_else(|| Timestamp::now().checked_add(SignedDuration::from_mins(1)).ok());
                self.store.write(move |c| self::write(c, &due, &failed, next)).await
            }
            done => done,
        }
    }

    /// When the tag is to be imported again: by its schedule, or because nothing was learned. What comes from our own
    /// registry is looked at every minute anyway.
    fn again(&self, due: &Due, outcome: &Outcome, now: Timestamp) -> Option<Timestamp> {
        let own =
            |address: TagAddress| self.registries.located(&address).host == self.registries.own().host();
        let polled = due.source.address().is_some_and(own);
        let in_vain = matches!(outcome, Outcome::Failed(word, _) if is_in_vain(word));
        match polled {
            true if in_vain => now.checked_add(SignedDuration::from_mins(1)).ok(),
            true => None,
            false => (due.scheduled || in_vain)
                .then(|| schedule::next(now, schedule::seed(due.stream_id, &due.tag))),
        }
    }

    /// What came of it, and what that says of the source's registry.
    async fn outcome(&self, due: &Due, failures: &AtomicUsize) -> (Result<Found>, Impression) {
        let found = self.found(due).await;
        match found.as_ref().is_err_and(is_silence) {
            true => failures.fetch_add(1, Ordering::Relaxed),
            false => failures.swap(0, Ordering::Relaxed),
        };
        let impression = Impression::of(found.as_ref().err());
        let found = match found {
            Ok(found) if due.policy == ReferencePolicy::Local => {
                self.copied(due, &found).await.map(|reference| Found { reference, ..found })
            }
            other => other,
        };
        (found, impression)
    }

    async fn found(&self, due: &Due) -> Result<Found> {
        let text = match &due.source {
            TagSource::DockerImage(text) => text.clone(),
            // To be copied from where the other stream has it.
            TagSource::OtherTag(_) | TagSource::OtherImage(_) => {
                let source = Some(due.source.clone());
                let item = self.store.read(|c| others::image(c, &source))?;
                item.ok_or_else(|| Error::NotFound(msg!("streams-no-such-image")))?.reference
            }
            _ => return Err(Error::Invalid(msg!("streams-not-imported"))),
        };
        let image = ImageReference::parse(&text)?;
        match TagAddress::of(&image) {
            Some(address) => self.by_tag(address).await,
            None => self.by_digest(image).await,
        }
    }

    async fn by_tag(&self, address: TagAddress) -> Result<Found> {
        let before = self.store.read(|c| tags::get(c, &address))?;
        let at = self.registries.located(&address);
        let known = before.as_ref().and_then(|seen| seen.digest.as_ref());
        let sighting = self.registries.sight(&at, known).await?;
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

fn write(c: &Connection, due: &Due, outcome: &Outcome, next: Option<Timestamp>) -> Result<()> {
    let at = Timestamp::now();
    match outcome {
        Outcome::Found(found) => {
            let reference = (found.reference.as_str(), found.digest.as_ref());
            if let Some((address, before, sighting)) = &found.sighting {
                tags::observe_since(c, (address, before.as_ref()), (sighting, None), at)?;
            }
            imports::imported(c, due, reference, (next, at)).map(drop)
        }
        Outcome::Failed(word, message) => imports::import_failed(c, due, (word, message), (next, at)),
    }
}
