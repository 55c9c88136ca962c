//! Which loops of the house fail again and again: since when, how often, and what the last failure was. A loop notes
//! its failures here and that it works again; the look around says what stands here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;

use crate::model::{Error, Message};
use crate::msg;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// A loop that did not come through the last time.
#[derive(Clone, Debug)]
pub struct Trouble {
    pub name: &'static str,
    pub since: Timestamp,
    /// Failures in a row.
    pub times: u32,
    /// The last one's sentence.
    pub message: Message,
}

/// Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Loops(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    failing: Mutex<BTreeMap<&'static str, Trouble>>,
    changed: Notify,
}

impl Loops {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, Trouble>> {
        self.0.failing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a failure. How long the loop should pause before it tries again: longer each time, up to 15 s.
    pub fn failed(&self, name: &'static str, error: &Error) -> Duration {
        let message = error.message().cloned().unwrap_or_else(|| msg!("health-loop-internal"));
        let (times, since) = match self.lock().get(name) {
            Some(known) => (known.times.saturating_add(1), known.since),
            None => (1, Timestamp::now()),
        };
        tracing::error!(name, times, %error, "a loop failed; it tries again");
        self.lock().insert(name, Trouble { name, since, times, message });
        if times == 1 {
            self.0.changed.notify_one();
        }
        FIRST_PAUSE.saturating_mul(1 << (times - 1).min(4)).min(LONGEST_PAUSE)
    }

    /// The loop has come through.
    pub fn well(&self, name: &'static str) {
        if let Some(known) = self.lock().remove(name) {
            tracing::info!(name, times = known.times, "a loop works again");
            self.0.changed.notify_one();
        }
    }

    pub fn failing(&self) -> Vec<Trouble> {
        self.lock().values().cloned().collect()
    }

    /// Waits until a loop begins or ceases to fail.
    pub async fn changed(&self) {
        self.0.changed.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_a_success_forgets() {
        let loops = Loops::default();
        let error = Error::Unavailable(msg!("store-disk-full"));
        let pauses: Vec<u64> = (0..7).map(|_| loops.failed("run", &error).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 15, 15, 15]);
        let failing = loops.failing();
        assert_eq!((failing.len(), failing[0].times, &*failing[0].message.key), (1, 7, "store-disk-full"));
        loops.failed("watch", &Error::Internal("secret".into()));
        assert_eq!(loops.failing()[1].message.key, "health-loop-internal");
        loops.well("run");
        assert_eq!(loops.failing().len(), 1);
        assert_eq!(loops.failed("run", &error), FIRST_PAUSE);
    }
}
