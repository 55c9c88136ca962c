//! The `.git` of a workspace: history, tags, branches and the remote `origin`, so that a step's git answers as in a
//! clone. Everything in it is a copy: a step may write to it, and nothing of the server's must change with it.
//!
//! Copying the packs as they lie costs a few milliseconds and brings the whole history. A repository that is too large
//! for that, or lies in too many loose files, gets a pack of its last commits, which `git fetch --unshallow` completes.
//! A copy brings what lies in the repository, also what no ref reaches any more.

use std::collections::{HashSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use git2::Oid;
use tokio::io::AsyncWriteExt as _;

use super::durable::io_error;
use super::objects::{OpenRepository, internal, oid};
use super::program::{Invocation, collect_errors, reap};
use super::refs;
use super::repositories::{folders, in_background};
use crate::model::{CommitId, Error, RefName, Result};
use crate::msg;

/// Packs larger than this together are not copied.
const LARGEST_COPY: u64 = 64 * 1024 * 1024;
/// Nor more loose objects than this.
const MOST_LOOSE: usize = 2000;
/// How far back a history goes that is not copied as a whole, and of how many commits it is begun at most.
const DEPTH: usize = 50;
const MOST_COMMITS: usize = 2000;
/// Tags that are looked at for a history that is not whole.
const MOST_TAGS: usize = 5000;
/// The pack of the last commits.
const RECENT: &str = "objects/pack/pack-recent.pack";
/// Packing takes seconds for a gigabyte.
const PACKING: Duration = Duration::from_secs(15 * 60);

/// What the workspace is of.
#[derive(Clone, Debug)]
pub struct Head {
    /// A branch is checked out; of a tag, or of nothing, HEAD is detached.
    pub reference: Option<RefName>,
    /// Of the remote `origin`.
    pub url: String,
}

impl Head {
    /// For a HEAD that names the commit itself, and no branch.
    pub fn detached(url: String) -> Self {
        Head { reference: None, url }
    }

    /// The branch's whole name, and the short one.
    fn branch(&self) -> Option<(&RefName, &str)> {
        let name = self.reference.as_ref()?;
        Some((name, name.branch_name()?))
    }
}

/// What was laid.
#[derive(Debug)]
pub(super) struct History {
    /// Of a history that is not whole.
    pub depth: Option<usize>,
}

/// What is to be copied, when that is little enough.
struct Objects {
    packs: Vec<PathBuf>,
    loose: Vec<PathBuf>,
}

/// Makes `git`, a folder that is not there yet.
pub(super) async fn lay(repository: &Path, commit: &CommitId, git: &Path, head: &Head) -> Result<History> {
    lay_within(repository, commit, git, head, LARGEST_COPY).await
}

/// As `lay`; more than `largest` bytes of packs are not copied.
pub(super) async fn lay_within(
    repository: &Path,
    commit: &CommitId,
    git: &Path,
    head: &Head,
    largest: u64,
) -> Result<History> {
    let copied = in_background({
        let (repository, commit, git, head) =
            (repository.to_owned(), commit.clone(), git.to_owned(), head.clone());
        move || {
            frame(&git, &commit, &head)?;
            // Before the objects: what a ref reaches is there when the ref is.
            let known = refs::list(&repository)?.refs;
            match objects(&repository, largest).map_err(|e| io_error("look at a repository's objects", &e))? {
                Some(found) => {
                    copy(&repository, &git, &found)
                        .map_err(|e| io_error("copy a repository's objects", &e))?;
                    write_refs(&git, &commit, (&head, &known))?;
                    Ok(true)
                }
                None => Ok(false),
            }
        }
    });
    if copied.await? {
        return Ok(History { depth: None });
    }
    let recent = in_background({
        let (repository, commit) = (repository.to_owned(), commit.clone());
        move || recent(&OpenRepository::open(&repository)?, &commit)
    });
    let recent = recent.await?;
    pack(repository, &recent, git).await?;
    let (git, commit, head) = (git.to_owned(), commit.clone(), head.clone());
    in_background(move || {
        let lines: String = recent.cut.iter().map(|id| format!("{id}\n")).collect();
        fs::write(git.join("shallow"), lines).map_err(|e| io_error("write the workspace's .git", &e))?;
        write_refs(&git, &commit, (&head, &recent.refs))
    })
    .await?;
    Ok(History { depth: Some(DEPTH) })
}

/// Folders, HEAD and configuration. No hook and no setting of anybody else comes in.
fn frame(git: &Path, commit: &CommitId, head: &Head) -> Result<()> {
    let write = || -> std::io::Result<()> {
        for folder in ["objects/info", "objects/pack", "refs/heads", "refs/tags", "info"] {
            fs::create_dir_all(git.join(folder))?;
        }
        let at = match head.branch() {
            Some((name, _)) => format!("ref: {name}\n"),
            None => format!("{commit}\n"),
        };
        fs::write(git.join("HEAD"), at)?;
        fs::write(git.join("config"), config(head))
    };
    write().map_err(|e| io_error("make the workspace's .git", &e))
}

fn config(head: &Head) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let mut text = format!(
        "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n\
         [remote \"origin\"]\n\turl = {}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n",
        quoted(&head.url)
    );
    if let Some((name, branch)) = head.branch() {
        text.push_str(&format!("[branch {}]\n\tremote = origin\n\tmerge = {name}\n", quoted(branch)));
    }
    text
}

