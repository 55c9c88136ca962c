//! What a payload would lead to, question by question. The rules are those of the trigger loop; nothing is stored and
//! nothing starts. The registry is asked only where it is configured, as it would be.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Whole;
use crate::model::{
    Announced, Message, Notice, Reading, Result, Sighting, TagAddress, WebhookCheck, announced_values,
};
use crate::registry;
use crate::store::docker_webhooks;
use crate::web::errors::Failure;
use crate::web::start;
use crate::web::state::Door;
use crate::{msg, pipeline};

/// Everything about one payload.
pub struct DryRun {
    /// When the payload itself says nothing that counts.
    pub unknown: Option<Message>,
    pub verdicts: Vec<Verdict>,
    /// Events of the payload about nothing that is followed.
    pub skipped: usize,
}

/// About one image of the payload.
pub struct Verdict {
    /// `host/repository:tag`.
    pub image: String,
    pub would_start: bool,
    pub checks: Vec<WebhookCheck>,
    /// What the run would be given.
    pub inputs: BTreeMap<String, String>,
}

/// `headers` as a delivery keeps them: some senders say there what the body is.
pub async fn dry_run(
    door: &Door,
    one: &Whole,
    (headers, body): (&[(String, String)], &[u8]),
) -> Result<DryRun, Failure> {
    let (notices, skipped) = match registry::read_delivery(headers, body) {
        Reading::Unknown(message) => {
            return Ok(DryRun { unknown: Some(message), verdicts: Vec::new(), skipped: 0 });
        }
        Reading::Notices { notices, skipped } => (notices, skipped),
    };
    let mut verdicts = Vec::new();
    for notice in notices.into_iter().take(10) {
        verdicts.push(verdict(door, one, notice).await?);
    }
    Ok(DryRun { unknown: None, verdicts, skipped })
}

async fn verdict(door: &Door, one: &Whole, notice: Notice) -> Result<Verdict, Failure> {
    let own = door.settings.registry_host.as_str();
    let (host, around) = door.store.read(|c| {
        let around = docker_webhooks::circumstances(c, &one.webhook, Timestamp::now())?;
        Ok((docker_webhooks::host(c, &one.webhook, own)?, around.facts))
    })?;
    let notice = door.registries.placed(&host, notice).await;
    let address = notice.address(&host);
    let mut checks = Vec::new();
    if let Some(other) = notice.host.as_ref().filter(|other| **other != host) {
        checks.push(bad(msg!("hook-other-host", host = other, expected = host)));
    }
    if !notice.pushed {
        checks.push(bad(msg!("webhook-deleted-tag")));
    }
    let digest = asked(door, &address, &mut checks).await;
    let image = Announced::new(&address, &notice.owner, digest);
    checks.extend(one.webhook.checks(&image, &around)?);
    let mut inputs = announced_values(&image);
    if let (Some((repository, pipeline)), Some(_)) = (&one.place, &around.branch) {
        match start::find(door, repository, &pipeline.name, "").await {
            Ok(found) => match pipeline::announced_inputs(found.inputs(), &one.webhook, &image) {
                Ok(filled) => {
                    inputs = filled;
                    checks.push(good(msg!("webhook-inputs-good")));
                }
                Err(error) => checks.push(bad(Failure::from(error).shown().message)),
            },
            Err(failure) => checks.push(bad(failure.shown().message)),
        }
    }
    let would_start = checks.iter().all(|check| check.good);
    Ok(Verdict { image: address.to_string(), would_start, checks, inputs })
}

/// The digest, and what the registry said. That it could not be asked stops nothing.
async fn asked(
    door: &Door,
    address: &TagAddress,
    checks: &mut Vec<WebhookCheck>,
) -> Option<crate::model::Digest> {
    if door.registries.at(&address.host).is_none() {
        checks.push(good(msg!("hook-not-asked", host = address.host)));
        return None;
    }
    match door.registries.sight(address, None).await {
        Ok(Sighting::Image(digest)) => {
            checks.push(good(msg!("webhook-names", digest = digest.short())));
            Some(digest)
        }
        Ok(Sighting::Gone) => {
            checks.push(good(msg!("hook-gone")));
            None
        }
        Ok(Sighting::NoDigest) => {
            checks.push(good(msg!("hook-no-digest")));
            None
        }
        Err(error) => {
            checks.push(good(Failure::from(error).shown().message));
            None
        }
    }
}

fn good(message: Message) -> WebhookCheck {
    WebhookCheck { good: true, message }
}

fn bad(message: Message) -> WebhookCheck {
    WebhookCheck { good: false, message }
}
