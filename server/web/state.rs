//! What every handler may reach: the rooms the door opens onto, and the settings of the door itself.
//! It holds no loop and no Docker connection: a button writes a row.

use std::net::IpAddr;

use tokio::sync::watch;

use super::gate::Gate;
use crate::model::{Condition, Message, Secret, Surroundings};
use crate::pin::Pin;
use crate::store::Store;
use crate::{git, logs, registry};

/// Handed to every handler as `web::Data<Door>`; cheap to clone.
#[derive(Clone)]
pub struct Door {
    pub store: Store,
    pub git: git::Repositories,
    pub logs: logs::Logs,
    pub registry: registry::Client,
    pub registries: registry::Registries,
    pub pin: Pin,
    pub surroundings: watch::Receiver<Surroundings>,
    pub settings: Settings,
    pub gate: Gate,
    /// Becomes true when the door is about to close: answers that would never end do then.
    pub closing: watch::Receiver<bool>,
}

#[derive(Clone, Debug)]
pub struct Settings {
    /// Where people reach the server, without a slash at the end: `http://localhost:3000`.
    pub url: String,
    /// The same by other names.
    pub other_urls: Vec<String>,
    /// As it stands in image references: `registry.local:5000`.
    pub registry_host: String,
    pub version: String,
    /// Peers whose `X-Forwarded-*` would be believed. Nothing reads those headers yet, whoever sends them.
    pub trusted_proxies: Vec<IpAddr>,
    /// The largest pack a push may bring, in bytes.
    pub max_push_bytes: u64,
    /// How long a push waits for what the trigger loop makes of it, so that it can say so.
    pub push_patience: std::time::Duration,
    /// What the stack's registry sends with its notifications.
    pub hook_token: Secret,
}

impl Door {
    /// Why queued runs have to wait: what was wrong with the engine when the house last looked.
    pub fn engine_trouble(&self) -> Option<Message> {
        let seen = self.surroundings.borrow();
        let check = seen.checks.iter().find(|check| check.part == "docker")?;
        (check.condition != Condition::Ok).then(|| check.message.clone())
    }
}

impl Settings {
    /// Of the addresses at which people reach the server, the one that a request's `Host` names.
    pub fn address_at(&self, host: &str) -> Option<&str> {
        let is_it = |address: &&String| {
            let authority = address.split_once("://").map_or("", |(_, rest)| rest);
            authority.split('/').next().unwrap_or_default().eq_ignore_ascii_case(host)
        };
        std::iter::once(&self.url).chain(&self.other_urls).find(is_it).map(String::as_str)
    }

    /// Whether cookies may be `Secure`: on a plain network they could never be sent.
    pub fn is_https(&self) -> bool {
        self.url.starts_with("https://")
    }
}
