//! Branches and commits, in Gitea's shapes.

use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::auth::{self, Identity};
use super::super::errors::{ErrorBody, Failure};
use super::super::state::Door;
use super::paging::{self, Paging};
use crate::git::CommitInfo;
use crate::model::{CommitId, RepositoryPath};

/// Branches beyond this are not listed.
const MOST_BRANCHES: usize = 10_000;

#[derive(Serialize, ToSchema)]
pub struct BranchShape {
    pub name: String,
    pub commit: BranchCommitShape,
    /// Whether it is the default branch.
    pub default: bool,
}

#[derive(Serialize, ToSchema)]
pub struct BranchCommitShape {
    pub id: String,
    pub message: String,
    pub url: String,
    pub author: PersonShape,
    pub committer: PersonShape,
    pub timestamp: String,
}

#[derive(Serialize, ToSchema)]
pub struct PersonShape {
    pub name: String,
    pub email: String,
    pub date: String,
}

#[derive(Serialize, ToSchema)]
pub struct CommitShape {
    pub sha: String,
    pub html_url: String,
    pub commit: CommitBodyShape,
    pub parents: Vec<ParentShape>,
}

#[derive(Serialize, ToSchema)]
pub struct CommitBodyShape {
    pub message: String,
    pub author: PersonShape,
    pub committer: PersonShape,
}

#[derive(Serialize, ToSchema)]
pub struct ParentShape {
    pub sha: String,
}

fn author(info: &CommitInfo) -> PersonShape {
    let (name, email) = (info.author.clone(), info.author_email.clone());
    PersonShape { name, email, date: info.authored_at.to_string() }
}

fn committer(info: &CommitInfo) -> PersonShape {
    PersonShape { name: info.committer.clone(), email: String::new(), date: info.committed_at.to_string() }
}

fn message(info: &CommitInfo) -> String {
    match info.body.is_empty() {
        true => info.summary.clone(),
        false => format!("{}\n\n{}", info.summary, info.body),
    }
}

fn url(door: &Door, path: &RepositoryPath, id: &CommitId) -> String {
    format!("{}/{path}/commits/{id}", door.settings.url)
}

/// Branches, the default one first.
#[utoipa::path(tag = "repositories", params(Paging), responses((status = 200, body = Vec<BranchShape>), (status = 404, body = ErrorBody)))]
#[get("/repos/{owner}/{repo}/branches")]
pub async fn branches(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<(String, String)>,
    paging: web::Query<Paging>,
) -> Result<HttpResponse, Failure> {
    let repository = auth::readable(&door, &identity, &auth::path_of(&path.0, &path.1)?)?;
    let (all, _) = door.git.read(&repository.path, |open| open.branches(MOST_BRANCHES)).await?;
    let behind = |key: &str| all.iter().position(|b| b.name.short() == key).map_or(all.len(), |at| at + 1);
    let start = paging.after.as_deref().map_or(0, behind);
    let mut page: Vec<_> = all.iter().skip(start).take(paging.limit() as usize + 1).collect();
    let more = paging::cut(&mut page, paging.limit());
    let next = page.last().filter(|_| more).map(|branch| branch.name.short().to_owned());
    let shape = |branch: &&crate::git::Branch| BranchShape {
        name: branch.name.short().to_owned(),
        default: branch.is_default,
        commit: BranchCommitShape {
            id: branch.commit.id.to_string(),
            message: message(&branch.commit),
            url: url(&door, &repository.path, &branch.commit.id),
            author: author(&branch.commit),
            committer: committer(&branch.commit),
            timestamp: branch.commit.committed_at.to_string(),
        },
    };
    let shapes: Vec<_> = page.iter().map(shape).collect();
    Ok(paging::answer(&door, request.path(), &paging, &shapes, next))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct From {
    /// Branch, tag or commit to start from; the default branch unless given.
    pub sha: Option<String>,
}

/// Commits, newest first.
#[utoipa::path(tag = "repositories", params(From, Paging), responses((status = 200, body = Vec<CommitShape>), (status = 404, body = ErrorBody)))]
#[get("/repos/{owner}/{repo}/commits")]
pub async fn commits(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<(String, String)>,
    (from, paging): (web::Query<From>, web::Query<Paging>),
) -> Result<HttpResponse, Failure> {
    let repository = auth::readable(&door, &identity, &auth::path_of(&path.0, &path.1)?)?;
    if repository.default_branch.is_none() && from.sha.is_none() {
        return Ok(paging::answer::<CommitShape>(&door, request.path(), &paging, &[], None));
    }
    let limit = paging.limit();
    let after = paging.after.clone().map(CommitId::new).transpose()?;
    let start = from.sha.clone().unwrap_or_else(|| "HEAD".to_owned());
    let look = move |open: &crate::git::OpenRepository| {
        let start = open.resolve(&start)?.commit;
        open.commits(&start, limit as usize + 1, after.as_ref())
    };
    let mut found = door.git.read(&repository.path, look).await?;
    let more = paging::cut(&mut found, limit);
    let next = found.last().filter(|_| more).map(|info| info.id.to_string());
    let shape = |info: &CommitInfo| CommitShape {
        sha: info.id.to_string(),
        html_url: url(&door, &repository.path, &info.id),
        commit: CommitBodyShape { message: message(info), author: author(info), committer: committer(info) },
        parents: info.parents.iter().map(|id| ParentShape { sha: id.to_string() }).collect(),
    };
    let shapes: Vec<_> = found.iter().map(shape).collect();
    let path = match &from.sha {
        None => request.path().to_owned(),
        Some(sha) => format!("{}?{}", request.path(), paging::pair("sha", sha)),
    };
    Ok(paging::answer(&door, &path, &paging, &shapes, next))
}
