//! Which submodules a commit has: their folders from its trees, where they come from out of its `.gitmodules`. The file is
//! read as text by these few lines: as a git configuration it could name other files to read.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::laid::Laid;
use super::objects::{OpenRepository, id};
use crate::model::{CommitId, Result};

/// A longer `.gitmodules` names more than anybody fills in.
const LONGEST: u64 = 256 * 1024;

/// A submodule as the commit records it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submodule {
    /// Below the folder of the repository that has it, `/`-separated.
    pub path: String,
    pub commit: CommitId,
    /// As it was written; `None` when `.gitmodules` says nothing of the folder.
    pub url: Option<String>,
    /// Its section there.
    pub name: String,
}

impl OpenRepository {
    /// The submodules that `laid` has folders for, in the order of their paths.
    pub fn submodules(&self, commit: &CommitId, laid: &Laid) -> Result<Vec<Submodule>> {
        if laid.submodules.is_empty() {
            return Ok(Vec::new());
        }
        // What is no file, or too long, says nothing.
        let text = self.blob_at(commit, ".gitmodules", LONGEST).ok().flatten().map(|blob| blob.bytes);
        let known = read(&String::from_utf8_lossy(&text.unwrap_or_default()));
        let one = |(path, commit): &(PathBuf, git2::Oid)| {
            let path = path.to_string_lossy().into_owned();
            let (name, url) = known.get(&path).cloned().unwrap_or_default();
            Ok(Submodule { commit: id(*commit)?, url: Some(url).filter(|url| !url.is_empty()), name, path })
        };
        let mut all = laid.submodules.iter().map(one).collect::<Result<Vec<_>>>()?;
        all.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(all)
    }
}

/// Name and address by path.
fn read(text: &str) -> BTreeMap<String, (String, String)> {
    let mut all = BTreeMap::new();
    let (mut name, mut path, mut url) = (String::new(), None, None);
    let mut keep = |name: &str, path: Option<String>, url: Option<String>| {
        if let (false, Some(path)) = (name.is_empty(), path) {
            all.insert(path, (name.to_owned(), url.unwrap_or_default()));
        }
    };
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            keep(&name, path.take(), url.take());
            let section = line.strip_prefix("[submodule \"").and_then(|rest| rest.strip_suffix("\"]"));
            name = section.map(|name| name.replace("\\\"", "\"").replace("\\\\", "\\")).unwrap_or_default();
        } else if let Some((key, value)) = line.split_once('=') {
            let value = value.trim();
            let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
            match key.trim().to_ascii_lowercase().as_str() {
                "path" => path = Some(value.trim_end_matches('/').to_owned()),
                "url" => url = Some(value.to_owned()),
                _ => {}
            }
        }
    }
    keep(&name, path, url);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_read_and_nothing_else() {
        let text = "[submodule \"vendor/lib\"]\n\tpath = vendor/lib\n\turl = ../lib.git\n[include]\n\tpath = /etc/passwd\n\
                    [submodule \"a \\\"b\\\"\"]\n\tURL=\"http://x/y z\"\n path=z/\n\tbranch = main\n[submodule \"none\"]\n\turl = x";
        let all = read(text);
        assert_eq!(all.len(), 2);
        assert_eq!(all["vendor/lib"], ("vendor/lib".to_owned(), "../lib.git".to_owned()));
        assert_eq!(all["z"], ("a \"b\"".to_owned(), "http://x/y z".to_owned()));
    }
}
