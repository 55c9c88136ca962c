//! A registry that is down, fails, lies or says nothing while a run's result hangs on it.

use std::sync::Arc;

use crate::kit::stand_in::{Reply, StandIn};
use crate::kit::{Copy, House, one_step};
use ropewalk::model::{Run, Status};
use ropewalk::store::images;
use sha2::{Digest as _, Sha256};

const MANIFEST_TYPE: &str = "application/vnd.docker.distribution.manifest.v2+json";

pub fn digest_of(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// One image as a registry would have it.
struct Image {
    config: Vec<u8>,
    manifest: Vec<u8>,
}

impl Image {
    fn new() -> Image {
        let config = br#"{"architecture":"amd64","os":"linux","config":{"Labels":{"build_tag":"ropewalk-admin-stumbles-default-1"}},"rootfs":{"type":"layers","diff_ids":[]}}"#.to_vec();
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"{MANIFEST_TYPE}","config":{{"mediaType":"application/vnd.docker.container.image.v1+json","size":{},"digest":"{}"}},"layers":[]}}"#,
            config.len(),
            digest_of(&config)
        );
        Image { config, manifest: manifest.into_bytes() }
    }

    /// What a true registry answers for `api:v1`.
    fn reply(&self, request: &str) -> Reply {
        let digest = digest_of(&self.manifest);
        let headers = format!("Content-Type: {MANIFEST_TYPE}\r\nDocker-Content-Digest: {digest}\r\n");
        match request.split_once(' ').unwrap() {
            (_, "/v2/") => Reply::http("200 OK", "Docker-Distribution-Api-Version: registry/2.0\r\n", b"{}"),
            ("HEAD", path) if path.contains("/manifests/") => {
                let head = format!(
                    "HTTP/1.1 200 OK\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
                    self.manifest.len()
                );
                Reply::Bytes(head.into_bytes())
            }
            (_, path) if path.contains("/manifests/") => Reply::http("200 OK", &headers, &self.manifest),
            (_, path) if path.contains("/blobs/") => Reply::http("200 OK", "", &self.config),
            _ => Reply::http("404 Not Found", "", b"{}"),
        }
    }
}

/// Pushes a definition whose one step says that it pushed `api:v1` to the registry at `host`.
async fn says_it_pushed(house: &House, name: &str, host: &str) {
    let digest = digest_of(&Image::new().manifest);
    let script =
        format!("echo 'The push refers to repository [{host}/api]'\necho 'v1: digest: {digest} size: 528'");
    let copy = Copy::new();
    copy.write("ropewalk.yml", &one_step(&script)).commit("Push");
    copy.push(&house.remote(&format!("admin/{name}"))).await;
}

fn key(run: &Run) -> &str {
    run.message.as_ref().map_or("", |message| &message.key)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_stumbles_is_asked_again_and_one_that_is_down_fails_the_stage() {
    let image = Image::new();
    let registry = StandIn::start(move |request, before| match before {
        0 => Reply::http("500 Internal Server Error", "", b"oops"),
        1 => Reply::http("429 Too Many Requests", "Retry-After: 1\r\n", b""),
        _ => image.reply(request),
    })
    .await;
    let address = format!("http://{}", registry.host);
    let house = House::with(&[("registry", &address)]).await;
    says_it_pushed(&house, "stumbles", &registry.host).await;

    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let address = format!("http://{nobody}");
    let alone = House::with(&[("registry", &address)]).await;
    says_it_pushed(&alone, "down", &nobody).await;

    let nowhere = House::with(&[("registry", "http://registry.invalid:5000")]).await;
    nowhere.app.look_around().await;
    let health = nowhere.json("/health").await.to_string();
    assert!(health.contains("registry-unresolved") && health.contains("registry.invalid"), "{health}");
    nowhere.stop().await;

    let run = house.run_ended("admin/stumbles", "default", 1).await;
    assert_eq!(run.status, Status::Passed, "{:?}\n{}", run.message, house.log(&run));
    let recorded = house.app.store.read(|c| images::of_run(c, run.id)).unwrap();
    assert_eq!((recorded.len(), recorded[0].tag.as_str()), (1, "v1"));

    let run = alone.run_ended("admin/down", "default", 1).await;
    assert_eq!((run.status, key(&run)), (Status::Failed, "registry-refused"));
    assert!(alone.log(&run).contains("Nothing listens at"), "{}", alone.log(&run));
    assert!(alone.app.store.read(|c| images::of_run(c, run.id)).unwrap().is_empty());
    alone.app.look_around().await;
    let health = alone.json("/health").await.to_string();
    assert!(health.contains("registry-refused"), "{health}");
    let answer = alone.get("/api/v1/registry/repositories").await;
    assert_eq!(answer.status(), 409, "{}", answer.text().await.unwrap());
    house.stop().await;
    alone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_lies_or_breaks_off_is_never_believed() {
    let image = Image::new();
    let lies = StandIn::start(move |request, _| {
        match request.starts_with("GET") && request.contains("/manifests/") {
            true => {
                let digest = digest_of(&image.manifest);
                let headers = format!("Content-Type: {MANIFEST_TYPE}\r\nDocker-Content-Digest: {digest}\r\n");
                Reply::http("200 OK", &headers, &[&image.manifest[..], b" "].concat())
            }
            false => image.reply(request),
        }
    })
    .await;
    let address = format!("http://{}", lies.host);
    let house = House::with(&[("registry", &address)]).await;
    says_it_pushed(&house, "lies", &lies.host).await;
    let run = house.run_ended("admin/lies", "default", 1).await;
    assert_eq!((run.status, key(&run)), (Status::Failed, "registry-digest-mismatch"), "{}", house.log(&run));
    let asked: Vec<_> =
        lies.asked.lock().unwrap().iter().filter(|r| r.starts_with("GET /v2/api")).cloned().collect();
    assert_eq!(asked.len(), 1, "damaged content is not asked for again: {asked:?}");
    house.stop().await;

    let image = Image::new();
    let cut = StandIn::start(move |request, before| match image.reply(request) {
        Reply::Bytes(bytes) if before == 0 && request.starts_with("GET") => {
            Reply::Bytes(bytes[..bytes.len() - 20].to_vec())
        }
        whole => whole,
    })
    .await;
    let address = format!("http://{}", cut.host);
    let house = House::with(&[("registry", &address)]).await;
    says_it_pushed(&house, "cut", &cut.host).await;
    let run = house.run_ended("admin/cut", "default", 1).await;
    assert_eq!(run.status, Status::Passed, "{:?}", run.message);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_waits_for_a_silent_registry_can_be_cancelled() {
    let told = Arc::new(tokio::sync::Notify::new());
    let tell = told.clone();
    let silent = StandIn::start(move |request, _| {
        if request.contains("/manifests/") {
            tell.notify_one();
        }
        Reply::Silence
    })
    .await;
    let address = format!("http://{}", silent.host);
    let house = House::with(&[("registry", &address)]).await;
    says_it_pushed(&house, "silent", &silent.host).await;
    told.notified().await;
    let run = "/api/v1/repos/admin/silent/pipelines/default/runs/1";
    let (status, answer) = house.post(&format!("{run}/cancel"), serde_json::json!({})).await;
    assert_eq!(status, 202, "{answer}");
    let run = house.run_ended("admin/silent", "default", 1).await;
    assert_eq!(run.status, Status::Cancelled, "{:?}", run.message);
    let asked = silent.asked.lock().unwrap().iter().filter(|r| r.contains("/manifests/")).count();
    assert_eq!(asked, 2, "once with patience, and once more without");
    house.stop().await;
}
