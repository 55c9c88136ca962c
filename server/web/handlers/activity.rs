//! The journal, newest first: what happened and what came of it, also why nothing did.

use actix_web::{HttpRequest, web};
use serde::Deserialize;

use super::image_rows::image_row;
use super::live_part::{self, Part, Since};
use super::pieces::briefs;
use super::provenance::visible_run;
use super::visit::{Answer, Visit};
use crate::messages;
use crate::model::{Event, Happened, Message, Outcome, RepositoryPath, Result, Run};
use crate::msg;
use crate::store::events::{self, Filter, ImageFilter};
use crate::web::api::activity::visible;
use crate::web::auth;
use crate::web::errors::Failure;
use crate::web::pages::activity::{
    self as page, Activity, ActivityRow, Journal, JournalPiece, Narrowed, OutcomeRow,
};
use crate::web::pages::{RunBrief, links, pieces, respond};

const PER_PAGE: usize = 40;
/// The kind of event that gets columns of its own.
const IMAGES: &str = "image-announced";
/// Events looked at for one page: most may be of repositories the visitor may not see.
const MOST_LOOKED_AT: usize = 2000;

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    repository: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    webhook: String,
    #[serde(default)]
    image: String,
    #[serde(default)]
    tag: String,
    #[serde(default)]
    owner: String,
    #[serde(default)]
    started: String,
    after: Option<i64>,
}

impl Asked {
    fn narrowed(&self) -> Narrowed {
        let text = |field: &str| field.trim().chars().take(200).collect();
        Narrowed {
            webhook: text(&self.webhook),
            image: text(&self.image),
            tag: text(&self.tag),
            owner: text(&self.owner),
            started: self.started.parse::<bool>().map(|started| started.to_string()).unwrap_or_default(),
        }
    }
}

/// `GET /activity?repository=&kind=&after=`.
pub async fn list(visit: Visit, asked: web::Query<Asked>) -> Answer {
    let as_of = live_part::as_of(&visit);
    let wanted = Wanted::read(&visit, &asked)?;
    let journal = journal(&visit, &wanted, asked.after).await?;
    Ok(respond(&Activity {
        page: visit.page,
        here: wanted.here(""),
        // What is older than something does not change at its beginning.
        as_of: asked.after.is_none().then_some(as_of),
        repository: wanted.repository,
        kind: wanted.kind.to_owned(),
        kinds: kinds().into(),
        journal,
        narrowed: wanted.narrowed,
    }))
}

/// `GET /activity/live`, with what `GET /activity` takes.
pub async fn live(
    request: HttpRequest,
    visit: Visit,
    asked: web::Query<Asked>,
    since: web::Query<Since>,
) -> Answer {
    Wanted::read(&visit, &asked)?;
    Ok(live_part::follow(&request, visit, &since, Newest(asked.into_inner())))
}

/// The newest page of the journal.
struct Newest(Asked);

impl Part for Newest {
    async fn html(&self, visit: &Visit) -> Result<String, Failure> {
        let journal = journal(visit, &Wanted::read(visit, &self.0)?, None).await?;
        live_part::html(&JournalPiece { page: &visit.page, journal: &journal })
    }
}

/// What was asked for, as far as it can be.
struct Wanted {
    /// Empty for all that the visitor may see.
    repository: String,
    repository_id: Option<i64>,
    kind: &'static str,
    narrowed: Narrowed,
}

impl Wanted {
    fn read(visit: &Visit, asked: &Asked) -> Result<Wanted, Failure> {
        let repository_id = match asked.repository.split_once('/') {
            None => {
                visit.identity.require()?;
                None
            }
            Some((owner, name)) => {
                Some(auth::readable(&visit.door, &visit.identity, &auth::path_of(owner, name)?)?.id)
            }
        };
        let mut kinds = kinds().into_iter().map(|(kind, _)| kind);
        let kind = kinds.find(|kind| *kind == asked.kind).unwrap_or_default();
        Ok(Wanted {
            repository: repository_id.map(|_| asked.repository.clone()).unwrap_or_default(),
            repository_id,
            kind,
            narrowed: if kind == IMAGES { asked.narrowed() } else { Narrowed::default() },
        })
    }

