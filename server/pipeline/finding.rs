//! Collects findings with their places, up to a limit, and says which known name an unknown one resembles.
//!
//! It never prints text as it came: names from a definition end up in terminals and pages, so they are
//! shortened and their invisible characters escaped here.

use crate::model::{Finding, Message, is_invisible};
use crate::msg;

/// More findings than a person reads; the rest is only counted as "more".
const MOST: usize = 100;

/// Line and column, 1-based, in characters; zeros where there is no line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub line: u32,
    pub column: u32,
}

impl Place {
    pub const NONE: Place = Place { line: 0, column: 0 };
    pub const START: Place = Place { line: 1, column: 1 };

    /// The place of the character that follows `text`.
    pub fn after(text: &str) -> Place {
        text.chars().fold(Place::START, Place::past)
    }

    /// The place behind character `c` that stands at this place.
    pub fn past(self, c: char) -> Place {
        match c {
            '\n' => Place { line: self.line + 1, column: 1 },
            _ => Place { line: self.line, column: self.column + 1 },
        }
    }
}

pub struct Findings {
    path: String,
    list: Vec<Finding>,
    more: bool,
}

impl Findings {
    pub fn new(path: &str) -> Self {
        Findings { path: shown(path), list: Vec::new(), more: false }
    }

    pub fn at(&mut self, place: Place, message: Message) {
        if self.is_full() {
            self.more = true;
            return;
        }
        let Place { line, column } = place;
        self.list.push(Finding { path: self.path.clone(), line, column, message });
    }

    /// Whether readers may stop: nothing more would be kept. Checked in their loops, so that the work
    /// spent on a hostile file (similar names, for example) is bounded as well.
    pub fn is_full(&self) -> bool {
        self.list.len() >= MOST
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// In order of place, each once.
    pub fn into_vec(mut self) -> Vec<Finding> {
        if self.list.is_empty() {
            // A reader gave up without saying why: still never a success.
            self.at(Place::NONE, msg!("pipeline-empty"));
        }
        self.list.sort_by_key(|finding| (finding.line, finding.column));
        self.list.dedup();
        if self.more || self.list.len() >= MOST {
            let message = msg!("pipeline-more-findings", shown = self.list.len());
            self.list.push(Finding { path: self.path, line: 0, column: 0, message });
        }
        self.list
    }
}

/// `text` for a message: at most 80 characters, without control and invisible ones.
pub fn shown(text: &str) -> String {
    let mut out = String::new();
    for (index, c) in text.chars().enumerate() {
        if index == 80 {
            out.push('…');
            break;
        }
        match c {
            c if c.is_control() || is_invisible(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// The candidate most like `name`, if one is like enough to be meant: by edit distance, case set aside.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name: Vec<char> = name.to_lowercase().chars().take(41).collect();
    if !(2..=40).contains(&name.len()) {
        return None;
    }
    let limit = (name.len() / 3).clamp(1, 3);
    let measured = candidates.into_iter().filter_map(|candidate| {
        let other: Vec<char> = candidate.to_lowercase().chars().take(41).collect();
        let close = name.len().abs_diff(other.len()) <= limit;
        close.then(|| (distance(&name, &other), candidate))
    });
    measured.filter(|(distance, _)| *distance <= limit).min().map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours between two words.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut best = (above[j] + usize::from(x != y)).min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_names_are_found_and_strangers_are_not() {
        let known = ["stages", "steps", "environment", "agent"];
        for (typed, meant) in [
            ("stage", Some("stages")),
            ("setps", Some("steps")),
            ("Enviroment", Some("environment")),
            ("agnet", Some("agent")),
            ("post", None),
            ("", None),
            (&"x".repeat(5000), None),
        ] {
            assert_eq!(nearest(typed, known), meant, "{typed}");
        }
    }

    #[test]
    fn what_is_shown_is_short_and_visible() {
        assert_eq!(shown("a\u{1b}[31m\u{202e}b"), "a\\u{1b}[31m\\u{202e}b");
        assert_eq!(shown(&"é".repeat(100)).chars().count(), 81);
    }

    #[test]
    fn findings_stop_at_a_limit_and_say_so() {
        let mut findings = Findings::new("Jenkinsfile");
        for line in 0..1000 {
            findings.at(Place { line, column: 1 }, msg!("pipeline-empty"));
        }
        let list = findings.into_vec();
        assert_eq!(list.len(), MOST + 1);
        assert_eq!(list[MOST].message.key, "pipeline-more-findings");
    }
}
