//! When imports are due and how many at a time, as OpenShift has it: every quarter of an hour at the earliest, at
//! most sixty scheduled ones a minute. Pure: time is an argument.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

/// Shortest time between two scheduled imports of a tag.
const EVERY: SignedDuration = SignedDuration::from_mins(15);
/// Tags that were made together are spread over so many seconds.
const SPREAD: u64 = 90;
const MOST_A_MINUTE: usize = 60;
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// When a tag that was imported at `now` is to be imported again. `seed` is the tag's own.
pub fn next(now: Timestamp, seed: u64) -> Timestamp {
    let spread = SignedDuration::from_secs((seed % SPREAD) as i64);
    now.checked_add(EVERY + spread).unwrap_or(Timestamp::MAX)
}

/// A number that differs between tags and stays with each.
pub fn seed(stream_id: i64, tag: &str) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325_u64 ^ stream_id.unsigned_abs();
    tag.bytes().fold(start, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)) >> 17
}

/// Scheduled imports of the last minute.
#[derive(Debug, Default)]
pub struct Pace {
    begun: VecDeque<Timestamp>,
}

impl Pace {
    /// How many more may begin at `now`.
    pub fn free(&mut self, now: Timestamp) -> usize {
        while self.begun.front().is_some_and(|at| now.duration_since(*at) >= MINUTE) {
            self.begun.pop_front();
        }
        MOST_A_MINUTE.saturating_sub(self.begun.len())
    }

    pub fn take(&mut self, count: usize, now: Timestamp) {
        self.begun.extend(std::iter::repeat_n(now, count));
    }

    /// When one more may begin.
    pub fn free_at(&mut self, now: Timestamp) -> Timestamp {
        match (self.free(now), self.begun.front()) {
            (0, Some(first)) => first.checked_add(MINUTE).unwrap_or(Timestamp::MAX),
            _ => now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    #[test]
    fn a_tag_waits_a_quarter_of_an_hour_and_a_little() {
        let wait = |seed| next(at(0), seed).duration_since(at(0)).as_secs();
        assert_eq!((wait(0), wait(89), wait(90)), (900, 989, 900));
        assert_ne!(seed(1, "a"), seed(1, "b"));
        assert_ne!(seed(1, "a"), seed(2, "a"));
    }

    #[test]
    fn after_sixty_the_next_waits_for_the_minute() {
        let mut pace = Pace::default();
        pace.take(59, at(0));
        pace.take(1, at(10));
        assert_eq!((pace.free(at(59)), pace.free_at(at(59))), (0, at(60)));
        assert_eq!((pace.free(at(60)), pace.free_at(at(60))), (59, at(60)));
        assert_eq!(pace.free(at(70)), 60);
    }

    proptest! {
        #[test]
        fn never_more_than_sixty_in_any_minute(waits in prop::collection::vec((0i64..40, 0usize..90), 1..60)) {
            let (mut pace, mut now, mut begun) = (Pace::default(), 0, Vec::new());
            for (wait, wanted) in waits {
                now += wait;
                let count = wanted.min(pace.free(at(now)));
                pace.take(count, at(now));
                begun.extend(std::iter::repeat_n(now, count));
                let last_minute = begun.iter().filter(|then| now - **then < 60).count();
                prop_assert!(last_minute <= 60, "{last_minute}");
                prop_assert!(pace.free_at(at(now)) <= at(now + 60));
            }
        }
    }
}
