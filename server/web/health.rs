//! `/healthz`: the process answers. `/health`: what is wrong and how to mend it, for machines; people
//! have a page. Nothing is measured here: it is what the house saw when it last looked around.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::errors;
use super::state::Door;
use crate::messages;
use crate::model::Condition;

#[derive(Serialize, ToSchema)]
pub struct HealthShape {
    /// The worst of its parts.
    pub status: Condition,
    pub version: String,
    pub checks: Vec<CheckShape>,
}

#[derive(Serialize, ToSchema)]
pub struct CheckShape {
    pub part: &'static str,
    pub status: Condition,
    pub code: String,
    /// What is so, and how to mend it.
    pub message: String,
    pub at: String,
}

/// `GET /healthz`.
pub async fn alive() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")
}

/// `GET /health`: 200 while work can go on, 503 when it cannot.
pub async fn health(request: HttpRequest, door: web::Data<Door>) -> HttpResponse {
    let language = errors::language(&request);
    let seen = door.surroundings.borrow().clone();
    let checks = seen.checks.iter().map(|check| CheckShape {
        part: check.part,
        status: check.condition,
        code: check.message.key.to_string(),
        message: messages::render(language, &check.message),
        at: check.at.to_string(),
    });
    let status = seen.condition();
    let shape = HealthShape { status, version: door.settings.version.clone(), checks: checks.collect() };
    let code = match status {
        Condition::Ok | Condition::Degraded => StatusCode::OK,
        Condition::Failing => StatusCode::SERVICE_UNAVAILABLE,
    };
    HttpResponse::build(code).json(shape)
}
