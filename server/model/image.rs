//! Image references and digests, in Distribution's grammar; checked before anything is done with them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Error, Result};
use crate::msg;

/// `sha256:` and 64 lower-case hex digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

impl Digest {
    pub fn new(value: impl Into<String>) -> Result<Self> {
        let value = value.into();
        let hex = value.strip_prefix("sha256:").unwrap_or_default();
        if hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            return Ok(Digest(value));
        }
        Err(Error::Invalid(msg!("digest-invalid", digest = shown(&value))))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The first twelve hex digits, for people.
    pub fn short(&self) -> &str {
        &self.0[7..19]
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Digest {
    type Err = Error;
    fn from_str(value: &str) -> Result<Self> {
        Digest::new(value)
    }
}

impl TryFrom<String> for Digest {
    type Error = Error;
    fn try_from(value: String) -> Result<Self> {
        Digest::new(value)
    }
}

impl From<Digest> for String {
    fn from(value: Digest) -> String {
        value.0
    }
}

/// `[host[:port]/]path[:tag][@digest]`. `host` is `None` for what Docker looks up at its default registry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ImageReference {
    pub host: Option<String>,
    /// Lower-case path, e.g. `library/debian` or `numbers/api`; as written, nothing is put before it.
    pub repository: String,
    pub tag: Option<String>,
    pub digest: Option<Digest>,
}

impl ImageReference {
    pub fn parse(text: &str) -> Result<Self> {
        let refuse = || Error::Invalid(msg!("image-invalid", image = shown(text)));
        if text.is_empty() || text.len() > 512 {
            return Err(refuse());
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(Digest::new(digest)?)),
            None => (text, None),
        };
        let (rest, tag) = match rest.rsplit_once(':') {
            Some((before, tag)) if !tag.contains('/') => (before, Some(tag.to_owned())),
            _ => (rest, None),
        };
        let (host, repository) = match rest.split_once('/') {
            Some((first, path)) if first.contains(['.', ':']) || first == "localhost" => {
                (Some(first.to_owned()), path)
            }
            _ => (None, rest),
        };
        if !tag.as_deref().is_none_or(is_tag)
            || !is_repository(repository)
            || !host.as_deref().is_none_or(is_host)
        {
            return Err(refuse());
        }
        Ok(ImageReference { host, repository: repository.to_owned(), tag, digest })
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(host) = &self.host {
            write!(f, "{host}/")?;
        }
        f.write_str(&self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// `[A-Za-z0-9_][A-Za-z0-9._-]{0,127}`.
pub fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    !tag.is_empty()
        && tag.len() <= 128
        && word(tag.as_bytes()[0])
        && tag.bytes().all(|b| word(b) || matches!(b, b'.' | b'-'))
}

/// Whether a tag is one under which tools keep what they say *about* an image: cosign's signatures, attestations and
/// SBOMs (`sha256-<hex>.sig`), and the list of referrers that OCI keeps at `sha256-<hex>` where a registry has no
/// interface for it.
pub fn is_attachment_tag(tag: &str) -> bool {
    let Some((algorithm, rest)) = tag.split_once('-') else { return false };
    let (hex, _) = rest.split_once('.').unwrap_or((rest, ""));
    let hash = hex.len() >= 32 && hex.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'));
    matches!(algorithm, "sha256" | "sha384" | "sha512") && hash
}

/// Path components of `[a-z0-9]+` joined by `.`, `_`, `__` or dashes, separated by `/`, at most 255 long.
pub fn is_repository(path: &str) -> bool {
    let alnum = |b: u8| b.is_ascii_digit() || b.is_ascii_lowercase();
    let component = |part: &str| {
        let ends = |b: Option<u8>| b.is_some_and(alnum);
        ends(part.bytes().next())
            && ends(part.bytes().last())
            && part.bytes().all(|b| alnum(b) || matches!(b, b'.' | b'_' | b'-'))
            && !part.contains("..")
            && !part.contains("___")
            && !["._", "_.", ".-", "-.", "_-", "-_"].iter().any(|pair| part.contains(pair))
    };
    path.len() <= 255 && path.split('/').all(component)
}

fn is_host(host: &str) -> bool {
    let (name, port) = host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
    let label = |l: &str| {
        !l.is_empty()
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    name.split('.').all(label) && port.is_none_or(|p| p.parse::<u16>().is_ok())
}

fn shown(text: &str) -> String {
    text.chars().take(200).collect::<String>().escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn references_are_split_as_docker_does() {
        let full = ImageReference::parse("registry.local:5000/numbers/api:v3-build-1").unwrap();
        assert_eq!(full.host.as_deref(), Some("registry.local:5000"));
        assert_eq!((full.repository.as_str(), full.tag.as_deref()), ("numbers/api", Some("v3-build-1")));
        let plain = ImageReference::parse("debian").unwrap();
        assert_eq!((plain.host, plain.repository.as_str(), plain.tag), (None, "debian", None));
    }

    #[test]
    fn what_could_reach_a_shell_or_an_option_is_refused() {
        let long = format!("x:{}", "a".repeat(129));
        for bad in [
            "",
            "x; touch /tmp/p",
            "-v /:/h",
            "UPPER/case",
            "a:b:c",
            "a@sha256:00",
            "a//b",
            "../a",
            "a/..",
            &long,
        ] {
            assert!(ImageReference::parse(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_round_trips(text in "\\PC{0,80}") {
            if let Ok(image) = ImageReference::parse(&text) {
                prop_assert_eq!(image.to_string(), text);
            }
        }
    }
}
