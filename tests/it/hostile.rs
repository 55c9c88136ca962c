//! Names, addresses, refs and trees made to lead somewhere else.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::kit::{Copy, House, one_step};
use ropewalk::model::Status;
use serde_json::json;

/// Everything below the data directory but the database, which SQLite makes and removes files of.
fn tree(data: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![data.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.file_type().unwrap().is_dir() {
                open.push(entry.path());
            }
            found.insert(entry.path().display().to_string());
        }
    }
    found.retain(|path| !path.contains("ropewalk.db"));
    found
}

/// Status and body of a GET whose address no client has tidied up.
fn raw_get(house: &House, address: &str) -> (u16, String) {
    let mut stream = std::net::TcpStream::connect(house.url.strip_prefix("http://").unwrap()).unwrap();
    write!(stream, "GET {address} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    (text.split(' ').nth(1).unwrap().parse().unwrap(), text)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_name_and_no_address_leads_out_of_its_place() {
    let house = House::start().await;
    let copy = Copy::new();
    copy.write("ropewalk.yml", &one_step("true")).commit("One");
    copy.push(&house.remote("admin/good")).await;
    house.run_ended("admin/good", "default", 1).await;
    house.app.runs.drain().await;
    let before = tree(house.data.path());
    let long = "a".repeat(256);
    for name in [
        "",
        ".",
        "..",
        "a/../b",
        "../x",
        "a\\b",
        "..\\x",
        "%2e%2e",
        ".git",
        "a.git",
        "CON",
        "nul.txt",
        "a\0b",
        "a\u{200c}b",
        "-x",
        "--upload-pack=x",
        "$(id)",
        "a b",
        "x.lock",
        "a\nb",
        &long,
    ] {
        let pipelines = "/api/v1/repos/admin/good/pipelines";
        let remote = "http://127.0.0.1:1/x.git";
        for (path, body) in [
            ("/api/v1/user/repos", json!({"name": name})),
            ("/api/v1/repos/migrate", json!({"clone_addr": remote, "repo_name": name})),
            ("/api/v1/repos/migrate", json!({"clone_addr": remote, "repo_name": "x", "owner": name})),
            ("/api/v1/admin/users", json!({"username": name, "password": "three quiet kettles"})),
            (pipelines, json!({"name": name, "path": "Jenkinsfile"})),
        ] {
            let (status, answer) = house.post(path, body).await;
            assert!((400..500).contains(&status), "{path} {name:?}: {status} {answer}");
        }
    }
    for path in
        ["", "..", "../x", "a/../../b", "/etc/passwd/..", "a\\..\\b", "a\0b", "-x", ".git/config", "a//b"]
    {
        let body = json!({"name": "p", "path": path});
        let (status, answer) = house.post("/api/v1/repos/admin/good/pipelines", body).await;
        assert_eq!(status, 422, "pipeline at {path:?}: {answer}");
    }
    for address in [
        "/../conf",
        "/admin/../../conf",
        "/admin/good.git/../../../ropewalk.db",
        "/admin/good.git/..\\..\\x",
        "/admin/good.git/objects/info/../../../../key",
        "/admin/good.git/%2e%2e/%2e%2e/key",
        "/admin/good.git/HEAD",
        "/admin/good.git/config",
        "/admin/%2e%2e/info/refs?service=git-upload-pack",
        "/static/../key",
        "/static/%2e%2e%2fkey",
        "/static/..%5ckey",
        "//etc/passwd",
        "/admin%2fgood.git/info/refs?service=git-upload-pack",
        "/admin/good/raw/../../../../key",
        "/admin/good/raw/%2e%2e/%2e%2e/key",
        "/admin/good/raw//etc/passwd",
        "/admin/good/files/..%2f..%2fkey",
        "/admin/good.git/info/refs?service=git-upload-archive",
    ] {
        let (status, text) = raw_get(&house, address);
        assert!(matches!(status, 400..=404 | 422), "{address}: {text}");
        assert!(!text.contains("root:") && !text.contains("repositoryformatversion"), "{address}: {text}");
    }
    assert_eq!(tree(house.data.path()), before);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_ref_becomes_an_option_or_a_command() {
    let house = House::start().await;
    let canary = house.data.path().join("canary");
    let copy = Copy::new();
    copy.write("ropewalk.yml", &one_step("true")).commit("One");
    copy.push(&house.remote("admin/refs")).await;
    house.run_ended("admin/refs", "default", 1).await;
    let output = format!("--output={}", canary.display());
    for revision in
        [&output, "-h", "--help", "--exec=id", "$(id)", "a..b", "HEAD:key", "@{-1}", "\u{0}", "../../key"]
    {
        let asked: String = url_encoded(revision);
        for address in [
            format!("/api/v1/repos/admin/refs/commits?sha={asked}"),
            format!("/admin/refs/commits?at={asked}"),
            format!("/admin/refs/files/?at={asked}"),
            format!("/admin/refs/raw/ropewalk.yml?at={asked}"),
            format!("/admin/refs/commits/{asked}"),
        ] {
            let answer = house.get(&address).await;
            let (status, text) = (answer.status(), answer.text().await.unwrap());
            assert!(status.is_client_error() && !text.contains("usage: git"), "{address}: {status} {text}");
        }
        let runs = "/api/v1/repos/admin/refs/pipelines/default/runs";
        let (status, answer) = house.post(runs, json!({"ref": revision})).await;
        assert!((400..500).contains(&status), "{revision:?}: {answer}");
    }
    // Behind the server's back git itself takes such names; nothing here acts on them.
    let directory = house.app.git.directory(&"admin/refs".parse().unwrap());
    let tip = copy.git(&["rev-parse", "HEAD"]);
    for name in
        [format!("--exec=touch${{IFS}}{}", canary.display()), "-x".into(), "$(id)".into(), "<script>".into()]
    {
        let path = directory.join("refs/heads").join(name.replace('/', "_"));
        std::fs::write(path, &tip).unwrap();
    }
    let packed = format!("{} refs/heads/-packed\n{} refs/heads/a;id\n", tip.trim(), tip.trim());
    std::fs::write(directory.join("packed-refs"), packed).unwrap();
    house.app.settle().await.unwrap();
    for address in ["/api/v1/repos/admin/refs/branches", "/admin/refs", "/admin/refs/commits", "/"] {
        assert_eq!(house.get(address).await.status(), 200, "{address}");
    }
    let branches = house.json("/api/v1/repos/admin/refs/branches").await;
    assert_eq!(branches.as_array().unwrap().len(), 1, "{branches}");
    assert!(house.find_run("admin/refs", "default", 2).is_none());
    assert!(!canary.exists());
    house.stop().await;
}

fn url_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn links_lead_a_definition_and_a_workspace_nowhere() {
    let house = House::start().await;
    let script = "#!/bin/sh\ntrue\n";
    let cases: [(&str, &[(&str, &str)], &str); 5] = [
        ("link-file", &[("/etc/passwd", "ropewalk.yml")], "default"),
        ("link-folder", &[("/etc", "ci")], "default"),
        ("link-inside", &[("real", "ci")], "default"),
        ("link-named", &[("/etc", "pipelines")], "named"),
        ("link-relative", &[("../../../../../../etc", "pipelines")], "named"),
    ];
    for (name, links, pipeline) in cases {
        let path = format!("admin/{name}");
        house.post("/api/v1/user/repos", json!({"name": name})).await;
        house.create_pipeline(&path, "named", "pipelines/passwd").await;
        let copy = Copy::new();
        copy.write("real/00-verify.sh", script);
        for (target, link) in links {
            symlink(target, copy.path.join(link)).unwrap();
        }
        copy.commit("Links");
        let said = copy.push(&house.remote(&path)).await;
        house.app.settle().await.unwrap();
        assert!(!said.contains("root:"), "{name}: {said}");
        let run = house.find_run(&path, pipeline, 1);
        assert!(run.as_ref().is_none_or(|run| run.started_at.is_none()), "{name}: {run:?}");
        for address in [
            format!("/{path}"),
            format!("/{path}/files/{}", links[0].1),
            format!("/{path}/raw/{}", links[0].1),
        ] {
            let text = house.get(&address).await.text().await.unwrap();
            assert!(!text.contains("root:"), "{address}: {text}");
        }
    }
    // A link out of the workspace is laid as it is: what a step reads through it is its container's, never the server's.
    let copy = Copy::new();
    let kept = house.data.path().join("kept");
    std::fs::write(&kept, "kept").unwrap();
    copy.write("ropewalk.yml", &one_step("readlink Dockerfile; cat Dockerfile || echo not here"));
    symlink(&kept, copy.path.join("Dockerfile")).unwrap();
    copy.commit("Out");
    copy.push(&house.remote("admin/out")).await;
    let run = house.run_ended("admin/out", "default", 1).await;
    let log = house.log(&run);
    assert_eq!(run.status, Status::Passed, "{log}");
    assert!(log.contains("not here") && log.contains(kept.to_str().unwrap()), "{log}");
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), "kept");
    house.app.runs.drain().await;
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_shows_hostile_text_as_text_and_changes_nothing() {
    const CANARY: &str = "<script>canary</script>";
    let house = House::start().await;
    let copy = Copy::new();
    let definition = format!(
        "stages:\n  - name: \"{CANARY}\"\n    steps:\n      - run: |\n          # {CANARY}\n          echo '{CANARY}'\n          exit 3\n"
    );
    copy.write("ropewalk.yml", &definition)
        .write("README.md", &format!("# {CANARY}\n[x](javascript:canary) {CANARY}\n"));
    copy.write("<script>canary<／script>.txt", CANARY).write("page.svg", &format!("<svg>{CANARY}</svg>"));
    copy.write("page.html", CANARY);
    copy.git(&["add", "-A"]);
    copy.commit(&format!("{CANARY}\n\n{CANARY}"));
    copy.git(&["tag", "-m", CANARY, "v1"]);
    let (ok, said) = copy.try_git(&["push", &house.remote("admin/xss"), "HEAD", "v1"]).await;
    assert!(ok, "{said}");
    house.run_ended("admin/xss", "default", 1).await;
    // A push refuses such a person; an object written by hand and pushed to the path itself is not asked.
    let tree = copy.git(&["write-tree"]);
    let person = format!("{CANARY}\"' <canary@example.org> 1700000000 +0000");
    let commit = format!("tree {tree}author {person}\ncommitter {person}\n\n{CANARY}\n");
    copy.write("../commit", &commit);
    let commit = copy.git(&["hash-object", "-w", "-t", "commit", "--literally", "../commit"]);
    copy.git(&["update-ref", "refs/heads/main", commit.trim()]);
    let (ok, said) = copy.try_git(&["push", &house.remote("admin/xss"), "+main"]).await;
    assert!(!ok && said.contains("error in packed object"), "{said}");
    let directory = house.app.git.directory(&"admin/xss".parse().unwrap());
    let (ok, said) = copy.try_git(&["push", directory.to_str().unwrap(), "+main"]).await;
    assert!(ok, "{said}");
    house.app.settle().await.unwrap();
    house.app.runs.drain().await;

    let mut bell = house.app.store.bell();
    bell.borrow_and_update();
    let mut open = vec!["/".to_owned()];
    let mut seen = BTreeSet::from(["/".to_owned()]);
    let mut pages = 0;
    while let Some(address) = open.pop() {
        let answer = house.get(&address).await;
        let status = answer.status();
        let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
        let policy = answer.headers().get("content-security-policy").map(|p| p.to_str().unwrap().to_owned());
        assert!(!status.is_server_error(), "{address}: {status}");
        if address.ends_with("/live")
            || kind.as_deref().is_some_and(|kind| kind.starts_with("text/event-stream"))
        {
            continue;
        }
        let text = answer.text().await.unwrap_or_default();
        if !kind.as_deref().is_some_and(|kind| kind.starts_with("text/html") || kind.contains("xml")) {
            continue;
        }
        pages += 1;
        assert!(policy.is_some_and(|policy| !policy.contains("unsafe")), "{address}");
        assert!(!text.contains("<script>canary") && !text.contains("javascript:canary"), "{address}: {text}");
        for link in text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let link = link.replace("&amp;", "&").replace("&#38;", "&");
            let link = link.split('#').next().unwrap_or_default().to_owned();
            if link.starts_with('/') && seen.len() < 400 && seen.insert(link.clone()) {
                open.push(link);
            }
        }
    }
    assert!(pages >= 15, "{seen:?}");
    assert!(seen.iter().any(|address| address.contains("/runs/1")), "{seen:?}");
    assert!(!bell.has_changed().unwrap(), "a page was read and something was written");
    house.stop().await;
}
