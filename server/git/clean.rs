//! What a crash leaves in repositories and what blocks or burdens them afterwards: lock files,
//! quarantines of half-received pushes, half-written packs, half-made and half-deleted repositories.
//! It runs before any push is taken; it never touches an object, a ref or a pack that git has finished.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::repositories::{Repositories, folders};

/// How long a git that outlived its server is waited for; it ends by itself when its pipes have closed.
const ORPHANS_END_WITHIN: Duration = Duration::from_secs(10);

/// At a start the first page comes first: looking through all repositories takes a core for some milliseconds.
const DOOR_FIRST: Duration = Duration::from_millis(30);

/// What was removed, relative to the folder of repositories; and what could not be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    pub removed: Vec<String>,
    pub failed: Vec<String>,
}

/// While it lives, leftovers are being removed.
struct Cleaning(Repositories);

impl Drop for Cleaning {
    fn drop(&mut self) {
        self.0.cleaning().send_replace(false);
    }
}

impl Repositories {
    /// Removes, in the background, what is half-made or half-deleted, and leftovers in every repository (about ten
    /// folder listings each). Call it at start, within a runtime, before anything is served: pushes and fetches
    /// wait until it is done, readers need not. A receive-pack of a server that was killed may still be at work:
    /// it is waited for, as without its quarantine it could put a ref where objects are missing.
    pub fn start_up_clean(&self) {
        self.cleaning().send_replace(true);
        let (cleaning, started) = (Cleaning(self.clone()), SystemTime::now());
        tokio::task::spawn_blocking(move || {
            std::thread::sleep(DOOR_FIRST);
            let this = &cleaning.0;
            let (mut cleaned, whole) = this.clean_folders(started);
            let busy = wait_for(at_work(this.root()), this.root());
            let whole: Vec<PathBuf> = whole.into_iter().filter(|path| !busy.contains(path)).collect();
            this.clean_repositories(&whole, &mut cleaned);
            drop(cleaning);
            if cleaned != Cleaned::default() {
                tracing::warn!(?cleaned, "removed what a crash left in repositories");
            }
        });
    }

    /// Resolves when no leftovers of a crash stand in the way of an update any more.
    pub(super) async fn cleaned(&self) {
        // It fails only when the sender is gone, and that is ours.
        let _ = self.cleaning().subscribe().wait_for(|busy| !busy).await;
    }

    /// What was cleaned, and the directories of whole repositories. What is younger than this server is its own.
    fn clean_folders(&self, started: SystemTime) -> (Cleaned, Vec<PathBuf>) {
        let (mut cleaned, mut whole) = (Cleaned::default(), Vec::new());
        for owner in folders(self.root()) {
            let owner = self.root().join(owner);
            for name in folders(&owner) {
                let path = owner.join(&name);
                if name.starts_with(".new-") || name.starts_with(".deleted-") {
                    let changed = fs::metadata(&path).and_then(|found| found.modified());
                    if changed.is_ok_and(|changed| changed > started) {
                        continue;
                    }
                    self.remove(&path, &mut cleaned);
                } else if name.ends_with(".git") {
                    whole.push(path);
                }
            }
        }
        (cleaned, whole)
    }

    fn clean_repositories(&self, whole: &[PathBuf], cleaned: &mut Cleaned) {
        for leftover in whole.iter().flat_map(|path| leftovers(path)) {
            self.remove(&leftover, cleaned);
        }
    }

    fn remove(&self, path: &Path, cleaned: &mut Cleaned) {
        let is_folder = fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
        let done = if is_folder { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        let name = path.strip_prefix(self.root()).unwrap_or(path).to_string_lossy().into_owned();
        match done {
            Ok(()) => {
                tracing::warn!(path = %name, "removed what a crash left");
                cleaned.removed.push(name);
            }
            Err(cause) => {
                tracing::error!(path = %name, %cause, "could not remove what a crash left");
                cleaned.failed.push(name);
            }
        }
    }
}

/// Processes by number, and the directories they work in.
type AtWork = HashMap<u32, PathBuf>;

/// Waits until none of these processes is at work any more; returns the directories in which one still is.
fn wait_for(mut processes: AtWork, root: &Path) -> HashSet<PathBuf> {
    let since = Instant::now();
    while !processes.is_empty() && since.elapsed() < ORPHANS_END_WITHIN {
        std::thread::sleep(Duration::from_millis(10));
        let now = at_work(root);
        processes.retain(|number, place| now.get(number) == Some(place));
    }
    if !processes.is_empty() {
        tracing::warn!(?processes, "somebody works in these repositories: they are not cleaned");
    }
    processes.into_values().collect()
}

/// The processes whose working directories lie below `root`, where the system tells them: every git of a server
/// has its repository for one. This server's own are left out.
fn at_work(root: &Path) -> AtWork {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let place = |process: fs::DirEntry| {
        let number = process.file_name().to_str()?.parse().ok()?;
        let place = fs::read_link(process.path().join("cwd")).ok()?;
        (place.starts_with(root) && !is_ours(&process.path())).then_some((number, place))
    };
    processes.filter_map(place).collect()
}

/// Whether this process started it. What that started in turn ends with it.
fn is_ours(process: &Path) -> bool {
    let status = fs::read_to_string(process.join("status")).unwrap_or_default();
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
    parent.is_some_and(|parent| parent.trim() == std::process::id().to_string())
}

fn leftovers(repository: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["", "objects/info", "objects/info/commit-graphs"] {
        gather(&repository.join(folder), &mut found, |_, name| name.ends_with(".lock") || name == "gc.pid");
    }
    gather(&repository.join("objects"), &mut found, |_, name| name.starts_with("tmp_objdir-"));
    gather(&repository.join("objects/pack"), &mut found, |path, name| {
        let temporary = ["tmp_", ".tmp-", ".tmp_"].iter().any(|start| name.starts_with(start));
        temporary || name.ends_with(".lock") || (name.ends_with(".keep") && is_of_a_transfer(path))
    });
    let mut open = vec![repository.join("refs")];
    while let Some(folder) = open.pop() {
        gather(&folder, &mut found, |_, name| name.ends_with(".lock"));
        open.extend(folders(&folder).into_iter().map(|name| folder.join(name)));
    }
    found
}

fn gather(folder: &Path, found: &mut Vec<PathBuf>, wanted: impl Fn(&Path, &str) -> bool) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let paths = entries.flatten().map(|entry| (entry.path(), entry.file_name()));
    found.extend(paths.filter(|(path, name)| wanted(path, &name.to_string_lossy())).map(|(path, _)| path));
}

