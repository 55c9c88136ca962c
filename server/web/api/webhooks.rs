//! Docker triggers: making, changing and trying them.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::auth::{self, Identity};
use super::super::errors::{self, ErrorBody, Failure};
use super::super::hooks;
use super::super::state::Door;
use super::super::webhooks::{self, DryRun, Written};
use super::webhook_shapes::{WebhookForm, WebhookShape};
use crate::messages::{self, Language};
use crate::model::{Message, Result, WebhookCheck};

/// What the stack's own registry needs to know; for administrators.
#[derive(Serialize, ToSchema)]
pub struct RegistryHookShape {
    pub url: String,
    pub token: String,
}

/// The Docker triggers that the caller may see, by name.
#[utoipa::path(tag = "webhooks", responses((status = 200, body = Vec<WebhookShape>), (status = 401, body = ErrorBody)))]
#[get("/webhooks/docker")]
pub async fn list(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
) -> Result<HttpResponse, Failure> {
    let language = errors::language(&request);
    let all = webhooks::visible(&door, &identity)?;
    let shapes = all.iter().map(|whole| WebhookShape::of(&door, &identity, whole, language));
    Ok(HttpResponse::Ok().json(shapes.collect::<Result<Vec<_>>>()?))
}

/// Makes a Docker trigger.
#[utoipa::path(tag = "webhooks", request_body = WebhookForm,
    responses((status = 201, body = WebhookShape), (status = 403, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
#[post("/webhooks/docker")]
pub async fn create(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    form: web::Json<WebhookForm>,
) -> Result<HttpResponse, Failure> {
    let written = form.into_inner().over(Written { enabled: true, ..Written::default() })?;
    let made = webhooks::create(&door, &identity, written).await?;
    let language = errors::language(&request);
    Ok(HttpResponse::Created().json(WebhookShape::of(&door, &identity, &made, language)?))
}

/// One Docker trigger.
#[utoipa::path(tag = "webhooks", responses((status = 200, body = WebhookShape), (status = 404, body = ErrorBody)))]
#[get("/webhooks/docker/{name}")]
pub async fn show(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    name: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    let whole = webhooks::seen(&door, &identity, &name)?;
    Ok(HttpResponse::Ok().json(WebhookShape::of(&door, &identity, &whole, errors::language(&request))?))
}

/// Changes a Docker trigger.
#[utoipa::path(tag = "webhooks", request_body = WebhookForm,
    responses((status = 200, body = WebhookShape), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
#[patch("/webhooks/docker/{name}")]
pub async fn edit(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    (name, form): (web::Path<String>, web::Json<WebhookForm>),
) -> Result<HttpResponse, Failure> {
    let mut before = webhooks::changeable(&door, &identity, &name)?;
    if let Some(version) = form.version {
        before.webhook.version = version;
    }
    let written = form.into_inner().over(before.written())?;
    let changed = webhooks::change(&door, &identity, before, written).await?;
    Ok(HttpResponse::Ok().json(WebhookShape::of(&door, &identity, &changed, errors::language(&request))?))
}

/// Gives the webhook a new token; the old one counts no longer.
#[utoipa::path(tag = "webhooks", responses((status = 200, body = WebhookShape), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
#[post("/webhooks/docker/{name}/rotate")]
pub async fn rotate(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    name: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    let before = webhooks::changeable(&door, &identity, &name)?;
    let changed = webhooks::rotate(&door, &identity, before).await?;
    Ok(HttpResponse::Ok().json(WebhookShape::of(&door, &identity, &changed, errors::language(&request))?))
}

/// Makes the webhook at Docker Hub once more, after that failed.
#[utoipa::path(tag = "webhooks", responses((status = 200, body = WebhookShape), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
#[post("/webhooks/docker/{name}/mirror")]
pub async fn mirror(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    name: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    let whole = webhooks::changeable(&door, &identity, &name)?;
    let whole = webhooks::mirror(&door, whole).await?;
    Ok(HttpResponse::Ok().json(WebhookShape::of(&door, &identity, &whole, errors::language(&request))?))
}

/// Deletes a Docker trigger.
#[utoipa::path(tag = "webhooks", responses((status = 204), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
#[delete("/webhooks/docker/{name}")]
pub async fn remove(
    door: web::Data<Door>,
    identity: Identity,
    name: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    let whole = webhooks::changeable(&door, &identity, &name)?;
    webhooks::delete(&door, whole).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Serialize, ToSchema)]
pub struct DryRunShape {
    /// Why nothing follows from the payload as a whole.
    pub message: Option<String>,
    pub images: Vec<VerdictShape>,
    /// Events of the payload about nothing that is followed.
    pub skipped: usize,
}

#[derive(Serialize, ToSchema)]
pub struct VerdictShape {
    /// `host/repository:tag`.
    pub image: String,
    pub would_start: bool,
    pub checks: Vec<CheckShape>,
    /// What the run would be given.
    #[schema(value_type = Object)]
    pub inputs: BTreeMap<String, String>,
}

#[derive(Serialize, ToSchema)]
pub struct CheckShape {
    pub good: bool,
    pub code: String,
    pub message: String,
}

/// What a payload would lead to, question by question. Nothing is stored and nothing starts.
#[utoipa::path(tag = "webhooks", request_body = String,
    responses((status = 200, body = DryRunShape), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
#[post("/webhooks/docker/{name}/test")]
pub async fn test(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    (name, body): (web::Path<String>, web::Bytes),
) -> Result<HttpResponse, Failure> {
    let whole = webhooks::changeable(&door, &identity, &name)?;
    let headers: Vec<_> =
        hooks::headers(&request).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let found = webhooks::dry_run(&door, &whole, (&headers, &body)).await?;
    Ok(HttpResponse::Ok().json(shape(found, errors::language(&request))))
}

fn shape(found: DryRun, language: Language) -> DryRunShape {
    let told = |message: &Message| messages::render(language, message);
    let check = |check: WebhookCheck| CheckShape {
        good: check.good,
        code: check.message.key.to_string(),
        message: told(&check.message),
    };
    let images = found.verdicts.into_iter().map(|verdict| VerdictShape {
        image: verdict.image,
        would_start: verdict.would_start,
        checks: verdict.checks.into_iter().map(check).collect(),
        inputs: verdict.inputs,
    });
    DryRunShape {
        message: found.unknown.as_ref().map(told),
        images: images.collect(),
        skipped: found.skipped,
    }
}

/// Address and token for the notifications of the stack's own registry.
#[utoipa::path(tag = "webhooks", responses((status = 200, body = RegistryHookShape), (status = 403, body = ErrorBody)))]
#[get("/webhooks/registry")]
pub async fn registry(door: web::Data<Door>, identity: Identity) -> Result<HttpResponse, Failure> {
    auth::require_admin(&identity)?;
    let token = door.settings.hook_token.reveal().to_owned();
    Ok(HttpResponse::Ok().json(RegistryHookShape { url: hooks::registry_address(&door), token }))
}
