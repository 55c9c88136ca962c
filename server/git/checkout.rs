//! A commit's files into a fresh folder, written straight from the object database: no hook, no
//! filter, no attribute, no program. Links are made last, so that no file can be written through
//! one, and a link that leads out of the folder refuses the checkout. Submodules become empty
//! folders, as with plain `git clone`. There is no `.git` in the result.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use git2::Oid;

use super::durable::io_error;
use super::objects::{EntryKind, LONGEST_PATH, MOST_ENTRIES, OpenRepository, internal, kind_of, shown};
use super::repositories::{Repositories, in_background};
use crate::model::{CommitId, Error, RepositoryPath, Result};
use crate::msg;

/// The sum of a checkout's files, in bytes; a small pack can hold far more than any disk.
const LARGEST: u64 = 32 * 1024 * 1024 * 1024;
/// A link's target, in bytes, as the system has it.
const LONGEST_TARGET: usize = 4095;
/// As many links on one way as the system follows.
const MOST_HOPS: usize = 40;

impl Repositories {
    /// Fills `destination` (made here; an existing empty folder will do) with the files of `commit`.
    /// `Invalid` names the entry that is refused; what is in the folder then is to be thrown away.
    pub async fn checkout(&self, path: &RepositoryPath, commit: &CommitId, destination: &Path) -> Result<()> {
        let directory = self.served(path)?;
        let (commit, destination) = (commit.clone(), destination.to_owned());
        in_background(move || checkout(&directory, &commit, &destination)).await
    }
}

/// What is to be made, with paths relative to the destination.
#[derive(Default)]
struct Plan {
    folders: Vec<PathBuf>,
    files: Vec<(PathBuf, Oid, bool)>,
    links: Vec<(PathBuf, Oid)>,
}

fn checkout(repository: &Path, commit: &CommitId, destination: &Path) -> Result<()> {
    let open = OpenRepository::open(repository)?;
    let plan = plan(&open, commit)?;
    let targets = targets(&open, &plan.links)?;
    if let Some(path) = escaping(&targets) {
        return Err(Error::Invalid(msg!("git-checkout-link", path = shown(&path.to_string_lossy()))));
    }
    fs::create_dir_all(destination).map_err(|e| io_error("make the workspace", &e))?;
    let is_empty = fs::read_dir(destination).map(|mut entries| entries.next().is_none());
    if !is_empty.map_err(|e| io_error("look at the workspace", &e))? {
        return Err(Error::internal("checkout", "the destination is not empty"));
    }
    for folder in &plan.folders {
        fs::create_dir(destination.join(folder))
            .map_err(|e| io_error("make a folder of the workspace", &e))?;
    }
    write_files(repository, destination, &plan.files)?;
    for (path, target) in &targets {
        let made = std::os::unix::fs::symlink(target, destination.join(path));
        made.map_err(|e| io_error("make a link of the workspace", &e))?;
    }
    Ok(())
}

fn plan(open: &OpenRepository, commit: &CommitId) -> Result<Plan> {
    let mut plan = Plan::default();
    let mut pending = vec![(open.root_tree(commit)?.id(), PathBuf::new())];
    let mut seen = 0;
    while let Some((tree, folder)) = pending.pop() {
        let tree = open.sound(tree)?.find_tree(tree).map_err(|e| internal("read a folder", e))?;
        for entry in &tree {
            seen += 1;
            if seen > MOST_ENTRIES {
                return Err(Error::Invalid(msg!("git-checkout-too-many", limit = MOST_ENTRIES)));
            }
            let path = folder.join(harmless(entry.name_bytes(), &folder)?);
            if path.as_os_str().len() >= LONGEST_PATH {
                return Err(refused(&path));
            }
            match kind_of(entry.filemode()).ok_or_else(|| refused(&path))? {
                EntryKind::Folder => {
                    plan.folders.push(path.clone());
                    pending.push((entry.id(), path));
                }
                EntryKind::Submodule => plan.folders.push(path),
                EntryKind::Link => plan.links.push((path, entry.id())),
                kind => plan.files.push((path, entry.id(), kind == EntryKind::Executable)),
            }
        }
    }
    Ok(plan)
}

/// The name of a tree's entry as one part of a path: fsck refuses the rest at a push, but not
/// everything came here by a push.
fn harmless(name: &[u8], folder: &Path) -> Result<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    let part = PathBuf::from(std::ffi::OsStr::from_bytes(name));
    let bad = name.is_empty() || name == b"." || name == b".." || name.eq_ignore_ascii_case(b".git");
    if bad || name.iter().any(|byte| matches!(byte, b'/' | 0)) {
        return Err(refused(&folder.join(part)));
    }
    Ok(part)
}

fn refused(path: &Path) -> Error {
    Error::Invalid(msg!("git-checkout-name", path = shown(&path.to_string_lossy())))
}

