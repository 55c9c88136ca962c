//! Pipeline definitions in a commit: what stands at a path, and the names by which one is found unasked. What else the
//! commit has, readable or not, does not matter here: the size of a file is asked for only when it is to be read.

use super::objects::{EntryKind, OpenRepository, kind, oid};
use crate::model::{CommitId, DefinitionContent, DefinitionSource, Error, Result};
use crate::msg;

/// Largest definition file that is read, in bytes; what is larger is refused where definitions are parsed.
const LARGEST: u64 = 2 * 1024 * 1024;
/// Most entries of a folder of scripts.
const ENTRIES: usize = 10_000;
/// The folder of numbered scripts.
const SCRIPTS: &str = "ci";
/// The longest name that can be one of a definition's, in bytes.
const LONGEST_NAME: usize = 255;

impl OpenRepository {
    /// The file or folder at `path`. `None` when there is nothing; `Invalid` for links, also on the way, and for what
    /// is too large.
    pub fn definition_source(&self, commit: &CommitId, path: &str) -> Result<Option<DefinitionSource>> {
        let Some(entry) = self.entry_at(commit, path)? else { return Ok(None) };
        let object = entry.id.to_string();
        if entry.kind == EntryKind::Folder {
            let tree = self.tree(oid(&entry.id)?, path)?;
            if tree.len() > ENTRIES {
                let (count, limit) = (tree.len(), ENTRIES);
                let path = super::objects::shown(path);
                return Err(Error::Invalid(msg!(
                    "git-folder-too-large",
                    path = path,
                    count = count,
                    limit = limit
                )));
            }
            let files = tree.iter().filter_map(|file| {
                let name = String::from_utf8_lossy(file.name_bytes()).into_owned();
                match kind(&file)? {
                    EntryKind::File => Some((name, false)),
                    EntryKind::Executable => Some((name, true)),
                    EntryKind::Link | EntryKind::Folder | EntryKind::Submodule => None,
                }
            });
            return Ok(Some(DefinitionSource {
                object,
                content: DefinitionContent::Folder(files.collect()),
            }));
        }
        let blob = self.blob_at(commit, path, LARGEST)?;
        Ok(blob.map(|blob| DefinitionSource { object, content: DefinitionContent::File(blob.bytes) }))
    }

    /// Id of the file or folder at `path`, if there is one.
    pub fn definition_object(&self, commit: &CommitId, path: &str) -> Result<Option<String>> {
        Ok(self.entry_at(commit, path)?.map(|entry| entry.id.to_string()))
    }

    /// Paths of the files at the root and in `ci/`.
    pub fn definition_names(&self, commit: &CommitId) -> Result<Vec<String>> {
        self.names(commit, |kind| matches!(kind, EntryKind::File | EntryKind::Executable))
    }

    /// Paths at the root and in `ci/` of what is no file.
    pub fn other_names(&self, commit: &CommitId) -> Result<Vec<String>> {
        self.names(commit, |kind| matches!(kind, EntryKind::Link | EntryKind::Folder | EntryKind::Submodule))
    }

    fn names(&self, commit: &CommitId, wanted: impl Fn(EntryKind) -> bool) -> Result<Vec<String>> {
        let root = self.root_tree(commit)?;
        let scripts = root.get_name(SCRIPTS).filter(|entry| kind(entry) == Some(EntryKind::Folder));
        let scripts = scripts.map(|entry| self.tree(entry.id(), SCRIPTS)).transpose()?;
        let mut names = Vec::new();
        for (tree, prefix) in [(Some(&root), ""), (scripts.as_ref(), "ci/")] {
            for entry in tree.into_iter().flatten() {
                let name = entry.name_bytes();
                if name.len() <= LONGEST_NAME && kind(&entry).is_some_and(&wanted) {
                    names.push(format!("{prefix}{}", String::from_utf8_lossy(name)));
                }
            }
        }
        Ok(names)
    }
}
