//! One builder for every git child, so that no call can forget a rule: the environment is emptied
//! first, settings come by `GIT_CONFIG_COUNT`, options are literals of this source, and everything
//! that came from outside stands after `--end-of-options`. It never runs a shell and never reads a
//! configuration of the machine or of a home directory.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;

use tokio::process::{Child, ChildStderr, Command};

use crate::model::{Error, Result};
use crate::msg;

/// The oldest git whose behaviour this room relies on.
const OLDEST: (u32, u32) = (2, 39);

/// What every child runs with. Durability: stock git acknowledges a small push without one fsync.
const SETTINGS: &[(&str, &str)] = &[
    ("core.fsync", "objects,derived-metadata,reference"),
    ("core.fsyncMethod", "fsync"),
    ("core.hooksPath", "/dev/null"),
    ("core.useReplaceRefs", "false"),
    ("core.logAllRefUpdates", "always"),
    ("safe.bareRepository", "explicit"),
    ("transfer.fsckObjects", "true"),
    ("transfer.hideRefs", "refs/ropewalk"),
    ("transfer.bundleURI", "false"),
    // Trees of very old tools; harmless, and their history cannot be rewritten.
    ("receive.fsck.zeroPaddedFilemode", "warn"),
    ("fetch.fsck.zeroPaddedFilemode", "warn"),
    ("fetch.fsck.badTimezone", "warn"),
    ("receive.denyDeleteCurrent", "refuse"),
    ("receive.advertisePushOptions", "true"),
    ("receive.keepAlive", "5"),
    ("receive.autogc", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("uploadpack.allowFilter", "true"),
    ("uploadpack.allowAnySHA1InWant", "false"),
    ("uploadpackfilter.tree.maxDepth", "16"),
    ("protocol.allow", "never"),
    ("pack.windowMemory", "100m"),
    ("pack.threads", "2"),
];

/// A `Git-Protocol` header that is safe to hand on: exactly `version=0`, `version=1` or `version=2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    V0,
    V1,
    V2,
}

impl Protocol {
    /// Anything else than the three is as if there were no header.
    pub fn from_header(value: Option<&str>) -> Option<Self> {
        match value? {
            "version=0" => Some(Protocol::V0),
            "version=1" => Some(Protocol::V1),
            "version=2" => Some(Protocol::V2),
            _ => None,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Protocol::V0 => "version=0",
            Protocol::V1 => "version=1",
            Protocol::V2 => "version=2",
        }
    }
}

/// One call of the git program on one repository.
pub(super) struct Invocation {
    subcommand: &'static str,
    options: Vec<&'static str>,
    data: Vec<OsString>,
    settings: Vec<(&'static str, OsString)>,
    environment: Vec<(&'static str, OsString)>,
    directory: OsString,
}

impl Invocation {
    pub fn new(subcommand: &'static str, repository: &Path) -> Self {
        let directory = repository.as_os_str().to_owned();
        Invocation {
            subcommand,
            options: Vec::new(),
            data: Vec::new(),
            settings: vec![("safe.directory", directory.clone())],
            environment: Vec::new(),
            directory,
        }
    }

    /// A literal of this source; nothing from outside can become an option.
    pub fn option(mut self, option: &'static str) -> Self {
        self.options.push(option);
        self
    }

    /// An argument from outside; all of them follow `--end-of-options`.
    pub fn data(mut self, data: impl Into<OsString>) -> Self {
        self.data.push(data.into());
        self
    }

    pub fn setting(mut self, key: &'static str, value: impl Into<OsString>) -> Self {
        self.settings.push((key, value.into()));
        self
    }

    pub fn protocol(mut self, protocol: Option<Protocol>) -> Self {
        if let Some(protocol) = protocol {
            self.environment.push(("GIT_PROTOCOL", protocol.as_str().into()));
        }
        self
    }

    /// Whom the reflog names for ref updates of this call.
    pub fn committer(mut self, name: &str) -> Self {
        self.environment.push(("GIT_COMMITTER_NAME", name.into()));
        self
    }

    fn arguments(&self) -> Vec<OsString> {
        let mut all: Vec<OsString> = vec![self.subcommand.into()];
        all.extend(self.options.iter().map(OsString::from));
        if !self.data.is_empty() {
            all.push("--end-of-options".into());
            all.extend(self.data.iter().cloned());
        }
        all
    }

    /// Ready to spawn; stdin is empty, stdout and stderr are piped.
    pub fn command(&self) -> Command {
        let mut command = bare();
        command.args(self.arguments()).current_dir(&self.directory).env("GIT_DIR", &self.directory);
        let fixed = SETTINGS.iter().map(|(key, value)| (*key, OsString::from(value)));
        let mut count = 0;
        for (key, value) in fixed.chain(self.settings.iter().cloned()) {
            command
                .env(format!("GIT_CONFIG_KEY_{count}"), key)
                .env(format!("GIT_CONFIG_VALUE_{count}"), value);
            count += 1;
        }
        command.env("GIT_CONFIG_COUNT", count.to_string());
        command.envs(self.environment.iter().map(|(key, value)| (key, value)));
        command
    }

    pub fn spawn(&self) -> Result<Child> {
        self.command().spawn().map_err(missing_or("start git"))
    }

    /// Like `spawn`, with stdin piped.
    pub fn spawn_fed(&self) -> Result<Child> {
        self.command().stdin(Stdio::piped()).spawn().map_err(missing_or("start git"))
    }
}

/// git with an emptied environment and no terminal, in a process group of its own so that a Ctrl-C
/// for the server does not tear a push that is being written.
fn bare() -> Command {
    let mut command = Command::new("git");
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into()))
        .env("HOME", "/nonexistent")
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_ATTR_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        // A pack of kilobytes may ask for gigabytes. Clients make no deltas of files above half a gigabyte.
        .env("GIT_ALLOC_LIMIT", "768m")
        .env("GIT_COMMITTER_NAME", "ropewalk")
        .env("GIT_COMMITTER_EMAIL", "ropewalk@localhost")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    command
}

