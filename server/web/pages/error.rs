//! The page for everything that went wrong: what, why, and where to go from here.

use askama::Template;

use super::Page;
use crate::model::{Error, Message};
use crate::msg;

#[derive(Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    pub page: Page,
    /// The HTTP status.
    pub status: u16,
    pub title: Message,
    pub message: Message,
    /// Under which the log has the cause, for an internal error.
    pub id: Option<String>,
}

impl ErrorPage {
    /// `id` is used, and to be logged with the cause, only for `Internal`.
    pub fn new(page: Page, error: &Error, id: String) -> Self {
        let (status, title) = match error {
            Error::NotFound(_) => (404, msg!("web-error-not-found")),
            Error::Conflict(_) => (409, msg!("web-error-conflict")),
            Error::Invalid(_) => (400, msg!("web-error-invalid")),
            Error::Denied(_) => (403, msg!("web-error-denied")),
            Error::Unavailable(_) => (503, msg!("web-error-unavailable")),
            Error::Internal(_) => (500, msg!("web-error-internal")),
        };
        let message = error.message().cloned().unwrap_or_else(|| msg!("web-error-internal-text"));
        let id = (status == 500).then_some(id);
        ErrorPage { page, status, title, message, id }
    }
}
