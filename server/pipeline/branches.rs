//! Globs on branch names: `*` stays within one part of a name, `**` crosses `/`.

use globset::{GlobBuilder, GlobMatcher};

use super::finding::shown;
use crate::model::{Error, Message, Result};
use crate::msg;

/// More globs, or longer ones, than a person writes.
const MOST: usize = 50;
const LONGEST: usize = 250;

/// Whether `branch` (short name, `feature/x`) is one of `globs`; no globs mean every branch. A glob that
/// is not valid matches nothing; it was refused when it was stored.
pub fn branch_matches(globs: &[String], branch: &str) -> bool {
    globs.is_empty() || globs.iter().filter_map(|glob| compile(glob).ok()).any(|glob| glob.is_match(branch))
}

/// Checks globs that came from outside a definition (a form, the API); `Invalid` names the first bad one.
pub fn check_branches(globs: &[String]) -> Result<()> {
    if globs.len() > MOST {
        return Err(Error::Invalid(msg!("pipeline-too-many-branches", most = MOST)));
    }
    globs.iter().try_for_each(|glob| compile(glob).map(drop).map_err(Error::Invalid))
}

/// What is wrong with `glob`, if anything.
pub(super) fn objection(glob: &str) -> Option<Message> {
    compile(glob).err()
}

fn compile(glob: &str) -> Result<GlobMatcher, Message> {
    let invalid = || msg!("pipeline-branch-glob", glob = shown(glob));
    // `!x` would be taken literally and so match nothing, against what its writer means.
    if glob.is_empty() || glob.len() > LONGEST || glob.starts_with('!') {
        return Err(invalid());
    }
    match GlobBuilder::new(glob).literal_separator(true).backslash_escape(true).build() {
        Ok(glob) => Ok(glob.compile_matcher()),
        Err(_) => Err(invalid()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(glob: &str, branch: &str) -> bool {
        branch_matches(&[glob.to_owned()], branch)
    }

    #[test]
    fn globs_match_as_written() {
        assert!(branch_matches(&[], "anything"));
        assert!(matches("main", "main") && !matches("main", "main2"));
        assert!(matches("release/*", "release/1") && !matches("release/*", "release/1/2"));
        assert!(matches("release/**", "release/1/2"));
        assert!(matches("{main,dev}", "dev") && matches("v[0-9]", "v3"));
        for bad in ["", "!main", "a[", "{a", &"x".repeat(251)] {
            assert!(check_branches(&[bad.to_owned()]).is_err(), "{bad}");
            assert!(!matches(bad, bad));
        }
    }

    proptest! {
        #[test]
        fn any_glob_and_branch_are_answered(glob in ".{0,60}", branch in ".{0,60}") {
            if check_branches(std::slice::from_ref(&glob)).is_err() {
                prop_assert!(!branch_matches(&[glob], &branch));
            } else {
                let _ = branch_matches(&[glob], &branch);
            }
        }
    }
}
