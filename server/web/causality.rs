//! The way from an event or a run back to where it began, and from there to everything that came of it: push, run,
//! image, stream, runs that stand on it. Bounded; what the caller may not see is left out, and so is what lies
//! behind it.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::api::activity;
use super::auth::{self, Identity};
use super::state::Door;
use crate::model::{Event, Happened, Message, Result, Run, RunImage};
use crate::store::causality::{self, Naming};
use crate::store::{events, images, repositories, runs};

/// Most lines of one answer.
const MOST: usize = 300;
/// Deepest nesting, and the longest way back.
const DEEPEST: usize = 24;
/// Most things of one kind that one thing leads to.
const MOST_EACH: u32 = 50;

/// A line of the tree; `depth` says whose child it is.
pub struct Line {
    pub depth: usize,
    pub at: Option<Timestamp>,
    pub what: What,
}

pub enum What {
    Event(Box<Event>),
    /// An event started nothing, and why.
    Nothing(Message),
    Run(Box<Run>),
    Image(Box<RunImage>),
    Stream(Naming),
}

/// Where to begin.
#[derive(Clone, Copy)]
pub enum From {
    Event(i64),
    Run(i64),
}

/// The whole tree that `from` belongs to. Empty when there is nothing, or nothing for this caller.
pub fn tree(door: &Door, identity: &Identity, from: From) -> Result<Vec<Line>> {
    let root = root(door, from)?;
    let mut walk = Walk { door, identity, lines: Vec::new(), events: BTreeSet::new(), runs: BTreeSet::new() };
    match root {
        From::Event(id) => walk.event(id, 0)?,
        From::Run(id) => walk.run(id, 0)?,
    }
    // What began it may be hidden from whoever may see what came of it.
    if walk.lines.is_empty() {
        match from {
            From::Event(id) => walk.event(id, 0)?,
            From::Run(id) => walk.run(id, 0)?,
        }
    }
    Ok(walk.lines)
}

/// Where it began.
fn root(door: &Door, from: From) -> Result<From> {
    door.store.read(|c| {
        let mut at = from;
        let mut seen = BTreeSet::new();
        for _ in 0..DEEPEST {
            let next = match at {
                From::Run(id) => causality::event_of_run(c, id)?.map(From::Event),
                From::Event(id) => {
                    let Some(event) = events::by_id(c, id)?.filter(|_| seen.insert(id)) else { break };
                    let run = match &event.happened {
                        Happened::RunFinished { run_id, .. }
                        | Happened::RunRequested { run_id, .. }
                        | Happened::RunCancelRequested { run_id, .. }
                        | Happened::ImagePushed { run_id, .. } => Some(*run_id),
                        Happened::TagMoved { address, new: Some(digest), .. } => {
                            let pushed = images::by_digest(c, digest)?;
                            let same = |image: &&RunImage| {
                                image.repository == address.repository && image.tag == address.tag
                            };
                            pushed.iter().rev().find(same).map(|image| image.run_id)
                        }
                        _ => None,
                    };
                    event.cause_id.map(From::Event).or(run.map(From::Run))
                }
            };
            match next {
                Some(next) => at = next,
                None => break,
            }
        }
        Ok(at)
    })
}

struct Walk<'a> {
    door: &'a Door,
    identity: &'a Identity,
    lines: Vec<Line>,
    events: BTreeSet<i64>,
    runs: BTreeSet<i64>,
}

impl Walk<'_> {
    fn is_full(&self, depth: usize) -> bool {
        self.lines.len() >= MOST || depth > DEEPEST
    }

    fn add(&mut self, depth: usize, at: Option<Timestamp>, what: What) {
        self.lines.push(Line { depth, at, what });
    }

    fn event(&mut self, id: i64, depth: usize) -> Result<()> {
        if self.is_full(depth) || !self.events.insert(id) {
            return Ok(());
        }
        let Some(event) = self.door.store.read(|c| events::by_id(c, id))? else { return Ok(()) };
        if !visible_event(self.door, self.identity, &event)? {
            return Ok(());
        }
        let started = match &event.happened {
            Happened::RunRequested { run_id, .. } => vec![*run_id],
            _ => Vec::new(),
        };
        let outcomes = event.outcome.clone().unwrap_or_default();
        self.add(depth, Some(event.at), What::Event(Box::new(event)));
        for outcome in outcomes {
            match outcome.run_id {
                Some(run) => self.run(run, depth + 1)?,
                None => self.add(depth + 1, None, What::Nothing(outcome.message)),
            }
        }
        for run in started {
            self.run(run, depth + 1)?;
        }
        for caused in self.door.store.read(|c| events::caused_by(c, id, MOST_EACH))? {
            self.event(caused.id, depth + 1)?;
        }
        Ok(())
    }

    fn run(&mut self, id: i64, depth: usize) -> Result<()> {
        if self.is_full(depth) || self.runs.contains(&id) {
            return Ok(());
        }
        let Some(run) = visible_run(self.door, self.identity, id)? else { return Ok(()) };
        self.runs.insert(id);
        self.add(depth, Some(run.queued_at), What::Run(Box::new(run)));
        let mut digests = BTreeSet::new();
        for image in self.door.store.read(|c| images::of_run(c, id))? {
            let digest = image.digest.clone();
            let (pushed_at, is_new) = (image.pushed_at, digests.insert(digest.clone()));
            self.add(depth + 1, Some(pushed_at), What::Image(Box::new(image)));
            if !is_new {
                continue;
            }
            let (streams, standing) = self.door.store.read(|c| {
                Ok((
                    causality::streams_naming(c, &digest, MOST_EACH)?,
                    images::runs_on(c, &digest, MOST_EACH)?,
                ))
            })?;
            for naming in streams {
                self.add(depth + 2, None, What::Stream(naming));
            }
            // Oldest first, as everything else here.
            for run in standing.into_iter().rev().filter(|run| *run > id) {
                self.run(run, depth + 2)?;
            }
        }
        Ok(())
    }
}

/// The run, when the caller may see its repository.
pub fn visible_run(door: &Door, identity: &Identity, id: i64) -> Result<Option<Run>> {
    door.store.read(|c| {
        let Some(run) = runs::by_id(c, id)? else { return Ok(None) };
        let repository = repositories::by_id(c, run.repository_id)?;
        let visible = repository.is_some_and(|repository| auth::can_read(identity, &repository));
        Ok(visible.then_some(run))
    })
}

/// Moves of tags belong to everybody who is signed in; all else as in the journal.
fn visible_event(door: &Door, identity: &Identity, event: &Event) -> Result<bool> {
    if matches!(event.happened, Happened::TagMoved { .. } | Happened::StreamTagMoved { .. }) {
        return Ok(identity.known().is_some());
    }
    Ok(activity::visible(door, identity, event)?.is_some())
}
