//! Docker triggers in the dashboard: the list, one of them, and trying a payload on it. What the forms
//! change goes through the functions that the API uses.

use actix_web::{HttpRequest, web};
use serde::Deserialize;

use super::deliveries;
use super::image_rows::image_row;
use super::live_part::{self, Part, Since};
use super::visit::{Answer, Sent, Visit, see_with};
use crate::model::{DockerWebhook, Result};
use crate::msg;
use crate::store::events::{self, Filter, ImageFilter};
use crate::web::auth;
use crate::web::errors::Failure;
use crate::web::hooks;
use crate::web::pages::activity::ImageRow;
use crate::web::pages::webhooks::{
    Came, CamePiece, Secrets, TestResult, VerdictRow, Webhook, WebhookRow, WebhookTest, Webhooks,
};
use crate::web::pages::{links, respond};
use crate::web::webhooks::{self as act, Whole};

const RECENT: u32 = 20;

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
        endpoint: whole.endpoint_name(),
        server_type: webhook.server_type,
        image_pattern: webhook.image_pattern.clone(),
        tag_pattern: webhook.tag_pattern.clone(),
        remote_error: webhook.remote_error.clone(),
    }
}

/// `GET /webhooks/{name}`.
pub async fn show(visit: Visit, name: Name) -> Answer {
    let as_of = live_part::as_of(&visit);
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
    let page = Webhook {
        came: came(&visit, &whole).await?,
        as_of,
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
        page: visit.page,
    };
    Ok(respond(&page))
}

/// `GET /webhooks/{name}/live`.
pub async fn live(request: HttpRequest, visit: Visit, name: Name, since: web::Query<Since>) -> Answer {
    act::seen(&visit.door, &visit.identity, &name)?;
    Ok(live_part::follow(&request, visit, &since, Traffic(name.into_inner())))
}

/// What comes to the webhook of that name.
struct Traffic(String);

impl Part for Traffic {
    async fn html(&self, visit: &Visit) -> Result<String, Failure> {
        let whole = act::seen(&visit.door, &visit.identity, &self.0)?;
        live_part::html(&CamePiece { page: &visit.page, came: &came(visit, &whole).await? })
    }
}

async fn came(visit: &Visit, whole: &Whole) -> Result<Came> {
    let mine = act::may_change(&visit.identity, whole);
    let deliveries = || deliveries::rows(visit, Some(whole.webhook.id), None, RECENT);
    Ok(Came { images: images(visit, &whole.webhook).await?, deliveries: mine.then(deliveries).transpose()? })
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
    let found = act::dry_run(&visit.door, &whole, (&[], form.payload.as_bytes())).await?;
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
