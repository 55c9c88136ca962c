//! Whole conversations: the real git program as client, a small HTTP server as the door.

use std::fs;
use std::path::Path;
use std::process::Output;
use std::sync::{Arc, Mutex};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};

use super::testing::{Place, git, user_git};
use super::*;
use crate::model::{Error, Message, OwnerName, RepositoryPath};

/// What the next `settle` does.
#[derive(Clone)]
enum Then {
    Say(Vec<String>),
    Fail,
}

#[derive(Clone)]
struct Door {
    repositories: Repositories,
    then: Arc<Mutex<Then>>,
    pushes: Arc<Mutex<Vec<Push>>>,
    max_bytes: Option<u64>,
    password: Option<&'static str>,
}

fn say(message: &Message) -> String {
    format!("<{}>", message.key)
}

fn receive(door: &Door) -> Receive {
    let (then, pushes) = (door.then.lock().unwrap().clone(), door.pushes.clone());
    Receive {
        protocol: None,
        pusher: OwnerName::new("ada").unwrap(),
        max_bytes: door.max_bytes,
        say: Arc::new(say),
        settle: Box::new(move |push| {
            async move {
                pushes.lock().unwrap().push(push);
                match then {
                    Then::Say(lines) => Ok(lines),
                    Then::Fail => Err(Error::Internal("the database is on fire".into())),
                }
            }
            .boxed()
        }),
    }
}

async fn answer(request: HttpRequest, payload: web::Payload, door: web::Data<Door>) -> HttpResponse {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    if let Some(password) = door.password {
        use base64::Engine as _;
        let expected = base64::engine::general_purpose::STANDARD.encode(format!("ada:{password}"));
        if header("Authorization") != Some(&format!("Basic {expected}")) {
            return HttpResponse::Unauthorized().insert_header(("WWW-Authenticate", "Basic")).finish();
        }
    }
    let (protocol, gzip) =
        (Protocol::from_header(header("Git-Protocol")), header("Content-Encoding").is_some());
    let parts: Vec<&str> = request.path().trim_start_matches('/').splitn(3, '/').collect();
    let path = RepositoryPath::new(parts[0], parts[1]).unwrap();
    let body = payload.map_err(|e| std::io::Error::other(e.to_string()));
    let body = if gzip { inflate(body, None).left_stream() } else { body.right_stream() };
    let content = |name: &str| format!("application/x-{name}");
    match parts[2] {
        "info/refs" => {
            let service = Service::from_name(request.query_string().trim_start_matches("service=")).unwrap();
            let Ok(stream) = door.repositories.advertise(&path, service, protocol).await else {
                return HttpResponse::NotFound().finish();
            };
            HttpResponse::Ok()
                .content_type(content(&format!("{}-advertisement", service.name())))
                .streaming(stream)
        }
        "git-upload-pack" => {
            let stream = door.repositories.upload_pack(&path, protocol, body).unwrap();
            HttpResponse::Ok().content_type(content("git-upload-pack-result")).streaming(stream)
        }
        _ => {
            let stream = door.repositories.receive_pack(&path, body, receive(&door)).unwrap();
            HttpResponse::Ok().content_type(content("git-receive-pack-result")).streaming(stream)
        }
    }
}

struct Open {
    place: Place,
    door: Door,
    url: String,
}

impl Open {
    async fn door(place: Place) -> Self {
        Self::with(place, None, None).await
    }

    async fn with(place: Place, max_bytes: Option<u64>, password: Option<&'static str>) -> Self {
        let door = Door {
            repositories: place.repositories.clone(),
            then: Arc::new(Mutex::new(Then::Say(vec!["run 7: http://localhost/7".into()]))),
            pushes: Arc::default(),
            max_bytes,
            password,
        };
        let data = web::Data::new(door.clone());
        let app = move || App::new().app_data(data.clone()).default_service(web::to(answer));
        let server = HttpServer::new(app).workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/admin/numbers.git", server.addrs()[0]);
        tokio::spawn(server.run());
        Open { place, door, url }
    }

    async fn git(&self, arguments: &[&str]) -> Output {
        tokio::process::Command::from(user_git(&self.place.work(), arguments)).output().await.unwrap()
    }

