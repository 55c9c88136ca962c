//! A file that takes up room while there is enough of it, and gives it back when there is none: so that on a
//! full disk the end of what failed can still be written down. It holds nothing and nobody reads it.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use rustix::fs::{FallocateFlags, fallocate, statvfs};

/// Ends of a hundred runs.
const SIZE: u64 = 1 << 20;
/// Less than this is no room to write in.
const LEAST: u64 = SIZE / 4;
/// The reserve is only made where this much is free.
const ENOUGH: u64 = 8 * SIZE;

pub struct Reserve(PathBuf);

impl Reserve {
    pub fn new(path: PathBuf) -> Self {
        Reserve(path)
    }

    /// Whether the disk is as good as full.
    pub fn is_needed(&self) -> bool {
        statvfs(self.0.parent().unwrap_or(&self.0))
            .is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) < LEAST)
    }

    /// Makes the reserve unless it is there or room is short. A disk that cannot reserve has none.
    pub fn keep(&self) {
        let make = || -> io::Result<()> {
            let disk = statvfs(self.0.parent().unwrap_or(&self.0))?;
            if disk.f_bavail.saturating_mul(disk.f_frsize) >= ENOUGH {
                fallocate(File::create(&self.0)?, FallocateFlags::empty(), 0, SIZE)?;
            }
            Ok(())
        };
        if !self.0.exists()
            && let Err(error) = make()
        {
            tracing::debug!(%error, "no room is kept in reserve");
        }
    }

    pub fn give_up(&self) {
        if std::fs::remove_file(&self.0).is_ok() {
            tracing::warn!("the disk is full: its reserve is used up");
        }
    }
}
