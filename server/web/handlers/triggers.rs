//! The image triggers on a pipeline's page: what they watch, what they would start, and the forms beside them.

use actix_web::web;
use serde::Deserialize;

use super::pieces;
use super::pipelines::matrix;
use super::streams::said;
use super::visit::{Answer, Sent, Visit, see_with};
use crate::model::Result;
use crate::msg;
use crate::store::pipelines::Pipeline;
use crate::store::repositories::Repository;
use crate::web::api::pipelines as api;
use crate::web::api::triggers::{self, NewTriggerForm};
use crate::web::errors::Failure;
use crate::web::pages::links;
use crate::web::pages::pipeline::TriggerFields;
use crate::web::pages::streams::TriggerRow;

pub fn rows(visit: &Visit, pipeline: &Pipeline) -> Result<Vec<TriggerRow>> {
    let found = triggers::of_pipeline(&visit.door, pipeline.id)?;
    let row = |(trigger, pending, waits): triggers::Standing| TriggerRow {
        id: trigger.id,
        from_href: trigger
            .from
            .as_ref()
            .map(|from| links::stream_tag(&from.stream.to_string(), &from.tag))
            .unwrap_or_default(),
        from: trigger.from.map(|from| from.to_string()).unwrap_or_default(),
        paused: trigger.paused,
        last_at: trigger.last_at,
        last: trigger.last.into_iter().collect(),
        pending,
        waits,
    };
    Ok(found.into_iter().map(row).collect())
}

/// The pipeline, if its triggers are the visitor's to change.
fn found(
    visit: &Visit,
    (owner, name, pipeline): (&str, &str, &str),
) -> Result<(Repository, Pipeline), Failure> {
    let repository = pieces::writable(visit, &(owner.to_owned(), name.to_owned()))?;
    let found = api::find(&visit.door, &repository, pipeline)?;
    Ok((repository, found))
}

/// As `found`, with the pipeline's page.
fn pipeline(visit: &Visit, path: (&str, &str, &str)) -> Result<(Pipeline, String), Failure> {
    let (repository, found) = found(visit, path)?;
    let address = links::pipeline(&repository.path.to_string(), found.name.as_str());
    Ok((found, address))
}

#[derive(Deserialize)]
pub struct AddForm {
    #[serde(default)]
    from: String,
    #[serde(default)]
    paused: bool,
}

/// `POST .../pipelines/{pipeline}/triggers`.
pub async fn add(sent: Sent<AddForm>, path: web::Path<(String, String, String)>) -> Answer {
    let Sent { visit, form } = sent;
    let (repository, pipeline) = found(&visit, (&path.0, &path.1, &path.2))?;
    let new = NewTriggerForm { from: Some(form.from.trim().to_owned()), paused: form.paused };
    match triggers::add(&visit.door, &visit.identity, &pipeline, new).await {
        Ok(_) => {
            let address = links::pipeline(&repository.path.to_string(), pipeline.name.as_str());
            Ok(see_with(&address, &msg!("streams-trigger-changed")))
        }
        Err(failure) => {
            let status = failure.status();
            let error = Some(said(failure)?);
            let typed = TriggerFields { from: form.from, paused: form.paused, error };
            matrix(visit, (&repository, pipeline), None, (status, typed)).await
        }
    }
}

#[derive(Deserialize)]
pub struct PauseForm {
    paused: bool,
}

/// `POST .../triggers/{id}/pause`.
pub async fn pause(sent: Sent<PauseForm>, path: web::Path<(String, String, String, i64)>) -> Answer {
    let Sent { visit, form } = sent;
    let (pipeline, address) = pipeline(&visit, (&path.0, &path.1, &path.2))?;
    triggers::pause(&visit.door, &visit.identity, &pipeline, (path.3, form.paused)).await?;
    Ok(see_with(&address, &msg!("streams-trigger-changed")))
}

#[derive(Deserialize)]
pub struct Nothing {}

/// `POST .../triggers/{id}/delete`.
pub async fn delete(sent: Sent<Nothing>, path: web::Path<(String, String, String, i64)>) -> Answer {
    let visit = sent.visit;
    let (pipeline, address) = pipeline(&visit, (&path.0, &path.1, &path.2))?;
    triggers::drop_trigger(&visit.door, &visit.identity, &pipeline, path.3).await?;
    Ok(see_with(&address, &msg!("streams-trigger-changed")))
}
