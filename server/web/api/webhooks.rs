//! Docker triggers. Field names are ours; Code Stream's are understood as well.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::super::auth::{self, Identity};
use super::super::errors::{self, ErrorBody, Failure};
use super::super::hooks;
use super::super::state::Door;
use super::super::webhooks::{self, DryRun, Whole, Written};
use crate::messages::{self, Language};
use crate::model::{Message, Result, WebhookCheck};

/// A new webhook, or what is to be changed of one: what is left out stays as it is.
#[derive(Default, Deserialize, ToSchema)]
pub struct WebhookForm {
    #[schema(example = "numbers-base")]
    pub name: Option<String>,
    pub description: Option<String>,
    pub project: Option<String>,
    /// `owner/name/pipeline`.
    #[schema(example = "admin/numbers/default")]
    pub pipeline: Option<String>,
    /// Name of an endpoint; without one the stack's own registry, or Docker Hub.
    pub endpoint: Option<String>,
    /// Regular expression for the whole name of the image.
    #[serde(alias = "imageNameRegExPattern")]
    pub image_pattern: Option<String>,
    /// Regular expression for the whole tag.
    #[serde(alias = "tagNamePattern")]
    pub tag_pattern: Option<String>,
    /// `Distribution`, `Docker_Trusted_Registry` or `DockerHub`.
    #[serde(alias = "serverType")]
    pub server_type: Option<String>,
    /// Made up when it is not given.
    #[serde(alias = "secretToken")]
    pub secret_token: Option<String>,
    /// Runs are started only while this token's owner may start them.
    #[serde(alias = "refreshToken", alias = "apiToken")]
    pub api_token: Option<String>,
    pub enabled: Option<bool>,
    /// Values for the pipeline's inputs; `${DOCKER_TAG}` and its like are put in.
    #[serde(alias = "input")]
    #[schema(value_type = Option<Object>)]
    pub inputs: Option<BTreeMap<String, Value>>,
    /// With a change: the version it is for.
    pub version: Option<i64>,
}

impl WebhookForm {
    fn over(self, before: Written) -> Result<Written> {
        let server_type = self.server_type.map(|text| text.parse()).transpose()?;
        let inputs = self.inputs.map(|all| all.into_iter().map(|(name, value)| (name, plain(value))).collect());
        Ok(Written {
            name: self.name.unwrap_or(before.name),
            description: self.description.unwrap_or(before.description),
            project: self.project.unwrap_or(before.project),
            pipeline: self.pipeline.unwrap_or(before.pipeline),
            endpoint: self.endpoint.unwrap_or(before.endpoint),
            image_pattern: self.image_pattern.unwrap_or(before.image_pattern),
            tag_pattern: self.tag_pattern.unwrap_or(before.tag_pattern),
            server_type: server_type.unwrap_or(before.server_type),
            secret_token: self.secret_token.unwrap_or(before.secret_token),
            api_token: self.api_token.or(before.api_token),
            enabled: self.enabled.unwrap_or(before.enabled),
            inputs: inputs.unwrap_or(before.inputs),
        })
    }
}

/// Code Stream's inputs may be objects with a `value`.
fn plain(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        Value::Object(mut fields) => fields.remove("value").map(plain).unwrap_or_default(),
        other => other.to_string(),
    }
}

#[derive(Serialize, ToSchema)]
pub struct WebhookShape {
    pub id: i64,
    pub name: String,
    pub description: String,
    pub project: String,
    /// `owner/name/pipeline`; `null` when there is none (any more).
    pub pipeline: Option<String>,
    pub endpoint: Option<String>,
    pub image_pattern: String,
    pub tag_pattern: String,
    pub server_type: &'static str,
    pub enabled: bool,
    #[schema(value_type = Object)]
    pub inputs: BTreeMap<String, String>,
    pub has_api_token: bool,
    /// For those who may change the webhook, as are the addresses.
    pub secret_token: Option<String>,
    /// Where Docker Hub sends its payloads to, token included.
    pub docker_hub_url: Option<String>,
    /// Where a registry sends its notifications to, with `Authorization: Bearer` and the token.
    pub registry_url: Option<String>,
    /// Where anything else sends to, signed with the token.
    pub generic_url: Option<String>,
    /// What Docker Hub calls it, and why the last change did not get there.
    pub remote_id: Option<String>,
    pub remote_error: Option<String>,
    pub version: i64,
    pub created_at: String,
    pub created_by: String,
    pub updated_at: String,
    pub updated_by: String,
    pub html_url: String,
}

impl WebhookShape {
    fn of(door: &Door, identity: &Identity, whole: &Whole, language: Language) -> Result<Self> {
        let webhook = &whole.webhook;
        let token = match webhooks::may_change(identity, whole) {
            true => hooks::token_of(door, webhook)?,
            false => None,
        };
        let mine = token.is_some();
        Ok(WebhookShape {
            id: webhook.id,
            name: webhook.name.clone(),
            description: webhook.description.clone(),
            project: webhook.project.clone(),
            pipeline: whole.pipeline(),
            endpoint: whole.endpoint.as_ref().map(|endpoint| endpoint.name.clone()),
            image_pattern: webhook.image_pattern.clone(),
            tag_pattern: webhook.tag_pattern.clone(),
            server_type: webhook.server_type.as_str(),
            enabled: webhook.enabled,
            inputs: if mine { webhook.inputs.clone() } else { BTreeMap::new() },
            has_api_token: webhook.api_token.is_some(),
            docker_hub_url: token.as_ref().map(|token| hooks::docker_hub_address(door, token)),
            registry_url: mine.then(|| hooks::registry_address(door)),
            generic_url: mine.then(|| hooks::generic_address(door, &webhook.name)),
            secret_token: token.map(|token| token.reveal().to_owned()),
            remote_id: webhook.remote_id.clone(),
            remote_error: webhook.remote_error.as_ref().map(|error| messages::render(language, error)),
            version: webhook.version,
            created_at: webhook.created_at.to_string(),
            created_by: webhook.created_by.clone(),
            updated_at: webhook.updated_at.to_string(),
            updated_by: webhook.updated_by.clone(),
            html_url: format!("{}/webhooks/{}", door.settings.url, webhook.name),
        })
    }
}

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
    let found = webhooks::dry_run(&door, &whole, &body).await?;
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
