//! A real, headless Chromium, driven through chromedriver. Waiting is always for something on the page,
//! looked for once per frame and never longer than `PATIENCE`.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use thirtyfour::LoggingPrefsLogLevel;
use thirtyfour::prelude::*;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::{House, PASSWORD};

const PATIENCE: Duration = Duration::from_secs(60);

pub struct Browser {
    pub driver: WebDriver,
    /// Of the session in chromedriver, for what only Chromium has.
    session: String,
    url: String,
    http: reqwest::Client,
    chromedriver: Child,
}

impl Browser {
    pub async fn start(house: &House) -> Browser {
        Self::with(house, true).await
    }

    /// `scripts` is whether pages may run any.
    pub async fn with(house: &House, scripts: bool) -> Browser {
        let (chromedriver, port) = chromedriver().await;
        let mut wanted = DesiredCapabilities::chrome();
        for flag in
            ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--lang=en"]
        {
            wanted.add_arg(flag).unwrap();
        }
        wanted.add_arg("--window-size=1280,900").unwrap();
        wanted.set_browser_log_level(LoggingPrefsLogLevel::All).unwrap();
        let mut preferences = json!({ "intl.accept_languages": "en" });
        if !scripts {
            preferences["profile.managed_default_content_settings.javascript"] = json!(2);
        }
        wanted.add_experimental_option("prefs", preferences).unwrap();
        // The machine's proxy knows nothing of this port.
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE * 2).build().unwrap();
        let driver = WebDriver::builder(format!("http://127.0.0.1:{port}"), wanted).client(client);
        let driver = driver.connect().await.unwrap();
        let session = format!("http://127.0.0.1:{port}/session/{}", driver.session_id());
        Browser { driver, session, url: house.url.clone(), http: house.http.clone(), chromedriver }
    }

    pub async fn stop(mut self) {
        self.driver.clone().quit().await.unwrap();
        self.chromedriver.kill().await.unwrap();
    }

    pub async fn open(&self, path: &str) {
        self.driver.goto(format!("{}{path}", self.url)).await.unwrap();
    }

    pub async fn sign_in(&self) {
        self.open("/sign-in").await;
        self.find("input[name=name]").await.send_keys("admin").await.unwrap();
        self.find("input[name=password]").await.send_keys(PASSWORD).await.unwrap();
        self.find("main form button").await.click().await.unwrap();
        self.until("signed in", "document.querySelector('.menu')?.textContent.includes('admin')").await;
    }

    pub async fn find(&self, selector: &str) -> WebElement {
        let found = self.driver.find(By::Css(selector)).await;
        found.unwrap_or_else(|e| panic!("no {selector}: {e}"))
    }

    /// The value of an expression, looked at now.
    pub async fn ask(&self, expression: &str) -> Value {
        let answer = self.driver.execute(format!("return {expression}"), Vec::new()).await;
        answer.unwrap_or_else(|e| panic!("{expression}: {e}")).json().clone()
    }

    pub async fn text(&self, selector: &str) -> String {
        let text = self.ask(&format!("document.querySelector({selector:?})?.innerText ?? ''")).await;
        text.as_str().unwrap().to_owned()
    }

    /// Waits until the expression holds on the page, also on one that is only about to be opened.
    pub async fn until(&self, what: &str, expression: &str) {
        let script = format!(
            "const done = arguments[arguments.length - 1], begun = performance.now();
             const look = () => {{
               if ({expression}) done(true);
               else if (performance.now() - begun > 1000) done(false);
               else requestAnimationFrame(look);
             }};
             look();"
        );
        let waiting = async {
            // A page that is left takes the script with it: the next page is asked again.
            while !matches!(self.driver.execute_async(&*script, Vec::new()).await, Ok(v) if v.json() == &json!(true))
            {
                tokio::task::yield_now().await;
            }
        };
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            let body = self.ask("document.body.innerText").await;
            panic!("waited in vain for {what}; the page says:\n{}", body.as_str().unwrap_or_default());
        }
    }

    pub async fn press(&self, key: &str) {
        self.driver.action_chain().send_keys(key).perform().await.unwrap();
    }

    /// Turns the wheel over the middle of the window; negative is up.
    pub async fn wheel(&self, pixels: i64) {
        let turn = json!({ "type": "scroll", "x": 400, "y": 400, "deltaX": 0, "deltaY": pixels, "duration": 0, "origin": "viewport" });
        let body = json!({ "actions": [{ "type": "wheel", "id": "wheel", "actions": [turn] }] });
        self.command("actions", body).await;
    }

    /// As wide as a phone (320 pixels), or as a desk (1280).
    pub async fn set_width(&self, width: u32) {
        self.set_size(width, 900).await;
    }

    pub async fn set_size(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.command(
            "goog/cdp/execute",
            json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": size }),
        )
        .await;
    }

    async fn command(&self, path: &str, body: Value) {
        let answer = self.http.post(format!("{}/{path}", self.session)).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path} {body}: {}", answer.text().await.unwrap());
    }

    /// What the console has had to complain about since this was last asked: nothing, on a good page.
    pub async fn complaints(&self) -> Vec<String> {
        let entries = self.driver.browser_log().await.unwrap();
        entries.into_iter().map(|entry| format!("{} {}", entry.level, entry.message)).collect()
    }
}

/// chromedriver on a port of its own choice.
async fn chromedriver() -> (Child, u16) {
    let mut command = Command::new("chromedriver");
    command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().expect("chromedriver is installed (package chromium-driver)");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            let port = port.trim_end_matches('.').parse().unwrap();
            // What it says later goes nowhere, but must go.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return (child, port);
        }
    }
    panic!("chromedriver did not start");
}
