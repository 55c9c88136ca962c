//! The client: which registry it is for, how long it waits, and whether the registry is well. What it asks for is in the
//! files beside this one.

use std::fmt::Write;
use std::sync::Arc;

use bytes::Bytes;
use reqwest::{Method, StatusCode};
use sha2::{Digest as _, Sha256};

use super::allowed;
use super::base::{Base, Place, Repository};
use super::cache::Cache;
use super::guard::Guard;
use super::lists::Lists;
use super::patience::Patience;
use super::push_log::PushScanner;
use super::registries::DOCKER_HUB;
use super::state::{Condition, RegistryState, Trouble};
use super::wire::{Ask, Wire};
use crate::model::{Access, Digest, EndpointKind, Result};
use crate::msg;

const SMALL: usize = 64 * 1024;
/// Docker Hub's registry, and the names under which people know it.
const HUB: &str = "https://registry-1.docker.io";
const HUB_NAMES: &[&str] = &["docker.io", "hub.docker.com", "index.docker.io", "registry.hub.docker.com"];

/// A registry. Cheap to clone; clones share connections and what was lately read.
#[derive(Clone)]
pub struct Client {
    pub(super) wire: Arc<Wire>,
    pub(super) cache: Arc<Cache>,
    pub(super) lists: Arc<Lists>,
    pub(super) patience: Patience,
}

/// What a tag or digest names, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    pub digest: Digest,
    /// Of the manifest itself, in bytes.
    pub size: u64,
    pub media_type: String,
}

/// A manifest whose bytes are those its digest names.
pub(super) struct Document {
    pub digest: Digest,
    pub media_type: String,
    pub body: Bytes,
}

impl Client {
    /// For the registry at `base`, e.g. `http://registry.local:5000`. Contacts nobody yet.
    /// `Invalid` when it is not the address of a host.
    pub fn new(base: &str) -> Result<Self> {
        Ok(Self::over(Wire::new(Base::parse(base)?)?))
    }

    /// For an endpoint. It connects to that endpoint alone and to nothing that stands for this machine itself; `own` is
    /// the port this server listens at. Contacts nobody yet. `Invalid` for what is no address of a registry, one that
    /// is not connected to, and a certificate that cannot be read.
    pub fn with_access(access: &Access, own: Option<u16>) -> Result<Self> {
        let base = base_of(access.kind, &access.url)?;
        let guard = Guard::allowing(&base, &allowed::parse(&access.allowed)?, own)?;
        Ok(Self::over(Wire::with(base.nameable()?, access, guard)?))
    }

    fn over(wire: Wire) -> Self {
        let (cache, lists) = (Arc::default(), Arc::default());
        Client { wire: Arc::new(wire), cache, lists, patience: Patience::PAGE }
    }

    /// The same client with another patience; `Patience::RUN` where a run's result hangs on the answer.
    #[must_use]
    pub fn with_patience(&self, patience: Patience) -> Self {
        Client { patience, ..self.clone() }
    }

    /// Whether it is spoken with over TLS.
    pub(super) fn is_tls(&self) -> bool {
        self.wire.base.is_tls()
    }

    /// As it stands in image references, e.g. `registry.local:5000`.
    pub fn host(&self) -> &str {
        &self.wire.base.host
    }

    /// The address it was made with, e.g. `http://registry.local:5000`.
    pub fn address(&self) -> String {
        self.wire.base.origin()
    }

    /// Reads the output of a step for what it says it pushed to this registry.
    pub fn scanner(&self) -> PushScanner {
        PushScanner::new(self.host())
    }

    /// One try, at most five seconds; the sentence says how to mend what is wrong.
    pub async fn state(&self) -> RegistryState {
        let ask = Ask { method: Method::GET, place: Place::Root, accept: None, limit: SMALL };
        let answer = match self.wire.ask(Patience::NONE, &ask).await {
            Ok(answer) => answer,
            Err(trouble) => return trouble.into(),
        };
        let says_so =
            answer.header("docker-distribution-api-version").is_some_and(|v| v.contains("registry/2"));
        let looks_so =
            serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&answer.body).is_ok();
        if answer.status == StatusCode::OK && (says_so || looks_so) {
            let message = msg!("registry-ok", host = self.host());
            return RegistryState { condition: Condition::Ok, message };
        }
        self.unexpected(answer.status).into()
    }

    pub(super) fn unexpected(&self, status: StatusCode) -> Trouble {
        Trouble::unexpected(&self.wire.base, status)
    }

    pub(super) fn mismatch(&self, repository: &Repository, wanted: &Digest, found: &Digest) -> Trouble {
        let message = msg!(
            "registry-digest-mismatch",
            repository = repository.as_str(),
            wanted = wanted,
            found = found
        );
        Trouble::damaged(message)
    }
}

/// Where an endpoint is, under the name that image references have for it.
pub(super) fn base_of(kind: EndpointKind, url: &str) -> Result<Base> {
    let mut base = Base::parse(url.trim())?;
    if kind == EndpointKind::DockerHub {
        if HUB_NAMES.contains(&base.name.as_str()) && base.is_tls() {
            base = Base::parse(HUB)?;
        }
        DOCKER_HUB.clone_into(&mut base.host);
    }
    base.is_endpoint = true;
    Ok(base)
}

pub(super) fn digest_of(body: &[u8]) -> Result<Digest> {
    let mut text = String::with_capacity(71);
    text.push_str("sha256:");
    for byte in Sha256::digest(body) {
        let _ = write!(text, "{byte:02x}");
    }
    Digest::new(text)
}
