//! What every page handler begins with: who looks, in which language and colours, and what the last
//! form did; and how handlers answer. A form's handler takes `Sent`, which has checked the form's token
//! before the handler exists, so none can forget to.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT_LANGUAGE, HOST, LOCATION};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::LocalBoxFuture;
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::commit_lines::CommitLines;
use super::kept::Kept;
use crate::messages::Language;
use crate::model::{Error, Message};
use crate::web::auth::{self, Identity};
use crate::web::csrf::Posted;
use crate::web::errors::Failure;
use crate::web::pages::{self, Notice, Page, Theme};
use crate::web::state::Door;

pub type Answer = Result<HttpResponse, Failure>;

pub const LANGUAGE_COOKIE: &str = "ropewalk_language";
pub const THEME_COOKIE: &str = "ropewalk_theme";
const NOTICE_COOKIE: &str = "ropewalk_notice";
/// Longer notices would not fit into a cookie.
const LONGEST_NOTICE: usize = 3000;

/// A name in the DNS and a port.
const LONGEST_HOST: usize = 260;

/// What the handlers of all workers share.
pub struct Shared {
    pub commits: CommitLines,
    pub kept: Kept,
    pub started_at: Timestamp,
}

impl Shared {
    pub fn new() -> Self {
        Shared { commits: CommitLines::default(), kept: Kept::default(), started_at: Timestamp::now() }
    }
}

pub struct Visit {
    pub door: web::Data<Door>,
    pub shared: web::Data<Shared>,
    pub identity: Identity,
    pub page: Page,
    /// How the browser calls the server; a stranger may have written it.
    pub host: String,
}

/// A form of somebody whose session's token it carries.
pub struct Sent<T> {
    pub visit: Visit,
    pub form: T,
}

impl Visit {
    fn new(request: &HttpRequest, identity: Identity) -> Result<Self, Failure> {
        let missing = || Failure::Known(Error::Internal("a handler's data is missing".into()));
        let door = request.app_data::<web::Data<Door>>().ok_or_else(missing)?.clone();
        let shared = request.app_data::<web::Data<Shared>>().ok_or_else(missing)?.clone();
        let page = page(request, &identity);
        let host = request.headers().get(HOST).and_then(|value| value.to_str().ok());
        let host = host.unwrap_or_default().chars().take(LONGEST_HOST).collect();
        // An error page of this request looks the same.
        request.extensions_mut().insert(page.clone());
        Ok(Visit { door, shared, identity, page, host })
    }

    /// Asks again who this is, for what goes on long after it was asked for: `false` when they have signed out, or
    /// their account is closed.
    pub fn is_still_let_in(&mut self) -> Result<bool, Error> {
        let now = auth::again(&self.door, &self.identity)?;
        Ok(now.map(|identity| self.identity = identity).is_some())
    }

    /// Name of whoever acts; `Unauthenticated` for nobody.
    pub fn by(&self) -> Result<String, Failure> {
        Ok(self.identity.require()?.account.name.to_string())
    }
}

impl FromRequest for Visit {
    type Error = Failure;
    type Future = LocalBoxFuture<'static, Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { Visit::new(&request, auth::identify(&request).await?) })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Sent<T> {
    type Error = Failure;
    type Future = LocalBoxFuture<'static, Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let posted = Posted::<T>::from_request(&request, payload);
        Box::pin(async move {
            let Posted { identity, form } = posted.await?;
            Ok(Sent { visit: Visit::new(&request, identity)?, form })
        })
    }
}

/// What templates know of the request.
fn page(request: &HttpRequest, identity: &Identity) -> Page {
    let account = identity.known().map(|known| &known.account);
    let setting = account.and_then(|account| account.language.as_deref()?.parse().ok());
    let accept = request.headers().get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let cookie = |name: &str| request.cookie(name).map(|cookie| cookie.value().to_owned());
    let viewer = |account: &crate::store::accounts::Account| pages::Viewer {
        name: account.name.to_string(),
        admin: account.admin,
    };
    Page {
        language: Language::negotiate(setting, cookie(LANGUAGE_COOKIE).as_deref(), accept),
        theme: Theme::from_cookie(cookie(THEME_COOKIE).as_deref()),
        viewer: account.map(viewer),
        csrf: identity.csrf().to_owned(),
        path: request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        now: Timestamp::now(),
        notice: cookie(NOTICE_COOKIE).and_then(|text| notice(&text)),
    }
}

/// The page of a request whose handler may not even have begun.
pub fn page_of(request: &HttpRequest) -> Page {
    let known = request.extensions().get::<Page>().cloned();
    known.unwrap_or_else(|| page(request, &Identity::Anonymous))
}

/// Goes on to an address of ours with a GET.
pub fn see(address: &str) -> HttpResponse {
    HttpResponse::build(StatusCode::SEE_OTHER).insert_header((LOCATION, address)).finish()
}

/// As `see`; the next page says what was done.
pub fn see_with(address: &str, message: &Message) -> HttpResponse {
    let text = serde_json::to_string(message).unwrap_or_default();
    let mut answer = see(address);
    if text.len() <= LONGEST_NOTICE {
        let cookie = Cookie::build(NOTICE_COOKIE, URL_SAFE_NO_PAD.encode(text))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .max_age(Duration::minutes(1))
            .finish();
        let _ = answer.add_cookie(&cookie);
    }
    answer
}

fn notice(text: &str) -> Option<Notice> {
    let message = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    Some(Notice { message, bad: false })
}

/// Middleware: a notice that was shown is not shown again.
pub async fn spend_notice(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let given = request.cookie(NOTICE_COOKIE).is_some();
    let mut response = next.call(request).await?.map_into_boxed_body();
    let is_page =
        response.headers().get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if given && is_page {
        let mut gone = Cookie::build(NOTICE_COOKIE, "").path("/").http_only(true).finish();
        gone.make_removal();
        let _ = response.response_mut().add_cookie(&gone);
    }
    Ok(response)
}

/// `next` when it is an address on this server, else home: never another site.
pub fn local(next: &str) -> &str {
    let outside = next.starts_with("//") || next.contains(|c: char| c == '\\' || c.is_control());
    if next.starts_with('/') && !outside { next } else { "/" }
}

/// A cookie that remembers a choice for a year.
pub fn choice(name: &'static str, value: &'static str) -> Cookie<'static> {
    Cookie::build(name, value)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .max_age(Duration::days(365))
        .finish()
}

/// What a form says about itself when it is shown again; other failures end the request.
pub fn complaint(failure: Failure) -> Result<Message, Failure> {
    match failure {
        Failure::Known(Error::Invalid(m) | Error::Conflict(m) | Error::Denied(m)) => Ok(m),
        Failure::Unauthenticated(m) => Ok(m),
        Failure::TooMany { .. } => Ok(failure.shown().message),
        other => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere() {
        for bad in
            ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil", "evil", "", "/a\r\nb"]
        {
            assert_eq!(local(bad), "/", "{bad:?}");
        }
        assert_eq!(local("/admin/numbers?at=a//b"), "/admin/numbers?at=a//b");
    }

    #[test]
    fn a_notice_travels_as_it_is() {
        let message = crate::msg!("pages-deleted", name = "<b>");
        let text = URL_SAFE_NO_PAD.encode(serde_json::to_string(&message).unwrap());
        assert_eq!(notice(&text).unwrap().message, message);
        assert!(notice("no").is_none());
    }
}
