//! What the door says of a push and what it hears of one.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::program::Protocol;
use crate::model::{CommitId, Message, OwnerName, RefName, Result};

/// Puts a message into the pusher's language, for lines of the git protocol.
pub type Say = Arc<dyn Fn(&Message) -> String + Send + Sync>;

/// Makes the push's events durable and returns lines that the pusher sees after `remote:`. Called
/// once, under the repository's update lock, when at least one ref moved. On an error the refs are
/// put back and the pusher sees the error's sentence for each of them.
pub type Settle = Box<dyn FnOnce(Push) -> BoxFuture<'static, Result<Vec<String>>> + Send>;

/// What the door knows of a push.
pub struct Receive {
    pub protocol: Option<Protocol>,
    /// Named in the reflog.
    pub pusher: OwnerName,
    /// The largest pack, in bytes.
    pub max_bytes: Option<u64>,
    pub say: Say,
    pub settle: Settle,
}

/// A push that git has carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// One for each ref the client named, in its order.
    pub updates: Vec<RefUpdate>,
    /// `git push -o`, without control characters.
    pub options: Vec<String>,
}

/// One ref of a push. `None` is "does not exist"; `ok` says whether it moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefUpdate {
    pub name: RefName,
    pub old: Option<CommitId>,
    pub new: Option<CommitId>,
    pub ok: bool,
}
