//! A Docker trigger as programs write and read it. Field names are ours; Code Stream's are understood as well.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::super::auth::Identity;
use super::super::hooks;
use super::super::state::Door;
use super::super::webhooks::{self, Whole, Written};
use crate::messages::{self, Language};
use crate::model::Result;

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
    pub fn over(self, before: Written) -> Result<Written> {
        let server_type = self.server_type.map(|text| text.parse()).transpose()?;
        let inputs =
            self.inputs.map(|all| all.into_iter().map(|(name, value)| (name, plain(value))).collect());
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
    pub fn of(door: &Door, identity: &Identity, whole: &Whole, language: Language) -> Result<Self> {
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
            endpoint: whole.endpoint_name(),
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
