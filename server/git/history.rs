//! Commits, what they changed, and the branches and tags with their last commits, for pages and
//! messages. Everything is capped; nothing here runs a program. Blocking.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use git2::{Delta, DiffOptions, Oid};
use jiff::Timestamp;

use super::objects::{OpenRepository, id, internal, oid};
use super::refs;
use crate::model::{CommitId, RefName, Result};

/// A commit message longer than this is cut, in bytes.
const LONGEST_BODY: usize = 64 * 1024;
/// How far a page of the history may lie behind the commit it starts from.
const FARTHEST: usize = 1_000_000;

/// A commit. Texts are as the author wrote them: escape them where they are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitInfo {
    pub id: CommitId,
    pub parents: Vec<CommitId>,
    pub author: String,
    pub author_email: String,
    pub authored_at: Timestamp,
    pub committer: String,
    pub committed_at: Timestamp,
    /// The first paragraph, on one line.
    pub summary: String,
    /// What follows it; may be empty.
    pub body: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    pub name: RefName,
    pub is_default: bool,
    pub commit: CommitInfo,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    pub name: RefName,
    pub commit: CommitInfo,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    Added,
    Changed,
    Deleted,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub kind: ChangeKind,
    pub path: String,
}

/// Files that differ; `truncated` when there were more than asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub files: Vec<Change>,
    pub truncated: bool,
}

/// Through a history in git's own order: the newest commit first, and of one time the one met first. Our own,
/// as libgit2's reads commits that nobody has looked at before (see `sound`).
struct Walk<'a> {
    open: &'a OpenRepository,
    /// Time, turned number of the meeting, id.
    ahead: BinaryHeap<(i64, Reverse<usize>, Oid)>,
    seen: HashSet<Oid>,
}

impl<'a> Walk<'a> {
    fn meet(&mut self, id: Oid) -> Result<()> {
        if self.seen.insert(id) {
            let time = self.open.find_commit_at(id)?.time().seconds();
            self.ahead.push((time, Reverse(self.seen.len()), id));
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Option<git2::Commit<'a>>> {
        let Some((_, _, id)) = self.ahead.pop() else { return Ok(None) };
        let commit = self.open.find_commit_at(id)?;
        for parent in commit.parent_ids() {
            self.meet(parent)?;
        }
        Ok(Some(commit))
    }
}

impl OpenRepository {
    /// One commit; `NotFound` when there is none.
    pub fn commit(&self, id: &CommitId) -> Result<CommitInfo> {
        info(&self.find_commit(id)?)
    }

    /// `limit` commits reachable from `from`, newest first; with `after`, those that follow that
    /// commit in the same order.
    pub fn commits(
        &self,
        from: &CommitId,
        limit: usize,
        after: Option<&CommitId>,
    ) -> Result<Vec<CommitInfo>> {
        let mut walk = Walk { open: self, ahead: BinaryHeap::new(), seen: HashSet::new() };
        walk.meet(oid(from)?)?;
        let mut skip = after.map(oid).transpose()?;
        let mut found = Vec::new();
        for _ in 0..FARTHEST {
            let Some(commit) = walk.next()? else { break };
            if let Some(last) = skip {
                skip = (commit.id() != last).then_some(last);
            } else if found.len() < limit {
                found.push(info(&commit)?);
            }
            if found.len() >= limit {
                break;
            }
        }
        Ok(found)
    }

    /// Files that differ between `old` (or nothing) and `new`, by name, at most `limit`.
    pub fn changed_paths(&self, old: Option<&CommitId>, new: &CommitId, limit: usize) -> Result<Changes> {
        let old = old.map(|old| self.root_tree(old)).transpose()?;
        let new = self.root_tree(new)?;
        let mut options = DiffOptions::new();
        options.skip_binary_check(true).ignore_submodules(false);
        let diff = self.git.diff_tree_to_tree(old.as_ref(), Some(&new), Some(&mut options));
        let diff = diff.map_err(|e| internal("compare trees", e))?;
        let change = |delta: git2::DiffDelta<'_>| {
            let kind = match delta.status() {
                Delta::Added => ChangeKind::Added,
                Delta::Deleted => ChangeKind::Deleted,
                _ => ChangeKind::Changed,
            };
            let file = if kind == ChangeKind::Deleted { delta.old_file() } else { delta.new_file() };
            let path = String::from_utf8_lossy(file.path_bytes().unwrap_or_default()).into_owned();
            Change { kind, path }
        };
        let truncated = diff.deltas().len() > limit;
        Ok(Changes { files: diff.deltas().take(limit).map(change).collect(), truncated })
    }

    /// Branches, the default one first, then those with the newest commits; at most `limit`, and
    /// whether there are more.
    pub fn branches(&self, limit: usize) -> Result<(Vec<Branch>, bool)> {
        let default = refs::head(self.directory())?;
        let (named, more) = self.named(limit, |name| name.branch_name().is_some())?;
        let branch = |(name, commit)| Branch { is_default: name == default, name, commit };
        let mut branches: Vec<Branch> = named.into_iter().map(branch).collect();
        branches.sort_by_key(|branch| !branch.is_default);
        Ok((branches, more))
    }

