//! What registries tell, and what is made of it: a real registry that tells of its pushes itself, one that answers oddly
//! in every way that was met, and the rule that one image pushed once starts one run.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use ropewalk::model::{Cause, Event, Happened, StreamTagName};
use ropewalk::store::events::{self, Filter};
use ropewalk::store::{deliveries, streams};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::endpoints::Turntable;
use crate::hooks::envelope;
use crate::kit::real_registry::RealRegistry;
use crate::kit::stand_in::{Reply, StandIn};
use crate::kit::{Copy, House, one_step};
use crate::registry::digest_of;

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const TOKEN: &str = "a-token-of-these-cases";
const TRIGGERS: &str = "/api/v1/webhooks/docker";

/// A registry that tells whoever is at `to` of what is pushed.
fn telling(to: &str) -> RealRegistry {
    let notifications = format!(
        "notifications: {{endpoints: [{{name: house, url: 'http://{to}/hooks/registry', timeout: 5s, threshold: 3, \
         backoff: 100ms, headers: {{Authorization: ['Bearer {TOKEN}']}}}}]}}"
    );
    RealRegistry::start(tempfile::tempdir().unwrap(), "", &notifications)
}

/// Pushes and asks without Docker, as small clients do.
#[derive(Clone)]
struct Pusher {
    http: reqwest::Client,
    base: String,
}

impl Pusher {
    fn to(host: &str, repository: &str) -> Pusher {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Pusher { http, base: format!("http://{host}/v2/{repository}") }
    }

    async fn blob(&self, bytes: &[u8]) -> String {
        let digest = digest_of(bytes);
        let begun = self.http.post(format!("{}/blobs/uploads/", self.base)).send().await.unwrap();
        let place = begun.headers()["location"].to_str().unwrap().to_owned();
        let joint = if place.contains('?') { '&' } else { '?' };
        let put = self.http.put(format!("{place}{joint}digest={digest}")).body(bytes.to_vec());
        assert_eq!(put.send().await.unwrap().status(), 201);
        digest
    }

    async fn manifest(&self, tag: &str, kind: &str, body: Vec<u8>) -> String {
        let digest = digest_of(&body);
        let put = self.http.put(format!("{}/manifests/{tag}", self.base)).header("content-type", kind);
        let answer = put.body(body).send().await.unwrap();
        assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
        digest
    }

    /// An image that holds nothing but `mark`; its digest.
    async fn push(&self, tag: &str, mark: &str) -> String {
        let config = config_of(mark);
        self.blob(&config).await;
        self.manifest(tag, IMAGE, manifest_of(&config, CONFIG)).await
    }

    /// What the tag names at the registry.
    async fn names(&self, tag: &str) -> String {
        let head = self.http.head(format!("{}/manifests/{tag}", self.base)).header("accept", IMAGE);
        head.send().await.unwrap().headers()["docker-content-digest"].to_str().unwrap().to_owned()
    }
}

fn config_of(mark: &str) -> Vec<u8> {
    json!({"architecture": "amd64", "os": "linux", "config": {"Labels": {"mark": mark}},
        "rootfs": {"type": "layers", "diff_ids": []}})
    .to_string()
    .into_bytes()
}

fn manifest_of(config: &[u8], kind: &str) -> Vec<u8> {
    json!({"schemaVersion": 2, "mediaType": IMAGE, "layers": [],
        "config": {"mediaType": kind, "size": config.len(), "digest": digest_of(config)}})
    .to_string()
    .into_bytes()
}

/// `admin/NAME` with a pipeline `on-image` that no push starts. Without a script its runs end before they start, with a
/// finding: what counts then is that there is one.
async fn pipeline(house: &House, name: &str, script: Option<&str>) {
    let copy = Copy::new();
    let definition = match script {
        Some(script) => format!("triggers: {{push: false}}\n{}", one_step(script)),
        None => "stages: 3\n".to_owned(),
    };
    copy.write("pipelines/on-image.yml", &definition).commit("A pipeline for images");
    copy.push(&house.remote(&format!("admin/{name}"))).await;
    house.create_pipeline(&format!("admin/{name}"), "on-image", "pipelines/on-image.yml").await;
}

async fn trigger(house: &House, name: &str, more: Value) {
    let mut form = json!({"name": name, "pipeline": format!("admin/{name}/on-image")});
    for (field, value) in more.as_object().unwrap() {
        form[field] = value.clone();
    }
    let (status, made) = house.post(TRIGGERS, form).await;
    assert_eq!(status, 201, "{made}");
}

async fn endpoint(house: &House, new: Value) -> String {
    let (status, made) = house.post("/api/v1/endpoints", new).await;
    assert_eq!(status, 201, "{made}");
    let host = made["host"].as_str().unwrap().to_owned();
    let known = async {
        while house.app.registries.at(&host).is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), known).await.expect("a client for the endpoint");
    host
}

