//! Home: every repository with its last run, and what is running or waiting now.

use askama::Template;

use super::{Bars, Page, RunBrief, links};

#[derive(Template)]
#[template(path = "home.html")]
pub struct Home {
    pub page: Page,
    /// What the reader looks for; empty shows everything.
    pub query: String,
    pub repositories: Vec<HomeRow>,
    /// The first of the running, waiting and queued runs.
    pub active: Vec<RunBrief>,
    /// How many runs are (queued or waiting, running) in the whole house.
    pub counts: (u64, u64),
    /// Address of the next part of the list.
    pub next: Option<String>,
}

/// One repository; `last` is the newest run of any of its pipelines.
pub struct HomeRow {
    /// `owner/name`.
    pub repository: String,
    pub description: String,
    pub private: bool,
    /// The remote address it is fetched from, without credentials.
    pub mirror_of: Option<String>,
    pub last: Option<RunBrief>,
    pub bars: Bars,
}

impl HomeRow {
    pub(super) fn href(&self) -> String {
        links::repository(&self.repository)
    }
}
