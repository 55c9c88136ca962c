//! Nothing is pinned on a guess: what a run builds, tags or pushes itself, and what its environment decides, is what
//! its steps see, whatever older image the registry has under that name.

use std::process::Command;

use crate::kit::{Copy, House};
use ropewalk::model::{Run, Status};
use serde_json::{Value, json};

const REGISTRY: &str = "registry.local:5000";

fn docker(args: &[&str]) -> String {
    let output = Command::new("docker").args(args).output().unwrap();
    assert!(output.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Names of one test of this process in the registry and in the engine; what they name in the engine goes with it.
struct Names(String);

impl Names {
    fn new(test: &str) -> Names {
        Names(format!("cases-pins-{test}-{}", std::process::id()))
    }

    /// `registry.local:5000/cases-pins-1/NAME:TAG`
    fn of(&self, name: &str) -> String {
        format!("{REGISTRY}/{}/{name}", self.0)
    }

    /// Puts an image into the registry that says `text`, and out of the engine.
    fn push(&self, name: &str, text: &str) {
        let folder = tempfile::tempdir().unwrap();
        let dockerfile = format!("FROM debian:trixie-slim\nRUN echo {text} > /which\nCMD cat /which\n");
        std::fs::write(folder.path().join("Dockerfile"), dockerfile).unwrap();
        let reference = self.of(name);
        docker(&["build", "--quiet", "--tag", &reference, folder.path().to_str().unwrap()]);
        docker(&["push", "--quiet", &reference]);
        docker(&["rmi", "--force", &reference]);
    }

    /// The text with this process's names in the places of the case's.
    fn put(&self, text: &str) -> String {
        let text = text.replace("REGISTRY-HOST", REGISTRY);
        text.replace("team/", &format!("{}/", self.0)).replace("local-", &format!("{}-", self.0))
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        for pattern in [format!("{REGISTRY}/{}/*", self.0), format!("{}-*", self.0), format!("{}/*", self.0)]
        {
            let listed = Command::new("docker").args(["images", "--quiet", "--no-trunc", &pattern]).output();
            let listed = listed.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
            let _ = Command::new("docker").args(["rmi", "--force"]).args(listed.lines()).output();
        }
    }
}

const NEW: &str = "FROM debian:trixie-slim\nRUN echo NEW-image > /which\nCMD cat /which\n";
const USES_APP: &str = "services:\n  app:\n    image: ${REGISTRY}/team/app:latest\n";
const USES_APP_PLAINLY: &str = "services:\n  app:\n    image: REGISTRY-HOST/team/app:latest\n";
const USES_VERSION: &str = "services:\n  app:\n    image: ${REGISTRY}/team/ver:${TAG:-old}\n";
const USES_VERSION_PLAINLY: &str = "services:\n  app:\n    image: REGISTRY-HOST/team/ver:${TAG:-old}\n";
/// And leaves the engine without the image, for the next run.
const RUN_APP: &str = "docker-compose run --rm app; docker-compose down --remove-orphans; docker rmi --force $REGISTRY/team/app:latest || true";

/// A repository: its files, and what its run has to say.
struct Case {
    name: &'static str,
    files: Vec<(&'static str, String)>,
    right: &'static str,
}

fn case(name: &'static str, right: &'static str, files: &[(&'static str, &str)]) -> Case {
    Case { name, right, files: files.iter().map(|(path, text)| (*path, (*text).to_owned())).collect() }
}

fn steps(lines: &[&str]) -> String {
    let steps: String = lines
        .iter()
        .map(|line| format!("      - run: |\n          {}\n", line.replace('\n', "\n          ")))
        .collect();
    format!("stages:\n  - name: Only\n    steps:\n{steps}")
}

async fn ended(house: &House, repository: &str, number: u64) -> (Run, String) {
    let run = house.run_ended(repository, "default", number).await;
    let log = house.log(&run);
    assert_eq!(run.status, Status::Passed, "{repository}: {:?}\n{log}", run.message);
    (run, log)
}

async fn bases(house: &House, repository: &str) -> Vec<Value> {
    let shown = house.json(&format!("/api/v1/repos/{repository}/pipelines/default/runs/1")).await;
    shown["base_images"].as_array().unwrap().clone()
}

/// Pushes all cases, each into a repository of its own, and looks at what their runs said.
async fn check(house: &House, names: &Names, cases: Vec<Case>) {
    for case in &cases {
        let copy = Copy::new();
        for (path, text) in &case.files {
            copy.write(path, &names.put(text));
        }
        std::process::Command::new("chmod").args(["-R", "+x"]).arg(&copy.path).status().unwrap();
        copy.commit("One");
        copy.push(&house.remote(&format!("admin/{}", case.name))).await;
    }
    for case in &cases {
        let (_, log) = ended(house, &format!("admin/{}", case.name), 1).await;
        let says = |line: &str| line.trim_end().ends_with(case.right) && !line.contains("echo");
        assert!(log.lines().any(says), "{}: no {} in\n{log}", case.name, case.right);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_builds_is_what_it_uses() {
    let names = Names::new("built");
    names.push("app:latest", "OLD-image");
    names.push("tool:latest", "OLD-image");
    let house = House::with(&[("jobs", "1")]).await;
    let uses = |script: &str| steps(&[script, RUN_APP]);
    let tool = "stages:\n  - name: Build\n    steps:\n      - docker build -q -t REGISTRY-HOST/team/tool:latest .\n      - docker push -q REGISTRY-HOST/team/tool:latest\n  - name: Use\n    image: REGISTRY-HOST/team/tool:latest\n    steps:\n      - cat /which\n";
    let cases = vec![
        // 02: in a script that the pipeline calls, by a variable
        case(
            "called",
            "NEW-image",
            &[
                ("ci/01-build.sh", "set -e\ndocker build -q -t \"$REGISTRY/team/app:latest\" .\n"),
                ("ci/02-test.sh", &format!("set -e\n{RUN_APP}\n")),
                ("docker-compose.yml", USES_APP),
                ("Dockerfile", NEW),
            ],
        ),
        // 04: without a tag; the reference is plain, so that nothing but the build decides
        case(
            "untagged",
            "NEW-image",
            &[
                ("ropewalk.yml", &uses("docker build -q -t $REGISTRY/team/app .")),
                ("docker-compose.yml", USES_APP_PLAINLY),
                ("Dockerfile", NEW),
            ],
        ),
        // 05: in a loop
        case(
            "loop",
            "NEW-image",
            &[
                (
                    "ropewalk.yml",
                    &uses("for t in latest v1; do docker build -q -t $REGISTRY/team/app:$t .; done"),
                ),
                ("docker-compose.yml", USES_APP_PLAINLY),
                ("Dockerfile", NEW),
            ],
        ),
        // 07: the image of a later stage
        case("step-image", "NEW-image", &[("ropewalk.yml", tool), ("Dockerfile", NEW)]),
        case(
            "variable",
            "NEW-image",
            &[
                ("ropewalk.yml", &uses("I=$REGISTRY/team/app; docker build -q -t $I .")),
                ("docker-compose.yml", USES_APP_PLAINLY),
                ("Dockerfile", NEW),
            ],
        ),
        case(
            "tagged",
            "NEW-image",
            &[
                ("ropewalk.yml", &uses("docker tag $(docker build -q .) $REGISTRY/team/app:latest")),
                ("docker-compose.yml", USES_APP_PLAINLY),
                ("Dockerfile", NEW),
            ],
        ),
        case(
            "below",
            "NEW-image",
            &[
                ("ropewalk.yml", &uses("tools/deep/image")),
                ("tools/deep/image", "#!/bin/sh\nexec docker build -q --tag=$REGISTRY/team/app .\n"),
                ("docker-compose.yml", USES_APP_PLAINLY),
                ("Dockerfile", NEW),
            ],
        ),
        case(
            "one-step",
            "NEW-image",
            &[
                ("ropewalk.yml", &steps(&[&format!("docker build -q -t $REGISTRY/team/app .\n{RUN_APP}")])),
                ("docker-compose.yml", USES_APP_PLAINLY),
                ("Dockerfile", NEW),
            ],
        ),
        case(
            "output",
            "NEW-image",
            &[
                (
                    "ropewalk.yml",
                    &uses("docker buildx build -q --output type=image,name=$REGISTRY/team/app:latest ."),
                ),
                ("docker-compose.yml", USES_APP_PLAINLY),
                ("Dockerfile", NEW),
            ],
        ),
        // Nothing tells the name before the run: it is noticed in the engine.
        case(
            "unknown",
            "NEW-image",
            &[
                (
                    "ropewalk.yml",
                    &uses(
                        "docker build -q -t $(printf '%s/%s:%s' $REGISTRY $(cat team)ap latest | sed s/ap:/app:/) .",
                    ),
                ),
                ("team", "team/"),
                ("docker-compose.yml", USES_APP_PLAINLY),
                ("Dockerfile", NEW),
            ],
        ),
    ];
    check(&house, &names, cases).await;
    for (repository, key) in [("called", "app:latest"), ("loop", "app:latest"), ("step-image", "tool:latest")]
    {
        let all = bases(&house, &format!("admin/{repository}")).await;
        let base = all.iter().find(|base| base["reference"] == names.of(key)).unwrap();
        assert!(base["pinned"].is_null() && base["note"].is_string(), "{repository}: {base}");
        // What is plain is still pinned.
        let debian = all.iter().find(|base| base["reference"] == "debian:trixie-slim").unwrap();
        assert!(debian["pinned"].is_string() && debian["note"].is_null(), "{repository}: {debian}");
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_environment_decides_stays_its_to_decide() {
    let names = Names::new("environment");
    names.push("ver:old", "old-version");
    names.push("ver:new", "new-version");
    let house = House::with(&[("jobs", "1")]).await;
    let (new, old) = ("new-version", "old-version");
    let from_tag =
        "ARG TAG=old\nFROM REGISTRY-HOST/team/ver:${TAG}\nRUN cat /which > /copied\nCMD cat /copied\n";
    let from_base =
        "ARG BASE=REGISTRY-HOST/team/ver:old\nFROM $BASE\nRUN cat /which > /copied\nCMD cat /copied\n";
    let build = |arguments: &str| {
        format!("docker build -q {arguments} -t local-built . && docker run --rm local-built")
    };
    let cases = vec![
        // 08
        case(
            "env-file",
            new,
            &[
                (
                    "ropewalk.yml",
                    &steps(&[&format!(
                        "docker-compose --env-file prod.env {}",
                        &RUN_APP["docker-compose ".len()..]
                    )]),
                ),
                ("docker-compose.yml", USES_VERSION),
                ("prod.env", "TAG=new\n"),
            ],
        ),
        case(
            "env-file-plainly",
            new,
            &[
                (
                    "ropewalk.yml",
                    &steps(&[&format!(
                        "docker-compose --env-file prod.env {}",
                        &RUN_APP["docker-compose ".len()..]
                    )]),
                ),
                ("docker-compose.yml", USES_VERSION_PLAINLY),
                (".env", "TAG=old\n"),
                ("prod.env", "TAG=new\n"),
            ],
        ),
        // 10
        case(
            "exported",
            new,
            &[
                ("ci/00-test.sh", &format!("export TAG=new\n{RUN_APP}\n")),
                ("docker-compose.yml", USES_VERSION),
            ],
        ),
        case(
            "sourced",
            new,
            &[
                ("ropewalk.yml", &steps(&[&format!("set -a; . ./settings; set +a\n{RUN_APP}")])),
                ("docker-compose.yml", USES_VERSION_PLAINLY),
                ("settings", "TAG=new\n"),
            ],
        ),
        // 12
        case(
            "build-arg",
            new,
            &[
                (
                    "ropewalk.yml",
                    &steps(&[&format!("set -a; . ./v.env; set +a\n{}", build("--build-arg TAG"))]),
                ),
                ("v.env", "TAG=new\n"),
                ("Dockerfile", from_tag),
            ],
        ),
        case(
            "build-arg-value",
            new,
            &[("ropewalk.yml", &steps(&[&build("--build-arg TAG=new")])), ("Dockerfile", from_tag)],
        ),
        case(
            "whole-argument",
            new,
            &[
                ("ropewalk.yml", &steps(&[&build("--build-arg BASE=REGISTRY-HOST/team/ver:new")])),
                ("Dockerfile", from_base),
            ],
        ),
        // And where nothing else decides, the default does.
        case(
            "default",
            old,
            &[
                ("ropewalk.yml", &steps(&[&format!("cat docker-compose.yml; {RUN_APP}")])),
                ("docker-compose.yml", USES_VERSION_PLAINLY),
            ],
        ),
        case(
            "default-argument",
            old,
            &[
                ("ropewalk.yml", &steps(&[&format!("cat Dockerfile; {}", build(""))])),
                ("Dockerfile", from_base),
            ],
        ),
    ];
    check(&house, &names, cases).await;
    for repository in ["env-file", "build-arg"] {
        let all = bases(&house, &format!("admin/{repository}")).await;
        let base = &all[0];
        assert!(base["pinned"].is_null() && base["note"].is_string() && base["digest"].is_string(), "{base}");
    }
    for (repository, written) in [("default", "ver:${TAG:-old@sha256:"), ("default-argument", "ARG BASE=")] {
        let all = bases(&house, &format!("admin/{repository}")).await;
        let base = all.iter().find(|base| base["reference"] == names.of("ver:old")).unwrap();
        let log = house.log(&house.find_run(&format!("admin/{repository}"), "default", 1).unwrap());
        let digest = base["digest"].as_str().unwrap();
        assert!(base["pinned"].is_string(), "{base}");
        assert!(log.lines().any(|l| l.contains(written) && l.contains(digest)), "{repository}: {log}");
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_runs_in_the_image_that_its_name_means_at_its_turn() {
    let names = Names::new("turn");
    let house = House::start().await;
    let copy = Copy::new();
    let definition = names.put(
        "stages:\n  - name: Build\n    steps:\n      - docker build -q -t local-tool:latest .\n  - name: Use\n    image: local-tool:latest\n    steps:\n      - cat /which\n",
    );
    copy.write("ropewalk.yml", &definition);
    for number in [1, 2] {
        let dockerfile = format!("FROM debian:trixie-slim\nRUN echo NEW{number}-image > /which\n");
        copy.write("Dockerfile", &dockerfile);
        copy.commit(&format!("The tool for the {number}. time"));
        copy.push(&house.remote("admin/late")).await;
        let (_, log) = ended(&house, "admin/late", number).await;
        let right = format!("NEW{number}-image");
        assert!(log.lines().any(|line| line == right), "{log}");
    }
    let (status, _) = house.post("/api/v1/repos/admin/late/pipelines/default/runs/1/rerun", json!({})).await;
    assert_eq!(status, 201);
    let (_, log) = ended(&house, "admin/late", 3).await;
    assert!(log.lines().any(|line| line == "NEW1-image"), "{log}");
    house.stop().await;
}

/// The name is put together by a program: nobody could read it before the run.
const HIDDEN: &str = "docker build -q -t \"$(sh ./name)\" .";
const NAME_IT: &str = "printf '%s/%s%s:%s' \"$REGISTRY\" \"$(cat team)ap\" p latest\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_made_unread_counts_at_once_and_its_pin_fails_the_run() {
    let names = Names::new("unread");
    names.push("app:latest", "OLD-image");
    let house = House::with(&[("jobs", "1")]).await;
    let back = "while grep -q @sha256 docker-compose.yml; do sleep 0.1; done; cat docker-compose.yml";
    let files = |copy: &Copy, script: &str| {
        copy.write("ropewalk.yml", &names.put(&steps(&[script])));
        for (path, text) in [
            ("docker-compose.yml", USES_APP_PLAINLY),
            ("Dockerfile", NEW),
            ("team", "team/"),
            ("name", NAME_IT),
        ] {
            copy.write(path, &names.put(text));
        }
        copy.commit("One");
    };
    let good = Copy::new();
    files(&good, &format!("grep @sha256 docker-compose.yml\n{HIDDEN}\n{back}\n{RUN_APP}"));
    good.push(&house.remote("admin/good")).await;
    let (run, log) = ended(&house, "admin/good", 1).await;
    assert!(log.lines().any(|line| line.trim_end() == "NEW-image"), "{log}");
    assert!(
        log.contains("[ropewalk] An image called") && log.contains(&names.put(USES_APP_PLAINLY)),
        "{log}"
    );
    let all = bases(&house, "admin/good").await;
    let base = all.iter().find(|base| base["reference"] == names.of("app:latest")).unwrap();
    assert!(base["note"].as_str().unwrap().contains("Pinned only until"), "{base}");
    docker(&["rmi", "--force", &names.of("app:latest")]);

    let late = Copy::new();
    let script = format!(
        "cp docker-compose.yml copy.yml\n{HIDDEN}\n{back}\ndocker-compose -f copy.yml run --rm app\ndocker-compose -f copy.yml down"
    );
    files(&late, &script);
    late.push(&house.remote("admin/late")).await;
    let run_late = house.run_ended("admin/late", "default", 1).await;
    let log = house.log(&run_late);
    assert!(log.contains("OLD-image"), "{log}");
    assert_eq!(run_late.status, Status::Failed, "{log}");
    assert_eq!(run_late.message.unwrap().key, "run-base-late");
    assert_eq!(run.status, Status::Passed);
    house.stop().await;
}
