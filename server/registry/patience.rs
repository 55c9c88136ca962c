//! How long to keep trying, and the waits in between: growing, jittered, and never longer than there is time for.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::base::Base;
use super::state::Trouble;

const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// How long to keep trying.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Tries in all, at least one.
    pub tries: u32,
    /// Before the second try; doubled for each further one, less a random part of up to a half.
    pub first_wait: Duration,
    /// For one try, body included.
    pub one: Duration,
    /// For everything, waits included.
    pub all: Duration,
}

impl Patience {
    /// For the health page: say now what is wrong now.
    pub const NONE: Patience = Patience::of(1, 0, 4_000, 5_000);
    /// For a person who waits for a page.
    pub const PAGE: Patience = Patience::of(3, 150, 5_000, 12_000);
    /// For an import, or whatever follows from a delivery: a registry that fetches an image from elsewhere first takes its
    /// time.
    pub const IMPORT: Patience = Patience::of(2, 500, 15_000, 25_000);
    /// For a run, whose result hangs on the answer.
    pub const RUN: Patience = Patience::of(5, 2_000, 20_000, 60_000);

    /// For moving blobs, which may be large: another try is another transfer.
    pub(super) const TRANSFER: Patience = Patience::of(4, 1_000, 24 * 3_600_000, 24 * 3_600_000);

    const fn of(tries: u32, first_wait: u64, one: u64, all: u64) -> Self {
        Patience {
            tries,
            first_wait: Duration::from_millis(first_wait),
            one: Duration::from_millis(one),
            all: Duration::from_millis(all),
        }
    }

    /// Does `one` until it succeeds, cannot be helped by another try, or there is no patience left.
    pub(super) async fn persist<T, F: Future<Output = Result<T, Trouble>>>(
        self,
        base: &Base,
        mut one: impl FnMut() -> F,
    ) -> Result<T, Trouble> {
        let deadline = Instant::now() + self.all;
        let mut wait = self.first_wait;
        let mut left = self.tries.max(1);
        loop {
            left -= 1;
            let until = deadline.min(Instant::now() + self.one);
            let outcome = match timeout_at(until, one()).await {
                Ok(outcome) => outcome,
                Err(_) => Err(Trouble::timeout(base)),
            };
            let trouble = match outcome {
                Err(trouble) if trouble.again && left > 0 => trouble,
                other => return other,
            };
            let pause = jittered(wait).max(trouble.after).min(LONGEST_WAIT);
            if Instant::now() + pause >= deadline {
                return Err(trouble);
            }
            tracing::debug!(host = %base.host, cause = %trouble.message, ?pause, "asking the registry again");
            sleep(pause).await;
            wait = wait.saturating_mul(2);
        }
    }
}

/// Between half of `wait` and all of it, so that many who failed together do not come back together.
fn jittered(wait: Duration) -> Duration {
    let part = getrandom::u32().map_or(1.0, |random| f64::from(random) / f64::from(u32::MAX));
    wait.mul_f64(0.5 + part / 2.0)
}
