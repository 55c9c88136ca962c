//! A run's page, and its two buttons.

use actix_web::web;
use serde::Deserialize;

use super::pieces::head;
use super::run_log::{self, Part};
use super::run_view::{self, Rows};
use super::visit::{Answer, Sent, Visit, see, see_with};
use crate::model::{Error, Run};
use crate::msg;
use crate::store::repositories::Repository;
use crate::web::api::pipelines;
use crate::web::api::runs::RunPath;
use crate::web::auth;
use crate::web::errors::Failure;
use crate::web::pages::repository::Tab;
use crate::web::pages::run::RunPage;
use crate::web::pages::{links, respond};
use crate::web::start;

#[derive(Deserialize)]
pub struct Wanted {
    stage: Option<u32>,
    before: Option<u64>,
    line: Option<u64>,
}

impl Wanted {
    fn part(&self) -> Option<(u32, Part)> {
        let part = match (self.line, self.before) {
            (Some(line), _) => Part::Line(line),
            (None, Some(byte)) => Part::Before(byte),
            (None, None) => Part::End,
        };
        self.stage.map(|stage| (stage, part))
    }
}

/// The run of an address, if the visitor may see it.
pub fn readable(visit: &Visit, path: &RunPath) -> Result<(Repository, Run), Failure> {
    let repository = auth::readable(&visit.door, &visit.identity, &auth::path_of(&path.owner, &path.repo)?)?;
    let pipeline = pipelines::find(&visit.door, &repository, &path.pipeline)?;
    let run = start::run_of(&visit.door, &pipeline, path.number)?;
    Ok((repository, run))
}

fn writable(visit: &Visit, path: &RunPath) -> Result<Run, Failure> {
    let (repository, run) = readable(visit, path)?;
    auth::writable(&visit.door, &visit.identity, &repository.path)?;
    Ok(run)
}

/// `GET /{owner}/{name}/pipelines/{pipeline}/runs/{number}`.
pub async fn show(visit: Visit, path: web::Path<RunPath>, wanted: web::Query<Wanted>) -> Answer {
    let (repository, run) = readable(&visit, &path)?;
    let (logs, id) = (visit.door.logs.clone(), run.id);
    let lengths =
        web::block(move || logs.stages(id)).await.map_err(|e| Error::internal("look at logs", e))??;
    let rows = Rows::read(&visit, run.id)?.ok_or_else(Failure::not_found)?;
    let mut run = run_view::view(&visit, &repository, &rows).await?;
    let part = wanted.part();
    run.open = part.map(|(stage, _)| stage);
    let logs = visit.door.logs.clone();
    let filled =
        web::block(move || run_log::fill(&logs, (&rows, &lengths), &mut run, part).map(|()| run)).await;
    let run = filled.map_err(|e| Error::internal("read logs", e))??;
    let head = head(&visit, &repository, Tab::Pipelines);
    Ok(respond(&RunPage { page: visit.page, head, run }))
}

#[derive(Deserialize)]
pub struct Nothing {}

/// `POST .../cancel`.
pub async fn cancel(sent: Sent<Nothing>, path: web::Path<RunPath>) -> Answer {
    let run = writable(&sent.visit, &path)?;
    let address = address(&run);
    match start::cancel(&sent.visit.door, &run, &sent.visit.by()?).await {
        // It ended while the button was on its way: its page says how.
        Ok(_) | Err(Failure::Known(Error::Conflict(_))) => Ok(see(&address)),
        Err(failure) => Err(failure),
    }
}

/// `POST .../rerun`.
pub async fn rerun(sent: Sent<Nothing>, path: web::Path<RunPath>) -> Answer {
    let run = writable(&sent.visit, &path)?;
    let again = start::rerun(&sent.visit.door, &run, &sent.visit.by()?).await?;
    Ok(see_with(&address(&again), &msg!("pages-rerun", of = run.number)))
}

fn address(run: &Run) -> String {
    links::run(&run.repository.to_string(), run.pipeline.as_str(), run.number)
}
