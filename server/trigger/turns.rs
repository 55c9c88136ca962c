//! Whose turn it is: every repository whose events wait gets one after the other, some of them at the same time, and with
//! each turn a bounded part of its events. However many events one of them has, the others only wait for a turn. Events of
//! no repository take turns as one more. It holds no events: the store knows which wait.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::Result;
use crate::store::{Store, events};

/// Repositories whose events are decided at the same time: most of that time is spent waiting for registries.
const AT_ONCE: usize = 16;
/// Events of one turn.
const BATCH: u32 = 256;

/// Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Turns(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    busy: BTreeSet<i64>,
    /// Whose turn was given last.
    after: i64,
}

/// The events of one repository that were taken together; nobody else takes of them while it lives.
#[derive(Debug)]
pub struct Taken {
    turn: i64,
    pub(super) ids: Vec<i64>,
    of: Turns,
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.of.lock().busy.remove(&self.turn);
    }
}

impl Turns {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next turns, as many as may be at the same time.
    pub fn take(&self, store: &Store) -> Result<Vec<Taken>> {
        let (busy, after) = {
            let state = self.lock();
            (state.busy.clone(), state.after)
        };
        let free = AT_ONCE.saturating_sub(busy.len());
        if free == 0 {
            return Ok(Vec::new());
        }
        let found = store.read(|c| {
            let mut found = Vec::new();
            for (from, to) in [(after, i64::MAX), (-1, after)] {
                let mut at = from;
                while found.len() < free {
                    let Some(turn) = events::next_turn(c, at)?.filter(|turn| *turn <= to) else { break };
                    at = turn;
                    if !busy.contains(&turn) {
                        found.push((turn, events::undecided_of(c, turn, BATCH)?));
                    }
                }
            }
            Ok(found)
        })?;
        let mut state = self.lock();
        let mut taken = Vec::new();
        for (turn, ids) in found {
            if state.busy.insert(turn) {
                state.after = turn;
                taken.push(Taken { turn, ids, of: self.clone() });
            }
        }
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Happened, RefName, RepositoryPath};
    use crate::store::repositories::{self, NewRepository};
    use jiff::Timestamp;

    #[tokio::test]
    async fn one_with_many_events_takes_nobodys_turn() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let now = Timestamp::now();
        let fill = move |c: &crate::store::Connection| {
            for n in 0..40 {
                let path = RepositoryPath::new("a", &format!("r{n}"))?;
                let new = NewRepository { path, description: String::new(), private: false, remote: None };
                let id = repositories::create(c, &new, now)?;
                let reference = RefName::branch("main")?;
                let moved = Happened::RefMoved { reference, old: None, new: None, by: None };
                for _ in 0..if n == 0 { 1000 } else { 1 } {
                    events::add(c, Some(id), &moved, now)?;
                }
            }
            let changed = Happened::TriggerChanged { pipeline_id: 1, pipeline: "p".into(), by: "a".into() };
            events::add(c, None, &changed, now)
        };
        store.write(fill).await.unwrap();
        let turns = Turns::default();
        let (mut seen, mut rounds) = (Vec::new(), 0);
        // Nothing is decided, so everybody waits all the time.
        while seen.len() < 41 {
            rounds += 1;
            let taken = turns.take(&store).unwrap();
            assert!(taken.len() == AT_ONCE && taken.iter().all(|taken| taken.ids.len() <= BATCH as usize));
            assert!(turns.take(&store).unwrap().is_empty(), "all places are taken");
            seen.extend(
                taken.iter().map(|taken| taken.turn).filter(|turn| !seen.contains(turn)).collect::<Vec<_>>(),
            );
        }
        assert_eq!(rounds, 3, "everybody had a turn before anybody had two");
    }
}
