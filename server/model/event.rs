//! The journal: one row for everything that happened, and the input of the triggers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{CommitId, Message, RefName};

/// What happened. Stored as JSON with the kind beside it in a column of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Happened {
    /// A ref of a hosted or mirrored repository is not where it was. `None` means it did not / does not exist.
    RefMoved {
        reference: RefName,
        old: Option<CommitId>,
        new: Option<CommitId>,
        /// The account that pushed, when it came through our door.
        by: Option<String>,
    },
    RepositoryCreated {
        by: String,
    },
    RepositoryDeleted {
        by: String,
    },
    PipelineCreated {
        pipeline: String,
        by: String,
    },
    PipelineDeleted {
        pipeline: String,
        by: String,
    },
    RunRequested {
        run_id: i64,
        by: String,
    },
    RunCancelRequested {
        run_id: i64,
        by: String,
    },
    RunFinished {
        run_id: i64,
        status: super::Status,
    },
    ImagePushed {
        run_id: i64,
        repository: String,
        tag: String,
        digest: super::Digest,
    },
    /// A followed tag at a registry names another image than when it was last looked at.
    TagMoved {
        address: super::TagAddress,
        old: Option<super::Digest>,
        /// `None` when the tag is gone, or when its image has no digest.
        new: Option<super::Digest>,
        /// The tag is there, and its image is in the old format, which has no digest.
        #[serde(default)]
        undigested: bool,
        /// The delivery that hurried the look.
        delivery_id: Option<i64>,
    },
    /// A tag of an image stream names another image.
    StreamTagMoved {
        stream: super::StreamTagName,
        /// `host/repository@sha256:...`
        old: Option<String>,
        /// `None` when the tag was taken away.
        new: Option<String>,
        /// The account that did it by hand; `None` for an import.
        by: Option<String>,
    },
    /// An import into a stream failed for a new reason.
    ImportFailed {
        stream: super::StreamTagName,
        message: Message,
    },
    StreamCreated {
        stream: super::StreamPath,
        by: String,
    },
    StreamDeleted {
        stream: super::StreamPath,
        by: String,
    },
    /// An image trigger was made, changed, paused or let go on: what moved meanwhile may now start a run.
    TriggerChanged {
        pipeline_id: i64,
        pipeline: String,
        by: String,
    },
    /// A registry told a Docker trigger of a push.
    ImageAnnounced {
        webhook_id: i64,
        webhook: String,
        delivery_id: i64,
        image: super::Announced,
    },
    /// A delivery that is not taken further, and why.
    DeliveryRefused {
        delivery_id: Option<i64>,
        message: Message,
    },
    SignedIn {
        by: String,
    },
    SignInRefused {
        name: String,
        address: String,
    },
    AccountCreated {
        name: String,
        by: String,
    },
    TokenCreated {
        name: String,
        by: String,
    },
}

impl Happened {
    pub const fn kind(&self) -> &'static str {
        match self {
            Happened::RefMoved { .. } => "ref-moved",
            Happened::RepositoryCreated { .. } => "repository-created",
            Happened::RepositoryDeleted { .. } => "repository-deleted",
            Happened::PipelineCreated { .. } => "pipeline-created",
            Happened::PipelineDeleted { .. } => "pipeline-deleted",
            Happened::RunRequested { .. } => "run-requested",
            Happened::RunCancelRequested { .. } => "run-cancel-requested",
            Happened::RunFinished { .. } => "run-finished",
            Happened::ImagePushed { .. } => "image-pushed",
            Happened::TagMoved { .. } => "tag-moved",
            Happened::StreamTagMoved { .. } => "stream-tag-moved",
            Happened::ImportFailed { .. } => "import-failed",
            Happened::StreamCreated { .. } => "stream-created",
            Happened::StreamDeleted { .. } => "stream-deleted",
            Happened::TriggerChanged { .. } => "trigger-changed",
            Happened::ImageAnnounced { .. } => "image-announced",
            Happened::DeliveryRefused { .. } => "delivery-refused",
            Happened::SignedIn { .. } => "signed-in",
            Happened::SignInRefused { .. } => "sign-in-refused",
            Happened::AccountCreated { .. } => "account-created",
            Happened::TokenCreated { .. } => "token-created",
        }
    }

    /// Whether the trigger loop has something to decide about it.
    pub const fn wants_decision(&self) -> bool {
        matches!(
            self,
            Happened::RefMoved { .. }
                | Happened::TagMoved { .. }
                | Happened::StreamTagMoved { .. }
                | Happened::TriggerChanged { .. }
                | Happened::ImageAnnounced { .. }
        )
    }
}

/// What a delivery says was pushed, as far as the registry itself bears it out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announced {
    pub host: String,
    /// `namespace/name`, or `name` alone.
    pub repository: String,
    pub namespace: String,
    /// The repository's name without the namespace.
    pub name: String,
    pub tag: String,
    /// Who pushed, as the delivery says; empty when it does not.
    pub owner: String,
    /// What was pushed: what the sender names if the registry has it there, else what the tag names. `None` when the
    /// registry could not be asked, has neither, or has an image without a digest.
    pub digest: Option<super::Digest>,
    /// What the tag named when the registry was asked, if that was another image: the tag may not be there yet, or have
    /// moved on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag_digest: Option<super::Digest>,
    /// When it was pushed: by the sender's clock, else when it told of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed_at: Option<Timestamp>,
    /// Why nothing can start for it, whatever a trigger's filters are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objection: Option<Message>,
}

impl Announced {
    pub fn new(address: &super::TagAddress, owner: &str, digest: Option<super::Digest>) -> Self {
        let (namespace, name) = address.repository.rsplit_once('/').unwrap_or(("", &address.repository));
        Announced {
            host: address.host.clone(),
            repository: address.repository.clone(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            tag: address.tag.clone(),
            owner: owner.to_owned(),
            digest,
            tag_digest: None,
            pushed_at: None,
            objection: None,
        }
    }

    /// `host/repository@sha256:...`
    pub fn pinned(&self) -> Option<String> {
        self.digest.as_ref().map(|digest| self.address().pinned(digest))
    }

    pub fn address(&self) -> super::TagAddress {
        super::TagAddress {
            host: self.host.clone(),
            repository: self.repository.clone(),
            tag: self.tag.clone(),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Event {
    pub id: i64,
    pub at: Timestamp,
    pub repository_id: Option<i64>,
    pub happened: Happened,
    /// The event that led to this one.
    pub cause_id: Option<i64>,
    /// `None` while the trigger loop has not decided; then what came of it, and why nothing if nothing did.
    pub outcome: Option<Vec<Outcome>>,
}

/// What came of an event for one pipeline (or for none).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub pipeline: Option<String>,
    pub run_id: Option<i64>,
    pub run_number: Option<u64>,
    /// Why it did or did not start a run.
    pub message: Message,
}