/// A `.keep` that receive-pack or fetch-pack wrote for the time of a transfer; a person's is kept.
fn is_of_a_transfer(path: &Path) -> bool {
    let text = fs::read(path).unwrap_or_default();
    text.starts_with(b"receive-pack ") || text.starts_with(b"fetch-pack ")
}

/// Removes quarantines after a receive-pack was killed. Its index-pack may live a moment longer and
/// write into the folder while it is removed, hence several attempts within two seconds.
pub(super) async fn clear_quarantines(repository: &Path) {
    for _ in 0..40 {
        let mut found = Vec::new();
        gather(&repository.join("objects"), &mut found, |_, name| name.starts_with("tmp_objdir-"));
        if found.iter().filter(|path| fs::remove_dir_all(path).is_err()).count() == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    tracing::error!(repository = %repository.display(), "a quarantine could not be removed; the next start will try again");
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::git::testing::{Place, git};

    #[tokio::test]
    async fn what_somebody_works_in_is_waited_for() {
        let place = Place::with_commits(1);
        let directory = place.directory();
        let quarantine = directory.join("objects/tmp_objdir-incoming-AbCdEf");
        fs::create_dir(&quarantine).unwrap();
        // A child of a child is as little ours as what an earlier server has left.
        let mut command = std::process::Command::new("sh");
        command.args(["-c", "cd /; exec 3<&0; (cd \"$0\"; echo; exec cat <&3) & wait"]).arg(&directory);
        command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        let mut process = command.spawn().unwrap();
        process.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        assert_eq!(at_work(place.repositories.root()).into_values().collect::<Vec<_>>(), [directory]);
        place.repositories.start_up_clean();
        assert!(quarantine.exists());
        drop(process.stdin.take());
        process.wait().unwrap();
        place.repositories.cleaned().await;
        assert!(!quarantine.exists());
    }

    #[tokio::test]
    async fn leftovers_go_and_everything_else_stays() {
        let place = Place::with_commits(2);
        let directory = place.directory();
        git(&directory, &["branch", "feature/x", "main"]);
        let before = git(&directory, &["for-each-ref"]);
        fs::create_dir_all(directory.join("objects/tmp_objdir-incoming-AbCdEf/ab")).unwrap();
        fs::create_dir_all(directory.join("../.new-0123")).unwrap();
        for file in [
            "HEAD.lock",
            "config.lock",
            "packed-refs.lock",
            "shallow.lock",
            "refs/heads/main.lock",
            "gc.pid",
            "refs/heads/feature/x.lock",
            "objects/pack/tmp_pack_x",
            "objects/tmp_objdir-incoming-AbCdEf/ab/x",
        ] {
            fs::write(directory.join(file), "x").unwrap();
        }
        fs::write(directory.join("objects/pack/pack-1.keep"), "receive-pack 12 on host").unwrap();
        fs::write(directory.join("objects/pack/pack-2.keep"), "mine").unwrap();
        let (mut cleaned, whole) = place.repositories.clean_folders(SystemTime::now());
        place.repositories.clean_repositories(&whole, &mut cleaned);
        assert_eq!((cleaned.removed.len(), cleaned.failed.len()), (11, 0), "{cleaned:?}");
        assert!(directory.join("objects/pack/pack-2.keep").exists());
        assert_eq!(git(&directory, &["for-each-ref"]), before);
        git(&directory, &["branch", "-f", "main", "main~1"]);
        fs::write(directory.join("refs/heads/main.lock"), "x").unwrap();
        place.repositories.start_up_clean();
        place.repositories.cleaned().await;
        git(&directory, &["branch", "-f", "main", "feature/x"]);
    }
}
