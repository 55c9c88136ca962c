//! Looks around: whether the database, the disk, git, the engine and the registry are as they should be,
//! and which containers run. It mends nothing; every finding names what to do about it.

mod loops;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::docker::Engine;
use crate::model::{Check, Condition, Message, RepositoryPath, RunningContainer, Surroundings};
use crate::store::{Store, repositories, runs, sealed_values};
use crate::watch::{Watch, Watching};
use crate::{git, msg, registry};
pub use loops::Loops;

const MIB: u64 = 1 << 20;
/// Below this nothing can be promised to be stored.
const DISK_FAILING: u64 = 100 * MIB;
/// Below this a larger image build is in danger.
const DISK_LOW: u64 = 1024 * MIB;
/// Damaged repositories that are named.
const MOST_NAMED: usize = 10;
/// As many values that do not open are named.
const MOST_SEALED: usize = 5;

/// What is looked at.
pub struct Health {
    pub store: Store,
    pub git: git::Repositories,
    pub engine: Engine,
    pub registry: registry::Client,
    pub watch: Arc<Watch>,
    pub data: PathBuf,
    pub loops: Loops,
    /// Why this server does nothing: its data is a copy of another's.
    pub held: Option<Message>,
}

impl Health {
    /// How long a look is good for: shorter while something is wrong, so that its mending shows soon.
    pub fn good_for(seen: &Surroundings) -> Duration {
        if seen.condition() == Condition::Ok { Duration::from_secs(15) } else { Duration::from_secs(5) }
    }

    /// Looks at everything once; a part that does not answer does not keep the others from being seen.
    pub async fn look(&self) -> Surroundings {
        let (engine, registry, git) =
            tokio::join!(self.engine.state(), self.registry.state(), self.git.check_program());
        let containers = if engine.is_ready() { self.containers().await } else { Vec::new() };
        let or_degraded = |ok: bool| if ok { Condition::Ok } else { Condition::Degraded };
        let git = match git {
            Ok(version) => check("git", Condition::Ok, msg!("health-git", version = version)),
            Err(error) => {
                let unknown = || msg!("health-git-missing");
                check("git", Condition::Failing, error.message().cloned().unwrap_or_else(unknown))
            }
        };
        self.git.look_at_damaged().await;
        let mut checks = vec![
            self.database(),
            self.disk(),
            git,
            check("docker", or_degraded(engine.is_ready()), engine.message().clone()),
            check("registry", or_degraded(registry.is_ok()), registry.message),
            self.poll(),
            self.queue(),
            self.repositories(),
        ];
        checks.extend(self.failing_loops());
        checks.extend(self.held.clone().map(|why| check("lease", Condition::Failing, why)));
        checks.extend(self.sealed());
        Surroundings { checks, containers }
    }

    async fn containers(&self) -> Vec<RunningContainer> {
        self.engine.running_containers().await.unwrap_or_else(|error| {
            tracing::debug!(%error, "running containers could not be listed");
            Vec::new()
        })
    }

    fn database(&self) -> Check {
        match self.store.read(runs::counts) {
            Ok(_) => {
                check("database", Condition::Ok, msg!("health-database", size = mebibytes(self.store.size())))
            }
            Err(error) => {
                tracing::error!(%error, "the database does not answer");
                check(
                    "database",
                    Condition::Failing,
                    msg!("health-database-failing", path = self.data.display()),
                )
            }
        }
    }

    /// Only when something does not open: its key was lost.
    fn sealed(&self) -> Option<Check> {
        let seen = self.store.read(|c| sealed_values::look(c, self.store.sealer()));
        let closed = match seen {
            Ok(seen) => seen.closed,
            Err(error) => {
                tracing::error!(%error, "the sealed values cannot be looked at");
                return None;
            }
        };
        let first = closed.iter().take(MOST_SEALED).cloned().collect::<Vec<_>>().join(", ");
        let message = msg!("health-sealed", count = closed.len(), first = first);
        (!closed.is_empty()).then(|| check("sealed", Condition::Degraded, message))
    }

    fn disk(&self) -> Check {
        let path = self.data.display();
        match rustix::fs::statvfs(&self.data) {
            Ok(disk) => {
                let free = disk.f_bavail.saturating_mul(disk.f_frsize);
                let (condition, message) = match free {
                    free if free < DISK_FAILING => {
                        (Condition::Failing, msg!("health-disk-full", free = mebibytes(free), path = path))
                    }
                    free if free < DISK_LOW => {
                        (Condition::Degraded, msg!("health-disk-low", free = mebibytes(free), path = path))
                    }
                    free => (Condition::Ok, msg!("health-disk", free = mebibytes(free))),
                };
                check("disk", condition, message)
            }
            Err(error) => {
                check("disk", Condition::Failing, msg!("health-disk-unreadable", path = path, cause = error))
            }
        }
    }

    fn poll(&self) -> Check {
        match self.watch.watching() {
            Watching::Everything => check("poll", Condition::Ok, msg!("health-poll")),
            Watching::Partly(count) => {
                check("poll", Condition::Degraded, msg!("health-poll-partly", count = count))
            }
        }
    }

    /// Anybody may read this page: private repositories are counted, not named.
    fn repositories(&self) -> Check {
        let damaged = self.git.damaged();
        if damaged.is_empty() {
            return check("repositories", Condition::Ok, msg!("health-repositories"));
        }
        let open = |path: &RepositoryPath| {
            let found = self.store.read(|c| repositories::by_path(c, path));
            matches!(found, Ok(Some(repository)) if !repository.private)
        };
        let named = damaged.iter().map(|(path, _)| path).filter(|path| open(path)).take(MOST_NAMED);
        let names = named.map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let names = if names.is_empty() { "-".to_owned() } else { names };
        let message = msg!("health-repositories-damaged", count = damaged.len(), names = names);
        check("repositories", Condition::Degraded, message)
    }

    /// Two rows for each loop that fails: which and since when, and its last failure in its own words.
    fn failing_loops(&self) -> Vec<Check> {
        let failing = self.loops.failing();
        if failing.is_empty() {
            return vec![check("loops", Condition::Ok, msg!("health-loops"))];
        }
        let rows = failing.into_iter().flat_map(|trouble| {
            let since = trouble.since.strftime("%Y-%m-%d %H:%M:%S UTC");
            let which =
                msg!("health-loop-failing", name = trouble.name, since = since, times = trouble.times);
            [check("loops", Condition::Degraded, which), check("loops", Condition::Degraded, trouble.message)]
        });
        rows.collect()
    }

    fn queue(&self) -> Check {
        let (queued, running) = self.store.read(runs::counts).unwrap_or_default();
        check("queue", Condition::Ok, msg!("health-queue", queued = queued, running = running))
    }
}

fn check(part: &'static str, condition: Condition, message: Message) -> Check {
    Check { part, condition, message, at: Timestamp::now() }
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes / MIB)
}
