//! The last commits of a repository in a pack of their own, for a workspace whose repository is too large to be copied.
//! It reads the server's repository and writes below the workspace's `.git`, nowhere else.

use std::collections::{HashSet, VecDeque};
use std::path::Path;
use std::time::Duration;

use git2::Oid;
use tokio::io::AsyncWriteExt as _;

use super::durable::io_error;
use super::objects::{OpenRepository, internal, oid};
use super::program::{Invocation, collect_errors, reap};
use super::refs;
use crate::model::{CommitId, Error, RefName, Result};
use crate::msg;

/// How far back a history goes that is not copied as a whole, and of how many commits it is begun at most.
pub(super) const DEPTH: usize = 50;
const MOST_COMMITS: usize = 2000;
/// Tags that are looked at for a history that is not whole.
const MOST_TAGS: usize = 5000;
/// The pack of the last commits.
const RECENT: &str = "objects/pack/pack-recent.pack";
/// Packing takes seconds for a gigabyte.
const PACKING: Duration = Duration::from_secs(15 * 60);

/// The last commits.
pub(super) struct Recent {
    start: CommitId,
    /// Commits whose parents are left out.
    pub cut: Vec<Oid>,
    /// Those that lead to a commit that is there.
    pub refs: Vec<(RefName, CommitId)>,
}

pub(super) fn recent(open: &OpenRepository, commit: &CommitId) -> Result<Recent> {
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
pub(super) async fn pack(repository: &Path, recent: &Recent, git: &Path) -> Result<()> {
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
