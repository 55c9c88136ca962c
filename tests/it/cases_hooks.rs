//! What registries and Git hosts send, through the front door: each is read, or told what it is. The registry that is
//! asked is the real one.

use serde_json::{Value, json};

use crate::hooks::{hmac, push_image, repository};
use crate::kit::House;

const HUB: &str = "/pipelines/api/docker-hub-webhooks";
const DIGITS: &str = "abababababababababababababababababababababababababababababababab";

macro_rules! sample {
    ($name:literal) => {
        ($name, include_str!(concat!("../samples/hooks/", $name, ".json")))
    };
}

type Headers = &'static [(&'static str, &'static str)];

/// The sample, about an image that is there.
fn about(sample: &str, repository: &str, digest: &str) -> String {
    let (namespace, name) = repository.split_once('/').unwrap();
    let upper = |text: &str| format!("{}{}", text[..1].to_uppercase(), &text[1..]);
    let quoted = |text: &str| format!("\"{text}\"");
    sample
        .replace(DIGITS, digest.trim_start_matches("sha256:"))
        .replace("Team/App", &format!("{}/{}", upper(namespace), upper(name)))
        .replace("Team/app", &format!("{}/{name}", upper(namespace)))
        .replace("team/app", repository)
        .replace(&quoted("Team"), &quoted(&upper(namespace)))
        .replace(&quoted("App"), &quoted(&upper(name)))
        .replace(&quoted("team"), &quoted(namespace))
        .replace(&quoted("app"), &quoted(name))
}

async fn send(house: &House, path: &str, headers: &[(&str, &str)], body: String) -> u16 {
    let mut request = house.http.post(format!("{}{path}", house.url)).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap().status().as_u16()
}

/// What came of the newest of so many deliveries.
async fn newest(house: &House, count: usize) -> Value {
    house
        .wait_for("the delivery to be handled", |house| {
            let all =
                house.app.store.read(|c| ropewalk::store::deliveries::page(c, None, None, 1000)).unwrap();
            (all.len() >= count && all.iter().all(|one| one.handled)).then_some(())
        })
        .await;
    house.json("/api/v1/deliveries?limit=1").await[0].clone()
}

/// The images that triggers were told of, newest first.
async fn announced(house: &House) -> Vec<Value> {
    let all = house.json("/api/v1/activity?kind=image-announced&limit=100").await;
    all.as_array().unwrap().iter().map(|event| event["happened"]["image"].clone()).collect()
}

