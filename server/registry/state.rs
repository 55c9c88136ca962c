//! What can be wrong with a registry, in words that say how to mend it. The same words are used for the
//! health page, for a failed read and for a run that could not be confirmed.

use std::error::Error as Cause;
use std::fmt;
use std::io;
use std::time::Duration;

use serde::Serialize;

use super::base::Base;
use super::guard::Forbidden;
use super::trust::{Changed, NotVouched};
use crate::model::{Error, Message};
use crate::msg;

/// How a registry is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    Ok,
    /// Its name has no address here.
    CannotResolve,
    /// The machine answers, nothing listens at the port.
    Refused,
    /// No answer in time.
    Timeout,
    /// The connection broke, or there is no way to the machine.
    Unreachable,
    /// The certificate is not trusted here, or the other side does not speak TLS.
    Tls,
    /// Something answers that is not a registry.
    NotARegistry,
    /// A registry that asks who we are, or refuses us.
    NeedsCredentials,
    /// A registry that answers 429 or 5xx.
    Failing,
    /// A registry whose answer is damaged, too large or not what was asked for.
    Damaged,
}

/// For the health page: the condition for programs, the sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RegistryState {
    pub condition: Condition,
    pub message: Message,
}

impl RegistryState {
    pub fn is_ok(&self) -> bool {
        self.condition == Condition::Ok
    }
}

/// Why there is no usable answer.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    pub condition: Condition,
    pub message: Message,
    /// Whether asking again may help. Never for damaged content: that must be seen, not hidden.
    pub again: bool,
    /// How long the registry wants to be left alone.
    pub after: Duration,
}

impl Trouble {
    pub fn new(condition: Condition, message: Message) -> Self {
        let again = matches!(
            condition,
            Condition::CannotResolve
                | Condition::Refused
                | Condition::Timeout
                | Condition::Unreachable
                | Condition::Failing
        );
        Trouble { condition, message, again, after: Duration::ZERO }
    }

    pub fn timeout(base: &Base) -> Self {
        Self::new(Condition::Timeout, msg!("registry-timeout", host = base.host))
    }

    pub fn unexpected(base: &Base, status: impl fmt::Display) -> Self {
        Self::new(Condition::NotARegistry, msg!("registry-not-a-registry", host = base.host, answer = status))
    }

    pub fn damaged(message: Message) -> Self {
        Self::new(Condition::Damaged, message)
    }

    /// What reqwest met, by its causes: its own text would name none of the remedies.
    pub fn from_http(base: &Base, error: &reqwest::Error) -> Self {
        if error.is_timeout() && causes(error).find_map(known).is_none() {
            return Self::timeout(base);
        }
        Self::from_cause(base, error)
    }

    /// The same for any other failed connection.
    pub fn from_cause(base: &Base, error: &(dyn Cause + 'static)) -> Self {
        let host = &base.host;
        if let Some(known) = causes(error).find_map(known) {
            return match known {
                Known::Forbidden(address) => {
                    let message = msg!("endpoints-address-refused", host = host, address = address);
                    Trouble { again: false, ..Self::new(Condition::Unreachable, message) }
                }
                Known::Changed(found) => {
                    let message = msg!("endpoints-certificate-changed", host = host, found = found);
                    Self::new(Condition::Tls, message)
                }
                Known::NotVouched(issuer) => {
                    let message = msg!("endpoints-certificate-not-vouched", host = host, issuer = issuer);
                    Self::new(Condition::Tls, message)
                }
                Known::Unresolved => {
                    let message = match base.is_endpoint {
                        true => msg!("endpoints-unresolved", name = base.name),
                        false => msg!("registry-unresolved", name = base.name),
                    };
                    Self::new(Condition::CannotResolve, message)
                }
                Known::Refused => {
                    let message = match base.is_endpoint {
                        true => msg!("endpoints-nobody-listens", host = host),
                        false => msg!("registry-refused", host = host),
                    };
                    Self::new(Condition::Refused, message)
                }
                Known::Tls(cause) => Self::new(Condition::Tls, tls_message(base, &cause)),
            };
        }
        let cause = causes(error).last().map(ToString::to_string).unwrap_or_default();
        Self::new(Condition::Unreachable, msg!("registry-unreachable", host = host, cause = cause))
    }
}

/// What is wrong with a certificate, or with what answers instead of one.
fn tls_message(base: &Base, cause: &rustls::Error) -> Message {
    use rustls::CertificateError as Bad;
    let (host, name) = (&base.host, &base.name);
    match cause {
        rustls::Error::InvalidCertificate(Bad::Expired | Bad::ExpiredContext { .. }) => {
            msg!("registry-certificate-expired", host = host)
        }
        rustls::Error::InvalidCertificate(Bad::NotValidYet | Bad::NotValidYetContext { .. }) => {
            msg!("registry-certificate-early", host = host)
        }
        rustls::Error::InvalidCertificate(Bad::NotValidForName | Bad::NotValidForNameContext { .. }) => {
            msg!("registry-certificate-name", host = host, name = name)
        }
        // What http answers to a greeting in TLS.
        rustls::Error::InvalidMessage(_) => msg!("registry-tls-none", host = host),
        cause => msg!("registry-tls", host = host, cause = cause),
    }
}

impl From<Trouble> for RegistryState {
    fn from(trouble: Trouble) -> Self {
        RegistryState { condition: trouble.condition, message: trouble.message }
    }
}

/// A registry that does not do its part is a state of the world that refuses the request, and its
/// sentence is for the user: `Conflict`, or `Denied` when it wants to know who we are.
impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Self {
        match trouble.condition {
            Condition::NeedsCredentials => Error::Denied(trouble.message),
            _ => Error::Conflict(trouble.message),
        }
    }
}

/// Marks a failed look-up of a name, to be found again among the causes of an HTTP error.
#[derive(Debug)]
pub(super) struct Unresolved(pub io::Error);

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "name not resolved: {}", self.0)
    }
}

impl Cause for Unresolved {}

enum Known {
    Unresolved,
    Forbidden(std::net::IpAddr),
    /// The fingerprint of what is presented now.
    Changed(String),
    /// Who has signed what is presented.
    NotVouched(String),
    Refused,
    Tls(rustls::Error),
}

fn known(cause: &(dyn Cause + 'static)) -> Option<Known> {
    if cause.is::<Unresolved>() {
        return Some(Known::Unresolved);
    }
    if let Some(Forbidden(address)) = cause.downcast_ref() {
        return Some(Known::Forbidden(*address));
    }
    if let Some(error) = cause.downcast_ref::<rustls::Error>() {
        return Some(changed(error).unwrap_or_else(|| Known::Tls(error.clone())));
    }
    let error = cause.downcast_ref::<io::Error>()?;
    // `source` of an io::Error skips the error it wraps, so its inside is looked at here.
    match error.get_ref() {
        Some(inner) => known(inner),
        None => (error.kind() == io::ErrorKind::ConnectionRefused).then_some(Known::Refused),
    }
}

/// A certificate that is not the accepted one, or not one of the accepted authorities'.
fn changed(error: &rustls::Error) -> Option<Known> {
    let rustls::Error::InvalidCertificate(rustls::CertificateError::Other(other)) = error else {
        return None;
    };
    if let Some(not) = other.0.downcast_ref::<NotVouched>() {
        return Some(Known::NotVouched(not.issuer.clone()));
    }
    let changed = other.0.downcast_ref::<Changed>()?;
    Some(Known::Changed(changed.found.clone()))
}

fn causes<'a>(error: &'a (dyn Cause + 'static)) -> impl Iterator<Item = &'a (dyn Cause + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}
