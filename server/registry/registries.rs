//! The clients of all registries this house may speak with: the stack's own, and one per endpoint. A host that is not
//! among them is never contacted, whatever an image reference says.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::certificate::{self, Certificate};
use super::client::Client;
use super::hub::Hub;
use super::patience::Patience;
use super::validate;
use crate::model::{Access, CheckStep, Credentials, Digest, Error, Notice, Result, Sighting, TagAddress};
use crate::msg;

/// The name that Docker's references without a host mean.
pub const DOCKER_HUB: &str = "docker.io";

/// Cheap to clone; clones share what is configured.
#[derive(Clone)]
pub struct Registries(Arc<Inner>);

struct Inner {
    own: Client,
    /// The port this server listens at: no endpoint may lead there.
    listen: Option<u16>,
    others: RwLock<BTreeMap<String, Client>>,
}

impl Registries {
    pub fn new(own: Client) -> Self {
        Registries(Arc::new(Inner { own, listen: None, others: RwLock::default() }))
    }

    /// For a server that listens at a port.
    pub fn of_server(own: Client, listen: u16) -> Self {
        Registries(Arc::new(Inner { own, listen: Some(listen), others: RwLock::default() }))
    }

    /// A client for an endpoint, configured or about to be. `Invalid` as `Client::with_access`, and for the stack's own
    /// registry, which is a setting of the server.
    pub fn client_for(&self, access: &Access) -> Result<Client> {
        let client = Client::with_access(access, self.0.listen)?;
        match client.host() == self.0.own.host() {
            true => Err(Error::Invalid(msg!("endpoints-own-registry", host = client.host()))),
            false => Ok(client),
        }
    }

    /// Tries it step by step and says how each went; what a person is shown and the store keeps.
    pub async fn validate(&self, access: &Access) -> Result<Vec<CheckStep>> {
        Ok(validate::steps(&self.client_for(access)?).await)
    }

    /// The chain of certificates that its host presents now, its own first. Sends nothing.
    pub async fn presented(&self, access: &Access) -> Result<Vec<Certificate>> {
        let client = self.client_for(&Access { certificate: None, ..access.clone() })?;
        certificate::presented(&client.wire.base, &client.wire.guard).await
    }

    /// Signs in to Docker Hub's own API for an endpoint: Docker Hub's registry, or something that speaks like it. The
    /// address is looked at and the certificate believed as for the endpoint's registry. `None` when the endpoint has no
    /// user and password; `Denied` when they are wrong, `Conflict` when there is no usable answer.
    pub async fn docker_hub(&self, access: &Access) -> Result<Option<Hub>> {
        let Credentials::Basic { user, password } = &access.credentials else { return Ok(None) };
        if user.is_empty() || password.reveal().is_empty() {
            return Ok(None);
        }
        Hub::sign_in(access, (user, password), self.0.listen).await.map(Some)
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
        let host = self.canonical(host);
        if host == self.0.own.host() {
            return Some(self.0.own.clone());
        }
        self.0.others.read().unwrap_or_else(PoisonError::into_inner).get(&*host).cloned()
    }

    /// The one name of a host under which its registry is known here: in lower case, and without the port that its
    /// scheme has anyway.
    pub fn canonical<'a>(&self, host: &'a str) -> Cow<'a, str> {
        let others = self.0.others.read().unwrap_or_else(PoisonError::into_inner);
        let own = &self.0.own;
        if host == own.host() || others.contains_key(host) {
            return Cow::Borrowed(host);
        }
        let lower = host.to_ascii_lowercase();
        let known = |name: &str| {
            if name == own.host() { Some(own.is_tls()) } else { Some(others.get(name)?.is_tls()) }
        };
        if known(&lower).is_some() {
            return Cow::Owned(lower);
        }
        let bare = match lower.rsplit_once(':') {
            Some((name, "443")) => known(name).filter(|tls| *tls).map(|_| name),
            Some((name, "80")) => known(name).filter(|tls| !tls).map(|_| name),
            _ => None,
        };
        match bare {
            Some(name) => Cow::Owned(name.to_owned()),
            None => Cow::Borrowed(host),
        }
    }

    /// Where a tag is looked up. Docker Hub's are looked up at the stack's own registry, which is the engine's
    /// mirror, unless there is an endpoint for Docker Hub.
    pub fn located(&self, address: &TagAddress) -> TagAddress {
        if address.host == DOCKER_HUB && self.at(DOCKER_HUB).is_none() {
            return TagAddress { host: self.0.own.host().to_owned(), ..address.clone() };
        }
        TagAddress { host: self.canonical(&address.host).into_owned(), ..address.clone() }
    }

    /// The notice in the repository that has its image. Where only one repository can be meant, and where the registry
    /// cannot say, nobody is asked and the first counts.
    pub async fn placed(&self, host: &str, notice: Notice) -> Notice {
        let (Some(other), Some(client)) = (&notice.elsewhere, self.at(host)) else { return notice };
        if !notice.pushed || !matches!(client.head(&notice.repository, &notice.tag).await, Ok(None)) {
            return notice;
        }
        match client.head(other, &notice.tag).await {
            Ok(Some(_)) => Notice { repository: other.clone(), elsewhere: None, ..notice },
            _ => notice,
        }
    }

    /// What the tag names now. A digest that is not the one `known` already counts only when the registry has a manifest
    /// that it is really the digest of. `Denied` when the tag's host is not configured, else as `Client::head`.
    pub async fn sight(&self, address: &TagAddress, known: Option<&Digest>) -> Result<Sighting> {
        let client = self.at(&address.host);
        let client =
            client.ok_or_else(|| Error::Denied(msg!("registry-host-unknown", host = address.host)))?;
        let client = client.with_patience(Patience::IMPORT);
        match client.head(&address.repository, &address.tag).await {
            Ok(Some(found)) if known == Some(&found.digest) => Ok(Sighting::Image(found.digest)),
            Ok(Some(found)) => {
                client.verify(&address.repository, &found.digest).await?;
                Ok(Sighting::Image(found.digest))
            }
            Ok(None) => Ok(Sighting::Gone),
            Err(Error::Invalid(message)) if message.key == "registry-schema1" => Ok(Sighting::NoDigest),
            Err(error) => Err(error),
        }
    }
}
