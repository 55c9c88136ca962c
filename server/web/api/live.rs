//! The run's events for programs.

use actix_web::{HttpRequest, HttpResponse, get, web};

use super::super::auth::Identity;
use super::super::errors::{self, ErrorBody, Failure};
use super::super::live::{self, Cursor};
use super::super::state::Door;
use super::runs::{self, RunPath};

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
    Ok(live::run_events(&door, &run, cursor, errors::language(&request)))
}
