//! The bodies that registries send: Distribution's notifications, Docker Hub's payloads, and a plain form for
//! everything else. Read leniently, because senders differ; every name that is handed out was checked. Pure.

use jiff::Timestamp;
use serde_json::Value;

use crate::model::{Digest, ImageReference, Message, Notice, Reading, Secret, is_repository, is_tag};
use crate::msg;

/// Most notices of one delivery that are followed up; Distribution sends one.
const MOST: usize = 100;
/// Longest name of who pushed, in characters.
const LONGEST_OWNER: usize = 100;
/// What a tag can name. Anything else that is pushed is a piece of an image.
const MANIFESTS: [&str; 6] = [
    "application/vnd.docker.distribution.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
];

/// Whatever it is, from its shape.
pub fn read_delivery(body: &[u8]) -> Reading {
    let value: Value = match serde_json::from_slice(body) {
        Ok(value) => value,
        Err(cause) => return Reading::Unknown(msg!("hook-no-json", cause = cause)),
    };
    if let Some(events) = value.get("events").and_then(Value::as_array) {
        return envelope(events);
    }
    if value.get("push_data").is_some() || value.get("repository").is_some_and(Value::is_object) {
        return payload(&value);
    }
    plain(&value)
}

fn text<'a>(value: &'a Value, path: &[&str]) -> Option<&'a str> {
    let found = path.iter().try_fold(value, |value, name| value.get(name))?;
    found.as_str().filter(|text| !text.is_empty())
}

/// One line of bounded length, whoever wrote it.
fn name(text: Option<&str>) -> String {
    let plain = text.unwrap_or_default().chars().filter(|c| !c.is_control());
    plain.take(LONGEST_OWNER).collect::<String>().trim().to_owned()
}

