//! What a person writes of a Docker trigger, with every name looked up and every rule kept.

use jiff::Timestamp;

use super::Written;
use crate::model::{DockerWebhook, Error, PipelineName, Result, Secret, check_webhook_name, pattern};
use crate::msg;
use crate::store::accounts::{self, Scope};
use crate::store::docker_webhooks::Wanted;
use crate::store::endpoints;
use crate::store::pipelines::{self, Pipeline};
use crate::store::repositories::Repository;
use crate::web::auth::{self, Identity};
use crate::web::errors::Failure;
use crate::web::state::Door;

const LONGEST_TEXT: usize = 1000;
const MOST_INPUTS: usize = 50;
const LONGEST_INPUT: usize = 16 * 1024;

pub fn checked(
    door: &Door,
    identity: &Identity,
    written: &Written,
    before: Option<&DockerWebhook>,
) -> Result<Wanted, Failure> {
    check_webhook_name(&written.name)?;
    pattern(&written.image_pattern)?;
    pattern(&written.tag_pattern)?;
    let long = |text: &str| text.len() > LONGEST_TEXT;
    if long(&written.description) || long(&written.project) {
        return Err(Error::Invalid(msg!("webhook-text-long", longest = LONGEST_TEXT)).into());
    }
    let inputs = &written.inputs;
    let large = |(name, value): (&String, &String)| name.len() > 200 || value.len() > LONGEST_INPUT;
    if inputs.len() > MOST_INPUTS || inputs.iter().any(large) {
        return Err(Error::Invalid(msg!("webhook-inputs-large", most = MOST_INPUTS)).into());
    }
    let place = found_pipeline(door, identity, &written.pipeline)?;
    let endpoint = match written.endpoint.trim() {
        "" => None,
        name => {
            let found = door.store.read(|c| endpoints::by_name(c, name))?;
            let shown = || name.chars().take(80).collect::<String>().escape_debug().to_string();
            Some(found.ok_or_else(|| Error::Invalid(msg!("webhook-no-endpoint", name = shown())))?)
        }
    };
    let api_token = match &written.api_token {
        None => before.and_then(|before| before.api_token),
        Some(text) if text.trim().is_empty() => None,
        Some(text) => Some(api_token(door, text.trim(), place.as_ref().map(|(repository, _)| repository))?),
    };
    Ok(Wanted {
        name: written.name.clone(),
        description: written.description.trim().to_owned(),
        project: written.project.trim().to_owned(),
        pipeline_id: place.map(|(_, pipeline)| pipeline.id),
        endpoint_id: endpoint.map(|endpoint| endpoint.id),
        image_pattern: written.image_pattern.clone(),
        tag_pattern: written.tag_pattern.clone(),
        server_type: written.server_type,
        api_token,
        enabled: written.enabled,
        inputs: inputs.clone(),
    })
}

/// `owner/name/pipeline`, which the caller must be allowed to start.
fn found_pipeline(
    door: &Door,
    identity: &Identity,
    text: &str,
) -> Result<Option<(Repository, Pipeline)>, Failure> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let shown = text.chars().take(150).collect::<String>().escape_debug().to_string();
    let missing = || Failure::Known(Error::Invalid(msg!("webhook-pipeline-missing", name = shown)));
    let mut parts = text.splitn(3, '/');
    let (Some(owner), Some(name), Some(pipeline)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(missing());
    };
    let path = auth::path_of(owner, name).map_err(|_| missing())?;
    let repository = auth::writable(door, identity, &path).map_err(|failure| match failure {
        Failure::Known(Error::NotFound(_)) => missing(),
        other => other,
    })?;
    let name = PipelineName::new(pipeline).map_err(|_| missing())?;
    let pipeline = door.store.read(|c| pipelines::by_name(c, repository.id, &name))?.ok_or_else(missing)?;
    Ok(Some((repository, pipeline)))
}

/// A token that a person chose.
pub fn secret_token(given: &str) -> Result<Secret> {
    let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    match (16..=200).contains(&given.len()) && given.bytes().all(letter) {
        true => Ok(Secret::new(given)),
        false => Err(Error::Invalid(msg!("webhook-token-form"))),
    }
}

/// The hash of an API token whose owner may start the pipeline.
fn api_token(door: &Door, text: &str, repository: Option<&Repository>) -> Result<[u8; 32]> {
    let hash = Secret::new(text).fingerprint();
    let found = door.store.read(|c| accounts::by_token(c, &hash, Timestamp::now()))?;
    let may = found.is_some_and(|(account, scope, _)| {
        scope >= Scope::Write && repository.is_none_or(|found| account.may_change(&found.path.owner))
    });
    if may { Ok(hash) } else { Err(Error::Invalid(msg!("webhook-token-bad"))) }
}
