//! A step's container from its preparation to its exit.
//!
//! `prepare` creates, attaches and starts; the launcher inside then waits. `release` lets it go, `output` hands out
//! what it writes, `wait` says how it ended. Dropping any of them removes the container, off the caller's path.
//!
//! Measured on two cores, Engine 20.10, a network per run (milliseconds): create 6, attach 1, start 200-260,
//! release to first byte 1, last byte to exit known 1 through the end mark (60-95 through the engine, which takes
//! the network down before it answers), removal 70. `docker run --rm` takes 250-270 from start to end.

use std::pin::Pin;

use bollard::Docker;
use bollard::container::LogOutput;
use bollard::errors::Error as Cause;
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, InspectContainerOptions, RemoveContainerOptionsBuilder,
    StartContainerOptions, WaitContainerOptionsBuilder,
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::task::JoinHandle;

use super::ending::{Exit, Killer, SETTLE_WITHIN, exit_code};
use super::launcher::EndMark;
use super::step::StepSpec;
use super::{Engine, EngineError, Place};
use crate::model::{Error, Secret};
use crate::msg;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Everything the script writes, to either of its outputs, in the order it was written.
    Stdout,
    /// What container and shell say when the script could not be started at all.
    Stderr,
}

/// Some bytes as they came; pieces end anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    pub source: Source,
    pub bytes: Bytes,
}

/// Removes its container when dropped.
struct Container {
    engine: Engine,
    client: Docker,
    id: String,
    /// Not given back while the container is there.
    place: Place,
}

impl Drop for Container {
    fn drop(&mut self) {
        let (engine, id, place) = (self.engine.clone(), std::mem::take(&mut self.id), self.place.clone());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = engine.remove_container(&id).await {
                    tracing::warn!(%error, container = id, "a step's container stays until the next clean-up");
                }
                drop(place);
            });
        }
    }
}

type OutputStream = Pin<Box<dyn Stream<Item = Result<LogOutput, Cause>> + Send>>;

/// A started container whose script waits for `release`.
pub struct Prepared {
    container: Container,
    image: String,
    input: Pin<Box<dyn AsyncWrite + Send>>,
    output: OutputStream,
}

/// A step that is running.
pub struct Running {
    container: Container,
    image: String,
    // Kept open: the engine would take the end of its input for the end of the attachment.
    _input: Pin<Box<dyn AsyncWrite + Send>>,
    output: OutputStream,
    ended: bool,
    mark: EndMark,
    /// Asked for before the script starts, so that an engine that goes away in between is noticed.
    exit: JoinHandle<Result<i64, Cause>>,
}

impl Engine {
    /// Creates, attaches and starts the step's container in its run's place, ahead of its turn: its script does not
    /// run yet. `NotFound` when the image is not there.
    pub async fn prepare(&self, place: &Place, spec: &StepSpec) -> Result<Prepared, EngineError> {
        let holder = place.holder(&spec.image).await?;
        match self.prepare_in(place, &holder, spec).await {
            // Somebody stopped or removed the holder (`docker container prune` does after a restart of the engine).
            Err(error) if error.said().contains(&holder) || error.said().contains("cannot join network") => {
                place.replace(&holder).await;
                let holder = place.holder(&spec.image).await?;
                self.prepare_in(place, &holder, spec).await
            }
            done => done,
        }
    }

    async fn prepare_in(
        &self,
        place: &Place,
        holder: &str,
        spec: &StepSpec,
    ) -> Result<Prepared, EngineError> {
        let client = self.client().await?;
        let body = spec.container(&self.0.server, holder);
        let made = client.create_container(None, body).await;
        let id = made.map_err(|e| self.not_created(&spec.image, e))?.id;
        let container = Container { engine: self.clone(), client, id, place: place.clone() };
        let options =
            AttachContainerOptionsBuilder::new().stream(true).stdin(true).stdout(true).stderr(true).build();
        let attached = container.client.attach_container(&container.id, Some(options)).await;
        let attached = attached.map_err(|e| self.failed("attach to a step", e))?;
        let started = container.client.start_container(&container.id, None::<StartContainerOptions>).await;
        started.map_err(|e| self.not_started(&spec.image, e))?;
        Ok(Prepared { container, image: spec.image.clone(), input: attached.input, output: attached.output })
    }

    pub(super) fn not_created(&self, image: &str, cause: Cause) -> EngineError {
        match self.failed("create a step's container", cause) {
            error if error.said().contains("No such image") => {
                Error::NotFound(msg!("docker-image-missing", image = image, reason = error.said())).into()
            }
            error => not_started(image, error),
        }
    }

    pub(super) fn not_started(&self, image: &str, cause: Cause) -> EngineError {
        not_started(image, self.failed("start a step", cause))
    }

