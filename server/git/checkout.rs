//! A commit's files into a fresh folder, written straight from the object database: no hook, no
//! filter, no attribute, no program. Links are made last and never followed, so that no file can be
//! written through one; where they lead is the business of whoever works there. Beside the files a
//! `.git` is laid (see `dotgit`), whose index is written by `Laid::finish` when all is in its place.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use git2::Oid;

use super::dotgit::{self, Head};
use super::durable::io_error;
use super::laid::{Laid, LaidFile, Sort};
use super::objects::{EntryKind, LONGEST_PATH, MOST_ENTRIES, OpenRepository, internal, kind_of, shown};
use super::repositories::{Repositories, in_background};
use super::textual::{is_pointer, with_unix_lines};
use crate::model::{CommitId, Error, RepositoryPath, Result};
use crate::msg;

/// The sum of a checkout's files, in bytes; a small pack can hold far more than any disk.
const LARGEST: u64 = 32 * 1024 * 1024 * 1024;
/// A link's target, in bytes, as the system has it.
const LONGEST_TARGET: usize = 4095;

impl Repositories {
    /// Fills `destination` (made here; an existing empty folder will do) with the files of `commit` and a `.git`
    /// with its history. `Invalid` names the entry that is refused; what is in the folder then is to be thrown away.
    pub async fn checkout(
        &self,
        path: &RepositoryPath,
        commit: &CommitId,
        destination: &Path,
        head: &Head,
    ) -> Result<Laid> {
        let directory = self.served(path)?;
        let files = in_background({
            let (directory, commit, destination) =
                (directory.clone(), commit.clone(), destination.to_owned());
            move || checkout(&directory, &commit, &destination)
        });
        let git = destination.join(".git");
        let (laid, history) =
            futures_util::future::join(files, dotgit::lay(&directory, commit, &git, head)).await;
        let mut laid = laid?;
        laid.history = Some(history?);
        Ok(laid)
    }
}

/// What is to be made, with paths relative to the destination.
#[derive(Default)]
struct Plan {
    folders: Vec<PathBuf>,
    files: Vec<(PathBuf, Oid, bool)>,
    links: Vec<(PathBuf, Oid)>,
    /// Folders too, with the commit that is to be in them.
    submodules: Vec<(PathBuf, Oid)>,
}

pub(super) fn checkout(repository: &Path, commit: &CommitId, destination: &Path) -> Result<Laid> {
    let open = OpenRepository::open(repository)?;
    let plan = plan(&open, commit)?;
    let targets = targets(&open, &plan.links)?;
    fs::create_dir_all(destination).map_err(|e| io_error("make the workspace", &e))?;
    // `.git` is laid at the same time; nothing else may be there.
    let names = fs::read_dir(destination).map_err(|e| io_error("look at the workspace", &e))?;
    if names.flatten().any(|entry| entry.file_name() != ".git") {
        return Err(Error::internal("checkout", "the destination is not empty"));
    }
    for folder in &plan.folders {
        fs::create_dir(destination.join(folder))
            .map_err(|e| io_error("make a folder of the workspace", &e))?;
    }
    let mut files = write_files(repository, destination, &plan.files)?;
    for (path, id, target) in targets {
        let at = destination.join(&path);
        std::os::unix::fs::symlink(target, &at).map_err(|e| io_error("make a link of the workspace", &e))?;
        let facts = fs::symlink_metadata(&at).map_err(|e| io_error("look at a link of the workspace", &e))?;
        files.push(LaidFile::new(path, id, Sort::Link, &facts));
    }
    let mut laid = Laid::new(destination, files);
    laid.submodules = plan.submodules;
    Ok(laid)
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
                EntryKind::Submodule => {
                    plan.folders.push(path.clone());
                    plan.submodules.push((path, entry.id()));
                }
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
fn write_files(
    repository: &Path,
    destination: &Path,
    files: &[(PathBuf, Oid, bool)],
) -> Result<Vec<LaidFile>> {
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
        let mut all = Vec::with_capacity(files.len());
        for thread in running {
            all.extend(thread.join().map_err(|_| Error::internal("checkout", "a thread panicked"))??);
        }
        Ok(all)
    })
}

