//! Every main page in a real browser: it says nothing bad in the console (no script or style that the
//! Content-Security-Policy refuses, nothing missing), fits a narrow window, speaks four languages in two
//! themes, and works without scripts.

use serde_json::json;

use crate::kit::browser::Browser;
use crate::kit::{Copy, House, one_step};
use ropewalk::model::Status;

const README: &str = "# Ropes\n\nA long line that has to be broken somewhere: `registry.local:5000/numbers/api:v3-build-1-and-a-long-tag`.\n\n| Service | Port | What it is for, told at some length |\n|---|---|---|\n| api | 8012 | numbers, one after the other |\n";

/// A house with a repository whose runs passed and failed, and one whose definition nobody can carry out.
async fn furnished() -> (House, String) {
    let house = House::start().await;
    let copy = Copy::new();
    copy.write("README.md", README).write("src/deep/er/file with spaces.txt", "one\ntwo\n");
    let script = "echo 'a line without any place to break: '$(printf 'x%.0s' $(seq 300))\nprintf '\\033[32mdone\\033[0m\\n'";
    copy.write("ropewalk.yml", &one_step(script)).commit("Walk the first rope, slowly and with care");
    copy.push(&house.remote("admin/ropes")).await;
    assert_eq!(house.run_ended("admin/ropes", "default", 1).await.status, Status::Passed);
    copy.write("ropewalk.yml", &one_step("echo before; exit 3"));
    let commit =
        copy.commit("Break it, and say so in a summary that is rather longer than a narrow window is wide");
    copy.push(&house.remote("admin/ropes")).await;
    assert_eq!(house.run_ended("admin/ropes", "default", 2).await.status, Status::Failed);

    let groovy = Copy::new();
    let jenkinsfile = "pipeline {\n  agent any\n  options { timestamps() }\n  stages {\n    stage('A') {\n      steps {\n        script { x = 1 }\n      }\n    }\n  }\n}\n";
    groovy.write("Jenkinsfile", jenkinsfile).commit("Groovy");
    groovy.push(&house.remote("admin/groovy")).await;
    house.run_ended("admin/groovy", "default", 1).await;
    (house, commit)
}