/// Tags as they are, branches as those of `origin`; the run's own branch is where the run's commit is.
fn write_refs(git: &Path, commit: &CommitId, (head, known): (&Head, &[(RefName, CommitId)])) -> Result<()> {
    let mut lines: Vec<(String, &CommitId)> = Vec::with_capacity(known.len() + 2);
    let own = head.branch().map(|(name, _)| name);
    for (name, id) in known.iter().filter(|(name, _)| Some(name) != own) {
        match name.branch_name() {
            Some(branch) => lines.push((format!("refs/remotes/origin/{branch}"), id)),
            None => lines.push((name.to_string(), id)),
        }
    }
    if let Some((name, branch)) = head.branch() {
        lines.push((format!("refs/remotes/origin/{branch}"), commit));
        lines.push((name.to_string(), commit));
    }
    lines.sort();
    let mut text = "# pack-refs with: sorted \n".to_owned();
    text.extend(lines.iter().map(|(name, id)| format!("{id} {name}\n")));
    fs::write(git.join("packed-refs"), text).map_err(|e| io_error("write the workspace's .git", &e))
}

/// `None` when copying them would take long.
fn objects(repository: &Path, largest: u64) -> std::io::Result<Option<Objects>> {
    let root = repository.join("objects");
    let (mut packs, mut loose, mut left) = (Vec::new(), Vec::new(), largest);
    for entry in fs::read_dir(root.join("pack")).into_iter().flatten().flatten() {
        let path = entry.path();
        // The index is written last: a pack without one is not there yet.
        if path.extension().is_some_and(|ending| ending == "idx") {
            let pack = path.with_extension("pack");
            let size = fs::metadata(&pack)?.len() + entry.metadata()?.len();
            let Some(rest) = left.checked_sub(size) else { return Ok(None) };
            left = rest;
            packs.push(PathBuf::from("pack").join(pack.file_name().unwrap_or_default()));
        }
    }
    for folder in folders(&root) {
        if folder.len() != 2 || !folder.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            continue;
        }
        for entry in fs::read_dir(root.join(&folder))?.flatten() {
            let name = entry.file_name();
            if name.len() != 38 {
                continue;
            }
            let rest = left.checked_sub(entry.metadata()?.len()).filter(|_| loose.len() < MOST_LOOSE);
            let Some(rest) = rest else { return Ok(None) };
            left = rest;
            loose.push(Path::new(&folder).join(name));
        }
    }
    Ok(Some(Objects { packs, loose }))
}

fn copy(repository: &Path, git: &Path, found: &Objects) -> std::io::Result<()> {
    let (from, to) = (repository.join("objects"), git.join("objects"));
    for pack in &found.packs {
        for path in [pack.clone(), pack.with_extension("idx")] {
            fs::copy(from.join(&path), to.join(&path))?;
        }
    }
    let mut made = HashSet::new();
    for path in &found.loose {
        let folder = path.parent().unwrap_or(Path::new(""));
        if made.insert(folder) {
            fs::create_dir_all(to.join(folder))?;
        }
        fs::copy(from.join(path), to.join(path))?;
    }
    Ok(())
}