/// A stream `admin/NAME` whose tag `1` follows `source`, and the image trigger of `admin/NAME` on it.
async fn stream(house: &House, name: &str, source: &str, policy: &str) {
    let yaml = format!(
        "apiVersion: image.openshift.io/v1\nkind: ImageStream\nmetadata: {{name: {name}}}\nspec:\n  tags:\n  \
         - {{name: '1', referencePolicy: {{type: {policy}}}, from: {{kind: DockerImage, name: '{source}'}}}}\n"
    );
    house.applied(&yaml).await;
}

async fn watch(house: &House, name: &str) {
    let yaml = format!(
        "apiVersion: build.openshift.io/v1\nkind: BuildConfig\nmetadata:\n  name: on-image\n  annotations: {{ropewalk.io/repository: admin/{name}}}\n\
         spec:\n  triggers:\n  - {{type: ImageChange, imageChange: {{from: {{kind: ImageStreamTag, name: '{name}:1'}}}}}}\n"
    );
    house.applied(&yaml).await;
}

fn announced(house: &House) -> Vec<Event> {
    let kind = Filter { kind: Some("image-announced".into()), ..Filter::default() };
    let mut all = house.app.store.read(|c| events::page(c, &kind, 5000)).unwrap();
    all.reverse();
    all
}

/// Those of one Docker trigger, oldest first, once there are as many and all are decided for good.
async fn decided(house: &House, webhook: &str, count: usize) -> Vec<(Option<String>, String)> {
    let what = format!("{count} images of {webhook} to be decided");
    house
        .wait_for(&what, |house| {
            let mut found = Vec::new();
            for event in announced(house) {
                let Happened::ImageAnnounced { webhook: of, image, .. } = &event.happened else { continue };
                if of == webhook {
                    let outcome = event.outcome?.into_iter().next()?;
                    let code = outcome.message.key.to_string();
                    if code == "trigger-perhaps-own" {
                        return None;
                    }
                    found.push((image.digest.as_ref().map(ToString::to_string), code));
                }
            }
            (found.len() >= count).then_some(found)
        })
        .await
}

/// The last outcome's code alone.
async fn last_code(house: &House, webhook: &str, count: usize) -> String {
    decided(house, webhook, count).await.pop().unwrap().1
}

fn history(house: &House, name: &str) -> Vec<String> {
    let tag: StreamTagName = format!("admin/{name}:1").parse().unwrap();
    let read = |c: &ropewalk::store::Connection| {
        let Some(stream) = streams::spec::by_path(c, &tag.stream)? else { return Ok(Vec::new()) };
        streams::items(c, stream.id, "1", 5000)
    };
    let items = house.app.store.read(read).unwrap();
    items.into_iter().map(|item| item.reference.rsplit('@').next().unwrap().to_owned()).collect()
}

/// What waits, and why, once it was tried.
async fn waits(house: &House, image: &str) -> String {
    let tried = |house: &House| {
        let all = house.app.store.read(|c| deliveries::page(c, None, None, 1000)).unwrap();
        let part = |one: &ropewalk::model::Delivery| {
            let part = one.outcome.iter().find(|part| part.image.contains(image))?;
            (!one.handled && one.tries > 0).then(|| part.message.key.to_string())
        };
        all.iter().find_map(part)
    };
    house.wait_for(&format!("a delivery about {image} to be tried"), tried).await
}

/// As a registry tells, with the token of a Docker trigger.
async fn notify(house: &House, token: &str, event: Value) {
    let request = house.http.post(format!("{}/hooks/registry", house.url)).bearer_auth(token);
    assert_eq!(request.body(envelope(&[event])).send().await.unwrap().status(), 202);
}

fn push_event(id: &str, repository: &str, tag: &str, digest: Option<&str>, at: u32) -> Value {
    let mut event = json!({"id": id, "timestamp": format!("2026-11-20T12:{:02}:{:02}Z", at / 60, at % 60), "action": "push",
        "target": {"mediaType": IMAGE, "size": 1, "repository": repository, "tag": tag},
        "request": {"id": "1", "method": "PUT"}, "actor": {"name": "yuna"}});
    if let Some(digest) = digest {
        event["target"]["digest"] = json!(digest);
    }
    event
}

/// Signed, without an id: a hint.
async fn hint(house: &House, webhook: &str, body: Value) {
    let token =
        house.json(&format!("{TRIGGERS}/{webhook}")).await["secret_token"].as_str().unwrap().to_owned();
    let address = format!("{}/pipelines/api/docker-hub-webhooks?secureToken={token}", house.url);
    assert_eq!(house.http.post(address).body(body.to_string()).send().await.unwrap().status(), 202);
}

