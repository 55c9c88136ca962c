//! What shows that a tag got its image while a stage went on: the engine that pushed it, the registry that took it, or
//! the image itself, which was made during the run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::House;
use crate::docker::EngineError;
use crate::model::{Digest, Error, ImageReference, Reading, Result};
use crate::registry::{self, Confirmed};
use crate::store::deliveries;

/// What the registry sends comes a moment after the push: so often, and so long apart, it is looked for.
const LOOKS: usize = 10;
const PAUSE: Duration = Duration::from_millis(200);
/// Deliveries of one stage that are read, the newest first.
const MOST_DELIVERIES: u32 = 1000;

/// The time in question.
#[derive(Clone, Copy)]
pub struct Window {
    /// When the stage began.
    pub since: Timestamp,
    /// When its run did.
    pub run_since: Timestamp,
}

pub struct Proof<'a> {
    house: &'a House,
    window: Window,
    /// Tags that the engine has pushed since the stage began.
    seen: BTreeSet<(String, String)>,
    /// Digests that the engine knows its images by, by repository and tag.
    local: BTreeMap<(String, String), Vec<Digest>>,
}

impl<'a> Proof<'a> {
    pub fn new(house: &'a House, window: Window, seen: BTreeSet<(String, String)>) -> Self {
        Proof { house, window, seen, local: BTreeMap::new() }
    }

    pub fn seen_at_engine(&self) -> impl Iterator<Item = &(String, String)> {
        self.seen.iter()
    }

    /// What the engine's image of that name is called at the registry: it learns that when it pushes.
    pub async fn at_engine(&mut self, repository: &str, tag: &str) -> &[Digest] {
        let name = (repository.to_owned(), tag.to_owned());
        if !self.local.contains_key(&name) {
            let known = self.ask_engine(repository, tag).await;
            self.local.insert(name.clone(), known);
        }
        self.local.get(&name).map_or(&[], Vec::as_slice)
    }

    async fn ask_engine(&self, repository: &str, tag: &str) -> Vec<Digest> {
        let host = self.house.registry.host();
        let image = match self.house.engine.inspect_image(&format!("{host}/{repository}:{tag}")).await {
            Ok(image) => image,
            Err(EngineError::Failed(Error::NotFound(_))) => return Vec::new(),
            Err(error) => {
                tracing::debug!(%error, "the engine did not tell what it has pushed");
                return Vec::new();
            }
        };
        let here = |text: &String| {
            let known = ImageReference::parse(text).ok()?;
            let same = known.host.as_deref() == Some(host) && known.repository == repository;
            known.digest.filter(|_| same)
        };
        image.digests.iter().filter_map(here).collect()
    }

    /// Whether the engine knows an image by this digest at the registry; its tag may name another by now.
    async fn is_at_engine(&self, repository: &str, digest: &Digest) -> bool {
        let reference = format!("{}/{repository}@{digest}", self.house.registry.host());
        self.house.engine.inspect_image(&reference).await.is_ok()
    }

    /// Whether one of them shows it. `with_digest`: the tool has said the image's digest.
    pub async fn of(
        &mut self,
        name: &(String, String),
        image: &Confirmed,
        with_digest: bool,
    ) -> Result<bool> {
        // A step may have taken the image away again; then the tool's own word for what the engine pushed is left.
        if self.seen.contains(name) && (with_digest || self.is_at_engine(&name.0, &image.digest).await) {
            return Ok(true);
        }
        // What somebody else made just now is told by its digest, which a log had to know.
        let made_now = image.created.is_some_and(|made| made >= self.window.run_since);
        if with_digest && made_now {
            return Ok(true);
        }
        self.at_registry(name).await
    }

    /// Whether the registry has told of a push of this tag. It is waited for where the registry tells of pushes at all.
    async fn at_registry(&self, (repository, tag): &(String, String)) -> Result<bool> {
        let host = self.house.registry.host();
        for look in 0..LOOKS {
            if look > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            let since = self.window.since;
            let (any, bodies) =
                self.house.store.read(|c| deliveries::own_since(c, since, MOST_DELIVERIES))?;
            let told = bodies.iter().any(|body| match registry::read_delivery(&[], body) {
                Reading::Notices { notices, .. } => notices.iter().any(|notice| {
                    let address = notice.address(host);
                    notice.pushed && address.repository == *repository && address.tag == *tag
                }),
                _ => false,
            });
            if told || !any {
                return Ok(told);
            }
        }
        Ok(false)
    }
}
