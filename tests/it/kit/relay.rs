//! The engine's socket behind another one that can be cut: an engine that goes away without going away.

use std::path::PathBuf;

use tokio::net::{UnixListener, UnixStream};
use tokio::task::{JoinHandle, JoinSet};

pub struct Relay {
    path: PathBuf,
    _directory: tempfile::TempDir,
    running: Option<JoinHandle<()>>,
}

impl Relay {
    /// Cut until `join`.
    pub fn new() -> Relay {
        let directory = tempfile::tempdir().unwrap();
        Relay { path: directory.path().join("docker.sock"), _directory: directory, running: None }
    }

    pub fn host(&self) -> String {
        format!("unix://{}", self.path.display())
    }

    pub fn join(&mut self) {
        let listener = UnixListener::bind(&self.path).unwrap();
        self.running = Some(tokio::spawn(async move {
            // Dropped with this task, and with it every connection.
            let mut connections = JoinSet::new();
            while let Ok((mut from, _)) = listener.accept().await {
                connections.spawn(async move {
                    let mut to = UnixStream::connect("/var/run/docker.sock").await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
                });
            }
        }));
    }

    pub async fn cut(&mut self) {
        let running = self.running.take().unwrap();
        running.abort();
        let _ = running.await;
        std::fs::remove_file(&self.path).unwrap();
    }
}
