//! One base: where it is looked up, what the registry says, and what counts when it says nothing.

use std::sync::PoisonError;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, timeout_at};

use super::{Base, Pin, Wanted, changed};
use crate::model::{BaseImage, Digest, Error, ImageReference, Message, Result, Sighting, TagAddress};
use crate::msg;
use crate::registry::{Client, Patience};
use crate::store::tags::{self, Seen};
use crate::store::triggers::PipelineBase;

/// Digests whose age is remembered.
const MOST_REMEMBERED: usize = 2000;

/// How long a registry that kept silent is waited for only shortly.
const SILENCE_COUNTS: Duration = Duration::from_secs(30);
const SHORTLY: Duration = Duration::from_millis(250);

/// What came of one base.
pub struct One {
    pub image: BaseImage,
    pub standing: Option<PipelineBase>,
    pub seen: Option<(TagAddress, Sighting)>,
    /// What whoever starts the run should know at once.
    pub said: Option<Message>,
}

impl One {
    /// Nothing was looked up.
    pub(super) fn of(image: BaseImage) -> One {
        One { image, standing: None, seen: None, said: None }
    }
}

/// A digest, or why there is none; a digest may have a remark, too.
pub(super) struct Answer {
    pub digest: Option<Digest>,
    pub note: Option<Message>,
    pub sighting: Option<Sighting>,
}

/// What the tag names. A digest that is not known yet is only taken from a registry that really has its manifest, which
/// is needed for the image's age anyway.
async fn names(client: &Client, address: &TagAddress, known: Option<&Digest>) -> Result<Option<Digest>> {
    let Some(found) = client.head(&address.repository, &address.tag).await? else { return Ok(None) };
    if known != Some(&found.digest) {
        client.verify(&address.repository, &found.digest).await?;
    }
    Ok(Some(found.digest))
}

/// The registry answers, and not truly.
fn is_damage(message: &Message) -> bool {
    message.key.starts_with("registry-digest-")
}

impl Pin {
    pub(super) async fn one(&self, wanted: &Wanted<'_>, base: Base, until: Instant) -> One {
        let Base { reference, places, note, left, pinned, is_frontend } = base;
        let mut image =
            BaseImage { reference, pinned: None, digest: None, note, made_at: None, used: Vec::new() };
        if image.note.is_some() {
            return One::of(image);
        }
        let parsed = match ImageReference::parse(&image.reference) {
            Ok(parsed) => parsed,
            Err(error) => {
                image.note = error.message().cloned();
                return One::of(image);
            }
        };
        if is_frontend {
            return self.frontend(image, parsed, until).await;
        }
        let Some(address) = TagAddress::of(&parsed) else {
            // A digest names the same image for ever.
            image.pinned = pinned.then(|| image.reference.clone());
            image.note = left;
            image.digest = parsed.digest;
            return One::of(image);
        };
        let address = self.registries.located(&address);
        if self.is_own(wanted, &address).unwrap_or(false) {
            image.note = Some(msg!("pin-own-image"));
            return One::of(image);
        }
        let before = self.store.read(|c| tags::get(c, &address)).ok().flatten();
        let answer = match changed(wanted.changes, &image.reference, &address) {
            Some(digest) => Answer { digest: Some(digest), note: None, sighting: None },
            None => self.ask(&address, before.as_ref(), until).await,
        };
        if let Some(digest) = &answer.digest {
            image.pinned = pinned.then(|| address.pinned(digest));
            if answer.note.is_none() {
                image.made_at = self.made_at(&address, digest, until).await;
            }
        }
        image.digest = answer.digest;
        image.note = answer.note.or(left);
        let seen = answer.sighting.filter(|_| before.is_none()).map(|sighting| (address.clone(), sighting));
        let standing = Some(PipelineBase { reference: image.reference.clone(), address, places });
        One { image, standing, seen, said: None }
    }

    pub(super) async fn ask(&self, address: &TagAddress, before: Option<&Seen>, until: Instant) -> Answer {
        let nothing = |note: Message| Answer { digest: None, note: Some(note), sighting: None };
        let Some(client) = self.registries.at(&address.host) else {
            return nothing(msg!("registry-host-unknown", host = address.host));
        };
        let client = client.with_patience(Patience::NONE);
        let known = before.and_then(|seen| seen.digest.as_ref());
        let answer = timeout_at(self.patience(&address.host, until), names(&client, address, known)).await;
        let is_silent = match &answer {
            Err(_) => true,
            Ok(Err(Error::Conflict(message))) => !is_damage(message),
            Ok(_) => false,
        };
        self.remember(&address.host, is_silent);
        match answer {
            Ok(Ok(Some(digest))) => {
                let sighting = Some(Sighting::Image(digest.clone()));
                Answer { digest: Some(digest), note: None, sighting }
            }
            Ok(Err(Error::Conflict(message))) if is_damage(&message) => {
                Answer { digest: known.cloned(), note: Some(message), sighting: None }
            }
            Ok(Ok(None)) => Answer {
                digest: None,
                note: Some(msg!("pin-gone", image = address)),
                sighting: Some(Sighting::Gone),
            },
            Ok(Err(Error::Invalid(message))) if message.key == "registry-schema1" => Answer {
                digest: None,
                note: Some(msg!("pin-no-digest", image = address)),
                sighting: Some(Sighting::NoDigest),
            },
            // No answer: what the tag named when it was last seen.
            Ok(Err(_)) | Err(_) => {
                match before.and_then(|seen| Some((seen.digest.clone()?, seen.checked_at))) {
                    Some((digest, at)) => {
                        let at = at.strftime("%Y-%m-%d %H:%M UTC");
                        let note = Some(msg!("pin-last-seen", host = address.host, at = at));
                        Answer { digest: Some(digest), note, sighting: None }
                    }
                    None => nothing(msg!("pin-silent", host = address.host)),
                }
            }
        }
    }

    /// Until when a registry is waited for: shortly, when it lately kept silent.
    pub(super) fn patience(&self, host: &str, until: Instant) -> Instant {
        let silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        match silent.get(host) {
            Some(at) if at.elapsed() < SILENCE_COUNTS => until.min(Instant::now() + SHORTLY),
            _ => until,
        }
    }

    fn remember(&self, host: &str, is_silent: bool) {
        let mut silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        match is_silent {
            true => drop(silent.insert(host.to_owned(), Instant::now())),
            false => drop(silent.remove(host)),
        }
    }

    /// When the image was made, as its configuration says; `None` when that is not known soon.
    async fn made_at(&self, address: &TagAddress, digest: &Digest, until: Instant) -> Option<Timestamp> {
        let remembered = || self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = remembered().get(digest) {
            return *known;
        }
        let client = self.registries.at(&address.host)?.with_patience(Patience::NONE);
        let image = timeout_at(until, client.image(&address.repository, digest.as_str())).await.ok()?.ok()?;
        let mut all = remembered();
        if all.len() >= MOST_REMEMBERED {
            all.clear();
        }
        all.insert(digest.clone(), image.created);
        image.created
    }
}
