//! A run while it happens, as server-sent events. There is no queue per reader: a reader's place in the
//! log is a cursor, everything before it was read from the file, and a bell only says "look again". So a
//! slow reader loses nothing, and one who comes back with the last id goes on where they were.
//!
//! This stream is for programs: `run` (the run as the API shows it, whenever it changed), `log` (a piece
//! of a stage's log as it is) and `end`. Every event's id is a cursor, `STAGE.OFFSET`.

use std::collections::VecDeque;
use std::str::FromStr;
use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use futures_util::{Stream, stream};
use serde::Serialize;
use tokio::sync::watch;

use super::api::RunShape;
use super::state::Door;
use crate::logs::Logs;
use crate::messages::Language;
use crate::model::{Error, Result, Run};
use crate::store::runs;

/// Proxies and browsers give up on a silent connection; a comment keeps it open.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Bytes of a log in one event.
pub const PIECE: usize = 64 * 1024;

/// How far a reader has come: everything of the stages before `stage`, and of that one the first `offset` bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    pub stage: u32,
    pub offset: u64,
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.stage, self.offset)
    }
}

impl FromStr for Cursor {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let (stage, offset) = text.split_once('.').ok_or(())?;
        Ok(Cursor { stage: stage.parse().map_err(drop)?, offset: offset.parse().map_err(drop)? })
    }
}

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

    fn push_text(&mut self, name: &str, id: &str, data: &str) {
        self.waiting.push_back(event(name, id, data));
    }

    pub fn end(&mut self) {
        self.ended = true;
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

fn json(data: &impl Serialize) -> Result<String> {
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

/// The program's stream of a run, from `cursor` on.
pub fn run_events(door: &Door, run: &Run, cursor: Cursor, language: Language) -> HttpResponse {
    let reader = Reader { door: door.clone(), run: run.id, language, cursor, shown: String::new() };
    follow(door, Some(run.id), reader)
}

struct Reader {
    door: Door,
    run: i64,
    language: Language,
    cursor: Cursor,
    /// The run as it was last sent.
    shown: String,
}

#[derive(Serialize)]
struct LogPiece<'a> {
    stage: u32,
    /// Byte at which `text` starts.
    from: u64,
    text: &'a str,
}

impl Look for Reader {
    async fn look(&mut self, _: &mut Bells, news: &mut News) -> Result<()> {
        let Some(run) = self.door.store.read(|c| runs::by_id(c, self.run))? else {
            news.end();
            return Ok(());
        };
        // The run before the log: when the run says it is over, the log read afterwards is whole.
        let shape = RunShape::read(&self.door, &run, self.language)?;
        let text = json(&shape)?;
        if text != self.shown {
            news.push_text("run", &self.cursor.to_string(), &text);
            self.shown = text;
        }
        while let Some(stage) = shape.stages.get(self.cursor.stage as usize) {
            let over = stage.status.is_final() || run.status.is_final();
            if self.read_piece(over, news).await? || !over {
                return Ok(());
            }
            self.cursor = Cursor { stage: self.cursor.stage + 1, offset: 0 };
        }
        if run.status.is_final() {
            news.push_text("end", &self.cursor.to_string(), run.status.as_str());
            news.end();
        }
        Ok(())
    }
}

impl Reader {
    /// The next piece of the log at the cursor; `false` when there is none.
    async fn read_piece(&mut self, over: bool, news: &mut News) -> Result<bool> {
        let Cursor { stage, offset } = self.cursor;
        let bytes = read(&self.door.logs, self.run, stage, offset).await?;
        // A character whose rest has not been written yet waits for it.
        let bytes = if over && bytes.len() < PIECE { &bytes[..] } else { whole_characters(&bytes) };
        if bytes.is_empty() {
            return Ok(false);
        }
        let text = String::from_utf8_lossy(bytes);
        self.cursor.offset += bytes.len() as u64;
        news.push("log", &self.cursor.to_string(), &LogPiece { stage, from: offset, text: &text })?;
        Ok(true)
    }
}

/// At most one piece of a log, read off the event loop.
async fn read(logs: &Logs, run: i64, stage: u32, from: u64) -> Result<Bytes> {
    let logs = logs.clone();
    let work = web::block(move || logs.read(run, stage, from, PIECE));
    work.await.map_err(|e| Error::internal("read a log", e))?
}

/// Without the first bytes of a character at the end that is not all there.
fn whole_characters(bytes: &[u8]) -> &[u8] {
    let start = bytes.len().saturating_sub(3);
    for (at, byte) in bytes.iter().enumerate().skip(start) {
        let length = match byte {
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            _ => 1,
        };
        if at + length > bytes.len() {
            return &bytes[..at];
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn events_are_written_as_the_format_wants() {
        assert_eq!(event("log", "0.5", "a\nb"), "event: log\nid: 0.5\ndata: a\ndata: b\n\n");
        assert_eq!("3.17".parse(), Ok(Cursor { stage: 3, offset: 17 }));
        assert!("3".parse::<Cursor>().is_err() && "-1.2".parse::<Cursor>().is_err());
    }

    proptest! {
        #[test]
        fn text_is_never_cut_within_a_character(text in "\\PC{0,40}", cut in any::<prop::sample::Index>()) {
            let bytes = &text.as_bytes()[..cut.index(text.len() + 1)];
            let whole = whole_characters(bytes);
            prop_assert!(std::str::from_utf8(whole).is_ok() && bytes.len() - whole.len() < 4);
        }

        #[test]
        fn anything_else_is_passed_on(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            prop_assert!(bytes.len() - whole_characters(&bytes).len() < 4);
        }
    }
}
