//! The accounts, for administrators: making them, disabling them, and who else is an administrator.
//! Nobody takes their own rights away, so that there is always somebody left.

use actix_web::http::StatusCode;
use actix_web::web;
use serde::Deserialize;

use super::visit::{Answer, Sent, Visit, complaint, see_with};
use crate::model::{Error, Message};
use crate::msg;
use crate::store::accounts::{self, Account};
use crate::web::api::users::create_account;
use crate::web::auth;
use crate::web::errors::Failure;
use crate::web::pages::account::{Admin, UserRow};
use crate::web::pages::respond_with;

/// `GET /admin`.
pub async fn list(visit: Visit) -> Answer {
    show(visit, StatusCode::OK, String::new(), None)
}

fn show(visit: Visit, status: StatusCode, name: String, error: Option<Message>) -> Answer {
    let me = auth::require_admin(&visit.identity)?.account.id;
    let (all, seen) = visit.door.store.read(|c| Ok((accounts::list(c)?, accounts::last_sign_ins(c)?)))?;
    let row = |account: Account| UserRow {
        name: account.name.to_string(),
        admin: account.admin,
        disabled: account.disabled,
        is_self: account.id == me,
        created_at: account.created_at,
        signed_in_at: seen.iter().find(|(id, _)| *id == account.id).map(|(_, at)| *at),
    };
    let users = all.into_iter().map(row).collect();
    Ok(respond_with(status, &Admin { page: visit.page, users, name, error }))
}

#[derive(Deserialize)]
pub struct NewUser {
    name: String,
    password: String,
    #[serde(default)]
    admin: bool,
}

/// `POST /admin/users`.
pub async fn create(sent: Sent<NewUser>) -> Answer {
    let Sent { visit, form } = sent;
    let by = auth::require_admin(&visit.identity)?.account.name.to_string();
    match create_account(&visit.door, form.name.trim(), &form.password, form.admin, by).await {
        Ok(made) => Ok(see_with("/admin", &msg!("pages-account-made", name = made.name))),
        Err(failure) => {
            let status = failure.status();
            let error = Some(complaint(failure)?);
            show(visit, status, form.name, error)
        }
    }
}

#[derive(Deserialize)]
pub struct Change {
    #[serde(default)]
    disabled: Option<bool>,
    #[serde(default)]
    admin: Option<bool>,
}

/// `POST /admin/users/{name}`: `disabled` or `admin`, `true` or `false`.
pub async fn change(sent: Sent<Change>, name: web::Path<String>) -> Answer {
    let Sent { visit, form } = sent;
    let me = auth::require_admin(&visit.identity)?.account.id;
    let account = visit.door.store.read(|c| accounts::by_name(c, &name))?.ok_or_else(Failure::not_found)?;
    if account.id == me {
        return Err(Error::Conflict(msg!("pages-account-self")).into());
    }
    let Change { disabled, admin } = form;
    let id = account.id;
    visit
        .door
        .store
        .write(move |c| {
            if let Some(disabled) = disabled {
                accounts::set_disabled(c, id, disabled)?;
            }
            admin.map_or(Ok(()), |admin| accounts::set_admin(c, id, admin))
        })
        .await?;
    Ok(see_with("/admin", &msg!("pages-account-changed", name = account.name)))
}
