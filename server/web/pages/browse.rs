//! Looking around in a repository: folders, files, commits and one commit. File names, authors and
//! messages are whatever somebody pushed; they are text here and are escaped like any other.

use askama::Template;
use jiff::Timestamp;

use super::repository::Head;
use super::{CommitBrief, Page, RunBrief, links};
use crate::model::Status;

/// One name of a folder.
pub struct Entry {
    pub name: String,
    pub href: String,
    pub kind: EntryKind,
    /// Of files, in bytes.
    pub size: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    Folder,
    File,
    Link,
    Submodule,
}

impl Entry {
    pub(super) const fn icon(&self) -> &'static str {
        match self.kind {
            EntryKind::Folder => "folder",
            EntryKind::File => "file",
            EntryKind::Link => "link",
            EntryKind::Submodule => "submodule",
        }
    }
}

/// The way from the root to a folder or file: `(name, address)`.
pub fn crumbs(repository: &str, at: &str, path: &str) -> Vec<(String, String)> {
    let mut way = Vec::new();
    let mut so_far = String::new();
    for part in path.split('/').filter(|p| !p.is_empty()) {
        if !so_far.is_empty() {
            so_far.push('/');
        }
        so_far.push_str(part);
        way.push((part.to_owned(), links::file(repository, at, &so_far)));
    }
    way
}

/// A folder below the root.
#[derive(Template)]
#[template(path = "folder.html")]
pub struct Folder {
    pub page: Page,
    pub head: Head,
    pub at: String,
    pub refs: Vec<String>,
    /// From `crumbs`.
    pub crumbs: Vec<(String, String)>,
    pub entries: Vec<Entry>,
    /// Whether there are more than are shown.
    pub cut: bool,
    pub readme: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "file.html")]
pub struct File {
    pub page: Page,
    pub head: Head,
    pub at: String,
    pub crumbs: Vec<(String, String)>,
    /// In bytes.
    pub size: u64,
    pub raw_href: String,
    pub content: Content,
}

pub enum Content {
    Text(Vec<String>),
    /// Sanitized HTML, from `readme::render`.
    Markdown(String),
    /// Shown by its raw address: png, jpeg, gif, webp only.
    Picture,
    /// Where a symbolic link points to; it is never followed.
    Link(String),
    Binary,
    TooLarge,
}

#[derive(Template)]
#[template(path = "commits.html")]
pub struct Commits {
    pub page: Page,
    pub head: Head,
    pub at: String,
    pub refs: Vec<String>,
    pub commits: Vec<CommitRow>,
    pub next: Option<String>,
}

pub struct CommitRow {
    pub commit: CommitBrief,
    pub at: Timestamp,
    /// Runs of this commit: `(status, address, "pipeline #number")`.
    pub runs: Vec<(Status, String, String)>,
}

#[derive(Template)]
#[template(path = "commit.html")]
pub struct Commit {
    pub page: Page,
    pub head: Head,
    /// The full id.
    pub id: String,
    pub summary: String,
    /// The message after its first line.
    pub body: String,
    pub author: String,
    pub author_email: String,
    pub at: Timestamp,
    /// `(short id, address)`.
    pub parents: Vec<(String, String)>,
    /// Where its tree is shown.
    pub files_href: String,
    pub changes: Vec<Change>,
    /// Whether there are more than are shown.
    pub cut: bool,
    pub runs: Vec<RunBrief>,
    pub images: Vec<super::registry::ImageBrief>,
}

/// One changed file.
pub struct Change {
    pub path: String,
    pub href: Option<String>,
    pub kind: ChangeKind,
    /// Lines; `None` for binary files or where they were not counted.
    pub added: Option<u64>,
    pub removed: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    Added,
    Changed,
    Removed,
    Renamed,
}
