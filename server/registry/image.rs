//! An image as people want to see it, and the answer to "did the stage really push this?".

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::base::{Reference, Repository};
use super::client::{Client, Document};
use super::config::{Config, History};
use super::manifest::{self, ImageManifest, Layer, Manifest, Platform};
use crate::model::{Digest, Error, Result};
use crate::msg;

/// What a tag or digest names. For an index the details are those of linux/amd64, else of the first image
/// that can be run.
#[derive(Clone, Debug)]
pub struct Image {
    pub repository: String,
    /// Of what was asked for: the index, if it is one.
    pub digest: Digest,
    pub media_type: String,
    /// Empty unless it is an index.
    pub platforms: Vec<Platform>,
    /// The manifest the details are from; `None` when no image of the index is in this registry.
    pub manifest: Option<Digest>,
    pub config: Option<Digest>,
    pub created: Option<Timestamp>,
    pub architecture: String,
    pub os: String,
    pub labels: BTreeMap<String, String>,
    /// `NAME=value`.
    pub env: Vec<String>,
    pub entrypoint: Vec<String>,
    pub command: Vec<String>,
    pub working_dir: String,
    pub user: String,
    /// Lowest first.
    pub layers: Vec<Layer>,
    pub history: Vec<History>,
    /// Configuration and layers, compressed, in bytes.
    pub total_size: u64,
}

/// What a tag names now, for the record of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmed {
    /// Of what the tag names: the index, if it is one.
    pub digest: Digest,
    /// Configuration and layers, compressed, in bytes; of the image chosen as for `Image`.
    pub size: u64,
    pub labels: BTreeMap<String, String>,
    /// When it was made, as it says itself.
    pub created: Option<Timestamp>,
}

impl Client {
    /// An image by tag or digest. The registry is always asked whether it has it; documents it named
    /// before come from memory. `NotFound` when it has no such thing; `Invalid` for the old format.
    pub async fn image(&self, repository: &str, reference: &str) -> Result<Image> {
        let repository = Repository::new(repository)?;
        let reference = Reference::new(reference)?;
        let unknown = || {
            Error::NotFound(msg!(
                "registry-image-unknown",
                repository = repository.as_str(),
                reference = reference.as_str()
            ))
        };
        let descriptor = self.described(&repository, &reference).await?.ok_or_else(unknown)?;
        let by_digest = Reference::Digest(descriptor.digest);
        let document = self.document(&repository, &by_digest).await?.ok_or_else(unknown)?;
        self.detailed(&repository, document).await
    }

    /// What the run loop asks for each image a stage says it pushed: `None` when the registry has no such
    /// tag or digest. Compare with the digest of the log line, if there was one: another one means that somebody
    /// has moved the tag since.
    pub async fn confirm(&self, repository: &str, tag_or_digest: &str) -> Result<Option<Confirmed>> {
        self.tags_changed(repository);
        let repository = Repository::new(repository)?;
        let Some(document) = self.document(&repository, &Reference::new(tag_or_digest)?).await? else {
            return Ok(None);
        };
        let image = self.detailed(&repository, document).await?;
        Ok(Some(Confirmed {
            digest: image.digest,
            size: image.total_size,
            labels: image.labels,
            created: image.created,
        }))
    }

    async fn detailed(&self, repository: &Repository, document: Document) -> Result<Image> {
        let mut image = Image::bare(repository, &document);
        let details = match read(&document)? {
            Manifest::Image(details) => Some((document.digest, details)),
            Manifest::Index(platforms) => {
                let child = self.child(repository, &platforms).await?;
                image.platforms = platforms;
                child
            }
        };
        let Some((digest, details)) = details else { return Ok(image) };
        let config = if details.has_image_config() {
            Config::parse(&self.config(repository, &details.config).await?).map_err(Error::Conflict)?
        } else {
            Config::default()
        };
        image.fill(digest, details, config);
        Ok(image)
    }

    /// Registries may hold an index without all its images; then there are no details to show.
    async fn child(
        &self,
        repository: &Repository,
        platforms: &[Platform],
    ) -> Result<Option<(Digest, ImageManifest)>> {
        let Some(preferred) = manifest::preferred(platforms) else { return Ok(None) };
        let reference = Reference::Digest(preferred.digest.clone());
        let Some(document) = self.document(repository, &reference).await? else { return Ok(None) };
        match read(&document)? {
            Manifest::Image(details) => Ok(Some((document.digest, details))),
            // An index within an index is listed, not followed: it could lead anywhere, for ever.
            Manifest::Index(_) => Ok(None),
        }
    }
}

fn read(document: &Document) -> Result<Manifest> {
    manifest::parse(&document.media_type, &document.body).map_err(Error::Conflict)
}

impl Image {
    fn bare(repository: &Repository, document: &Document) -> Self {
        Image {
            repository: repository.as_str().to_owned(),
            digest: document.digest.clone(),
            media_type: document.media_type.clone(),
            platforms: Vec::new(),
            manifest: None,
            config: None,
            created: None,
            architecture: String::new(),
            os: String::new(),
            labels: BTreeMap::new(),
            env: Vec::new(),
            entrypoint: Vec::new(),
            command: Vec::new(),
            working_dir: String::new(),
            user: String::new(),
            layers: Vec::new(),
            history: Vec::new(),
            total_size: 0,
        }
    }

    fn fill(&mut self, manifest: Digest, details: ImageManifest, config: Config) {
        self.total_size = details.total_size();
        self.manifest = Some(manifest);
        self.config = Some(details.config);
        self.layers = details.layers;
        config.explain(&mut self.layers);
        self.created = config.created;
        self.architecture = config.architecture;
        self.os = config.os;
        self.labels = config.labels;
        self.env = config.env;
        self.entrypoint = config.entrypoint;
        self.command = config.command;
        self.working_dir = config.working_dir;
        self.user = config.user;
        self.history = config.history;
    }
}
