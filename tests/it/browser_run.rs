//! The pages as a person meets them: a real browser, the keys and buttons of the real page, and a run
//! that goes on exactly as far as the test lets it.

use serde_json::json;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::kit::browser::Browser;
use crate::kit::{Copy, House};
use ropewalk::model::Status;

/// Three stages; the second and the third wait until the test lets them go on.
const PIPELINE: &str = r#"
stages:
  - name: Verify
    steps:
      - run: |
          #!/bin/sh
          printf 'plain\n\033[1;32mgreen\033[0m and \033[31mred\033[0m\nthird\n'
          echo '<script>document.title="hacked"</script>'
  - name: Build
    steps:
      - run: |
          #!/bin/sh
          echo the build begins
          i=0; while [ $i -lt 120 ]; do i=$((i+1)); echo "line $i of the first half"; done
          until [ -e go-build ]; do sleep 0.05; done
          i=0; while [ $i -lt 120 ]; do i=$((i+1)); echo "line $i of the second half"; done
          until [ -e go-on ]; do sleep 0.05; done
          echo one line more
          until [ -e go-test ]; do sleep 0.05; done
          printf 'no line end'
      - run: echo the second step
  - name: Test
    steps:
      - run: |
          #!/bin/sh
          printf '10%%'
          until [ -e go-end ]; do sleep 0.05; done
          printf '\r100%%\n'
          echo all good
"#;

const RUN: &str = "/admin/slow/pipelines/default/runs/1";

/// Makes the file the first run waits for, in the folder it works in.
fn let_go(house: &House, name: &str) {
    let folder = house.app.settings.workspaces.join("admin-slow-default");
    std::fs::write(folder.join(name), "").unwrap();
}

fn line(text: &str) -> String {
    format!("[...document.querySelectorAll('.log .x')].some(line => line.textContent === {text:?})")
}

const AT_BOTTOM: &str = "Math.abs([...document.querySelectorAll('.stage[open] .log .l')].pop().getBoundingClientRect().bottom - innerHeight) < 60";

fn following(on: bool) -> String {
    format!("document.querySelector('[data-toggle=follow]').getAttribute('aria-pressed') === '{on}'")
}

