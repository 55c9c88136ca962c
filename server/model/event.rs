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
            Happened::SignedIn { .. } => "signed-in",
            Happened::SignInRefused { .. } => "sign-in-refused",
            Happened::AccountCreated { .. } => "account-created",
            Happened::TokenCreated { .. } => "token-created",
        }
    }

    /// Whether the trigger loop has something to decide about it.
    pub const fn wants_decision(&self) -> bool {
        matches!(self, Happened::RefMoved { .. })
    }
}

#[derive(Clone, Debug)]
pub struct Event {
    pub id: i64,
    pub at: Timestamp,
    pub repository_id: Option<i64>,
    pub happened: Happened,
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
