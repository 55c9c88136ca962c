//! Networks of runs. An engine has addresses for about thirty; one that a server left when it was killed and never
//! started again is never asked for, so whoever finds no address left takes those that nobody uses.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use bollard::models::{ContainerSummary, Network, NetworkCreateRequest};
use bollard::query_parameters::{ListContainersOptionsBuilder, ListNetworksOptionsBuilder};
use jiff::Timestamp;

use super::step::{LABEL_RUN, LABEL_SERVER};
use super::{Engine, EngineError};
use crate::model::Secret;

/// A younger place may not have its first step yet.
const UNUSED_FOR: Duration = Duration::from_secs(60);

/// A network, and the holders in it, that no step uses.
#[derive(Debug, PartialEq, Eq)]
struct Unused {
    network: String,
    holders: Vec<String>,
}

impl Engine {
    pub(super) async fn make_network(&self) -> Result<String, EngineError> {
        let making = self.places().making.clone();
        let _making = making.read().await;
        let id = match self.create_network().await {
            Err(error) if error.is_out_of_addresses() && self.reclaim().await? > 0 => {
                self.create_network().await?
            }
            made => made?,
        };
        self.places().used.insert(id.clone());
        Ok(id)
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

    pub(super) async fn remove_network(&self, id: &str) -> Result<(), EngineError> {
        self.places().used.remove(id);
        match self.client().await?.remove_network(id).await {
            Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }) | Ok(()) => {
                Ok(())
            }
            Err(e) => Err(self.failed("remove a network", e)),
        }
    }

    /// Removes every network of this server that no run of this process has; returns how many.
    pub(super) async fn remove_stray_networks(&self) -> Result<usize, EngineError> {
        let all = self.list_networks(&format!("{LABEL_SERVER}={}", self.0.server)).await?;
        self.places_settled().await;
        let mut removed = 0;
        for id in all.into_iter().filter_map(|network| network.id).filter(|id| !self.is_placed(id)) {
            self.remove_network(&id).await?;
            removed += 1;
        }
        Ok(removed)
    }

    pub(super) async fn list_networks(&self, label: &str) -> Result<Vec<Network>, EngineError> {
        let filters = HashMap::from([("label", vec![label])]);
        let options = ListNetworksOptionsBuilder::new().filters(&filters).build();
        let client = self.client().await?;
        client.list_networks(Some(options)).await.map_err(|e| self.failed("list networks", e))
    }

    /// Removes every network of any server that no step uses; returns how many. A server that lives loses
    /// what it kept ready for its next run, which then makes another.
    async fn reclaim(&self) -> Result<usize, EngineError> {
        let networks = self.list_networks(LABEL_SERVER).await?;
        // Of all servers, and what strangers have joined to a holder.
        let options = ListContainersOptionsBuilder::new().all(true).build();
        let listed = self.client().await?.list_containers(Some(options)).await;
        let containers = listed.map_err(|e| self.failed("list containers", e))?;
        let mut removed = 0;
        for unused in unused(networks, &containers, Timestamp::now()) {
            if self.is_placed(&unused.network) {
                continue;
            }
            for holder in &unused.holders {
                self.remove_container(holder).await?;
            }
            // Somebody else may have been quicker, or uses it by now.
            match self.remove_network(&unused.network).await {
                Ok(()) => removed += 1,
                Err(EngineError::Failed(error)) => tracing::debug!(%error, "a network stays"),
                Err(gone) => return Err(gone),
            }
        }
        tracing::warn!(removed, "the engine had no addresses left for a network");
        Ok(removed)
    }
}

fn unused(networks: Vec<Network>, containers: &[ContainerSummary], now: Timestamp) -> Vec<Unused> {
    let mode =
        |c: &ContainerSummary| c.host_config.clone().unwrap_or_default().network_mode.unwrap_or_default();
    let joined: HashSet<String> =
        containers.iter().filter_map(|c| mode(c).strip_prefix("container:").map(str::to_owned)).collect();
    let is_holder = |c: &ContainerSummary| {
        let labels = c.labels.clone().unwrap_or_default();
        labels.contains_key(LABEL_SERVER) && !labels.contains_key(LABEL_RUN)
    };
    let mut found = Vec::new();
    for network in networks {
        let (Some(id), Some(name)) = (network.id, network.name) else { continue };
        let made: Option<Timestamp> = network.created.and_then(|made| made.to_string().parse().ok());
        if made.is_none_or(|made| now.duration_since(made).unsigned_abs() < UNUSED_FOR || made > now) {
            continue;
        }
        let connected = |c: &&ContainerSummary| {
            let settings = c.network_settings.clone().unwrap_or_default();
            mode(c) == id || settings.networks.unwrap_or_default().contains_key(&name)
        };
        let within: Vec<&ContainerSummary> = containers.iter().filter(connected).collect();
        let holders: Vec<String> = within.iter().filter_map(|c| c.id.clone()).collect();
        if within.into_iter().all(is_holder) && holders.iter().all(|id| !joined.contains(id)) {
            found.push(Unused { network: id, holders });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    fn container(id: &str, labels: &[&str], mode: &str, network: &str) -> ContainerSummary {
        let labels: HashMap<&str, &str> = labels.iter().map(|label| (*label, "1")).collect();
        from_value(json!({"Id": id, "Labels": labels, "HostConfig": {"NetworkMode": mode},
            "NetworkSettings": {"Networks": {network: {}}}}))
        .unwrap()
    }

    #[test]
    fn only_what_no_step_and_no_stranger_uses_is_taken() {
        let network = |id: &str, minute: u32| -> Network {
            let created = format!("2026-11-20T10:{minute:02}:00.123456789Z");
            from_value(json!({"Id": id, "Name": format!("{id}-name"), "Created": created})).unwrap()
        };
        let networks = ["bare", "spare", "used", "strangers"].map(|id| network(id, 1));
        let networks = [&networks[..], &[network("young", 10)]].concat();
        let containers = [
            container("idle", &[LABEL_SERVER], "spare", "spare-name"),
            container("busy", &[LABEL_SERVER], "used", "used-name"),
            container("step", &[LABEL_SERVER, LABEL_RUN], "container:busy", ""),
            container("database", &[], "bridge", "strangers-name"),
        ];
        let taken = unused(networks, &containers, "2026-11-20T10:10:30Z".parse().unwrap());
        let bare = Unused { network: "bare".into(), holders: Vec::new() };
        assert_eq!(taken, [bare, Unused { network: "spare".into(), holders: vec!["idle".into()] }]);
    }
}
