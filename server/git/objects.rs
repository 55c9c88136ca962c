//! Files and folders of a commit, read from the object database through libgit2 and never along a
//! path of a checkout: a symbolic link in a repository must not lead anywhere. Blocking.

use std::path::Path;

use git2::{ErrorCode, ObjectType, Odb, Oid, RepositoryOpenFlags};

use crate::model::{CommitId, Error, Result};
use crate::msg;

/// The longest path of a file that is looked up, in bytes.
pub(super) const LONGEST_PATH: usize = 4096;

/// More entries of one commit than this are not looked at.
pub(super) const MOST_ENTRIES: usize = 1_000_000;

/// A README longer than this is not shown.
const LONGEST_README: u64 = 512 * 1024;

/// One repository, opened for reading. Belongs to one thread.
pub struct OpenRepository {
    pub(super) git: git2::Repository,
}

/// A file's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    pub id: CommitId,
    pub bytes: Vec<u8>,
    /// `File` or `Executable`.
    pub kind: EntryKind,
}

/// What an entry of a folder is: git's modes 040000, 100644, 100755, 120000 and 160000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    Folder,
    File,
    Executable,
    Link,
    Submodule,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeEntry {
    /// Bytes that are no UTF-8 are replaced.
    pub name: String,
    pub kind: EntryKind,
    pub id: CommitId,
    /// In bytes; of files only.
    pub size: Option<u64>,
}

/// A folder's entries, folders first; `truncated` when there were more than asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    pub entries: Vec<TreeEntry>,
    pub truncated: bool,
}

impl OpenRepository {
    pub(super) fn open(directory: &Path) -> Result<Self> {
        let flags =
            RepositoryOpenFlags::NO_SEARCH | RepositoryOpenFlags::BARE | RepositoryOpenFlags::NO_DOTGIT;
        let none: [&str; 0] = [];
        let git = git2::Repository::open_ext(directory, flags, none)
            .map_err(|e| Error::internal("open a repository", e))?;
        Ok(OpenRepository { git })
    }

    pub fn directory(&self) -> &Path {
        self.git.path()
    }

    /// Whether the commit is here.
    pub fn has_commit(&self, commit: &CommitId) -> Result<bool> {
        let id = oid(commit)?;
        match self.sound(id)?.find_commit(id) {
            Ok(_) => Ok(true),
            Err(cause) if cause.code() == ErrorCode::NotFound => Ok(false),
            Err(cause) => Err(internal("look for a commit", cause)),
        }
    }

    /// The file at `path` in `commit`, at most `limit` bytes of it being allowed. `None` when there is
    /// none; `Invalid` for a link (also on the way), a folder, a submodule, a bad path, a file too large.
    pub fn blob_at(&self, commit: &CommitId, path: &str, limit: u64) -> Result<Option<Blob>> {
        let Some(entry) = self.entry_at(commit, path)? else { return Ok(None) };
        let kind = match entry.kind {
            EntryKind::Link => return Err(Error::Invalid(msg!("git-path-link", path = shown(path)))),
            EntryKind::Folder => return Err(Error::Invalid(msg!("git-path-folder", path = shown(path)))),
            EntryKind::Submodule => {
                return Err(Error::Invalid(msg!("git-path-submodule", path = shown(path))));
            }
            kind @ (EntryKind::File | EntryKind::Executable) => kind,
        };
        let size = entry.size.unwrap_or(u64::MAX);
        if size > limit {
            return Err(Error::Invalid(msg!(
                "git-file-too-large",
                path = shown(path),
                size = size,
                limit = limit
            )));
        }
        let bytes = self.blob(&entry.id)?.content().to_vec();
        Ok(Some(Blob { id: entry.id, bytes, kind }))
    }

