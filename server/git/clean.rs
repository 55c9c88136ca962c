//! What a crash leaves in repositories and what blocks or burdens them afterwards: lock files,
//! quarantines of half-received pushes, half-written packs, half-made and half-deleted repositories.
//! It runs before the server takes pushes; it never touches an object, a ref or a pack that git has finished.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::repositories::{Repositories, folders};
use crate::model::Result;

/// How long a git that outlived its server is waited for; it ends by itself when its pipes have closed.
const ORPHANS_END_WITHIN: Duration = Duration::from_secs(10);

/// What was removed, relative to the folder of repositories; and what could not be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    pub removed: Vec<String>,
    pub failed: Vec<String>,
}

impl Repositories {
    /// Removes leftovers in every repository (about six folder listings each). Call it at start,
    /// before anything is served; blocking. A receive-pack of a server that was killed may still be at work:
    /// it is waited for, as without its quarantine it could put a ref where objects are missing.
    pub fn start_up_clean(&self) -> Result<Cleaned> {
        let busy = wait_for_orphans(self.root());
        let mut cleaned = Cleaned::default();
        for owner in folders(self.root()) {
            let owner = self.root().join(owner);
            for name in folders(&owner) {
                let path = owner.join(&name);
                if name.starts_with(".new-") || name.starts_with(".deleted-") {
                    self.remove(&path, &mut cleaned);
                } else if name.ends_with(".git") && !busy.contains(&path) {
                    for leftover in leftovers(&path) {
                        self.remove(&leftover, &mut cleaned);
                    }
                }
            }
        }
        Ok(cleaned)
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

/// Waits until no process works in a repository; returns those in which one still does.
fn wait_for_orphans(root: &Path) -> HashSet<PathBuf> {
    let since = Instant::now();
    loop {
        let busy = at_work(root);
        if busy.is_empty() {
            return busy;
        }
        if since.elapsed() > ORPHANS_END_WITHIN {
            tracing::warn!(?busy, "somebody works in these repositories: they are not cleaned");
            return busy;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The working directories of processes that lie below `root`, where the system tells them: every git of ours
/// has its repository for one.
fn at_work(root: &Path) -> HashSet<PathBuf> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let places = processes.filter_map(|process| fs::read_link(process.path().join("cwd")).ok());
    places.filter(|place| place.starts_with(root)).collect()
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
    use super::*;
    use crate::git::testing::{Place, git};

    #[test]
    fn what_somebody_works_in_is_waited_for() {
        let place = Place::with_commits(1);
        let directory = place.directory();
        let quarantine = directory.join("objects/tmp_objdir-incoming-AbCdEf");
        fs::create_dir(&quarantine).unwrap();
        let mut command = std::process::Command::new("cat");
        let mut process =
            command.current_dir(&directory).stdin(std::process::Stdio::piped()).spawn().unwrap();
        assert_eq!(at_work(place.repositories.root()), HashSet::from([directory]));
        let repositories = place.repositories.clone();
        let cleaning = std::thread::spawn(move || repositories.start_up_clean().unwrap());
        assert!(quarantine.exists());
        drop(process.stdin.take());
        process.wait().unwrap();
        assert_eq!(cleaning.join().unwrap().removed.len(), 1);
        assert!(!quarantine.exists());
    }

    #[test]
    fn leftovers_go_and_everything_else_stays() {
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
        let cleaned = place.repositories.start_up_clean().unwrap();
        assert_eq!((cleaned.removed.len(), cleaned.failed.len()), (11, 0), "{cleaned:?}");
        assert!(directory.join("objects/pack/pack-2.keep").exists());
        assert_eq!(git(&directory, &["for-each-ref"]), before);
        assert_eq!(place.repositories.start_up_clean().unwrap(), Cleaned::default());
        git(&directory, &["branch", "-f", "main", "main~1"]);
    }
}
