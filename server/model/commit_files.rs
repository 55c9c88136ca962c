//! Files of a commit as they were read for a purpose, with what was not read and why.

use super::Message;

/// What came of looking for files in a commit.
#[derive(Clone, Debug, Default)]
pub struct CommitFiles {
    /// Path below the repository's root and content, sorted by path, each path once.
    pub files: Vec<(String, Vec<u8>)>,
    /// Paths that are there and were not read, with the reason.
    pub unread: Vec<(String, Message)>,
    /// Paths that were asked for by name and are not in the commit.
    pub missing: Vec<String>,
}
