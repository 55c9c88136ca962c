//! Sessions of the dashboard: a random id in a cookie, its SHA-256 in the store. A session begins with a
//! new id at every sign-in and ends at sign-out, with a new password, or after two weeks.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use jiff::{SignedDuration, Timestamp};

use super::auth;
use super::errors::Failure;
use super::state::Door;
use crate::model::{Happened, Result, Secret};
use crate::store::accounts::{self, Account};
use crate::store::events;

pub const COOKIE: &str = "ropewalk_session";
const LASTS: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Checks name and password and opens a session; the cookie goes out with the answer. Whatever session
/// the browser had before is closed, so that nobody can choose another person's session id.
pub async fn sign_in(
    door: &Door,
    request: &HttpRequest,
    name: &str,
    password: &str,
) -> Result<(Account, Cookie<'static>), Failure> {
    let from = auth::peer(request);
    let account = match door.gate.password(&door.store, name, password, from).await {
        Ok(account) => account,
        Err(failure) => {
            note_refusal(door, name, &from.to_string(), &failure).await?;
            return Err(failure);
        }
    };
    let (id, csrf) = (Secret::random(32)?, Secret::random(32)?);
    let (hash, before, account_id) = (id.fingerprint(), cookie_hash(request), account.id);
    let happened = Happened::SignedIn { by: account.name.to_string() };
    door.store
        .write(move |c| {
            let now = Timestamp::now();
            if let Some(before) = before {
                accounts::close_session(c, &before)?;
            }
            let until = now.checked_add(LASTS).unwrap_or(Timestamp::MAX);
            accounts::open_session(c, &hash, account_id, csrf.reveal(), until)?;
            events::add(c, None, &happened, now)
        })
        .await?;
    Ok((account, cookie(door, id.reveal().to_owned())))
}

/// Wrong passwords are in the journal; tries that were not even looked at are not.
async fn note_refusal(door: &Door, name: &str, address: &str, failure: &Failure) -> Result<()> {
    if !matches!(failure, Failure::Unauthenticated(_)) {
        return Ok(());
    }
    let name = name.chars().take(40).collect::<String>().escape_debug().to_string();
    let refused = Happened::SignInRefused { name, address: address.to_owned() };
    door.store.write(move |c| events::add(c, None, &refused, Timestamp::now())).await.map(drop)
}

/// Ends the request's session; the cookie goes out with the answer and clears the browser's.
pub async fn sign_out(door: &Door, request: &HttpRequest) -> Result<Cookie<'static>> {
    if let Some(hash) = cookie_hash(request) {
        door.store.write(move |c| accounts::close_session(c, &hash)).await?;
    }
    let mut gone = cookie(door, String::new());
    gone.make_removal();
    Ok(gone)
}

/// What the store knows the request's session by.
pub fn cookie_hash(request: &HttpRequest) -> Option<[u8; 32]> {
    let cookie = request.cookie(COOKIE)?;
    let value = cookie.value();
    (value.len() == 64).then(|| Secret::new(value).fingerprint())
}

fn cookie(door: &Door, value: String) -> Cookie<'static> {
    Cookie::build(COOKIE, value)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(door.settings.is_https())
        .max_age(Duration::seconds(LASTS.as_secs()))
        .finish()
}