/// Senders choose their ids; ours have one length.
fn key(parts: &[&str]) -> String {
    let print = Secret::new(parts.join("\n")).fingerprint();
    print.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn envelope(events: &[Value]) -> Reading {
    let mut notices: Vec<Notice> = Vec::new();
    for event in events {
        if let Some(notice) = event_of(event).filter(|_| notices.len() < MOST) {
            notices.push(notice);
        }
    }
    let skipped = events.len() - notices.len();
    Reading::Notices { notices, skipped }
}

fn event_of(event: &Value) -> Option<Notice> {
    let pushed = match text(event, &["action"])? {
        "push" => true,
        "delete" => false,
        _ => return None,
    };
    let media_type = text(event, &["target", "mediaType"]).unwrap_or_default();
    let kind = media_type.split(';').next().unwrap_or_default().trim();
    if pushed && !MANIFESTS.contains(&kind) {
        return None;
    }
    let repository = text(event, &["target", "repository"]).filter(|name| is_repository(name))?;
    let tag = text(event, &["target", "tag"]).filter(|tag| is_tag(tag))?;
    Some(Notice {
        key: text(event, &["id"]).map(|id| key(&["distribution", id])),
        pushed,
        host: None,
        repository: repository.to_owned(),
        tag: tag.to_owned(),
        digest: text(event, &["target", "digest"]).and_then(|digest| Digest::new(digest).ok()),
        pushed_at: text(event, &["timestamp"]).and_then(|time| time.parse().ok()),
        owner: name(text(event, &["actor", "name"])),
    })
}

/// Docker Hub's. There is no digest in it, sometimes no tag, and times may be fractions.
fn payload(value: &Value) -> Reading {
    let unknown = |message: Message| Reading::Unknown(message);
    let repository = match text(value, &["repository", "repo_name"]) {
        Some(name) => name.to_owned(),
        None => match (text(value, &["repository", "namespace"]), text(value, &["repository", "name"])) {
            (Some(namespace), Some(name)) => format!("{namespace}/{name}"),
            (None, Some(name)) => name.to_owned(),
            _ => return unknown(msg!("hook-no-repository")),
        },
    };
    if !is_repository(&repository) {
        let shown: String = repository.chars().take(100).collect();
        return unknown(msg!("hook-bad-repository", name = shown.escape_debug()));
    }
    let Some(tag) = text(value, &["push_data", "tag"]) else { return unknown(msg!("hook-no-tag")) };
    if !is_tag(tag) {
        let shown: String = tag.chars().take(100).collect();
        return unknown(msg!("hook-bad-tag", name = shown.escape_debug()));
    }
    let pushed_at = value.get("push_data").and_then(|data| data.get("pushed_at")).and_then(Value::as_f64);
    let pusher = text(value, &["push_data", "pusher"]);
    let notice = Notice {
        key: pushed_at.map(|at| key(&["docker-hub", &repository, tag, &format!("{at:.0}")])),
        pushed: true,
        host: None,
        digest: None,
        pushed_at: pushed_at.and_then(|at| Timestamp::from_millisecond((at * 1000.0) as i64).ok()),
        owner: name(pusher.or_else(|| text(value, &["repository", "owner"]))),
        tag: tag.to_owned(),
        repository,
    };
    Reading::Notices { notices: vec![notice], skipped: 0 }
}

/// `{"image": "host/name:tag"}`, or `{"repository": "name", "tag": "1"}`; with `id`, `owner` if there is one.
fn plain(value: &Value) -> Reading {
    let (host, repository, tag) = match (text(value, &["image"]), text(value, &["repository"])) {
        (Some(image), _) => match ImageReference::parse(image) {
            Ok(image) => (image.host, image.repository, image.tag),
            Err(_) => return Reading::Unknown(msg!("hook-unknown-body")),
        },
        (None, Some(repository)) => (None, repository.to_owned(), text(value, &["tag"]).map(str::to_owned)),
        (None, None) => return Reading::Unknown(msg!("hook-unknown-body")),
    };
    let Some(tag) = tag else { return Reading::Unknown(msg!("hook-no-tag")) };
    if !is_repository(&repository) || !is_tag(&tag) {
        return Reading::Unknown(msg!("hook-unknown-body"));
    }
    let notice = Notice {
        key: text(value, &["id"]).map(|id| key(&["generic", id])),
        pushed: true,
        host,
        repository,
        tag,
        digest: text(value, &["digest"]).and_then(|digest| Digest::new(digest).ok()),
        pushed_at: None,
        owner: name(text(value, &["owner"])),
    };
    Reading::Notices { notices: vec![notice], skipped: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn notices(value: Value) -> (Vec<Notice>, usize) {
        match read_delivery(value.to_string().as_bytes()) {
            Reading::Notices { notices, skipped } => (notices, skipped),
            Reading::Unknown(message) => panic!("{message}"),
        }
    }

    fn unknown(body: &str) -> String {
        match read_delivery(body.as_bytes()) {
            Reading::Unknown(message) => message.key.to_string(),
            known => panic!("{known:?}"),
        }
    }

    fn event(id: &str, action: &str, media_type: &str, tag: Option<&str>) -> Value {
        let mut target = json!({"mediaType": media_type, "repository": "numbers/api", "digest": "sha256:ab"});
        if let Some(tag) = tag {
            target["tag"] = tag.into();
        }
        json!({"id": id, "timestamp": "2026-11-20T12:00:00.123456789Z", "action": action, "target": target,
            "actor": {"name": "yuna\u{7}"}, "request": {}, "source": {}})
    }

    #[test]
    fn of_an_envelope_only_tags_that_were_pushed_or_deleted_count() {
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
        assert_eq!(
            (found.repository.as_str(), found.owner.as_str(), &found.key),
            ("busybox", "library", &None)
        );
        let parts = json!({"push_data": {"tag": "1"}, "repository": {"namespace": "a", "name": "b"}});
        assert_eq!(notices(parts).0[0].repository, "a/b");
        assert_eq!(unknown(r#"{"push_data":{},"repository":{"repo_name":"a/b"}}"#), "hook-no-tag");
        assert_eq!(unknown(r#"{"push_data":{"tag":"1"}}"#), "hook-no-repository");
        assert_eq!(unknown(r#"{"push_data":{"tag":"<b>"},"repository":{"repo_name":"a"}}"#), "hook-bad-tag");
        assert_eq!(
            unknown(r#"{"push_data":{"tag":"1"},"repository":{"repo_name":"../a"}}"#),
            "hook-bad-repository"
        );
    }

    #[test]
    fn everything_else_has_a_plain_form_or_is_unknown() {
        let found = &notices(json!({"image": "registry.local:5000/a/b:1", "owner": "yuna"})).0[0];
        assert_eq!((found.host.as_deref(), found.tag.as_str()), (Some("registry.local:5000"), "1"));
        assert_eq!(notices(json!({"repository": "a/b", "tag": "2"})).0[0].tag, "2");
        for (body, key) in [
            ("", "hook-no-json"),
            ("<xml>", "hook-no-json"),
            ("[]", "hook-unknown-body"),
            ("{}", "hook-unknown-body"),
            (r#"{"image":"a/b"}"#, "hook-no-tag"),
            (r#"{"image":"A B"}"#, "hook-unknown-body"),
            (r#"{"events":{}}"#, "hook-unknown-body"),
        ] {
            assert_eq!(unknown(body), key, "{body}");
        }
        assert_eq!(unknown(&"[".repeat(100_000)), "hook-no-json");
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let words = prop::sample::select(vec![
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
            MANIFESTS[2],
        ]);
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            words.clone().prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 40, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((words.clone(), inner), 0..5)
                    .prop_map(|pairs| pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_json_makes_it_panic_and_names_are_always_good(value in any_json()) {
            if let Reading::Notices { notices, .. } = read_delivery(value.to_string().as_bytes()) {
                for notice in notices {
                    prop_assert!(is_repository(&notice.repository) && is_tag(&notice.tag));
                    prop_assert!(!notice.owner.contains(char::is_control));
                }
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_delivery(&bytes);
        }
    }
}
