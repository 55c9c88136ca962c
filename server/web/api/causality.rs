//! What led to what, and what stands on an image, for programs.

use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::auth::Identity;
use super::super::causality::{self, From, Line, What};
use super::super::errors::{self, ErrorBody, Failure};
use super::super::impact;
use super::super::state::Door;
use super::run_shape;
use crate::messages::{self, Language};
use crate::model::{Error, Result, Run, RunImage, Status};

/// A line of the tree; a line belongs to the one before it that is less deep.
#[derive(Serialize, ToSchema)]
pub struct CausalShape {
    pub depth: usize,
    pub at: Option<String>,
    /// `event`, `nothing`, `run`, `image` or `stream`.
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<i64>,
    /// The fields of an event's kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub happened: Option<serde_json::Value>,
    /// Why an event started nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<StandingRunShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<MadeShape>,
    /// `owner/name:tag`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct StandingRunShape {
    /// `owner/name`.
    pub repository: String,
    pub pipeline: String,
    pub number: u64,
    pub status: Status,
    pub queued_at: String,
    pub html_url: String,
}

#[derive(Serialize, ToSchema)]
pub struct MadeShape {
    pub repository: String,
    pub tag: String,
    pub digest: String,
}

#[derive(Serialize, ToSchema)]
pub struct ImpactShape {
    pub image: String,
    /// Pipelines whose newest commit stands on it.
    pub pipelines: Vec<StandingShape>,
    /// Newest first.
    pub digests: Vec<DigestShape>,
}

#[derive(Serialize, ToSchema)]
pub struct StandingShape {
    pub repository: String,
    pub pipeline: String,
    /// As the repository writes it; empty for a pipeline that only watches the stream.
    pub reference: String,
    /// `path:line`.
    pub places: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub struct DigestShape {
    pub digest: String,
    /// Whether the name means it now.
    pub current: bool,
    pub made_by: Option<StandingRunShape>,
    pub streams: Vec<NamingShape>,
    pub runs: Vec<StandingRunShape>,
    pub images: Vec<MadeShape>,
    /// Running containers of it, or of what stands on it.
    pub containers: Vec<StandingContainerShape>,
}

#[derive(Serialize, ToSchema)]
pub struct NamingShape {
    /// `owner/name:tag`.
    pub tag: String,
    pub current: bool,
}

#[derive(Serialize, ToSchema)]
pub struct StandingContainerShape {
    pub id: String,
    pub name: String,
    pub image: String,
    pub state: String,
}

fn run_of(door: &Door, run: &Run) -> StandingRunShape {
    StandingRunShape {
        repository: run.repository.to_string(),
        pipeline: run.pipeline.to_string(),
        number: run.number,
        status: run.status,
        queued_at: run.queued_at.to_string(),
        html_url: run_shape::url(door, run),
    }
}

fn made(image: RunImage) -> MadeShape {
    MadeShape { repository: image.repository, tag: image.tag, digest: image.digest.into() }
}

/// Everything that the event led to, with what led to the event.
#[utoipa::path(tag = "activity", responses((status = 200, body = Vec<CausalShape>), (status = 404, body = ErrorBody)))]
#[get("/causality/{event}")]
pub async fn causality_of_event(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    event: web::Path<i64>,
) -> Result<HttpResponse, Failure> {
    identity.require()?;
    let found = causality::tree(&door, &identity, From::Event(*event))?;
    if found.is_empty() {
        return Err(Failure::not_found());
    }
    let language = errors::language(&request);
    let shapes: Result<Vec<_>> = found.into_iter().map(|line| shape(&door, line, language)).collect();
    Ok(HttpResponse::Ok().json(shapes?))
}

fn shape(door: &Door, line: Line, language: Language) -> Result<CausalShape> {
    let mut shape = CausalShape {
        depth: line.depth,
        at: line.at.map(|at| at.to_string()),
        kind: "event",
        event_id: None,
        happened: None,
        message: None,
        run: None,
        image: None,
        stream: None,
    };
    match line.what {
        What::Event(event) => {
            shape.event_id = Some(event.id);
            let happened = serde_json::to_value(&event.happened);
            shape.happened = Some(happened.map_err(|e| Error::internal("write JSON", e))?);
        }
        What::Nothing(message) => {
            shape.kind = "nothing";
            shape.message = Some(messages::render(language, &message));
        }
        What::Run(run) => {
            shape.kind = "run";
            shape.run = Some(run_of(door, &run));
        }
        What::Image(image) => {
            shape.kind = "image";
            shape.image = Some(made(*image));
        }
        What::Stream(naming) => {
            shape.kind = "stream";
            shape.stream = Some(naming.tag.to_string());
        }
    }
    Ok(shape)
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ImpactOf {
    /// `owner/name:tag` of a stream, `host/repository:tag`, or `host/repository@sha256:...`.
    pub image: String,
}

/// What stands on an image: pipelines, runs, what they pushed, and running containers.
#[utoipa::path(tag = "registry", params(ImpactOf), responses((status = 200, body = ImpactShape), (status = 422, body = ErrorBody)))]
#[get("/registry/impact")]
pub async fn impact_of(
    door: web::Data<Door>,
    identity: Identity,
    asked: web::Query<ImpactOf>,
) -> Result<HttpResponse, Failure> {
    identity.require()?;
    let found = impact::of(&door, &identity, asked.image.trim())?;
    let standing = |standing: impact::Standing| StandingShape {
        repository: standing.repository,
        pipeline: standing.pipeline,
        reference: standing.reference,
        places: standing.places,
    };
    Ok(HttpResponse::Ok().json(ImpactShape {
        image: found.asked,
        pipelines: found.pipelines.into_iter().map(standing).collect(),
        digests: found.digests.into_iter().map(|digest| digest_shape(&door, digest)).collect(),
    }))
}

fn digest_shape(door: &Door, of: impact::OfDigest) -> DigestShape {
    let container = |container: crate::model::RunningContainer| StandingContainerShape {
        id: container.id,
        name: container.name,
        image: container.image,
        state: container.state,
    };
    DigestShape {
        digest: of.digest.into(),
        current: of.current,
        made_by: of.made_by.as_ref().map(|run| run_of(door, run)),
        streams: of
            .streams
            .into_iter()
            .map(|naming| NamingShape { tag: naming.tag.to_string(), current: naming.current })
            .collect(),
        runs: of.runs.iter().map(|run| run_of(door, run)).collect(),
        images: of.images.into_iter().map(made).collect(),
        containers: of.containers.into_iter().map(container).collect(),
    }
}
