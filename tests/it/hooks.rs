//! What registries send: taken, kept, handled once, and what comes of it. The registry is the real one; what only a
//! broken one does is a listener of ours.

use std::io::Write as _;

use ropewalk::model::{Happened, Status};
use ropewalk::store::events::{self, Filter};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::task::JoinSet;

use crate::kit::{Copy, House, PASSWORD, one_step};

const REGISTRY: &str = "registry.local:5000";
const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const HUB: &str = "/pipelines/api/docker-hub-webhooks";

/// A repository of the real registry that no other test has.
pub fn repository(name: &str) -> String {
    format!("ropewalk-tests/hooks-{name}-{}", std::process::id())
}

fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect::<String>())
}

/// Pushes an image that holds nothing but `mark`; returns its digest.
pub async fn push_image(repository: &str, tag: &str, mark: &str) -> String {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let base = format!("http://{REGISTRY}/v2/{repository}");
    let config =
        json!({"architecture": "amd64", "os": "linux", "config": {"Labels": {"mark": mark}}}).to_string();
    let begun = http.post(format!("{base}/blobs/uploads/")).send().await.unwrap();
    let place = begun.headers()["location"].to_str().unwrap().to_owned();
    let joint = if place.contains('?') { '&' } else { '?' };
    let size = config.len();
    let digest = sha256(config.as_bytes());
    let put = http.put(format!("{place}{joint}digest={digest}")).body(config).send().await.unwrap();
    assert_eq!(put.status(), 201);
    let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "layers": [],
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": size, "digest": digest}});
    let manifest = manifest.to_string();
    let put = http.put(format!("{base}/manifests/{tag}")).header("content-type", MANIFEST);
    assert_eq!(put.body(manifest.clone()).send().await.unwrap().status(), 201);
    sha256(manifest.as_bytes())
}

/// One event as Distribution writes it.
pub fn event(id: &str, action: &str, repository: &str, tag: &str) -> Value {
    json!({"id": id, "timestamp": "2026-11-20T12:00:00.1Z", "action": action,
        "target": {"mediaType": MANIFEST, "size": 1, "digest": "sha256:lie", "repository": repository, "tag": tag},
        "request": {"id": "1", "addr": "10.0.0.1", "method": "PUT"}, "actor": {"name": "yuna"},
        "source": {"addr": "registry:5000", "instanceID": "1"}})
}

pub fn envelope(events: &[Value]) -> String {
    json!({"events": events}).to_string()
}

