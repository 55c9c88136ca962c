//! The shapes of a run's secrets as one automaton. After every byte of a stream it knows two lengths: how many of the
//! last bytes are a secret, and how many may still become one. Both are looked up, never searched for, so that a stream
//! costs the same per byte whatever the secrets are and however its pieces are cut.
//!
//! Pure, and knows nothing of colour codes or marks.

use std::collections::BTreeSet;

use aho_corasick::automaton::{Automaton as _, StateID};
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{Anchored, MatchKind};

use crate::model::{Error, Result};

pub(super) struct Patterns {
    automaton: NFA,
    start: StateID,
    /// By state.
    reach: Vec<Reach>,
    /// Whether a pattern begins with the byte.
    first: [bool; 256],
}

/// Where a stream stands between two bytes.
pub(super) type State = StateID;

/// Lengths of two endings of what has been read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reach {
    /// The longest that is a pattern.
    pub secret: u32,
    /// The longest that begins a pattern without completing it.
    pub open: u32,
}

impl Patterns {
    /// `patterns` holds no empty one.
    pub fn new(patterns: &BTreeSet<Vec<u8>>) -> Result<Self> {
        let broken = |e: &dyn std::fmt::Display| Error::internal("prepare the masking of secrets", e);
        let automaton = NFA::builder()
            .match_kind(MatchKind::Standard)
            .prefilter(false)
            .build(patterns)
            .map_err(|e| broken(&e))?;
        let start = automaton.start_state(Anchored::No).map_err(|e| broken(&e))?;
        let mut first = [false; 256];
        patterns.iter().filter_map(|p| p.first()).for_each(|b| first[usize::from(*b)] = true);
        let mut made = Patterns { automaton, start, reach: Vec::new(), first };
        made.measure(patterns);
        Ok(made)
    }

    pub fn start(&self) -> State {
        self.start
    }

    /// Whether `byte`, read where nothing has begun, leaves it so.
    pub fn is_idle(&self, byte: u8) -> bool {
        !self.first[usize::from(byte)]
    }

    pub fn next(&self, state: State, byte: u8) -> State {
        self.automaton.next_state(Anchored::No, state, byte)
    }

    pub fn reach(&self, state: State) -> Reach {
        self.reach.get(state.as_usize()).copied().unwrap_or_default()
    }

    /// Every state is where some pattern's beginning leads: its own length is how far it is open, unless nothing goes
    /// on from there.
    fn measure(&mut self, patterns: &BTreeSet<Vec<u8>>) {
        let mut ends = Vec::new();
        for pattern in patterns {
            let mut at = self.start;
            for (read, byte) in (1u32..).zip(pattern) {
                at = self.next(at, *byte);
                let secret = self.longest(at);
                let reach = self.of(at);
                reach.secret = secret;
                if (read as usize) < pattern.len() {
                    reach.open = read;
                }
            }
            ends.push((pattern, at));
        }
        // Behind a pattern that nothing goes on from, what is open is open behind its ending, too, which is shorter.
        ends.sort_unstable_by_key(|(pattern, _)| pattern.len());
        for (pattern, at) in ends {
            if self.reach(at).open == 0 {
                let ending = pattern.iter().skip(1).fold(self.start, |at, byte| self.next(at, *byte));
                self.of(at).open = self.reach(ending).open;
            }
        }
    }

    /// The longest pattern that ends here.
    fn longest(&self, state: State) -> u32 {
        if !self.automaton.is_match(state) {
            return 0;
        }
        let all = (0..self.automaton.match_len(state)).map(|n| self.automaton.match_pattern(state, n));
        let longest = all.map(|pattern| self.automaton.pattern_len(pattern)).max();
        longest.and_then(|length| u32::try_from(length).ok()).unwrap_or_default()
    }

    fn of(&mut self, state: State) -> &mut Reach {
        let at = state.as_usize();
        if at >= self.reach.len() {
            self.reach.resize(at + 1, Reach::default());
        }
        &mut self.reach[at]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn both_endings_are_the_longest(words in prop::collection::btree_set("[ab]{1,7}", 1..6), text in "[abc]{0,40}") {
            let patterns: BTreeSet<Vec<u8>> = words.iter().map(|word| word.clone().into_bytes()).collect();
            let made = Patterns::new(&patterns).unwrap();
            let mut state = made.start();
            for (at, byte) in text.bytes().enumerate() {
                state = made.next(state, byte);
                let read = &text[..=at];
                let longest = |fits: &dyn Fn(&str, &str) -> bool| {
                    let fits = |from: &usize| words.iter().any(|word| fits(word, &read[*from..]));
                    (0..read.len()).find(fits).map_or(0, |from| u32::try_from(read.len() - from).unwrap())
                };
                let wanted = Reach {
                    secret: longest(&|word, ending| word == ending),
                    open: longest(&|word, ending| word.len() > ending.len() && word.starts_with(ending)),
                };
                prop_assert_eq!(made.reach(state), wanted, "{:?} after {}", &words, read);
            }
        }
    }
}
