//! One bell per run that is being written or listened to.
//!
//! A bell carries no bytes and no promise about how often it rings; it only says "look again". Bells nobody
//! writes to or listens to are dropped, so that readers of old runs leave nothing behind.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

#[derive(Default)]
pub(super) struct Bells(Mutex<HashMap<i64, Bell>>);

struct Bell {
    sender: watch::Sender<u64>,
    writers: usize,
}

impl Bells {
    fn lock(&self) -> MutexGuard<'_, HashMap<i64, Bell>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn listen(&self, run: i64) -> watch::Receiver<u64> {
        let mut bells = self.lock();
        bells.retain(|id, bell| *id == run || bell.writers > 0 || bell.sender.receiver_count() > 0);
        bells.entry(run).or_insert_with(Bell::new).sender.subscribe()
    }

    /// A writer keeps its run's bell alive until `left`.
    pub fn joined(&self, run: i64) -> watch::Sender<u64> {
        let mut bells = self.lock();
        let bell = bells.entry(run).or_insert_with(Bell::new);
        bell.writers += 1;
        bell.sender.clone()
    }

    pub fn left(&self, run: i64) {
        let mut bells = self.lock();
        if let Some(bell) = bells.get_mut(&run) {
            bell.writers = bell.writers.saturating_sub(1);
            if bell.writers == 0 && bell.sender.receiver_count() == 0 {
                bells.remove(&run);
            }
        }
    }

    pub fn ring(&self, run: i64) {
        if let Some(bell) = self.lock().get(&run) {
            ring(&bell.sender);
        }
    }

    pub fn remove(&self, run: i64) {
        self.lock().remove(&run);
    }

    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.lock().len()
    }
}

impl Bell {
    fn new() -> Self {
        Bell { sender: watch::Sender::new(0), writers: 0 }
    }
}

pub(super) fn ring(sender: &watch::Sender<u64>) {
    sender.send_modify(|count| *count = count.wrapping_add(1));
}