async fn send(
    house: &House,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<reqwest::Body>,
) -> (u16, String) {
    let mut request = house.http.post(format!("{}{path}", house.url)).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// As the stack's own registry does.
async fn notify(house: &House, events: &[Value]) {
    let token = house.json("/api/v1/webhooks/registry").await["token"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    assert_eq!(send(house, "/hooks/registry", &headers, envelope(events)).await, (202, String::new()));
}

/// A house with a repository whose pipeline only Docker triggers start, and that trigger.
async fn house_with(webhook: Value, script: &str) -> (House, Value) {
    let house = House::start().await;
    let webhook = prepared(&house, webhook, script).await;
    (house, webhook)
}

async fn prepared(house: &House, mut webhook: Value, script: &str) -> Value {
    let copy = Copy::new();
    let inputs = "inputs:\n  VERSION: none\n  DOCKER_TAG:\n    default: ''\ntriggers:\n  push: false\n";
    copy.write("ropewalk.yml", &format!("{inputs}{}", one_step(script))).commit("A pipeline for images");
    copy.push(&house.remote("admin/images")).await;
    house.create_pipeline("admin/images", "on-image", "ropewalk.yml").await;
    webhook["pipeline"] = json!("admin/images/on-image");
    let (status, made) = house.post("/api/v1/webhooks/docker", webhook).await;
    assert_eq!(status, 201, "{made}");
    made
}

/// Every delivery that came, oldest first, once nothing waits.
async fn handled(house: &House, count: usize) -> Vec<Value> {
    house
        .wait_for("deliveries to be handled", |house| {
            let all =
                house.app.store.read(|c| ropewalk::store::deliveries::page(c, None, None, 1000)).unwrap();
            (all.len() >= count && all.iter().all(|one| one.handled)).then_some(())
        })
        .await;
    let mut all = house.json("/api/v1/deliveries?limit=100").await.as_array().unwrap().clone();
    all.reverse();
    all
}

fn code(delivery: &Value) -> &str {
    delivery["outcomes"][0]["code"].as_str().unwrap()
}

/// What came of every image that was announced, oldest first.
async fn decided(house: &House, count: usize) -> Vec<Value> {
    let kind = Filter { kind: Some("image-announced".into()), ..Filter::default() };
    house
        .wait_for("images to be decided", |house| {
            let all = house.app.store.read(|c| events::page(c, &kind, 1000)).unwrap();
            (all.len() >= count && all.iter().all(|one| one.outcome.is_some())).then_some(())
        })
        .await;
    let mut all =
        house.json("/api/v1/activity?kind=image-announced&limit=100").await.as_array().unwrap().clone();
    all.reverse();
    all
}

fn outcome(event: &Value) -> &str {
    event["outcomes"][0]["code"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_starts_one_run_that_knows_its_image() {
    let name = repository("run");
    let webhook = json!({"name": "base", "imageNameRegExPattern": name, "tagNamePattern": r"v\d+",
        "inputs": {"VERSION": "${DOCKER_TAG}-${input.DOCKER_REPO_NAME}"}});
    let script =
        "echo \"got $VERSION $DOCKER_TAG $DOCKER_EVENT_OWNER_NAME $DOCKER_REPO_NAMESPACE $DOCKER_IMAGE_REF\"";
    let (house, _) = house_with(webhook, script).await;
    let digest = push_image(&name, "v1", "one").await;
    push_image(&name, "test", "one").await;

    notify(&house, &[event("e1", "push", &name, "v1")]).await;
    let run = house.run_ended("admin/images", "on-image", 1).await;
    let log = house.log(&run);
    assert_eq!(run.status, Status::Passed, "{log}");
    let short = name.rsplit_once('/').unwrap().1;
    let wanted = format!("got v1-{short} v1 yuna ropewalk-tests {REGISTRY}/{name}@{digest}");
    assert!(log.contains(&wanted), "{wanted}: {log}");
    let shown = house.json("/api/v1/repos/admin/images/pipelines/on-image/runs/1").await;
    assert_eq!(shown["cause"]["kind"], "webhook");
    assert_eq!(shown["inputs"]["DOCKER_DIGEST"], digest.as_str());

    // The same event again, one that misses a filter each, pieces of images, deletions, several in one envelope.
    notify(&house, &[event("e1", "push", &name, "v1")]).await;
    notify(&house, &[event("e2", "push", &name, "test"), event("e3", "pull", &name, "v1")]).await;
    notify(&house, &[event("e4", "push", &repository("other"), "v1")]).await;
    notify(&house, &[event("e5", "delete", &name, "v1")]).await;
    let deliveries = handled(&house, 5).await;
    let codes: Vec<_> = deliveries.iter().map(code).collect();
    assert_eq!(codes, ["hook-moved", "hook-twice", "hook-moved", "hook-gone", "hook-not-followed"]);
    assert_eq!(deliveries[2]["outcomes"][1]["code"], "hook-skipped");
    let all = decided(&house, 3).await;
    let outcomes: Vec<_> = all.iter().map(outcome).collect();
    assert_eq!(outcomes, ["trigger-started", "webhook-tag-missed", "webhook-image-missed"]);
    assert_eq!(all[0]["outcomes"][0]["run_number"], 1);

    // Disabled, it only writes down.
    house.patch("/api/v1/webhooks/docker/base", json!({"enabled": false})).await;
    notify(&house, &[event("e6", "push", &name, "v1")]).await;
    assert_eq!(outcome(&decided(&house, 4).await[3]), "webhook-disabled");
    assert!(house.find_run("admin/images", "on-image", 2).is_none());

    filters_and_pages(&house, &name).await;
    house.stop().await;
}

/// Who was told, oldest first.
async fn told(house: &House, count: usize) -> Vec<String> {
    decided(house, count).await;
    let kind = Filter { kind: Some("image-announced".into()), ..Filter::default() };
    let all = house.app.store.read(|c| events::page(c, &kind, 1000)).unwrap();
    let name = |happened| match happened {
        Happened::ImageAnnounced { webhook, .. } => webhook,
        other => panic!("{other:?}"),
    };
    all.into_iter().rev().map(|event| name(event.happened)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_triggers_only_those_are_told_whose_filters_let_the_image_through() {
    let name = repository("many");
    push_image(&name, "1", "many").await;
    let house = House::start().await;
    let triggers = "/api/v1/webhooks/docker";
    for n in 0..30 {
        let form = json!({"name": format!("other-{n}"), "image_pattern": format!("team-{n}/.*")});
        assert_eq!(house.post(triggers, form).await.0, 201);
    }
    house.post(triggers, json!({"name": "mine", "image_pattern": r".*/hooks-many-\d+"})).await;
    notify(&house, &[event("m1", "push", &name, "1")]).await;
    let first = &handled(&house, 1).await[0];
    assert_eq!(told(&house, 1).await, ["mine"]);
    let missed = &first["outcomes"][1];
    assert_eq!(missed["code"], "hook-filters-missed", "{first}");
    assert!(missed["message"].as_str().unwrap().contains("30"), "{missed}");

    // Whoever changes a filter is heard from the next push on; so is who goes.
    let changed = house.patch(&format!("{triggers}/other-7"), json!({"image_pattern": ""})).await;
    assert_eq!(changed.0, 200, "{}", changed.1);
    notify(&house, &[event("m2", "push", &name, "1")]).await;
    handled(&house, 2).await;
    assert_eq!(told(&house, 3).await[1..], ["other-7", "mine"]);
    let gone = house.http.delete(format!("{}{triggers}/mine", house.url));
    assert!(gone.basic_auth("admin", Some(PASSWORD)).send().await.unwrap().status().is_success());
    notify(&house, &[event("m3", "push", &name, "1")]).await;
    handled(&house, 3).await;
    assert_eq!(told(&house, 4).await[3..], ["other-7"]);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_tags_is_read_anew_when_the_registry_tells_of_a_change() {
    let name = repository("listed");
    push_image(&name, "1", "listed").await;
    let house = House::start().await;
    let tags = async || {
        let all = house.json(&format!("/api/v1/registry/repositories/{name}/tags")).await;
        let tag = |one: &Value| one["tag"].as_str().unwrap().to_owned();
        all.as_array().unwrap().iter().map(tag).collect::<Vec<_>>()
    };
    assert_eq!(tags().await, ["1"]);
    push_image(&name, "2", "listed").await;
    notify(&house, &[event("l1", "push", &name, "2")]).await;
    handled(&house, 1).await;
    assert_eq!(tags().await, ["1", "2"]);
    let page = house.get(&format!("/registry/repositories/{name}")).await.text().await.unwrap();
    assert!(page.find(">2<").unwrap() < page.find(">1<").unwrap(), "{page}");
    house.stop().await;
}

async fn filters_and_pages(house: &House, name: &str) {
    let list = "/api/v1/activity?kind=image-announced";
    for (query, count) in [
        ("&tag=test", 1),
        ("&started=true", 1),
        ("&started=false", 3),
        ("&webhook=BASE", 4),
        ("&owner=nobody", 0),
        (&*format!("&image={name}&tag=v1"), 2),
    ] {
        assert_eq!(house.json(&format!("{list}{query}")).await.as_array().unwrap().len(), count, "{query}");
    }
    let page = house.get("/activity?kind=image-announced&started=true").await.text().await.unwrap();
    assert!(page.contains("/admin/images/pipelines/on-image/runs/1") && page.contains("v1"), "{page}");
    let page = house.get("/webhooks/base").await.text().await.unwrap();
    assert!(page.contains("secureToken=") && page.contains("The tag filter missed"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_refused_and_what_is_odd_is_kept() {
    let (house, webhook) = house_with(json!({"name": "base", "tag_pattern": "never"}), "true").await;
    let token = webhook["secret_token"].as_str().unwrap();
    let address = format!("{HUB}?secureToken={token}");
    let good = json!({"repository": "a/b", "tag": "1"}).to_string();
    for (path, header) in [
        ("/hooks/registry", "Bearer wrong"),
        ("/hooks/registry", "Bearer "),
        ("/hooks/registry", "Basic YTpi"),
        ("/hooks/registry", "Bearer \u{fc}"),
        (HUB, "none"),
        (&*format!("{HUB}?secureToken="), "none"),
        (&*format!("{HUB}?secureToken={token}x"), "none"),
        ("/hooks/generic/base", "none"),
        ("/hooks/generic/no-such", "none"),
    ] {
        let headers = [("authorization", header), ("x-hub-signature-256", "sha256=00")];
        let (status, said) = send(&house, path, &headers, good.clone()).await;
        assert_eq!(status, 401, "{path} {header}: {said}");
        assert!(said.contains("hook-unauthenticated") && !said.contains(token), "{said}");
    }
    let refused = house.json("/api/v1/activity?kind=delivery-refused").await;
    assert_eq!(refused.as_array().unwrap().len(), 1, "one a minute: {refused}");

    // To the byte, and packed.
    let mebibyte = 1 << 20;
    assert_eq!(send(&house, &address, &[], "x".repeat(mebibyte)).await.0, 202);
    assert_eq!(send(&house, &address, &[], "x".repeat(mebibyte + 1)).await.0, 413);
    let pack = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let gzip = [("content-encoding", "gzip")];
    assert_eq!(send(&house, &address, &gzip, pack(good.as_bytes())).await.0, 202);
    assert_eq!(send(&house, &address, &gzip, pack(&vec![0; mebibyte + 1])).await.0, 413);
    assert_eq!(send(&house, &address, &gzip, pack(&vec![0; 600 << 20])).await.0, 413);
    assert_eq!(send(&house, &address, &gzip, "not packed").await.0, 202);
    let evil = "<script>alert(1)</script>";
    let hostile = json!({"push_data": {"tag": evil, "pusher": evil}, "repository": {"repo_name": "a/b"}});
    let agent = [("user-agent", evil), ("cookie", "secret=1"), ("x-secret-token", "secret")];
    assert_eq!(send(&house, &address, &agent, hostile.to_string()).await.0, 202);

    let all = handled(&house, 4).await;
    let codes: Vec<_> = all.iter().map(code).collect();
    // Nobody has pushed that image; the webhook hears of it all the same.
    assert_eq!(codes, ["hook-no-json", "hook-gone", "hook-no-json", "hook-bad-tag"]);
    assert_eq!(outcome(&decided(&house, 1).await[0]), "webhook-tag-missed");
    let id = all[3]["id"].as_i64().unwrap();
    let kept = house.json(&format!("/api/v1/deliveries/{id}")).await;
    assert_eq!(kept["body"], hostile.to_string());
    assert!(!kept["headers"].to_string().contains("secret"), "{kept}");
    for page in [format!("/webhooks/deliveries/{id}"), "/webhooks/deliveries".into(), "/webhooks/base".into()]
    {
        let html = house.get(&page).await.text().await.unwrap();
        assert!(!html.contains(evil) && html.contains("&#60;script&#62;"), "{page}: {html}");
    }
    // Whoever may not change the webhook gets neither its token nor what came.
    let body = json!({"username": "minsu", "password": "a-long-walk-of-hemp"});
    assert_eq!(house.post("/api/v1/admin/users", body).await.0, 201);
    for (path, status) in [
        ("/api/v1/webhooks/docker/base", 200),
        ("/api/v1/webhooks/registry", 403),
        ("/api/v1/deliveries", 403),
        ("/api/v1/deliveries?webhook=base", 403),
        (&*format!("/api/v1/deliveries/{id}"), 404),
        ("/webhooks/base", 200),
    ] {
        let request = house.http.get(format!("{}{path}", house.url));
        let answer = request.basic_auth("minsu", Some("a-long-walk-of-hemp")).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        assert!(!answer.text().await.unwrap().contains(token), "{path}");
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_is_down_is_asked_again_and_nothing_is_lost() {
    let name = repository("down");
    push_image(&name, "1", "down").await;
    // Nobody listens there yet.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("http://127.0.0.1:{port}");
    let house = House::with(&[("registry", &address)]).await;
    prepared(&house, json!({"name": "base"}), "true").await;
    notify(&house, &[event("d1", "push", &name, "1")]).await;
    notify(&house, &[event("d2", "push", &name, "1")]).await;
    house
        .wait_for("a try in vain", |house| {
            let all = house.app.store.read(|c| ropewalk::store::deliveries::page(c, None, None, 10)).unwrap();
            (all.len() == 2 && all.iter().all(|one| !one.handled && one.tries > 0 && !one.outcome.is_empty()))
                .then_some(())
        })
        .await;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let relay = tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((mut from, _)) = listener.accept().await {
            connections.spawn(async move {
                let mut to = tokio::net::TcpStream::connect(REGISTRY).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
            });
        }
    });
    let all = handled(&house, 2).await;
    assert_eq!(all.iter().map(code).collect::<Vec<_>>(), ["hook-moved", "hook-moved"]);
    let all = decided(&house, 2).await;
    let outcomes: Vec<_> = all.iter().map(outcome).collect();
    assert_eq!(outcomes, ["trigger-started", "trigger-same-push"], "one push, told of twice");
    relay.abort();
    house.stop().await;
}

fn hub_payload(repository: &str, tag: &str, at: f64) -> String {
    let (namespace, name) = repository.split_once('/').unwrap();
    json!({"callback_url": "http://127.0.0.1:1/never", "push_data": {"pushed_at": at, "pusher": "jiwoo", "tag": tag},
        "repository": {"name": name, "namespace": namespace, "owner": namespace, "repo_name": repository,
            "date_created": 1.417494799e9, "is_private": true}})
    .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn docker_hub_payloads_and_signed_ones_start_runs_while_the_token_is_good() {
    let name = repository("hub");
    push_image(&name, "7", "hub").await;
    let house = House::start().await;
    let token_of = |answer: Value| answer["sha1"].as_str().unwrap().to_owned();
    let body = json!({"name": "ci", "scopes": ["write"], "scope": "write"});
    let api_token = token_of(house.post("/api/v1/users/admin/tokens", body).await.1);
    let made = prepared(
        &house,
        json!({"name": "base", "secretToken": "a-token-of-my-own-1", "refreshToken": api_token,
            "inputs": {"VERSION": "${DOCKER_TAG}"}}),
        "true",
    )
    .await;
    assert!(made["docker_hub_url"].as_str().unwrap().ends_with("?secureToken=a-token-of-my-own-1"));
    assert_eq!((&made["has_api_token"], &made["version"]), (&json!(true), &json!(1)));
    assert_eq!((&made["created_by"], &made["updated_by"]), (&json!("admin"), &json!("admin")));
    let address = format!("{HUB}?secureToken=a-token-of-my-own-1");
    let payload = hub_payload(&name, "7", 1.417566161e9);
    assert_eq!(send(&house, &address, &[], payload.clone()).await.0, 202);
    assert_eq!(send(&house, &address, &[], payload.clone()).await.0, 202);
    let all = handled(&house, 2).await;
    assert_eq!(all.iter().map(code).collect::<Vec<_>>(), ["hook-moved", "hook-twice"]);
    let first = &decided(&house, 1).await[0];
    assert_eq!((outcome(first), &first["outcomes"][0]["run_number"]), ("trigger-started", &json!(1)));

    // Sent again by a person it counts again; a dry run stores and starts nothing.
    let (status, again) = house.post(&format!("/api/v1/deliveries/{}/replay", all[0]["id"]), json!({})).await;
    assert_eq!((status, &again["replay_of"]), (202, &all[0]["id"]), "{again}");
    assert_eq!(outcome(&decided(&house, 2).await[1]), "trigger-started");
    let test = "/api/v1/webhooks/docker/base/test";
    let dry: Value = serde_json::from_str(&post_text(&house, test, payload).await).unwrap();
    assert_eq!(dry["images"][0]["would_start"], true, "{dry}");
    assert_eq!(dry["images"][0]["inputs"]["VERSION"], "7");
    assert!(dry["images"][0]["checks"].as_array().unwrap().len() >= 7, "{dry}");
    let dry: Value = serde_json::from_str(&post_text(&house, test, "<xml>".into()).await).unwrap();
    assert!(dry["message"].as_str().unwrap().contains("JSON"), "{dry}");
    assert_eq!(house.json("/api/v1/deliveries").await.as_array().unwrap().len(), 3);

    // Signed; and with a host that is not the webhook's.
    let body = json!({"image": format!("{REGISTRY}/{name}:7"), "id": "x"}).to_string();
    let other = json!({"image": "evil.example/a/b:1"}).to_string();
    for body in [&body, &other] {
        let signature = format!("sha256={}", hmac(b"a-token-of-my-own-1", body.as_bytes()));
        let headers = [("x-hub-signature-256", signature.as_str())];
        assert_eq!(send(&house, "/hooks/generic/base", &headers, body.clone()).await.0, 202);
        let bare = signature.trim_start_matches("sha256=").to_owned();
        let headers = [("x-gitea-signature", bare.as_str())];
        assert_eq!(send(&house, "/hooks/generic/base", &headers, body.clone()).await.0, 202);
    }
    let codes: Vec<_> = handled(&house, 7).await.iter().map(|one| code(one).to_owned()).collect();
    assert_eq!(codes[3..], ["hook-nothing-new", "hook-twice", "hook-other-host", "hook-other-host"]);
    assert_eq!(outcome(&decided(&house, 3).await[2]), "trigger-same-push");

    // The rights of the API token's owner count at the moment of use.
    let tokens = house.json("/api/v1/users/admin/tokens").await;
    let revoke = format!("{}/api/v1/users/admin/tokens/{}", house.url, tokens[0]["id"]);
    let gone =
        house.http.delete(revoke).basic_auth("admin", Some(crate::kit::PASSWORD)).send().await.unwrap();
    assert_eq!(gone.status(), 204);
    assert_eq!(send(&house, &address, &[], hub_payload(&name, "7", 2.0)).await.0, 202);
    assert_eq!(outcome(&decided(&house, 4).await[3]), "webhook-token-bad");

    // A new token ends the old one; Docker Hub itself is not asked, as it is not configured.
    let (_, rotated) = house.post("/api/v1/webhooks/docker/base/rotate", json!({})).await;
    assert_eq!(send(&house, &address, &[], "{}").await.0, 401);
    let (status, said) = house
        .patch(
            "/api/v1/webhooks/docker/base",
            json!({"serverType": "DockerHub", "api_token": "", "version": 99}),
        )
        .await;
    assert_eq!((status, &said["error"]["code"]), (409, &json!("webhook-changed")));
    let change = json!({"serverType": "DockerHub", "api_token": "", "version": rotated["version"]});
    assert_eq!(house.patch("/api/v1/webhooks/docker/base", change).await.0, 200);
    let address = format!("{HUB}?secureToken={}", rotated["secret_token"].as_str().unwrap());
    let official =
        json!({"push_data": {"tag": "1"}, "repository": {"repo_name": "busybox", "owner": "library"}});
    assert_eq!(send(&house, &address, &[], official.to_string()).await.0, 202);
    assert_eq!(code(&handled(&house, 9).await[8]), "hook-not-asked");
    let last = &decided(&house, 5).await[4];
    assert_eq!(
        (&last["happened"]["image"]["repository"], outcome(last)),
        (&json!("library/busybox"), "trigger-started")
    );
    for (body, code) in [
        (json!({"name": "x", "image_pattern": "a(b"}), "webhook-pattern-at"),
        (json!({"name": "x y"}), "webhook-name"),
        (json!({"name": "base"}), "webhook-exists"),
        (json!({"name": "x", "secret_token": "short"}), "webhook-token-form"),
        (json!({"name": "x", "pipeline": "admin/no/pipeline"}), "webhook-pipeline-missing"),
        (json!({"name": "x", "api_token": "rw_0000"}), "webhook-token-bad"),
        (json!({"name": "x", "endpoint": "nowhere"}), "webhook-no-endpoint"),
        (json!({"name": "x", "serverType": "Quay"}), "webhook-server-type"),
    ] {
        let (status, said) = house.post("/api/v1/webhooks/docker", body).await;
        assert!(matches!(status, 409 | 422), "{said}");
        assert_eq!(said["error"]["code"], code, "{said}");
    }
    house.stop().await;
}

/// What a browser sends; the answer's status, where it leads, and its page.
async fn form(house: &House, path: &str, fields: &[(&str, &str)]) -> (u16, String, String) {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = house.http.post(format!("{}{path}", house.url)).body(body);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let answer = request.basic_auth("admin", Some(crate::kit::PASSWORD)).send().await.unwrap();
    let place = answer.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
    (answer.status().as_u16(), place.unwrap_or_default(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_makes_changes_tries_and_deletes_a_trigger_in_the_dashboard() {
    let (house, _) = house_with(json!({"name": "other"}), "true").await;
    let good = [
        ("name", "by-hand"),
        ("pipeline", "admin/images/on-image"),
        ("server_type", "Distribution"),
        ("tag_pattern", "v.*"),
        ("inputs", "VERSION=${DOCKER_TAG}\r\n"),
    ];
    let (status, _, page) =
        form(&house, "/webhooks/new", &[("name", "x"), ("server_type", "DockerHub"), ("tag_pattern", "v(")])
            .await;
    assert!(
        status == 422 && page.contains("is wrong at its character 2") && page.contains("value=\"v(\""),
        "{page}"
    );
    let (status, place, _) = form(&house, "/webhooks/new", &good).await;
    assert_eq!((status, place.as_str()), (303, "/webhooks/by-hand"));
    let made = house.json("/api/v1/webhooks/docker/by-hand").await;
    assert_eq!((&made["enabled"], &made["inputs"]["VERSION"]), (&json!(false), &json!("${DOCKER_TAG}")));
    let page = house.get("/webhooks/by-hand/edit").await.text().await.unwrap();
    assert!(
        page.contains("VERSION=${DOCKER_TAG}") && page.contains("name=\"version\" value=\"1\""),
        "{page}"
    );
    let mut change = good.to_vec();
    change.extend([("enabled", "true"), ("version", "1")]);
    assert_eq!(form(&house, "/webhooks/by-hand/edit", &change).await.0, 303);
    assert_eq!(form(&house, "/webhooks/by-hand/edit", &change).await.0, 409, "somebody changed it meanwhile");

    let payload = json!({"repository": "<b>/api", "tag": "1"}).to_string();
    let (status, _, page) = form(&house, "/webhooks/by-hand/test", &[("payload", &payload)]).await;
    assert!(status == 200 && !page.contains("<b>") && page.contains("Nobody here knows"), "{page}");
    let payload = json!({"repository": "a/api", "tag": "1"}).to_string();
    let (_, _, page) = form(&house, "/webhooks/by-hand/test", &[("payload", &payload)]).await;
    assert!(page.contains("No run would start.") && page.contains("The tag filter missed"), "{page}");
    let payload = json!({"repository": "a/api", "tag": "v1"}).to_string();
    let (_, _, page) = form(&house, "/webhooks/by-hand/test", &[("payload", &payload)]).await;
    assert!(page.contains("No run would start.") && page.contains("The registry has no such tag"), "{page}");
    let name = repository("by-hand");
    push_image(&name, "v1", "by hand").await;
    let payload = json!({"repository": name, "tag": "v1"}).to_string();
    let (_, _, page) = form(&house, "/webhooks/by-hand/test", &[("payload", &payload)]).await;
    assert!(page.contains("A run would start.") && page.contains("DOCKER_IMAGE_REF"), "{page}");
    assert_eq!(house.json("/api/v1/deliveries").await, json!([]));

    let before = house.json("/api/v1/webhooks/docker/by-hand").await["secret_token"].clone();
    assert_eq!(form(&house, "/webhooks/by-hand/rotate", &[]).await.0, 303);
    assert_ne!(house.json("/api/v1/webhooks/docker/by-hand").await["secret_token"], before);
    notify(&house, &[event("p1", "push", "a/api", "v1")]).await;
    let first = handled(&house, 1).await[0]["id"].clone();
    let (status, place, _) = form(&house, &format!("/webhooks/deliveries/{first}/replay"), &[]).await;
    assert_eq!(status, 303);
    assert!(house.get(&place).await.text().await.unwrap().contains(&format!("#{first}")));
    let list = house.get("/webhooks").await.text().await.unwrap();
    assert!(list.contains("by-hand") && list.contains("/hooks/registry"), "{list}");
    assert_eq!(form(&house, "/webhooks/by-hand/delete", &[]).await.1, "/webhooks");
    assert_eq!(house.get("/webhooks/by-hand").await.status(), 404);
    house.stop().await;
}

async fn post_text(house: &House, path: &str, body: String) -> String {
    let request =
        house.http.post(format!("{}{path}", house.url)).basic_auth("admin", Some(crate::kit::PASSWORD));
    request.body(body).send().await.unwrap().text().await.unwrap()
}

/// As a sender makes it, independent of the server's own.
pub fn hmac(key: &[u8], body: &[u8]) -> String {
    let mut block = [0u8; 64];
    block[..key.len()].copy_from_slice(key);
    let inner = Sha256::new().chain_update(block.map(|b| b ^ 0x36)).chain_update(body).finalize();
    let outer = Sha256::new().chain_update(block.map(|b| b ^ 0x5c)).chain_update(inner).finalize();
    outer.iter().map(|b| format!("{b:02x}")).collect()
}
