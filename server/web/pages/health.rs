//! Health: every part the server stands on, what is wrong with it and how to mend it.

use askama::Template;
use jiff::Timestamp;

use super::Page;
use crate::model::Message;

#[derive(Template)]
#[template(path = "health.html")]
pub struct Health {
    pub page: Page,
    /// The worst of `parts`.
    pub overall: State,
    pub parts: Vec<Part>,
    pub version: String,
    pub started_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Good,
    Degraded,
    Failing,
}

impl State {
    /// The class and icon: the statuses' own, so that colours mean the same everywhere.
    pub(super) const fn look(self) -> &'static str {
        match self {
            State::Good => "passed",
            State::Degraded => "unstable",
            State::Failing => "failed",
        }
    }
}

pub struct Part {
    /// What it is: database, disk, Docker Engine, registry, polling, queue.
    pub name: Message,
    pub state: State,
    /// What was found, and for anything but good what helps.
    pub found: Message,
    pub at: Timestamp,
}
