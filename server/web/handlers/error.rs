//! Failures as pages, in the reader's language. Whoever has to sign in first is sent there and comes back.

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};

use super::visit::{self, Answer, Visit};
use crate::model::Message;
use crate::msg;
use crate::web::errors::{Failure, Shown};
use crate::web::pages::error::ErrorPage;
use crate::web::pages::{links, respond_with};

/// Addresses that nobody serves.
pub async fn nothing(_: Visit) -> Answer {
    Err(Failure::not_found())
}

/// A failure as a page.
pub fn page(request: &HttpRequest, status: StatusCode, shown: &Shown) -> HttpResponse {
    let page = visit::page_of(request);
    if status == StatusCode::UNAUTHORIZED && request.method() == Method::GET {
        return visit::see(&links::sign_in(&page.path));
    }
    let error = ErrorPage {
        page,
        status: status.as_u16(),
        title: title(status),
        message: shown.message.clone(),
        id: shown.id.clone(),
    };
    respond_with(status, &error)
}

fn title(status: StatusCode) -> Message {
    match status {
        StatusCode::NOT_FOUND => msg!("web-error-not-found"),
        StatusCode::CONFLICT => msg!("web-error-conflict"),
        StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => msg!("web-error-denied"),
        StatusCode::TOO_MANY_REQUESTS => msg!("pages-error-too-many"),
        status if status.is_client_error() => msg!("web-error-invalid"),
        _ => msg!("web-error-internal"),
    }
}