    async fn push(&self, arguments: &[&str]) -> (bool, String) {
        let output = self.git(&[&["push", &self.url], arguments].concat()).await;
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn pushes(&self) -> Vec<Push> {
        std::mem::take(&mut *self.door.pushes.lock().unwrap())
    }

    fn commit(&self, text: &str) {
        fs::write(self.place.work().join("file"), text).unwrap();
        git(&self.place.work(), &["add", "-A"]);
        git(&self.place.work(), &["commit", "-q", "-m", "change"]);
    }

    fn refs(&self) -> Vec<String> {
        let listed = self.place.repositories.list_refs(&self.place.path).unwrap();
        listed.refs.iter().map(|(name, id)| format!("{name} {id}")).collect()
    }

    fn quarantines(&self) -> usize {
        let entries = fs::read_dir(self.place.directory().join("objects")).unwrap().flatten();
        entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("tmp_objdir")).count()
    }
}

#[tokio::test]
async fn push_clone_and_fetch_in_every_protocol() {
    let open = Open::door(Place::new()).await;
    open.commit("one");
    let (ok, text) = open.push(&["HEAD:refs/heads/trunk", "-o", "ci=yes"]).await;
    assert!(ok && text.contains("remote: run 7: http://localhost/7"), "{text}");
    let push = open.pushes().remove(0);
    assert_eq!(push.options, ["ci=yes"]);
    let update = &push.updates[0];
    assert!(update.ok && update.old.is_none() && update.name.as_str() == "refs/heads/trunk");
    assert_eq!(open.place.repositories.default_branch(&open.place.path).unwrap().short(), "trunk");
    for version in ["0", "1", "2"] {
        let to = format!("../clone{version}");
        let setting = format!("protocol.version={version}");
        let output = open.git(&["-c", &setting, "clone", "-q", &open.url, &to]).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(fs::read(open.place.work().join(&to).join("file")).unwrap(), b"one");
    }
    open.commit("two");
    assert!(open.push(&["HEAD:refs/heads/trunk"]).await.0);
    let output = open.git(&["-C", "../clone2", "pull", "-q"]).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read(open.place.work().join("../clone2/file")).unwrap(), b"two");
    let reflog = fs::read_to_string(open.place.directory().join("logs/refs/heads/trunk")).unwrap();
    assert!(reflog.contains("ada <ropewalk@localhost>"));
}

#[tokio::test]
async fn large_chunked_and_shallow_pushes() {
    let open = Open::door(Place::new()).await;
    let noise: String =
        (0..200_000u64).map(|n| format!("{:x}", n.wrapping_mul(0x9E37_79B9_7F4A_7C15))).collect();
    open.commit(&noise[..2_900_000.min(noise.len())]);
    open.commit("small");
    let (ok, text) = open.push(&["HEAD:refs/heads/main"]).await;
    assert!(ok, "{text}");
    assert!(open.git(&["clone", "-q", "--depth", "1", &open.url, "../shallow"]).await.status.success());
    let shallow = open.place.work().join("../shallow");
    fs::write(shallow.join("file"), "three").unwrap();
    let output =
        tokio::process::Command::from(user_git(&shallow, &["commit", "-qam", "three"])).output().await;
    assert!(output.unwrap().status.success());
    let push =
        user_git(&shallow, &["push", "-q", "origin", "HEAD:refs/heads/from-shallow", "HEAD:refs/tags/v1"]);
    let output = tokio::process::Command::from(push).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(open.pushes().pop().unwrap().updates.len(), 2);
}

#[tokio::test]
async fn hostile_names_refuse_the_whole_push() {
    let open = Open::door(Place::new()).await;
    open.commit("one");
    for name in
        ["refs/heads/$(id)", "refs/heads/-x", "refs/ropewalk/internal", "refs/heads/con", "refs/notes/x"]
    {
        let (ok, text) = open.push(&["HEAD:refs/heads/fine", &format!("HEAD:{name}")]).await;
        assert!(
            !ok && text.contains("<git-push-ref-refused>") && text.contains("<git-push-refused-with>"),
            "{text}"
        );
    }
    assert!(open.pushes().is_empty() && open.refs().is_empty());
}

#[tokio::test]
async fn hostile_trees_are_refused_by_fsck() {
    let open = Open::door(Place::new()).await;
    open.commit("one");
    let work = open.place.work();
    fs::write(work.join(".gitmodules"), "[submodule \"x\"]\n\tpath = x\n\turl = -u./payload\n").unwrap();
    git(&work, &["add", "-A"]);
    git(&work, &["commit", "-q", "-m", "evil"]);
    let (ok, text) = open.push(&["HEAD:refs/heads/main"]).await;
    assert!(!ok && text.contains("gitmodulesUrl"), "{text}");
    assert!(open.pushes().is_empty() && open.refs().is_empty());
    assert_eq!(open.quarantines(), 0);
}

