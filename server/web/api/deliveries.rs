//! What registries sent, and what came of it.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::auth::{self, Identity};
use super::super::deliveries::{self, Seen};
use super::super::errors::{self, ErrorBody, Failure};
use super::super::state::Door;
use super::super::webhooks;
use super::paging::{self, Paging};
use crate::messages::{self, Language};
use crate::model::{Delivery, Result};
use crate::store::docker_webhooks;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeliveryFilter {
    /// Name of a Docker trigger; without one everything, for administrators.
    pub webhook: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct DeliveryShape {
    pub id: i64,
    pub received_at: String,
    /// `distribution`, `docker-hub` or `generic`.
    pub source: &'static str,
    /// The Docker trigger whose token it bore; `null` for the stack's own registry.
    pub webhook: Option<String>,
    pub address: String,
    /// Without credentials.
    #[schema(value_type = Object)]
    pub headers: BTreeMap<String, String>,
    /// Only in the answer about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    pub size: usize,
    pub handled: bool,
    /// How often a registry was asked in vain.
    pub tries: u32,
    pub handled_at: Option<String>,
    pub outcomes: Vec<DeliveryOutcomeShape>,
    pub replay_of: Option<i64>,
    pub replay_by: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct DeliveryOutcomeShape {
    /// `host/repository:tag`; empty when it is about the whole delivery.
    pub image: String,
    pub code: String,
    pub message: String,
    /// Events of the journal that follow from it.
    pub events: Vec<i64>,
}

impl DeliveryShape {
    fn of(delivery: Delivery, webhook: Option<String>, body: bool, language: Language) -> Self {
        let outcome = |part: crate::model::DeliveryPart| DeliveryOutcomeShape {
            image: part.image,
            code: part.message.key.to_string(),
            message: messages::render(language, &part.message),
            events: part.events,
        };
        DeliveryShape {
            id: delivery.id,
            received_at: delivery.received_at.to_string(),
            source: delivery.source.as_str(),
            webhook,
            address: delivery.address,
            headers: delivery.headers.into_iter().collect(),
            size: delivery.body.len(),
            body: body.then(|| String::from_utf8_lossy(&delivery.body).into_owned()),
            handled: delivery.handled,
            tries: delivery.tries,
            handled_at: delivery.handled_at.map(|at| at.to_string()),
            outcomes: delivery.outcome.into_iter().map(outcome).collect(),
            replay_of: delivery.replay_of,
            replay_by: delivery.replay_by,
        }
    }
}

/// Deliveries, newest first.
#[utoipa::path(tag = "webhooks", params(DeliveryFilter, Paging),
    responses((status = 200, body = Vec<DeliveryShape>), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
#[get("/deliveries")]
pub async fn list(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    (filter, paging): (web::Query<DeliveryFilter>, web::Query<Paging>),
) -> Result<HttpResponse, Failure> {
    let (webhook, path) = match &filter.webhook {
        Some(name) => {
            let id = webhooks::changeable(&door, &identity, name)?.webhook.id;
            (Some(id), format!("{}?{}", request.path(), paging::pair("webhook", name)))
        }
        None => {
            auth::require_admin(&identity)?;
            (None, request.path().to_owned())
        }
    };
    let (limit, before) = (paging.limit(), paging.after_number());
    let store = &door.store;
    let mut found = store.read(|c| crate::store::deliveries::page(c, webhook, before, limit + 1))?;
    let more = paging::cut(&mut found, limit);
    let next = found.last().filter(|_| more).map(|delivery| delivery.id.to_string());
    let language = errors::language(&request);
    let mut shapes = Vec::new();
    for delivery in found {
        let webhook = delivery.webhook_id.map(|id| store.read(|c| docker_webhooks::by_id(c, id)));
        let name = webhook.transpose()?.flatten().map(|webhook| webhook.name);
        shapes.push(DeliveryShape::of(delivery, name, false, language));
    }
    Ok(paging::answer(&door, &path, &paging, &shapes, next))
}

/// One delivery, with its body as text.
#[utoipa::path(tag = "webhooks", responses((status = 200, body = DeliveryShape), (status = 404, body = ErrorBody)))]
#[get("/deliveries/{id}")]
pub async fn show(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    id: web::Path<i64>,
) -> Result<HttpResponse, Failure> {
    let Seen { delivery, webhook } = deliveries::seen(&door, &identity, *id)?;
    Ok(HttpResponse::Ok().json(DeliveryShape::of(delivery, webhook, true, errors::language(&request))))
}

/// Handles a delivery once more, as if it had been sent again; answers with the new one.
#[utoipa::path(tag = "webhooks", responses((status = 202, body = DeliveryShape), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
#[post("/deliveries/{id}/replay")]
pub async fn replay(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    id: web::Path<i64>,
) -> Result<HttpResponse, Failure> {
    let made = deliveries::replay(&door, &identity, *id).await?;
    let Seen { delivery, webhook } = deliveries::seen(&door, &identity, made)?;
    Ok(HttpResponse::Accepted().json(DeliveryShape::of(delivery, webhook, false, errors::language(&request))))
}