fn main_pages(commit: &str) -> Vec<String> {
    let of_ropes = [
        "",
        "/files/src/deep/er",
        "/files/src/deep/er/file%20with%20spaces.txt",
        "/files/ropewalk.yml",
        "/commits",
        "/pipelines",
        "/pipelines/default",
        "/pipelines/default/start",
        "/pipelines/default/runs/1",
        "/pipelines/default/runs/2",
        "/pipelines/default/runs/2/causality",
        "/new-pipeline",
        "/settings",
    ];
    let of_the_house = [
        "/",
        "/new",
        "/new/mirror",
        "/activity",
        "/activity?kind=image-announced",
        "/webhooks",
        "/webhooks/new",
        "/image-streams",
        "/image-streams/new",
        "/endpoints",
        "/endpoints/new",
        "/settings/variables",
        "/registry",
        "/registry/impact?image=debian:12",
        "/causality/1",
        "/trace",
        "/trace?q=numbers/api:nothing",
        "/health",
        "/settings",
        "/admin",
        "/admin/groovy/pipelines/default/runs/1",
    ];
    let mut pages: Vec<String> = of_the_house.iter().map(|path| (*path).to_owned()).collect();
    pages.extend(of_ropes.iter().map(|path| format!("/admin/ropes{path}")));
    pages.push(format!("/admin/ropes/commits/{commit}"));
    pages
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_quiet_fits_and_speaks() {
    let (house, commit) = furnished().await;
    let browser = Browser::start(&house).await;
    browser.open("/sign-in").await;
    fits(&browser, "/sign-in").await;
    browser.sign_in().await;
    for path in main_pages(&commit) {
        browser.open(&path).await;
        fits(&browser, &path).await;
    }
    assert_eq!(browser.complaints().await, [""; 0]);

    // What is not there is a page, too; the console may mention the status.
    browser.open("/admin/nothing").await;
    assert_eq!(browser.ask("!!document.querySelector('.error-page')").await, json!(true));
    fits(&browser, "an error").await;
    browser.complaints().await;

    let run = "/admin/ropes/pipelines/default/runs/2";
    for (language, word) in [("ko", "실패"), ("zh-TW", "失敗"), ("pt-BR", "falhou"), ("en", "failed")] {
        browser.open(run).await;
        browser.ask(&format!("document.querySelector('#language').value = {language:?}")).await;
        browser
            .ask("document.querySelector('#language').dispatchEvent(new Event('change', { bubbles: true }))")
            .await;
        browser.until("the language", &format!("document.documentElement.lang === {language:?}")).await;
        assert_eq!(browser.ask("location.pathname").await, json!(run), "the page comes back");
        let said = browser.text("#run-head .status").await;
        assert!(said.contains(word), "{language}: {said}");
        browser.set_width(320).await;
        fits(&browser, language).await;
        browser.set_width(1280).await;
    }
    let ground = "getComputedStyle(document.body).backgroundColor";
    for (theme, colour) in [("dark", "rgb(12, 19, 26)"), ("light", "rgb(243, 245, 247)")] {
        browser.find(&format!("button[value={theme}]")).await.click().await.unwrap();
        browser.until("the theme", &format!("document.documentElement.dataset.theme === {theme:?}")).await;
        browser.until("its ground", &format!("{ground} === {colour:?}")).await;
    }
    assert_eq!(browser.complaints().await, [""; 0]);
    browser.stop().await;
    house.stop().await;
}

/// Nothing makes a narrow window scroll sideways, nor a wide one.
async fn fits(browser: &Browser, what: &str) {
    for width in [320, 1280] {
        browser.set_width(width).await;
        let found =
            browser.ask("document.documentElement.scrollWidth - document.documentElement.clientWidth").await;
        if found != json!(0) {
            let widest = "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth).map(e => e.tagName + '.' + e.className).slice(0, 8).join(' ')";
            panic!("{what} is {found} too wide for {width}: {}", browser.ask(widest).await);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_there_without_scripts() {
    let (house, _) = furnished().await;
    let browser = Browser::with(&house, false).await;
    browser.sign_in().await;
    browser.open("/admin/ropes/pipelines/default/runs/1").await;
    assert!(browser.text(".log").await.contains("done"));
    let shown =
        "[...document.querySelectorAll('.needs-script')].filter(e => e.getClientRects().length).length";
    assert_eq!(browser.ask(shown).await, json!(0), "what needs scripts is not shown");
    assert_eq!(browser.ask("document.querySelectorAll('meta[http-equiv=refresh]').length").await, json!(0));

    // Starting, following and cancelling a run are links and forms.
    browser.find("[data-key=r]").await.click().await.unwrap();
    browser.until("the new run", "location.pathname.endsWith('/runs/3')").await;
    let run = house.run_ended("admin/ropes", "default", 3).await;
    assert_eq!(run.status, Status::Passed);
    browser
        .until(
            "its end, by a page that loads itself again",
            "document.querySelector('#run-head [data-status]')?.dataset.status === 'passed'",
        )
        .await;

    let copy = Copy::new();
    copy.write("ropewalk.yml", &one_step("echo begun; while :; do sleep 0.1; done")).commit("Endless");
    copy.push(&house.remote("admin/endless")).await;
    house.run_in(Status::Running, "admin/endless", 1).await;
    browser.open("/admin/endless/pipelines/default/runs/1").await;
    assert_eq!(browser.ask("document.querySelectorAll('meta[http-equiv=refresh]').length").await, json!(1));
    browser.until("its log", "document.querySelector('.log')?.innerText.includes('begun')").await;
    browser.find("[data-key=x]").await.click().await.unwrap();
    assert_eq!(house.run_ended("admin/endless", "default", 1).await.status, Status::Cancelled);
    browser
        .until("its end", "document.querySelector('#run-head [data-status]')?.dataset.status === 'cancelled'")
        .await;

    // What cannot be brought back is asked about first.
    let (status, answer) = house.post("/api/v1/variables", json!({"name": "REGION", "value": "eu"})).await;
    assert_eq!(status, 201, "{answer}");
    browser.open("/settings/variables").await;
    browser.find(".sure > summary").await.click().await.unwrap();
    assert!(browser.text(".sure form").await.contains("cannot be brought back"));
    assert_eq!(house.json("/api/v1/variables").await.as_array().unwrap().len(), 1);
    browser.find(".sure button").await.click().await.unwrap();
    browser.until("its end", "!document.querySelector('.sure') && !!document.querySelector('.notice')").await;
    assert_eq!(house.json("/api/v1/variables").await, json!([]));

    browser.ask("document.querySelector('#language').value = 'ko'").await;
    browser.find(".bottom form button").await.click().await.unwrap();
    browser.until("the language", "document.documentElement.lang === 'ko'").await;
    browser.stop().await;
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_home_everything_is_two_clicks_away() {
    let house = House::start().await;
    let browser = Browser::start(&house).await;
    browser.sign_in().await;
    for width in [1280, 320] {
        browser.set_width(width).await;
        let places = [
            "/activity",
            "/registry",
            "/image-streams",
            "/webhooks",
            "/trace",
            "/health",
            "/settings#tokens",
            "/settings/variables",
            "/endpoints",
            "/admin",
        ];
        for place in places {
            browser.open("/").await;
            let link = format!(".top a[href='{place}']");
            if browser.ask(&format!("!!document.querySelector({link:?}).closest('.menu')")).await
                == json!(true)
            {
                browser.find(".menu summary").await.click().await.unwrap();
            }
            browser.find(&link).await.click().await.unwrap();
            browser.until(place, &format!("location.pathname + location.hash === {place:?}")).await;
        }
    }
    // A menu that was opened is closed as others are.
    browser.open("/").await;
    browser.find(".menu summary").await.click().await.unwrap();
    browser.press("\u{e00c}").await;
    let closed = "!document.querySelector('.menu').open && document.activeElement.matches('.menu summary')";
    browser.until("the menu to close", closed).await;
    assert_eq!(browser.complaints().await, [""; 0]);
    browser.stop().await;
    house.stop().await;
}
