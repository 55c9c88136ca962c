//! The address of a registry, and the URLs below it. Only checked names get into a URL, segment by
//! segment, so that no name can leave `/v2/` or add a query.

use std::net::IpAddr;

use url::{Host, Url};

use crate::model::{Digest, Error, ImageReference, Result, is_repository, is_tag};
use crate::msg;

/// `http://` or `https://`, a host, an optional port, nothing else.
#[derive(Clone, Debug)]
pub(super) struct Base {
    url: Url,
    /// As in image references: `registry.local:5000`, without a port when it is the scheme's own.
    pub host: String,
    /// The name alone, for messages about resolving it.
    pub name: String,
    /// Whether it is an endpoint's, and not the stack's own registry: what is wrong is then mended elsewhere.
    pub is_endpoint: bool,
}

impl Base {
    pub fn parse(text: &str) -> Result<Self> {
        let refuse = || {
            let shown: String = text.chars().take(200).collect();
            Error::Invalid(msg!("registry-url-invalid", url = shown.escape_debug()))
        };
        let url = Url::parse(text).map_err(|_| refuse())?;
        let bare = url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none();
        if !matches!(url.scheme(), "http" | "https") || !bare {
            return Err(refuse());
        }
        let name = url.host_str().filter(|name| !name.is_empty()).ok_or_else(refuse)?.to_owned();
        let host = match url.port() {
            Some(port) => format!("{name}:{port}"),
            None => name.clone(),
        };
        Ok(Base { url, host, name, is_endpoint: false })
    }

    pub fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The host, when it is written as an address and not as a name.
    pub fn address(&self) -> Option<IpAddr> {
        match self.url.host()? {
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
            Host::Domain(_) => None,
        }
    }

    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(0)
    }

    /// Whether a URL is at this very registry: scheme, host and port.
    pub fn owns(&self, url: &Url) -> bool {
        url.origin() == self.url.origin()
    }

    /// The origin, e.g. `http://registry.local:5000`.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// The URL of what one asks for.
    pub fn url(&self, place: &Place<'_>) -> Url {
        let mut url = self.url.clone();
        let (repository, tail): (Option<&Repository>, &[&str]) = match place {
            Place::Root => (None, &[""]),
            Place::Catalogue { .. } => (None, &["_catalog"]),
            Place::Tags { repository, .. } => (Some(repository), &["tags", "list"]),
            Place::Manifest { repository, reference } => {
                (Some(repository), &["manifests", reference.as_str()])
            }
            Place::Blob { repository, digest } => (Some(repository), &["blobs", digest.as_str()]),
            Place::Uploads { repository, .. } => (Some(repository), &["blobs", "uploads", ""]),
        };
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.clear().push("v2");
            if let Some(repository) = repository {
                segments.extend(repository.0.split('/'));
            }
            segments.extend(tail);
        }
        match place {
            Place::Catalogue { query: Some(query), .. } | Place::Tags { query: Some(query), .. } => {
                url.set_query(Some(query));
            }
            Place::Catalogue { limit, after, .. } => page(&mut url, *limit, *after),
            Place::Uploads { mount: Some((digest, from)), .. } => {
                let mut query = url.query_pairs_mut();
                query.append_pair("mount", digest.as_str()).append_pair("from", from.as_str());
            }
            _ => {}
        }
        url
    }

    /// Another host that this one leads to, for messages about it.
    pub fn beside(&self, url: &Url) -> Base {
        let name = url.host_str().unwrap_or_default().to_owned();
        let host = match url.port() {
            Some(port) => format!("{name}:{port}"),
            None => name.clone(),
        };
        Base { url: url.clone(), host, name, is_endpoint: self.is_endpoint }
    }

    /// The host as references to images have it; `Invalid` when none can name it. A name without a dot is taken for a
    /// part of an image's name unless a port follows.
    pub fn nameable(mut self) -> Result<Self> {
        if !self.host.contains(['.', ':']) && self.host != "localhost" {
            self.host = format!("{}:{}", self.name, self.port());
        }
        let named = ImageReference::parse(&format!("{}/a:1", self.host)).ok().and_then(|image| image.host);
        match named.is_some_and(|named| named == self.host) {
            true => Ok(self),
            false => Err(Error::Invalid(msg!("endpoints-host-unnameable", host = self.host))),
        }
    }

    /// Where a redirect leads, if it stays at this registry.
    pub fn within(&self, from: &Url, location: &str) -> Option<Url> {
        from.join(location).ok().filter(|to| self.owns(to))
    }
}

fn page(url: &mut Url, limit: Option<usize>, after: Option<&str>) {
    let mut query = url.query_pairs_mut();
    if let Some(limit) = limit {
        query.append_pair("n", &limit.to_string());
    }
    if let Some(after) = after {
        query.append_pair("last", after);
    }
}

