//! The only file that knows every room: opens the store, starts the loops and the door, stops them in order.

mod endpoints;
mod loops;

use std::io::{Seek as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use jiff::Timestamp;
use tokio::sync::watch;

use crate::config::Serve;
use crate::docker::Engine;
use crate::health::Health;
use crate::logs::Logs;
use crate::model::{Condition, Digest, Error, OwnerName, PasswordHash, Result, Secret, Surroundings, Turn};
use crate::pin::Pin;
use crate::run::{self, Runs};
use crate::store::{Store, accounts, settings, streams};
use crate::trigger::Trigger;
use crate::watch::Watch;
use crate::{git, msg, registry, web};

/// How long runs may go on after the server was asked to stop; below compose's 60 s.
const GRACE: Duration = Duration::from_secs(30);
const ADMIN: &str = "admin";

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
    hook_token: Secret,
    /// The generated password of the first account, to be shown once.
    pub first_password: Option<Secret>,
    surroundings: watch::Sender<Surroundings>,
    /// Held for as long as this process uses the data directory.
    _lock: std::fs::File,
}

impl App {
    /// Opens everything, recovers what a crash left and makes the first account. `Conflict` when another
    /// server uses the data directory. Neither the engine nor the registry need be there.
    pub async fn open(settings: Serve) -> Result<App> {
        std::fs::create_dir_all(&settings.data)
            .map_err(|e| Error::internal(format_args!("create {}", settings.data.display()), e))?;
        let lock = lock(&settings.data)?;
        let store = Store::open(&settings.data)?;
        let git = git::Repositories::open_in(&settings.data)?;
        git.start_up_clean();
        let logs = Logs::open(settings.data.join("logs"))?.with_limit(settings.log_limit_bytes);
        let engine = Engine::connect(&settings.docker, &installation(&store).await?)?;
        let registry = registry::Client::new(&settings.registry)?;
        let first_password = first_account(&store, settings.admin_password.as_ref()).await?;
        let registries = registry::Registries::of_server(registry.clone(), settings.listen.port());
        endpoints::Known::default().refresh(&store, &registries)?;
        let hook_token = hook_token(&store, settings.hook_token.as_ref()).await?;
        let every = Duration::from_secs(settings.poll_seconds);
        let watch = Watch::new(store.clone(), git.clone(), registries.clone(), every);
        let rooms = run::Rooms {
            store: store.clone(),
            git: git.clone(),
            logs: logs.clone(),
            engine: engine.clone(),
            registry: registry.clone().with_patience(registry::Patience::RUN),
        };
        let runs = Runs::new(rooms, run_settings(&settings, &registry));
        runs.recover().await?;
        let watch = Arc::new(watch);
        let health = Health {
            store: store.clone(),
            git: git.clone(),
            engine: engine.clone(),
            registry: registry.clone().with_patience(registry::Patience::NONE),
            watch: watch.clone(),
            data: settings.data.clone(),
        };
        let pin = Pin::new(store.clone(), git.clone(), registries.clone(), &settings.step_image);
        Ok(App {
            watch,
            health,
            trigger: Arc::new(Trigger::new(store.clone(), git.clone(), pin.clone())),
            pin,
            surroundings: watch::Sender::new(Surroundings::default()),
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

    /// What the door needs of the house.
    pub fn door(&self) -> Result<web::Door> {
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
                registry_host: self.registry.host().to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                trusted_proxies: Vec::new(),
                push_patience: Duration::from_secs(3),
                max_push_bytes: self.settings.max_push_bytes,
                hook_token: self.hook_token.clone(),
            },
            gate: web::Gate::new()?,
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
                if self.runs.tick().await? == Turn::Idle && self.trigger.tick().await? == Turn::Idle {
                    return Ok(());
                }
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

    /// Serves on `listener` until `stop` resolves; then no new work is begun, runs get their grace, and it returns.
    pub async fn serve(
        self: Arc<Self>,
        listener: std::net::TcpListener,
        stop: impl Future<Output = ()>,
    ) -> Result<()> {
        let workers = self.settings.workers;
        let door = web::serve(self.door()?, listener, workers)?;
        let handle = door.handle();
        let app = self;
        let (halt, halted) = watch::channel(false);
        let loops = loops::start(&app, &halted);
        let door = tokio::spawn(door);
        stop.await;
        tracing::info!("stopping");
        halt.send_replace(true);
        for one in loops {
            let _ = one.await;
        }
        app.runs.shut_down(GRACE).await;
        if let Err(error) = app.engine.close().await {
            tracing::debug!(%error, "the spare network stays until the next start");
        }
        handle.stop(true).await;
        door.await
            .map_err(|e| Error::internal("the HTTP server", e))?
            .map_err(|e| Error::internal("serve HTTP", e))
    }
}

/// One server per data directory: the second is told the first one's process id.
fn lock(data: &Path) -> Result<std::fs::File> {
    let path = data.join("lock");
    let open = std::fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
    let mut file = open.map_err(|e| Error::internal(format_args!("open {}", path.display()), e))?;
    match file.try_lock() {
        Ok(()) => {
            let write = file
                .set_len(0)
                .and_then(|()| file.rewind())
                .and_then(|()| write!(file, "{}", std::process::id()));
            // The lock holds without it; only a second server's message would lack the number.
            if let Err(error) = write {
                tracing::warn!(%error, "the process id could not be written into the lock file");
            }
            Ok(file)
        }
        Err(std::fs::TryLockError::WouldBlock) => {
            let holder = std::fs::read_to_string(&path).unwrap_or_default();
            Err(Error::Conflict(msg!("app-locked", path = data.display(), pid = holder.trim())))
        }
        Err(std::fs::TryLockError::Error(e)) => Err(Error::internal("lock the data directory", e)),
    }
}

/// The name of this installation, made once: what it labels in the engine is told from another server's.
async fn installation(store: &Store) -> Result<String> {
    const NAME: &str = "installation";
    if let Some(name) = store.read(|c| settings::get(c, NAME))? {
        return Ok(name);
    }
    let name = Secret::random(8)?.reveal().to_owned();
    let kept = name.clone();
    store.write(move |c| settings::set(c, NAME, &kept)).await?;
    Ok(name)
}

/// What the stack's registry must send with its notifications: as given, else as it was, else made up. Kept sealed.
async fn hook_token(store: &Store, given: Option<&Secret>) -> Result<Secret> {
    const NAME: &str = "registry-hook-token";
    let code = base64::engine::general_purpose::STANDARD;
    let kept = store.read(|c| settings::get(c, NAME))?;
    let kept = kept.and_then(|text| code.decode(text).ok()).map(|sealed| store.sealer().unseal(&sealed));
    let kept = kept.transpose()?;
    if let (Some(kept), None) = (&kept, given) {
        return Ok(kept.clone());
    }
    if let Some(given) = given
        && !is_travelling(given.reveal())
    {
        return Err(Error::Invalid(msg!("cli-setting-value", name = "hook-token", value = "***")));
    }
    let token = given.map_or_else(|| Secret::random(20), |given| Ok(given.clone()))?;
    if !kept.is_some_and(|kept| kept.matches(token.reveal())) {
        let sealed = code.encode(store.sealer().seal(&token)?);
        store.write(move |c| settings::set(c, NAME, &sealed)).await?;
    }
    Ok(token)
}

/// Letters, digits and a few signs, 16 to 200 of them: it stands in headers.
fn is_travelling(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    (16..=200).contains(&text.len()) && text.bytes().all(letter)
}

/// Makes `admin` when there is no account. Returns the password when it was generated.
async fn first_account(store: &Store, given: Option<&Secret>) -> Result<Option<Secret>> {
    if store.read(accounts::any)? {
        return Ok(None);
    }
    let generated = if given.is_some() { None } else { Some(Secret::random(10)?) };
    let Some(password) = given.or(generated.as_ref()) else { return Ok(None) };
    let hash = PasswordHash::new(password, ADMIN)?;
    let name = OwnerName::new(ADMIN)?;
    store.write(move |c| accounts::create(c, &name, hash.as_str(), true, Timestamp::now())).await?;
    Ok(generated)
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
        addresses: run::Addresses { url: settings.url.clone(), registry_host: registry.host().to_owned() },
        jobs: settings.jobs,
        run_timeout: Duration::from_secs(settings.run_timeout_minutes * 60),
    }
}
