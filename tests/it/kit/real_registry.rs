//! Debian's docker-registry in a folder of its own, on a port the kernel chose.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub struct RealRegistry {
    child: Child,
    pub port: u16,
    _folder: tempfile::TempDir,
}

impl RealRegistry {
    /// With `http` in the configuration's part of that name and `more` below it; `ROOT` is the folder.
    pub fn start(folder: tempfile::TempDir, http: &str, more: &str) -> RealRegistry {
        let config = format!(
            "version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: 'ROOT/data'}}}}\n\
             http: {{addr: '127.0.0.1:0', secret: s{http}}}\n{more}\n"
        );
        let file = folder.path().join("config.yml");
        std::fs::write(&file, config.replace("ROOT", &folder.path().display().to_string())).unwrap();
        let mut child = serve(&file);
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.find_map(|line| {
            let (_, rest) = line.split_once("listening on 127.0.0.1:")?;
            rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
        });
        // Until it ends, so that it never waits for somebody to read.
        std::thread::spawn(move || lines.for_each(drop));
        RealRegistry { child, port: port.expect("the registry did not start"), _folder: folder }
    }
}

fn serve(config: &Path) -> Child {
    let mut command = Command::new("docker-registry");
    command.arg("serve").arg(config).env("OTEL_TRACES_EXPORTER", "none");
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().expect("docker-registry (Debian package docker-registry) is needed for this test")
}

impl Drop for RealRegistry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