    /// Tags, those with the newest commits first; at most `limit`, and whether there are more.
    pub fn tags(&self, limit: usize) -> Result<(Vec<Tag>, bool)> {
        let (named, more) = self.named(limit, |name| name.tag_name().is_some())?;
        Ok((named.into_iter().map(|(name, commit)| Tag { name, commit }).collect(), more))
    }

    fn named(
        &self,
        limit: usize,
        wanted: fn(&RefName) -> bool,
    ) -> Result<(Vec<(RefName, CommitInfo)>, bool)> {
        let listed = refs::list(self.directory())?.refs;
        let of_kind = listed.into_iter().filter(|(name, _)| wanted(name));
        // A tag may point at a tree or a blob; that is no place in the history.
        let mut named: Vec<(RefName, CommitInfo)> =
            of_kind.filter_map(|(name, at)| Some((name, self.commit(&self.tip(&at).ok()?).ok()?))).collect();
        named.sort_by(|a, b| b.1.committed_at.cmp(&a.1.committed_at).then_with(|| a.0.cmp(&b.0)));
        let more = named.len() > limit;
        named.truncate(limit);
        Ok((named, more))
    }
}

fn info(commit: &git2::Commit<'_>) -> Result<CommitInfo> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let message = text(commit.message_bytes());
    let message = message.trim_start();
    let (first, rest) = message.split_once("\n\n").unwrap_or((message, ""));
    let mut body = rest.trim().to_owned();
    let cut = body.floor_char_boundary(LONGEST_BODY);
    body.truncate(cut);
    let (author, committer) = (commit.author(), commit.committer());
    Ok(CommitInfo {
        id: id(commit.id())?,
        parents: commit.parent_ids().map(id).collect::<Result<_>>()?,
        author: text(author.name_bytes()),
        author_email: text(author.email_bytes()),
        authored_at: time(author.when()),
        committer: text(committer.name_bytes()),
        committed_at: time(committer.when()),
        summary: first.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(1000).collect(),
        body,
    })
}

/// Times outside of what a calendar can show become its border.
fn time(when: git2::Time) -> Timestamp {
    let border = if when.seconds() < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_second(when.seconds()).unwrap_or(border)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::{Place, git};
    use crate::model::Error;

    #[test]
    fn commits_page_by_page() {
        let place = Place::with_commits(5);
        let open = place.repositories.open(&place.path).unwrap();
        let tip = open.resolve("main").unwrap().commit;
        let all: Vec<String> =
            git(&place.directory(), &["rev-list", "main"]).lines().map(str::to_owned).collect();
        let first = open.commits(&tip, 2, None).unwrap();
        let second = open.commits(&tip, 10, Some(&first[1].id)).unwrap();
        let ours: Vec<_> = first.iter().chain(&second).map(|c| c.id.to_string()).collect();
        assert_eq!(ours, all);
        let commit = open.commit(&tip).unwrap();
        assert_eq!((commit.summary.as_str(), commit.body.as_str()), ("Commit 5", "Body 5"));
        assert_eq!((commit.author.as_str(), commit.author_email.as_str()), ("Ada", "ada@example.org"));
        assert_eq!(commit.parents[0].to_string(), all[1]);
        let changes = open.changed_paths(Some(&commit.parents[0]), &tip, 10).unwrap();
        let expected = [(ChangeKind::Changed, "number"), (ChangeKind::Added, "src/5.txt")];
        assert_eq!(changes.files.iter().map(|c| (c.kind, c.path.as_str())).collect::<Vec<_>>(), expected);
        assert!(open.changed_paths(None, &tip, 2).unwrap().truncated);
        assert!(matches!(open.commit(&CommitId::new("1".repeat(40)).unwrap()), Err(Error::NotFound(_))));
    }

    #[test]
    fn branches_and_tags_with_their_commits() {
        let place = Place::with_commits(3);
        let directory = place.directory();
        git(&directory, &["branch", "a", "main~2"]);
        git(&directory, &["tag", "-m", "one", "v1", "main~1"]);
        git(&directory, &["tag", "tree", "main^{tree}"]);
        let open = place.repositories.open(&place.path).unwrap();
        let (branches, more) = open.branches(10).unwrap();
        assert_eq!(
            branches.iter().map(|b| (b.name.short(), b.is_default)).collect::<Vec<_>>(),
            [("main", true), ("a", false)]
        );
        assert!(!more && open.branches(1).unwrap().1);
        let (tags, _) = open.tags(10).unwrap();
        assert_eq!(
            tags.iter().map(|t| (t.name.short(), t.commit.summary.as_str())).collect::<Vec<_>>(),
            [("v1", "Commit 2")]
        );
    }
}
