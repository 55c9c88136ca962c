//! Who is asking, and what they may do. Every permission in the house is one of the functions here, and
//! none of them reads anything of a request but the `Identity` made of it.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest, web};
use base64::Engine as _;
use futures_util::future::LocalBoxFuture;
use jiff::Timestamp;

use super::errors::Failure;
use super::state::Door;
use super::{csrf, sessions};
use crate::model::{Error, OwnerName, RepositoryPath, Result, Secret};
use crate::msg;
use crate::store::accounts::{self, Account, Scope};
use crate::store::repositories::{self, Repository, Viewer};

/// Begins every API token, so that one in a password field is known for what it is.
pub const TOKEN_PREFIX: &str = "rw_";
/// Random bytes of a token; written as hex.
pub const TOKEN_BYTES: usize = 20;

/// Who is asking. As an extractor it fails when credentials are given and wrong.
#[derive(Clone, Debug)]
pub enum Identity {
    Anonymous,
    Account(Box<Known>),
}

#[derive(Clone, Debug)]
pub struct Known {
    pub account: Account,
    /// `Admin` for people; what the token has for tokens. What an account may not, its token may not either.
    pub scope: Scope,
    pub via: Via,
}

#[derive(Clone, Debug)]
pub enum Via {
    Session { csrf: String, hash: [u8; 32] },
    Token { hash: [u8; 32] },
    Password,
}

impl Identity {
    pub fn known(&self) -> Option<&Known> {
        match self {
            Identity::Anonymous => None,
            Identity::Account(known) => Some(known),
        }
    }

    /// `Unauthenticated` for nobody.
    pub fn require(&self) -> Result<&Known, Failure> {
        self.known().ok_or_else(Failure::unauthenticated)
    }

    pub fn viewer(&self) -> Viewer<'_> {
        match self.known() {
            None => Viewer::Nobody,
            Some(known) if known.account.admin => Viewer::Admin,
            Some(known) => Viewer::Account(&known.account.name),
        }
    }

    /// The session's form token; empty without a session.
    pub fn csrf(&self) -> &str {
        match self.known().map(|known| &known.via) {
            Some(Via::Session { csrf, .. }) => csrf,
            _ => "",
        }
    }
}

/// Repositories are read by everybody unless they are private.
pub fn can_read(identity: &Identity, repository: &Repository) -> bool {
    !repository.private || identity.known().is_some_and(|known| owns(known, &repository.path.owner))
}

/// Pushing, starting and cancelling runs, changing and deleting.
pub fn can_write(identity: &Identity, repository: &Repository) -> bool {
    identity.known().is_some_and(|known| known.scope >= Scope::Write && owns(known, &repository.path.owner))
}

/// Whether repositories may be created below `owner`.
pub fn can_create(identity: &Identity, owner: &OwnerName) -> bool {
    identity.known().is_some_and(|known| known.scope >= Scope::Write && owns(known, owner))
}

pub fn is_admin(identity: &Identity) -> bool {
    identity.known().is_some_and(|known| known.account.admin && known.scope >= Scope::Admin)
}

fn owns(known: &Known, owner: &OwnerName) -> bool {
    known.account.may_change(owner)
}

/// `Denied` unless an administrator asks; `Unauthenticated` for nobody.
pub fn require_admin(identity: &Identity) -> Result<&Known, Failure> {
    let known = identity.require()?;
    match is_admin(identity) {
        true => Ok(known),
        false => Err(Error::Denied(msg!("auth-admin-only")).into()),
    }
}

/// `Denied` unless the caller's token may change things.
pub fn require_scope(identity: &Identity, scope: Scope) -> Result<&Known, Failure> {
    let known = identity.require()?;
    match known.scope >= scope {
        true => Ok(known),
        false => Err(Error::Denied(msg!("auth-scope", scope = scope.as_str())).into()),
    }
}

/// The repository, if the caller may read it: to everybody else it does not exist.
pub fn readable(door: &Door, identity: &Identity, path: &RepositoryPath) -> Result<Repository, Failure> {
    let found = door.store.read(|c| repositories::by_path(c, path))?;
    found
        .filter(|repository| can_read(identity, repository))
        .ok_or_else(|| Error::NotFound(msg!("api-repository-not-found", path = path)).into())
}

/// The repository, if the caller may change it.
pub fn writable(door: &Door, identity: &Identity, path: &RepositoryPath) -> Result<Repository, Failure> {
    let repository = readable(door, identity, path)?;
    require_scope(identity, Scope::Write)?;
    match can_write(identity, &repository) {
        true => Ok(repository),
        false => Err(Error::Denied(msg!("auth-read-only", path = path)).into()),
    }
}

