//! What scripts expect of their workspace: history, submodules, links, line ends, a home, addresses that answer, and
//! that nothing is left behind. The inputs are public bug reports in small.

use std::os::unix::fs::symlink;
use std::process::Command;
use std::sync::Arc;

use crate::kit::data::Data;
use crate::kit::{Copy, House, PASSWORD, one_step};
use ropewalk::model::{OwnerName, PasswordHash, Run, Secret, Status};
use ropewalk::store::accounts;
use serde_json::json;

fn docker(args: &[&str]) -> String {
    let output = Command::new("docker").args(args).output().unwrap();
    assert!(output.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

async fn passed(house: &House, repository: &str, number: u64) -> (Run, String) {
    let run = house.run_ended(repository, "default", number).await;
    let log = house.log(&run);
    assert_eq!(run.status, Status::Passed, "{:?}\n{log}", run.message);
    (run, log)
}

async fn pushed(house: &House, repository: &str, copy: &Copy) -> String {
    copy.commit("One");
    copy.push(&house.remote(repository)).await;
    passed(house, repository, 1).await.1
}

fn steps(lines: &[&str]) -> String {
    let steps: String =
        lines.iter().map(|line| format!("      - '{}'\n", line.replace('\'', "''"))).collect();
    format!("stages:\n  - name: A\n    steps:\n{steps}")
}

fn has(log: &str, line: &str) {
    assert!(log.lines().any(|found| found == line), "{line}\n{log}");
}

/// What Compose made in the engine for a project: containers, networks and volumes.
fn left_of(project: &str) -> String {
    let label = format!("label=com.docker.compose.project={project}");
    let containers = docker(&["ps", "-aq", "--filter", &label]);
    let networks = docker(&["network", "ls", "-q", "--filter", &label]);
    let volumes = docker(&["volume", "ls", "-q", "--filter", &label]);
    [containers, networks, volumes].concat()
}

/// ci/29, 33, 38, 43: what is in the workspace.
#[tokio::test(flavor = "multi_thread")]
async fn the_workspace_is_a_clone_as_git_knows_it() {
    let house = House::start().await;
    let copy = Copy::new();
    copy.write("ropewalk.yml", "stages: []").write("a", "1\n");
    copy.commit("First");
    copy.git(&["tag", "-a", "-m", "one", "v1.0"]);
    copy.git(&["branch", "other"]);
    copy.write("a", "2\n").write(
        "ropewalk.yml",
        &steps(&[
            "git describe --tags --always --dirty",
            "git rev-parse --short HEAD",
            "echo head $(git rev-parse HEAD) on $(git rev-parse --abbrev-ref HEAD)",
            "git log --format=%s",
            "git diff --stat HEAD~1 -- a",
            "git status --porcelain",
            "git branch -r",
            "git remote get-url origin",
            // Of another user, as in the stack, and for another user than root.
            "chown -R 12345:12345 . && git status --porcelain && git rev-parse HEAD >/dev/null",
            "sudo -u nobody git -C \"$PWD\" log -1 --format=nobody%s",
            "git fetch -q && git checkout -q v1.0 && cat a",
            "hostname && getent hosts $(hostname) >/dev/null",
        ]),
    );
    copy.git(&["add", "-A"]);
    let second = copy.commit("Second");
    let (ok, said) = copy.try_git(&["push", &house.remote("admin/history"), "main", "other", "v1.0"]).await;
    assert!(ok, "{said}");
    let (_, log) = passed(&house, "admin/history", 1).await;
    for line in [
        format!("v1.0-1-g{}", &second[..7]),
        second[..7].to_owned(),
        format!("head {second} on main"),
        "Second".into(),
        "First".into(),
        " a | 2 +-".into(),
        "  origin/main".into(),
        "  origin/other".into(),
        format!("{}/admin/history.git", house.url),
        "nobodySecond".into(),
        "1".into(),
    ] {
        has(&log, &line);
    }
    assert!(!log.contains(" M ") && !log.contains("??"), "{log}");

    let copy = Copy::new();
    copy.write(
        "ropewalk.yml",
        &steps(&["ls -l rootfs/etc", "readlink up/out", "cat passwd | head -1", "git status --porcelain"]),
    );
    std::fs::create_dir_all(copy.path.join("rootfs/etc")).unwrap();
    std::fs::create_dir_all(copy.path.join("up")).unwrap();
    symlink("/usr/share/zoneinfo/UTC", copy.path.join("rootfs/etc/localtime")).unwrap();
    symlink("../../../..", copy.path.join("up/out")).unwrap();
    symlink("/etc/passwd", copy.path.join("passwd")).unwrap();
    let log = pushed(&house, "admin/links", &copy).await;
    assert!(log.contains("localtime -> /usr/share/zoneinfo/UTC"), "{log}");
    has(&log, "../../../..");

    let copy = Copy::new();
    copy.git(&["config", "core.autocrlf", "false"]);
    copy.write("ci/00-verify.sh", "#!/bin/sh\r\nset -e\r\nif true; then\r\n  echo inside\r\nfi\r\n. ci/lib.sh\r\n./ci/tool\r\ngit status --porcelain\r\n");
    copy.write("ci/01-marked.sh", "\u{feff}#!/bin/sh\necho marked\n");
    copy.write("ci/lib.sh", "if true; then\r\n  echo lib\r\nfi\r\n")
        .write("ci/tool", "#!/usr/bin/env python3\r\nprint('tool')\r\n");
    copy.write(
        "m.bin",
        &format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 1000\n", "1".repeat(64)),
    );
    copy.git(&["add", "-A"]);
    copy.git(&["update-index", "--chmod=+x", "ci/00-verify.sh", "ci/01-marked.sh", "ci/tool"]);
    copy.git(&["commit", "-q", "-m", "From Windows"]);
    copy.push(&house.remote("admin/crlf")).await;
    let (_, log) = passed(&house, "admin/crlf", 1).await;
    for line in ["inside", "lib", "tool", "marked"] {
        has(&log, line);
    }
    assert!(log.contains("Unix line ends (4): ") && log.contains("ci/00-verify.sh"), "{log}");
    assert!(log.contains("Git LFS") && log.contains("(1): m.bin"), "{log}");
    assert!(!log.contains(" M "), "{log}");
    house.stop().await;
}

/// ci/32: submodules of this server are filled in, others are named.
#[tokio::test(flavor = "multi_thread")]
async fn submodules_of_this_server_are_there() {
    let house = House::start().await;
    let deep = Copy::new();
    deep.write("deep.txt", "deep\n");
    let deep_at = deep.commit("Deep");
    deep.push(&house.remote("admin/deep")).await;
    let module = |copy: &Copy, path: &str, url: &str, commit: &str| {
        let before = std::fs::read_to_string(copy.path.join(".gitmodules")).unwrap_or_default();
        copy.write(
            ".gitmodules",
            &format!("{before}[submodule \"{path}\"]\n\tpath = {path}\n\turl = {url}\n"),
        );
        copy.git(&["add", ".gitmodules"]);
        copy.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},{path}")]);
    };
    let lib = Copy::new();
    lib.write("lib.txt", "lib\n");
    lib.git(&["add", "-A"]);
    module(&lib, "inner", &format!("{}/admin/deep.git", house.url), &deep_at);
    lib.git(&["commit", "-q", "-m", "Lib"]);
    let lib_at = lib.git(&["rev-parse", "HEAD"]).trim().to_owned();
    lib.push(&house.remote("admin/lib")).await;
    // Another person's repository, which is private.
    let hash = PasswordHash::new(&Secret::new(PASSWORD), "ada").unwrap().as_str().to_owned();
    let create = move |c: &ropewalk::store::Connection| {
        accounts::create(c, &OwnerName::new("ada")?, &hash, false, "2026-01-01T00:00:00Z".parse().unwrap())
    };
    house.app.store.write(create).await.unwrap();
    lib.push(&house.remote("ada/hers")).await;
    let (status, answer) = house.patch("/api/v1/repos/ada/hers", json!({"private": true})).await;
    assert_eq!(status, 200, "{answer}");
    let app = Copy::new();
    app.write(
        "ropewalk.yml",
        &steps(&[
            "test -f vendor/lib/lib.txt || git submodule update --init",
            "cat vendor/lib/inner/deep.txt",
            "git -C vendor/lib log --format=%s",
            "git status --porcelain",
            "ls vendor/gone vendor/far vendor/hers",
        ]),
    );
    app.git(&["add", "-A"]);
    module(&app, "vendor/lib", "../lib.git", &lib_at);
    module(&app, "vendor/gone", "../lib.git", &"12".repeat(20));
    module(&app, "vendor/far", "https://git.example.org/team/far.git", &lib_at);
    module(&app, "vendor/hers", "../../ada/hers.git", &lib_at);
    module(&app, "vendor/out", "../../../../etc", &lib_at);
    app.git(&["commit", "-q", "-m", "App"]);
    app.push(&house.remote("admin/app")).await;
    let (_, log) = passed(&house, "admin/app", 1).await;
    has(&log, "deep");
    has(&log, "Lib");
    for (path, reason) in [
        ("vendor/gone", "admin/lib has no commit"),
        ("vendor/far", "https://git.example.org/team/far.git is no repository of this server"),
        ("vendor/hers", "../../ada/hers.git is no repository of this server"),
        ("vendor/out", "../../../../etc is no repository"),
    ] {
        let line = format!("The submodule {path} is empty: {reason}");
        assert!(log.contains(&line), "{line}\n{log}");
    }
    assert!(!log.contains("lib.txt is"), "{log}");
    assert!(!log.contains(" M "), "{log}");
    house.stop().await;
}

const WEB: &str = r#"services:
  web:
    image: debian:trixie-slim
    init: true
    command:
      - perl
      - -MIO::Socket::INET
      - -e
      - '$$s = IO::Socket::INET->new(LocalPort => 8080, Listen => 5, ReuseAddr => 1); while ($$c = $$s->accept) { print $$c "HTTP/1.0 200 OK\r\n\r\nhello\n"; close $$c }'
    ports: ["PORT:8080", "127.0.0.1:HERE:8080"]
    volumes: ["data:/data", "./:/src"]
volumes:
  data:
"#;

/// ci/31, 39, 40, 45, 46: what answers at which address, what stays from step to step, and what does not stay.
#[tokio::test(flavor = "multi_thread")]
async fn addresses_answer_and_what_a_run_started_is_gone_after_it() {
    let house = House::start().await;
    let copy = Copy::new();
    copy.write(
        "ropewalk.yml",
        &steps(&[
            "for i in 1 2 3 4 5 6 7 8; do git clone -q \"$GIT_URL\" /tmp/c && exit 0; sleep 1; done; exit 1",
            "cmp ropewalk.yml /tmp/c/ropewalk.yml",
            "curl -sf -o /dev/null \"$BUILD_URL\"",
        ]),
    );
    pushed(&house, "admin/addresses", &copy).await;
    let outside = house.get("/admin/addresses/pipelines/default/runs/1").await;
    assert_eq!(outside.status(), 200);

    let port = 20_000 + std::process::id() % 10_000;
    let copy = Copy::new();
    let web = WEB.replace("PORT", &port.to_string()).replace("HERE", &(port + 10_000).to_string());
    let ask = |port: u32| {
        format!(
            "for i in 1 2 3 4 5 6 7 8 9; do curl -sf http://localhost:{port}/ && exit 0; sleep 1; done; exit 1"
        )
    };
    copy.write("docker-compose.yml", &web);
    copy.write(
        "ropewalk.yml",
        &steps(&[
            "docker-compose up -d",
            &ask(port),
            &ask(port + 10_000),
            "docker-compose ps -q",
            "echo project $COMPOSE_PROJECT_NAME in $WORKSPACE",
        ]),
    );
    let log = pushed(&house, "admin/port", &copy).await;
    assert_eq!(log.lines().filter(|line| *line == "hello").count(), 2, "{log}");
    let folder = house.app.settings.workspaces.join("admin-port-default");
    has(&log, &format!("project admin-port-default in {}", folder.display()));
    assert_eq!(left_of("admin-port-default"), "");

    let copy = Copy::new();
    copy.write(
        "docker-compose.yml",
        "services:\n  app:\n    image: debian:trixie-slim\n    command: \"true\"\n",
    );
    copy.write(
        "ropewalk.yml",
        &steps(&["docker-compose run --rm app", "docker-compose -p ws-other-$$ up -d && false"]),
    );
    copy.commit("One");
    copy.push(&house.remote("admin/network")).await;
    let run = house.run_ended("admin/network", "default", 1).await;
    assert_eq!(run.status, Status::Failed, "{}", house.log(&run));
    assert_eq!(left_of("admin-network-default"), "");
    let other = house
        .log(&run)
        .lines()
        .find_map(|line| Some(line.split("ws-other-").nth(1)?.split(['_', '-', ' ']).next()?.to_owned()));
    assert_eq!(left_of(&format!("ws-other-{}", other.unwrap())), "", "{}", house.log(&run));

    let copy = Copy::new();
    copy.write("Jenkinsfile", "pipeline {\n  agent any\n  stages {\n    stage('A') {\n      steps {\n        sh 'mkdir -p ~/.docker && echo {} > ~/.docker/config.json; echo left > /tmp/left; test ! -e .docker'\n        sh 'test -f ~/.docker/config.json && cat /tmp/left'\n        sh 'make --version'\n        sh 'sudo true'\n        sh 'jq --version; unzip -v; zip -v; python3 --version; wget --version; envsubst --version'\n      }\n    }\n  }\n}\n");
    let log = pushed(&house, "admin/home", &copy).await;
    has(&log, "left");
    // An image that has no sudo.
    let copy = Copy::new();
    let asks = [
        "sudo -E -n sh -c 'echo as $(id -un)'",
        "sudo -u nobody A=1 sh -c 'echo as $(id -un) $A'",
        "sudo -v",
    ];
    copy.write("ropewalk.yml", &format!("image: debian:trixie-slim\n{}", steps(&asks)));
    let log = pushed(&house, "admin/sudo", &copy).await;
    has(&log, "as root");
    has(&log, "as nobody 1");
    house.app.runs.drain().await;
    assert_eq!(std::fs::read_dir(&house.app.settings.workspaces).unwrap().count(), 0);
    house.stop().await;
}

/// ci/41, and what is kept.
#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_run_leaves_nothing_and_a_pipeline_can_keep_what_it_starts() {
    let house = House::start().await;
    let compose = "services:\n  db:\n    image: debian:trixie-slim\n    init: true\n    command: sleep 600\n";
    let copy = Copy::new();
    copy.write("docker-compose.yml", compose)
        .write("ropewalk.yml", &steps(&["docker-compose up -d && echo up", "sleep 600"]));
    copy.commit("One");
    copy.push(&house.remote("admin/cancel")).await;
    let run = house.run_in(Status::Running, "admin/cancel", 1).await;
    let mut bell = house.app.logs.bell(run.id);
    while !house.log(&run).contains("+ sleep 600") {
        bell.changed().await.unwrap();
    }
    assert_ne!(left_of("admin-cancel-default"), "");
    house.post("/api/v1/repos/admin/cancel/pipelines/default/runs/1/cancel", json!({})).await;
    assert_eq!(house.run_ended("admin/cancel", "default", 1).await.status, Status::Cancelled);
    assert_eq!(left_of("admin-cancel-default"), "");

    let copy = Copy::new();
    copy.write("docker-compose.yml", compose)
        .write("ropewalk.yml", &format!("keep: true\n{}", steps(&["docker-compose up -d"])));
    pushed(&house, "admin/keep", &copy).await;
    house.app.runs.drain().await;
    let kept = docker(&["ps", "-q", "--filter", "label=com.docker.compose.project=admin-keep-default"]);
    assert_eq!(kept.lines().count(), 1);
    docker(&["rm", "-f", &kept]);
    docker(&["network", "rm", "admin-keep-default_default"]);
    house.stop().await;
}

