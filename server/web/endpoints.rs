//! What may be said about an endpoint, and what is done with one: the API and the pages end here. Secrets come in and
//! never go out; whoever calls has asked whether the caller is an administrator.

use jiff::Timestamp;

use super::errors::Failure;
use super::state::Door;
use crate::model::{Access, EndpointKind, EndpointName, Error, Result, Secret};
use crate::msg;
use crate::registry::Certificate;
use crate::store::endpoints::{self, Endpoint, Given};

const LONGEST_DESCRIPTION: usize = 500;
const LONGEST_USER: usize = 200;
const LONGEST_SECRET: usize = 8192;
const HUB: &str = "https://registry-1.docker.io";

/// What somebody wants it to be.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub name: String,
    pub description: String,
    pub kind: String,
    pub url: String,
    pub user: String,
    /// `None` leaves it as it is; an empty one takes it away.
    pub secret: Option<Secret>,
    pub bearer: bool,
    /// PEM; `None` leaves it as it is, an empty one takes it away.
    pub certificate: Option<String>,
    /// Other hosts that its registry may lead to.
    pub allowed: Vec<String>,
}

impl Wanted {
    /// As it is now.
    pub fn of(endpoint: &Endpoint) -> Self {
        let given = endpoint.given.clone();
        Wanted {
            name: given.name.into(),
            description: given.description,
            kind: given.kind.as_str().to_owned(),
            url: given.url,
            user: given.user.unwrap_or_default(),
            secret: None,
            bearer: given.bearer,
            certificate: None,
            allowed: given.allowed,
        }
    }
}

