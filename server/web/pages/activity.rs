//! Activity: the journal, newest first, and what came of every event: also why nothing did.

use askama::Template;
use jiff::Timestamp;

use super::streams::brief;
use super::{Page, RunBrief, links};
use crate::model::{Happened, Message};
use crate::msg;

#[derive(Template)]
#[template(path = "activity.html")]
pub struct Activity {
    pub page: Page,
    /// `owner/name` when only one repository's events are shown, else empty.
    pub repository: String,
    /// The only kind that is shown, or empty.
    pub kind: String,
    /// Every kind, with its word.
    pub kinds: Vec<(&'static str, Message)>,
    pub narrowed: Narrowed,
    /// The page's own address, at its newest.
    pub here: String,
    /// As of when it is, for `live`; `None` on a page that begins further back.
    pub as_of: Option<String>,
    pub journal: Journal,
}

impl Activity {
    pub(super) fn live_href(&self) -> String {
        links::activity_live(&self.here)
    }
}

/// A page of events.
pub struct Journal {
    pub rows: Vec<ActivityRow>,
    /// Instead of rows, when only images that registries told of are shown.
    pub images: Option<Vec<ImageRow>>,
    pub next: Option<String>,
}

/// Of `Activity`, what `live` sends.
#[derive(Template)]
#[template(path = "partials/journal.html")]
pub struct JournalPiece<'a> {
    pub page: &'a Page,
    pub journal: &'a Journal,
}

/// As it was typed.
#[derive(Clone, Debug, Default)]
pub struct Narrowed {
    pub webhook: String,
    pub image: String,
    pub tag: String,
    pub owner: String,
    /// `true`, `false` or empty.
    pub started: String,
}

/// An image that a registry told a Docker trigger of.
pub struct ImageRow {
    pub id: i64,
    pub at: Timestamp,
    pub host: String,
    pub namespace: String,
    /// The repository's name without the namespace.
    pub name: String,
    pub tag: String,
    pub owner: String,
    /// Shortened.
    pub digest: Option<String>,
    /// What the tag named, if that was another image; shortened.
    pub tag_digest: Option<String>,
    pub webhook: String,
    pub delivery_id: i64,
    /// Why it did or did not start a run; `None` while that is not decided.
    pub message: Option<Message>,
    pub run: Option<RunBrief>,
}

impl ImageRow {
    pub(super) fn webhook_href(&self) -> String {
        links::webhook(&self.webhook)
    }
    pub(super) fn delivery_href(&self) -> String {
        links::delivery(self.delivery_id)
    }
}

pub struct ActivityRow {
    pub id: i64,
    pub at: Timestamp,
    /// An icon's name, from `icon`.
    pub icon: &'static str,
    /// From `sentence`.
    pub text: Message,
    /// `owner/name`, when it is about a repository.
    pub repository: Option<String>,
    /// Where more is to be read: a commit, a run, an image.
    pub href: Option<String>,
    /// Whether the trigger loop still has to decide.
    pub undecided: bool,
    pub outcomes: Vec<OutcomeRow>,
}

impl ActivityRow {
    pub(super) fn causality_href(&self) -> String {
        links::causality(self.id)
    }
    pub(super) fn repository_href(&self) -> Option<String> {
        self.repository.as_deref().map(links::repository)
    }
}

pub struct OutcomeRow {
    /// Why it did or did not start a run.
    pub text: Message,
    pub run: Option<RunBrief>,
}

