//! The form of a Docker trigger: empty, filled, and shown again with what is wrong.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web;
use serde::Deserialize;

use super::visit::{Answer, Sent, Visit, complaint, see_with};
use crate::model::{Error, Message, Result};
use crate::msg;
use crate::store::{endpoints, pipelines, repositories};
use crate::web::auth;
use crate::web::pages::webhooks::{Fields, WebhookForm};
use crate::web::pages::{links, respond_with};
use crate::web::webhooks::{self as act, Written};

/// Pipelines that the form proposes.
const MOST_PROPOSED: usize = 200;

type Name = web::Path<String>;

#[derive(Clone, Deserialize)]
pub struct Form {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    project: String,
    #[serde(default)]
    pipeline: String,
    #[serde(default)]
    endpoint: String,
    #[serde(default)]
    image_pattern: String,
    #[serde(default)]
    tag_pattern: String,
    server_type: String,
    #[serde(default)]
    secret_token: String,
    #[serde(default)]
    api_token: String,
    #[serde(default)]
    no_api_token: bool,
    #[serde(default)]
    enabled: bool,
    #[serde(default)]
    inputs: String,
    version: Option<i64>,
}

impl Form {
    fn fields(&self) -> Fields {
        let form = self.clone();
        Fields {
            name: form.name,
            description: form.description,
            project: form.project,
            pipeline: form.pipeline,
            endpoint: form.endpoint,
            image_pattern: form.image_pattern,
            tag_pattern: form.tag_pattern,
            server_type: form.server_type.parse().unwrap_or_default(),
            enabled: form.enabled,
            inputs: form.inputs,
        }
    }

    fn written(&self) -> Result<Written> {
        let form = self.clone();
        let api_token = match (form.no_api_token, form.api_token.trim()) {
            (true, _) => Some(String::new()),
            (false, "") => None,
            (false, token) => Some(token.to_owned()),
        };
        Ok(Written {
            server_type: form.server_type.parse()?,
            inputs: inputs(&form.inputs)?,
            name: form.name.trim().to_owned(),
            description: form.description,
            project: form.project,
            pipeline: form.pipeline,
            endpoint: form.endpoint,
            image_pattern: form.image_pattern,
            tag_pattern: form.tag_pattern,
            secret_token: form.secret_token,
            api_token,
            enabled: form.enabled,
        })
    }
}

/// Lines `NAME=value`.
fn inputs(text: &str) -> Result<BTreeMap<String, String>> {
    let mut all = BTreeMap::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let shown = || line.chars().take(80).collect::<String>().escape_debug().to_string();
        let pair = line.split_once('=').filter(|(name, _)| !name.trim().is_empty());
        let (name, value) = pair.ok_or_else(|| Error::Invalid(msg!("webhook-input-line", line = shown())))?;
        all.insert(name.trim().to_owned(), value.to_owned());
    }
    Ok(all)
}

/// `GET /webhooks/new`.
pub async fn new(visit: Visit) -> Answer {
    visit.identity.require()?;
    let fields = Fields { enabled: true, ..Fields::default() };
    form(visit, (StatusCode::OK, None), (None, false), fields)
}

/// `GET /webhooks/{name}/edit`.
pub async fn edit(visit: Visit, name: Name) -> Answer {
    let whole = act::changeable(&visit.door, &visit.identity, &name)?;
    let Written { name, description, project, pipeline, endpoint, .. } = whole.written();
    let webhook = whole.webhook;
    let lines = webhook.inputs.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    let fields = Fields {
        name: name.clone(),
        description,
        project,
        pipeline,
        endpoint,
        image_pattern: webhook.image_pattern,
        tag_pattern: webhook.tag_pattern,
        server_type: webhook.server_type,
        enabled: webhook.enabled,
        inputs: lines,
    };
    let changing = Some((name, webhook.version));
    form(visit, (StatusCode::OK, None), (changing, webhook.api_token.is_some()), fields)
}

fn form(
    visit: Visit,
    (status, error): (StatusCode, Option<Message>),
    (changing, has_api_token): (Option<(String, i64)>, bool),
    fields: Fields,
) -> Answer {
    let endpoints = visit.door.store.read(endpoints::list)?;
    let endpoints = endpoints.into_iter().map(|endpoint| endpoint.given.name.to_string()).collect();
    let pipelines = proposed(&visit)?;
    let page = visit.page;
    Ok(respond_with(
        status,
        &WebhookForm { page, changing, fields, has_api_token, pipelines, endpoints, error },
    ))
}

/// The pipelines the visitor may start.
fn proposed(visit: &Visit) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for repository in visit.door.store.read(repositories::all)? {
        if !auth::can_write(&visit.identity, &repository) {
            continue;
        }
        for pipeline in visit.door.store.read(|c| pipelines::of_repository(c, repository.id))? {
            names.push(format!("{}/{}", repository.path, pipeline.name));
        }
        if names.len() >= MOST_PROPOSED {
            break;
        }
    }
    Ok(names)
}

/// `POST /webhooks/new`.
pub async fn create(sent: Sent<Form>) -> Answer {
    let Sent { visit, form: given } = sent;
    let made = match given.written() {
        Ok(written) => act::create(&visit.door, &visit.identity, written).await,
        Err(error) => Err(error.into()),
    };
    match made {
        Ok(whole) => Ok(see_with(&links::webhook(&whole.webhook.name), &msg!("hooks-made"))),
        Err(failure) => {
            let status = failure.status();
            let error = Some(complaint(failure)?);
            form(visit, (status, error), (None, false), given.fields())
        }
    }
}

/// `POST /webhooks/{name}/edit`.
pub async fn change(sent: Sent<Form>, name: Name) -> Answer {
    let Sent { visit, form: given } = sent;
    let mut before = act::changeable(&visit.door, &visit.identity, &name)?;
    before.webhook.version = given.version.unwrap_or(before.webhook.version);
    let changing = Some((before.webhook.name.clone(), before.webhook.version));
    let has_api_token = before.webhook.api_token.is_some();
    let changed = match given.written() {
        Ok(written) => act::change(&visit.door, &visit.identity, before, written).await,
        Err(error) => Err(error.into()),
    };
    match changed {
        Ok(whole) => Ok(see_with(&links::webhook(&whole.webhook.name), &msg!("pages-saved"))),
        Err(failure) => {
            let status = failure.status();
            let error = Some(complaint(failure)?);
            form(visit, (status, error), (changing, has_api_token), given.fields())
        }
    }
}
