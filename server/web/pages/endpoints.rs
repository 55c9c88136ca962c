//! The pages of endpoints: the list, one of them with how the last look went, the form, its certificate; and the page
//! of variables.

use askama::Template;
use jiff::Timestamp;

use super::{Page, links};
use crate::model::{CheckStep, Message};

#[derive(Template)]
#[template(path = "endpoints.html")]
pub struct Endpoints {
    pub page: Page,
    pub rows: Vec<EndpointRow>,
}

/// An endpoint in one line.
pub struct EndpointRow {
    pub name: String,
    pub description: String,
    /// As it stands in image references.
    pub host: String,
    pub url: String,
    /// How the last look went, and when.
    pub checked: Option<(bool, Timestamp)>,
}

impl EndpointRow {
    pub fn href(&self) -> String {
        links::endpoint(&self.name)
    }
}

/// `POST .../validate`, `POST .../delete`.
#[derive(Template)]
#[template(path = "endpoint.html")]
pub struct Endpoint {
    pub page: Page,
    pub row: EndpointRow,
    pub hub: bool,
    /// For administrators.
    pub user: Option<String>,
    /// `none`, `password` or `token`.
    pub authentication: &'static str,
    pub secure: bool,
    /// Who gave or accepted the certificate that is believed.
    pub certificate_by: Option<String>,
    /// Other hosts that its registry may lead to.
    pub allowed: String,
    pub steps: Vec<CheckStep>,
}

impl Endpoint {
    pub fn edit(&self) -> String {
        links::endpoint_part(&self.row.name, "edit")
    }

    pub fn certificate(&self) -> String {
        links::endpoint_part(&self.row.name, "certificate")
    }

    pub fn validate(&self) -> String {
        links::endpoint_part(&self.row.name, "validate")
    }

    pub fn delete(&self) -> String {
        links::endpoint_part(&self.row.name, "delete")
    }
}

/// `POST /endpoints` or `POST /endpoints/{name}`.
#[derive(Template)]
#[template(path = "endpoint_form.html")]
pub struct EndpointForm {
    pub page: Page,
    /// The endpoint that is changed.
    pub known: Option<String>,
    pub name: String,
    pub description: String,
    pub hub: bool,
    pub url: String,
    pub user: String,
    pub bearer: bool,
    /// Whether there is a secret that stays when none is typed.
    pub has_secret: bool,
    pub has_certificate: bool,
    pub certificate: String,
    /// One to a line.
    pub allowed: String,
    pub error: Option<Message>,
}

impl EndpointForm {
    pub fn action(&self) -> String {
        self.known.as_deref().map_or_else(|| "/endpoints".to_owned(), links::endpoint)
    }
}

/// `POST .../certificate`: `fingerprint`.
#[derive(Template)]
#[template(path = "endpoint_certificate.html")]
pub struct EndpointCertificate {
    pub page: Page,
    pub name: String,
    pub host: String,
    /// What the host presents now, its own first.
    pub presented: Vec<CertificateRow>,
    pub accepted: Vec<CertificateRow>,
    pub accepted_by: String,
    /// Whether the host presents the very certificate that was accepted.
    pub is_accepted: bool,
    /// Why there is nothing to show.
    pub error: Option<Message>,
}

impl EndpointCertificate {
    pub fn back(&self) -> String {
        links::endpoint(&self.name)
    }

    pub fn action(&self) -> String {
        links::endpoint_part(&self.name, "certificate")
    }
}

pub struct CertificateRow {
    pub subject: String,
    pub issuer: String,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    pub fingerprint: String,
}

/// `POST /settings/variables`, `POST .../{name}` and `POST .../{name}/delete`.
#[derive(Template)]
#[template(path = "variables.html")]
pub struct Variables {
    pub page: Page,
    pub rows: Vec<VariableRow>,
    pub typed: VariableFields,
    pub error: Option<Message>,
}

/// The form for a new one, as it was typed.
pub struct VariableFields {
    pub name: String,
    pub description: String,
    /// Empty for a secret.
    pub value: String,
    pub secret: bool,
}

impl Default for VariableFields {
    fn default() -> Self {
        let empty = String::new;
        VariableFields { name: empty(), description: empty(), value: empty(), secret: true }
    }
}

pub struct VariableRow {
    pub name: String,
    pub description: String,
    /// `None` for secret ones.
    pub value: Option<String>,
    pub updated_at: Timestamp,
}

impl VariableRow {
    pub fn action(&self) -> String {
        links::variable(&self.name)
    }

    pub fn delete(&self) -> String {
        format!("{}/delete", links::variable(&self.name))
    }
}
