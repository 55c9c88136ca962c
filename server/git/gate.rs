//! What the pushes to one repository share while there are any: the lock on its refs, and who receives.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::OwnedMutexGuard;

/// What one repository's pushes share while there are any.
#[derive(Default)]
pub(super) struct Gate {
    pub(super) updates: Arc<tokio::sync::Mutex<()>>,
    receiving: AtomicUsize,
    leftovers: AtomicBool,
}

/// While it lives, nobody else updates refs of that repository through this server.
pub struct UpdateGuard {
    _lock: OwnedMutexGuard<()>,
    _gate: Arc<Gate>,
}

impl Gate {
    pub async fn lock(self: Arc<Self>) -> UpdateGuard {
        UpdateGuard { _lock: self.updates.clone().lock_owned().await, _gate: self }
    }

    /// Counts a receive-pack; the count goes down when the guard is dropped.
    pub fn enter(self: &Arc<Self>) -> Receiving {
        self.receiving.fetch_add(1, Ordering::SeqCst);
        Receiving(self.clone())
    }
}

pub(super) struct Receiving(Arc<Gate>);

impl Receiving {
    /// Notes that a receive-pack died and may have left its quarantine behind.
    pub fn note_leftovers(&self) {
        self.0.leftovers.store(true, Ordering::SeqCst);
    }

    /// Whether the caller should clear quarantines now: something was left and nobody else receives.
    pub fn may_clear(&self) -> bool {
        self.0.receiving.load(Ordering::SeqCst) == 1 && self.0.leftovers.swap(false, Ordering::SeqCst)
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        self.0.receiving.fetch_sub(1, Ordering::SeqCst);
    }
}
