//! Which deliveries are handled when: each registry's in a lane of its own, oldest first, and those whose registry
//! could not be asked after a while again. Only ids are held here; a restart reads them from the store and tries all
//! of them at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, future, stream};
use jiff::{SignedDuration, Timestamp};

use super::Watch;
use super::asked::Hurried;
use super::deliveries::Outcome;
use super::lanes::Lane;
use super::reason::Impression;
use super::tags::AT_ONCE;
use crate::model::{Delivery, DeliveryPart, Result, TagAddress, Turn};
use crate::msg;
use crate::store::{Connection, deliveries, docker_webhooks};

/// Ids read at a time. A body may be a megabyte: it is read when its turn has come.
const BATCH: u32 = 256;
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(5 * 60);
/// The same for what a registry is about to have.
const FIRST_EARLY: Duration = Duration::from_millis(100);
const LONGEST_EARLY: Duration = Duration::from_secs(1);
/// Deliveries whose outcomes are one commit; and how long those wait that come after them, in a lane with more.
const TOGETHER: usize = 16;
const PAUSE: Duration = Duration::from_millis(5);
/// How long ids of events, and deliveries that were handled, are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Deliveries that nothing came of yet.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    /// Up to this id they were read.
    read: i64,
    /// By the host of their registry.
    waiting: BTreeMap<String, BTreeSet<i64>>,
    /// Those that are tried again, and when.
    later: BTreeMap<i64, Instant>,
    /// Those whose registry does not have yet what they speak of: since when, and how often it was asked.
    early: BTreeMap<i64, (Instant, u32)>,
    /// Tags that are expected to move.
    pub hurried: BTreeMap<TagAddress, Hurried>,
}

impl Inbox {
    /// Ids whose time has come once more.
    fn ripe(&mut self, now: Instant) -> Vec<i64> {
        let ripe: Vec<i64> = self.later.iter().filter(|(_, at)| **at <= now).map(|(id, _)| *id).collect();
        for id in &ripe {
            self.later.remove(id);
        }
        ripe
    }

    fn next(&self) -> Option<Instant> {
        let looks = self.hurried.values().map(|hurried| hurried.at);
        self.later.values().copied().chain(looks).min()
    }

    /// Tags whose time has come, by host.
    fn due_looks(&mut self, now: Instant) -> BTreeMap<String, Vec<(TagAddress, Hurried)>> {
        let due: Vec<TagAddress> = self
            .hurried
            .iter()
            .filter(|(_, hurried)| hurried.at <= now)
            .map(|(tag, _)| tag.clone())
            .collect();
        let mut looks: BTreeMap<String, Vec<(TagAddress, Hurried)>> = BTreeMap::new();
        for address in due {
            if let Some(hurried) = self.hurried.remove(&address) {
                looks.entry(address.host.clone()).or_default().push((address, hurried));
            }
        }
        looks
    }

    /// For how long a delivery has waited for its registry to have what it speaks of.
    pub fn waited(&self, id: i64) -> Duration {
        self.early.get(&id).map(|(since, _)| since.elapsed()).unwrap_or_default()
    }

    /// It waits a moment more; whether that is the first one.
    fn put_off(&mut self, id: i64) -> bool {
        let (_, tries) = self.early.entry(id).or_insert_with(|| (Instant::now(), 0));
        *tries += 1;
        let (first, wait) = (*tries == 1, FIRST_EARLY.saturating_mul(1 << (*tries - 1).min(16)));
        self.later.insert(id, Instant::now() + wait.min(LONGEST_EARLY));
        first
    }
}

/// Deliveries of one registry that were taken together.
pub struct Taken {
    /// Held until they are handled.
    _lane: Lane,
    ids: BTreeSet<i64>,
    looks: Vec<(TagAddress, Hurried)>,
}

