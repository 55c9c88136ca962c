//! Reading of what a run stands on never ends in silence: each small commit names its images in another way, and the
//! page and the API show them, or say what was not read.

use std::process::Command;

use crate::kit::{Copy, House};
use serde_json::Value;

const ECHO: &str = "stages:\n  - name: A\n    steps:\n      - echo: hello\n";
const SLIM: &str = "debian:trixie-slim";

/// Files of a commit, and the references that are to be seen.
type Case<'c> = (&'c str, &'c [(&'c str, &'c str)], &'c [&'c str]);

const CASES: &[Case<'_>] = &[
    (
        "13",
        &[(
            "compose.yml",
            "services:\n  a:\n    image: debian:trixie-slim\n    environment:\n      J: '{\n\"k\": 1\n}'\n",
        )],
        &[SLIM],
    ),
    (
        "13b",
        &[(
            "compose.yml",
            "services:\n  a:\n    environment:\n      J: '{\n\"k\": 1\n}'\n    image: debian:trixie-slim\n",
        )],
        &[SLIM],
    ),
    (
        "14",
        &[
            (
                "compose.yml",
                "x-args: &args\n  BASE: debian:trixie-slim\nservices:\n  a:\n    build:\n      context: .\n      args:\n        <<: *args\n        X: 1\n",
            ),
            ("Dockerfile", "ARG BASE=nginx:1\nFROM $BASE\n"),
        ],
        &[SLIM],
    ),
    (
        "15",
        &[
            (".env", "BASE=debian:trixie-slim\n"),
            ("compose.yml", "services:\n  a:\n    build:\n      context: .\n      args:\n        - BASE\n"),
            ("Dockerfile", "ARG BASE=nginx:1\nFROM $BASE\n"),
        ],
        &[SLIM],
    ),
    (
        "17",
        &[
            (
                "compose.yml",
                "services:\n  a:\n    build:\n      context: .\n      dockerfile: Dockerfile-prod\n",
            ),
            ("Dockerfile-prod", "FROM debian:trixie-slim\n"),
        ],
        &[SLIM],
    ),
    (
        "20",
        &[
            (
                "compose.yml",
                "include:\n  - infra/db.yml\nservices:\n  a:\n    extends:\n      file: common.yml\n      service: base\n",
            ),
            ("common.yml", "services:\n  base:\n    image: debian:trixie-slim\n"),
            ("infra/db.yml", "services:\n  db:\n    image: postgres:16\n"),
        ],
        &[SLIM, "postgres:16"],
    ),
    (
        "21",
        &[
            (
                "compose.yml",
                "services:\n  a:\n    build:\n      context: .\n      additional_contexts:\n        base: docker-image://debian:trixie-slim\n",
            ),
            ("Dockerfile", "FROM base\n"),
        ],
        &[SLIM],
    ),
    (
        "22",
        &[(
            "compose.yml",
            "services:\n  a:\n    build:\n      context: .\n      dockerfile_inline: |\n        FROM debian:trixie-slim\n",
        )],
        &[SLIM],
    ),
    (
        "24",
        &[(
            "Dockerfile",
            "FROM debian:trixie-slim AS a\nENTRYPOINT []\nFROM nginx:1\nCOPY --from=redis:7 /a /b\n",
        )],
        &[SLIM, "nginx:1", "redis:7"],
    ),
    ("25", &[("Dockerfile", "ARG R=trixie\nFROM debian:\"${R}-slim\"\n")], &[SLIM]),
    (
        "26",
        &[(
            "Dockerfile",
            "FROM debian:trixie-slim AS base-amd64\nFROM debian:trixie-slim AS base-arm64\nFROM base-$TARGETARCH\n",
        )],
        &[SLIM],
    ),
];

/// The references of the run's bases, in order, with their notes.
fn bases(run: &Value) -> Vec<(String, String)> {
    let text = |base: &Value, name: &str| base[name].as_str().unwrap_or_default().to_owned();
    let all = run["base_images"].as_array().unwrap();
    all.iter().map(|base| (text(base, "reference"), text(base, "note"))).collect()
}

/// Pushes the commit as it is, and the first run's bases.
async fn pushed(house: &House, copy: &Copy, name: &str) -> (String, Vec<(String, String)>) {
    copy.commit("One");
    let said = copy.push(&house.remote(&format!("admin/{name}"))).await;
    let repository = format!("admin/{name}");
    house.wait_for("the run", |house| house.find_run(&repository, "default", 1)).await;
    let run = house.json(&format!("/api/v1/repos/{repository}/pipelines/default/runs/1")).await;
    (said, bases(&run))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_name_an_image_is_read() {
    let house = House::start().await;
    for (name, files, expected) in CASES {
        let copy = Copy::new();
        for (path, text) in *files {
            copy.write(path, text);
        }
        copy.write("ropewalk.yml", ECHO);
        let (_, found) = pushed(&house, &copy, &format!("case-{name}")).await;
        let references: Vec<&str> = found.iter().map(|(reference, _)| reference.as_str()).collect();
        assert_eq!(references, *expected, "{name} {found:?}");
        if *name == "15" {
            assert!(found[0].1.contains("BASE"), "an argument of the environment's is not pinned: {found:?}");
        }
    }

    let copy = Copy::new();
    copy.write(
        "ropewalk.yml",
        "stages:\n  - name: B\n    dir: deploy\n    steps:\n      - docker-compose build\n",
    );
    copy.write("deploy/docker-compose.yml", "services:\n  api:\n    build: ../api\n");
    copy.write("api/Dockerfile", "FROM debian:trixie-slim\n").write("other/Dockerfile", "FROM nginx:1\n");
    let (_, found) = pushed(&house, &copy, "case-18").await;
    assert_eq!((found.len(), found[0].0.as_str()), (1, SLIM), "{found:?}");
    house.post("/api/v1/repos/admin/case-18/pipelines/default/runs/1/cancel", serde_json::json!({})).await;

    let copy = Copy::new();
    for n in 0..250 {
        copy.write(&format!("d{n:03}/Dockerfile"), &format!("FROM img{n:03}:1\n"));
    }
    copy.write("ropewalk.yml", ECHO);
    let (_, found) = pushed(&house, &copy, "case-27").await;
    assert_eq!((found.len(), found[249].0.as_str()), (250, "img249:1"));
    let said =
        found.iter().filter(|(_, note)| note.contains("only the first 64 images are looked up")).count();
    assert_eq!(said, 186, "{:?}", found.last());

    let copy = Copy::new();
    copy.write("ropewalk.yml", ECHO);
    std::fs::write(copy.path.join("Dockerfile"), b"# caf\xe9\nFROM debian:trixie-slim\n").unwrap();
    let (_, found) = pushed(&house, &copy, "case-28").await;
    assert_eq!((found.len(), found[0].0.as_str()), (1, SLIM), "{found:?}");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_read_is_said_on_the_page_and_in_the_api() {
    let house = House::start().await;
    let copy = Copy::new();
    copy.write("ropewalk.yml", ECHO);
    copy.write("compose.yml", "services: [\n").write("x/compose.yml", "services:\n  a:\n    build: ../api\n");
    copy.write("large.Dockerfile", &format!("FROM a:1\n{}", "# more\n".repeat(160_000)));
    copy.write(
        "y/compose.yml",
        "services:\n  a:\n    build: https://example.org/x.git\n  b: {build: ../../z}\n",
    );
    std::fs::write(copy.path.join("Dockerfile"), b"\xff\xfeF\0R\0O\0M\0 \0x\0").unwrap();
    std::os::unix::fs::symlink("x/Dockerfile", copy.path.join("Containerfile")).unwrap();
    copy.git(&[
        "update-index",
        "--add",
        "--cacheinfo",
        "160000,1111111111111111111111111111111111111111,sub",
    ]);
    copy.git(&["add", "-A", ":!sub"]);
    copy.git(&["commit", "-q", "-m", "One"]);
    copy.push(&house.remote("admin/unread")).await;
    house.wait_for("the run", |house| house.find_run("admin/unread", "default", 1)).await;
    let found = bases(&house.json("/api/v1/repos/admin/unread/pipelines/default/runs/1").await);
    let page = house.get("/admin/unread/pipelines/default/runs/1").await.text().await.unwrap();
    for (reference, part) in [
        ("Containerfile", "symbolic link"),
        ("Dockerfile", "UTF-16"),
        ("api/Dockerfile", "Not in the commit"),
        ("compose.yml", "no YAML from line"),
        ("large.Dockerfile", "more than 1048576"),
        ("sub", "submodule"),
        ("y/compose.yml:3", "https://example.org/x.git is fetched"),
        ("y/compose.yml:4", "leads out of the repository"),
    ] {
        let note = found.iter().find(|(known, _)| known == reference).map(|(_, note)| note.as_str());
        assert!(note.is_some_and(|note| note.contains(part)), "{reference}: {found:?}");
        assert!(page.contains(reference) && page.contains(part), "{reference} on the page: {page}");
    }
    assert_eq!(found.len(), 8, "{found:?}");
    house.stop().await;
}

fn docker(args: &[&str], input: Option<&std::path::Path>) {
    let mut command = Command::new("docker");
    if let Some(path) = input {
        command.stdin(std::fs::File::open(path).unwrap());
    }
    let output = command.args(args).output().unwrap();
    assert!(output.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frontend_that_the_registry_lacks_is_named_at_push_with_the_way_to_carry_it_in() {
    let name = format!("bases-{}", std::process::id());
    let there = format!("registry.local:5000/{name}/dockerfile:1");
    // Any image will do: it is looked for, not run.
    let folder = tempfile::tempdir().unwrap();
    let tar = folder.path().join("empty.tar");
    std::fs::write(&tar, [0u8; 1024]).unwrap();
    docker(&["import", "-", &there], Some(&tar));
    docker(&["push", "--quiet", &there], None);
    docker(&["rmi", &there], None);
    let house = House::start().await;
    let push = |line: String, repository: String| {
        let house = &house;
        async move {
            let copy = Copy::new();
            copy.write("ropewalk.yml", ECHO)
                .write("Dockerfile", &format!("{line}\nFROM debian:trixie-slim\n"));
            pushed(house, &copy, &repository).await
        }
    };
    for (number, line) in
        ["# syntax=", "#syntax = ", "#!/usr/bin/env docker\n# escape=`\n# SYNTAX="].iter().enumerate()
    {
        let (said, found) = push(format!("{line}{name}/none:1"), format!("missing-{number}")).await;
        let flat = said.replace("\nremote: ", " ");
        for part in
            [format!("docker pull {name}/none:1"), format!("docker push registry.local:5000/{name}/none:1")]
        {
            assert!(flat.contains(&part), "{part}: {said}");
        }
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().any(|(r, note)| *r == format!("{name}/none:1") && note.contains("docker push")));
    }
    let digest = format!("sha256:{}", "0".repeat(64));
    let (said, _) = push(format!("# syntax={name}/dockerfile:1@{digest}"), "missing-digest".into()).await;
    assert!(said.contains("docker push"), "{said}");
    // Docker's own name is the mirror's, a comment below is none, and neither stops anything.
    let (said, found) = push(format!("# syntax={name}/dockerfile:1"), "there".into()).await;
    assert!(!said.contains("docker push"), "{said}");
    assert!(
        found
            .iter()
            .any(|(r, note)| *r == format!("{name}/dockerfile:1") && note.contains("fetched by this name"))
    );
    let (said, found) = push(format!("# a file\n# syntax={name}/none:1"), "comment".into()).await;
    assert!(!said.contains("docker push") && found.len() == 1, "{said} {found:?}");
    house.stop().await;
}
