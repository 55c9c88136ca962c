//! Pages of endpoints: other registries this server may speak with. Everybody signed in sees which there are; what
//! changes or contacts one is for administrators.

use actix_web::http::StatusCode;
use actix_web::web;
use serde::Deserialize;

use super::visit::{Answer, Sent, Visit, complaint, see_with};
use crate::model::{EndpointKind, Message, Secret};
use crate::msg;
use crate::registry::Certificate;
use crate::store::endpoints::{self, Endpoint};
use crate::web::auth;
use crate::web::endpoints::{self as door_endpoints, Wanted};
use crate::web::pages::endpoints::{
    CertificateRow, Endpoint as EndpointPage, EndpointCertificate, EndpointForm, EndpointRow, Endpoints,
};
use crate::web::pages::{links, respond, respond_with};

/// `GET /endpoints`.
pub async fn list(visit: Visit) -> Answer {
    visit.identity.require()?;
    let all = visit.door.store.read(endpoints::list)?;
    Ok(respond(&Endpoints { page: visit.page, rows: all.iter().map(row).collect() }))
}

fn row(endpoint: &Endpoint) -> EndpointRow {
    EndpointRow {
        name: endpoint.given.name.to_string(),
        description: endpoint.given.description.clone(),
        host: endpoint.host.clone(),
        url: endpoint.given.url.clone(),
        checked: endpoint.checked.as_ref().map(|checked| (checked.ok, checked.at)),
    }
}

/// `GET /endpoints/{name}`.
pub async fn show(visit: Visit, name: web::Path<String>) -> Answer {
    visit.identity.require()?;
    let found = door_endpoints::find(&visit.door, &name)?;
    let given = &found.given;
    Ok(respond(&EndpointPage {
        row: row(&found),
        hub: given.kind == EndpointKind::DockerHub,
        user: given.user.clone().filter(|_| auth::is_admin(&visit.identity)),
        authentication: match (&given.sealed, &given.user, given.bearer) {
            (Some(_), _, true) => "token",
            (None, None, _) => "none",
            _ => "password",
        },
        secure: given.url.starts_with("https://"),
        certificate_by: given.certificate.as_ref().map(|(_, by)| by.clone()),
        allowed: given.allowed.join(", "),
        steps: found.checked.map(|checked| checked.steps).unwrap_or_default(),
        page: visit.page,
    }))
}

/// `GET /endpoints/new`.
pub async fn new(visit: Visit) -> Answer {
    auth::require_admin(&visit.identity)?;
    Ok(form(visit, StatusCode::OK, (None, Wanted::default()), None))
}

/// `GET /endpoints/{name}/edit`.
pub async fn edit(visit: Visit, name: web::Path<String>) -> Answer {
    auth::require_admin(&visit.identity)?;
    let found = door_endpoints::find(&visit.door, &name)?;
    let wanted = Wanted::of(&found);
    Ok(form(visit, StatusCode::OK, (Some(found), wanted), None))
}

fn form(
    visit: Visit,
    status: StatusCode,
    (seen, wanted): (Option<Endpoint>, Wanted),
    error: Option<Message>,
) -> actix_web::HttpResponse {
    let given = seen.as_ref().map(|seen| &seen.given);
    let filled = EndpointForm {
        page: visit.page,
        has_secret: given.is_some_and(|given| given.sealed.is_some()),
        has_certificate: given.is_some_and(|given| given.certificate.is_some()),
        known: given.map(|given| given.name.to_string()),
        name: wanted.name,
        description: wanted.description,
        hub: wanted.kind == EndpointKind::DockerHub.as_str(),
        url: wanted.url,
        user: wanted.user,
        bearer: wanted.bearer,
        certificate: wanted.certificate.unwrap_or_default(),
        allowed: wanted.allowed.join("\n"),
        error,
    };
    respond_with(status, &filled)
}

#[derive(Deserialize)]
pub struct Form {
    name: String,
    kind: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    url: String,
    auth: String,
    #[serde(default)]
    user: String,
    #[serde(default)]
    secret: String,
    #[serde(default)]
    forget: bool,
    #[serde(default)]
    certificate: String,
    #[serde(default)]
    distrust: bool,
    #[serde(default)]
    allowed_hosts: String,
}

impl Form {
    fn wanted(self) -> Wanted {
        let Form { secret, forget, certificate, distrust, allowed_hosts, .. } = self;
        let typed = |text: String, away: bool| match (text.trim().is_empty(), away) {
            (false, _) => Some(text),
            (true, true) => Some(String::new()),
            (true, false) => None,
        };
        Wanted {
            name: self.name,
            description: self.description,
            kind: self.kind,
            url: self.url,
            user: self.user,
            secret: typed(secret, forget).map(Secret::new),
            bearer: self.auth == "token",
            certificate: typed(certificate, distrust),
            allowed: door_endpoints::hosts(&allowed_hosts),
        }
    }
}