/// The last commits.
struct Recent {
    start: CommitId,
    /// Commits whose parents are left out.
    cut: Vec<Oid>,
    /// Those that lead to a commit that is there.
    refs: Vec<(RefName, CommitId)>,
}

fn recent(open: &OpenRepository, commit: &CommitId) -> Result<Recent> {
    let start = oid(commit)?;
    let (mut seen, mut cut) = (HashSet::from([start]), Vec::new());
    let mut ahead = VecDeque::from([(start, 1)]);
    while let Some((id, depth)) = ahead.pop_front() {
        let found = open.sound(id)?.find_commit(id).map_err(|e| internal("read a commit", e))?;
        if depth >= DEPTH || seen.len() >= MOST_COMMITS {
            if found.parent_count() > 0 {
                cut.push(id);
            }
            continue;
        }
        for parent in found.parent_ids() {
            if seen.insert(parent) {
                ahead.push_back((parent, depth + 1));
            }
        }
    }
    let known = refs::list(open.directory())?.refs;
    let mut tags = MOST_TAGS;
    let leads_there = |(name, id): &(RefName, CommitId)| {
        let direct = oid(id).is_ok_and(|id| seen.contains(&id));
        let is_tag = name.tag_name().is_some() && tags > 0;
        tags -= usize::from(is_tag && !direct);
        direct || is_tag && open.peel(id).and_then(|id| oid(&id)).is_ok_and(|id| seen.contains(&id))
    };
    let refs = known.into_iter().filter(leads_there).collect();
    Ok(Recent { start: commit.clone(), cut, refs })
}

/// By the git program, as for a shallow clone: one reads the server's repository, another indexes what the first wrote
/// (the two may lie on different disks).
async fn pack(repository: &Path, recent: &Recent, git: &Path) -> Result<()> {
    let mut call = Invocation::new("pack-objects", repository);
    for option in ["--revs", "--delta-base-offset", "--include-tag", "--stdout", "--quiet"] {
        call = call.option(option);
    }
    let mut wanted: String = recent.cut.iter().map(|id| format!("--shallow {id}\n")).collect();
    wanted.push_str(&format!("{}\n", recent.start));
    wanted.extend(recent.refs.iter().map(|(_, id)| format!("{id}\n")));
    run(&call, &wanted, Some(&git.join(RECENT))).await?;
    // It is started in `git`, and knows no `--end-of-options`.
    run(&Invocation::new("index-pack", git).setting("core.fsync", "none").option(RECENT), "", None).await
}

/// With `input` on standard input; what it says goes into the file `output`.
async fn run(call: &Invocation, input: &str, output: Option<&Path>) -> Result<()> {
    let mut child = call.spawn_fed()?;
    let errors = collect_errors(child.stderr.take());
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let work = async {
        let feed = async {
            match stdin {
                Some(mut stdin) => stdin.write_all(input.as_bytes()).await,
                None => Ok(()),
            }
        };
        let read = async {
            let Some(mut stdout) = stdout else { return Ok(()) };
            match output {
                Some(path) => {
                    let mut file = tokio::fs::File::create_new(path).await?;
                    tokio::io::copy(&mut stdout, &mut file).await?;
                    file.flush().await
                }
                None => tokio::io::copy(&mut stdout, &mut tokio::io::sink()).await.map(drop),
            }
        };
        let (fed, read) = futures_util::future::join(feed, read).await;
        // A program that ended early says itself why.
        let status = child.wait().await?;
        if status.success() { fed.and(read).map(|()| true) } else { Ok(false) }
    };
    let done = tokio::time::timeout(PACKING, work).await;
    match done {
        Ok(Ok(true)) => Ok(()),
        Ok(Ok(false)) => Err(Error::internal("pack a history", errors.await.unwrap_or_default())),
        Ok(Err(cause)) => Err(io_error("write the workspace's .git", &cause)),
        Err(_) => {
            let _ = child.start_kill();
            reap(&mut child).await;
            Err(Error::Conflict(msg!("git-workspace-slow", minutes = PACKING.as_secs() / 60)))
        }
    }
}
