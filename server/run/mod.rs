//! Does: claims queued runs and carries each to its end; recovers what a crash left.
//!
//! One task per run, at most `jobs` of them. A run that this process lost sight of is never guessed to
//! have passed: it is `lost`, and its containers go.

mod ahead;
mod beside;
mod builtin;
mod carry_out;
mod guard;
mod names;
mod pins;
mod proof;
mod pushed;
mod restore;
mod settings;
mod stage;
mod stop;
mod submodules;
mod used;
mod variables;
mod workspace;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;

use crate::docker::Engine;
use crate::git;
use crate::logs::Logs;
use crate::messages::{self, Language};
use crate::model::{Error, Result, Run, Turn};
use crate::msg;
use crate::pipeline::bases::Makers;
use crate::registry;
use crate::store::{Store, runs};
pub use builtin::Addresses;
pub use settings::{Limits, Settings};
use stop::{Reason, Stopper};

/// How long runs that were told to stop may take to do so; beyond a step's own grace.
const LAST_WAIT: Duration = Duration::from_secs(20);

/// Everything a run's task uses; one for all of them.
struct House {
    store: Store,
    git: git::Repositories,
    logs: Logs,
    engine: Engine,
    registry: registry::Client,
    settings: Settings,
    active: Mutex<BTreeMap<i64, Stopper>>,
    ended: Notify,
    /// How many runs are being claimed or cleared away.
    busy: AtomicUsize,
    /// Rung when something of a run could not be removed.
    untidy: Notify,
    /// Which run works under which name.
    names: workspace::Names,
    /// What the runs that are under way say of themselves that they make.
    makers: Mutex<Vec<(i64, Makers)>>,
}

fn makers(house: &House) -> std::sync::MutexGuard<'_, Vec<(i64, Makers)>> {
    house.makers.lock().unwrap_or_else(PoisonError::into_inner)
}

/// While it lives, something is done for a run that is not, or no longer, among the active ones.
struct Busy(Arc<House>);

impl Busy {
    fn new(house: &Arc<House>) -> Self {
        house.busy.fetch_add(1, Ordering::SeqCst);
        Busy(house.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::SeqCst);
        self.0.ended.notify_waiters();
    }
}

#[derive(Clone)]
pub struct Runs {
    house: Arc<House>,
}

/// The rooms a run needs.
pub struct Rooms {
    pub store: Store,
    pub git: git::Repositories,
    pub logs: Logs,
    pub engine: Engine,
    pub registry: registry::Client,
}

impl Runs {
    pub fn new(rooms: Rooms, settings: Settings) -> Self {
        let Rooms { store, git, logs, engine, registry } = rooms;
        let active = Mutex::new(BTreeMap::new());
        Runs {
            house: Arc::new(House {
                store,
                git,
                logs,
                engine,
                registry,
                settings,
                active,
                ended: Notify::new(),
                busy: AtomicUsize::new(0),
                untidy: Notify::new(),
                makers: Mutex::default(),
                names: workspace::Names::default(),
            }),
        }
    }

    /// Passes on requests to cancel and starts the next run if there is one and a place for it. Without an
    /// engine runs keep their place in the queue: nothing of them could be carried out, and nothing is lost.
    pub async fn tick(&self) -> Result<Turn> {
        let house = &self.house;
        let ids = house.active_ids();
        for (id, by) in house.store.read(|c| runs::cancel_requests(c, &ids))? {
            house.stop(id, Reason::Cancelled(by));
        }
        if ids.len() >= house.settings.jobs || house.store.read(runs::claimable)?.is_none() {
            return Ok(Turn::Idle);
        }
        if !house.engine.answers().await {
            return Ok(Turn::Idle);
        }
        self.claim().await
    }

    /// Takes the next run and starts it, in a task of its own: a server that stops in between would leave a run that
    /// says it is running and is not.
    async fn claim(&self) -> Result<Turn> {
        let (this, busy) = (Runs { house: self.house.clone() }, Busy::new(&self.house));
        let claim = tokio::spawn(async move {
            let _busy = busy;
            let claimed = this.house.store.write(|c| runs::claim(c, Timestamp::now())).await?;
            Ok(match claimed {
                Some(run) => {
                    this.start(run);
                    Turn::Worked
                }
                None => Turn::Idle,
            })
        });
        claim.await.map_err(|e| Error::internal("claim a run", e))?
    }