    /// Where the symbolic link at `path` points to, as text; it is never followed. `None` for anything else.
    pub fn link_at(&self, commit: &CommitId, path: &str) -> Result<Option<String>> {
        let entry = self.entry_at(commit, path)?.filter(|entry| entry.kind == EntryKind::Link);
        let Some(entry) = entry else { return Ok(None) };
        let blob = self.blob(&entry.id)?;
        let target = blob.content().get(..LONGEST_PATH).unwrap_or(blob.content());
        Ok(Some(String::from_utf8_lossy(target).into_owned()))
    }

    /// What is at `path` in `commit` (`""` is its root folder); `None` when there is nothing.
    /// `Invalid` when a folder on the way is a link or the path is not one.
    pub fn entry_at(&self, commit: &CommitId, path: &str) -> Result<Option<TreeEntry>> {
        let mut tree = self.root_tree(commit)?;
        let parts = parts(path)?;
        let Some((last, folders)) = parts.split_last() else {
            let id = id(tree.id())?;
            return Ok(Some(TreeEntry { name: String::new(), kind: EntryKind::Folder, id, size: None }));
        };
        for folder in folders {
            let entry = tree.get_name(folder).map(|entry| (entry.id(), kind_of(entry.filemode())));
            let id = match entry {
                Some((id, Some(EntryKind::Folder))) => id,
                Some((_, Some(EntryKind::Link))) => {
                    return Err(Error::Invalid(msg!("git-path-link", path = shown(path))));
                }
                _ => return Ok(None),
            };
            tree = self.sound(id)?.find_tree(id).map_err(|e| internal("read a folder", e))?;
        }
        let Some(entry) = tree.get_name(last) else { return Ok(None) };
        let odb = self.odb()?;
        described(&odb, &entry).map(Some)
    }

    /// The entries of the folder at `path` (`""` is the root), at most `limit` of them; `None` when
    /// there is no such folder.
    pub fn list_tree(&self, commit: &CommitId, path: &str, limit: usize) -> Result<Option<Listing>> {
        let Some(folder) = self.entry_at(commit, path)? else { return Ok(None) };
        if folder.kind != EntryKind::Folder {
            return Ok(None);
        }
        let id = oid(&folder.id)?;
        let tree = self.sound(id)?.find_tree(id).map_err(|e| internal("read a folder", e))?;
        let odb = self.odb()?;
        let listed = tree.iter().take(limit).map(|entry| described(&odb, &entry));
        let mut entries = listed.collect::<Result<Vec<_>>>()?;
        entries.sort_by_key(|entry| entry.kind != EntryKind::Folder);
        Ok(Some(Listing { entries, truncated: tree.len() > limit }))
    }

    /// Paths of files (also executable ones) in `commit` for which `wanted` says yes, sorted, at most
    /// `limit`; links, submodules and names that are no UTF-8 are left out. Looks at no more than a
    /// million entries and into no path longer than 4,096 bytes.
    pub fn find_files(
        &self,
        commit: &CommitId,
        limit: usize,
        mut wanted: impl FnMut(&str) -> bool,
    ) -> Result<Vec<String>> {
        let (mut found, mut seen) = (Vec::new(), 0usize);
        let mut open = vec![(self.root_tree(commit)?.id(), String::new())];
        while let Some((tree, folder)) = open.pop() {
            let tree = self.sound(tree)?.find_tree(tree).map_err(|e| internal("read a folder", e))?;
            for entry in &tree {
                let Ok(name) = entry.name() else { continue };
                let path = format!("{folder}{name}");
                seen += 1;
                match kind_of(entry.filemode()) {
                    Some(EntryKind::Folder) if path.len() < LONGEST_PATH => {
                        open.push((entry.id(), path + "/"))
                    }
                    Some(EntryKind::File | EntryKind::Executable) if wanted(&path) => found.push(path),
                    _ => {}
                }
            }
            if found.len() >= limit || seen >= MOST_ENTRIES {
                break;
            }
        }
        found.sort();
        found.truncate(limit);
        Ok(found)
    }