/// A trigger that tells of what it hears and starts nothing; where to send to.
async fn listening(house: &House, name: &str) -> String {
    let form = json!({"name": name, "enabled": false, "secret_token": "a-token-of-my-own-1"});
    let (status, made) = house.post("/api/v1/webhooks/docker", form).await;
    assert_eq!(status, 201, "{made}");
    format!("{HUB}?secureToken=a-token-of-my-own-1")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_is_heard_from_every_registry() {
    let zot: Headers =
        &[("ce-type", "zotregistry.image.updated"), ("ce-id", "1"), ("ce-source", "zotregistry.dev")];
    let all: [((&str, &str), Headers, &str); 18] = [
        (sample!("distribution-push"), &[], "yuna"),
        (sample!("distribution-mixed-case"), &[], "yuna"),
        (sample!("distribution-octet-stream"), &[], "yuna"),
        (sample!("harbor-push"), &[], "yuna"),
        (sample!("harbor-cloudevent"), &[("content-type", "application/cloudevents+json")], "yuna"),
        (sample!("zot-binary"), zot, ""),
        (sample!("zot-structured"), &[("content-type", "application/cloudevents+json")], ""),
        (sample!("nexus-component"), &[("x-nexus-webhook-delivery", "1")], "yuna"),
        (sample!("artifactory-pushed"), &[], ""),
        (sample!("gitea-package"), &[("x-gitea-event", "package"), ("x-gitea-delivery", "1")], "yuna"),
        (sample!("github-package"), &[("x-github-event", "package"), ("x-github-delivery", "2")], "yuna"),
        (sample!("github-registry-package"), &[("x-github-event", "registry_package")], "yuna"),
        (sample!("azure-push"), &[], ""),
        (sample!("azure-event-grid"), &[], ""),
        (sample!("ecr-push"), &[], ""),
        (sample!("ecr-through-sns"), &[("content-type", "text/plain")], ""),
        (sample!("mirantis-tag-push"), &[], "yuna"),
        (sample!("docker-hub-push"), &[], "yuna"),
    ];
    let house = House::start().await;
    let address = listening(&house, "senders").await;
    for (n, ((sample, body), headers, owner)) in all.into_iter().enumerate() {
        // Each has an image of its own, so that no other case answers for it.
        let name = repository(&format!("senders-{n}"));
        let digest = push_image(&name, "1.0", sample).await;
        // Some samples have the same ids, as the same sender would not.
        let body = about(body, &name, &digest)
            .replace("5f6d", &format!("5f6d{n}"))
            .replace("13cd", &format!("13cd{n}"));
        let body = body.replace("cb8c", &format!("cb8c{n}"));
        assert_eq!(send(&house, &address, headers, body).await, 202, "{sample}");
        let told = newest(&house, n + 1).await;
        let heard = announced(&house).await;
        assert_eq!(heard.len(), n + 1, "{sample}: {told}");
        let wanted = (json!(name), json!("1.0"), json!(digest), json!(owner));
        let image = &heard[0];
        let found = (&image["repository"], &image["tag"], &image["digest"], &image["owner"]);
        assert_eq!(found, (&wanted.0, &wanted.1, &wanted.2, &wanted.3), "{sample}: {image}");
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_push_of_an_image_starts_nothing_and_is_told_what_it_is() {
    let all: [((&str, &str), Headers, &str); 16] = [
        (("nothing", ""), &[], "hook-empty-body"),
        (sample!("distribution-by-digest"), &[], "hook-untagged"),
        (sample!("distribution-artifact"), &[], "hook-no-image"),
        (sample!("distribution-signature"), &[], "hook-attachment"),
        (sample!("harbor-by-digest"), &[], "hook-untagged"),
        (sample!("harbor-replication"), &[], "hook-other-event"),
        (sample!("quay-build"), &[], "hook-other-event"),
        (sample!("nexus-maven"), &[], "hook-other-package"),
        (sample!("gitea-package-npm"), &[("x-gitea-event", "package")], "hook-other-package"),
        (sample!("gitea-push"), &[("x-gitea-event", "push")], "hook-git-push"),
        (sample!("gitea-push"), &[], "hook-git-push"),
        (sample!("gitlab-push"), &[], "hook-git-push"),
        (sample!("github-ping"), &[("x-github-event", "ping")], "hook-other-event"),
        (sample!("azure-ping"), &[], "hook-other-event"),
        (sample!("ecr-failure"), &[], "hook-other-event"),
        (sample!("docker-hub-without-tag"), &[], "hook-no-tag"),
    ];
    let house = House::start().await;
    let address = listening(&house, "others").await;
    for (n, ((sample, body), headers, code)) in all.into_iter().enumerate() {
        assert_eq!(send(&house, &address, headers, body.to_owned()).await, 202, "{sample}");
        let told = newest(&house, n + 1).await;
        assert_eq!(told["outcomes"][0]["code"], code, "{sample}: {told}");
    }
    assert!(announced(&house).await.is_empty());
    let git = house.json("/api/v1/deliveries?limit=100").await;
    assert!(git.to_string().contains("This is a git push hook of Gitea for team/app"), "{git}");

    // A dry run reads as the door does: also what stands in headers.
    let test = format!("{}/api/v1/webhooks/docker/others/test", house.url);
    let request = house.http.post(test).basic_auth("admin", Some(crate::kit::PASSWORD));
    let request = request.header("ce-type", "zotregistry.image.deleted");
    let dry: Value = request.body(sample!("zot-binary").1).send().await.unwrap().json().await.unwrap();
    assert!(dry["images"][0]["checks"].to_string().contains("webhook-deleted-tag"), "{dry}");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_several_tags_and_images_below_a_repository_are_found() {
    let name = repository("forms");
    let house = House::start().await;
    let address = listening(&house, "forms").await;

    // As a form: Gitea signs what is in it, GitHub the form.
    let digest = push_image(&name, "1", "form").await;
    let inner = json!({"image": format!("registry.local:5000/{name}:1")}).to_string();
    let body = url::form_urlencoded::Serializer::new(String::new()).append_pair("payload", &inner).finish();
    let key = b"a-token-of-my-own-1";
    for (signed, status) in [(inner.as_str(), 202), (body.as_str(), 202), ("other", 401)] {
        let signature = format!("sha256={}", hmac(key, signed.as_bytes()));
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("x-hub-signature-256", signature.as_str()),
        ];
        assert_eq!(send(&house, "/hooks/generic/forms", &headers, body.clone()).await, status, "{signed}");
    }
    newest(&house, 2).await;
    assert_eq!(announced(&house).await[0]["digest"], digest.as_str());

    // Quay tells of all tags that a push moved.
    let before = announced(&house).await.len();
    let name = repository("forms-quay");
    let both = [push_image(&name, "1.0", "a").await, push_image(&name, "latest", "b").await];
    assert_eq!(send(&house, &address, &[], about(sample!("quay-push").1, &name, &both[0])).await, 202);
    newest(&house, 3).await;
    let heard = announced(&house).await;
    assert_eq!(heard.len(), before + 2, "{heard:?}");
    let found: Vec<_> = heard[..2].iter().rev().map(|image| (&image["tag"], &image["digest"])).collect();
    assert_eq!(found, [(&json!("1.0"), &json!(both[0])), (&json!("latest"), &json!(both[1]))]);

    // Nexus behind one address has the name of its repository in the path.
    let name = repository("forms-nexus");
    let place = format!("docker-hosted/{name}");
    let digest = push_image(&place, "1.0", "c").await;
    assert_eq!(send(&house, &address, &[], about(sample!("nexus-component").1, &name, &digest)).await, 202);
    newest(&house, 4).await;
    let heard = announced(&house).await;
    assert_eq!((&heard[0]["repository"], &heard[0]["digest"]), (&json!(place), &json!(digest)), "{heard:?}");
    house.stop().await;
}
