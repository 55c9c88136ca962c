//! Saying who we are, as the registry asks for it: a password, a token that was given, or a token of the registry's
//! own token server, kept until it ends. A credential goes to the registry itself or to a token server at the same
//! host, at a host that the endpoint allows (or Docker Hub's own one, for Docker Hub), and never anywhere else, whatever
//! a header says.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use super::allowed::{self, AllowedHost};
use super::base::Base;
use super::challenge::{self, Challenge};
use super::guard::Guard;
use super::state::{Condition, Trouble};
use crate::model::{Credentials, EndpointKind, Secret};
use crate::msg;

/// Where Docker Hub's token server is.
const HUB_TOKENS: &str = "auth.docker.io";
/// Longest answer of a token server, in bytes.
const LONGEST_ANSWER: usize = 256 * 1024;
/// What the specification says when the answer does not.
const LASTS: u64 = 60;
const LONGEST_LIFE: u64 = 60 * 60;
/// A token is not used in the last part of its life: the question takes time, too.
const MARGIN: Duration = Duration::from_secs(5);
/// Different tokens kept.
const KEPT: usize = 200;

pub(super) struct Login {
    kind: EndpointKind,
    credentials: Credentials,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Whether the registry has asked for name and password themselves.
    basic: bool,
    /// Its token server, once it was named: realm and service.
    server: Option<(Url, Option<String>)>,
    tokens: HashMap<String, (HeaderValue, Instant)>,
}

#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
    /// A number of seconds; senders write other things, too.
    #[serde(default)]
    expires_in: serde_json::Value,
}

impl Answer {
    fn lasts(&self) -> Duration {
        let said = match &self.expires_in {
            serde_json::Value::Number(number) => number.as_f64(),
            serde_json::Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let seconds = said.filter(|seconds| *seconds >= 0.0).unwrap_or(LASTS as f64).min(LONGEST_LIFE as f64);
        Duration::try_from_secs_f64(seconds).unwrap_or_default()
    }
}

impl Login {
    pub fn new(kind: EndpointKind, credentials: Credentials) -> Self {
        Login { kind, credentials, state: Mutex::default() }
    }

    pub fn is_anonymous(&self) -> bool {
        matches!(self.credentials, Credentials::Anonymous)
    }

    /// What is sent without being asked for.
    pub fn is_token(&self) -> bool {
        matches!(self.credentials, Credentials::Token(_))
    }

    /// Whether the registry has asked who we are.
    pub fn was_asked(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.basic || state.server.is_some()
    }

    /// What to send along from the start, as far as it is known what the registry wants.
    pub async fn header(&self, at: &At<'_>, scopes: &[String]) -> Result<Option<HeaderValue>, Trouble> {
        if let Credentials::Token(token) = &self.credentials {
            return bearer(at.base, token.reveal()).map(Some);
        }
        let key = scopes.join(" ");
        let server = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.basic {
                return self.basic(at.base).map(Some);
            }
            if let Some((header, until)) = state.tokens.get(&key) {
                if *until > Instant::now() {
                    return Ok(Some(header.clone()));
                }
                state.tokens.remove(&key);
            }
            state.server.clone()
        };
        match server {
            Some((realm, service)) => self.fetch(at, (&realm, service.as_deref()), scopes).await.map(Some),
            None => Ok(None),
        }
    }

    /// The registry refused: what to send instead, or `None` when there is nothing else to try.
    pub async fn answer(
        &self,
        at: &At<'_>,
        headers: &HeaderMap,
        scopes: &[String],
    ) -> Result<Option<HeaderValue>, Trouble> {
        let texts = headers.get_all(WWW_AUTHENTICATE).into_iter().filter_map(|value| value.to_str().ok());
        let asked: Vec<Challenge> = texts.flat_map(challenge::parse).collect();
        let named = |scheme: &str| asked.iter().find(|challenge| challenge.scheme == scheme);
        if let (Some(_), Credentials::Basic { .. }) = (named("basic"), &self.credentials) {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let before = std::mem::replace(&mut state.basic, true);
            return if before { Ok(None) } else { self.basic(at.base).map(Some) };
        }
        let (Some(wanted), false) = (named("bearer"), matches!(self.credentials, Credentials::Token(_)))
        else {
            return Ok(None);
        };
        let realm = self.allowed(at, wanted.get("realm").unwrap_or_default())?;
        let service = wanted.get("service").map(str::to_owned);
        let scope = wanted.get("scope").filter(|scope| !scope.is_empty());
        // What was asked for in other words than ours is still kept under ours.
        let asked: Vec<String> = scope.map_or_else(
            || scopes.to_vec(),
            |scope| scope.split(' ').filter(|one| !one.is_empty()).map(str::to_owned).collect(),
        );
        let header = self.fetch(at, (&realm, service.as_deref()), &asked).await?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = state.tokens.get(&asked.join(" ")).cloned() {
            state.tokens.insert(scopes.join(" "), kept);
        }
        state.server = Some((realm, service));
        Ok(Some(header))
    }