/// An event as a sentence.
pub fn sentence(happened: &Happened) -> Message {
    match happened {
        Happened::RefMoved { reference, old, new, by } => {
            moved(reference.short(), [old, new].map(Option::is_some), by)
        }
        Happened::RepositoryCreated { by } => msg!("web-event-repository-created", by = by),
        Happened::RepositoryDeleted { by } => msg!("web-event-repository-deleted", by = by),
        Happened::PipelineCreated { pipeline, by } => {
            msg!("web-event-pipeline-created", pipeline = pipeline, by = by)
        }
        Happened::PipelineDeleted { pipeline, by } => {
            msg!("web-event-pipeline-deleted", pipeline = pipeline, by = by)
        }
        Happened::RunRequested { by, .. } => msg!("web-event-run-requested", by = by),
        Happened::RunCancelRequested { by, .. } => msg!("web-event-run-cancel-requested", by = by),
        Happened::RunFinished { status, .. } => msg!("web-event-run-finished", status = status),
        Happened::ImagePushed { repository, tag, .. } => {
            msg!("web-event-image-pushed", image = format!("{repository}:{tag}"))
        }
        Happened::TagMoved { address, new, undigested, .. } => match new {
            Some(digest) => msg!("web-event-tag-moved", image = address, digest = digest.short()),
            None if *undigested => msg!("web-event-tag-undigested", image = address),
            None => msg!("web-event-tag-gone", image = address),
        },
        Happened::StreamTagMoved { stream, new, by, .. } => match (new, by) {
            (Some(new), Some(by)) => {
                msg!("web-event-stream-tagged", stream = stream, image = brief(new), by = by)
            }
            (Some(new), None) => msg!("web-event-stream-imported", stream = stream, image = brief(new)),
            (None, _) => msg!("web-event-stream-untagged", stream = stream),
        },
        Happened::ImportFailed { stream, .. } => msg!("web-event-import-failed", stream = stream),
        Happened::StreamCreated { stream, by } => msg!("web-event-stream-created", stream = stream, by = by),
        Happened::StreamDeleted { stream, by } => msg!("web-event-stream-deleted", stream = stream, by = by),
        Happened::TriggerChanged { pipeline, by, .. } => {
            msg!("web-event-trigger-changed", pipeline = pipeline, by = by)
        }
        Happened::ImageAnnounced { webhook, image, .. } => {
            let name = format!("{}/{}:{}", image.host, image.repository, image.tag);
            msg!("web-event-image-announced", image = name, webhook = webhook)
        }
        Happened::DeliveryRefused { .. } => msg!("web-event-delivery-refused"),
        Happened::SignedIn { by } => msg!("web-event-signed-in", by = by),
        Happened::SignInRefused { name, address } => {
            msg!("web-event-sign-in-refused", name = name, address = address)
        }
        Happened::AccountCreated { name, by } => msg!("web-event-account-created", name = name, by = by),
        Happened::TokenCreated { name, by } => msg!("web-event-token-created", name = name, by = by),
    }
}

/// `before` and `after` tell whether the ref was there.
fn moved(name: &str, [before, after]: [bool; 2], by: &Option<String>) -> Message {
    match (before, after, by) {
        (_, false, Some(by)) => msg!("web-event-ref-deleted-by", reference = name, by = by),
        (_, false, None) => msg!("web-event-ref-deleted", reference = name),
        (false, true, Some(by)) => msg!("web-event-ref-created-by", reference = name, by = by),
        (false, true, None) => msg!("web-event-ref-created", reference = name),
        (true, true, Some(by)) => msg!("web-event-ref-moved-by", reference = name, by = by),
        (true, true, None) => msg!("web-event-ref-moved", reference = name),
    }
}

/// The icon of an event.
pub const fn icon(happened: &Happened) -> &'static str {
    match happened {
        Happened::RefMoved { .. } => "branch",
        Happened::RepositoryCreated { .. } | Happened::RepositoryDeleted { .. } => "repository",
        Happened::PipelineCreated { .. } | Happened::PipelineDeleted { .. } => "pipeline",
        Happened::RunRequested { .. } => "start",
        Happened::RunCancelRequested { .. } => "cancelled",
        Happened::RunFinished { status, .. } => status.as_str(),
        Happened::ImagePushed { .. }
        | Happened::TagMoved { .. }
        | Happened::StreamTagMoved { .. }
        | Happened::StreamCreated { .. }
        | Happened::StreamDeleted { .. }
        | Happened::ImageAnnounced { .. } => "image",
        Happened::ImportFailed { .. } | Happened::DeliveryRefused { .. } => "unstable",
        Happened::TriggerChanged { .. } => "pipeline",
        Happened::SignedIn { .. } | Happened::AccountCreated { .. } => "person",
        Happened::SignInRefused { .. } => "unstable",
        Happened::TokenCreated { .. } => "key",
    }
}
