//! What a step's container is made of. Pure: turns a `StepSpec` into what the engine is asked for.
//!
//! Everything is passed as data, never as shell text: directory, script and environment reach the launcher as
//! arguments and variables.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use bollard::models::{
    ContainerCreateBody, HostConfig, HostConfigLogConfig, Mount as EngineMount, MountType,
};

use super::launcher::LAUNCHER;
use crate::model::{PipelineName, RepositoryPath};

pub(super) const LABEL_SERVER: &str = "ropewalk.server";
pub(super) const LABEL_RUN: &str = "ropewalk.run";

/// How many processes a step may have unless it says otherwise: enough for any build, not for a fork bomb.
const PROCESSES: i64 = 4096;

/// Which run something belongs to.
#[derive(Clone, Debug)]
pub struct RunLabels {
    /// The run's id in the store.
    pub run: i64,
    pub repository: RepositoryPath,
    pub pipeline: PipelineName,
    /// Its number within the pipeline.
    pub number: u64,
}

/// One step, ready to be started.
#[derive(Clone, Debug)]
pub struct StepSpec {
    pub labels: RunLabels,
    pub stage: u32,
    pub step: u32,
    /// As it was written, for messages. The image must be there (`Engine::ensure_image`) and needs `/bin/sh`.
    pub image: String,
    /// What the engine is asked for in its place: the reference may move meanwhile.
    pub image_id: Option<String>,
    /// The script's file, at this path inside the container; it must lie in one of the mounts.
    pub script: PathBuf,
    pub shell: Shell,
    /// Absolute path inside the container.
    pub directory: PathBuf,
    /// Make the directory when it is missing, as Jenkins' `dir` does; otherwise the step fails.
    pub create_directory: bool,
    /// A folder of programs, inside the container, for what its image lacks.
    pub tools: Option<PathBuf>,
    pub environment: Vec<(String, String)>,
    pub mounts: Vec<Mount>,
    /// The engine's socket on the host, to be bound to `/var/run/docker.sock` in the step.
    pub docker_socket: Option<PathBuf>,
    pub limits: Limits,
    /// `uid[:gid]`; `None` is the image's own choice.
    pub user: Option<String>,
}

/// How a script is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// `/bin/sh -xe FILE`, as Jenkins does: each command is shown, the first failing one ends the script.
    Traced,
    /// The file itself, which starts with `#!` and must be executable.
    Direct,
}

impl Shell {
    pub fn of(script: &str) -> Self {
        if script.starts_with("#!") { Shell::Direct } else { Shell::Traced }
    }
}

/// A folder of the host inside a step. It must exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    pub source: PathBuf,
    pub target: PathBuf,
    pub read_only: bool,
}

impl Mount {
    /// At the same absolute path as on the host, so that bind mounts a step asks the host's engine for work.
    pub fn same(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Mount { source: path.clone(), target: path, read_only: false }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Limits {
    /// Bytes, swap included; `None` is no limit.
    pub memory: Option<u64>,
    /// Processors, e.g. 1.5; `None` is no limit.
    pub cpus: Option<f64>,
    /// Processes; `None` is 4096.
    pub processes: Option<u32>,
}

impl StepSpec {
    /// `holder` is the container whose network the step joins; its host name and hosts file come with it.
    pub(super) fn container(&self, server: &str, holder: &str) -> ContainerCreateBody {
        let mut environment: Vec<String> = self.environment.iter().map(|(k, v)| format!("{k}={v}")).collect();
        // Init passes SIGTERM on to the script, not only to the launcher; the launcher takes it out again.
        environment.push("TINI_KILL_PROCESS_GROUP=1".to_owned());
        if !self.environment.iter().any(|(name, _)| name == "HOSTNAME") {
            environment.push(format!("HOSTNAME={}", self.host_name()));
        }
        ContainerCreateBody {
            image: Some(self.image_id.as_ref().unwrap_or(&self.image).clone()),
            entrypoint: Some(self.command()),
            cmd: Some(Vec::new()),
            env: Some(environment),
            // Not the step's directory: the engine would make it when a step before this one has yet to.
            working_dir: Some("/".to_owned()),
            user: self.user.clone(),
            labels: Some(self.labels(server)),
            open_stdin: Some(true),
            stdin_once: Some(true),
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            tty: Some(false),
            host_config: Some(self.host_config(holder)),
            ..Default::default()
        }
    }

    fn command(&self) -> Vec<String> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let mut command =
            vec!["/bin/sh".into(), "-c".into(), LAUNCHER.into(), "sh".into(), text(&self.directory)];
        command.push(if self.create_directory { "1" } else { "0" }.into());
        command.push(self.tools.as_deref().map(text).unwrap_or_default());
        if self.shell == Shell::Traced {
            command.extend(["/bin/sh".into(), "-xe".into()]);
        }
        command.push(text(&self.script));
        command
    }

    fn labels(&self, server: &str) -> HashMap<String, String> {
        let pairs = [
            (LABEL_SERVER, server.to_owned()),
            (LABEL_RUN, self.labels.run.to_string()),
            ("ropewalk.repository", self.labels.repository.to_string()),
            ("ropewalk.pipeline", self.labels.pipeline.to_string()),
            ("ropewalk.number", self.labels.number.to_string()),
            ("ropewalk.stage", self.stage.to_string()),
            ("ropewalk.step", self.step.to_string()),
        ];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// A valid host name that says where one is, e.g. `default-12`.
    fn host_name(&self) -> String {
        let lower = self.labels.pipeline.as_str().to_ascii_lowercase();
        let mut name: String =
            lower.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(40).collect();
        name.push_str(&format!("-{}", self.labels.number));
        name
    }

    fn host_config(&self, holder: &str) -> HostConfig {
        let bytes = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let mut mounts: Vec<EngineMount> = self.mounts.iter().map(mount).collect();
        if let Some(socket) = &self.docker_socket {
            let target = PathBuf::from("/var/run/docker.sock");
            mounts.push(mount(&Mount { source: socket.clone(), target, read_only: false }));
        }
        HostConfig {
            mounts: Some(mounts),
            network_mode: Some(format!("container:{holder}")),
            // Reaps what a script leaves behind and passes signals on.
            init: Some(true),
            // Nobody reads the engine's copy of the output; writing it would be the slowest part of a step.
            log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
            auto_remove: Some(false),
            memory: self.limits.memory.map(bytes),
            memory_swap: self.limits.memory.map(bytes),
            // Whole nano-processors; the conversion saturates.
            nano_cpus: self.limits.cpus.map(|cpus| (cpus * 1e9) as i64),
            pids_limit: Some(self.limits.processes.map_or(PROCESSES, i64::from)),
            ..Default::default()
        }
    }
}

pub(super) fn mount(mount: &Mount) -> EngineMount {
    EngineMount {
        source: Some(mount.source.to_string_lossy().into_owned()),
        target: Some(mount.target.to_string_lossy().into_owned()),
        typ: Some(MountType::BIND),
        read_only: Some(mount.read_only),
        ..Default::default()
    }
}
