//! One question to the registry and its answer: few connections, a deadline, a bound for every body, a
//! small number of further tries with growing, jittered waits, and no step to another host.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout_at};

use super::base::{Base, Place};
use super::state::{Condition, Trouble, Unresolved};
use crate::model::{Error, Result};
use crate::msg;

/// A registry on one disk gains nothing from more (measured: 1,393 HEADs/s on 4, no gain on 8).
const CONNECTIONS: usize = 4;
const REDIRECTS: usize = 3;
const CONNECT: Duration = Duration::from_secs(3);
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// How long to keep trying.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Tries in all, at least one.
    pub tries: u32,
    /// Before the second try; doubled for each further one, less a random part of up to a half.
    pub first_wait: Duration,
    /// For one try, body included.
    pub one: Duration,
    /// For everything, waits included.
    pub all: Duration,
}

impl Patience {
    /// For the health page: say now what is wrong now.
    pub const NONE: Patience = Patience::of(1, 0, 4_000, 5_000);
    /// For a person who waits for a page.
    pub const PAGE: Patience = Patience::of(3, 150, 5_000, 12_000);
    /// For a run, whose result hangs on the answer.
    pub const RUN: Patience = Patience::of(5, 2_000, 20_000, 60_000);

    const fn of(tries: u32, first_wait: u64, one: u64, all: u64) -> Self {
        Patience {
            tries,
            first_wait: Duration::from_millis(first_wait),
            one: Duration::from_millis(one),
            all: Duration::from_millis(all),
        }
    }
}

pub(super) struct Wire {
    pub base: Base,
    http: reqwest::Client,
    permits: Semaphore,
}

/// A question. `accept` is for manifests; redirects are followed for blobs only.
pub(super) struct Ask<'a> {
    pub method: Method,
    pub place: Place<'a>,
    pub accept: Option<&'static str>,
    /// The largest body taken, in bytes.
    pub limit: usize,
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
    pub fn new(base: Base) -> Result<Self> {
        // The binary installs it; a second door (a tool, a test) must not find reqwest panicking without.
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let mut http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(Arc::new(SystemNames))
            .connect_timeout(CONNECT)
            .pool_max_idle_per_host(CONNECTIONS)
            .pool_idle_timeout(Duration::from_secs(90))
            .tcp_nodelay(true)
            .user_agent(concat!("ropewalk/", env!("CARGO_PKG_VERSION")));
        if !base.is_tls() {
            // Without certificates of the machine, which a small image may lack and http does not need.
            http = http.tls_certs_only([]);
        }
        let http = http.build().map_err(|cause| Error::internal("making the registry client", cause))?;
        Ok(Wire { base, http, permits: Semaphore::new(CONNECTIONS) })
    }

    pub async fn ask(&self, patience: Patience, ask: &Ask<'_>) -> Result<Answer, Trouble> {
        let deadline = Instant::now() + patience.all;
        let mut wait = patience.first_wait;
        let mut left = patience.tries.max(1);
        loop {
            left -= 1;
            let until = deadline.min(Instant::now() + patience.one);
            let mut least = Duration::ZERO;
            let outcome = match timeout_at(until, self.once(ask, &mut least)).await {
                Ok(outcome) => outcome,
                Err(_) => Err(Trouble::timeout(&self.base)),
            };
            let trouble = match outcome {
                Err(trouble) if trouble.again && left > 0 => trouble,
                other => return other,
            };
            let pause = jittered(wait).max(least).min(LONGEST_WAIT);
            if Instant::now() + pause >= deadline {
                return Err(trouble);
            }
            tracing::debug!(host = %self.base.host, cause = %trouble.message, ?pause, "asking the registry again");
            sleep(pause).await;
            wait = wait.saturating_mul(2);
        }
    }

    /// `least` becomes the wait the registry asked for, if it did.
    async fn once(&self, ask: &Ask<'_>, least: &mut Duration) -> Result<Answer, Trouble> {
        let _permit = self.permits.acquire().await.map_err(|_| Trouble::timeout(&self.base))?;
        let mut url = self.base.url(&ask.place);
        let follow = matches!(ask.place, Place::Blob { .. });
        for _ in 0..=REDIRECTS {
            let mut request = self.http.request(ask.method.clone(), url.clone());
            if let Some(accept) = ask.accept {
                request = request.header(ACCEPT, accept);
            }
            let response = request.send().await.map_err(|e| Trouble::from_http(&self.base, &e))?;
            if !response.status().is_redirection() {
                return self.taken(response, ask, least).await;
            }
            let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
            match self.base.within(&url, to) {
                Some(next) if follow => url = next,
                _ => return Err(self.redirected(to)),
            }
        }
        Err(self.redirected(url.as_str()))
    }

    async fn taken(
        &self,
        response: Response,
        ask: &Ask<'_>,
        least: &mut Duration,
    ) -> Result<Answer, Trouble> {
        let status = response.status();
        let host = &self.base.host;
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let message = msg!("registry-credentials", host = host, answer = status);
                return Err(Trouble::new(Condition::NeedsCredentials, message));
            }
            status if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => {
                *least = retry_after(response.headers());
                let message = msg!("registry-failing", host = host, answer = status);
                return Err(Trouble::new(Condition::Failing, message));
            }
            _ => {}
        }
        let headers = response.headers().clone();
        let body =
            if ask.method == Method::HEAD { Bytes::new() } else { self.body(response, ask.limit).await? };
        Ok(Answer { status, headers, body })
    }

    async fn body(&self, mut response: Response, limit: usize) -> Result<Bytes, Trouble> {
        let too_large = || {
            let limit = limit.div_ceil(1024 * 1024);
            Trouble::damaged(msg!("registry-too-large", host = self.base.host, limit = limit))
        };
        let announced = response.content_length().unwrap_or(0);
        if announced > limit as u64 {
            return Err(too_large());
        }
        // The announced length is only a word; memory follows what really arrives.
        let mut body = BytesMut::with_capacity((announced as usize).min(64 * 1024));
        while let Some(chunk) = response.chunk().await.map_err(|e| Trouble::from_http(&self.base, &e))? {
            if body.len() + chunk.len() > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }

    fn redirected(&self, to: &str) -> Trouble {
        let to: String = to.chars().take(200).collect();
        let message = msg!("registry-redirect", host = self.base.host, to = to.escape_debug());
        Trouble::new(Condition::NotARegistry, message)
    }
}

/// Seconds only: a date would compare two machines' clocks.
fn retry_after(headers: &HeaderMap) -> Duration {
    let seconds = headers.get(RETRY_AFTER).and_then(|v| v.to_str().ok()).and_then(|v| v.trim().parse().ok());
    Duration::from_secs(seconds.unwrap_or(0))
}

/// Between half of `wait` and all of it, so that many who failed together do not come back together.
fn jittered(wait: Duration) -> Duration {
    let part = getrandom::u32().map_or(1.0, |random| f64::from(random) / f64::from(u32::MAX));
    wait.mul_f64(0.5 + part / 2.0)
}

/// The machine's own resolver (hosts file included), with failures that can be told from others.
struct SystemNames;

impl Resolve for SystemNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(Unresolved)?;
            let found: Vec<_> = found.collect();
            if found.is_empty() {
                return Err(Unresolved(io::Error::from(io::ErrorKind::NotFound)).into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
