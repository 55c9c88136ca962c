//! A Docker Engine that is not there, may not be used, goes away and comes back.

use std::os::unix::fs::PermissionsExt;

use crate::kit::relay::Relay;
use crate::kit::server::{Server, Start};
use crate::kit::{Copy, House, containers, one_step};
use ropewalk::model::Status;

/// What `/health` says of the engine: its status and its sentence.
async fn engine_health(house: &House) -> (String, String) {
    house.app.look_around().await;
    let health = house.json("/health").await;
    let checks = health["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["part"] == "docker").unwrap();
    (check["status"].as_str().unwrap().to_owned(), check["message"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_wait_for_an_engine_and_what_it_lost_is_lost_and_cleared_away() {
    let mut relay = Relay::new();
    let house = House::with(&[("docker", &relay.host()), ("step-socket", "/var/run/docker.sock")]).await;
    let (status, message) = engine_health(&house).await;
    assert_eq!(status, "degraded");
    assert!(message.contains(&relay.host()) && message.contains("systemctl start docker"), "{message}");

    // Git and the dashboard work; the run keeps its place and says what it waits for.
    let copy = Copy::new();
    let commit = copy.write("ropewalk.yml", &one_step("echo begun; sleep 600")).commit("Endless");
    let said = copy.push(&house.remote("admin/engine")).await;
    assert!(said.contains("runs/1") && said.contains("There is no Docker Engine"), "{said}");
    let shown = house.json("/api/v1/repos/admin/engine/pipelines/default/runs/1").await;
    assert_eq!((shown["status"].as_str(), shown["commit"].as_str()), (Some("queued"), Some(commit.as_str())));
    assert!(shown["message"].as_str().unwrap().contains("There is no Docker Engine"), "{shown}");
    assert_eq!(house.get("/api/v1/repos/admin/engine/commits").await.status(), 200);

    // It comes, it goes in the middle of the run, it comes again.
    relay.join();
    assert_eq!(engine_health(&house).await.0, "ok");
    let run = house.run_in(Status::Running, "admin/engine", 1).await;
    house.step_running(&run).await;
    relay.cut().await;
    let run = house.run_ended("admin/engine", "default", 1).await;
    assert_eq!((run.status, run.message.as_ref().unwrap().key.as_ref()), (Status::Lost, "docker-gone"));
    assert!(house.log(&run).contains("went away"), "{}", house.log(&run));
    copy.write("ropewalk.yml", &one_step("echo short")).commit("Short");
    copy.push(&house.remote("admin/engine")).await;
    relay.join();
    house.app.look_around().await;
    assert_eq!(house.run_ended("admin/engine", "default", 2).await.status, Status::Passed);
    house.no_containers(&run).await;
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_somebody_removes_is_no_success() {
    let house = House::start().await;
    let copy = Copy::new();
    copy.write("ropewalk.yml", &one_step("echo begun; sleep 600")).commit("Endless");
    copy.push(&house.remote("admin/removed")).await;
    let run = house.run_in(Status::Running, "admin/removed", 1).await;
    house.step_running(&run).await;
    let mine = containers(&[&format!("ropewalk.run={}", run.id), "ropewalk.repository=admin/removed"]).await;
    let removed = tokio::process::Command::new("docker").args(["rm", "--force"]).args(&mine).output().await;
    assert!(removed.unwrap().status.success());
    let run = house.run_ended("admin/removed", "default", 1).await;
    // Seen to be killed, or gone before it could be seen: by chance, and never a success.
    let key = run.message.unwrap().key;
    let known = [(Status::Failed, "run-step-failed"), (Status::Lost, "docker-output-lost")];
    assert!(known.contains(&(run.status, &key)), "{:?} {key}", run.status);
    house.stop().await;
}

#[test]
fn a_socket_without_permission_is_named_with_the_remedy() {
    // The checkout, and the folder for temporary files, may be where no other account can go.
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let program = folder.path().join("ropewalk");
    std::fs::copy(env!("CARGO_BIN_EXE_ropewalk"), &program).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let (data, socket) = (folder.path().join("data"), folder.path().join("docker.sock"));
    std::fs::create_dir(&data).unwrap();
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    std::fs::set_permissions(&socket, PermissionsExt::from_mode(0o600)).unwrap();
    // Nothing is refused to root: the server gets a user of its own, as in its image.
    const NOBODY: u32 = 65534;
    std::os::unix::fs::chown(&data, Some(NOBODY), Some(NOBODY)).unwrap();
    let host = format!("unix://{}", socket.display());
    let flags = [("docker", host.as_str())];
    let start =
        Start { data: &data, flags: &flags, user: Some(NOBODY), through: &[], program: Some(&program) };
    let server = Server::begin(&start).unwrap();
    let message = server.health_of("docker");
    assert!(message.contains(&host) && message.contains("usermod -aG docker"), "{message}");
}
