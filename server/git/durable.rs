//! Making files survive a power loss: git never syncs a directory, so a file it has synced and
//! renamed may still be missing after one. It never changes what files say.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::model::{Error, RefName};
use crate::msg;

/// A full disk is something the user can mend, so it gets its own sentence.
pub(super) fn io_error(doing: impl std::fmt::Display, cause: &io::Error) -> Error {
    match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::Conflict(msg!("git-disk-full")),
        _ => Error::internal(doing, cause),
    }
}

pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Syncs every file and folder of a small tree, such as a repository that was just made.
pub(super) fn sync_tree(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_tree(&entry.path())?;
        } else {
            File::open(entry.path())?.sync_all()?;
        }
    }
    sync_directory(path)
}

/// Replaces a file as a whole, in git's manner (`NAME.lock`, then rename), and syncs it and its folder.
pub(super) fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut lock = path.as_os_str().to_owned();
    lock.push(".lock");
    let lock = PathBuf::from(lock);
    let mut file = File::create_new(&lock)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&lock, path));
    if let Err(cause) = written {
        let _ = fs::remove_file(&lock);
        return Err(cause);
    }
    path.parent().map_or(Ok(()), sync_directory)
}

/// The folders of an object store as they were before a push, to know afterwards which it touched.
pub(super) struct ObjectFolders(HashMap<PathBuf, (i64, i64)>);

impl ObjectFolders {
    pub fn look(repository: &Path) -> io::Result<Self> {
        let mut folders = HashMap::new();
        let objects = repository.join("objects");
        for entry in fs::read_dir(&objects)? {
            let entry = entry?;
            let name = entry.file_name();
            if name.len() == 2 || name == "pack" {
                let stat = entry.metadata()?;
                folders.insert(entry.path(), (stat.mtime(), stat.mtime_nsec()));
            }
        }
        Ok(ObjectFolders(folders))
    }

    /// Syncs `objects` and each folder below it that is new, has another time than before, or was
    /// touched within the last two seconds (file times are coarser than a push is quick).
    pub fn sync_touched(&self, repository: &Path) -> io::Result<()> {
        let now = Self::look(repository)?;
        let recent = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let recent = i64::try_from(recent.as_secs()).unwrap_or(i64::MAX) - 2;
        for (path, time) in &now.0 {
            if self.0.get(path) != Some(time) || time.0 >= recent {
                sync_directory(path)?;
            }
        }
        sync_directory(&repository.join("objects"))
    }
}

/// Syncs the folders that hold a ref, from its own up to the repository (where `packed-refs` lies).
pub(super) fn sync_ref_folders(repository: &Path, names: &[&RefName]) -> io::Result<()> {
    let mut done = std::collections::HashSet::new();
    for name in names {
        let mut folder = repository.join(name.as_str());
        while folder.pop() && folder.starts_with(repository) {
            if !done.insert(folder.clone()) {
                break;
            }
            match sync_directory(&folder) {
                // Deleting the last ref of a folder deletes the folder.
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
                other => other?,
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaced_whole_and_no_lock_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("HEAD");
        replace_file(&path, b"one").unwrap();
        replace_file(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        File::create(folder.path().join("HEAD.lock")).unwrap();
        assert!(replace_file(&path, b"three").is_err(), "somebody else holds the lock");
        assert_eq!(fs::read(&path).unwrap(), b"two");
    }
}
