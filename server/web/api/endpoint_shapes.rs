//! What the API takes and gives of endpoints and their certificates.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::auth::{self, Identity};
use crate::messages::{self, Language};
use crate::registry::Certificate;
use crate::store::endpoints::Endpoint;

#[derive(Serialize, ToSchema)]
pub struct EndpointShape {
    pub name: String,
    pub description: String,
    /// `distribution` or `docker-hub`.
    pub kind: String,
    pub url: String,
    /// As it stands in image references.
    pub host: String,
    /// `none`, `password` or `token`.
    pub authentication: &'static str,
    /// For administrators.
    pub user: Option<String>,
    /// Whether only the certificates that were given or accepted are believed, and who did that.
    pub certificate_by: Option<String>,
    /// Other hosts that its registry may lead to, each `host` or `host:port`.
    pub allowed_hosts: Vec<String>,
    /// The last look at it; `null` when it was changed since, or never looked at.
    pub check: Option<CheckShape>,
    pub created_at: String,
    pub updated_at: String,
}

#[derive(Serialize, ToSchema)]
pub struct CheckShape {
    pub ok: bool,
    pub checked_at: String,
    pub steps: Vec<StepShape>,
}

#[derive(Serialize, ToSchema)]
pub struct StepShape {
    pub ok: bool,
    pub code: String,
    pub message: String,
}

impl EndpointShape {
    pub fn of(endpoint: &Endpoint, identity: &Identity, language: Language) -> Self {
        let given = &endpoint.given;
        let check = endpoint.checked.as_ref().map(|checked| CheckShape {
            ok: checked.ok,
            checked_at: checked.at.to_string(),
            steps: checked
                .steps
                .iter()
                .map(|step| StepShape {
                    ok: step.ok,
                    code: step.message.key.to_string(),
                    message: messages::render(language, &step.message),
                })
                .collect(),
        });
        EndpointShape {
            name: given.name.to_string(),
            description: given.description.clone(),
            kind: given.kind.as_str().to_owned(),
            url: given.url.clone(),
            host: endpoint.host.clone(),
            authentication: match (&given.sealed, &given.user, given.bearer) {
                (Some(_), _, true) => "token",
                (None, None, _) => "none",
                _ => "password",
            },
            user: given.user.clone().filter(|_| auth::is_admin(identity)),
            certificate_by: given.certificate.as_ref().map(|(_, by)| by.clone()),
            allowed_hosts: given.allowed.clone(),
            check,
            created_at: endpoint.created_at.to_string(),
            updated_at: endpoint.updated_at.to_string(),
        }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEndpointForm {
    pub name: String,
    #[serde(default)]
    pub description: String,
    /// `distribution` (unless given) or `docker-hub`.
    pub kind: Option<String>,
    /// `http://` or `https://`, host and port; may be left out for Docker Hub.
    #[serde(default)]
    pub url: String,
    #[serde(default)]
    pub user: String,
    pub password: Option<String>,
    /// Sent as it is; instead of user and password.
    pub token: Option<String>,
    /// PEM: of a private authority, or of the registry itself.
    pub certificate: Option<String>,
    /// Other hosts that its registry may lead to: a token server, or where it keeps its blobs. Each `host` or `host:port`.
    #[serde(default)]
    pub allowed_hosts: Vec<String>,
}

/// What is left out stays as it is. A new URL needs the password or token again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndpointChange {
    pub name: Option<String>,
    pub description: Option<String>,
    pub kind: Option<String>,
    pub url: Option<String>,
    pub user: Option<String>,
    /// An empty one takes it away.
    pub password: Option<String>,
    pub token: Option<String>,
    /// An empty one: what this machine trusts is believed again.
    pub certificate: Option<String>,
    /// All of them; an empty list takes them away.
    pub allowed_hosts: Option<Vec<String>>,
}

#[derive(Serialize, ToSchema)]
pub struct CertificateShape {
    pub subject: String,
    pub issuer: String,
    pub not_before: String,
    pub not_after: String,
    /// SHA-256, `AB:CD:...`.
    pub fingerprint: String,
    pub pem: String,
}

impl CertificateShape {
    pub fn of(one: &Certificate) -> Self {
        CertificateShape {
            subject: one.subject.clone(),
            issuer: one.issuer.clone(),
            not_before: one.not_before.to_string(),
            not_after: one.not_after.to_string(),
            fingerprint: one.fingerprint.clone(),
            pem: one.pem.clone(),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct CertificatesShape {
    /// What the host presents now, its own certificate first.
    pub presented: Vec<CertificateShape>,
    /// What is believed; empty for what this machine trusts.
    pub accepted: Vec<CertificateShape>,
    /// Whether the host presents the very certificate that was accepted.
    pub is_accepted: bool,
}

#[derive(Deserialize, ToSchema)]
pub struct AcceptForm {
    /// Of the certificate that was looked at.
    pub fingerprint: String,
}
