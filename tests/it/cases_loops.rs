//! One bad event stops nobody: whatever a push brings or a disk loses, the other repositories' pushes start their runs,
//! and what cannot be decided says why. And the doors: proxies, other clients, delayed acknowledgements.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use jiff::Timestamp;
use ropewalk::model::{Event, Happened, RepositoryPath, Status};
use ropewalk::store::{events, repositories};

use crate::kit::{Copy, House, PASSWORD, git_command, one_step};

/// Runs are queued and stay so: what is tried here comes before an engine is needed.
const NO_ENGINE: (&str, &str) = ("docker", "unix:///nonexistent/docker.sock");

fn id_of(house: &House, repository: &str) -> i64 {
    let path: RepositoryPath = repository.parse().unwrap();
    house.app.store.read(|c| repositories::by_path(c, &path)).unwrap().unwrap().id
}

fn bare(house: &House, repository: &str) -> PathBuf {
    house.app.git.directory(&repository.parse().unwrap())
}

/// The newest event of a ref of the repository.
fn newest(house: &House, repository: &str) -> Option<Event> {
    let repository_id = Some(id_of(house, repository));
    let filter =
        events::Filter { repository_id, kind: Some("ref-moved".into()), ..events::Filter::default() };
    house.app.store.read(|c| events::page(c, &filter, 1)).unwrap().pop()
}

/// Keys of what came of the newest event of the ref, once it is decided.
async fn outcome(house: &House, repository: &str, reference: &str) -> Vec<String> {
    let found = house
        .wait_for(&format!("a decision on {reference} of {repository}"), |house| {
            let event = newest(house, repository)?;
            let is_it = matches!(&event.happened, Happened::RefMoved { reference: name, .. } if name.as_str() == reference);
            event.outcome.filter(|_| is_it)
        })
        .await;
    found.into_iter().map(|one| one.message.key.into_owned()).collect()
}

/// An object of these bytes, whether git likes it or not.
fn object(copy: &Copy, kind: &str, bytes: &[u8]) -> String {
    let file = copy.path.join(".git/raw");
    std::fs::write(&file, bytes).unwrap();
    copy.git(&["hash-object", "-t", kind, "-w", "--literally", ".git/raw"]).trim().to_owned()
}

fn entry(mode: &str, name: &[u8], id: &str) -> Vec<u8> {
    let bytes = (0..20).map(|n| u8::from_str_radix(&id[2 * n..2 * n + 2], 16).unwrap());
    [mode.as_bytes(), b" ", name, b"\0", &bytes.collect::<Vec<u8>>()].concat()
}

fn tree(copy: &Copy, mut entries: Vec<(&str, Vec<u8>, String)>) -> String {
    entries.sort_by(|a, b| a.1.cmp(&b.1));
    let bytes: Vec<u8> = entries.iter().flat_map(|(mode, name, id)| entry(mode, name, id)).collect();
    object(copy, "tree", &bytes)
}

fn commit(copy: &Copy, tree: &str, message: &[u8]) -> String {
    let head =
        format!("tree {tree}\nauthor A <a@b> 1700000000 +0000\ncommitter A <a@b> 1700000000 +0000\n\n");
    object(copy, "commit", &[head.as_bytes(), message].concat())
}

fn yaml(copy: &Copy) -> String {
    object(copy, "blob", one_step("true").as_bytes())
}