    fn start(&self, run: Run) {
        let stopper = Stopper::new();
        let listener = stopper.listen();
        let id = run.id;
        self.house.lock().insert(id, stopper);
        let house = self.house.clone();
        tokio::spawn(async move {
            // A panic in one run must not leave it running for ever in the record.
            let work = tokio::spawn(carry_out::carry_out(house.clone(), run.clone(), listener));
            let worked = work.await;
            let aside = worked.as_ref().map(Clone::clone).unwrap_or_default();
            if let Err(error) = worked {
                tracing::error!(run = id, %error, "a run's task ended badly");
                let lost = house
                    .store
                    .write(move |c| runs::mark_lost(c, id, &msg!("run-lost-task"), Timestamp::now()));
                if let Err(error) = lost.await {
                    tracing::error!(run = id, %error, "and could not be marked as lost");
                }
            }
            house.logs.done(id);
            let _busy = Busy::new(&house);
            house.lock().remove(&id);
            house.ended.notify_waiters();
            carry_out::clean_up(&house, &run, aside).await;
        });
    }

    /// At the start of the server, before anything else runs: what an earlier process left running is
    /// lost and says so, and no new run starts before that is written.
    pub async fn recover(&self) -> Result<()> {
        let left = self.house.store.read(runs::unfinished)?;
        for run in &left {
            tracing::warn!(run = run.id, repository = %run.repository, number = run.number, "lost by a restart");
            let stages = self.house.store.read(|c| runs::stages(c, run.id))?;
            for stage in stages.iter().filter(|s| s.status == crate::model::Status::Running) {
                let closed = self.house.logs.close_after_crash(run.id, stage.index, carry_out::CRASH_MARK);
                // A log that cannot be written is no reason for the others to wait.
                if let Err(error) = closed {
                    tracing::error!(run = run.id, stage = stage.index, %error, "a log could not be closed");
                }
            }
            let id = run.id;
            self.house
                .store
                .write(move |c| runs::mark_lost(c, id, &msg!("run-lost-restart"), Timestamp::now()))
                .await?;
        }
        Ok(())
    }

    /// Removes containers, networks and workspaces that belong to no run of this process. `Err` when the
    /// engine cannot be asked: then it is worth another try later.
    pub async fn sweep(&self) -> Result<()> {
        carry_out::sweep(&self.house).await
    }

    /// Waits until a sweep is worth its while: an ended run has left something that could not be removed.
    pub async fn untidy(&self) {
        self.house.untidy.notified().await;
    }

    /// Waits until no run of this process is left, and nothing of one.
    pub async fn drain(&self) {
        loop {
            let ended = self.house.ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            if self.house.active_ids().is_empty() && self.house.busy.load(Ordering::SeqCst) == 0 {
                return;
            }
            ended.await;
        }
    }

    /// Waits for the runs to end for at most `grace`, then stops them; they are `lost`.
    pub async fn shut_down(&self, grace: Duration) {
        if tokio::time::timeout(grace, self.drain()).await.is_ok() {
            return;
        }
        for id in self.house.active_ids() {
            self.house.stop(id, Reason::ShuttingDown);
        }
        // An engine that does not answer must not keep the server: what is left goes at the next start.
        let _ = tokio::time::timeout(LAST_WAIT, self.drain()).await;
    }
}

impl House {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<i64, Stopper>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A sentence for a log, which is not translated.
    fn say(&self, message: &crate::model::Message) -> String {
        format!("[ropewalk] {}", self.words(message))
    }

    /// For a place within another sentence of a log.
    fn words(&self, message: &crate::model::Message) -> String {
        messages::render(Language::English, message)
    }

    fn active_ids(&self) -> Vec<i64> {
        self.lock().keys().copied().collect()
    }

    fn stop(&self, id: i64, reason: Reason) {
        if let Some(stopper) = self.lock().get(&id) {
            stopper.stop(reason);
        }
    }
}