/// One to a line, or with spaces or commas between them.
pub fn hosts(text: &str) -> Vec<String> {
    let words = text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

pub fn find(door: &Door, name: &str) -> Result<Endpoint, Failure> {
    let found = door.store.read(|c| endpoints::by_name(c, name))?;
    found.ok_or_else(|| Error::NotFound(endpoints::not_found(name)).into())
}

/// Makes an endpoint, or changes `seen`. Contacts nobody. `Invalid` says what is wrong, `Conflict` whose name or host
/// it already is.
pub async fn save(
    door: &Door,
    seen: Option<Endpoint>,
    wanted: Wanted,
    by: String,
) -> Result<Endpoint, Failure> {
    let given = given(door, seen.as_ref(), wanted, by)?;
    let access = given.access(door.store.sealer())?;
    let host = door.registries.client_for(&access)?.host().to_owned();
    let made = door.store.write(move |c| {
        let now = Timestamp::now();
        let id = match &seen {
            Some(seen) => endpoints::update(c, seen, &given, &host, now).map(|()| seen.id)?,
            None => endpoints::create(c, &given, &host, now)?,
        };
        endpoints::by_id(c, id)?.ok_or_else(|| Error::Internal("a saved endpoint is missing".into()))
    });
    Ok(made.await?)
}

fn given(door: &Door, seen: Option<&Endpoint>, wanted: Wanted, by: String) -> Result<Given> {
    let seen = seen.map(|seen| &seen.given);
    let name = EndpointName::new(wanted.name.trim())?;
    let kind: EndpointKind = wanted.kind.trim().parse()?;
    let url = match (wanted.url.trim().trim_end_matches('/'), kind) {
        ("", EndpointKind::DockerHub) => HUB.to_owned(),
        (url, _) => url.to_owned(),
    };
    let description = wanted.description.trim().to_owned();
    if description.chars().count() > LONGEST_DESCRIPTION {
        return Err(Error::Invalid(msg!("endpoints-description-long", longest = LONGEST_DESCRIPTION)));
    }
    let moved = seen.is_some_and(|seen| seen.url != url || seen.kind != kind);
    let sealed = sealed(door, seen.filter(|_| !moved), wanted.secret.as_ref(), wanted.bearer)?;
    if moved && wanted.secret.is_none() && seen.is_some_and(|seen| seen.sealed.is_some()) {
        // Or a stored password could be led to another host without being known.
        return Err(Error::Invalid(msg!("endpoints-secret-again")));
    }
    let certificate = match wanted.certificate.as_deref().map(str::trim) {
        None => seen.filter(|_| !moved).and_then(|seen| seen.certificate.clone()),
        Some("") => None,
        Some(pem) => {
            let all = Certificate::all(pem)?;
            Some((all.into_iter().map(|one| one.pem).collect(), by))
        }
    };
    let user = Some(user(&wanted.user)?).filter(|user| !user.is_empty() && !wanted.bearer);
    let mut allowed: Vec<String> = Vec::new();
    for host in wanted.allowed.iter().map(|host| host.trim().to_ascii_lowercase()) {
        if !allowed.contains(&host) {
            allowed.push(host);
        }
    }
    Ok(Given { name, description, kind, url, user, sealed, bearer: wanted.bearer, certificate, allowed })
}

fn user(text: &str) -> Result<String> {
    let user = text.trim();
    if user.chars().count() > LONGEST_USER || user.contains(|c: char| c == ':' || c.is_control()) {
        return Err(Error::Invalid(msg!("endpoints-user-invalid", longest = LONGEST_USER)));
    }
    Ok(user.to_owned())
}

fn sealed(
    door: &Door,
    seen: Option<&Given>,
    wanted: Option<&Secret>,
    bearer: bool,
) -> Result<Option<Vec<u8>>> {
    let Some(secret) = wanted else { return Ok(seen.and_then(|seen| seen.sealed.clone())) };
    let text = secret.reveal();
    let spoken = |c: char| if bearer { c.is_ascii_graphic() } else { !c.is_control() };
    if text.len() > LONGEST_SECRET || !text.chars().all(spoken) {
        return Err(Error::Invalid(msg!("endpoints-secret-invalid", longest = LONGEST_SECRET)));
    }
    match text.is_empty() {
        true => Ok(None),
        false => door.store.sealer().seal(secret).map(Some),
    }
}

/// Tries it step by step and keeps what came of it.
pub async fn validate(door: &Door, endpoint: Endpoint) -> Result<Endpoint, Failure> {
    let access = access(door, &endpoint)?;
    let steps = door.registries.validate(&access).await?;
    let checked = door.store.write(move |c| {
        endpoints::record_check(c, &endpoint, &steps, Timestamp::now())?;
        let missing = || Error::NotFound(endpoints::not_found(endpoint.given.name.as_str()));
        endpoints::by_id(c, endpoint.id)?.ok_or_else(missing)
    });
    Ok(checked.await?)
}

/// The certificates that are presented now, and those that are believed.
pub struct Certificates {
    pub presented: Vec<Certificate>,
    pub accepted: Vec<Certificate>,
}

impl Certificates {
    /// Whether the host presents the very certificate that was accepted.
    pub fn is_accepted(&self) -> bool {
        let first = self.presented.first();
        first.is_some_and(|first| self.accepted.iter().any(|one| one.fingerprint == first.fingerprint))
    }
}

pub async fn certificates(door: &Door, endpoint: &Endpoint) -> Result<Certificates, Failure> {
    let presented = door.registries.presented(&access(door, endpoint)?).await?;
    let accepted = match &endpoint.given.certificate {
        Some((pem, _)) => Certificate::all(pem)?,
        None => Vec::new(),
    };
    Ok(Certificates { presented, accepted })
}

/// From here on the certificate with this fingerprint is believed, and no other. `Conflict` when it is not the one
/// that is presented now.
pub async fn accept(
    door: &Door,
    endpoint: Endpoint,
    fingerprint: &str,
    by: String,
) -> Result<Endpoint, Failure> {
    let presented = door.registries.presented(&access(door, &endpoint)?).await?;
    let first = presented.into_iter().next();
    let found = first.filter(|first| first.fingerprint.eq_ignore_ascii_case(fingerprint.trim()));
    let Some(certificate) = found else {
        return Err(Error::Conflict(msg!("endpoints-certificate-other", host = endpoint.host)).into());
    };
    let wanted = Wanted { certificate: Some(certificate.pem), ..Wanted::of(&endpoint) };
    save(door, Some(endpoint), wanted, by).await
}

fn access(door: &Door, endpoint: &Endpoint) -> Result<Access> {
    endpoint.access(door.store.sealer())
}
