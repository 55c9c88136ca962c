//! The folder of all repositories: where each lies, making and deleting them, and the lock that
//! keeps two ref updates of one repository apart. It never looks into objects.
//!
//! A repository is made beside its place and renamed into it, so that a half-made one is never seen.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;

use super::durable::{io_error, replace_file, sync_directory, sync_tree};
use super::gate::{Gate, UpdateGuard};
use super::objects::OpenRepository;
use super::refs::{self, RefList};
use super::stamp::RefsStamp;
use crate::model::{CommitId, Error, RefName, RepositoryPath, Result, Secret};
use crate::msg;

/// `DATA/repositories`; cheap to clone.
#[derive(Clone)]
pub struct Repositories(Arc<Inner>);

struct Inner {
    root: PathBuf,
    gates: Mutex<HashMap<PathBuf, Weak<Gate>>>,
    /// What `git upload-pack` says of itself in protocol v2: the same for every repository.
    capabilities: tokio::sync::OnceCell<Bytes>,
    /// Whether leftovers of a crash are being removed.
    cleaning: tokio::sync::watch::Sender<bool>,
}

impl Repositories {
    /// Opens (and makes, if missing) the folder `repositories` in the data directory.
    pub fn open_in(data: &Path) -> Result<Self> {
        // Else every object read is hashed again, which doubles the time of reading. zlib's own sums
        // already find torn data, `git fsck` the rest, and the git program does not do it either.
        git2::opts::strict_hash_verification(false);
        let root = data.join("repositories");
        fs::create_dir_all(&root).map_err(|e| io_error("make the repositories folder", &e))?;
        // git compares `safe.directory` with real paths.
        let root = root.canonicalize().map_err(|e| Error::internal("the repositories folder", e))?;
        let (gates, capabilities, cleaning) = Default::default();
        Ok(Repositories(Arc::new(Inner { root, gates, capabilities, cleaning })))
    }

    pub fn root(&self) -> &Path {
        &self.0.root
    }

    pub(super) fn capabilities(&self) -> &tokio::sync::OnceCell<Bytes> {
        &self.0.capabilities
    }

    pub(super) fn cleaning(&self) -> &tokio::sync::watch::Sender<bool> {
        &self.0.cleaning
    }

    /// Where a repository lies or would lie: `{root}/{owner}/{name}.git`, in lower case.
    pub fn directory(&self, path: &RepositoryPath) -> PathBuf {
        let owner = path.owner.as_str().to_ascii_lowercase();
        self.0.root.join(owner).join(format!("{}.git", path.name.as_str().to_ascii_lowercase()))
    }

    pub fn exists(&self, path: &RepositoryPath) -> bool {
        self.directory(path).join("HEAD").is_file()
    }

    /// The directory of a repository that exists and that both git and libgit2 read alike;
    /// `NotFound`, or `Conflict` for a format we do not take (an adopted reftable repository).
    pub(super) fn served(&self, path: &RepositoryPath) -> Result<PathBuf> {
        let directory = self.directory(path);
        if !directory.join("HEAD").is_file() {
            return Err(Error::NotFound(msg!("git-repository-missing", path = path)));
        }
        let config = fs::read_to_string(directory.join("config")).unwrap_or_default();
        match foreign_format(&config) {
            None => Ok(directory),
            Some(format) => Err(Error::Conflict(msg!("git-repository-format", path = path, format = format))),
        }
    }

    /// Makes an empty bare repository whose HEAD is `refs/heads/main`; durable when it returns.
    /// `Conflict` when there is one.
    pub fn create(&self, path: &RepositoryPath) -> Result<()> {
        let target = self.directory(path);
        if target.exists() {
            return Err(Error::Conflict(msg!("git-repository-exists", path = path)));
        }
        let owner = target.parent().unwrap_or(&self.0.root);
        fs::create_dir_all(owner).map_err(|e| io_error("make the owner's folder", &e))?;
        let staging = owner.join(format!(".new-{}", Secret::random(8)?.reveal()));
        let made = make_bare(&staging).and_then(|()| match fs::rename(&staging, &target) {
            Ok(()) => Ok(()),
            Err(_) if target.exists() => Err(Error::Conflict(msg!("git-repository-exists", path = path))),
            Err(cause) => Err(io_error("put the repository in its place", &cause)),
        });
        if made.is_err() {
            let _ = fs::remove_dir_all(&staging);
            return made;
        }
        let synced = sync_directory(owner).and_then(|()| sync_directory(&self.0.root));
        synced.map_err(|e| io_error("sync the repositories folder", &e))
    }

