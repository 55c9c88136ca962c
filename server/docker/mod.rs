//! Step containers, networks and clean-up by label, through bollard; the only room that knows the engine.
//!
//! The server runs without an engine: nothing here is opened before it is needed, and `state` says what is
//! wrong and how to mend it. Whatever this room creates carries `ropewalk.server` with the name of this
//! installation. Only what carries it is ever removed, so that two servers can share an engine; beside it what a run's
//! steps made with the run's own files (`projects`), and when addresses run out, networks of another server that no
//! step uses.
//! Output bytes are handed to the caller piece by piece; this room stores none and masks none.

mod clean_up;
mod ending;
mod failure;
mod follow;
mod gate;
mod image;
mod launcher;
mod network;
mod observe;
mod owner;
mod place;
mod projects;
mod running;
mod state;
mod step;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bollard::Docker;

use crate::model::{Error, Result};
use crate::msg;

pub use clean_up::Removed;
pub use ending::{Exit, Killer};
pub use failure::EngineError;
pub use follow::Happening;
pub use image::LocalImage;
pub use owner::Starts;
pub use place::Place;
pub use projects::Projects;
pub use running::{Output, Prepared, Running, Source};
pub use state::EngineState;
pub use step::{Limits, Mount, RunLabels, Shell, StepSpec};

/// How long the engine may take to begin an answer before it counts as gone. Starting a container on a
/// busy host takes seconds at most; streams are not limited.
const ANSWER_WITHIN: Duration = Duration::from_secs(120);

/// A Docker Engine, connected to when needed and again after it was gone. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    host: String,
    owner: owner::Owner,
    client: Mutex<Option<Docker>>,
    places: Mutex<place::Places>,
    gate: tokio::sync::Mutex<Option<gate::Gate>>,
}

impl Engine {
    /// `host` is `unix:///path`, or `tcp://host:port` where the build has it; nothing is opened yet. `server` names
    /// this installation for good (1-40 of `A-Za-z0-9_-`): it scopes every label, so keep it with the data.
    pub fn connect(host: &str, server: &str) -> Result<Self> {
        Self::connect_as(host, server, Starts::default())
    }

    /// The same for one start of the installation among several.
    pub fn connect_as(host: &str, server: &str, starts: Starts) -> Result<Self> {
        let scheme_ok = ["unix://", "tcp://", "http://", "npipe://"].iter().any(|s| host.starts_with(s));
        if !scheme_ok {
            return Err(Error::Invalid(msg!("docker-host-invalid", host = host)));
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if server.is_empty() || server.len() > 40 || !server.bytes().all(plain) {
            return Err(Error::internal("name this installation", server));
        }
        Ok(Engine(Arc::new(Inner {
            host: host.to_owned(),
            owner: owner::Owner { server: server.to_owned(), starts },
            client: Mutex::default(),
            places: Mutex::default(),
            gate: tokio::sync::Mutex::default(),
        })))
    }

    /// The address it was made with.
    pub fn host(&self) -> &str {
        &self.0.host
    }

    /// A client that speaks the engine's version of the API.
    async fn client(&self) -> Result<Docker, EngineError> {
        let known = self.0.client.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(client) = known {
            return Ok(client);
        }
        let client = Docker::connect_with_host(&self.0.host)
            .map_err(|e| self.failed("connect", e))?
            .with_timeout(ANSWER_WITHIN)
            .negotiate_version()
            .await
            .map_err(|e| self.failed("connect", e))?;
        *self.0.client.lock().unwrap_or_else(PoisonError::into_inner) = Some(client.clone());
        Ok(client)
    }

    /// Sorts an error, and forgets the client when the engine is gone: its successor may be another version.
    fn failed(&self, doing: &'static str, cause: bollard::errors::Error) -> EngineError {
        let error = EngineError::sort(&self.0.host, doing, cause);
        if matches!(error, EngineError::Gone(_)) {
            *self.0.client.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        error
    }
}

#[cfg(test)]
mod tests;
