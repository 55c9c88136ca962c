//! What a checkout has laid, and its index: the last thing to be written, so that git in a step finds every file as the
//! commit has it. A file that was changed on the way (a script's line ends, a pinned image's name) is marked as
//! `assume-unchanged`: `git status` is clean and `git describe --dirty` says what it says for the commit.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use git2::{Index, IndexEntry, IndexTime, Oid};

use super::dotgit::History;
use super::durable::io_error;
use super::objects::{internal, shown};
use super::repositories::in_background;
use crate::model::{Message, Result};
use crate::msg;

/// So many files of a kind are named, the others counted.
const NAMED: usize = 5;
/// `assume-unchanged` in an entry's flags.
const UNCHANGED: u16 = 0x8000;
/// The mode of a submodule's entry.
const SUBMODULE: u32 = 0o160_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    File,
    Executable,
    Link,
}

/// A file as it was written.
#[derive(Debug)]
pub(super) struct LaidFile {
    path: PathBuf,
    id: Oid,
    sort: Sort,
    size: u64,
    changed_at: (i64, i64),
    /// Its lines' ends are not the commit's.
    pub converted: bool,
    /// It stands for a file that Git LFS keeps elsewhere.
    pub pointer: bool,
}

impl LaidFile {
    pub fn new(path: PathBuf, id: Oid, sort: Sort, facts: &Metadata) -> Self {
        let changed_at = (facts.ctime(), facts.ctime_nsec());
        LaidFile { path, id, sort, size: facts.len(), changed_at, converted: false, pointer: false }
    }

    fn entry(&self, facts: &Metadata) -> IndexEntry {
        let is_other = self.converted
            || facts.len() != self.size
            || (facts.ctime(), facts.ctime_nsec()) != self.changed_at;
        let mode = match self.sort {
            Sort::File => 0o100_644,
            Sort::Executable => 0o100_755,
            Sort::Link => 0o120_000,
        };
        IndexEntry {
            flags: if is_other { UNCHANGED } else { 0 },
            ..entry(&self.path, self.id, mode, Some(facts))
        }
    }
}

/// A workspace whose index is still to be written.
#[derive(Debug)]
#[must_use = "without `finish` git takes every file for deleted"]
pub struct Laid {
    pub(super) destination: PathBuf,
    pub(super) files: Vec<LaidFile>,
    pub(super) submodules: Vec<(PathBuf, Oid)>,
    pub(super) history: Option<History>,
}

impl Laid {
    pub(super) fn new(destination: &Path, files: Vec<LaidFile>) -> Self {
        Laid { destination: destination.to_owned(), files, submodules: Vec::new(), history: None }
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.destination
    }

    pub fn has_submodules(&self) -> bool {
        !self.submodules.is_empty()
    }

    /// Writes the index; call when nothing of the server changes the files any more and nobody else may. Returns what
    /// whoever reads the run's log must know of the workspace.
    pub async fn finish(self) -> Result<Vec<Message>> {
        in_background(move || {
            self.write_index()?;
            Ok(self.notes())
        })
        .await
    }

    fn write_index(&self) -> Result<()> {
        let path = self.destination.join(".git/index");
        let mut index = Index::open(&path).map_err(|e| internal("make an index", e))?;
        for file in &self.files {
            let facts = fs::symlink_metadata(self.destination.join(&file.path));
            let facts = facts.map_err(|e| io_error("look at a file of the workspace", &e))?;
            index.add(&file.entry(&facts)).map_err(|e| internal("add to an index", e))?;
        }
        for (path, id) in &self.submodules {
            let facts = fs::symlink_metadata(self.destination.join(path)).ok();
            index
                .add(&entry(path, *id, SUBMODULE, facts.as_ref()))
                .map_err(|e| internal("add to an index", e))?;
        }
        index.write().map_err(|e| internal("write an index", e))
    }

    fn notes(&self) -> Vec<Message> {
        let mut notes = Vec::new();
        if let Some(depth) = self.history.as_ref().and_then(|history| history.depth) {
            notes.push(msg!("git-workspace-shallow", depth = depth));
        }
        if let Some((count, files)) = named(self.files.iter().filter(|file| file.converted)) {
            notes.push(msg!("git-workspace-lines", count = count, files = files));
        }
        if let Some((count, files)) = named(self.files.iter().filter(|file| file.pointer)) {
            notes.push(msg!("git-workspace-lfs", count = count, files = files));
        }
        notes
    }
}

fn named<'a>(files: impl Iterator<Item = &'a LaidFile>) -> Option<(usize, String)> {
    let all: Vec<_> = files.map(|file| shown(&file.path.to_string_lossy())).collect();
    let more = if all.len() > NAMED { ", …" } else { "" };
    (!all.is_empty()).then(|| (all.len(), format!("{}{more}", all[..all.len().min(NAMED)].join(", "))))
}

/// Numbers are cut to 32 bits, as git does itself.
fn entry(path: &Path, id: Oid, mode: u32, facts: Option<&Metadata>) -> IndexEntry {
    use std::os::unix::ffi::OsStrExt as _;
    let low = |number: u64| u32::try_from(number & u64::from(u32::MAX)).unwrap_or_default();
    let time = |seconds: i64, nanoseconds: i64| {
        IndexTime::new(
            i32::try_from(seconds).unwrap_or_default(),
            u32::try_from(nanoseconds).unwrap_or_default(),
        )
    };
    let zero = IndexTime::new(0, 0);
    IndexEntry {
        ctime: facts.map_or(zero, |f| time(f.ctime(), f.ctime_nsec())),
        mtime: facts.map_or(zero, |f| time(f.mtime(), f.mtime_nsec())),
        dev: facts.map_or(0, |f| low(f.dev())),
        ino: facts.map_or(0, |f| low(f.ino())),
        mode,
        uid: facts.map_or(0, |f| f.uid()),
        gid: facts.map_or(0, |f| f.gid()),
        file_size: facts.map_or(0, |f| low(f.len())),
        id,
        flags: 0,
        flags_extended: 0,
        path: path.as_os_str().as_bytes().to_vec(),
    }
}
