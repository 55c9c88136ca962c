//! Decides: takes undecided events of the journal and turns each into queued runs, or into the reason why there are none.
//! It carries nothing out and looks at no repository but the event's.
//!
//! One event never stops another. What cannot be read of it, or takes too long, or is our own mistake, is its outcome, in
//! a sentence; only what the house itself lacks (`Unavailable`) leaves an event as it is, to be tried again. Repositories
//! take turns (`turns`), so that one that moves a hundred thousand refs holds up nobody.

mod announced;
mod branch;
mod circle;
mod decide;
mod images;
mod look;
mod one;
mod turns;
mod write;

use futures_util::future;

use crate::git;
use crate::model::{Result, Turn};
use crate::pin::Pin;
use crate::store::{Store, put_off};
pub use turns::Taken;
use turns::Turns;

pub struct Trigger {
    store: Store,
    repositories: git::Repositories,
    pin: Pin,
    turns: Turns,
}

impl Trigger {
    pub fn new(store: Store, repositories: git::Repositories, pin: Pin) -> Self {
        Trigger { store, repositories, pin, turns: Turns::default() }
    }

    /// Gives everybody whose turn it is one, and waits for all of them.
    pub async fn tick(&self) -> Result<Turn> {
        let taken = self.take().await?;
        if taken.is_empty() {
            return Ok(Turn::Idle);
        }
        let done = future::join_all(taken.into_iter().map(|taken| self.decide_taken(taken))).await;
        done.into_iter().collect::<Result<()>>()?;
        Ok(Turn::Worked)
    }

    /// The repositories whose turn it is, with some of their events each. What is taken is to be decided, or dropped.
    /// Events that waited for the end of a run are woken first.
    pub async fn take(&self) -> Result<Vec<Taken>> {
        let ripe = self.store.read(put_off::ripe)?;
        if !ripe.is_empty() {
            self.store.write(move |c| put_off::wake(c, &ripe)).await?;
        }
        self.turns.take(&self.store)
    }
}
