//! Endpoints: signing in, certificates, copying. Real registries with passwords and with TLS where they can show it, a
//! listener with scripted answers where they cannot.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::stream;
use serde_json::json;

use super::client::digest_of;
use super::stand::{Faulty, PASSWORD, QUICK, Registry, USER, answer};
use super::{Client, Registries, copy_image};
use crate::model::{Access, CheckStep, Credentials, EndpointKind, Error, Result, Secret};

const IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn key<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    result.unwrap_err().message().expect("a sentence for the user").key.to_string()
}

fn access(url: &str, credentials: Credentials) -> Access {
    Access {
        kind: EndpointKind::Distribution,
        url: url.into(),
        credentials,
        certificate: None,
        allowed: Vec::new(),
    }
}

fn password(password: &str) -> Credentials {
    Credentials::Basic { user: USER.into(), password: Secret::new(password) }
}

fn client(url: &str, credentials: Credentials) -> Client {
    Client::with_access(&access(url, credentials), Some(3000)).unwrap().with_patience(QUICK)
}

fn registries() -> Registries {
    Registries::of_server(Client::new("http://registry.local:5000").unwrap(), 3000)
}

fn keys(steps: &[CheckStep]) -> Vec<(&str, bool)> {
    steps.iter().map(|step| (&*step.message.key, step.ok)).collect()
}

fn pieces(body: &'static [u8]) -> impl futures_util::Stream<Item = Result<Bytes>> + Send + 'static {
    stream::iter(body.chunks(4).map(|piece| Ok(Bytes::from_static(piece))))
}

#[tokio::test]
async fn a_registry_with_a_password_takes_ours_and_no_other() {
    let registry = Registry::with_password();
    let known = client(&registry.address, password(PASSWORD));
    let blob = b"a layer in four-byte pieces";
    let digest = digest_of(blob).unwrap();
    assert!(!known.has_blob("team/api", &digest).await.unwrap());
    known.push_blob_stream("team/api", &digest, Some(blob.len() as u64), pieces(blob)).await.unwrap();
    // Once more, of unknown length, into another repository; and taken over into a third.
    known.push_blob_stream("team/web", &digest, None, pieces(blob)).await.unwrap();
    assert!(known.mount_blob("team/cli", &digest, "team/api").await.unwrap());
    assert!(
        known.has_blob("team/web", &digest).await.unwrap()
            && known.has_blob("team/cli", &digest).await.unwrap()
    );
    let elsewhere = digest_of(b"nobody has it").unwrap();
    assert!(!known.mount_blob("team/cli", &elsewhere, "team/api").await.unwrap());

    let steps = registries().validate(&access(&registry.address, password(PASSWORD))).await.unwrap();
    let expected = ["resolved", "connected", "plain", "registry", "signed-in"];
    assert_eq!(
        keys(&steps),
        expected.map(|step| format!("endpoints-step-{step}")).each_ref().map(|k| (k.as_str(), true))
    );
    for (credentials, sentence) in [
        (password("wrong"), "endpoints-refused"),
        (Credentials::Token(Secret::new("abc")), "endpoints-refused"),
        (Credentials::Anonymous, "registry-credentials"),
    ] {
        let wrong = client(&registry.address, credentials.clone());
        assert_eq!(key(wrong.tags("team/api").await), sentence);
        assert_eq!(key(wrong.push_blob_stream("team/x", &digest, None, pieces(blob)).await), sentence);
        let steps = registries().validate(&access(&registry.address, credentials)).await.unwrap();
        assert_eq!(keys(&steps).last(), Some(&(sentence, false)), "{steps:?}");
    }
}

#[tokio::test]
async fn what_is_not_what_it_says_never_becomes_a_blob() {
    let registry = Registry::start("");
    let client = registry.client();
    let digest = digest_of(b"the right one").unwrap();
    for (body, size, sentence) in [
        (b"the wrong one".as_slice(), Some(13), "registry-digest-mismatch"),
        (b"the wrong one", None, "registry-digest-mismatch"),
        (b"the right", Some(13), "endpoints-blob-length"),
        (b"the right one and more", Some(13), "endpoints-blob-length"),
    ] {
        assert_eq!(key(client.push_blob_stream("a", &digest, size, pieces(body)).await), sentence);
        assert!(!client.has_blob("a", &digest).await.unwrap());
    }
    let broken = stream::iter([Ok(Bytes::from_static(b"the ")), Err(Error::Internal("disk".into()))]);
    assert_eq!(key(client.push_blob_stream("a", &digest, None, broken).await), "registry-unreachable");
    let manifest = json!({"schemaVersion": 2, "mediaType": IMAGE, "layers": [],
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 13, "digest": digest}});
    let put = client.put_manifest("a", "v1", (IMAGE, manifest.to_string().into())).await;
    assert_eq!(key(put), "endpoints-push-refused");
}