/// Commits that may be pushed, each with what comes of it.
fn pushed(copy: &Copy) -> Vec<(&'static str, String, &'static str)> {
    let (blob, file) = (object(copy, "blob", b"hi\n"), yaml(copy));
    let ones = "1".repeat(40);
    let definition = |mode: &'static str, id: &str| {
        let tree = tree(
            copy,
            vec![("100644", b"a".to_vec(), blob.clone()), (mode, b"ropewalk.yml".to_vec(), id.to_owned())],
        );
        commit(copy, &tree, b"x\n")
    };
    let with = |mut more: Vec<(&'static str, Vec<u8>, String)>| {
        more.push(("100644", b"ropewalk.yml".to_vec(), file.clone()));
        tree(copy, more)
    };
    let link = object(copy, "blob", b"/etc/passwd");
    let folder = tree(copy, vec![("100644", b"f".to_vec(), blob.clone())]);
    let large = object(copy, "blob", &vec![b'#'; 3 << 20]);
    let many = (0..100_000).map(|n| ("100644", format!("a{n:06}").into_bytes(), blob.clone())).collect();
    let scripts = (0..12_000).map(|n| ("100755", format!("10-{n:05}").into_bytes(), blob.clone())).collect();
    let scripts = tree(copy, scripts);
    let mut deep = folder.clone();
    for _ in 0..500 {
        deep = tree(copy, vec![("40000", b"d".to_vec(), deep)]);
    }
    let odd =
        vec![("100644", b"a\nb".to_vec(), blob.clone()), ("100644", b"\xff\xfe".to_vec(), blob.clone())];
    let poison =
        tree(copy, vec![("100644", b"f".to_vec(), blob.clone()), ("160755", b"sub".to_vec(), ones.clone())]);
    vec![
        ("poison", commit(copy, &poison, b"x\n"), "trigger-no-pipeline"),
        (
            "odd-modes",
            commit(
                copy,
                &with(vec![
                    ("160755", b"sub".to_vec(), ones.clone()),
                    ("100664", b"w".to_vec(), blob.clone()),
                ]),
                b"x\n",
            ),
            "trigger-started",
        ),
        ("link", definition("120000", &link), "trigger-definition-no-file"),
        ("folder", definition("40000", &folder), "trigger-definition-no-file"),
        ("submodule", definition("160000", &ones), "trigger-definition-no-file"),
        ("large", definition("100644", &large), "git-file-too-large"),
        ("many", commit(copy, &with(many), b"x\n"), "trigger-started"),
        (
            "scripts",
            commit(copy, &tree(copy, vec![("40000", b"ci".to_vec(), scripts)]), b"x\n"),
            "git-folder-too-large",
        ),
        ("deep", commit(copy, &with(vec![("40000", b"d".to_vec(), deep)]), b"x\n"), "trigger-started"),
        ("odd-names", commit(copy, &with(odd), b"x\n"), "trigger-started"),
        ("latin", commit(copy, &with(vec![]), b"caf\xe9 \xff\n"), "trigger-started"),
        ("long", commit(copy, &with(vec![]), &vec![b'm'; 5 << 20]), "trigger-started"),
        ("longer", commit(copy, &with(vec![]), &vec![b'm'; 65 << 20]), "git-object-too-large"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_push_keeps_others_from_their_runs() {
    let house = House::with(&[NO_ENGINE]).await;
    let good = Copy::new();
    good.write("ropewalk.yml", &one_step("true")).commit("Good");
    let bad = Copy::new();
    let mut number = 0;
    for (name, commit, expected) in pushed(&bad) {
        let (repository, target) = (format!("admin/{name}"), format!("{commit}:refs/heads/main"));
        let (ok, said) = bad.try_git(&["push", &house.remote(&repository), &target]).await;
        assert!(ok, "{name}: {said}");
        good.commit(name);
        let said = good.push(&house.remote("admin/good")).await;
        number += 1;
        assert!(said.contains(&format!("runs/{number}")), "after {name}: {said}");
        assert_eq!(outcome(&house, &repository, "refs/heads/main").await, [expected], "{name}");
        let page = house.get(&format!("/{repository}")).await.status();
        assert!(page == 200 || name == "longer", "{name}: its page answers {page}");
    }
    house.stop().await;
}

/// A bare repository with all its objects as files, and the ids of its commit, tree and definition.
async fn loose(house: &House, name: &str, copy: &Copy) -> (PathBuf, [String; 3]) {
    copy.push(&house.remote(name)).await;
    let id = |what: &str| copy.git(&["rev-parse", what]).trim().to_owned();
    (bare(house, name), [id("HEAD"), id("HEAD^{tree}"), id("HEAD:ropewalk.yml")])
}

fn object_file(directory: &Path, id: &str) -> PathBuf {
    directory.join("objects").join(&id[..2]).join(&id[2..])
}

/// Replaces a file that git made read-only.
fn overwrite(file: &Path, bytes: &[u8]) {
    std::fs::remove_file(file).unwrap();
    std::fs::write(file, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_repository_is_named_and_stops_nobody() {
    let house = House::with(&[NO_ENGINE]).await;
    let good = Copy::new();
    good.write("ropewalk.yml", &one_step("true")).write("a", "a").commit("Good");
    good.push(&house.remote("admin/good")).await;
    let mut number = 1;
    let kinds = [
        ("no-commit", "git-object-missing"),
        ("no-tree", "git-object-missing"),
        ("no-blob", "git-object-missing"),
        ("torn", "git-repository-damaged"),
        ("empty", "git-repository-damaged"),
        ("other", "git-object-unreadable"),
        ("pack", "git-object-missing"),
        ("config", "git-repository-unreadable"),
        ("to-tree", "git-not-a-commit"),
        ("to-blob-by-tags", "git-not-a-commit"),
        ("tags-of-tags", "git-tags-too-deep"),
    ];
    for (name, expected) in kinds {
        let (repository, copy) = (format!("admin/{name}"), Copy::new());
        copy.write("ropewalk.yml", &one_step("true")).write("a", name).commit(name);
        let (directory, [commit, tree, blob]) = loose(&house, &repository, &copy).await;
        let in_bare = |args: &[&str]| {
            let output = git_command(&directory, args);
            assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        let mut target = commit.clone();
        match name {
            "no-commit" => target = "1".repeat(40),
            "no-tree" => std::fs::remove_file(object_file(&directory, &tree)).unwrap(),
            "no-blob" => std::fs::remove_file(object_file(&directory, &blob)).unwrap(),
            "torn" => {
                let bytes = std::fs::read(object_file(&directory, &tree)).unwrap();
                overwrite(&object_file(&directory, &tree), &bytes[..bytes.len() / 2]);
            }
            "empty" => overwrite(&object_file(&directory, &commit), b""),
            "other" => {
                let bytes = std::fs::read(object_file(&directory, &blob)).unwrap();
                overwrite(&object_file(&directory, &tree), &bytes);
            }
            "pack" => {
                in_bare(&["repack", "-adq"]);
                let packs = std::fs::read_dir(directory.join("objects/pack")).unwrap().flatten();
                for pack in packs.filter(|file| file.path().extension().is_some_and(|e| e == "pack")) {
                    overwrite(&pack.path(), b"PACK");
                }
            }
            "config" => std::fs::write(directory.join("config"), "[core\n").unwrap(),
            "to-tree" => target = tree.clone(),
            "to-blob-by-tags" => {
                let first =
                    in_bare(&["-c", "user.name=A", "-c", "user.email=a@b", "tag", "-m", "x", "one", &blob]);
                assert!(first.is_empty());
                in_bare(&["-c", "user.name=A", "-c", "user.email=a@b", "tag", "-m", "x", "two", "one"]);
                target = in_bare(&["rev-parse", "two"]);
            }
            "tags-of-tags" => {
                for n in 0..60 {
                    let file = directory.join("raw");
                    let kind = if n == 0 { "commit" } else { "tag" };
                    let text = format!(
                        "object {target}\ntype {kind}\ntag t\ntagger A <a@b> 1700000000 +0000\n\nx\n"
                    );
                    std::fs::write(&file, text).unwrap();
                    target = in_bare(&["hash-object", "-t", "tag", "-w", "raw"]);
                }
            }
            _ => unreachable!(),
        }
        // As a program would that moves refs behind the server's back; the file system's notices tell of it.
        std::fs::write(directory.join("refs/heads/new.lock"), format!("{target}\n")).unwrap();
        std::fs::rename(directory.join("refs/heads/new.lock"), directory.join("refs/heads/new")).unwrap();
        assert_eq!(outcome(&house, &repository, "refs/heads/new").await, [expected], "{name}");
        good.commit(name);
        let said = good.push(&house.remote("admin/good")).await;
        number += 1;
        assert!(said.contains(&format!("runs/{number}")), "after {name}: {said}");
        let is_damage = !matches!(name, "to-tree" | "to-blob-by-tags" | "tags-of-tags");
        let known = house.app.git.damage_of(&repository.parse().unwrap());
        assert_eq!(known.is_some(), is_damage, "{name}: {known:?}");
    }
    house.app.look_around().await;
    let health = house.json("/health").await;
    let repositories =
        health["checks"].as_array().unwrap().iter().find(|c| c["part"] == "repositories").unwrap();
    assert_eq!(repositories["status"], "degraded");
    let said = repositories["message"].as_str().unwrap();
    assert!(said.contains("admin/no-tree") && !said.contains("admin/good"), "{said}");
    let page = house.get("/admin/no-tree").await.text().await.unwrap();
    assert!(page.contains("is damaged"), "{page}");
    let page = house.get("/admin/good").await.text().await.unwrap();
    assert!(!page.contains("is damaged"), "{page}");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_cannot_be_read_is_its_own_outcome() {
    let house = House::with(&[NO_ENGINE]).await;
    let copy = Copy::new();
    copy.write("ropewalk.yml", &one_step("true")).commit("One");
    copy.push(&house.remote("admin/rows")).await;
    let id = id_of(&house, "admin/rows");
    let row = house.app.store.write(move |c| {
        let sql = "INSERT INTO events (at, kind, repository_id, happened, undecided) VALUES (?1, 'nonsense', ?2, '{}', 1)";
        c.execute(sql, [Timestamp::now().as_millisecond(), id])?;
        Ok(c.last_insert_rowid())
    });
    let row = row.await.unwrap();
    copy.commit("Two");
    assert!(copy.push(&house.remote("admin/rows")).await.contains("runs/2"));
    house
        .wait_for("the row's outcome", |house| {
            let read = |c: &ropewalk::store::Connection| {
                Ok(c.query_row("SELECT outcome FROM events WHERE id = ?1", [row], |r| {
                    r.get::<_, Option<String>>(0)
                })?)
            };
            house.app.store.read(read).unwrap().filter(|text| text.contains("trigger-failed"))
        })
        .await;
    house.stop().await;
}

/// What `/health` says of the loops.
async fn loops(house: &House) -> Vec<(String, String)> {
    let health = house.json("/health").await;
    let checks = health["checks"].as_array().unwrap().clone();
    let of_loops = checks.into_iter().filter(|check| check["part"] == "loops");
    of_loops
        .map(|c| (c["status"].as_str().unwrap().to_owned(), c["code"].as_str().unwrap().to_owned()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_house_lacks_keeps_events_and_shows_in_its_health() {
    let house = House::with(&[NO_ENGINE]).await;
    let copy = Copy::new();
    copy.write("ropewalk.yml", &one_step("true")).commit("One");
    copy.push(&house.remote("admin/kept")).await;
    let id = id_of(&house, "admin/kept");
    let data = house.stop().await;
    // Decided once more, by a server whose database somebody else is writing into.
    let other = rusqlite::Connection::open(data.path().join("ropewalk.db")).unwrap();
    let again =
        "UPDATE events SET undecided = 1, outcome = NULL WHERE repository_id = ?1 AND kind = 'ref-moved'";
    assert_eq!(other.execute(again, [id]).unwrap(), 1);
    other.execute("DELETE FROM runs", []).unwrap();
    let house = House::opened(data, &[NO_ENGINE], || other.execute_batch("BEGIN IMMEDIATE").unwrap()).await;
    let failing = ("degraded".to_owned(), "health-loop-failing".to_owned());
    let begun = Instant::now();
    while !loops(&house).await.contains(&failing) {
        assert!(begun.elapsed() < Duration::from_secs(60), "the failing loop is not in the health");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(
        loops(&house).await.iter().any(|(_, code)| code == "store-unavailable"),
        "{:?}",
        loops(&house).await
    );
    other.execute_batch("COMMIT").unwrap();
    house.wait_for("the run", |house| house.find_run("admin/kept", "default", 2)).await;
    while loops(&house).await != [("ok".to_owned(), "health-loops".to_owned())] {
        assert!(begun.elapsed() < Duration::from_secs(120), "the loop works and the health does not say so");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_refs_of_one_leave_the_others_their_turns() {
    let house = House::with(&[NO_ENGINE]).await;
    let many = Copy::new();
    many.write("ropewalk.yml", &one_step("true")).commit("Many");
    let head = many.git(&["rev-parse", "HEAD"]).trim().to_owned();
    let mut packed = String::from("# pack-refs with: peeled fully-peeled sorted \n");
    (0..10_000).for_each(|n| packed += &format!("{head} refs/tags/t{n:06}\n"));
    std::fs::write(many.path.join(".git/packed-refs"), packed).unwrap();
    let other = Copy::new();
    other.write("ropewalk.yml", &one_step("true")).commit("Other");
    other.push(&house.remote("admin/other")).await;

    let remote = house.remote("admin/many");
    let pushing = async {
        let (ok, said) = many.try_git(&["push", "-q", &remote, "--tags", "HEAD"]).await;
        assert!(ok, "{said}");
    };
    let meanwhile = async {
        let waiting = |house: &House| {
            let path: RepositoryPath = "admin/many".parse().unwrap();
            house.app.store.read(|c| {
                let Some(many) = repositories::by_path(c, &path)? else { return Ok(0) };
                Ok(events::undecided_of(c, many.id, 20_000)?.len())
            })
        };
        house.wait_for("events of the many", |house| waiting(house).ok().filter(|left| *left > 500)).await;
        let mut waited = Vec::new();
        for number in 2..5 {
            other.commit("Next");
            let begun = Instant::now();
            other.push(&house.remote("admin/other")).await;
            let run = house
                .wait_for("the other's run", |house| house.find_run("admin/other", "default", number))
                .await;
            let event = newest(&house, "admin/other").unwrap();
            waited.push((run.queued_at.duration_since(event.at), begun.elapsed(), waiting(&house).unwrap()));
        }
        waited
    };
    let ((), waited) = tokio::join!(pushing, meanwhile);
    eprintln!(
        "from the push's event to its run, the whole push, events of the many still waiting: {waited:?}"
    );
    assert!(waited[0].2 > 0, "there was nothing to wait for");
    assert!(waited.iter().all(|(decided, ..)| decided.as_secs() < 2), "{waited:?}");
    house
        .wait_for("all decisions", |house| {
            let id = id_of(house, "admin/many");
            house.app.store.read(|c| events::any_undecided(c, id, (0, i64::MAX))).ok().filter(|any| !any)
        })
        .await;
    house.stop().await;
}

/// The real nginx in front of a house.
struct Proxy {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Proxy {
    fn start(house: &House, more: &str) -> Proxy {
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (place, server) = (folder.path().display(), house.url.strip_prefix("http://").unwrap());
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|name| format!("{name}_temp_path {place}/{name};\n"))
            .collect();
        let root =
            if Command::new("id").arg("-u").output().unwrap().stdout == b"0\n" { "user root;" } else { "" };
        let config = format!(
            "{root}\ndaemon off; master_process off; pid {place}/pid; error_log {place}/error.log;\n\
             events {{ worker_connections 64; }}\n\
             http {{ access_log off; {temporary} client_max_body_size 0;\n\
             upstream house {{ server {server}; keepalive 4; }}\n\
             server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://house; proxy_http_version 1.1;\n\
             proxy_set_header Connection \"\"; proxy_set_header Host $http_host; {more} }} }} }}\n"
        );
        std::fs::write(folder.path().join("nginx.conf"), config).unwrap();
        let mut command = Command::new("nginx");
        command.arg("-p").arg(folder.path()).args(["-e", "error.log", "-c", "nginx.conf"]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let proxy = Proxy { child: child.expect("nginx is installed"), port, _folder: folder };
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(30), "nginx does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        proxy
    }

    fn remote(&self, user: &str, repository: &str) -> String {
        format!("http://{user}:{PASSWORD}@127.0.0.1:{}/{repository}.git", self.port)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Bytes that cannot be made smaller.
fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    std::fs::File::open("/dev/urandom").unwrap().read_exact(&mut bytes).unwrap();
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn large_pushes_pass_through_nginx() {
    let house = House::with(&[NO_ENGINE]).await;
    for (name, more) in [("streamed", "proxy_request_buffering off;"), ("buffered", "")] {
        let proxy = Proxy::start(&house, more);
        // In chunks after a probe, and as one body with its length.
        for (kind, buffer) in [("chunked", "1048576"), ("whole", "104857600")] {
            let repository = format!("admin/{name}-{kind}");
            let copy = Copy::new();
            std::fs::write(copy.path.join("noise"), noise(20 << 20)).unwrap();
            let commit = copy.commit("Large");
            let (buffer, remote) = (format!("http.postBuffer={buffer}"), proxy.remote("admin", &repository));
            let refused =
                copy.try_git(&["-c", &buffer, "push", &proxy.remote("nobody", &repository), "HEAD"]).await;
            assert!(!refused.0, "{}", refused.1);
            let begun = Instant::now();
            let (ok, said) = copy.try_git(&["-c", &buffer, "push", &remote, "HEAD:main"]).await;
            assert!(
                ok && begun.elapsed() < Duration::from_secs(50),
                "{repository} {:?}: {said}",
                begun.elapsed()
            );
            // A refusal after the whole body, then another push on what connections are left.
            let (ok, said) = copy.try_git(&["-c", &buffer, "push", &remote, "HEAD:refs/heads/$(id)"]).await;
            assert!(!ok && said.contains("plain names"), "{said}");
            let second = copy.commit("Second");
            let (ok, said) = copy.try_git(&["-c", &buffer, "push", &remote, "HEAD:main"]).await;
            assert!(ok, "{said}");
            let there = Copy::new();
            let (ok, said) = there.try_git(&["clone", "-q", &remote, "clone"]).await;
            assert!(ok, "{said}");
            let head = git_command(&there.path.join("clone"), &["rev-parse", "HEAD", "HEAD~1"]);
            assert_eq!(
                String::from_utf8(head.stdout).unwrap(),
                format!("{second}\n{commit}\n"),
                "{repository}"
            );
        }
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn libgit2_makes_a_repository_by_pushing() {
    let house = House::with(&[NO_ENGINE]).await;
    let remote = house.remote("admin/by-libgit2");
    let pushed = tokio::task::spawn_blocking(move || {
        let folder = tempfile::tempdir().unwrap();
        let git = git2::Repository::init(folder.path()).unwrap();
        let who = git2::Signature::now("Ada", "ada@example.org").unwrap();
        let blob = git.blob(one_step("true").as_bytes()).unwrap();
        let mut root = git.treebuilder(None).unwrap();
        root.insert("ropewalk.yml", blob, 0o100_644).unwrap();
        let tree = git.find_tree(root.write().unwrap()).unwrap();
        let mut parents: Vec<git2::Oid> = Vec::new();
        for message in ["First", "Second"] {
            let commits: Vec<_> = parents.iter().map(|id| git.find_commit(*id).unwrap()).collect();
            let commits: Vec<_> = commits.iter().collect();
            let id = git.commit(Some("refs/heads/main"), &who, &who, message, &tree, &commits).unwrap();
            let mut remote = git.remote_anonymous(&remote).unwrap();
            remote.push(&["refs/heads/main:refs/heads/main"], None).map_err(|e| format!("{message}: {e}"))?;
            parents = vec![id];
        }
        Ok::<_, String>(parents[0].to_string())
    });
    let tip = pushed.await.unwrap().unwrap();
    let run =
        house.wait_for("the second run", |house| house.find_run("admin/by-libgit2", "default", 2)).await;
    assert_eq!((run.commit.as_str(), run.status), (tip.as_str(), Status::Queued));
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_waits_for_an_acknowledgement() {
    let house = House::with(&[NO_ENGINE]).await;
    let copy = Copy::new();
    copy.commit("One");
    copy.push(&house.remote("admin/quick")).await;
    let address = house.url.strip_prefix("http://").unwrap().to_owned();
    let quickest = tokio::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        let credentials = base64::engine::general_purpose::STANDARD.encode(format!("admin:{PASSWORD}"));
        let ask = format!(
            "GET /admin/quick.git/info/refs?service=git-receive-pack HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {credentials}\r\n\r\n"
        );
        let mut times = Vec::new();
        for _ in 0..30 {
            let begun = Instant::now();
            stream.write_all(ask.as_bytes()).unwrap();
            let mut bytes = Vec::new();
            while !bytes.ends_with(b"0\r\n\r\n") {
                let mut some = [0; 4096];
                let count = stream.read(&mut some).unwrap();
                assert!(count > 0, "{}", String::from_utf8_lossy(&bytes));
                bytes.extend_from_slice(&some[..count]);
            }
            times.push(begun.elapsed());
        }
        times.into_iter().min().unwrap()
    });
    // A client that has nothing to send acknowledges after 40 ms at the earliest.
    let quickest = quickest.await.unwrap();
    assert!(quickest < Duration::from_millis(38), "{quickest:?}");
    house.stop().await;
}
