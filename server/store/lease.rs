//! Which data directory the database belongs to, and which starts of a server it has seen. A copy of the directory has
//! the same database and is another place: it must do nothing until a person says which of the two goes on, or both
//! would carry out the same runs, give the same numbers and remove each other's containers.
//!
//! What tells the places apart is the folder itself (file system, inode, time of birth): none of them can be copied.
//! Moving a folder within its file system keeps them. Beside a folder that is another one at the same path of the
//! same machine (restored, or moved to a larger disk) the old one cannot be reached at its path any more.

use std::fs;
use std::io::{Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use jiff::Timestamp;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::settings;
use crate::model::{Error, Result, Secret};
use crate::msg;

const LEASE: &str = "lease";
const STARTS: &str = "starts";
const INSTALLATION: &str = "installation";
/// Starts that are remembered: what older ones left has been removed long since.
const MOST_STARTS: usize = 200;
const LOCK_TRIES: usize = 25;
const LOCK_WAIT: Duration = Duration::from_millis(20);

/// Where a data directory is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The machine's own id; `None` in a container, whose image may bring any.
    pub machine: Option<String>,
    /// For people only: a container has another one each time.
    pub host: String,
    pub path: PathBuf,
    pub device: u64,
    pub inode: u64,
    /// Nanoseconds since 1970, where the file system knows.
    pub born: Option<u64>,
}

impl Place {
    pub fn of(directory: &Path) -> Result<Place> {
        let failed = |cause: std::io::Error| {
            Error::Conflict(msg!("store-unusable", path = directory.display(), cause = cause))
        };
        let path = directory.canonicalize().map_err(failed)?;
        let found = fs::metadata(&path).map_err(failed)?;
        let born = found.created().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        let contained = ["/.dockerenv", "/run/.containerenv"].iter().any(|mark| Path::new(mark).exists());
        let machine = Some(read("/etc/machine-id")).filter(|id| id.len() == 32 && !contained);
        let host = read("/proc/sys/kernel/hostname");
        let born = born.and_then(|since| u64::try_from(since.as_nanos()).ok());
        Ok(Place { machine, host, path, device: found.dev(), inode: found.ino(), born })
    }

    /// Whether this is the place that was recorded.
    pub fn is(&self, recorded: &Place) -> bool {
        let same = |one: &Option<String>, other: &Option<String>| match (one, other) {
            (Some(one), Some(other)) => Some(one == other),
            _ => None,
        };
        let machine = same(&self.machine, &recorded.machine);
        if machine == Some(false) {
            return false;
        }
        let born = self.born.is_none() || recorded.born.is_none() || self.born == recorded.born;
        let folder = self.inode == recorded.inode && born;
        match self.path == recorded.path {
            // A device has another number after a restart of the machine.
            true => folder || machine == Some(true),
            false => folder && self.device == recorded.device,
        }
    }
}

/// Who the database belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    pub place: Place,
    /// Random; in the labels of all that this start of the server has made in an engine.
    pub start: String,
    pub process: u32,
    pub since: Timestamp,
}

/// `None` before the first start.
pub fn read(c: &Connection) -> Result<Option<Lease>> {
    let text = settings::get(c, LEASE)?;
    text.map(|text| serde_json::from_str(&text).map_err(|e| Error::internal("read the lease", e))).transpose()
}

/// The lease of another place, of which `here` is a copy.
pub fn of_another(c: &Connection, here: &Place) -> Result<Option<Lease>> {
    Ok(read(c)?.filter(|lease| !here.is(&lease.place)))
}

/// Notes this start; returns the starts before it, which are over: they used this directory.
pub fn claim(c: &Connection, lease: &Lease) -> Result<Vec<String>> {
    let before = starts(c)?;
    let mut all = before.clone();
    all.push(lease.start.clone());
    let newest = &all[all.len().saturating_sub(MOST_STARTS)..];
    write(c, lease)?;
    settings::set(c, STARTS, &newest.join(" "))?;
    Ok(before)
}

fn starts(c: &Connection) -> Result<Vec<String>> {
    let text = settings::get(c, STARTS)?.unwrap_or_default();
    Ok(text.split_whitespace().map(str::to_owned).collect())
}

fn write(c: &Connection, lease: &Lease) -> Result<()> {
    let text = serde_json::to_string(lease).map_err(|e| Error::internal("write the lease", e))?;
    settings::set(c, LEASE, &text)
}

/// The name of this installation, made once: what it labels in the engine is told from another server's.
pub fn installation(c: &Connection) -> Result<String> {
    if let Some(name) = settings::get(c, INSTALLATION)? {
        return Ok(name);
    }
    rename(c)
}

