//! What goes on being sent while something happens, as server-sent events. There is no queue per reader: a
//! reader knows how far it has come, everything before that was read from files and rows, and a bell only
//! says "look again". So a slow reader loses nothing, and one who comes back goes on where they were.

use std::collections::VecDeque;
use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use futures_util::{Stream, stream};
use serde::Serialize;
use tokio::sync::watch;

use super::state::Door;
use crate::model::{Error, Result};

/// Proxies and browsers give up on a silent connection; a comment keeps it open.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Bytes of a log in one event.
pub const PIECE: usize = 64 * 1024;

/// `Last-Event-ID`, as the browser or program sends it when it comes back.
pub fn last_event_id(request: &HttpRequest) -> Option<&str> {
    request.headers().get("last-event-id").and_then(|value| value.to_str().ok())
}

/// What wakes a reader: the store's bell and, for one of a run, its log's.
pub struct Bells {
    store: watch::Receiver<u64>,
    log: Option<watch::Receiver<u64>>,
    closing: watch::Receiver<bool>,
    /// The store's bell rang since somebody asked; at first, as if it had.
    store_rang: bool,
}

impl Bells {
    fn of(door: &Door, run: Option<i64>) -> Self {
        let log = run.map(|run| door.logs.bell(run));
        Bells { store: door.store.bell(), log, closing: door.closing.clone(), store_rang: true }
    }

    fn is_closing(&self) -> bool {
        *self.closing.borrow()
    }

    /// Before looking, so that nothing rung during the look is missed.
    fn take(&mut self) {
        self.store_rang |= self.store.has_changed().unwrap_or(true);
        self.store.borrow_and_update();
        if let Some(log) = &mut self.log {
            log.borrow_and_update();
        }
    }

    /// Whether anything was written to the store since this was last asked. Ask before reading the store.
    pub fn has_store_rung(&mut self) -> bool {
        self.store_rang |= self.store.has_changed().unwrap_or(true);
        self.store.borrow_and_update();
        std::mem::take(&mut self.store_rang)
    }

    /// `false` when nothing rang for the length of a heartbeat.
    async fn wait(&mut self) -> bool {
        let log = async {
            match &mut self.log {
                Some(log) => log.changed().await.is_err(),
                None => std::future::pending().await,
            }
        };
        let closing = async {
            if self.closing.wait_for(|closing| *closing).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let gone = tokio::select! {
            gone = log => gone,
            () = closing => return true,
            _ = self.store.changed() => { self.store_rang = true; false }
            () = tokio::time::sleep(HEARTBEAT) => return false,
        };
        if gone {
            // The run has ended; the store says the rest.
            self.log = None;
        }
        true
    }
}

/// What one look brought: events to send, and whether nothing will come after them.
#[derive(Default)]
pub struct News {
    waiting: VecDeque<Bytes>,
    ended: bool,
}

impl News {
    /// `id` lets a reader who got this event go on after it.
    pub fn push(&mut self, name: &str, id: &str, data: &impl Serialize) -> Result<()> {
        self.push_text(name, id, &json(data)?);
        Ok(())
    }

    /// `data` as it is.
    pub fn push_text(&mut self, name: &str, id: &str, data: &str) {
        self.waiting.push_back(event(name, id, data));
    }

    pub fn end(&mut self) {
        self.ended = true;
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

/// As it is sent.
pub fn json(data: &impl Serialize) -> Result<String> {
    serde_json::to_string(data).map_err(|e| Error::internal("write JSON", e))
}

/// A reader's idea of what is new. It reads at most one piece of one log per look.
pub trait Look {
    /// Puts what is new into `news`; nothing means that only a bell can bring more.
    async fn look(&mut self, bells: &mut Bells, news: &mut News) -> Result<()>;
}

/// The answer that sends what `look` finds, until it says that it has ended. With a run, its log wakes it, too.
pub fn follow(door: &Door, run: Option<i64>, look: impl Look + 'static) -> HttpResponse {
    let state = (look, Bells::of(door, run), News::default());
    streaming(stream::try_unfold(state, |(mut look, mut bells, mut news)| async move {
        let sent = next(&mut look, &mut bells, &mut news).await?;
        Ok(sent.map(|event| (event, (look, bells, news))))
    }))
}

async fn next(look: &mut impl Look, bells: &mut Bells, news: &mut News) -> Result<Option<Bytes>> {
    loop {
        if let Some(event) = news.waiting.pop_front() {
            return Ok(Some(event));
        }
        if news.ended || bells.is_closing() {
            return Ok(None);
        }
        bells.take();
        look.look(bells, news).await?;
        if news.waiting.is_empty() && !news.ended && !bells.wait().await {
            return Ok(Some(heartbeat()));
        }
    }
}

/// One event, ready to be sent. Line breaks in `data` become several `data:` lines, as the format wants.
fn event(name: &str, id: &str, data: &str) -> Bytes {
    let mut out = format!("event: {name}\nid: {id}\n");
    for line in data.split('\n') {
        out.push_str("data: ");
        out.push_str(line);
        out.push('\n');
    }
    out.push('\n');
    out.into()
}

fn heartbeat() -> Bytes {
    Bytes::from_static(b": still here\n\n")
}

/// An answer that is an event stream.
fn streaming(events: impl Stream<Item = Result<Bytes, Error>> + 'static) -> HttpResponse {
    use futures_util::TryStreamExt as _;
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // Nothing may wait for more before it compresses.
        .insert_header((CONTENT_ENCODING, "identity"))
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(Box::pin(events.map_err(super::errors::Failure::from)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_written_as_the_format_wants() {
        assert_eq!(event("log", "0.5", "a\nb"), "event: log\nid: 0.5\ndata: a\ndata: b\n\n");
    }
}
