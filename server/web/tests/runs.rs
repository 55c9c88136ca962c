//! Runs and their logs over the API.

use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::kit::{House, SCRIPTS, git, nothing_to_do};
use crate::logs;
use crate::model::Status;
use crate::store::runs;

#[actix_web::test]
async fn runs_are_started_shown_cancelled_and_repeated() {
    let house = House::new().await;
    let work = house.work(SCRIPTS);
    let url = house.remote("minsu", "minsu/numbers.git");
    house.push_until_decided(&work, &["push", "-q", &url, "main"], nothing_to_do).await;
    let base = "/api/v1/repos/minsu/numbers/pipelines/default/runs";
    let (status, run) = house.post(base, "minsu", json!({"ref": "main"})).await;
    assert_eq!(status, StatusCode::CREATED, "{run}");
    assert_eq!(run["number"], 1);
    assert_eq!(run["status"], "queued");
    assert_eq!(run["cause"], json!({"kind": "person", "by": "minsu"}));
    assert_eq!(run["ref"], "main");
    assert_eq!(run["commit"], git(&work, &["rev-parse", "main"]).trim());
    assert_eq!(run["stages"][1]["status"], "queued");
    assert_eq!(run["html_url"], format!("{}/minsu/numbers/pipelines/default/runs/1", house.url));
    for (who, body, wanted) in [
        ("", json!({}), 401),
        ("jiwoo", json!({}), 403),
        ("minsu", json!({"ref": "--output=/tmp/x"}), 404),
        ("minsu", json!({"ref": "main", "inputs": {"NOPE": 1}}), 422),
        ("minsu", json!({"ref": ["main"]}), 422),
    ] {
        let (status, answer) = house.post(base, who, body.clone()).await;
        assert_eq!(status.as_u16(), wanted, "{who} {body}: {answer}");
        assert!(answer["error"]["code"].is_string() && answer["error"]["message"].is_string(), "{answer}");
    }
    let (status, cancelled) = house.post(&format!("{base}/1/cancel"), "minsu", json!({})).await;
    assert_eq!((status, &cancelled["status"]), (StatusCode::ACCEPTED, &json!("cancelled")), "{cancelled}");
    assert_eq!(house.post(&format!("{base}/1/cancel"), "minsu", json!({})).await.0, StatusCode::CONFLICT);
    let (status, again) = house.post(&format!("{base}/1/rerun"), "minsu", json!({})).await;
    assert_eq!((status, &again["number"]), (StatusCode::CREATED, &json!(2)), "{again}");
    assert_eq!(again["cause"], json!({"kind": "rerun", "by": "minsu", "of": 1}));
    let first = house.ask(Method::GET, &format!("{base}?limit=1"), "").send().await.unwrap();
    let link = first.headers()["link"].to_str().unwrap().to_owned();
    let next = link.split(['<', '>']).nth(1).unwrap().trim_start_matches(&house.url).to_owned();
    assert_eq!(house.get(&next, "").await.1[0]["number"], 1, "{link}");
    house.stop().await;
}

#[actix_web::test]
async fn logs_are_read_by_offset_and_live() {
    let house = House::new().await;
    let work = house.work(SCRIPTS);
    let url = house.remote("minsu", "minsu/numbers.git");
    house.push_until_decided(&work, &["push", "-q", &url, "main"], nothing_to_do).await;
    let base = "/api/v1/repos/minsu/numbers/pipelines/default/runs";
    house.post(base, "minsu", json!({})).await;
    let run = house.door.store.write(|c| runs::claim(c, Timestamp::now())).await.unwrap().unwrap();
    let events = house.ask(Method::GET, &format!("{base}/1/events"), "").send().await.unwrap();
    assert_eq!(events.headers()["content-type"], "text/event-stream; charset=utf-8");
    let mut events = Events { response: events, text: String::new() };
    assert!(events.next().await.contains("event: run\nid: 0.0\n"));
    let mut writer = house.door.logs.writer(run.id, 0, logs::Mask::default()).unwrap();
    writer.line("안녕 hello").unwrap();
    writer.flush().unwrap();
    let first = events.next().await;
    assert!(first.contains("event: log\nid: 0.13\n") && first.contains("안녕 hello\\n"), "{first}");
    let progress = house.ask(Method::GET, &format!("{base}/1/log?from=7"), "").send().await.unwrap();
    assert_eq!(progress.headers()["x-text-size"], "13");
    assert_eq!(progress.headers()["x-more-data"], "true");
    assert_eq!(progress.text().await.unwrap(), "hello\n");
    writer.line("second").unwrap();
    writer.finish().await.unwrap();
    let mut second = String::new();
    while !second.contains("second\\n") {
        second.push_str(&events.next().await);
    }
    let id = run.id;
    house
        .door
        .store
        .write(move |c| {
            runs::skip_rest(c, id, Status::Cancelled, Timestamp::now())?;
            runs::finish(c, id, Status::Cancelled, None, Timestamp::now())
        })
        .await
        .unwrap();
    house.door.logs.done(id);
    let mut rest = String::new();
    while let Some(event) = events.maybe().await {
        rest.push_str(&event);
    }
    assert!(rest.ends_with("event: end\nid: 2.0\ndata: cancelled\n\n"), "{rest}");
    let resumed =
        house.ask(Method::GET, &format!("{base}/1/events"), "").header("last-event-id", "0.13").send();
    let resumed = resumed.await.unwrap().text().await.unwrap();
    assert!(
        resumed.contains("\"from\":13,\"text\":\"second\\n\"") && !resumed.contains("hello\\n"),
        "{resumed}"
    );
    let part = house
        .ask(Method::GET, &format!("{base}/1/stages/0/log"), "")
        .header("range", "bytes=7-11")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (part.status().as_u16(), part.headers()["content-range"].to_str().unwrap()),
        (206, "bytes 7-11/20")
    );
    assert!(!part.headers().contains_key("x-more-data") || part.headers()["x-text-size"] == "12");
    assert_eq!(part.text().await.unwrap(), "hello");
    let head = house.ask(Method::HEAD, &format!("{base}/1/log"), "").send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.headers()["content-length"].to_str().unwrap()), (200, "20"));
    house.stop().await;
}

struct Events {
    response: reqwest::Response,
    text: String,
}

impl Events {
    async fn maybe(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let rest = self.text.split_off(end + 2);
                return Some(std::mem::replace(&mut self.text, rest));
            }
            self.text.push_str(std::str::from_utf8(&self.response.chunk().await.unwrap()?).unwrap());
        }
    }
    async fn next(&mut self) -> String {
        self.maybe().await.expect("an event")
    }
}
