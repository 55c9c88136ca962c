//! The stream behind a run's page, read as a browser reads it: nothing is lost or shown twice by readers
//! who leave and come back, who are slow, or who come when there is too much to show.

use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use serde_json::{Value, json};

use crate::kit::{Copy, House};
use ropewalk::model::Status;

/// An event: name, id, data.
type Event = (String, String, Value);

struct Reader {
    bytes: std::pin::Pin<Box<dyn futures_util::Stream<Item = reqwest::Result<bytes::Bytes>>>>,
    buffer: Vec<u8>,
}

impl Reader {
    async fn open(house: &House, run: &str, from: &str, last_id: Option<&str>) -> Reader {
        let mut request = house.http.get(format!("{}{run}/live?from={from}", house.url));
        if let Some(id) = last_id {
            request = request.header("last-event-id", id);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream; charset=utf-8");
        Reader { bytes: Box::pin(answer.bytes_stream()), buffer: Vec::new() }
    }

    /// `None` when the stream ends.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|two| two == b"\n\n") {
                let block: Vec<u8> = self.buffer.drain(..end + 2).collect();
                let block = String::from_utf8(block).unwrap();
                let field = |name: &str| block.lines().find_map(|l| l.strip_prefix(name)).map(str::to_owned);
                let Some(name) = field("event: ") else { continue };
                let data = serde_json::from_str(&field("data: ").unwrap()).unwrap();
                return Some((name, field("id: ").unwrap(), data));
            }
            self.buffer.extend_from_slice(&self.bytes.next().await?.unwrap());
        }
    }
}

/// What a page shows that does what the events say: HTML by (stage, step), in the order of writing.
#[derive(Default)]
struct Shown {
    logs: BTreeMap<(u64, u64), String>,
    last_id: String,
    cleared: Option<u64>,
    ended: bool,
}

impl Shown {
    fn take(&mut self, (name, id, data): Event) {
        self.last_id = id;
        match name.as_str() {
            "lines" => {
                let place = (data["stage"].as_u64().unwrap(), data["step"].as_u64().unwrap());
                self.logs.entry(place).or_default().push_str(data["html"].as_str().unwrap());
            }
            "clear" => {
                self.logs.clear();
                self.cleared = data["line"].as_u64();
            }
            "end" => self.ended = true,
            _ => {}
        }
    }

    /// The numbers of the lines, as written.
    fn numbers(&self) -> Vec<u64> {
        let all: String = self.logs.values().map(String::as_str).collect();
        let ids = all.split("id=\"s0-L").skip(1);
        ids.map(|rest| rest.split('"').next().unwrap().parse().unwrap()).collect()
    }
}

async fn pushed(house: &House, name: &str, definition: &str) {
    let copy = Copy::new();
    copy.write("ropewalk.yml", definition).commit("One");
    copy.push(&house.remote(&format!("admin/{name}"))).await;
    house.run_in(Status::Running, &format!("admin/{name}"), 1).await;
}

fn let_go(house: &House, name: &str) {
    let folder = house.app.settings.workspaces.join(format!("admin-{name}-default"));
    std::fs::write(folder.join("go"), "").unwrap();
}

const STEPS: &str = "
stages:
  - name: Only
    steps:
      - run: |
          #!/bin/sh
          seq 1 500
          printf 'half a line'
      - run: |
          #!/bin/sh
          seq 1 500
          until [ -e go ]; do sleep 0.05; done
          seq 1 500
          printf 'no end'
";

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_who_leaves_and_comes_back_misses_nothing_and_sees_nothing_twice() {
    let house = House::start().await;
    pushed(&house, "steps", STEPS).await;
    let run = "/admin/steps/pipelines/default/runs/1";
    // Leaves after a few events more each time, and comes back with the last id.
    let mut shown = Shown::default();
    let (mut went_on, mut patience) = (false, 6);
    while !shown.ended {
        let id = (!shown.last_id.is_empty()).then_some(shown.last_id.clone());
        let mut reader = Reader::open(&house, run, "", id.as_deref()).await;
        patience += 1;
        for _ in 0..patience {
            let Some(event) = reader.next().await else { break };
            shown.take(event);
            if !went_on && shown.numbers().len() >= 1001 {
                went_on = true;
                let_go(&house, "steps");
            }
        }
    }
    let numbers = shown.numbers();
    assert_eq!(numbers, (1..=1502).collect::<Vec<u64>>());
    assert_eq!(shown.logs[&(0, 0)].matches("class=\"l\"").count(), 501, "a step's last line is its own");
    assert!(shown.logs[&(0, 1)].ends_with("no end</span></span>"));
    // The page shows the same.
    let page = house.get(run).await.text().await.unwrap();
    for html in shown.logs.values() {
        assert!(page.contains(html.as_str()));
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_far_behind_is_taken_to_the_end() {
    let house = House::start().await;
    let definition = "
stages:
  - name: Only
    steps:
      - run: |
          #!/bin/sh
          seq 1 1500000
          until [ -e go ]; do sleep 0.05; done
          echo the end
";
    pushed(&house, "much", definition).await;
    let run = house.find_run("admin/much", "default", 1).unwrap();
    let mut bell = house.app.logs.bell(run.id);
    while house.app.logs.len(run.id, 0).unwrap() < 10_000_000 {
        bell.changed().await.unwrap();
    }
    let mut reader = Reader::open(&house, "/admin/much/pipelines/default/runs/1", "", None).await;
    let mut shown = Shown::default();
    while let Some(event) = reader.next().await {
        shown.take(event);
        if shown.numbers().last() == Some(&1_500_000) {
            let_go(&house, "much");
        }
    }
    assert!(shown.ended);
    let from = shown.cleared.unwrap();
    assert!(from > 1_300_000, "{from}");
    assert_eq!(shown.numbers(), (from..=1_500_001).collect::<Vec<u64>>());
    assert!(
        shown.logs[&(0, 0)].contains(&format!("\"#s0-L{from}\">{from}</a><span class=\"x\">{from}</span>")),
        "lines keep their numbers"
    );
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_run_is_nothing_to_others_and_ends_for_them() {
    let house = House::start().await;
    pushed(
        &house,
        "secret",
        "stages:\n  - name: Only\n    steps:\n      - run: until [ -e go ]; do sleep 0.05; done\n",
    )
    .await;
    let path = "/admin/secret/pipelines/default/runs/1";
    let mut open = Reader::open(&house, path, "", None).await;
    assert_eq!(open.next().await.unwrap().0, "swap");
    let (status, answer) = house.patch("/api/v1/repos/admin/secret", json!({ "private": true })).await;
    assert_eq!(status, 200, "{answer}");
    // Who was let in before sees nothing that comes after.
    while open.next().await.is_some() {}
    for path in [path.to_owned(), format!("{path}/live")] {
        let answer = house.http.get(format!("{}{path}", house.url)).send().await.unwrap();
        assert_eq!(answer.status(), 404);
    }
    let_go(&house, "secret");
    house.run_ended("admin/secret", "default", 1).await;
    house.stop().await;
}
