//! One question to the registry and its answer: few connections, a deadline, a bound for every body, a
//! small number of further tries with growing, jittered waits, and no step to another host but the ones that are
//! allowed by name and those Docker Hub keeps its blobs at; they are told nothing of who we are.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER,
};
use reqwest::{Method, Response, StatusCode};
use tokio::sync::Semaphore;
use url::Url;

use super::allowed::{self, AllowedHost};
use super::base::{Base, Place};
use super::connect::{CONNECTIONS, http_client, others_client};
use super::guard::Guard;
use super::login::{At, Login};
use super::patience::Patience;
use super::rest::Rest;
use super::state::{Condition, Trouble};
use crate::model::{Access, Credentials, EndpointKind, Result};
use crate::msg;

const REDIRECTS: usize = 3;
/// Where Docker Hub's blobs are, behind a redirect.
const HUB_BLOBS: &[&str] = &[".docker.com", ".docker.io", ".cloudflarestorage.com"];

pub(super) struct Wire {
    pub base: Base,
    pub guard: Guard,
    pub login: Login,
    kind: EndpointKind,
    allowed: Vec<AllowedHost>,
    http: reqwest::Client,
    /// For other hosts, whose certificates may be those that this machine believes.
    others: reqwest::Client,
    permits: Semaphore,
    rest: Rest,
}

/// A question. `accept` is for manifests.
pub(super) struct Ask<'a> {
    pub method: Method,
    pub place: Place<'a>,
    pub accept: Option<&'static str>,
    /// The largest body taken, in bytes.
    pub limit: usize,
}

/// A request, to an address below the registry's own.
pub(super) struct Call {
    pub method: Method,
    pub url: Url,
    pub accept: Option<&'static str>,
    pub content_type: Option<String>,
    pub content: Content,
    pub scopes: Vec<String>,
    pub follow: bool,
    /// 403 and errors of the registry's own are answers, too.
    pub lenient: bool,
}

impl Call {
    pub fn new(method: Method, url: Url, scopes: Vec<String>) -> Self {
        Call {
            method,
            url,
            accept: None,
            content_type: None,
            content: Content::Nothing,
            scopes,
            follow: false,
            lenient: false,
        }
    }
}

/// What is sent with a request.
pub(super) enum Content {
    Nothing,
    Bytes(Bytes),
    /// Cannot be sent a second time; how long it is, if that is known.
    Stream(Option<reqwest::Body>, Option<u64>),
}

