//! Repositories: the caller's, one by its path, new ones, mirrors of remote ones; branches and commits.

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::auth::{self, Identity};
use super::super::errors::{ErrorBody, Failure};
use super::super::state::Door;
use super::super::{first_push, push};
use super::paging::{self, Paging};
use super::shapes::RepositoryShape;
use crate::git::RemoteUrl;
use crate::model::{Error, Happened, OwnerName, RefName, RepositoryName, RepositoryPath, Run, Secret};
use crate::msg;
use crate::store::events;
use crate::store::repositories::{self, NewRepository, Remote, Repository};
use crate::store::runs;

const LONGEST_DESCRIPTION: usize = 1000;

/// The repositories the caller may see, those with the newest runs first.
#[utoipa::path(tag = "repositories", params(Paging), responses((status = 200, body = Vec<RepositoryShape>), (status = 401, body = ErrorBody)))]
#[get("/user/repos")]
pub async fn list(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    paging: web::Query<Paging>,
) -> Result<HttpResponse, Failure> {
    identity.require()?;
    let after = paging.after.as_deref().and_then(|key| {
        let (run, id) = key.split_once('-')?;
        Some((run.parse().ok()?, id.parse().ok()?))
    });
    let limit = paging.limit();
    let mut found = door.store.read(|c| repositories::page(c, identity.viewer(), after, limit + 1))?;
    let more = paging::cut(&mut found, limit);
    let key = |repository: &Repository| format!("{}-{}", repository.last_run_id.unwrap_or(0), repository.id);
    let next = found.last().filter(|_| more).map(key);
    let shapes: Vec<_> = found.iter().map(|r| RepositoryShape::of(&door, &identity, r)).collect();
    Ok(paging::answer(&door, request.path(), &paging, &shapes, next))
}

#[derive(Deserialize, ToSchema)]
pub struct NewRepositoryForm {
    pub name: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub private: bool,
}