/// What a server left that was killed in the middle of a run goes at the next start; what is not the run's stays.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_left_in_the_engine_goes_at_the_next_start() {
    let data = Arc::new(Data::new());
    let folder = data.path().join("workspaces/admin-crash-default");
    std::fs::create_dir_all(folder.join("sub")).unwrap();
    let project = format!("crash-{}", std::process::id());
    let start = |name: &str, folder: &std::path::Path| {
        let label = |key: &str, value: &str| format!("com.docker.compose.{key}={value}");
        docker(&["network", "create", "--label", &label("project", name), &format!("{name}_default")]);
        let folder = label("project.working_dir", folder.to_str().unwrap());
        let network = format!("{name}_default");
        docker(&[
            "run",
            "-d",
            "--init",
            "--network",
            &network,
            "--label",
            &label("project", name),
            "--label",
            &folder,
            "debian:trixie-slim",
            "sleep",
            "600",
        ])
    };
    start(&project, &folder.join("sub"));
    let other = start(&format!("{project}-other"), std::path::Path::new("/srv/other"));
    let house = House::on(data, &[]).await;
    let gone = async {
        while !left_of(&project).is_empty() || folder.exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(120), gone).await.unwrap();
    assert_ne!(left_of(&format!("{project}-other")), "");
    house.stop().await;
    docker(&["rm", "-f", &other]);
    docker(&["network", "rm", &format!("{project}-other_default")]);
}

