//! Notices: compares the refs of every repository with the record and writes an event for each that
//! moved. A push, inotify and the minute clock only decide when to look; the comparison is always the same.
//!
//! `tags` does the same for tags at registries, `imports` brings images into streams, and `deliveries` reads what
//! registries sent; they are driven on their own, so that a slow registry never holds up git, and by lanes, so that it
//! holds up no other registry.

mod asked;
mod deliveries;
mod imports;
mod inbox;
mod lanes;
mod notices;
mod reason;
mod remote;
mod schedule;
mod sender;
mod tags;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::Notify;

use crate::git;
use crate::model::{CommitId, RefName, Result, Turn};
use crate::registry::Registries;
use crate::store::repositories::{self, Repository};
use crate::store::{Store, refs};
use lanes::Lanes;
use notices::Notices;
pub use notices::Watching;

pub struct Watch {
    store: Store,
    git: git::Repositories,
    registries: Registries,
    every: Duration,
    notices: Notices,
    /// Registries whose imports, and whose deliveries, are under way.
    importing: Lanes,
    delivering: Lanes,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    stamps: BTreeMap<i64, git::RefsStamp>,
    polled: Option<Instant>,
    inbox: inbox::Inbox,
    tags_polled: Option<Instant>,
    pace: schedule::Pace,
    held: sender::Held,
}

impl Watch {
    /// `every` is how long a full comparison is good for: a minute.
    pub fn new(store: Store, git: git::Repositories, registries: Registries, every: Duration) -> Self {
        let notices = Notices::new();
        Watch {
            store,
            git,
            registries,
            every,
            notices,
            importing: Lanes::default(),
            delivering: Lanes::default(),
            state: Mutex::default(),
        }
    }

    /// Rung when the file system says that something moved.
    pub fn noticed(&self) -> Arc<Notify> {
        self.notices.bell()
    }

    /// How well the file system's notices work, for the health page.
    pub fn watching(&self) -> Watching {
        self.notices.watching()
    }

    /// When the next full comparison is due.
    pub fn next_poll(&self) -> Instant {
        self.lock().polled.map_or_else(Instant::now, |at| at + self.every)
    }

    /// Looks at what was noticed, and at everything when the minute is over.
    pub async fn tick(&self) -> Result<Turn> {
        let due = self.next_poll() <= Instant::now();
        let moved = self.notices.take();
        if !due && moved.is_empty() {
            return Ok(Turn::Idle);
        }
        let worked = if due { self.poll().await? } else { self.look_at(moved).await? };
        Ok(worked)
    }

    /// Compares the tags at our registry when their minute is over.
    pub async fn tick_tags(&self) -> Result<Turn> {
        if self.next_tags() <= Instant::now() {
            self.poll_tags().await
        } else {
            self.follow_new_streams().await
        }
    }

    /// When the next comparison of tags is due.
    pub fn next_tags(&self) -> Instant {
        self.lock().tags_polled.map_or_else(Instant::now, |at| at + self.every)
    }

    /// Compares every repository now, whatever the clock says.
    pub async fn poll(&self) -> Result<Turn> {
        self.lock().polled = Some(Instant::now());
        let all = self.store.read(repositories::all)?;
        self.notices.follow(&all, &self.git);
        let known: BTreeSet<i64> = all.iter().map(|r| r.id).collect();
        self.lock().stamps.retain(|id, _| known.contains(id));
        let mut turn = Turn::Idle;
        self.prune_deliveries().await?;
        self.fetch_mirrors(&all).await;
        for repository in self.changed(all).await? {
            turn = turn.or(self.compare(&repository).await);
        }
        Ok(turn)
    }

    /// New repositories get their notices, and new mirrors their content, without waiting for the minute.
    pub async fn follow_new(&self) -> Result<()> {
        let known = self.notices.newest();
        if self.store.read(repositories::newest)? > known {
            let all = self.store.read(repositories::all)?;
            self.notices.follow(&all, &self.git);
            let mirrors: Vec<_> = all.into_iter().filter(|r| r.id > known && r.remote.is_some()).collect();
            self.fetch_mirrors(&mirrors).await;
            for repository in &mirrors {
                self.compare(repository).await;
            }
        }
        Ok(())
    }

