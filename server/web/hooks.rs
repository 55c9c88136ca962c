//! The door for registries. A sender shows its token or signature, and only then is anything read; what it sent is a
//! row before it is answered 202, whatever it is: a sender that gets anything else sends the same again for ever.
//! What a delivery means is found out elsewhere. No token is ever written down, and no query string.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::http::header::{AUTHORIZATION, CONTENT_ENCODING};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use url::form_urlencoded;

use super::auth;
use super::errors::Failure;
use super::state::Door;
use crate::model::{DeliverySource, DockerWebhook, Happened, Result, Secret};
use crate::store::deliveries::{self, NewDelivery};
use crate::store::{docker_webhooks, events};
use crate::{git, msg, registry as registries};

/// Longest body, packed and unpacked, in bytes.
const LONGEST: usize = 1024 * 1024;
/// Between two entries of the journal about wrong tokens from one address.
const QUIET: Duration = Duration::from_secs(60);
/// Addresses that are remembered for that.
const ADDRESSES: usize = 10_000;
const MOST_HEADERS: usize = 60;
const LONGEST_HEADER: usize = 1000;
const DOCKER_HUB: &str = "/pipelines/api/docker-hub-webhooks";
const REGISTRY: &str = "/hooks/registry";
const GENERIC: &str = "/hooks/generic/";
const SIGNATURES: [&str; 3] = ["x-hub-signature-256", "x-gitea-signature", "x-gogs-signature"];

pub fn is_address(path: &str) -> bool {
    path == DOCKER_HUB || path == REGISTRY || path.starts_with(GENERIC)
}

pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.route(DOCKER_HUB, web::post().to(docker_hub))
        .route(REGISTRY, web::post().to(registry))
        .route("/hooks/generic/{webhook}", web::post().to(generic));
}

/// The address to give to Docker Hub, with the token in it.
pub fn docker_hub_address(door: &Door, token: &Secret) -> String {
    format!("{}{DOCKER_HUB}?secureToken={}", door.settings.url, token.reveal())
}

pub fn registry_address(door: &Door) -> String {
    format!("{}{REGISTRY}", door.settings.url)
}

pub fn generic_address(door: &Door, webhook: &str) -> String {
    format!("{}{GENERIC}{webhook}", door.settings.url)
}

/// When a wrong token of an address was last written into the journal; all workers share it.
#[derive(Default)]
pub struct Refusals {
    last: Mutex<HashMap<IpAddr, Instant>>,
}

impl Refusals {
    fn is_news(&self, from: IpAddr, now: Instant) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() >= ADDRESSES {
            last.retain(|_, at| now.saturating_duration_since(*at) < QUIET);
        }
        if last.len() >= ADDRESSES || last.get(&from).is_some_and(|at| now.duration_since(*at) < QUIET) {
            return false;
        }
        last.insert(from, now);
        true
    }
}

/// `POST /pipelines/api/docker-hub-webhooks?secureToken=`: Docker Hub cannot sign, so its token is in the address.
async fn docker_hub(request: HttpRequest, door: web::Data<Door>, payload: web::Payload) -> Answer {
    let mut fields = form_urlencoded::parse(request.query_string().as_bytes());
    let given = fields.find(|(name, _)| name.eq_ignore_ascii_case("secureToken"));
    let token = given.map(|(_, value)| Secret::new(value)).unwrap_or_else(|| Secret::new(""));
    match bearer_of(&door, &token)? {
        Some(webhook) => {
            let body = unpacked(&request, packed(payload).await?).await?;
            keep(&request, &door, (DeliverySource::DockerHub, Some(webhook.id)), body).await
        }
        None => refuse(&request, &door).await,
    }
}

/// `POST /hooks/registry`: the stack's own registry by its token, another by that of one of its webhooks.
async fn registry(request: HttpRequest, door: web::Data<Door>, payload: web::Payload) -> Answer {
    let header =
        request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (scheme, value) = header.split_once(' ').unwrap_or_default();
    let token = Secret::new(if scheme.eq_ignore_ascii_case("bearer") { value.trim() } else { "" });
    let webhook = match door.settings.hook_token.matches(token.reveal()) {
        true => None,
        false => match bearer_of(&door, &token)? {
            Some(webhook) => Some(webhook.id),
            None => return refuse(&request, &door).await,
        },
    };
    let body = unpacked(&request, packed(payload).await?).await?;
    keep(&request, &door, (DeliverySource::Distribution, webhook), body).await
}

/// `POST /hooks/generic/{webhook}`: signed with the webhook's token, as Git hosts do.
async fn generic(
    request: HttpRequest,
    door: web::Data<Door>,
    name: web::Path<String>,
    payload: web::Payload,
) -> Answer {
    let signature = SIGNATURES.iter().find_map(|name| request.headers().get(*name)?.to_str().ok());
    let webhook = door.store.read(|c| docker_webhooks::by_name(c, &name))?;
    let (Some(signature), Some(webhook)) = (signature, webhook) else {
        return refuse(&request, &door).await;
    };
    let Some(token) = token_of(&door, &webhook)? else { return refuse(&request, &door).await };
    let sent = packed(payload).await?;
    let signature = signature.trim_start_matches("sha256=");
    // Gitea signs what is in the form, GitHub the form. Nothing else of a form is read.
    let signed = token.signed(&sent, signature)
        || registries::form_payload(&sent).is_some_and(|inner| token.signed(inner.as_bytes(), signature));
    if !signed {
        return refuse(&request, &door).await;
    }
    let body = unpacked(&request, sent).await?;
    keep(&request, &door, (DeliverySource::Generic, Some(webhook.id)), body).await
}