/// ci/51: the image is named as it was written.
#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_cannot_run_a_step_is_named_as_it_was_written() {
    let name = format!("registry.local:5000/workspace-{}/nosh:1", std::process::id());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("marker"), "x").unwrap();
    let archive = folder.path().join("image.tar");
    let tar = Command::new("tar")
        .args(["-C", folder.path().to_str().unwrap(), "-cf"])
        .arg(&archive)
        .arg("marker")
        .status();
    assert!(tar.unwrap().success());
    docker(&["import", archive.to_str().unwrap(), &name]);
    docker(&["push", "--quiet", &name]);
    let house = House::with(&[("url", "http://main.test:3000,http://ropewalk.test:3000")]).await;
    let missing = format!("registry.local:5000/workspace-{}/gone:2", std::process::id());
    for (repository, image, key) in
        [("nosh", &name, "docker-no-shell"), ("gone", &missing, "docker-image-missing")]
    {
        let copy = Copy::new();
        copy.write(
            "ropewalk.yml",
            &format!("stages:\n  - name: A\n    image: {image}\n    steps:\n      - date\n"),
        );
        copy.commit("One");
        let path = format!("admin/{repository}");
        copy.push(&house.remote(&path)).await;
        let run = house.run_ended(&path, "default", 1).await;
        let message = run.message.as_ref().unwrap();
        assert_eq!(
            (run.status, &*message.key, &message.args["image"]),
            (Status::Failed, key, image),
            "{message:?}"
        );
        assert!(house.log(&run).contains(image.as_str()));
    }
    docker(&["rmi", "-f", &name]);
    // Two pipelines whose names run together are apart; one whose workspace's name is taken gets another.
    let copy = Copy::new();
    copy.write("ropewalk.yml", &one_step("echo $COMPOSE_PROJECT_NAME"));
    let log = pushed(&house, "admin/a-b", &copy).await;
    assert!(log.lines().any(|line| line.starts_with("admin-a-b-default-")), "{log}");
    // A page shows the address that was called, when it is one of the server's, and says so when it is not.
    for (host, shown, note) in [
        ("main.test:3000", "main.test", false),
        ("Ropewalk.test:3000", "ropewalk.test", false),
        ("10.0.0.7:3000", "main.test", true),
    ] {
        let request = house.http.get(format!("{}/admin/a-b", house.url)).header("Host", host);
        let page = request.send().await.unwrap().text().await.unwrap();
        assert!(page.contains(&format!("http://{shown}:3000/admin/a-b.git")), "{host} {page}");
        assert_eq!(page.contains("none of the server"), note, "{host} {page}");
    }
    house.stop().await;
}
