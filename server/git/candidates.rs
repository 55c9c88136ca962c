//! Files of a commit by name, with their content, below some folders: what the search for bases reads. Bounded in
//! entries, files and bytes; links are not followed and what is too large is left out. Blocking.

use std::collections::VecDeque;

use git2::{ObjectType, Oid};

use super::objects::{EntryKind, LONGEST_PATH, OpenRepository, internal, kind_of, oid};
use crate::model::{CommitId, Result};

const MOST_FILES: usize = 200;
const LARGEST_FILE: usize = 1024 * 1024;
/// All files together, in bytes.
const LARGEST: usize = 16 * 1024 * 1024;
/// Entries that are looked at, the upper folders first.
const MOST_ENTRIES: usize = 20_000;

impl OpenRepository {
    /// Path and content of the files in `folders` (`""` is the root) and below for whose path `wanted` says yes,
    /// sorted by path. At most 200 of at most 1 MiB; those nearest to the folders count first.
    pub fn candidates(
        &self,
        commit: &CommitId,
        folders: &[String],
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<(String, Vec<u8>)>> {
        let mut open = VecDeque::new();
        for folder in folders {
            let entry = self.entry_at(commit, folder).ok().flatten();
            if let Some(entry) = entry.filter(|entry| entry.kind == EntryKind::Folder) {
                let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
                open.push_back((oid(&entry.id)?, prefix));
            }
        }
        let (mut found, mut seen, mut left) = (Vec::new(), 0, LARGEST);
        while let Some((tree, folder)) = open.pop_front() {
            let tree = self.sound(tree)?.find_tree(tree).map_err(|e| internal("read a folder", e))?;
            for entry in &tree {
                seen += 1;
                let Ok(name) = entry.name() else { continue };
                let path = format!("{folder}{name}");
                match kind_of(entry.filemode()) {
                    Some(EntryKind::Folder) if path.len() < LONGEST_PATH => {
                        open.push_back((entry.id(), path + "/"));
                    }
                    Some(EntryKind::File | EntryKind::Executable) if wanted(&path) => {
                        if let Some(bytes) = self.small(entry.id(), left)? {
                            left -= bytes.len();
                            found.push((path, bytes));
                        }
                    }
                    _ => {}
                }
            }
            if found.len() >= MOST_FILES || seen >= MOST_ENTRIES {
                break;
            }
        }
        found.truncate(MOST_FILES);
        found.sort();
        found.dedup_by(|a, b| a.0 == b.0);
        Ok(found)
    }

    /// The blob unless it is too large.
    fn small(&self, id: Oid, left: usize) -> Result<Option<Vec<u8>>> {
        let (size, kind) = self.odb()?.read_header(id).map_err(|e| internal("read a file's size", e))?;
        if size > LARGEST_FILE.min(left) || kind != ObjectType::Blob {
            return Ok(None);
        }
        let blob = self.sound(id)?.find_blob(id).map_err(|e| internal("read a file", e))?;
        Ok(Some(blob.content().to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::{Place, git};

    #[test]
    fn files_are_found_by_name_below_their_folders_and_links_are_not() {
        let place = Place::with_commits(1);
        let work = place.work();
        for path in ["a/Dockerfile", "a/b/Dockerfile", "c/Dockerfile", "a/other"] {
            std::fs::create_dir_all(work.join(path).parent().unwrap()).unwrap();
            std::fs::write(work.join(path), path).unwrap();
        }
        std::fs::write(work.join("a/b/large.Dockerfile"), vec![b'x'; LARGEST_FILE + 1]).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", work.join("a/x.Dockerfile")).unwrap();
        std::os::unix::fs::symlink("c", work.join("link")).unwrap();
        git(&work, &["add", "-A"]);
        git(&work, &["commit", "-q", "-m", "files"]);
        place.push_to_path();
        let commit = CommitId::new(git(&work, &["rev-parse", "HEAD"]).trim()).unwrap();
        let open = place.repositories.open(&place.path).unwrap();
        let found = |folders: &[&str]| {
            let folders: Vec<String> = folders.iter().map(|f| (*f).to_owned()).collect();
            let found = open.candidates(&commit, &folders, |path| path.ends_with("Dockerfile")).unwrap();
            found
                .into_iter()
                .map(|(path, bytes)| {
                    assert_eq!(bytes, path.as_bytes());
                    path
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(found(&["a", "link", "none", "../a"]), ["a/Dockerfile", "a/b/Dockerfile"]);
        assert_eq!(found(&[""]).len(), 3);
    }
}
