//! How it came to this and what came of it; and what stands on an image.

use actix_web::{HttpRequest, web};
use serde::Deserialize;

use super::live_part::{self, Part, Since};
use super::pieces::brief_of;
use super::provenance::container_row;
use super::run;
use super::visit::{Answer, Visit, complaint};
use crate::model::{Happened, Result, RunImage};
use crate::msg;
use crate::web::api::runs::RunPath;
use crate::web::causality::{self, From, Line, What};
use crate::web::errors::Failure;
use crate::web::impact::{self, OfDigest};
use crate::web::pages::causality::{
    CausalLine, CausalThing, CausalTree, Causality, DigestView, ImpactPage, StandingRow,
};
use crate::web::pages::registry::ImageBrief;
use crate::web::pages::{RunBrief, activity, links, respond};

/// `GET /causality/{event}`.
pub async fn of_event(visit: Visit, id: web::Path<i64>) -> Answer {
    visit.identity.require()?;
    show(visit, From::Event(*id), links::causality(*id)).await
}

/// `GET /causality/{event}/live`.
pub async fn event_live(
    request: HttpRequest,
    visit: Visit,
    id: web::Path<i64>,
    since: web::Query<Since>,
) -> Answer {
    visit.identity.require()?;
    lines(&visit, From::Event(*id)).await?;
    Ok(live_part::follow(&request, visit, &since, Tree(From::Event(*id))))
}

/// `GET /{owner}/{repo}/pipelines/{pipeline}/runs/{number}/causality`.
pub async fn of_run(visit: Visit, path: web::Path<RunPath>) -> Answer {
    let (repository, run) = run::readable(&visit, &path)?;
    let here = links::run_causality(&repository.path.to_string(), run.pipeline.as_str(), run.number);
    show(visit, From::Run(run.id), here).await
}

/// `GET .../runs/{number}/causality/live`.
pub async fn run_live(
    request: HttpRequest,
    visit: Visit,
    path: web::Path<RunPath>,
    since: web::Query<Since>,
) -> Answer {
    let (_, run) = run::readable(&visit, &path)?;
    Ok(live_part::follow(&request, visit, &since, Tree(From::Run(run.id))))
}

async fn show(visit: Visit, from: From, here: String) -> Answer {
    let as_of = live_part::as_of(&visit);
    let (lines, under_way) = lines(&visit, from).await?;
    Ok(respond(&Causality { page: visit.page, lines, here, as_of, under_way }))
}

/// The tree that an event or a run belongs to, as it grows.
struct Tree(From);

impl Part for Tree {
    async fn html(&self, visit: &Visit) -> Result<String, Failure> {
        let (lines, _) = lines(visit, self.0).await?;
        live_part::html(&CausalTree { page: &visit.page, lines: &lines })
    }
}

/// With whether something of it is still to be decided or to end.
async fn lines(visit: &Visit, from: From) -> Result<(Vec<CausalLine>, bool), Failure> {
    let found = causality::tree(&visit.door, &visit.identity, from)?;
    if found.is_empty() {
        return Err(Failure::not_found());
    }
    let under_way = |line: &Line| match &line.what {
        What::Run(run) => !run.status.is_final(),
        What::Event(event) => event.happened.wants_decision() && event.outcome.is_none(),
        What::Nothing(_) | What::Image(_) | What::Stream(_) => false,
    };
    let under_way = found.iter().any(under_way);
    let mut lines = Vec::new();
    for line in found {
        lines.push(shown(visit, line).await?);
    }
    Ok((lines, under_way))
}

async fn shown(visit: &Visit, line: Line) -> Result<CausalLine> {
    let (icon, what) = match line.what {
        What::Event(event) => {
            let href = match &event.happened {
                Happened::TagMoved { address, .. } => Some(links::impact(&address.to_string())),
                Happened::StreamTagMoved { stream, .. } => Some(links::impact(&stream.to_string())),
                _ => None,
            };
            let text = activity::sentence(&event.happened);
            (activity::icon(&event.happened), CausalThing::Sentence { text, href })
        }
        What::Nothing(text) => ("skipped", CausalThing::Sentence { text, href: None }),
        What::Run(run) => ("pipeline", CausalThing::Run(Box::new(brief_of(visit, &run).await?))),
        What::Image(image) => ("image", CausalThing::Image(brief(&image))),
        What::Stream(naming) => {
            ("image", CausalThing::Stream { name: naming.tag.to_string(), current: naming.current })
        }
    };
    Ok(CausalLine { depth: line.depth, at: line.at, icon, what })
}

fn brief(image: &RunImage) -> ImageBrief {
    ImageBrief {
        repository: image.repository.clone(),
        tag: image.tag.clone(),
        digest: image.digest.to_string(),
        size: image.size,
        stage: String::new(),
    }
}

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    image: String,
}

/// `GET /registry/impact?image=`.
pub async fn impact(visit: Visit, asked: web::Query<Asked>) -> Answer {
    visit.identity.require()?;
    let image = asked.image.trim().to_owned();
    let mut view = ImpactPage {
        page: visit.page.clone(),
        image,
        error: None,
        pipelines: Vec::new(),
        digests: Vec::new(),
    };
    if view.image.is_empty() {
        return Ok(respond(&view));
    }
    let found = match impact::of(&visit.door, &visit.identity, &view.image) {
        Ok(found) => found,
        Err(failure) => {
            view.error = Some(complaint(failure)?);
            return Ok(respond(&view));
        }
    };
    for standing in found.pipelines {
        view.pipelines.push(StandingRow {
            repository: standing.repository,
            pipeline: standing.pipeline,
            reference: standing.reference,
            places: standing.places,
        });
    }
    for digest in found.digests {
        view.digests.push(digest_view(&visit, digest).await?);
    }
    if view.digests.is_empty() && view.pipelines.is_empty() {
        view.error = Some(msg!("web-impact-unknown", image = view.image.escape_debug()));
    }
    Ok(respond(&view))
}

async fn digest_view(visit: &Visit, of: OfDigest) -> Result<DigestView> {
    let made_by: Option<RunBrief> = match &of.made_by {
        Some(run) => Some(brief_of(visit, run).await?),
        None => None,
    };
    let mut runs = Vec::new();
    for run in &of.runs {
        runs.push(brief_of(visit, run).await?);
    }
    Ok(DigestView {
        digest: of.digest.to_string(),
        current: of.current,
        made_by,
        streams: of.streams.into_iter().map(|naming| (naming.tag.to_string(), naming.current)).collect(),
        runs,
        images: of.images.iter().map(brief).collect(),
        containers: of.containers.iter().map(container_row).collect(),
    })
}