    async fn look_at(&self, ids: BTreeSet<i64>) -> Result<Turn> {
        let mut turn = Turn::Idle;
        for id in ids {
            if let Some(repository) = self.store.read(|c| repositories::by_id(c, id))? {
                turn = turn.or(self.compare(&repository).await);
            }
        }
        Ok(turn)
    }

    /// Those whose files are not as they were at the last comparison: three `stat`s each, off the async threads.
    async fn changed(&self, all: Vec<Repository>) -> Result<Vec<Repository>> {
        let stamps = std::mem::take(&mut self.lock().stamps);
        let git = self.git.clone();
        let look = move || {
            let moved =
                |r: &Repository| !stamps.get(&r.id).is_some_and(|stamp| stamp.holds(&git.directory(&r.path)));
            let changed = all.into_iter().filter(moved).collect::<Vec<_>>();
            (changed, stamps)
        };
        let looked = tokio::task::spawn_blocking(look).await;
        let (changed, stamps) =
            looked.map_err(|e| crate::model::Error::internal("look at the repositories", e))?;
        self.lock().stamps = stamps;
        Ok(changed)
    }

    /// One repository's failure is its own: it is logged and the next minute looks again.
    async fn compare(&self, repository: &Repository) -> Turn {
        match self.observe(repository).await {
            Ok(turn) => turn,
            Err(error) => {
                tracing::warn!(repository = %repository.path, %error, "the refs of a repository could not be compared");
                Turn::Idle
            }
        }
    }

    async fn observe(&self, repository: &Repository) -> Result<Turn> {
        let id = repository.id;
        // A push in progress records its own refs before this may look.
        let guard = self.git.lock_updates(&repository.path).await;
        let (git, path) = (self.git.clone(), repository.path.clone());
        let look = move || -> Result<_> { Ok((git.refs_stamp(&path)?, git.list_refs(&path)?)) };
        let looked = tokio::task::spawn_blocking(look).await;
        let (stamp, list) = looked.map_err(|e| crate::model::Error::internal("read refs", e))??;
        for name in &list.skipped {
            tracing::warn!(repository = %repository.path, name, "a ref is not followed: its name is not allowed");
        }
        let seen = self.store.read(|c| refs::seen(c, id))?;
        let here: BTreeMap<_, _> = list.refs.into_iter().collect();
        let mut moved: Vec<_> = here
            .iter()
            .filter(|(name, object)| seen.get(*name) != Some(object))
            .map(|(name, object)| (name.clone(), Some(object.clone())))
            .collect();
        moved.extend(seen.keys().filter(|name| !here.contains_key(*name)).map(|name| (name.clone(), None)));
        let written = if moved.is_empty() {
            Vec::new()
        } else {
            let branch =
                repository.default_branch.is_none().then(|| self.first_branch(repository, &here)).flatten();
            self.store
                .write(move |c| {
                    if let Some(branch) = branch {
                        repositories::set_default_branch(c, id, &branch)?;
                    }
                    refs::observe(c, id, &moved, None, Timestamp::now())
                })
                .await?
        };
        drop(guard);
        // Taken before the refs were read, so what moved since will not hold.
        self.lock().stamps.insert(id, stamp);
        Ok(if written.is_empty() { Turn::Idle } else { Turn::Worked })
    }

    /// For a repository that has none yet: where HEAD points if that exists, else any branch.
    fn first_branch(&self, repository: &Repository, here: &BTreeMap<RefName, CommitId>) -> Option<String> {
        let head = self.git.default_branch(&repository.path).ok().filter(|head| here.contains_key(head));
        let branch = head.or_else(|| here.keys().find(|name| name.branch_name().is_some()).cloned())?;
        if let Err(error) = self.git.set_default_branch(&repository.path, &branch) {
            tracing::warn!(repository = %repository.path, %error, "the default branch could not be set");
        }
        branch.branch_name().map(str::to_owned)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
