//! Compares the followed tags of the stack's own registry with the record. The minute and a delivery only decide when
//! to look; the comparison is the same, and nothing is written for a tag that is what it was.
//!
//! Whoever looked first may write last: what is written is what was seen only if nobody wrote since the look began.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;

use super::Watch;
use super::reason::reason;
use crate::model::{Error, Result, Sighting, TagAddress, Turn};
use crate::msg;
use crate::registry::DOCKER_HUB;
use crate::store::streams::{imports, whole};
use crate::store::tags::{self, Seen};
use crate::store::{Connection, Store};

/// Tags that moved and are written in one transaction.
const BATCH: usize = 250;
/// Questions to a registry at a time.
pub(super) const AT_ONCE: usize = 4;
/// Tags that are read from the store together before they are asked for.
const TOGETHER: usize = 50;
/// After so many failures in a row the rest of the tags is not asked for.
const HOPELESS: usize = 8;
/// How often a look is repeated that others overtook.
const TRIES: usize = 4;

/// One tag: what was known when the look began, and what the registry said.
struct Look {
    address: TagAddress,
    before: Option<Seen>,
    found: Result<Sighting>,
}

impl Look {
    fn is_news(&self) -> bool {
        match (&self.found, &self.before) {
            (_, None) => true,
            (Ok(found), Some(seen)) => seen.error.is_some() || !seen.names(found),
            (Err(error), Some(seen)) => seen.error.as_ref() != Some(&reason(error).1),
        }
    }

    fn write(&self, c: &Connection, at: Timestamp) -> Result<bool> {
        let key = (&self.address, self.before.as_ref());
        match &self.found {
            Ok(found) => {
                let written = tags::observe_since(c, key, (found, None), at)?;
                if written && *found != Sighting::Gone {
                    imports::source_well(c, &self.address)?;
                }
                Ok(written)
            }
            Err(error) if tags::get(c, &self.address)? == self.before => {
                let (word, message) = reason(error);
                tags::failed(c, &self.address, &message, at)?;
                imports::source_failed(c, &self.address, (word, &message), at)?;
                Ok(true)
            }
            Err(_) => Ok(false),
        }
    }
}

impl Watch {
    /// Compares every followed tag at our own registry now, whatever the clock says.
    pub async fn poll_tags(&self) -> Result<Turn> {
        let begun = Instant::now();
        self.lock().tags_polled = Some(begun);
        let own = self.registries.own().host().to_owned();
        let behind = self.store.read(whole::behind)?;
        let repositories = self.store.read(|c| whole::whole_repositories(c, &own))?;
        let mut parts = vec![self.of_repositories(&own, &repositories).await?];
        parts.push(self.store.read(|c| tags::followed(c, &own))?);
        if self.registries.at(DOCKER_HUB).is_none() {
            // Ours is the mirror of Docker Hub.
            parts.push(self.store.read(|c| tags::followed(c, DOCKER_HUB))?);
        }
        let (mut turn, count) = (Turn::Idle, parts.iter().map(Vec::len).sum::<usize>());
        for part in parts {
            turn = turn.or(self.compare_tags(part).await?);
        }
        self.catch_up(behind).await?;
        let micros = begun.elapsed().as_micros() as u64;
        tracing::debug!(tags = count, micros, "the followed tags were compared");
        Ok(turn)
    }

    /// New streams that follow a whole repository get what is there.
    pub(super) async fn follow_new_streams(&self) -> Result<Turn> {
        let behind = self.store.read(whole::behind)?;
        if behind.is_empty() {
            return Ok(Turn::Idle);
        }
        let own = self.registries.own().host().to_owned();
        let repositories = self.store.read(|c| whole::whole_repositories(c, &own))?;
        self.compare_tags(self.of_repositories(&own, &repositories).await?).await?;
        self.catch_up(behind).await?;
        Ok(Turn::Worked)
    }

    async fn catch_up(&self, behind: BTreeSet<i64>) -> Result<()> {
        if behind.is_empty() {
            return Ok(());
        }
        self.store.write(move |c| whole::catch_up(c, &behind, Timestamp::now())).await
    }

    /// Asks the registry what the tag names now and writes it down; `delivery_id` is what hurried the look.
    pub async fn look_at_tag(&self, address: &TagAddress, delivery_id: Option<i64>) -> Result<Sighting> {
        let found = self.look_and_write(address, delivery_id).await?;
        let hub = TagAddress { host: DOCKER_HUB.to_owned(), ..address.clone() };
        let is_mirrored =
            address.host == self.registries.own().host() && self.registries.at(DOCKER_HUB).is_none();
        if is_mirrored && self.store.read(|c| tags::is_followed(c, &hub))? {
            self.look_and_write(&hub, delivery_id).await?;
        }
        Ok(found)
    }

