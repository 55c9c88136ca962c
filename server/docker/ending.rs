//! How steps end: by themselves, or because somebody ended them.

use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error as Cause;
use bollard::query_parameters::{KillContainerOptionsBuilder, WaitContainerOptionsBuilder};
use futures_util::StreamExt as _;

use super::{Engine, EngineError};
use crate::model::Message;
use crate::msg;

/// How long the engine may take to settle a container whose script has ended.
pub(super) const SETTLE_WITHIN: Duration = Duration::from_secs(10);

/// How a step ended by itself or was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// 0 only when the script itself was seen to end with 0.
    pub code: i64,
    /// Set for 129 and above, as shells report a signal.
    pub signal: Option<i64>,
    /// Something in the container was killed for reaching the memory limit.
    pub out_of_memory: bool,
}

impl Exit {
    pub(super) fn new(code: i64, out_of_memory: bool) -> Self {
        Exit { code, signal: (129..=192).contains(&code).then(|| code - 128), out_of_memory }
    }

    /// Of a step that was told to stop and whose engine did not say how it did.
    pub fn killed() -> Self {
        Exit::new(137, false)
    }

    pub fn passed(self) -> bool {
        self.code == 0
    }

    /// Why it failed, in a sentence; `limit` is the step's memory limit in bytes.
    pub fn message(self, limit: Option<u64>) -> Option<Message> {
        match (self.code, self.signal, limit) {
            (0, _, _) => None,
            (code, _, Some(limit)) if self.out_of_memory => {
                Some(msg!("docker-exit-memory", code = code, megabytes = limit.div_ceil(1 << 20)))
            }
            (code, Some(signal), _) => Some(msg!("docker-exit-signal", code = code, signal = signal)),
            (code, None, _) => Some(msg!("docker-exit-code", code = code)),
        }
    }
}

/// Waits for the container's end as the engine sees it.
pub(super) async fn exit_code(client: &Docker, id: &str) -> Result<i64, Cause> {
    let options = WaitContainerOptionsBuilder::new().condition("not-running").build();
    let mut stream = Box::pin(client.wait_container(id, Some(options)));
    match stream.next().await {
        Some(Ok(response)) => Ok(response.status_code),
        Some(Err(Cause::DockerContainerWaitError { code, .. })) => Ok(code),
        Some(Err(cause)) => Err(cause),
        None => Err(Cause::IOError { err: std::io::ErrorKind::UnexpectedEof.into() }),
    }
}

/// Ends a step.
#[derive(Clone)]
pub struct Killer {
    pub(super) engine: Engine,
    pub(super) id: String,
}

impl Killer {
    /// SIGTERM to the script and its group; after `grace` SIGKILL to all that is left. Returns when the container has
    /// ended, was gone already, or the engine is.
    pub async fn kill(&self, grace: Duration) -> Result<(), EngineError> {
        let client = self.engine.client().await?;
        self.signal(&client, "SIGTERM").await?;
        if tokio::time::timeout(grace, exit_code(&client, &self.id)).await.is_err() {
            self.signal(&client, "SIGKILL").await?;
            let _ = tokio::time::timeout(SETTLE_WITHIN, exit_code(&client, &self.id)).await;
        }
        Ok(())
    }

    async fn signal(&self, client: &Docker, signal: &str) -> Result<(), EngineError> {
        let options = KillContainerOptionsBuilder::new().signal(signal).build();
        match client.kill_container(&self.id, Some(options)).await {
            // 404 and 409: it is gone or has ended.
            Ok(()) | Err(Cause::DockerResponseServerError { status_code: 404 | 409, .. }) => Ok(()),
            Err(e) => Err(self.engine.failed("end a step", e)),
        }
    }
}
