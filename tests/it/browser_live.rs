//! Pages that change while somebody looks at them, in a real browser: what comes is shown and said, and what the reader
//! was doing is left alone. And the same pages where scripts do not run.

use std::pin::Pin;

use futures_util::{Stream, StreamExt as _};
use ropewalk::store::Connection;
use serde_json::json;

use crate::kit::browser::Browser;
use crate::kit::{Copy, House, PASSWORD, one_step};
use ropewalk::model::Status;

const REGISTRY: &str = "registry.local:5000";

/// Pushes its own image once it is let go.
const PUSHES: &str = "
stages:
  - name: Build
    steps:
      - run: |
          until [ -e go ]; do sleep 0.05; done
          date +%s%N > marker
          docker build --quiet --label build_tag=$BUILD_TAG --tag IMAGE .
          docker push --quiet IMAGE
          docker rmi IMAGE
";

/// Everything that is said aloud from now on, and a mark that is lost when the page is loaded again.
async fn listen(browser: &Browser) {
    let script = "(window.heard = [], window.stays = true, new MutationObserver(() => heard.push(document.querySelector('#announce').textContent)).observe(document.querySelector('#announce'), { childList: true }), 0)";
    browser.ask(script).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_push_to_the_runs_above_without_loading_the_page_again() {
    let house = House::with(&[("poll-seconds", "3600")]).await;
    let image = format!("{REGISTRY}/live-{}/base:1", std::process::id());
    let base = Copy::new();
    base.write("ropewalk.yml", &PUSHES.replace("IMAGE", &image))
        .write("Dockerfile", "FROM scratch\nCOPY marker /\n");
    base.commit("A base");
    base.push(&house.remote("admin/base")).await;
    house.run_in(Status::Running, "admin/base", 1).await;
    let yaml = format!(
        "{{apiVersion: v1, kind: ImageStream, metadata: {{name: base}}, spec: {{tags: [{{name: '1', from: {{kind: DockerImage, name: '{image}'}}}}]}}}}"
    );
    house.applied(&yaml).await;
    let above = Copy::new();
    above.write("ropewalk.yml", &one_step("true")).write("Dockerfile", &format!("FROM {image}\n"));
    above.commit("Stands on it");
    above.push(&house.remote("admin/above")).await;
    house.run_ended("admin/above", "default", 1).await;
    let (status, answer) =
        house.post("/api/v1/repos/admin/above/pipelines/default/triggers", json!({})).await;
    assert_eq!(status, 201, "{answer}");

    let browser = Browser::start(&house).await;
    browser.sign_in().await;
    browser.open("/admin/base/pipelines/default/runs/1/causality").await;
    listen(&browser).await;
    browser.ask("document.querySelector('#live .status-link').focus()").await;
    browser.until("the run", "document.querySelectorAll('#live .is-running').length === 1").await;
    let folder = house.app.settings.workspaces.join("admin-base-default");
    std::fs::write(folder.join("go"), "").unwrap();
    let run = house.run_ended("admin/base", "default", 1).await;
    assert_eq!(run.status, Status::Passed, "{}", house.log(&run));
    browser.until("its digest", "document.querySelectorAll('#live .chip.mono').length === 1").await;
    house.app.watch.poll_tags().await.unwrap();
    browser.until("the stream", "document.querySelector('#live').textContent.includes('admin/base:1')").await;
    browser
        .until("the run above", "[...document.querySelectorAll('#live .status-link')].some(link => link.pathname === '/admin/above/pipelines/default/runs/2' && link.querySelector('.is-passed'))")
        .await;
    assert_eq!(browser.ask("window.stays").await, json!(true), "the page was not loaded again");
    let focused = browser.ask("document.activeElement.pathname").await;
    assert_eq!(focused, json!("/admin/base/pipelines/default/runs/1"), "the focus stays on its link");
    let heard = browser.ask("heard").await.to_string();
    for word in ["passed default #1", "base:1", "default #2 admin/above"] {
        assert!(heard.contains(word), "{word}: {heard}");
    }

    browser.open("/image-streams/admin/base/tags/1").await;
    listen(&browser).await;
    let before = browser.ask("document.querySelectorAll('#live tbody tr').length").await;
    let tag = "/api/v1/image-streams/admin/base/tags/1";
    assert_eq!(house.post(tag, json!({ "image": format!("{REGISTRY}/no/such:1") })).await.0, 404);
    base.write("marker", "another");
    base.write(
        "ropewalk.yml",
        &PUSHES.replace("IMAGE", &image).replace("until [ -e go ]; do sleep 0.05; done", "true"),
    );
    base.commit("Another base");
    base.push(&house.remote("admin/base")).await;
    assert_eq!(house.run_ended("admin/base", "default", 2).await.status, Status::Passed);
    house.app.watch.poll_tags().await.unwrap();
    browser
        .until("what it names now", &format!("document.querySelectorAll('#live tbody tr').length > {before}"))
        .await;
    browser.until("its being said", "heard.some(text => text.startsWith('1: '))").await;
    assert_eq!(browser.ask("window.stays").await, json!(true));
    assert_eq!(browser.complaints().await, [""; 0]);
    browser.stop().await;
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn activity_comes_by_itself_and_leaves_the_reader_alone() {
    let house = House::start().await;
    let copy = Copy::new();
    copy.write("ropewalk.yml", &one_step("true")).commit("One");
    copy.push(&house.remote("admin/first")).await;
    house.run_ended("admin/first", "default", 1).await;
    for n in 0..40 {
        assert_eq!(house.post("/api/v1/user/repos", json!({ "name": format!("r{n}") })).await.0, 201);
    }
    let browser = Browser::start(&house).await;
    browser.sign_in().await;
    browser.open("/activity").await;
    listen(&browser).await;
    // Further down, with a line at the top of the window and some words marked.
    browser.ask("(window.line = document.querySelectorAll('#live [data-line]')[20], line.scrollIntoView(), window.place = line.getBoundingClientRect().top, 0)").await;
    browser.ask("getSelection().selectAllChildren(line.querySelector('p'))").await;
    let second = copy.commit("Two");
    copy.push(&house.remote("admin/second")).await;
    house.run_ended("admin/second", "default", 1).await;
    browser.until("news to wait", "document.querySelector('#live').waiting?.includes('admin/second')").await;
    assert_eq!(browser.ask("getSelection().toString().length > 5 && line.isConnected").await, json!(true));
    browser.ask("getSelection().removeAllRanges()").await;
    browser.until("the news", "document.querySelector('#live').textContent.includes('admin/second')").await;
    let moved = "Math.abs(document.getElementById(line.id).getBoundingClientRect().top - place) < 2";
    browser.until("the line at its place", moved).await;
    browser
        .until("its end", "[...document.querySelectorAll('#live .status-link')].some(link => link.pathname.includes('/admin/second/') && link.querySelector('.is-passed'))")
        .await;
    let heard = browser.ask("heard").await.to_string();
    assert!(heard.contains("admin/second") && heard.contains("passed default #1"), "{second} {heard}");

    // Out of sight it asks for nothing; back in sight it shows what has come meanwhile.
    browser.open("/activity?kind=repository-created").await;
    assert_eq!(house.post("/api/v1/user/repos", json!({ "name": "meanwhile" })).await.0, 201);
    browser
        .until("the newest", "document.querySelector('#live').textContent.includes('admin/meanwhile')")
        .await;
    assert_eq!(browser.complaints().await, [""; 0]);
    browser.stop().await;
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_a_page_that_changes_is_whole_and_has_a_link_to_load_it_again() {
    let house = House::start().await;
    let copy = Copy::new();
    copy.write("ropewalk.yml", &one_step("true")).commit("One");
    copy.push(&house.remote("admin/plain")).await;
    house.run_ended("admin/plain", "default", 1).await;
    let browser = Browser::with(&house, false).await;
    browser.sign_in().await;
    for path in ["/admin/plain/pipelines/default/runs/1/causality", "/activity?kind=run-finished"] {
        browser.open(path).await;
        assert!(browser.text("#live").await.contains("default #1"), "{path}");
        assert_eq!(browser.ask("document.querySelector('#lost').checkVisibility()").await, json!(false));
        browser.find(".live-state a").await.click().await.unwrap();
        browser
            .until(
                "the same page",
                &format!("location.href.endsWith({path:?}) && document.querySelector('#live')"),
            )
            .await;
    }
    assert_eq!(browser.ask("document.querySelectorAll('meta[http-equiv=refresh]').length").await, json!(0));
    browser.stop().await;
    house.stop().await;
}

/// What comes on an open stream until it ends.
async fn rest(mut stream: impl Stream<Item = reqwest::Result<bytes::Bytes>> + Unpin) -> String {
    let mut rest = Vec::new();
    while let Some(bytes) = stream.next().await {
        rest.extend_from_slice(&bytes.unwrap());
    }
    String::from_utf8(rest).unwrap()
}

type Said = Pin<Box<dyn Stream<Item = reqwest::Result<bytes::Bytes>>>>;

/// An open stream that has begun to tell; without a token it is anybody's.
async fn listening(house: &House, path: &str, token: &str) -> Said {
    let mut request = house.http.get(format!("{}{path}", house.url));
    if !token.is_empty() {
        request = request.bearer_auth(token);
    }
    let mut stream: Said = Box::pin(request.send().await.unwrap().bytes_stream());
    assert!(stream.next().await.unwrap().unwrap().starts_with(b"event: "), "{path}");
    stream
}

/// Id and secret of a new one of the administrator's.
async fn token(house: &House) -> (i64, String) {
    let (status, made) = house.post("/api/v1/users/admin/tokens", json!({ "name": "lamp" })).await;
    assert_eq!(status, 201, "{made}");
    (made["id"].as_i64().unwrap(), made["sha1"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_come_in_any_more_is_told_nothing() {
    let house = House::start().await;
    house.post("/api/v1/admin/users", json!({ "username": "eve", "password": "three quiet kettles" })).await;
    let open = async |path: &str| {
        let request = house.http.get(format!("{}{path}", house.url));
        request.basic_auth("eve", Some("three quiet kettles")).send().await.unwrap()
    };
    assert_eq!(house.http.get(format!("{}/activity/live", house.url)).send().await.unwrap().status(), 303);
    assert_eq!(open("/causality/99999/live").await.status(), 404);
    assert_eq!(open("/image-streams/no/such/tags/1/live").await.status(), 404);
    assert_eq!(open("/webhooks/nothing/live").await.status(), 404);
    let answer = open("/activity/live").await;
    assert_eq!(answer.headers()["content-type"], "text/event-stream; charset=utf-8");
    let mut stream = Box::pin(answer.bytes_stream());
    let first = stream.next().await.unwrap().unwrap();
    assert!(first.starts_with(b"event: swap"), "{first:?}");
    let (status, answer) = house.patch("/api/v1/admin/users/eve", json!({ "prohibit_login": true })).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(house.post("/api/v1/user/repos", json!({ "name": "unheard" })).await.0, 201);
    let said = rest(stream).await;
    assert!(said.contains("event: end") && !said.contains("unheard"), "{said}");

    // So is a program whose token has ended, was renewed or taken away.
    let copy = Copy::new();
    copy.write("ropewalk.yml", &one_step("while :; do echo on; sleep 0.05; done")).commit("Goes on");
    copy.push(&house.remote("admin/waits")).await;
    house.run_in(Status::Running, "admin/waits", 1).await;
    let run = "/api/v1/repos/admin/waits/pipelines/default/runs/1";
    let of_run = [format!("{run}/events"), "/admin/waits/pipelines/default/runs/1/live".to_owned()];
    let soon = jiff::Timestamp::now().as_millisecond() + 1500;
    let (id, secret) = token(&house).await;
    let ends =
        move |c: &Connection| Ok(c.execute("UPDATE tokens SET expires_at = ?2 WHERE id = ?1", [id, soon])?);
    house.app.store.write(ends).await.unwrap();
    for stream in [listening(&house, &of_run[0], &secret).await, listening(&house, &of_run[1], &secret).await]
    {
        rest(stream).await;
    }
    let tokens = "/api/v1/users/admin/tokens";
    for ending in ["renewed", "taken away"] {
        let (id, secret) = token(&house).await;
        let mut streams = vec![listening(&house, "/activity/live", &secret).await];
        for path in &of_run {
            streams.push(listening(&house, path, &secret).await);
        }
        let done = match ending {
            "renewed" => house.post(&format!("{tokens}/{id}/rotate"), json!({})).await.0,
            _ => house.delete(&format!("{tokens}/{id}")).await,
        };
        assert!(matches!(done, 200 | 201 | 204), "{done}");
        assert_eq!(house.post("/api/v1/user/repos", json!({ "name": format!("unseen-{id}") })).await.0, 201);
        for stream in streams {
            let said = rest(stream).await;
            assert!(!said.contains("unseen"), "{ending}: {said}");
        }
    }
    // And whoever looks at what became private.
    let stream = listening(&house, &of_run[0], "").await;
    let (status, answer) = house.patch("/api/v1/repos/admin/waits", json!({ "private": true })).await;
    assert_eq!(status, 200, "{answer}");
    rest(stream).await;
    assert_eq!(house.post(&format!("{run}/cancel"), json!({})).await.0, 202);
    house.run_ended("admin/waits", "default", 1).await;
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_waits_for_no_open_page() {
    let house = House::start().await;
    let request = house.http.get(format!("{}/activity/live", house.url));
    let mut stream =
        Box::pin(request.basic_auth("admin", Some(PASSWORD)).send().await.unwrap().bytes_stream());
    assert!(stream.next().await.unwrap().is_ok());
    house.stop().await;
    // Ended in good order, not cut off.
    while let Some(bytes) = stream.next().await {
        bytes.unwrap();
    }
}
