//! Looks at a loose object's file before libgit2 does: over one whose compressed bytes are damaged libgit2 1.9
//! turns in circles and never comes back. It checks that the bytes inflate and nothing more; what they say is
//! libgit2's to check, and so are packs, which it reads without circles.

use std::fs::File;
use std::io::{self, Read as _};

use git2::{ObjectType, Oid};

use super::objects::{OpenRepository, shown};
use crate::model::{Error, Result};
use crate::msg;

/// Largest commit, tag or folder that is read, in bytes: a folder of more than a million files.
const LARGEST: usize = 64 * 1024 * 1024;

impl OpenRepository {
    /// The repository, to read the object `id` from; `Conflict` when its file is damaged.
    pub(super) fn sound(&self, id: Oid) -> Result<&git2::Repository> {
        match self.inflates(id) {
            true => Ok(&self.git),
            false => Err(self.damaged(id, msg!("git-repository-damaged", object = id))),
        }
    }

    /// As `sound`, for what is read as a whole: commits, tags and folders. One of a gigabyte is pushed in a megabyte.
    pub(super) fn light(&self, id: Oid, place: &str) -> Result<&git2::Repository> {
        let git = self.sound(id)?;
        match self.odb()?.read_header(id) {
            Ok((size, kind)) if kind != ObjectType::Blob && size > LARGEST => {
                let (place, limit) = (shown(place), LARGEST);
                Err(Error::Invalid(msg!(
                    "git-object-too-large",
                    object = id,
                    place = place,
                    size = size,
                    limit = limit
                )))
            }
            // What cannot be read says so when it is read.
            _ => Ok(git),
        }
    }

    pub(super) fn inflates(&self, id: Oid) -> bool {
        let name = id.to_string();
        let path = self.directory().join("objects").join(&name[..2]).join(&name[2..]);
        // Not there: it is in a pack, or missing, which libgit2 says well.
        let Ok(file) = File::open(path) else { return true };
        let mut inflated = flate2::read::ZlibDecoder::new(file);
        let mut head = [0; 4];
        if inflated.read_exact(&mut head).is_err() {
            return false;
        }
        // Of anything but a file no more is looked at than is read.
        let most = if head == *b"blob" { u64::MAX } else { LARGEST as u64 + 64 };
        io::copy(&mut inflated.take(most), &mut io::sink()).is_ok()
    }
}
