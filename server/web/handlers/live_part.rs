//! A part of a page that stays current while the page is open: whenever something was written to the store, the part
//! is written anew, and sent when it says something else than before. What is sent is what the page itself
//! would show; the script in the browser puts it in the place of the same name and understands nothing.
//!
//! Which part of which page it is, the page's own handler knows.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use super::visit::Visit;
use crate::model::{Error, Result};
use crate::web::errors::Failure;
use crate::web::live::{self, Bells, Look, News};

/// The part's element.
const PLACE: &str = "live";
/// A busy house writes often; nobody reads faster than this.
const PAUSE: Duration = Duration::from_millis(250);

/// How a part is written. A failure that is not the server's own ends the stream: it is nothing for this visitor
/// any more.
pub trait Part: 'static {
    async fn html(&self, visit: &Visit) -> Result<String, Failure>;
}

/// As of when a page is, for its stream to begin there. Take it before reading any row.
pub fn as_of(visit: &Visit) -> String {
    format!("{}.{}", visit.shared.started_at.as_millisecond(), visit.door.store.writes())
}

/// As of when the page is that asks.
#[derive(Deserialize)]
pub struct Since {
    #[serde(default)]
    from: String,
}

pub fn follow(request: &HttpRequest, visit: Visit, since: &Since, part: impl Part) -> HttpResponse {
    let door = visit.door.clone();
    let since = live::last_event_id(request).unwrap_or(&since.from).to_owned();
    let opened = visit.page.now;
    live::follow(&door, None, Reader { visit, part, opened, since, shown: None, rested: Instant::now() })
}

pub fn html(part: &impl Template) -> Result<String, Failure> {
    Ok(part.render().map_err(|e| Error::internal("write a part of a page", e))?)
}

struct Reader<P> {
    visit: Visit,
    part: P,
    /// For comparing: so that time passing is no news.
    opened: Timestamp,
    /// What the reader has seen before the first look.
    since: String,
    /// What was written last.
    shown: Option<u64>,
    /// Not before this again.
    rested: Instant,
}

impl<P: Part> Look for Reader<P> {
    async fn look(&mut self, bells: &mut Bells, news: &mut News) -> Result<()> {
        tokio::time::sleep_until(self.rested).await;
        if !bells.has_store_rung() {
            return Ok(());
        }
        self.rested = Instant::now() + PAUSE;
        match self.write(news).await {
            Ok(()) => Ok(()),
            Err(Failure::Known(Error::Internal(cause))) => Err(Error::Internal(cause)),
            Err(_) => {
                news.push("end", "", &json!({}))?;
                news.end();
                Ok(())
            }
        }
    }
}

impl<P: Part> Reader<P> {
    async fn write(&mut self, news: &mut News) -> Result<(), Failure> {
        let as_of = as_of(&self.visit);
        if !self.visit.is_still_let_in()? {
            return Err(Failure::unauthenticated());
        }
        self.visit.page.now = self.opened;
        let mut hash = DefaultHasher::new();
        self.part.html(&self.visit).await?.hash(&mut hash);
        let now = Some(hash.finish());
        let is_news = match self.shown {
            Some(_) => self.shown != now,
            None => self.since != as_of,
        };
        self.shown = now;
        if is_news {
            self.visit.page.now = Timestamp::now();
            let html = self.part.html(&self.visit).await?;
            news.push("swap", &as_of, &json!({ "id": PLACE, "html": html }))?;
        }
        Ok(())
    }
}
