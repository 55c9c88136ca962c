//! Files of a commit that are looked for by their names: definitions anywhere, the README of a folder. Blocking.

use super::objects::{Blob, EntryKind, LONGEST_PATH, MOST_ENTRIES, OpenRepository, kind};
use crate::model::{CommitId, Result};

/// A README longer than this is not shown.
const LONGEST_README: u64 = 512 * 1024;

impl OpenRepository {
    /// Paths of files (also executable ones) in `commit` for which `wanted` says yes, sorted, at most
    /// `limit`; links, submodules and names that are no UTF-8 are left out. Looks at no more than a
    /// million entries and into no path longer than 4,096 bytes.
    pub fn find_files(
        &self,
        commit: &CommitId,
        limit: usize,
        mut wanted: impl FnMut(&str) -> bool,
    ) -> Result<Vec<String>> {
        let (mut found, mut seen) = (Vec::new(), 0usize);
        let mut open = vec![(self.root_tree(commit)?.id(), String::new())];
        while let Some((tree, folder)) = open.pop() {
            let tree = self.tree(tree, &folder)?;
            for entry in &tree {
                let Ok(name) = entry.name() else { continue };
                let path = format!("{folder}{name}");
                seen += 1;
                match kind(&entry) {
                    Some(EntryKind::Folder) if path.len() < LONGEST_PATH => {
                        open.push((entry.id(), path + "/"))
                    }
                    Some(EntryKind::File | EntryKind::Executable) if wanted(&path) => found.push(path),
                    _ => {}
                }
            }
            if found.len() >= limit || seen >= MOST_ENTRIES {
                break;
            }
        }
        found.sort();
        found.truncate(limit);
        Ok(found)
    }

    /// The README of the folder at `path`: its name and content. `None` when there is none, or when
    /// it is a link or longer than 512 KiB.
    pub fn readme(&self, commit: &CommitId, path: &str) -> Result<Option<(String, Blob)>> {
        let Some(listing) = self.list_tree(commit, path, 10_000)? else { return Ok(None) };
        let rank = |name: &str| {
            let usual = ["readme.md", "readme.markdown", "readme", "readme.txt", "readme.rst"];
            usual.iter().position(|usual| name.eq_ignore_ascii_case(usual))
        };
        let files = listing.entries.into_iter().filter(|entry| {
            let is_file = matches!(entry.kind, EntryKind::File | EntryKind::Executable);
            is_file && entry.size.is_some_and(|size| size <= LONGEST_README)
        });
        let best = files.filter_map(|entry| Some((rank(&entry.name)?, entry))).min_by_key(|(rank, _)| *rank);
        let Some((_, entry)) = best else { return Ok(None) };
        let bytes = self.blob(&entry.id, &entry.name)?.content().to_vec();
        Ok(Some((entry.name, Blob { id: entry.id, bytes, kind: entry.kind })))
    }
}
