//! Runs: list, start, look, cancel, start again.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::auth::{self, Identity};
use super::super::errors::{self, ErrorBody, Failure};
use super::super::start;
use super::super::state::Door;
use super::paging::{self, Paging};
use super::pipelines;
use super::run_shape::RunShape;
use crate::model::{Error, PipelineName, Run};
use crate::msg;
use crate::store::repositories::Repository;
use crate::store::runs;

/// `{owner}/{repo}/pipelines/{pipeline}/runs/{number}`.
#[derive(Deserialize)]
pub struct RunPath {
    pub owner: String,
    pub repo: String,
    pub pipeline: String,
    pub number: u64,
}

#[derive(Deserialize, ToSchema)]
pub struct NewRunForm {
    /// Branch, tag or full ref name; the default branch unless given.
    #[serde(rename = "ref", default)]
    pub reference: String,
    /// Values as text, numbers or booleans.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    pub inputs: BTreeMap<String, serde_json::Value>,
}

/// The runs of a pipeline, newest first, without their stages.
#[utoipa::path(tag = "runs", params(Paging), responses((status = 200, body = Vec<RunShape>), (status = 404, body = ErrorBody)))]
#[get("/repos/{owner}/{repo}/pipelines/{pipeline}/runs")]
pub async fn list(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<(String, String, String)>,
    paging: web::Query<Paging>,
) -> Result<HttpResponse, Failure> {
    let repository = auth::readable(&door, &identity, &auth::path_of(&path.0, &path.1)?)?;
    let pipeline = pipelines::find(&door, &repository, &path.2)?;
    let (before, limit) = (paging.after_number(), paging.limit());
    let mut found = door.store.read(|c| runs::of_pipeline(c, pipeline.id, before, limit + 1))?;
    let more = paging::cut(&mut found, limit);
    let next = found.last().filter(|_| more).map(|run| run.number.to_string());
    let language = errors::language(&request);
    let shapes: Vec<_> = found.iter().map(|run| RunShape::brief(&door, run, language)).collect();
    Ok(paging::answer(&door, request.path(), &paging, &shapes, next))
}

/// Starts a run. One whose definition cannot be carried out is made, too, and has failed with its findings.
#[utoipa::path(tag = "runs", request_body = NewRunForm,
    responses((status = 201, body = RunShape), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
#[post("/repos/{owner}/{repo}/pipelines/{pipeline}/runs")]
pub async fn create(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<(String, String, String)>,
    new: web::Json<NewRunForm>,
) -> Result<HttpResponse, Failure> {
    let repository = auth::writable(&door, &identity, &auth::path_of(&path.0, &path.1)?)?;
    let name = PipelineName::new(path.2.as_str()).map_err(|_| Failure::not_found())?;
    let new = new.into_inner();
    let inputs = new.inputs.into_iter().map(plain).collect::<Result<_, Failure>>()?;
    let found = start::find(&door, &repository, &name, &new.reference).await?;
    let by = identity.require()?.account.name.to_string();
    let run = start::start(&door, &repository, &name, (found, inputs), &by).await?;
    created(&request, &door, &run)
}

/// `5` and `true` may be given as such; they are text for the steps.
fn plain((name, value): (String, serde_json::Value)) -> Result<(String, String), Failure> {
    use serde_json::Value;
    let text = match value {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            let name = name.chars().take(100).collect::<String>().escape_debug().to_string();
            return Err(Error::Invalid(msg!("api-input-not-plain", name = name)).into());
        }
    };
    Ok((name, text))
}

fn created(request: &HttpRequest, door: &Door, run: &Run) -> Result<HttpResponse, Failure> {
    let shape = RunShape::read(door, run, errors::language(request))?;
    Ok(HttpResponse::Created().json(shape))
}

/// A run with its stages, steps and images.
#[utoipa::path(tag = "runs", responses((status = 200, body = RunShape), (status = 404, body = ErrorBody)))]
#[get("/repos/{owner}/{repo}/pipelines/{pipeline}/runs/{number}")]
pub async fn show(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<RunPath>,
) -> Result<HttpResponse, Failure> {
    let (_, run) = readable(&door, &identity, &path)?;
    Ok(HttpResponse::Ok().json(RunShape::read(&door, &run, errors::language(&request))?))
}

/// Asks for the end of a run.
#[utoipa::path(tag = "runs", responses((status = 202, body = RunShape), (status = 403, body = ErrorBody), (status = 409, body = ErrorBody)))]
#[post("/repos/{owner}/{repo}/pipelines/{pipeline}/runs/{number}/cancel")]
pub async fn cancel(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<RunPath>,
) -> Result<HttpResponse, Failure> {
    let run = writable(&door, &identity, &path)?;
    let run = start::cancel(&door, &run, identity.require()?.account.name.as_str()).await?;
    let shape = RunShape::read(&door, &run, errors::language(&request))?;
    Ok(HttpResponse::Accepted().json(shape))
}

/// Starts a run with the commit, the inputs and the definition of this one.
#[utoipa::path(tag = "runs", responses((status = 201, body = RunShape), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
#[post("/repos/{owner}/{repo}/pipelines/{pipeline}/runs/{number}/rerun")]
pub async fn rerun(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<RunPath>,
) -> Result<HttpResponse, Failure> {
    let run = writable(&door, &identity, &path)?;
    let run = start::rerun(&door, &run, identity.require()?.account.name.as_str()).await?;
    created(&request, &door, &run)
}

/// The run of an address, for whoever may read its repository.
pub fn readable(door: &Door, identity: &Identity, path: &RunPath) -> Result<(Repository, Run), Failure> {
    let repository = auth::readable(door, identity, &auth::path_of(&path.owner, &path.repo)?)?;
    let pipeline = pipelines::find(door, &repository, &path.pipeline)?;
    let run = start::run_of(door, &pipeline, path.number)?;
    Ok((repository, run))
}

fn writable(door: &Door, identity: &Identity, path: &RunPath) -> Result<Run, Failure> {
    auth::writable(door, identity, &auth::path_of(&path.owner, &path.repo)?)?;
    Ok(readable(door, identity, path)?.1)
}
