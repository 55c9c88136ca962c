//! The main job: the book's sample pushed with git, its images in the registry, and all of it traceable.

use serde_json::json;

use crate::kit::{Copy, House};
use ropewalk::model::{Happened, Status};
use ropewalk::store::events::{self, Filter};

const PIPELINE: &str = "ch11/exercises/Jenkinsfile";

#[tokio::test(flavor = "multi_thread")]
async fn a_push_of_the_sample_becomes_images_that_lead_back_to_the_commit() {
    let house = House::start().await;
    let (status, answer) = house.post("/api/v1/user/repos", json!({"name": "numbers"})).await;
    assert_eq!(status, 201, "{answer}");
    house.create_pipeline("admin/numbers", "numbers", PIPELINE).await;
    let sample = Copy::of_sample();
    let commit = sample.commit("The sample");
    let said = sample.push(&house.remote("admin/numbers")).await;
    assert!(said.contains("/admin/numbers/pipelines/numbers/runs/1"), "{said}");

    let run = house.run_ended("admin/numbers", "numbers", 1).await;
    assert_eq!(run.status, Status::Passed, "{:?}\n{}", run.message, house.log(&run));
    assert_eq!(run.commit.as_str(), commit);

    let shown = house.json("/api/v1/repos/admin/numbers/pipelines/numbers/runs/1").await;
    let stages: Vec<_> =
        shown["stages"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(stages, ["Verify", "Build", "Test", "Push"]);
    let images = shown["images"].as_array().unwrap();
    assert_eq!(images.len(), 2, "{images:?}");
    let api = images.iter().find(|i| i["repository"] == "numbers/api").unwrap();
    assert_eq!(api["tag"], "v3-build-1");

    // The registry itself has what the record says.
    let digest = api["digest"].as_str().unwrap();
    let manifest = house
        .http
        .head("http://registry.local:5000/v2/numbers/api/manifests/v3-build-1")
        .header("accept", "application/vnd.docker.distribution.manifest.v2+json")
        .send()
        .await
        .unwrap();
    assert_eq!(manifest.headers()["docker-content-digest"], digest);

    // The digest leads back to the run and the commit.
    let traced = house.json(&format!("/api/v1/registry/images/{digest}")).await;
    let text = traced.to_string();
    assert!(text.contains(&commit) && text.contains("v3-build-1"), "{text}");
    assert!(text.contains("ropewalk-admin-numbers-numbers-1"), "the labels are shown: {text}");

    // Found in the registry again after a later stage, it is no second push.
    let journal = house.app.store.read(|c| events::page(c, &Filter::default(), 100)).unwrap();
    let pushed = journal.iter().filter(|event| matches!(event.happened, Happened::ImagePushed { .. }));
    assert_eq!(pushed.count(), 2);

    break_the_test_stage(&house, &sample).await;
    house.stop().await;
}

/// Only what passed Build and Test can reach the registry.
async fn break_the_test_stage(house: &House, sample: &Copy) {
    // The registry may know the tag from another day; what counts is that this run leaves it alone.
    let before = tag_digest(house).await;
    sample.write("ch11/exercises/ci/02-test.bat", "echo no && exit 3\n");
    sample.commit("Break the test");
    sample.push(&house.remote("admin/numbers")).await;
    let run = house.run_ended("admin/numbers", "numbers", 2).await;
    assert_eq!(run.status, Status::Failed);
    let shown = house.json("/api/v1/repos/admin/numbers/pipelines/numbers/runs/2").await;
    let statuses: Vec<_> =
        shown["stages"].as_array().unwrap().iter().map(|s| s["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["passed", "passed", "failed", "skipped"]);
    assert_eq!(shown["images"], json!([]));
    assert_eq!(tag_digest(house).await, before, "nothing that failed may reach the registry");
}

async fn tag_digest(house: &House) -> Option<String> {
    let address = "http://registry.local:5000/v2/numbers/api/manifests/v3-build-2";
    let answer = house.http.head(address).send().await.unwrap();
    let digest = answer.headers().get("docker-content-digest")?;
    Some(digest.to_str().unwrap().to_owned())
}
