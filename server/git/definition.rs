//! Pipeline definitions in a commit: what stands at a path, and the names by which one is found unasked.

use super::objects::{EntryKind, OpenRepository};
use crate::model::{CommitId, DefinitionContent, DefinitionSource, Result};

/// Largest definition file that is read, in bytes; what is larger is refused where definitions are parsed.
const LARGEST: u64 = 2 * 1024 * 1024;
/// Most entries of a folder that are looked at.
const ENTRIES: usize = 10_000;
/// The folder of numbered scripts.
const SCRIPTS: &str = "ci";

impl OpenRepository {
    /// The file or folder at `path`. `None` when there is nothing; `Invalid` for links, also on the way.
    pub fn definition_source(&self, commit: &CommitId, path: &str) -> Result<Option<DefinitionSource>> {
        let Some(entry) = self.entry_at(commit, path)? else { return Ok(None) };
        let object = entry.id.to_string();
        if entry.kind == EntryKind::Folder {
            let listing = self.list_tree(commit, path, ENTRIES)?;
            let files =
                listing.into_iter().flat_map(|listing| listing.entries).filter_map(|file| match file.kind {
                    EntryKind::File => Some((file.name, false)),
                    EntryKind::Executable => Some((file.name, true)),
                    EntryKind::Link | EntryKind::Folder | EntryKind::Submodule => None,
                });
            return Ok(Some(DefinitionSource {
                object,
                content: DefinitionContent::Folder(files.collect()),
            }));
        }
        let blob = self.blob_at(commit, path, LARGEST)?;
        Ok(blob.map(|blob| DefinitionSource { object, content: DefinitionContent::File(blob.bytes) }))
    }

    /// Paths of the files at the root and in `ci/`.
    pub fn definition_names(&self, commit: &CommitId) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for (folder, prefix) in [("", ""), (SCRIPTS, "ci/")] {
            let listing = self.list_tree(commit, folder, ENTRIES)?;
            let files = listing.into_iter().flat_map(|listing| listing.entries);
            let files = files.filter(|f| matches!(f.kind, EntryKind::File | EntryKind::Executable));
            names.extend(files.map(|file| format!("{prefix}{}", file.name)));
        }
        Ok(names)
    }
}
