//! Docker triggers and what came to them: the list, the form, one of them with its addresses, a dry run, and one
//! delivery as it was sent. Everything a registry sent is text here and nothing else.

use askama::Template;
use jiff::Timestamp;

use super::activity::ImageRow;
use super::{Page, links};
use crate::model::{DeliverySource, Message, ServerType, WebhookCheck};

#[derive(Template)]
#[template(path = "webhooks.html")]
pub struct Webhooks {
    pub page: Page,
    pub rows: Vec<WebhookRow>,
    /// Address and token for the stack's own registry; for administrators.
    pub registry: Option<(String, String)>,
}

pub struct WebhookRow {
    pub name: String,
    pub enabled: bool,
    /// `owner/name/pipeline`.
    pub pipeline: Option<String>,
    /// The endpoint's name; `None` is the stack's own registry or Docker Hub.
    pub endpoint: Option<String>,
    pub server_type: ServerType,
    pub image_pattern: String,
    pub tag_pattern: String,
    pub remote_error: Option<Message>,
}

impl WebhookRow {
    pub(super) fn href(&self) -> String {
        links::webhook(&self.name)
    }
}

/// `POST /webhooks/new` or `.../edit`, with the fields below; inputs are lines `NAME=value`.
#[derive(Template)]
#[template(path = "webhook_form.html")]
pub struct WebhookForm {
    pub page: Page,
    /// The webhook that is changed, and its version; `None` for a new one.
    pub changing: Option<(String, i64)>,
    pub fields: Fields,
    pub has_api_token: bool,
    /// What may be chosen: `owner/name/pipeline`, and names of endpoints.
    pub pipelines: Vec<String>,
    pub endpoints: Vec<String>,
    pub error: Option<Message>,
}

impl WebhookForm {
    pub(super) fn action(&self) -> String {
        match &self.changing {
            Some((name, _)) => links::webhook_at(name, "edit"),
            None => "/webhooks/new".to_owned(),
        }
    }
    pub(super) fn back(&self) -> String {
        self.changing.as_ref().map_or_else(|| "/webhooks".to_owned(), |(name, _)| links::webhook(name))
    }
    pub(super) fn kinds(&self) -> [ServerType; 3] {
        ServerType::ALL
    }
}

/// As it is typed.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    pub name: String,
    pub description: String,
    pub project: String,
    pub pipeline: String,
    pub endpoint: String,
    pub image_pattern: String,
    pub tag_pattern: String,
    pub server_type: ServerType,
    pub enabled: bool,
    pub inputs: String,
}

#[derive(Template)]
#[template(path = "webhook.html")]
pub struct Webhook {
    pub page: Page,
    pub row: WebhookRow,
    pub description: String,
    pub project: String,
    pub pipeline_href: Option<String>,
    pub inputs: Vec<(String, String)>,
    pub has_api_token: bool,
    /// For those who may change it.
    pub secrets: Option<Secrets>,
    /// What Docker Hub calls it.
    pub remote_id: Option<String>,
    pub mirrored: bool,
    /// As of when it is, for `live`.
    pub as_of: String,
    pub came: Came,
}

impl Webhook {
    pub(super) fn at(&self, what: &str) -> String {
        links::webhook_at(&self.row.name, what)
    }
}

/// The newest of what came to a webhook.
pub struct Came {
    pub images: Vec<ImageRow>,
    /// For those who may change it.
    pub deliveries: Option<Vec<DeliveryRow>>,
}

/// Of `Webhook`, what `live` sends.
#[derive(Template)]
#[template(path = "partials/webhook_came.html")]
pub struct CamePiece<'a> {
    pub page: &'a Page,
    pub came: &'a Came,
}

/// Where to send to.
pub struct Secrets {
    pub docker_hub: String,
    pub registry: String,
    pub generic: String,
    pub token: String,
}

pub struct DeliveryRow {
    pub id: i64,
    pub at: Timestamp,
    pub source: DeliverySource,
    pub handled: bool,
    pub outcomes: Vec<(String, Message)>,
}

impl DeliveryRow {
    pub(super) fn href(&self) -> String {
        links::delivery(self.id)
    }
}

#[derive(Template)]
#[template(path = "deliveries.html")]
pub struct Deliveries {
    pub page: Page,
    pub rows: Vec<DeliveryRow>,
    pub next: Option<String>,
}

#[derive(Template)]
#[template(path = "webhook_test.html")]
pub struct WebhookTest {
    pub page: Page,
    pub name: String,
    pub payload: String,
    /// `None` before anything was tried.
    pub result: Option<TestResult>,
}

impl WebhookTest {
    pub(super) fn action(&self) -> String {
        links::webhook_at(&self.name, "test")
    }
    pub(super) fn back(&self) -> String {
        links::webhook(&self.name)
    }
}

pub struct TestResult {
    pub unknown: Option<Message>,
    pub skipped: usize,
    pub verdicts: Vec<VerdictRow>,
}

pub struct VerdictRow {
    pub image: String,
    pub would_start: bool,
    pub checks: Vec<WebhookCheck>,
    pub inputs: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "delivery.html")]
pub struct Delivery {
    pub page: Page,
    pub row: DeliveryRow,
    pub address: String,
    pub webhook: Option<String>,
    pub tries: u32,
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// Whether the body is longer than what is shown.
    pub cut: bool,
    pub images: Vec<ImageRow>,
    /// The delivery that was sent again, and by whom.
    pub replay: Option<(i64, String)>,
}

impl Delivery {
    pub(super) fn replayed_href(&self) -> String {
        self.replay.as_ref().map(|(of, _)| links::delivery(*of)).unwrap_or_default()
    }
    pub(super) fn replay_action(&self) -> String {
        format!("{}/replay", links::delivery(self.row.id))
    }
}
