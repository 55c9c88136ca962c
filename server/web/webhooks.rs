//! What the API and the pages do with Docker triggers: who may see and change them, making, changing and deleting
//! them, their tokens, and the dry run of a payload. What a registry sends comes in elsewhere (`hooks`).

mod checked;
mod dry_run;
mod mirror;

use std::collections::BTreeMap;

use jiff::Timestamp;

use checked::{checked, secret_token};
pub use dry_run::{DryRun, Verdict, dry_run};
pub use mirror::{mirror, unmirror};

use super::auth::{self, Identity};
use super::errors::Failure;
use super::state::Door;
use crate::model::{DockerWebhook, Error, Result, Secret, ServerType};
use crate::msg;
use crate::store::accounts::Scope;
use crate::store::docker_webhooks::{self, Token};
use crate::store::endpoints::{self, Endpoint};
use crate::store::pipelines::{self, Pipeline};
use crate::store::repositories::{self, Repository};

/// A webhook with what it names.
#[derive(Clone)]
pub struct Whole {
    pub webhook: DockerWebhook,
    pub place: Option<(Repository, Pipeline)>,
    pub endpoint: Option<Endpoint>,
}

/// As a person writes it; empty texts are none.
#[derive(Clone, Debug, Default)]
pub struct Written {
    pub name: String,
    pub description: String,
    pub project: String,
    /// `owner/name/pipeline`.
    pub pipeline: String,
    /// The endpoint's name.
    pub endpoint: String,
    pub image_pattern: String,
    pub tag_pattern: String,
    pub server_type: ServerType,
    pub secret_token: String,
    /// `None` keeps the one there is; empty takes it away.
    pub api_token: Option<String>,
    pub enabled: bool,
    pub inputs: BTreeMap<String, String>,
}

impl Whole {
    /// `owner/name/pipeline`.
    pub fn pipeline(&self) -> Option<String> {
        self.place.as_ref().map(|(repository, pipeline)| format!("{}/{}", repository.path, pipeline.name))
    }

    pub fn endpoint_name(&self) -> Option<String> {
        self.endpoint.as_ref().map(|endpoint| endpoint.given.name.to_string())
    }

    pub fn written(&self) -> Written {
        let webhook = self.webhook.clone();
        Written {
            pipeline: self.pipeline().unwrap_or_default(),
            endpoint: self.endpoint_name().unwrap_or_default(),
            name: webhook.name,
            description: webhook.description,
            project: webhook.project,
            image_pattern: webhook.image_pattern,
            tag_pattern: webhook.tag_pattern,
            server_type: webhook.server_type,
            secret_token: String::new(),
            api_token: None,
            enabled: webhook.enabled,
            inputs: webhook.inputs,
        }
    }
}

pub fn whole(door: &Door, webhook: DockerWebhook) -> Result<Whole> {
    door.store.read(|c| {
        let pipeline = webhook.pipeline_id.map(|id| pipelines::by_id(c, id)).transpose()?.flatten();
        let place = match pipeline {
            Some(pipeline) => repositories::by_id(c, pipeline.repository_id)?.map(|found| (found, pipeline)),
            None => None,
        };
        let endpoint = webhook.endpoint_id.map(|id| endpoints::by_id(c, id)).transpose()?.flatten();
        Ok(Whole { webhook, place, endpoint })
    })
}

/// Whoever sees the pipeline's repository; without a pipeline who made it.
pub fn may_see(identity: &Identity, whole: &Whole) -> bool {
    match &whole.place {
        Some((repository, _)) => identity.known().is_some() && auth::can_read(identity, repository),
        None => is_maker(identity, &whole.webhook),
    }
}

pub fn may_change(identity: &Identity, whole: &Whole) -> bool {
    match &whole.place {
        Some((repository, _)) => auth::can_write(identity, repository),
        None => is_maker(identity, &whole.webhook) && auth::require_scope(identity, Scope::Write).is_ok(),
    }
}

fn is_maker(identity: &Identity, webhook: &DockerWebhook) -> bool {
    let made = |name: &str| name.eq_ignore_ascii_case(&webhook.created_by);
    identity.known().is_some_and(|known| known.account.admin || made(known.account.name.as_str()))
}

