//! Which repositories are damaged: something of them could not be read that must be there. Whoever met it noted it; it is
//! forgotten when the object can be read again, when the repository is gone, or when nobody has met it for a day. It is
//! in memory only and no search: `git fsck` finds what nobody has asked for.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use git2::{ErrorClass, ErrorCode, Oid};
use jiff::Timestamp;

use super::objects::{OpenRepository, shown};
use super::repositories::{Repositories, in_background};
use crate::model::{Error, Message, RepositoryPath};
use crate::msg;

/// More are not kept.
const MOST: usize = 1000;
/// Looked at again in one go.
const MOST_AT_ONCE: usize = 50;
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// What was found of one repository, the newest finding.
#[derive(Clone, Debug)]
pub struct Damage {
    pub since: Timestamp,
    /// What cannot be read, and where.
    pub message: Message,
    /// `None` when the repository as a whole cannot be opened.
    object: Option<Oid>,
    met: Instant,
}

#[derive(Debug, Default)]
pub(super) struct Damages(Mutex<BTreeMap<RepositoryPath, Damage>>);

impl Damages {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<RepositoryPath, Damage>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Repositories {
    /// The damaged repositories that are known, by path.
    pub fn damaged(&self) -> Vec<(RepositoryPath, Damage)> {
        self.damages().lock().iter().map(|(path, damage)| (path.clone(), damage.clone())).collect()
    }

    pub fn damage_of(&self, path: &RepositoryPath) -> Option<Damage> {
        self.damages().lock().get(path).cloned()
    }

    pub(super) fn note_damage(&self, path: &RepositoryPath, (object, message): (Option<Oid>, Message)) {
        let mut all = self.damages().lock();
        let since = all.get(path).map_or_else(Timestamp::now, |known| known.since);
        if !all.contains_key(path) {
            tracing::error!(repository = %path, %message, "a repository is damaged");
            if all.len() >= MOST {
                return;
            }
        }
        all.insert(path.clone(), Damage { since, message, object, met: Instant::now() });
    }

    /// Forgets what is whole again. Some are looked at each time, those first that nobody has met for longest.
    pub async fn look_at_damaged(&self) {
        let mut known = self.damaged();
        known.sort_by_key(|(_, damage)| damage.met);
        known.truncate(MOST_AT_ONCE);
        if known.is_empty() {
            return;
        }
        let this = self.clone();
        let looked = in_background(move || {
            known.retain(|(path, damage)| damage.met.elapsed() >= KEPT || this.is_mended(path, damage));
            for (path, seen) in known {
                let mut all = this.damages().lock();
                if all.get(&path).is_some_and(|now| now.met == seen.met) {
                    all.remove(&path);
                }
            }
            Ok(())
        });
        if let Err(error) = looked.await {
            tracing::warn!(%error, "damaged repositories could not be looked at");
        }
    }

    fn is_mended(&self, path: &RepositoryPath, damage: &Damage) -> bool {
        let Ok(directory) = self.served(path) else { return !self.exists(path) };
        let Ok(open) = OpenRepository::open(&directory) else { return false };
        match damage.object {
            None => true,
            Some(object) => open.is_readable(object),
        }
    }
}

impl OpenRepository {
    fn is_readable(&self, object: Oid) -> bool {
        self.inflates(object) && self.git.find_object(object, None).is_ok()
    }

    /// The error of an object that must be there and cannot be read; `place` is a path or what the object is for. The
    /// repository is noted as damaged when it is its fault.
    pub(super) fn lost(&self, place: &str, object: Oid, cause: &git2::Error) -> Error {
        if let Some(error) = of_the_house(cause) {
            return error;
        }
        let place = if place.is_empty() { "/".to_owned() } else { shown(place) };
        // Of an object that is there and is of another kind libgit2 says the same.
        let is_there = self.git.odb().is_ok_and(|odb| odb.exists(object));
        let message = match cause.code() {
            ErrorCode::NotFound if !is_there => msg!("git-object-missing", object = object, place = place),
            _ => msg!("git-object-unreadable", object = object, place = place, cause = cause.message()),
        };
        self.damaged(object, message)
    }

    pub(super) fn damaged(&self, object: Oid, message: Message) -> Error {
        self.note(Some(object), &message);
        Error::Conflict(message)
    }
}

/// The error of a repository that cannot be opened, and whether it is its own fault.
pub(super) fn unopened(path: &Path, cause: &git2::Error) -> Error {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    of_the_house(cause).unwrap_or_else(|| {
        Error::Conflict(msg!("git-repository-unreadable", name = shown(&name), cause = cause.message()))
    })
}

/// What libgit2 says when the process is short of something; of the system's error it keeps only the words.
fn of_the_house(cause: &git2::Error) -> Option<Error> {
    let short = ["Too many open files", "Cannot allocate memory"].iter().any(|w| cause.message().contains(w));
    (short || cause.class() == ErrorClass::NoMemory)
        .then(|| Error::Unavailable(msg!("git-short-of", cause = cause.message())))
}

#[cfg(test)]
mod tests {
    use crate::git::testing::{Place, git};
    use crate::model::{CommitId, Result};

    #[tokio::test]
    async fn what_is_missing_is_noted_until_it_is_there_again() -> Result<()> {
        let place = Place::with_commits(1);
        let directory = place.directory();
        let commit = CommitId::new(git(&directory, &["rev-parse", "main"]).trim())?;
        let tree = git(&directory, &["rev-parse", "main^{tree}"]).trim().to_owned();
        for pack in std::fs::read_dir(directory.join("objects/pack")).unwrap().flatten() {
            assert!(!pack.path().exists(), "the objects of a few commits are files of their own");
        }
        let file = directory.join("objects").join(&tree[..2]).join(&tree[2..]);
        let aside = place.folder.path().join("aside");
        std::fs::rename(&file, &aside).unwrap();
        let names = |commit: CommitId| {
            let (repositories, path) = (place.repositories.clone(), place.path.clone());
            async move { repositories.read(&path, move |open| open.definition_names(&commit)).await }
        };
        let error = names(commit.clone()).await.unwrap_err();
        assert!(
            error.message().is_some_and(|m| m.key == "git-object-missing" && m.args["object"] == tree),
            "{error}"
        );
        place.repositories.look_at_damaged().await;
        assert_eq!(place.repositories.damaged()[0].0, place.path);
        std::fs::rename(&aside, &file).unwrap();
        place.repositories.look_at_damaged().await;
        assert!(place.repositories.damage_of(&place.path).is_none());
        names(commit).await?;
        std::fs::write(directory.join("config"), "[core\n").unwrap();
        assert!(place.repositories.open(&place.path).is_err());
        assert!(place.repositories.damage_of(&place.path).is_some());
        Ok(())
    }
}
