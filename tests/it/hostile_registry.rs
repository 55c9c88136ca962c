//! Registries that misbehave while deliveries come and streams are imported: each fault is said where people look for
//! it, nothing is lost, and once the registry is well the same delivery and the same poll start exactly one run.

use std::sync::{Arc, Mutex};

use ropewalk::model::{Cause, Status, StreamTagName};
use ropewalk::store::{deliveries, events, images, streams};
use serde_json::{Value, json};

use crate::endpoints::{Turntable, registry_with_password};
use crate::hooks::{envelope, event};
use crate::kit::real_registry::RealRegistry;
use crate::kit::stand_in::{Reply, StandIn};
use crate::kit::{Copy, House, one_step};
use crate::registry::digest_of;

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const TOKEN: &str = "a-token-of-this-test";

/// What the registry does with whoever asks for a manifest.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mood {
    Well,
    /// States a digest of nothing it has.
    Lies,
    /// States a digest, and has other bytes for it.
    LiesMore,
    /// States something that is no digest.
    Babbles,
    Silent,
    Fails,
    /// 429, and wants a second of rest.
    Busy,
    /// Answers end in the middle.
    Cut,
    /// Documents end in the middle.
    CutShort,
}

/// A registry that has one image in every repository, `version` of it.
pub struct Moody {
    pub stand: StandIn,
    mood: Arc<Mutex<(Mood, u32)>>,
}

fn manifest(repository: &str, version: u32) -> Vec<u8> {
    let config = config(repository, version);
    json!({"schemaVersion": 2, "mediaType": MANIFEST, "layers": [], "config": {"size": config.len(),
        "mediaType": "application/vnd.docker.container.image.v1+json", "digest": digest_of(&config)}})
    .to_string()
    .into_bytes()
}

fn config(repository: &str, version: u32) -> Vec<u8> {
    json!({"architecture": "amd64", "os": "linux", "config": {"Labels": {"of": repository, "version": version.to_string()}}})
        .to_string()
        .into_bytes()
}

fn answer(request: &str, (mood, version): (Mood, u32)) -> Reply {
    let (method, path) = request.split_once(' ').unwrap();
    if path == "/v2/" {
        return Reply::http("200 OK", "Docker-Distribution-Api-Version: registry/2.0\r\n", b"{}");
    }
    let path = path.strip_prefix("/v2/").unwrap();
    if let Some((repository, _)) = path.split_once("/blobs/") {
        return Reply::http("200 OK", "", &config(repository, version));
    }
    let Some((repository, _)) = path.split_once("/manifests/") else {
        return Reply::http("404 Not Found", "", b"{}");
    };
    let body = manifest(repository, version);
    let stated = match mood {
        Mood::Lies | Mood::LiesMore => format!("sha256:{}", "6".repeat(64)),
        Mood::Babbles => "sha256:trust-me".to_owned(),
        _ => digest_of(&body),
    };
    let headers = format!("Content-Type: {MANIFEST}\r\nDocker-Content-Digest: {stated}\r\n");
    let whole = match method {
        "HEAD" => {
            format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len())
                .into_bytes()
        }
        _ => match Reply::http("200 OK", &headers, &body) {
            Reply::Bytes(bytes) => bytes,
            _ => unreachable!(),
        },
    };
    match mood {
        Mood::Silent => Reply::Silence,
        Mood::Fails => Reply::http("500 Internal Server Error", "", b"oops"),
        Mood::Busy => Reply::http("429 Too Many Requests", "Retry-After: 1\r\n", b""),
        Mood::Cut => Reply::Bytes(whole[..30].to_vec()),
        Mood::CutShort if method == "GET" => Reply::Bytes(whole[..whole.len() - 20].to_vec()),
        Mood::Lies if method == "GET" => Reply::http("404 Not Found", "", b"{}"),
        _ => Reply::Bytes(whole),
    }
}

impl Moody {
    pub async fn start() -> Moody {
        let mood = Arc::new(Mutex::new((Mood::Well, 1)));
        let now = mood.clone();
        let stand = StandIn::start(move |request, _| answer(request, *now.lock().unwrap())).await;
        Moody { stand, mood }
    }

