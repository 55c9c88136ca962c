//! What can go wrong with an engine, in the two kinds a run must tell apart.
//!
//! A refusal is an answer: the step fails with the engine's words. An engine that is gone is no answer: what it
//! was doing is unknown, so the run is lost, never passed and never failed.

use std::error::Error as _;
use std::io;

use bollard::errors::Error as Cause;

use crate::model::{Error, Message};
use crate::msg;

const LONGEST_REASON: usize = 500;

#[derive(Clone, Debug, thiserror::Error)]
pub enum EngineError {
    /// No connection, or it broke: the outcome of what was under way is unknown.
    #[error("the engine is gone: {0}")]
    Gone(Message),
    #[error(transparent)]
    Failed(#[from] Error),
}

/// For callers that only pass it on.
impl From<EngineError> for Error {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Gone(message) => Error::Conflict(message),
            EngineError::Failed(error) => error,
        }
    }
}

impl EngineError {
    pub(super) fn sort(host: &str, doing: &'static str, cause: Cause) -> Self {
        match &cause {
            Cause::DockerResponseServerError { status_code, message } => {
                EngineError::answered(*status_code, doing, message)
            }
            Cause::DockerStreamError { error } => EngineError::answered(500, doing, error),
            Cause::RequestTimeoutError
            | Cause::IOError { .. }
            | Cause::HyperLegacyError { .. }
            | Cause::HyperResponseError { .. }
            | Cause::SocketNotFoundError(_) => {
                EngineError::Gone(msg!("docker-gone", host = host, reason = reason(&innermost(&cause))))
            }
            Cause::UnsupportedURISchemeError { .. } => {
                EngineError::Failed(Error::Invalid(msg!("docker-host-invalid", host = host)))
            }
            _ => EngineError::Failed(Error::internal(format!("docker: {doing}"), cause)),
        }
    }

    fn answered(status: u16, doing: &'static str, message: &str) -> Self {
        let said = msg!("docker-refused", reason = reason(message));
        match status {
            503 => EngineError::Gone(said),
            404 => EngineError::Failed(Error::NotFound(said)),
            400 => EngineError::Failed(Error::Invalid(said)),
            401 | 403 => EngineError::Failed(Error::Denied(said)),
            _ => {
                // Without its words, which may quote an environment; who asked has them, and hides what is secret.
                tracing::debug!(doing, status, "the engine refused");
                EngineError::Failed(Error::Conflict(said))
            }
        }
    }

    /// With the name that people know an image by in the place of the one that was asked for.
    pub fn about(self, image: &str) -> Self {
        let name = |mut message: Message| {
            if let Some(known) = message.args.get_mut("image") {
                *known = image.to_owned();
            }
            message
        };
        match self {
            EngineError::Gone(message) => EngineError::Gone(message),
            EngineError::Failed(error) => EngineError::Failed(match error {
                Error::NotFound(message) => Error::NotFound(name(message)),
                Error::Conflict(message) => Error::Conflict(name(message)),
                Error::Invalid(message) => Error::Invalid(name(message)),
                Error::Denied(message) => Error::Denied(name(message)),
                Error::Internal(text) => Error::Internal(text),
            }),
        }
    }

    /// Whether no subnet is left for another network. The engine has no code for it, and its sentence has changed
    /// (20.10: "could not find an available, non-overlapping IPv4 address pool"; 28: "all predefined address pools
    /// have been fully subnetted").
    pub(super) fn is_out_of_addresses(&self) -> bool {
        self.said().contains("address pool")
    }

    /// What the engine said, when it said something.
    pub(super) fn said(&self) -> &str {
        let message = match self {
            EngineError::Gone(message) => Some(message),
            EngineError::Failed(error) => error.message(),
        };
        message.and_then(|m| m.args.get("reason")).map_or("", String::as_str)
    }
}

/// The engine's sentence in one line, without the wrapping its layers put around it.
pub(super) fn reason(text: &str) -> String {
    let mut text = text.trim();
    for lead in ["Error response from daemon: ", "failed to create shim: ", "OCI runtime create failed: "] {
        text = text.strip_prefix(lead).unwrap_or(text);
    }
    let one_line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match one_line.char_indices().nth(LONGEST_REASON) {
        Some((end, _)) => format!("{}…", &one_line[..end]),
        None => one_line,
    }
}

/// The operating system's error below a client error, when there is one.
pub(super) fn io_kind(cause: &Cause) -> Option<io::ErrorKind> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(cause);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return Some(io.kind());
        }
        next = error.source();
    }
    None
}

fn innermost(cause: &Cause) -> String {
    let mut text = cause.to_string();
    let mut next = cause.source();
    while let Some(error) = next {
        text = error.to_string();
        next = error.source();
    }
    text
}
