//! A registry told a Docker trigger of a push: whether that starts a run, and why not if it does not. The questions
//! and their order are the model's, so that a dry run gives the same answers.

use jiff::Timestamp;

use crate::git;
use crate::model::{Announced, Cause, DockerWebhook, Event, Happened, Message, RefName, Result};
use crate::msg;
use crate::pin::{Pin, Wanted};
use crate::pipeline;
use crate::store::docker_webhooks::{self, Around};
use crate::store::pipelines::Pipeline;
use crate::store::repositories::Repository;
use crate::store::{Store, runs};

use super::decide::{Decision, Plan, Start, nothing, only, unreadable};

pub async fn decide(store: &Store, hands: (&git::Repositories, &Pin), event: &Event) -> Result<Plan> {
    let Happened::ImageAnnounced { webhook_id, image, delivery_id, .. } = &event.happened else {
        return Ok(only(msg!("trigger-not-a-trigger")));
    };
    let found = store.read(|c| docker_webhooks::by_id(c, *webhook_id))?;
    let Some(webhook) = found else { return Ok(only(msg!("hook-webhook-gone"))) };
    let around = store.read(|c| docker_webhooks::circumstances(c, &webhook, Timestamp::now()))?;
    let Around { facts, place } = around;
    let name = place.as_ref().map(|(_, pipeline)| pipeline.name.as_str().to_owned());
    let refuse = |message: Message| Plan { decisions: vec![nothing(name.as_deref(), message)] };
    if let Some(bad) = webhook.checks(image, &facts)?.into_iter().find(|check| !check.good) {
        return Ok(refuse(bad.message));
    }
    let (Some(place), Some(branch)) = (place, facts.branch) else {
        return Ok(refuse(msg!("webhook-no-pipeline")));
    };
    let started = start(hands, (&webhook, image, *delivery_id), place, (branch, event.id)).await?;
    Ok(match started {
        Ok(start) => Plan { decisions: vec![Decision::Start(Box::new(start))] },
        Err(message) => refuse(message),
    })
}

/// The run, or why there can be none.
async fn start(
    (git, pin): (&git::Repositories, &Pin),
    (webhook, image, delivery_id): (&DockerWebhook, &Announced, i64),
    (repository, pipeline): (Repository, Pipeline),
    (branch, event_id): (String, i64),
) -> Result<std::result::Result<Start, Message>> {
    let path = pipeline.path.clone();
    let read = move |open: &git::OpenRepository| {
        let commit = open.resolve(&branch)?.commit;
        let source = open.definition_source(&commit, &path)?;
        Ok((RefName::branch(&branch)?, commit, source))
    };
    let (reference, commit, source) = match git.read(&repository.path, read).await {
        Ok(read) => read,
        Err(error) => return Ok(Err(unreadable(&error))),
    };
    let Some(source) = source else {
        return Ok(Err(msg!("trigger-no-definition", path = pipeline.path)));
    };
    let definition = pipeline::read_found(&pipeline.path, &source);
    let declared = definition.as_ref().map_or(&[][..], |definition| &definition.inputs);
    let inputs = match pipeline::announced_inputs(declared, webhook, image) {
        Ok(inputs) => inputs,
        Err(_) if definition.is_err() => Default::default(),
        Err(error) => return Ok(Err(unreadable(&error))),
    };
    let found = match &definition {
        Ok(definition) => {
            let wanted = Wanted {
                repository: &repository.path,
                commit: &commit,
                pipeline_id: Some(pipeline.id),
                definition_path: &pipeline.path,
                definition,
                inputs: &inputs,
                changes: &[],
            };
            Some(pin.bases(&wanted).await)
        }
        Err(_) => None,
    };
    let findings = definition.as_ref().err().map(Vec::len);
    let refusal = findings.map(|count| msg!("trigger-findings", count = count, path = pipeline.path));
    let image = image.address().to_string();
    let run = runs::NewRun {
        repository_id: repository.id,
        pipeline_id: pipeline.id,
        cause: Cause::Webhook { webhook: webhook.name.clone(), image, delivery_id },
        reference,
        commit,
        definition_path: pipeline.path,
        definition_blob: source.object,
        definition,
        inputs,
        event_id: Some(event_id),
        bases: found.as_ref().map(|found| found.bases.clone()).unwrap_or_default(),
        started_by: Vec::new(),
        refusal: refusal.clone(),
    };
    let message = refusal.unwrap_or_else(|| msg!("trigger-started"));
    Ok(Ok(Start { pipeline: pipeline.name.as_str().to_owned(), discovered: None, run, found, message }))
}
