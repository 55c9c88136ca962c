//! inotify's word that the refs of a repository moved: a change made behind the server's back is seen
//! within milliseconds. It is only a hurry-up; what it misses or drops, the minute clock finds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;

use crate::git;
use crate::store::repositories::Repository;

/// How well notices work, for the health page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watching {
    Everything,
    /// So many repositories are only found by the minute clock.
    Partly(usize),
}

pub struct Notices {
    watcher: Mutex<Option<RecommendedWatcher>>,
    shared: Arc<Shared>,
}

struct Shared {
    folders: Mutex<Folders>,
    bell: Arc<Notify>,
}

#[derive(Default)]
struct Folders {
    followed: BTreeMap<PathBuf, i64>,
    moved: BTreeSet<i64>,
    newest: i64,
    refused: usize,
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Folders> {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which repository `path` belongs to: the nearest folder above it that is followed.
    fn note(&self, path: &Path) {
        let mut folders = self.lock();
        let id = path.ancestors().find_map(|above| folders.followed.get(above).copied());
        if let Some(id) = id {
            folders.moved.insert(id);
            drop(folders);
            self.bell.notify_one();
        }
    }
}

impl Notices {
    pub fn new() -> Self {
        let shared = Arc::new(Shared { folders: Mutex::default(), bell: Arc::default() });
        let told = shared.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            if matches!(event.kind, EventKind::Access(_)) {
                return;
            }
            // A name that ends in `.lock` is on its way to become a ref; the rename follows.
            for path in event.paths.iter().filter(|p| p.extension().is_none_or(|end| end != "lock")) {
                told.note(path);
            }
        });
        let watcher = watcher
            .inspect_err(
                |error| tracing::warn!(%error, "no file system notices; the minute poll finds changes"),
            )
            .ok();
        Notices { watcher: Mutex::new(watcher), shared }
    }

    pub fn bell(&self) -> Arc<Notify> {
        self.shared.bell.clone()
    }

    /// What moved since the last call.
    pub fn take(&self) -> BTreeSet<i64> {
        std::mem::take(&mut self.shared.lock().moved)
    }

    pub fn newest(&self) -> i64 {
        self.shared.lock().newest
    }

    pub fn watching(&self) -> Watching {
        match self.shared.lock().refused {
            0 => Watching::Everything,
            refused => Watching::Partly(refused),
        }
    }

    /// Follows exactly these repositories: the folder (for `packed-refs`) and everything below `refs`.
    pub fn follow(&self, all: &[Repository], git: &git::Repositories) {
        let mut guard = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted: BTreeMap<PathBuf, i64> = all.iter().map(|r| (git.directory(&r.path), r.id)).collect();
        let Some(watcher) = guard.as_mut() else {
            self.shared.lock().refused = all.len();
            return;
        };
        let known = self.shared.lock().followed.clone();
        for gone in known.keys().filter(|path| !wanted.contains_key(*path)) {
            // The kernel has forgotten a deleted folder by itself; then there is nothing to take back.
            let _ = watcher.unwatch(gone);
            let _ = watcher.unwatch(&gone.join("refs"));
        }
        let mut followed = BTreeMap::new();
        let mut refused = 0;
        for (path, id) in wanted {
            let new = !known.contains_key(&path);
            let watched = !new
                || (watcher.watch(&path, RecursiveMode::NonRecursive).is_ok()
                    && watcher.watch(&path.join("refs"), RecursiveMode::Recursive).is_ok());
            if watched {
                followed.insert(path, id);
            } else {
                refused += 1;
            }
        }
        if refused > 0 {
            tracing::warn!(
                refused,
                "repositories without file system notices (see fs.inotify.max_user_watches)"
            );
        }
        let mut folders = self.shared.lock();
        folders.followed = followed;
        folders.refused = refused;
        folders.newest = all.iter().map(|r| r.id).max().unwrap_or_default();
    }
}
