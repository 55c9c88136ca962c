//! Image triggers of a pipeline: which moves of images start it, and what each would start now.

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::auth::{self, Identity};
use super::super::errors::{self, ErrorBody, Failure};
use super::super::state::Door;
use super::pipelines::find;
use super::run_shape::ChangeShape;
use crate::messages::{self, Language};
use crate::model::{Error, ImageChange, Message, Result, StreamTagName};
use crate::msg;
use crate::store::pipelines::Pipeline;
use crate::store::triggers::changes::{By, pending};
use crate::store::triggers::{self, ImageTrigger, waiting};

#[derive(Serialize, ToSchema)]
pub struct TriggerShape {
    pub id: i64,
    /// `owner/stream:tag`; `null` for the pipeline's own bases.
    pub from: Option<String>,
    pub paused: bool,
    /// What the newest run had, by what is watched.
    pub last: std::collections::BTreeMap<String, String>,
    pub last_at: Option<String>,
    /// What a run would be started for now, or when it is let go on.
    pub pending: Vec<ChangeShape>,
    /// What is not there yet, in the caller's language; it starts a run when it comes.
    pub waits_for: Option<String>,
}

/// A trigger, what it would start, and what it waits for.
pub type Standing = (ImageTrigger, Vec<ImageChange>, Option<Message>);

/// The pipeline's triggers with what each would start.
pub fn of_pipeline(door: &Door, pipeline_id: i64) -> Result<Vec<Standing>> {
    door.store.read(|c| {
        let standing = |trigger: ImageTrigger| {
            let waits = trigger.from.as_ref().map_or(Ok(None), |from| waiting::of(c, from))?;
            Ok((pending(c, &trigger)?, waits)).map(|(changes, waits)| (trigger, changes, waits))
        };
        triggers::of_pipeline(c, pipeline_id)?.into_iter().map(standing).collect()
    })
}

fn shape((trigger, changes, waits): Standing, language: Language) -> TriggerShape {
    TriggerShape {
        id: trigger.id,
        from: trigger.from.map(|from| from.to_string()),
        paused: trigger.paused,
        last: trigger.last,
        last_at: trigger.last_at.map(|at| at.to_string()),
        pending: changes.iter().map(ChangeShape::of).collect(),
        waits_for: waits.map(|waits| messages::render(language, &waits)),
    }
}

fn readable(door: &Door, identity: &Identity, path: (&str, &str, &str)) -> Result<Pipeline, Failure> {
    let repository = auth::readable(door, identity, &auth::path_of(path.0, path.1)?)?;
    find(door, &repository, path.2)
}

fn writable(door: &Door, identity: &Identity, path: (&str, &str, &str)) -> Result<Pipeline, Failure> {
    let repository = auth::writable(door, identity, &auth::path_of(path.0, path.1)?)?;
    find(door, &repository, path.2)
}

fn one(request: &HttpRequest, door: &Door, pipeline: &Pipeline, id: i64) -> Result<TriggerShape, Failure> {
    let found = of_pipeline(door, pipeline.id)?.into_iter().find(|(trigger, ..)| trigger.id == id);
    found
        .map(|found| shape(found, errors::language(request)))
        .ok_or_else(|| Error::NotFound(msg!("trigger-not-found")).into())
}

