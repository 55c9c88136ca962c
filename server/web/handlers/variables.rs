//! The page of variables. Everybody signed in sees which there are; changing them is for administrators.

use actix_web::http::StatusCode;
use actix_web::web;
use serde::Deserialize;

use super::visit::{Answer, Sent, Visit, complaint, see_with};
use crate::model::{Message, Secret};
use crate::msg;
use crate::store::variables::{self, Value, Variable};
use crate::web::auth;
use crate::web::pages::endpoints::{VariableFields, VariableRow, Variables};
use crate::web::pages::respond_with;
use crate::web::variables::{self as door_variables, Wanted};

const PAGE: &str = "/settings/variables";

/// `GET /settings/variables`.
pub async fn list(visit: Visit) -> Answer {
    show(visit, StatusCode::OK, None, VariableFields::default())
}

fn show(visit: Visit, status: StatusCode, error: Option<Message>, typed: VariableFields) -> Answer {
    visit.identity.require()?;
    let all = visit.door.store.read(variables::list)?;
    let rows = all.into_iter().map(row).collect();
    Ok(respond_with(status, &Variables { page: visit.page, rows, typed, error }))
}

fn row(variable: Variable) -> VariableRow {
    VariableRow {
        name: variable.name.into(),
        description: variable.description,
        value: match variable.value {
            Value::Regular(value) => Some(value),
            Value::Secret(_) => None,
        },
        updated_at: variable.updated_at,
    }
}

#[derive(Deserialize)]
pub struct New {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    value: String,
    #[serde(default)]
    secret: bool,
}

/// `POST /settings/variables`.
pub async fn create(sent: Sent<New>) -> Answer {
    let Sent { visit, form } = sent;
    let by = auth::require_admin(&visit.identity)?.account.name.to_string();
    let New { name, description, value, secret } = form;
    let wanted = Wanted { description: description.clone(), value: Some(Secret::new(&*value)), secret };
    match door_variables::create(&visit.door, &name, wanted, by).await {
        Ok(made) => Ok(see_with(PAGE, &msg!("variables-saved", name = made.name))),
        Err(failure) => {
            let status = failure.status();
            let error = Some(complaint(failure)?);
            // A secret is not written into a page, also not for the one who typed it.
            let value = if secret { String::new() } else { value };
            show(visit, status, error, VariableFields { name, description, value, secret })
        }
    }
}

#[derive(Deserialize)]
pub struct Change {
    value: String,
}

/// `POST /settings/variables/{name}`: a new value.
pub async fn change(sent: Sent<Change>, name: web::Path<String>) -> Answer {
    let Sent { visit, form } = sent;
    auth::require_admin(&visit.identity)?;
    let seen = door_variables::find(&visit.door, &name)?;
    let wanted = Wanted {
        description: seen.description.clone(),
        value: Some(Secret::new(form.value)),
        secret: seen.value.is_secret(),
    };
    match door_variables::change(&visit.door, seen, wanted).await {
        Ok(made) => Ok(see_with(PAGE, &msg!("variables-saved", name = made.name))),
        Err(failure) => {
            let status = failure.status();
            let error = Some(complaint(failure)?);
            show(visit, status, error, VariableFields::default())
        }
    }
}

#[derive(Deserialize)]
pub struct Nothing {}

/// `POST /settings/variables/{name}/delete`.
pub async fn delete(sent: Sent<Nothing>, name: web::Path<String>) -> Answer {
    let visit = sent.visit;
    auth::require_admin(&visit.identity)?;
    let name = name.into_inner();
    let shown = msg!("variables-deleted", name = name);
    visit.door.store.write(move |c| variables::delete(c, &name)).await?;
    Ok(see_with(PAGE, &shown))
}
