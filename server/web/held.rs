//! What a copy of another server's data refuses: everything that changes something. It can be looked at and cloned from,
//! and people can sign in. Nothing is taken in that the house it was copied from would not know of.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web;

use super::csrf;
use super::errors::Failure;
use super::state::Door;
use crate::model::Error;

/// What is only about the one who looks.
const OWN: [&str; 5] = ["/sign-in", "/sign-out", "/language", "/theme", "/settings/language"];

/// Middleware.
pub async fn refuse(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let held = request.app_data::<web::Data<Door>>().and_then(|door| door.held.clone());
    match held {
        Some(why) if changes(&request) => Ok(request.error_response(Failure::Known(Error::Conflict(why)))),
        _ => Ok(next.call(request).await?.map_into_boxed_body()),
    }
}

fn changes(request: &ServiceRequest) -> bool {
    let path = request.path();
    let pushes = request.query_string().contains("git-receive-pack");
    let asks = csrf::is_safe(request.method()) || OWN.contains(&path) || path.ends_with("/git-upload-pack");
    pushes || !asks
}