/// What can be asked for below `/v2/`.
#[derive(Clone, Debug)]
pub(super) enum Place<'a> {
    Root,
    Catalogue {
        limit: Option<usize>,
        after: Option<&'a str>,
        /// Of the registry's own link to its next page.
        query: Option<&'a str>,
    },
    Tags {
        repository: &'a Repository,
        query: Option<&'a str>,
    },
    Manifest {
        repository: &'a Repository,
        reference: &'a Reference,
    },
    Blob {
        repository: &'a Repository,
        digest: &'a Digest,
    },
    /// Where an upload begins; or what another repository of the same registry has already.
    Uploads {
        repository: &'a Repository,
        mount: Option<(&'a Digest, &'a Repository)>,
    },
}

impl Place<'_> {
    /// What a token has to allow for it, in Distribution's words.
    pub fn scopes(&self, writing: bool) -> Vec<String> {
        let on = |repository: &Repository, actions: &str| format!("repository:{}:{actions}", repository.0);
        match self {
            Place::Root => Vec::new(),
            Place::Catalogue { .. } => vec!["registry:catalog:*".to_owned()],
            Place::Uploads { repository, mount } => {
                let from = mount.iter().map(|(_, from)| on(from, "pull"));
                std::iter::once(on(repository, "pull,push")).chain(from).collect()
            }
            Place::Tags { repository, .. }
            | Place::Manifest { repository, .. }
            | Place::Blob { repository, .. } => {
                vec![on(repository, if writing { "pull,push" } else { "pull" })]
            }
        }
    }
}

/// A repository name in Distribution's grammar.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Repository(String);

impl Repository {
    pub fn new(name: &str) -> Result<Self> {
        if is_repository(name) {
            return Ok(Repository(name.to_owned()));
        }
        let shown: String = name.chars().take(200).collect();
        Err(Error::Invalid(msg!("registry-repository-invalid", repository = shown.escape_debug())))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A tag or a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reference {
    Tag(String),
    Digest(Digest),
}

impl Reference {
    pub fn new(text: &str) -> Result<Self> {
        if text.contains(':') {
            return Digest::new(text).map(Reference::Digest);
        }
        if is_tag(text) {
            return Ok(Reference::Tag(text.to_owned()));
        }
        let shown: String = text.chars().take(200).collect();
        Err(Error::Invalid(msg!("registry-tag-invalid", tag = shown.escape_debug())))
    }

    pub fn as_str(&self) -> &str {
        match self {
            Reference::Tag(tag) => tag,
            Reference::Digest(digest) => digest.as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_built_from_checked_names_only() {
        let base = Base::parse("http://registry.local:5000").unwrap();
        assert_eq!((base.host.as_str(), base.name.as_str()), ("registry.local:5000", "registry.local"));
        assert_eq!(Base::parse("https://registry.local/").unwrap().host, "registry.local");
        let repository = Repository::new("numbers/api").unwrap();
        let reference = Reference::new("v3-build-1").unwrap();
        let url = base.url(&Place::Manifest { repository: &repository, reference: &reference });
        assert_eq!(url.as_str(), "http://registry.local:5000/v2/numbers/api/manifests/v3-build-1");
        assert_eq!(base.url(&Place::Root).as_str(), "http://registry.local:5000/v2/");
        let catalogue = base.url(&Place::Catalogue { limit: Some(5), after: Some("a&b=c"), query: None });
        assert_eq!(catalogue.as_str(), "http://registry.local:5000/v2/_catalog?n=5&last=a%26b%3Dc");
        for bad in [
            "",
            "registry.local:5000",
            "ftp://a",
            "http://u:p@a/",
            "http://a/v2",
            "http://a/?x",
            "http://a/#x",
        ] {
            assert!(Base::parse(bad).is_err(), "{bad}");
        }
        assert!(
            Repository::new("../secret").is_err()
                && Reference::new("a/b").is_err()
                && Reference::new("..").is_err()
        );
    }

    #[test]
    fn an_endpoint_has_one_name_and_references_can_have_it() {
        let named = |url: &str| Base::parse(url).and_then(Base::nameable).map(|base| base.host).ok();
        for (url, host) in [
            ("https://registry.example", "registry.example"),
            ("https://REGISTRY.example:443/", "registry.example"),
            ("http://registry.example:80", "registry.example"),
            ("http://registry.example:443", "registry.example:443"),
            ("https://registry", "registry:443"),
            ("http://registry", "registry:80"),
            ("http://localhost", "localhost"),
            ("http://127.0.0.1:5001", "127.0.0.1:5001"),
        ] {
            assert_eq!(named(url).as_deref(), Some(host), "{url}");
        }
        for url in [
            "http://[::1]:5000",
            "https://[2001:db8::1]",
            "https://my_registry.example",
            "https://registry.example.",
            "https://registry.example.:5000",
            "https://-registry.example",
        ] {
            assert_eq!(named(url), None, "{url}");
        }
    }

    #[test]
    fn a_redirect_may_not_leave_the_registry() {
        let base = Base::parse("http://registry.local:5000").unwrap();
        let from = base.url(&Place::Root);
        assert!(base.within(&from, "/elsewhere?x=1").is_some());
        assert!(base.within(&from, "http://registry.local:5000/x").is_some());
        for out in [
            "http://other.example/x",
            "//other.example/x",
            "https://registry.local:5000/x",
            "http://registry.local/",
        ] {
            assert!(base.within(&from, out).is_none(), "{out}");
        }
    }
}
