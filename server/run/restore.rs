//! The files of a workspace that pins have changed, and how they are changed back when a name counts again and not its
//! pin. A step may have put anything in their places meanwhile: no link is followed, and only what is a file is written.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, openat};

use crate::model::{Error, Result};
use crate::msg;
use crate::pipeline::bases::{self, Pins, SourceFile, Values};

/// A file that has grown beyond this is not looked at.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Everything that decides what is pinned where.
pub struct Written {
    pub root: PathBuf,
    /// As they are in the commit.
    pub files: Vec<SourceFile>,
    pub values: Values,
    pub pins: Pins,
    /// What was written, by path.
    now: BTreeMap<String, Vec<u8>>,
}

impl Written {
    /// Pins the files of a fresh workspace.
    pub fn pin(root: PathBuf, files: Vec<SourceFile>, values: Values, pins: Pins) -> Result<Written> {
        let mut written = Written { root, files, values, pins, now: BTreeMap::new() };
        for file in bases::pinned(&written.files, &written.values, &written.pins) {
            let bytes = file.bytes().into_owned();
            replace(&written.root, &file.path, |_| Some(bytes.clone()))?;
            written.now.insert(file.path, bytes);
        }
        Ok(written)
    }

    /// Puts the original text back wherever `reference` was pinned. What a step has changed itself keeps the change and
    /// gets the name for the pin.
    pub fn unpin(&mut self, reference: &str) -> Result<()> {
        let Some(pin) = self.pins.remove(reference) else { return Ok(()) };
        let still = bases::pinned(&self.files, &self.values, &self.pins);
        let digest = pin.find('@').map(|at| &pin[at..]).unwrap_or_default();
        for (path, known) in &mut self.now {
            let pinned = still.iter().find(|file| file.path == *path);
            let original = pinned.or_else(|| self.files.iter().find(|file| file.path == *path));
            let bytes = original.map(|file| file.bytes().into_owned()).filter(|bytes| bytes != known);
            let Some(bytes) = bytes else { continue };
            replace(&self.root, path, |found| match found == known.as_slice() {
                true => Some(bytes.clone()),
                false => {
                    let text = std::str::from_utf8(found).ok()?;
                    let new = text.replace(&pin, reference).replace(digest, "");
                    (new != text).then(|| new.into_bytes())
                }
            })?;
            *known = bytes;
        }
        Ok(())
    }
}

/// Puts what `change` makes of a file's bytes into it, in place: mode and owner stay.
fn replace(root: &Path, path: &str, change: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Result<()> {
    let failed = |doing: &str, e: std::io::Error| match e.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            Error::Conflict(msg!("run-disk-full"))
        }
        _ => Error::internal(format_args!("{doing} {path}"), e),
    };
    let Some(mut file) = open(root, path) else { return Ok(()) };
    let about = file.metadata().map_err(|e| failed("look at", e))?;
    if !about.is_file() || about.len() > LARGEST {
        return Ok(());
    }
    let mut found = Vec::new();
    file.read_to_end(&mut found).map_err(|e| failed("read", e))?;
    let Some(new) = change(&found) else { return Ok(()) };
    // Never empty in between, as a tool may read it at this very moment.
    let mut write = || {
        std::io::Seek::rewind(&mut file)?;
        file.write_all(&new)?;
        file.set_len(new.len() as u64)
    };
    write().map_err(|e| failed("write", e))
}

/// The file at `path`, when no part of the way is a link; `None` for what is not there or cannot be opened.
fn open(root: &Path, path: &str) -> Option<File> {
    let folder = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut at: OwnedFd =
        openat(CWD, root, OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    for part in folders.split('/').filter(|part| !part.is_empty()) {
        at = openat(&at, part, folder, Mode::empty()).ok()?;
    }
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    openat(&at, name, flags, Mode::empty()).ok().map(File::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIN: &str = "r.local/debian@sha256:1111";

    fn of(text: &str, folder: &Path) -> Written {
        std::fs::create_dir_all(folder.join("a")).unwrap();
        std::fs::write(folder.join("a/Dockerfile"), text).unwrap();
        let file = SourceFile::of("a/Dockerfile".into(), text.as_bytes().to_vec()).unwrap();
        let pins = [("debian:12", PIN), ("other:1", "r.local/other@sha256:2222")];
        let pins = pins.into_iter().map(|(name, pin)| (name.to_owned(), pin.to_owned())).collect();
        Written::pin(folder.to_owned(), vec![file], Values::default(), pins).unwrap()
    }

    #[test]
    fn the_original_is_put_back_to_the_byte_and_other_pins_stay() {
        let folder = tempfile::tempdir().unwrap();
        let text = "ARG B=debian:12\r\nFROM $B\r\nFROM  other:1 AS x\r\n# debian\r\n";
        let mut written = of(text, folder.path());
        let read = || std::fs::read_to_string(folder.path().join("a/Dockerfile")).unwrap();
        assert!(read().contains(PIN) && read().contains("r.local/other@sha256:2222"));
        written.unpin("debian:12").unwrap();
        assert_eq!(read(), text.replace("other:1", "r.local/other@sha256:2222"));
        written.unpin("other:1").unwrap();
        assert_eq!(read(), text);
        written.unpin("other:1").unwrap();
    }

    #[test]
    fn what_a_step_has_changed_keeps_its_change_and_links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let mut written = of("FROM debian:12\n", folder.path());
        let path = folder.path().join("a/Dockerfile");
        std::fs::write(&path, format!("FROM {PIN}\nRUN added\n")).unwrap();
        written.unpin("debian:12").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "FROM debian:12\nRUN added\n");

        let folder = tempfile::tempdir().unwrap();
        let mut written = of("FROM debian:12\n", folder.path());
        let outside = folder.path().join("outside");
        std::fs::rename(folder.path().join("a"), &outside).unwrap();
        std::os::unix::fs::symlink(&outside, folder.path().join("a")).unwrap();
        written.unpin("debian:12").unwrap();
        assert!(std::fs::read_to_string(outside.join("Dockerfile")).unwrap().contains(PIN));
    }
}
