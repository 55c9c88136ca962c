//! The real binary as a process of its own: for what only a process has (signals, memory, children, crashes).

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use super::PASSWORD;

pub struct Server {
    child: Child,
    pub port: u16,
    said: Arc<Mutex<Vec<String>>>,
}

/// curl without the machine's proxy and settings.
pub fn curl() -> Command {
    let mut command = Command::new("curl");
    command.args(["--disable", "--noproxy", "*"]);
    command
}

/// How a server is to be started.
pub struct Start<'a> {
    pub data: &'a Path,
    pub flags: &'a [(&'a str, &'a str)],
    /// As another user of the system.
    pub user: Option<u32>,
    /// A program and its arguments that end with starting the server, such as `unshare`.
    pub through: &'a [&'a str],
    /// Another copy of the program.
    pub program: Option<&'a Path>,
}

impl Server {
    pub fn start(data: &Path) -> Server {
        Self::with(data, &[])
    }

    pub fn with(data: &Path, flags: &[(&str, &str)]) -> Server {
        Self::begin(&Start { data, flags, user: None, through: &[], program: None })
            .unwrap_or_else(|said| panic!("the server ended before it served: {said}"))
    }

    /// `Err` is what it said before it ended without having served.
    pub fn begin(start: &Start<'_>) -> Result<Server, String> {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut words: Vec<&OsStr> = start.through.iter().map(OsStr::new).collect();
        words.push(start.program.map_or(OsStr::new(env!("CARGO_BIN_EXE_ropewalk")), Path::as_os_str));
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg("serve").arg("--data").arg(start.data);
        command.args([
            "--listen",
            &format!("127.0.0.1:{port}"),
            "--url",
            &format!("http://127.0.0.1:{port}"),
        ]);
        for (name, value) in start.flags {
            command.arg(format!("--{name}")).arg(value);
        }
        if let Some(user) = start.user {
            command.uid(user).gid(user);
        }
        // Settings and the language of the machine are not the tests'.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("ROPEWALK_") {
                command.env_remove(name);
            }
        }
        let mut child = command
            .env("LC_ALL", "C")
            .env("ROPEWALK_ADMIN_PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let said = Arc::new(Mutex::new(Vec::new()));
        let keep = said.clone();
        let ready = lines.by_ref().any(|line| {
            let ready = line.contains("serving");
            keep.lock().unwrap().push(line);
            ready
        });
        if !ready {
            child.wait().unwrap();
            return Err(said.lock().unwrap().join("\n"));
        }
        // Read on, so that it never blocks.
        std::thread::spawn(move || lines.for_each(|line| keep.lock().unwrap().push(line)));
        Ok(Server { child, port, said })
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn remote(&self, repository: &str) -> String {
        format!("http://admin:{PASSWORD}@127.0.0.1:{}/{repository}.git", self.port)
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Looks until it is so.
    pub fn until(&self, so: impl Fn(&Server) -> bool) {
        let begun = std::time::Instant::now();
        while !so(self) {
            assert!(begun.elapsed() < super::PATIENCE, "waited in vain: {}", self.said());
            pause();
        }
    }

    /// What it answers, as the administrator.
    pub fn api(&self, path: &str) -> serde_json::Value {
        let credentials = format!("admin:{PASSWORD}");
        let mut command = curl();
        command.args(["-sS", "--user", &credentials, &format!("{}{path}", self.url())]);
        serde_json::from_slice(&command.output().unwrap().stdout).unwrap()
    }

    /// Asks until the answer is as wanted.
    pub fn api_until(&self, path: &str, wanted: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        let begun = std::time::Instant::now();
        loop {
            let answer = self.api(path);
            if wanted(&answer) {
                return answer;
            }
            assert!(begun.elapsed() < super::PATIENCE, "waited in vain: {path} says {answer}");
            pause();
        }
    }

    /// What `/health` says of one of its parts, once it has looked.
    pub fn health_of(&self, part: &str) -> String {
        let of = |health: &serde_json::Value| {
            let checks = health["checks"].as_array().unwrap();
            checks.iter().find(|check| check["part"] == part).map(|check| check["message"].clone())
        };
        let health = self.api_until("/health", |health| of(health).is_some());
        of(&health).unwrap().as_str().unwrap().to_owned()
    }

    /// Its log so far.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().join("\n")
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends SIGTERM; `ended` waits for what comes of it.
    pub fn terminate(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    pub fn ended(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// The most memory it had since the last `forget_peak`, in bytes.
    pub fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    pub fn forget_peak(&self) {
        std::fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5").unwrap();
    }

    /// Names of the programs it has started that have not ended and been waited for.
    pub fn children(&self) -> Vec<String> {
        children_of(self.child.id())
    }
}

/// Between two looks, so that looking does not take the core from what is waited for.
fn pause() {
    std::thread::sleep(std::time::Duration::from_millis(10));
}

fn children_of(parent: u32) -> Vec<String> {
    let text = |path: String| std::fs::read_to_string(path).unwrap_or_default();
    let mut found = Vec::new();
    for task in std::fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten() {
        let children = text(format!("{}/children", task.path().display()));
        for child in children.split_whitespace().filter_map(|id| id.parse().ok()) {
            found.push(text(format!("/proc/{child}/comm")).trim().to_owned());
            found.extend(children_of(child));
        }
    }
    found
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
