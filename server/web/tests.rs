//! Through the door with the real git client and a real HTTP client; the trigger loop's part is played by
//! the test, so that each says what it expects to be decided.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use jiff::Timestamp;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::{Door, Gate, Settings, serve};
use crate::model::{
    Cause, Event, Happened, Outcome, OwnerName, PasswordHash, PipelineName, Secret, Status, Surroundings,
};
use crate::store::{Store, accounts, events, pipelines, repositories, runs};
use crate::{git, logs, msg, registry};

const PASSWORD: &str = "kettle on the boat";

/// A server on a free port with the accounts `admin` (an administrator), `minsu` and `jiwoo`.
struct House {
    folder: tempfile::TempDir,
    url: String,
    door: Door,
    handle: ServerHandle,
    client: Client,
}

impl House {
    async fn new() -> House {
        let folder = tempfile::tempdir().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let store = Store::open(folder.path()).unwrap();
        let hash = PasswordHash::new(&Secret::new(PASSWORD), "nobody").unwrap();
        for (name, admin) in [("admin", true), ("minsu", false), ("jiwoo", false)] {
            let (name, hash) = (OwnerName::new(name).unwrap(), hash.as_str().to_owned());
            store.write(move |c| accounts::create(c, &name, &hash, admin, Timestamp::now())).await.unwrap();
        }
        let door = Door {
            store,
            git: git::Repositories::open_in(folder.path()).unwrap(),
            logs: logs::Logs::open(folder.path().join("logs")).unwrap(),
            registry: registry::Client::new("http://127.0.0.1:9").unwrap(),
            surroundings: tokio::sync::watch::channel(Surroundings::default()).1,
            settings: Settings {
                url: url.clone(),
                registry_host: "registry.local:5000".into(),
                version: "0".into(),
                trusted_proxies: Vec::new(),
                max_push_bytes: 1 << 30,
                push_patience: Duration::from_secs(20),
            },
            gate: Gate::new().unwrap(),
        };
        let server = serve(door.clone(), listener, 1).unwrap();
        let handle = server.handle();
        tokio::spawn(server);
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        House { folder, url, door, handle, client }
    }

    /// A request to `path` as `who` (nobody for an empty name).
    fn ask(&self, method: Method, path: &str, who: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        if who.is_empty() { request } else { request.basic_auth(who, Some(PASSWORD)) }
    }

    async fn get(&self, path: &str, who: &str) -> (StatusCode, Value) {
        answer(self.ask(Method::GET, path, who)).await
    }

    async fn post(&self, path: &str, who: &str, body: Value) -> (StatusCode, Value) {
        answer(self.ask(Method::POST, path, who).json(&body)).await
    }

    fn remote(&self, who: &str, path: &str) -> String {
        let host = self.url.trim_start_matches("http://");
        format!("http://{who}:{}@{host}/{path}", PASSWORD.replace(' ', "%20"))
    }

