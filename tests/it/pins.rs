//! Runs stand on exactly the images that were there when they were queued, whatever moves meanwhile.

use std::process::Command;

use crate::kit::stand_in::{Reply, StandIn};
use crate::kit::{Copy, House};
use ropewalk::model::{Cause, Digest, Run, Sighting, Status, TagAddress};
use ropewalk::store::{images, tags, triggers};
use serde_json::json;

fn docker(args: &[&str]) -> String {
    let output = Command::new("docker").args(args).output().unwrap();
    assert!(output.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Pushes an image that holds the file `/marker` with `text`, and returns its digest.
fn push_image(reference: &str, text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("marker"), text).unwrap();
    let archive = folder.path().join("image.tar");
    let tar = Command::new("tar")
        .args(["-C", folder.path().to_str().unwrap(), "-cf"])
        .arg(&archive)
        .arg("marker")
        .status();
    assert!(tar.unwrap().success());
    docker(&["import", "--change", "CMD [\"/marker\"]", archive.to_str().unwrap(), reference]);
    docker(&["push", "--quiet", reference]);
    let known = docker(&["image", "inspect", "--format", "{{join .RepoDigests \"\\n\"}}", reference]);
    docker(&["rmi", reference]);
    let (name, _) = reference.rsplit_once(':').unwrap();
    known.lines().find_map(|line| line.strip_prefix(&format!("{name}@"))).unwrap().to_owned()
}

const DEFINITION: &str = "
env:
  OPENSHIFT_CUSTOM_BUILD_BASE_IMAGE: to be overwritten
stages:
  - name: Build
    steps:
      - run: |
          cat Dockerfile
          docker build --quiet --tag $BUILD_TAG .
          id=$(docker create $BUILD_TAG)
          docker cp $id:/marker - | tar -xO
          docker rm $id >/dev/null && docker rmi $BUILD_TAG >/dev/null
          echo custom $OPENSHIFT_CUSTOM_BUILD_BASE_IMAGE
          env | grep ^BASE_IMAGE_
          stat -c 'mode %a' Dockerfile
";

async fn by_hand(house: &House, repository: &str) -> u64 {
    let path = format!("/api/v1/repos/{repository}/pipelines/default/runs");
    let (status, run) = house.post(&path, json!({"ref": "main"})).await;
    assert_eq!(status, 201, "{run}");
    run["number"].as_u64().unwrap()
}

async fn passed(house: &House, repository: &str, number: u64) -> (Run, String) {
    let run = house.run_ended(repository, "default", number).await;
    let log = house.log(&run);
    assert_eq!(run.status, Status::Passed, "{:?}\n{log}", run.message);
    (run, log)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_stands_on_what_its_bases_were_when_it_was_queued() {
    let name = format!("pins-{}", std::process::id());
    let base = format!("registry.local:5000/{name}/base:1");
    let one = push_image(&base, "the first base\n");
    let house = House::start().await;
    let copy = Copy::new();
    copy.write("ropewalk.yml", DEFINITION)
        .write("Dockerfile", &format!("ARG FROM={base}\nFROM $FROM AS x\n"));
    copy.write(
        "compose.yml",
        &format!("services:\n  a:\n    image: \"{base}\" # kept\n  b:\n    image: ${{X}}\n"),
    );
    copy.commit("One");
    copy.push(&house.remote("admin/stands")).await;
    let (run, log) = passed(&house, "admin/stands", 1).await;
    let pinned = format!("registry.local:5000/{name}/base@{one}");
    for line in [
        format!("[ropewalk] {base} is {pinned}"),
        format!("ARG FROM={pinned}"),
        "FROM $FROM AS x".into(),
        "the first base".into(),
        format!("custom {pinned}"),
        format!("BASE_IMAGE_BASE={pinned}"),
        "mode 644".into(),
    ] {
        assert!(log.lines().any(|found| found == line), "{line}\n{log}");
    }

    // The pipeline is known to stand on it, at its places.
    let standing = house.app.store.read(|c| triggers::bases(c, run.pipeline_id)).unwrap();
    assert_eq!(standing.len(), 1, "{standing:?}");
    assert_eq!(standing[0].places, ["Dockerfile:2", "compose.yml:3"]);
    let address = standing[0].address.clone();
    let seen = house.app.store.read(|c| tags::get(c, &address)).unwrap().unwrap();
    assert_eq!(seen.digest.map(|d| d.to_string()).as_deref(), Some(one.as_str()));

    let shown = house.json("/api/v1/repos/admin/stands/pipelines/default/runs/1").await;
    let bases = shown["base_images"].as_array().unwrap();
    let of = |reference: &str| bases.iter().find(|b| b["reference"] == reference).unwrap();
    assert_eq!(
        (of(&base)["digest"].as_str(), of(&base)["pinned"].as_str()),
        (Some(one.as_str()), Some(pinned.as_str()))
    );
    assert!(of(&base)["made_at"].is_string(), "{shown}");
    assert!(of("${X}")["note"].is_string(), "what cannot be resolved is said: {shown}");
    let page = house.get("/admin/stands/pipelines/default/runs/1").await.text().await.unwrap();
    assert!(page.contains(&one) && page.contains(&base), "{page}");

    // The tag moves: a run of now stands on the new image, a repeated one on its own.
    let two = push_image(&base, "the second base\n");
    assert_ne!(one, two);
    let (_, again) = house.post("/api/v1/repos/admin/stands/pipelines/default/runs/1/rerun", json!({})).await;
    let (_, log) = passed(&house, "admin/stands", again["number"].as_u64().unwrap()).await;
    assert!(log.contains("the first base") && log.contains(&one) && !log.contains(&two), "{log}");
    let by_hand = by_hand(&house, "admin/stands").await;
    let (_, log) = passed(&house, "admin/stands", by_hand).await;
    assert!(log.contains("the second base") && log.contains(&two) && !log.contains(&one), "{log}");

    // What stands on which image, and what came of the push.
    let image = format!("/api/v1/registry/impact?image=registry.local:5000/{name}/base@{one}");
    let impact = house.json(&image).await;
    assert_eq!(impact["digests"][0]["runs"].as_array().map(Vec::len), Some(2), "{impact}");
    let impact = house.json(&format!("/api/v1/registry/impact?image={base}")).await;
    assert_eq!(impact["pipelines"][0]["pipeline"], "default", "{impact}");
    let page = house.get(&format!("/registry/impact?image={base}")).await;
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    assert!(page.contains("admin/stands") && page.contains(&two[7..19]), "{page}");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_does_not_answer_keeps_nobody_waiting() {
    let silent = StandIn::start(|_, _| Reply::Silence).await;
    let house = House::with(&[("registry", &format!("http://{}", silent.host))]).await;
    let address =
        TagAddress { host: silent.host.clone(), repository: "library/debian".into(), tag: "12".into() };
    let digest = Digest::new(format!("sha256:{}", "5".repeat(64))).unwrap();
    let found = Sighting::Image(digest.clone());
    let (at, seen) = (jiff::Timestamp::now(), address.clone());
    house.app.store.write(move |c| tags::observe(c, &seen, (&found, None), at).map(drop)).await.unwrap();
    let copy = Copy::new();
    let definition = "stages:\n  - name: Only\n    steps:\n      - run: cat Dockerfile\n";
    copy.write("ropewalk.yml", definition).write("Dockerfile", "FROM debian:12\nCOPY --from=nginx:1 a b\n");
    copy.commit("One");
    copy.push(&house.remote("admin/silent")).await;
    let run = house.wait_for("the run", |house| house.find_run("admin/silent", "default", 1)).await;
    let bases = house.app.store.read(|c| images::bases(c, run.id)).unwrap();
    let note = |n: usize| bases[n].note.as_ref().map(|note| note.key.to_string());
    assert_eq!((bases[0].reference.as_str(), note(0).as_deref()), ("debian:12", Some("pin-last-seen")));
    assert_eq!(bases[0].pinned.as_deref(), Some(address.pinned(&digest).as_str()));
    assert_eq!((bases[1].reference.as_str(), note(1).as_deref()), ("nginx:1", Some("pin-silent")));
    assert_eq!(bases[1].pinned, None);
    house.post("/api/v1/repos/admin/silent/pipelines/default/runs/1/cancel", json!({})).await;
    copy.commit("Two");
    // The registry is known to be silent: the pusher still reads which run it is.
    let said = copy.push(&house.remote("admin/silent")).await;
    assert!(said.contains("/runs/2"), "{said}");
    house.wait_for("the next run", |house| house.find_run("admin/silent", "default", 2)).await;
    house.post("/api/v1/repos/admin/silent/pipelines/default/runs/2/cancel", json!({})).await;
    house.run_ended("admin/silent", "default", 1).await;
    house.stop().await;
}

const PUSHES: &str = "
stages:
  - name: Build
    steps:
      - run: |
          docker build --quiet --tag registry.local:5000/NAME/app:1 .
          docker push registry.local:5000/NAME/app:1
          echo custom $OPENSHIFT_CUSTOM_BUILD_BASE_IMAGE
          docker rmi registry.local:5000/NAME/app:1
";

#[tokio::test(flavor = "multi_thread")]
async fn a_moved_base_starts_a_run_that_stands_on_that_very_image_and_the_way_there_is_shown() {
    let name = format!("moves-{}", std::process::id());
    let base = format!("registry.local:5000/{name}/base:1");
    let one = push_image(&base, "one\n");
    let house = House::start().await;
    let copy = Copy::new();
    copy.write("ropewalk.yml", &PUSHES.replace("NAME", &name)).write("Dockerfile", &format!("FROM {base}\n"));
    copy.commit("One");
    copy.push(&house.remote("admin/moves")).await;
    let (run, log) = passed(&house, "admin/moves", 1).await;
    assert!(log.contains(&one), "{log}");
    let by = "admin".to_owned();
    let new =
        triggers::NewTrigger { pipeline_id: run.pipeline_id, from: None, paused: false, created_by: by };
    let at = jiff::Timestamp::now();
    house.app.store.write(move |c| triggers::create(c, &new, at)).await.unwrap();
    let app = Copy::new();
    let uses = "stages:\n  - name: Only\n    steps:\n      - run: echo built\n";
    app.write("ropewalk.yml", uses).write("Dockerfile", &format!("FROM registry.local:5000/{name}/app:1\n"));
    app.commit("Stands on the other");
    app.push(&house.remote("admin/above")).await;
    passed(&house, "admin/above", 1).await;

    // The tag has gone on to a third image when the move to the second is decided.
    let two = push_image(&base, "two\n");
    let three = push_image(&base, "three\n");
    let (repository, tag) = (format!("{name}/base"), "1".to_owned());
    let address = TagAddress { host: "registry.local:5000".into(), repository, tag };
    let (seen, found) = (address.clone(), Sighting::Image(Digest::new(two.clone()).unwrap()));
    let event =
        house.app.store.write(move |c| tags::observe(c, &seen, (&found, None), at)).await.unwrap().unwrap();
    let (run, log) = passed(&house, "admin/moves", 2).await;
    assert!(
        matches!(&run.cause, Cause::ImageChange { changes } if changes[0].new == address.pinned(&Digest::new(two.clone()).unwrap())),
        "{:?}",
        run.cause
    );
    assert!(
        log.contains(&format!("custom registry.local:5000/{name}/base@{two}")) && !log.contains(&three),
        "{log}"
    );

    let tree = house.json(&format!("/api/v1/causality/{event}")).await;
    let kinds: Vec<_> = tree
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["depth"].as_u64().unwrap(), line["kind"].as_str().unwrap()))
        .collect();
    assert_eq!(kinds, [(0, "event"), (1, "run"), (2, "image")], "{tree}");

    // From the run above, back to the push that made its base, and everything that came of that.
    let page = house.get("/admin/above/pipelines/default/runs/1/causality").await;
    assert_eq!(page.status(), 200);
    let push = house.app.store.read(|c| ropewalk::store::causality::event_of_run(c, 1)).unwrap().unwrap();
    let tree = house.json(&format!("/api/v1/causality/{push}")).await;
    let runs: Vec<_> = tree
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|line| Some((line["depth"].as_u64()?, line["run"]["repository"].as_str()?)))
        .collect();
    assert_eq!(runs, [(1, "admin/moves"), (3, "admin/above")], "{tree}");
    let nobody = house.http.get(format!("{}/causality/{push}", house.url)).send().await.unwrap();
    assert_ne!(nobody.status(), 200);
    house.stop().await;
}
