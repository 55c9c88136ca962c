//! The only file that knows every room: opens the store, starts the loops and the door, stops them in order.

mod endpoints;
mod first;
mod here;
mod loops;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use crate::config::Serve;
use crate::docker::Engine;
use crate::health::{Health, Loops};
use crate::logs::Logs;
use crate::model::{Condition, Digest, Error, Message, Result, Secret, Surroundings, Turn};
use crate::pin::Pin;
use crate::run::{self, Runs};
use crate::store::{Store, events, lease, streams};
use crate::trigger::Trigger;
use crate::watch::Watch;
use crate::{git, msg, registry, web};

/// How long runs may go on after the server was asked to stop; below compose's 60 s.
const GRACE: Duration = Duration::from_secs(30);

/// The opened house. Nothing moves until `serve`, or until a test drains the loops with `settle`.
pub struct App {
    pub settings: Serve,
    pub store: Store,
    pub git: git::Repositories,
    pub logs: Logs,
    pub engine: Engine,
    pub registry: registry::Client,
    pub registries: registry::Registries,
    pub watch: Arc<Watch>,
    pub trigger: Arc<Trigger>,
    pub pin: Pin,
    pub runs: Runs,
    health: Health,
    loops: Loops,
    hook_token: Secret,
    /// The generated password of the first account, to be shown once.
    pub first_password: Option<Secret>,
    surroundings: watch::Sender<Surroundings>,
    here: here::Here,
    /// Held for as long as this process uses the data directory.
    _lock: std::fs::File,
}

/// Why a server has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was asked to.
    Stopped,
    /// It was a copy that did nothing, and a person said that the house goes on here: open it again.
    Adopted,
}

impl App {
    /// Opens everything, recovers what a crash left and makes the first account. `Conflict` when another
    /// server uses the data directory. Neither the engine nor the registry need be there. Of a copy of another server's
    /// data nothing is recovered, made or carried out.
    pub async fn open(settings: Serve) -> Result<App> {
        let unusable = |e| Error::Conflict(msg!("store-unusable", path = settings.data.display(), cause = e));
        std::fs::create_dir_all(&settings.data).map_err(unusable)?;
        let lock = lease::lock(&settings.data)?;
        let store = Store::open(&settings.data)?;
        let git = git::Repositories::open_in(&settings.data)?;
        let here = here::Here::claim(&store, &settings.data).await?;
        if here.held.is_none() {
            git.start_up_clean();
        }
        let logs = Logs::open(settings.data.join("logs"))?.with_limit(settings.log_limit_bytes);
        let engine = Engine::connect_as(&settings.docker, &here.name, here.starts.clone())?;
        let registry = registry::Client::new(&settings.registry)?;
        let registries = registry::Registries::of_server(registry.clone(), settings.listen.port());
        endpoints::Known::default().refresh(&store, &registries)?;
        let (first_password, hook_token) = first_secrets(&store, &settings, here.held.is_some()).await?;
        let every = Duration::from_secs(settings.poll_seconds);
        let watch = Watch::new(store.clone(), git.clone(), registries.clone(), every);
        let rooms = rooms((&store, &git, &logs, &engine), &registry);
        let runs = Runs::new(rooms, run_settings(&settings, &registry));
        if here.held.is_none() {
            runs.recover().await?;
        }
        let watch = Arc::new(watch);
        let loops = Loops::default();
        let health = Health {
            loops: loops.clone(),
            store: store.clone(),
            git: git.clone(),
            engine: engine.clone(),
            registry: registry.clone().with_patience(registry::Patience::NONE),
            watch: watch.clone(),
            data: settings.data.clone(),
            held: here.held.clone(),
        };
        let pin = Pin::new(store.clone(), git.clone(), registries.clone(), &settings.step_image);
        Ok(App {
            watch,
            health,
            loops,
            trigger: Arc::new(Trigger::new(store.clone(), git.clone(), pin.clone())),
            pin,
            surroundings: watch::Sender::new(Surroundings::default()),
            here,
            _lock: lock,
            hook_token,
            settings,
            store,
            git,
            logs,
            engine,
            registry,
            registries,
            runs,
            first_password,
        })
    }

    /// What the door needs of the house; `closing` is when it closes.
    pub fn door(&self, closing: watch::Receiver<bool>) -> Result<web::Door> {
        Ok(web::Door {
            store: self.store.clone(),
            git: self.git.clone(),
            logs: self.logs.clone(),
            registry: self.registry.clone(),
            registries: self.registries.clone(),
            pin: self.pin.clone(),
            surroundings: self.surroundings.subscribe(),
            settings: web::Settings {
                url: self.settings.url.clone(),
                other_urls: self.settings.other_urls.clone(),
                registry_host: self.registry.host().to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                trusted_proxies: Vec::new(),
                push_patience: Duration::from_secs(3),
                max_push_bytes: self.settings.max_push_bytes,
                hook_token: self.hook_token.clone(),
            },
            gate: web::Gate::new()?,
            closing,
            held: self.here.held.clone(),
        })
    }

