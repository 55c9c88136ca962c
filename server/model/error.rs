//! The six things that can go wrong for a caller. A failed stage is not an error: it is a result.

use super::Message;

/// All but the last carry a sentence for the user. `Internal` carries the cause for the log; the user
/// sees a fixed sentence and an id under which the log has the cause.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    #[error("not found: {0}")]
    NotFound(Message),
    #[error("conflict: {0}")]
    Conflict(Message),
    #[error("invalid: {0}")]
    Invalid(Message),
    #[error("denied: {0}")]
    Denied(Message),
    /// The house itself lacks something: the disk is full, the database is locked, no file can be opened. It is no fault
    /// of what was asked for and may pass: whoever has work keeps it and tries again.
    #[error("unavailable: {0}")]
    Unavailable(Message),
    #[error("internal: {0}")]
    Internal(String),
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// `Internal` with what was being done and the cause.
    pub fn internal(doing: impl std::fmt::Display, cause: impl std::fmt::Display) -> Self {
        Error::Internal(format!("{doing}: {cause}"))
    }

    /// The sentence to show, or `None` for `Internal`.
    pub fn message(&self) -> Option<&Message> {
        match self {
            Error::NotFound(m)
            | Error::Conflict(m)
            | Error::Invalid(m)
            | Error::Denied(m)
            | Error::Unavailable(m) => Some(m),
            Error::Internal(_) => None,
        }
    }
}