    fn is(&self, mood: Mood) {
        self.mood.lock().unwrap().0 = mood;
    }

    /// Somebody pushes to all its repositories.
    pub fn pushed(&self) {
        self.mood.lock().unwrap().1 += 1;
    }

    pub fn digest(&self, repository: &str) -> String {
        digest_of(&manifest(repository, self.mood.lock().unwrap().1))
    }
}

/// A repository whose pipeline `on-image` no push starts.
async fn pipeline(house: &House, repository: &str) {
    let copy = Copy::new();
    copy.write("ropewalk.yml", &format!("triggers: {{push: false}}\n{}", one_step("true"))).commit("One");
    copy.push(&house.remote(repository)).await;
    house.create_pipeline(repository, "on-image", "ropewalk.yml").await;
}

pub async fn endpoint(house: &House, name: &str, url: &str) {
    let (status, made) = house.post("/api/v1/endpoints", json!({"name": name, "url": url})).await;
    assert_eq!(status, 201, "{made}");
    known(house, made["host"].as_str().unwrap()).await;
}

/// Waits until the loops have a client for the host.
async fn known(house: &House, host: &str) {
    let known = async {
        while house.app.registries.at(host).is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), known).await.expect("a client for the endpoint");
}

/// A Docker trigger of that endpoint; its token.
async fn trigger(house: &House, endpoint: &str) -> String {
    let token = format!("{TOKEN}-{endpoint}");
    let webhook = json!({"name": endpoint, "endpoint": endpoint, "pipeline": "admin/images/on-image", "secret_token": token});
    let (status, made) = house.post("/api/v1/webhooks/docker", webhook).await;
    assert_eq!(status, 201, "{made}");
    token
}

/// As a Distribution registry tells of a push.
async fn notify(house: &House, token: &str, id: &str, repository: &str) {
    let request = house.http.post(format!("{}/hooks/registry", house.url)).bearer_auth(token);
    let body = envelope(&[event(id, "push", repository, "1")]);
    assert_eq!(request.body(body).send().await.unwrap().status(), 202);
}

/// Streams with one tag `1` each, by name and source.
fn stream_yaml(streams: &[(String, String)]) -> String {
    let one = |(name, source): &(String, String)| {
        format!(
            "---\napiVersion: image.openshift.io/v1\nkind: ImageStream\nmetadata: {{name: {name}}}\nspec:\n  tags:\n  \
             - name: '1'\n    from: {{kind: DockerImage, name: '{source}'}}\n"
        )
    };
    streams.iter().map(one).collect()
}

/// The pipeline `on-image` of `admin/NAME` watches these streams.
async fn watch(house: &House, repository: &str, streams: &[&str]) {
    let triggers: String = streams
        .iter()
        .map(|name| {
            format!("  - {{type: ImageChange, imageChange: {{from: {{kind: ImageStreamTag, name: '{name}:1'}}}}}}\n")
        })
        .collect();
    let yaml = format!(
        "apiVersion: build.openshift.io/v1\nkind: BuildConfig\nmetadata:\n  name: on-image\n  annotations: {{ropewalk.io/repository: {repository}}}\n\
         spec:\n  triggers:\n{triggers}"
    );
    house.applied(&yaml).await;
}

/// Reason and code of the condition of `admin/NAME:1`, once it has one; the digest it names, if any.
async fn condition(house: &House, name: &str, reason: &str) -> (String, Option<String>) {
    let what = format!("admin/{name}:1 to say {reason}");
    let key = house
        .wait_for(&what, |house| {
            let tag = format!("admin/{name}:1").parse::<StreamTagName>().unwrap();
            let stream = house.app.store.read(|c| streams::spec::by_path(c, &tag.stream)).unwrap()?;
            let tag = house.app.store.read(|c| streams::spec::tag(c, stream.id, "1")).unwrap()?;
            let condition = tag.condition.filter(|condition| condition.reason == reason)?;
            Some(condition.message.key.to_string())
        })
        .await;
    (key, names(house, name))
}