fn strip(stage: u32, status: &str) -> String {
    format!("document.querySelectorAll('.strip-stage')[{stage}].classList.contains('is-{status}')")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_followed_as_it_happens() {
    let house = House::start().await;
    let browser = Browser::start(&house).await;
    browser.sign_in().await;
    let copy = Copy::new();
    copy.write("ropewalk.yml", PIPELINE).commit("A slow walk");
    copy.push(&house.remote("admin/slow")).await;
    house.run_in(Status::Running, "admin/slow", 1).await;

    browser.open(RUN).await;
    // Were the page loaded again, this would be gone.
    browser.ask("window.untouched = true").await;
    browser.until("the first half", &line("line 120 of the first half")).await;
    browser.until("a strip that moves", &strip(1, "running")).await;
    assert_eq!(browser.ask(&strip(0, "passed")).await, json!(true));
    assert_eq!(browser.ask(&strip(2, "queued")).await, json!(true));
    assert!(browser.driver.title().await.unwrap().starts_with("▶ #1 "));
    browser.until("following from the start", &format!("{} && {AT_BOTTOM}", following(true))).await;

    follows(&house, &browser).await;
    ends(&house, &browser).await;
    assert_eq!(browser.ask("window.untouched").await, json!(true), "the page was never loaded again");
    assert_eq!(browser.complaints().await, [""; 0]);

    colours_and_links(&browser).await;
    keys_and_cancelling(&house, &browser).await;
    assert_eq!(browser.complaints().await, [""; 0]);
    browser.stop().await;
    house.stop().await;
}

/// The page goes along with the log until the reader looks up.
async fn follows(house: &House, browser: &Browser) {
    browser.wheel(-600).await;
    browser.until("not following a reader who looks up", &following(false)).await;
    stands_still(browser).await;
    let before = browser.ask("scrollY").await;
    let_go(house, "go-build");
    browser.until("the second half", &line("line 120 of the second half")).await;
    assert_eq!(browser.ask("scrollY").await, before, "the page stays where the reader is");

    browser.press("f").await;
    browser.until("following again", &format!("{} && {AT_BOTTOM}", following(true))).await;
    browser.press("\u{e00e}").await;
    browser.until("not following after a page up", &following(false)).await;
    stands_still(browser).await;
    browser.wheel(100_000).await;
    browser.until("following at the bottom", &following(true)).await;
    let_go(house, "go-on");
    browser.until("one more", &format!("{} && {AT_BOTTOM}", line("one line more"))).await;
}

/// Scrolling takes its time.
async fn stands_still(browser: &Browser) {
    let still = "scrollY === window.stood && ++window.stillFor > 5 || (scrollY !== window.stood && (window.stood = scrollY, window.stillFor = 0), false)";
    browser.until("the page to stand still", still).await;
}

async fn ends(house: &House, browser: &Browser) {
    let_go(house, "go-test");
    browser.until("the third stage", &strip(2, "running")).await;
    assert_eq!(browser.ask(&strip(1, "passed")).await, json!(true));
    browser.until("an unfinished line", &line("10%")).await;
    let second = "[...document.querySelectorAll('#s1-step1 .x')].map(line => line.textContent).join()";
    assert_eq!(
        browser.ask(second).await,
        json!("+ echo the second step,the second step"),
        "each step has its own lines"
    );
    let_go(house, "go-end");
    browser
        .until("the end", "document.querySelector('#run-head [data-status]').dataset.status === 'passed'")
        .await;
    browser.until("the last line", &line("all good")).await;
    assert_eq!(browser.ask(&line("10%")).await, json!(false), "the line was overwritten");
    for stage in 0..3 {
        browser.until("every stage to have passed", &strip(stage, "passed")).await;
        let summary = format!(
            "document.querySelector('#stage-{stage} summary .status').classList.contains('is-passed')"
        );
        browser.until("its section to say so", &summary).await;
    }
    assert!(browser.driver.title().await.unwrap().starts_with("✓ #1 "));
    let icon = browser.ask("document.querySelector('link[rel=icon]').href").await;
    assert!(icon.as_str().unwrap().contains("favicon-passed"), "{icon}");
    browser.until("the button that runs it again", "document.querySelector('[data-key=r]')").await;

    // What was put together piece by piece is what a new page shows.
    let log = "[...document.querySelectorAll('.log .l')].map(line => line.outerHTML.replace(/ class=\"l[^\"]*\"/, '')).join('\\n')";
    let live = browser.ask(log).await;
    let fresh = Browser::start(house).await;
    fresh.open(RUN).await;
    assert_eq!(fresh.ask(log).await, live);
    fresh.stop().await;
}

async fn colours_and_links(browser: &Browser) {
    browser.open(RUN).await;
    let colour = |text: &str| {
        format!(
            "getComputedStyle([...document.querySelectorAll('.log .x span')].find(s => s.textContent === {text:?})).color"
        )
    };
    assert_eq!(browser.ask(&colour("green")).await, json!("rgb(95, 196, 134)"));
    assert_eq!(browser.ask(&colour("red")).await, json!("rgb(240, 113, 107)"));
    assert_ne!(browser.driver.title().await.unwrap(), "hacked");

    browser.open(&format!("{RUN}#s0-L3")).await;
    let shown = "document.querySelector('#s0-L3').classList.contains('in-range')";
    browser
        .until(
            "the line to stand out",
            &format!("{shown} && document.querySelector('#stage-0 > details').open"),
        )
        .await;
    let ground = "getComputedStyle(document.querySelector('#s0-L3')).backgroundColor";
    let other = "getComputedStyle(document.querySelector('#s0-L2')).backgroundColor";
    assert_ne!(browser.ask(ground).await, browser.ask(other).await);
    browser.open("/").await;
    browser.open(&format!("{RUN}#s1-L2-L5")).await;
    browser
        .until("four lines to stand out", "document.querySelectorAll('.log .in-range').length === 4")
        .await;
}

async fn keys_and_cancelling(house: &House, browser: &Browser) {
    browser.press("?").await;
    browser.until("the help", "document.querySelector('#keys').open").await;
    browser.press("\u{e00c}").await;
    browser.until("no help", "!document.querySelector('#keys').open").await;
    browser.press("/").await;
    browser.press("half").await;
    browser.until("what was looked for", "document.querySelectorAll('.log .l.found').length === 240").await;
    browser.press("\u{e00c}").await;

    browser.press("r").await;
    let question = browser.driver.get_alert_text().await.unwrap();
    assert!(!question.is_empty());
    browser.driver.accept_alert().await.unwrap();
    browser.until("the new run", "location.pathname.endsWith('/runs/2')").await;
    house.run_in(Status::Running, "admin/slow", 2).await;
    browser.until("its log", &line("line 120 of the first half")).await;
    browser.press("h").await;
    browser
        .until(
            "the run before",
            "location.pathname.endsWith('/runs/1') && document.querySelector('[data-key=l]')",
        )
        .await;
    browser.press("l").await;
    browser
        .until(
            "the run after",
            "location.pathname.endsWith('/runs/2') && document.querySelector('[data-key=x]')",
        )
        .await;

    browser.find("[data-key=x]").await.click().await.unwrap();
    browser.driver.dismiss_alert().await.unwrap();
    assert!(house.find_run("admin/slow", "default", 2).unwrap().cancel_by.is_none(), "asked first");
    browser.find("[data-key=x]").await.click().await.unwrap();
    browser.driver.accept_alert().await.unwrap();
    browser
        .until("the end", "document.querySelector('#run-head [data-status]')?.dataset.status === 'cancelled'")
        .await;
    let run = house.run_ended("admin/slow", "default", 2).await;
    assert_eq!((run.status, run.cancel_by.as_deref()), (Status::Cancelled, Some("admin")));
}

/// Carries bytes from a port of its own to the house until it is dropped, and with it every connection.
async fn carry(house: &House, port: u16) -> (JoinSet<()>, u16) {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let to = house.url.strip_prefix("http://").unwrap().to_owned();
    let mut carrying = JoinSet::new();
    carrying.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((mut from, _)) = listener.accept().await {
            let to = to.clone();
            connections.spawn(async move {
                let mut to = TcpStream::connect(to).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
            });
        }
    });
    (carrying, port)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_connection_is_mended_and_lists_keep_current() {
    let house = House::start().await;
    let browser = Browser::start(&house).await;
    browser.sign_in().await;
    let copy = Copy::new();
    copy.write("ropewalk.yml", PIPELINE).commit("A slow walk");
    copy.push(&house.remote("admin/slow")).await;
    house.run_in(Status::Running, "admin/slow", 1).await;
    browser.open("/").await;
    browser.ask("window.untouched = true").await;
    browser.until("a running run", "document.querySelector('main .run-row .is-running')").await;

    let list = browser.driver.window().await.unwrap();
    let run = browser.driver.new_tab().await.unwrap();
    browser.driver.switch_to_window(run).await.unwrap();
    let (carrying, port) = carry(&house, 0).await;
    browser.driver.goto(format!("http://127.0.0.1:{port}{RUN}")).await.unwrap();
    browser.ask("window.untouched = true").await;
    browser.until("the first half", &line("line 120 of the first half")).await;
    drop(carrying);
    browser.until("the reader to be told", "!document.querySelector('#lost').hidden").await;
    let_go(&house, "go-build");
    let_go(&house, "go-on");
    let (carrying, _) = carry(&house, port).await;
    browser.until("what came meanwhile", &line("one line more")).await;
    browser.until("no complaint any more", "document.querySelector('#lost').hidden").await;
    let twice =
        "(ids => ids.length - new Set(ids).size)([...document.querySelectorAll('.log .l')].map(l => l.id))";
    assert_eq!(browser.ask(twice).await, json!(0), "no line is there twice");
    assert_eq!(browser.ask("window.untouched").await, json!(true));
    let_go(&house, "go-test");
    let_go(&house, "go-end");
    house.run_ended("admin/slow", "default", 1).await;
    browser
        .until("the end", "document.querySelector('#run-head [data-status]').dataset.status === 'passed'")
        .await;
    drop(carrying);

    browser.driver.switch_to_window(list).await.unwrap();
    browser
        .until(
            "the list to say so",
            "document.querySelector('main .grid .is-passed') && !document.querySelector('main .run-row')",
        )
        .await;
    assert_eq!(browser.ask("window.untouched").await, json!(true));
    browser.stop().await;
    house.stop().await;
}
