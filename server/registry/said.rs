//! What a registry bears out of what somebody says was pushed there: the digest that is named, the tag, and whether it
//! is an image at all. Shared by the loop that handles deliveries and by dry runs; it writes nothing.

use std::time::Duration;

use super::base::{Reference, Repository};
use super::client::Client;
use super::manifest;
use super::patience::Patience;
use super::registries::Registries;
use crate::model::{Digest, Error, Message, Notice, Result, Sighting, TagAddress};
use crate::msg;

/// How long a registry is asked again for what it is said to have.
const PATIENCE: Duration = Duration::from_secs(8);

/// What a digest names in a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    Image,
    /// Something else that is kept in registries: a signature, a chart, a build cache.
    Other(String),
    /// An image in the old format, which has no digest.
    Undigested,
    /// The registry has no such manifest there.
    Missing,
}

/// What is left of a notice once the registry was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Borne {
    /// What was pushed.
    pub digest: Option<Digest>,
    /// What the tag names, if that is another image.
    pub tag_digest: Option<Digest>,
    /// Why nothing can start for it.
    pub objection: Option<Message>,
    /// For so long after the notice the objection may still go away.
    pub early: Option<Duration>,
}

impl Registries {
    /// What the registry has by that digest in the tag's repository. `Denied` when the host is not configured, else as
    /// `Client::head`.
    pub async fn held(&self, address: &TagAddress, digest: &Digest) -> Result<Held> {
        let client = self.at(&address.host);
        let client =
            client.ok_or_else(|| Error::Denied(msg!("registry-host-unknown", host = address.host)))?;
        client.with_patience(Patience::IMPORT).held(&address.repository, digest).await
    }

    /// Whether two names of hosts, as they stand in image references, mean the same registry.
    pub fn is_same(&self, one: &str, other: &str) -> bool {
        one == other || self.canonical(one) == self.canonical(other)
    }
}

impl Client {
    async fn held(&self, repository: &str, digest: &Digest) -> Result<Held> {
        let (repository, reference) = (Repository::new(repository)?, Reference::Digest(digest.clone()));
        // Its content may be known; that it is still there may not.
        if self.has_read(&repository, digest) && self.described(&repository, &reference).await?.is_none() {
            return Ok(Held::Missing);
        }
        match self.document(&repository, &reference).await {
            Ok(Some(document)) => {
                Ok(match manifest::other_than_image(&document.media_type, &document.body) {
                    Some(kind) => Held::Other(kind),
                    None => Held::Image,
                })
            }
            Ok(None) => Ok(Held::Missing),
            Err(Error::Invalid(message)) if message.key == "registry-schema1" => Ok(Held::Undigested),
            Err(error) => Err(error),
        }
    }
}

/// `claimed` is what the digest names that the notice has, `found` what the tag's digest does.
pub fn bear_out(
    notice: &Notice,
    (claimed, found): (Option<Held>, Option<Held>),
    sighting: &Sighting,
) -> Borne {
    let tag = sighting.digest().cloned();
    match (&notice.digest, claimed) {
        (Some(digest), Some(Held::Missing)) => {
            let objection =
                msg!("hook-digest-missing", digest = digest.short(), repository = notice.repository);
            Borne { digest: None, tag_digest: tag, objection: Some(objection), early: Some(PATIENCE) }
        }
        (Some(_), Some(Held::Undigested)) => Borne { tag_digest: tag, ..Borne::default() },
        (Some(digest), Some(held)) => {
            let tag_digest = tag.filter(|tag| tag != digest);
            let named = *sighting == Sighting::Image(digest.clone());
            let (objection, early) = match held {
                Held::Other(kind) => (Some(msg!("hook-not-an-image", kind = kind)), None),
                // A sender that numbers its events tells of each push once; any other may repeat what is long over.
                _ if !named && notice.key.is_none() => {
                    (Some(msg!("hook-moved-on", digest = digest.short())), Some(PATIENCE))
                }
                _ => (None, None),
            };
            Borne { digest: Some(digest.clone()), tag_digest, objection, early }
        }
        (_, None) if *sighting == Sighting::Gone => {
            Borne { objection: Some(msg!("hook-gone")), early: Some(PATIENCE), ..Borne::default() }
        }
        (_, None) => {
            let objection = match found {
                Some(Held::Other(kind)) => Some(msg!("hook-not-an-image", kind = kind)),
                _ => None,
            };
            Borne { digest: tag, objection, ..Borne::default() }
        }
        (None, Some(_)) => Borne::default(),
    }
}
