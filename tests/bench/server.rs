//! The server that is measured, as a process of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ropewalk::store::Connection as Database;
use serde_json::{Value, json};

use super::http::{self, Connection};
use super::measure::until;

const PASSWORD: &str = "a-long-walk-of-rope";
/// `admin:` and the password, as Basic authentication has it.
pub const AUTHORIZATION: &str = "Authorization: Basic YWRtaW46YS1sb25nLXdhbGstb2Ytcm9wZQ==\r\n";

pub struct Server {
    child: Child,
    pub port: u16,
    pub data: PathBuf,
}

impl Server {
    /// Returns as soon as the process exists.
    pub fn spawn(program: &Path, data: &Path, more: &[&str]) -> Server {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let log = File::options().create(true).append(true).open(data.join("server.log")).unwrap();
        let mut command = Command::new(program);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ROPEWALK_")) {
            command.env_remove(name);
        }
        command
            .arg("serve")
            .arg("--data")
            .arg(data)
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .args(more);
        command
            .env("ROPEWALK_ADMIN_PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let child = command.spawn().unwrap_or_else(|e| panic!("start {}: {e}", program.display()));
        Server { child, port, data: data.to_owned() }
    }

    /// Returns when it answers.
    pub fn start(program: &Path, data: &Path, more: &[&str]) -> Server {
        let mut server = Server::spawn(program, data, more);
        until("the server", Duration::from_millis(5), || {
            assert!(server.child.try_wait().unwrap().is_none(), "the server ended; see {}", data.display());
            server.get("/healthz").filter(|(status, _)| *status == 200)
        });
        server
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn get(&self, path: &str) -> Option<(u16, Vec<u8>)> {
        let mut connection = Connection::open(self.port).ok()?;
        connection.ask(&http::get(path, AUTHORIZATION)).ok().map(|(status, body)| (status, body.to_vec()))
    }

    pub fn post(&self, path: &str, body: &Value) {
        self.post_as(path, "application/json", &body.to_string());
    }

    pub fn post_as(&self, path: &str, kind: &str, body: &str) {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{AUTHORIZATION}Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut connection = Connection::open(self.port).unwrap();
        let (status, answer) = connection.ask(request.as_bytes()).unwrap();
        assert!((200..300).contains(&status), "POST {path}: {status} {}", String::from_utf8_lossy(answer));
    }

    pub fn create_repository(&self, name: &str) {
        self.post("/api/v1/user/repos", &json!({ "name": name }));
    }

    /// What the stack's registry proves itself with.
    pub fn registry_token(&self) -> String {
        let (_, body) = self.get("/api/v1/webhooks/registry").unwrap();
        let shape: Value = serde_json::from_slice(&body).unwrap();
        shape["token"].as_str().unwrap().to_owned()
    }

    /// The numbers called `name` in the lines of its log that say `what`, in their order.
    pub fn logged(&self, what: &str, name: &str) -> Vec<f64> {
        let log = fs::read_to_string(self.data.join("server.log")).unwrap();
        let value = |line: &str| {
            let (_, rest) = line.split_once(&format!(" {name}="))?;
            rest.split(' ').next()?.trim().parse().ok()
        };
        log.lines().filter(|line| line.contains(what)).filter_map(value).collect()
    }

    /// At once, with nothing finished. What it has at the engine stays; returns the label of that.
    pub fn kill(&mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let name = "SELECT value FROM settings WHERE name = 'installation'";
        let name: String = self.database().query_row(name, [], |row| row.get(0)).unwrap();
        format!("label=ropewalk.server={name}")
    }

    pub fn remote(&self, repository: &str) -> String {
        format!("http://admin:{PASSWORD}@127.0.0.1:{}/{repository}.git", self.port)
    }

    /// For looking at what it wrote.
    pub fn database(&self) -> Database {
        Database::open(self.data.join("ropewalk.db")).unwrap()
    }

    pub fn log_file(&self, run: i64, stage: u32) -> PathBuf {
        self.data.join("logs").join(run.to_string()).join(format!("{stage}.log"))
    }
}

impl Drop for Server {
    /// As an administrator would stop it, so that it gives back what it has at the engine.
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = Command::new("kill").arg(self.child.id().to_string()).status();
            let _ = self.child.wait();
        }
    }
}
