//! Crashes: the real binary, killed with SIGKILL, started again on the same folder.

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::kit::data::Data;
use crate::kit::server::Server;
use crate::kit::{Copy, House, containers, one_step};
use ropewalk::model::{Happened, Status};
use ropewalk::store::{Store, events, repositories, runs};

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
    server.until(|_| status(data.path(), "admin/crash") == Some(Status::Running));
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

/// Places to kill at: the same ones for the same seed, which is named when one of them fails.
struct Places {
    seed: u64,
    state: u64,
}

impl Places {
    fn new() -> Places {
        let given = std::env::var("KILL_SEED").ok().map(|text| text.parse().unwrap());
        let seed = given.unwrap_or_else(|| RandomState::new().build_hasher().finish());
        Places { seed, state: seed | 1 }
    }

    /// Anywhere between nothing and `most`.
    fn next(&mut self, most: Duration) -> Duration {
        // Xorshift.
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        most.mul_f64((self.state >> 11) as f64 / (1u64 << 53) as f64)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_survives_a_kill_at_any_moment_or_changes_nothing() {
    const ROUNDS: u32 = 50;
    let mut places = Places::new();
    let data = Arc::new(Data::new());
    let repository = data.path().join("repositories/admin/kill.git");
    let copy = Copy::new();
    copy.write("README.md", "x").commit("Base");
    let mut server = Server::start(data.path());
    copy.push(&server.remote("admin/kill")).await;
    let mut before = copy.git(&["rev-parse", "HEAD"]).trim().to_owned();
    let mut length = Duration::from_millis(300);
    let mut interrupted = 0;
    for round in 0..ROUNDS {
        let what = format!("KILL_SEED={} round {round}", places.seed);
        let commit = copy.write("file", &"x".repeat(1 << (8 + round % 12))).commit(&what);
        let remote = server.remote("admin/kill");
        let begun = Instant::now();
        let arguments = ["push", remote.as_str(), "+HEAD:main"];
        let push = copy.try_git(&arguments);
        tokio::pin!(push);
        let (ok, said) = tokio::select! {
            done = &mut push => {
                // Places to kill at follow how long a push takes on this machine.
                length = begun.elapsed();
                server.kill();
                done
            }
            () = tokio::time::sleep(places.next(length.mul_f64(1.2))) => {
                server.kill();
                push.await
            }
        };
        interrupted += u32::from(!ok);
        server = Server::start(data.path());
        // A git that outlives its server is waited for before the next push, and then what it leaves goes.
        server.until(|_| !worked_in(&repository) && !quarantined(&repository));
        let tip = std::fs::read_to_string(repository.join("refs/heads/main")).unwrap().trim().to_owned();
        assert!(!ok || tip == commit, "{what}: acknowledged and lost: {said}");
        assert!(tip == commit || tip == before, "{what}: neither old nor new");
        let checked = crate::kit::git_command(&repository, &["fsck", "--strict", "--no-dangling"]);
        assert!(checked.status.success(), "{what}: {checked:?}");
        // One event for the tip, and no second one for any.
        let store = Store::open(data.path()).unwrap();
        server.until(|_| moved(&store).last() == Some(&tip));
        let all = moved(&store);
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "{what}: {all:?}");
        before = tip;
    }
    assert!(interrupted > 0, "KILL_SEED={}: no push was cut off", places.seed);
    copy.push(&server.remote("admin/kill")).await;
    server.kill();
}

/// Whether a process has the repository for its working directory, as git has.
fn worked_in(repository: &std::path::Path) -> bool {
    let repository = repository.canonicalize().unwrap();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let places = processes.filter_map(|process| std::fs::read_link(process.path().join("cwd")).ok());
    places.into_iter().any(|place| place == repository)
}

/// Whether objects of a push that was not taken (yet) lie in the repository.
fn quarantined(repository: &std::path::Path) -> bool {
    let mut objects = std::fs::read_dir(repository.join("objects")).unwrap().flatten();
    objects.any(|entry| entry.file_name().to_string_lossy().starts_with("tmp_"))
}

/// What the journal says that refs have moved to, oldest first.
fn moved(store: &Store) -> Vec<String> {
    let filter = events::Filter { kind: Some("ref-moved".into()), ..events::Filter::default() };
    let mut all = store.read(|c| events::page(c, &filter, 1000)).unwrap();
    all.reverse();
    let one = |event: ropewalk::model::Event| match event.happened {
        Happened::RefMoved { new, .. } => new.map(|new| new.to_string()),
        _ => None,
    };
    all.into_iter().filter_map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_killed_in_its_push_is_lost_and_only_what_passed_is_in_the_registry() {
    let data = Arc::new(Data::new());
    let server = Server::start(data.path());
    let name = format!("killed-{}", server.port);
    let image = format!("registry.local:5000/ropewalk-tests/{name}");
    // The first run is killed in its test, the second in the middle of its push.
    let definition = |test: &str, after: &str| {
        format!(
            "stages:\n  - name: Build\n    steps:\n      - run: docker tag debian:trixie-slim {image}:$BUILD_NUMBER\n  \
             - name: Test\n    steps:\n      - run: {test}\n  \
             - name: Push\n    steps:\n      - run: docker push {image}:$BUILD_NUMBER && {after}\n"
        )
    };
    let copy = Copy::new();
    copy.write("ropewalk.yml", &definition("echo begun; sleep 600", "true")).commit("Killed in its test");
    copy.push(&server.remote("admin/push")).await;
    let log = data.path().join("logs/1/1.log");
    server.until(|_| std::fs::read_to_string(&log).is_ok_and(|log| log.contains("begun")));
    server.kill();

    let server = Server::start(data.path());
    copy.write("ropewalk.yml", &definition("true", "sleep 600")).commit("Killed in its push");
    copy.push(&server.remote("admin/push")).await;
    let log = data.path().join("logs/2/2.log");
    server.until(|_| {
        assert_ne!(
            status(data.path(), "admin/push"),
            Some(Status::Failed),
            "{:?}",
            std::fs::read_to_string(&log)
        );
        std::fs::read_to_string(&log).is_ok_and(|log| log.contains("2: digest: sha256:"))
    });
    server.kill();

    let house = House::on(data, &[]).await;
    for number in [1, 2] {
        let run = house.find_run("admin/push", "default", number).unwrap();
        assert_eq!(run.status, Status::Lost, "{run:?}");
        house.no_containers(&run).await;
        assert!(house.log(&run).trim_end().ends_with("this run is lost"), "{}", house.log(&run));
    }
    copy.write("ropewalk.yml", &definition("true", "true")).commit("Whole");
    copy.push(&house.remote("admin/push")).await;
    let run = house.run_ended("admin/push", "default", 3).await;
    assert_eq!(run.status, Status::Passed, "{:?}\n{}", run.message, house.log(&run));
    let tags = format!("http://registry.local:5000/v2/ropewalk-tests/{name}/tags/list");
    let tags: serde_json::Value = house.http.get(tags).send().await.unwrap().json().await.unwrap();
    let mut tags: Vec<_> = tags["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap()).collect();
    tags.sort_unstable();
    assert_eq!(tags, ["2", "3"], "what did not pass its test is not there");
    for number in 1..=3 {
        let _ =
            tokio::process::Command::new("docker").args(["rmi", &format!("{image}:{number}")]).output().await;
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_told_to_stop_lets_runs_end_and_leaves_nothing() {
    let data = Data::new();
    let server = Server::start(data.path());
    let copy = Copy::new();
    let wait = "echo begun; while [ ! -e go ]; do sleep 0.1; done; echo ended";
    copy.write("ropewalk.yml", &one_step(wait)).commit("Waits");
    copy.push(&server.remote("admin/term")).await;
    let log = data.path().join("logs/1/0.log");
    server.until(|_| std::fs::read_to_string(&log).is_ok_and(|log| log.contains("begun")));
    server.terminate();
    server.until(|server| server.said().contains("stopping"));
    // A push is still taken; what it starts waits for the next server.
    copy.write("ropewalk.yml", &one_step("echo later")).commit("Later");
    copy.push(&server.remote("admin/term")).await;
    std::fs::write(data.path().join("workspaces/admin-term-default/go"), "").unwrap();
    assert!(server.ended().success());
    assert_eq!(status(data.path(), "admin/term"), Some(Status::Passed));
    assert_eq!(std::fs::read_dir(data.path().join("workspaces")).unwrap().count(), 0);
    assert!(containers(&["ropewalk.repository=admin/term"]).await.is_empty());

    let house = House::on(Arc::new(data), &[]).await;
    assert_eq!(house.run_ended("admin/term", "default", 2).await.status, Status::Passed);
    // One that does not end in time is stopped and says so.
    copy.write("ropewalk.yml", &one_step("trap 'exit 0' TERM; echo begun; while :; do sleep 0.1; done"));
    copy.commit("Endless");
    copy.push(&house.remote("admin/term")).await;
    let run = house.run_in(Status::Running, "admin/term", 3).await;
    house.step_running(&run).await;
    house.app.runs.shut_down(Duration::ZERO).await;
    let run = house.find_run("admin/term", "default", 3).unwrap();
    assert_eq!((run.status, run.message.unwrap().key.as_ref()), (Status::Lost, "run-lost-shutdown"));
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_takes_nothing_from_runs_that_begin_meanwhile() {
    let house = House::with(&[("jobs", "4")]).await;
    let names: Vec<String> = (0..8).map(|n| format!("admin/sweep-{n}")).collect();
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
