//! One network per run, taken from stock.
//!
//! Making a network takes about 60 ms and removing one 150 ms, so an unused one is kept ready: the next run takes
//! it, and a run's network without containers in it becomes the spare again. A network cannot be relabelled, so it
//! carries only the server's label; which run has it is known here, and after a crash all of them are removed.

use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};

use bollard::models::NetworkCreateRequest;
use bollard::query_parameters::ListNetworksOptionsBuilder;

use super::step::LABEL_SERVER;
use super::{Engine, EngineError};
use crate::model::Secret;

#[derive(Default)]
pub(super) struct Networks {
    spare: Option<String>,
    of_run: HashMap<i64, String>,
}

impl Engine {
    fn networks(&self) -> MutexGuard<'_, Networks> {
        self.0.networks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes what the first run will need, ahead of it. Call once after the clean-up at start.
    pub async fn warm_up(&self) -> Result<(), EngineError> {
        if self.networks().spare.is_none() {
            let network = self.create_network().await?;
            self.networks().spare = Some(network);
        }
        Ok(())
    }

    /// The server stops: gives back what was kept ready. Call when no run is left; what is missed here is removed at
    /// the next start.
    pub async fn close(&self) -> Result<(), EngineError> {
        let spare = self.networks().spare.take();
        match spare {
            Some(network) => self.remove_network(&network).await,
            None => Ok(()),
        }
    }

    /// The run's network (its id), taken or made at the first call. `prepare` calls it; a run that wants it ahead
    /// of its first step can too.
    pub async fn network(&self, run: i64) -> Result<String, EngineError> {
        {
            let mut networks = self.networks();
            if let Some(network) = networks.of_run.get(&run) {
                return Ok(network.clone());
            }
            if let Some(network) = networks.spare.take() {
                networks.of_run.insert(run, network.clone());
                return Ok(network);
            }
        }
        let network = self.create_network().await?;
        self.networks().of_run.insert(run, network.clone());
        Ok(network)
    }

    /// Somebody removed it behind our back (`docker network prune` does).
    pub(super) fn forget_network(&self, run: i64) {
        self.networks().of_run.remove(&run);
    }

    /// The run has no containers any more: keep its network as the spare, or remove it.
    pub(super) async fn release_network(&self, run: i64) -> Result<(), EngineError> {
        let Some(network) = self.networks().of_run.remove(&run) else { return Ok(()) };
        let found = self.client().await?.inspect_network(&network, None).await;
        let empty = found.is_ok_and(|n| n.containers.is_none_or(|c| c.is_empty()));
        {
            let mut networks = self.networks();
            if empty && networks.spare.is_none() {
                networks.spare = Some(network);
                return Ok(());
            }
        }
        self.remove_network(&network).await
    }

    /// Removes every network of this server that no run of this process has; returns how many.
    pub(super) async fn remove_stray_networks(&self) -> Result<usize, EngineError> {
        let filters = HashMap::from([("label", vec![format!("{LABEL_SERVER}={}", self.0.server)])]);
        let options = ListNetworksOptionsBuilder::new().filters(&filters).build();
        let client = self.client().await?;
        let all = client.list_networks(Some(options)).await.map_err(|e| self.failed("list networks", e))?;
        let mut removed = 0;
        for id in all.into_iter().filter_map(|network| network.id) {
            let in_use = {
                let networks = self.networks();
                networks.spare.as_ref() == Some(&id) || networks.of_run.values().any(|other| *other == id)
            };
            if !in_use {
                self.remove_network(&id).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    async fn create_network(&self) -> Result<String, EngineError> {
        let request = NetworkCreateRequest {
            name: format!("ropewalk-{}-{}", self.0.server, Secret::random(6)?.reveal()),
            labels: Some(HashMap::from([(LABEL_SERVER.to_owned(), self.0.server.clone())])),
            ..Default::default()
        };
        let made = self.client().await?.create_network(request).await;
        Ok(made.map_err(|e| self.failed("create a network", e))?.id)
    }

    async fn remove_network(&self, id: &str) -> Result<(), EngineError> {
        match self.client().await?.remove_network(id).await {
            Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }) | Ok(()) => {
                Ok(())
            }
            Err(e) => Err(self.failed("remove a network", e)),
        }
    }
}