    /// Deletes a repository with everything in it, after the ref update under way.
    pub async fn delete(&self, path: &RepositoryPath) -> Result<()> {
        let _guard = self.lock_updates(path).await;
        let (this, path) = (self.clone(), path.clone());
        in_background(move || {
            let gone = this.set_aside(&path)?;
            let gone = gone.ok_or_else(|| Error::NotFound(msg!("git-repository-missing", path = path)))?;
            // What remains here is removed at the next start.
            fs::remove_dir_all(&gone).map_err(|e| Error::internal("delete a repository", e))
        })
        .await
    }

    /// Moves what lies at the place of a repository out of the way; the next start removes it. Returns where
    /// it is now, or `None` when there was nothing.
    pub fn set_aside(&self, path: &RepositoryPath) -> Result<Option<PathBuf>> {
        let directory = self.directory(path);
        let owner = directory.parent().unwrap_or(self.root());
        let gone = owner.join(format!(".deleted-{}", Secret::random(8)?.reveal()));
        match fs::rename(&directory, &gone) {
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(io_error("set a repository aside", &cause)),
            Ok(()) => {}
        }
        let _ = sync_directory(owner);
        Ok(Some(gone))
    }

    /// The branch HEAD points to, whether or not it exists.
    pub fn default_branch(&self, path: &RepositoryPath) -> Result<RefName> {
        refs::head(&self.served(path)?)
    }

    /// Points HEAD to `branch`; durable when it returns.
    pub fn set_default_branch(&self, path: &RepositoryPath, branch: &RefName) -> Result<()> {
        set_head(&self.served(path)?, branch)
    }

    /// Branches and tags as they are now, read from files; see [`RefList`].
    pub fn list_refs(&self, path: &RepositoryPath) -> Result<RefList> {
        refs::list(&self.served(path)?)
    }

    /// Where one ref points, or `None` when it does not exist.
    pub fn read_ref(&self, path: &RepositoryPath, name: &RefName) -> Result<Option<CommitId>> {
        refs::read(&self.served(path)?, name)
    }

    /// What to compare later to know whether any ref moved. Take it before listing refs.
    pub fn refs_stamp(&self, path: &RepositoryPath) -> Result<RefsStamp> {
        RefsStamp::take(&self.directory(path))
    }

    /// The commit behind an annotated tag; a commit's id is returned as it is.
    pub fn peel(&self, path: &RepositoryPath, id: &CommitId) -> Result<CommitId> {
        self.open(path)?.peel(id)
    }

    /// Opens a repository for browsing. Blocking; from async code use [`Repositories::read`].
    pub fn open(&self, path: &RepositoryPath) -> Result<OpenRepository> {
        OpenRepository::open(&self.served(path)?)
    }

    /// Runs `look` on a repository in the blocking pool.
    pub async fn read<T, F>(&self, path: &RepositoryPath, look: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&OpenRepository) -> Result<T> + Send + 'static,
    {
        let (this, path) = (self.clone(), path.clone());
        in_background(move || look(&this.open(&path)?)).await
    }

    /// Waits until nobody updates refs of `path` and keeps others out until the guard is dropped.
    /// Pushes hold it from before git acts until their event is durable.
    pub async fn lock_updates(&self, path: &RepositoryPath) -> UpdateGuard {
        self.gate(path).lock().await
    }

    pub(super) fn gate(&self, path: &RepositoryPath) -> Arc<Gate> {
        let mut gates = self.0.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let directory = self.directory(path);
        if let Some(gate) = gates.get(&directory).and_then(Weak::upgrade) {
            return gate;
        }
        gates.retain(|_, gate| gate.strong_count() > 0);
        let gate = Arc::new(Gate::default());
        gates.insert(directory, Arc::downgrade(&gate));
        gate
    }

    /// Every repository on disk, by its (lower-case) path; foreign names are left out.
    pub fn all(&self) -> Result<Vec<RepositoryPath>> {
        let mut found = Vec::new();
        for owner in folders(&self.0.root) {
            for name in folders(&self.0.root.join(&owner)) {
                let Some(stem) = name.strip_suffix(".git") else { continue };
                found.extend(RepositoryPath::new(&owner, stem));
            }
        }
        found.sort();
        Ok(found)
    }

    /// The version of the git program; `Conflict` says what is wrong with it.
    pub async fn check_program(&self) -> Result<String> {
        super::program::check_program().await
    }
}

