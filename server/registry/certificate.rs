//! The certificate a registry presents, for a person to look at before it is believed. Reads and shows; nothing is
//! sent over such a connection, and what is accepted is decided elsewhere.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio::time::timeout;
use x509_cert::der::Decode as _;

use super::base::Base;
use super::guard::Guard;
use super::state::{Condition, Trouble};
use super::trust::{self, Judge, Presented};
use crate::model::{Error, Result};
use crate::msg;

const CONNECT: Duration = Duration::from_secs(4);
/// So many of a host's addresses are tried.
const MOST_ADDRESSES: usize = 4;

/// What a certificate says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    pub subject: String,
    pub issuer: String,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    /// SHA-256, `AB:CD:...`.
    pub fingerprint: String,
    pub pem: String,
}

impl Certificate {
    fn read(der: &CertificateDer<'_>) -> Result<Certificate> {
        let unreadable = |cause: &dyn std::fmt::Display| {
            Error::Invalid(msg!("endpoints-certificate-unreadable", cause = cause))
        };
        let parsed = x509_cert::Certificate::from_der(der).map_err(|cause| unreadable(&cause))?;
        let parsed = parsed.tbs_certificate();
        let time = |time: x509_cert::time::Time| {
            let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
            Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
        };
        Ok(Certificate {
            subject: shown(&parsed.subject().to_string()),
            issuer: shown(&parsed.issuer().to_string()),
            not_before: time(parsed.validity().not_before),
            not_after: time(parsed.validity().not_after),
            fingerprint: trust::fingerprint(der),
            pem: pem(der),
        })
    }

    /// All of a PEM text; `Invalid` when there is none or one cannot be read.
    pub fn all(pem: &str) -> Result<Vec<Certificate>> {
        trust::certificates(pem)?.iter().map(Certificate::read).collect()
    }

    /// Whether it is past its end or before its beginning.
    pub fn is_out_of_date(&self, now: Timestamp) -> bool {
        now < self.not_before || now > self.not_after
    }
}

fn shown(name: &str) -> String {
    name.chars().take(300).collect::<String>().escape_debug().to_string()
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}

/// The chain that the host presents, its own certificate first.
pub(super) async fn presented(base: &Base, guard: &Guard) -> Result<Vec<Certificate>> {
    if !base.is_tls() {
        return Err(Error::Conflict(msg!("endpoints-no-tls", host = base.host)));
    }
    let kept = Arc::new(Keep::default());
    let config = trust::judged(kept.clone())?;
    let stream = connect(base, guard).await?;
    let shaken = shake(base, stream, config).await;
    let chain = std::mem::take(&mut *kept.chain.lock().unwrap_or_else(PoisonError::into_inner));
    if chain.is_empty() {
        shaken?;
        return Err(Error::Conflict(msg!("endpoints-no-certificate", host = base.host)));
    }
    chain.iter().map(Certificate::read).collect()
}

/// The first address of the host that answers.
pub(super) async fn connect(base: &Base, guard: &Guard) -> Result<TcpStream, Trouble> {
    let mut trouble = Trouble::timeout(base);
    for address in addresses(base, guard).await?.into_iter().take(MOST_ADDRESSES) {
        match timeout(CONNECT, TcpStream::connect(SocketAddr::new(address, base.port()))).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(cause)) => trouble = Trouble::from_cause(base, &cause),
            Err(_) => {}
        }
    }
    Err(trouble)
}

/// Where the name leads, all of it allowed.
pub(super) async fn addresses(base: &Base, guard: &Guard) -> Result<Vec<std::net::IpAddr>, Trouble> {
    match base.address() {
        Some(address) => match guard.check(address) {
            Ok(()) => Ok(vec![address]),
            Err(no) => Err(Trouble::from_cause(base, &no)),
        },
        None => guard.resolve(&base.name).await.map_err(|cause| Trouble::from_cause(base, &*cause)),
    }
}

pub(super) async fn shake(base: &Base, stream: TcpStream, config: ClientConfig) -> Result<(), Trouble> {
    let no_name = |_| Trouble::new(Condition::Tls, msg!("registry-tls", host = base.host, cause = "name"));
    let bare = base.name.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(bare.to_owned()).map_err(no_name)?;
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    match timeout(CONNECT, connector.connect(name, stream)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(cause)) => Err(Trouble::from_cause(base, &cause)),
        Err(_) => Err(Trouble::timeout(base)),
    }
}

/// Believes anything and keeps it.
#[derive(Debug, Default)]
struct Keep {
    chain: Mutex<Vec<CertificateDer<'static>>>,
}

impl Judge for Arc<Keep> {
    fn judge(&self, presented: &Presented<'_>) -> Result<(), rustls::Error> {
        let all = std::iter::once(presented.own).chain(presented.others);
        let mut chain = self.chain.lock().unwrap_or_else(PoisonError::into_inner);
        chain.extend(all.map(|one| one.clone().into_owned()));
        Ok(())
    }
}
