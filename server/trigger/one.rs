//! One turn: some events of one repository, in their order. What is decided without a run is written together; a run is
//! written at once. Each event has a time in which it must be decided, and its failure is its own.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;

use super::decide::{self, Decision, Plan, only};
use super::look::{Look, look_at};
use super::{Taken, Trigger, announced, images};
use crate::model::{CommitId, Error, Event, Happened, Result};
use crate::msg;
use crate::store::pipelines::{self, Pipeline};
use crate::store::repositories::{self, Repository};
use crate::store::{Connection, events};

/// For one event, or for the look at some of them.
const WITHIN: Duration = Duration::from_secs(60);
/// Pauses before what may pass is tried again.
const TRIES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(500)];
/// Decisions that are written in one transaction.
const TOGETHER: usize = 128;

type Looked = Result<Arc<Look>>;

/// An event as it stands in the journal, or what is wrong with its row.
type Row = (i64, Result<Event>);

/// The repository of a turn's ref events.
struct Place {
    repository: Repository,
    known: Vec<Pipeline>,
}

impl Trigger {
    /// Decides what was taken, as far as there is time for it. `Err` when the house lacks something: what is not decided
    /// then is taken again.
    pub async fn decide_taken(&self, taken: Taken) -> Result<()> {
        for id in self.decide_some(&taken.ids, false).await? {
            // What it was decided by may be gone meanwhile.
            self.decide_some(&[id], true).await?;
        }
        Ok(())
    }

    /// Ids of those whose decision could not be written.
    async fn decide_some(&self, ids: &[i64], last: bool) -> Result<Vec<i64>> {
        let rows = self.store.read(|c| rows(c, ids))?;
        let events = rows.iter().filter_map(|(_, row)| row.as_ref().ok());
        let tips: Vec<CommitId> = events.clone().filter_map(tip).cloned().collect();
        let place = match events.into_iter().find_map(|event| event.repository_id) {
            Some(id) if !tips.is_empty() => self.place(id)?,
            _ => None,
        };
        let looks = match &place {
            Some(place) => self.look(place, tips).await?,
            None => Vec::new(),
        };
        let (mut looks, mut ready, mut failed) = (looks.into_iter(), Vec::new(), Vec::new());
        for (id, row) in rows {
            let planned = match row {
                Err(error) => self.own_fault(id, &error),
                Ok(event) => match (tip(&event), &place) {
                    (Some(_), Some(place)) => match looks.next() {
                        Some(look) => self.plan(&event, Some((place, look))).await?,
                        // The time for looking was used up before its turn.
                        None => break,
                    },
                    _ => self.plan(&event, None).await?,
                },
            };
            let starts = planned.decisions.iter().any(|one| matches!(one, Decision::Start(_)));
            ready.push((id, planned));
            if starts || ready.len() >= TOGETHER {
                failed.extend(self.write(std::mem::take(&mut ready), last).await?);
            }
        }
        failed.extend(self.write(ready, last).await?);
        Ok(failed)
    }

    /// `None` when the repository is gone.
    fn place(&self, id: i64) -> Result<Option<Place>> {
        self.store.read(|c| {
            let Some(repository) = repositories::by_id(c, id)? else { return Ok(None) };
            Ok(Some(Place { repository, known: pipelines::of_repository(c, id)? }))
        })
    }

    /// What git says of the objects; of as many as there was time for. When the look at all of them comes to nothing,
    /// each is looked at alone, so that one does not keep the others from being read.
    async fn look(&self, place: &Place, tips: Vec<CommitId>) -> Result<Vec<Looked>> {
        match self.look_once(place, tips.clone()).await {
            Ok(looks) => return Ok(looks),
            Err(error @ Error::Unavailable(_)) => return Err(error),
            Err(_) => {}
        }
        let mut looks = Vec::new();
        for tip in tips {
            let look = self.look_once(place, vec![tip]).await;
            let ends = look.is_err();
            looks.extend(look.unwrap_or_else(|error| vec![Err(error)]));
            if ends {
                break;
            }
        }
        Ok(looks)
    }

