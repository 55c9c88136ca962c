//! Brute force: counts refused credentials for each account from each address, and refuses to look at
//! more for a while. Kept in memory: a restart forgets, an attacker cannot make one.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const MOST: usize = 10;
const WINDOW: Duration = Duration::from_secs(15 * 60);
/// Entries kept; beyond it what has run out is thrown away, and then the oldest.
const LARGEST: usize = 20_000;

type Key = (String, IpAddr);

/// Failures of each (account, address); the account is empty for tokens, which name nobody.
#[derive(Default)]
pub struct Attempts {
    failures: Mutex<HashMap<Key, Vec<Instant>>>,
}

impl Attempts {
    /// How long to wait before the next try, when there were too many.
    pub fn blocked(&self, account: &str, from: IpAddr, now: Instant) -> Option<Duration> {
        let mut all = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = all.get_mut(&key(account, from))?;
        failures.retain(|at| now.saturating_duration_since(*at) < WINDOW);
        let oldest = failures.first().filter(|_| failures.len() >= MOST)?;
        Some(WINDOW.saturating_sub(now.saturating_duration_since(*oldest)))
    }

    pub fn failed(&self, account: &str, from: IpAddr, now: Instant) {
        let mut all = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= LARGEST {
            make_room(&mut all, now);
        }
        let failures = all.entry(key(account, from)).or_default();
        if failures.len() >= MOST {
            failures.remove(0);
        }
        failures.push(now);
    }

    /// A right password clears the account's failures from that address.
    pub fn succeeded(&self, account: &str, from: IpAddr) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(&key(account, from));
    }
}

/// Names are cut: nobody's memory is filled with what they type.
fn key(account: &str, from: IpAddr) -> Key {
    (account.to_lowercase().chars().take(64).collect(), from)
}

fn make_room(all: &mut HashMap<Key, Vec<Instant>>, now: Instant) {
    all.retain(|_, times| times.last().is_some_and(|at| now.saturating_duration_since(*at) < WINDOW));
    if all.len() < LARGEST {
        return;
    }
    let mut latest: Vec<Instant> = all.values().filter_map(|times| times.last().copied()).collect();
    latest.sort_unstable();
    if let Some(middle) = latest.get(latest.len() / 2).copied() {
        all.retain(|_, times| times.last().is_some_and(|at| *at > middle));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_failures_close_the_door_for_that_account_and_address_only() {
        let attempts = Attempts::default();
        let (here, there): (IpAddr, IpAddr) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let start = Instant::now();
        for _ in 0..9 {
            attempts.failed("Minsu", here, start);
        }
        assert_eq!(attempts.blocked("minsu", here, start), None);
        attempts.failed("minsu", here, start);
        assert_eq!(attempts.blocked("MINSU", here, start), Some(WINDOW));
        assert_eq!(attempts.blocked("minsu", there, start), None);
        assert_eq!(attempts.blocked("jiwoo", here, start), None);
        assert_eq!(attempts.blocked("minsu", here, start + WINDOW), None);
        attempts.failed("minsu", here, start);
        attempts.succeeded("minsu", here);
        assert_eq!(attempts.blocked("minsu", here, start), None);
    }

    #[test]
    fn memory_is_bounded() {
        let attempts = Attempts::default();
        let now = Instant::now();
        for n in 0..(LARGEST as u32 + 10) {
            attempts.failed("x", IpAddr::from(n.to_be_bytes()), now);
        }
        assert!(attempts.failures.lock().unwrap().len() <= LARGEST);
    }
}
