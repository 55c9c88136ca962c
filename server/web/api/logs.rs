//! Logs as plain text, by byte offset: `Range` for programs that know HTTP, `?from=` with `X-Text-Size`
//! and `X-More-Data` for those that know Jenkins.

use std::ops::Range;

use actix_web::body::SizedStream;
use actix_web::http::header::{ACCEPT_RANGES, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use actix_web::{HttpRequest, HttpResponse, get, web};
use bytes::Bytes;
use futures_util::{Stream, stream};
use serde::Deserialize;

use super::super::auth::Identity;
use super::super::errors::{ErrorBody, Failure};
use super::super::state::Door;
use super::runs::{self, RunPath};
use crate::logs::Logs;
use crate::model::{Error, Result, Run};

const CHUNK: usize = 256 * 1024;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct From {
    /// First byte wanted.
    pub from: Option<u64>,
}

/// Which log: one stage's, or the stages one after the other.
#[derive(Clone, Copy)]
struct Log {
    run: i64,
    stage: Option<u32>,
}

impl Log {
    fn length(self, logs: &Logs) -> Result<u64> {
        match self.stage {
            Some(stage) => logs.len(self.run, stage),
            None => logs.run_len(self.run),
        }
    }

    fn read(self, logs: &Logs, from: u64, most: usize) -> Result<Bytes> {
        match self.stage {
            Some(stage) => logs.read(self.run, stage, from, most),
            None => logs.read_run(self.run, from, most),
        }
    }
}

/// The log of a whole run, stage after stage.
#[utoipa::path(tag = "runs", params(From), responses((status = 200, content_type = "text/plain"), (status = 206), (status = 404, body = ErrorBody), (status = 416)))]
#[get("/repos/{owner}/{repo}/pipelines/{pipeline}/runs/{number}/log")]
pub async fn of_run(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<RunPath>,
    query: web::Query<From>,
) -> Result<HttpResponse, Failure> {
    let (_, run) = runs::readable(&door, &identity, &path)?;
    answer(&request, &door, &run, Log { run: run.id, stage: None }, query.from).await
}

/// The log of one stage; stages are counted from 0.
#[utoipa::path(tag = "runs", params(From), responses((status = 200, content_type = "text/plain"), (status = 206), (status = 404, body = ErrorBody), (status = 416)))]
#[get("/repos/{owner}/{repo}/pipelines/{pipeline}/runs/{number}/stages/{stage}/log")]
pub async fn of_stage(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<(String, String, String, u64, u32)>,
    query: web::Query<From>,
) -> Result<HttpResponse, Failure> {
    let (owner, repo, pipeline, number, stage) = path.into_inner();
    let (_, run) = runs::readable(&door, &identity, &RunPath { owner, repo, pipeline, number })?;
    let known = door.store.read(|c| crate::store::runs::stages(c, run.id))?;
    if !known.iter().any(|s| s.index == stage) {
        return Err(Failure::not_found());
    }
    answer(&request, &door, &run, Log { run: run.id, stage: Some(stage) }, query.from).await
}

async fn answer(
    request: &HttpRequest,
    door: &Door,
    run: &Run,
    log: Log,
    from: Option<u64>,
) -> Result<HttpResponse, Failure> {
    // Whether more may come is asked before the length, so that the last bytes are never missed.
    let more = !run.status.is_final();
    let logs = door.logs.clone();
    let length = blocking(move || log.length(&logs)).await?;
    let header = request.headers().get(RANGE).and_then(|value| value.to_str().ok());
    let (range, mut response) = match (from, header.map(|header| parse_range(header, length))) {
        (None, Some(Some(Err(())))) => {
            let mut refused = HttpResponse::RangeNotSatisfiable();
            return Ok(refused.insert_header((CONTENT_RANGE, format!("bytes */{length}"))).finish());
        }
        (None, Some(Some(Ok(range)))) => {
            let mut part = HttpResponse::PartialContent();
            let stated = format!("bytes {}-{}/{length}", range.start, range.end.saturating_sub(1));
            part.insert_header((CONTENT_RANGE, stated));
            (range, part)
        }
        (from, _) => (from.unwrap_or(0).min(length)..length, HttpResponse::Ok()),
    };
    response
        .insert_header((CONTENT_TYPE, "text/plain; charset=utf-8"))
        .insert_header((ACCEPT_RANGES, "bytes"))
        .insert_header(("X-Text-Size", range.end.to_string()));
    if more || range.end < length {
        response.insert_header(("X-More-Data", "true"));
    }
    let body = pieces(door.logs.clone(), log, range.clone());
    Ok(response.body(SizedStream::new(range.end - range.start, Box::pin(body))))
}

/// The bytes of the range, read off the event loop.
fn pieces(logs: Logs, log: Log, range: Range<u64>) -> impl Stream<Item = Result<Bytes, Failure>> {
    stream::try_unfold(range.start, move |at| {
        let logs = logs.clone();
        async move {
            if at >= range.end {
                return Ok(None);
            }
            let most = usize::try_from(range.end - at).unwrap_or(CHUNK).min(CHUNK);
            let bytes = blocking(move || log.read(&logs, at, most)).await?;
            if bytes.is_empty() {
                // Shorter than it was: breaking off tells the client, an early end would not.
                return Err(Failure::Known(Error::Internal("a log became shorter".into())));
            }
            let next = at + bytes.len() as u64;
            Ok(Some((bytes, next)))
        }
    })
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    web::block(work).await.map_err(|e| Error::internal("read a log", e))?
}

/// One range of bytes (RFC 9110, 14.1.2). `None` for what is to be ignored: another unit, several ranges,
/// nonsense; `Err` for a range behind the end.
fn parse_range(header: &str, length: u64) -> Option<Result<Range<u64>, ()>> {
    let (first, last) = header.strip_prefix("bytes=")?.trim().split_once('-')?;
    if first.is_empty() {
        let suffix: u64 = last.parse().ok()?;
        return Some(if suffix == 0 || length == 0 {
            Err(())
        } else {
            Ok(length.saturating_sub(suffix)..length)
        });
    }
    let first: u64 = first.parse().ok()?;
    let last = if last.is_empty() { u64::MAX } else { last.parse().ok()? };
    if last < first {
        return None;
    }
    Some(if first >= length { Err(()) } else { Ok(first..last.saturating_add(1).min(length)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_are_read_as_http_says() {
        assert_eq!(parse_range("bytes=0-", 10), Some(Ok(0..10)));
        assert_eq!(parse_range("bytes=2-4", 10), Some(Ok(2..5)));
        assert_eq!(parse_range("bytes=2-400", 10), Some(Ok(2..10)));
        assert_eq!(parse_range("bytes=-3", 10), Some(Ok(7..10)));
        assert_eq!(parse_range("bytes=-300", 10), Some(Ok(0..10)));
        assert_eq!(parse_range("bytes=10-", 10), Some(Err(())));
        assert_eq!(parse_range("bytes=-0", 10), Some(Err(())));
        for ignored in ["bytes=4-2", "bytes=a-b", "bytes=0-1,3-4", "lines=0-1", "bytes=", "0-1"] {
            assert_eq!(parse_range(ignored, 10), None, "{ignored}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_safe(text in "(bytes=)?[0-9,-]{0,30}", length in any::<u64>()) {
            if let Some(Ok(range)) = parse_range(&text, length) {
                prop_assert!(range.start < range.end && range.end <= length);
            }
        }
    }
}
