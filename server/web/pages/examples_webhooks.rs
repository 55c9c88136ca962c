//! Docker triggers and deliveries with example data, some of it hostile, for the checks of all pages.

use askama::Template as _;
use jiff::Timestamp;

use super::activity::{Activity, ImageRow, Journal, Narrowed};
use super::webhooks::{
    Came, Deliveries, Delivery, DeliveryRow, Fields, Secrets, TestResult, VerdictRow, Webhook, WebhookForm,
    WebhookRow, WebhookTest, Webhooks,
};
use super::*;
use crate::model::{DeliverySource, ServerType, WebhookCheck};
use crate::msg;

const HOSTILE: &str = "<script>alert('x')</script>\"'& {{7*7}}";

type Render = fn(Page) -> askama::Result<String>;

fn at() -> Timestamp {
    "2026-11-20T12:51:03Z".parse().unwrap()
}

fn row(name: &str) -> WebhookRow {
    WebhookRow {
        name: name.into(),
        enabled: name == "base",
        pipeline: (name == "base").then(|| "admin/numbers/default".into()),
        endpoint: (name != "base").then(|| HOSTILE.into()),
        server_type: ServerType::Distribution,
        image_pattern: HOSTILE.into(),
        tag_pattern: String::new(),
        remote_error: (name != "base").then(|| msg!("webhook-hub-password", user = HOSTILE)),
    }
}

fn images() -> Vec<ImageRow> {
    let image = |id, message: Option<Message>| ImageRow {
        id,
        at: at(),
        host: "registry.local:5000".into(),
        namespace: "numbers".into(),
        name: "api".into(),
        tag: "1.2".into(),
        owner: HOSTILE.into(),
        digest: Some("3f1c9a0be5d2".into()),
        tag_digest: Some("0a1b2c3d4e5f".into()),
        webhook: HOSTILE.into(),
        delivery_id: 7,
        message,
        run: None,
    };
    vec![image(1, Some(msg!("webhook-tag-missed", tag = "1.2", pattern = HOSTILE))), image(2, None)]
}

fn deliveries() -> Vec<DeliveryRow> {
    let row = |id, handled, message| DeliveryRow {
        id,
        at: at(),
        source: DeliverySource::DockerHub,
        handled,
        outcomes: vec![("registry.local:5000/numbers/api:1.2".into(), message)],
    };
    vec![
        row(7, true, msg!("hook-moved", digest = "3f1c9a0be5d2")),
        row(6, false, msg!("hook-registry-silent", host = HOSTILE)),
    ]
}

pub const PAGES: &[(&str, &str, Render)] = &[
    ("webhooks", "/webhooks", |page| {
        let rows = vec![row("base"), row("other")];
        Webhooks {
            page,
            rows,
            registry: Some(("http://localhost:3000/hooks/registry".into(), "0123".into())),
        }
        .render()
    }),
    ("webhook", "/webhooks/base", |page| {
        let secrets = Secrets {
            docker_hub: "http://localhost:3000/pipelines/api/docker-hub-webhooks?secureToken=0123".into(),
            registry: "http://localhost:3000/hooks/registry".into(),
            generic: "http://localhost:3000/hooks/generic/base".into(),
            token: "0123".into(),
        };
        Webhook {
            page,
            row: row("other"),
            description: HOSTILE.into(),
            project: HOSTILE.into(),
            pipeline_href: None,
            inputs: vec![("VERSION".into(), HOSTILE.into())],
            has_api_token: true,
            secrets: Some(secrets),
            remote_id: Some("a/b#c".into()),
            mirrored: true,
            as_of: "0.1".into(),
            came: Came { images: images(), deliveries: Some(deliveries()) },
        }
        .render()
    }),
    ("webhook_form", "/webhooks/new", |page| {
        let fields = Fields {
            name: HOSTILE.into(),
            inputs: "</textarea><script>alert(1)</script>".into(),
            ..Fields::default()
        };
        WebhookForm {
            page,
            changing: Some((HOSTILE.into(), 3)),
            fields,
            has_api_token: true,
            pipelines: vec![HOSTILE.into()],
            endpoints: vec![HOSTILE.into()],
            error: Some(msg!("webhook-pattern-at", pattern = HOSTILE, place = 3, cause = "unclosed group")),
        }
        .render()
    }),
    ("webhook_test", "/webhooks/base/test", |page| {
        let checks = vec![
            WebhookCheck { good: true, message: msg!("webhook-enabled") },
            WebhookCheck { good: false, message: msg!("webhook-tag-missed", tag = "1", pattern = HOSTILE) },
        ];
        let inputs = vec![("DOCKER_EVENT_OWNER_NAME".into(), HOSTILE.into())];
        let verdict = VerdictRow { image: HOSTILE.into(), would_start: false, checks, inputs };
        let result = TestResult {
            unknown: Some(msg!("hook-no-json", cause = HOSTILE)),
            skipped: 2,
            verdicts: vec![verdict],
        };
        WebhookTest { page, name: "base".into(), payload: HOSTILE.into(), result: Some(result) }.render()
    }),
    ("deliveries", "/webhooks/deliveries", |page| {
        Deliveries { page, rows: deliveries(), next: Some("?after=1".into()) }.render()
    }),
    ("delivery", "/webhooks/deliveries/7", |page| {
        Delivery {
            page,
            row: deliveries().remove(1),
            address: "10.0.0.7".into(),
            webhook: Some(HOSTILE.into()),
            tries: 3,
            headers: vec![("user-agent".into(), HOSTILE.into())],
            body: HOSTILE.into(),
            cut: true,
            images: images(),
            replay: Some((5, HOSTILE.into())),
        }
        .render()
    }),
    ("activity_images", "/activity?kind=image-announced", |page| {
        let narrowed = Narrowed { image: HOSTILE.into(), started: "true".into(), ..Narrowed::default() };
        Activity {
            page,
            repository: String::new(),
            kind: "image-announced".into(),
            kinds: vec![("image-announced", msg!("hooks-kind-images"))],
            narrowed,
            here: links::activity_of_images(
                links::activity("", "image-announced", ""),
                &[("image", HOSTILE)],
            ),
            as_of: None,
            journal: Journal { rows: Vec::new(), images: Some(images()), next: None },
        }
        .render()
    }),
];
