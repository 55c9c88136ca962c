//! What goes out with every answer but git's: the headers that keep a browser from doing more than show a page, fewer
//! of them for registries. Also turns HEAD into GET without a body, and a panic into an answer.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::{HttpResponse, ResponseError};
use futures_util::FutureExt as _;

use super::errors::Failure;
use super::{git, hooks};
use crate::msg;

/// For a handler to begin its answer; nothing of ours takes near as long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Nothing from elsewhere, nothing inline, nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'";

/// Middleware, outermost.
pub async fn secure(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    // git's own tests want exactly git's headers. A registry is no browser, and tells by the thousand.
    let (is_git, is_hook) = (git::is_address(request.path()), hooks::is_address(request.path()));
    let is_head = request.method() == Method::HEAD;
    if is_head {
        // The connection remembers that it was HEAD and sends no body.
        request.head_mut().method = Method::GET;
    }
    let mut response = next.call(request).await?.map_into_boxed_body();
    if is_head && matches!(response.response().body().size(), BodySize::Stream) {
        response = response.map_body(|_, _| BoxBody::new(()));
    }
    if !is_git {
        add(response.headers_mut(), &FOR_ALL);
    }
    if !is_git && !is_hook {
        add(response.headers_mut(), &FOR_BROWSERS);
    }
    Ok(response)
}

// Made when the program is compiled: nearly every answer has them.
static FOR_ALL: [(HeaderName, HeaderValue); 2] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
];
static FOR_BROWSERS: [(HeaderName, HeaderValue); 5] = [
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
];

fn add<'a>(headers: &mut HeaderMap, these: impl IntoIterator<Item = &'a (HeaderName, HeaderValue)>) {
    for (name, value) in these {
        if !headers.contains_key(name) {
            headers.insert(name.clone(), value.clone());
        }
    }
}

/// Middleware: refuses packed bodies everywhere but under git's addresses and those of registries, where they are
/// unpacked piece by piece. A megabyte may be a gigabyte, and would be one before its length could be judged.
pub async fn plain_bodies(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let encoding = request.headers().get(CONTENT_ENCODING).filter(|value| *value != "identity");
    let path = request.path();
    if encoding.is_some() && !git::is_address(path) && !hooks::is_address(path) {
        return Ok(request.error_response(Failure::Unsupported(msg!("api-body-encoding"))));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

/// Middleware, innermost: a handler that panics costs its request an answer 500, one that waits too long
/// (for a body that trickles in) an answer 408; nobody else notices.
pub async fn survive(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let may_take_long = git::is_exchange(request.path());
    let handled = AssertUnwindSafe(next.call(request)).catch_unwind();
    let handled = match may_take_long {
        true => Ok(handled.await),
        false => tokio::time::timeout(PATIENCE, handled).await,
    };
    match handled {
        Ok(Ok(answer)) => Ok(answer?.map_into_boxed_body()),
        Ok(Err(_)) => {
            tracing::error!("a handler panicked");
            Err(Fallen::Panicked.into())
        }
        Err(_) => Err(Fallen::TookTooLong.into()),
    }
}

/// The request went down with its handler, so this answer cannot be made for it.
#[derive(Debug, thiserror::Error)]
enum Fallen {
    #[error("panicked")]
    Panicked,
    #[error("took too long")]
    TookTooLong,
}

impl ResponseError for Fallen {
    fn error_response(&self) -> HttpResponse {
        let (mut response, code, message) = match self {
            Fallen::Panicked => {
                let message = "The server made a mistake; its log has the cause.";
                (HttpResponse::InternalServerError(), "api-internal", message)
            }
            Fallen::TookTooLong => {
                let mut response = HttpResponse::RequestTimeout();
                response.force_close();
                (response, "api-timeout", "The request took too long.")
            }
        };
        let mut response =
            response.json(serde_json::json!({ "error": { "code": code, "message": message } }));
        add(response.headers_mut(), FOR_ALL.iter().chain(&FOR_BROWSERS));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::middleware::from_fn;
    use actix_web::{App, test, web};

    async fn panics() -> HttpResponse {
        panic!("as the test wants")
    }

    #[actix_web::test]
    async fn a_panic_is_answered() {
        let app = App::new().route("/panics", web::get().to(panics));
        let app = test::init_service(app.wrap(from_fn(survive)).wrap(from_fn(secure))).await;
        for (path, status) in [("/panics", 500), ("/none", 404)] {
            let request = test::TestRequest::get().uri(path).to_request();
            let answer = match test::try_call_service(&app, request).await {
                Ok(response) => response.map_into_boxed_body().into_parts().1,
                Err(error) => error.error_response(),
            };
            assert_eq!(answer.status().as_u16(), status, "{path}");
            assert!(answer.headers().contains_key("content-security-policy"), "{path}");
        }
    }
}