fn rename(c: &Connection) -> Result<String> {
    let name = Secret::random(8)?.reveal().to_owned();
    settings::set(c, INSTALLATION, &name)?;
    Ok(name)
}

/// A person says that the house goes on here. It gets another name, so that nothing that the place it was copied from
/// has in an engine is ever taken for its own. Returns the old name.
pub fn adopt(c: &Connection, here: &Place, now: Timestamp) -> Result<Option<String>> {
    let old = settings::get(c, INSTALLATION)?;
    rename(c)?;
    settings::set(c, STARTS, "")?;
    let start = String::new();
    write(c, &Lease { place: here.clone(), start, process: std::process::id(), since: now })?;
    Ok(old)
}

/// One server per data directory: the second is told the first one's process id.
pub fn lock(data: &Path) -> Result<fs::File> {
    let path = data.join("lock");
    let open = fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
    let refused = |cause| Error::Conflict(msg!("store-unusable", path = data.display(), cause = cause));
    let mut file = open.map_err(refused)?;
    match lock_soon(&file) {
        Ok(()) => {
            let write = file
                .set_len(0)
                .and_then(|()| file.rewind())
                .and_then(|()| write!(file, "{}", std::process::id()));
            // The lock holds without it; only a second server's message would lack the number.
            if let Err(error) = write {
                tracing::warn!(%error, "the process id could not be written into the lock file");
            }
            Ok(file)
        }
        Err(fs::TryLockError::WouldBlock) => {
            let holder = fs::read_to_string(&path).unwrap_or_default();
            Err(Error::Conflict(msg!("app-locked", path = data.display(), pid = holder.trim())))
        }
        Err(fs::TryLockError::Error(e)) => Err(Error::internal("lock the data directory", e)),
    }
}

/// Whether a server uses the data directory now. Leaves nothing behind.
pub fn is_locked(data: &Path) -> bool {
    let Ok(file) = fs::File::open(data.join("lock")) else { return false };
    matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock))
}

/// A process that the one before was just starting has its files until it runs its own program: a moment.
fn lock_soon(file: &fs::File) -> std::result::Result<(), fs::TryLockError> {
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Err(fs::TryLockError::WouldBlock) => std::thread::sleep(LOCK_WAIT),
            done => return done,
        }
    }
    file.try_lock()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(machine: Option<&str>, path: &str, (device, inode, born): (u64, u64, Option<u64>)) -> Place {
        let machine = machine.map(str::to_owned);
        Place { machine, host: "h".into(), path: path.into(), device, inode, born }
    }

    #[test]
    fn a_copy_is_told_from_a_folder_that_moved() {
        let recorded = place(Some("m"), "/data", (8, 100, Some(7)));
        let is = |machine: Option<&str>, path: &str, folder| place(machine, path, folder).is(&recorded);
        let folder = (8, 100, Some(7));
        assert!(is(Some("m"), "/data", folder), "the same");
        assert!(is(Some("m"), "/elsewhere", folder), "moved");
        assert!(is(Some("m"), "/data", (9, 100, Some(7))), "the machine was restarted");
        assert!(is(Some("m"), "/data", (9, 5, Some(9))), "restored or moved to another disk, at its path");
        assert!(is(None, "/data", folder), "from now on in a container");
        assert!(is(Some("m"), "/data", (8, 100, None)), "a file system that does not tell");
        assert!(!is(Some("m"), "/copy", (8, 101, Some(9))), "a copy");
        assert!(
            !is(Some("m"), "/copy", (8, 100, Some(9))),
            "a copy that got the inode of one deleted before"
        );
        assert!(!is(Some("m"), "/snapshot", (9, 100, Some(7))), "a snapshot of the disk, mounted elsewhere");
        assert!(!is(Some("n"), "/data", folder), "the disk's image on another machine");
        assert!(!is(None, "/data", (9, 5, Some(9))), "a copied volume in another container");
        // In containers throughout.
        let recorded = place(None, "/data", folder);
        assert!(place(None, "/data", (9, 100, Some(7))).is(&recorded));
        assert!(!place(None, "/data", (8, 101, Some(8))).is(&recorded));
    }

    #[test]
    fn a_directory_is_its_own_place_wherever_it_is_moved() {
        let outer = tempfile::tempdir().unwrap();
        let (one, other) = (outer.path().join("one"), outer.path().join("other"));
        fs::create_dir(&one).unwrap();
        let recorded = Place::of(&one).unwrap();
        fs::create_dir(&other).unwrap();
        assert!(!Place::of(&other).unwrap().is(&recorded));
        fs::remove_dir(&other).unwrap();
        fs::rename(&one, &other).unwrap();
        assert!(Place::of(&other).unwrap().is(&recorded));
    }
}
