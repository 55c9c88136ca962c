//! What a run does when its steps misbehave.

use crate::kit::{Copy, House, one_step};
use ropewalk::model::{Run, Status};
use ropewalk::store::runs;

async fn pushed(house: &House, name: &str, definition: &str) -> Run {
    let copy = Copy::new();
    copy.write("ropewalk.yml", definition).commit("One");
    copy.push(&house.remote(&format!("admin/{name}"))).await;
    house.run_ended(&format!("admin/{name}"), "default", 1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_that_misbehave_end_with_a_sentence_and_leave_nothing() {
    let house = House::with(&[("step-memory", "64m")]).await;

    let run = pushed(&house, "exit", &one_step("echo before\nexit 7\necho after")).await;
    assert_eq!(run.status, Status::Failed);
    assert_eq!(run.message.as_ref().unwrap().args["code"], "7");
    let log = house.log(&run);
    assert!(log.contains("before") && !log.contains("\nafter"), "{log}");

    let run = pushed(&house, "memory", &one_step("head -c 300m /dev/zero | tail -c 1 >/dev/null; x=$(head -c 300m /dev/zero | tr '\\0' x); echo ${#x}")).await;
    assert_eq!((run.status, run.message.unwrap().key.as_ref()), (Status::Failed, "run-step-memory"));

    let run = pushed(
        &house,
        "daemon",
        &one_step("(trap '' TERM; while :; do sleep 1; done) & echo left one behind"),
    )
    .await;
    assert_eq!(run.status, Status::Passed, "{:?}", run.message);

    let timeout = one_step("trap '' TERM; while :; do sleep 1; done")
        .replace("    steps:", "    timeout: 2s\n    steps:");
    let run = pushed(&house, "stubborn", &timeout).await;
    assert_eq!((run.status, run.message.unwrap().key.as_ref()), (Status::Failed, "run-timeout-stage"));

    for (name, script, code) in [
        ("script", "sh ci/01-build.sh", "2"),
        ("command", "./ci/01-build.sh", "127"),
        // The shell that waits for it goes down with it: nothing is known, so nothing has passed.
        ("launcher", "kill -9 $PPID", "137"),
    ] {
        let run = pushed(&house, name, &one_step(script)).await;
        assert_eq!(run.status, Status::Failed, "{name}: {:?}", run.message);
        assert_eq!(run.message.unwrap().args["code"], code, "{name}");
    }
    let base = "printf 'FROM registry.local:5000/no/such:base\\n' | docker build -";
    let run = pushed(&house, "base", &one_step(base)).await;
    assert_eq!(run.status, Status::Failed);
    assert!(house.log(&run).contains("no/such:base"), "{}", house.log(&run));
    let closes = "exec >&- 2>&-; sleep 1; echo to nobody";
    let run = pushed(&house, "closes", &one_step(closes)).await;
    assert_eq!(
        run.message.map(|message| message.args["code"].clone()),
        Some("1".into()),
        "nobody can be written to"
    );

    let missing = format!("image: registry.local:5000/no/such:image\n{}", one_step("true"));
    let run = pushed(&house, "image", &missing).await;
    assert_eq!((run.status, run.message.unwrap().key.as_ref()), (Status::Failed, "docker-image-missing"));

    house.app.runs.drain().await;
    house.app.runs.sweep().await.unwrap();
    let left = std::fs::read_dir(house.app.settings.workspaces.clone()).unwrap().count();
    assert_eq!(left, 0, "workspaces are removed");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_sees_its_run_and_the_next_step_the_files_of_the_one_before() {
    let house = House::start().await;
    let definition = "
inputs:
  GREETING: hello
env:
  WHO: world-${BUILD_NUMBER}
stages:
  - name: First
    steps:
      - run: |
          test \"$CI\" = true && test \"$BRANCH_NAME\" = main && test \"$STAGE_NAME\" = First
          test \"$PWD\" = \"$WORKSPACE\" && test \"$BUILD_TAG\" = ropewalk-admin-env-default-1
          echo kept > file
      - run: test -f ../file && pwd
        dir: below/here/..
  - name: Second
    steps:
      - echo: ${GREETING} ${WHO}
      - run: |
          #!/bin/bash
          [[ $(cat file) == kept ]] && docker version --format '{{.Server.Version}}' && getent hosts registry.local
";
    let run = pushed(&house, "env", definition).await;
    let log = house.log(&run);
    assert_eq!(run.status, Status::Passed, "{:?}\n{log}", run.message);
    assert!(log.contains("hello world-1"), "{log}");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_can_be_cancelled_and_started_again() {
    let house = House::start().await;
    let copy = Copy::new();
    copy.write("ropewalk.yml", &one_step("echo begun; while :; do sleep 1; done")).commit("Endless");
    copy.push(&house.remote("admin/endless")).await;
    house.run_in(Status::Running, "admin/endless", 1).await;
    let run = "/api/v1/repos/admin/endless/pipelines/default/runs/1";
    let (status, answer) = house.post(&format!("{run}/cancel"), serde_json::json!({})).await;
    assert!((200..300).contains(&status), "{answer}");
    let ended = house.run_ended("admin/endless", "default", 1).await;
    assert_eq!(ended.status, Status::Cancelled);
    assert_eq!(ended.message.unwrap().args["by"], "admin");
    let (status, _) = house.post(&format!("{run}/cancel"), serde_json::json!({})).await;
    assert_eq!(status, 409, "an ended run cannot be cancelled");

    let (status, again) = house.post(&format!("{run}/rerun"), serde_json::json!({})).await;
    assert_eq!((status, again["number"].as_u64()), (201, Some(2)), "{again}");
    assert_eq!(again["commit"], ended.commit.as_str());
    house.run_in(Status::Running, "admin/endless", 2).await;
    house.post("/api/v1/repos/admin/endless/pipelines/default/runs/2/cancel", serde_json::json!({})).await;
    house.run_ended("admin/endless", "default", 2).await;
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jenkinsfile_we_cannot_carry_out_fails_before_it_starts_and_says_where() {
    let house = House::start().await;
    let copy = Copy::new();
    let jenkinsfile = "pipeline {\n  agent any\n  options { timestamps() }\n  stages {\n    stage('A') {\n      steps {\n        script { x = 1 }\n        sh 'true'\n      }\n    }\n  }\n}\n";
    copy.write("Jenkinsfile", jenkinsfile).commit("Groovy");
    let said = copy.push(&house.remote("admin/groovy")).await;
    assert!(said.contains("Jenkinsfile:3:3") && said.contains("Jenkinsfile:7:9"), "{said}");
    let run = house.run_ended("admin/groovy", "default", 1).await;
    assert_eq!(run.status, Status::Failed);
    assert!(run.started_at.is_none());
    let places: Vec<_> = run.findings.iter().map(|f| (f.line, f.column)).collect();
    assert_eq!(places, [(3, 3), (7, 9)]);
    assert!(house.app.store.read(|c| runs::stages(c, run.id)).unwrap().is_empty());
    house.stop().await;
}
