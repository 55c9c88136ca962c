//! `git fsck` and what it does not look at: refs the house does not take. It never repairs.

use super::program::Invocation;
use super::repositories::{Repositories, in_background};
use crate::model::{Error, RepositoryPath, Result};

/// More problems than this are not listed.
const MOST_LINES: usize = 1000;

impl Repositories {
    /// What is wrong with a repository, one line each, in git's words; empty when nothing is.
    pub async fn fsck(&self, path: &RepositoryPath) -> Result<Vec<String>> {
        let directory = self.served(path)?;
        let call = Invocation::new("fsck", &directory)
            .option("--full")
            .option("--no-dangling")
            .option("--no-progress");
        let output = call.command().output().await.map_err(|e| Error::internal("git fsck", e))?;
        let text = [&output.stdout[..], &output.stderr[..]].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        let mut lines: Vec<String> =
            text.lines().filter(|line| is_problem(line)).map(super::packet::plain_line).collect();
        if !output.status.success() && lines.is_empty() {
            lines.push(format!("git fsck: {}", output.status));
        }
        let (this, path) = (self.clone(), path.clone());
        let listed = in_background(move || this.list_refs(&path)).await?;
        lines.extend(listed.skipped.iter().map(|name| format!("ref not taken: {name}")));
        lines.truncate(MOST_LINES);
        Ok(lines)
    }
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