fn names(house: &House, name: &str) -> Option<String> {
    let tag: StreamTagName = format!("admin/{name}:1").parse().unwrap();
    let item = house.app.store.read(|c| streams::current(c, &tag)).unwrap()?;
    Some(item.reference.rsplit('@').next().unwrap().to_owned())
}

async fn until_names(house: &House, name: &str, digest: &str) {
    house.wait_for(&format!("admin/{name}:1"), |house| names(house, name).filter(|now| now == digest)).await;
}

/// The one delivery that waits, once it was tried in vain: what it says of that.
async fn waits(house: &House) -> String {
    let tried = |house: &House| {
        let all = house.app.store.read(|c| deliveries::page(c, None, None, 1000)).unwrap();
        let waiting = all.into_iter().find(|one| !one.handled && one.tries > 0)?;
        Some(waiting.outcome[0].message.key.to_string())
    };
    house.wait_for("a delivery to be tried", tried).await
}

async fn all_handled(house: &House) {
    let handled = |house: &House| {
        let all = house.app.store.read(|c| deliveries::page(c, None, None, 1000)).unwrap();
        let undecided = house.app.store.read(|c| events::undecided(c, 1)).unwrap();
        (all.iter().all(|one| one.handled) && undecided.is_empty()).then_some(())
    };
    house.wait_for("everything to be handled", handled).await;
}

fn events_of(house: &House, kind: &str) -> usize {
    let filter = events::Filter { kind: Some(kind.into()), ..Default::default() };
    house.app.store.read(|c| events::page(c, &filter, 1000)).unwrap().len()
}

