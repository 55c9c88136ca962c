//! What is wanted of image streams, their tags and of image triggers, as OpenShift's files say it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Digest, Error, ImageReference, RepositoryPath, Result, StreamPath, StreamTagName, TagAddress};
use crate::msg;

/// `owner/name@sha256:...` of a stream: an image of its history.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StreamImageName {
    pub stream: StreamPath,
    pub digest: Digest,
}

impl fmt::Display for StreamImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.stream, self.digest)
    }
}

impl From<StreamImageName> for String {
    fn from(name: StreamImageName) -> String {
        name.to_string()
    }
}

impl TryFrom<String> for StreamImageName {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        let refuse = || Error::Invalid(msg!("stream-tag-invalid", name = text.escape_debug()));
        let (stream, digest) = text.split_once('@').ok_or_else(refuse)?;
        Ok(StreamImageName { stream: stream.parse()?, digest: digest.parse()? })
    }
}

/// Where the images of a stream's tag come from (`spec.tags[].from`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "name")]
pub enum TagSource {
    /// An image reference, in our registry or another.
    DockerImage(String),
    /// Another tag of the same stream: an alias.
    ImageStreamTag(String),
    /// An image of the same stream's history, by digest.
    ImageStreamImage(Digest),
    /// A tag of another stream, whose image is taken once: a promotion. What that tag names later is not followed.
    OtherTag(StreamTagName),
    /// An image of another stream's history, which is taken once.
    OtherImage(StreamImageName),
}

impl TagSource {
    /// The tag at a registry that is to be followed for it, if there is one.
    pub fn address(&self) -> Option<TagAddress> {
        match self {
            TagSource::DockerImage(text) => TagAddress::of(&ImageReference::parse(text).ok()?),
            _ => None,
        }
    }
}

/// Where others pull an image of the stream from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReferencePolicy {
    /// From where it was imported.
    #[default]
    Source,
    /// From our registry, into which it is copied, so that it survives the source.
    Local,
}

/// One tag of a stream as it is wanted (`spec.tags[]`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagSpec {
    pub name: String,
    pub source: Option<TagSource>,
    /// Names the source and imports nothing.
    pub reference: bool,
    /// The source may be reached without TLS or with a certificate nobody vouches for.
    pub insecure: bool,
    pub scheduled: bool,
    /// `Legacy` or `PreserveOriginal`.
    pub import_mode: String,
    pub reference_policy: ReferencePolicy,
    pub annotations: BTreeMap<String, String>,
    /// Nought imports anew.
    pub generation: i64,
}

impl TagSpec {
    /// A tag that only names what is pushed or set by hand.
    pub fn bare(name: String) -> Self {
        TagSpec {
            name,
            source: None,
            reference: false,
            insecure: false,
            scheduled: false,
            import_mode: "Legacy".to_owned(),
            reference_policy: ReferencePolicy::Source,
            annotations: BTreeMap::new(),
            generation: 1,
        }
    }
}

/// A stream as it is wanted (`spec`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamSpec {
    pub path: StreamPath,
    /// `host/path` of which every tag is followed; `None` for the stream's own repository.
    pub repository: Option<String>,
    /// The same as it is written (`spec.dockerImageRepository`).
    pub written_repository: Option<String>,
    pub lookup_local: bool,
    pub annotations: BTreeMap<String, String>,
    pub labels: BTreeMap<String, String>,
    /// Each name once.
    pub tags: Vec<TagSpec>,
}

impl StreamSpec {
    pub fn bare(path: StreamPath) -> Self {
        StreamSpec {
            path,
            repository: None,
            written_repository: None,
            lookup_local: false,
            annotations: BTreeMap::new(),
            labels: BTreeMap::new(),
            tags: Vec::new(),
        }
    }
}

/// Some tags of a stream as they are wanted; its others stay as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagsSpec {
    pub path: StreamPath,
    /// Each name once.
    pub tags: Vec<TagSpec>,
}

/// An image that a tag is to name by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageToTag {
    pub tag: StreamTagName,
    /// An image reference.
    pub image: String,
}

/// Image triggers of one pipeline as they are wanted (`spec.triggers` of a `BuildConfig`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriggersSpec {
    /// `owner/name` of the git repository, where it is named.
    pub repository: Option<RepositoryPath>,
    /// `spec.source.git.uri`.
    pub source: Option<String>,
    pub namespace: Option<String>,
    pub pipeline: String,
    /// `None` leaves the triggers as they are.
    pub triggers: Option<Vec<TriggerSpec>>,
}

/// What is watched, and whether it waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriggerSpec {
    pub from: Option<TriggerSource>,
    pub paused: bool,
}

/// `from` of an image change trigger; without a namespace it is the pipeline's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriggerSource {
    pub namespace: Option<String>,
    pub name: String,
    pub tag: String,
}
