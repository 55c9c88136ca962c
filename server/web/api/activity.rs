//! The journal: what happened, and what came of it, with the reasons where nothing did.

use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::auth::{self, Identity};
use super::super::errors::{self, ErrorBody, Failure};
use super::super::state::Door;
use super::paging::{self, Paging};
use crate::messages::{self, Language};
use crate::model::{Error, Event, RepositoryPath, Result};
use crate::store::{events, repositories};

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// `owner/name`.
    pub repository: Option<String>,
    /// `ref-moved`, `run-finished`, ...
    pub kind: Option<String>,
    /// Of events about images: name of a Docker trigger.
    pub webhook: Option<String>,
    /// Of events about images: the image's name, or a part of it.
    pub image: Option<String>,
    pub tag: Option<String>,
    /// Who pushed, as the delivery said.
    pub owner: Option<String>,
    /// Whether a run came of it.
    pub started: Option<bool>,
}

impl Filter {
    fn image(&self) -> events::ImageFilter {
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        events::ImageFilter {
            webhook: text(&self.webhook),
            image: text(&self.image),
            tag: text(&self.tag),
            owner: text(&self.owner),
            started: self.started,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct EventShape {
    pub id: i64,
    pub at: String,
    pub kind: &'static str,
    /// `owner/name`, while it exists.
    pub repository: Option<String>,
    /// The fields of its kind.
    #[schema(value_type = Object)]
    pub happened: serde_json::Value,
    /// What came of it; `null` while that is not decided.
    pub outcomes: Option<Vec<OutcomeShape>>,
}

#[derive(Serialize, ToSchema)]
pub struct OutcomeShape {
    pub pipeline: Option<String>,
    pub run_number: Option<u64>,
    pub code: String,
    pub message: String,
}

/// Events, newest first. Those of the house itself are for administrators.
#[utoipa::path(tag = "activity", params(Filter, Paging), responses((status = 200, body = Vec<EventShape>), (status = 401, body = ErrorBody)))]
#[get("/activity")]
pub async fn list(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    (filter, paging): (web::Query<Filter>, web::Query<Paging>),
) -> Result<HttpResponse, Failure> {
    identity.require()?;
    let repository_id = match &filter.repository {
        None => None,
        Some(path) => {
            let (owner, name) = path.split_once('/').ok_or_else(Failure::not_found)?;
            Some(auth::readable(&door, &identity, &auth::path_of(owner, name)?)?.id)
        }
    };
    let before = paging.after_number();
    let wanted = events::Filter { repository_id, kind: filter.kind.clone(), before, image: filter.image() };
    let limit = paging.limit();
    let mut found = door.store.read(|c| events::page(c, &wanted, limit + 1))?;
    let more = paging::cut(&mut found, limit);
    let next = found.last().filter(|_| more).map(|event| event.id.to_string());
    let language = errors::language(&request);
    let mut shapes = Vec::new();
    for event in found {
        if let Some(path) = visible(&door, &identity, &event)? {
            shapes.push(shape(event, path, language)?);
        }
    }
    let started = filter.started.map(|started| started.to_string());
    let fields = [
        ("repository", &filter.repository),
        ("kind", &filter.kind),
        ("webhook", &filter.webhook),
        ("image", &filter.image),
        ("tag", &filter.tag),
        ("owner", &filter.owner),
        ("started", &started),
    ];
    let pairs = fields.iter().filter_map(|(name, value)| Some(paging::pair(name, value.as_ref()?)));
    let query = pairs.collect::<Vec<_>>().join("&");
    let path =
        if query.is_empty() { request.path().to_owned() } else { format!("{}?{query}", request.path()) };
    Ok(paging::answer(&door, &path, &paging, &shapes, next))
}

/// `Some` when the caller may see the event, with the path of its repository while that exists.
pub fn visible(door: &Door, identity: &Identity, event: &Event) -> Result<Option<Option<RepositoryPath>>> {
    let Some(id) = event.repository_id else { return Ok(auth::is_admin(identity).then_some(None)) };
    Ok(match door.store.read(|c| repositories::by_id(c, id))? {
        Some(repository) => auth::can_read(identity, &repository).then_some(Some(repository.path)),
        None => auth::is_admin(identity).then_some(None),
    })
}

fn shape(event: Event, path: Option<RepositoryPath>, language: Language) -> Result<EventShape> {
    let outcome = |outcome: crate::model::Outcome| OutcomeShape {
        pipeline: outcome.pipeline,
        run_number: outcome.run_number,
        code: outcome.message.key.to_string(),
        message: messages::render(language, &outcome.message),
    };
    Ok(EventShape {
        id: event.id,
        at: event.at.to_string(),
        kind: event.happened.kind(),
        repository: path.map(|path| path.to_string()),
        happened: serde_json::to_value(&event.happened).map_err(|e| Error::internal("write JSON", e))?,
        outcomes: event.outcome.map(|all| all.into_iter().map(outcome).collect()),
    })
}
