//! The client against a real registry, and against answers a real one should not give.

use std::time::Duration;

use serde_json::json;

use super::stand::{Faulty, QUICK, Registry, Reply, answer};
use super::{Client, Condition, Patience};
use crate::model::{Digest, Error};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";
const NAMED: &str = "Docker-Distribution-Api-Version: registry/2.0\r\n";

fn key<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    result.unwrap_err().message().expect("a sentence for the user").key.to_string()
}

fn digest(c: char) -> Digest {
    Digest::new(format!("sha256:{}", c.to_string().repeat(64))).unwrap()
}

#[tokio::test]
async fn an_empty_registry_is_well_and_has_nothing() {
    let registry = Registry::start("");
    let client = registry.client();
    let state = client.state().await;
    assert!(state.is_ok(), "{state:?}");
    assert_eq!(client.repositories(None, 10).await.unwrap().items, Vec::<String>::new());
    assert!(matches!(client.tags("numbers/api").await, Err(Error::NotFound(_))));
    assert_eq!(client.head("numbers/api", "latest").await.unwrap(), None);
    assert_eq!(client.confirm("numbers/api", "latest").await.unwrap(), None);
    assert!(matches!(client.image("numbers/api", "latest").await, Err(Error::NotFound(_))));
    for bad in ["../etc", "UPPER", "a//b", ""] {
        assert!(matches!(client.tags(bad).await, Err(Error::Invalid(_))), "{bad}");
    }
}