/// The last step of the endpoint's state, once it is as wanted.
async fn endpoint_state(house: &House, name: &str) -> (bool, String) {
    let shown = house.json(&format!("/api/v1/endpoints/{name}")).await;
    let step = shown["check"]["steps"].as_array().and_then(|steps| steps.last()).cloned().unwrap_or_default();
    (shown["check"]["ok"] == true, step["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_registry_does_is_said_and_made_up_for_once_it_is_well() {
    let registry = Moody::start().await;
    let host = registry.stand.host.clone();
    let house = House::with(&[("poll-seconds", "3600")]).await;
    pipeline(&house, "admin/images").await;
    pipeline(&house, "admin/stream-user").await;
    endpoint(&house, "team", &format!("http://{host}")).await;
    let token = trigger(&house, "team").await;
    let faults = [
        (Mood::Lies, "lies", "Damaged", "registry-digest-missing"),
        (Mood::LiesMore, "lies-more", "Damaged", "registry-digest-mismatch"),
        (Mood::Babbles, "babbles", "Damaged", "registry-digest-odd"),
        (Mood::Fails, "fails", "Unreachable", "registry-failing"),
        (Mood::Busy, "busy", "Unreachable", "registry-busy"),
        (Mood::Cut, "cut", "Unreachable", "registry-unreachable"),
        (Mood::CutShort, "cut-short", "Unreachable", "registry-unreachable"),
        (Mood::Silent, "silent", "Unreachable", "registry-timeout"),
    ];
    let names_of_all: Vec<&str> = faults.iter().map(|(_, name, ..)| *name).collect();
    for (number, (mood, name, reason, code)) in (1..).zip(faults) {
        registry.is(mood);
        let repository = format!("team/{name}");
        notify(&house, &token, name, &repository).await;
        house.applied(&stream_yaml(&[(name.to_owned(), format!("{host}/{repository}:1"))])).await;
        assert_eq!(waits(&house).await, code, "{mood:?}");
        assert_eq!(condition(&house, name, reason).await, (code.to_owned(), None), "{mood:?}");
        let state = endpoint_state(&house, "team").await;
        assert_eq!(state, (false, code.to_owned()), "{mood:?}");
        let told = house.json("/api/v1/activity?kind=import-failed").await;
        assert_eq!(told[0]["happened"]["message"]["key"], code, "{mood:?}");
        assert!(house.find_run("admin/images", "on-image", number).is_none(), "{mood:?} starts nothing");

        registry.is(Mood::Well);
        all_handled(&house).await;
        let run = house.run_ended("admin/images", "on-image", number).await;
        assert_eq!(run.inputs["DOCKER_DIGEST"], registry.digest(&repository), "{mood:?}");
        let import = format!("/api/v1/image-streams/admin/{name}/tags/1/import");
        assert_eq!(house.post(&import, json!({})).await.0, 202);
        until_names(&house, name, &registry.digest(&repository)).await;
        let stream = house.json(&format!("/api/v1/image-streams/admin/{name}")).await;
        assert_eq!(stream["status"]["tags"][0]["conditions"], Value::Null, "{mood:?}: {stream}");
        assert!(endpoint_state(&house, "team").await.0, "{mood:?}");
        // Told once more, it is known.
        notify(&house, &token, name, &repository).await;
        all_handled(&house).await;
    }
    assert_eq!(events_of(&house, "image-announced"), faults.len(), "one run for each, and no more");
    assert!(house.find_run("admin/images", "on-image", faults.len() as u64 + 1).is_none());
    let page = house.get("/activity?kind=import-failed").await.text().await.unwrap();
    assert!(
        page.contains("The import into admin/fails:1 failed") && page.contains("answers with an error (500")
    );
    let page = house.get("/webhooks/deliveries").await.text().await.unwrap();
    assert!(page.contains("team/lies"), "{page}");

    // All of them moved meanwhile: one run that has them all.
    watch(&house, "admin/stream-user", &names_of_all).await;
    let run = house.run_ended("admin/stream-user", "on-image", 1).await;
    let Cause::ImageChange { changes } = &run.cause else { panic!("{:?}", run.cause) };
    assert_eq!((run.status, changes.len()), (Status::Passed, faults.len()), "{changes:?}");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_poll_believes_no_lie_and_starts_one_run_once_the_registry_is_well() {
    let registry = Moody::start().await;
    let address = format!("http://{}", registry.stand.host);
    let house = House::with(&[("registry", &address), ("poll-seconds", "3600")]).await;
    pipeline(&house, "admin/app").await;
    let source = |name: &str| (name.to_owned(), format!("{}/team/{name}:1", registry.stand.host));
    house.applied(&stream_yaml(&[source("base")])).await;
    let first = registry.digest("team/base");
    until_names(&house, "base", &first).await;
    watch(&house, "admin/app", &["base"]).await;
    house.run_ended("admin/app", "on-image", 1).await;
    a_run_stands_on_no_lie(&house, &registry).await;
    let poll = async || {
        house.app.watch.poll_tags().await.unwrap();
        all_handled(&house).await;
    };
    for (number, (mood, reason, code)) in (2..).zip([
        (Mood::Lies, "Damaged", "registry-digest-missing"),
        (Mood::Cut, "Unreachable", "registry-unreachable"),
        (Mood::Busy, "Unreachable", "registry-busy"),
    ]) {
        let before = names(&house, "base");
        registry.pushed();
        registry.is(mood);
        poll().await;
        assert_eq!(condition(&house, "base", reason).await, (code.to_owned(), before), "{mood:?}");
        registry.is(Mood::Well);
        // Until it is no longer to be left alone.
        let well = async {
            while names(&house, "base").as_deref() != Some(&registry.digest("team/base")) {
                poll().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(60), well).await.expect("the poll finds it");
        poll().await;
        let run = house.run_ended("admin/app", "on-image", number).await;
        assert_eq!(run.status, Status::Passed, "{mood:?}");
        assert!(house.find_run("admin/app", "on-image", number + 1).is_none(), "{mood:?}");
        let stream = house.json("/api/v1/image-streams/admin/base").await;
        assert_eq!(stream["status"]["tags"][0]["conditions"], Value::Null, "{mood:?}: {stream}");
    }
    house.stop().await;
}

/// A run that is queued while the registry lies stands on what its base was last seen to be, and says why.
async fn a_run_stands_on_no_lie(house: &House, registry: &Moody) {
    let base = format!("{}/team/stood-on:1", registry.stand.host);
    let copy = Copy::new();
    copy.write("ropewalk.yml", &one_step("true"))
        .write("Dockerfile", &format!("FROM {base}\n"))
        .commit("One");
    copy.push(&house.remote("admin/stands")).await;
    house.run_ended("admin/stands", "default", 1).await;
    let first = registry.digest("team/stood-on");
    registry.is(Mood::Lies);
    let (status, _) =
        house.post("/api/v1/repos/admin/stands/pipelines/default/runs", json!({"ref": "main"})).await;
    assert_eq!(status, 201);
    let run = house.run_ended("admin/stands", "default", 2).await;
    let bases = house.app.store.read(|c| images::bases(c, run.id)).unwrap();
    let stood = bases.iter().find(|one| one.reference == base).unwrap();
    assert_eq!(stood.digest.as_ref().map(|digest| digest.to_string()), Some(first));
    assert_eq!(stood.note.as_ref().map(|note| &*note.key), Some("registry-digest-missing"));
    registry.is(Mood::Well);
}

/// Pushes an image that holds nothing but `mark` to a registry with the password of `endpoints`.
async fn push_behind_tls(registry: &RealRegistry, repository: &str, mark: &str) -> String {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().tls_danger_accept_invalid_certs(true).build().unwrap();
    let signed =
        |request: reqwest::RequestBuilder| request.basic_auth("ropemaker", Some(crate::endpoints::SECRET));
    let base = format!("https://127.0.0.1:{}/v2/{repository}", registry.port);
    let config = config(mark, 1);
    let begun = signed(http.post(format!("{base}/blobs/uploads/"))).send().await.unwrap();
    let place = begun.headers()["location"].to_str().unwrap().to_owned();
    let put = signed(http.put(format!("{place}&digest={}", digest_of(&config)))).body(config);
    assert_eq!(put.send().await.unwrap().status(), 201);
    let manifest = manifest(mark, 1);
    let put = signed(http.put(format!("{base}/manifests/1"))).header("content-type", MANIFEST);
    assert_eq!(put.body(manifest.clone()).send().await.unwrap().status(), 201);
    digest_of(&manifest)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_certificate_stops_everything_until_it_is_the_accepted_one_again() {
    let house = House::with(&[("poll-seconds", "3600")]).await;
    pipeline(&house, "admin/images").await;
    pipeline(&house, "admin/stream-user").await;
    let (right, wrong) = (registry_with_password(), registry_with_password());
    let digest = push_behind_tls(&right, "team/base", "right").await;
    push_behind_tls(&wrong, "team/base", "wrong").await;
    let turntable = Turntable::to(right.port).await;
    let host = turntable.address.to_string();
    let new = json!({"name": "team", "url": format!("https://{host}"), "user": "ropemaker", "password": crate::endpoints::SECRET});
    assert_eq!(house.post("/api/v1/endpoints", new).await.0, 201);
    let certificate = "/api/v1/endpoints/team/certificate";
    let shown = house.json(certificate).await;
    let (status, _) =
        house.post(certificate, json!({"fingerprint": shown["presented"][0]["fingerprint"]})).await;
    assert_eq!(status, 200);
    let token = trigger(&house, "team").await;

    *turntable.to.lock().unwrap() = wrong.port;
    notify(&house, &token, "1", "team/base").await;
    house.applied(&stream_yaml(&[("base".to_owned(), format!("{host}/team/base:1"))])).await;
    watch(&house, "admin/stream-user", &["base"]).await;
    let changed = "endpoints-certificate-changed".to_owned();
    assert_eq!(condition(&house, "base", "Untrusted").await, (changed.clone(), None));
    assert_eq!(waits(&house).await, changed);
    assert_eq!(endpoint_state(&house, "team").await, (false, changed));
    let page = house.get("/endpoints").await.text().await.unwrap();
    assert!(page.contains("in trouble"), "{page}");
    assert!(house.find_run("admin/images", "on-image", 1).is_none());

    *turntable.to.lock().unwrap() = right.port;
    let run = house.run_ended("admin/images", "on-image", 1).await;
    assert_eq!(run.inputs["DOCKER_DIGEST"], digest);
    assert_eq!(house.post("/api/v1/image-streams/admin/base/tags/1/import", json!({})).await.0, 202);
    until_names(&house, "base", &digest).await;
    house.run_ended("admin/stream-user", "on-image", 1).await;
    assert_eq!(house.post("/api/v1/image-streams/admin/base/tags/1/import", json!({})).await.0, 202);
    all_handled(&house).await;
    assert_eq!((events_of(&house, "image-announced"), events_of(&house, "stream-tag-moved")), (1, 1));
    assert!(house.find_run("admin/stream-user", "on-image", 2).is_none());
    assert!(endpoint_state(&house, "team").await.0);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_does_not_resolve_waits_until_the_address_is_corrected() {
    let registry = Moody::start().await;
    let house = House::with(&[("poll-seconds", "3600")]).await;
    pipeline(&house, "admin/images").await;
    endpoint(&house, "team", "http://registry.invalid:5000").await;
    let token = trigger(&house, "team").await;
    notify(&house, &token, "1", "team/base").await;
    let source = "registry.invalid:5000/team/base:1".to_owned();
    house.applied(&stream_yaml(&[("base".to_owned(), source)])).await;
    let unresolved = "endpoints-unresolved".to_owned();
    assert_eq!(waits(&house).await, unresolved);
    assert_eq!(condition(&house, "base", "Unreachable").await, (unresolved.clone(), None));
    assert_eq!(endpoint_state(&house, "team").await, (false, unresolved));

    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let corrected = async |url: String| {
        let (status, said) = house.patch("/api/v1/endpoints/team", json!({"url": url})).await;
        assert_eq!(status, 200, "{said}");
    };
    corrected(format!("http://{nobody}")).await;
    let (_, seen) = house.post("/api/v1/endpoints/team/validate", json!({})).await;
    assert!(seen["check"]["steps"].to_string().contains("endpoints-nobody-listens"), "{seen}");
    corrected(format!("http://{}", registry.stand.host)).await;
    let run = house.run_ended("admin/images", "on-image", 1).await;
    assert_eq!(run.inputs["DOCKER_DIGEST"], registry.digest("team/base"));
    all_handled(&house).await;
    assert_eq!(events_of(&house, "image-announced"), 1);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_registry_that_is_dead_holds_up_no_other() {
    let (dead, well) = (Moody::start().await, Moody::start().await);
    dead.is(Mood::Silent);
    let house = House::with(&[("poll-seconds", "3600")]).await;
    pipeline(&house, "admin/images").await;
    for (name, registry) in [("dead", &dead), ("well", &well)] {
        endpoint(&house, name, &format!("http://{}", registry.stand.host)).await;
    }
    let tokens = (trigger(&house, "dead").await, trigger(&house, "well").await);
    let of =
        |registry: &Moody, name: String| (name.clone(), format!("{}/team/{name}:1", registry.stand.host));
    let many: Vec<_> = (0..30).map(|n| of(&dead, format!("dead-{n}"))).collect();
    house.applied(&stream_yaml(&many)).await;
    notify(&house, &tokens.0, "1", "team/dead-0").await;
    let failed = |house: &House| events_of(house, "import-failed");
    // What comes later, and from elsewhere, does not wait for any of them.
    house.applied(&stream_yaml(&[of(&well, "well".into())])).await;
    notify(&house, &tokens.1, "2", "team/well").await;
    until_names(&house, "well", &well.digest("team/well")).await;
    let run = house.wait_for("the run", |house| house.find_run("admin/images", "on-image", 1)).await;
    assert_eq!(run.inputs["DOCKER_IMAGE"], "team/well");
    assert!(failed(&house) < many.len(), "the dead one's imports are still under way");

    // The dead one's end together, and only a few of them were asked for.
    house.wait_for("all to be given up", |house| (failed(house) == many.len()).then_some(())).await;
    let asked: std::collections::BTreeSet<String> =
        dead.stand.asked.lock().unwrap().iter().cloned().collect();
    assert!(asked.len() < many.len() / 2, "{asked:?}");
    condition(&house, "dead-29", "Unreachable").await;
    assert_eq!(waits(&house).await, "registry-timeout");
    dead.is(Mood::Well);
    all_handled(&house).await;
    house.run_ended("admin/images", "on-image", 2).await;
    house.stop().await;
}
