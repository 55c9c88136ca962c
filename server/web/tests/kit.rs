//! A house with a door on a free port, and what the tests do at it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use jiff::Timestamp;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::Value;

use super::super::{Door, Gate, Settings, serve};
use crate::model::{Event, Outcome, OwnerName, PasswordHash, Secret, Surroundings};
use crate::pin::Pin;
use crate::store::{Store, accounts, events};
use crate::{git, logs, msg, registry};

pub const PASSWORD: &str = "kettle on the boat";

/// A server on a free port with the accounts `admin` (an administrator), `minsu` and `jiwoo`.
pub struct House {
    pub folder: tempfile::TempDir,
    pub url: String,
    pub door: Door,
    pub handle: ServerHandle,
    pub client: Client,
}

impl House {
    pub async fn new() -> House {
        let folder = tempfile::tempdir().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let store = Store::open(folder.path()).unwrap();
        let hash = PasswordHash::new(&Secret::new(PASSWORD), "nobody").unwrap();
        for (name, admin) in [("admin", true), ("minsu", false), ("jiwoo", false)] {
            let (name, hash) = (OwnerName::new(name).unwrap(), hash.as_str().to_owned());
            store.write(move |c| accounts::create(c, &name, &hash, admin, Timestamp::now())).await.unwrap();
        }
        let git = git::Repositories::open_in(folder.path()).unwrap();
        let registries = registry::Registries::new(registry::Client::new("http://127.0.0.1:9").unwrap());
        let door = Door {
            pin: Pin::new(store.clone(), git.clone(), registries.clone(), "ropewalk/step"),
            store,
            git,
            logs: logs::Logs::open(folder.path().join("logs")).unwrap(),
            registry: registry::Client::new("http://127.0.0.1:9").unwrap(),
            registries,
            surroundings: tokio::sync::watch::channel(Surroundings::default()).1,
            settings: Settings {
                url: url.clone(),
                other_urls: Vec::new(),
                registry_host: "registry.local:5000".into(),
                version: "0".into(),
                trusted_proxies: Vec::new(),
                max_push_bytes: 1 << 30,
                push_patience: Duration::from_secs(20),
                hook_token: crate::model::Secret::random(20).unwrap(),
            },
            gate: Gate::new().unwrap(),
            closing: tokio::sync::watch::channel(false).1,
        };
        let server = serve(door.clone(), listener, 1).unwrap();
        let handle = server.handle();
        tokio::spawn(server);
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client =
            Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        House { folder, url, door, handle, client }
    }

    /// A request to `path` as `who` (nobody for an empty name).
    pub fn ask(&self, method: Method, path: &str, who: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        if who.is_empty() { request } else { request.basic_auth(who, Some(PASSWORD)) }
    }

    pub async fn get(&self, path: &str, who: &str) -> (StatusCode, Value) {
        answer(self.ask(Method::GET, path, who)).await
    }

    pub async fn post(&self, path: &str, who: &str, body: Value) -> (StatusCode, Value) {
        answer(self.ask(Method::POST, path, who).json(&body)).await
    }

    pub fn remote(&self, who: &str, path: &str) -> String {
        let host = self.url.trim_start_matches("http://");
        format!("http://{who}:{}@{host}/{path}", PASSWORD.replace(' ', "%20"))
    }

    /// A work tree with one commit of these files.
    pub fn work(&self, files: &[(&str, &str)]) -> PathBuf {
        let work = self.folder.path().join(format!("work{}", Timestamp::now().as_nanosecond()));
        std::fs::create_dir_all(&work).unwrap();
        git(&work, &["init", "-q", "-b", "main"]);
        for (name, text) in files {
            let path = work.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        git(&work, &["add", "-A"]);
        git(&work, &["commit", "-q", "--allow-empty", "-m", "one"]);
        work
    }

    /// Pushes in the background and gives the events it waits for, undecided.
    pub async fn push_until_decided(
        &self,
        work: &Path,
        args: &[&str],
        decide: impl AsyncFnOnce(&Store, Event),
    ) -> Output {
        let (work, args) = (work.to_owned(), args.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>());
        let pushing = tokio::task::spawn_blocking(move || {
            run_git(&work, &args.iter().map(String::as_str).collect::<Vec<_>>())
        });
        let mut bell = self.door.store.bell();
        let event = loop {
            bell.borrow_and_update();
            if let Some(event) = self.door.store.read(|c| events::undecided(c, 1)).unwrap().pop() {
                break event;
            }
            bell.changed().await.unwrap();
        };
        decide(&self.door.store, event).await;
        pushing.await.unwrap()
    }

    pub async fn stop(self) {
        self.handle.stop(false).await;
    }
}

pub async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

pub fn run_git(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new("git");
    command.current_dir(folder).args(args).env_clear();
    for (name, value) in [
        ("PATH", std::env::var("PATH").unwrap().as_str()),
        ("HOME", "/nonexistent"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("LC_ALL", "C"),
        ("GIT_AUTHOR_NAME", "Minsu"),
        ("GIT_AUTHOR_EMAIL", "minsu@example.org"),
        ("GIT_COMMITTER_NAME", "Minsu"),
        ("GIT_COMMITTER_EMAIL", "minsu@example.org"),
    ] {
        command.env(name, value);
    }
    command.output().unwrap()
}

pub fn git(folder: &Path, args: &[&str]) -> String {
    let output = run_git(folder, args);
    assert!(output.status.success(), "git {args:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub async fn nothing_to_do(store: &Store, event: Event) {
    let outcome =
        Outcome { pipeline: None, run_id: None, run_number: None, message: msg!("trigger-no-pipeline") };
    store.write(move |c| events::decide(c, event.id, &[outcome])).await.unwrap();
}

pub const SCRIPTS: &[(&str, &str)] =
    &[("ci/00-verify.sh", "echo verify\n"), ("ci/01-build.sh", "echo build\n")];
