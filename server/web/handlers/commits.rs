//! The history of a revision, and one commit with what it changed, its runs and the images they made.

use actix_web::web;
use serde::Deserialize;

use super::pieces::{self, briefs, cut, head};
use super::visit::{Answer, Visit};
use super::{browse, commit_lines, run_view};
use crate::git::{ChangeKind as Kind, Changes, CommitInfo, OpenRepository};
use crate::model::{CommitId, Error, Result, Run};
use crate::store::repositories::Repository;
use crate::store::{images, runs};
use crate::web::pages::browse::{Change, ChangeKind, Commit, CommitRow, Commits};
use crate::web::pages::registry::ImageBrief;
use crate::web::pages::repository::{EmptyRepository, Tab};
use crate::web::pages::{links, respond};

const PER_PAGE: usize = 30;
/// Changed files of a commit that are listed.
const MOST_CHANGES: usize = 300;
/// Runs of a commit in the history, and on its own page.
const FEW_RUNS: u32 = 5;
const MOST_RUNS: u32 = 50;

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    at: String,
    #[serde(default)]
    after: String,
}

/// `GET /{owner}/{name}/commits?at=&after=`.
pub async fn list(visit: Visit, path: web::Path<(String, String)>, asked: web::Query<Asked>) -> Answer {
    let repository = pieces::readable(&visit, &path)?;
    let head = head(&visit, &repository, Tab::Commits);
    let at = Some(asked.at.clone()).filter(|at| !at.is_empty()).or(repository.default_branch.clone());
    let Some(at) = at else { return Ok(respond(&EmptyRepository { page: visit.page, head })) };
    let after = CommitId::new(asked.after.as_str()).ok();
    let start = at.clone();
    let look = move |open: &OpenRepository| {
        open.commits(&open.resolve(&start)?.commit, PER_PAGE + 1, after.as_ref())
    };
    let mut found = visit.door.git.read(&repository.path, look).await?;
    let more = cut(&mut found, PER_PAGE);
    let next = found.last().filter(|_| more);
    let next = next.map(|last| links::commits(&head.repository, &at, last.id.as_str()));
    let commits = visit.door.store.read(|c| {
        let row = |info: &CommitInfo| {
            let runs = runs::of_commit(c, repository.id, &info.id, FEW_RUNS)?;
            let commit = commit_lines::brief(&repository.path, info);
            Ok(CommitRow { commit, at: info.committed_at, runs: runs.iter().map(mark).collect() })
        };
        found.iter().map(row).collect::<Result<Vec<_>>>()
    })?;
    let refs = browse::refs(&visit.door, &repository)?;
    Ok(respond(&Commits { page: visit.page, head, at, refs, commits, next }))
}

/// A run beside its commit.
fn mark(run: &Run) -> (crate::model::Status, String, String) {
    let address = links::run(&run.repository.to_string(), run.pipeline.as_str(), run.number);
    (run.status, address, format!("{} #{}", run.pipeline, run.number))
}

/// `GET /{owner}/{name}/commits/{id}`.
pub async fn show(visit: Visit, path: web::Path<(String, String, String)>) -> Answer {
    let at = (path.0.clone(), path.1.clone());
    let repository = pieces::readable(&visit, &at)?;
    let wanted = path.2.clone();
    let look = move |open: &OpenRepository| {
        let info = open.commit(&open.resolve(&wanted)?.commit)?;
        let changes = open.changed_paths(info.parents.first(), &info.id, MOST_CHANGES)?;
        Ok((info, changes))
    };
    let (info, changes) = visit.door.git.read(&repository.path, look).await?;
    respond_with_commit(visit, &repository, info, changes).await
}

async fn respond_with_commit(
    visit: Visit,
    repository: &Repository,
    info: CommitInfo,
    changes: Changes,
) -> Answer {
    let head = head(&visit, repository, Tab::Commits);
    let found = visit.door.store.read(|c| runs::of_commit(c, repository.id, &info.id, MOST_RUNS))?;
    let images = images_of(&visit, &found)?;
    let runs = briefs(&visit, found).await?;
    let id = info.id.to_string();
    let parent =
        |parent: &CommitId| (parent.short().to_owned(), links::commit(&head.repository, parent.as_str()));
    Ok(respond(&Commit {
        files_href: links::file(&head.repository, &id, ""),
        parents: info.parents.iter().map(parent).collect(),
        changes: changes.files.into_iter().map(|file| change(&head.repository, &id, file)).collect(),
        cut: changes.truncated,
        summary: info.summary,
        body: info.body,
        author: info.author,
        author_email: info.author_email,
        at: info.authored_at,
        page: visit.page,
        head,
        id,
        runs,
        images,
    }))
}

fn images_of(visit: &Visit, found: &[Run]) -> Result<Vec<ImageBrief>, Error> {
    visit.door.store.read(|c| {
        let mut all = Vec::new();
        for run in found {
            let stages = runs::stages(c, run.id)?;
            all.extend(images::of_run(c, run.id)?.iter().map(|image| run_view::image_brief(image, &stages)));
        }
        Ok(all)
    })
}

fn change(repository: &str, at: &str, file: crate::git::Change) -> Change {
    let kind = match file.kind {
        Kind::Added => ChangeKind::Added,
        Kind::Changed => ChangeKind::Changed,
        Kind::Deleted => ChangeKind::Removed,
    };
    let href = (kind != ChangeKind::Removed).then(|| links::file(repository, at, &file.path));
    Change { path: file.path, href, kind, added: None, removed: None }
}
