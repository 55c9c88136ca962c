//! What image triggers would start now, and changes of the triggers themselves: each writes the event that makes
//! the trigger loop look at once.

use jiff::Timestamp;
use rusqlite::Connection;

use super::{ImageTrigger, NewTrigger, create, delete, of_pipeline, set_paused, watched_now};
use crate::model::{Happened, ImageChange, Result, StreamTagName};
use crate::store::events;
use crate::store::pipelines::Pipeline;

/// What the trigger watches that is not what the newest run had: what a run would be started for.
pub fn pending(c: &Connection, trigger: &ImageTrigger) -> Result<Vec<ImageChange>> {
    let now = watched_now(c, trigger)?;
    let moved = now.into_iter().filter(|(watched, new)| trigger.last.get(watched) != Some(new));
    Ok(moved
        .map(|(watched, new)| ImageChange { old: trigger.last.get(&watched).cloned(), watched, new })
        .collect())
}

/// A pipeline and whoever changes its triggers.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    pub pipeline: &'a Pipeline,
    pub account: &'a str,
    pub at: Timestamp,
}

/// What is watched, and whether it waits.
pub type Wanted = (Option<StreamTagName>, bool);

impl By<'_> {
    /// A trigger of the pipeline; `Conflict` when it watches that already.
    pub fn add(&self, c: &Connection, (from, paused): Wanted) -> Result<i64> {
        let new =
            NewTrigger { pipeline_id: self.pipeline.id, from, paused, created_by: self.account.to_owned() };
        let id = create(c, &new, self.at)?;
        self.tell(c)?;
        Ok(id)
    }

    pub fn pause(&self, c: &Connection, id: i64, paused: bool) -> Result<()> {
        set_paused(c, self.pipeline.id, id, paused)?;
        self.tell(c)
    }

    pub fn remove(&self, c: &Connection, id: i64) -> Result<()> {
        delete(c, self.pipeline.id, id)?;
        self.tell(c)
    }

    /// Makes the pipeline's triggers exactly these; `false` when they were. A trigger that stays keeps what it had.
    pub fn replace(&self, c: &Connection, wanted: &[Wanted]) -> Result<bool> {
        let before = of_pipeline(c, self.pipeline.id)?;
        let mut changed = false;
        for trigger in &before {
            if !wanted.iter().any(|(from, _)| *from == trigger.from) {
                delete(c, self.pipeline.id, trigger.id)?;
                changed = true;
            }
        }
        for (from, paused) in wanted {
            match before.iter().find(|trigger| trigger.from == *from) {
                Some(trigger) if trigger.paused == *paused => continue,
                Some(trigger) => set_paused(c, self.pipeline.id, trigger.id, *paused)?,
                None => {
                    let (from, created_by) = (from.clone(), self.account.to_owned());
                    let new = NewTrigger { pipeline_id: self.pipeline.id, from, paused: *paused, created_by };
                    create(c, &new, self.at)?;
                }
            }
            changed = true;
        }
        if changed {
            self.tell(c)?;
        }
        Ok(changed)
    }

    fn tell(&self, c: &Connection) -> Result<()> {
        let happened = Happened::TriggerChanged {
            pipeline_id: self.pipeline.id,
            pipeline: self.pipeline.name.to_string(),
            by: self.account.to_owned(),
        };
        events::add(c, Some(self.pipeline.repository_id), &happened, self.at)?;
        Ok(())
    }
}