/// Everything the caller may see, by name.
pub fn visible(door: &Door, identity: &Identity) -> Result<Vec<Whole>, Failure> {
    identity.require()?;
    let mut all = Vec::new();
    for webhook in door.store.read(docker_webhooks::list)? {
        let whole = whole(door, webhook)?;
        if may_see(identity, &whole) {
            all.push(whole);
        }
    }
    Ok(all)
}

/// `NotFound` for what the caller may not see.
pub fn seen(door: &Door, identity: &Identity, name: &str) -> Result<Whole, Failure> {
    identity.require()?;
    let shown = || name.chars().take(80).collect::<String>().escape_debug().to_string();
    let missing = || Failure::Known(Error::NotFound(msg!("webhook-not-found", name = shown())));
    let found = door.store.read(|c| docker_webhooks::by_name(c, name))?;
    let whole = whole(door, found.ok_or_else(missing)?)?;
    if may_see(identity, &whole) { Ok(whole) } else { Err(missing()) }
}

/// `Denied` for what the caller may see and not change.
pub fn changeable(door: &Door, identity: &Identity, name: &str) -> Result<Whole, Failure> {
    let whole = seen(door, identity, name)?;
    auth::require_scope(identity, Scope::Write)?;
    match may_change(identity, &whole) {
        true => Ok(whole),
        false => Err(Error::Denied(msg!("webhook-read-only", name = whole.webhook.name)).into()),
    }
}

/// Makes a webhook, here and where its endpoint wants it.
pub async fn create(door: &Door, identity: &Identity, written: Written) -> Result<Whole, Failure> {
    auth::require_scope(identity, Scope::Write)?;
    let wanted = checked(door, identity, &written, None)?;
    let secret = match written.secret_token.as_str() {
        "" => Secret::random(20)?,
        given => secret_token(given)?,
    };
    let token = Token { sealed: door.store.sealer().seal(&secret)?, hash: secret.fingerprint() };
    let by = identity.require()?.account.name.to_string();
    let made = door.store.write(move |c| {
        let id = docker_webhooks::create(c, &wanted, &token, (&by, Timestamp::now()))?;
        docker_webhooks::by_id(c, id)?.ok_or_else(|| Error::Internal("a new webhook is missing".into()))
    });
    mirror(door, whole(door, made.await?)?).await
}

/// Changes a webhook as it was at its version; `Conflict` when somebody else changed it meanwhile.
pub async fn change(
    door: &Door,
    identity: &Identity,
    before: Whole,
    written: Written,
) -> Result<Whole, Failure> {
    let wanted = checked(door, identity, &written, Some(&before.webhook))?;
    let token = match written.secret_token.as_str() {
        "" => None,
        given => {
            let secret = secret_token(given)?;
            Some(Token { sealed: door.store.sealer().seal(&secret)?, hash: secret.fingerprint() })
        }
    };
    let by = identity.require()?.account.name.to_string();
    let (id, version) = (before.webhook.id, before.webhook.version);
    let changed = door.store.write(move |c| {
        let at = (by.as_str(), Timestamp::now());
        docker_webhooks::update(c, (id, version), &wanted, at)?;
        if let Some(token) = &token {
            docker_webhooks::set_token(c, id, token, at)?;
        }
        docker_webhooks::by_id(c, id)?.ok_or_else(|| Error::Internal("a changed webhook is missing".into()))
    });
    let changed = whole(door, changed.await?)?;
    unmirror(door, &before).await;
    mirror(door, changed).await
}

/// A new token in place of the old one, which counts no longer.
pub async fn rotate(door: &Door, identity: &Identity, before: Whole) -> Result<Whole, Failure> {
    let secret = Secret::random(20)?.reveal().to_owned();
    let written = Written { secret_token: secret, ..before.written() };
    change(door, identity, before, written).await
}

pub async fn delete(door: &Door, whole: Whole) -> Result<(), Failure> {
    unmirror(door, &whole).await;
    let id = whole.webhook.id;
    Ok(door.store.write(move |c| docker_webhooks::delete(c, id)).await?)
}
