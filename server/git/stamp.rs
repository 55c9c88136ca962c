//! Whether any ref moved, by a few `stat` calls and nothing else, so that ten thousand idle
//! repositories cost less than a tenth of a second.
//!
//! Every program that writes refs (git, libgit2, we) renames a file into place, which changes the
//! time of the folder; a new nested folder changes the time of the one above it. So the times of
//! `packed-refs` and of all folders below `refs/heads` and `refs/tags` say everything. A write into
//! a ref file in place (an editor's, say) would not be seen; git never does that.

use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::model::{Error, Result};

/// How much older than the look a change must be to be told from one that came right after it:
/// generous against coarse file times (a kernel tick here, a second on some file systems).
const SETTLED: Duration = Duration::from_secs(2);

/// The state of a repository's refs at one moment. In memory only.
#[derive(Clone, Debug)]
pub struct RefsStamp {
    packed: Option<Stat>,
    /// Folders relative to the repository, `refs/heads` and `refs/tags` first.
    folders: Vec<(PathBuf, Option<Stat>)>,
    settled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    modified: (i64, i64),
    changed: (i64, i64),
    size: u64,
    inode: u64,
}

impl Stat {
    fn of(path: &Path) -> Result<Option<Self>> {
        match fs::symlink_metadata(path) {
            Ok(found) => Ok(Some(Self::from(&found))),
            Err(cause) if matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(cause) => Err(Error::internal("look at refs", cause)),
        }
    }

    fn from(found: &Metadata) -> Self {
        Stat {
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
            size: found.size(),
            inode: found.ino(),
        }
    }
}

impl RefsStamp {
    /// Walks the folders of refs. Take the stamp first and list refs after it: a change between the
    /// two is then seen again, never missed.
    pub(super) fn take(repository: &Path) -> Result<Self> {
        let packed = Stat::of(&repository.join("packed-refs"))?;
        let mut folders: Vec<(PathBuf, Option<Stat>)> = Vec::new();
        let mut open = vec![PathBuf::from("refs/tags"), PathBuf::from("refs/heads")];
        while let Some(folder) = open.pop() {
            let path = repository.join(&folder);
            // The time before the content: what is added while we list shows as a change.
            folders.push((folder.clone(), Stat::of(&path)?));
            let Ok(entries) = fs::read_dir(&path) else { continue };
            let nested = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
            open.extend(nested.map(|entry| folder.join(entry.file_name())));
        }
        let newest =
            folders.iter().filter_map(|(_, stat)| *stat).chain(packed).map(|stat| stat.changed.0).max();
        let settled = newest.is_none_or(is_settled);
        Ok(RefsStamp { packed, folders, settled })
    }

    /// `true` only if no ref of the repository moved since the stamp was taken. `false` may also
    /// mean that the stamp was taken too soon after a change to be sure: take a new one and compare refs.
    pub fn holds(&self, repository: &Path) -> bool {
        let same = |path: PathBuf, stat: &Option<Stat>| Stat::of(&path).is_ok_and(|now| now == *stat);
        self.settled
            && same(repository.join("packed-refs"), &self.packed)
            && self.folders.iter().all(|(folder, stat)| same(repository.join(folder), stat))
    }
}

fn is_settled(changed: i64) -> bool {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let changed = Duration::from_secs(u64::try_from(changed).unwrap_or(0));
    // A time in the future (the clock was set back) is never settled.
    now.checked_sub(changed).is_some_and(|age| age >= SETTLED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::{Place, git};

    /// A stamp taken long after the last change: the clock cannot be moved, so the files' times are.
    fn settled(directory: &Path) -> RefsStamp {
        let long_ago = fs::FileTimes::new().set_modified(SystemTime::now() - Duration::from_secs(3600));
        let folders = RefsStamp::take(directory).unwrap().folders.into_iter().map(|(folder, _)| folder);
        for path in folders.chain([PathBuf::from("packed-refs")]) {
            if let Ok(file) = fs::File::open(directory.join(path)) {
                file.set_times(long_ago).unwrap();
            }
        }
        RefsStamp { settled: true, ..RefsStamp::take(directory).unwrap() }
    }

    #[test]
    fn every_kind_of_update_breaks_the_stamp() {
        let place = Place::with_commits(2);
        let directory = place.directory();
        for command in [
            &["branch", "a/b/c", "main"][..],
            &["branch", "-f", "a/b/c", "main~1"],
            &["tag", "v1", "main"],
            &["pack-refs", "--all"],
            &["branch", "-f", "a/b/c", "main"],
            &["branch", "a/b/d", "main"],
            &["branch", "-D", "a/b/d"],
            &["update-ref", "refs/heads/main", "main~1"],
            &["tag", "-d", "v1"],
        ] {
            let stamp = settled(&directory);
            assert!(stamp.holds(&directory), "nothing moved before {command:?}");
            git(&directory, command);
            assert!(!stamp.holds(&directory), "{command:?} was not seen");
        }
    }

    #[test]
    fn a_fresh_change_is_never_trusted() {
        let place = Place::with_commits(1);
        let directory = place.directory();
        git(&directory, &["branch", "x", "main"]);
        let stamp = RefsStamp::take(&directory).unwrap();
        assert!(!stamp.holds(&directory));
        assert!(!is_settled(i64::MAX));
    }
}