/// A registry with a token server of its own: `realm` is where it sends people, `{host}` being itself.
fn token_registry(realm: &'static str, lasts: u32, tokens: Arc<AtomicUsize>) -> Faulty {
    use base64::Engine as _;
    let name = base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{PASSWORD}"));
    Faulty::reading(move |_, head| {
        let lower = head.to_ascii_lowercase();
        let host = lower.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
        let header = head
            .lines()
            .find_map(|line| line.split_once(": ").filter(|(n, _)| n.eq_ignore_ascii_case("authorization")));
        let sent = header.map_or("", |(_, value)| value);
        if head.starts_with("GET /token?service=us&scope=repository%3Aa%3Apull ") {
            if sent != format!("Basic {name}") {
                return answer("401 Unauthorized", "", b"");
            }
            let number = tokens.fetch_add(1, Ordering::SeqCst) + 1;
            return answer(
                "200 OK",
                "",
                format!("{{\"token\":\"T{number}\",\"expires_in\":{lasts}}}").as_bytes(),
            );
        }
        let right = format!("Bearer T{}", tokens.load(Ordering::SeqCst));
        if sent != right || sent == "Bearer T0" {
            let realm = realm.replace("{host}", host);
            let challenge = format!(
                "WWW-Authenticate: Bearer realm=\"{realm}\",service=\"us\",scope=\"repository:a:pull\"\r\n"
            );
            return answer("401 Unauthorized", &challenge, b"{}");
        }
        answer("200 OK", "", br#"{"tags":["v1"]}"#)
    })
}

#[tokio::test]
async fn a_token_is_fetched_once_and_again_when_it_has_ended() {
    let given = Arc::new(AtomicUsize::new(0));
    let registry = token_registry("http://{host}/token", 300, given.clone());
    let known = client(&registry.address, password(PASSWORD));
    for _ in 0..3 {
        assert_eq!(known.tags("a").await.unwrap(), ["v1"]);
    }
    assert_eq!((given.load(Ordering::SeqCst), registry.asked()), (1, 5), "refused, token, and three answers");
    // The registry has forgotten it: a new one.
    given.fetch_add(1, Ordering::SeqCst);
    assert_eq!(known.tags("a").await.unwrap(), ["v1"]);
    assert_eq!(given.load(Ordering::SeqCst), 3);

    let short = Arc::new(AtomicUsize::new(0));
    let registry = token_registry("http://{host}/token", 0, short.clone());
    let known = client(&registry.address, password(PASSWORD));
    for _ in 0..2 {
        assert_eq!(known.tags("a").await.unwrap(), ["v1"]);
    }
    assert_eq!(short.load(Ordering::SeqCst), 2);
    let wrong = client(&registry.address, password("wrong"));
    assert_eq!(key(wrong.tags("a").await), "endpoints-refused");
}

#[tokio::test]
async fn credentials_go_nowhere_else() {
    let thief = Faulty::start(|_, _| answer("200 OK", "", br#"{"token":"x"}"#));
    for (realm, sentence) in [
        ("http://elsewhere.invalid/token", "endpoints-realm-refused"),
        ("http://127.0.0.2/token", "endpoints-realm-refused"),
        ("ftp://{host}/", "endpoints-realm-refused"),
        ("//", "endpoints-realm-odd"),
        ("http://u:p@{host}/", "endpoints-realm-refused"),
    ] {
        let registry = token_registry(realm, 300, Arc::default());
        let known = client(&registry.address, password(PASSWORD));
        assert_eq!(key(known.tags("a").await), sentence, "{realm}");
        assert_eq!(registry.asked(), 1);
    }
    let thief_at = thief.address.clone();
    let redirecting = Faulty::start(move |_, _| {
        answer("307 Temporary Redirect", &format!("Location: {thief_at}/v2/\r\n"), b"")
    });
    let known = client(&redirecting.address, Credentials::Token(Secret::new("abc")));
    let digest = digest_of(b"x").unwrap();
    assert_eq!(key(known.tags("a").await), "endpoints-redirect");
    assert_eq!(key(known.has_blob("a", &digest).await), "endpoints-redirect");
    // An upload is not sent elsewhere, either.
    let thief_at = thief.address.clone();
    let leading = Faulty::start(move |_, line| match line.starts_with("POST") {
        true => answer("202 Accepted", &format!("Location: {thief_at}/v2/a/blobs/uploads/1\r\n"), b""),
        false => answer("404 Not Found", "", b""),
    });
    let known = client(&leading.address, password(PASSWORD));
    assert_eq!(key(known.push_blob_stream("a", &digest, Some(1), pieces(b"x")).await), "endpoints-redirect");
    assert_eq!(thief.asked(), 0);
}

#[tokio::test]
async fn a_given_token_is_sent_as_it_is_and_docker_hubs_blobs_are_fetched_without_it() {
    let registry = Faulty::reading(|_, head| {
        match head.to_ascii_lowercase().contains("authorization: bearer abc\r\n") {
            true => answer("200 OK", "", b"{}"),
            false => answer("401 Unauthorized", "WWW-Authenticate: Basic realm=x\r\n", b""),
        }
    });
    let given = access(&registry.address, Credentials::Token(Secret::new("abc")));
    let steps = registries().validate(&given).await.unwrap();
    assert_eq!(keys(&steps).last(), Some(&("endpoints-step-token", true)), "{steps:?}");
    assert!(!format!("{given:?}").contains("abc"));

    let hub = Access { kind: EndpointKind::DockerHub, ..access("", given.credentials.clone()) };
    let hub = Access { url: "https://docker.io".into(), ..hub };
    let from = url::Url::parse("https://registry-1.docker.io/v2/library/debian/blobs/x").unwrap();
    for (to, followed) in [
        ("https://production.cloudflare.docker.com/registry-v2/x?sig=1", true),
        ("https://x.r2.cloudflarestorage.com/x", true),
        ("http://production.cloudflare.docker.com/x", false),
        ("https://production.cloudflare.docker.com:8443/x", false),
        ("https://evildocker.com/x", false),
        ("https://evil.example/.docker.com", false),
    ] {
        let next = |access: &Access| registries().client_for(access).unwrap().wire.next(&from, to).is_some();
        assert_eq!(next(&hub), followed, "{to}");
        let plain = Access {
            kind: EndpointKind::Distribution,
            url: "https://registry-1.docker.io".into(),
            ..hub.clone()
        };
        assert!(!next(&plain), "{to}");
    }
}

#[test]
fn a_broken_certificate_is_refused_and_nothing_panics() {
    let folder = certified(None);
    let pem = std::fs::read_to_string(folder.path().join("cert.pem")).unwrap();
    let whole = super::Certificate::all(&pem).unwrap();
    assert_eq!((whole.len(), whole[0].pem.as_str()), (1, pem.as_str()));
    for at in 28..pem.len() - 26 {
        for other in ["A", "/", ""] {
            let mut broken = pem.clone();
            broken.replace_range(at..=at, other);
            let _ = super::Certificate::all(&broken);
            let _ = super::trust::only(&broken);
        }
    }
}

#[tokio::test]
async fn a_name_that_leads_inside_is_not_followed() {
    let registry = Registry::start("");
    let named = registry.address.replace("127.0.0.1", "localhost");
    let steps = registries().validate(&access(&named, Credentials::Anonymous)).await.unwrap();
    assert_eq!(keys(&steps), [("endpoints-address-refused", false)]);
    assert_eq!(key(client(&named, Credentials::Anonymous).tags("a").await), "endpoints-address-refused");
    for refused in ["http://127.0.0.1:3000", "http://169.254.169.254", "http://registry.local:5000"] {
        assert!(registries().client_for(&access(refused, Credentials::Anonymous)).is_err(), "{refused}");
    }
    let hub =
        Access { kind: EndpointKind::DockerHub, ..access("https://hub.docker.com", Credentials::Anonymous) };
    let hub = registries().client_for(&hub).unwrap();
    assert_eq!((hub.host(), hub.address().as_str()), ("docker.io", "https://registry-1.docker.io"));
}

/// `key.pem` and `cert.pem` for 127.0.0.1, signed by themselves or by the authority whose files are in `by`.
fn certified(by: Option<&std::path::Path>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut openssl = Command::new("openssl");
    openssl.current_dir(folder.path()).args(["req", "-x509", "-newkey", "ec", "-pkeyopt"]);
    openssl.args([
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "30",
        "-keyout",
        "key.pem",
        "-out",
        "cert.pem",
    ]);
    openssl.args(["-subj", "/O=Team/CN=registry.test", "-addext", "subjectAltName=IP:127.0.0.1"]);
    if let Some(by) = by {
        openssl.arg("-CA").arg(by.join("cert.pem")).arg("-CAkey").arg(by.join("key.pem"));
        openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    }
    let done = openssl.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    folder
}

#[tokio::test]
async fn a_certificate_is_shown_accepted_and_missed_when_it_changes() {
    let authority = certified(None);
    let signed = Registry::with_tls(certified(Some(authority.path())));
    let alone = Registry::with_tls(certified(None));
    let registries = registries();

    let plain = access(&alone.address, Credentials::Anonymous);
    let steps = registries.validate(&plain).await.unwrap();
    assert_eq!(keys(&steps)[2..], [("registry-tls", false), ("endpoints-step-certificate-unknown", false)]);
    let presented = registries.presented(&plain).await.unwrap();
    assert_eq!(presented.len(), 1);
    assert!(presented[0].subject.contains("registry.test") && presented[0].issuer.contains("Team"));
    let days = presented[0].not_after.duration_since(presented[0].not_before).as_hours() / 24;
    assert_eq!((days, presented[0].fingerprint.len()), (30, 95));

    let accepted = Access { certificate: Some(presented[0].pem.clone()), ..plain };
    let steps = registries.validate(&accepted).await.unwrap();
    assert!(steps.iter().all(|step| step.ok), "{steps:?}");
    // The same address with another certificate, here: another address with the one accepted.
    for other in [&signed, &Registry::with_tls(certified(None))] {
        let moved = Access { url: other.address.clone(), ..accepted.clone() };
        let steps = registries.validate(&moved).await.unwrap();
        assert_eq!(keys(&steps)[2], ("endpoints-certificate-changed", false), "{steps:?}");
        let client = registries.client_for(&moved).unwrap();
        assert_eq!(key(client.tags("a").await), "endpoints-certificate-changed");
    }
    let pem = std::fs::read_to_string(authority.path().join("cert.pem")).unwrap();
    let by_authority = Access { certificate: Some(pem), ..access(&signed.address, Credentials::Anonymous) };
    assert!(registries.client_for(&by_authority).unwrap().state().await.is_ok());
    let none = registries.presented(&access("http://127.0.0.1:1", Credentials::Anonymous)).await;
    assert_eq!(key(none), "endpoints-no-tls");
}

#[tokio::test]
async fn an_index_is_copied_whole_and_then_mounted() {
    let from = Registry::start("");
    let to = Registry::with_password();
    let one = from.put_image("base/rust", "amd64", "1").await;
    let two = from.put_image("base/rust", "arm64", "2").await;
    let source = from.client();
    let size = |digest| {
        let source = &source;
        async move { source.head("base/rust", crate::model::Digest::as_str(digest)).await.unwrap().unwrap().size }
    };
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
        {"mediaType": IMAGE, "digest": one, "size": size(&one).await, "platform": {"os": "linux", "architecture": "amd64"}},
        {"mediaType": IMAGE, "digest": two, "size": size(&two).await, "platform": {"os": "linux", "architecture": "arm64"}},
    ]});
    let index = from.put_manifest("base/rust", "1.95", &index).await;
    let target = client(&to.address, password(PASSWORD));
    let copied = copy_image(&source, ("base/rust", "1.95"), &target, ("mirror/rust", "1.95")).await.unwrap();
    assert_eq!((&copied.digest, copied.media_type.as_str()), (&index, INDEX));
    let image = target.image("mirror/rust", "1.95").await.unwrap();
    assert_eq!((&image.digest, image.platforms.len(), image.labels["version"].as_str()), (&index, 2, "1"));
    // Again, which sends nothing; and to another name in the same registry.
    copy_image(&source, ("base/rust", index.as_str()), &target, ("mirror/rust", "stable")).await.unwrap();
    copy_image(&target, ("mirror/rust", "stable"), &target, ("team/rust", "v1")).await.unwrap();
    assert_eq!(target.tags("mirror/rust").await.unwrap(), ["1.95", "stable"]);
    assert_eq!(target.image("team/rust", two.as_str()).await.unwrap().labels["version"], "2");
    let missing = copy_image(&source, ("base/rust", "none"), &target, ("mirror/rust", "none")).await;
    assert!(matches!(missing, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn a_source_that_lies_or_breaks_off_leaves_no_tag() {
    let config = br#"{"architecture":"amd64","os":"linux","config":{}}"#;
    let manifest = json!({"schemaVersion": 2, "mediaType": IMAGE, "layers": [], "config":
        {"mediaType": "application/vnd.docker.container.image.v1+json", "size": config.len(), "digest": digest_of(config).unwrap()}})
    .to_string();
    let to = Registry::start("");
    let target = to.client();
    let other = config.iter().rev().copied().collect::<Vec<u8>>();
    for (blob, sentence) in
        [(other, "registry-digest-mismatch"), (config[..20].to_vec(), "endpoints-blob-length")]
    {
        let manifest = manifest.clone();
        let liar = Faulty::start(move |_, line| match line.contains("/blobs/") {
            true => answer("200 OK", "", &blob),
            false => answer("200 OK", &format!("Content-Type: {IMAGE}\r\n"), manifest.as_bytes()),
        });
        let copied = copy_image(&liar.client(), ("a", "v1"), &target, ("b", "v1")).await;
        assert_eq!(key(copied), sentence);
        assert_eq!(target.head("b", "v1").await.unwrap(), None);
        assert!(!target.has_blob("b", &digest_of(config).unwrap()).await.unwrap());
    }
    let lying = Faulty::start(move |_, _| {
        let headers =
            format!("Content-Type: {IMAGE}\r\nDocker-Content-Digest: {}\r\n", digest_of(b"other").unwrap());
        answer("200 OK", &headers, manifest.as_bytes())
    });
    let copied = copy_image(&lying.client(), ("a", "v1"), &target, ("b", "v1")).await;
    assert_eq!(key(copied), "registry-digest-mismatch");
}
