//! Pipelines of a repository.

use actix_web::{HttpResponse, delete, get, post, web};
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::auth::{self, Identity};
use super::super::errors::{ErrorBody, Failure};
use super::super::state::Door;
use super::repositories;
use super::shapes::PipelineShape;
use crate::model::{Error, Happened, PipelineName};
use crate::store::pipelines::{self, NewPipeline, Pipeline};
use crate::store::repositories::Repository;
use crate::store::{events, runs};
use crate::{msg, pipeline};

#[derive(Deserialize, ToSchema)]
pub struct NewPipelineForm {
    #[schema(example = "numbers")]
    pub name: String,
    #[schema(example = "ch11/exercises/Jenkinsfile")]
    pub path: String,
    /// Globs on branch names; empty means all.
    #[serde(default)]
    pub branches: Vec<String>,
}

/// The pipelines of a repository, by name.
#[utoipa::path(tag = "pipelines", responses((status = 200, body = Vec<PipelineShape>), (status = 404, body = ErrorBody)))]
#[get("/repos/{owner}/{repo}/pipelines")]
pub async fn list(
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let repository = auth::readable(&door, &identity, &auth::path_of(&path.0, &path.1)?)?;
    let all = door.store.read(|c| pipelines::of_repository(c, repository.id))?;
    let shapes: Vec<_> = all.iter().map(|p| PipelineShape::of(&door, &repository, p)).collect();
    Ok(HttpResponse::Ok().json(shapes))
}

/// Makes a pipeline of a definition in the repository. The definition may come later than the pipeline.
#[utoipa::path(tag = "pipelines", request_body = NewPipelineForm,
    responses((status = 201, body = PipelineShape), (status = 403, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
#[post("/repos/{owner}/{repo}/pipelines")]
pub async fn create(
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<(String, String)>,
    new: web::Json<NewPipelineForm>,
) -> Result<HttpResponse, Failure> {
    let repository = auth::writable(&door, &identity, &auth::path_of(&path.0, &path.1)?)?;
    let by = identity.require()?.account.name.to_string();
    let made = create_pipeline(&door, &repository, new.into_inner(), by).await?;
    Ok(HttpResponse::Created().json(PipelineShape::of(&door, &repository, &made)))
}

/// Makes a pipeline; the API and the form end here. The caller has checked the permission.
pub async fn create_pipeline(
    door: &Door,
    repository: &Repository,
    new: NewPipelineForm,
    by: String,
) -> Result<Pipeline, Failure> {
    let name = PipelineName::new(new.name)?;
    let path = new.path.trim_matches('/').to_owned();
    pipeline::check_path(&path)?;
    pipeline::check_branches(&new.branches)?;
    let repository_id = repository.id;
    let made = door.store.write(move |c| {
        let now = Timestamp::now();
        let happened = Happened::PipelineCreated { pipeline: name.to_string(), by };
        let new = NewPipeline { repository_id, name, path, branches: new.branches, discovered: false };
        let id = pipelines::create(c, &new, now)?;
        events::add(c, Some(repository_id), &happened, now)?;
        pipelines::by_id(c, id)?.ok_or_else(|| Error::Internal("a new pipeline is missing".into()))
    });
    Ok(made.await?)
}

/// One pipeline.
#[utoipa::path(tag = "pipelines", responses((status = 200, body = PipelineShape), (status = 404, body = ErrorBody)))]
#[get("/repos/{owner}/{repo}/pipelines/{pipeline}")]
pub async fn show(
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, Failure> {
    let repository = auth::readable(&door, &identity, &auth::path_of(&path.0, &path.1)?)?;
    let pipeline = find(&door, &repository, &path.2)?;
    Ok(HttpResponse::Ok().json(PipelineShape::of(&door, &repository, &pipeline)))
}

/// Deletes a pipeline and its runs; refused while one of them has not ended.
#[utoipa::path(tag = "pipelines", responses((status = 204), (status = 403, body = ErrorBody), (status = 409, body = ErrorBody)))]
#[delete("/repos/{owner}/{repo}/pipelines/{pipeline}")]
pub async fn remove(
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, Failure> {
    let repository = auth::writable(&door, &identity, &auth::path_of(&path.0, &path.1)?)?;
    let by = identity.require()?.account.name.to_string();
    let pipeline = find(&door, &repository, &path.2)?;
    delete_pipeline(&door, &pipeline, by).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Deletes a pipeline with its runs and their logs; the API and the form end here.
pub async fn delete_pipeline(door: &Door, pipeline: &Pipeline, by: String) -> Result<(), Failure> {
    let (id, repository_id) = (pipeline.id, pipeline.repository_id);
    let of_part = |before| door.store.read(|c| runs::of_pipeline(c, id, before, repositories::PART));
    let run_ids = repositories::all_runs(|last| of_part(last.map(|run| run.number)))?;
    let happened = Happened::PipelineDeleted { pipeline: pipeline.name.to_string(), by };
    door.store
        .write(move |c| {
            pipelines::delete(c, id)?;
            events::add(c, Some(repository_id), &happened, Timestamp::now())
        })
        .await?;
    repositories::forget_logs(door, run_ids).await;
    Ok(())
}

/// The pipeline of that name.
pub fn find(door: &Door, repository: &Repository, name: &str) -> Result<Pipeline, Failure> {
    let Ok(name) = PipelineName::new(name) else { return Err(Failure::not_found()) };
    let found = door.store.read(|c| pipelines::by_name(c, repository.id, &name))?;
    found.ok_or_else(|| Error::NotFound(msg!("api-pipeline-not-found", name = name)).into())
}
