//! The small pieces that many pages share: status marks, times, durations, bars, a run in one line.
//! Each is plain data with its own way to HTML; none knows the page around it.

use std::fmt;

use askama::Template;
use askama::filters::HtmlSafe;
use jiff::Timestamp;

use super::Page;
use crate::messages::{self, Language};
use crate::model::{Cause, Message, Status};
use crate::msg;

/// A symbol of the sprite in `partials/icons.html`.
#[derive(Clone, Copy, Debug)]
pub struct Icon(pub &'static str);

impl fmt::Display for Icon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<svg class=\"icon\" aria-hidden=\"true\"><use href=\"#i-{}\"/></svg>", self.0)
    }
}
impl HtmlSafe for Icon {}

/// The sentence that is a status's word.
pub fn status_message(status: Status) -> Message {
    match status {
        Status::Queued => msg!("web-status-queued"),
        Status::Waiting => msg!("web-status-waiting"),
        Status::Running => msg!("web-status-running"),
        Status::Passed => msg!("web-status-passed"),
        Status::Unstable => msg!("web-status-unstable"),
        Status::Failed => msg!("web-status-failed"),
        Status::Cancelled => msg!("web-status-cancelled"),
        Status::Superseded => msg!("web-status-superseded"),
        Status::Lost => msg!("web-status-lost"),
        Status::Skipped => msg!("web-status-skipped"),
    }
}

/// What started a run, as a sentence.
pub fn cause_message(cause: &Cause) -> Message {
    match cause {
        Cause::Push { by } => msg!("web-cause-push", by = by),
        Cause::Poll => msg!("web-cause-poll"),
        Cause::Person { by } => msg!("web-cause-person", by = by),
        Cause::Rerun { by, of } => msg!("web-cause-rerun", by = by, of = of),
        Cause::ImageChange { changes } => match changes.as_slice() {
            [one] => msg!("web-cause-image-change", image = one.watched),
            several => {
                let first = several.first().map_or("", |change| &change.watched);
                let others = several.len().saturating_sub(1);
                msg!("web-cause-image-changes", image = first, others = others)
            }
        },
        Cause::Webhook { webhook, image, .. } => {
            msg!("web-cause-webhook", image = image, webhook = webhook)
        }
    }
}

/// The character for titles, where there is no picture.
pub const fn status_sign(status: Status) -> &'static str {
    match status {
        Status::Passed => "✓",
        Status::Failed => "✗",
        Status::Running => "▶",
        Status::Unstable => "!",
        Status::Lost => "?",
        Status::Queued | Status::Waiting => "…",
        Status::Cancelled | Status::Superseded | Status::Skipped => "–",
    }
}

/// The picture of the browser's tab.
pub const fn favicon(status: Status) -> &'static str {
    match status {
        Status::Passed => "favicon-passed.svg",
        Status::Failed | Status::Lost | Status::Unstable => "favicon-failed.svg",
        Status::Running | Status::Queued | Status::Waiting => "favicon-running.svg",
        Status::Cancelled | Status::Superseded | Status::Skipped => "favicon.svg",
    }
}

/// Icon, word and colour.
#[derive(Clone, Debug, Template)]
#[template(path = "partials/status.html")]
pub struct StatusMark {
    name: &'static str,
    word: String,
}
impl HtmlSafe for StatusMark {}

impl StatusMark {
    pub fn new(language: Language, status: Status) -> Self {
        StatusMark { name: status.as_str(), word: messages::render(language, &status_message(status)) }
    }
}

/// `3 min ago`, exact on hover and for machines; the script keeps it current.
#[derive(Clone, Debug, Template)]
#[template(path = "partials/time.html")]
pub struct Time {
    machine: String,
    exact: String,
    relative: String,
}
impl HtmlSafe for Time {}

impl Time {
    pub fn new(page: &Page, at: Timestamp) -> Self {
        Time {
            machine: messages::date_time_machine(at).to_string(),
            exact: messages::date_time(at).to_string(),
            relative: messages::render(page.language, &relative(page.now, at)),
        }
    }
}