/// The parts of an address; what cannot be a repository's name is not found.
pub fn path_of(owner: &str, name: &str) -> Result<RepositoryPath, Failure> {
    let path = OwnerName::new(owner).and_then(|owner| Ok((owner, crate::model::RepositoryName::new(name)?)));
    path.map(|(owner, name)| RepositoryPath { owner, name }).map_err(|_| Failure::not_found())
}

/// The peer's address. `X-Forwarded-For` and its like are not read: anybody can write them.
pub fn peer(request: &HttpRequest) -> IpAddr {
    request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip().to_canonical())
}

impl FromRequest for Identity {
    type Error = Failure;
    type Future = LocalBoxFuture<'static, Result<Identity, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { identify(&request).await })
    }
}

/// Reads the `Authorization` header, else the session cookie.
pub async fn identify(request: &HttpRequest) -> Result<Identity, Failure> {
    let Some(door) = request.app_data::<web::Data<Door>>() else {
        return Err(Error::Internal("the door is not in the application's data".into()).into());
    };
    if let Some(header) = request.headers().get(AUTHORIZATION) {
        let header = header.to_str().map_err(|_| malformed())?;
        return authorized(door, header, peer(request)).await;
    }
    let Some(hash) = sessions::cookie_hash(request) else { return Ok(Identity::Anonymous) };
    let session = door.store.read(|c| accounts::session(c, &hash, Timestamp::now()))?;
    let Some(session) = session else { return Ok(Identity::Anonymous) };
    let via = Via::Session { csrf: session.csrf, hash };
    let identity = Identity::Account(Box::new(Known { account: session.account, scope: Scope::Admin, via }));
    csrf::check_api(request, &identity)?;
    Ok(identity)
}

/// The same caller as they are now; `None` when they have signed out, their token is gone or their account closed.
pub fn again(door: &Door, identity: &Identity) -> Result<Option<Identity>> {
    let Identity::Account(known) = identity else { return Ok(Some(Identity::Anonymous)) };
    let account = door.store.read(|c| match &known.via {
        Via::Session { hash, .. } => {
            Ok(accounts::session(c, hash, Timestamp::now())?.map(|session| session.account))
        }
        Via::Token { hash } => {
            Ok(accounts::by_token(c, hash, Timestamp::now())?.map(|(account, ..)| account))
        }
        Via::Password => accounts::by_id(c, known.account.id),
    })?;
    let as_now = |account| Known { account, scope: known.scope, via: known.via.clone() };
    Ok(account.filter(|a| !a.disabled).map(|account| Identity::Account(Box::new(as_now(account)))))
}

async fn authorized(door: &Door, header: &str, from: IpAddr) -> Result<Identity, Failure> {
    let (scheme, value) = header.split_once(' ').ok_or_else(malformed)?;
    let value = value.trim();
    if scheme.eq_ignore_ascii_case("token") || scheme.eq_ignore_ascii_case("bearer") {
        return by_token(door, value, from);
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(malformed());
    }
    let decoded = base64::engine::general_purpose::STANDARD.decode(value).map_err(|_| malformed())?;
    let decoded = String::from_utf8(decoded).map_err(|_| malformed())?;
    let (name, password) = decoded.split_once(':').ok_or_else(malformed)?;
    if let Some(token) = [password, name].into_iter().find(|given| is_token(given)) {
        return by_token(door, token, from);
    }
    let account = door.gate.password(&door.store, name, password, from).await?;
    Ok(Identity::Account(Box::new(Known { account, scope: Scope::Admin, via: Via::Password })))
}

/// Whether it has the form of our tokens; nobody's password looks like that.
fn is_token(text: &str) -> bool {
    let hex = text.strip_prefix(TOKEN_PREFIX).unwrap_or_default();
    hex.len() == 2 * TOKEN_BYTES && hex.bytes().all(|b| b.is_ascii_hexdigit())
}

fn by_token(door: &Door, token: &str, from: IpAddr) -> Result<Identity, Failure> {
    let hash = Secret::new(token).fingerprint();
    let (account, scope) = door.gate.token(&door.store, &hash, from)?;
    Ok(Identity::Account(Box::new(Known { account, scope, via: Via::Token { hash } })))
}

fn malformed() -> Failure {
    Failure::Unauthenticated(msg!("auth-malformed"))
}
