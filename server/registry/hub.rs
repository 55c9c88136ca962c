//! Docker Hub's own API, as far as its repositories' webhooks go: sign in, make one, list them, take one away. It
//! contacts the one address it was made for, past the same guard and believing the same certificate as the endpoint's
//! registry, follows no redirect, and takes answers of bounded length.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::base::Base;
use super::connect::http_client;
use super::guard::Guard;
use super::state::Trouble;
use super::wire;
use crate::model::{Access, Error, Result, Secret};
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
    base: Base,
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
    /// For `Registries::docker_hub`; `own` is the port this server listens at.
    pub(super) async fn sign_in(
        access: &Access,
        (user, password): (&str, &Secret),
        own: Option<u16>,
    ) -> Result<Hub> {
        let base = api_base(&access.url)?;
        let guard = Guard::of(&base, own)?;
        let http = http_client(&base, access.certificate.as_deref(), &guard)?;
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
        let mut request =
            self.http.request(method, format!("{}{place}", self.base.origin())).timeout(PATIENCE);
        if !self.token.reveal().is_empty() {
            request = request.header("authorization", format!("JWT {}", self.token.reveal()));
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.map_err(|cause| Trouble::from_http(&self.base, &cause))?;
        let status = response.status();
        let answer = wire::body(&self.base, response, LONGEST).await?;
        Ok((status, serde_json::from_slice(&answer).unwrap_or_default()))
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
        Error::Conflict(msg!("webhook-hub-answer", address = self.base.origin(), answer = status))
    }
}

/// `repository` is `namespace/name`, checked by whoever calls.
fn place(repository: &str) -> String {
    format!("/v2/repositories/{repository}/webhook_pipeline/")
}

fn is_slug(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    (1..=200).contains(&text.len()) && text.bytes().all(letter)
}

fn api_base(url: &str) -> Result<Base> {
    let base = Base::parse(url.trim())?;
    match HUB_NAMES.contains(&base.name.as_str()) {
        true => Base::parse(API),
        false => Ok(base),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Credentials, EndpointKind};

    #[test]
    fn the_api_is_at_docker_hub_or_where_the_endpoint_says() {
        assert_eq!(api_base("https://registry-1.docker.io").unwrap().origin(), API);
        assert_eq!(api_base("http://127.0.0.1:9").unwrap().origin(), "http://127.0.0.1:9");
        assert!(api_base("nonsense").is_err());
        assert!(is_slug("a-1_b") && !is_slug("../a") && !is_slug(""));
    }

    #[tokio::test]
    async fn the_api_is_behind_the_guard_and_the_certificate_of_its_endpoint() {
        let access = |url: &str, certificate: Option<&str>| Access {
            kind: EndpointKind::DockerHub,
            url: url.into(),
            credentials: Credentials::Anonymous,
            certificate: certificate.map(Into::into),
            allowed: Vec::new(),
        };
        let password = Secret::new("hub-password");
        for (access, key) in [
            (access("http://127.0.0.1:3000", None), "endpoints-address-refused"),
            (access("http://169.254.169.254", None), "endpoints-address-refused"),
            // By a name, which is found out when it is resolved.
            (access("http://localhost:3001", None), "endpoints-address-refused"),
            (access("https://127.0.0.1:3001", Some("none")), "endpoints-certificate-unreadable"),
        ] {
            let refused = Hub::sign_in(&access, ("team", &password), Some(3000)).await.err();
            let message = refused.as_ref().and_then(Error::message).map(|message| message.key.as_ref());
            assert_eq!(message, Some(key), "{}", access.url);
        }
    }
}