    async fn look_and_write(&self, address: &TagAddress, delivery_id: Option<i64>) -> Result<Sighting> {
        for _ in 1..TRIES {
            let before = self.store.read(|c| tags::get(c, address))?;
            let known = before.as_ref().and_then(|seen| seen.digest.as_ref());
            let found = self.registries.sight(&self.registries.located(address), known).await?;
            let same = |seen: &Seen| seen.error.is_none() && seen.names(&found);
            if before.as_ref().is_some_and(same) {
                return Ok(found);
            }
            let (key, seen) = (address.clone(), found.clone());
            let write = move |c: &Connection| {
                tags::observe_since(c, (&key, before.as_ref()), (&seen, delivery_id), Timestamp::now())
            };
            if self.store.write(write).await? {
                return Ok(found);
            }
        }
        // Others look at it all the time; what they write is as fresh.
        self.registries.sight(&self.registries.located(address), None).await
    }

    /// The tags that these repositories have, and those they had.
    async fn of_repositories(&self, host: &str, repositories: &[String]) -> Result<Vec<TagAddress>> {
        let list = |repository: String| async move {
            let listed = self.registries.own().tags(&repository).await;
            (repository, listed)
        };
        let lists = stream::iter(repositories.to_vec()).map(list).buffer_unordered(AT_ONCE);
        let lists: Vec<_> = lists.collect().await;
        let mut found = BTreeSet::new();
        for (repository, listed) in lists {
            let known = self.store.read(|c| tags::there(c, host, &repository))?;
            let listed = match listed {
                Ok(listed) => listed,
                Err(Error::NotFound(_)) => Vec::new(),
                Err(error) => {
                    tracing::debug!(repository, %error, "the tags of a repository could not be listed");
                    Vec::new()
                }
            };
            found.extend(
                listed.into_iter().chain(known.into_iter().map(|(tag, _)| tag)).map(|tag| TagAddress {
                    host: host.to_owned(),
                    repository: repository.clone(),
                    tag,
                }),
            );
        }
        Ok(found.into_iter().collect())
    }

    async fn compare_tags(&self, addresses: Vec<TagAddress>) -> Result<Turn> {
        let failures = AtomicUsize::new(0);
        let mut turn = Turn::Idle;
        let mut news = Vec::new();
        // Never fewer questions under way than there may be: no batch waits for the last answer of the one before.
        let some = stream::iter(addresses).chunks(TOGETHER).map(|some| stream::iter(self.known(some)));
        let looks = some.flatten().map(|known| self.look(known, &failures));
        let mut looks = looks.buffer_unordered(AT_ONCE);
        while let Some(look) = looks.next().await {
            let look = look?;
            if look.is_news() {
                news.push(look);
            }
            if news.len() >= BATCH {
                turn = turn.or(write_all(&self.store, std::mem::take(&mut news)).await?);
            }
        }
        match news.is_empty() {
            true => Ok(turn),
            false => Ok(turn.or(write_all(&self.store, news).await?)),
        }
    }

    /// Some tags with what is known of each; what is written of one meanwhile is noticed when its look is.
    fn known(&self, some: Vec<TagAddress>) -> Vec<Result<(TagAddress, Option<Seen>)>> {
        let read =
            self.store.read(|c| some.iter().map(|address| tags::get(c, address)).collect::<Result<Vec<_>>>());
        match read {
            Ok(known) => some.into_iter().zip(known).map(Ok).collect(),
            Err(error) => vec![Err(error)],
        }
    }

    async fn look(&self, known: Result<(TagAddress, Option<Seen>)>, failures: &AtomicUsize) -> Result<Look> {
        let (address, before) = known?;
        let found = if failures.load(Ordering::Relaxed) >= HOPELESS {
            Err(Error::Conflict(msg!("streams-registry-hopeless", host = address.host)))
        } else {
            let known = before.as_ref().and_then(|seen| seen.digest.as_ref());
            self.registries.sight(&self.registries.located(&address), known).await
        };
        match found {
            Err(Error::Conflict(_)) => failures.fetch_add(1, Ordering::Relaxed),
            _ => failures.swap(0, Ordering::Relaxed),
        };
        Ok(Look { address, before, found })
    }
}

async fn write_all(store: &Store, mut news: Vec<Look>) -> Result<Turn> {
    // In the order of names, so that what is written does not depend on who answered first.
    news.sort_by(|a, b| a.address.cmp(&b.address));
    let write = move |c: &Connection| {
        let at = Timestamp::now();
        let mut turn = Turn::Idle;
        for look in &news {
            if look.write(c, at)? {
                turn = Turn::Worked;
            }
        }
        Ok(turn)
    };
    store.write(write).await
}
