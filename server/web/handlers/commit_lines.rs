//! The one line of a commit that lists show, remembered: a commit never changes, and opening thirty
//! repositories for one page would cost more than everything else about it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::web;

use crate::git::{CommitInfo, Repositories};
use crate::model::{CommitId, Error, RepositoryPath, Result, Run};
use crate::web::pages::{CommitBrief, links};

/// Lines kept; a line takes about 200 bytes.
const MOST: usize = 4096;
/// Characters of a summary or author that a list shows.
const LONGEST: usize = 200;

#[derive(Default)]
pub struct CommitLines {
    /// `None` for commits that are gone.
    lines: Mutex<HashMap<Key, Option<Arc<Line>>>>,
}

/// The row's id, not the path: a new repository of the same name is another one.
type Key = (i64, CommitId);

struct Line {
    summary: String,
    author: String,
}

impl CommitLines {
    /// A line for each run, in order; `None` when the commit is no longer there.
    pub async fn of(&self, git: &Repositories, runs: &[Run]) -> Result<Vec<Option<CommitBrief>>> {
        let missing: Vec<_> = {
            let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            let unknown =
                runs.iter().filter(|run| !lines.contains_key(&(run.repository_id, run.commit.clone())));
            unknown.map(|run| (run.repository_id, run.repository.clone(), run.commit.clone())).collect()
        };
        if !missing.is_empty() {
            let git = git.clone();
            let read = web::block(move || read(&git, missing)).await;
            let read = read.map_err(|e| Error::internal("read commits", e))?;
            let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            if lines.len() + read.len() > MOST {
                lines.clear();
            }
            lines.extend(read);
        }
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let brief = |run: &Run| {
            let line = lines.get(&(run.repository_id, run.commit.clone()))?.as_ref()?;
            Some(brief_of(&run.repository, &run.commit, &line.summary, &line.author))
        };
        Ok(runs.iter().map(brief).collect())
    }
}

/// A commit in one line.
pub fn brief(repository: &RepositoryPath, info: &CommitInfo) -> CommitBrief {
    brief_of(repository, &info.id, &cut(&info.summary), &cut(&info.author))
}

fn brief_of(repository: &RepositoryPath, id: &CommitId, summary: &str, author: &str) -> CommitBrief {
    CommitBrief {
        href: links::commit(&repository.to_string(), id.as_str()),
        short: id.short().to_owned(),
        summary: summary.to_owned(),
        author: author.to_owned(),
    }
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// What cannot be read is left out, and asked for again the next time; what is not there stays away.
fn read(git: &Repositories, wanted: Vec<(i64, RepositoryPath, CommitId)>) -> Vec<(Key, Option<Arc<Line>>)> {
    let mut found = Vec::new();
    let mut open: Option<(i64, crate::git::OpenRepository)> = None;
    for (id, path, commit) in wanted {
        if open.as_ref().is_none_or(|(opened, _)| *opened != id) {
            open = git.open(&path).ok().map(|repository| (id, repository));
        }
        let Some((_, repository)) = &open else { continue };
        let line = match repository.commit(&commit) {
            Ok(info) => Some(Arc::new(Line { summary: cut(&info.summary), author: cut(&info.author) })),
            Err(Error::NotFound(_)) => None,
            Err(_) => continue,
        };
        found.push(((id, commit), line));
    }
    found
}
