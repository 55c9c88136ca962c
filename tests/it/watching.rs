//! Changes that nobody tells us of: behind the server's back, and at a remote repository.

use crate::kit::{Copy, House, one_step};
use ropewalk::model::{Cause, RepositoryPath, Status};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_push_to_the_path_itself_starts_a_run_too() {
    let house = House::start().await;
    let copy = Copy::new();
    copy.write("ropewalk.yml", &one_step("echo one")).commit("One");
    copy.push(&house.remote("admin/behind")).await;
    house.run_ended("admin/behind", "default", 1).await;

    let path: RepositoryPath = "admin/behind".parse().unwrap();
    let directory = house.app.git.directory(&path);
    let commit = copy.commit("Two");
    // Only inotify can bring this: the minute has just begun.
    let (ok, said) = copy.try_git(&["push", directory.to_str().unwrap(), "HEAD:main"]).await;
    assert!(ok, "{said}");
    let run = house.run_ended("admin/behind", "default", 2).await;
    assert_eq!((run.status, run.cause, run.commit.as_str()), (Status::Passed, Cause::Poll, commit.as_str()));
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remote_repository_is_polled_into_a_mirror() {
    let origin = House::start().await;
    let copy = Copy::new();
    copy.write("ropewalk.yml", &one_step("echo mirrored")).commit("One");
    copy.push(&origin.remote("admin/source")).await;
    origin.run_ended("admin/source", "default", 1).await;

    let house = House::start().await;
    let body = json!({
        "clone_addr": format!("{}/admin/source.git", origin.url), "repo_name": "mirror", "mirror": true,
        "auth_username": "admin", "auth_password": crate::kit::PASSWORD,
    });
    let (status, answer) = house.post("/api/v1/repos/migrate", body).await;
    assert_eq!(status, 201, "{answer}");
    house.app.watch.poll().await.unwrap();
    let run = house.run_ended("admin/mirror", "default", 1).await;
    assert_eq!(run.status, Status::Passed, "{:?}", run.message);
    let (ok, said) = copy.try_git(&["push", &house.remote("admin/mirror"), "HEAD:other"]).await;
    assert!(!ok, "a mirror takes no pushes: {said}");

    for url in
        ["file:///etc", "ext::sh -c id", "/data/repositories/x.git", "-x", "ssh://x/y", "--upload-pack=x"]
    {
        let (status, answer) = house
            .post("/api/v1/repos/migrate", json!({"clone_addr": url, "repo_name": "no", "mirror": true}))
            .await;
        assert_eq!(status, 422, "{url}: {answer}");
    }
    let database = std::fs::read(house.data.path().join("ropewalk.db")).unwrap();
    let wal = std::fs::read(house.data.path().join("ropewalk.db-wal")).unwrap_or_default();
    let secret = crate::kit::PASSWORD.as_bytes();
    assert!(
        ![database, wal].concat().windows(secret.len()).any(|w| w == secret),
        "credentials are encrypted at rest"
    );
    origin.stop().await;
    house.app.watch.poll().await.unwrap();
    let error = house.json("/api/v1/repos/admin/mirror").await["mirror_error"].to_string();
    assert!(error.contains("/admin/source.git") && !error.contains("args"), "a sentence for people: {error}");
    house.stop().await;
}