    fn filter(&self, before: Option<i64>) -> Filter {
        let narrowed = &self.narrowed;
        let image = ImageFilter {
            webhook: narrowed.webhook.clone(),
            image: narrowed.image.clone(),
            tag: narrowed.tag.clone(),
            owner: narrowed.owner.clone(),
            started: narrowed.started.parse().ok(),
        };
        let kind = Some(self.kind.to_owned()).filter(|kind| !kind.is_empty());
        Filter { repository_id: self.repository_id, kind, before, image }
    }

    /// The page's address, going on after an event.
    fn here(&self, after: &str) -> String {
        let narrowed = &self.narrowed;
        let fields = [
            ("webhook", narrowed.webhook.as_str()),
            ("image", &narrowed.image),
            ("tag", &narrowed.tag),
            ("owner", &narrowed.owner),
            ("started", &narrowed.started),
        ];
        links::activity_of_images(links::activity(&self.repository, self.kind, after), &fields)
    }
}

async fn journal(visit: &Visit, wanted: &Wanted, after: Option<i64>) -> Result<Journal, Failure> {
    let (found, next) = page_of(visit, wanted.filter(after))?;
    let of_images = wanted.kind == IMAGES;
    let (mut rows, mut images) = (Vec::new(), Vec::new());
    for (event, path) in found {
        if of_images {
            images.extend(image_row(visit, event).await?);
        } else {
            rows.push(row(visit, event, path).await?);
        }
    }
    Ok(Journal {
        rows,
        images: of_images.then_some(images),
        next: next.map(|key| wanted.here(&key.to_string())),
    })
}

