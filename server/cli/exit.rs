//! How a command ends when it does not end well: a code that scripts rely on and a sentence.

use std::process::ExitCode;

use crate::model::{Error, Message};
use crate::msg;

/// Code and sentence. A sentence is a message of our own catalogue, or a text the server sent.
#[derive(Debug)]
pub struct Exit {
    kind: Kind,
    pub said: Said,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Failed,
    Usage,
    NotAllowed,
    NotFound,
    OutOfTime,
    /// Exit 1 like `Failed`, but may pass by itself.
    Unreachable,
}

#[derive(Debug)]
pub enum Said {
    Message(Message),
    /// From a server: already in the reader's language, not to be trusted.
    Text(String),
    /// Everything has been said on standard output.
    Nothing,
}

impl Exit {
    pub fn failed(message: Message) -> Self {
        Exit { kind: Kind::Failed, said: Said::Message(message) }
    }
    /// Exit 1 without another word.
    pub fn silent() -> Self {
        Exit { kind: Kind::Failed, said: Said::Nothing }
    }
    pub fn usage(message: Message) -> Self {
        Exit { kind: Kind::Usage, said: Said::Message(message) }
    }
    pub fn not_allowed(message: Message) -> Self {
        Exit { kind: Kind::NotAllowed, said: Said::Message(message) }
    }
    pub fn not_found(message: Message) -> Self {
        Exit { kind: Kind::NotFound, said: Said::Message(message) }
    }
    pub fn out_of_time(message: Message) -> Self {
        Exit { kind: Kind::OutOfTime, said: Said::Message(message) }
    }

    /// The server did not answer at all.
    pub fn unreachable(message: Message) -> Self {
        Exit { kind: Kind::Unreachable, said: Said::Message(message) }
    }

    pub fn is_unreachable(&self) -> bool {
        self.kind == Kind::Unreachable
    }

    /// From an HTTP answer that is not a success.
    pub fn of_status(status: u16, text: String) -> Self {
        let kind = match status {
            400 | 422 => Kind::Usage,
            401 | 403 => Kind::NotAllowed,
            404 => Kind::NotFound,
            // What a proxy says while the server behind it restarts.
            502..=504 => Kind::Unreachable,
            _ => Kind::Failed,
        };
        Exit { kind, said: Said::Text(text) }
    }

    /// As `of_status`, when everything has been said.
    pub fn told(status: u16) -> Self {
        Exit { said: Said::Nothing, ..Exit::of_status(status, String::new()) }
    }

    pub fn code(&self) -> ExitCode {
        ExitCode::from(self.number())
    }

    pub const fn number(&self) -> u8 {
        match self.kind {
            Kind::Failed | Kind::Unreachable => 1,
            Kind::Usage => 2,
            Kind::NotAllowed => 3,
            Kind::NotFound => 4,
            Kind::OutOfTime => 124,
        }
    }
}

impl From<Error> for Exit {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound(message) => Exit::not_found(message),
            Error::Denied(message) => Exit::not_allowed(message),
            Error::Invalid(message) => Exit::usage(message),
            Error::Conflict(message) | Error::Unavailable(message) => Exit::failed(message),
            // Whoever runs the command is whom the log of a server would be for.
            Error::Internal(cause) => Exit::failed(msg!("cli-internal", cause = cause)),
        }
    }
}
