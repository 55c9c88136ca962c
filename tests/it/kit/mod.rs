//! A whole server in a temporary folder on a free port, with its loops running, and a git client for it.

#![allow(dead_code)]

pub mod browser;
pub mod data;
pub mod real_registry;
pub mod relay;
pub mod server;
pub mod stand_in;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;
use std::time::Duration;

use ropewalk::app::App;
use ropewalk::config::{self, Serve};
use ropewalk::model::{RepositoryPath, Run, Status};
use ropewalk::store::{pipelines, repositories, runs};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use data::Data;

pub const PASSWORD: &str = "a-long-walk-of-rope";
/// How long a run may take here before the test says that it hangs.
const PATIENCE: Duration = Duration::from_secs(240);

pub struct House {
    pub app: Arc<App>,
    pub url: String,
    pub data: Arc<Data>,
    pub http: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<()>>,
}

/// Settings for a server in `data`, with `more` flags on top.
pub fn settings(data: &Path, port: u16, more: &[(&str, &str)]) -> Serve {
    let mut flags: BTreeMap<String, String> = BTreeMap::from([
        ("data".into(), data.display().to_string()),
        ("listen".into(), format!("127.0.0.1:{port}")),
        ("url".into(), format!("http://127.0.0.1:{port}")),
    ]);
    flags.extend(more.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    let environment = BTreeMap::from([("ROPEWALK_ADMIN_PASSWORD".to_owned(), PASSWORD.to_owned())]);
    config::resolve(&flags, &environment, 2).unwrap()
}

impl House {
    pub async fn start() -> House {
        Self::with(&[]).await
    }

    pub async fn with(more: &[(&str, &str)]) -> House {
        Self::on(Arc::new(Data::new()), more).await
    }

    /// On a folder that another house may have used before.
    pub async fn on(data: Arc<Data>, more: &[(&str, &str)]) -> House {
        Self::opened(data, more, || {}).await
    }

    /// The same, with `between` done when the house is open and none of its loops has begun.
    pub async fn opened(data: Arc<Data>, more: &[(&str, &str)], between: impl FnOnce()) -> House {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let app = Arc::new(App::open(settings(data.path(), port, more)).await.unwrap());
        between();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = app.clone();
        let served = tokio::spawn(async move {
            let stop = async { drop(stopped.await) };
            serving.serve(listener, stop).await.unwrap();
        });
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let url = format!("http://127.0.0.1:{port}");
        House { app, url, data, http, stop: Some(stop), served: Some(served) }
    }

    /// As SIGTERM would; returns the folder for the next house.
    pub async fn stop(mut self) -> Arc<Data> {
        drop(self.stop.take());
        self.served.take().unwrap().await.unwrap();
        self.data.clone()
    }

    /// `http://admin:...@127.0.0.1:PORT/admin/NAME.git`
    pub fn remote(&self, repository: &str) -> String {
        self.remote_as("admin", PASSWORD, repository)
    }

    pub fn remote_as(&self, user: &str, password: &str, repository: &str) -> String {
        let host = self.url.strip_prefix("http://").unwrap();
        format!("http://{user}:{password}@{host}/{repository}.git")
    }

    pub async fn get(&self, path: &str) -> reqwest::Response {
        self.http.get(format!("{}{path}", self.url)).basic_auth("admin", Some(PASSWORD)).send().await.unwrap()
    }

    pub async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "GET {path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let request = self.http.post(format!("{}{path}", self.url)).basic_auth("admin", Some(PASSWORD));
        let answer = request.json(&body).send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(json!(text)))
    }

    pub async fn patch(&self, path: &str, body: Value) -> (u16, Value) {
        let request = self.http.patch(format!("{}{path}", self.url)).basic_auth("admin", Some(PASSWORD));
        let answer = request.json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    pub async fn delete(&self, path: &str) -> u16 {
        let request = self.http.delete(format!("{}{path}", self.url)).basic_auth("admin", Some(PASSWORD));
        request.send().await.unwrap().status().as_u16()
    }

    /// OpenShift's YAML, as `ropewalk apply` sends it.
    pub async fn apply(&self, yaml: &str) -> (u16, Value) {
        let request = self.http.post(format!("{}/api/v1/image-streams", self.url));
        let request = request.basic_auth("admin", Some(PASSWORD)).header("Content-Type", "application/yaml");
        let answer = request.body(yaml.to_owned()).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    pub async fn applied(&self, yaml: &str) {
        let (status, answer) = self.apply(yaml).await;
        assert_eq!(status, 200, "{answer}");
    }

    pub async fn create_pipeline(&self, repository: &str, name: &str, path: &str) {
        let body = json!({"name": name, "path": path, "branches": []});
        let (status, answer) = self.post(&format!("/api/v1/repos/{repository}/pipelines"), body).await;
        assert_eq!(status, 201, "{answer}");
    }

    pub fn find_run(&self, repository: &str, pipeline: &str, number: u64) -> Option<Run> {
        let path: RepositoryPath = repository.parse().unwrap();
        let name = pipeline.parse().unwrap();
        self.app
            .store
            .read(|c| {
                let Some(repository) = repositories::by_path(c, &path)? else { return Ok(None) };
                let Some(pipeline) = pipelines::by_name(c, repository.id, &name)? else { return Ok(None) };
                runs::by_number(c, pipeline.id, number)
            })
            .unwrap()
    }

    /// Waits until `look` finds something, looking again after every change of the store.
    pub async fn wait_for<T>(&self, what: &str, mut look: impl FnMut(&House) -> Option<T>) -> T {
        let mut bell = self.app.store.bell();
        let waiting = async {
            loop {
                bell.borrow_and_update();
                if let Some(found) = look(self) {
                    return found;
                }
                bell.changed().await.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
    }

    pub async fn run_ended(&self, repository: &str, pipeline: &str, number: u64) -> Run {
        let what = format!("the end of {repository} {pipeline} #{number}");
        self.wait_for(&what, |house| {
            house.find_run(repository, pipeline, number).filter(|run| run.status.is_final())
        })
        .await
    }

    pub async fn run_in(&self, status: Status, repository: &str, number: u64) -> Run {
        let what = format!("{repository} #{number} to be {status}");
        self.wait_for(&what, |house| {
            house.find_run(repository, "default", number).filter(|run| run.status == status)
        })
        .await
    }

    /// Waits until a step of the run has said something.
    pub async fn step_running(&self, run: &Run) {
        let mut bell = self.app.logs.bell(run.id);
        while self.log(run).is_empty() {
            bell.changed().await.unwrap();
        }
    }

    /// Waits until the engine has no container of the run.
    pub async fn no_containers(&self, run: &Run) {
        let label = format!("ropewalk.run={}", run.id);
        let repository = format!("ropewalk.repository={}", run.repository);
        let gone = async {
            while !containers(&[&label, &repository]).await.is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, gone).await.unwrap_or_else(|_| panic!("containers of {label} stay"));
    }

    pub fn log(&self, run: &Run) -> String {
        let stages = self.app.store.read(|c| runs::stages(c, run.id)).unwrap();
        let read = |index| {
            let bytes = self.app.logs.read(run.id, index, 0, usize::MAX).unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        stages.iter().map(|stage| read(stage.index)).collect()
    }
}

/// Ids of the containers with all these labels, running or not.
pub async fn containers(labels: &[&str]) -> Vec<String> {
    let mut command = tokio::process::Command::new("docker");
    command.args(["ps", "--all", "--quiet"]);
    for label in labels {
        command.args(["--filter", &format!("label={label}")]);
    }
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// A working copy with git's own idea of nothing but what the test gives it.
pub struct Copy {
    pub path: PathBuf,
    _directory: tempfile::TempDir,
}

impl Copy {
    pub fn new() -> Copy {
        let directory = tempfile::tempdir().unwrap();
        let copy = Copy { path: directory.path().join("copy"), _directory: directory };
        std::fs::create_dir(&copy.path).unwrap();
        copy.git(&["init", "-q", "-b", "main"]);
        copy
    }

    pub fn of_sample() -> Copy {
        let copy = Copy::new();
        let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples/numbers/.");
        let copied = std::process::Command::new("cp").args(["-a", sample]).arg(&copy.path).status().unwrap();
        assert!(copied.success());
        copy
    }

    pub fn write(&self, path: &str, text: &str) -> &Self {
        let path = self.path.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"]).trim().to_owned()
    }

    /// Standard output; panics with standard error when git fails.
    pub fn git(&self, args: &[&str]) -> String {
        let output = git_command(&self.path, args);
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Whether it succeeded, and what it said on standard error. Off the async threads, which serve the other side.
    pub async fn try_git(&self, args: &[&str]) -> (bool, String) {
        let path = self.path.clone();
        let args: Vec<String> = args.iter().map(|a| (*a).to_owned()).collect();
        let output = tokio::task::spawn_blocking(move || {
            git_command(&path, &args.iter().map(String::as_str).collect::<Vec<_>>())
        });
        let output = output.await.unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Pushes and returns what the server and git said.
    pub async fn push(&self, remote: &str) -> String {
        let (ok, said) = self.try_git(&["push", remote, "HEAD"]).await;
        assert!(ok, "git push: {said}");
        said
    }
}

pub fn git_command(directory: &Path, args: &[&str]) -> Output {
    // Nothing of the machine: no GIT_DIR of a hook that runs the tests, no proxy, no other language.
    std::process::Command::new("git")
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "core.autocrlf=false"])
        .args(args)
        .current_dir(directory)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", "/nonexistent")
        .env("LC_ALL", "C")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .output()
        .unwrap()
}

/// A one-stage `ropewalk.yml` that runs `script`.
pub fn one_step(script: &str) -> String {
    let indented: String = script.lines().map(|line| format!("          {line}\n")).collect();
    format!("stages:\n  - name: Only\n    steps:\n      - run: |\n{indented}")
}