    /// Drains the loops: compares every ref, decides every event, carries out every run.
    pub async fn settle(&self) -> Result<()> {
        loop {
            let mut turn = self.watch.poll().await?;
            turn = turn.or(self.watch.handle_deliveries().await?);
            turn = turn.or(self.watch.poll_tags().await?);
            turn = turn.or(self.watch.import_due(Timestamp::now()).await?);
            turn = turn.or(self.trigger.tick().await?);
            turn = turn.or(self.runs.tick().await?);
            if turn == Turn::Idle {
                self.runs.drain().await;
                let idle = self.runs.tick().await? == Turn::Idle && self.trigger.tick().await? == Turn::Idle;
                // What a loop has taken is decided there.
                if idle && self.store.read(|c| events::undecided(c, 1))?.is_empty() {
                    return Ok(());
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }

    /// Looks at the surroundings once.
    pub async fn look_around(&self) {
        self.store.keep_reserve();
        let seen = self.health.look().await;
        self.surroundings.send_replace(seen);
    }

    /// Takes from the histories of image streams what nobody needs; what containers stand on must be known first.
    async fn prune_streams(&self) {
        let running = {
            let seen = self.surroundings.borrow();
            let docker = seen.checks.iter().find(|check| check.part == "docker");
            if docker.is_none_or(|check| check.condition != Condition::Ok) {
                return;
            }
            let digests = seen.containers.iter().flat_map(|container| &container.digests);
            digests.filter_map(|text| Digest::new(text.rsplit('@').next()?).ok()).collect()
        };
        let now = Timestamp::now();
        let pruned = self.store.read(|c| streams::history::prunable(c, &running, now));
        let pruned = match pruned {
            Ok(ids) if ids.is_empty() => return,
            Ok(_) => self.store.write(move |c| streams::history::prune(c, &running, now)).await,
            Err(error) => Err(error),
        };
        if let Err(error) = pruned {
            tracing::warn!(%error, "the histories of image streams could not be pruned");
        }
    }

    /// Why nothing is done here: the data directory is a copy of another server's.
    pub fn held(&self) -> Option<&Message> {
        self.here.held.as_ref()
    }

    /// Serves on `listener` until `stop` resolves; then no new work is begun, runs get their grace, and it returns. A
    /// copy of another server's data also returns when it was adopted.
    pub async fn serve(
        self: Arc<Self>,
        listener: std::net::TcpListener,
        stop: impl Future<Output = ()>,
    ) -> Result<Ended> {
        let workers = self.settings.workers;
        let (closing, closed) = watch::channel(false);
        let door = web::serve(self.door(closed)?, listener, workers)?;
        let handle = door.handle();
        let app = self;
        let (halt, halted) = watch::channel(false);
        let loops = loops::start(&app, &halted);
        let door = tokio::spawn(door);
        let ended = tokio::select! {
            () = stop => Ended::Stopped,
            () = app.here.adopted(&app.store), if app.held().is_some() => Ended::Adopted,
        };
        tracing::info!(?ended, "stopping");
        halt.send_replace(true);
        for one in loops {
            let _ = one.await;
        }
        app.runs.shut_down(GRACE).await;
        if let Err(error) = app.engine.close().await {
            tracing::debug!(%error, "the spare network stays until the next start");
        }
        closing.send_replace(true);
        handle.stop(true).await;
        let closed = door.await.map_err(|e| Error::internal("the HTTP server", e));
        // Last, and whatever came before.
        if let Err(error) = app.store.finish() {
            tracing::warn!(%error, "the write-ahead log was not carried over; the next start does it");
        }
        closed?.map_err(|e| Error::internal("serve HTTP", e))?;
        Ok(ended)
    }
}

/// The password that is printed once, and what the registry's notifications carry; neither is made for a copy, which
/// takes nothing in.
async fn first_secrets(store: &Store, settings: &Serve, is_copy: bool) -> Result<(Option<Secret>, Secret)> {
    if is_copy {
        return Ok((None, Secret::random(20)?));
    }
    let password = first::first_account(store, settings.admin_password.as_ref()).await?;
    Ok((password, first::hook_token(store, settings.hook_token.as_ref()).await?))
}

fn rooms(
    (store, git, logs, engine): (&Store, &git::Repositories, &Logs, &Engine),
    registry: &registry::Client,
) -> run::Rooms {
    run::Rooms {
        store: store.clone(),
        git: git.clone(),
        logs: logs.clone(),
        engine: engine.clone(),
        registry: registry.clone().with_patience(registry::Patience::RUN),
    }
}

fn run_settings(settings: &Serve, registry: &registry::Client) -> run::Settings {
    run::Settings {
        workspaces: settings.workspaces.clone(),
        step_image: settings.step_image.clone(),
        step_socket: settings.step_socket.clone(),
        step_hosts: settings.step_hosts.clone(),
        limits: run::Limits {
            memory: settings.step_memory,
            cpus: settings.step_cpus,
            processes: settings.step_pids,
        },
        addresses: run::Addresses {
            url: settings.url.clone(),
            other_urls: settings.other_urls.clone(),
            registry_host: registry.host().to_owned(),
        },
        jobs: settings.jobs,
        run_timeout: Duration::from_secs(settings.run_timeout_minutes * 60),
    }
}
