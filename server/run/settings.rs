//! What the loop of runs is told once, at its start: where runs work, what they may use and how the house is reached.

use std::path::PathBuf;
use std::time::Duration;

use super::builtin::Addresses;

/// What the loop needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Absolute; the same path for the engine's host and for this process.
    pub workspaces: PathBuf,
    /// For steps that name no image.
    pub step_image: String,
    /// The engine's socket as the steps get it; `None` gives them none.
    pub step_socket: Option<PathBuf>,
    /// `name:address` lines for the steps' hosts file.
    pub step_hosts: Vec<String>,
    pub limits: Limits,
    pub addresses: Addresses,
    /// How many runs are carried out at a time.
    pub jobs: usize,
    /// For runs whose definition sets none.
    pub run_timeout: Duration,
}

/// What one step may use.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Bytes.
    pub memory: Option<u64>,
    /// Whole and part processors.
    pub cpus: Option<f64>,
    /// Processes and threads.
    pub processes: Option<u32>,
}
