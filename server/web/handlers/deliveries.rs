//! What registries sent, for people: all of it for administrators, and one of them as it came.

use actix_web::web;
use serde::Deserialize;

use super::image_rows::image_row;
use super::visit::{Answer, Sent, Visit, see_with};
use crate::model::{self, Result};
use crate::msg;
use crate::store::{deliveries as store, events};
use crate::web::api::activity::visible;
use crate::web::auth;
use crate::web::deliveries::{self as act, Seen};
use crate::web::pages::webhooks::{Deliveries, Delivery, DeliveryRow};
use crate::web::pages::{links, respond};

const PER_PAGE: u32 = 40;
/// Most of a body that a page shows, in bytes; the API has all of it.
const SHOWN: usize = 64 * 1024;
/// Most images of a delivery that are shown.
const MOST_IMAGES: usize = 50;

#[derive(Deserialize)]
pub struct Asked {
    after: Option<i64>,
}

/// `GET /webhooks/deliveries?after=`.
pub async fn list(visit: Visit, asked: web::Query<Asked>) -> Answer {
    auth::require_admin(&visit.identity)?;
    let mut rows = rows(&visit, None, asked.after, PER_PAGE + 1)?;
    let more = rows.len() > PER_PAGE as usize;
    rows.truncate(PER_PAGE as usize);
    let next = rows.last().filter(|_| more).map(|row| links::deliveries_after(row.id));
    Ok(respond(&Deliveries { page: visit.page, rows, next }))
}

/// The newest first, of one webhook or all.
pub fn rows(
    visit: &Visit,
    webhook: Option<i64>,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<DeliveryRow>> {
    let found = visit.door.store.read(|c| store::page(c, webhook, before, limit))?;
    Ok(found.into_iter().map(|delivery| row(&delivery)).collect())
}

fn row(delivery: &model::Delivery) -> DeliveryRow {
    let outcomes = delivery.outcome.iter().map(|part| (part.image.clone(), part.message.clone()));
    DeliveryRow {
        id: delivery.id,
        at: delivery.received_at,
        source: delivery.source,
        handled: delivery.handled,
        outcomes: outcomes.collect(),
    }
}

/// `GET /webhooks/deliveries/{id}`.
pub async fn show(visit: Visit, id: web::Path<i64>) -> Answer {
    let Seen { delivery, webhook } = act::seen(&visit.door, &visit.identity, *id)?;
    let mut images = Vec::new();
    for id in delivery.outcome.iter().flat_map(|part| &part.events).take(MOST_IMAGES) {
        let Some(event) = visit.door.store.read(|c| events::by_id(c, *id))? else { continue };
        if visible(&visit.door, &visit.identity, &event)?.is_some() {
            images.extend(image_row(&visit, event).await?);
        }
    }
    let cut = delivery.body.len() > SHOWN;
    let body = String::from_utf8_lossy(&delivery.body[..delivery.body.len().min(SHOWN)]).into_owned();
    Ok(respond(&Delivery {
        row: row(&delivery),
        address: delivery.address,
        webhook,
        tries: delivery.tries,
        headers: delivery.headers,
        body,
        cut,
        images,
        replay: delivery.replay_of.map(|of| (of, delivery.replay_by.unwrap_or_default())),
        page: visit.page,
    }))
}

#[derive(Deserialize)]
pub struct Nothing {}

/// `POST /webhooks/deliveries/{id}/replay`.
pub async fn replay(sent: Sent<Nothing>, id: web::Path<i64>) -> Answer {
    let made = act::replay(&sent.visit.door, &sent.visit.identity, *id).await?;
    Ok(see_with(&links::delivery(made), &msg!("hooks-replayed")))
}
