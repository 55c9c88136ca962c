//! A server's data directory that leaves nothing behind: not on the disk, and not in the engine, where a server
//! that was killed, or a test that failed, has left containers and networks.

use std::path::Path;
use std::process::Command;

use ropewalk::store::Connection;

pub struct Data(tempfile::TempDir);

impl Data {
    pub fn new() -> Data {
        Data(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The name this installation labels everything with.
    fn installation(&self) -> Option<String> {
        let path = self.path().join("ropewalk.db");
        let database = Connection::open(path.exists().then_some(path)?).ok()?;
        database
            .query_row("SELECT value FROM settings WHERE name = 'installation'", [], |row| row.get(0))
            .ok()
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        let Some(name) = self.installation() else { return };
        let label = format!("label=ropewalk.server={name}");
        remove(&["ps", "--all", "--quiet", "--filter", &label], &["rm", "--force", "--volumes"]);
        remove(&["network", "ls", "--quiet", "--filter", &label], &["network", "rm"]);
    }
}

fn remove(list: &[&str], remove: &[&str]) {
    let Ok(listed) = Command::new("docker").args(list).output() else { return };
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    if !listed.is_empty() {
        let _ = Command::new("docker").args(remove).args(listed.lines()).output();
    }
}
