//! Refs read straight from `packed-refs` and loose files: ten times quicker than through a library,
//! and without a process. Only branches and tags exist for us; names the house does not take are
//! reported beside them, never acted on. It never writes a ref.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use memchr::memchr;

use crate::model::{CommitId, Error, RefName, Result};

/// Branches and tags, sorted by name, and what was left out: names that are not allowed here,
/// symbolic refs, and files that are no refs (a crash may leave an empty one).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefList {
    pub refs: Vec<(RefName, CommitId)>,
    pub skipped: Vec<String>,
}

/// All branches and tags. Loose files are read first: `git pack-refs` writes the packed file before
/// it removes a loose one, so in this order a ref can be seen twice but never missed.
pub(super) fn list(repository: &Path) -> Result<RefList> {
    let mut found: BTreeMap<RefName, CommitId> = BTreeMap::new();
    let mut skipped = Vec::new();
    for kind in ["heads", "tags"] {
        walk_loose(repository, &format!("refs/{kind}"), &mut |name, content| match (
            RefName::new(name),
            content.and_then(|bytes| loose_id(&bytes)),
        ) {
            (Ok(name), Some(id)) => drop(found.insert(name, id)),
            _ => skipped.push(shown(name.as_bytes())),
        })?;
    }
    let packed = packed_refs(repository)?;
    for (id, name) in PackedLines(&packed) {
        if !name.starts_with(b"refs/heads/") && !name.starts_with(b"refs/tags/") {
            continue;
        }
        let parsed = (ascii_name(name).and_then(|text| RefName::new(text).ok()), commit_id(id));
        match parsed {
            (Some(name), Some(id)) => drop(found.entry(name).or_insert(id)),
            _ => skipped.push(shown(name)),
        }
    }
    skipped.sort();
    skipped.dedup();
    Ok(RefList { refs: found.into_iter().collect(), skipped })
}

/// One ref: its loose file, else its line in `packed-refs`.
pub(super) fn read(repository: &Path, name: &RefName) -> Result<Option<CommitId>> {
    match fs::read(repository.join(name.as_str())) {
        Ok(bytes) => return Ok(loose_id(&bytes)),
        Err(cause) if is_absence(&cause) => {}
        Err(cause) => return Err(Error::internal("read a ref", cause)),
    }
    let packed = packed_refs(repository)?;
    let wanted = name.as_str().as_bytes();
    Ok(PackedLines(&packed).find(|(_, name)| *name == wanted).and_then(|(id, _)| commit_id(id)))
}

/// The branch that HEAD points to.
pub(super) fn head(repository: &Path) -> Result<RefName> {
    let text = fs::read_to_string(repository.join("HEAD")).map_err(|e| Error::internal("read HEAD", e))?;
    let target = text.trim_end().strip_prefix("ref: ").unwrap_or("refs/heads/main");
    RefName::new(target.trim()).or_else(|_| RefName::new("refs/heads/main"))
}

fn is_absence(cause: &std::io::Error) -> bool {
    // A branch `a` beside a wanted `a/b`, or a folder `a` in place of a wanted `a`.
    matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory)
}

fn packed_refs(repository: &Path) -> Result<Vec<u8>> {
    match fs::read(repository.join("packed-refs")) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        other => other.map_err(|e| Error::internal("read packed-refs", e)),
    }
}

/// Calls `each` with every file below a folder of refs and its content (`None` for anything that is
/// not a plain file). Lock files are passed over.
fn walk_loose(repository: &Path, folder: &str, each: &mut dyn FnMut(&str, Option<Vec<u8>>)) -> Result<()> {
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let entries = match fs::read_dir(repository.join(&folder)) {
            Ok(entries) => entries,
            Err(cause) if is_absence(&cause) => continue,
            Err(cause) => return Err(Error::internal("list refs", cause)),
        };
        for entry in entries {
            let entry = entry.map_err(|e| Error::internal("list refs", e))?;
            let file_name = entry.file_name();
            let name = format!("{folder}/{}", file_name.to_string_lossy());
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                open.push(name);
            } else if !name.ends_with(".lock") {
                read_loose(&entry.path(), &name, kind.is_file() && file_name.to_str().is_some(), each)?;
            }
        }
    }
    Ok(())
}

