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
const PIECE: usize = 64 * 1024;

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

/// What wakes a reader of a run: its log's bell and the store's.
pub struct Bells {
    store: watch::Receiver<u64>,
    log: Option<watch::Receiver<u64>>,
}

impl Bells {
    pub fn of(door: &Door, run: i64) -> Self {
        Bells { store: door.store.bell(), log: Some(door.logs.bell(run)) }
    }

    /// Before looking, so that nothing rung during the look is missed.
    pub fn take(&mut self) {
        self.store.borrow_and_update();
        if let Some(log) = &mut self.log {
            log.borrow_and_update();
        }
    }

    /// `false` when nothing rang for the length of a heartbeat.
    pub async fn wait(&mut self) -> bool {
        let log = async {
            match &mut self.log {
                Some(log) => log.changed().await.is_err(),
                None => std::future::pending().await,
            }
        };
        let gone = tokio::select! {
            gone = log => gone,
            _ = self.store.changed() => false,
            () = tokio::time::sleep(HEARTBEAT) => return false,
        };
        if gone {
            // The run has ended; the store says the rest.
            self.log = None;
        }
        true
    }
}

/// One event, ready to be sent. Line breaks in `data` become several `data:` lines, as the format wants.
pub fn event(name: &str, id: &str, data: &str) -> Bytes {
    let mut out = format!("event: {name}\nid: {id}\n");
    for line in data.split('\n') {
        out.push_str("data: ");
        out.push_str(line);
        out.push('\n');
    }
    out.push('\n');
    out.into()
}

pub fn heartbeat() -> Bytes {
    Bytes::from_static(b": still here\n\n")
}

/// An answer that is an event stream.
pub fn streaming(events: impl Stream<Item = Result<Bytes, Error>> + 'static) -> HttpResponse {
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
    let bells = Bells::of(door, run.id);
    let reader = Reader {
        door: door.clone(),
        run: run.id,
        language,
        cursor,
        bells,
        shown: String::new(),
        waiting: VecDeque::new(),
        ended: false,
    };
    streaming(stream::try_unfold(reader, |mut reader| async move {
        let next = reader.next().await?;
        Ok(next.map(|event| (event, reader)))
    }))
}

struct Reader {
    door: Door,
    run: i64,
    language: Language,
    cursor: Cursor,
    bells: Bells,
    /// The run as it was last sent.
    shown: String,
    waiting: VecDeque<Bytes>,
    ended: bool,
}

#[derive(Serialize)]
struct LogPiece<'a> {
    stage: u32,
    /// Byte at which `text` starts.
    from: u64,
    text: &'a str,
}

impl Reader {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Ok(Some(event));
            }
            if self.ended {
                return Ok(None);
            }
            self.bells.take();
            if self.look().await? {
                continue;
            }
            if !self.bells.wait().await {
                return Ok(Some(heartbeat()));
            }
        }
    }

    /// Puts what is new into `waiting`; `false` when there is nothing.
    async fn look(&mut self) -> Result<bool> {
        let Some(run) = self.door.store.read(|c| runs::by_id(c, self.run))? else {
            self.ended = true;
            return Ok(false);
        };
        // The run before the log: when the run says it is over, the log read afterwards is whole.
        let shape = RunShape::read(&self.door, &run, self.language)?;
        let text = serde_json::to_string(&shape).map_err(|e| Error::internal("write JSON", e))?;
        if text != self.shown {
            self.waiting.push_back(event("run", &self.cursor.to_string(), &text));
            self.shown = text;
        }
        while let Some(stage) = shape.stages.get(self.cursor.stage as usize) {
            let over = stage.status.is_final() || run.status.is_final();
            if self.read_piece(over).await? {
                return Ok(true);
            }
            if !over {
                return Ok(!self.waiting.is_empty());
            }
            self.cursor = Cursor { stage: self.cursor.stage + 1, offset: 0 };
        }
        if run.status.is_final() {
            self.waiting.push_back(event("end", &self.cursor.to_string(), run.status.as_str()));
            self.ended = true;
        }
        Ok(!self.waiting.is_empty())
    }

    /// The next piece of the log at the cursor; `false` when there is none.
    async fn read_piece(&mut self, over: bool) -> Result<bool> {
        let Cursor { stage, offset } = self.cursor;
        let bytes = read(&self.door.logs, self.run, stage, offset).await?;
        // A character whose rest has not been written yet waits for it.
        let bytes = if over && bytes.len() < PIECE { &bytes[..] } else { whole_characters(&bytes) };
        if bytes.is_empty() {
            return Ok(false);
        }
        let text = String::from_utf8_lossy(bytes);
        let data = serde_json::to_string(&LogPiece { stage, from: offset, text: &text })
            .map_err(|e| Error::internal("write JSON", e))?;
        self.cursor.offset += bytes.len() as u64;
        self.waiting.push_back(event("log", &self.cursor.to_string(), &data));
        Ok(true)
    }
}

/// At most one piece of a log, read off the event loop.
pub async fn read(logs: &Logs, run: i64, stage: u32, from: u64) -> Result<Bytes> {
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
