//! Signing in and out, and the two choices that anybody may make: language and colours.

use actix_web::{HttpRequest, web};
use serde::Deserialize;

use super::visit::{Answer, LANGUAGE_COOKIE, Sent, THEME_COOKIE, Visit, choice, complaint, local, see};
use crate::messages::Language;
use crate::model::Error;
use crate::msg;
use crate::store::accounts;
use crate::web::pages::account::SignIn;
use crate::web::pages::{Theme, respond, respond_with};
use crate::web::sessions;

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    next: String,
}

/// `GET /sign-in?next=`.
pub async fn form(visit: Visit, asked: web::Query<Asked>) -> Answer {
    let next = local(&asked.next).to_owned();
    if visit.identity.known().is_some() {
        return Ok(see(&next));
    }
    Ok(respond(&SignIn { page: visit.page, next, name: String::new(), error: None }))
}

#[derive(Deserialize)]
pub struct Credentials {
    name: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// `POST /sign-in`.
pub async fn sign_in(request: HttpRequest, sent: Sent<Credentials>) -> Answer {
    let Sent { visit, form } = sent;
    let name = form.name.trim();
    match sessions::sign_in(&visit.door, &request, name, &form.password).await {
        Ok((_, cookie)) => {
            let mut answer = see(local(&form.next));
            let _ = answer.add_cookie(&cookie);
            Ok(answer)
        }
        Err(failure) => {
            let status = failure.status();
            let error = Some(complaint(failure)?);
            let next = local(&form.next).to_owned();
            Ok(respond_with(status, &SignIn { page: visit.page, next, name: form.name, error }))
        }
    }
}

#[derive(Deserialize)]
pub struct Nothing {}

/// `POST /sign-out`.
pub async fn sign_out(request: HttpRequest, sent: Sent<Nothing>) -> Answer {
    let cookie = sessions::sign_out(&sent.visit.door, &request).await?;
    let mut answer = see("/sign-in");
    let _ = answer.add_cookie(&cookie);
    Ok(answer)
}

#[derive(Deserialize)]
pub struct Choice {
    #[serde(default)]
    language: String,
    #[serde(default)]
    theme: String,
    #[serde(default)]
    next: String,
}

/// `POST /language`: for this browser, and for the account of whoever is signed in.
pub async fn language(sent: Sent<Choice>) -> Answer {
    let Sent { visit, form } = sent;
    let unknown = || Error::Invalid(msg!("web-language-unknown"));
    let language: Language = form.language.parse().map_err(|_| unknown())?;
    if let Some(known) = visit.identity.known() {
        let id = known.account.id;
        visit.door.store.write(move |c| accounts::set_language(c, id, Some(language.as_str()))).await?;
    }
    let mut answer = see(local(&form.next));
    let _ = answer.add_cookie(&choice(LANGUAGE_COOKIE, language.as_str()));
    Ok(answer)
}

/// `POST /theme`.
pub async fn theme(sent: Sent<Choice>) -> Answer {
    let theme = Theme::from_cookie(Some(&sent.form.theme));
    let mut answer = see(local(&sent.form.next));
    let _ = answer.add_cookie(&choice(THEME_COOKIE, theme.as_str()));
    Ok(answer)
}