/// `POST /endpoints`.
pub async fn create(sent: Sent<Form>) -> Answer {
    saved(sent, None).await
}

/// `POST /endpoints/{name}`.
pub async fn change(sent: Sent<Form>, name: web::Path<String>) -> Answer {
    auth::require_admin(&sent.visit.identity)?;
    let found = door_endpoints::find(&sent.visit.door, &name)?;
    saved(sent, Some(found)).await
}

async fn saved(sent: Sent<Form>, seen: Option<Endpoint>) -> Answer {
    let visit = sent.visit;
    let by = auth::require_admin(&visit.identity)?.account.name.to_string();
    let wanted = sent.form.wanted();
    match door_endpoints::save(&visit.door, seen.clone(), wanted.clone(), by).await {
        Ok(made) => {
            let name = &made.given.name;
            Ok(see_with(&links::endpoint(name.as_str()), &msg!("endpoints-saved", name = name)))
        }
        Err(failure) => {
            let status = failure.status();
            let error = Some(complaint(failure)?);
            Ok(form(visit, status, (seen, wanted), error))
        }
    }
}

#[derive(Deserialize)]
pub struct Nothing {}

/// `POST /endpoints/{name}/validate`: the page it comes back to says how it went.
pub async fn validate(sent: Sent<Nothing>, name: web::Path<String>) -> Answer {
    let visit = sent.visit;
    auth::require_admin(&visit.identity)?;
    let found = door_endpoints::find(&visit.door, &name)?;
    let checked = door_endpoints::validate(&visit.door, found).await?;
    Ok(super::visit::see(&links::endpoint(checked.given.name.as_str())))
}

/// `POST /endpoints/{name}/delete`.
pub async fn delete(sent: Sent<Nothing>, name: web::Path<String>) -> Answer {
    let visit = sent.visit;
    auth::require_admin(&visit.identity)?;
    let name = name.into_inner();
    let shown = msg!("endpoints-deleted", name = name);
    visit.door.store.write(move |c| endpoints::delete(c, &name)).await?;
    Ok(see_with("/endpoints", &shown))
}

/// `GET /endpoints/{name}/certificate`: asks the host for it.
pub async fn certificate(visit: Visit, name: web::Path<String>) -> Answer {
    auth::require_admin(&visit.identity)?;
    let found = door_endpoints::find(&visit.door, &name)?;
    certificates(visit, found, (StatusCode::OK, None)).await
}

async fn certificates(
    visit: Visit,
    endpoint: Endpoint,
    (status, error): (StatusCode, Option<Message>),
) -> Answer {
    let looked = door_endpoints::certificates(&visit.door, &endpoint).await;
    let (certificates, error) = match looked {
        Ok(found) => (Some(found), error),
        Err(failure) => (None, Some(complaint(failure)?)),
    };
    let rows = |all: &[Certificate]| all.iter().map(certificate_row).collect();
    let by = endpoint.given.certificate.as_ref().map(|(_, by)| by.clone());
    let page = EndpointCertificate {
        page: visit.page,
        name: endpoint.given.name.to_string(),
        host: endpoint.host.clone(),
        presented: certificates.as_ref().map(|found| rows(&found.presented)).unwrap_or_default(),
        accepted: certificates.as_ref().map(|found| rows(&found.accepted)).unwrap_or_default(),
        accepted_by: by.unwrap_or_default(),
        is_accepted: certificates.is_some_and(|found| found.is_accepted()),
        error,
    };
    Ok(respond_with(status, &page))
}

fn certificate_row(one: &Certificate) -> CertificateRow {
    CertificateRow {
        subject: one.subject.clone(),
        issuer: one.issuer.clone(),
        not_before: one.not_before,
        not_after: one.not_after,
        fingerprint: one.fingerprint.clone(),
    }
}

#[derive(Deserialize)]
pub struct Accept {
    fingerprint: String,
}

/// `POST /endpoints/{name}/certificate`.
pub async fn accept(sent: Sent<Accept>, name: web::Path<String>) -> Answer {
    let Sent { visit, form } = sent;
    let by = auth::require_admin(&visit.identity)?.account.name.to_string();
    let found = door_endpoints::find(&visit.door, &name)?;
    match door_endpoints::accept(&visit.door, found.clone(), &form.fingerprint, by).await {
        Ok(changed) => {
            let address = links::endpoint(changed.given.name.as_str());
            Ok(see_with(&address, &msg!("endpoints-certificate-accepted", host = changed.host)))
        }
        Err(failure) => {
            let status = failure.status();
            let error = Some(complaint(failure)?);
            certificates(visit, found, (status, error)).await
        }
    }
}