fn read_loose(
    path: &Path,
    name: &str,
    plain: bool,
    each: &mut dyn FnMut(&str, Option<Vec<u8>>),
) -> Result<()> {
    if !plain {
        each(name, None);
        return Ok(());
    }
    match fs::read(path) {
        Ok(bytes) => each(name, Some(bytes)),
        // Deleted or packed meanwhile; the packed file is read later.
        Err(cause) if is_absence(&cause) => {}
        Err(cause) => return Err(Error::internal("read a ref", cause)),
    }
    Ok(())
}

fn loose_id(bytes: &[u8]) -> Option<CommitId> {
    commit_id(bytes.trim_ascii_end())
}

fn commit_id(bytes: &[u8]) -> Option<CommitId> {
    CommitId::new(std::str::from_utf8(bytes).ok()?).ok()
}

fn ascii_name(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).escape_debug().take(300).collect()
}

/// `(id, name)` of every ref line; comments and the `^` lines of peeled tags are passed over.
struct PackedLines<'a>(&'a [u8]);

impl<'a> Iterator for PackedLines<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.0.is_empty() {
            let end = memchr(b'\n', self.0).unwrap_or(self.0.len());
            let line = &self.0[..end];
            self.0 = self.0.get(end + 1..).unwrap_or_default();
            if matches!(line.first(), None | Some(b'#' | b'^')) {
                continue;
            }
            if let Some(space) = memchr(b' ', line) {
                return Some((&line[..space], &line[space + 1..]));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::{Place, git};
    use proptest::prelude::*;

    fn from_git(directory: &Path) -> Vec<(String, String)> {
        let text = git(directory, &["for-each-ref", "--format=%(refname) %(objectname)"]);
        text.lines().filter_map(|l| l.split_once(' ')).map(|(a, b)| (a.into(), b.into())).collect()
    }

    #[test]
    fn says_what_git_says_loose_packed_and_mixed() {
        let place = Place::with_commits(3);
        let directory = place.directory();
        let compare = || {
            let ours = list(&directory).unwrap();
            let ours: Vec<_> = ours.refs.iter().map(|(n, c)| (n.to_string(), c.to_string())).collect();
            assert_eq!(ours, from_git(&directory));
        };
        git(&directory, &["branch", "feature/a/b", "main"]);
        git(&directory, &["tag", "-m", "one", "v1", "main"]);
        git(&directory, &["tag", "light", "main~1"]);
        compare();
        git(&directory, &["pack-refs", "--all"]);
        compare();
        git(&directory, &["branch", "-f", "feature/a/b", "main~2"]);
        git(&directory, &["branch", "new", "main"]);
        compare();
        git(&directory, &["branch", "-D", "feature/a/b"]);
        git(&directory, &["branch", "feature/a", "main"]);
        compare();
        let name = RefName::branch("feature/a").unwrap();
        assert_eq!(
            read(&directory, &name).unwrap().unwrap().to_string(),
            git(&directory, &["rev-parse", "main"]).trim()
        );
        assert_eq!(read(&directory, &RefName::branch("feature/a/b").unwrap()).unwrap(), None);
        assert_eq!(read(&directory, &RefName::branch("feature").unwrap()).unwrap(), None);
    }

    #[test]
    fn hostile_and_broken_refs_are_reported_not_listed() {
        let place = Place::with_commits(1);
        let directory = place.directory();
        let id = git(&directory, &["rev-parse", "main"]);
        fs::write(directory.join("refs/heads/$(id)"), &id).unwrap();
        fs::write(directory.join("refs/heads/empty"), "").unwrap();
        fs::write(directory.join("refs/heads/main.lock"), "").unwrap();
        fs::write(directory.join("refs/heads/other"), "ref: refs/heads/main\n").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", directory.join("refs/heads/link")).unwrap();
        let listed = list(&directory).unwrap();
        assert_eq!(listed.refs.len(), 1);
        assert_eq!(
            listed.skipped,
            ["refs/heads/$(id)", "refs/heads/empty", "refs/heads/link", "refs/heads/other"]
        );
    }

    proptest! {
        #[test]
        fn packed_lines_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            for (id, name) in PackedLines(&bytes) {
                let _ = (commit_id(id), shown(name));
            }
        }
    }
}