type Answer = Result<HttpResponse, Failure>;

/// The webhook with this token. Found by its hash, then compared in constant time.
fn bearer_of(door: &Door, token: &Secret) -> Result<Option<DockerWebhook>> {
    if token.reveal().is_empty() {
        return Ok(None);
    }
    let hash = token.fingerprint();
    let Some(webhook) = door.store.read(|c| docker_webhooks::by_token(c, &hash))? else { return Ok(None) };
    let known = token_of(door, &webhook)?;
    Ok(known.filter(|known| known.matches(token.reveal())).map(|_| webhook))
}

/// A webhook's token, to compare with or to be shown to those who may change it.
pub fn token_of(door: &Door, webhook: &DockerWebhook) -> Result<Option<Secret>> {
    let sealed = door.store.read(|c| docker_webhooks::token(c, webhook.id))?;
    sealed.map(|sealed| door.store.sealer().unseal(&sealed)).transpose()
}

/// 401, and one entry of the journal a minute.
async fn refuse(request: &HttpRequest, door: &Door) -> Answer {
    let from = auth::peer(request);
    let news = request.app_data::<web::Data<Refusals>>().is_some_and(|all| all.is_news(from, Instant::now()));
    if news {
        tracing::info!(%from, path = %shown(request.path()), "a delivery with a wrong token");
        let message = msg!("hook-wrong-token", path = shown(request.path()), address = from);
        let refused = Happened::DeliveryRefused { delivery_id: None, message };
        door.store.write(move |c| events::add(c, None, &refused, Timestamp::now())).await?;
    }
    Err(Failure::Unauthenticated(msg!("hook-unauthenticated")))
}

fn shown(path: &str) -> String {
    path.chars().take(100).collect::<String>().escape_debug().to_string()
}

/// The body as it came.
async fn packed(mut payload: web::Payload) -> Result<Bytes, Failure> {
    let mut body = BytesMut::new();
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(|_| Failure::Known(crate::model::Error::Invalid(msg!("hook-cut-off"))))?;
        if body.len() + piece.len() > LONGEST {
            return Err(Failure::TooLarge);
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

/// The body without its packing; what cannot be unpacked is kept as it came.
async fn unpacked(request: &HttpRequest, body: Bytes) -> Result<Vec<u8>, Failure> {
    let encoding = request.headers().get(CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    if !encoding.is_some_and(|name| matches!(name.trim(), "gzip" | "x-gzip")) {
        return Ok(body.to_vec());
    }
    let sent = stream::iter([Ok(body.clone())]);
    let pieces = git::inflate(sent, Some(LONGEST as u64));
    let all = pieces.try_fold(Vec::new(), |mut all, piece| async move {
        all.extend_from_slice(&piece);
        Ok(all)
    });
    match all.await {
        Ok(all) => Ok(all),
        Err(cause) if cause.kind() == std::io::ErrorKind::FileTooLarge => Err(Failure::TooLarge),
        Err(_) => Ok(body.to_vec()),
    }
}

async fn keep(
    request: &HttpRequest,
    door: &Door,
    from: (DeliverySource, Option<i64>),
    body: Vec<u8>,
) -> Answer {
    let new = NewDelivery::new(from, auth::peer(request).to_string(), &headers(request), body)?;
    door.store.write_one(move |c| deliveries::receive(c, &new, Timestamp::now())).await?;
    Ok(HttpResponse::Accepted().finish())
}

/// Everything but what proves who sent it.
pub fn headers(request: &HttpRequest) -> Vec<(&str, String)> {
    let secret = |name: &str| {
        matches!(name, "authorization" | "proxy-authorization" | "cookie")
            || name.contains("signature")
            || name.contains("token")
    };
    let text = |value: &[u8]| {
        let text = String::from_utf8_lossy(value);
        let end = text.char_indices().nth(LONGEST_HEADER).map_or(text.len(), |(end, _)| end);
        text[..end].to_owned()
    };
    let all = request.headers().iter().filter(|(name, _)| !secret(name.as_str()));
    all.take(MOST_HEADERS).map(|(name, value)| (name.as_str(), text(value.as_bytes()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_token_is_news_once_a_minute_from_each_address() {
        let refusals = Refusals::default();
        let (here, there): (IpAddr, IpAddr) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let now = Instant::now();
        assert!(refusals.is_news(here, now) && refusals.is_news(there, now));
        assert!(!refusals.is_news(here, now + Duration::from_secs(59)));
        assert!(refusals.is_news(here, now + QUIET));
        for n in 0..20_000u32 {
            refusals.is_news(IpAddr::from(n.to_be_bytes()), now);
        }
        assert!(refusals.last.lock().unwrap().len() <= ADDRESSES);
    }
}