fn port_of(url: &str) -> u16 {
    url.rsplit_once(':').unwrap().1.parse().unwrap()
}

/// `clients` push to one tag at once, `pushes` in all, while a Docker trigger and an image trigger follow it.
#[allow(clippy::print_stdout, reason = "the figures")]
async fn soak(pushes: usize, clients: usize) {
    let house = House::with(&[("poll-seconds", "3600")]).await;
    let registry = telling(house.url.trim_start_matches("http://"));
    let host =
        endpoint(&house, json!({"name": "r", "url": format!("http://127.0.0.1:{}", registry.port)})).await;
    for name in ["docker", "image"] {
        pipeline(&house, name, None).await;
    }
    let pusher = Pusher::to(&host, "team/app");
    let first = pusher.push("same", "before anybody listens").await;
    trigger(&house, "docker", json!({"endpoint": "r", "secret_token": TOKEN})).await;
    stream(&house, "image", &format!("{host}/team/app:same"), "Source").await;
    house.wait_for("the stream", |house| (!history(house, "image").is_empty()).then_some(())).await;
    watch(&house, "image").await;

    let begun = std::time::Instant::now();
    let mut work = JoinSet::new();
    for client in 0..clients {
        let pusher = pusher.clone();
        work.spawn(async move {
            let mut pushed = Vec::new();
            for n in (client..pushes).step_by(clients) {
                pushed.push(pusher.push("same", &format!("client {client}, image {n}")).await);
            }
            pushed
        });
    }
    let pushed: BTreeSet<String> = work.join_all().await.into_iter().flatten().collect();
    assert_eq!(pushed.len(), pushes);
    let last = pusher.names("same").await;
    let pushing = begun.elapsed();

    // The registry may still tell of the first one: it was pushed before anybody listened.
    let told = |house: &House| {
        let all = announced(house);
        let mut digests: Vec<String> = Vec::new();
        for event in &all {
            let Happened::ImageAnnounced { image, .. } = &event.happened else { continue };
            let outcome = event.outcome.as_ref()?.first()?;
            let digest = image.digest.as_ref().map(ToString::to_string).unwrap_or_default();
            if outcome.run_id.is_some() && digest != first {
                digests.push(digest);
            } else if outcome.message.key == "trigger-perhaps-own" {
                return None;
            }
        }
        (digests.len() >= pushes).then_some(digests)
    };
    let digests = house.wait_for("every push to start its run", told).await;
    assert_eq!(digests.len(), pushes, "each once");
    assert_eq!(digests.iter().cloned().collect::<BTreeSet<_>>(), pushed, "none missed, none made up");

    let named_last = |house: &House| (history(house, "image").first() == Some(&last)).then_some(());
    house.wait_for("the stream to name what was pushed last", named_last).await;
    let idle =
        |house: &House| house.app.store.read(|c| events::undecided(c, 1)).unwrap().is_empty().then_some(());
    house.wait_for("every event to be decided", idle).await;
    let items = history(&house, "image");
    assert_eq!(
        items.iter().collect::<BTreeSet<_>>().len(),
        items.len(),
        "nothing older comes back: {items:?}"
    );
    assert!(items.iter().all(|digest| pushed.contains(digest) || *digest == first));
    let runs: Vec<_> = (1..).map_while(|n| house.find_run("admin/image", "on-image", n)).collect();
    let had = |run: &ropewalk::model::Run| match &run.cause {
        Cause::ImageChange { changes } => changes[0].new.rsplit('@').next().unwrap().to_owned(),
        other => panic!("{other:?}"),
    };
    let of_image: Vec<String> = runs.iter().map(had).collect();
    assert_eq!(of_image.last(), Some(&last), "the image trigger's newest run has what was pushed last");
    assert_eq!(of_image.iter().collect::<BTreeSet<_>>().len(), of_image.len(), "each at most once");
    println!(
        "{pushes} pushes by {clients} clients in {pushing:?}: {} runs of the Docker trigger, each digest once; the stream \
         moved {} times and names what was pushed last; {} runs of the image trigger, each digest once",
        digests.len(),
        items.len() - 1,
        of_image.len()
    );
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_many_pushes_to_one_tag_starts_its_own_run() {
    soak(60, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the long one: 300 pushes"]
async fn soak_of_three_hundred_pushes() {
    soak(300, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_image_pushed_once_starts_one_run() {
    let house = House::with(&[("poll-seconds", "3600")]).await;
    let registry = RealRegistry::start(tempfile::tempdir().unwrap(), "", "");
    let host =
        endpoint(&house, json!({"name": "r", "url": format!("http://127.0.0.1:{}", registry.port)})).await;
    pipeline(&house, "one", None).await;
    trigger(&house, "one", json!({"endpoint": "r", "secret_token": TOKEN})).await;
    let pusher = Pusher::to(&host, "team/app");
    let a = pusher.push("1", "a").await;
    let started = |digest: &str| (Some(digest.to_owned()), "trigger-started".to_owned());
    let findings = |digest: &str| (Some(digest.to_owned()), "trigger-findings".to_owned());
    let same = |digest: &str| (Some(digest.to_owned()), "trigger-same-push".to_owned());
    assert_ne!(started(&a), findings(&a));

    // The registry's own word, the same with another id, and a vendor's that names no digest.
    notify(&house, TOKEN, push_event("a1", "team/app", "1", Some(&a), 1)).await;
    assert_eq!(decided(&house, "one", 1).await, [findings(&a)]);
    notify(&house, TOKEN, push_event("a1", "team/app", "1", Some(&a), 1)).await;
    notify(&house, TOKEN, push_event("a2", "team/app", "1", Some(&a), 1)).await;
    hint(&house, "one", json!({"push_data": {"tag": "1"}, "repository": {"repo_name": "team/app"}})).await;
    assert_eq!(decided(&house, "one", 3).await[1..], [same(&a), same(&a)]);

    // Another one, and then the first again: pushed anew. Late word of either is not.
    let b = pusher.push("1", "b").await;
    notify(&house, TOKEN, push_event("b1", "team/app", "1", Some(&b), 10)).await;
    pusher.push("1", "a").await;
    notify(&house, TOKEN, push_event("a3", "team/app", "1", Some(&a), 20)).await;
    notify(&house, TOKEN, push_event("b2", "team/app", "1", Some(&b), 10)).await;
    notify(&house, TOKEN, push_event("a4", "team/app", "1", Some(&a), 20)).await;
    assert_eq!(decided(&house, "one", 7).await[3..], [findings(&b), findings(&a), same(&b), same(&a)]);

    // A hint about what the tag no longer names, and about what nobody has.
    let mut count = 7;
    let nothing = format!("sha256:{}", "0".repeat(64));
    hint(&house, "one", json!({"repository": "team/app", "tag": "1", "digest": b})).await;
    count += 1;
    assert_eq!(last_code(&house, "one", count).await, "hook-moved-on");
    for (id, tag, digest, code) in [
        ("x1", "1", Some(nothing.as_str()), "hook-digest-missing"),
        ("x2", "not-there", None, "hook-gone"),
        ("x3", "not-there", Some(a.as_str()), "trigger-findings"),
    ] {
        notify(&house, TOKEN, push_event(id, "team/app", tag, digest, 30)).await;
        count += 1;
        assert_eq!(last_code(&house, "one", count).await, code, "{id}");
    }
    // Another repository's digest is none of this one's.
    let other = Pusher::to(&host, "team/other").push("1", "other").await;
    notify(&house, TOKEN, push_event("x4", "team/app", "1", Some(&other), 40)).await;
    count += 1;
    assert_eq!(last_code(&house, "one", count).await, "hook-digest-missing");
    let empty = manifest_of(b"{}", "application/vnd.cncf.helm.config.v1+json");
    pusher.blob(b"{}").await;
    let chart = pusher.manifest("chart", IMAGE, empty.clone()).await;
    let hex = a.trim_start_matches("sha256:");
    notify(&house, TOKEN, push_event("chart", "team/app", "chart", Some(&chart), 50)).await;
    count += 1;
    assert_eq!(last_code(&house, "one", count).await, "hook-not-an-image");
    let attachments = [format!("sha256-{hex}.sig"), format!("sha256-{hex}.att"), format!("sha256-{hex}")];
    for tag in &attachments {
        pusher.manifest(tag, IMAGE, empty.clone()).await;
        notify(&house, TOKEN, push_event(tag, "team/app", tag, Some(&chart), 50)).await;
    }
    let refused = |house: &House| {
        let all = house.app.store.read(|c| deliveries::page(c, None, None, 3)).unwrap();
        let code =
            |one: &ropewalk::model::Delivery| one.handled.then(|| one.outcome[0].message.key.to_string());
        all.iter().map(code).collect::<Option<Vec<_>>>()
    };
    assert_eq!(house.wait_for("the attachments", refused).await, ["hook-attachment"; 3]);
    assert_eq!(announced(&house).len(), count);
    // A dry run says the same of each.
    for (tag, digest, code) in [
        ("not-there", None, "hook-gone"),
        ("1", Some(nothing.as_str()), "hook-digest-missing"),
        ("chart", Some(chart.as_str()), "hook-not-an-image"),
    ] {
        let payload = envelope(&[push_event("dry", "team/app", tag, digest, 60)]);
        let request = house.http.post(format!("{}{TRIGGERS}/one/test", house.url));
        let answer =
            request.basic_auth("admin", Some(crate::kit::PASSWORD)).body(payload).send().await.unwrap();
        let dry: Value = answer.json().await.unwrap();
        assert_eq!(dry["images"][0]["would_start"], false, "{dry}");
        assert!(dry["images"][0]["checks"].to_string().contains(code), "{dry}");
    }
    house.stop().await;
}

/// Three pipelines: one pushes what starts it, and two push what starts each other.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_pipeline_pushes_itself_does_not_start_it_again() {
    let turntable = Turntable::to(1).await;
    let registry = telling(&turntable.address.to_string());
    let host = format!("127.0.0.1:{}", registry.port);
    let address = format!("http://{host}");
    let house = House::with(&[("poll-seconds", "3600"), ("registry", &address)]).await;
    *turntable.to.lock().unwrap() = port_of(&house.url);
    let push = |name: &str| {
        format!(
            "tar -cf - -T /dev/null | docker import --change \"LABEL run=$BUILD_NUMBER-$(date +%s%N)\" - {host}/{name}:1\n\
             docker push {host}/{name}:1\ndocker rmi {host}/{name}:1"
        )
    };
    let own = format!("cases/own-{}", std::process::id());
    let (there, back) = (format!("{own}-there"), format!("{own}-back"));
    for (name, on, pushes) in [("own", &own, &own), ("there", &there, &back), ("back", &back, &there)] {
        pipeline(&house, name, Some(&push(pushes))).await;
        trigger(&house, name, json!({"image_pattern": on, "secret_token": format!("{TOKEN}-{name}")})).await;
    }
    trigger(&house, "sender", json!({"pipeline": null, "image_pattern": "nothing", "secret_token": TOKEN}))
        .await;

    Pusher::to(&host, &own).push("1", "from outside").await;
    Pusher::to(&host, &there).push("1", "from outside").await;
    let codes = |found: Vec<(Option<String>, String)>| {
        found
            .into_iter()
            .map(|(_, code)| code)
            .filter(|code| code != "webhook-image-missed")
            .collect::<Vec<_>>()
    };
    let last = |house: &House| {
        let all = announced(house);
        let of =
            |event: &Event| event.outcome.as_ref().and_then(|o| o.first()).map(|o| o.message.key.to_string());
        let rounds = all.iter().filter(|event| of(event).as_deref() == Some("trigger-loop")).count();
        (rounds >= 2).then_some(())
    };
    house.wait_for("both circles to be noticed", last).await;
    for name in ["own", "there", "back"] {
        let run = house.run_ended(&format!("admin/{name}"), "on-image", 1).await;
        assert_eq!(run.status, ropewalk::model::Status::Passed, "{name}: {}", house.log(&run));
        assert!(house.find_run(&format!("admin/{name}"), "on-image", 2).is_none(), "{name}");
    }
    let found = codes(decided(&house, "own", 2).await);
    assert_eq!(found, ["trigger-started", "trigger-loop"]);
    let found = codes(decided(&house, "there", 2).await);
    assert_eq!(found, ["trigger-started", "trigger-loop"]);
    house.stop().await;
}

const PLACE: &str = "/v2/team/app/manifests/1";

/// A registry with one image and a quirk.
fn odd(quirk: &'static str, other: String) -> impl Fn(&str, usize) -> Reply + Send + Sync + 'static {
    move |request, _| {
        let (method, path) = request.split_once(' ').unwrap();
        let config = config_of(quirk);
        let body = manifest_of(&config, CONFIG);
        let html =
            |status: &str| Reply::http(status, "Content-Type: text/html\r\n", b"<html>who are you?</html>");
        let kind = format!("Content-Type: {IMAGE}\r\n");
        let whole = |headers: &str| match method {
            "HEAD" => Reply::Bytes(
                format!(
                    "HTTP/1.1 200 OK\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                )
                .into_bytes(),
            ),
            _ => Reply::http("200 OK", headers, &body),
        };
        let right = format!("{kind}Docker-Content-Digest: {}\r\n", digest_of(&body));
        if quirk == "nginx404" {
            return html("404 Not Found");
        }
        if path == "/v2/" {
            return Reply::http("200 OK", "Docker-Distribution-Api-Version: registry/2.0\r\n", b"{}");
        }
        if path.contains("/blobs/") && quirk == "blobs" {
            return Reply::http(
                "307 Temporary Redirect",
                &format!("Location: http://{other}{path}\r\n"),
                b"",
            );
        }
        if path.contains("/blobs/") {
            return Reply::http("200 OK", "", &config);
        }
        match (quirk, method) {
            ("head405", "HEAD") => Reply::http("405 Method Not Allowed", "Allow: GET\r\n", b""),
            ("head404", "HEAD") => Reply::http("404 Not Found", "", b""),
            ("head403", "HEAD") => Reply::http("403 Forbidden", "", b""),
            ("head500", "HEAD") => Reply::http("500 Internal Server Error", "", b""),
            ("html", _) => html("200 OK"),
            ("digest512", _) => {
                whole(&format!("{kind}Docker-Content-Digest: sha512:{}\r\n", "5".repeat(128)))
            }
            ("redirect", _) if !path.ends_with("?moved=1") => {
                Reply::http("307 Temporary Redirect", &format!("Location: {path}?moved=1\r\n"), b"")
            }
            _ => whole(&right),
        }
    }
}

/// A registry that wants a token of the server at `realm`, and gives its image to whoever shows one.
async fn with_tokens(realm: String) -> StandIn {
    StandIn::heeding(
        move |head, _| {
            let request = head.lines().next().unwrap().rsplit_once(' ').unwrap().0;
            if request == "GET /v2/"
                || head.to_ascii_lowercase().contains("authorization: bearer token-of-the-server")
            {
                return odd("realm", String::new())(request, 0);
            }
            let scope = "service=\"x\",scope=\"repository:team/app:pull\"";
            Reply::http(
                "401 Unauthorized",
                &format!("WWW-Authenticate: Bearer realm=\"{realm}\",{scope}\r\n"),
                b"{}",
            )
        },
        "127.0.0.1",
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn registries_with_quirks_are_understood_or_named() {
    let house = House::with(&[("poll-seconds", "3600")]).await;
    let mut kept = Vec::new();
    for (quirk, expected) in [
        ("plain", "trigger-findings"),
        ("head405", "trigger-findings"),
        ("head404", "trigger-findings"),
        ("head403", "trigger-findings"),
        ("head500", "trigger-findings"),
        ("digest512", "trigger-findings"),
        ("redirect", "trigger-findings"),
        ("html", "registry-no-manifest"),
        ("nginx404", "registry-not-a-registry"),
    ] {
        let registry = StandIn::start(odd(quirk, String::new())).await;
        let url = format!("http://{}", registry.host);
        endpoint(&house, json!({"name": quirk, "url": url, "user": "ropemaker", "password": "rope-walk-1"}))
            .await;
        pipeline(&house, quirk, None).await;
        let token = format!("{TOKEN}-{quirk}");
        trigger(&house, quirk, json!({"endpoint": quirk, "secret_token": token})).await;
        // A tag alone, and then the image itself.
        let digest = digest_of(&manifest_of(&config_of(quirk), CONFIG));
        notify(&house, &token, push_event(quirk, "team/app", "1", None, 1)).await;
        if expected == "trigger-findings" {
            assert_eq!(
                decided(&house, quirk, 1).await,
                [(Some(digest.clone()), expected.to_owned())],
                "{quirk}"
            );
            notify(&house, &token, push_event(&format!("{quirk} 2"), "team/app", "1", Some(&digest), 1))
                .await;
            let again = (Some(digest), "trigger-same-push".to_owned());
            assert_eq!(decided(&house, quirk, 2).await[1], again, "{quirk}");
        } else {
            assert_eq!(waits(&house, &registry.host).await, expected, "{quirk}");
            assert!(house.find_run(&format!("admin/{quirk}"), "on-image", 1).is_none());
        }
        assert!(registry.times(&format!("HEAD {PLACE}")) > 0, "{quirk}");
        kept.push(registry);
    }
    token_servers_elsewhere(&house).await;
    slow_answers(&house).await;
    blobs_elsewhere(&house).await;
    house.stop().await;
}

async fn token_servers_elsewhere(house: &House) {
    let answer = br#"{"token": "token-of-the-server", "expires_in": -1}"#;
    let server = StandIn::heeding(move |_, _| Reply::http("200 OK", "", answer), "127.0.0.2").await;
    let registry = with_tokens(format!("http://{}/token", server.host)).await;
    let url = format!("http://{}", registry.host);
    endpoint(house, json!({"name": "realm", "url": url, "user": "ropemaker", "password": "rope-walk-1"}))
        .await;
    pipeline(house, "realm", None).await;
    let token = format!("{TOKEN}-realm");
    trigger(house, "realm", json!({"endpoint": "realm", "secret_token": token})).await;
    notify(house, &token, push_event("realm", "team/app", "1", None, 1)).await;
    assert_eq!(waits(house, &registry.host).await, "endpoints-realm-refused");
    let said = house.json("/api/v1/deliveries?webhook=realm").await[0]["outcomes"][0]["message"].to_string();
    assert!(said.contains(&server.host) && said.contains("Also allowed hosts"), "{said}");
    assert!(server.asked.lock().unwrap().is_empty(), "nothing is sent there");
    for bad in ["https://a", "*.example", "a/b"] {
        let (status, said) = house.patch("/api/v1/endpoints/realm", json!({"allowed_hosts": [bad]})).await;
        assert_eq!((status, &said["error"]["code"]), (422, &json!("endpoints-allowed-invalid")), "{bad}");
    }
    let allowed = json!({"allowed_hosts": [server.host]});
    let (status, shown) = house.patch("/api/v1/endpoints/realm", allowed.clone()).await;
    assert_eq!((status, &shown["allowed_hosts"]), (200, &allowed["allowed_hosts"]), "{shown}");
    assert_eq!(decided(house, "realm", 1).await[0].1, "trigger-findings");
    assert!(!server.asked.lock().unwrap().is_empty());
    let page = house.get("/endpoints/realm").await.text().await.unwrap();
    assert!(page.contains(&server.host), "{page}");
}

async fn slow_answers(house: &House) {
    let quick = odd("slow", String::new());
    let slow = StandIn::heeding(
        move |head, _| {
            let request = head.lines().next().unwrap().rsplit_once(' ').unwrap().0.to_owned();
            let late = request.contains("/manifests/");
            match quick(&request, 0) {
                Reply::Bytes(bytes) if late => Reply::Late(Duration::from_secs(7), bytes),
                other => other,
            }
        },
        "127.0.0.1",
    )
    .await;
    endpoint(house, json!({"name": "slow", "url": format!("http://{}", slow.host)})).await;
    pipeline(house, "slow", None).await;
    let token = format!("{TOKEN}-slow");
    trigger(house, "slow", json!({"endpoint": "slow", "secret_token": token})).await;
    let digest = digest_of(&manifest_of(&config_of("slow"), CONFIG));
    notify(house, &token, push_event("slow", "team/app", "1", Some(&digest), 1)).await;
    assert_eq!(decided(house, "slow", 1).await, [(Some(digest), "trigger-findings".to_owned())]);
    let all = house.app.store.read(|c| deliveries::page(c, None, None, 1)).unwrap();
    assert_eq!(all[0].tries, 0, "one try was enough");
}

/// Layers at another port, which gets to know nothing of who asks.
async fn blobs_elsewhere(house: &House) {
    let store = StandIn::heeding(|_, _| Reply::http("200 OK", "", &config_of("blobs")), "127.0.0.1").await;
    let registry = StandIn::start(odd("blobs", store.host.clone())).await;
    let url = format!("http://{}", registry.host);
    endpoint(house, json!({"name": "blobs", "url": url, "token": "a-token-for-the-registry"})).await;
    let name = format!("blobs-{}", std::process::id());
    stream(house, &name, &format!("{}/team/app:1", registry.host), "Local").await;
    let tag: StreamTagName = format!("admin/{name}:1").parse().unwrap();
    let condition = |house: &House| {
        let stream = house.app.store.read(|c| streams::spec::by_path(c, &tag.stream)).unwrap()?;
        let tag = house.app.store.read(|c| streams::spec::tag(c, stream.id, "1")).unwrap()?;
        Some(tag.condition?.message.key.to_string())
    };
    assert_eq!(house.wait_for("the import to fail", condition).await, "endpoints-redirect");
    assert!(store.asked.lock().unwrap().is_empty());
    let allowed = json!({"allowed_hosts": [store.host]});
    assert_eq!(house.patch("/api/v1/endpoints/blobs", allowed).await.0, 200);
    let import = format!("/api/v1/image-streams/admin/{name}/tags/1/import");
    let imported = async {
        while history(house, &name).is_empty() {
            assert_eq!(house.post(&import, json!({})).await.0, 202);
            let idle = |house: &House| condition(house).is_some().then_some(()).or(Some(()));
            house.wait_for("a look", idle).await;
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), imported)
        .await
        .expect("the layers come from where they are");
    let heads = store.heads.lock().unwrap().clone();
    assert!(
        !heads.is_empty() && heads.iter().all(|head| !head.to_ascii_lowercase().contains("authorization"))
    );
    let heads = registry.heads.lock().unwrap().clone();
    assert!(heads.iter().any(|head| head.contains("a-token-for-the-registry")));
}

/// The stack's own registry: a list in pages whose links only it understands, and one that asks who we are.
#[tokio::test(flavor = "multi_thread")]
async fn the_own_registry_may_page_as_it_likes_and_may_not_ask_for_a_password() {
    let paged = StandIn::start(|request, _| {
        let page = |tags: &str, link: &str| {
            Reply::http("200 OK", &format!("Content-Type: application/json\r\n{link}"), tags.as_bytes())
        };
        match request {
            _ if request.contains("next_page=200") => page(r#"{"tags": ["c"]}"#, ""),
            _ if request.contains("next_page=100") => page(
                r#"{"tags": ["b"]}"#,
                "Link: </v2/team/app/tags/list?n=100&next_page=200>; rel=\"next\"\r\n",
            ),
            _ if request.contains("/tags/list") => page(
                r#"{"tags": ["a"]}"#,
                "Link: </v2/team/app/tags/list?n=100&next_page=100>; rel=\"next\"\r\n",
            ),
            _ => page("{}", "Docker-Distribution-Api-Version: registry/2.0\r\n"),
        }
    })
    .await;
    let house = House::with(&[("registry", &format!("http://{}", paged.host))]).await;
    assert_eq!(house.app.registry.tags("team/app").await.unwrap(), ["a", "b", "c"]);
    house.stop().await;

    let asks = StandIn::start(|_, _| {
        Reply::http("401 Unauthorized", "WWW-Authenticate: Basic realm=\"registry\"\r\n", b"{}")
    })
    .await;
    let house = House::with(&[("registry", &format!("http://{}", asks.host))]).await;
    let answer = house.get("/api/v1/registry/repositories/team/app/tags").await;
    let said: Value = answer.json().await.unwrap();
    assert_eq!(said["error"]["code"], "registry-own-credentials", "{said}");
    house.stop().await;
}

/// `openssl` in a folder.
fn openssl(folder: &std::path::Path, arguments: &str) {
    let done =
        Command::new("openssl").current_dir(folder).args(arguments.split_whitespace()).output().unwrap();
    assert!(done.status.success(), "{arguments}: {}", String::from_utf8_lossy(&done.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_does_not_vouch_is_not_a_changed_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30";
    openssl(&path, &format!("req -x509 {key} -keyout root.key -out root.pem -subj /CN=Root"));
    let ca = "-addext basicConstraints=critical,CA:TRUE -addext keyUsage=keyCertSign";
    let by = "-CA root.pem -CAkey root.key";
    openssl(&path, &format!("req -x509 {key} {by} {ca} -keyout middle.key -out middle.pem -subj /CN=Middle"));
    let leaf = "-addext basicConstraints=critical,CA:FALSE -addext subjectAltName=IP:127.0.0.1";
    let by = "-CA middle.pem -CAkey middle.key";
    openssl(&path, &format!("req -x509 {key} {by} {leaf} -keyout key.pem -out cert.pem -subj /CN=registry"));
    let read = |name: &str| std::fs::read_to_string(path.join(name)).unwrap();
    let (root, middle) = (read("root.pem"), read("middle.pem"));
    let registry =
        RealRegistry::start(folder, ", tls: {certificate: 'ROOT/cert.pem', key: 'ROOT/key.pem'}", "");
    let house = House::start().await;
    let url = format!("https://127.0.0.1:{}", registry.port);
    endpoint(&house, json!({"name": "tls", "url": url, "certificate": root})).await;
    let validate = "/api/v1/endpoints/tls/validate";
    let (_, seen) = house.post(validate, json!({})).await;
    let said = seen["check"]["steps"].to_string();
    assert!(said.contains("endpoints-certificate-not-vouched") && said.contains("CN=Middle"), "{seen}");
    assert!(!said.contains("has changed"), "{said}");
    house.patch("/api/v1/endpoints/tls", json!({"certificate": format!("{root}{middle}")})).await;
    let (_, seen) = house.post(validate, json!({})).await;
    assert_eq!(seen["check"]["ok"], true, "{seen}");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_has_one_name_and_references_can_have_it() {
    let house = House::start().await;
    let add = async |name: &str, url: &str| {
        let (status, said) = house.post("/api/v1/endpoints", json!({"name": name, "url": url})).await;
        (status, said["error"]["code"].as_str().unwrap_or_default().to_owned())
    };
    for url in
        ["http://[::1]:5000", "https://[2001:db8::7]", "https://my_registry.example", "https://r.example."]
    {
        assert_eq!(add("odd", url).await, (422, "endpoints-host-unnameable".to_owned()), "{url}");
    }
    assert_eq!(add("one", "https://R.example:443").await.0, 201);
    for url in ["https://r.example", "https://r.EXAMPLE/", "http://r.example:80"] {
        assert_eq!(add("two", url).await, (409, "endpoints-host-taken".to_owned()), "{url}");
    }
    let registries = house.app.registries.clone();
    let known = async {
        while registries.at("r.example").is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), known).await.unwrap();
    for host in ["R.Example", "r.example:443", "R.EXAMPLE:443"] {
        assert!(registries.at(host).is_some() && registries.is_same(host, "r.example"), "{host}");
    }
    assert!(registries.at("r.example:80").is_none() && registries.at("r.example:5000").is_none());
    house.stop().await;
}
