//! A repository: its front page, the help for an empty one, and the forms for a new one or a mirror.

use askama::Template;
use jiff::Timestamp;

use super::browse::Entry;
use super::{Bars, CommitBrief, Page, RunBrief, links};
use crate::model::{Message, Status};

/// What stands at the top of every page of a repository.
pub struct Head {
    /// `owner/name`.
    pub repository: String,
    pub description: String,
    /// The remote address it is fetched from, without credentials.
    pub mirror_of: Option<String>,
    /// Why the last poll of a mirror failed, and when it was.
    pub poll_error: Option<Message>,
    pub polled_at: Option<Timestamp>,
    /// Seen by its owner and administrators only.
    pub private: bool,
    /// `http://host:3000/owner/name.git`.
    pub clone_url: String,
    /// Why that address may not be the right one.
    pub clone_note: Option<Message>,
    pub default_branch: String,
    /// Which tab is open.
    pub tab: Tab,
    /// Whether the viewer may start runs and change things.
    pub may_write: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    Files,
    Commits,
    Pipelines,
    Settings,
}

impl Head {
    pub(super) fn owner(&self) -> &str {
        self.repository.split_once('/').map_or("", |(owner, _)| owner)
    }
    pub fn name(&self) -> &str {
        self.repository.split_once('/').map_or(&self.repository, |(_, name)| name)
    }
    pub(super) fn is(&self, tab: &str) -> bool {
        matches!(
            (self.tab, tab),
            (Tab::Files, "files")
                | (Tab::Commits, "commits")
                | (Tab::Pipelines, "pipelines")
                | (Tab::Settings, "settings")
        )
    }
    pub(super) fn href(&self) -> String {
        links::repository(&self.repository)
    }
    pub(super) fn commits_href(&self) -> String {
        links::commits(&self.repository, "", "")
    }
    pub(super) fn pipelines_href(&self) -> String {
        links::pipelines(&self.repository)
    }
    pub(super) fn new_pipeline_href(&self) -> String {
        links::new_pipeline(&self.repository)
    }
    pub(super) fn settings_href(&self) -> String {
        links::repository_settings(&self.repository)
    }
    pub(super) fn delete_href(&self) -> String {
        links::delete_repository(&self.repository)
    }
    pub(super) fn activity_href(&self) -> String {
        links::activity(&self.repository, "", "")
    }
}

/// The front page, of a repository with at least one commit.
#[derive(Template)]
#[template(path = "repository.html")]
pub struct Repository {
    pub page: Page,
    pub head: Head,
    /// The revision that is shown: a branch, a tag or a commit id.
    pub at: String,
    /// Branches, then tags: what the viewer can choose from.
    pub refs: Vec<String>,
    pub last_commit: Option<CommitBrief>,
    pub entries: Vec<Entry>,
    /// File name and sanitized HTML, from `readme::render`.
    pub readme: Option<(String, String)>,
    pub pipelines: Vec<PipelineRow>,
    /// The newest first, at most ten.
    pub runs: Vec<RunBrief>,
}

pub struct PipelineRow {
    pub repository: String,
    pub name: String,
    /// The definition's path in the repository.
    pub path: String,
    pub branches: Vec<String>,
    pub last: Option<Status>,
    pub bars: Bars,
}

impl PipelineRow {
    pub(super) fn href(&self) -> String {
        links::pipeline(&self.repository, &self.name)
    }
    pub(super) fn start_href(&self) -> String {
        links::start(&self.repository, &self.name, "")
    }
}

/// Before the first push: what to type.
#[derive(Template)]
#[template(path = "repository_empty.html")]
pub struct EmptyRepository {
    pub page: Page,
    pub head: Head,
}

/// `GET /new`, posted to the same address: field `name`, `description`.
#[derive(Template)]
#[template(path = "repository_new.html")]
pub struct NewRepository {
    pub page: Page,
    pub name: String,
    pub description: String,
    pub private: bool,
    pub error: Option<Message>,
}

/// `GET /new/mirror`, posted to the same address: fields `url`, `name`, `username`, `password`.
#[derive(Template)]
#[template(path = "mirror_new.html")]
pub struct NewMirror {
    pub page: Page,
    pub url: String,
    pub name: String,
    pub username: String,
    pub private: bool,
    pub error: Option<Message>,
}
