//! Stored variables in runs: they reach the steps, and a secret one is found nowhere afterwards.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ropewalk::model::{Run, Status};
use serde_json::json;

use crate::kit::{Copy, House};

const CANARY: &str = "canary-Zq7-sings-at-dawn";

async fn variable(house: &House, name: &str, value: &str, secret: bool) {
    let body = json!({"name": name, "value": value, "secret": secret});
    let (status, answer) = house.post("/api/v1/variables", body).await;
    assert_eq!(status, 201, "{answer}");
}

async fn pushed(house: &House, name: &str, file: &str, definition: &str) -> Run {
    let copy = Copy::new();
    copy.write(file, definition).commit("One");
    copy.push(&house.remote(&format!("admin/{name}"))).await;
    house.run_ended(&format!("admin/{name}"), "default", 1).await
}

/// Paths of the files below a folder that hold a text.
fn holding(folder: &Path, text: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            holding(&path, text, found);
        } else if std::fs::read(&path).is_ok_and(|b| b.windows(text.len()).any(|w| w == text.as_bytes())) {
            found.push(path.display().to_string());
        }
    }
}

/// Looks where a run leaves something: the data directory, the API, the pages.
async fn is_nowhere(house: &House, run: &Run, text: &str) {
    house.no_containers(run).await;
    let mut found = Vec::new();
    for entry in std::fs::read_dir(house.data.path()).unwrap().flatten().map(|entry| entry.path()) {
        // The run's own folder goes after its containers, and is gone with the run.
        if entry.is_dir() && !entry.ends_with("workspaces") {
            holding(&entry, text, &mut found);
        } else if std::fs::read(&entry).is_ok_and(|b| b.windows(text.len()).any(|w| w == text.as_bytes())) {
            found.push(entry.display().to_string());
        }
    }
    assert!(found.is_empty(), "{text} stands in {found:?}");
    let page = format!("/{}/pipelines/default/runs/{}", run.repository, run.number);
    let api = format!("/api/v1/repos{page}");
    let log = format!("{api}/log");
    let stage = format!("{api}/stages/0/log");
    for path in [
        &page,
        &api,
        &log,
        &stage,
        "/api/v1/activity",
        "/activity",
        "/api/v1/variables",
        "/settings/variables",
    ] {
        let answer = house.get(path).await;
        let (status, body) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {body}");
        assert!(!body.contains(text), "{path} tells {text}: {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_reaches_the_steps_and_is_found_nowhere_afterwards() {
    let house = House::start().await;
    variable(&house, "DEPLOY_KEY", CANARY, true).await;
    variable(&house, "REGION", "north", false).await;
    let definition = r#"variables: [DEPLOY_KEY, REGION]
env: {URL: "https://x:${DEPLOY_KEY}@${REGION}.example"}
stages:
  - name: Only
    steps:
      - echo: "said by the server: ${DEPLOY_KEY}"
      - |
        echo "plain $DEPLOY_KEY in $REGION"
        echo "$URL"
        printf %s "$DEPLOY_KEY" | base64
        printf 'user:%s' "$DEPLOY_KEY" | base64
        printf %s "$DEPLOY_KEY" | fold -w 5
        echo
        printf %s "$DEPLOY_KEY" >&2
        echo "length ${#DEPLOY_KEY}"
        test "$DEPLOY_KEY" = "canary-Zq7-""sings-at-dawn"
"#;
    let run = pushed(&house, "secret", "ropewalk.yml", definition).await;
    let log = house.log(&run);
    assert_eq!(run.status, Status::Passed, "{:?} {log}", run.message);
    assert!(log.contains("said by the server: ********"), "{log}");
    assert!(
        log.contains("plain ******** in north") && log.contains("https://x:********@north.example"),
        "{log}"
    );
    assert!(log.contains(&format!("length {}", CANARY.len())), "{log}");
    let mut found = Vec::new();
    holding(house.data.path(), "said by the server: ********", &mut found);
    assert!(!found.is_empty(), "where the log is, is looked at");
    is_nowhere(&house, &run, CANARY).await;
    is_nowhere(&house, &run, STANDARD.encode(CANARY).trim_end_matches('=')).await;
    // What the encoding of the secret decides alone, wherever the secret stands in what is encoded.
    let inner = STANDARD.encode(format!("user:{CANARY}"));
    is_nowhere(&house, &run, &inner[8..inner.len() - 4]).await;

    // A value that could not be hidden is refused when it is saved, however it comes.
    let short = json!({"name": "PIN", "value": "abc", "secret": true});
    let (status, refused) = house.post("/api/v1/variables", short).await;
    assert_eq!((status, &refused["error"]["code"]), (422, &json!("logs-secret-short")), "{refused}");
    variable(&house, "PIN", "abc", false).await;
    let (status, refused) = house.patch("/api/v1/variables/PIN", json!({"secret": true})).await;
    assert_eq!((status, &refused["error"]["code"]), (422, &json!("logs-secret-short")), "{refused}");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_had_fails_the_run_before_its_first_step() {
    let house = House::start().await;
    variable(&house, "KEPT", CANARY, true).await;
    let definition = |name: &str| {
        format!("variables:\n  - KEPT\n  - {name}\nstages: [{{name: a, steps: [echo began]}}]\n")
    };
    let run = pushed(&house, "missing", "ropewalk.yml", &definition("NOWHERE")).await;
    let message = run.message.clone().unwrap();
    assert_eq!((run.status, message.key.as_ref()), (Status::Failed, "run-variable-missing"));
    assert_eq!((message.args["name"].as_str(), message.args["line"].as_str()), ("NOWHERE", "3"));
    assert_eq!(house.log(&run), "");
    let page = house.get("/admin/missing/pipelines/default/runs/1").await.text().await.unwrap();
    assert!(page.contains("NOWHERE") && page.contains("on the page Variables"), "{page}");

    variable(&house, "BROKEN", CANARY, true).await;
    let damage = |c: &ropewalk::store::Connection| {
        Ok(c.execute("UPDATE variables SET sealed = zeroblob(60) WHERE name = 'BROKEN'", [])?)
    };
    house.app.store.write(damage).await.unwrap();
    let run = pushed(&house, "broken", "ropewalk.yml", &definition("BROKEN")).await;
    let message = run.message.clone().unwrap();
    assert_eq!((run.status, message.key.as_ref()), (Status::Failed, "run-variable-closed"));
    assert_eq!((message.args["name"].as_str(), house.log(&run).as_str()), ("BROKEN", ""));
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jenkinsfile_names_them_as_credentials_and_a_new_value_counts_from_the_next_run() {
    let house = House::start().await;
    variable(&house, "PASSWORD", CANARY, true).await;
    variable(&house, "COLOUR", "blue", false).await;
    let definition = r#"pipeline {
    agent any
    environment {
        TOKEN = credentials('PASSWORD')
        GREETING = "is ${TOKEN}"
        SHADE = 'dark'
    }
    stages {
        stage('One') {
            environment { SHADE = credentials('COLOUR') }
            steps {
                sh 'echo "token $TOKEN, shade $SHADE, $GREETING, own [$PASSWORD$COLOUR]"'
                sh "expr length ${TOKEN}"
                echo "server $TOKEN"
            }
        }
        stage('Two') { steps { sh 'echo "then $SHADE, ${#TOKEN} long"' } }
    }
}
"#;
    let copy = Copy::new();
    copy.write("Jenkinsfile", definition).commit("One");
    copy.push(&house.remote("admin/jenkins-credentials")).await;
    let run = house.run_ended("admin/jenkins-credentials", "default", 1).await;
    let log = house.log(&run);
    assert_eq!(run.status, Status::Passed, "{:?} {log}", run.message);
    assert!(log.contains("token ********, shade blue, is ********, own []"), "{log}");
    assert!(log.contains("server ********") && log.contains("expr length ********"), "{log}");
    let length = CANARY.len().to_string();
    assert!(
        log.lines().any(|line| line == length) && log.contains(&format!("then dark, {length} long")),
        "{log}"
    );
    is_nowhere(&house, &run, CANARY).await;

    let (status, _) = house.patch("/api/v1/variables/COLOUR", json!({"value": "green"})).await;
    assert_eq!(status, 200);
    let (status, _) = house
        .patch("/api/v1/variables/PASSWORD", json!({"secret": true, "value": "another-canary-22"}))
        .await;
    assert_eq!(status, 200);
    copy.commit("Two");
    copy.push(&house.remote("admin/jenkins-credentials")).await;
    let run = house.run_ended("admin/jenkins-credentials", "default", 2).await;
    let log = house.log(&run);
    assert!(
        log.contains("token ********, shade green, is ********") && log.contains("then dark, 17 long"),
        "{log}"
    );
    is_nowhere(&house, &run, "another-canary-22").await;
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_wins_over_a_variable_and_the_definition_over_both() {
    let house = House::start().await;
    for name in ["FIRST", "SECOND", "THIRD"] {
        variable(&house, name, "stored", false).await;
    }
    let definition = "variables: [FIRST, SECOND, THIRD]\ninputs: {SECOND: given}\nenv: {THIRD: written}\n\
        stages: [{name: a, steps: ['echo \"$FIRST $SECOND $THIRD\"']}]\n";
    let run = pushed(&house, "order", "ropewalk.yml", definition).await;
    let log = house.log(&run);
    assert!(log.contains("\nstored given written\n"), "{:?} {log}", run.message);
    house.stop().await;
}
