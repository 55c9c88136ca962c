//! Where the steps of one run live: a network, and a container in it that does nothing but hold it open.
//!
//! A container that makes its own end of a network takes 60-100 ms longer to start than one that joins the network
//! namespace of another, and as much longer to go (measured, Engine 20.10). So the steps of a run join the holder's,
//! as the containers of a pod do. An unused place is kept ready for the next run. Network namespace, hosts file
//! and resolver settings are the holder's, and a step may write to them: no holder serves two runs. A network cannot
//! be relabelled, so both carry only the server's label; which run has them is known here, and after a crash all
//! of them are removed.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, MutexGuard, PoisonError};

use bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig};
use bollard::query_parameters::StartContainerOptions;
use tokio::sync::RwLock;

use super::step::LABEL_SERVER;
use super::{Engine, EngineError};
use crate::model::Error;

/// Waits for a line on its standard input, to which nobody is attached: any image with a shell can do it.
const HOLD: &str = "read held";
/// What every step's `hostname` says; `HOSTNAME` says where one is.
const HOST_NAME: &str = "ropewalk";

/// One run's place, made when the first step needs it. Cheap to clone; when the last clone and the last container
/// in it are gone, it is given back.
#[derive(Clone)]
pub struct Place(Arc<Inner>);

struct Inner {
    engine: Engine,
    extra_hosts: Vec<String>,
    made: tokio::sync::Mutex<Option<Made>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Made {
    network: String,
    holder: String,
}

/// What this process has at the engine.
#[derive(Default)]
pub(super) struct Places {
    /// What spares are made of: an image, and lines for the hosts file.
    stock: Option<(String, Vec<String>)>,
    spare: Option<Made>,
    /// Ids of networks and holders that are no strays.
    pub(super) used: HashSet<String>,
    /// The process of a holder whose place has ports of the host.
    pub(super) processes: HashMap<String, i64>,
    /// Ports of the host that every place has at its `localhost`.
    own_ports: Vec<u16>,
    /// Held for reading while something is made whose id is not known yet.
    pub(super) making: Arc<RwLock<()>>,
}

impl Places {
    /// What a spare is made of, when there should be one and is none.
    fn wanted(&self) -> Option<(String, Vec<String>)> {
        self.stock.clone().filter(|_| self.spare.is_none())
    }

    /// The house's own image.
    pub(super) fn stock_image(&self) -> Option<String> {
        self.stock.as_ref().map(|(image, _)| image.clone())
    }
}

impl Place {
    /// The id of the holder, for a step to join; `image` is what to make it of.
    pub(super) async fn holder(&self, image: &str) -> Result<String, EngineError> {
        let mut made = self.0.made.lock().await;
        let place = match made.take() {
            Some(place) => place,
            None => self.0.engine.take_or_make(image, &self.0.extra_hosts).await?,
        };
        Ok(made.insert(place).holder.clone())
    }

    /// The holder, if a step has needed it.
    pub(super) async fn made_holder(&self) -> Option<String> {
        self.0.made.lock().await.as_ref().map(|made| made.holder.clone())
    }

    /// Somebody removed or ended the holder behind our back: the next step gets another.
    pub(super) async fn replace(&self, holder: &str) {
        let mut made = self.0.made.lock().await;
        if let Some(place) = made.take_if(|place| place.holder == holder) {
            let _ = self.0.engine.remove_made(&place).await;
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let (engine, made) = (self.engine.clone(), self.made.get_mut().take());
        if let (Some(made), Ok(runtime)) = (made, tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move {
                if let Err(error) = engine.give_back(made).await {
                    tracing::debug!(%error, "a run's network stays until the next sweep");
                }
            });
        }
    }
}

impl Engine {
    pub(super) fn places(&self) -> MutexGuard<'_, Places> {
        self.0.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one run. `extra_hosts` are `name:address` lines for its hosts file, e.g.
    /// `registry.local:host-gateway`. Nothing is asked of the engine yet.
    pub fn place(&self, extra_hosts: &[String]) -> Place {
        let extra_hosts = extra_hosts.to_vec();
        Place(Arc::new(Inner { engine: self.clone(), extra_hosts, made: tokio::sync::Mutex::default() }))
    }

