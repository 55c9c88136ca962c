//! Every sender's sample, and what nobody sends. The samples are our own, after what `docs/reference/docker-triggers.md`
//! names for each.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::{is_repository, is_tag};

type Headers = &'static [(&'static str, &'static str)];

const DIGEST: &str = "sha256:abababababababababababababababababababababababababababababababab";
const ZOT: Headers = &[
    ("content-type", "application/json"),
    ("ce-specversion", "1.0"),
    ("ce-type", "zotregistry.image.updated"),
    ("ce-id", "9a1c"),
    ("ce-source", "zotregistry.dev"),
];
const ZOT_DELETED: Headers = &[("ce-type", "zotregistry.image.deleted"), ("ce-id", "9a1d")];
const ZOT_LINT: Headers = &[("ce-type", "zotregistry.image.lint_failed"), ("ce-id", "9a1e")];
const NEXUS: Headers =
    &[("x-nexus-webhook-id", "rm:repository:component"), ("x-nexus-webhook-delivery", "7f4a")];
const FORGEJO: Headers =
    &[("x-github-event", "push"), ("x-gitea-event", "push"), ("x-forgejo-event", "push")];
const GITHUB_PING: Headers = &[("x-github-event", "ping"), ("x-github-delivery", "72d3")];
const ISSUES: Headers = &[("x-gitea-event", "issues")];
const GITLAB: Headers = &[("x-gitlab-event", "Push Hook")];

macro_rules! sample {
    ($name:literal) => {
        ($name, include_str!(concat!("../../../tests/samples/hooks/", $name, ".json")))
    };
}

fn owned(headers: Headers) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn read(headers: Headers, body: &str) -> Reading {
    read_delivery(&owned(headers), body.as_bytes())
}

fn notices(value: Value) -> (Vec<Notice>, usize) {
    match read(&[], &value.to_string()) {
        Reading::Notices { notices, skipped } => (notices, skipped),
        Reading::Unknown(message) => panic!("{message}"),
    }
}

fn says(headers: Headers, body: &str) -> Message {
    match read(headers, body) {
        Reading::Unknown(message) => message,
        known => panic!("{known:?}"),
    }
}

fn code(body: &str) -> String {
    says(&[], body).key.to_string()
}

/// What a sample of a push or deletion says beyond `team/app:1.0`.
struct Image {
    pushed: bool,
    digest: bool,
    owner: &'static str,
    /// Whether the sender's event can be told from its others.
    keyed: bool,
    at: bool,
}

const WHOLE: Image = Image { pushed: true, digest: true, owner: "yuna", keyed: true, at: true };

