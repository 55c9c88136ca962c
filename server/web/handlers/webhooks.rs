//! Docker triggers in the dashboard: the list, one of them, its form, and trying a payload on it. What the forms
//! change goes through the functions that the API uses.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web;
use serde::Deserialize;

use super::deliveries;
use super::image_rows::image_row;
use super::visit::{Answer, Sent, Visit, complaint, see_with};
use crate::model::{DockerWebhook, Error, Message, Result};
use crate::msg;
use crate::store::events::{self, Filter, ImageFilter};
use crate::store::{docker_webhooks, pipelines, repositories};
use crate::web::auth;
use crate::web::hooks;
use crate::web::pages::activity::ImageRow;
use crate::web::pages::webhooks::{
    Fields, Secrets, TestResult, VerdictRow, Webhook, WebhookForm, WebhookRow, WebhookTest, Webhooks,
};
use crate::web::pages::{links, respond, respond_with};
use crate::web::webhooks::{self as act, Whole, Written};

const RECENT: u32 = 20;
/// Pipelines that the form proposes.
const MOST_PROPOSED: usize = 200;

type Name = web::Path<String>;

/// `GET /webhooks`.
pub async fn list(visit: Visit) -> Answer {
    let all = act::visible(&visit.door, &visit.identity)?;
    let registry = auth::is_admin(&visit.identity).then(|| {
        let token = visit.door.settings.hook_token.reveal().to_owned();
        (hooks::registry_address(&visit.door), token)
    });
    Ok(respond(&Webhooks { rows: all.iter().map(row).collect(), page: visit.page, registry }))
}

fn row(whole: &Whole) -> WebhookRow {
    let webhook = &whole.webhook;
    WebhookRow {
        name: webhook.name.clone(),
        enabled: webhook.enabled,
        pipeline: whole.pipeline(),
        endpoint: whole.endpoint.as_ref().map(|endpoint| endpoint.name.clone()),
        server_type: webhook.server_type,
        image_pattern: webhook.image_pattern.clone(),
        tag_pattern: webhook.tag_pattern.clone(),
        remote_error: webhook.remote_error.clone(),
    }
}

/// `GET /webhooks/{name}`.
pub async fn show(visit: Visit, name: Name) -> Answer {
    let whole = act::seen(&visit.door, &visit.identity, &name)?;
    let mine = act::may_change(&visit.identity, &whole);
    let webhook = &whole.webhook;
    let secrets = match hooks::token_of(&visit.door, webhook)?.filter(|_| mine) {
        Some(token) => Some(Secrets {
            docker_hub: hooks::docker_hub_address(&visit.door, &token),
            registry: hooks::registry_address(&visit.door),
            generic: hooks::generic_address(&visit.door, &webhook.name),
            token: token.reveal().to_owned(),
        }),
        None => None,
    };
    let deliveries = match mine {
        true => deliveries::rows(&visit, Some(webhook.id), None, RECENT)?,
        false => Vec::new(),
    };
    let page = Webhook {
        images: images(&visit, webhook).await?,
        row: row(&whole),
        description: webhook.description.clone(),
        project: webhook.project.clone(),
        pipeline_href: whole.place.as_ref().map(|(repository, pipeline)| {
            links::pipeline(&repository.path.to_string(), pipeline.name.as_str())
        }),
        inputs: if mine { webhook.inputs.clone().into_iter().collect() } else { Vec::new() },
        has_api_token: webhook.api_token.is_some(),
        secrets,
        remote_id: webhook.remote_id.clone(),
        mirrored: webhook.remote_id.is_some(),
        deliveries,
        page: visit.page,
    };
    Ok(respond(&page))
}

async fn images(visit: &Visit, webhook: &DockerWebhook) -> Result<Vec<ImageRow>> {
    let image = ImageFilter { webhook: webhook.name.clone(), ..ImageFilter::default() };
    let filter = Filter { kind: Some("image-announced".into()), image, ..Filter::default() };
    let mut rows = Vec::new();
    for event in visit.door.store.read(|c| events::page(c, &filter, RECENT))? {
        rows.extend(image_row(visit, event).await?);
    }
    Ok(rows)
}

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
    let endpoints = visit.door.store.read(docker_webhooks::endpoints)?;
    let endpoints = endpoints.into_iter().map(|endpoint| endpoint.name).collect();
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

#[derive(Deserialize)]
pub struct Nothing {}

/// `POST /webhooks/{name}/rotate`.
pub async fn rotate(sent: Sent<Nothing>, name: Name) -> Answer {
    let before = act::changeable(&sent.visit.door, &sent.visit.identity, &name)?;
    let whole = act::rotate(&sent.visit.door, &sent.visit.identity, before).await?;
    Ok(see_with(&links::webhook(&whole.webhook.name), &msg!("hooks-rotated")))
}

/// `POST /webhooks/{name}/mirror`: at Docker Hub once more.
pub async fn mirror(sent: Sent<Nothing>, name: Name) -> Answer {
    let whole = act::changeable(&sent.visit.door, &sent.visit.identity, &name)?;
    let whole = act::mirror(&sent.visit.door, whole).await?;
    let address = links::webhook(&whole.webhook.name);
    Ok(match whole.webhook.remote_error {
        None => see_with(&address, &msg!("hooks-mirrored")),
        Some(_) => super::visit::see(&address),
    })
}

/// `POST /webhooks/{name}/delete`.
pub async fn delete(sent: Sent<Nothing>, name: Name) -> Answer {
    let whole = act::changeable(&sent.visit.door, &sent.visit.identity, &name)?;
    let name = whole.webhook.name.clone();
    act::delete(&sent.visit.door, whole).await?;
    Ok(see_with("/webhooks", &msg!("pages-deleted", name = name)))
}

#[derive(Deserialize)]
pub struct Payload {
    #[serde(default)]
    payload: String,
}

/// `GET /webhooks/{name}/test`.
pub async fn test_form(visit: Visit, name: Name) -> Answer {
    let whole = act::changeable(&visit.door, &visit.identity, &name)?;
    let host = &visit.door.settings.registry_host;
    let payload = format!("{{\"image\": \"{host}/numbers/api:1.0\", \"owner\": \"yuna\"}}");
    Ok(respond(&WebhookTest { page: visit.page, name: whole.webhook.name, payload, result: None }))
}

/// `POST /webhooks/{name}/test`: what a payload would lead to.
pub async fn test(sent: Sent<Payload>, name: Name) -> Answer {
    let Sent { visit, form } = sent;
    let whole = act::changeable(&visit.door, &visit.identity, &name)?;
    let found = act::dry_run(&visit.door, &whole, form.payload.as_bytes()).await?;
    let verdict = |verdict: act::Verdict| VerdictRow {
        image: verdict.image,
        would_start: verdict.would_start,
        checks: verdict.checks,
        inputs: verdict.inputs.into_iter().collect(),
    };
    let result = TestResult {
        unknown: found.unknown,
        skipped: found.skipped,
        verdicts: found.verdicts.into_iter().map(verdict).collect(),
    };
    let name = whole.webhook.name;
    Ok(respond(&WebhookTest { page: visit.page, name, payload: form.payload, result: Some(result) }))
}
