//! A registry told a Docker trigger of a push: whether that starts a run, and why not if it does not. The questions
//! and their order are the model's, so that a dry run gives the same answers.

use jiff::Timestamp;

use crate::git;
use crate::model::{
    Announced, Cause, Circumstances, DockerWebhook, Event, Happened, Message, RefName, Result, TagAddress, TokenRight,
};
use crate::msg;
use crate::pipeline;
use crate::store::accounts::{self, Scope};
use crate::store::pipelines::Pipeline;
use crate::store::repositories::Repository;
use crate::store::{Connection, Store, docker_webhooks, pipelines, repositories, runs};

use super::decide::{Decision, Plan, Start, nothing, only, unreadable};

/// Where the run would be.
struct Place {
    pipeline: Pipeline,
    repository: Repository,
}

pub async fn decide(store: &Store, git: &git::Repositories, event: &Event) -> Result<Plan> {
    let Happened::ImageAnnounced { webhook_id, image, delivery_id, .. } = &event.happened else {
        return Ok(only(msg!("trigger-not-a-trigger")));
    };
    let found = store.read(|c| docker_webhooks::by_id(c, *webhook_id))?;
    let Some(webhook) = found else { return Ok(only(msg!("hook-webhook-gone"))) };
    let place = store.read(|c| place(c, &webhook))?;
    let around = store.read(|c| circumstances(c, &webhook, place.as_ref()))?;
    let name = place.as_ref().map(|place| place.pipeline.name.as_str().to_owned());
    let refuse = |message: Message| Plan { decisions: vec![nothing(name.as_deref(), message)] };
    if let Some(bad) = webhook.checks(image, &around)?.into_iter().find(|check| !check.good) {
        return Ok(refuse(bad.message));
    }
    let (Some(place), Some(branch)) = (place, around.branch) else {
        return Ok(refuse(msg!("webhook-no-pipeline")));
    };
    let started = start(git, (&webhook, image, *delivery_id), place, (branch, event.id)).await?;
    Ok(match started {
        Ok(start) => Plan { decisions: vec![Decision::Start(Box::new(start))] },
        Err(message) => refuse(message),
    })
}

fn place(c: &Connection, webhook: &DockerWebhook) -> Result<Option<Place>> {
    let Some(id) = webhook.pipeline_id else { return Ok(None) };
    let Some(pipeline) = pipelines::by_id(c, id)? else { return Ok(None) };
    let repository = repositories::by_id(c, pipeline.repository_id)?;
    Ok(repository.map(|repository| Place { pipeline, repository }))
}

fn circumstances(c: &Connection, webhook: &DockerWebhook, place: Option<&Place>) -> Result<Circumstances> {
    let token = match (&webhook.api_token, place) {
        (None, _) => TokenRight::NotSet,
        (Some(hash), Some(place)) => {
            let owner = &place.repository.path.owner;
            match accounts::by_token(c, hash, Timestamp::now())? {
                Some((account, scope, _)) if scope >= Scope::Write && account.may_change(owner) => TokenRight::Good,
                _ => TokenRight::Bad,
            }
        }
        (Some(_), None) => TokenRight::Bad,
    };
    Ok(Circumstances {
        pipeline: place.map(|place| format!("{}/{}", place.repository.path, place.pipeline.name)),
        branch: place.and_then(|place| place.repository.default_branch.clone()),
        token,
    })
}

/// The run, or why there can be none.
async fn start(
    git: &git::Repositories,
    (webhook, image, delivery_id): (&DockerWebhook, &Announced, i64),
    place: Place,
    (branch, event_id): (String, i64),
) -> Result<std::result::Result<Start, Message>> {
    let Place { pipeline, repository } = place;
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
    let findings = definition.as_ref().err().map(Vec::len);
    let refusal = findings.map(|count| msg!("trigger-findings", count = count, path = pipeline.path));
    let address =
        TagAddress { host: image.host.clone(), repository: image.repository.clone(), tag: image.tag.clone() };
    let run = runs::NewRun {
        repository_id: repository.id,
        pipeline_id: pipeline.id,
        cause: Cause::Webhook { webhook: webhook.name.clone(), image: address.to_string(), delivery_id },
        reference,
        commit,
        definition_path: pipeline.path,
        definition_blob: source.object,
        definition,
        inputs,
        event_id: Some(event_id),
        bases: Vec::new(),
        started_by: Vec::new(),
        refusal: refusal.clone(),
    };
    let message = refusal.unwrap_or_else(|| msg!("trigger-started"));
    Ok(Ok(Start { pipeline: pipeline.name.as_str().to_owned(), discovered: None, run, message }))
}