/// Makes an empty repository of the caller's.
#[utoipa::path(tag = "repositories", request_body = NewRepositoryForm,
    responses((status = 201, body = RepositoryShape), (status = 401, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
#[post("/user/repos")]
pub async fn create(
    door: web::Data<Door>,
    identity: Identity,
    new: web::Json<NewRepositoryForm>,
) -> Result<HttpResponse, Failure> {
    let owner = identity.require()?.account.name.clone();
    let new = new.into_inner();
    let path = RepositoryPath { owner, name: RepositoryName::new(new.name)? };
    let wanted = NewRepository { path, description: new.description, private: new.private, remote: None };
    let made = create_repository(&door, &identity, wanted).await?;
    Ok(HttpResponse::Created().json(RepositoryShape::of(&door, &identity, &made)))
}

#[derive(Deserialize, ToSchema)]
pub struct MirrorForm {
    /// `http://` or `https://`, without credentials.
    pub clone_addr: String,
    pub auth_username: Option<String>,
    /// Kept encrypted.
    pub auth_password: Option<String>,
    pub repo_name: String,
    /// The account it shall belong to; the caller unless given.
    pub owner: Option<String>,
    /// Only mirrors are made: `true` or left out.
    pub mirror: Option<bool>,
    #[serde(default)]
    pub private: bool,
    #[serde(default)]
    pub description: String,
}

/// Makes a mirror of a remote repository. It is asked for changes once a minute, the first time at once.
#[utoipa::path(tag = "repositories", request_body = MirrorForm,
    responses((status = 201, body = RepositoryShape), (status = 403, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
#[post("/repos/migrate")]
pub async fn mirror(
    door: web::Data<Door>,
    identity: Identity,
    new: web::Json<MirrorForm>,
) -> Result<HttpResponse, Failure> {
    let caller = identity.require()?.account.name.clone();
    let new = new.into_inner();
    if new.mirror == Some(false) {
        return Err(Error::Invalid(msg!("api-mirror-only")).into());
    }
    let owner = new.owner.map_or(Ok(caller), OwnerName::new)?;
    let path = RepositoryPath { owner, name: RepositoryName::new(new.repo_name)? };
    let url = RemoteUrl::new(&new.clone_addr)?.as_str().to_owned();
    let user = new.auth_username.filter(|user| !user.is_empty());
    let password = new.auth_password.filter(|password| !password.is_empty()).map(Secret::new);
    let sealed = password.map(|password| door.store.sealer().seal(&password)).transpose()?;
    let remote = Some(Remote { url, user, sealed, polled_at: None, error: None });
    let wanted = NewRepository { path, description: new.description, private: new.private, remote };
    let made = create_repository(&door, &identity, wanted).await?;
    Ok(HttpResponse::Created().json(RepositoryShape::of(&door, &identity, &made)))
}

/// Makes the folder, then the row; the API and the forms end here.
pub async fn create_repository(
    door: &Door,
    identity: &Identity,
    new: NewRepository,
) -> Result<Repository, Failure> {
    let known = auth::require_scope(identity, crate::store::accounts::Scope::Write)?;
    if !auth::can_create(identity, &new.path.owner) {
        return Err(Error::Denied(msg!("auth-not-your-account", owner = new.path.owner)).into());
    }
    check_description(&new.description)?;
    push::check_owner(door, &new.path)?;
    let path = new.path.clone();
    if door.store.read(|c| repositories::by_path(c, &path))?.is_some() {
        return Err(Error::Conflict(msg!("repository-exists", path = path)).into());
    }
    let _folder = first_push::make_folder(door, &path).await?;
    let by = known.account.name.to_string();
    let made = door.store.write(move |c| {
        let now = Timestamp::now();
        let id = repositories::create(c, &new, now)?;
        events::add(c, Some(id), &Happened::RepositoryCreated { by }, now)?;
        repositories::by_id(c, id)?.ok_or_else(|| Error::Internal("a new repository is missing".into()))
    });
    Ok(made.await?)
}

/// A repository.
#[utoipa::path(tag = "repositories", responses((status = 200, body = RepositoryShape), (status = 404, body = ErrorBody)))]
#[get("/repos/{owner}/{repo}")]
pub async fn show(
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let repository = auth::readable(&door, &identity, &auth::path_of(&path.0, &path.1)?)?;
    Ok(HttpResponse::Ok().json(RepositoryShape::of(&door, &identity, &repository)))
}

/// What is left out stays as it is.
#[derive(Deserialize, ToSchema)]
pub struct RepositoryChange {
    pub description: Option<String>,
    pub private: Option<bool>,
    /// Short name of a branch that exists.
    pub default_branch: Option<String>,
}

/// Changes a repository.
#[utoipa::path(tag = "repositories", request_body = RepositoryChange,
    responses((status = 200, body = RepositoryShape), (status = 403, body = ErrorBody), (status = 422, body = ErrorBody)))]
#[patch("/repos/{owner}/{repo}")]
pub async fn edit(
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<(String, String)>,
    change: web::Json<RepositoryChange>,
) -> Result<HttpResponse, Failure> {
    let repository = auth::writable(&door, &identity, &auth::path_of(&path.0, &path.1)?)?;
    let changed = change_repository(&door, &repository, change.into_inner()).await?;
    Ok(HttpResponse::Ok().json(RepositoryShape::of(&door, &identity, &changed)))
}

/// Changes a repository; the API and the form end here.
pub async fn change_repository(
    door: &Door,
    repository: &Repository,
    change: RepositoryChange,
) -> Result<Repository, Failure> {
    let branch = match &change.default_branch {
        None => None,
        Some(name) => {
            let branch = RefName::branch(name)?;
            if door.git.read_ref(&repository.path, &branch)?.is_none() {
                return Err(Error::Invalid(msg!("api-branch-not-found", name = branch.short())).into());
            }
            door.git.set_default_branch(&repository.path, &branch)?;
            Some(name.clone())
        }
    };
    let description = change.description.unwrap_or_else(|| repository.description.clone());
    check_description(&description)?;
    let (id, private) = (repository.id, change.private.unwrap_or(repository.private));
    let changed = door.store.write(move |c| {
        repositories::update(c, id, &description, private)?;
        if let Some(branch) = branch {
            repositories::set_default_branch(c, id, &branch)?;
        }
        repositories::by_id(c, id)?.ok_or_else(|| Error::Internal("a changed repository is missing".into()))
    });
    Ok(changed.await?)
}

fn check_description(text: &str) -> Result<(), Failure> {
    match text.chars().count() > LONGEST_DESCRIPTION {
        true => Err(Error::Invalid(msg!("api-description-long", longest = LONGEST_DESCRIPTION)).into()),
        false => Ok(()),
    }
}

/// Deletes a repository with its pipelines, runs and logs; refused while a run has not ended.
#[utoipa::path(tag = "repositories", responses((status = 204), (status = 403, body = ErrorBody), (status = 409, body = ErrorBody)))]
#[delete("/repos/{owner}/{repo}")]
pub async fn remove(
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let repository = auth::writable(&door, &identity, &auth::path_of(&path.0, &path.1)?)?;
    let by = identity.require()?.account.name.to_string();
    delete_repository(&door, &repository, by).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Deletes the row first: a folder without a row is invisible, a row without a folder would not be.
pub async fn delete_repository(door: &Door, repository: &Repository, by: String) -> Result<(), Failure> {
    let id = repository.id;
    let of_part = |before| door.store.read(|c| runs::of_repository(c, id, before, PART));
    let run_ids = all_runs(|last| of_part(last.map(|run| run.id)))?;
    door.store
        .write(move |c| {
            repositories::delete(c, id)?;
            events::add(c, Some(id), &Happened::RepositoryDeleted { by }, Timestamp::now())
        })
        .await?;
    forget_logs(door, run_ids).await;
    match door.git.delete(&repository.path).await {
        Ok(()) | Err(Error::NotFound(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Runs looked up at a time.
pub(super) const PART: u32 = 500;

/// The ids of all runs, read in parts: `part` gives those after the last one of the part before.
pub(super) fn all_runs(part: impl Fn(Option<&Run>) -> Result<Vec<Run>, Error>) -> Result<Vec<i64>, Error> {
    let (mut ids, mut last) = (Vec::new(), None);
    loop {
        let runs = part(last.as_ref())?;
        ids.extend(runs.iter().map(|run| run.id));
        last = match runs.into_iter().next_back() {
            Some(run) => Some(run),
            None => return Ok(ids),
        };
    }
}

/// Deletes the logs of runs whose rows are gone. What fails is only space, so it is noted and passed over.
pub(super) async fn forget_logs(door: &Door, runs: Vec<i64>) {
    let logs = door.logs.clone();
    let removed = web::block(move || {
        for run in runs {
            if let Err(error) = logs.remove(run) {
                tracing::warn!(run, %error, "the log of a deleted run is left over");
            }
        }
    });
    if let Err(error) = removed.await {
        tracing::warn!(%error, "logs of deleted runs are left over");
    }
}
