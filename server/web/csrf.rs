//! Requests that another site made a browser send. Two walls: where the request comes from must be here
//! (`check_origin`, for everything that changes something), and it must carry the session's own token,
//! which no other site can read (`Posted` for forms, the header `X-Csrf-Token` for scripts of ours).

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HOST, HeaderMap, ORIGIN};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::future::LocalBoxFuture;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::auth::{self, Identity, Via};
use super::errors::Failure;
use crate::model::{Error, Secret};
use crate::msg;

const HEADER: &str = "x-csrf-token";

/// Middleware: refuses what changes something and was sent by a page of another site, whatever
/// credentials it has; browsers send Basic credentials along by themselves.
pub async fn check_origin(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    if !is_safe(request.method()) && is_foreign(request.headers()) {
        let refused = Failure::Known(Error::Denied(msg!("auth-foreign-origin")));
        return Ok(request.error_response(refused));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

pub fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}

/// Whether a browser says that another site sent this. Programs say nothing and are not browsers.
fn is_foreign(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = text("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text(ORIGIN.as_str()) else { return false };
    let host = text(HOST.as_str()).unwrap_or_default();
    let from = origin.split_once("://").map_or("", |(_, from)| from);
    from.is_empty() || !from.eq_ignore_ascii_case(host)
}

/// For the API with a session cookie: what changes something carries the token in a header.
pub fn check_api(request: &HttpRequest, identity: &Identity) -> Result<(), Failure> {
    if is_safe(request.method()) || !request.path().starts_with("/api/") {
        return Ok(());
    }
    let given = request.headers().get(HEADER).and_then(|value| value.to_str().ok());
    check(identity, given.unwrap_or_default())
}

/// `Denied` unless `given` is the form token of the caller's session.
pub fn check(identity: &Identity, given: &str) -> Result<(), Failure> {
    match identity.known().map(|known| &known.via) {
        Some(Via::Session { csrf, .. }) if !Secret::new(csrf.as_str()).matches(given) => {
            Err(Error::Denied(msg!("auth-form-expired")).into())
        }
        _ => Ok(()),
    }
}

/// A form somebody signed in has sent: extracting it checks its field `csrf`, so no handler can forget to.
pub struct Posted<T> {
    pub identity: Identity,
    pub form: T,
}

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    csrf: String,
}

impl<T: DeserializeOwned + 'static> FromRequest for Posted<T> {
    type Error = Failure;
    type Future = LocalBoxFuture<'static, Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let body = web::Bytes::from_request(&request, payload);
        Box::pin(async move {
            let identity = auth::identify(&request).await?;
            let body = body.await.map_err(|_| Failure::TooLarge)?;
            let malformed = || Failure::Known(Error::Invalid(msg!("api-form-malformed")));
            let body = std::str::from_utf8(&body).map_err(|_| malformed())?;
            let token = web::Query::<Token>::from_query(body).map_err(|_| malformed())?;
            check(&identity, &token.csrf)?;
            let form = web::Query::<T>::from_query(body).map_err(|_| malformed())?.into_inner();
            Ok(Posted { identity, form })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let one = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(one).collect()
    }

    #[test]
    fn only_this_site_may_send_forms() {
        let host = ("host", "localhost:3000");
        for foreign in [
            vec![host, ("origin", "http://evil.example")],
            vec![host, ("origin", "http://localhost:3001")],
            vec![host, ("origin", "null")],
            vec![host, ("origin", "")],
            vec![host, ("origin", "http://")],
            vec![host, ("sec-fetch-site", "cross-site")],
            vec![host, ("sec-fetch-site", "same-site"), ("origin", "http://localhost:3000")],
        ] {
            assert!(is_foreign(&headers(&foreign)), "{foreign:?}");
        }
        for ours in [
            vec![host],
            vec![host, ("origin", "http://localhost:3000")],
            vec![host, ("sec-fetch-site", "same-origin"), ("origin", "http://localhost:3000")],
            vec![host, ("sec-fetch-site", "none")],
        ] {
            assert!(!is_foreign(&headers(&ours)), "{ours:?}");
        }
    }
}
