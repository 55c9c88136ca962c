//! Published ports at `localhost` of a place. A port that a container publishes is the host's; a step has a network of its
//! own, where its `localhost` knows nothing of it. So one small container per server (`gate.py`, in the host's network)
//! listens on that port in the place's network and passes connections on to the host's `127.0.0.1`, which also reaches
//! what is published for the host alone. A port that a step listens on itself is the step's.
//!
//! It is made when the first port is wanted, costs one line on its input per port, and ends with the server.

use std::collections::HashMap;
use std::pin::Pin;

use bollard::models::{ContainerCreateBody, ContainerInspectResponse, HostConfig, HostConfigLogConfig};
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, EventsOptionsBuilder, InspectContainerOptions, StartContainerOptions,
};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use super::projects::{LABEL_FOLDER, LABEL_PROJECT, Projects};
use super::step::LABEL_SERVER;
use super::{Engine, EngineError, Place};
use crate::model::Error;

const PROGRAM: &str = include_str!("gate.py");
/// Bytes; it needs a tenth of that.
const MEMORY: i64 = 256 * 1024 * 1024;

/// The container, and its standard input.
pub(super) struct Gate {
    id: String,
    input: Pin<Box<dyn AsyncWrite + Send>>,
}

impl Engine {
    /// Makes these ports of the host answer at `localhost` of the place that `holder` holds.
    pub(super) async fn open_ports(&self, holder: &str, ports: &[u16]) -> Result<(), EngineError> {
        if ports.is_empty() {
            return Ok(());
        }
        let found = self.inspect(holder).await?;
        let Some(pid) = found.state.and_then(|state| state.pid).filter(|pid| *pid > 0) else { return Ok(()) };
        self.places().processes.insert(holder.to_owned(), pid);
        let lines: String = ports.iter().map(|port| format!("open {pid} {port}\n")).collect();
        let mut gate = self.0.gate.lock().await;
        if let Some(known) = gate.as_ref() {
            let running = self.inspect(&known.id).await.ok().and_then(|found| found.state?.running);
            if running != Some(true) {
                self.remove_gate(&mut gate).await?;
            }
        }
        let gate = match &mut *gate {
            Some(known) => known,
            none => none.insert(self.make_gate().await?),
        };
        gate.say(&lines).await
    }

    /// The holder is gone, and with it its place.
    pub(super) async fn shut_ports(&self, holder: &str) {
        let Some(pid) = self.places().processes.remove(holder) else { return };
        if let Some(gate) = &mut *self.0.gate.lock().await {
            // One that is gone has shut everything.
            let _ = gate.say(&format!("shut {pid}\n")).await;
        }
    }

    pub(super) async fn close_gate(&self) -> Result<(), EngineError> {
        self.remove_gate(&mut *self.0.gate.lock().await).await
    }

    async fn remove_gate(&self, gate: &mut Option<Gate>) -> Result<(), EngineError> {
        let Some(Gate { id, .. }) = gate.take() else { return Ok(()) };
        self.places().used.remove(&id);
        self.remove_container(&id).await
    }

    async fn make_gate(&self) -> Result<Gate, EngineError> {
        let making = self.places().making.clone();
        let _making = making.read().await;
        let Some(image) = self.places().stock_image() else {
            return Err(Error::internal("make a gate", "no image to make it of").into());
        };
        let client = self.client().await?;
        let made = client.create_container(None, container(&self.0.server, &image)).await;
        let id = made.map_err(|e| self.not_created(&image, e))?.id;
        self.places().used.insert(id.clone());
        let options = AttachContainerOptionsBuilder::new().stream(true).stdin(true).build();
        let attached = client.attach_container(&id, Some(options)).await;
        let started = match attached {
            Ok(attached) => {
                let started = client.start_container(&id, None::<StartContainerOptions>).await;
                started.map(|()| attached.input).map_err(|e| self.not_started(&image, e))
            }
            Err(cause) => Err(self.failed("attach to a gate", cause)),
        };
        match started {
            Ok(input) => Ok(Gate { id, input }),
            Err(error) => {
                self.places().used.remove(&id);
                let _ = self.remove_container(&id).await;
                Err(error)
            }
        }
    }