impl Watch {
    /// Handles everything that has come and that is due again.
    pub async fn handle_deliveries(&self) -> Result<Turn> {
        let (lanes, _) = self.take_deliveries()?;
        let done = future::join_all(lanes.into_iter().map(|taken| self.handle_taken(taken))).await;
        done.into_iter().try_fold(Turn::Idle, |turn, done| Ok(turn.or(done?)))
    }

    /// Takes what has come, and what is due again, into the lanes that are free; and says when the next is due again.
    pub fn take_deliveries(&self) -> Result<(Vec<Taken>, Option<Instant>)> {
        let (ripe, mut read) = {
            let inbox = &mut self.lock().inbox;
            (inbox.ripe(Instant::now()), inbox.read)
        };
        let own = self.registries.own().host();
        let found = self.store.read(|c| {
            let mut found = Vec::new();
            for id in &ripe {
                found.extend(deliveries::webhook_of(c, *id)?.map(|webhook| (*id, webhook)));
            }
            loop {
                let some = deliveries::waiting(c, read, BATCH)?;
                let Some((last, _)) = some.last() else { break };
                read = *last;
                found.extend(some);
            }
            let mut hosts = BTreeMap::new();
            for (_, webhook) in &found {
                if !hosts.contains_key(webhook) {
                    hosts.insert(*webhook, host_of(c, *webhook, own)?);
                }
            }
            Ok((found, hosts))
        });
        let mut state = self.lock();
        let inbox = &mut state.inbox;
        let (found, hosts) =
            found.inspect_err(|_| inbox.later.extend(ripe.iter().map(|id| (*id, soon()))))?;
        inbox.read = inbox.read.max(read);
        for (id, webhook) in found {
            let host = hosts.get(&webhook).cloned().unwrap_or_default();
            inbox.waiting.entry(host).or_default().insert(id);
        }
        let mut taken = Vec::new();
        let mut looks = inbox.due_looks(Instant::now());
        for host in looks.keys() {
            inbox.waiting.entry(host.clone()).or_default();
        }
        for (host, ids) in std::mem::take(&mut inbox.waiting) {
            let looks = looks.remove(&host).unwrap_or_default();
            match self.delivering.enter(&host) {
                Some(lane) => taken.push(Taken { _lane: lane, ids, looks }),
                None => {
                    // Whoever is in the lane rings when it is free; what moves until then is seen then.
                    inbox.hurried.extend(looks.into_iter().map(|(tag, hurried)| (tag, hurried.soon())));
                    inbox.waiting.extend((!ids.is_empty()).then_some((host, ids)));
                }
            }
        }
        Ok((taken, inbox.next()))
    }

    /// Handles the deliveries of one lane, oldest first, some of them together.
    pub async fn handle_taken(&self, taken: Taken) -> Result<Turn> {
        let (mut turn, mut failure) = (Turn::Idle, None);
        let mut silent = BTreeSet::new();
        let again = taken.looks.into_iter().map(|(address, hurried)| self.look_again(address, hurried));
        for looked in stream::iter(again).buffer_unordered(AT_ONCE).collect::<Vec<_>>().await {
            failure = looked.err().or(failure);
        }
        let ids: Vec<i64> = taken.ids.into_iter().collect();
        for (n, some) in ids.chunks(TOGETHER).enumerate() {
            if n > 0 {
                // When so many come at once, what comes next has to be taken first.
                tokio::time::sleep(PAUSE).await;
            }
            for (id, handled) in self.handle_some(some, &mut silent).await {
                match handled {
                    Ok(done) => turn = turn.or(done),
                    Err(error) => {
                        self.lock().inbox.later.insert(id, soon());
                        failure = Some(error);
                    }
                }
            }
        }
        failure.map_or(Ok(turn), Err)
    }