/// Half of the time goes into inflating and half into making files, so two threads or more help.
fn write_files(repository: &Path, destination: &Path, files: &[(PathBuf, Oid, bool)]) -> Result<()> {
    let (left, failed) = (AtomicU64::new(LARGEST), AtomicBool::new(false));
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get().min(4));
    // Neighbours in a pack are often deltas of each other: each thread takes one stretch of the tree.
    let share = files.len().div_ceil(threads).max(64);
    std::thread::scope(|scope| {
        let (left, failed) = (&left, &failed);
        let work = |part: &[(PathBuf, Oid, bool)]| {
            let written = write_part(repository, destination, part, (left, failed));
            failed.fetch_or(written.is_err(), Ordering::Relaxed);
            written
        };
        let running: Vec<_> = files.chunks(share).map(|part| scope.spawn(move || work(part))).collect();
        running.into_iter().try_for_each(|thread| match thread.join() {
            Ok(written) => written,
            Err(_) => Err(Error::internal("checkout", "a thread panicked")),
        })
    })
}

fn write_part(
    repository: &Path,
    destination: &Path,
    files: &[(PathBuf, Oid, bool)],
    (left, failed): (&AtomicU64, &AtomicBool),
) -> Result<()> {
    let open = OpenRepository::open(repository)?;
    let odb = open.odb()?;
    for (path, id, executable) in files {
        if failed.load(Ordering::Relaxed) {
            break;
        }
        open.sound(*id)?;
        let object = odb.read(*id).map_err(|e| internal("read a file", e))?;
        let size = object.len() as u64;
        if left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(size)).is_err() {
            return Err(Error::Invalid(msg!("git-checkout-too-large", limit = LARGEST)));
        }
        let mode = if *executable { 0o755 } else { 0o644 };
        let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(destination.join(path));
        let written = file.and_then(|mut file| file.write_all(object.data()));
        written.map_err(|e| io_error("write a file of the workspace", &e))?;
    }
    Ok(())
}

fn targets(open: &OpenRepository, links: &[(PathBuf, Oid)]) -> Result<HashMap<PathBuf, PathBuf>> {
    use std::os::unix::ffi::OsStrExt as _;
    let target = |(path, id): &(PathBuf, Oid)| {
        let blob = open.sound(*id)?.find_blob(*id).map_err(|e| internal("read a link", e))?;
        let bytes = blob.content();
        if bytes.is_empty() || bytes.len() > LONGEST_TARGET || bytes.contains(&0) {
            return Err(refused(path));
        }
        Ok((path.clone(), PathBuf::from(std::ffi::OsStr::from_bytes(bytes))))
    };
    links.iter().map(target).collect()
}

/// The first link (by name) that leads out of the tree, if followed as the system would.
fn escaping(links: &HashMap<PathBuf, PathBuf>) -> Option<&PathBuf> {
    links.keys().filter(|path| leads_out(path, links)).min()
}

fn leads_out(link: &Path, links: &HashMap<PathBuf, PathBuf>) -> bool {
    use std::path::Component;
    let mut at = PathBuf::new();
    let mut ahead: Vec<PathBuf> = parts_reversed(link);
    let mut hops = 0;
    while let Some(part) = ahead.pop() {
        match part.components().next() {
            None | Some(Component::CurDir) => continue,
            Some(Component::ParentDir) => {
                if !at.pop() {
                    return true;
                }
                continue;
            }
            Some(Component::RootDir | Component::Prefix(_)) => return true,
            Some(Component::Normal(name)) => at.push(name),
        }
        if let Some(target) = links.get(&at) {
            hops += 1;
            if hops > MOST_HOPS {
                // The system gives up here too.
                return false;
            }
            at.pop();
            ahead.extend(parts_reversed(target));
        }
    }
    false
}