fn missing_or(doing: &'static str) -> impl Fn(std::io::Error) -> Error {
    move |cause| match cause.kind() {
        std::io::ErrorKind::NotFound => Error::Conflict(msg!("git-program-missing")),
        _ => Error::internal(doing, cause),
    }
}

/// The version of the git program, for instance `2.47.3`; `Conflict` when it is missing or too old.
pub(super) async fn check_program() -> Result<String> {
    let output = bare().arg("--version").output().await.map_err(missing_or("ask git for its version"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.split_whitespace().nth(2).unwrap_or_default().to_owned();
    if parse_version(&version).is_some_and(|found| found >= OLDEST) {
        return Ok(version);
    }
    let needed = format!("{}.{}", OLDEST.0, OLDEST.1);
    Err(Error::Conflict(msg!("git-program-old", found = version.escape_debug(), needed = needed)))
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Reads a child's stderr to its end and keeps the first 16 KiB, for the log and for error texts.
pub(super) fn collect_errors(stderr: Option<ChildStderr>) -> tokio::task::JoinHandle<String> {
    use tokio::io::AsyncReadExt as _;
    tokio::spawn(async move {
        let Some(mut stderr) = stderr else { return String::new() };
        let (mut kept, mut buffer) = (Vec::new(), [0u8; 4096]);
        while let Ok(read @ 1..) = stderr.read(&mut buffer).await {
            if kept.len() < 16 * 1024 {
                kept.extend_from_slice(&buffer[..read]);
            }
        }
        String::from_utf8_lossy(&kept).into_owned()
    })
}

/// Waits for a child whose pipes are closed, which ends git in an orderly way (it removes its own
/// temporary files); kills it after ten seconds. Nothing is left as a zombie.
pub(super) async fn reap(child: &mut Child) -> Option<std::process::ExitStatus> {
    drop(child.stdin.take());
    match tokio::time::timeout(std::time::Duration::from_secs(10), child.wait()).await {
        Ok(status) => status.ok(),
        Err(_) => {
            let _ = child.start_kill();
            child.wait().await.ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn data_stands_after_end_of_options_and_options_before() {
        let call =
            Invocation::new("fetch", Path::new("/r")).data("--upload-pack=x").option("--prune").data("-h");
        let all: Vec<_> = call.arguments().iter().map(|a| a.to_string_lossy().into_owned()).collect();
        assert_eq!(all, ["fetch", "--prune", "--end-of-options", "--upload-pack=x", "-h"]);
    }

    #[test]
    fn environment_is_only_ours() {
        let call = Invocation::new("fsck", Path::new("/r")).protocol(Some(Protocol::V2));
        let command = call.command();
        let names: Vec<_> =
            command.as_std().get_envs().map(|(key, _)| key.to_string_lossy().into_owned()).collect();
        assert!(
            names
                .iter()
                .all(|n| n.starts_with("GIT_") || ["PATH", "HOME", "LC_ALL", "TZ"].contains(&n.as_str()))
        );
        assert!(!names.iter().any(|n| n.starts_with("GIT_SSH") || n == "GIT_OBJECT_DIRECTORY"));
    }

    #[test]
    fn versions() {
        assert_eq!(parse_version("2.47.3"), Some((2, 47)));
        assert_eq!(parse_version("2.39"), Some((2, 39)));
        assert_eq!(parse_version("2"), None);
        assert!(parse_version("2.9.1").is_some_and(|v| v < OLDEST));
    }

    #[tokio::test]
    async fn the_program_here_is_new_enough() {
        assert!(check_program().await.unwrap().starts_with('2'));
    }

    proptest! {
        #[test]
        fn only_three_protocol_headers_pass(text in "\\PC{0,20}") {
            let passed = Protocol::from_header(Some(&text)).is_some();
            prop_assert_eq!(passed, ["version=0", "version=1", "version=2"].contains(&text.as_str()));
        }
    }
}