    async fn look_once(&self, place: &Place, tips: Vec<CommitId>) -> Result<Vec<Looked>> {
        let discovered = |pipeline: &&Pipeline| !pipeline.discovered;
        let paths: Vec<String> =
            place.known.iter().filter(discovered).map(|known| known.path.clone()).collect();
        let mut pauses = TRIES.iter();
        loop {
            let (tips, paths) = (tips.clone(), paths.clone());
            let read =
                self.repositories.read(&place.repository.path, move |open| Ok(look_at(open, &tips, &paths)));
            let slow = || Err(Error::Invalid(msg!("trigger-too-slow", seconds = WITHIN.as_secs())));
            let looked = tokio::time::timeout(WITHIN, read).await.unwrap_or_else(|_| slow());
            let short = looked.iter().flatten().find_map(|look| match look {
                Err(error @ Error::Unavailable(_)) => Some(error.clone()),
                _ => None,
            });
            if let Some(error) = short {
                return Err(error);
            }
            let may_pass = looked.as_ref().map_or_else(is_internal, |looks| {
                looks.iter().any(|one| one.as_ref().is_err_and(is_internal))
            });
            match pauses.next() {
                Some(pause) if may_pass => tokio::time::sleep(*pause).await,
                _ => return looked,
            }
        }
    }

    /// What is to be written for one event. `Err` only when the house lacks something.
    async fn plan(&self, event: &Event, seen: Option<(&Place, Looked)>) -> Result<Plan> {
        let mut pauses = TRIES.iter();
        loop {
            let seen = seen.as_ref().map(|(place, look)| (*place, look.clone()));
            let deciding = AssertUnwindSafe(self.decide(event, seen)).catch_unwind();
            let error = match tokio::time::timeout(WITHIN, deciding).await {
                Err(_) => return Ok(only(msg!("trigger-too-slow", seconds = WITHIN.as_secs()))),
                Ok(Err(_)) => Error::Internal("the decision panicked".into()),
                Ok(Ok(Ok(plan))) => return Ok(plan),
                Ok(Ok(Err(error))) => error,
            };
            match (&error, pauses.next()) {
                (Error::Unavailable(_), _) => return Err(error),
                (Error::Internal(_), Some(pause)) => tokio::time::sleep(*pause).await,
                _ => return Ok(self.own_fault(event.id, &error)),
            }
        }
    }

    async fn decide(&self, event: &Event, seen: Option<(&Place, Looked)>) -> Result<Plan> {
        let rooms = (&self.repositories, &self.pin);
        match &event.happened {
            Happened::TagMoved { .. } | Happened::StreamTagMoved { .. } | Happened::TriggerChanged { .. } => {
                images::decide(&self.store, rooms, event).await
            }
            Happened::ImageAnnounced { .. } => announced::decide(&self.store, rooms, event).await,
            Happened::RefMoved { reference, new, by, .. } => {
                let Some(_) = new else {
                    return Ok(only(msg!("trigger-ref-deleted", name = reference.short())));
                };
                let Some((place, look)) = seen else { return Ok(only(msg!("trigger-no-repository"))) };
                let look = match look {
                    Ok(look) => look,
                    Err(error) => return Ok(self.own_fault(event.id, &error)),
                };
                let tip = decide::Tip {
                    repository: &place.repository,
                    known: &place.known,
                    reference,
                    by: by.as_deref(),
                    event_id: event.id,
                    pin: &self.pin,
                };
                tip.decide(&look).await
            }
            _ => Ok(only(msg!("trigger-not-a-trigger"))),
        }
    }

    /// The outcome of an event that cannot be decided.
    pub(super) fn own_fault(&self, id: i64, error: &Error) -> Plan {
        tracing::warn!(event = id, %error, "an event could not be decided");
        only(match error.message() {
            Some(message) => message.clone(),
            None => msg!("trigger-failed", id = id),
        })
    }
}

fn is_internal(error: &Error) -> bool {
    matches!(error, Error::Internal(_))
}

/// Each by itself: a row that cannot be read must not keep the others from being read.
fn rows(c: &Connection, ids: &[i64]) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for id in ids {
        match events::by_id(c, *id) {
            Ok(Some(event)) => rows.push((*id, Ok(event))),
            Ok(None) => {}
            Err(error @ Error::Unavailable(_)) => return Err(error),
            Err(error) => rows.push((*id, Err(error))),
        }
    }
    Ok(rows)
}

/// What a ref points to now, if the event is about one.
fn tip(event: &Event) -> Option<&CommitId> {
    match &event.happened {
        Happened::RefMoved { new, .. } => new.as_ref(),
        _ => None,
    }
}