/// The image triggers of a pipeline.
#[utoipa::path(tag = "image triggers", responses((status = 200, body = Vec<TriggerShape>), (status = 404, body = ErrorBody)))]
#[get("/repos/{owner}/{repo}/pipelines/{pipeline}/triggers")]
pub async fn list(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, Failure> {
    let pipeline = readable(&door, &identity, (&path.0, &path.1, &path.2))?;
    let found = of_pipeline(&door, pipeline.id)?;
    let language = errors::language(&request);
    Ok(HttpResponse::Ok().json(found.into_iter().map(|found| shape(found, language)).collect::<Vec<_>>()))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTriggerForm {
    /// `owner/stream:tag`; the pipeline's own bases without it.
    #[schema(example = "admin/base:1")]
    pub from: Option<String>,
    #[serde(default)]
    pub paused: bool,
}

/// Makes a trigger. Unless it is paused, what it watches starts a run at once if the newest run had something else.
#[utoipa::path(tag = "image triggers", request_body = NewTriggerForm,
    responses((status = 201, body = TriggerShape), (status = 403, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
#[post("/repos/{owner}/{repo}/pipelines/{pipeline}/triggers")]
pub async fn create(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<(String, String, String)>,
    form: web::Json<NewTriggerForm>,
) -> Result<HttpResponse, Failure> {
    let pipeline = writable(&door, &identity, (&path.0, &path.1, &path.2))?;
    let id = add(&door, &identity, &pipeline, form.into_inner()).await?;
    Ok(HttpResponse::Created().json(one(&request, &door, &pipeline, id)?))
}

/// Makes a trigger; the API and the form end here. The caller has checked the permission.
pub async fn add(
    door: &Door,
    identity: &Identity,
    pipeline: &Pipeline,
    form: NewTriggerForm,
) -> Result<i64, Failure> {
    let from = form.from.filter(|from| !from.is_empty());
    let from = from.map(|from| from.parse::<StreamTagName>()).transpose()?;
    let (pipeline, by) = (pipeline.clone(), identity.require()?.account.name.to_string());
    let write = move |c: &crate::store::Connection| {
        let by = By { pipeline: &pipeline, account: &by, at: Timestamp::now() };
        by.add(c, (from, form.paused))
    };
    Ok(door.store.write(write).await?)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TriggerEdit {
    pub paused: bool,
}

/// Pauses a trigger or lets it go on; what moved meanwhile makes one run.
#[utoipa::path(tag = "image triggers", request_body = TriggerEdit,
    responses((status = 200, body = TriggerShape), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
#[patch("/repos/{owner}/{repo}/pipelines/{pipeline}/triggers/{id}")]
pub async fn edit(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<(String, String, String, i64)>,
    form: web::Json<TriggerEdit>,
) -> Result<HttpResponse, Failure> {
    let pipeline = writable(&door, &identity, (&path.0, &path.1, &path.2))?;
    pause(&door, &identity, &pipeline, (path.3, form.paused)).await?;
    Ok(HttpResponse::Ok().json(one(&request, &door, &pipeline, path.3)?))
}

pub async fn pause(
    door: &Door,
    identity: &Identity,
    pipeline: &Pipeline,
    (id, paused): (i64, bool),
) -> Result<(), Failure> {
    let (pipeline, by) = (pipeline.clone(), identity.require()?.account.name.to_string());
    let write = move |c: &crate::store::Connection| {
        By { pipeline: &pipeline, account: &by, at: Timestamp::now() }.pause(c, id, paused)
    };
    Ok(door.store.write(write).await?)
}

/// Deletes a trigger.
#[utoipa::path(tag = "image triggers", responses((status = 204), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
#[delete("/repos/{owner}/{repo}/pipelines/{pipeline}/triggers/{id}")]
pub async fn remove(
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<(String, String, String, i64)>,
) -> Result<HttpResponse, Failure> {
    let pipeline = writable(&door, &identity, (&path.0, &path.1, &path.2))?;
    drop_trigger(&door, &identity, &pipeline, path.3).await?;
    Ok(HttpResponse::NoContent().finish())
}

pub async fn drop_trigger(
    door: &Door,
    identity: &Identity,
    pipeline: &Pipeline,
    id: i64,
) -> Result<(), Failure> {
    let (pipeline, by) = (pipeline.clone(), identity.require()?.account.name.to_string());
    let write = move |c: &crate::store::Connection| {
        By { pipeline: &pipeline, account: &by, at: Timestamp::now() }.remove(c, id)
    };
    Ok(door.store.write(write).await?)
}
