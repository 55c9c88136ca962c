//! Looks at a loose object's file before libgit2 does: over one whose compressed bytes are damaged libgit2 1.9
//! turns in circles and never comes back. It checks that the bytes inflate and nothing more; what they say is
//! libgit2's to check, and so are packs, which it reads without circles.

use std::fs::File;
use std::io;

use git2::Oid;

use super::objects::OpenRepository;
use crate::model::{Error, Result};
use crate::msg;

impl OpenRepository {
    /// The repository, to read the object `id` from; `Conflict` when its file is damaged.
    pub(super) fn sound(&self, id: Oid) -> Result<&git2::Repository> {
        let name = id.to_string();
        let path = self.directory().join("objects").join(&name[..2]).join(&name[2..]);
        // Not there: it is in a pack, or missing, which libgit2 says well.
        let Ok(file) = File::open(path) else { return Ok(&self.git) };
        let inflated = io::copy(&mut flate2::read::ZlibDecoder::new(file), &mut io::sink());
        match inflated {
            Ok(1..) => Ok(&self.git),
            Ok(0) | Err(_) => Err(Error::Conflict(msg!("git-repository-damaged", object = name))),
        }
    }
}
