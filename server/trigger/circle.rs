//! Circles: a pipeline that would be started by an image it led to itself, directly or through the images of other
//! pipelines. What a run pushed is known for sure when its stage has ended, and its registry tells of it before that: so
//! while a run is at work that may be the one who pushed, the answer is to wait for its end.

use std::collections::BTreeSet;

use crate::model::{Cause, Happened, ImageReference, Message, Result, Run, RunImage, Status};
use crate::msg;
use crate::store::pipelines::Pipeline;
use crate::store::{Connection, causality, events, images, runs};

/// How far the way from an image back to the pipelines that led to it is followed.
const LONGEST_CHAIN: usize = 32;
/// Runs that are looked at for what a pipeline has pushed before.
const LOOKED_BACK: u32 = 20;

/// Where images come from, as far as a pipeline is concerned that is to be started for them.
pub enum Origin {
    Elsewhere,
    /// From the pipeline itself: the pipelines on the way, first and last the same.
    Circle(Vec<String>),
    /// Perhaps from a run that is at work.
    Perhaps(Box<Run>),
}

impl Origin {
    /// Why nothing starts, if nothing does.
    pub fn objection(&self) -> Option<Message> {
        match self {
            Origin::Elsewhere => None,
            Origin::Circle(round) => Some(msg!("trigger-loop", pipelines = round.join(" → "))),
            Origin::Perhaps(run) => {
                let name = format!("{}/{} #{}", run.repository, run.pipeline, run.number);
                Some(msg!("trigger-perhaps-own", run = name))
            }
        }
    }
}

/// Where these images come from, each `host/repository@sha256:...`; what has no digest comes from elsewhere.
pub fn origin(c: &Connection, pipeline: &Pipeline, references: &[String]) -> Result<Origin> {
    if let Some(round) = way_back(c, pipeline.id, references.to_vec())? {
        return Ok(Origin::Circle(round));
    }
    let mut unknown = Vec::new();
    for reference in references {
        if pushed_as(c, reference)?.is_none() {
            let image = ImageReference::parse(reference).ok().filter(|image| image.digest.is_some());
            unknown.extend(image.map(|image| image.repository));
        }
    }
    if unknown.is_empty() {
        return Ok(Origin::Elsewhere);
    }
    for run in runs::unfinished(c)? {
        if run.started_at.is_some() && leads_to(c, &run, pipeline.id)? && may_push(c, &run, &unknown)? {
            return Ok(Origin::Perhaps(Box::new(run)));
        }
    }
    Ok(Origin::Elsewhere)
}

/// Whether what the run pushes would come from the pipeline.
fn leads_to(c: &Connection, run: &Run, pipeline_id: i64) -> Result<bool> {
    Ok(run.pipeline_id == pipeline_id || way_back(c, pipeline_id, started_for(c, run)?)?.is_some())
}

/// Whether a run may be the one who pushes to one of the repositories: unless its pipeline's earlier runs tell that it
/// does not.
fn may_push(c: &Connection, run: &Run, repositories: &[String]) -> Result<bool> {
    let mut known = false;
    for past in runs::of_pipeline(c, run.pipeline_id, None, LOOKED_BACK)? {
        let pushed = images::of_run(c, past.id)?;
        if pushed.iter().any(|image| repositories.contains(&image.repository)) {
            return Ok(true);
        }
        known |= past.status == Status::Passed;
    }
    Ok(!known)
}

/// Whether the pipeline led to one of the images: the pipelines on that way.
fn way_back(c: &Connection, pipeline_id: i64, references: Vec<String>) -> Result<Option<Vec<String>>> {
    let mut open: Vec<(String, Vec<String>)> =
        references.into_iter().map(|reference| (reference, Vec::new())).collect();
    let mut seen = BTreeSet::new();
    while let Some((reference, mut way)) = open.pop() {
        if way.len() >= LONGEST_CHAIN || !seen.insert(reference.clone()) {
            continue;
        }
        let Some(pushed) = pushed_as(c, &reference)? else { continue };
        let Some(run) = runs::by_id(c, pushed.run_id)? else { continue };
        let name = format!("{}/{}", run.repository, run.pipeline);
        way.insert(0, name.clone());
        if run.pipeline_id == pipeline_id {
            way.push(name);
            return Ok(Some(way));
        }
        open.extend(started_for(c, &run)?.into_iter().map(|reference| (reference, way.clone())));
    }
    Ok(None)
}

/// The images that a run was started for.
fn started_for(c: &Connection, run: &Run) -> Result<Vec<String>> {
    match &run.cause {
        Cause::ImageChange { changes } => Ok(changes.iter().map(|change| change.new.clone()).collect()),
        Cause::Webhook { .. } => {
            let event =
                causality::event_of_run(c, run.id)?.map(|id| events::by_id(c, id)).transpose()?.flatten();
            Ok(match event.map(|event| event.happened) {
                Some(Happened::ImageAnnounced { image, .. }) => image.pinned().into_iter().collect(),
                _ => Vec::new(),
            })
        }
        Cause::Push { .. } | Cause::Poll | Cause::Person { .. } | Cause::Rerun { .. } => Ok(Vec::new()),
    }
}

/// The first run that pushed the image there.
fn pushed_as(c: &Connection, reference: &str) -> Result<Option<RunImage>> {
    let Ok(image) = ImageReference::parse(reference) else { return Ok(None) };
    let Some(digest) = image.digest else { return Ok(None) };
    let by_digest = images::by_digest(c, &digest)?;
    Ok(by_digest.into_iter().rfind(|pushed| pushed.repository == image.repository))
}
