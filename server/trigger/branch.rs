//! A run of a pipeline at the tip of its repository's default branch: what image changes and Docker triggers start.

use std::collections::BTreeMap;

use super::decide::{Start, unreadable};
use crate::git;
use crate::model::{Cause, ImageChange, ImageReference, Input, Message, RefName, Result};
use crate::msg;
use crate::pin::{Found, Pin, Wanted};
use crate::pipeline;
use crate::store::pipelines::Pipeline;
use crate::store::repositories::Repository;
use crate::store::runs;

/// What is to be started, and why.
pub struct Order {
    pub pipeline: Pipeline,
    pub repository: Repository,
    pub cause: Cause,
    /// The image triggers that start it.
    pub started_by: Vec<i64>,
    pub event_id: i64,
}

/// The run, or why there can be none. `fill` gives the declared inputs their values.
pub async fn start(
    (git, pin): (&git::Repositories, &Pin),
    order: Order,
    fill: impl FnOnce(&[Input]) -> Result<BTreeMap<String, String>>,
) -> Result<std::result::Result<Start, Message>> {
    let Order { pipeline, repository, cause, started_by, event_id } = order;
    let Some(branch) = repository.default_branch.clone() else { return Ok(Err(msg!("trigger-no-branch"))) };
    let path = pipeline.path.clone();
    let read = move |open: &git::OpenRepository| {
        let commit = open.resolve(&branch)?.commit;
        let source = open.definition_source(&commit, &path)?;
        Ok((RefName::branch(&branch)?, commit, source))
    };
    let (reference, commit, source) = match git.read(&repository.path, read).await {
        Ok(read) => read,
        Err(error) => return unreadable(error).map(Err),
    };
    let Some(source) = source else {
        return Ok(Err(msg!("trigger-no-definition", path = pipeline.path)));
    };
    let definition = pipeline::read_found(&pipeline.path, &source);
    let inputs = match &definition {
        Err(_) => fill(&[]).unwrap_or_default(),
        Ok(definition) => match fill(&definition.inputs) {
            Ok(inputs) => inputs,
            Err(error) => return unreadable(error).map(Err),
        },
    };
    let findings = definition.as_ref().err().map(Vec::len);
    let refusal = findings.map(|count| msg!("trigger-findings", count = count, path = pipeline.path));
    let found = match &definition {
        Ok(definition) => {
            let wanted = Wanted {
                repository: &repository.path,
                commit: &commit,
                pipeline_id: Some(pipeline.id),
                definition_path: &pipeline.path,
                definition,
                inputs: &inputs,
                changes: changes(&cause),
            };
            Some(pin.bases(&wanted).await)
        }
        Err(_) => None,
    };
    let run = runs::NewRun {
        repository_id: repository.id,
        pipeline_id: pipeline.id,
        cause,
        reference,
        commit,
        definition_path: pipeline.path,
        definition_blob: source.object,
        definition,
        inputs,
        event_id: Some(event_id),
        bases: found.as_ref().map(|found: &Found| found.bases.clone()).unwrap_or_default(),
        started_by,
        refusal: refusal.clone(),
    };
    let message = refusal.unwrap_or_else(|| started(changes(&run.cause)));
    Ok(Ok(Start { pipeline: pipeline.name.as_str().to_owned(), discovered: None, run, found, message }))
}

/// An image that has no digest starts a run once, and that is said.
fn started(changes: &[ImageChange]) -> Message {
    let has_none =
        |change: &&ImageChange| ImageReference::parse(&change.new).is_ok_and(|image| image.digest.is_none());
    match changes.iter().find(has_none) {
        Some(change) => msg!("trigger-started-once", image = change.new),
        None => msg!("trigger-started"),
    }
}

fn changes(cause: &Cause) -> &[ImageChange] {
    match cause {
        Cause::ImageChange { changes } => changes,
        Cause::Push { .. }
        | Cause::Poll
        | Cause::Person { .. }
        | Cause::Rerun { .. }
        | Cause::Webhook { .. } => &[],
    }
}
