//! The dashboard as a browser without scripts sees it: every page in every language, hostile names,
//! who may see what, and forms that another site might send.

use reqwest::{Response, StatusCode};

use crate::kit::{Copy, House, PASSWORD, git_command, one_step};
use ropewalk::model::{OwnerName, PasswordHash, Secret};
use ropewalk::store::accounts;

const HOSTILE: &str = "<img src=x onerror=alert(1)>";
const LANGUAGES: [&str; 4] = ["en", "ko", "zh-TW", "pt-BR"];

/// A session, as a browser has one.
struct Browser<'a> {
    house: &'a House,
    cookie: String,
    csrf: String,
}

impl<'a> Browser<'a> {
    async fn anonymous(house: &'a House) -> Browser<'a> {
        Browser { house, cookie: String::new(), csrf: String::new() }
    }

    async fn sign_in(house: &'a House, name: &str, password: &str) -> Browser<'a> {
        let mut browser = Browser::anonymous(house).await;
        let answer = browser.post("/sign-in", &[("name", name), ("password", password), ("next", "/")]).await;
        assert_eq!(answer.status(), 303, "{}", answer.text().await.unwrap());
        browser.cookie = cookies(&answer).join("; ");
        let home = browser.page("/settings").await;
        browser.csrf = between(&home, "name=\"csrf\" value=\"", "\"").to_owned();
        assert_eq!(browser.csrf.len(), 64);
        browser
    }

    async fn get(&self, path: &str, language: &str) -> Response {
        let cookie = format!("{}; ropewalk_language={language}", self.cookie);
        let request = self.house.http.get(format!("{}{path}", self.house.url)).header("cookie", cookie);
        request.header("accept", "text/html").send().await.unwrap()
    }

    /// A page that must be there, in English.
    async fn page(&self, path: &str) -> String {
        let answer = self.get(path, "en").await;
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert_eq!(status, 200, "GET {path}: {text}");
        text
    }

    async fn status(&self, path: &str) -> StatusCode {
        self.get(path, "en").await.status()
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let form: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let request =
            self.house.http.post(format!("{}{path}", self.house.url)).header("cookie", &self.cookie);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.body(form.join("&")).send().await.unwrap()
    }

    /// With the form's token; answers where it leads.
    async fn sent(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let mut all = vec![("csrf", self.csrf.as_str())];
        all.extend(fields);
        let answer = self.post(path, &all).await;
        let status = answer.status();
        let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
        assert_eq!(status, 303, "POST {path}: {}", answer.text().await.unwrap());
        to.unwrap()
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn cookies(answer: &Response) -> Vec<String> {
    let all = answer.headers().get_all("set-cookie").iter();
    all.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap().to_owned()).collect()
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}")).1;
    rest.split_once(after).unwrap().0
}

async fn account(house: &House, name: &'static str) {
    let hash = PasswordHash::new(&Secret::new(PASSWORD), name).unwrap().as_str().to_owned();
    let create = move |c: &ropewalk::store::Connection| {
        accounts::create(c, &OwnerName::new(name)?, &hash, false, "2026-01-01T00:00:00Z".parse().unwrap())
    };
    house.app.store.write(create).await.unwrap();
}

/// A repository with everything in it that could hurt a page, and a run of it that has ended.
async fn hostile_repository(house: &House) -> String {
    let copy = Copy::new();
    copy.write(
        "README.md",
        "# Hello\n\n<script>alert(1)</script> [x](javascript:alert(1)) ![y](http://evil.example/y.png)\n",
    );
    copy.write(&format!("folder/{HOSTILE}"), "text\n").write("page.html", "<script>alert(1)</script>\n");
    copy.write("picture.png", "\u{1}not a picture <svg onload=alert(1)>").write("plain.txt", HOSTILE);
    copy.write(
        "ropewalk.yml",
        &one_step("printf 'plain\\033[31mred\\n<script>alert(1)</script>\\n'; exit 3"),
    );
    copy.git(&["add", "-A"]);
    copy.git(&[
        "-c",
        "user.name=<script>alert(1)</script>",
        "commit",
        "-q",
        "-m",
        &format!("{HOSTILE}\n\nbody {HOSTILE}"),
    ]);
    copy.push(&house.remote("admin/hostile")).await;
    // Behind the server's back, which would have refused such a name.
    let directory = house.app.git.directory(&"admin/hostile".parse().unwrap());
    for reference in ["refs/heads/<b>bold</b>", "refs/tags/<i>tag</i>"] {
        assert!(git_command(&directory, &["update-ref", reference, "refs/heads/main"]).status.success());
    }
    house.run_ended("admin/hostile", "default", 1).await;
    copy.git(&["rev-parse", "HEAD"]).trim().to_owned()
}

fn check_page(path: &str, language: &str, html: &str) {
    assert!(html.contains(&format!("<html lang=\"{language}\"")), "{path} in {language}");
    for hostile in
        ["<img src=x", "<script>alert", "<b>bold", "<i>tag", "<svg onload", "javascript:", "evil.example"]
    {
        assert!(!html.contains(hostile), "{path} in {language}: {hostile} came through");
    }
    for attribute in ["src=\"", "href=\"", "action=\""] {
        for address in html.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()) {
            let local =
                address.is_empty() || address.starts_with(['/', '#', '?']) && !address.starts_with("//");
            assert!(local, "{path} in {language}: {attribute}{address}");
        }
    }
    assert!(!html.contains(">pages-") && !html.contains(">web-"), "{path} in {language}: a key is shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_in_every_language_whatever_things_are_called() {
    let house = House::start().await;
    let commit = hostile_repository(&house).await;
    house.create_pipeline("admin/hostile", "missing", "no/such/Jenkinsfile").await;
    house.app.look_around().await;
    let admin = Browser::sign_in(&house, "admin", PASSWORD).await;
    admin.sent("/new", &[("name", "empty"), ("description", HOSTILE)]).await;
    let run = "/admin/hostile/pipelines/default/runs/1";
    let pages = [
        "/",
        "/?q=hostile",
        "/?q=%3Cimg",
        "/new",
        "/new/mirror",
        "/activity",
        "/activity?repository=admin/hostile",
        "/activity?kind=run-finished",
        "/registry",
        "/registry/repositories/no/such",
        "/registry/impact",
        "/registry/impact?image=%3Cimg%20src=x%3E",
        "/causality/1",
        "/trace",
        "/trace?q=registry.local:5000/no/such:tag",
        "/trace?q=ropewalk-admin-hostile-default-1",
        "/trace?q=%3Cimg%20src=x%3E",
        "/health",
        "/settings",
        "/admin",
        "/admin/empty",
        "/admin/hostile",
        "/admin/hostile/files/folder",
        "/admin/hostile/files/README.md",
        "/admin/hostile/files/page.html?at=main",
        "/admin/hostile/files/picture.png",
        "/admin/hostile/commits",
        "/admin/hostile/pipelines",
        "/admin/hostile/pipelines/default",
        "/admin/hostile/pipelines/missing",
        "/admin/hostile/pipelines/default/start",
        "/admin/hostile/new-pipeline",
        "/admin/hostile/settings",
        run,
    ];
    let one = format!("/admin/hostile/commits/{commit}");
    let line = format!("{run}?stage=0&line=2");
    let file = format!("/admin/hostile/files/folder/{}", encoded(HOSTILE));
    for path in pages.into_iter().chain([one.as_str(), line.as_str(), file.as_str()]) {
        for language in LANGUAGES {
            let answer = admin.get(path, language).await;
            assert_eq!(answer.status(), 200, "{path}");
            let policy = answer.headers()["content-security-policy"].to_str().unwrap();
            assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
            check_page(path, language, &answer.text().await.unwrap());
        }
    }
    for path in [
        "/nobody/nothing",
        "/admin/hostile/files/none",
        "/admin/hostile/files/none?at=%3Ci%3Etag",
        "/admin/hostile/pipelines/default/runs/99",
        "/x/y/z",
    ] {
        for language in LANGUAGES {
            let answer = admin.get(path, language).await;
            assert_eq!(answer.status(), 404, "{path}");
            check_page(path, language, &answer.text().await.unwrap());
        }
    }
    run_page(&admin, run).await;
    raw_files(&admin).await;
    house.stop().await;
}

async fn run_page(admin: &Browser<'_>, run: &str) {
    let html = admin.page(run).await;
    assert!(html.contains("<title>✗ #1 failed - hostile - Ropewalk</title>"), "{html}");
    assert!(html.contains("id=\"s0-L2\""), "lines can be linked to");
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "the log is text");
    assert!(!html.contains("http-equiv=\"refresh\""), "it has ended");
    // The stream of a run that has ended brings everything and ends.
    let stream = admin.get(&format!("{run}/live"), "en").await;
    assert!(stream.headers()["content-type"].to_str().unwrap().starts_with("text/event-stream"));
    let events = stream.text().await.unwrap();
    assert!(events.contains("event: lines") && events.contains("event: end"), "{events}");
    assert!(!events.contains("<script>alert"), "{events}");
    let last = events.lines().filter_map(|line| line.strip_prefix("id: ")).next_back().unwrap();
    let rest = admin.page(&format!("{run}/live?from={}", encoded(last))).await;
    assert!(!rest.contains("event: lines"), "nothing is sent twice: {rest}");
}

async fn raw_files(admin: &Browser<'_>) {
    let answer = admin.get("/admin/hostile/raw/page.html", "en").await;
    assert_eq!(answer.status(), 200);
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
    assert!(answer.headers()["content-security-policy"].to_str().unwrap().contains("sandbox"));
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    assert_eq!(answer.text().await.unwrap(), "<script>alert(1)</script>\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_private_does_not_exist_for_others() {
    let house = House::start().await;
    account(&house, "bela").await;
    account(&house, "cleo").await;
    let admin = Browser::sign_in(&house, "admin", PASSWORD).await;
    let bela = Browser::sign_in(&house, "bela", PASSWORD).await;
    let cleo = Browser::sign_in(&house, "cleo", PASSWORD).await;
    let nobody = Browser::anonymous(&house).await;
    bela.sent("/new", &[("name", "hidden"), ("private", "true")]).await;
    bela.sent("/new", &[("name", "open")]).await;
    for path in [
        "/bela/hidden",
        "/bela/hidden/commits",
        "/bela/hidden/pipelines",
        "/bela/hidden/settings",
        "/activity?repository=bela/hidden",
    ] {
        assert_eq!(bela.status(path).await, 200, "{path}");
        assert_eq!(admin.status(path).await, 200, "{path}");
        assert_eq!(cleo.status(path).await, 404, "{path}");
        let there = nobody.status(path).await;
        assert!(there == 404 || there == 303, "{path}: {there}");
        let nowhere = path.replace("hidden", "never");
        assert_eq!(nobody.status(&nowhere).await, there, "{path} must look as if it were not there");
    }
    assert_eq!(nobody.status("/badges/bela/hidden.svg").await, 404);
    assert_eq!(bela.status("/badges/bela/hidden.svg").await, 200);
    for (browser, sees) in [(&bela, true), (&admin, true), (&cleo, false), (&nobody, false)] {
        for path in ["/", "/?q=hid"] {
            assert_eq!(browser.page(path).await.contains("bela/hidden"), sees, "{path}");
        }
        assert!(browser.page("/").await.contains("bela/open"));
    }
    assert!(!cleo.page("/activity").await.contains("bela/hidden"));
    // Others look, and only look.
    assert_eq!(cleo.status("/bela/open").await, 200);
    assert_eq!(cleo.status("/bela/open/settings").await, 403);
    assert_eq!(cleo.status("/admin").await, 403);
    assert!(!cleo.page("/bela/open").await.contains("/bela/open/settings"));
    for path in ["/settings", "/activity", "/registry", "/trace", "/new"] {
        let answer = nobody.get(path, "en").await;
        assert_eq!(answer.status(), 303, "{path}");
        assert_eq!(answer.headers()["location"], format!("/sign-in?next={path}"));
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_form_counts_without_its_token() {
    let house = House::start().await;
    hostile_repository(&house).await;
    let admin = Browser::sign_in(&house, "admin", PASSWORD).await;
    let pipeline = "/admin/hostile/pipelines/default";
    let forms = [
        "/sign-out",
        "/language",
        "/theme",
        "/new",
        "/new/mirror",
        "/settings/tokens",
        "/settings/tokens/1/delete",
        "/settings/password",
        "/settings/language",
        "/admin/users",
        "/admin/users/admin",
        "/admin/hostile/settings",
        "/admin/hostile/delete",
        "/admin/hostile/new-pipeline",
        "/admin/hostile/pipelines/default/start",
        "/admin/hostile/pipelines/default/delete",
        "/trace",
    ]
    .map(str::to_owned);
    let buttons = [format!("{pipeline}/runs/1/cancel"), format!("{pipeline}/runs/1/rerun")];
    for path in forms.iter().chain(&buttons) {
        for token in ["", "0".repeat(64).as_str()] {
            let fields = [("csrf", token), ("name", "x"), ("password", "x"), ("path", "x"), ("url", "x")];
            let answer = admin.post(path, &fields).await;
            assert_eq!(answer.status(), 403, "{path}");
            assert!(answer.text().await.unwrap().contains("<html lang="), "{path}");
        }
    }
    assert_eq!(admin.status("/admin/hostile").await, 200, "nothing happened");
    assert!(house.find_run("admin/hostile", "default", 2).is_none_or(|run| run.cause.kind() != "rerun"));
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_do_what_they_say_and_say_it_once() {
    let house = House::start().await;
    let admin = Browser::sign_in(&house, "admin", PASSWORD).await;
    // A mistake brings the form back with what was typed.
    let again =
        admin.post("/new", &[("csrf", &admin.csrf), ("name", "not a name"), ("description", "kept")]).await;
    assert_eq!(again.status(), 422);
    let html = again.text().await.unwrap();
    assert!(
        html.contains("value=\"not a name\"")
            && html.contains("value=\"kept\"")
            && html.contains("form-error")
    );
    admin.sent("/image-streams/new", &[("name", "admin/base")]).await;
    admin.sent("/new", &[("name", "typed")]).await;
    house.create_pipeline("admin/typed", "build", "ropewalk.yml").await;
    for (path, status, fields) in [
        ("/image-streams/admin/base/tag", 422, [("tag", "no tag"), ("image", "kept/image:1")]),
        ("/admin/typed/pipelines/build/triggers", 422, [("from", "no stream"), ("paused", "true")]),
        ("/settings/tokens", 422, [("name", "kept name"), ("expires", "-1")]),
        ("/settings/variables", 422, [("name", "no name"), ("value", "kept value")]),
    ] {
        let more = [("csrf", admin.csrf.as_str()), ("scope", "read")];
        let again = admin.post(path, &[&fields[..], &more].concat()).await;
        assert_eq!(again.status(), status, "{path}");
        let html = again.text().await.unwrap();
        assert!(html.contains("role=\"alert\""), "{path} says what is wrong: {html}");
        for (name, value) in fields.into_iter().filter(|(name, _)| *name != "paused") {
            let kept = format!("value=\"{value}\"");
            assert!(html.contains(&kept), "{path} keeps {name}: {html}");
        }
    }
    // A secret is not written back.
    let secret =
        [("csrf", admin.csrf.as_str()), ("name", "no name"), ("value", "s3cr3t"), ("secret", "true")];
    assert!(!admin.post("/settings/variables", &secret).await.text().await.unwrap().contains("s3cr3t"));
    // A token is shown once.
    let fields = [("csrf", admin.csrf.as_str()), ("name", "laptop"), ("scope", "read"), ("expires", "9")];
    let html = admin.post("/settings/tokens", &fields).await.text().await.unwrap();
    let token = format!("rw_{}", between(&html, ">rw_", "<"));
    assert!(token.len() > 20 && !admin.page("/settings").await.contains(&token));
    let asked = house
        .http
        .get(format!("{}/api/v1/user", house.url))
        .header("authorization", format!("token {token}"));
    assert_eq!(asked.send().await.unwrap().status(), 200);
    // Accounts.
    let to = admin.sent("/admin/users", &[("name", "dora"), ("password", "tin-roof-42-geese")]).await;
    assert_eq!(to, "/admin");
    let dora = Browser::sign_in(&house, "dora", "tin-roof-42-geese").await;
    admin.sent("/admin/users/dora", &[("disabled", "true")]).await;
    assert_eq!(dora.status("/settings").await, 303, "a disabled account's session has ended");
    let own = admin.post("/admin/users/admin", &[("csrf", &admin.csrf), ("admin", "false")]).await;
    assert_eq!(own.status(), 409, "nobody takes their own rights away");
    // Deleting wants the name, and says what it did once.
    admin.sent("/new", &[("name", "gone")]).await;
    let wrong = admin.post("/admin/gone/delete", &[("csrf", &admin.csrf), ("name", "gone")]).await;
    assert_eq!(wrong.status(), 422);
    let done = admin.post("/admin/gone/delete", &[("csrf", &admin.csrf), ("name", "admin/gone")]).await;
    assert_eq!(done.status(), 303);
    let notice = cookies(&done).join("; ");
    let shown =
        house.http.get(format!("{}/", house.url)).header("cookie", format!("{}; {notice}", admin.cookie));
    let shown = shown.send().await.unwrap();
    assert!(cookies(&shown).iter().any(|cookie| cookie == "ropewalk_notice="), "it is spent");
    assert!(shown.text().await.unwrap().contains("admin/gone is deleted."));
    assert_eq!(admin.status("/admin/gone").await, 404);
    // Nobody is sent to another site.
    let away =
        admin.post("/theme", &[("csrf", &admin.csrf), ("theme", "dark"), ("next", "//evil.example")]).await;
    assert_eq!(away.headers()["location"], "/");
    house.stop().await;
}

/// What a run pushed leads back to it, however it is asked for; and what did not come from here is said so.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_pasted_leads_to_the_run_or_to_the_reason() {
    let house = House::start().await;
    hostile_repository(&house).await;
    let admin = Browser::sign_in(&house, "admin", PASSWORD).await;
    let digest = format!("sha256:{}", "5".repeat(64));
    let run = house.find_run("admin/hostile", "default", 1).unwrap();
    let image = ropewalk::model::RunImage {
        run_id: run.id,
        stage: 0,
        repository: "hostile/api".into(),
        tag: "v3-build-1".into(),
        digest: digest.parse().unwrap(),
        size: 7,
        labels: [("note".to_owned(), HOSTILE.to_owned())].into(),
        pushed_at: "2026-01-01T00:00:00Z".parse().unwrap(),
    };
    house.app.store.write(move |c| ropewalk::store::images::record(c, &image)).await.unwrap();
    let commit = run.commit.short();
    for question in [
        digest.clone(),
        format!("registry.local:5000/hostile/api@{digest}"),
        "registry.local:5000/hostile/api:v3-build-1".to_owned(),
        "hostile/api:v3-build-1".to_owned(),
        "ropewalk-admin-hostile-default-1".to_owned(),
        "build_tag=ropewalk-admin-hostile-default-1,version=3".to_owned(),
        format!("{{\"org.opencontainers.image.revision\":\"{}\"}}", run.commit),
        format!("[{{\"Id\":\"x\",\"RepoDigests\":[\"registry.local:5000/hostile/api@{digest}\"]}}]"),
        run.commit.to_string(),
    ] {
        let answer = admin.post("/trace", &[("csrf", &admin.csrf), ("q", &question)]).await;
        assert_eq!(answer.status(), 200, "{question}");
        let html = answer.text().await.unwrap();
        check_page("/trace", "en", &html);
        let found = html.contains("hostile/api:v3-build-1</a>")
            && html.contains(commit)
            && html.contains("default #1");
        assert!(found, "{question}: {html}");
    }
    for (question, reason) in [
        (
            "sha256:0000000000000000000000000000000000000000000000000000000000000000",
            "No run of this server pushed",
        ),
        ("docker.example/hostile/api:v3", "is in the registry docker.example"),
        ("ropewalk-admin-hostile-default-99", "there is no such run"),
        ("version=3.0", "names neither a run of this server"),
        ("no-such-container", "neither a running container"),
        (HOSTILE, "neither a running container"),
    ] {
        let html = admin.page(&format!("/trace?q={}", encoded(question))).await;
        assert!(html.contains("Nothing was found") && html.contains(reason), "{question}: {html}");
    }
    let page = admin.page(&format!("/registry/images/{digest}")).await;
    check_page("/registry/images", "en", &page);
    assert!(page.contains("hostile/api") && page.contains(commit));
    house.stop().await;
}