#[tokio::test]
async fn a_push_that_cannot_be_recorded_changes_nothing() {
    let open = Open::door(Place::new()).await;
    open.commit("one");
    assert!(open.push(&["HEAD:refs/heads/main", "HEAD:refs/heads/old"]).await.0);
    let before = open.refs();
    open.commit("two");
    *open.door.then.lock().unwrap() = Then::Fail;
    let (ok, text) = open
        .push(&["HEAD:refs/heads/main", "HEAD:refs/heads/new", "HEAD:refs/tags/v1", ":refs/heads/old"])
        .await;
    assert!(!ok && text.matches("<git-push-not-recorded>").count() == 4, "{text}");
    assert_eq!(open.refs(), before);
    *open.door.then.lock().unwrap() = Then::Say(vec!["\x1b[31mred".into()]);
    let (ok, text) = open.push(&["HEAD:refs/heads/main", ":refs/heads/old"]).await;
    assert!(ok && text.contains("remote:  [31mred"), "{text:?}");
    assert_eq!(open.refs().len(), 1);
    let (ok, text) = open.push(&[":refs/heads/main"]).await;
    assert!(!ok && text.contains("deletion of the current branch prohibited"), "{text}");
}

#[tokio::test]
async fn too_large_a_push_says_so() {
    let open = Open::with(Place::new(), Some(1000), None).await;
    let noise: Vec<u8> = (0..4_000_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    fs::write(open.place.work().join("noise"), noise).unwrap();
    open.commit("large");
    let (ok, text) = open.push(&["HEAD:refs/heads/main"]).await;
    assert!(!ok && text.contains("pack exceeds maximum allowed size"), "{text}");
    assert!(open.refs().is_empty() && open.quarantines() == 0);
}

#[tokio::test]
async fn of_many_pushes_to_one_branch_one_wins_each_round() {
    let open = Open::door(Place::new()).await;
    open.commit("base");
    assert!(open.push(&["HEAD:refs/heads/main"]).await.0);
    open.pushes();
    let bases: Vec<String> = (0..8)
        .map(|n| {
            let work = open.place.work();
            git(&work, &["checkout", "-q", "--detach", "main"]);
            open.commit(&format!("rival {n}"));
            git(&work, &["rev-parse", "HEAD"]).trim().to_owned()
        })
        .collect();
    let specs: Vec<String> = bases.iter().map(|id| format!("{id}:refs/heads/main")).collect();
    let rivals = specs.iter().map(|spec| open_push(&open.url, &open.place, spec));
    let wins = futures_util::future::join_all(rivals).await.into_iter().filter(|ok| *ok).count();
    let recorded =
        open.pushes().iter().flat_map(|push| push.updates.clone()).filter(|update| update.ok).count();
    assert_eq!((wins, recorded), (1, 1));
}

async fn open_push(url: &str, place: &Place, spec: &str) -> bool {
    let command = user_git(&place.work(), &["push", "-q", url, spec]);
    tokio::process::Command::from(command).output().await.unwrap().status.success()
}

/// A push's body as a client would send it, made by the real git.
fn captured(place: &Place, name: &str, capabilities: &str) -> (Vec<u8>, String) {
    let work = place.work();
    let id = git(&work, &["rev-parse", "HEAD"]).trim().to_owned();
    let mut body = Vec::new();
    packet::put(&mut body, format!("{} {id} {name}\0{capabilities}", "0".repeat(40)).as_bytes());
    body.extend_from_slice(packet::FLUSH);
    fs::write(work.join("../revs"), format!("{id}\n")).unwrap();
    let mut command = user_git(&work, &["pack-objects", "--revs", "--stdout", "-q"]);
    let pack = command.stdin(fs::File::open(work.join("../revs")).unwrap()).output().unwrap();
    body.extend_from_slice(&pack.stdout);
    (body, id)
}

fn direct(place: &Place) -> Door {
    Door {
        repositories: place.repositories.clone(),
        then: Arc::new(Mutex::new(Then::Say(vec!["line".into()]))),
        pushes: Arc::default(),
        max_bytes: None,
        password: None,
    }
}

async fn send(door: &Door, place: &Place, body: Vec<u8>, chunk: usize) -> String {
    let pieces: Vec<_> = body.chunks(chunk).map(|c| Ok(Bytes::copy_from_slice(c))).collect();
    let answer = door.repositories.receive_pack(&place.path, stream::iter(pieces), receive(door)).unwrap();
    let all: Vec<Bytes> = answer.try_collect().await.unwrap();
    String::from_utf8_lossy(&all.concat()).into_owned()
}

#[tokio::test]
async fn clients_without_side_band_and_without_report() {
    for (capabilities, expected) in [
        ("report-status", "000eunpack ok\n0017ok refs/heads/main\n0000"),
        ("", ""),
        ("side-band-64k", "000a\u{2}line\n0000"),
    ] {
        let place = Place::with_commits(1);
        let empty = Place::new();
        let door = direct(&empty);
        let (body, _) = captured(&place, "refs/heads/main", capabilities);
        assert_eq!(send(&door, &empty, body, 100).await, expected);
        let pushes = door.pushes.lock().unwrap().clone();
        assert!(pushes[0].updates[0].ok, "seen even when the client asked for no report");
    }
}

#[tokio::test]
async fn probes_garbage_and_signed_pushes() {
    let place = Place::with_commits(1);
    let door = direct(&place);
    assert_eq!(send(&door, &place, b"0000".to_vec(), 2).await, "");
    assert!(send(&door, &place, b"GET / HTTP/1.1".to_vec(), 5).await.contains("ERR <git-push-unreadable>"));
    assert!(send(&door, &place, Vec::new(), 5).await.contains("ERR "));
    let mut signed = Vec::new();
    packet::put(&mut signed, b"push-cert\0report-status side-band-64k");
    packet::put(&mut signed, b"certificate version 0.1\n");
    assert!(send(&door, &place, signed, 7).await.contains("unpack <git-push-signed>"));
    assert!(door.pushes.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_client_that_goes_away_changes_nothing_and_leaves_nothing() {
    let place = Place::with_commits(3);
    let empty = Place::new();
    let door = direct(&empty);
    let (body, _) = captured(&place, "refs/heads/main", "report-status side-band-64k");
    for cut in [body.len() / 2, body.len() - 1, 150] {
        let pieces = vec![Ok(Bytes::from(body[..cut].to_vec())), Err(std::io::Error::other("reset"))];
        let answer =
            door.repositories.receive_pack(&empty.path, stream::iter(pieces), receive(&door)).unwrap();
        let _: Vec<_> = answer.collect().await;
        assert!(empty.repositories.list_refs(&empty.path).unwrap().refs.is_empty());
        let objects = fs::read_dir(empty.directory().join("objects")).unwrap().count();
        assert_eq!(objects, 2, "info and pack");
        assert!(door.pushes.lock().unwrap().is_empty());
    }
    assert!(send(&door, &empty, body, 1000).await.contains("ok refs/heads/main"));
}

#[tokio::test]
async fn a_killed_receive_pack_is_reported_and_cleared() {
    let place = Place::with_commits(2);
    let empty = Place::new();
    let door = direct(&empty);
    let (body, _) = captured(&place, "refs/heads/main", "report-status side-band-64k");
    // The second half is sent when the child is dead.
    let half = body.len() / 2;
    let (first, second) = (Bytes::from(body[..half].to_vec()), Bytes::from(body[half..].to_vec()));
    let directory = empty.directory();
    let body = stream::iter([Ok(first.slice(..10)), Ok(first.slice(10..)), Ok(Bytes::from_static(b""))])
        .chain(stream::once(async move {
            kill_receive_pack(&directory).await;
            Ok(second)
        }));
    let answer = door.repositories.receive_pack(&empty.path, Box::pin(body), receive(&door)).unwrap();
    let all: Vec<Bytes> = answer.try_collect().await.unwrap();
    let text = String::from_utf8_lossy(&all.concat()).into_owned();
    assert!(text.contains("unpack <git-push-died>") && text.contains("ng refs/heads/main"), "{text:?}");
    assert_eq!(fs::read_dir(empty.directory().join("objects")).unwrap().count(), 2);
    assert!(door.pushes.lock().unwrap().is_empty());
}

/// Finds the git child that works on `directory` by its arguments and kills it, once it is there.
async fn kill_receive_pack(directory: &Path) {
    for _ in 0..1000 {
        if let Some(id) = child_of("receive-pack", directory) {
            assert!(std::process::Command::new("kill").args(["-9", &id]).status().unwrap().success());
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("no receive-pack");
}

/// The process id of a git child that works on `directory`.
fn child_of(subcommand: &str, directory: &Path) -> Option<String> {
    fs::read_dir("/proc").unwrap().flatten().find_map(|process| {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        let found = line.contains(subcommand) && line.contains(directory.to_str().unwrap());
        found.then(|| process.file_name().into_string().unwrap())
    })
}

#[tokio::test]
async fn a_fetch_whose_client_goes_away_leaves_no_child() {
    let place = Place::with_commits(1);
    // A body that never ends: git waits for more.
    let body = stream::iter([Ok(Bytes::from_static(b"0014command=ls-refs\n"))]).chain(stream::pending());
    let answer = place.repositories.upload_pack(&place.path, Some(Protocol::V2), body).unwrap();
    assert!(child_of("upload-pack", &place.directory()).is_some());
    drop(answer);
    // Bounded: git ends when its input does; `reap` would kill it after ten seconds.
    while child_of("upload-pack", &place.directory()).is_some() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn remotes_are_mirrored() {
    let open = Open::with(Place::with_commits(2), None, Some("s3cret&word")).await;
    git(&open.place.directory(), &["branch", "dev", "main~1"]);
    let mirror = RepositoryPath::new("admin", "mirror").unwrap();
    open.place.repositories.create(&mirror).unwrap();
    let url = RemoteUrl::new(&open.url).unwrap();
    let with =
        |password: &str| Credentials { user: "ada".into(), password: crate::model::Secret::new(password) };
    let fetch = |credentials: Option<Credentials>| {
        let (repositories, url, mirror) = (open.place.repositories.clone(), url.clone(), mirror.clone());
        async move { repositories.fetch_remote(&url, credentials.as_ref(), &mirror).await }
    };
    for wrong in [None, Some(with("wr0ng"))] {
        let refused = fetch(wrong).await;
        assert!(matches!(&refused, Err(Error::Denied(_))), "{refused:?}");
        assert!(!format!("{refused:?}").contains("wr0ng"));
    }
    let right = || Some(with("s3cret&word"));
    assert_eq!(fetch(right()).await.unwrap(), Fetched::Changed);
    assert_eq!(fetch(right()).await.unwrap(), Fetched::Unchanged);
    let listed = |path: &RepositoryPath| open.place.repositories.list_refs(path).unwrap();
    assert_eq!(listed(&mirror), listed(&open.place.path));
    git(&open.place.directory(), &["branch", "-D", "dev"]);
    git(&open.place.directory(), &["tag", "v1", "main"]);
    assert_eq!(fetch(right()).await.unwrap(), Fetched::Changed);
    assert_eq!(listed(&mirror), listed(&open.place.path));
    let config = fs::read_to_string(open.place.repositories.directory(&mirror).join("config")).unwrap();
    assert!(!config.contains("s3cret") && !config.contains("http"));
}

#[tokio::test]
async fn an_absent_remote_is_an_error_with_a_reason() {
    let place = Place::new();
    let url = RemoteUrl::new("http://127.0.0.1:9/x.git").unwrap();
    let failed = place.repositories.fetch_remote(&url, None, &place.path).await;
    let Err(Error::Conflict(message)) = failed else { panic!("{failed:?}") };
    assert!(message.key == "git-remote-failed" && message.args["reason"].contains("127.0.0.1"), "{message}");
}

#[test]
fn only_plain_web_addresses_are_remotes() {
    for bad in [
        "http://x/$(touch /tmp/p)",
        "ext::sh -c id",
        "--upload-pack=x",
        "file:///etc",
        "/data/other.git",
        "//host/share",
        "C:\\x",
        "ssh://git@x/y",
        "git@x:y",
        "http://",
        "http://user:pw@x/y",
        "http://user@x/y",
        "http://169.254.169.254/x",
        "http://[fe80::1]/x",
        "http://0.0.0.0/x",
        "http://x/y?z",
        "http://x/y#z",
        "http://x/y z",
        "http://x\\y",
        "-x",
        "",
        "http://-x/y",
    ] {
        assert!(RemoteUrl::new(bad).is_err(), "{bad}");
    }
    for good in
        ["http://registry.local:3000/admin/numbers.git", "https://example.org/x/y", "HTTP://10.0.0.1/x"]
    {
        assert!(RemoteUrl::new(good).is_ok(), "{good}");
    }
}
