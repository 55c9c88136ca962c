//! What a run pushed comes from the systems that took part: a line of its log is a hint, and what others push to the same
//! image at the same time is not the run's.

use std::path::PathBuf;
use std::process::Command;

use crate::hooks::push_labelled;
use crate::kit::{Copy, House, one_step};
use ropewalk::model::{Run, RunImage, Status};
use ropewalk::store::images;
use serde_json::json;

const REGISTRY: &str = "registry.local:5000";

fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().unwrap();
    assert!(output.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// An image of the engine with `text` in it, as `reference`.
fn image(reference: &str, text: &str) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("text"), text).unwrap();
    let archive = folder.path().join("image.tar");
    let tar = Command::new("tar").arg("-C").arg(folder.path()).arg("-cf").arg(&archive).arg("text").status();
    assert!(tar.unwrap().success());
    docker(&["import", archive.to_str().unwrap(), reference]);
}

fn pushed(house: &House, run: &Run) -> Vec<RunImage> {
    house.app.store.read(|c| images::of_run(c, run.id)).unwrap()
}

fn tags(house: &House, run: &Run) -> Vec<String> {
    pushed(house, run).into_iter().map(|image| image.tag).collect()
}

async fn run_of(house: &House, name: &str, script: &str) -> Run {
    let copy = Copy::new();
    copy.write("ropewalk.yml", &one_step(script)).commit("One");
    copy.push(&house.remote(&format!("admin/{name}"))).await;
    let run = house.run_ended(&format!("admin/{name}"), "default", 1).await;
    assert_eq!(run.status, Status::Passed, "{:?}\n{}", run.message, house.log(&run));
    run
}

/// The workspace of the only run.
fn workspace(house: &House) -> PathBuf {
    let entries = std::fs::read_dir(house.data.path().join("workspaces")).unwrap().flatten();
    let mut folders = entries.map(|entry| entry.path()).filter(|path| path.join("ropewalk.yml").exists());
    folders.next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_a_runs_when_a_system_that_took_part_says_so() {
    let house = House::start().await;
    let path = format!("ropewalk-tests/pushed-{}", std::process::id());
    let name = format!("{REGISTRY}/{path}");
    let local = |tag: &str| format!("{name}:{tag}");

    // Printed, and never pushed: what lay there before, and what another run was built by.
    image(&local("old"), "old");
    let said = docker(&["push", &local("old")]);
    let digest = said.split_whitespace().find(|word| word.starts_with("sha256:")).unwrap().to_owned();
    let theirs =
        push_labelled(&path, "theirs", &json!({"build_tag": "ropewalk-admin-other-default-7"})).await;
    let script = format!(
        "echo 'The push refers to repository [{name}]'\necho 'old: digest: {digest} size: 1'\n\
         echo 'theirs: digest: {theirs} size: 1'\necho 'Pushing {name}:old: abc Pushed'"
    );
    let run = run_of(&house, "forged", &script).await;
    assert_eq!(pushed(&house, &run), [], "{}", house.log(&run));
    assert_eq!(
        house.log(&run).matches("nothing shows that this stage pushed it").count(),
        2,
        "{}",
        house.log(&run)
    );

    // An old image under another tag, and what the registry has already once more: pushed, whatever changed.
    let script = format!(
        "docker tag {0} {1}\ndocker push {1}\ndocker push {0}\ndocker push --quiet {1}",
        local("old"),
        local("again")
    );
    let run = run_of(&house, "retag", &script).await;
    assert_eq!(tags(&house, &run), ["again", "old"], "{}", house.log(&run));
    assert!(pushed(&house, &run).iter().all(|image| image.digest.as_str() == digest));

    // Only the engine knows of it, and the shell's own line.
    let run = run_of(&house, "quiet", &format!("docker push --quiet {} >/dev/null", local("old"))).await;
    assert_eq!(tags(&house, &run), ["old"], "{}", house.log(&run));

    for tag in ["old", "again"] {
        docker(&["rmi", &local(tag)]);
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_beside_another_pusher_records_its_own_image_only() {
    let house = House::start().await;
    let name = format!("{REGISTRY}/ropewalk-tests/beside-{}", std::process::id());
    let local = |tag: &str| format!("{name}:{tag}");
    image(&local("1"), "ours");
    let copy = Copy::new();
    let script = format!("docker push {}\ntouch pushed\nuntil [ -e go ]; do sleep 0.1; done", local("1"));
    copy.write("ropewalk.yml", &one_step(&script)).commit("One");
    copy.push(&house.remote("admin/beside")).await;
    let run = house.run_in(Status::Running, "admin/beside", 1).await;
    house.step_running(&run).await;
    let mut bell = house.app.logs.bell(run.id);
    while !house.log(&run).contains("1: digest: sha256:") {
        bell.changed().await.unwrap();
    }
    let log = house.log(&run);
    let ours = log.split_whitespace().find(|word| word.starts_with("sha256:")).unwrap().to_owned();

    // Somebody else pushes another tag of the image, and then moves ours.
    image(&local("2"), "theirs");
    docker(&["push", &local("2")]);
    docker(&["tag", &local("2"), &local("1")]);
    docker(&["push", &local("1")]);
    std::fs::write(workspace(&house).join("go"), "").unwrap();

    let run = house.run_ended("admin/beside", "default", 1).await;
    assert_eq!(run.status, Status::Passed, "{:?}\n{}", run.message, house.log(&run));
    let recorded: Vec<(String, String)> =
        pushed(&house, &run).into_iter().map(|image| (image.tag, image.digest.to_string())).collect();
    assert_eq!(recorded, [("1".to_owned(), ours)], "{}", house.log(&run));
    for tag in ["1", "2"] {
        docker(&["rmi", &local(tag)]);
    }
    house.stop().await;
}
