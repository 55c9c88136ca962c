//! A lane for each registry: whatever waits for one registry waits in its lane, and the other lanes go on. A lane is
//! entered by one worker at a time; it is free again when that worker is done, or is dropped.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The lanes that are in use, by host. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Lanes(Arc<Mutex<BTreeSet<String>>>);

/// A lane in use.
#[derive(Debug)]
pub struct Lane {
    pub host: String,
    of: Lanes,
}

impl Lanes {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None` while somebody else is in it.
    pub fn enter(&self, host: &str) -> Option<Lane> {
        let free = self.lock().insert(host.to_owned());
        free.then(|| Lane { host: host.to_owned(), of: self.clone() })
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.of.lock().remove(&self.host);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_for_one_until_that_one_is_gone() {
        let lanes = Lanes::default();
        let first = lanes.enter("a").unwrap();
        assert!(lanes.enter("a").is_none() && lanes.enter("b").is_some());
        drop(first);
        assert!(lanes.enter("a").is_some());
    }
}
