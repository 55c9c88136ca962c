//! Files of a commit by name, with their content, below some folders and at some paths: what the search for bases
//! reads. Bounded in entries, files and bytes; links are not followed. What is there and is not read is named with
//! the reason, so that nobody takes silence for "nothing there". Blocking.

use std::collections::{BTreeSet, VecDeque};

use git2::{ObjectType, Oid};

use super::objects::{EntryKind, LONGEST_PATH, OpenRepository, internal, kind_of, oid, shown};
use crate::model::{CommitFiles, CommitId, Error, Message, Result};
use crate::msg;

const MOST_FILES: usize = 2000;
const LARGEST_FILE: usize = 1024 * 1024;
/// All files together, in bytes.
const LARGEST: usize = 16 * 1024 * 1024;
/// Entries that are looked at, the upper folders first.
const MOST_ENTRIES: usize = 50_000;
/// Most sentences about single paths.
const MOST_UNREAD: usize = 100;

/// What was read so far, and how much may still be.
struct Reading<'r> {
    open: &'r OpenRepository,
    found: CommitFiles,
    seen: BTreeSet<String>,
    /// Bytes.
    left: usize,
    /// Files that were not read because there were too many.
    over: usize,
}

impl OpenRepository {
    /// The files in `folders` (`""` is the root) and below for whose path `wanted` says yes, and those at `named`. At
    /// most 2000 of at most 1 MiB, 16 MiB in all; those nearest to the folders count first, and before them the named.
    pub fn candidates(
        &self,
        commit: &CommitId,
        (folders, named): (&[String], &[String]),
        wanted: impl Fn(&str) -> bool,
    ) -> Result<CommitFiles> {
        let (found, seen) = (CommitFiles::default(), BTreeSet::new());
        let mut reading = Reading { open: self, found, seen, left: LARGEST, over: 0 };
        for path in named {
            reading.named(commit, path)?;
        }
        reading.walk(commit, folders, &wanted)?;
        let Reading { mut found, over, .. } = reading;
        if over > 0 {
            let message = msg!("git-candidates-too-many", most = MOST_FILES, over = over);
            found.unread.insert(0, (".".to_owned(), message));
        }
        found.files.sort();
        Ok(found)
    }
}

