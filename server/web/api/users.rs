//! Accounts and API tokens, with the addresses and field names of Gogs.

use actix_web::{HttpResponse, delete, get, patch, post, web};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::auth::{self, Identity, Known, TOKEN_BYTES, TOKEN_PREFIX, Via};
use super::super::errors::{ErrorBody, Failure};
use super::super::state::Door;
use super::shapes::{TokenShape, UserShape};
use crate::model::{Error, Happened, OwnerName, Secret};
use crate::msg;
use crate::store::accounts::{self, Account, NewToken, Scope};
use crate::store::events;

const LONGEST_TOKEN_NAME: usize = 100;

/// Who I am.
#[utoipa::path(tag = "accounts", responses((status = 200, body = UserShape), (status = 401, body = ErrorBody)))]
#[get("/user")]
pub async fn me(identity: Identity) -> Result<HttpResponse, Failure> {
    Ok(HttpResponse::Ok().json(UserShape::of(&identity.require()?.account)))
}

/// An account by name.
#[utoipa::path(tag = "accounts", responses((status = 200, body = UserShape), (status = 404, body = ErrorBody)))]
#[get("/users/{username}")]
pub async fn user(
    door: web::Data<Door>,
    identity: Identity,
    name: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    identity.require()?;
    Ok(HttpResponse::Ok().json(UserShape::of(&account(&door, &name)?)))
}

/// Other fields that Gogs knows (`email`, ...) may be there and are not kept.
#[derive(Deserialize, ToSchema)]
pub struct NewUser {
    pub username: String,
    pub password: String,
    #[serde(default)]
    pub admin: bool,
}

