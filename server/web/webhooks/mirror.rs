//! The same webhook at Docker Hub, where its endpoint is there. What goes wrong stays with the webhook and is shown: a
//! trigger is not lost because another system is silent.

use super::{Whole, whole};
use crate::model::{EndpointKind, Error, Message, Result, Secret, is_repository};
use crate::msg;
use crate::registry::Hub;
use crate::store::docker_webhooks;
use crate::store::endpoints::Endpoint;
use crate::web::errors::Failure;
use crate::web::hooks;
use crate::web::state::Door;

/// Between the repository and the name there, in what is remembered.
const JOINT: char = '#';

/// Makes the webhook at Docker Hub when its endpoint is there, and notes what came of it.
pub async fn mirror(door: &Door, one: Whole) -> Result<Whole, Failure> {
    let Some(endpoint) = hub_of(&one) else { return note(door, one, None, None).await };
    match made(door, &one, &endpoint).await {
        Ok(remote) => note(door, one, Some(remote), None).await,
        Err(error) => {
            tracing::warn!(webhook = %one.webhook.name, %error, "a webhook could not be made at Docker Hub");
            let message = error.message().cloned().unwrap_or_else(|| msg!("webhook-hub-failed"));
            note(door, one, None, Some(message)).await
        }
    }
}

/// Takes it away there. What fails is only logged: here it is gone or changed already, and its token with it.
pub async fn unmirror(door: &Door, one: &Whole) {
    let (Some(endpoint), Some(remote)) = (hub_of(one), &one.webhook.remote_id) else { return };
    let Some((repository, slug)) = remote.rsplit_once(JOINT) else { return };
    let gone = async { sign_in(door, &endpoint).await?.delete(repository, slug).await };
    if let Err(error) = gone.await {
        tracing::warn!(webhook = %one.webhook.name, %error, "a webhook could not be taken away at Docker Hub");
    }
}

fn hub_of(one: &Whole) -> Option<Endpoint> {
    one.endpoint.clone().filter(|endpoint| endpoint.given.kind == EndpointKind::DockerHub)
}

async fn sign_in(door: &Door, endpoint: &Endpoint) -> Result<Hub> {
    let hub = door.registries.docker_hub(&endpoint.access(door.store.sealer())?).await?;
    hub.ok_or_else(|| Error::Invalid(msg!("webhook-hub-no-password", endpoint = endpoint.given.name)))
}

async fn made(door: &Door, one: &Whole, endpoint: &Endpoint) -> Result<String> {
    let repository = plain_name(&one.webhook.image_pattern)?;
    let missing = || Error::Internal("a webhook has no token".into());
    let token = hooks::token_of(door, &one.webhook)?.ok_or_else(missing)?;
    let address = Secret::new(hooks::docker_hub_address(door, &token));
    let hub = sign_in(door, endpoint).await?;
    // One of that name is ours, from a try whose answer was lost.
    let name = format!("ropewalk-{}", one.webhook.name);
    for old in hub.list(&repository).await?.into_iter().filter(|old| old.name == name) {
        hub.delete(&repository, &old.slug).await?;
    }
    let slug = hub.create(&repository, &name, &address).await?;
    Ok(format!("{repository}{JOINT}{slug}"))
}

/// A webhook at Docker Hub belongs to one repository, so that the pattern must be a plain name.
fn plain_name(pattern: &str) -> Result<String> {
    let plain = pattern.replace("\\.", ".").replace("\\-", "-");
    let plain = plain.trim_start_matches('^').trim_end_matches('$');
    match is_repository(plain) && plain.matches('/').count() == 1 {
        true => Ok(plain.to_owned()),
        false => Err(Error::Invalid(msg!("webhook-hub-plain-name"))),
    }
}

async fn note(
    door: &Door,
    one: Whole,
    remote: Option<String>,
    error: Option<Message>,
) -> Result<Whole, Failure> {
    if one.webhook.remote_id == remote && one.webhook.remote_error == error {
        return Ok(one);
    }
    let id = one.webhook.id;
    let noted = door.store.write(move |c| {
        docker_webhooks::set_remote(c, id, remote.as_deref(), error.as_ref())?;
        docker_webhooks::by_id(c, id)?.ok_or_else(|| Error::NotFound(msg!("hook-webhook-gone")))
    });
    Ok(whole(door, noted.await?)?)
}
