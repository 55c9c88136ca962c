//! Variables: values that pipelines may use by name. Those of secret ones never go out.

use actix_web::{HttpResponse, delete, get, patch, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::auth::{self, Identity};
use super::super::errors::{ErrorBody, Failure};
use super::super::state::Door;
use super::super::variables::{self as door_variables, Wanted};
use crate::model::Secret;
use crate::store::variables::{self, Value, Variable};

#[derive(Serialize, ToSchema)]
pub struct VariableShape {
    pub name: String,
    pub description: String,
    pub secret: bool,
    /// `null` for secret ones.
    pub value: Option<String>,
    pub created_at: String,
    pub created_by: String,
    pub updated_at: String,
}

impl VariableShape {
    fn of(variable: &Variable) -> Self {
        VariableShape {
            name: variable.name.to_string(),
            description: variable.description.clone(),
            secret: variable.value.is_secret(),
            value: match &variable.value {
                Value::Regular(value) => Some(value.clone()),
                Value::Secret(_) => None,
            },
            created_at: variable.created_at.to_string(),
            created_by: variable.created_by.clone(),
            updated_at: variable.updated_at.to_string(),
        }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVariableForm {
    #[schema(example = "REGION")]
    pub name: String,
    #[serde(default)]
    pub description: String,
    pub value: String,
    /// Sealed, and never shown again.
    #[serde(default)]
    pub secret: bool,
}

/// What is left out stays as it is. A secret one stays secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VariableChange {
    pub description: Option<String>,
    pub value: Option<String>,
    pub secret: Option<bool>,
}

/// All variables, by name.
#[utoipa::path(tag = "variables", responses((status = 200, body = Vec<VariableShape>), (status = 401, body = ErrorBody)))]
#[get("/variables")]
pub async fn list(door: web::Data<Door>, identity: Identity) -> Result<HttpResponse, Failure> {
    identity.require()?;
    let all = door.store.read(variables::list)?;
    Ok(HttpResponse::Ok().json(all.iter().map(VariableShape::of).collect::<Vec<_>>()))
}

/// Makes a variable. For administrators.
#[utoipa::path(tag = "variables", request_body = NewVariableForm,
    responses((status = 201, body = VariableShape), (status = 403, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
#[post("/variables")]
pub async fn create(
    door: web::Data<Door>,
    identity: Identity,
    new: web::Json<NewVariableForm>,
) -> Result<HttpResponse, Failure> {
    let by = auth::require_admin(&identity)?.account.name.to_string();
    let NewVariableForm { name, description, value, secret } = new.into_inner();
    let wanted = Wanted { description, value: Some(Secret::new(value)), secret };
    let made = door_variables::create(&door, &name, wanted, by).await?;
    Ok(HttpResponse::Created().json(VariableShape::of(&made)))
}

/// A variable by name.
#[utoipa::path(tag = "variables", responses((status = 200, body = VariableShape), (status = 404, body = ErrorBody)))]
#[get("/variables/{name}")]
pub async fn show(
    door: web::Data<Door>,
    identity: Identity,
    name: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    identity.require()?;
    Ok(HttpResponse::Ok().json(VariableShape::of(&door_variables::find(&door, &name)?)))
}

/// Changes a variable. For administrators.
#[utoipa::path(tag = "variables", request_body = VariableChange,
    responses((status = 200, body = VariableShape), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
#[patch("/variables/{name}")]
pub async fn change(
    door: web::Data<Door>,
    identity: Identity,
    (name, change): (web::Path<String>, web::Json<VariableChange>),
) -> Result<HttpResponse, Failure> {
    auth::require_admin(&identity)?;
    let seen = door_variables::find(&door, &name)?;
    let change = change.into_inner();
    let wanted = Wanted {
        description: change.description.unwrap_or_else(|| seen.description.clone()),
        value: change.value.map(Secret::new),
        secret: change.secret.unwrap_or(seen.value.is_secret()),
    };
    let changed = door_variables::change(&door, seen, wanted).await?;
    Ok(HttpResponse::Ok().json(VariableShape::of(&changed)))
}

/// Deletes a variable. For administrators.
#[utoipa::path(tag = "variables", responses((status = 204), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
#[delete("/variables/{name}")]
pub async fn remove(
    door: web::Data<Door>,
    identity: Identity,
    name: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    auth::require_admin(&identity)?;
    let name = name.into_inner();
    door.store.write(move |c| variables::delete(c, &name)).await?;
    Ok(HttpResponse::NoContent().finish())
}
