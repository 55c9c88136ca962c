//! How the engine is doing, for the health page: one word, and a sentence that names the fix.

use std::io;
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error as Cause;

use super::Engine;
use super::failure::io_kind;
use crate::model::Message;
use crate::msg;

const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineState {
    /// It answers.
    Ready { version: String, api: String, message: Message },
    /// There is no socket at that place, or nothing listens.
    Absent(Message),
    /// The socket is there and this process may not use it.
    Denied(Message),
    /// It takes the connection and does not answer, or answers nonsense.
    Silent(Message),
}

impl EngineState {
    pub fn is_ready(&self) -> bool {
        matches!(self, EngineState::Ready { .. })
    }

    pub fn message(&self) -> &Message {
        match self {
            EngineState::Ready { message, .. } => message,
            EngineState::Absent(message) | EngineState::Denied(message) | EngineState::Silent(message) => {
                message
            }
        }
    }
}

impl Engine {
    /// Whether it answers at all, on the connection that work will use. Takes at most five seconds.
    pub async fn answers(&self) -> bool {
        let ask =
            async { self.client().await?.ping().await.map_err(|e| self.failed("ask for a sign of life", e)) };
        matches!(tokio::time::timeout(PATIENCE, ask).await, Ok(Ok(_)))
    }

    /// Asks the engine for its version; takes at most five seconds and never fails.
    pub async fn state(&self) -> EngineState {
        let host = self.host();
        let ask = async {
            let client = Docker::connect_with_host(host)?.negotiate_version().await?;
            let version = client.version().await?;
            Ok::<_, Cause>((version.version.unwrap_or_default(), client.client_version().to_string()))
        };
        match tokio::time::timeout(PATIENCE, ask).await {
            Ok(Ok((version, api))) => {
                let message = msg!("docker-state-ready", version = version, api = api);
                EngineState::Ready { version, api, message }
            }
            Ok(Err(Cause::SocketNotFoundError(_))) => {
                EngineState::Absent(msg!("docker-state-absent", host = host))
            }
            Ok(Err(cause)) => match io_kind(&cause) {
                Some(io::ErrorKind::PermissionDenied) => {
                    EngineState::Denied(msg!("docker-state-denied", host = host))
                }
                Some(io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
                    EngineState::Absent(msg!("docker-state-absent", host = host))
                }
                _ => EngineState::Silent(msg!("docker-state-silent", host = host)),
            },
            Err(_) => EngineState::Silent(msg!("docker-state-silent", host = host)),
        }
    }
}
