//! Docker Hub's own API, as far as its repositories' webhooks go: sign in, make one, list them, take one away. It
//! contacts the one address it was made for, follows no redirect, and takes answers of bounded length.

use std::time::Duration;

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::model::{Error, Result, Secret};
use crate::msg;

/// Where the API is for those whose images are at docker.io.
const API: &str = "https://hub.docker.com";
const HUB_NAMES: [&str; 4] = ["docker.io", "index.docker.io", "registry-1.docker.io", "hub.docker.com"];
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest answer, in bytes.
const LONGEST: usize = 256 * 1024;

/// Signed in for as long as it lives.
pub struct Hub {
    http: reqwest::Client,
    /// Without a slash at the end.
    base: String,
    token: Secret,
}

/// A webhook of a repository at Docker Hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubWebhook {
    /// What it is called in addresses.
    pub slug: String,
    pub name: String,
}

impl Hub {
    /// Signs in. `url` is the endpoint's: Docker Hub's registry, or the address of something that speaks like
    /// Docker Hub. `Denied` when the password is wrong, `Conflict` when there is no usable answer.
    pub async fn sign_in(url: &str, user: &str, password: &Secret) -> Result<Hub> {
        let base = api_base(url)?;
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .user_agent(concat!("ropewalk/", env!("CARGO_PKG_VERSION")));
        // Without certificates of the machine, which a small image may lack and http does not need.
        let http = if base.starts_with("https:") { http } else { http.tls_certs_only([]) };
        let http = http.build().map_err(|cause| Error::internal("making the Docker Hub client", cause))?;
        let mut hub = Hub { http, base, token: Secret::new("") };
        let body = json!({"username": user, "password": password.reveal()});
        let (status, answer) = hub.ask(Method::POST, "/v2/users/login/", Some(body)).await?;
        match (status, answer.get("token").and_then(Value::as_str)) {
            (status, Some(token)) if status.is_success() => hub.token = Secret::new(token),
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => {
                return Err(Error::Denied(msg!("webhook-hub-password", user = user)));
            }
            (status, _) => return Err(hub.unexpected(status)),
        }
        Ok(hub)
    }

    /// Makes a webhook that calls `address`; returns what Docker Hub calls it.
    pub async fn create(&self, repository: &str, name: &str, address: &Secret) -> Result<String> {
        let one = json!({"name": name, "hook_url": address.reveal(), "registry": "registry-1.docker.io"});
        let body = json!({"name": name, "expect_final_callback": false, "webhooks": [one]});
        let (status, answer) = self.ask(Method::POST, &place(repository), Some(body)).await?;
        match answer.get("slug").and_then(Value::as_str) {
            Some(slug) if status.is_success() && is_slug(slug) => Ok(slug.to_owned()),
            _ => Err(self.refused(status, repository)),
        }
    }

    /// The webhooks of a repository, the first hundred.
    pub async fn list(&self, repository: &str) -> Result<Vec<HubWebhook>> {
        let place = format!("{}?page_size=100", place(repository));
        let (status, answer) = self.ask(Method::GET, &place, None).await?;
        let Some(results) = answer.get("results").and_then(Value::as_array).filter(|_| status.is_success())
        else {
            return Err(self.refused(status, repository));
        };
        let text = |value: &Value, name| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let one = |value: &Value| Some(HubWebhook { slug: text(value, "slug")?, name: text(value, "name")? });
        Ok(results.iter().filter_map(one).filter(|hook| is_slug(&hook.slug)).collect())
    }

    /// Takes a webhook away; one that is not there is away already.
    pub async fn delete(&self, repository: &str, slug: &str) -> Result<()> {
        if !is_slug(slug) {
            return Ok(());
        }
        let place = format!("{}{slug}/", place(repository));
        let (status, _) = self.ask(Method::DELETE, &place, None).await?;
        if status.is_success() || status == StatusCode::NOT_FOUND {
            return Ok(());
        }
        Err(self.refused(status, repository))
    }

    async fn ask(&self, method: Method, place: &str, body: Option<Value>) -> Result<(StatusCode, Value)> {
        let mut request = self.http.request(method, format!("{}{place}", self.base));
        if !self.token.reveal().is_empty() {
            request = request.header("authorization", format!("JWT {}", self.token.reveal()));
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let unreachable = |cause: reqwest::Error| {
            let cause = if cause.is_timeout() { "timeout" } else { "connect" };
            Error::Conflict(msg!("webhook-hub-silent", address = self.base, cause = cause))
        };
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let body = bounded(response).await.map_err(unreachable)?;
        Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
    }

    fn refused(&self, status: StatusCode, repository: &str) -> Error {
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => {
                Error::Denied(msg!("webhook-hub-refused", repository = repository, answer = status))
            }
            status => self.unexpected(status),
        }
    }

    fn unexpected(&self, status: StatusCode) -> Error {
        Error::Conflict(msg!("webhook-hub-answer", address = self.base, answer = status))
    }
}

/// What is beyond the bound is not read.
async fn bounded(mut response: Response) -> reqwest::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await? {
        if body.len() + piece.len() > LONGEST {
            break;
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// `repository` is `namespace/name`, checked by whoever calls.
fn place(repository: &str) -> String {
    format!("/v2/repositories/{repository}/webhook_pipeline/")
}

fn is_slug(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    (1..=200).contains(&text.len()) && text.bytes().all(letter)
}

fn api_base(url: &str) -> Result<String> {
    let bad = || Error::Invalid(msg!("webhook-hub-answer", address = url.escape_debug(), answer = "-"));
    let parsed = url::Url::parse(url).map_err(|_| bad())?;
    let host = parsed.host_str().ok_or_else(bad)?;
    if HUB_NAMES.contains(&host) {
        return Ok(API.to_owned());
    }
    Ok(parsed.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_is_at_docker_hub_or_where_the_endpoint_says() {
        assert_eq!(api_base("https://registry-1.docker.io").unwrap(), API);
        assert_eq!(api_base("http://127.0.0.1:9/v2/x").unwrap(), "http://127.0.0.1:9");
        assert!(api_base("nonsense").is_err());
        assert!(is_slug("a-1_b") && !is_slug("../a") && !is_slug(""));
    }
}
