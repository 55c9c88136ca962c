//! `git fsck` and what it does not look at: refs the house does not take. It never repairs.

use super::program::Invocation;
use super::repositories::{Repositories, in_background};
use crate::model::{CommitId, Error, RepositoryPath, Result};

/// More problems than this are not listed.
const MOST_LINES: usize = 1000;

/// As many bytes of git's words are read.
const MOST_WORDS: u64 = 1 << 20;

impl Repositories {
    /// What is wrong with a repository, one line each, in git's words; empty when nothing is.
    pub async fn fsck(&self, path: &RepositoryPath) -> Result<Vec<String>> {
        let directory = self.served(path)?;
        let call = Invocation::new("fsck", &directory)
            .option("--full")
            .option("--no-dangling")
            .option("--no-progress");
        let failed = |e| Error::internal("git fsck", e);
        let mut git = call.command().kill_on_drop(true).spawn().map_err(failed)?;
        let (out, errors) = (git.stdout.take(), git.stderr.take());
        // A repository that is broken throughout is not listed throughout: git is left in the middle of it.
        let (out, errors) = tokio::try_join!(words(out), words(errors)).map_err(failed)?;
        if out.len() as u64 == MOST_WORDS || errors.len() as u64 == MOST_WORDS {
            let _ = git.start_kill();
        }
        let status = git.wait().await.map_err(failed)?;
        let text = [out, errors].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        let mut lines: Vec<String> =
            text.lines().filter(|line| is_problem(line)).map(super::packet::plain_line).collect();
        if !status.success() && lines.is_empty() {
            lines.push(format!("git fsck: {status}"));
        }
        let (this, path) = (self.clone(), path.clone());
        let listed = in_background(move || this.list_refs(&path)).await?;
        lines.extend(listed.skipped.iter().map(|name| format!("ref not taken: {name}")));
        lines.truncate(MOST_LINES);
        Ok(lines)
    }

    /// Those of `commits` that the repository does not have.
    pub async fn missing(&self, path: &RepositoryPath, commits: Vec<CommitId>) -> Result<Vec<CommitId>> {
        let directory = self.served(path)?;
        in_background(move || {
            let failed = |e| Error::internal("read a repository's objects", e);
            let git = git2::Repository::open_bare(&directory).map_err(failed)?;
            let objects = git.odb().map_err(failed)?;
            let has = |commit: &CommitId| {
                git2::Oid::from_str(commit.as_str()).is_ok_and(|object| objects.exists(object))
            };
            Ok(commits.into_iter().filter(|commit| !has(commit)).collect())
        })
        .await
    }
}

async fn words(from: Option<impl tokio::io::AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    use tokio::io::AsyncReadExt as _;
    let mut text = Vec::new();
    if let Some(from) = from {
        from.take(MOST_WORDS).read_to_end(&mut text).await?;
    }
    Ok(text)
}

/// A new repository has no commit; that is a notice, not a problem.
fn is_problem(line: &str) -> bool {
    !line.trim().is_empty() && !line.starts_with("notice:")
}

#[cfg(test)]
mod tests {
    use crate::git::testing::Place;

    #[tokio::test]
    async fn sound_and_broken() {
        let empty = Place::new();
        assert!(empty.repositories.fsck(&empty.path).await.unwrap().is_empty());
        let place = Place::with_commits(1);
        assert!(place.repositories.fsck(&place.path).await.unwrap().is_empty());
        std::fs::write(place.directory().join("refs/heads/broken"), "nonsense\n").unwrap();
        let lines = place.repositories.fsck(&place.path).await.unwrap();
        assert!(lines.iter().any(|line| line.contains("refs/heads/broken")), "{lines:?}");
    }
}