/// What the list can be narrowed to.
fn kinds() -> [(&'static str, Message); 13] {
    [
        (IMAGES, msg!("hooks-kind-images")),
        ("delivery-refused", msg!("hooks-kind-refused")),
        ("tag-moved", msg!("hooks-kind-tag-moved")),
        ("stream-tag-moved", msg!("streams-kind-moved")),
        ("import-failed", msg!("streams-kind-failed")),
        ("ref-moved", msg!("pages-kind-ref-moved")),
        ("run-finished", msg!("pages-kind-run-finished")),
        ("run-requested", msg!("pages-kind-run-requested")),
        ("run-cancel-requested", msg!("pages-kind-run-cancel-requested")),
        ("image-pushed", msg!("pages-kind-image-pushed")),
        ("repository-created", msg!("pages-kind-repository-created")),
        ("pipeline-created", msg!("pages-kind-pipeline-created")),
        ("signed-in", msg!("pages-kind-signed-in")),
    ]
}

/// An event, with its repository while that exists.
type Visible = (Event, Option<RepositoryPath>);

/// A page of what the visitor may see, and the key to go on after it.
fn page_of(visit: &Visit, mut filter: Filter) -> Result<(Vec<Visible>, Option<i64>), Failure> {
    let mut found = Vec::new();
    let mut looked_at = 0;
    loop {
        let some = visit.door.store.read(|c| events::page(c, &filter, PER_PAGE as u32))?;
        let was_last = some.len() < PER_PAGE;
        for event in some {
            filter.before = Some(event.id);
            looked_at += 1;
            if let Some(path) = visible(&visit.door, &visit.identity, &event)? {
                found.push((event, path));
            }
            if found.len() == PER_PAGE {
                return Ok((found, filter.before));
            }
        }
        if was_last {
            return Ok((found, None));
        }
        if looked_at >= MOST_LOOKED_AT {
            return Ok((found, filter.before));
        }
    }
}

async fn row(visit: &Visit, event: Event, path: Option<RepositoryPath>) -> Result<ActivityRow> {
    let undecided = event.happened.wants_decision() && event.outcome.is_none();
    let run = match run_of(&event.happened) {
        Some(id) => visible_run(visit, id)?,
        None => None,
    };
    let mut outcomes = Vec::new();
    if let Happened::DeliveryRefused { message, .. } | Happened::ImportFailed { message, .. } =
        &event.happened
    {
        outcomes.push(OutcomeRow { text: message.clone(), run: None });
    }
    for outcome in event.outcome.unwrap_or_default() {
        outcomes.push(outcome_row(visit, outcome).await?);
    }
    Ok(ActivityRow {
        id: event.id,
        at: event.at,
        icon: page::icon(&event.happened),
        text: sentence(visit, &event.happened, run.as_ref()),
        href: href(&event.happened, path.as_ref(), run.as_ref()),
        repository: path.map(|path| path.to_string()),
        undecided,
        outcomes,
    })
}

async fn outcome_row(visit: &Visit, outcome: Outcome) -> Result<OutcomeRow> {
    let run = match outcome.run_id {
        Some(id) => visible_run(visit, id)?,
        None => None,
    };
    let brief: Option<RunBrief> = briefs(visit, run.into_iter().collect()).await?.pop();
    Ok(OutcomeRow { text: outcome.message, run: brief })
}

const fn run_of(happened: &Happened) -> Option<i64> {
    match happened {
        Happened::RunRequested { run_id, .. }
        | Happened::RunCancelRequested { run_id, .. }
        | Happened::RunFinished { run_id, .. }
        | Happened::ImagePushed { run_id, .. } => Some(*run_id),
        Happened::RefMoved { .. }
        | Happened::RepositoryCreated { .. }
        | Happened::RepositoryDeleted { .. }
        | Happened::PipelineCreated { .. }
        | Happened::PipelineDeleted { .. }
        | Happened::TagMoved { .. }
        | Happened::StreamTagMoved { .. }
        | Happened::ImportFailed { .. }
        | Happened::StreamCreated { .. }
        | Happened::StreamDeleted { .. }
        | Happened::TriggerChanged { .. }
        | Happened::ImageAnnounced { .. }
        | Happened::DeliveryRefused { .. }
        | Happened::SignedIn { .. }
        | Happened::SignInRefused { .. }
        | Happened::AccountCreated { .. }
        | Happened::TokenCreated { .. } => None,
    }
}

/// With the run's name where it is still known.
fn sentence(visit: &Visit, happened: &Happened, run: Option<&Run>) -> Message {
    let Some(run) = run else { return page::sentence(happened) };
    let name = format!("{} #{}", run.pipeline, run.number);
    match happened {
        Happened::RunFinished { status, .. } => {
            let word = messages::render(visit.page.language, &pieces::status_message(*status));
            msg!("pages-event-run-finished", run = name, status = word)
        }
        Happened::RunRequested { by, .. } => msg!("pages-event-run-requested", run = name, by = by),
        Happened::RunCancelRequested { by, .. } => msg!("pages-event-run-cancel", run = name, by = by),
        other => page::sentence(other),
    }
}

fn href(happened: &Happened, path: Option<&RepositoryPath>, run: Option<&Run>) -> Option<String> {
    if let Happened::ImagePushed { repository, digest, .. } = happened {
        return Some(links::image(repository, digest.as_str()));
    }
    if let Happened::ImageAnnounced { delivery_id, .. } = happened {
        return Some(links::delivery(*delivery_id));
    }
    match happened {
        Happened::TagMoved { address, new: Some(_), .. } => {
            return Some(links::impact(&address.to_string()));
        }
        Happened::StreamTagMoved { stream, new: Some(_), .. } | Happened::ImportFailed { stream, .. } => {
            return Some(links::stream_tag(&stream.stream.to_string(), &stream.tag));
        }
        Happened::StreamCreated { stream, .. } => return Some(links::stream(&stream.to_string())),
        _ => {}
    }
    let repository = path?.to_string();
    match happened {
        Happened::RefMoved { new, .. } => new.as_ref().map(|id| links::commit(&repository, id.as_str())),
        Happened::PipelineCreated { pipeline, .. } => Some(links::pipeline(&repository, pipeline)),
        Happened::RepositoryCreated { .. } => Some(links::repository(&repository)),
        _ => run.map(|run| links::run(&repository, run.pipeline.as_str(), run.number)),
    }
}
