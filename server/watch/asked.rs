//! What the registry itself says of one notice. A sender is believed in nothing: the digest it names counts when the
//! registry has that manifest in that repository, else what the tag names does. Distribution tells of a push before it
//! links the tag, so a tag that does not name yet what was pushed is looked at again shortly, apart from the delivery.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::Watch;
use super::deliveries::{Found, keyed};
use super::reason::{Impression, is_silence};
use super::sender::{Heard, Sender};
use crate::model::{
    Announced, Delivery, DeliveryPart, Digest, Error, Message, Notice, Result, Sighting, TagAddress,
    is_attachment_tag,
};
use crate::msg;
use crate::registry::{Borne, DOCKER_HUB, bear_out};
use crate::store::{Connection, deliveries, endpoints, tags};

/// How far ahead a sender's clock may be.
const AHEAD: SignedDuration = SignedDuration::from_mins(10);
/// When a tag that has not moved yet is looked at again, and how often at most.
const FIRST_LOOK: Duration = Duration::from_millis(50);
const LONGEST_LOOK: Duration = Duration::from_secs(2);
const MOST_LOOKS: u32 = 10;
/// Tags that are looked at again at a time; of more the minute finds what moved.
const MOST_HURRIED: usize = 1000;

/// What came of asking.
pub(super) enum Answer {
    /// With how long it is too early to be sure.
    Found(Box<Found>, Option<Duration>),
    /// The registry could not be asked.
    Later(DeliveryPart),
}

/// A tag that is expected to move.
#[derive(Clone, Debug)]
pub(super) struct Hurried {
    /// What it is to name; `None` for anything else than it names.
    expected: Option<Digest>,
    pub at: Instant,
    looks: u32,
}

impl Hurried {
    fn new(expected: Option<Digest>) -> Self {
        Hurried { expected, at: Instant::now() + FIRST_LOOK, looks: 0 }
    }

    /// The same, not before a moment is over.
    pub fn soon(self) -> Self {
        Hurried { at: Instant::now() + FIRST_LOOK, ..self }
    }

    /// When to look again; `None` when it was often enough.
    fn again(mut self) -> Option<Self> {
        self.looks += 1;
        let wait = FIRST_LOOK.saturating_mul(1 << self.looks.min(16)).min(LONGEST_LOOK);
        self.at = Instant::now() + wait;
        (self.looks < MOST_LOOKS).then_some(self)
    }
}

impl Watch {
    /// What the registry says of one notice, or why it says nothing.
    pub(super) async fn look_up(
        &self,
        delivery: &Delivery,
        sender: &Sender,
        notice: Notice,
        silent: &mut BTreeSet<String>,
    ) -> Result<Answer> {
        let address = notice.address(&sender.host);
        let part = |message| DeliveryPart { image: address.to_string(), message, events: Vec::new() };
        let ended = |message, heard| {
            let found = Found { part: part(message), announced: None, heard, notice: notice.clone() };
            Ok(Answer::Found(Box::new(found), None))
        };
        let nobody = Heard::default();
        let key = keyed(delivery, sender, &notice);
        let other = notice.host.as_ref().filter(|host| !self.registries.is_same(host, &sender.host));
        if let Some(other) = other {
            return ended(msg!("hook-other-host", host = other, expected = sender.host), nobody);
        }
        let (known, followed) = self.store.read(|c| {
            let known = key.as_ref().map_or(Ok(false), |key| deliveries::is_known(c, key))?;
            Ok((known, self.is_followed(c, &address)?))
        })?;
        if known {
            return ended(msg!("hook-twice"), nobody);
        }
        let heard = if notice.pushed { sender.heard(&address) } else { nobody };
        let wanted = !heard.ids.is_empty();
        if !followed && !wanted {
            return ended(msg!("hook-not-followed"), heard);
        }
        if silent.contains(&address.host) {
            return Ok(Answer::Later(part(msg!("hook-registry-silent", host = address.host))));
        }
        let asked = match self.ask(delivery, &notice, &address, (wanted, followed)).await {
            Ok(Some(asked)) => asked,
            Ok(None) => return Ok(Answer::Later(part(msg!("hook-registry-silent", host = address.host)))),
            Err(error) => {
                let Some(message) = error.message().cloned() else { return Err(error) };
                self.noticed_of(&address.host, Impression::of(Some(&error))).await?;
                if is_silence(&error) {
                    silent.insert(address.host.clone());
                }
                return Ok(Answer::Later(part(message)));
            }
        };
        let Borne { digest, tag_digest, objection, early } = asked.borne;
        let announced = wanted.then(|| Announced {
            tag_digest,
            pushed_at: Some(pushed_at(&notice, delivery.received_at)),
            objection,
            ..Announced::new(&address, &notice.owner, digest)
        });
        let found = Found { part: part(asked.message), announced, heard, notice };
        // For those who only follow the tag it is looked at again apart.
        Ok(Answer::Found(Box::new(found), early.filter(|_| wanted)))
    }

