//! A registry that says how long it wants to be left alone (429 and `Retry-After`) is left alone for that long, whoever
//! wants to know something: what it said then is the answer meanwhile.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::state::Trouble;

/// Longest time that is granted.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// Until when it rests, and what it said.
#[derive(Debug, Default)]
pub(super) struct Rest(Mutex<Option<(Instant, Trouble)>>);

impl Rest {
    /// From now on for as long as the trouble says; not at all when it does not.
    pub fn begin(&self, trouble: &Trouble) {
        if !trouble.after.is_zero() {
            let until = Instant::now() + trouble.after.min(LONGEST);
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((until, trouble.clone()));
        }
    }

    /// What it said, with the time that is left of its rest.
    pub fn over(&self) -> Result<(), Trouble> {
        let mut rest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((until, trouble)) = &*rest else { return Ok(()) };
        let left = until.saturating_duration_since(Instant::now());
        if !left.is_zero() {
            return Err(Trouble { after: left, ..trouble.clone() });
        }
        *rest = None;
        Ok(())
    }
}