#[test]
fn of_every_registry_a_push_of_a_tag_is_read() {
    let all: [((&str, &str), Headers, Image); 23] = [
        (sample!("distribution-push"), &[], WHOLE),
        (sample!("distribution-mixed-case"), &[], WHOLE),
        (sample!("distribution-octet-stream"), &[], WHOLE),
        (sample!("distribution-delete"), &[], Image { pushed: false, ..WHOLE }),
        (sample!("harbor-push"), &[], WHOLE),
        (sample!("harbor-delete"), &[], Image { pushed: false, ..WHOLE }),
        (sample!("harbor-cloudevent"), &[], WHOLE),
        (sample!("zot-structured"), &[], Image { owner: "", ..WHOLE }),
        (sample!("zot-binary"), ZOT, Image { owner: "", at: false, ..WHOLE }),
        (sample!("zot-binary"), ZOT_DELETED, Image { pushed: false, owner: "", at: false, ..WHOLE }),
        (sample!("zot-binary"), &[], Image { owner: "", at: false, keyed: false, ..WHOLE }),
        (sample!("nexus-component"), NEXUS, Image { digest: false, ..WHOLE }),
        (sample!("nexus-component"), &[], Image { digest: false, ..WHOLE }),
        (sample!("artifactory-pushed"), &[], Image { owner: "", keyed: false, at: false, ..WHOLE }),
        (sample!("gitea-package"), &[], Image { digest: false, ..WHOLE }),
        (sample!("github-package"), &[("x-github-delivery", "72d3")], WHOLE),
        (sample!("github-registry-package"), &[("x-github-delivery", "72d4")], WHOLE),
        (sample!("azure-push"), &[], Image { owner: "", ..WHOLE }),
        (sample!("azure-event-grid"), &[], Image { owner: "", ..WHOLE }),
        (sample!("ecr-push"), &[], Image { owner: "", ..WHOLE }),
        (sample!("ecr-through-sns"), &[], Image { owner: "", ..WHOLE }),
        (sample!("mirantis-tag-push"), &[], WHOLE),
        (sample!("docker-hub-push"), &[], Image { digest: false, ..WHOLE }),
    ];
    for ((name, body), headers, image) in all {
        let Reading::Notices { notices, skipped: 0 } = read(headers, body) else {
            panic!("{name}: {:?}", read(headers, body));
        };
        assert_eq!(notices.len(), 1, "{name}");
        let one = &notices[0];
        let repository = match name {
            "artifactory-pushed" => "docker-local/team/app",
            _ => "team/app",
        };
        assert_eq!((one.repository.as_str(), one.tag.as_str()), (repository, "1.0"), "{name}");
        let digest = one.digest.as_ref().map(|digest| digest.as_str());
        assert_eq!(digest, image.digest.then_some(DIGEST), "{name}");
        assert_eq!((one.pushed, one.owner.as_str()), (image.pushed, image.owner), "{name}");
        assert_eq!((one.key.is_some(), one.pushed_at.is_some()), (image.keyed, image.at), "{name}");
        // Whose host it is says the trigger that the token belongs to: a registry may call itself otherwise.
        assert_eq!(one.host, None, "{name}");
        // The same again is the same event.
        assert_eq!(read(headers, body), Reading::Notices { notices, skipped: 0 }, "{name}");
    }
}

#[test]
fn where_an_image_may_stand_in_two_places_both_are_named() {
    for ((name, body), places) in [
        (sample!("artifactory-pushed"), ("docker-local/team/app", "team/app")),
        (sample!("nexus-component"), ("team/app", "docker-hosted/team/app")),
    ] {
        let Reading::Notices { notices, .. } = read(&[], body) else { panic!("{name}") };
        assert_eq!(
            (notices[0].repository.as_str(), notices[0].elsewhere.as_deref()),
            (places.0, Some(places.1))
        );
    }
}

#[test]
fn one_payload_of_quay_may_be_about_several_tags() {
    let Reading::Notices { notices, skipped: 0 } = read(&[], sample!("quay-push").1) else { panic!() };
    let tags: Vec<_> = notices.iter().map(|one| (one.repository.as_str(), one.tag.as_str())).collect();
    assert_eq!(tags, [("team/app", "1.0"), ("team/app", "latest")]);
    let old = json!({"docker_url": "quay.example/a/b", "repository": "a/b", "updated_tags": {"x": "b750"}});
    assert_eq!(self::notices(old).0[0].tag, "x");
    let many: Vec<_> = (0..200).map(|n| n.to_string()).collect();
    let many = json!({"docker_url": "quay.example/a/b", "repository": "a/b", "updated_tags": many});
    let (found, skipped) = self::notices(many);
    assert_eq!((found.len(), skipped), (MOST, 100));
}

