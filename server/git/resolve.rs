//! What a person means by a text such as `main`, `v1.0` or `1a2b3c4`: a branch, a tag, a commit, in
//! this order. No text is ever handed to a program, so none can be an option. Blocking.

use git2::{ErrorCode, ObjectType, Oid};

use super::objects::{OpenRepository, id, internal, oid, shown};
use super::refs;
use crate::model::{CommitId, Error, RefName, Result};
use crate::msg;

/// Tags of tags that are followed.
const MOST_TAGS: usize = 50;

/// A commit, and the ref it was found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    pub commit: CommitId,
    pub reference: Option<RefName>,
}

impl OpenRepository {
    /// A branch, a tag, a full ref name, `HEAD` (the default branch), a full commit id or its first
    /// seven or more digits. `NotFound` when there is none, `Invalid` when the digits fit several.
    pub fn resolve(&self, text: &str) -> Result<Resolved> {
        let missing = || Error::NotFound(msg!("git-revision-missing", revision = shown(text)));
        let candidates = match text {
            "HEAD" => vec![refs::head(self.directory())?],
            _ if text.starts_with("refs/") => RefName::new(text).into_iter().collect(),
            _ => {
                let both = [RefName::branch(text), RefName::new(format!("refs/tags/{text}"))];
                both.into_iter().flatten().collect()
            }
        };
        for name in candidates {
            if let Some(found) = refs::read(self.directory(), &name)? {
                return Ok(Resolved { commit: self.peel(&found)?, reference: Some(name) });
            }
        }
        let full = match CommitId::new(text) {
            Ok(full) => full,
            Err(_) => self.expand(text)?.ok_or_else(missing)?,
        };
        let commit = self.peel(&full).map_err(|error| match error {
            Error::NotFound(_) => missing(),
            other => other,
        })?;
        Ok(Resolved { commit, reference: None })
    }

    /// The full id that begins with these digits.
    fn expand(&self, digits: &str) -> Result<Option<CommitId>> {
        let lower = digits.to_ascii_lowercase();
        if !(7..40).contains(&lower.len()) || !lower.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let prefix = Oid::from_str(&lower).map_err(|e| internal("read an id", e))?;
        match self.odb()?.exists_prefix(prefix, lower.len()) {
            Ok(found) => id(found).map(Some),
            Err(cause) if cause.code() == ErrorCode::NotFound => Ok(None),
            Err(cause) if cause.code() == ErrorCode::Ambiguous => {
                Err(Error::Invalid(msg!("git-revision-ambiguous", revision = lower)))
            }
            Err(cause) => Err(internal("look for an id", cause)),
        }
    }

    /// The commit behind an annotated tag (or behind a tag of a tag); a commit's id is returned as
    /// it is. `NotFound` when the object is missing or leads to no commit, `Invalid` for too many tags of tags.
    pub fn peel(&self, from: &CommitId) -> Result<CommitId> {
        match self.odb()?.exists(oid(from)?) {
            true => self.tip(from),
            false => Err(Error::NotFound(msg!("git-commit-missing", commit = from))),
        }
    }

    /// As `peel`, of what a ref points to: that must be there.
    pub fn tip(&self, from: &CommitId) -> Result<CommitId> {
        let mut at = oid(from)?;
        for _ in 0..MOST_TAGS {
            let object =
                self.light(at, "tag")?.find_object(at, None).map_err(|e| self.lost("ref", at, &e))?;
            match (object.kind(), object.as_tag()) {
                (Some(ObjectType::Commit), _) => return id(at),
                (_, Some(tag)) => at = tag.target_id(),
                _ => return Err(Error::NotFound(msg!("git-not-a-commit", object = at))),
            }
        }
        Err(Error::Invalid(msg!("git-tags-too-deep", object = from, limit = MOST_TAGS)))
    }
}

#[cfg(test)]
mod tests {
    use crate::git::testing::{Place, git};
    use crate::model::Error;

    #[test]
    fn every_form_and_no_option() {
        let place = Place::with_commits(3);
        let directory = place.directory();
        git(&directory, &["tag", "-m", "one", "v1", "main~1"]);
        git(&directory, &["branch", "feature/x", "main~2"]);
        let open = place.repositories.open(&place.path).unwrap();
        let id_of =
            |name: &str| git(&directory, &["rev-parse", &format!("{name}^{{commit}}")]).trim().to_owned();
        for name in ["main", "v1", "feature/x", "refs/heads/main", "refs/tags/v1", "HEAD"] {
            let found = open.resolve(name).unwrap();
            assert_eq!(found.commit.as_str(), id_of(name), "{name}");
            assert!(found.reference.is_some());
        }
        let full = id_of("main");
        for text in [&full[..], &full[..7], &full[..20], &full[..10].to_ascii_uppercase()] {
            let found = open.resolve(text).unwrap();
            assert_eq!((found.commit.as_str(), found.reference), (&full[..], None));
        }
        let tag = git(&directory, &["rev-parse", "v1"]);
        assert_eq!(
            open.resolve(tag.trim()).unwrap().commit.as_str(),
            id_of("v1"),
            "the id of an annotated tag"
        );
        let tree = git(&directory, &["rev-parse", "main^{tree}"]);
        for text in [
            "",
            "-h",
            "--output=/tmp/x",
            "main~1",
            "main^",
            "@",
            "@{-1}",
            ":/Commit",
            "HEAD:number",
            &full[..6],
            "1111111111111111111111111111111111111111",
            tree.trim(),
            "../../etc/passwd",
            "refs/../HEAD",
            "a\0b",
            "v1 ",
        ] {
            assert!(matches!(open.resolve(text), Err(Error::NotFound(_))), "{text:?}");
        }
    }
}