impl Reading<'_> {
    fn named(&mut self, commit: &CommitId, path: &str) -> Result<()> {
        match self.open.entry_at(commit, path) {
            Ok(None) if self.is_in_submodule(commit, path)? => {
                self.unread(path, msg!("git-candidate-submodule"));
            }
            Ok(None) => self.found.missing.push(path.to_owned()),
            Ok(Some(entry)) => self.entry(path.to_owned(), Some(entry.kind), oid(&entry.id)?)?,
            Err(Error::Invalid(message)) => self.unread(path, message),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn is_in_submodule(&self, commit: &CommitId, path: &str) -> Result<bool> {
        for (at, _) in path.match_indices('/') {
            match self.open.entry_at(commit, &path[..at])? {
                Some(entry) if entry.kind == EntryKind::Folder => {}
                Some(entry) => return Ok(entry.kind == EntryKind::Submodule),
                None => return Ok(false),
            }
        }
        Ok(false)
    }

    fn walk(&mut self, commit: &CommitId, folders: &[String], wanted: &impl Fn(&str) -> bool) -> Result<()> {
        let mut open = VecDeque::new();
        for folder in folders {
            let entry = self.open.entry_at(commit, folder).ok().flatten();
            if let Some(entry) = entry.filter(|entry| entry.kind == EntryKind::Folder) {
                let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
                open.push_back((oid(&entry.id)?, prefix));
            }
        }
        let mut entries = 0;
        while let Some((tree, folder)) = open.pop_front() {
            let repository = self.open;
            let tree = repository.sound(tree)?.find_tree(tree).map_err(|e| internal("read a folder", e))?;
            for entry in &tree {
                entries += 1;
                // A name that is no text cannot be written into a message as it is.
                let name = String::from_utf8_lossy(entry.name_bytes());
                let path = format!("{folder}{name}");
                match kind_of(entry.filemode()) {
                    Some(EntryKind::Folder) if path.len() < LONGEST_PATH => {
                        open.push_back((entry.id(), path + "/"));
                    }
                    Some(EntryKind::Folder) => self.unread(&path, msg!("git-candidate-deep")),
                    Some(EntryKind::Submodule) => self.unread(&path, msg!("git-candidate-submodule")),
                    _ if !wanted(&path) => {}
                    _ if entry.name().is_err() => self.unread(&path, msg!("git-candidate-name")),
                    kind => self.entry(path, kind, entry.id())?,
                }
            }
            if entries >= MOST_ENTRIES && !open.is_empty() {
                let message = msg!("git-candidates-entries", most = MOST_ENTRIES);
                self.found.unread.insert(0, (".".to_owned(), message));
                break;
            }
        }
        Ok(())
    }

    fn entry(&mut self, path: String, kind: Option<EntryKind>, id: Oid) -> Result<()> {
        if !self.seen.insert(path.clone()) {
            return Ok(());
        }
        let reason = match kind {
            Some(EntryKind::File | EntryKind::Executable) if self.found.files.len() >= MOST_FILES => {
                self.over += 1;
                return Ok(());
            }
            Some(EntryKind::File | EntryKind::Executable) => match self.content(id)? {
                Ok(bytes) => {
                    self.left -= bytes.len();
                    self.found.files.push((path, bytes));
                    return Ok(());
                }
                Err(reason) => reason,
            },
            Some(EntryKind::Link) => msg!("git-candidate-link"),
            Some(EntryKind::Submodule) => msg!("git-candidate-submodule"),
            // A folder that is called as a file would be.
            Some(EntryKind::Folder) | None => return Ok(()),
        };
        self.unread(&path, reason);
        Ok(())
    }

    fn unread(&mut self, path: &str, reason: Message) {
        match self.found.unread.len() {
            MOST_UNREAD.. => self.over += 1,
            _ => self.found.unread.push((shown(path), reason)),
        }
    }

    /// The blob, or why it is not read.
    fn content(&self, id: Oid) -> Result<std::result::Result<Vec<u8>, Message>> {
        let header = self.open.odb()?.read_header(id);
        let (size, kind) = header.map_err(|e| internal("read a file's size", e))?;
        if kind != ObjectType::Blob {
            return Ok(Err(msg!("git-candidate-name")));
        }
        if size > LARGEST_FILE {
            return Ok(Err(msg!("git-candidate-large", size = size, limit = LARGEST_FILE)));
        }
        if size > self.left {
            return Ok(Err(msg!("git-candidates-bytes", limit = LARGEST)));
        }
        let blob = self.open.sound(id)?.find_blob(id).map_err(|e| internal("read a file", e))?;
        Ok(Ok(blob.content().to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::{Place, git};

    const SUBMODULE: &str = "160000,1111111111111111111111111111111111111111,a/sub";

    fn committed(place: &Place) -> CommitId {
        let work = place.work();
        git(&work, &["add", "-A"]);
        git(&work, &["update-index", "--add", "--cacheinfo", SUBMODULE]);
        git(&work, &["commit", "-q", "-m", "files"]);
        place.push_to_path();
        CommitId::new(git(&work, &["rev-parse", "HEAD"]).trim()).unwrap()
    }

    fn owned(paths: &[&str]) -> Vec<String> {
        paths.iter().map(|path| (*path).to_owned()).collect()
    }

    #[test]
    fn files_are_found_below_their_folders_and_by_name_and_the_rest_is_named() {
        let place = Place::with_commits(1);
        let work = place.work();
        for path in ["a/Dockerfile", "a/b/Dockerfile", "c/Dockerfile", "c/prod", "a/other"] {
            std::fs::create_dir_all(work.join(path).parent().unwrap()).unwrap();
            std::fs::write(work.join(path), path).unwrap();
        }
        std::fs::write(work.join("a/b/large.Dockerfile"), vec![b'x'; LARGEST_FILE + 1]).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", work.join("a/x.Dockerfile")).unwrap();
        std::os::unix::fs::symlink("c", work.join("link")).unwrap();
        let commit = committed(&place);
        let open = place.repositories.open(&place.path).unwrap();
        let find = |folders: &[&str], named: &[&str]| {
            let asked = (&owned(folders)[..], &owned(named)[..]);
            let found = open.candidates(&commit, asked, |path| path.ends_with("Dockerfile")).unwrap();
            assert!(found.files.iter().all(|(path, bytes)| bytes == path.as_bytes()));
            let files: Vec<String> = found.files.into_iter().map(|(path, _)| path).collect();
            let unread: Vec<String> =
                found.unread.into_iter().map(|(path, m)| format!("{path} {}", m.key)).collect();
            (files, unread, found.missing)
        };
        let (files, unread, missing) = find(&["a", "link", "none", "../a"], &[]);
        assert_eq!(files, ["a/Dockerfile", "a/b/Dockerfile"]);
        let expected = [
            "a/sub git-candidate-submodule",
            "a/x.Dockerfile git-candidate-link",
            "a/b/large.Dockerfile git-candidate-large",
        ];
        assert_eq!((unread.as_slice(), missing.len()), (expected.map(str::to_owned).as_slice(), 0));
        assert_eq!(find(&[""], &[]).0.len(), 3);
        let named =
            ["c/prod", "c/Dockerfile", "c/none", "link/prod", "a/sub/Dockerfile", "../x", "c", "a/none/x"];
        let (files, unread, missing) = find(&["c"], &named);
        assert_eq!(files, ["c/Dockerfile", "c/prod"]);
        assert_eq!(
            unread,
            ["link/prod git-path-link", "a/sub/Dockerfile git-candidate-submodule", "../x git-path-invalid"]
        );
        assert_eq!(missing, ["c/none", "a/none/x"]);
    }

    #[test]
    fn of_too_many_files_the_number_is_said() {
        let place = Place::with_commits(1);
        for n in 0..MOST_FILES + 5 {
            std::fs::write(place.work().join(format!("{n}.Dockerfile")), "FROM x\n").unwrap();
        }
        let commit = committed(&place);
        let open = place.repositories.open(&place.path).unwrap();
        let asked = (&owned(&[""])[..], &[][..]);
        let found = open.candidates(&commit, asked, |path| path.ends_with("Dockerfile")).unwrap();
        assert_eq!(found.files.len(), MOST_FILES);
        let (path, message) = &found.unread[0];
        assert_eq!((path.as_str(), &*message.key), (".", "git-candidates-too-many"));
        assert_eq!(message.args.get("over").map(String::as_str), Some("5"));
    }
}
