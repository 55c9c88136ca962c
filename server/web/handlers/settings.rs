//! One's own settings: API tokens, password, language. A new token is on the page that answers its form
//! and never again.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde::Deserialize;

use super::visit::{Answer, Sent, Visit, complaint, see_with};
use crate::model::{Error, Message, Result};
use crate::msg;
use crate::store::accounts::{self, Scope, Token};
use crate::web::api::users::{make_token, renew_token};
use crate::web::auth::{self, Known, Via};
use crate::web::errors::Failure;
use crate::web::pages::account::{Settings, TokenFields, TokenRow};
use crate::web::pages::respond_with;

/// Ten years.
const LONGEST_DAYS: u32 = 3650;

/// What a form left to say.
#[derive(Default)]
struct Said {
    new_token: Option<String>,
    password_error: Option<Message>,
    token_error: Option<Message>,
    typed: TokenFields,
}

/// Settings are for people: a token may not look at others, nor make itself stronger.
fn person(visit: &Visit) -> Result<Known, Failure> {
    Ok(auth::require_scope(&visit.identity, Scope::Admin)?.clone())
}

/// `GET /settings`.
pub async fn form(visit: Visit) -> Answer {
    person(&visit)?;
    show(visit, StatusCode::OK, Said::default())
}

fn show(visit: Visit, status: StatusCode, said: Said) -> Answer {
    let id = person(&visit)?.account.id;
    let tokens = visit.door.store.read(|c| accounts::tokens(c, id))?;
    let Said { new_token, password_error, token_error, typed } = said;
    let tokens = tokens.into_iter().map(row).collect();
    let page = visit.page;
    Ok(respond_with(status, &Settings { page, tokens, new_token, password_error, token_error, typed }))
}

fn row(token: Token) -> TokenRow {
    TokenRow {
        id: token.id,
        name: token.name,
        scope: token.scope.as_str().to_owned(),
        created_at: token.created_at,
        expires_at: token.expires_at,
        used_at: token.last_used_at,
    }
}

#[derive(Deserialize)]
pub struct TokenForm {
    name: String,
    scope: String,
    #[serde(default)]
    expires: String,
}

/// `POST /settings/tokens`.
pub async fn create_token(sent: Sent<TokenForm>) -> Answer {
    let Sent { visit, form } = sent;
    let known = person(&visit)?;
    let made = match form.scope.parse::<Scope>().and_then(|scope| Ok((scope, days(&form.expires)?))) {
        Ok((scope, days)) => make_token(&visit.door, &known, &known.account, (&form.name, scope, days)).await,
        Err(error) => Err(error.into()),
    };
    match made {
        Ok((_, token)) => {
            let new_token = Some(token.reveal().to_owned());
            show(visit, StatusCode::CREATED, Said { new_token, ..Said::default() })
        }
        Err(failure) => {
            let status = failure.status();
            let token_error = Some(complaint(failure)?);
            let TokenForm { name, scope, expires } = form;
            let typed = TokenFields { name, scope, expires };
            show(visit, status, Said { token_error, typed, ..Said::default() })
        }
    }
}

/// How long a token lasts; nothing typed is as long as usual.
fn days(text: &str) -> Result<Option<u32>> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let days = text.trim().parse().ok().filter(|days| (1..=LONGEST_DAYS).contains(days));
    Ok(Some(days.ok_or_else(|| Error::Invalid(msg!("pages-token-days", most = LONGEST_DAYS)))?))
}

#[derive(Deserialize)]
pub struct Nothing {}

/// `POST /settings/tokens/{id}/rotate`: the new secret is on the page that answers.
pub async fn rotate_token(sent: Sent<Nothing>, id: web::Path<i64>) -> Answer {
    let visit = sent.visit;
    let known = person(&visit)?;
    let (_, token) = renew_token(&visit.door, &known, (known.account.id, *id)).await?;
    let new_token = Some(token.reveal().to_owned());
    show(visit, StatusCode::OK, Said { new_token, ..Said::default() })
}

/// `POST /settings/tokens/{id}/delete`.
pub async fn delete_token(sent: Sent<Nothing>, id: web::Path<i64>) -> Answer {
    let visit = sent.visit;
    let (account, id) = (person(&visit)?.account.id, *id);
    visit.door.store.write(move |c| accounts::delete_token(c, account, id)).await?;
    Ok(see_with("/settings", &msg!("pages-token-deleted")))
}

#[derive(Deserialize)]
pub struct PasswordForm {
    current: String,
    new: String,
}

/// `POST /settings/password`: ends every other session of the account.
pub async fn change_password(request: HttpRequest, sent: Sent<PasswordForm>) -> Answer {
    let Sent { visit, form } = sent;
    let known = person(&visit)?;
    match changed(&visit, &known, &form, auth::peer(&request)).await {
        Ok(()) => Ok(see_with("/settings", &msg!("pages-password-changed"))),
        Err(failure) => {
            // Not 401: the session is good, only the form is not.
            let status = match failure.status() {
                StatusCode::UNAUTHORIZED => StatusCode::UNPROCESSABLE_ENTITY,
                other => other,
            };
            let password_error = Some(complaint(failure)?);
            show(visit, status, Said { password_error, ..Said::default() })
        }
    }
}

async fn changed(
    visit: &Visit,
    known: &Known,
    form: &PasswordForm,
    from: std::net::IpAddr,
) -> Result<(), Failure> {
    let name = known.account.name.as_str();
    let checked = visit.door.gate.password(&visit.door.store, name, &form.current, from).await;
    checked.map_err(|failure| match failure {
        Failure::Unauthenticated(_) => Failure::Unauthenticated(msg!("pages-password-wrong")),
        other => other,
    })?;
    let hash = visit.door.gate.hash(&form.new, name).await?;
    let id = known.account.id;
    let keep = match &known.via {
        Via::Session { hash, .. } => Some(*hash),
        Via::Token { .. } | Via::Password => None,
    };
    Ok(visit.door.store.write(move |c| accounts::set_password(c, id, &hash, keep.as_ref())).await?)
}
