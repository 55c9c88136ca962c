//! Image streams: named pointers to images, each tag a list of immutable digests, newest first. The words are
//! OpenShift's (`image.openshift.io/v1`), so that its own YAML can be taken as it is.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Digest, Error, ImageReference, Message, RepositoryPath, Result, is_tag};
use crate::msg;

/// A stream's `owner/name`; the owner stands where OpenShift has the namespace.
pub type StreamPath = RepositoryPath;

/// A tag at a registry: what is followed, and what an image is known by outside. The host is as in image
/// references (`registry.local:5000`); Docker Hub's is `docker.io`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TagAddress {
    pub host: String,
    pub repository: String,
    pub tag: String,
}

impl fmt::Display for TagAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}:{}", self.host, self.repository, self.tag)
    }
}

impl TagAddress {
    /// Where a reference without a digest points: Docker's rules for a missing host, `library/` and `latest`.
    /// `None` for a reference by digest, which points nowhere else tomorrow.
    pub fn of(image: &ImageReference) -> Option<TagAddress> {
        if image.digest.is_some() {
            return None;
        }
        let tag = image.tag.clone().unwrap_or_else(|| "latest".to_owned());
        // Names of hosts are the same in any case.
        let host = image.host.as_deref().unwrap_or("docker.io").to_ascii_lowercase();
        let hub = matches!(host.as_str(), "docker.io" | "index.docker.io" | "registry-1.docker.io");
        let repository = if hub && !image.repository.contains('/') {
            format!("library/{}", image.repository)
        } else {
            image.repository.clone()
        };
        Some(TagAddress { host: if hub { "docker.io".to_owned() } else { host }, repository, tag })
    }

    /// `host/repository@digest`.
    pub fn pinned(&self, digest: &Digest) -> String {
        format!("{}/{}@{digest}", self.host, self.repository)
    }
}

/// What a registry says of a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sighting {
    Image(Digest),
    /// It has the tag, but images of this kind have no digest (schema version 1).
    NoDigest,
    /// It has no such tag.
    Gone,
}

impl Sighting {
    pub fn digest(&self) -> Option<&Digest> {
        match self {
            Sighting::Image(digest) => Some(digest),
            Sighting::NoDigest | Sighting::Gone => None,
        }
    }
}

/// `owner/name:tag` of a stream.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StreamTagName {
    pub stream: StreamPath,
    pub tag: String,
}

impl fmt::Display for StreamTagName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.stream, self.tag)
    }
}

impl From<StreamTagName> for String {
    fn from(name: StreamTagName) -> String {
        name.to_string()
    }
}

impl TryFrom<String> for StreamTagName {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl std::str::FromStr for StreamTagName {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let shown = || text.chars().take(200).collect::<String>().escape_debug().to_string();
        let refuse = || Error::Invalid(msg!("stream-tag-invalid", name = shown()));
        let (stream, tag) = text.rsplit_once(':').ok_or_else(refuse)?;
        if !is_tag(tag) {
            return Err(refuse());
        }
        Ok(StreamTagName { stream: stream.parse().map_err(|_| refuse())?, tag: tag.to_owned() })
    }
}

/// What a tag named at a time (`status.tags[].items[]`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagItem {
    pub id: i64,
    pub created_at: Timestamp,
    /// `host/repository@sha256:...`; with a tag instead where the registry has no digest.
    pub reference: String,
    pub digest: Option<Digest>,
    pub generation: i64,
    /// The account that tagged it by hand; `None` for an import.
    pub by: Option<String>,
}

/// Why the last import did not go well (`status.tags[].conditions[]`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportCondition {
    /// One CamelCase word, as OpenShift has it: `NotFound`, `Unauthorized`, `Unreachable`, `Invalid`, ...
    pub reason: String,
    pub message: Message,
    pub at: Timestamp,
    pub generation: i64,
}

/// One image that moved, as a run that it started remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageChange {
    /// What is watched: `owner/name:tag` of a stream, or the reference of a base as the repository writes it.
    pub watched: String,
    /// `host/repository@sha256:...` before; `None` for the first time.
    pub old: Option<String>,
    /// And now.
    pub new: String,
}

/// A base of a run: what the repository writes, and the image it stood at when the run was queued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseImage {
    /// As it is written in the Dockerfile, compose file or definition.
    pub reference: String,
    /// `host/repository@sha256:...`, what is used instead; `None` when it could not be pinned.
    pub pinned: Option<String>,
    pub digest: Option<Digest>,
    /// Why it is not pinned.
    pub note: Option<Message>,
    /// When the image was made, as far as its configuration says.
    pub made_at: Option<Timestamp>,
    /// What was really used of it, as far as it was seen.
    #[serde(default)]
    pub used: Vec<UsedImage>,
}

/// An image that a step or a container of a run was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedImage {
    /// As whoever made the container named it.
    pub image: String,
    /// `repository@sha256:...` as a registry knows it, else the engine's `sha256:...`.
    pub id: String,
    pub by: UsedBy,
    /// Whether it is another image than the name meant when the run was queued.
    pub differs: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UsedBy {
    Step,
    /// Of a compose project in the workspace.
    Container,
}

impl UsedImage {
    pub fn message(&self) -> Message {
        match (self.by, self.differs) {
            (UsedBy::Step, false) => msg!("base-used-step", image = self.id),
            (UsedBy::Step, true) => msg!("base-used-step-other", image = self.id),
            (UsedBy::Container, false) => msg!("base-used-container", image = self.id),
            (UsedBy::Container, true) => msg!("base-used-container-other", image = self.id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_points_where_docker_says() {
        let of = |text: &str| TagAddress::of(&ImageReference::parse(text).unwrap()).map(|a| a.to_string());
        assert_eq!(of("debian").as_deref(), Some("docker.io/library/debian:latest"));
        assert_eq!(of("docker.io/grafana/loki:3").as_deref(), Some("docker.io/grafana/loki:3"));
        assert_eq!(of("registry.local:5000/base:1").as_deref(), Some("registry.local:5000/base:1"));
        assert_eq!(of(&format!("debian@sha256:{}", "0".repeat(64))), None);
    }

    #[test]
    fn a_stream_tag_is_written_as_it_is_read() {
        let name: StreamTagName = "admin/base:1.2".parse().unwrap();
        assert_eq!((name.stream.to_string().as_str(), name.tag.as_str()), ("admin/base", "1.2"));
        assert_eq!(name.to_string(), "admin/base:1.2");
        for bad in ["", "a", "admin/base", "admin/base:", "admin/base:a b", ":x", "a:b"] {
            assert!(bad.parse::<StreamTagName>().is_err(), "{bad:?}");
        }
    }
}
