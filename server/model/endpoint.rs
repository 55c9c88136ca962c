//! Outside systems with an address and credentials, and what a look at one of them found. Nothing here contacts
//! anybody, and no credential prints.

use serde::{Deserialize, Serialize};

use super::names::check_plain;
use super::{Error, Message, Result, Secret};
use crate::msg;

/// What kind of registry an endpoint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndpointKind {
    /// CNCF Distribution and what speaks like it.
    Distribution,
    /// Docker Hub, or what stands in for it: references without a host mean it.
    DockerHub,
}

impl EndpointKind {
    pub const ALL: [EndpointKind; 2] = [EndpointKind::Distribution, EndpointKind::DockerHub];

    pub const fn as_str(self) -> &'static str {
        match self {
            EndpointKind::Distribution => "distribution",
            EndpointKind::DockerHub => "docker-hub",
        }
    }
}

impl std::str::FromStr for EndpointKind {
    type Err = Error;
    fn from_str(value: &str) -> Result<Self> {
        let found = EndpointKind::ALL.into_iter().find(|kind| kind.as_str() == value);
        let shown = || value.chars().take(40).collect::<String>().escape_debug().to_string();
        found.ok_or_else(|| Error::Invalid(msg!("endpoints-kind-unknown", kind = shown())))
    }
}

/// How this server says who it is.
#[derive(Clone, Debug)]
pub enum Credentials {
    Anonymous,
    Basic {
        user: String,
        password: Secret,
    },
    /// Sent as it is, as `Authorization: Bearer`.
    Token(Secret),
}

/// All that is needed to speak with an endpoint.
#[derive(Clone, Debug)]
pub struct Access {
    pub kind: EndpointKind,
    /// `http://` or `https://`, host and port.
    pub url: String,
    pub credentials: Credentials,
    /// PEM: certificates a person has accepted, or those of a private authority. `None` for what this machine trusts.
    pub certificate: Option<String>,
    /// Other hosts, each `host` or `host:port`, where its registry may have its token server or keep its blobs.
    pub allowed: Vec<String>,
}

/// One thing that was tried, and how it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckStep {
    pub ok: bool,
    /// When it is not ok, it says how to mend it.
    pub message: Message,
}

pub(super) fn check_endpoint(value: &str) -> Result<()> {
    check_plain(value, 64)?;
    match value.eq_ignore_ascii_case("new") {
        true => Err(Error::Invalid(msg!("name-reserved", name = value))),
        false => Ok(()),
    }
}

pub(super) fn check_variable(value: &str) -> Result<()> {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let begins = value.bytes().next().is_some_and(|b| !b.is_ascii_digit());
    if begins && value.len() <= 100 && value.bytes().all(word) {
        return Ok(());
    }
    let shown: String = value.chars().take(100).collect();
    Err(Error::Invalid(msg!("variables-name-invalid", name = shown.escape_debug())))
}

#[cfg(test)]
mod tests {
    use super::super::{EndpointName, VariableName};

    #[test]
    fn names_of_endpoints_and_variables_are_harmless() {
        for bad in ["", "new", "New", "a/b", "..", "-a", "a b", "<script>", &"a".repeat(65)] {
            assert!(EndpointName::new(bad).is_err(), "{bad}");
        }
        assert!(EndpointName::new("docker-hub").is_ok() && EndpointName::new("registry.team").is_ok());
        for bad in ["", "1A", "A-B", "A=B", "A B", "${A}", "é", &"A".repeat(101)] {
            assert!(VariableName::new(bad).is_err(), "{bad}");
        }
        assert!(VariableName::new("_A1").is_ok());
    }
}
