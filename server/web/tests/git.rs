//! The real git client at the door.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::kit::{House, SCRIPTS, git, nothing_to_do, run_git, said};
use crate::model::{Cause, Event, Happened, Outcome, PipelineName};
use crate::msg;
use crate::store::{Store, events, pipelines, repositories, runs};

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
    let output = house.push_until_decided(&work, &push, fail_with_a_finding).await;
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

/// Plays the trigger loop: a run of a pipeline `numbers` whose definition has a finding.
async fn fail_with_a_finding(store: &Store, event: Event) {
    assert!(matches!(&event.happened, Happened::RefMoved { by: Some(by), old: None, .. } if by == "minsu"));
    let commit = match &event.happened {
        Happened::RefMoved { new: Some(commit), .. } => commit.clone(),
        other => panic!("{other:?}"),
    };
    let repository_id = event.repository_id.unwrap();
    store
        .write(move |c| {
            let name = PipelineName::new("numbers")?;
            let (path, branches) = ("Jenkinsfile".to_owned(), Vec::new());
            let new = pipelines::NewPipeline { repository_id, name, path, branches, discovered: false };
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
                bases: Vec::new(),
                started_by: Vec::new(),
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