    /// `None` when the registry's client is being made, or cannot be.
    async fn ask(
        &self,
        delivery: &Delivery,
        notice: &Notice,
        address: &TagAddress,
        (wanted, followed): (bool, bool),
    ) -> Result<Option<Asked>> {
        let attachment = is_attachment_tag(&notice.tag);
        if attachment && !followed {
            let message = msg!("hook-attachment", tag = notice.tag);
            let borne = Borne { objection: Some(message.clone()), ..Borne::default() };
            return Ok(Some(Asked { message, borne }));
        }
        if self.registries.at(&address.host).is_none() {
            if self.store.read(|c| endpoints::by_host(c, &address.host))?.is_some() {
                return Ok(None);
            }
            let message = msg!("hook-not-asked", host = address.host);
            return Ok(Some(Asked { message, borne: Borne::default() }));
        }
        let claimed = match (&notice.digest, wanted) {
            (Some(digest), true) if notice.pushed => Some(self.registries.held(address, digest).await?),
            _ => None,
        };
        let sighting = self.look_at_tag(address, Some(delivery.id)).await?;
        self.noticed_of(&address.host, Impression::Well).await?;
        let moved = self.has_moved(delivery, address)?;
        if followed && notice.pushed {
            self.expect(address, notice.digest.as_ref(), (&sighting, moved));
        }
        let found = match (&claimed, sighting.digest()) {
            (None, Some(digest)) if wanted => Some(self.registries.held(address, digest).await?),
            _ => None,
        };
        let mut borne = bear_out(notice, (claimed, found), &sighting);
        if attachment {
            let objection = Some(msg!("hook-attachment", tag = notice.tag));
            borne = Borne { objection, early: None, ..borne };
        }
        let message = match &borne.objection {
            Some(objection) if wanted => objection.clone(),
            _ => said(&borne, &sighting, moved),
        };
        Ok(Some(Asked { message, borne }))
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
    fn has_moved(&self, delivery: &Delivery, address: &TagAddress) -> Result<bool> {
        let seen = self.store.read(|c| tags::get(c, address))?;
        Ok(seen.is_some_and(|seen| seen.moved_at >= delivery.received_at))
    }

    /// A followed tag that does not name yet what was pushed is looked at again soon.
    fn expect(&self, address: &TagAddress, pushed: Option<&Digest>, (found, moved): (&Sighting, bool)) {
        let there = match pushed {
            Some(pushed) => found.digest() == Some(pushed) || *found == Sighting::NoDigest,
            None => moved,
        };
        let hurried = &mut self.lock().inbox.hurried;
        if there {
            hurried.remove(address);
        } else if hurried.len() < MOST_HURRIED {
            hurried.insert(address.clone(), Hurried::new(pushed.cloned()));
        }
    }

    /// Looks at a tag again that was expected to move. That its registry does not answer is for the minute to find out.
    pub(super) async fn look_again(&self, address: TagAddress, hurried: Hurried) -> Result<()> {
        let before = self.store.read(|c| tags::get(c, &address))?;
        let found = match self.look_at_tag(&address, None).await {
            Ok(found) => found,
            Err(error @ Error::Internal(_)) => return Err(error),
            Err(_) => return Ok(()),
        };
        let there = match &hurried.expected {
            Some(expected) => found.digest() == Some(expected),
            None => before.is_none_or(|before| !before.names(&found)),
        };
        if let Some(again) = hurried.again().filter(|_| !there) {
            // What was expected meanwhile is newer.
            self.lock().inbox.hurried.entry(address).or_insert(again);
        }
        Ok(())
    }
}

/// What the registry said, with the sentence for the delivery.
struct Asked {
    message: Message,
    borne: Borne,
}

fn said(borne: &Borne, sighting: &Sighting, moved: bool) -> Message {
    match (&borne.digest, sighting) {
        (Some(pushed), Sighting::Image(named)) if pushed != named => {
            msg!("hook-pushed-tag-elsewhere", digest = pushed.short(), named = named.short())
        }
        (Some(pushed), Sighting::Gone) => msg!("hook-pushed-tag-missing", digest = pushed.short()),
        (_, Sighting::Image(named)) if moved => msg!("hook-moved", digest = named.short()),
        (_, Sighting::Image(named)) => msg!("hook-nothing-new", digest = named.short()),
        (_, Sighting::Gone) => msg!("hook-gone"),
        (_, Sighting::NoDigest) => msg!("hook-no-digest"),
    }
}

/// By the sender's clock, unless that is far ahead.
fn pushed_at(notice: &Notice, received_at: Timestamp) -> Timestamp {
    let latest = received_at.checked_add(AHEAD).unwrap_or(Timestamp::MAX);
    notice.pushed_at.filter(|at| *at <= latest).unwrap_or(received_at)
}
