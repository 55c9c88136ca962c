//! Images in the format of before 2016, which have no digest: they start a run once, it is said, and what they are
//! replaced by counts again. A real registry that still has such images, and one that leaves out what it can.

use ropewalk::model::{Cause, Run, Status, StreamTagName};
use ropewalk::store::{deliveries, events, images, streams};
use serde_json::{Value, json};

use crate::hooks::envelope;
use crate::kit::real_registry::RealRegistry;
use crate::kit::stand_in::{Reply, StandIn};
use crate::kit::{Copy, House, one_step};
use crate::registry::digest_of;

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const OLD: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";

/// A registry that takes and gives images of both formats.
struct Registry {
    host: String,
    http: reqwest::Client,
    _process: RealRegistry,
}

impl Registry {
    fn start() -> Registry {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let compatibility = "compatibility: {schema1: {enabled: true}}";
        let process = RealRegistry::start(tempfile::tempdir().unwrap(), "", compatibility);
        let host = format!("127.0.0.1:{}", process.port);
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Registry { host, http, _process: process }
    }

    fn url(&self, rest: &str) -> String {
        format!("http://{}/v2/{rest}", self.host)
    }

    async fn blob(&self, repository: &str, bytes: &[u8]) -> String {
        let digest = digest_of(bytes);
        let begun = self.http.post(self.url(&format!("{repository}/blobs/uploads/"))).send().await.unwrap();
        let place = begun.headers()["location"].to_str().unwrap().to_owned();
        let put =
            self.http.put(format!("{place}&digest={digest}")).body(bytes.to_vec()).send().await.unwrap();
        assert_eq!(put.status(), 201);
        digest
    }

    async fn put(&self, repository: &str, tag: &str, kind: &str, body: Vec<u8>) {
        let put =
            self.http.put(self.url(&format!("{repository}/manifests/{tag}"))).header("content-type", kind);
        let answer = put.body(body).send().await.unwrap();
        assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
    }

    /// Pushes an image of today; its digest.
    async fn push(&self, repository: &str, tag: &str, mark: &str) -> String {
        let layer = self.blob(repository, mark.as_bytes()).await;
        let config = json!({"architecture": "amd64", "os": "linux", "config": {"Labels": {"mark": mark}},
            "rootfs": {"type": "layers", "diff_ids": [layer]},
            "history": [{"created": "2014-05-01T10:00:00Z", "created_by": mark}]})
        .to_string();
        let digest = self.blob(repository, config.as_bytes()).await;
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": config.len(), "digest": digest},
            "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": mark.len(), "digest": layer}]})
        .to_string();
        self.put(repository, tag, MANIFEST, manifest.clone().into_bytes()).await;
        digest_of(manifest.as_bytes())
    }

    /// Pushes an image of the old kind: the registry itself makes and signs one of a new one, which is then pushed.
    async fn push_old(&self, repository: &str, tag: &str, mark: &str) {
        self.push(repository, tag, mark).await;
        let get = self.http.get(self.url(&format!("{repository}/manifests/{tag}"))).header("accept", OLD);
        let answer = get.send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], OLD);
        let body = answer.bytes().await.unwrap();
        self.put(repository, tag, OLD, body.to_vec()).await;
        let accept = format!("{MANIFEST}, {OLD}");
        let head =
            self.http.head(self.url(&format!("{repository}/manifests/{tag}"))).header("accept", accept);
        assert_eq!(head.send().await.unwrap().headers()["content-type"], OLD);
    }
}

fn stream_yaml(name: &str, image: &str) -> String {
    format!(
        "apiVersion: image.openshift.io/v1\nkind: ImageStream\nmetadata: {{name: {name}}}\nspec:\n  tags:\n  \
         - name: '1'\n    from: {{kind: DockerImage, name: '{image}'}}\n"
    )
}

fn build_config(repository: &str, change: &str) -> String {
    format!(
        "apiVersion: build.openshift.io/v1\nkind: BuildConfig\nmetadata:\n  name: default\n  annotations: {{ropewalk.io/repository: {repository}}}\n\
         spec:\n  triggers:\n  - {{type: ImageChange, imageChange: {change}}}\n"
    )
}

fn names(house: &House, name: &str) -> Option<String> {
    let tag: StreamTagName = format!("admin/{name}:1").parse().unwrap();
    Some(house.app.store.read(|c| streams::current(c, &tag)).unwrap()?.reference)
}

async fn poll(house: &House) {
    house.app.watch.poll_tags().await.unwrap();
    let undecided = |house: &House| house.app.store.read(|c| events::undecided(c, 1)).unwrap();
    house.wait_for("every event to be decided", |house| undecided(house).is_empty().then_some(())).await;
}