fn parts_reversed(path: &Path) -> Vec<PathBuf> {
    path.components().rev().map(|part| PathBuf::from(part.as_os_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::{Place, git};
    use proptest::prelude::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    async fn check_out(place: &Place, to: &Path) -> Result<()> {
        let commit = place.repositories.open(&place.path)?.resolve("main")?.commit;
        place.repositories.checkout(&place.path, &commit, to).await
    }

    fn commit_all(place: &Place) {
        git(&place.work(), &["add", "-A"]);
        git(&place.work(), &["commit", "-q", "-m", "more"]);
        place.push_to_path();
    }

    #[tokio::test]
    async fn the_same_files_as_git_has() {
        let place = Place::with_commits(2);
        let work = place.work();
        fs::create_dir_all(work.join("deep/er")).unwrap();
        fs::write(work.join("deep/er/run.sh"), "#!/bin/sh\n").unwrap();
        fs::set_permissions(work.join("deep/er/run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(work.join("line.bat"), "a\r\n").unwrap();
        fs::write(work.join(".gitattributes"), "* text eol=lf filter=evil\n").unwrap();
        fs::write(work.join("deep/한글.txt"), "x").unwrap();
        symlink("er/run.sh", work.join("deep/run")).unwrap();
        symlink("../number", work.join("deep/number")).unwrap();
        symlink("nowhere", work.join("dangling")).unwrap();
        commit_all(&place);
        let out = place.folder.path().join("out");
        check_out(&place, &out).await.unwrap();
        assert_eq!(
            git(
                &out,
                &[
                    "--work-tree=.",
                    &format!("--git-dir={}", work.join(".git").display()),
                    "-c",
                    "core.autocrlf=false",
                    "diff",
                    "--no-ext-diff",
                    "HEAD",
                    "--stat"
                ]
            ),
            ""
        );
        // What others may do with it says the umask, as with git.
        assert_eq!(fs::metadata(out.join("deep/run")).unwrap().permissions().mode() & 0o700, 0o700);
        assert_eq!(fs::read_link(out.join("dangling")).unwrap(), Path::new("nowhere"));
        assert!(!out.join(".git").exists());
        assert!(check_out(&place, &out).await.is_err(), "never into a folder with something in it");
    }

    #[tokio::test]
    async fn links_that_lead_out_are_refused_by_name() {
        for (links, named) in [
            (&[("/etc", "ci")][..], "ci"),
            (&[("../../x", "a/up")], "a/up"),
            (&[("../..", "a/b/up"), ("a/b/up/..", "out")], "out"),
            (&[("b", "a"), ("c", "b"), ("..", "c")], "a"),
        ] {
            let place = Place::with_commits(1);
            for (target, link) in links {
                let path = place.work().join(link);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                symlink(target, path).unwrap();
            }
            commit_all(&place);
            let out = place.folder.path().join("out");
            let Err(Error::Invalid(message)) = check_out(&place, &out).await else { panic!("{links:?}") };
            assert_eq!((message.key.as_ref(), message.args["path"].as_str()), ("git-checkout-link", named));
            assert!(!out.exists(), "refused before anything is written");
        }
    }

    #[tokio::test]
    async fn hostile_trees_that_no_push_brought() {
        let place = Place::with_commits(1);
        let directory = place.directory();
        let blob = git(&directory, &["rev-parse", "main:number"]).trim().to_owned();
        let sub = git(&directory, &["rev-parse", "main:src"]).trim().to_owned();
        let link = git(&place.work(), &["hash-object", "-w", "--stdin"]);
        assert!(!link.is_empty());
        for (entries, key) in [
            (format!("40000 tree {sub}\t.git"), "git-checkout-name"),
            (format!("40000 tree {sub}\t.."), "git-checkout-name"),
            (format!("100644 blob {blob}\t.GIT"), "git-checkout-name"),
        ] {
            let tree = make_tree(&directory, &entries);
            let commit = git(&directory, &["commit-tree", "-m", "x", tree.trim()]);
            let commit = CommitId::new(commit.trim()).unwrap();
            let out = place.folder.path().join("out");
            let refused = place.repositories.checkout(&place.path, &commit, &out).await;
            let Err(Error::Invalid(message)) = refused else { panic!("{entries}") };
            assert_eq!(message.key, key);
        }
    }

    /// A tree object with names that `git mktree` would refuse.
    fn make_tree(directory: &Path, entry: &str) -> String {
        let (meta, name) = entry.split_once('\t').unwrap();
        let parts: Vec<&str> = meta.split(' ').collect();
        let id = Oid::from_str(parts[2]).unwrap();
        let mut bytes = format!("{} {name}\0", parts[0]).into_bytes();
        bytes.extend_from_slice(id.as_bytes());
        let open = git2::Repository::open_bare(directory).unwrap();
        open.odb().unwrap().write(git2::ObjectType::Tree, &bytes).unwrap().to_string()
    }

    proptest! {
        #[test]
        fn a_link_that_stays_never_reaches_above(targets in proptest::collection::vec("(\\.\\./|a/|b/|c/|\\./){0,4}(a|b|c|\\.\\.)", 3)) {
            let names = ["a", "b/c", "c"];
            let links: HashMap<PathBuf, PathBuf> = names.iter().map(PathBuf::from).zip(targets.iter().map(PathBuf::from)).collect();
            // The same links on a real disk: whatever the system resolves must lie inside.
            let root = tempfile::tempdir().unwrap();
            let tree = root.path().canonicalize().unwrap().join("tree");
            fs::create_dir_all(tree.join("b")).unwrap();
            for (path, target) in &links { symlink(target, tree.join(path)).unwrap(); }
            for path in links.keys().filter(|path| !leads_out(path, &links)) {
                if let Ok(real) = tree.join(path).canonicalize() { prop_assert!(real.starts_with(&tree), "{path:?} {links:?}"); }
            }
        }
    }
}