    pub(super) async fn remove_container(&self, id: &str) -> Result<(), EngineError> {
        let client = self.client().await?;
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        match client.remove_container(id, Some(options)).await {
            Ok(()) | Err(Cause::DockerResponseServerError { status_code: 404, .. }) => Ok(()),
            // Somebody is removing it already: wait until it is gone.
            Err(Cause::DockerResponseServerError { status_code: 409, .. }) => {
                let options = WaitContainerOptionsBuilder::new().condition("removed").build();
                let mut gone = Box::pin(client.wait_container(id, Some(options)));
                let _ = tokio::time::timeout(SETTLE_WITHIN, gone.next()).await;
                Ok(())
            }
            Err(e) => Err(self.failed("remove a container", e)),
        }
    }
}

fn not_started(image: &str, error: EngineError) -> EngineError {
    match error {
        // An engine whose containers begin without its init says so itself.
        EngineError::Failed(_) if error.said().contains("\"/bin/sh\": stat /bin/sh: no such file") => {
            Error::Invalid(msg!("docker-no-shell", image = image)).into()
        }
        EngineError::Failed(inner) if inner.message().is_some() => {
            let reason = EngineError::Failed(inner);
            Error::Conflict(msg!("docker-start-failed", image = image, reason = reason.said())).into()
        }
        other => other,
    }
}

impl Prepared {
    /// Lets the script run.
    pub async fn release(mut self) -> Result<Running, EngineError> {
        let word = Secret::random(16)?;
        let (client, id) = (self.container.client.clone(), self.container.id.clone());
        let exit = tokio::spawn(async move { exit_code(&client, &id).await });
        let line = format!("{}\n", word.reveal());
        // A container that is gone already says why in `wait`; the line has nowhere to go then.
        if self.input.write_all(line.as_bytes()).await.is_ok() {
            let _ = self.input.flush().await;
        }
        Ok(Running {
            mark: EndMark::new(word.reveal()),
            container: self.container,
            image: self.image,
            _input: self.input,
            output: self.output,
            ended: false,
            exit,
        })
    }
}

impl Running {
    /// The container's id.
    pub fn id(&self) -> &str {
        &self.container.id
    }

    /// A handle that can end the step from elsewhere while its output is read here.
    pub fn killer(&self) -> Killer {
        Killer { engine: self.container.engine.clone(), id: self.container.id.clone() }
    }

    /// The next piece of output, or `None` when all of it has been handed out. Nothing is read ahead: a reader
    /// that stops stops the script's writing. Safe to drop and call again.
    pub async fn output(&mut self) -> Option<Output> {
        while !self.ended && self.mark.code().is_none() {
            let (source, bytes) = match self.output.next().await {
                Some(Ok(LogOutput::StdErr { message })) => (Source::Stderr, message),
                Some(Ok(LogOutput::StdOut { message } | LogOutput::Console { message })) => {
                    (Source::Stdout, message)
                }
                Some(Ok(LogOutput::StdIn { .. })) => continue,
                // Whether it ended or the engine went away is for `wait` to say.
                Some(Err(_)) | None => break,
            };
            let bytes = if source == Source::Stdout { self.mark.push(bytes) } else { bytes };
            if !bytes.is_empty() {
                return Some(Output { source, bytes });
            }
        }
        self.ended = true;
        let bytes = self.mark.rest();
        (!bytes.is_empty()).then_some(Output { source: Source::Stdout, bytes })
    }

    /// How it ended; call after `output` has returned `None` (what was not read is read and dropped).
    /// `Gone` when the engine went away before it could say: the outcome is unknown.
    pub async fn wait(mut self) -> Result<Exit, EngineError> {
        while self.output().await.is_some() {}
        let marked = self.mark.code();
        if marked == Some(0) {
            self.exit.abort();
            return Ok(Exit::new(0, false));
        }
        // A failure can wait for the engine, which alone knows about memory.
        let settled = tokio::time::timeout(SETTLE_WITHIN, &mut self.exit).await;
        let (container, image) = (self.container, self.image);
        let engine = container.engine.clone();
        let code = match (marked, settled) {
            (Some(code), _) => code,
            (None, Ok(Ok(Ok(code)))) => code,
            (None, Ok(Ok(Err(cause)))) => return Err(engine.failed("wait for a step", cause)),
            (None, _) => return Err(EngineError::Gone(msg!("docker-output-lost"))),
        };
        let inspected =
            container.client.inspect_container(&container.id, None::<InspectContainerOptions>).await;
        let state = match (inspected, marked) {
            (Ok(inspected), _) => inspected.state,
            // Somebody has removed it.
            (Err(Cause::DockerResponseServerError { status_code: 404, .. }), Some(_)) => None,
            (Err(Cause::DockerResponseServerError { status_code: 404, .. }), None) => {
                return Err(EngineError::Gone(msg!("docker-output-lost")));
            }
            (Err(e), _) => return Err(engine.failed("inspect a step", e)),
        };
        let out_of_memory = state.and_then(|s| s.oom_killed).unwrap_or(false);
        match (marked, code) {
            (None, 126 | 127) => Err(Error::Invalid(msg!("docker-no-shell", image = image)).into()),
            // The container ended well and its script was not seen to: that is no success.
            (None, 0) => Err(EngineError::Gone(msg!("docker-output-lost"))),
            _ => Ok(Exit::new(code, out_of_memory)),
        }
    }
}