/// What the runs of a pipeline were started for, as `(old, new)`.
fn moved(run: &Run) -> Vec<(Option<String>, String)> {
    let Cause::ImageChange { changes } = &run.cause else { panic!("{:?}", run.cause) };
    changes.iter().map(|change| (change.old.clone(), change.new.clone())).collect()
}

/// Codes of what came of the events that started a run of the repository, newest first.
async fn outcomes(house: &House) -> Vec<String> {
    let all = house.json("/api/v1/activity?limit=100").await;
    let outcomes = all
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|event| event["outcomes"].as_array().cloned().unwrap_or_default());
    outcomes
        .filter(|one| one["run_number"].is_number())
        .map(|one| one["code"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_without_a_digest_starts_one_run_by_a_stream_and_one_by_the_pipelines_own_base() {
    let registry = Registry::start();
    let base = format!("{}/team/base:1", registry.host);
    registry.push_old("team/base", "1", "one").await;
    let address = format!("http://{}", registry.host);
    let house = House::with(&[("registry", &address), ("poll-seconds", "3600")]).await;
    for (repository, dockerfile) in
        [("admin/by-stream", "FROM scratch\n"), ("admin/by-base", &*format!("FROM {base}\n"))]
    {
        let copy = Copy::new();
        copy.write("ropewalk.yml", &one_step("true")).write("Dockerfile", dockerfile).commit("One");
        copy.push(&house.remote(repository)).await;
        house.run_ended(repository, "default", 1).await;
    }
    // A run on such a base says that it is not pinned.
    let run = house.find_run("admin/by-base", "default", 1).unwrap();
    let bases = house.app.store.read(|c| images::bases(c, run.id)).unwrap();
    let of_base = bases.iter().find(|one| one.reference == base).unwrap();
    assert_eq!((&of_base.pinned, &*of_base.note.as_ref().unwrap().key), (&None, "pin-no-digest"));
    let page = house.get("/admin/by-base/pipelines/default/runs/1").await.text().await.unwrap();
    assert!(page.contains("is in the old format (schema 1), which has no digest"), "{page}");

    house.applied(&stream_yaml("base", &base)).await;
    house.wait_for("the stream", |house| names(house, "base").filter(|now| *now == base)).await;
    house.applied(&build_config("admin/by-stream", "{from: {kind: ImageStreamTag, name: 'base:1'}}")).await;
    let run = house.run_ended("admin/by-stream", "default", 2).await;
    assert_eq!((run.status, moved(&run)), (Status::Passed, vec![(None, base.clone())]));
    assert_eq!(outcomes(&house).await[0], "trigger-started-once");
    house.applied(&build_config("admin/by-base", "{}")).await;
    poll(&house).await;
    // The newest run had that image: nothing to start.
    assert!(house.find_run("admin/by-base", "default", 2).is_none(), "the newest run stood on it");

    // Others of its kind are not told from it.
    let writes = house.app.store.writes();
    registry.push_old("team/base", "1", "two").await;
    poll(&house).await;
    assert_eq!(house.app.store.writes(), writes, "nothing is seen, nothing is written");

    // One of today is, and so is the way back to the old kind: once.
    let digest = registry.push("team/base", "1", "three").await;
    let pinned = format!("{}/team/base@{digest}", registry.host);
    poll(&house).await;
    for (repository, number) in [("admin/by-stream", 3), ("admin/by-base", 2)] {
        let run = house.run_ended(repository, "default", number).await;
        assert_eq!(moved(&run), [(Some(base.clone()), pinned.clone())], "{repository}");
    }
    registry.push_old("team/base", "1", "four").await;
    poll(&house).await;
    for (repository, number) in [("admin/by-stream", 4), ("admin/by-base", 3)] {
        let run = house.run_ended(repository, "default", number).await;
        assert_eq!(moved(&run), [(Some(pinned.clone()), base.clone())], "{repository}");
        assert!(house.find_run(repository, "default", number + 1).is_none());
    }
    assert_eq!(outcomes(&house).await[..2], ["trigger-started-once", "trigger-started-once"]);
    registry.push_old("team/base", "1", "five").await;
    poll(&house).await;
    let page = house.get("/activity?kind=tag-moved").await.text().await.unwrap();
    assert!(page.contains("is now an image in the old format (schema 1), which has no digest"), "{page}");
    for path in [
        "/admin/by-base/pipelines/default",
        "/admin/by-base/pipelines/default/runs/3",
        "/image-streams/admin/base",
    ] {
        let answer = house.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert!(answer.text().await.unwrap().contains(&base), "{path}");
    }
    for (repository, number) in [("admin/by-stream", 5), ("admin/by-base", 4)] {
        assert!(house.find_run(repository, "default", number).is_none(), "{repository}");
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_docker_trigger_is_told_of_an_image_without_a_digest() {
    let registry = Registry::start();
    registry.push_old("team/old", "1", "one").await;
    let address = format!("http://{}", registry.host);
    let house = House::with(&[("registry", &address), ("poll-seconds", "3600")]).await;
    let copy = Copy::new();
    let script = "echo \"digest '$DOCKER_DIGEST' of $DOCKER_IMAGE_REF\"";
    copy.write("ropewalk.yml", &format!("triggers: {{push: false}}\n{}", one_step(script))).commit("One");
    copy.push(&house.remote("admin/images")).await;
    house.create_pipeline("admin/images", "on-image", "ropewalk.yml").await;
    let webhook = json!({"name": "old", "pipeline": "admin/images/on-image"});
    assert_eq!(house.post("/api/v1/webhooks/docker", webhook).await.0, 201);
    let token = house.json("/api/v1/webhooks/registry").await["token"].as_str().unwrap().to_owned();
    let notify = async |id: &str| {
        let mut event = crate::hooks::event(id, "push", "team/old", "1");
        event["target"]["mediaType"] = json!(OLD);
        let request = house.http.post(format!("{}/hooks/registry", house.url)).bearer_auth(&token);
        assert_eq!(request.body(envelope(&[event])).send().await.unwrap().status(), 202);
    };
    let handled = |count: usize| {
        move |house: &House| {
            let all = house.app.store.read(|c| deliveries::page(c, None, None, 10)).unwrap();
            let done = all.len() == count && all.iter().all(|one| one.handled);
            done.then(|| all[0].outcome[0].message.key.to_string())
        }
    };
    notify("1").await;
    assert_eq!(house.wait_for("the delivery", handled(1)).await, "hook-no-digest");
    let run = house.run_ended("admin/images", "on-image", 1).await;
    let wanted = format!("digest '' of {}/team/old:1", registry.host);
    assert!(house.log(&run).contains(&wanted), "{}", house.log(&run));
    // The same push counts once, the next one again: here the push is the event, not the image.
    notify("1").await;
    assert_eq!(house.wait_for("the same", handled(2)).await, "hook-twice");
    registry.push_old("team/old", "1", "two").await;
    notify("2").await;
    house.run_ended("admin/images", "on-image", 2).await;
    assert!(house.find_run("admin/images", "on-image", 3).is_none());
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_names_neither_kind_nor_digest_is_understood() {
    let old = br#"{"schemaVersion":1,"name":"team/old","tag":"1","fsLayers":[],"history":[]}"#;
    let stand = StandIn::start(move |request, _| match request {
        "GET /v2/" => Reply::http("200 OK", "", b"{}"),
        "HEAD /v2/team/old/manifests/1" => {
            Reply::Bytes(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec())
        }
        "GET /v2/team/old/manifests/1" => Reply::http("200 OK", "Content-Type: application/json\r\n", old),
        _ => Reply::http("404 Not Found", "", b"{}"),
    })
    .await;
    let address = format!("http://{}", stand.host);
    let house = House::with(&[("registry", &address), ("poll-seconds", "3600")]).await;
    let image = format!("{}/team/old:1", stand.host);
    let copies = format!("{}    referencePolicy: {{type: Local}}\n", stream_yaml("copies", &image));
    house.applied(&format!("{}---\n{copies}", stream_yaml("old", &image))).await;
    house.wait_for("the stream", |house| names(house, "old").filter(|now| *now == image)).await;
    // It cannot be copied, and that is said.
    let said = |house: &House| {
        let filter = events::Filter { kind: Some("import-failed".into()), ..Default::default() };
        house.app.store.read(|c| events::page(c, &filter, 10)).unwrap().pop()
    };
    house.wait_for("the copy to fail", said).await;
    let stream = house.json("/api/v1/image-streams/admin/copies").await;
    assert_eq!(stream["status"]["tags"][0]["conditions"][0]["reason"], "Invalid", "{stream}");
    let stream = house.json("/api/v1/image-streams/admin/old").await;
    let item = &stream["status"]["tags"][0]["items"][0];
    assert_eq!((&item["dockerImageReference"], &item["image"]), (&json!(image), &json!("")), "{stream}");
    assert_eq!(stream["status"]["tags"][0]["conditions"], Value::Null, "{stream}");
    house.stop().await;
}
