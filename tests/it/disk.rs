//! The disk that holds the data is full, and then it is not.

use std::sync::Arc;

use crate::kit::data::Data;
use crate::kit::{Copy, House, one_step, settings};
use ropewalk::app::App;
use ropewalk::model::Status;

/// Room for one server's database, a repository and a little more.
const SMALL: u64 = 16 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_fails_what_has_to_be_stored_and_nothing_else() {
    let data = Arc::new(Data::on_disk_of(SMALL));
    let house = House::on(data.clone(), &[]).await;
    let copy = Copy::new();
    let waits = "echo begun\nwhile [ ! -e go ]; do sleep 0.1; done\nhead -c 100000 /dev/urandom | base64";
    let first = copy.write("ropewalk.yml", &one_step(waits)).commit("Waits");
    copy.push(&house.remote("admin/disk")).await;
    let run = house.run_in(Status::Running, "admin/disk", 1).await;
    house.step_running(&run).await;

    data.fill();
    std::fs::write(data.path().join("workspaces/admin-disk-default/go"), "").unwrap();
    let run = house.run_ended("admin/disk", "default", 1).await;
    let message = run.message.as_ref().unwrap();
    assert!(run.status == Status::Failed && message.key.ends_with("-disk-full"), "{run:?}");
    assert!(house.log(&run).starts_with("+ echo begun\nbegun\n"), "what was stored stays");

    // Pushes fail with a sentence that people understand, and change nothing. What the run worked in is gone before.
    house.app.runs.drain().await;
    data.fill();
    let noise = "0123456789abcdef".repeat(1 << 12);
    let second = copy.write("noise", &noise).write("ropewalk.yml", &one_step("echo short")).commit("Second");
    for repository in ["admin/disk", "admin/new"] {
        let (ok, said) = copy.try_git(&["push", &house.remote(repository), "HEAD:main"]).await;
        let said = said.to_lowercase();
        assert!(!ok && (said.contains("no space left") || said.contains("disk")), "{repository}: {said}");
    }
    assert_eq!(house.get("/api/v1/repos/admin/new").await.status(), 404);
    // Reads stay up.
    let (ok, said) = copy.try_git(&["ls-remote", &house.remote("admin/disk")]).await;
    assert!(ok, "{said}");
    let there = Copy::new();
    let (ok, said) = there.try_git(&["fetch", &house.remote("admin/disk"), "main"]).await;
    assert!(ok, "{said}");
    assert_eq!(there.git(&["rev-parse", "FETCH_HEAD"]).trim(), first);
    for page in
        ["/", "/healthz", "/api/v1/user/repos", "/api/v1/repos/admin/disk/pipelines/default/runs/1/log"]
    {
        let answer = house.get(page).await;
        assert!(answer.status() == 200, "{page}: {} {}", answer.status(), answer.text().await.unwrap());
    }
    house.app.look_around().await;
    let health = house.get("/health").await;
    assert_eq!(health.status(), 503);
    assert!(health.text().await.unwrap().contains("health-disk-full"));

    // A server that starts on a full disk serves what is there, or says what it lacks; with its reserve it serves.
    let data = house.stop().await;
    data.fill();
    if let Err(refused) = App::open(settings(data.path(), 1, &[])).await {
        assert!(refused.message().is_some_and(|message| message.key == "store-disk-full"), "{refused}");
    }
    data.empty();
    let house = House::on(data.clone(), &[]).await;
    house.app.look_around().await;
    house.stop().await;
    data.fill();
    let house = House::on(data.clone(), &[]).await;
    assert_eq!(house.get("/admin/disk").await.status(), 200);

    // With room again everything goes on by itself.
    data.empty();
    assert!(house.app.store.check().unwrap().is_empty());
    copy.push(&house.remote("admin/disk")).await;
    let run = house.run_ended("admin/disk", "default", 2).await;
    assert_eq!((run.status, run.commit.as_str()), (Status::Passed, second.as_str()), "{:?}", run.message);
    copy.push(&house.remote("admin/new")).await;
    assert_eq!(house.run_ended("admin/new", "default", 1).await.status, Status::Passed);
    let path = "admin/disk".parse().unwrap();
    assert!(house.app.git.fsck(&path).await.unwrap().is_empty());
    house.stop().await;
}
