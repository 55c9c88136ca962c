//! The run's events for programs: `run` (the run as the API shows it, whenever it changed), `log` (a piece of
//! a stage's log as it is) and `end`. Every event's id is a cursor, `STAGE.OFFSET`.

use std::str::FromStr;

use actix_web::{HttpRequest, HttpResponse, get, web};
use bytes::Bytes;
use serde::Serialize;

use super::super::auth::{self, Identity};
use super::super::errors::{self, ErrorBody, Failure};
use super::super::live::{self, Bells, Look, News, PIECE};
use super::super::state::Door;
use super::RunShape;
use super::runs::{self, RunPath};
use crate::logs::Logs;
use crate::messages::Language;
use crate::model::{Error, Result};
use crate::store;

/// How far a reader has come: everything of the stages before `stage`, and of that one the first `offset` bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Cursor {
    stage: u32,
    offset: u64,
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

/// The run as it happens, as server-sent events: `run` with the run whenever it changed, `log` with
/// `{"stage", "from", "text"}`, and `end` with the status, after which the stream ends. An event's id is
/// `STAGE.OFFSET`; sent back as `Last-Event-ID`, the stream goes on from there.
#[utoipa::path(tag = "runs", responses((status = 200, content_type = "text/event-stream"), (status = 404, body = ErrorBody)))]
#[get("/repos/{owner}/{repo}/pipelines/{pipeline}/runs/{number}/events")]
pub async fn events(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<RunPath>,
) -> Result<HttpResponse, Failure> {
    let (_, run) = runs::readable(&door, &identity, &path)?;
    let cursor: Cursor = live::last_event_id(&request).and_then(|id| id.parse().ok()).unwrap_or_default();
    let reader = Reader {
        door: door.get_ref().clone(),
        identity,
        path: path.into_inner(),
        run: run.id,
        language: errors::language(&request),
        cursor,
        shown: String::new(),
    };
    Ok(live::follow(&door, Some(run.id), reader))
}

struct Reader {
    door: Door,
    identity: Identity,
    path: RunPath,
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
        // Every time: a token ends without a word.
        if !self.is_still_let_in()? {
            news.end();
            return Ok(());
        }
        let Some(run) = self.door.store.read(|c| store::runs::by_id(c, self.run))? else {
            news.end();
            return Ok(());
        };
        // The run before the log: when the run says it is over, the log read afterwards is whole.
        let shape = RunShape::read(&self.door, &run, self.language)?;
        let text = live::json(&shape)?;
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
    /// `false` when this is nothing for the caller any more: signed out, the token gone, the repository private.
    fn is_still_let_in(&mut self) -> Result<bool> {
        let Some(now) = auth::again(&self.door, &self.identity)? else { return Ok(false) };
        self.identity = now;
        Ok(runs::readable(&self.door, &self.identity, &self.path).is_ok())
    }

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
    fn a_cursor_is_read_as_it_is_written() {
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
