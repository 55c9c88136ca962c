//! The registry: repositories, tags, one image, and the way from an image back to its run and commit.
//! Labels are written by whoever built an image: text, never more.

use askama::Template;
use jiff::Timestamp;

use super::{CommitBrief, Page, RunBrief, links};
use crate::model::{BaseImage, Message};

/// An image in one line, as a run's or a commit's result.
pub struct ImageBrief {
    pub repository: String,
    pub tag: String,
    pub digest: String,
    /// Compressed, in bytes.
    pub size: u64,
    /// Name of the stage that pushed it; empty where it does not matter.
    pub stage: String,
}

impl ImageBrief {
    pub(super) fn href(&self) -> String {
        links::image(&self.repository, &self.digest)
    }
    pub(super) fn short_digest(&self) -> &str {
        short(&self.digest)
    }
}

/// The first twelve digits of `sha256:...`, or the text itself.
fn short(digest: &str) -> &str {
    digest.strip_prefix("sha256:").and_then(|hex| hex.get(..12)).unwrap_or(digest)
}

#[derive(Template)]
#[template(path = "registry.html")]
pub struct Registry {
    pub page: Page,
    /// `registry.local:5000`.
    pub host: String,
    pub repositories: Vec<RegistryRow>,
    /// Why the list is not there.
    pub error: Option<Message>,
    pub next: Option<String>,
}

pub struct RegistryRow {
    pub name: String,
    /// The last one that a run of ours pushed.
    pub last_tag: Option<String>,
    pub last_pushed: Option<Timestamp>,
    pub run: Option<RunBrief>,
}

impl RegistryRow {
    pub(super) fn href(&self) -> String {
        links::registry_repository(&self.name)
    }
}

#[derive(Template)]
#[template(path = "registry_tags.html")]
pub struct RegistryTags {
    pub page: Page,
    pub host: String,
    pub repository: String,
    pub tags: Vec<TagRow>,
    /// How many tags there are in all.
    pub total: usize,
    pub error: Option<Message>,
    pub next: Option<String>,
}

pub struct TagRow {
    pub tag: String,
    pub digest: String,
    pub size: u64,
    pub created_at: Option<Timestamp>,
    pub labels: Vec<(String, String)>,
    pub run: Option<RunBrief>,
    /// Why the registry did not say more about it.
    pub error: Option<Message>,
    pub href: String,
}

impl TagRow {
    pub(super) fn short_digest(&self) -> &str {
        short(&self.digest)
    }
}

#[derive(Template)]
#[template(path = "image.html")]
pub struct Image {
    pub page: Page,
    pub host: String,
    pub repository: String,
    pub digest: String,
    pub tags: Vec<String>,
    pub media_type: String,
    /// `linux/amd64`; several of them for an index.
    pub platform: String,
    pub size: u64,
    pub created_at: Option<Timestamp>,
    pub labels: Vec<(String, String)>,
    pub layers: Vec<Layer>,
    pub provenance: Option<Provenance>,
    /// Running ones on the engine beside the server.
    pub containers: Vec<ContainerRow>,
    /// Why something is not shown.
    pub error: Option<Message>,
}

/// A running container.
pub struct ContainerRow {
    pub name: String,
    /// The first twelve digits.
    pub id: String,
    /// The reference it was started by.
    pub image: String,
    pub state: String,
}

impl Image {
    pub(super) fn short_digest(&self) -> &str {
        short(&self.digest)
    }
    pub(super) fn pull_reference(&self) -> String {
        format!("{}/{}@{}", self.host, self.repository, self.digest)
    }
}

pub struct Layer {
    pub digest: String,
    /// Compressed; 0 for an instruction that made no layer.
    pub size: u64,
    /// The instruction, as the history states it.
    pub created_by: String,
}

impl Layer {
    pub(super) fn short_digest(&self) -> &str {
        short(&self.digest)
    }
}

/// Which run made an image, and of what.
pub struct Provenance {
    pub run: RunBrief,
    pub stage: String,
    pub pushed_at: Timestamp,
    pub commit: Option<CommitBrief>,
    /// Full id; also when the commit is gone.
    pub commit_id: String,
    /// `(reference, digest)`.
    pub base_images: Vec<BaseImage>,
}

#[derive(Template)]
#[template(path = "trace.html")]
pub struct Trace {
    pub page: Page,
    /// What was asked: a digest, `repository:tag`, or labels as `docker inspect` prints them.
    pub question: String,
    pub host: String,
    pub found: Vec<Found>,
    /// Why nothing was found, of each thing that was looked for.
    pub missing: Vec<Message>,
    /// Running containers, to choose from.
    pub containers: Vec<ContainerRow>,
}

/// A run that was found, by what it pushed or by its own name.
pub struct Found {
    /// `None` for a run that was asked for by its own tag and pushed nothing.
    pub image: Option<ImageBrief>,
    pub provenance: Option<Provenance>,
    pub containers: Vec<ContainerRow>,
    /// What else there is to know: that the tag has moved since, say.
    pub notes: Vec<Message>,
}
