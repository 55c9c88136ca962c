//! Events as rows of the journal: a sentence, where it leads, and what came of it.

use super::pieces::briefs;
use super::provenance::visible_run;
use super::visit::Visit;
use crate::messages;
use crate::model::{Event, Happened, Message, Outcome, RepositoryPath, Result, Run};
use crate::msg;
use crate::web::pages::activity::{self as page, ActivityRow, OutcomeRow};
use crate::web::pages::{RunBrief, links, pieces};

/// An event with what came of it.
pub async fn row(visit: &Visit, event: Event, path: Option<RepositoryPath>) -> Result<ActivityRow> {
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
