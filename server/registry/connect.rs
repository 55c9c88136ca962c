//! How connections are made, and which certificates they believe; and what is said when a registry leads somewhere that
//! is not gone to.

use std::sync::Arc;
use std::time::Duration;

use super::base::{Base, Place};
use super::guard::Guard;
use super::state::{Condition, Trouble};
use super::trust;
use super::wire::Wire;
use crate::model::{Error, Result};
use crate::msg;

/// A registry on one disk gains nothing from more (measured: 1,393 HEADs/s on 4, no gain on 8).
pub(super) const CONNECTIONS: usize = 4;
const CONNECT: Duration = Duration::from_secs(3);

/// Certificates that are believed of other hosts than the registry: the endpoint's own, and those this machine believes.
pub(super) fn others_client(certificate: Option<&str>, guard: &Guard) -> Result<reqwest::Client> {
    let pem = certificate.unwrap_or_default();
    let roots = reqwest::Certificate::from_pem_bundle(pem.as_bytes()).unwrap_or_default();
    let made = builder(guard).tls_certs_merge(roots.clone()).build();
    // A small machine may have no certificates of its own.
    let made = made.or_else(|_| builder(guard).tls_certs_only(roots).build());
    made.map_err(|cause| Error::internal("making the registry client", cause))
}

fn builder(guard: &Guard) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .dns_resolver(Arc::new(guard.clone()))
        .connect_timeout(CONNECT)
        .pool_max_idle_per_host(CONNECTIONS)
        .pool_idle_timeout(Duration::from_secs(90))
        .tcp_nodelay(true)
        .user_agent(concat!("ropewalk/", env!("CARGO_PKG_VERSION")))
}

/// Connections to `base` through the guard, believing the accepted certificate (PEM) when there is one. It follows no
/// redirect.
pub(super) fn http_client(base: &Base, certificate: Option<&str>, guard: &Guard) -> Result<reqwest::Client> {
    // The binary installs it; a second door (a tool, a test) must not find reqwest panicking without.
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let mut http = builder(guard);
    match certificate {
        Some(pem) => http = http.tls_backend_preconfigured(trust::only(pem)?),
        // Without certificates of the machine, which a small image may lack and http does not need.
        None if !base.is_tls() => http = http.tls_certs_only([]),
        None => {}
    }
    http.build().map_err(|cause| Error::internal("making the registry client", cause))
}

impl Wire {
    pub fn redirected(&self, to: &str) -> Trouble {
        let url = self.base.url(&Place::Root).join(to).ok();
        let other = url.filter(|url| self.base.is_endpoint && url.has_host() && !self.base.owns(url));
        let to: String = to.chars().take(200).collect();
        let (host, to) = (&self.base.host, to.escape_debug());
        let message = match other {
            // The same name with another scheme is a wrong address and no other host.
            Some(url)
                if url.host_str() == Some(&self.base.name)
                    && url.scheme() == "https"
                    && !self.base.is_tls() =>
            {
                msg!("endpoints-redirect-tls", host = host, to = to)
            }
            Some(url) if url.scheme() == "http" && self.base.is_tls() => {
                msg!("endpoints-redirect-plain", host = host, to = to)
            }
            Some(url) => {
                msg!("endpoints-redirect", host = host, to = to, other = self.base.beside(&url).host)
            }
            None => msg!("registry-redirect", host = host, to = to),
        };
        Trouble::new(Condition::NotARegistry, message)
    }
}
