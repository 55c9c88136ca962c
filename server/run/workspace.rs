//! A run's place on the host: a fresh directory per run, at the same absolute path for the engine, the
//! steps and this server, so that relative bind paths in compose files mean what they say.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use tokio::fs::OpenOptions;
use tokio::io::AsyncWriteExt as _;

use crate::model::{Error, Result, Run};
use crate::msg;

/// Where one run works. Nothing of another run is ever below it.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// The checkout: what a step sees as `WORKSPACE`.
    pub root: PathBuf,
    /// Scripts of the steps; beside the checkout so that they never show up in it.
    pub scripts: PathBuf,
}

impl Workspace {
    pub fn of(directory: &Path, run: &Run) -> Workspace {
        let name = run_name(run);
        Workspace { root: directory.join(&name), scripts: directory.join(format!("{name}@scripts")) }
    }

    /// Makes both directories, empty. What an earlier server left under these names is removed first.
    pub async fn create(&self) -> Result<()> {
        for path in [&self.root, &self.scripts] {
            match tokio::fs::remove_dir_all(path).await {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(io_error(format_args!("clear {}", path.display()), e));
                }
                _ => {}
            }
            tokio::fs::create_dir_all(path)
                .await
                .map_err(|e| io_error(format_args!("create {}", path.display()), e))?;
        }
        Ok(())
    }

    /// Writes a step's script and returns its path.
    pub async fn add_script(&self, stage: u32, step: u32, text: &str) -> Result<PathBuf> {
        let path = self.scripts.join(format!("{stage}-{step}.sh"));
        let write = async {
            // Executable, as a script that starts with `#!` is run by itself.
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o755).open(&path).await?;
            file.write_all(text.as_bytes()).await?;
            file.flush().await
        };
        write.await.map_err(|e| io_error(format_args!("write {}", path.display()), e))?;
        Ok(path)
    }

    /// Removes what this process may remove; the paths that are left belong to another user.
    pub async fn remove(&self) -> Vec<PathBuf> {
        let mut left = Vec::new();
        for path in [&self.root, &self.scripts] {
            if tokio::fs::remove_dir_all(path).await.is_err() && path.exists() {
                left.push(path.clone());
            }
        }
        left
    }
}

/// A full disk is something a person can mend, so it gets its own sentence.
fn io_error(doing: impl std::fmt::Display, cause: io::Error) -> Error {
    match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::Conflict(msg!("run-disk-full")),
        _ => Error::internal(doing, cause),
    }
}

/// What the run's steps see as `BUILD_TAG`, and what its images carry as a label.
pub fn build_tag(run: &Run) -> String {
    format!("ropewalk-{}", run_name(run))
}

/// `owner-repository-pipeline-number`: what `BUILD_TAG` says after its prefix, and the workspace's name.
fn run_name(run: &Run) -> String {
    format!("{}-{}-{}-{}", run.repository.owner, run.repository.name, run.pipeline, run.number)
}

/// The variables every step has without anybody setting them, but for `STAGE_NAME`.
pub fn builtin(run: &Run, workspace: &Workspace, addresses: &Addresses) -> BTreeMap<String, String> {
    let number = run.number.to_string();
    let page = format!("{}/{}/pipelines/{}/runs/{}", addresses.url, run.repository, run.pipeline, run.number);
    let mut all = BTreeMap::from([
        ("BUILD_ID", number.clone()),
        ("BUILD_NUMBER", number),
        ("BUILD_TAG", build_tag(run)),
        ("BUILD_URL", page),
        ("CI", "true".into()),
        ("GIT_BRANCH", run.reference.short().to_owned()),
        ("GIT_COMMIT", run.commit.to_string()),
        ("GIT_URL", format!("{}/{}.git", addresses.url, run.repository)),
        ("JOB_NAME", format!("{}/{}", run.repository, run.pipeline)),
        ("NODE_NAME", "ropewalk".into()),
        ("REGISTRY", addresses.registry_host.clone()),
        ("WORKSPACE", workspace.root.to_string_lossy().into_owned()),
    ]);
    if let Some(branch) = run.reference.branch_name() {
        all.insert("BRANCH_NAME", branch.to_owned());
    }
    if let Some(tag) = run.reference.tag_name() {
        all.insert("TAG_NAME", tag.to_owned());
        all.insert("BRANCH_NAME", tag.to_owned());
    }
    all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// How the house is reached from outside.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// Base URL of the dashboard without a trailing slash.
    pub url: String,
    /// `registry.local:5000`.
    pub registry_host: String,
}
