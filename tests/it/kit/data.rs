//! A server's data directory that leaves nothing behind: not on the disk, and not in the engine, where a server
//! that was killed, or a test that failed, has left containers and networks.

use std::path::Path;
use std::process::Command;

use ropewalk::store::Connection;

pub struct Data {
    directory: tempfile::TempDir,
    mounted: bool,
}

impl Data {
    pub fn new() -> Data {
        Data { directory: tempfile::tempdir().unwrap(), mounted: false }
    }

    /// On a disk of its own, of so many bytes. Needs root.
    pub fn on_disk_of(bytes: u64) -> Data {
        let mut data = Data::new();
        let size = format!("size={bytes},mode=755");
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(data.path()).output();
        let mount = mount.unwrap();
        assert!(mount.status.success(), "this test needs root: {}", String::from_utf8_lossy(&mount.stderr));
        data.mounted = true;
        data
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file of zeros until there is no room for another byte.
    pub fn fill(&self) {
        use std::io::Write as _;
        let mut file = std::fs::File::create(self.path().join("filler")).unwrap();
        let mut piece = vec![0u8; 4096];
        while !piece.is_empty() {
            if file.write_all(&piece).is_err() {
                piece.truncate(piece.len() / 2);
            }
        }
    }

    pub fn empty(&self) {
        std::fs::remove_file(self.path().join("filler")).unwrap();
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
        if let Some(name) = self.installation() {
            let label = format!("label=ropewalk.server={name}");
            remove(&["ps", "--all", "--quiet", "--filter", &label], &["rm", "--force", "--volumes"]);
            remove(&["network", "ls", "--quiet", "--filter", &label], &["network", "rm"]);
        }
        if self.mounted {
            let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
        }
    }
}

fn remove(list: &[&str], remove: &[&str]) {
    let Ok(listed) = Command::new("docker").args(list).output() else { return };
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    if !listed.is_empty() {
        let _ = Command::new("docker").args(remove).args(listed.lines()).output();
    }
}
