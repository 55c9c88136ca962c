//! A run's place on the host: fresh folders, at the same absolute path for the engine, the steps and this
//! server, so that relative bind paths in compose files mean what they say. They are named after the pipeline, so that
//! what tools derive from the folder's name (a Compose project, a cache's key) is the same from run to run.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};
use tokio::fs::OpenOptions;
use tokio::io::AsyncWriteExt as _;

use jiff::Timestamp;

use crate::docker::{Mount, Projects};
use crate::model::{Error, RepositoryPath, Result, Run};
use crate::msg;

/// Letters and digits of a name before its checksum.
const LONGEST_NAME: usize = 60;
/// What an image without `sudo` finds under that name.
const SUDO: &str = include_str!("sudo.sh");
/// In the names of folders whose run is over.
const GONE: &str = "@gone-";
/// What git in a step reads first: the workspace belongs to the server's user, steps run as another.
const GIT_CONFIG: &str = "[safe]\n\tdirectory = *\n";

/// Where one run works. Nothing of another run is ever below it.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// Of the folder, and of the run's Compose project.
    pub name: String,
    /// The checkout: what a step sees as `WORKSPACE`.
    pub root: PathBuf,
    /// Scripts of the steps; beside the checkout so that they never show up in it.
    pub scripts: PathBuf,
    /// `HOME` of all steps of the run.
    pub home: PathBuf,
    /// `/tmp` of all steps of the run.
    pub temporary: PathBuf,
    /// Is there when the pipeline wants what it starts to stay.
    pub keep: PathBuf,
}

impl Workspace {
    pub fn of(directory: &Path, name: &str) -> Workspace {
        let beside = |suffix: &str| directory.join(format!("{name}@{suffix}"));
        Workspace {
            name: name.to_owned(),
            root: directory.join(name),
            scripts: beside("scripts"),
            home: beside("home"),
            temporary: beside("tmp"),
            keep: beside("keep"),
        }
    }

    /// Programs for steps whose image lacks them.
    pub fn tools(&self) -> PathBuf {
        self.scripts.join("bin")
    }

    pub fn folders(&self) -> [&PathBuf; 4] {
        [&self.root, &self.scripts, &self.home, &self.temporary]
    }

    /// The workspace that a folder of the workspaces' directory is of; `None` when it is only still to be removed.
    pub fn name_of(path: &Path) -> Option<String> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        (!name.contains(GONE)).then(|| name.split('@').next().unwrap_or_default().to_owned())
    }

    /// What tells the run's Compose projects from others.
    pub fn projects(&self, seen: BTreeSet<String>, since: Option<Timestamp>) -> Projects {
        let folders = self.folders().into_iter().filter(|path| **path != self.scripts).cloned().collect();
        Projects { name: self.name.clone(), folders, seen, since }
    }

    /// As the steps have them: what the server writes while steps run (their scripts) they cannot write to.
    pub fn mounts(&self) -> Vec<Mount> {
        let temporary = Mount { source: self.temporary.clone(), target: "/tmp".into(), read_only: false };
        let scripts = Mount { read_only: true, ..Mount::same(&self.scripts) };
        vec![Mount::same(&self.root), scripts, Mount::same(&self.home), temporary]
    }

    /// Makes the folders, empty. What an earlier server left under these names is removed first.
    pub async fn create(&self, keep: bool) -> Result<()> {
        let _ = tokio::fs::remove_dir(&self.keep).await;
        for path in self.folders() {
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
        if keep {
            let marked = tokio::fs::create_dir_all(&self.keep).await;
            marked.map_err(|e| io_error("mark what a run keeps", e))?;
        }
        // As the system's own: every user of a container writes there, and none removes what is another's.
        let open = tokio::fs::set_permissions(&self.temporary, std::fs::Permissions::from_mode(0o1777)).await;
        open.map_err(|e| io_error("open a run's /tmp", e))?;
        let sudo = async {
            tokio::fs::create_dir(self.tools()).await?;
            let path = self.tools().join("sudo");
            tokio::fs::write(&path, SUDO).await?;
            tokio::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).await
        };
        sudo.await.map_err(|e| io_error("write a step's tools", e))?;
        let config = tokio::fs::write(self.home.join(".gitconfig"), GIT_CONFIG).await;
        config.map_err(|e| io_error("write a run's git settings", e))
    }

    /// Writes a step's script and returns its path.
    pub async fn add_script(&self, stage: u32, step: u32, text: &str) -> Result<PathBuf> {
        let path = self.scripts.join(format!("{stage}-{step}.sh"));
        let write = async {
            // Executable, as a script that starts with `#!` is run by itself. No link is followed.
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(0o755);
            options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
            let mut file = options.open(&path).await?;
            file.write_all(text.replace("\r\n", "\n").as_bytes()).await?;
            file.flush().await
        };
        write.await.map_err(|e| io_error(format_args!("write {}", path.display()), e))?;
        Ok(path)
    }

    /// Whether an earlier run's folder is still there, which says that something else of it may be too.
    pub fn is_left(&self) -> bool {
        self.root.symlink_metadata().is_ok()
    }

    /// Makes the names free at once; returns where the folders are now, for whoever has the time to remove them.
    pub async fn set_aside(&self, run: i64) -> Vec<PathBuf> {
        let mut aside = Vec::new();
        for path in self.folders().into_iter().chain([&self.keep]) {
            let suffix = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let to = path.with_file_name(format!("{suffix}{GONE}{run}"));
            if tokio::fs::rename(path, &to).await.is_ok() {
                aside.push(to);
            }
        }
        aside
    }
}

/// Removes what this process may remove; the paths that are left belong to another user.
pub async fn remove_all(paths: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut left = Vec::new();
    for path in paths {
        if tokio::fs::remove_dir_all(&path).await.is_err() && path.symlink_metadata().is_ok() {
            left.push(path);
        }
    }
    left
}

