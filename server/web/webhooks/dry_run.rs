//! What a payload would lead to, question by question. The rules are those of the trigger loop; nothing is stored and
//! nothing starts. The registry is asked only where it is configured, as it would be.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Whole;
use crate::model::{
    Announced, Message, Notice, Reading, Result, Sighting, TagAddress, WebhookCheck, announced_values,
    is_attachment_tag,
};
use crate::registry::{self, Borne, bear_out};
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
    let registries = &door.registries;
    if let Some(other) = notice.host.as_ref().filter(|other| !registries.is_same(other, &host)) {
        checks.push(bad(msg!("hook-other-host", host = other, expected = host)));
    }
    if !notice.pushed {
        checks.push(bad(msg!("webhook-deleted-tag")));
    }
    let Borne { digest, tag_digest, objection, .. } = asked(door, &address, &notice, &mut checks).await;
    let image = Announced { tag_digest, objection, ..Announced::new(&address, &notice.owner, digest) };
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

/// What the registry says of it, as the loop that handles deliveries would be told. That it could not be asked stops
/// nothing here.
async fn asked(door: &Door, address: &TagAddress, notice: &Notice, checks: &mut Vec<WebhookCheck>) -> Borne {
    if is_attachment_tag(&notice.tag) {
        return Borne { objection: Some(msg!("hook-attachment", tag = notice.tag)), ..Borne::default() };
    }
    if door.registries.at(&address.host).is_none() {
        checks.push(good(msg!("hook-not-asked", host = address.host)));
        return Borne::default();
    }
    match borne(door, address, notice, checks).await {
        Ok(borne) => borne,
        Err(error) => {
            // The loop would wait for the registry, and start nothing until it has answered.
            checks.push(bad(Failure::from(error).shown().message));
            Borne::default()
        }
    }
}

async fn borne(
    door: &Door,
    address: &TagAddress,
    notice: &Notice,
    checks: &mut Vec<WebhookCheck>,
) -> Result<Borne> {
    let claimed = match &notice.digest {
        Some(digest) => Some(door.registries.held(address, digest).await?),
        None => None,
    };
    let sighting = door.registries.sight(address, None).await?;
    let found = match (&claimed, sighting.digest()) {
        (None, Some(digest)) => Some(door.registries.held(address, digest).await?),
        _ => None,
    };
    match &sighting {
        Sighting::Image(digest) => checks.push(good(msg!("webhook-names", digest = digest.short()))),
        Sighting::NoDigest => checks.push(good(msg!("hook-no-digest"))),
        Sighting::Gone => {}
    }
    Ok(bear_out(notice, (claimed, found), &sighting))
}

fn good(message: Message) -> WebhookCheck {
    WebhookCheck { good: true, message }
}

fn bad(message: Message) -> WebhookCheck {
    WebhookCheck { good: false, message }
}
