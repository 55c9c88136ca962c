//! Where definitions are: which path is which kind, what is found at a repository's root unasked, and
//! which paths and folders below the root are allowed at all.

use super::finding::shown;
use super::scripts;
use crate::model::{Error, Result, is_invisible};
use crate::msg;

/// Longest path in bytes.
const LONGEST: usize = 500;

/// The front end for a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Jenkinsfile,
    Ropewalk,
}

impl Kind {
    /// By the file's name: `Jenkinsfile`, `Jenkinsfile.windows`, `release.jenkinsfile`; any `*.yml`.
    pub fn of(path: &str) -> Option<Kind> {
        let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
        if name.ends_with(".yml") || name.ends_with(".yaml") {
            return Some(Kind::Ropewalk);
        }
        let jenkinsfile = name == "jenkinsfile"
            || name.starts_with("jenkinsfile.")
            || name.starts_with("jenkinsfile-")
            || name.ends_with(".jenkinsfile")
            || name.ends_with(".groovy");
        jenkinsfile.then_some(Kind::Jenkinsfile)
    }
}

/// The definition that is a repository's pipeline `default` without being asked: `ropewalk.yml`, else
/// `Jenkinsfile`, else the folder `ci` when it has numbered scripts. `files` are the paths of the files
/// at the root and in `ci/`; others are not looked at.
pub fn discover<S: AsRef<str>>(files: &[S]) -> Option<&'static str> {
    let has = |path: &&str| files.iter().any(|file| file.as_ref() == *path);
    if let Some(found) = ["ropewalk.yml", "ropewalk.yaml", "Jenkinsfile"].iter().find(|path| has(path)) {
        return Some(found);
    }
    let in_ci = |file: &S| file.as_ref().strip_prefix("ci/").is_some_and(scripts::is_numbered);
    files.iter().any(in_ci).then_some("ci")
}

/// Checks a definition's path as a person gives it: relative, `/`-separated, without `.`, `..`, `.git`,
/// empty parts, backslashes or characters that cannot be seen.
pub fn check_path(path: &str) -> Result<()> {
    let odd = |c: char| c.is_control() || is_invisible(c) || matches!(c, '\\' | ':');
    let bad_part = |part: &str| matches!(part, "" | "." | "..") || part.eq_ignore_ascii_case(".git");
    if path.len() > LONGEST || path.contains(odd) || path.starts_with('-') || path.split('/').any(bad_part) {
        return Err(Error::Invalid(msg!("pipeline-path", path = shown(path))));
    }
    Ok(())
}

/// The folder that `below` names, seen from `base`, both below the workspace's root: `.` and `..` are
/// worked out. `None` when it leaves the workspace, is absolute, or has characters no folder should have.
pub fn folder(base: &str, below: &str) -> Option<String> {
    let odd = |c: char| c.is_control() || is_invisible(c) || c == ':';
    // On Windows, and so in the definitions' `bat` twins, both slashes separate.
    let below = below.replace('\\', "/");
    if below.starts_with('/') || below.contains(odd) || base.len() + below.len() > LONGEST {
        return None;
    }
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    for part in below.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn kinds_follow_from_names() {
        for path in
            ["Jenkinsfile", "ch11/exercises/Jenkinsfile.windows", "a/nightly.jenkinsfile", "ci/x.groovy"]
        {
            assert_eq!(Kind::of(path), Some(Kind::Jenkinsfile), "{path}");
        }
        for path in ["ropewalk.yml", "x/other.yaml"] {
            assert_eq!(Kind::of(path), Some(Kind::Ropewalk), "{path}");
        }
        assert_eq!(Kind::of("Makefile"), None);
    }

    #[test]
    fn the_root_is_searched_in_order() {
        assert_eq!(discover(&["Jenkinsfile", "ropewalk.yml", "ci/00-verify.sh"]), Some("ropewalk.yml"));
        assert_eq!(discover(&["ci/00-verify.sh", "Jenkinsfile"]), Some("Jenkinsfile"));
        assert_eq!(discover(&["README.md", "ci/00-verify.bat"]), Some("ci"));
        assert_eq!(discover(&["ci/readme", "00-verify.sh", "sub/Jenkinsfile"]), None);
        assert_eq!(discover::<&str>(&[]), None);
    }

    #[test]
    fn folders_stay_in_the_workspace() {
        assert_eq!(folder("a", "b/./c/..").as_deref(), Some("a/b"));
        assert_eq!(folder("a", "..\\d\\e").as_deref(), Some("d/e"));
        for bad in ["../..", "/etc", "b/../../..", "C:/x", "a\0b"] {
            assert_eq!(folder("a", bad), None, "{bad}");
        }
        assert_eq!(folder("", ".."), None);
    }

    proptest! {
        #[test]
        fn no_folder_leads_out(base in "[a-z]{0,3}(/[a-z]{1,3}){0,2}", below in "[a-z./\\\\:\\PC]{0,20}") {
            if let Some(found) = folder(&base, &below) {
                prop_assert!(!found.starts_with('/') && !found.split('/').any(|part| part == ".."));
            }
            if check_path(&below).is_ok() {
                prop_assert!(!below.split('/').any(|part| part == ".."));
            }
        }
    }
}