    /// The README of the folder at `path`: its name and content. `None` when there is none, or when
    /// it is a link or longer than 512 KiB.
    pub fn readme(&self, commit: &CommitId, path: &str) -> Result<Option<(String, Blob)>> {
        let Some(listing) = self.list_tree(commit, path, 10_000)? else { return Ok(None) };
        let rank = |name: &str| {
            let usual = ["readme.md", "readme.markdown", "readme", "readme.txt", "readme.rst"];
            usual.iter().position(|usual| name.eq_ignore_ascii_case(usual))
        };
        let files = listing.entries.into_iter().filter(|entry| {
            let is_file = matches!(entry.kind, EntryKind::File | EntryKind::Executable);
            is_file && entry.size.is_some_and(|size| size <= LONGEST_README)
        });
        let best = files.filter_map(|entry| Some((rank(&entry.name)?, entry))).min_by_key(|(rank, _)| *rank);
        let Some((_, entry)) = best else { return Ok(None) };
        let bytes = self.blob(&entry.id)?.content().to_vec();
        Ok(Some((entry.name, Blob { id: entry.id, bytes, kind: entry.kind })))
    }

    pub(super) fn root_tree(&self, commit: &CommitId) -> Result<git2::Tree<'_>> {
        let id = self.find_commit(commit)?.tree_id();
        self.sound(id)?.find_tree(id).map_err(|e| internal("read a commit's tree", e))
    }

    pub(super) fn find_commit(&self, id: &CommitId) -> Result<git2::Commit<'_>> {
        self.find_commit_at(oid(id)?)
    }

    pub(super) fn find_commit_at(&self, id: Oid) -> Result<git2::Commit<'_>> {
        self.sound(id)?.find_commit(id).map_err(|cause| match cause.code() {
            ErrorCode::NotFound => Error::NotFound(msg!("git-commit-missing", commit = id)),
            _ => internal("read a commit", cause),
        })
    }

    fn blob(&self, id: &CommitId) -> Result<git2::Blob<'_>> {
        let id = oid(id)?;
        self.sound(id)?.find_blob(id).map_err(|e| internal("read a file", e))
    }

    pub(super) fn odb(&self) -> Result<Odb<'_>> {
        self.git.odb().map_err(|e| internal("open the object database", e))
    }
}

pub(super) fn internal(doing: &str, cause: git2::Error) -> Error {
    Error::internal(doing, cause)
}

pub(super) fn oid(id: &CommitId) -> Result<Oid> {
    Oid::from_str(id.as_str()).map_err(|_| Error::NotFound(msg!("git-commit-missing", commit = id)))
}

pub(super) fn id(oid: Oid) -> Result<CommitId> {
    CommitId::new(oid.to_string())
}

pub(super) fn kind_of(mode: i32) -> Option<EntryKind> {
    match mode {
        0o040000 => Some(EntryKind::Folder),
        0o100644 => Some(EntryKind::File),
        0o100755 => Some(EntryKind::Executable),
        0o120000 => Some(EntryKind::Link),
        0o160000 => Some(EntryKind::Submodule),
        _ => None,
    }
}

fn described(odb: &Odb<'_>, entry: &git2::TreeEntry<'_>) -> Result<TreeEntry> {
    let name = String::from_utf8_lossy(entry.name_bytes()).into_owned();
    let Some(kind) = kind_of(entry.filemode()) else {
        return Err(Error::Invalid(msg!("git-entry-unknown", path = shown(&name))));
    };
    let is_file = matches!(kind, EntryKind::File | EntryKind::Executable);
    let size = match is_file.then(|| odb.read_header(entry.id())) {
        Some(Ok((size, ObjectType::Blob))) => Some(size as u64),
        Some(Ok(_)) => {
            return Err(Error::internal("read a folder", "an entry's mode is not that of its object"));
        }
        Some(Err(cause)) => return Err(internal("read a folder", cause)),
        None => None,
    };
    Ok(TreeEntry { name, kind, id: id(entry.id())?, size })
}

