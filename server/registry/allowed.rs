//! The other hosts that an endpoint's registry may lead to: its token server, and where it keeps its blobs. Each is named
//! by a person, with its port unless that is the scheme's own; nothing else of the network is ever contacted for it.

use std::net::IpAddr;

use url::{Host, Url};

use super::base::Base;
use crate::model::{Error, Result};
use crate::msg;

/// Most hosts of an endpoint.
const MOST: usize = 20;

/// `host` or `host:port`, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AllowedHost {
    host: String,
    port: Option<u16>,
}

impl AllowedHost {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) => (name, Some(port.parse::<u16>().ok().filter(|port| *port > 0)?)),
            None => (text.as_str(), None),
        };
        let word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        if name.is_empty() || name.len() > 253 || !name.bytes().all(word) {
            return None;
        }
        // As it stands in a URL: 127.1 is 127.0.0.1 there.
        match Host::parse(name).ok()? {
            Host::Domain(host) if host == name => Some(AllowedHost { host, port }),
            Host::Ipv4(address) if address.to_string() == name => {
                Some(AllowedHost { host: name.to_owned(), port })
            }
            _ => None,
        }
    }

    fn is(&self, url: &Url) -> bool {
        let own = if url.scheme() == "https" { 443 } else { 80 };
        url.host_str() == Some(&self.host) && url.port_or_known_default() == Some(self.port.unwrap_or(own))
    }

    pub fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    pub fn ports(&self) -> impl Iterator<Item = u16> {
        let (one, other) = match self.port {
            Some(port) => (port, None),
            None => (443, Some(80)),
        };
        std::iter::once(one).chain(other)
    }
}

/// All of them; `Invalid` names the one that is no host.
pub(super) fn parse(hosts: &[String]) -> Result<Vec<AllowedHost>> {
    if hosts.len() > MOST {
        return Err(Error::Invalid(msg!("endpoints-allowed-many", most = MOST)));
    }
    let one = |text: &String| {
        AllowedHost::parse(text).ok_or_else(|| {
            let shown: String = text.chars().take(100).collect();
            Error::Invalid(msg!("endpoints-allowed-invalid", host = shown.escape_debug()))
        })
    };
    hosts.iter().map(one).collect()
}

/// Whether the registry may lead there. Never from https to http, and never with a name and password in it.
pub(super) fn leads_to(base: &Base, allowed: &[AllowedHost], url: &Url) -> bool {
    let safe = url.scheme() == "https" || (url.scheme() == "http" && !base.is_tls());
    let bare = url.username().is_empty() && url.password().is_none();
    safe && bare && allowed.iter().any(|allowed| allowed.is(url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_allowed_by_its_whole_name_and_port() {
        let texts = ["gitlab.example", "Minio.example:9000", "10.0.0.7:9000"].map(str::to_owned);
        let allowed = parse(&texts).unwrap();
        let (tls, plain) =
            (Base::parse("https://r.example").unwrap(), Base::parse("http://r.example").unwrap());
        let leads = |base: &Base, url: &str| leads_to(base, &allowed, &Url::parse(url).unwrap());
        for url in [
            "https://gitlab.example/jwt/auth",
            "https://GITLAB.example:443/x",
            "https://minio.example:9000/b",
        ] {
            assert!(leads(&tls, url) && leads(&plain, url), "{url}");
        }
        assert!(leads(&plain, "http://10.0.0.7:9000/b") && leads(&plain, "http://gitlab.example/x"));
        for url in [
            "http://gitlab.example/x",
            "https://gitlab.example:8443/x",
            "https://minio.example/x",
            "https://evil-gitlab.example/x",
            "https://gitlab.example.evil.test/x",
            "https://user@gitlab.example/x",
            "https://gitlab.example@evil.test/x",
            "file://gitlab.example/x",
        ] {
            assert!(!leads(&tls, url), "{url}");
        }
        for bad in
            ["", "a b", "https://a", "a/b", "a:0", "a:x", "*.example", "user@a", "127.1", "a:1:2", "[::1]"]
        {
            assert!(parse(&[bad.to_owned()]).is_err(), "{bad}");
        }
        assert!(parse(&vec!["a.example".to_owned(); 21]).is_err());
    }
}