/// A sample, its headers, the message's key and words that it must have.
type Told = ((&'static str, &'static str), Headers, &'static str, &'static [&'static str]);

#[test]
fn what_is_about_no_image_that_was_pushed_is_told_what_it_is() {
    let all: [Told; 27] = [
        (sample!("distribution-by-digest"), &[], "hook-untagged", &["Distribution"]),
        (sample!("distribution-artifact"), &[], "hook-no-image", &["oci.artifact.manifest"]),
        (sample!("distribution-layer"), &[], "hook-no-image", &["octet-stream"]),
        (sample!("distribution-signature"), &[], "hook-attachment", &[".sig"]),
        (sample!("harbor-by-digest"), &[], "hook-untagged", &["Harbor"]),
        (sample!("harbor-scan"), &[], "hook-other-event", &["Harbor", "SCANNING_COMPLETED"]),
        (sample!("harbor-replication"), &[], "hook-other-event", &["Harbor", "REPLICATION"]),
        (sample!("zot-binary"), ZOT_LINT, "hook-other-event", &["zot", "lint_failed"]),
        (sample!("quay-build"), &[], "hook-other-event", &["Quay", "build"]),
        (sample!("nexus-maven"), NEXUS, "hook-other-package", &["Nexus", "maven2"]),
        (sample!("nexus-asset"), &[], "hook-other-event", &["Nexus", "asset CREATED"]),
        (sample!("artifactory-deployed"), &[], "hook-other-event", &["Artifactory", "artifact deployed"]),
        (sample!("gitea-package-npm"), &[], "hook-other-package", &["Gitea", "npm"]),
        (sample!("gitea-package-by-digest"), &[], "hook-untagged", &["Gitea"]),
        (sample!("gitea-push"), &[], "hook-git-push", &["Gitea", "team/app"]),
        (sample!("gitea-push"), FORGEJO, "hook-git-push", &["Forgejo", "team/app"]),
        (sample!("gitea-push"), ISSUES, "hook-other-event", &["Gitea", "issues"]),
        (sample!("github-package-untagged"), &[], "hook-untagged", &["GitHub"]),
        (sample!("github-ping"), &[], "hook-other-event", &["GitHub", "ping"]),
        (sample!("github-ping"), GITHUB_PING, "hook-other-event", &["GitHub", "ping"]),
        (sample!("gitlab-push"), &[], "hook-git-push", &["GitLab", "team/app"]),
        (sample!("gitlab-push"), GITLAB, "hook-git-push", &["GitLab", "team/app"]),
        (sample!("azure-delete"), &[], "hook-other-event", &["Azure", "delete"]),
        (sample!("azure-chart"), &[], "hook-other-event", &["Azure", "chart_push"]),
        (sample!("azure-ping"), &[], "hook-other-event", &["Azure", "ping"]),
        (sample!("ecr-failure"), &[], "hook-other-event", &["ECR", "PUSH FAILURE"]),
        (sample!("ecr-scan"), &[], "hook-other-event", &["ECR", "ECR Image Scan"]),
    ];
    let more: [Told; 2] = [
        (sample!("mirantis-scan"), &[], "hook-other-event", &["Trusted Registry", "SCAN_COMPLETED"]),
        (sample!("docker-hub-without-tag"), &[], "hook-no-tag", &[]),
    ];
    for ((name, body), headers, key, words) in all.into_iter().chain(more) {
        let message = says(headers, body);
        assert_eq!(message.key, key, "{name}");
        let said = format!("{message:?}");
        assert!(words.iter().all(|word| said.contains(word)), "{name}: {said}");
    }
}

#[test]
fn of_an_envelope_only_tags_that_were_pushed_or_deleted_count() {
    let event = |id: &str, action: &str, media_type: &str, tag: Option<&str>| {
        let mut target = json!({"mediaType": media_type, "repository": "numbers/api", "digest": DIGEST});
        if let Some(tag) = tag {
            target["tag"] = tag.into();
        }
        json!({"id": id, "timestamp": "2026-11-20T12:00:00.123456789Z", "action": action, "target": target,
            "actor": {"name": "yuna\u{7}"}, "request": {}, "source": {}})
    };
    let v2 = "application/vnd.docker.distribution.manifest.v2+json";
    let (found, skipped) = notices(json!({"events": [
        event("1", "push", "application/octet-stream", None),
        event("2", "push", v2, None),
        event("3", "push", "application/vnd.oci.image.index.v1+json", Some("1.2")),
        event("4", "pull", v2, Some("1.2")),
        event("5", "delete", "", Some("old")),
        event("6", "push", "application/vnd.docker.distribution.manifest.v1+prettyjws", Some("v1")),
        event("7", "push", v2, Some("../etc")),
        json!(null), json!("x"), json!({"action": 1}),
    ]}));
    let short: Vec<_> = found.iter().map(|n| (n.pushed, n.tag.as_str())).collect();
    assert_eq!((short, skipped), (vec![(true, "1.2"), (false, "old"), (true, "v1")], 7));
    assert_eq!(found[0].owner, "yuna");
    assert_ne!(found[0].key, found[1].key);
    let many = (0..200).map(|n| event(&n.to_string(), "push", v2, Some("x"))).collect::<Vec<_>>();
    assert_eq!(notices(json!({"events": many})).0.len(), MOST);
    assert_eq!(notices(json!({"events": []})), (vec![], 0));
}

#[test]
fn payloads_of_docker_hub_are_read_as_they_really_come() {
    let full = json!({"push_data": {"pushed_at": 1.417566161e9, "pusher": "trustedbuilder", "tag": "latest"},
        "repository": {"name": "testhook", "namespace": "sven", "owner": "sven", "repo_name": "sven/testhook"}});
    let found = &notices(full.clone()).0[0];
    assert_eq!((found.repository.as_str(), found.tag.as_str()), ("sven/testhook", "latest"));
    assert_eq!(found.owner, "trustedbuilder");
    let mut whole = full.clone();
    whole["push_data"]["pushed_at"] = 1_417_566_161.into();
    assert_eq!(notices(whole).0[0].key, found.key);
    let official =
        json!({"push_data": {"tag": "1"}, "repository": {"repo_name": "busybox", "owner": "library"}});
    let found = &notices(official).0[0];
    assert_eq!((found.repository.as_str(), found.owner.as_str(), &found.key), ("busybox", "library", &None));
    let parts = json!({"push_data": {"tag": "1"}, "repository": {"namespace": "a", "name": "b"}});
    assert_eq!(notices(parts).0[0].repository, "a/b");
    assert_eq!(code(r#"{"push_data":{},"repository":{"repo_name":"a/b"}}"#), "hook-no-tag");
    assert_eq!(code(r#"{"push_data":{"tag":"1"}}"#), "hook-no-repository");
    assert_eq!(code(r#"{"push_data":{"tag":"<b>"},"repository":{"repo_name":"a"}}"#), "hook-bad-tag");
    assert_eq!(code(r#"{"push_data":{"tag":"1"},"repository":{"repo_name":"../a"}}"#), "hook-bad-repository");
}

#[test]
fn everything_else_has_a_plain_form_or_is_unknown() {
    let found = &notices(json!({"image": "registry.local:5000/a/b:1", "owner": "yuna"})).0[0];
    assert_eq!((found.host.as_deref(), found.tag.as_str()), (Some("registry.local:5000"), "1"));
    assert_eq!(notices(json!({"repository": "a/b", "tag": "2"})).0[0].tag, "2");
    // As a form, whatever its type is called; after a byte order mark; not about an image.
    for body in [
        "payload=%7B%22image%22%3A%22a%2Fb%3A1%22%7D",
        "x=1&payload={\"image\":\"a/b:1\"}",
        "\u{feff} {\"image\":\"a/b:1\"}\n",
    ] {
        let Reading::Notices { notices, .. } = read(&[], body) else { panic!("{body}") };
        assert_eq!((notices[0].repository.as_str(), notices[0].tag.as_str()), ("a/b", "1"));
    }
    for (body, key) in [
        ("", "hook-empty-body"),
        (" \r\n", "hook-empty-body"),
        ("<xml>", "hook-no-json"),
        ("payload=", "hook-no-json"),
        ("other=1", "hook-no-json"),
        ("[]", "hook-unknown-body"),
        ("[1]", "hook-unknown-body"),
        ("{}", "hook-unknown-body"),
        (r#"{"repository":{"name":"b"}}"#, "hook-unknown-body"),
        (r#"{"image":"a/b"}"#, "hook-no-tag"),
        (r#"{"image":"A B"}"#, "hook-unknown-body"),
        (r#"{"events":{}}"#, "hook-unknown-body"),
        (r#"{"name":"a","reference":"1","digest":"x","mediaType":"y"}"#, "hook-unknown-body"),
    ] {
        assert_eq!(code(body), key, "{body}");
    }
    assert_eq!(code(&"[".repeat(100_000)), "hook-no-json");
    assert_eq!(code(&format!("payload={}", "[".repeat(100_000))), "hook-no-json");
}

const WORDS: [&str; 66] = [
    "events",
    "push_data",
    "repository",
    "repo_name",
    "tag",
    "target",
    "action",
    "push",
    "image",
    "id",
    "mediaType",
    "name",
    "pushed_at",
    "type",
    "event_data",
    "resources",
    "resource_url",
    "digest",
    "PUSH_ARTIFACT",
    "occur_at",
    "operator",
    "repo_full_name",
    "namespace",
    "specversion",
    "data",
    "harbor.artifact.pushed",
    "source",
    "zotregistry.image.updated",
    "reference",
    "manifest",
    "docker_url",
    "updated_tags",
    "repositoryName",
    "component",
    "format",
    "docker",
    "version",
    "CREATED",
    "domain",
    "event_type",
    "pushed",
    "repo_key",
    "image_name",
    "sha256",
    "package",
    "registry_package",
    "package_version",
    "container_metadata",
    "package_url",
    "container",
    "owner",
    "login",
    "published",
    "timestamp",
    "eventType",
    "Microsoft.ContainerRegistry.ImagePushed",
    "aws.ecr",
    "detail-type",
    "ECR Image Action",
    "detail",
    "Type",
    "TopicArn",
    "Message",
    "contents",
    "TAG_PUSH",
    "ref",
];

fn any_json() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(WORDS.to_vec());
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        words.clone().prop_map(Value::from),
        Just(Value::from(DIGEST)),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((words.clone(), inner), 0..7)
                .prop_map(|pairs| pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

/// One value somewhere in a sample becomes another, or goes.
fn altered(value: &mut Value, place: &mut usize, with: &Option<Value>) {
    match value {
        Value::Object(fields) => {
            let names: Vec<String> = fields.keys().cloned().collect();
            for name in names {
                if *place == 0 {
                    *place = usize::MAX;
                    match with {
                        Some(with) => fields.insert(name, with.clone()),
                        None => fields.remove(&name),
                    };
                    return;
                }
                *place = place.saturating_sub(1);
                if let Some(inner) = fields.get_mut(&name) {
                    altered(inner, place, with);
                }
            }
        }
        Value::Array(all) => all.iter_mut().for_each(|one| altered(one, place, with)),
        _ => {}
    }
}

fn names_are_good(reading: Reading) {
    if let Reading::Notices { notices, .. } = reading {
        assert!(notices.len() <= MOST);
        for notice in notices {
            assert!(is_repository(&notice.repository) && is_tag(&notice.tag));
            assert!(notice.elsewhere.is_none_or(|other| is_repository(&other)));
            assert!(!notice.owner.contains(char::is_control));
        }
    }
}

proptest! {
    #[test]
    fn no_json_makes_it_panic_and_names_are_always_good(value in any_json(), typed in any::<bool>()) {
        names_are_good(read(if typed { ZOT } else { &[] }, &value.to_string()));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        names_are_good(read_delivery(&owned(ZOT), &bytes));
    }

    #[test]
    fn samples_with_something_else_in_them_are_read_or_refused(
        (which, mut place, with) in (0..9usize, 0..30usize, prop::option::of(any_json())),
    ) {
        let all = [
            sample!("distribution-push"), sample!("harbor-push"), sample!("harbor-cloudevent"), sample!("zot-binary"),
            sample!("nexus-component"), sample!("artifactory-pushed"), sample!("gitea-package"),
            sample!("github-package"), sample!("ecr-push"),
        ];
        let mut value: Value = serde_json::from_str(all[which].1).unwrap();
        altered(&mut value, &mut place, &with);
        names_are_good(read(&[], &value.to_string()));
    }
}