/// The parts of a path within a repository; the empty path has none.
fn parts(path: &str) -> Result<Vec<&str>> {
    if path.is_empty() {
        return Ok(Vec::new());
    }
    let parts: Vec<&str> = path.split('/').collect();
    let bad = |part: &&str| part.is_empty() || *part == "." || *part == ".." || part.contains(['\0', '\\']);
    if path.len() > LONGEST_PATH || parts.iter().any(bad) {
        return Err(Error::Invalid(msg!("git-path-invalid", path = shown(path))));
    }
    Ok(parts)
}

/// A path as it may stand in a sentence.
pub(super) fn shown(path: &str) -> String {
    path.chars().take(300).collect::<String>().escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::{Place, git};
    use proptest::prelude::*;

    fn hostile() -> (Place, CommitId) {
        let place = Place::with_commits(1);
        let work = place.work();
        for (target, link) in [("/etc", "ci"), ("/etc/passwd", "Jenkinsfile"), ("src", "inside")] {
            std::os::unix::fs::symlink(target, work.join(link)).unwrap();
        }
        std::fs::write(work.join("README.md"), "# Numbers").unwrap();
        git(&work, &["add", "-A"]);
        git(
            &work,
            &["update-index", "--add", "--cacheinfo", "160000,1111111111111111111111111111111111111111,sub"],
        );
        git(&work, &["commit", "-q", "-m", "links"]);
        place.push_to_path();
        let id = CommitId::new(git(&work, &["rev-parse", "HEAD"]).trim()).unwrap();
        (place, id)
    }

    #[test]
    fn links_never_lead_anywhere() {
        let (place, commit) = hostile();
        let open = place.repositories.open(&place.path).unwrap();
        for path in [
            "Jenkinsfile",
            "ci/passwd",
            "inside/1.txt",
            "src",
            "sub",
            "",
            "../x",
            "/etc/passwd",
            "a//b",
            "src/.",
            "a\0",
        ] {
            let refused = open.blob_at(&commit, path, 1000);
            assert!(matches!(refused, Err(Error::Invalid(_))), "{path:?} {refused:?}");
        }
        for path in ["missing", "src/missing", "number/x", "sub/x"] {
            assert_eq!(open.blob_at(&commit, path, 1000).unwrap(), None, "{path}");
        }
        assert_eq!(open.blob_at(&commit, "src/1.txt", 2).unwrap().unwrap().bytes, b"1\n");
        assert!(matches!(open.blob_at(&commit, "src/1.txt", 1), Err(Error::Invalid(_))));
        let blob = open.find_files(&commit, 10, |_| true).unwrap();
        assert_eq!(blob, ["README.md", "number", "src/1.txt"]);
    }

    #[test]
    fn listings() {
        let (place, commit) = hostile();
        let open = place.repositories.open(&place.path).unwrap();
        let listing = open.list_tree(&commit, "", 100).unwrap().unwrap();
        let shown: Vec<_> = listing.entries.iter().map(|e| (e.name.as_str(), e.kind, e.size)).collect();
        assert_eq!(shown[0], ("src", EntryKind::Folder, None));
        assert!(
            shown.contains(&("ci", EntryKind::Link, None))
                && shown.contains(&("sub", EntryKind::Submodule, None))
        );
        assert!(shown.contains(&("number", EntryKind::File, Some(2))));
        let short = open.list_tree(&commit, "", 2).unwrap().unwrap();
        assert!(short.truncated && short.entries.len() == 2);
        assert_eq!(open.list_tree(&commit, "number", 2).unwrap(), None);
        assert_eq!(open.readme(&commit, "").unwrap().unwrap().1.bytes, b"# Numbers");
        assert_eq!(open.readme(&commit, "src").unwrap(), None);
    }

    proptest! {
        #[test]
        fn parts_are_plain_names(path in "\\PC{0,60}") {
            for part in parts(&path).unwrap_or_default() {
                prop_assert!(!part.is_empty() && part != ".." && part != "." && !part.contains(['/', '\\', '\0']));
            }
        }
    }
}