/// Runs blocking work off the async threads.
pub(super) async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|e| Error::internal("background work", e))?
}

pub(super) fn folders(path: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    let folder = |entry: fs::DirEntry| {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        is_folder.then(|| entry.file_name().into_string().ok()).flatten()
    };
    entries.flatten().filter_map(folder).collect()
}

pub(super) fn set_head(directory: &Path, branch: &RefName) -> Result<()> {
    if branch.branch_name().is_none() {
        return Err(Error::Invalid(msg!("git-not-a-branch", name = branch)));
    }
    let line = format!("ref: {branch}\n");
    replace_file(&directory.join("HEAD"), line.as_bytes()).map_err(|e| io_error("set the default branch", &e))
}

fn make_bare(staging: &Path) -> Result<()> {
    // By libgit2, which knows no other ref format than files.
    let mut options = git2::RepositoryInitOptions::new();
    options.bare(true).no_reinit(true).external_template(false).initial_head("refs/heads/main");
    git2::Repository::init_opts(staging, &options).map_err(not_made)?;
    sync_tree(staging).map_err(|e| io_error("sync a new repository", &e))
}

/// libgit2 keeps of the system's error only its words.
fn not_made(cause: git2::Error) -> Error {
    let is_full =
        ["No space left on device", "Disk quota exceeded"].iter().any(|w| cause.message().contains(w));
    if is_full { Error::Conflict(msg!("git-disk-full")) } else { Error::internal("make a repository", cause) }
}

/// `refstorage=reftable` and the like: what libgit2 would refuse or read wrongly.
fn foreign_format(config: &str) -> Option<String> {
    config.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        let (key, value) = (key.trim().to_ascii_lowercase(), value.trim().to_ascii_lowercase());
        let foreign = match key.as_str() {
            "refstorage" => value != "files",
            "objectformat" => value != "sha1",
            _ => false,
        };
        foreign.then(|| format!("{key}={}", value.escape_debug()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::{Place, git, try_git};

    #[tokio::test]
    async fn created_whole_and_deleted_whole() {
        let place = Place::new();
        let path = RepositoryPath::new("Team", "Sums").unwrap();
        place.repositories.create(&path).unwrap();
        assert!(matches!(place.repositories.create(&path), Err(Error::Conflict(_))));
        let lower = RepositoryPath::new("team", "sums").unwrap();
        assert!(place.repositories.exists(&lower), "case does not count");
        assert_eq!(place.repositories.all().unwrap(), vec![place.path.clone(), lower.clone()]);
        assert_eq!(place.repositories.default_branch(&path).unwrap().as_str(), "refs/heads/main");
        assert_eq!(git(&place.repositories.directory(&path), &["fsck"]), "");
        place.repositories.delete(&path).await.unwrap();
        assert!(!place.repositories.exists(&path));
        assert!(matches!(place.repositories.delete(&path).await, Err(Error::NotFound(_))));
        assert_eq!(fs::read_dir(place.repositories.root().join("team")).unwrap().count(), 0);
    }

    #[test]
    fn reftable_is_refused() {
        let place = Place::new();
        let directory = place.repositories.directory(&place.path);
        fs::remove_dir_all(&directory).unwrap();
        let folder = directory.to_str().unwrap();
        let made = try_git(place.folder.path(), &["init", "-q", "--bare", "--ref-format=reftable", folder]);
        if !made.status.success() {
            // Before 2.45 git knew no other format; one that a newer git left here says so in its configuration.
            git(place.folder.path(), &["init", "-q", "--bare", folder]);
            git(&directory, &["config", "extensions.refStorage", "reftable"]);
            git(&directory, &["config", "core.repositoryFormatVersion", "1"]);
        }
        assert!(matches!(place.repositories.list_refs(&place.path), Err(Error::Conflict(_))));
        assert_eq!(foreign_format("[core]\n\tbare = true\n"), None);
        assert_eq!(foreign_format("\tobjectFormat = SHA256\n").as_deref(), Some("objectformat=sha256"));
    }

    #[tokio::test]
    async fn the_lock_is_per_repository() {
        let place = Place::new();
        let other = RepositoryPath::new("admin", "other").unwrap();
        let guard = place.repositories.lock_updates(&place.path).await;
        let _not_blocked = place.repositories.lock_updates(&other).await;
        assert!(place.repositories.gate(&place.path).updates.try_lock().is_err());
        drop(guard);
        assert!(place.repositories.gate(&place.path).updates.try_lock().is_ok());
    }
}
