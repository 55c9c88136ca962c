//! Crashes: the real binary, killed with SIGKILL, started again on the same folder.

use std::sync::Arc;

use crate::kit::data::Data;
use crate::kit::server::Server;
use crate::kit::{Copy, House, one_step};
use ropewalk::model::Status;
use ropewalk::store::{Store, repositories, runs};

fn status(data: &std::path::Path, repository: &str) -> Option<Status> {
    let store = Store::open(data).ok()?;
    store
        .read(|c| {
            let Some(found) = repositories::by_path(c, &repository.parse()?)? else { return Ok(None) };
            Ok(runs::of_repository(c, found.id, None, 1)?.first().map(|run| run.status))
        })
        .ok()?
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_nothing_is_running_and_the_next_run_has_the_next_number() {
    let data = Arc::new(Data::new());
    let server = Server::start(data.path());
    let copy = Copy::new();
    copy.write("ropewalk.yml", &one_step("echo begun; sleep 600")).commit("Endless");
    copy.push(&server.remote("admin/crash")).await;
    while status(data.path(), "admin/crash") != Some(Status::Running) {
        tokio::task::yield_now().await;
    }
    server.kill();

    let house = House::on(data, &[]).await;
    let run = house.run_ended("admin/crash", "default", 1).await;
    assert_eq!((run.status, run.message.unwrap().key.as_ref()), (Status::Lost, "run-lost-restart"));
    house.app.runs.sweep().await.unwrap();
    copy.write("ropewalk.yml", &one_step("echo short")).commit("Short");
    copy.push(&house.remote("admin/crash")).await;
    assert_eq!(house.run_ended("admin/crash", "default", 2).await.status, Status::Passed);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_survives_a_kill_at_any_moment_or_changes_nothing() {
    let data = Arc::new(Data::new());
    let copy = Copy::new();
    copy.write("README.md", "x").commit("Base");
    let mut acknowledged = copy.git(&["rev-parse", "HEAD"]).trim().to_owned();
    let server = Server::start(data.path());
    copy.push(&server.remote("admin/kill")).await;
    server.kill();
    for round in 0..12u64 {
        let server = Server::start(data.path());
        let commit = copy.write("file", &"x".repeat(1 << (8 + round))).commit(&format!("Round {round}"));
        let remote = server.remote("admin/kill");
        let arguments = ["push", remote.as_str(), "HEAD:main"];
        let push = copy.try_git(&arguments);
        // Somewhere in the length of a push; the place differs from round to round.
        let kill = tokio::time::sleep(std::time::Duration::from_millis(3 * round));
        let (ok, _) = {
            tokio::pin!(push);
            tokio::select! {
                done = &mut push => { server.kill(); done }
                () = kill => { server.kill(); push.await }
            }
        };
        let house = House::on(data.clone(), &[]).await;
        house.app.watch.poll().await.unwrap();
        let path = "admin/kill".parse().unwrap();
        let tip = house.app.git.read_ref(&path, &"refs/heads/main".parse().unwrap()).unwrap().unwrap();
        assert!(!ok || tip.as_str() == commit, "round {round}: acknowledged and lost");
        assert!(tip.as_str() == commit || tip.as_str() == acknowledged, "round {round}: neither old nor new");
        assert!(house.app.git.fsck(&path).await.unwrap().is_empty(), "round {round}");
        let seen = house
            .app
            .store
            .read(|c| {
                let id = repositories::by_path(c, &path)?.map(|r| r.id).unwrap_or_default();
                ropewalk::store::refs::seen(c, id)
            })
            .unwrap();
        assert!(seen.values().any(|object| *object == tip), "round {round}: no event for the tip");
        acknowledged = tip.to_string();
        house.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_takes_nothing_from_runs_that_begin_meanwhile() {
    let house = House::with(&[("jobs", "4")]).await;
    let names: Vec<String> = (0..12).map(|n| format!("admin/sweep-{n}")).collect();
    let one = async |name: &String| {
        let copy = Copy::new();
        copy.write("ropewalk.yml", &one_step("echo one; test -f ropewalk.yml")).commit("One");
        copy.push(&house.remote(name)).await;
        let run = house.run_ended(name, "default", 1).await;
        assert_eq!(run.status, Status::Passed, "{:?}\n{}", run.message, house.log(&run));
    };
    let runs = futures_util::future::join_all(names.iter().map(one));
    let sweep = async || loop {
        house.app.runs.sweep().await.unwrap();
    };
    tokio::select! {
        _ = runs => {}
        () = sweep() => {}
        () = sweep() => {}
    }
    house.stop().await;
}
