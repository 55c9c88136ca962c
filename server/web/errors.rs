//! From errors to answers: the one place that knows HTTP statuses. Handlers return a `Failure`; what it
//! looks like (JSON for programs, a page for people) is decided by `present`, from the address alone.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT_LANGUAGE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use serde::Serialize;

use crate::messages::{self, Language};
use crate::model::{Error, Message, Secret};
use crate::msg;

/// Why a request was not done.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Known(#[from] Error),
    /// Nobody signed in, or with the wrong credentials.
    #[error("unauthenticated: {0}")]
    Unauthenticated(Message),
    /// Too many failures from there; the seconds to wait.
    #[error("too many attempts")]
    TooMany { seconds: u64 },
    /// Longer than this address takes.
    #[error("too large")]
    TooLarge,
    /// A body of a kind this address does not take.
    #[error("unsupported: {0}")]
    Unsupported(Message),
}

impl Failure {
    pub fn unauthenticated() -> Self {
        Failure::Unauthenticated(msg!("auth-required"))
    }

    pub fn not_found() -> Self {
        Failure::Known(Error::NotFound(msg!("api-not-found")))
    }

    pub fn status(&self) -> StatusCode {
        match self {
            Failure::Known(error) => match error {
                Error::NotFound(_) => StatusCode::NOT_FOUND,
                Error::Conflict(_) => StatusCode::CONFLICT,
                Error::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
                Error::Denied(_) => StatusCode::FORBIDDEN,
                Error::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
                Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
            },
            Failure::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
            Failure::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Failure::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Failure::Unsupported(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }

    /// The sentence to show; for `Internal` a fixed one with the id under which the log has the cause.
    pub fn shown(&self) -> Shown {
        let message = match self {
            Failure::Known(error) => match error.message() {
                Some(message) => message.clone(),
                None => return internal(&error.to_string()),
            },
            Failure::Unauthenticated(message) | Failure::Unsupported(message) => message.clone(),
            Failure::TooMany { seconds } => msg!("auth-too-many", seconds = seconds),
            Failure::TooLarge => msg!("api-too-large"),
        };
        Shown { message, id: None }
    }
}

/// What a person gets to read of a failure.
#[derive(Clone, Debug)]
pub struct Shown {
    pub message: Message,
    /// Only for internal errors.
    pub id: Option<String>,
}

fn internal(cause: &str) -> Shown {
    let id = Secret::random(6).map(|id| id.reveal().to_owned()).unwrap_or_default();
    tracing::error!(id, cause = %cause.escape_debug(), "a request failed");
    Shown { message: msg!("api-internal", id = id), id: Some(id) }
}

/// Without the request there is no language to choose: `present` writes the body again.
impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        self.status()
    }
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::new(self.status());
        if let Failure::TooMany { seconds } = self {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(*seconds));
        }
        response
    }
}

/// `{"error": {"code", "message", "id"?}}`.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ErrorBody {
    pub error: ErrorDetail,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct ErrorDetail {
    /// Key of the message, the same in every language.
    pub code: String,
    pub message: String,
    /// Under which the server's log has the cause of an internal error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// Middleware: gives failures their body. Runs outside of the routes and inside of the headers.
pub async fn present(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let response = next.call(request).await?.map_into_boxed_body();
    let Some(failure) = failure_of(&response) else { return Ok(response) };
    let (request, before) = response.into_parts();
    let status = failure.status();
    let shown = failure.shown();
    let path = request.path();
    let mut answer = if path.starts_with("/api/") || super::hooks::is_address(path) {
        json(&request, status, &shown)
    } else if super::git::is_address(path) {
        super::git::failure(&request, status, &shown)
    } else {
        super::handlers::error::page(&request, status, &shown)
    };
    for (name, value) in before.headers() {
        if !answer.headers().contains_key(name) {
            answer.headers_mut().insert(name.clone(), value.clone());
        }
    }
    Ok(ServiceResponse::new(request, answer))
}

/// The failure behind an answer: ours, or what actix itself refused (no route, a broken body).
fn failure_of(response: &ServiceResponse<BoxBody>) -> Option<Failure> {
    if let Some(error) = response.response().error() {
        return Some(match error.as_error::<Failure>() {
            Some(failure) => failure.clone(),
            None => refused(error.as_response_error().status_code(), &error.to_string()),
        });
    }
    let bare = matches!(
        response.response().body().size(),
        actix_web::body::BodySize::None | actix_web::body::BodySize::Sized(0)
    );
    let status = response.status();
    (bare && matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED))
        .then(Failure::not_found)
}

fn refused(status: StatusCode, cause: &str) -> Failure {
    match status {
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Failure::not_found(),
        StatusCode::PAYLOAD_TOO_LARGE => Failure::TooLarge,
        status if status.is_client_error() => {
            let cause: String = cause.chars().take(200).collect::<String>().escape_debug().to_string();
            Failure::Known(Error::Invalid(msg!("api-malformed", cause = cause)))
        }
        _ => Failure::Known(Error::Internal(cause.to_owned())),
    }
}

fn json(request: &HttpRequest, status: StatusCode, shown: &Shown) -> HttpResponse {
    let message = messages::render(language(request), &shown.message);
    let error = ErrorDetail { code: shown.message.key.to_string(), message, id: shown.id.clone() };
    let mut response = HttpResponse::build(status);
    if status == StatusCode::UNAUTHORIZED {
        // Not Basic: a browser would open a window of its own for that.
        response.insert_header((WWW_AUTHENTICATE, "Bearer realm=\"Ropewalk\""));
    }
    response.json(ErrorBody { error })
}

/// For programs: what they ask for, else English.
pub fn language(request: &HttpRequest) -> Language {
    let accept = request.headers().get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    Language::negotiate(None, None, accept)
}
