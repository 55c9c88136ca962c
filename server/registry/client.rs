//! The client and its smallest questions: is it well, does it have this manifest, give me this document.
//! Whatever comes back was checked against its digest; a body that does not match is never handed out
//! and never asked for again in silence.

use std::fmt::Write;
use std::sync::Arc;

use bytes::Bytes;
use reqwest::{Method, StatusCode};
use sha2::{Digest as _, Sha256};

use super::base::{Base, Place, Reference, Repository};
use super::cache::Cache;
use super::guard::Guard;
use super::lists::Lists;
use super::manifest::{self, ACCEPT, is_schema1};
use super::patience::Patience;
use super::push_log::PushScanner;
use super::registries::DOCKER_HUB;
use super::state::{Condition, RegistryState, Trouble};
use super::wire::{Answer, Ask, Wire};
use crate::model::{Access, Digest, EndpointKind, Error, Result};
use crate::msg;

const MANIFEST_LIMIT: usize = 4 * 1024 * 1024;
const CONFIG_LIMIT: usize = 8 * 1024 * 1024;
const SMALL: usize = 64 * 1024;
/// Docker Hub's registry, and the names under which people know it.
const HUB: &str = "https://registry-1.docker.io";
const HUB_NAMES: &[&str] = &["docker.io", "hub.docker.com", "index.docker.io", "registry.hub.docker.com"];

/// A registry. Cheap to clone; clones share connections and what was lately read.
#[derive(Clone)]
pub struct Client {
    pub(super) wire: Arc<Wire>,
    cache: Arc<Cache>,
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
        let guard = Guard::of(&base, own)?;
        Ok(Self::over(Wire::with(base, access, guard)?))
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

    /// What a tag or digest names now; `None` when the registry has no such thing.
    /// `Invalid` for names that cannot be and for the old image format, `Conflict` or `Denied` when the
    /// registry gives no usable answer.
    pub async fn head(&self, repository: &str, tag_or_digest: &str) -> Result<Option<Descriptor>> {
        self.described(&Repository::new(repository)?, &Reference::new(tag_or_digest)?).await
    }

    pub(super) async fn described(
        &self,
        repository: &Repository,
        reference: &Reference,
    ) -> Result<Option<Descriptor>> {
        let Some(answer) = self.manifest_answer(Method::HEAD, repository, reference).await? else {
            return Ok(None);
        };
        let media_type = manifest::media_type(answer.header("content-type"), &[]);
        if is_schema1(&media_type) {
            return Err(Error::Invalid(msg!("registry-schema1")));
        }
        let size = answer.header("content-length").and_then(|size| size.parse().ok());
        let (Some(digest), Some(size)) = (self.stated(&answer)?, size) else {
            // A registry that leaves out what it should say is asked for the bytes themselves.
            let document = self.document(repository, reference).await?;
            return Ok(document.map(|document| Descriptor {
                digest: document.digest,
                size: document.body.len() as u64,
                media_type: document.media_type,
            }));
        };
        if let Reference::Digest(asked) = reference
            && *asked != digest
        {
            return Err(self.mismatch(repository, asked, &digest).into());
        }
        Ok(Some(Descriptor { digest, size, media_type }))
    }

    /// Whether the registry has a manifest that this is really the digest of: a word about a digest costs a liar nothing.
    pub(super) async fn verify(&self, repository: &str, digest: &Digest) -> Result<()> {
        let repository = Repository::new(repository)?;
        match self.document(&repository, &Reference::Digest(digest.clone())).await? {
            Some(_) => Ok(()),
            None => {
                let message =
                    msg!("registry-digest-missing", repository = repository.as_str(), digest = digest);
                Err(Trouble::damaged(message).into())
            }
        }
    }

    /// The digest that an answer states.
    fn stated(&self, answer: &Answer) -> Result<Option<Digest>> {
        let Some(text) = answer.header("docker-content-digest") else { return Ok(None) };
        let odd = |_| {
            let shown: String = text.chars().take(120).collect();
            let message = msg!("registry-digest-odd", host = self.host(), digest = shown.escape_debug());
            Error::from(Trouble::damaged(message))
        };
        Digest::new(text).map(Some).map_err(odd)
    }

    /// The manifest a tag or digest names, checked.
    pub(super) async fn document(
        &self,
        repository: &Repository,
        reference: &Reference,
    ) -> Result<Option<Document>> {
        if let Reference::Digest(digest) = reference
            && let Some((media_type, body)) = self.cache.get(repository, digest)
        {
            return Ok(Some(Document { digest: digest.clone(), media_type, body }));
        }
        let Some(answer) = self.manifest_answer(Method::GET, repository, reference).await? else {
            return Ok(None);
        };
        let media_type = manifest::media_type(answer.header("content-type"), &answer.body);
        if is_schema1(&media_type) {
            return Err(Error::Invalid(msg!("registry-schema1")));
        }
        let found = digest_of(&answer.body)?;
        let stated = match reference {
            Reference::Digest(asked) => Some(asked.clone()),
            Reference::Tag(_) => self.stated(&answer)?,
        };
        if let Some(stated) = stated.filter(|stated| *stated != found) {
            return Err(self.mismatch(repository, &stated, &found).into());
        }
        self.cache.put(repository, &found, &media_type, answer.body.clone());
        Ok(Some(Document { digest: found, media_type, body: answer.body }))
    }

    /// A configuration, checked. Never for layers: it is held in memory.
    pub(super) async fn config(&self, repository: &Repository, digest: &Digest) -> Result<Bytes> {
        if let Some((_, body)) = self.cache.get(repository, digest) {
            return Ok(body);
        }
        let place = Place::Blob { repository, digest };
        let ask = Ask { method: Method::GET, place, accept: None, limit: CONFIG_LIMIT };
        let answer = self.wire.ask(self.patience, &ask).await?;
        match answer.status {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => {
                let message =
                    msg!("registry-blob-missing", repository = repository.as_str(), digest = digest);
                return Err(Trouble::damaged(message).into());
            }
            status => return Err(self.unexpected(status).into()),
        }
        let found = digest_of(&answer.body)?;
        if found != *digest {
            return Err(self.mismatch(repository, digest, &found).into());
        }
        self.cache.put(repository, digest, "", answer.body.clone());
        Ok(answer.body)
    }

    async fn manifest_answer(
        &self,
        method: Method,
        repository: &Repository,
        reference: &Reference,
    ) -> Result<Option<Answer>> {
        let place = Place::Manifest { repository, reference };
        let ask = Ask { method, place, accept: Some(ACCEPT), limit: MANIFEST_LIMIT };
        let answer = self.wire.ask(self.patience, &ask).await?;
        match answer.status {
            StatusCode::OK => Ok(Some(answer)),
            StatusCode::NOT_FOUND => Ok(None),
            status => Err(self.unexpected(status).into()),
        }
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
