//! Repositories that are made by their first push. The folder is made before git gets the push, the row
//! only when the push has succeeded, in the same commit as its events; so a push that fails leaves
//! nothing that anybody could see, and the folder goes away with the last push that was for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedMutexGuard;

use super::state::Door;
use crate::git;
use crate::model::{RepositoryPath, Result};
use crate::store::{Store, repositories};

/// The first pushes under way.
#[derive(Clone, Default)]
pub struct FirstPushes(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// How many there are, by lower-case path.
    counts: Mutex<HashMap<String, usize>>,
    /// Held while a folder is made or removed: a client that probes before a large push comes back at once.
    folders: Arc<tokio::sync::Mutex<()>>,
}

/// One such push; dropped when it is over, however it ended.
pub struct FirstPush {
    pushes: FirstPushes,
    store: Store,
    git: git::Repositories,
    path: RepositoryPath,
}

impl FirstPush {
    /// Makes the folder unless another first push has made it already.
    pub async fn begin(door: &Door, path: &RepositoryPath) -> Result<FirstPush> {
        let pushes = door.gate.first_pushes();
        let folders = pushes.0.folders.lock().await;
        make(door, &pushes, path)?;
        *pushes.counts().entry(key(path)).or_default() += 1;
        drop(folders);
        Ok(FirstPush { pushes, store: door.store.clone(), git: door.git.clone(), path: path.clone() })
    }
}

impl Drop for FirstPush {
    fn drop(&mut self) {
        let mut counts = self.pushes.counts();
        let left = counts.get(&key(&self.path)).copied().unwrap_or_default().saturating_sub(1);
        if left > 0 {
            counts.insert(key(&self.path), left);
            return;
        }
        counts.remove(&key(&self.path));
        let known = self.store.read(|c| repositories::by_path(c, &self.path));
        if matches!(known, Ok(None)) {
            let (pushes, store) = (self.pushes.clone(), self.store.clone());
            tokio::spawn(clean_up(pushes, store, self.git.clone(), self.path.clone()));
        }
    }
}

impl FirstPushes {
    fn counts(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes the folder of a repository that has no row yet, whose first push may be under way.
/// Keep what it returns until the row is written.
pub async fn make_folder(door: &Door, path: &RepositoryPath) -> Result<OwnedMutexGuard<()>> {
    let pushes = door.gate.first_pushes();
    let folders = pushes.0.folders.clone().lock_owned().await;
    make(door, &pushes, path)?;
    Ok(folders)
}

/// A folder without a row that no push is filling was left by a crash, in a deletion or before anybody was told
/// of success: a new repository must not begin with what it holds.
fn make(door: &Door, pushes: &FirstPushes, path: &RepositoryPath) -> Result<()> {
    let busy = pushes.counts().contains_key(&key(path));
    if busy || door.store.read(|c| repositories::by_path(c, path))?.is_some() {
        return Ok(());
    }
    if let Some(aside) = door.git.set_aside(path)? {
        tracing::warn!(repository = %path, to = %aside.display(), "what a crash left is set aside");
    }
    door.git.create(path)
}

/// Removes the folder of a first push that came to nothing, unless somebody pushes again by now.
async fn clean_up(pushes: FirstPushes, store: Store, git: git::Repositories, path: RepositoryPath) {
    // The push still holds this lock while it puts its refs back.
    drop(git.lock_updates(&path).await);
    let _folders = pushes.0.folders.lock().await;
    let busy = pushes.counts().contains_key(&key(&path));
    let unknown = matches!(store.read(|c| repositories::by_path(c, &path)), Ok(None));
    let empty = git.list_refs(&path).is_ok_and(|list| list.refs.is_empty());
    if !busy
        && unknown
        && empty
        && let Err(error) = git.delete(&path).await
    {
        tracing::warn!(repository = %path, %error, "the folder of a failed first push is left over");
    }
}

fn key(path: &RepositoryPath) -> String {
    path.to_string().to_ascii_lowercase()
}
