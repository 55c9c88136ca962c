//! The clients of all registries this house may speak with: the stack's own, and one per endpoint. A host that is not
//! among them is never contacted, whatever an image reference says.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::client::Client;
use crate::model::{Error, Result, Sighting, TagAddress};
use crate::msg;

/// The name that Docker's references without a host mean.
pub const DOCKER_HUB: &str = "docker.io";

/// Cheap to clone; clones share what is configured.
#[derive(Clone)]
pub struct Registries(Arc<Inner>);

struct Inner {
    own: Client,
    others: RwLock<BTreeMap<String, Client>>,
}

impl Registries {
    pub fn new(own: Client) -> Self {
        Registries(Arc::new(Inner { own, others: RwLock::default() }))
    }

    /// The stack's own.
    pub fn own(&self) -> &Client {
        &self.0.own
    }

    /// Replaces the clients of the endpoints, by host as it stands in image references.
    pub fn set_others(&self, others: BTreeMap<String, Client>) {
        *self.0.others.write().unwrap_or_else(PoisonError::into_inner) = others;
    }

    /// The client for a host; `None` when it is not configured.
    pub fn at(&self, host: &str) -> Option<Client> {
        if host == self.0.own.host() {
            return Some(self.0.own.clone());
        }
        self.0.others.read().unwrap_or_else(PoisonError::into_inner).get(host).cloned()
    }

    /// Where a tag is looked up. Docker Hub's are looked up at the stack's own registry, which is the engine's
    /// mirror, unless there is an endpoint for Docker Hub.
    pub fn located(&self, address: &TagAddress) -> TagAddress {
        if address.host == DOCKER_HUB && self.at(DOCKER_HUB).is_none() {
            return TagAddress { host: self.0.own.host().to_owned(), ..address.clone() };
        }
        address.clone()
    }

    /// What the tag names now. `Denied` when its host is not configured, else as `Client::head`.
    pub async fn sight(&self, address: &TagAddress) -> Result<Sighting> {
        let client = self.at(&address.host);
        let client =
            client.ok_or_else(|| Error::Denied(msg!("registry-host-unknown", host = address.host)))?;
        match client.head(&address.repository, &address.tag).await {
            Ok(Some(found)) => Ok(Sighting::Image(found.digest)),
            Ok(None) => Ok(Sighting::Gone),
            Err(Error::Invalid(message)) if message.key == "registry-schema1" => Ok(Sighting::NoDigest),
            Err(error) => Err(error),
        }
    }
}
