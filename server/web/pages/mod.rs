//! Pages for people: one page, one file, each a struct of plain view data and a template of the same name.
//!
//! # How a page is filled
//!
//! A page's struct has `page: Page` (who looks, in which language, from where) and the data of that
//! page: model types (`Status`, `Timestamp`, `Message`, `Cause`), strings and numbers, nothing lazy. The
//! handler reads the store, builds the struct and answers with `respond(&page)`. No page reads anything
//! itself, and none builds an address by hand: that is `links`.
//!
//! # How a template speaks
//!
//! Every sentence is `{{ page.t("web-key") }}` or `{{ page.t("web-key").with("name", value) }}`; a stored
//! `Message` is `{{ page.m(message) }}`. Askama escapes what comes out, so arguments are text and nothing
//! else. Repeated pieces are methods of `Page` that return small templates (`page.status(..)`,
//! `page.time(..)`, `page.icon(..)`); they are the only values that are HTML. A test finds keys that do
//! not exist, lack an argument or are used nowhere.

pub mod account;
pub mod activity;
pub mod browse;
pub mod causality;
pub mod endpoints;
pub mod error;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod examples_causality;
#[cfg(test)]
mod examples_endpoints;
#[cfg(test)]
mod examples_streams;
#[cfg(test)]
mod examples_webhooks;
mod frame;
pub mod health;
pub mod home;
pub mod links;
pub mod pieces;
pub mod pipeline;
pub mod readme;
pub mod registry;
pub mod repository;
pub mod repository_settings;
pub mod run;
pub mod streams;
pub mod webhooks;

use std::fmt;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use jiff::Timestamp;

pub use pieces::{Bars, CommitBrief, Notice, RunBrief, spoken_duration, spoken_size};

use crate::messages::{self, Language};
use crate::model::{Message, Status};

/// What every page may rely on: one scheme, the only sources of anything are ourselves.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
     connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The cookie and the `data-theme` attribute; `Auto` follows the browser.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    #[default]
    Auto,
    Light,
    Dark,
}

impl Theme {
    pub const ALL: [Theme; 3] = [Theme::Auto, Theme::Light, Theme::Dark];

    pub const fn as_str(self) -> &'static str {
        match self {
            Theme::Auto => "auto",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    /// From the cookie; anything unknown is `Auto`.
    pub fn from_cookie(value: Option<&str>) -> Theme {
        Theme::ALL.into_iter().find(|t| Some(t.as_str()) == value).unwrap_or_default()
    }
}

#[derive(Clone, Debug)]
pub struct Viewer {
    pub name: String,
    pub admin: bool,
}

/// What every template knows of the request.
#[derive(Clone, Debug)]
pub struct Page {
    pub language: Language,
    pub theme: Theme,
    /// `None` before signing in.
    pub viewer: Option<Viewer>,
    /// Goes into every form as the hidden field `csrf`.
    pub csrf: String,
    /// Path and query of this request: where changing language or theme comes back to.
    pub path: String,
    pub now: Timestamp,
    /// One sentence about what the last form did.
    pub notice: Option<Notice>,
}

impl Page {
    /// The sentence `key` in the viewer's language, for `{{ }}`.
    pub fn t(&self, key: &'static str) -> Phrase {
        Phrase { language: self.language, key, args: Vec::new() }
    }

    /// A stored message in the viewer's language.
    pub fn m(&self, message: &Message) -> String {
        messages::render(self.language, message)
    }

    pub fn top(&self) -> frame::Top<'_> {
        frame::Top { page: self }
    }

    pub fn told<'a>(&'a self, notice: &'a Notice) -> frame::Told<'a> {
        frame::Told { page: self, notice }
    }

    pub fn bottom(&self) -> frame::Bottom<'_> {
        frame::Bottom { page: self }
    }

    pub fn asset(&self, name: &str) -> &'static str {
        super::assets::address(name)
    }

    pub fn icon(&self, name: &'static str) -> pieces::Icon {
        pieces::Icon(name)
    }

    /// Icon, word and colour of a status.
    pub fn status(&self, status: &Status) -> pieces::StatusMark {
        pieces::StatusMark::new(self.language, *status)
    }

    /// The word alone.
    pub fn status_word(&self, status: &Status) -> String {
        messages::render(self.language, &pieces::status_message(*status))
    }

    /// `3 min ago` with the exact time on it.
    pub fn time(&self, at: &Timestamp) -> pieces::Time {
        pieces::Time::new(self, *at)
    }

    /// `2026-11-20 12:52:03 UTC`.
    pub fn date_time(&self, at: &Timestamp) -> String {
        messages::date_time(*at).to_string()
    }

    /// `1m 23s`.
    pub fn duration(&self, seconds: &u64) -> String {
        spoken_duration(self.language, *seconds)
    }

    /// `12.3 MB`.
    pub fn size(&self, bytes: &u64) -> String {
        spoken_size(*bytes)
    }

    pub fn cause(&self, cause: &crate::model::Cause) -> String {
        messages::render(self.language, &pieces::cause_message(cause))
    }

    pub fn languages(&self) -> [Language; 4] {
        Language::ALL
    }

    /// Signing in comes back to this page.
    pub fn sign_in_href(&self) -> String {
        links::sign_in(&self.path)
    }

    pub fn is_admin(&self) -> bool {
        self.viewer.as_ref().is_some_and(|v| v.admin)
    }

    /// Whether the page belongs to the part of the site below `prefix`, for the navigation.
    pub fn is_below(&self, prefix: &str) -> bool {
        let rest = self.path.strip_prefix(prefix);
        rest.is_some_and(|r| r.is_empty() || r.starts_with(['/', '?']))
    }
}

/// A sentence that is still collecting its arguments; shown by `Display`, escaped by the template.
#[derive(Clone, Debug)]
pub struct Phrase {
    language: Language,
    key: &'static str,
    args: Vec<(&'static str, String)>,
}

impl Phrase {
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.args.push((name, value.to_string()));
        self
    }
}

impl fmt::Display for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let args = self.args.iter().map(|(name, value)| (*name, value.as_str()));
        f.write_str(&messages::render_parts(self.language, self.key, args))
    }
}

/// 200 with the page and the headers every page has.
pub fn respond(page: &impl askama::Template) -> HttpResponse {
    respond_with(StatusCode::OK, page)
}

/// As `respond`, with another status (a form shown again with what is wrong, an error page).
pub fn respond_with(status: StatusCode, page: &impl askama::Template) -> HttpResponse {
    match page.render() {
        Ok(html) => answer(status, html.into()),
        Err(cause) => {
            tracing::error!(%cause, "page could not be written");
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// A page that has been written.
pub fn answer(status: StatusCode, html: actix_web::web::Bytes) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header(("Content-Type", "text/html; charset=utf-8"))
        .insert_header(("Content-Security-Policy", CONTENT_SECURITY_POLICY))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .insert_header(("Referrer-Policy", "same-origin"))
        .insert_header(("Cross-Origin-Opener-Policy", "same-origin"))
        .insert_header(("Cache-Control", "no-store"))
        .body(html)
}