    fn basic(&self, base: &Base) -> Result<HeaderValue, Trouble> {
        match &self.credentials {
            Credentials::Basic { user, password } => sensitive(
                base,
                &format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.reveal()))),
            ),
            Credentials::Anonymous | Credentials::Token(_) => Err(self.refused(base, "401")),
        }
    }

    /// A token server's address, if credentials may go there: never to another host, never from https to http.
    fn allowed(&self, at: &At<'_>, realm: &str) -> Result<Url, Trouble> {
        let shown: String = realm.chars().take(200).collect();
        let refuse = |other: Option<&Url>| {
            let (host, realm) = (&at.base.host, shown.escape_debug());
            let message = match other {
                _ if !at.base.is_endpoint => msg!("registry-own-credentials", host = host, answer = "401"),
                Some(url) if url.scheme() == "http" && at.base.is_tls() => {
                    msg!("endpoints-realm-plain", host = host, realm = realm)
                }
                Some(url) if url.has_host() => {
                    msg!(
                        "endpoints-realm-refused",
                        host = host,
                        realm = realm,
                        other = at.base.beside(url).host
                    )
                }
                _ => msg!("endpoints-realm-odd", host = host, realm = realm),
            };
            Trouble::new(Condition::NeedsCredentials, message)
        };
        let url = Url::parse(realm).map_err(|_| refuse(None))?;
        let safe = url.scheme() == "https" || (url.scheme() == "http" && !at.base.is_tls());
        let bare = url.username().is_empty() && url.password().is_none();
        let host = url.host_str().unwrap_or_default();
        let hub = self.kind == EndpointKind::DockerHub && host == HUB_TOKENS && url.scheme() == "https";
        let allowed = host == at.base.name || allowed::leads_to(at.base, at.allowed, &url);
        if !safe || !bare || !(allowed || hub) {
            return Err(refuse(Some(&url)));
        }
        at.guard.add_port(url.port_or_known_default().unwrap_or(0));
        // A resolver is never asked about addresses.
        let written = [at.base.address(), at.base.beside(&url).address()];
        for address in written.into_iter().flatten() {
            at.guard.check(address).map_err(|no| Trouble::from_cause(at.base, &no))?;
        }
        Ok(url)
    }

    async fn fetch(
        &self,
        at: &At<'_>,
        (realm, service): (&Url, Option<&str>),
        scopes: &[String],
    ) -> Result<HeaderValue, Trouble> {
        let mut url = realm.clone();
        {
            let mut query = url.query_pairs_mut();
            query.extend_pairs(service.map(|service| ("service", service)));
            query.extend_pairs(scopes.iter().map(|scope| ("scope", scope)));
        }
        let there = match url.host_str() == Some(&at.base.name) {
            true => at.base.clone(),
            false => at.base.beside(&url),
        };
        let http = if there.host == at.base.host || there.name == at.base.name { at.http } else { at.others };
        let mut request = http.get(url);
        if !self.is_anonymous() {
            request = request.header(AUTHORIZATION, self.basic(at.base)?);
        }
        let asked = Instant::now();
        let response = request.send().await.map_err(|e| Trouble::from_http(&there, &e))?;
        let status = response.status();
        if status.is_client_error() && status.as_u16() != 429 {
            return Err(self.refused(at.base, status));
        }
        if !status.is_success() {
            let message = msg!("registry-failing", host = there.host, answer = status);
            return Err(Trouble::new(Condition::Failing, message));
        }
        let body = super::wire::body(at.base, response, LONGEST_ANSWER).await?;
        let unreadable = || Trouble::damaged(msg!("endpoints-token-unreadable", host = at.base.host));
        let answer: Answer = serde_json::from_slice(&body).map_err(|_| unreadable())?;
        let given = [answer.token.clone(), answer.access_token.clone()]
            .into_iter()
            .flatten()
            .find(|token| !token.is_empty());
        let token = Secret::new(given.ok_or_else(unreadable)?);
        let header = bearer(at.base, token.reveal())?;
        let lasts = answer.lasts();
        self.keep(scopes.join(" "), &header, asked + lasts.saturating_sub(MARGIN));
        Ok(header)
    }

    fn keep(&self, key: String, header: &HeaderValue, until: Instant) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.tokens.len() >= KEPT {
            let now = Instant::now();
            state.tokens.retain(|_, (_, until)| *until > now);
            if state.tokens.len() >= KEPT {
                state.tokens.clear();
            }
        }
        state.tokens.insert(key, (header.clone(), until));
    }

    /// A token that the registry no longer takes is not sent again.
    pub fn forget(&self, scopes: &[String]) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).tokens.remove(&scopes.join(" "));
    }

    /// What is wrong is who we are.
    pub fn refused(&self, base: &Base, answer: impl std::fmt::Display) -> Trouble {
        let message = match self.is_anonymous() {
            true if !base.is_endpoint => msg!("registry-own-credentials", host = base.host, answer = answer),
            true => msg!("registry-credentials", host = base.host, answer = answer),
            false => msg!("endpoints-refused", host = base.host, answer = answer),
        };
        Trouble::new(Condition::NeedsCredentials, message)
    }
}

/// The registry one speaks with, and how.
pub(super) struct At<'a> {
    pub base: &'a Base,
    pub guard: &'a Guard,
    pub allowed: &'a [AllowedHost],
    pub http: &'a reqwest::Client,
    /// For another host than the registry's.
    pub others: &'a reqwest::Client,
}

fn bearer(base: &Base, token: &str) -> Result<HeaderValue, Trouble> {
    sensitive(base, &format!("Bearer {token}"))
}

fn sensitive(base: &Base, text: &str) -> Result<HeaderValue, Trouble> {
    let mut header = HeaderValue::from_str(text)
        .map_err(|_| Trouble::damaged(msg!("endpoints-token-unreadable", host = base.host)))?;
    header.set_sensitive(true);
    Ok(header)
}