#[tokio::test]
async fn an_image_is_shown_and_confirmed_as_it_was_pushed() {
    let registry = Registry::start("");
    let client = registry.client();
    let pushed = registry.put_image("numbers/api", "v3-build-1", "3.1").await;

    let head = client.head("numbers/api", "v3-build-1").await.unwrap().unwrap();
    assert_eq!((&head.digest, head.media_type.as_str()), (&pushed, IMAGE));
    assert_eq!(client.head("numbers/api", pushed.as_str()).await.unwrap().unwrap(), head);

    let image = client.image("numbers/api", "v3-build-1").await.unwrap();
    assert_eq!((&image.digest, image.manifest.as_ref()), (&pushed, Some(&pushed)));
    assert_eq!((image.os.as_str(), image.architecture.as_str()), ("linux", "amd64"));
    assert_eq!((image.labels["version"].as_str(), image.env[0].as_str()), ("3.1", "A=1"));
    assert_eq!((image.entrypoint.len(), image.command[0].as_str()), (0, "/bin/api"));
    let layers: Vec<_> = image.layers.iter().map(|l| (l.size, l.created_by.as_str())).collect();
    assert_eq!(layers, [(11, "ADD rootfs"), (6, "COPY api")]);
    assert_eq!(
        (image.history.len(), image.created.unwrap().to_string().as_str()),
        (3, "2024-05-01T10:00:00Z")
    );

    let confirmed = client.confirm("numbers/api", "v3-build-1").await.unwrap().unwrap();
    assert_eq!((&confirmed.digest, confirmed.size), (&pushed, image.total_size));
    assert_eq!(confirmed.labels, image.labels);

    // A tag that moves is seen to have moved, whatever is remembered of the old image.
    let moved = registry.put_image("numbers/api", "v3-build-1", "3.2").await;
    assert_ne!(moved, pushed);
    assert_eq!(client.confirm("numbers/api", "v3-build-1").await.unwrap().unwrap().labels["version"], "3.2");
    assert_eq!(client.image("numbers/api", pushed.as_str()).await.unwrap().labels["version"], "3.1");

    // What is deleted is gone, although it is remembered; another repository never had it.
    registry.delete("numbers/api", &moved).await;
    assert!(matches!(client.image("numbers/api", moved.as_str()).await, Err(Error::NotFound(_))));
    assert_eq!(client.confirm("numbers/api", "v3-build-1").await.unwrap(), None);
    assert_eq!(client.tags("numbers/api").await.unwrap(), Vec::<String>::new());
    assert!(matches!(client.image("numbers/web", pushed.as_str()).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn lists_are_paged_sorted_and_whole() {
    let registry = Registry::start("");
    let client = registry.client();
    for repository in ["a", "b/c", "b/d", "numbers/api", "z"] {
        registry.put_image(repository, "v1", "1").await;
    }
    for n in 2..=11 {
        registry.put_image("numbers/api", &format!("v{n}"), "1").await;
    }
    let mut seen = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = client.repositories(after.as_deref(), 2).await.unwrap();
        assert!(page.items.len() <= 2);
        seen.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["a", "b/c", "b/d", "numbers/api", "z"]);
    assert_eq!(client.all_repositories(100).await.unwrap().items, seen);
    let cut = client.all_repositories(3).await.unwrap();
    assert_eq!((cut.items.len(), cut.next.as_deref()), (3, Some("b/d")));
    let tags = client.tags("numbers/api").await.unwrap();
    assert_eq!(tags, (1..=11).map(|n| format!("v{n}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_registry_that_gives_less_than_asked_for_is_read_to_the_end() {
    let registry = Registry::start("catalog: {maxentries: 2}");
    for repository in ["a", "b", "c", "d", "e"] {
        registry.put_image(repository, "v1", "1").await;
    }
    let all = registry.client().all_repositories(100).await.unwrap();
    assert_eq!((all.items.join(""), all.next), ("abcde".to_owned(), None));
}

#[tokio::test]
async fn an_index_shows_its_platforms_and_the_details_of_one() {
    let registry = Registry::start("");
    let client = registry.client();
    let amd64 = registry.put_image("multi", "one", "amd64").await;
    let arm64 = registry.put_image("multi", "two", "arm64").await;
    let child = |digest: &Digest, os: &str, architecture: &str| json!({"mediaType": IMAGE, "digest": digest, "size": 9, "platform": {"os": os, "architecture": architecture}});
    let list = json!({"schemaVersion": 2, "mediaType": INDEX,
        "manifests": [child(&arm64, "linux", "arm64"), child(&amd64, "linux", "amd64")]});
    let index = registry.put_manifest("multi", "latest", &list).await;
    let image = client.image("multi", "latest").await.unwrap();
    assert_eq!((&image.digest, image.manifest.as_ref()), (&index, Some(&amd64)));
    let platforms: Vec<_> = image.platforms.iter().map(ToString::to_string).collect();
    assert_eq!(platforms, ["linux/arm64", "linux/amd64"]);
    assert_eq!((image.labels["version"].as_str(), image.layers.len()), ("amd64", 2));
    assert_eq!(client.confirm("multi", "latest").await.unwrap().unwrap().digest, index);
    // An index keeps its place when its image is deleted from under it.
    registry.delete("multi", &amd64).await;
    let bare = registry.client().image("multi", "latest").await.unwrap();
    assert_eq!((bare.manifest, bare.platforms.len(), bare.layers.len()), (None, 2, 0));
}

#[tokio::test]
async fn a_registry_that_asks_for_credentials_says_so() {
    let registry = Registry::start("auth: {htpasswd: {realm: r, path: 'ROOT/htpasswd'}}");
    assert_eq!(registry.client().state().await.condition, Condition::NeedsCredentials);
    assert!(matches!(registry.client().tags("a").await, Err(Error::Denied(_))));
}

#[tokio::test]
async fn each_way_of_not_being_there_has_its_own_sentence() {
    let nobody = Client::new("http://registry.invalid:5000").unwrap().with_patience(QUICK);
    let state = nobody.state().await;
    assert_eq!(
        (state.condition, state.message.args["name"].as_str()),
        (Condition::CannotResolve, "registry.invalid")
    );
    assert_eq!(key(nobody.tags("a").await), "registry-unresolved");

    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let closed = Client::new(&format!("http://{free}")).unwrap().with_patience(QUICK);
    assert_eq!(closed.state().await.condition, Condition::Refused);

    let page =
        Faulty::start(|_, _| answer("200 OK", "Content-Type: text/html\r\n", b"<html>It works!</html>"));
    assert_eq!(page.client().state().await.condition, Condition::NotARegistry);
    let missing = Faulty::start(|_, _| answer("404 Not Found", "", b"no such page"));
    assert_eq!(missing.client().state().await.condition, Condition::NotARegistry);
    let login = Faulty::start(|_, _| answer("302 Found", "Location: http://portal.example/\r\n", b""));
    assert_eq!(key(login.client().tags("a").await), "registry-redirect");
    let mute = Faulty::start(|_, _| Reply::Bytes(Vec::new()));
    assert_eq!(mute.client().state().await.condition, Condition::Unreachable);
    let plain = Faulty::start(|_, _| answer("200 OK", NAMED, b"{}"));
    let tls = Client::new(&plain.address.replace("http:", "https:")).unwrap().with_patience(QUICK);
    assert_eq!(tls.state().await.condition, Condition::Tls);
}

#[tokio::test]
async fn a_silent_registry_is_given_up_and_the_connections_are_free_again() {
    let silent =
        Faulty::start(
            |n, _| if n < 6 { Reply::Silence } else { answer("200 OK", NAMED, b"{\"tags\":[\"v1\"]}") },
        );
    let short = Patience { one: Duration::from_millis(50), tries: 1, ..QUICK };
    let client = silent.client().with_patience(short);
    for _ in 0..6 {
        assert_eq!(key(client.tags("a").await), "registry-timeout");
    }
    assert_eq!(client.with_patience(QUICK).tags("a").await.unwrap(), ["v1"]);
}

#[tokio::test]
async fn passing_faults_are_outlasted_and_lasting_ones_are_named() {
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"tags\":[".to_vec();
    let shaky = Faulty::start(move |n, _| match n {
        0 => answer("503 Service Unavailable", "", b""),
        1 => Reply::Bytes(cut.clone()),
        _ => answer("200 OK", NAMED, b"{\"name\":\"a\",\"tags\":null}"),
    });
    assert_eq!(shaky.client().tags("a").await.unwrap(), Vec::<String>::new());
    assert_eq!(shaky.asked(), 3);

    let broken = Faulty::start(|_, _| answer("500 Internal Server Error", "", b""));
    assert_eq!(key(broken.client().confirm("a", "v1").await), "registry-failing");
    assert_eq!(broken.asked(), 3);
    assert_eq!(broken.client().state().await.condition, Condition::Failing);

    // A wait longer than there is time for is not begun.
    let busy = Faulty::start(|_, _| answer("429 Too Many Requests", "Retry-After: 9000\r\n", b""));
    let hurried = busy.client().with_patience(Patience { all: Duration::from_secs(5), ..QUICK });
    assert_eq!((key(hurried.tags("a").await), busy.asked()), ("registry-busy".to_owned(), 1));
    // It is left alone for as long as it said, whoever asks; whether it is well again may be asked.
    assert_eq!((key(hurried.tags("b").await), busy.asked()), ("registry-busy".to_owned(), 1));
    assert_eq!((hurried.state().await.condition, busy.asked()), (Condition::Failing, 2));
}

#[tokio::test]
async fn damaged_content_is_refused_and_not_asked_for_again() {
    let wanted = digest('a');
    let stated = format!("Content-Type: {IMAGE}\r\nDocker-Content-Digest: {wanted}\r\n");
    let liar = Faulty::start(move |_, _| answer("200 OK", &stated, b"{\"schemaVersion\":2}"));
    assert_eq!(key(liar.client().confirm("a", "v1").await), "registry-digest-mismatch");
    assert_eq!(liar.asked(), 1);
    assert_eq!(key(liar.client().head("a", digest('b').as_str()).await), "registry-digest-mismatch");

    let huge = Faulty::start(|_, _| {
        Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n".to_vec())
    });
    assert_eq!(key(huge.client().confirm("a", "v1").await), "registry-too-large");
    let endless = Faulty::start(|_, _| {
        let mut bytes = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        bytes.resize(5 * 1024 * 1024, b' ');
        Reply::Bytes(bytes)
    });
    assert_eq!(key(endless.client().confirm("a", "v1").await), "registry-too-large");

    let garbled = Faulty::start(|_, _| answer("200 OK", NAMED, b"{\"tags\":[\"v1\",7]}"));
    assert_eq!(key(garbled.client().tags("a").await), "registry-list-unreadable");
    let old = Faulty::start(|_, _| {
        let headers = "Content-Type: application/vnd.docker.distribution.manifest.v1+prettyjws\r\n";
        answer("200 OK", headers, b"{\"schemaVersion\":1}")
    });
    assert_eq!(key(old.client().image("a", "v1").await), "registry-schema1");
    assert_eq!(key(old.client().confirm("a", "v1").await), "registry-schema1");
}

#[tokio::test]
async fn links_and_names_from_a_hostile_registry_lead_nowhere() {
    let hostile = Faulty::start(|_, line| {
        let headers = "Link: <http://elsewhere.invalid/v2/_catalog>; rel=\"next\"\r\n";
        let body = if line.contains("_catalog") {
            r#"{"repositories":["a","../../etc","<script>"]}"#
        } else {
            r#"{"tags":["v1","../x","-rf"]}"#
        };
        answer("200 OK", headers, body.as_bytes())
    });
    // The same page again and again, and both lists come to an end.
    assert_eq!(hostile.client().all_repositories(100).await.unwrap().items, ["a"]);
    assert_eq!(hostile.client().tags("a").await.unwrap(), ["v1"]);
}

#[tokio::test]
async fn a_blob_may_be_elsewhere_in_the_registry_but_not_outside() {
    let config = br#"{"config":{"Labels":{"version":"1"}}}"#;
    let wanted = super::client::digest_of(config).unwrap();
    let manifest = json!({"schemaVersion": 2, "mediaType": IMAGE, "layers": [], "config":
        {"mediaType": "application/vnd.docker.container.image.v1+json", "size": config.len(), "digest": wanted}});
    for (to, expected) in [("/store/1", Ok("1")), ("http://127.0.0.1:1/store/1", Err("registry-redirect"))] {
        let manifest = manifest.to_string();
        let registry = Faulty::start(move |_, line| {
            if line.contains("/blobs/") {
                answer("307 Temporary Redirect", &format!("Location: {to}\r\n"), b"")
            } else if line.contains("/store/") {
                answer("200 OK", "", config)
            } else {
                answer("200 OK", &format!("Content-Type: {IMAGE}\r\n"), manifest.as_bytes())
            }
        });
        let found = registry.client().confirm("a", "v1").await;
        match expected {
            Ok(version) => assert_eq!(found.unwrap().unwrap().labels["version"], version),
            Err(sentence) => assert_eq!(key(found), sentence),
        }
    }
}

/// What the engine prints is what the scanner reads, and the registry agrees.
#[tokio::test]
async fn docker_push_is_found_in_its_output_and_confirmed() {
    let registry = Registry::start("");
    let client = registry.client();
    let name = format!("{}/numbers/api:v3-build-1", client.host());
    let docker = |args: &[&str]| {
        let out = std::process::Command::new("docker").args(args).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        out.stdout
    };
    let folder = tempfile::tempdir().unwrap();
    let layer = folder.path().join("layer.tar");
    // The end of an archive with nothing in it.
    std::fs::write(&layer, [0; 1024]).unwrap();
    let label = "LABEL ropewalk.test=registry version=3.1";
    docker(&["import", "--change", label, layer.to_str().unwrap(), &name]);
    let output = std::process::Command::new("docker").args(["push", &name]).output().unwrap();
    docker(&["rmi", &name]);
    let mut scanner = client.scanner();
    scanner.feed(&output.stdout);
    let found = scanner.finish();
    assert_eq!(found.len(), 1, "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!((found[0].repository.as_str(), found[0].tag.as_str()), ("numbers/api", "v3-build-1"));
    let confirmed = client.confirm(&found[0].repository, &found[0].tag).await.unwrap().unwrap();
    assert_eq!(found[0].digest.as_ref(), Some(&confirmed.digest));
    assert_eq!(confirmed.labels["version"], "3.1");
}