fn write_part(
    repository: &Path,
    destination: &Path,
    files: &[(PathBuf, Oid, bool)],
    (left, failed): (&AtomicU64, &AtomicBool),
) -> Result<Vec<LaidFile>> {
    let open = OpenRepository::open(repository)?;
    let odb = open.odb()?;
    let mut all = Vec::with_capacity(files.len());
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
        let unix = with_unix_lines(path, object.data());
        let written = file.and_then(|mut file| {
            file.write_all(unix.as_deref().unwrap_or(object.data()))?;
            file.metadata()
        });
        let facts = written.map_err(|e| io_error("write a file of the workspace", &e))?;
        let sort = if *executable { Sort::Executable } else { Sort::File };
        let mut laid = LaidFile::new(path.clone(), *id, sort, &facts);
        (laid.converted, laid.pointer) = (unix.is_some(), is_pointer(object.data()));
        all.push(laid);
    }
    Ok(all)
}

fn targets(open: &OpenRepository, links: &[(PathBuf, Oid)]) -> Result<Vec<(PathBuf, Oid, PathBuf)>> {
    use std::os::unix::ffi::OsStrExt as _;
    let target = |(path, id): &(PathBuf, Oid)| {
        let blob = open.sound(*id)?.find_blob(*id).map_err(|e| internal("read a link", e))?;
        let bytes = blob.content();
        if bytes.is_empty() || bytes.len() > LONGEST_TARGET || bytes.contains(&0) {
            return Err(refused(path));
        }
        Ok((path.clone(), *id, PathBuf::from(std::ffi::OsStr::from_bytes(bytes))))
    };
    links.iter().map(target).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::{Place, git};
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    async fn check_out(place: &Place, to: &Path) -> Result<()> {
        let commit = place.repositories.open(&place.path)?.resolve("main")?.commit;
        place.repositories.checkout(&place.path, &commit, to, &head()).await?.finish().await.map(drop)
    }

    fn head() -> Head {
        let reference = crate::model::RefName::new("refs/heads/main").unwrap();
        Head { reference: Some(reference), url: "http://ropewalk.test/admin/numbers.git".into() }
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
        assert!(check_out(&place, &out).await.is_err(), "never into a folder with something in it");
    }

    #[tokio::test]
    async fn links_are_laid_as_they_are_and_nothing_is_written_through_them() {
        let place = Place::with_commits(1);
        let outside = place.folder.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("kept"), "kept").unwrap();
        let absolute = outside.to_str().unwrap().to_owned();
        for (target, link) in
            [(absolute.as_str(), "ci"), ("../../x", "a/up"), ("../..", "a/b/up"), ("ci", "round")]
        {
            let path = place.work().join(link);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            symlink(target, path).unwrap();
        }
        commit_all(&place);
        let out = place.folder.path().join("out");
        check_out(&place, &out).await.unwrap();
        assert_eq!(fs::read_link(out.join("ci")).unwrap(), outside);
        assert_eq!(fs::read_link(out.join("a/b/up")).unwrap(), Path::new("../.."));
        assert_eq!(git(&out, &["status", "--porcelain"]), "");
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn the_history_is_there_and_nothing_is_changed() {
        let place = Place::with_commits(3);
        let work = place.work();
        git(&work, &["tag", "-a", "-m", "one", "v1.0", "HEAD~1"]);
        git(&work, &["push", "-q", place.directory().to_str().unwrap(), "v1.0"]);
        let out = place.folder.path().join("out");
        check_out(&place, &out).await.unwrap();
        let same = |args: &[&str]| assert_eq!(git(&out, args), git(&work, args), "{args:?}");
        same(&["describe", "--tags", "--always", "--dirty"]);
        same(&["log", "-p", "--format=%H %an %s"]);
        same(&["diff", "HEAD~2"]);
        same(&["rev-parse", "--abbrev-ref", "HEAD"]);
        assert_eq!(
            git(&out, &["status", "--porcelain=v2", "--branch"])
                .lines()
                .filter(|l| !l.starts_with('#'))
                .count(),
            0
        );
        assert_eq!(git(&out, &["config", "remote.origin.url"]).trim(), head().url);
        assert_eq!(git(&out, &["rev-parse", "origin/main"]), git(&work, &["rev-parse", "main"]));
        git(&out, &["fsck", "--strict"]);
    }

    #[tokio::test]
    async fn scripts_from_windows_get_unix_lines_and_count_as_unchanged() {
        let place = Place::with_commits(1);
        let work = place.work();
        git(&work, &["config", "core.autocrlf", "false"]);
        for (path, text) in [
            ("ci/00-verify.sh", "#!/bin/sh\r\nset -e\r\n"),
            ("bom.sh", "\u{feff}#!/bin/sh\necho\n"),
            ("tool", "#!/usr/bin/env python3\r\n"),
            ("data.csv", "a\r\nb\r\n"),
            ("lfs.bin", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"),
        ] {
            fs::create_dir_all(work.join(path).parent().unwrap()).unwrap();
            fs::write(work.join(path), text).unwrap();
        }
        commit_all(&place);
        let out = place.folder.path().join("out");
        let commit = place.repositories.open(&place.path).unwrap().resolve("main").unwrap().commit;
        let laid = place.repositories.checkout(&place.path, &commit, &out, &head()).await.unwrap();
        // As pins do, before any step begins.
        fs::write(out.join("number"), "another\n").unwrap();
        let notes = laid.finish().await.unwrap();
        assert_eq!(git(&out, &["status", "--porcelain"]), "");
        assert_eq!(fs::read_to_string(out.join("ci/00-verify.sh")).unwrap(), "#!/bin/sh\nset -e\n");
        assert_eq!(fs::read_to_string(out.join("bom.sh")).unwrap(), "#!/bin/sh\necho\n");
        assert_eq!(fs::read_to_string(out.join("data.csv")).unwrap(), "a\r\nb\r\n");
        let keys: Vec<_> = notes.iter().map(|note| (&*note.key, &*note.args["count"])).collect();
        assert_eq!(keys, [("git-workspace-lines", "3"), ("git-workspace-lfs", "1")]);
    }

    #[tokio::test]
    async fn a_repository_with_too_many_objects_to_copy_has_its_last_commits() {
        let place = Place::with_commits(60);
        let work = place.work();
        git(&work, &["tag", "old", "HEAD~58"]);
        git(&work, &["tag", "-a", "-m", "new", "new", "HEAD~3"]);
        git(&work, &["push", "-q", place.directory().to_str().unwrap(), "old", "new"]);
        let out = place.folder.path().join("out");
        let commit = place.repositories.open(&place.path).unwrap().resolve("main").unwrap().commit;
        let laid = checkout(&place.directory(), &commit, &out).unwrap();
        let shallow =
            dotgit::lay_within(&place.directory(), &commit, &out.join(".git"), &head(), 0).await.unwrap();
        let notes = Laid { history: Some(shallow), ..laid }.finish().await.unwrap();
        assert_eq!((&*notes[0].key, &*notes[0].args["depth"]), ("git-workspace-shallow", "50"));
        assert_eq!(git(&out, &["rev-list", "--count", "HEAD"]).trim(), "50");
        assert_eq!(git(&out, &["describe"]), git(&work, &["describe"]));
        assert_eq!(git(&out, &["tag"]).trim(), "new");
        assert_eq!(git(&out, &["status", "--porcelain"]), "");
        git(&out, &["fsck", "--strict"]);
        git(&out, &["fetch", "-q", "--unshallow", place.directory().to_str().unwrap(), "main"]);
        assert_eq!(git(&out, &["rev-list", "--count", "HEAD"]).trim(), "60");
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
            let refused = place.repositories.checkout(&place.path, &commit, &out, &head()).await;
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
}