fn relative(now: Timestamp, at: Timestamp) -> Message {
    let seconds = now.as_second().saturating_sub(at.as_second());
    match seconds {
        ..-60 => msg!("web-time-future"),
        -60..45 => msg!("web-time-now"),
        45..3570 => msg!("web-time-minutes", n = (seconds + 30) / 60),
        3570..84_600 => msg!("web-time-hours", n = (seconds + 1800) / 3600),
        84_600..2_592_000 => msg!("web-time-days", n = (seconds + 43_200) / 86_400),
        _ => msg!("web-time-date", date = at.strftime("%Y-%m-%d")),
    }
}

/// `8s`, `1m 23s`, `2h 5m`, in the language's own units.
pub fn spoken_duration(language: Language, seconds: u64) -> String {
    let message = match seconds {
        0..60 => msg!("web-duration-s", s = seconds),
        60..3600 => msg!("web-duration-ms", m = seconds / 60, s = seconds % 60),
        _ => msg!("web-duration-hm", h = seconds / 3600, m = seconds / 60 % 60),
    };
    messages::render(language, &message)
}

/// Decimal units, as registries and disks are sold: `512 B`, `3.2 kB`, `45 MB`.
pub fn spoken_size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if value < 9.95 { format!("{value:.1} {}", UNITS[unit]) } else { format!("{value:.0} {}", UNITS[unit]) }
}

/// What the last form did.
#[derive(Clone, Debug)]
pub struct Notice {
    pub message: Message,
    /// Whether it is about something that went wrong.
    pub bad: bool,
}

/// A commit in one line.
#[derive(Clone, Debug)]
pub struct CommitBrief {
    pub href: String,
    /// The first ten digits.
    pub short: String,
    /// First line of its message.
    pub summary: String,
    pub author: String,
}

/// A run in one line of a list.
#[derive(Clone, Debug)]
pub struct RunBrief {
    pub href: String,
    /// `owner/name`.
    pub repository: String,
    pub pipeline: String,
    pub number: u64,
    pub status: Status,
    pub cause: Cause,
    /// Short name of the branch or tag.
    pub reference: String,
    /// `None` when the commit is no longer in the repository.
    pub commit: Option<CommitBrief>,
    pub queued_at: Timestamp,
    /// Since it started, or from start to end; `None` before it started.
    pub seconds: Option<u64>,
}

/// The last runs of a pipeline as bars: height is duration, colour and shape are status. Oldest first, at most 20.
#[derive(Clone, Debug, Template)]
#[template(path = "partials/bars.html")]
pub struct Bars {
    bars: Vec<Bar>,
    label: String,
}
impl HtmlSafe for Bars {}

#[derive(Clone, Debug)]
struct Bar {
    x: usize,
    y: u64,
    height: u64,
    status: &'static str,
    mark: bool,
}

impl Bars {
    /// Room for this many runs; fewer stand at the right end.
    pub const PLACES: usize = 20;

    pub fn new(page: &Page, runs: &[(Status, Option<u64>)]) -> Self {
        let runs = &runs[runs.len().saturating_sub(Self::PLACES)..];
        let longest = runs.iter().filter_map(|r| r.1).max().unwrap_or(1).max(1);
        let first = Self::PLACES - runs.len();
        let bar = |(index, (status, seconds)): (usize, &(Status, Option<u64>))| {
            let height = 5 + seconds.unwrap_or(0).saturating_mul(15) / longest;
            let mark = matches!(status, Status::Failed | Status::Lost);
            Bar { x: (first + index) * 6, y: 24 - height, height, status: status.as_str(), mark }
        };
        let passed = runs.iter().filter(|r| r.0 == Status::Passed).count();
        let label =
            messages::render(page.language, &msg!("web-bars-label", total = runs.len(), passed = passed));
        Bars { bars: runs.iter().enumerate().map(bar).collect(), label }
    }

    pub fn is_empty(&self) -> bool {
        self.bars.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations_read_well() {
        assert_eq!(spoken_size(999), "999 B");
        assert_eq!(spoken_size(3_240), "3.2 kB");
        assert_eq!(spoken_size(999_700), "1.0 MB");
        assert_eq!(spoken_size(45_400_000), "45 MB");
        assert_eq!(spoken_duration(Language::English, 83), "1m 23s");
        assert_eq!(spoken_duration(Language::English, 7_500), "2h 5m");
    }
}