/// Makes an account. For administrators.
#[utoipa::path(tag = "accounts", request_body = NewUser,
    responses((status = 201, body = UserShape), (status = 403, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
#[post("/admin/users")]
pub async fn create_user(
    door: web::Data<Door>,
    identity: Identity,
    new: web::Json<NewUser>,
) -> Result<HttpResponse, Failure> {
    let by = auth::require_admin(&identity)?.account.name.to_string();
    let made = create_account(&door, &new.username, &new.password, new.admin, by).await?;
    Ok(HttpResponse::Created().json(UserShape::of(&made)))
}

/// Makes an account; the API and the administrator's page end here.
pub async fn create_account(
    door: &Door,
    name: &str,
    password: &str,
    admin: bool,
    by: String,
) -> Result<Account, Failure> {
    let name = OwnerName::new(name)?;
    let hash = door.gate.hash(password, name.as_str()).await?;
    let made = door.store.write(move |c| {
        let now = Timestamp::now();
        let id = accounts::create(c, &name, &hash, admin, now)?;
        events::add(c, None, &Happened::AccountCreated { name: name.to_string(), by }, now)?;
        accounts::by_id(c, id)?.ok_or_else(|| Error::Internal("a new account is missing".into()))
    });
    Ok(made.await?)
}

/// What is left out stays as it is.
#[derive(Deserialize, ToSchema)]
pub struct UserChange {
    /// A new one ends the account's sessions.
    pub password: Option<String>,
    /// `true` ends the account's sessions and tokens at once and lets nobody in until it is `false` again.
    pub prohibit_login: Option<bool>,
}

/// Changes an account. For administrators.
#[utoipa::path(tag = "accounts", request_body = UserChange,
    responses((status = 200, body = UserShape), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
#[patch("/admin/users/{username}")]
pub async fn edit_user(
    door: web::Data<Door>,
    identity: Identity,
    name: web::Path<String>,
    change: web::Json<UserChange>,
) -> Result<HttpResponse, Failure> {
    let admin = auth::require_admin(&identity)?.account.id;
    let found = account(&door, &name)?;
    if change.prohibit_login == Some(true) && found.id == admin {
        return Err(Error::Conflict(msg!("api-not-yourself")).into());
    }
    let (id, disabled) = (found.id, change.prohibit_login);
    let hash = match &change.password {
        Some(password) => Some(door.gate.hash(password, found.name.as_str()).await?),
        None => None,
    };
    let changed = door.store.write(move |c| {
        if let Some(hash) = hash {
            accounts::set_password(c, id, &hash, None)?;
        }
        if let Some(disabled) = disabled {
            accounts::set_disabled(c, id, disabled)?;
        }
        accounts::by_id(c, id)?.ok_or_else(|| Error::Internal("a changed account is missing".into()))
    });
    Ok(HttpResponse::Ok().json(UserShape::of(&changed.await?)))
}

#[derive(Deserialize, ToSchema)]
pub struct NewTokenForm {
    pub name: String,
    /// `read`, `write` or `admin`; `write` unless given.
    pub scope: Option<String>,
    /// Days until it ends, 183 unless given; 0 for a token that does not end.
    pub expires_in_days: Option<u32>,
}

/// Makes an API token and shows it once.
#[utoipa::path(tag = "accounts", request_body = NewTokenForm,
    responses((status = 201, body = TokenShape), (status = 403, body = ErrorBody), (status = 422, body = ErrorBody)))]
#[post("/users/{username}/tokens")]
pub async fn create_token(
    door: web::Data<Door>,
    identity: Identity,
    name: web::Path<String>,
    new: web::Json<NewTokenForm>,
) -> Result<HttpResponse, Failure> {
    let (known, owner) = owner_of_tokens(&door, &identity, &name)?;
    let scope = new.scope.as_deref().unwrap_or("write").parse()?;
    let (made, token) = make_token(&door, known, &owner, (&new.name, scope, new.expires_in_days)).await?;
    let shape = TokenShape { sha1: Some(token.reveal().to_owned()), ..made };
    Ok(HttpResponse::Created().json(shape))
}

/// Gives a token, named by its id or its name, a new secret and shows it once; the old one is dead at once. Name and
/// scope stay, and it lasts as long as before from now on.
#[utoipa::path(tag = "accounts", responses((status = 200, body = TokenShape), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
#[post("/users/{username}/tokens/{token}/rotate")]
pub async fn rotate_token(
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let (known, owner) = owner_of_tokens(&door, &identity, &path.0)?;
    auth::require_scope(&identity, Scope::Write)?;
    let id = token_of(&door, &owner, &path.1)?;
    let (made, token) = renew_token(&door, known, (owner.id, id)).await?;
    Ok(HttpResponse::Ok().json(TokenShape { sha1: Some(token.reveal().to_owned()), ..made }))
}

/// A new secret for the token (account, id); the API and the settings page end here.
pub async fn renew_token(
    door: &Door,
    known: &Known,
    (account, id): (i64, i64),
) -> Result<(TokenShape, Secret), Failure> {
    needs_person(known)?;
    let token = Secret::new(format!("{TOKEN_PREFIX}{}", Secret::random(TOKEN_BYTES)?.reveal()));
    let (hash, by) = (token.fingerprint(), known.account.name.to_string());
    let renewed = door.store.write(move |c| {
        let now = Timestamp::now();
        accounts::rotate_token(c, account, id, &hash, now)?;
        let found = accounts::tokens(c, account)?.into_iter().find(|token| token.id == id);
        let found = found.ok_or_else(|| Error::Internal("a renewed token is missing".into()))?;
        events::add(c, None, &Happened::TokenCreated { name: found.name.clone(), by }, now)?;
        Ok(found)
    });
    Ok((TokenShape::of(&renewed.await?), token))
}

/// A stolen token must not be able to make itself a stronger or a longer one.
fn needs_person(known: &Known) -> Result<(), Failure> {
    match matches!(known.via, Via::Token { .. }) && known.scope < Scope::Admin {
        true => Err(Error::Denied(msg!("auth-token-needs-person")).into()),
        false => Ok(()),
    }
}

/// Makes a token for `owner` with (name, scope, days until it ends); the API and the settings page end here.
pub async fn make_token(
    door: &Door,
    known: &Known,
    owner: &Account,
    (name, scope, days): (&str, Scope, Option<u32>),
) -> Result<(TokenShape, Secret), Failure> {
    needs_person(known)?;
    let name: String = name.trim().to_owned();
    if name.is_empty() || name.chars().count() > LONGEST_TOKEN_NAME || name.chars().any(char::is_control) {
        return Err(Error::Invalid(msg!("auth-token-name", longest = LONGEST_TOKEN_NAME)).into());
    }
    let token = Secret::new(format!("{TOKEN_PREFIX}{}", Secret::random(TOKEN_BYTES)?.reveal()));
    let now = Timestamp::now();
    let lasts = |days: u32| SignedDuration::from_hours(i64::from(days) * 24);
    let days = Some(days.unwrap_or(accounts::TOKEN_DAYS)).filter(|days| *days > 0);
    let expires_at = days.map(|days| now.checked_add(lasts(days)).unwrap_or(Timestamp::MAX));
    let (hash, account_id, by) = (token.fingerprint(), owner.id, known.account.name.to_string());
    let made = door.store.write(move |c| {
        let new = NewToken { account_id, name: &name, hash, scope, expires_at };
        let id = accounts::create_token(c, &new)?;
        events::add(c, None, &Happened::TokenCreated { name: name.clone(), by }, now)?;
        let made = accounts::tokens(c, account_id)?.into_iter().find(|token| token.id == id);
        made.ok_or_else(|| Error::Internal("a new token is missing".into()))
    });
    Ok((TokenShape::of(&made.await?), token))
}

/// The tokens of an account, without the tokens themselves.
#[utoipa::path(tag = "accounts", responses((status = 200, body = Vec<TokenShape>), (status = 403, body = ErrorBody)))]
#[get("/users/{username}/tokens")]
pub async fn tokens(
    door: web::Data<Door>,
    identity: Identity,
    name: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    let (_, owner) = owner_of_tokens(&door, &identity, &name)?;
    let found = door.store.read(|c| accounts::tokens(c, owner.id))?;
    Ok(HttpResponse::Ok().json(found.iter().map(TokenShape::of).collect::<Vec<_>>()))
}

/// Ends a token, by its id or its name.
#[utoipa::path(tag = "accounts", responses((status = 204), (status = 404, body = ErrorBody)))]
#[delete("/users/{username}/tokens/{token}")]
pub async fn delete_token(
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let (_, owner) = owner_of_tokens(&door, &identity, &path.0)?;
    auth::require_scope(&identity, Scope::Write)?;
    let id = token_of(&door, &owner, &path.1)?;
    door.store.write(move |c| accounts::delete_token(c, owner.id, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The id of a token that is named by its id or its name.
fn token_of(door: &Door, owner: &Account, wanted: &str) -> Result<i64, Failure> {
    let all = door.store.read(|c| accounts::tokens(c, owner.id))?;
    let by_id = all.iter().find(|token| token.id.to_string() == wanted);
    let found = by_id.or_else(|| all.iter().find(|token| token.name == wanted));
    Ok(found.ok_or_else(|| Error::NotFound(msg!("token-not-found")))?.id)
}

/// Tokens are their owner's business, and administrators'.
fn owner_of_tokens<'a>(
    door: &Door,
    identity: &'a Identity,
    name: &str,
) -> Result<(&'a Known, Account), Failure> {
    let known = identity.require()?;
    if !known.account.name.as_str().eq_ignore_ascii_case(name) {
        auth::require_admin(identity)?;
    }
    Ok((known, account(door, name)?))
}

fn account(door: &Door, name: &str) -> Result<Account, Failure> {
    let found = door.store.read(|c| accounts::by_name(c, name))?;
    let shown = || name.chars().take(40).collect::<String>().escape_debug().to_string();
    found.ok_or_else(|| Error::NotFound(msg!("api-account-not-found", name = shown())).into())
}
