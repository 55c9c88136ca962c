//! Pages kept for a moment. A page of the store's rows is the same, byte for byte, for the same reader in
//! the same second as long as nothing was written: so a house full of open home pages costs one.
//!
//! Never for a page that shows what is not in the store, or a notice that is seen once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;

use super::visit::Visit;
use crate::web::pages::answer;

/// Readers and addresses at a time; a page takes tens of kilobytes.
const MOST: usize = 16;

#[derive(Default)]
pub struct Kept {
    pages: Mutex<HashMap<Key, Page>>,
}

/// Everything about the reader that shows.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Key {
    account: Option<i64>,
    form_token: String,
    look: (&'static str, &'static str),
    address: String,
}

/// Of what moment a page is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The number of writes so far.
    written: u64,
    second: i64,
}

struct Page {
    moment: Moment,
    html: Bytes,
}

impl Moment {
    /// Take it before reading any row.
    pub fn now(visit: &Visit) -> Self {
        Moment { written: visit.door.store.writes(), second: visit.page.now.as_second() }
    }
}

impl Kept {
    /// The key for the page the visitor asks for; `None` when it is not to be kept.
    pub fn key(visit: &Visit) -> Option<Key> {
        visit.page.notice.is_none().then(|| Key {
            account: visit.identity.known().map(|known| known.account.id),
            form_token: visit.page.csrf.clone(),
            look: (visit.page.language.as_str(), visit.page.theme.as_str()),
            address: visit.page.path.clone(),
        })
    }

    pub fn find(&self, key: &Key, moment: Moment) -> Option<HttpResponse> {
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let page = pages.get(key).filter(|page| page.moment == moment)?;
        Some(answer(StatusCode::OK, page.html.clone()))
    }

    pub fn keep(&self, key: Key, moment: Moment, html: &Bytes) {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if pages.len() >= MOST {
            pages.clear();
        }
        pages.insert(key, Page { moment, html: html.clone() });
    }
}