/// Any status but 401, 403, 429, 3xx and 5xx, which are troubles.
pub(super) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Wire {
    /// For the stack's own registry, which asks for nothing.
    pub fn new(base: Base) -> Result<Self> {
        let access = Access {
            kind: EndpointKind::Distribution,
            url: base.origin(),
            credentials: Credentials::Anonymous,
            certificate: None,
            allowed: Vec::new(),
        };
        Self::with(base, &access, Guard::none())
    }

    pub fn with(base: Base, access: &Access, guard: Guard) -> Result<Self> {
        let http = http_client(&base, access.certificate.as_deref(), &guard)?;
        let allowed = allowed::parse(&access.allowed)?;
        let others = match allowed.is_empty() {
            true => http.clone(),
            false => others_client(access.certificate.as_deref(), &guard)?,
        };
        let login = Login::new(access.kind, access.credentials.clone());
        Ok(Wire {
            base,
            guard,
            login,
            kind: access.kind,
            allowed,
            http,
            others,
            permits: Semaphore::new(CONNECTIONS),
            rest: Rest::default(),
        })
    }

    pub async fn ask(&self, patience: Patience, ask: &Ask<'_>) -> Result<Answer, Trouble> {
        patience.persist(&self.base, || self.once(ask)).await
    }

    async fn once(&self, ask: &Ask<'_>) -> Result<Answer, Trouble> {
        // Whether it is well again may always be asked.
        if !matches!(ask.place, Place::Root) {
            self.rest.over()?;
        }
        let _permit = self.permits.acquire().await.map_err(|_| Trouble::timeout(&self.base))?;
        let call = Call {
            accept: ask.accept,
            follow: matches!(ask.place, Place::Blob { .. } | Place::Manifest { .. } | Place::Tags { .. }),
            // What a HEAD does not get, a GET may.
            lenient: ask.method == Method::HEAD,
            ..Call::new(ask.method.clone(), self.base.url(&ask.place), ask.place.scopes(false))
        };
        let response = self.send(call).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let bare = ask.method == Method::HEAD;
        let body = if bare { Bytes::new() } else { body(&self.base, response, ask.limit).await? };
        Ok(Answer { status, headers, body })
    }

    /// Sends, says who we are when asked, follows redirects where it may. Takes no permit and sets no deadline.
    pub async fn send(&self, mut call: Call) -> Result<Response, Trouble> {
        let at = self.at();
        let mut header = self.login.header(&at, &call.scopes).await?;
        let (mut url, mut hops, mut asked) = (call.url.clone(), 0, false);
        loop {
            let mut request = self.request(&mut call, url.clone());
            if let Some(header) = header.as_ref().filter(|_| self.base.owns(&url)) {
                request = request.header(AUTHORIZATION, header.clone());
            }
            let response = request.send().await.map_err(|e| self.trouble(&url, &e))?;
            let status = response.status();
            if status == StatusCode::UNAUTHORIZED && self.base.owns(&url) {
                let once_more = !asked && !matches!(call.content, Content::Stream(..));
                self.login.forget(&call.scopes);
                asked = true;
                header = match once_more {
                    true => self.login.answer(&at, response.headers(), &call.scopes).await?,
                    false => None,
                };
                if header.is_none() {
                    return Err(self.login.refused(&self.base, status));
                }
                continue;
            }
            if !status.is_redirection() {
                return self.checked(response, call.lenient);
            }
            hops += 1;
            let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
            match self.next(&url, to) {
                Some(next) if call.follow && hops <= REDIRECTS => url = next,
                _ => return Err(self.redirected(to)),
            }
        }
    }

    fn request(&self, call: &mut Call, url: Url) -> reqwest::RequestBuilder {
        let http = if self.base.owns(&url) { &self.http } else { &self.others };
        let mut request = http.request(call.method.clone(), url);
        if let Some(accept) = call.accept {
            request = request.header(ACCEPT, accept);
        }
        if let Some(kind) = &call.content_type {
            request = request.header(CONTENT_TYPE, kind);
        }
        match &mut call.content {
            // Some registries insist on being told that nothing comes.
            Content::Nothing if call.method == Method::POST => request.header(CONTENT_LENGTH, 0),
            Content::Nothing => request,
            Content::Bytes(bytes) => request.body(bytes.clone()),
            Content::Stream(body, length) => {
                if let Some(length) = length {
                    request = request.header(CONTENT_LENGTH, *length);
                }
                request.body(body.take().unwrap_or_default())
            }
        }
    }

    fn at(&self) -> At<'_> {
        let Wire { base, guard, allowed, http, others, .. } = self;
        At { base, guard, allowed, http, others }
    }

    /// What kept an answer from coming, of the host that was asked.
    fn trouble(&self, url: &Url, error: &reqwest::Error) -> Trouble {
        match self.base.owns(url) {
            true => Trouble::from_http(&self.base, error),
            false => Trouble::from_http(&self.base.beside(url), error),
        }
    }

    /// Where a redirect leads: within the registry, to a host that is allowed, or from Docker Hub to where it keeps its
    /// blobs.
    pub fn next(&self, from: &Url, location: &str) -> Option<Url> {
        let to = from.join(location).ok()?;
        let host = to.host_str().unwrap_or_default();
        let hub = self.kind == EndpointKind::DockerHub
            && to.scheme() == "https"
            && to.port().is_none()
            && HUB_BLOBS.iter().any(|end| host.ends_with(end));
        if hub {
            self.guard.add_port(443);
        }
        let allowed = allowed::leads_to(&self.base, &self.allowed, &to);
        (self.base.owns(&to) || hub || allowed).then_some(to)
    }

    fn checked(&self, response: Response, lenient: bool) -> Result<Response, Trouble> {
        match response.status() {
            StatusCode::FORBIDDEN | StatusCode::INTERNAL_SERVER_ERROR | StatusCode::NOT_IMPLEMENTED
                if lenient =>
            {
                Ok(response)
            }
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                Err(self.login.refused(&self.base, status))
            }
            status if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => {
                let message = match status == StatusCode::TOO_MANY_REQUESTS {
                    true => msg!("registry-busy", host = self.base.host, answer = status),
                    false => msg!("registry-failing", host = self.base.host, answer = status),
                };
                let after = retry_after(response.headers());
                let trouble = Trouble { after, ..Trouble::new(Condition::Failing, message) };
                self.rest.begin(&trouble);
                Err(trouble)
            }
            _ => Ok(response),
        }
    }
}

/// The body of an answer, if it is not larger than `limit` bytes.
pub(super) async fn body(base: &Base, mut response: Response, limit: usize) -> Result<Bytes, Trouble> {
    let too_large = || {
        let limit = limit.div_ceil(1024 * 1024);
        Trouble::damaged(msg!("registry-too-large", host = base.host, limit = limit))
    };
    let announced = response.content_length().unwrap_or(0);
    if announced > limit as u64 {
        return Err(too_large());
    }
    // The announced length is only a word; memory follows what really arrives.
    let mut body = BytesMut::with_capacity((announced as usize).min(64 * 1024));
    while let Some(chunk) = response.chunk().await.map_err(|e| Trouble::from_http(base, &e))? {
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Seconds only: a date would compare two machines' clocks.
fn retry_after(headers: &HeaderMap) -> Duration {
    let seconds = headers.get(RETRY_AFTER).and_then(|v| v.to_str().ok()).and_then(|v| v.trim().parse().ok());
    Duration::from_secs(seconds.unwrap_or(0))
}