    /// A work tree with one commit of these files.
    fn work(&self, files: &[(&str, &str)]) -> PathBuf {
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
    async fn push_until_decided(
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

    async fn stop(self) {
        self.handle.stop(false).await;
    }
}

async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

fn run_git(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new("git");
    command.current_dir(folder).args(args).env_clear();
    for (name, value) in [
        ("PATH", std::env::var("PATH").unwrap().as_str()),
        ("HOME", "/nonexistent"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_AUTHOR_NAME", "Minsu"),
        ("GIT_AUTHOR_EMAIL", "minsu@example.org"),
        ("GIT_COMMITTER_NAME", "Minsu"),
        ("GIT_COMMITTER_EMAIL", "minsu@example.org"),
    ] {
        command.env(name, value);
    }
    command.output().unwrap()
}

fn git(folder: &Path, args: &[&str]) -> String {
    let output = run_git(folder, args);
    assert!(output.status.success(), "git {args:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn nothing_to_do(store: &Store, event: Event) {
    let outcome =
        Outcome { pipeline: None, run_id: None, run_number: None, message: msg!("trigger-no-pipeline") };
    store.write(move |c| events::decide(c, event.id, &[outcome])).await.unwrap();
}

const SCRIPTS: &[(&str, &str)] = &[("ci/00-verify.sh", "echo verify\n"), ("ci/01-build.sh", "echo build\n")];

#[actix_web::test]
async fn a_push_makes_the_repository_and_hears_of_its_run() {
    let house = House::new().await;
    let mut noise = vec![0u8; 300_000];
    getrandom::fill(&mut noise).unwrap();
    let noise: String = noise.iter().map(|b| format!("{b:02x}")).collect();
    let work = house.work(&[SCRIPTS, &[("noise", &noise)]].concat());
    let url = house.remote("minsu", "minsu/numbers.git");
    // Larger than the client's buffer, so it probes first and then sends in chunks.
    let push = ["-c", "http.postBuffer=65536", "push", "-q", &url, "main"];
    let output = house
        .push_until_decided(&work, &push, async |store, event| {
            assert!(
                matches!(&event.happened, Happened::RefMoved { by: Some(by), old: None, .. } if by == "minsu")
            );
            let commit = match &event.happened {
                Happened::RefMoved { new: Some(commit), .. } => commit.clone(),
                other => panic!("{other:?}"),
            };
            let repository_id = event.repository_id.unwrap();
            store
                .write(move |c| {
                    let name = PipelineName::new("numbers")?;
                    let (path, branches) = ("Jenkinsfile".to_owned(), Vec::new());
                    let new =
                        pipelines::NewPipeline { repository_id, name, path, branches, discovered: false };
                    let pipeline_id = pipelines::create(c, &new, Timestamp::now())?;
                    let finding = crate::model::Finding {
                        path: "Jenkinsfile".into(),
                        line: 3,
                        column: 5,
                        message: msg!("name-empty"),
                    };
                    let run = runs::NewRun {
                        repository_id,
                        pipeline_id,
                        cause: Cause::Push { by: "minsu".into() },
                        reference: crate::model::RefName::branch("main")?,
                        commit,
                        definition_path: "Jenkinsfile".into(),
                        definition_blob: String::new(),
                        definition: Err(vec![finding]),
                        inputs: Default::default(),
                        event_id: Some(event.id),
                        refusal: None,
                    };
                    let (id, number) = runs::queue(c, &run, Timestamp::now())?;
                    let outcome = Outcome {
                        pipeline: Some("numbers".into()),
                        run_id: Some(id),
                        run_number: Some(number),
                        message: msg!("trigger-started"),
                    };
                    events::decide(c, event.id, &[outcome])
                })
                .await
                .unwrap();
        })
        .await;
    let said = said(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("Run #1 of numbers"), "{said}");
    assert!(said.contains("Jenkinsfile:3:5: The name is empty."), "{said}");
    assert!(said.contains(&format!("{}/minsu/numbers/pipelines/numbers/runs/1", house.url)), "{said}");
    let (status, body) = house.get("/api/v1/repos/minsu/numbers", "").await;
    assert_eq!((status, &body["default_branch"]), (StatusCode::OK, &json!("main")), "{body}");
    let (_, branches) = house.get("/api/v1/repos/minsu/numbers/branches", "").await;
    assert_eq!(branches[0]["commit"]["id"], git(&work, &["rev-parse", "main"]).trim());
    let clone = house.folder.path().join("clone");
    git(
        house.folder.path(),
        &[
            "-c",
            "protocol.version=2",
            "clone",
            "-q",
            &format!("{}/minsu/numbers", house.url),
            clone.to_str().unwrap(),
        ],
    );
    assert!(clone.join("ci/00-verify.sh").exists());
    house.stop().await;
}

#[actix_web::test]
async fn a_first_push_that_fails_leaves_nothing() {
    let house = House::new().await;
    let work = house.work(&[("a", "b")]);
    let url = house.remote("minsu", "minsu/bad.git");
    let output = tokio::task::spawn_blocking({
        let work = work.clone();
        move || run_git(&work, &["push", &url, "main:refs/heads/$(id)"])
    });
    let output = output.await.unwrap();
    assert!(!output.status.success());
    let path = crate::model::RepositoryPath::new("minsu", "bad").unwrap();
    drop(house.door.git.lock_updates(&path).await);
    for _ in 0..1000 {
        if !house.door.git.exists(&path) {
            break;
        }
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(!house.door.git.exists(&path), "the folder is gone");
    assert!(house.door.store.read(|c| repositories::by_path(c, &path)).unwrap().is_none());
    // Nor may anybody make repositories for others, or for accounts that do not exist.
    for (who, target) in [("minsu", "jiwoo/x.git"), ("admin", "nobody/x.git")] {
        let url = house.remote(who, target);
        let work = work.clone();
        let output =
            tokio::task::spawn_blocking(move || run_git(&work, &["push", &url, "main"])).await.unwrap();
        assert!(!output.status.success(), "{target}");
    }
    assert_eq!(house.door.git.all().unwrap(), []);
    house.stop().await;
}

#[actix_web::test]
async fn permissions_follow_from_the_path_alone() {
    let house = House::new().await;
    let work = house.work(&[("a", "b")]);
    let url = house.remote("minsu", "minsu/open.git");
    house.push_until_decided(&work, &["push", "-q", &url, "main"], nothing_to_do).await;
    let private = json!({"name": "closed", "private": true});
    assert_eq!(house.post("/api/v1/user/repos", "minsu", private).await.0, StatusCode::CREATED);
    let before = git(&work, &["ls-remote", &url]);

    let receive = |query: &str| format!("/minsu/open.git/git-receive-pack{query}");
    for query in ["", "?service=git-upload-pack", "?service=git-receive-pack"] {
        let ask = |who: &str| {
            let request = house.ask(Method::POST, &receive(query), who);
            request.header("content-type", "application/x-git-receive-pack-request").body("0000")
        };
        assert_eq!(ask("jiwoo").send().await.unwrap().status(), StatusCode::FORBIDDEN, "{query}");
        let response = ask("").send().await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{query}");
        assert_eq!(response.headers()["www-authenticate"], "Basic realm=\"Ropewalk\"");
    }
    let status = async |path: &str, who: &str| house.get(path, who).await.0.as_u16();
    let refs = |name: &str, service: &str| format!("/minsu/{name}.git/info/refs?service=git-{service}");
    assert_eq!(status(&refs("open", "upload-pack"), "").await, 200);
    assert_eq!(status(&refs("open", "receive-pack"), "").await, 401);
    assert_eq!(status(&refs("open", "receive-pack"), "jiwoo").await, 403);
    for name in ["closed", "missing"] {
        assert_eq!(status(&refs(name, "upload-pack"), "").await, 401, "{name}");
        assert_eq!(status(&refs(name, "upload-pack"), "jiwoo").await, 404, "{name}");
        assert_eq!(status(&refs(name, "receive-pack"), "jiwoo").await, 404, "{name}");
    }
    assert_eq!(status(&refs("closed", "upload-pack"), "minsu").await, 200);
    assert_eq!(status(&refs("closed", "upload-pack"), "admin").await, 200);
    let wrong = house
        .client
        .get(format!("{}{}", house.url, refs("open", "upload-pack")))
        .basic_auth("minsu", Some("no"));
    assert_eq!(wrong.send().await.unwrap().status(), StatusCode::UNAUTHORIZED, "wrong is not nobody");
    for hostile in [
        "/minsu/open.git/info/refs",
        "/minsu/open.git/HEAD",
        "/minsu/open.git/config",
        "/minsu/open.git/objects/info/packs",
        "/minsu/open.git/../../ropewalk.db",
        "/minsu/../ropewalk.db.git/info/refs?service=git-upload-pack",
        "/minsu/%2e%2e.git/info/refs?service=git-upload-pack",
        "/minsu/..%2f..%2fx.git/info/refs?service=git-upload-pack",
        "/.git/open.git/info/refs?service=git-upload-pack",
        "/minsu/a\\b.git/info/refs?service=git-upload-pack",
        "/minsu/open.git/info/refs?service=git-upload-archive",
        "/minsu/-x.git/info/refs?service=git-upload-pack",
        "/minsu/con.git/info/refs?service=git-receive-pack",
    ] {
        let found = raw_get(&house.url, hostile);
        assert!(matches!(found, 400..=404), "{hostile}: {found}");
    }
    assert_eq!(git(&work, &["ls-remote", &url]), before);
    house.stop().await;
}

/// The status of a GET whose path no client has tidied up.
fn raw_get(url: &str, path: &str) -> u16 {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text.split(' ').nth(1).unwrap().parse().unwrap()
}

#[actix_web::test]
async fn git_gets_gits_headers_and_may_send_gzip() {
    let house = House::new().await;
    let work = house.work(&[("a", "b")]);
    let url = house.remote("minsu", "minsu/numbers.git");
    house.push_until_decided(&work, &["push", "-q", &url, "main"], nothing_to_do).await;
    let refs = house
        .ask(Method::GET, "/minsu/numbers.git/info/refs?service=git-upload-pack", "")
        .send()
        .await
        .unwrap();
    let mut names: Vec<_> = refs.headers().keys().map(|name| name.as_str().to_owned()).collect();
    names.retain(|name| {
        !matches!(name.as_str(), "date" | "transfer-encoding" | "content-length" | "connection")
    });
    names.sort();
    assert_eq!(names, ["cache-control", "content-type", "expires", "pragma"]);
    assert_eq!(refs.headers()["cache-control"], "no-cache, max-age=0, must-revalidate");
    assert_eq!(refs.headers()["content-type"], "application/x-git-upload-pack-advertisement");

    let ls = b"0014command=ls-refs\n00010000";
    let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut zipped, ls).unwrap();
    let ask = |encoding: &str, body: Vec<u8>| {
        house
            .ask(Method::POST, "/minsu/numbers.git/git-upload-pack", "")
            .header("content-type", "application/x-git-upload-pack-request")
            .header("git-protocol", "version=2")
            .header("content-encoding", encoding)
            .body(body)
    };
    let response = ask("gzip", zipped.finish().unwrap()).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/x-git-upload-pack-result");
    let text = response.text().await.unwrap();
    assert!(text.contains("refs/heads/main"), "{text:?}");
    assert_eq!(ask("br", ls.to_vec()).send().await.unwrap().status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    house.stop().await;
}

#[actix_web::test]
async fn tokens_do_what_their_scope_says_and_guessing_ends() {
    let house = House::new().await;
    let (_, read) =
        house.post("/api/v1/users/minsu/tokens", "minsu", json!({"name": "r", "scope": "read"})).await;
    let (_, write) = house.post("/api/v1/users/minsu/tokens", "minsu", json!({"name": "w"})).await;
    let token = |made: &Value| made["sha1"].as_str().unwrap().to_owned();
    let create = |header: String, name: &str| {
        let request = house.ask(Method::POST, "/api/v1/user/repos", "").header("authorization", header);
        answer(request.json(&json!({ "name": name })))
    };
    assert_eq!(create(format!("token {}", token(&read)), "a").await.0, StatusCode::FORBIDDEN);
    assert_eq!(create(format!("Bearer {}", token(&write)), "a").await.0, StatusCode::CREATED);
    let basic = house.ask(Method::GET, "/api/v1/user", "").basic_auth("x", Some(token(&read)));
    assert_eq!(answer(basic).await.1["username"], "minsu");
    let more = house.ask(Method::POST, "/api/v1/users/minsu/tokens", "").bearer_auth(token(&write));
    assert_eq!(answer(more.json(&json!({"name": "x", "scope": "admin"}))).await.0, StatusCode::FORBIDDEN);
    let gone = house.ask(Method::DELETE, &format!("/api/v1/users/minsu/tokens/{}", write["id"]), "minsu");
    assert_eq!(gone.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!(create(format!("token {}", token(&write)), "b").await.0, StatusCode::UNAUTHORIZED);
    let listed = house.get("/api/v1/users/minsu/tokens", "minsu").await.1;
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert!(!listed.to_string().contains(&token(&read)));

    for _ in 0..10 {
        let guess = house.ask(Method::GET, "/api/v1/user", "").basic_auth("jiwoo", Some("guess"));
        assert_eq!(guess.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    }
    let right = house.ask(Method::GET, "/api/v1/user", "jiwoo").send().await.unwrap();
    assert_eq!(right.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(right.headers().contains_key("retry-after"));
    let forwarded = house.ask(Method::GET, "/api/v1/user", "jiwoo").header("x-forwarded-for", "10.0.0.9");
    assert_eq!(forwarded.send().await.unwrap().status(), StatusCode::TOO_MANY_REQUESTS);
    let git = house.ask(Method::GET, "/jiwoo/x.git/info/refs?service=git-receive-pack", "jiwoo");
    assert_eq!(git.send().await.unwrap().status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(house.get("/api/v1/user", "minsu").await.0, StatusCode::OK, "others are not kept out");
    house.stop().await;
}

#[actix_web::test]
async fn a_new_password_or_a_closed_account_ends_everything_at_once() {
    let house = House::new().await;
    let (_, made) = house.post("/api/v1/users/jiwoo/tokens", "jiwoo", json!({"name": "t"})).await;
    let with_token = async || {
        let request = house.ask(Method::GET, "/api/v1/user", "").bearer_auth(made["sha1"].as_str().unwrap());
        answer(request).await.0.as_u16()
    };
    let change = async |body: Value| {
        answer(house.ask(Method::PATCH, "/api/v1/admin/users/jiwoo", "admin").json(&body)).await.0.as_u16()
    };
    // Checked once, so remembered; then changed.
    assert_eq!(house.get("/api/v1/user", "jiwoo").await.0, StatusCode::OK);
    assert_eq!(change(json!({"password": "another quiet kettle"})).await, 200);
    assert_eq!(house.get("/api/v1/user", "jiwoo").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(change(json!({"password": PASSWORD})).await, 200);
    assert_eq!((house.get("/api/v1/user", "jiwoo").await.0.as_u16(), with_token().await), (200, 200));
    assert_eq!(change(json!({"prohibit_login": true})).await, 200);
    assert_eq!((house.get("/api/v1/user", "jiwoo").await.0.as_u16(), with_token().await), (401, 401));
    assert_eq!(change(json!({"prohibit_login": false})).await, 200);
    assert_eq!(house.get("/api/v1/user", "jiwoo").await.0, StatusCode::OK);
    let own =
        house.ask(Method::PATCH, "/api/v1/admin/users/admin", "admin").json(&json!({"prohibit_login": true}));
    assert_eq!(answer(own).await.0, StatusCode::CONFLICT);
    house.stop().await;
}

#[actix_web::test]
async fn runs_are_started_shown_cancelled_and_repeated() {
    let house = House::new().await;
    let work = house.work(SCRIPTS);
    let url = house.remote("minsu", "minsu/numbers.git");
    house.push_until_decided(&work, &["push", "-q", &url, "main"], nothing_to_do).await;
    let base = "/api/v1/repos/minsu/numbers/pipelines/default/runs";
    let (status, run) = house.post(base, "minsu", json!({"ref": "main"})).await;
    assert_eq!(status, StatusCode::CREATED, "{run}");
    assert_eq!(run["number"], 1);
    assert_eq!(run["status"], "queued");
    assert_eq!(run["cause"], json!({"kind": "person", "by": "minsu"}));
    assert_eq!(run["ref"], "main");
    assert_eq!(run["commit"], git(&work, &["rev-parse", "main"]).trim());
    assert_eq!(run["stages"][1]["status"], "queued");
    assert_eq!(run["html_url"], format!("{}/minsu/numbers/pipelines/default/runs/1", house.url));
    for (who, body, wanted) in [
        ("", json!({}), 401),
        ("jiwoo", json!({}), 403),
        ("minsu", json!({"ref": "--output=/tmp/x"}), 404),
        ("minsu", json!({"ref": "main", "inputs": {"NOPE": 1}}), 422),
        ("minsu", json!({"ref": ["main"]}), 422),
    ] {
        let (status, answer) = house.post(base, who, body.clone()).await;
        assert_eq!(status.as_u16(), wanted, "{who} {body}: {answer}");
        assert!(answer["error"]["code"].is_string() && answer["error"]["message"].is_string(), "{answer}");
    }
    let (status, cancelled) = house.post(&format!("{base}/1/cancel"), "minsu", json!({})).await;
    assert_eq!((status, &cancelled["status"]), (StatusCode::ACCEPTED, &json!("cancelled")), "{cancelled}");
    assert_eq!(house.post(&format!("{base}/1/cancel"), "minsu", json!({})).await.0, StatusCode::CONFLICT);
    let (status, again) = house.post(&format!("{base}/1/rerun"), "minsu", json!({})).await;
    assert_eq!((status, &again["number"]), (StatusCode::CREATED, &json!(2)), "{again}");
    assert_eq!(again["cause"], json!({"kind": "rerun", "by": "minsu", "of": 1}));
    let first = house.ask(Method::GET, &format!("{base}?limit=1"), "").send().await.unwrap();
    let link = first.headers()["link"].to_str().unwrap().to_owned();
    let next = link.split(['<', '>']).nth(1).unwrap().trim_start_matches(&house.url).to_owned();
    assert_eq!(house.get(&next, "").await.1[0]["number"], 1, "{link}");
    house.stop().await;
}

#[actix_web::test]
async fn logs_are_read_by_offset_and_live() {
    let house = House::new().await;
    let work = house.work(SCRIPTS);
    let url = house.remote("minsu", "minsu/numbers.git");
    house.push_until_decided(&work, &["push", "-q", &url, "main"], nothing_to_do).await;
    let base = "/api/v1/repos/minsu/numbers/pipelines/default/runs";
    house.post(base, "minsu", json!({})).await;
    let run = house.door.store.write(|c| runs::claim(c, Timestamp::now())).await.unwrap().unwrap();
    let events = house.ask(Method::GET, &format!("{base}/1/events"), "").send().await.unwrap();
    assert_eq!(events.headers()["content-type"], "text/event-stream; charset=utf-8");
    let mut events = Events { response: events, text: String::new() };
    assert!(events.next().await.contains("event: run\nid: 0.0\n"));
    let mut writer = house.door.logs.writer(run.id, 0, logs::Mask::default()).unwrap();
    writer.line("안녕 hello").unwrap();
    writer.flush().unwrap();
    let first = events.next().await;
    assert!(first.contains("event: log\nid: 0.13\n") && first.contains("안녕 hello\\n"), "{first}");
    let progress = house.ask(Method::GET, &format!("{base}/1/log?from=7"), "").send().await.unwrap();
    assert_eq!(progress.headers()["x-text-size"], "13");
    assert_eq!(progress.headers()["x-more-data"], "true");
    assert_eq!(progress.text().await.unwrap(), "hello\n");
    writer.line("second").unwrap();
    writer.finish().await.unwrap();
    let mut second = String::new();
    while !second.contains("second\\n") {
        second.push_str(&events.next().await);
    }
    let id = run.id;
    house
        .door
        .store
        .write(move |c| {
            runs::skip_rest(c, id, Status::Cancelled, Timestamp::now())?;
            runs::finish(c, id, Status::Cancelled, None, Timestamp::now())
        })
        .await
        .unwrap();
    house.door.logs.done(id);
    let mut rest = String::new();
    while let Some(event) = events.maybe().await {
        rest.push_str(&event);
    }
    assert!(rest.ends_with("event: end\nid: 2.0\ndata: cancelled\n\n"), "{rest}");
    let resumed =
        house.ask(Method::GET, &format!("{base}/1/events"), "").header("last-event-id", "0.13").send();
    let resumed = resumed.await.unwrap().text().await.unwrap();
    assert!(
        resumed.contains("\"from\":13,\"text\":\"second\\n\"") && !resumed.contains("hello\\n"),
        "{resumed}"
    );
    let part = house
        .ask(Method::GET, &format!("{base}/1/stages/0/log"), "")
        .header("range", "bytes=7-11")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (part.status().as_u16(), part.headers()["content-range"].to_str().unwrap()),
        (206, "bytes 7-11/20")
    );
    assert!(!part.headers().contains_key("x-more-data") || part.headers()["x-text-size"] == "12");
    assert_eq!(part.text().await.unwrap(), "hello");
    let head = house.ask(Method::HEAD, &format!("{base}/1/log"), "").send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.headers()["content-length"].to_str().unwrap()), (200, "20"));
    house.stop().await;
}

struct Events {
    response: reqwest::Response,
    text: String,
}

impl Events {
    async fn maybe(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let rest = self.text.split_off(end + 2);
                return Some(std::mem::replace(&mut self.text, rest));
            }
            self.text.push_str(std::str::from_utf8(&self.response.chunk().await.unwrap()?).unwrap());
        }
    }
    async fn next(&mut self) -> String {
        self.maybe().await.expect("an event")
    }
}

/// Every `(method, path)` of the OpenAPI document, with parameters filled in.
async fn routes(house: &House) -> Vec<(Method, String)> {
    let (status, document) = house.get("/api/v1/openapi.json", "").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(document["openapi"], "3.1.0");
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let mut address = path.clone();
        for (name, value) in [
            ("owner", "minsu"),
            ("repo", "numbers"),
            ("pipeline", "default"),
            ("number", "1"),
            ("stage", "0"),
            ("username", "minsu"),
            ("token", "1"),
            ("name", "a/b"),
            ("digest", &digest),
        ] {
            address = address.replace(&format!("{{{name}}}"), value);
        }
        assert!(!address.contains('{'), "{path}");
        for method in item.as_object().unwrap().keys().filter(|key| *key != "parameters") {
            all.push((method.to_uppercase().parse().unwrap(), address.clone()));
        }
    }
    assert!(all.len() > 25, "{all:?}");
    all
}

#[actix_web::test]
async fn nothing_changes_by_get_or_from_another_site() {
    let house = House::new().await;
    let work = house.work(SCRIPTS);
    let url = house.remote("minsu", "minsu/numbers.git");
    house.push_until_decided(&work, &["push", "-q", &url, "main"], nothing_to_do).await;
    house.post("/api/v1/repos/minsu/numbers/pipelines/default/runs", "minsu", json!({})).await;
    let id = house.door.store.read(|c| runs::by_id(c, 1)).unwrap().unwrap().id;
    house
        .door
        .store
        .write(move |c| runs::finish(c, id, Status::Failed, None, Timestamp::now()))
        .await
        .unwrap();
    let mut bell = house.door.store.bell();
    bell.borrow_and_update();
    for (method, path) in routes(&house).await {
        let safe = method == Method::GET;
        for (header, value) in
            [("origin", "http://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")]
        {
            let request =
                house.ask(method.clone(), &path, "admin").header(header, value).json(&json!({"name": "x"}));
            let status = request.send().await.unwrap().status();
            assert!(if safe { status != 403 } else { status == 403 }, "{method} {path} {header}: {status}");
        }
        if safe {
            for who in ["", "jiwoo", "admin"] {
                let response = house.ask(Method::GET, &path, who).send().await.unwrap();
                assert!(response.status() != 500, "{path} as {who}");
                for header in [
                    "content-security-policy",
                    "x-content-type-options",
                    "referrer-policy",
                    "cross-origin-opener-policy",
                ] {
                    assert!(response.headers().contains_key(header), "{path} has no {header}");
                }
            }
        }
    }
    assert!(!bell.has_changed().unwrap(), "something was written");
    house.stop().await;
}

#[actix_web::test]
async fn health_and_refusals_have_their_shapes() {
    let house = House::new().await;
    assert_eq!(house.get("/healthz", "").await.0, StatusCode::OK);
    let (status, health) = house.get("/health", "").await;
    assert_eq!((status, &health["status"]), (StatusCode::OK, &json!("degraded")));
    let (status, error) = house.get("/api/v1/nothing", "").await;
    assert_eq!((status, &error["error"]["code"]), (StatusCode::NOT_FOUND, &json!("api-not-found")));
    let korean = house.ask(Method::GET, "/api/v1/user", "").header("accept-language", "ko");
    assert!(answer(korean).await.1["error"]["message"].as_str().unwrap().contains("로그인"));
    let large =
        house.ask(Method::POST, "/api/v1/user/repos", "minsu").header("content-type", "application/json");
    let large = large.body("x".repeat(2 << 20)).send().await.unwrap();
    assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
    for (name, wanted) in [
        ("a/b", 422),
        ("..", 422),
        ("CON", 422),
        ("x.git", 422),
        ("ok\u{200c}", 422),
        ("", 422),
        ("good", 201),
    ] {
        assert_eq!(
            house.post("/api/v1/user/repos", "minsu", json!({"name": name})).await.0.as_u16(),
            wanted,
            "{name:?}"
        );
    }
    assert_eq!(
        house.post("/api/v1/user/repos", "minsu", json!({"name": "GOOD"})).await.0,
        StatusCode::CONFLICT
    );
    let mirror = |address: &str| {
        house.post(
            "/api/v1/repos/migrate",
            "minsu",
            json!({"clone_addr": address, "repo_name": "m", "auth_password": "hunter2-hunter2"}),
        )
    };
    for bad in [
        "ext::sh -c id",
        "file:///etc",
        "/data/x.git",
        "--upload-pack=x",
        "http://x/$(touch /tmp/p)",
        "ssh://x/y",
    ] {
        assert_eq!(mirror(bad).await.0.as_u16(), 422, "{bad}");
    }
    let (status, made) = mirror("https://git.example.org/a/b.git").await;
    assert_eq!((status, &made["mirror"]), (StatusCode::CREATED, &json!(true)), "{made}");
    assert!(!made.to_string().contains("hunter2"));
    let push = house
        .ask(Method::GET, "/minsu/m.git/info/refs?service=git-receive-pack", "minsu")
        .send()
        .await
        .unwrap();
    assert_eq!(push.status(), StatusCode::FORBIDDEN);
    let user = json!({"username": "sora", "password": "three quiet kettles", "email": "s@example.org"});
    assert_eq!(house.post("/api/v1/admin/users", "minsu", user.clone()).await.0, StatusCode::FORBIDDEN);
    assert_eq!(house.post("/api/v1/admin/users", "admin", user).await.0, StatusCode::CREATED);
    let weak = json!({"username": "weak", "password": "password1234"});
    assert_eq!(house.post("/api/v1/admin/users", "admin", weak).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    house.stop().await;
}
