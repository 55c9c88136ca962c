//! Image streams: all, one with its tags, one tag with its history, a new one; and the image triggers of a pipeline.

use askama::Template;
use jiff::Timestamp;

use super::{Page, links};
use crate::model::{Finding, ImageChange, Message};

#[derive(Template)]
#[template(path = "streams.html")]
pub struct Streams {
    pub page: Page,
    pub rows: Vec<StreamRow>,
    pub next: Option<String>,
}

pub struct StreamRow {
    /// `owner/name`.
    pub name: String,
    /// `host/path` that is followed as a whole.
    pub repository: String,
    pub tags: usize,
    /// When a tag last moved.
    pub moved_at: Option<Timestamp>,
    /// How many tags' last import failed.
    pub failed: usize,
}

impl StreamRow {
    pub(super) fn href(&self) -> String {
        links::stream(&self.name)
    }
}

#[derive(Template)]
#[template(path = "stream.html")]
pub struct Stream {
    pub page: Page,
    pub name: String,
    pub repository: String,
    pub created_at: Timestamp,
    pub created_by: String,
    pub annotations: Vec<(String, String)>,
    pub tags: Vec<TagLine>,
    pub may_change: bool,
    /// What is wrong with the tag that was to be set, and how it was typed.
    pub error: Option<Message>,
    pub typed: SetFields,
}

/// The form that sets a tag.
#[derive(Default)]
pub struct SetFields {
    pub tag: String,
    pub image: String,
    pub other: String,
    pub follow: bool,
    pub scheduled: bool,
    pub local: bool,
}

impl Stream {
    pub(super) fn set_href(&self) -> String {
        format!("{}/tag", links::stream(&self.name))
    }
    pub(super) fn delete_href(&self) -> String {
        format!("{}/delete", links::stream(&self.name))
    }
    pub(super) fn export_href(&self) -> String {
        links::stream_export(&self.name)
    }
}

/// A tag: what it names, since when, where that comes from.
pub struct TagLine {
    /// `owner/name` of the stream.
    pub stream: String,
    pub tag: String,
    pub item: Option<ItemLine>,
    /// Where its images come from; empty for one that is only pushed or set by hand.
    pub source: String,
    /// The source is in a registry: it can be asked now.
    pub importable: bool,
    pub scheduled: bool,
    /// Copied into our registry.
    pub local: bool,
    /// Names its source and imports nothing.
    pub reference: bool,
    pub import_at: Option<Timestamp>,
    /// Why the last import failed: OpenShift's word, the sentence, when.
    pub condition: Option<(String, Message, Timestamp)>,
}

impl TagLine {
    pub(super) fn href(&self) -> String {
        links::stream_tag(&self.stream, &self.tag)
    }
    pub(super) fn act_href(&self, act: &str) -> String {
        format!("{}/{act}", self.href())
    }
}

pub struct ItemLine {
    /// `host/repository@sha256:...`
    pub reference: String,
    pub digest: String,
    /// The image in our registry; empty elsewhere.
    pub href: String,
    pub created_at: Timestamp,
    /// The account that set it by hand.
    pub by: Option<String>,
}

impl ItemLine {
    /// The first twelve digits, or the reference where there is no digest.
    pub(super) fn short(&self) -> &str {
        self.digest.strip_prefix("sha256:").and_then(|hex| hex.get(..12)).unwrap_or(&self.reference)
    }
}

#[derive(Template)]
#[template(path = "stream_tag.html")]
pub struct StreamTag {
    pub page: Page,
    /// As of when it is, for `live`.
    pub as_of: String,
    pub now: TagNow,
}

impl StreamTag {
    pub(super) fn stream_href(&self) -> String {
        links::stream(&self.now.line.stream)
    }
    pub(super) fn live_href(&self) -> String {
        self.now.line.act_href("live")
    }
}

/// What a tag names, and has named.
pub struct TagNow {
    pub line: TagLine,
    /// Newest first.
    pub history: Vec<ItemLine>,
    pub may_change: bool,
}

impl TagNow {
    pub(super) fn impact_href(&self) -> String {
        links::impact(&format!("{}:{}", self.line.stream, self.line.tag))
    }
}

/// Of `StreamTag`, what `live` sends.
#[derive(Template)]
#[template(path = "partials/tag_now.html")]
pub struct TagPiece<'a> {
    pub page: &'a Page,
    pub now: &'a TagNow,
}

/// Posted to `/image-streams/new`: fields `name`, `tag`, `image`, `scheduled`, `local`; or `yaml`.
#[derive(Template)]
#[template(path = "stream_new.html")]
pub struct NewStream {
    pub page: Page,
    pub name: String,
    pub tag: String,
    pub image: String,
    pub scheduled: bool,
    pub local: bool,
    pub yaml: String,
    pub error: Option<Message>,
    pub findings: Vec<Finding>,
    /// What was in the YAML that was applied, and is not carried out.
    pub notes: Vec<Finding>,
    /// What was applied: kind, name, what became of it.
    pub done: Vec<(String, String, Message)>,
}

/// An image trigger on its pipeline's page.
pub struct TriggerRow {
    pub id: i64,
    /// `owner/stream:tag`; empty for the pipeline's own bases.
    pub from: String,
    pub from_href: String,
    pub paused: bool,
    pub last_at: Option<Timestamp>,
    /// What the newest run had: watched and image.
    pub last: Vec<(String, String)>,
    /// What a run would be started for.
    pub pending: Vec<ImageChange>,
    /// What is not there yet.
    pub waits: Option<Message>,
}

/// `host/repository@sha256:...` with the digest shortened.
pub fn brief(reference: &str) -> String {
    match reference.split_once("@sha256:") {
        Some((name, hex)) => format!("{name}@{}", hex.get(..12).unwrap_or(hex)),
        None => reference.to_owned(),
    }
}
