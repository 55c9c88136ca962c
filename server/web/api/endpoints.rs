//! Endpoints: other registries this server may speak with. Passwords, tokens and their like never go out.

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};

use super::super::auth::{self, Identity};
use super::super::endpoints::{self as door_endpoints, Wanted};
use super::super::errors::{self, ErrorBody, Failure};
use super::super::state::Door;
use super::endpoint_shapes::{
    AcceptForm, CertificateShape, CertificatesShape, EndpointChange, EndpointShape, NewEndpointForm,
};
use crate::model::Secret;
use crate::registry::Certificate;
use crate::store::endpoints;

/// All endpoints, by name.
#[utoipa::path(tag = "endpoints", responses((status = 200, body = Vec<EndpointShape>), (status = 401, body = ErrorBody)))]
#[get("/endpoints")]
pub async fn list(
    door: web::Data<Door>,
    identity: Identity,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    identity.require()?;
    let all = door.store.read(endpoints::list)?;
    let language = errors::language(&request);
    let shapes: Vec<_> = all.iter().map(|one| EndpointShape::of(one, &identity, language)).collect();
    Ok(HttpResponse::Ok().json(shapes))
}

/// Makes an endpoint; nothing is contacted. For administrators.
#[utoipa::path(tag = "endpoints", request_body = NewEndpointForm,
    responses((status = 201, body = EndpointShape), (status = 403, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
#[post("/endpoints")]
pub async fn create(
    door: web::Data<Door>,
    identity: Identity,
    request: HttpRequest,
    new: web::Json<NewEndpointForm>,
) -> Result<HttpResponse, Failure> {
    let by = auth::require_admin(&identity)?.account.name.to_string();
    let new = new.into_inner();
    let wanted = Wanted {
        name: new.name,
        description: new.description,
        kind: new.kind.unwrap_or_else(|| "distribution".to_owned()),
        url: new.url,
        user: new.user,
        bearer: new.token.is_some(),
        secret: new.token.or(new.password).map(Secret::new),
        certificate: new.certificate,
        allowed: new.allowed_hosts,
    };
    let made = door_endpoints::save(&door, None, wanted, by).await?;
    Ok(HttpResponse::Created().json(EndpointShape::of(&made, &identity, errors::language(&request))))
}

/// An endpoint by name.
#[utoipa::path(tag = "endpoints", responses((status = 200, body = EndpointShape), (status = 404, body = ErrorBody)))]
#[get("/endpoints/{name}")]
pub async fn show(
    door: web::Data<Door>,
    identity: Identity,
    request: HttpRequest,
    name: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    identity.require()?;
    let found = door_endpoints::find(&door, &name)?;
    Ok(HttpResponse::Ok().json(EndpointShape::of(&found, &identity, errors::language(&request))))
}

/// Changes an endpoint. For administrators.
#[utoipa::path(tag = "endpoints", request_body = EndpointChange,
    responses((status = 200, body = EndpointShape), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
#[patch("/endpoints/{name}")]
pub async fn change(
    door: web::Data<Door>,
    identity: Identity,
    request: HttpRequest,
    (name, change): (web::Path<String>, web::Json<EndpointChange>),
) -> Result<HttpResponse, Failure> {
    let by = auth::require_admin(&identity)?.account.name.to_string();
    let found = door_endpoints::find(&door, &name)?;
    let (before, change) = (Wanted::of(&found), change.into_inner());
    let bearer = change.token.is_some() || (before.bearer && change.password.is_none());
    let wanted = Wanted {
        name: change.name.unwrap_or(before.name),
        description: change.description.unwrap_or(before.description),
        kind: change.kind.unwrap_or(before.kind),
        url: change.url.unwrap_or(before.url),
        user: change.user.unwrap_or(before.user),
        bearer,
        secret: change.token.or(change.password).map(Secret::new),
        certificate: change.certificate,
        allowed: change.allowed_hosts.unwrap_or(before.allowed),
    };
    let changed = door_endpoints::save(&door, Some(found), wanted, by).await?;
    Ok(HttpResponse::Ok().json(EndpointShape::of(&changed, &identity, errors::language(&request))))
}

/// Deletes an endpoint; its host is not contacted any more. For administrators.
#[utoipa::path(tag = "endpoints", responses((status = 204), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
#[delete("/endpoints/{name}")]
pub async fn remove(
    door: web::Data<Door>,
    identity: Identity,
    name: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    auth::require_admin(&identity)?;
    let name = name.into_inner();
    door.store.write(move |c| endpoints::delete(c, &name)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Tries the endpoint step by step and says how each step went. For administrators.
#[utoipa::path(tag = "endpoints", responses((status = 200, body = EndpointShape), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
#[post("/endpoints/{name}/validate")]
pub async fn validate(
    door: web::Data<Door>,
    identity: Identity,
    request: HttpRequest,
    name: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    auth::require_admin(&identity)?;
    let checked = door_endpoints::validate(&door, door_endpoints::find(&door, &name)?).await?;
    Ok(HttpResponse::Ok().json(EndpointShape::of(&checked, &identity, errors::language(&request))))
}

/// The certificates the endpoint presents now, and those that are believed. For administrators.
#[utoipa::path(tag = "endpoints", responses((status = 200, body = CertificatesShape), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
#[get("/endpoints/{name}/certificate")]
pub async fn certificate(
    door: web::Data<Door>,
    identity: Identity,
    name: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    auth::require_admin(&identity)?;
    let found = door_endpoints::certificates(&door, &door_endpoints::find(&door, &name)?).await?;
    let shapes = |all: &[Certificate]| all.iter().map(CertificateShape::of).collect();
    Ok(HttpResponse::Ok().json(CertificatesShape {
        presented: shapes(&found.presented),
        accepted: shapes(&found.accepted),
        is_accepted: found.is_accepted(),
    }))
}

/// Believes the certificate with this fingerprint, and no other. For administrators.
#[utoipa::path(tag = "endpoints", request_body = AcceptForm,
    responses((status = 200, body = EndpointShape), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
#[post("/endpoints/{name}/certificate")]
pub async fn accept(
    door: web::Data<Door>,
    identity: Identity,
    request: HttpRequest,
    (name, form): (web::Path<String>, web::Json<AcceptForm>),
) -> Result<HttpResponse, Failure> {
    let by = auth::require_admin(&identity)?.account.name.to_string();
    let found = door_endpoints::find(&door, &name)?;
    let changed = door_endpoints::accept(&door, found, &form.fingerprint, by).await?;
    Ok(HttpResponse::Ok().json(EndpointShape::of(&changed, &identity, errors::language(&request))))
}