/// A run's workspace while it is in use.
#[derive(Clone, Debug)]
pub struct Taken {
    pub name: String,
    /// Compose projects that were seen to start in it.
    pub seen: BTreeSet<String>,
    pub since: Timestamp,
}

/// The names of workspaces that are in use, by the runs' ids: two runs of a pipeline at once get two.
#[derive(Debug, Default)]
pub struct Names(Mutex<BTreeMap<i64, Taken>>);

impl Names {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<i64, Taken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The pipeline's name, or with `-2` and so on when another run has it.
    pub fn take(&self, run: &Run) -> Taken {
        let mut all = self.lock();
        let base = pipeline_name(&run.repository.to_string(), run.pipeline.as_str());
        let mut name = base.clone();
        let mut number = 1;
        while all.iter().any(|(id, taken)| taken.name == name && *id != run.id) {
            number += 1;
            name = format!("{base}-{number}");
        }
        // The engine tells the age of containers in whole seconds.
        let since = Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default();
        let taken = Taken { name, seen: BTreeSet::new(), since };
        all.insert(run.id, taken.clone());
        taken
    }

    pub fn saw(&self, run: i64, project: String) {
        if let Some(taken) = self.lock().get_mut(&run) {
            taken.seen.insert(project);
        }
    }

    pub fn of(&self, run: i64) -> Option<Taken> {
        self.lock().get(&run).cloned()
    }

    pub fn release(&self, run: i64) {
        self.lock().remove(&run);
    }

    /// Keeps a name from runs while what lies under it is removed; `None` when a run has it.
    pub fn hold(&self, name: &str) -> Option<i64> {
        let mut all = self.lock();
        if all.values().any(|taken| taken.name == name) {
            return None;
        }
        // Runs have positive numbers.
        let id = all.keys().next().map_or(0, |first| *first.min(&0)) - 1;
        let taken = Taken { name: name.to_owned(), seen: BTreeSet::new(), since: Timestamp::now() };
        all.insert(id, taken);
        Some(id)
    }
}

/// `owner-repository-pipeline` where that says which three they are; else with a checksum, so that `a-b/c` and `a/b-c`
/// differ. Always a name that Compose takes: lower-case letters, digits and `-`, the first no `-`.
fn pipeline_name(repository: &str, pipeline: &str) -> String {
    let whole = format!("{}/{pipeline}", repository.to_ascii_lowercase());
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let joined: String = whole.to_ascii_lowercase().chars().map(|c| if plain(c) { c } else { '-' }).collect();
    if joined.len() <= LONGEST_NAME && whole.chars().all(|c| plain(c) || c == '/') {
        return joined;
    }
    let short: String = joined.chars().take(LONGEST_NAME).collect();
    let sum: String = Sha256::digest(&whole).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{sum}", short.trim_end_matches('-'))
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
    format!("ropewalk-{}-{}-{}-{}", run.repository.owner, run.repository.name, run.pipeline, run.number)
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
        ("GIT_URL", git_url(run, addresses)),
        ("JOB_NAME", format!("{}/{}", run.repository, run.pipeline)),
        ("NODE_NAME", "ropewalk".into()),
        ("REGISTRY", addresses.registry_host.clone()),
        ("WORKSPACE", workspace.root.to_string_lossy().into_owned()),
        ("HOME", workspace.home.to_string_lossy().into_owned()),
        ("COMPOSE_PROJECT_NAME", workspace.name.clone()),
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
    /// The same by other names.
    pub other_urls: Vec<String>,
    /// `registry.local:5000`.
    pub registry_host: String,
}

impl Addresses {
    /// Ports of the host at which the house and its registry answer people who call them `localhost`.
    pub fn loopback_ports(&self) -> Vec<u16> {
        let registry = format!("http://{}", self.registry_host);
        let here = |address: &str| {
            let url = url::Url::parse(address).ok()?;
            let is_here = match url.host()? {
                url::Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
                url::Host::Ipv4(ip) => ip.is_loopback(),
                url::Host::Ipv6(ip) => ip.is_loopback(),
            };
            url.port_or_known_default().filter(|_| is_here)
        };
        let all = [&self.url, &registry].into_iter().chain(&self.other_urls);
        all.filter_map(|address| here(address)).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// What `git clone` takes, and what the workspace's `origin` is.
pub fn git_url(run: &Run, addresses: &Addresses) -> String {
    git_url_of(&run.repository, addresses)
}

pub fn git_url_of(repository: &RepositoryPath, addresses: &Addresses) -> String {
    format!("{}/{repository}.git", addresses.url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_pipeline_has_one_name_and_no_other_has_it() {
        assert_eq!(pipeline_name("Admin/numbers", "default"), "admin-numbers-default");
        assert!(pipeline_name("a-b/c", "d").starts_with("a-b-c-d-"));
        assert_eq!(pipeline_name("a/b", &"x".repeat(64)).len(), LONGEST_NAME + 9);
    }

    proptest! {
        #[test]
        fn names_are_apart(one in "[aB.-]{1,3}/[ab.-]{1,3}/[aA.-]{1,3}", other in "[aB.-]{1,3}/[ab.-]{1,3}/[aA.-]{1,3}") {
            let name = |text: &str| {
                let (repository, pipeline) = text.rsplit_once('/').unwrap();
                (repository.to_ascii_lowercase(), pipeline.to_owned(), pipeline_name(repository, pipeline))
            };
            let (one, other) = (name(&one), name(&other));
            prop_assert_eq!(one.0 == other.0 && one.1 == other.1, one.2 == other.2, "{:?} {:?}", one, other);
            prop_assert!(one.2.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'));
        }
    }
}
