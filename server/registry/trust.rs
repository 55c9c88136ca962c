//! Which certificates a connection believes. Without any of an endpoint's own: those this machine believes. With
//! some: exactly the certificate a person has accepted, or one signed by an authority that was given; nothing else,
//! however well it is known elsewhere.

use std::error::Error as Cause;
use std::fmt;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme,
};
use sha2::{Digest as _, Sha256};
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::{BasicConstraints, SubjectAltName};

use crate::model::{Error, Result};
use crate::msg;

/// Longest PEM text taken: some tens of certificates.
const LONGEST_PEM: usize = 256 * 1024;

/// The certificates of a PEM text; `Invalid` when there is none or one is broken.
pub(super) fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>> {
    let refuse =
        |cause: &dyn fmt::Display| Error::Invalid(msg!("endpoints-certificate-unreadable", cause = cause));
    if pem.len() > LONGEST_PEM {
        return Err(refuse(&format_args!("> {LONGEST_PEM} B")));
    }
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(refuse(&"no BEGIN CERTIFICATE")),
        Err(cause) => Err(refuse(&cause)),
    }
}

/// For connections that believe `pem` alone.
pub(super) fn only(pem: &str) -> Result<ClientConfig> {
    let accepted = certificates(pem)?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(accepted.iter().cloned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    // Certificates that cannot be authorities may still be the very one that is presented.
    let authorities = match roots.is_empty() {
        true => None,
        false => {
            let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
            Some(verifier.map_err(|cause| Error::internal("reading certificates", cause))?)
        }
    };
    let authorities_alone = accepted.iter().all(is_authority_alone);
    judged(Accepted { accepted, authorities, authorities_alone })
}

/// What a host presents: its own certificate, those behind it, its name, and when it was asked.
pub(super) struct Presented<'a> {
    pub own: &'a CertificateDer<'a>,
    pub others: &'a [CertificateDer<'a>],
    pub name: &'a ServerName<'a>,
    pub ocsp: &'a [u8],
    pub now: UnixTime,
}

/// Decides whether a certificate is believed. That the host holds its key is asked in any case.
pub(super) trait Judge: fmt::Debug + Send + Sync + 'static {
    fn judge(&self, presented: &Presented<'_>) -> Result<(), rustls::Error>;
}

/// For connections that believe what `judge` believes.
pub(super) fn judged(judge: impl Judge) -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|cause| Error::internal("setting up TLS", cause))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier { judge, provider }))
        .with_no_client_auth();
    Ok(config)
}

#[derive(Debug)]
struct Verifier<J> {
    judge: J,
    provider: Arc<CryptoProvider>,
}

impl<J: Judge> ServerCertVerifier for Verifier<J> {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.judge.judge(&Presented { own, others, name, ocsp, now })?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// `AB:CD:...`, as browsers and openssl write it.
pub(super) fn fingerprint(der: &[u8]) -> String {
    let pairs: Vec<String> = Sha256::digest(der).iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

/// Another certificate than the one that was accepted.
#[derive(Debug)]
pub(super) struct Changed {
    pub found: String,
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "another certificate than the accepted one: {}", self.found)
    }
}

impl Cause for Changed {}

/// A certificate that none of the authorities that were given has signed.
#[derive(Debug)]
pub(super) struct NotVouched {
    pub issuer: String,
}

impl fmt::Display for NotVouched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "signed by {}, which is not among the given certificates", self.issuer)
    }
}

impl Cause for NotVouched {}

/// Whether a certificate speaks for other hosts and for none by itself: a person gave it as an authority, and has not
/// accepted it as a host's own.
fn is_authority_alone(der: &CertificateDer<'_>) -> bool {
    let Ok(parsed) = x509_cert::Certificate::from_der(der) else { return false };
    let parsed = parsed.tbs_certificate();
    let may_sign =
        parsed.get_extension::<BasicConstraints>().ok().flatten().is_some_and(|(_, found)| found.ca);
    may_sign && !matches!(parsed.get_extension::<SubjectAltName>(), Ok(Some(_)))
}

/// Who has signed a certificate; `None` when it is itself.
fn issuer(der: &CertificateDer<'_>) -> Option<String> {
    let parsed = x509_cert::Certificate::from_der(der).ok()?;
    let parsed = parsed.tbs_certificate();
    let issuer = parsed.issuer().to_string();
    let shown = issuer.chars().take(300).collect::<String>().escape_debug().to_string();
    (issuer != parsed.subject().to_string()).then_some(shown)
}

#[derive(Debug)]
struct Accepted {
    accepted: Vec<CertificateDer<'static>>,
    authorities: Option<Arc<WebPkiServerVerifier>>,
    /// Whether all of them are authorities, and none is a host's own.
    authorities_alone: bool,
}

impl Judge for Accepted {
    fn judge(&self, presented: &Presented<'_>) -> Result<(), rustls::Error> {
        let Presented { own, others, name, ocsp, now } = *presented;
        if self.accepted.iter().any(|accepted| accepted.as_ref() == own.as_ref()) {
            return Ok(());
        }
        let changed = || {
            let signed_by = issuer(own).filter(|_| self.authorities_alone);
            if let Some(issuer) = signed_by {
                let other = OtherError(Arc::new(NotVouched { issuer }));
                return rustls::Error::InvalidCertificate(CertificateError::Other(other));
            }
            let changed = Changed { found: fingerprint(own) };
            let other = OtherError(Arc::new(changed));
            rustls::Error::InvalidCertificate(CertificateError::Other(other))
        };
        let Some(authorities) = &self.authorities else { return Err(changed()) };
        let known = authorities.verify_server_cert(own, others, name, ocsp, now).map(drop);
        known.map_err(|cause| match cause {
            // These are that certificate's own faults; everything else means that nobody given has signed it.
            rustls::Error::InvalidCertificate(
                CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. }
                | CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. },
            ) => cause,
            rustls::Error::InvalidCertificate(_) => changed(),
            other => other,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_certificate_is_refused() {
        for bad in ["", "hello", "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n"] {
            assert!(certificates(bad).is_err(), "{bad}");
        }
        assert_eq!(fingerprint(b"").len(), 95);
    }

    proptest! {
        #[test]
        fn reading_never_panics(body in "\\PC{0,60}|[A-Za-z0-9+/=\n]{0,120}") {
            let _ = certificates(&body);
            let _ = only(&format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"));
        }
    }
}