    /// Looks into one after the other; what comes of them is written together, as soon as somebody waits for it.
    async fn handle_some(&self, ids: &[i64], silent: &mut BTreeSet<String>) -> Vec<(i64, Result<Turn>)> {
        let (mut handled, mut ready) = (Vec::new(), Vec::new());
        for id in ids {
            let mut urgent = false;
            match self.open(*id) {
                Ok(Some(delivery)) => {
                    let outcome = self.look_into(&delivery, silent).await;
                    urgent = outcome.as_ref().is_ok_and(Outcome::is_urgent);
                    ready.push(self.conclude(delivery, outcome));
                }
                Ok(None) => {}
                Err(error) => handled.push((*id, Err(error))),
            }
            if urgent {
                handled.extend(future::join_all(ready.drain(..)).await);
            }
        }
        handled.extend(future::join_all(ready).await);
        handled
    }

    /// `None` when it has been handled, or is no longer kept.
    fn open(&self, id: i64) -> Result<Option<Delivery>> {
        Ok(self.store.read(|c| deliveries::by_id(c, id))?.filter(|delivery| !delivery.handled))
    }

    /// One delivery's failure is its own: it is tried again, and those behind it are not held up.
    async fn conclude(&self, delivery: Delivery, outcome: Result<Outcome>) -> (i64, Result<Turn>) {
        let (id, tries) = (delivery.id, delivery.tries);
        let written = match outcome {
            Ok(Outcome::Later(why)) => return (id, self.try_again((id, tries), why).await),
            Ok(Outcome::Early(why)) => return (id, self.in_a_moment(id, why).await),
            Ok(Outcome::Ended(parts)) => self.end(id, parts).await,
            Ok(Outcome::Looked(looked)) => self.write(delivery, looked).await,
            Err(error) => Err(error),
        };
        let Err(error) = written else {
            self.lock().inbox.early.remove(&id);
            return (id, Ok(Turn::Worked));
        };
        tracing::error!(delivery = id, %error, "a delivery could not be handled; it is tried again");
        let why = vec![DeliveryPart::whole(msg!("hook-failed", id = id))];
        (id, self.try_again((id, tries), why).await)
    }

    async fn try_again(&self, (id, tries): (i64, u32), why: Vec<DeliveryPart>) -> Result<Turn> {
        let wait = FIRST_WAIT.saturating_mul(1 << tries.min(16)).min(LONGEST_WAIT);
        self.lock().inbox.later.insert(id, Instant::now() + wait);
        self.store.write(move |c| deliveries::failed(c, id, &why)).await?;
        Ok(Turn::Idle)
    }

    /// Why is written once: the moments that follow have the same reason.
    async fn in_a_moment(&self, id: i64, why: Vec<DeliveryPart>) -> Result<Turn> {
        if self.lock().inbox.put_off(id) {
            self.store.write(move |c| deliveries::failed(c, id, &why)).await?;
        }
        Ok(Turn::Idle)
    }

    /// What asking a registry has shown of it goes to the state of its endpoint, when it is news.
    pub(super) async fn noticed_of(&self, host: &str, impression: Impression) -> Result<()> {
        if !self.store.read(|c| impression.is_news(c, host))? {
            return Ok(());
        }
        let host = host.to_owned();
        self.store.write(move |c| impression.note(c, &host)).await
    }

    /// Forgets what is too old to come twice.
    pub(super) async fn prune_deliveries(&self) -> Result<()> {
        let Ok(before) = Timestamp::now().checked_sub(KEPT) else { return Ok(()) };
        self.store.write(move |c| deliveries::prune(c, before)).await
    }
}

fn soon() -> Instant {
    Instant::now() + FIRST_WAIT
}

/// The registry that a delivery with this webhook's token speaks of; empty when the webhook is gone.
fn host_of(c: &Connection, webhook: Option<i64>, own: &str) -> Result<String> {
    let Some(id) = webhook else { return Ok(own.to_owned()) };
    let webhook = docker_webhooks::by_id(c, id)?;
    webhook.map_or(Ok(String::new()), |webhook| docker_webhooks::host(c, &webhook, own))
}