    async fn inspect(&self, id: &str) -> Result<ContainerInspectResponse, EngineError> {
        let found = self.client().await?.inspect_container(id, None::<InspectContainerOptions>).await;
        found.map_err(|e| self.failed("inspect a container", e))
    }

    /// For as long as it is polled: what containers publish that start from `since` on answers at the place's
    /// `localhost`, and `seen` is told of every Compose project of the run. Other runs' projects, which lie below the
    /// same folder `all`, are none of its business.
    pub async fn attend(
        &self,
        place: &Place,
        (projects, all): (&Projects, &std::path::Path),
        since: Timestamp,
        seen: &(dyn Fn(String) + Sync),
    ) -> Result<(), EngineError> {
        let filters = HashMap::from([("type", vec!["container"]), ("event", vec!["start"])]);
        let options =
            EventsOptionsBuilder::new().since(&since.as_second().to_string()).filters(&filters).build();
        let mut events = Box::pin(self.client().await?.events(Some(options)));
        while let Some(event) = events.next().await {
            let event = event.map_err(|e| self.failed("read the engine's events", e))?;
            let Some(actor) = event.actor else { continue };
            let (Some(id), labels) = (actor.id, actor.attributes.unwrap_or_default()) else { continue };
            if labels.contains_key(LABEL_SERVER) {
                continue;
            }
            if projects.has(&labels) {
                seen(labels.get(LABEL_PROJECT).cloned().unwrap_or_default());
            } else if labels
                .get(LABEL_FOLDER)
                .is_some_and(|folder| std::path::Path::new(folder).starts_with(all))
            {
                continue;
            }
            // It may be gone already.
            let Ok(found) = self.inspect(&id).await else { continue };
            let ports = published(&found);
            if let (false, Some(holder)) = (ports.is_empty(), place.made_holder().await) {
                self.open_ports(&holder, &ports).await?;
            }
        }
        Ok(())
    }
}

impl Gate {
    async fn say(&mut self, lines: &str) -> Result<(), EngineError> {
        let said = async {
            self.input.write_all(lines.as_bytes()).await?;
            self.input.flush().await
        };
        Ok(said.await.map_err(|e| Error::internal("tell the gate of a port", e))?)
    }
}

/// TCP ports that answer at the host's own `127.0.0.1`.
fn published(container: &ContainerInspectResponse) -> Vec<u16> {
    let ports = container.network_settings.as_ref().and_then(|settings| settings.ports.as_ref());
    let tcp = ports.into_iter().flatten().filter(|(port, _)| port.ends_with("/tcp"));
    let here = |address: Option<&str>| {
        address.is_none_or(|a| ["", "0.0.0.0", "::", "::1"].contains(&a) || a.starts_with("127."))
    };
    let mut all: Vec<u16> = tcp
        .flat_map(|(_, bindings)| bindings.iter().flatten())
        .filter(|binding| here(binding.host_ip.as_deref()))
        .filter_map(|binding| binding.host_port.as_deref()?.parse().ok())
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Of all that a container may do it may enter another's network; it sees no file but its own.
fn container(server: &str, image: &str) -> ContainerCreateBody {
    ContainerCreateBody {
        image: Some(image.to_owned()),
        entrypoint: Some(["python3", "-I", "-c", PROGRAM].map(str::to_owned).to_vec()),
        cmd: Some(Vec::new()),
        user: Some("0:0".to_owned()),
        open_stdin: Some(true),
        stdin_once: Some(true),
        attach_stdin: Some(true),
        labels: Some(HashMap::from([(LABEL_SERVER.to_owned(), server.to_owned())])),
        host_config: Some(HostConfig {
            network_mode: Some("host".to_owned()),
            // To find the network of a place by its process.
            pid_mode: Some("host".to_owned()),
            cap_drop: Some(vec!["ALL".to_owned()]),
            cap_add: Some(vec!["SYS_ADMIN".to_owned(), "SYS_PTRACE".to_owned()]),
            security_opt: Some(vec!["no-new-privileges:true".to_owned()]),
            readonly_rootfs: Some(true),
            memory: Some(MEMORY),
            pids_limit: Some(16),
            auto_remove: Some(true),
            log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
            ..Default::default()
        }),
        ..Default::default()
    }
}