    /// Makes what the first run will need, ahead of it, and from now on after each run what the next will need.
    /// Without the image there is no spare. Call after the clean-up at start.
    pub async fn warm_up(&self, image: &str, extra_hosts: &[String]) -> Result<(), EngineError> {
        self.places().stock = Some((image.to_owned(), extra_hosts.to_vec()));
        if self.places().wanted().is_none() {
            return Ok(());
        }
        match self.make(image, extra_hosts).await {
            Ok(made) => self.keep(made).await,
            Err(EngineError::Failed(Error::NotFound(_))) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Ports at which the house itself answers on the host: steps find them at their `localhost` too.
    pub fn set_own_ports(&self, ports: Vec<u16>) {
        self.places().own_ports = ports;
    }

    /// The server stops: gives back what was kept ready. Call when no run is left; what is missed here is removed at
    /// the next start.
    pub async fn close(&self) -> Result<(), EngineError> {
        let spare = {
            let mut places = self.places();
            places.stock = None;
            places.spare.take()
        };
        self.close_gate().await?;
        match spare {
            Some(made) => self.remove_made(&made).await,
            None => Ok(()),
        }
    }

    async fn take_or_make(&self, image: &str, extra_hosts: &[String]) -> Result<Made, EngineError> {
        let (spare, stock) = {
            let mut places = self.places();
            let fits = places.stock.as_ref().is_some_and(|(_, hosts)| hosts == extra_hosts);
            (places.spare.take_if(|_| fits), places.stock_image())
        };
        if let Some(made) = spare {
            return Ok(made);
        }
        // Of the house's own image if it is there: a step's may have no shell, which is for the step to say.
        match self.make(stock.as_deref().unwrap_or(image), extra_hosts).await {
            Err(EngineError::Failed(Error::NotFound(_))) if stock.is_some() => {
                self.make(image, extra_hosts).await
            }
            made => made,
        }
    }

    /// A run is over: its network becomes the spare with a new holder, or goes.
    async fn give_back(&self, made: Made) -> Result<(), EngineError> {
        self.remove_holder(&made.holder).await?;
        let found = self.client().await?.inspect_network(&made.network, None).await;
        let empty = found.is_ok_and(|n| n.containers.is_none_or(|c| c.is_empty()));
        let stock = self.places().wanted().filter(|_| empty);
        let Some((image, hosts)) = stock else { return self.remove_network(&made.network).await };
        match self.make_holder(&made.network, &image, &hosts).await {
            Ok(holder) => self.keep(Made { network: made.network, holder }).await,
            Err(_) => self.remove_network(&made.network).await,
        }
    }

    /// As the spare, if one is still wanted.
    async fn keep(&self, made: Made) -> Result<(), EngineError> {
        {
            let mut places = self.places();
            if places.wanted().is_some() {
                places.spare = Some(made);
                return Ok(());
            }
        }
        self.remove_made(&made).await
    }

    async fn make(&self, image: &str, extra_hosts: &[String]) -> Result<Made, EngineError> {
        let network = self.make_network().await?;
        match self.make_holder(&network, image, extra_hosts).await {
            Ok(holder) => Ok(Made { network, holder }),
            Err(error) => {
                let _ = self.remove_network(&network).await;
                Err(error)
            }
        }
    }

    async fn make_holder(
        &self,
        network: &str,
        image: &str,
        extra_hosts: &[String],
    ) -> Result<String, EngineError> {
        let making = self.places().making.clone();
        let _making = making.read().await;
        let client = self.client().await?;
        let made = client.create_container(None, holder(&self.0.server, network, (image, extra_hosts))).await;
        let id = made.map_err(|e| self.not_created(image, e))?.id;
        self.places().used.insert(id.clone());
        match client.start_container(&id, None::<StartContainerOptions>).await {
            Ok(()) => {
                self.open_own_ports(&id);
                Ok(id)
            }
            Err(cause) => {
                let _ = self.remove_holder(&id).await;
                Err(self.not_started(image, cause))
            }
        }
    }

    /// Off the caller's path: a step that begins at once may come before it.
    fn open_own_ports(&self, holder: &str) {
        let ports = self.places().own_ports.clone();
        let (engine, holder) = (self.clone(), holder.to_owned());
        if !ports.is_empty() {
            tokio::spawn(async move {
                if let Err(error) = engine.open_ports(&holder, &ports).await {
                    tracing::warn!(%error, "the server's own ports do not answer at a step's localhost");
                }
            });
        }
    }

    async fn remove_made(&self, made: &Made) -> Result<(), EngineError> {
        self.remove_holder(&made.holder).await?;
        self.remove_network(&made.network).await
    }

    /// Forgotten first: what cannot be removed now is a stray.
    async fn remove_holder(&self, id: &str) -> Result<(), EngineError> {
        self.places().used.remove(id);
        self.shut_ports(id).await;
        self.remove_container(id).await
    }

    #[cfg(test)]
    pub(super) fn spare_holder(&self) -> Option<String> {
        self.places().spare.as_ref().map(|made| made.holder.clone())
    }

    /// Whether this process knows the network or holder with this id.
    pub(super) fn is_placed(&self, id: &str) -> bool {
        self.places().used.contains(id)
    }

    /// Resolves when everything that is being made has its id known.
    pub(super) async fn places_settled(&self) {
        let making = self.places().making.clone();
        drop(making.write().await);
    }
}

fn holder(server: &str, network: &str, (image, extra_hosts): (&str, &[String])) -> ContainerCreateBody {
    ContainerCreateBody {
        image: Some(image.to_owned()),
        entrypoint: Some(["/bin/sh", "-c", HOLD].map(str::to_owned).to_vec()),
        cmd: Some(Vec::new()),
        open_stdin: Some(true),
        hostname: Some(HOST_NAME.to_owned()),
        labels: Some(HashMap::from([(LABEL_SERVER.to_owned(), server.to_owned())])),
        host_config: Some(HostConfig {
            network_mode: Some(network.to_owned()),
            extra_hosts: (!extra_hosts.is_empty()).then(|| extra_hosts.to_vec()),
            log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
            cap_drop: Some(vec!["ALL".to_owned()]),
            readonly_rootfs: Some(true),
            pids_limit: Some(8),
            ..Default::default()
        }),
        ..Default::default()
    }
}
