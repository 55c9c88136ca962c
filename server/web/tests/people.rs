//! Who comes in, with what, from where; and how refusals look.

use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::kit::{House, PASSWORD, SCRIPTS, answer, nothing_to_do};
use crate::model::Status;
use crate::store::runs;

#[actix_web::test]
async fn tokens_do_what_their_scope_says_and_guessing_ends() {
    let house = House::new().await;
    let (_, read) =
        house.post("/api/v1/users/minsu/tokens", "minsu", json!({"name": "r", "scope": "read"})).await;
    let (_, write) = house.post("/api/v1/users/minsu/tokens", "minsu", json!({"name": "w"})).await;
    let token = |made: &Value| made["sha1"].as_str().unwrap().to_owned();
    let create = |header: String, name: &str| {
        let request = house.ask(Method::POST, "/api/v1/user/repos", "").header("authorization", header);
        answer(request.json(&json!({ "name": name })))
    };
    assert_eq!(create(format!("token {}", token(&read)), "a").await.0, StatusCode::FORBIDDEN);
    assert_eq!(create(format!("Bearer {}", token(&write)), "a").await.0, StatusCode::CREATED);
    let basic = house.ask(Method::GET, "/api/v1/user", "").basic_auth("x", Some(token(&read)));
    assert_eq!(answer(basic).await.1["username"], "minsu");
    let more = house.ask(Method::POST, "/api/v1/users/minsu/tokens", "").bearer_auth(token(&write));
    assert_eq!(answer(more.json(&json!({"name": "x", "scope": "admin"}))).await.0, StatusCode::FORBIDDEN);
    let gone = house.ask(Method::DELETE, &format!("/api/v1/users/minsu/tokens/{}", write["id"]), "minsu");
    assert_eq!(gone.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!(create(format!("token {}", token(&write)), "b").await.0, StatusCode::UNAUTHORIZED);
    let listed = house.get("/api/v1/users/minsu/tokens", "minsu").await.1;
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert!(!listed.to_string().contains(&token(&read)));

    for _ in 0..10 {
        let guess = house.ask(Method::GET, "/api/v1/user", "").basic_auth("jiwoo", Some("guess"));
        assert_eq!(guess.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    }
    let right = house.ask(Method::GET, "/api/v1/user", "jiwoo").send().await.unwrap();
    assert_eq!(right.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(right.headers().contains_key("retry-after"));
    let forwarded = house.ask(Method::GET, "/api/v1/user", "jiwoo").header("x-forwarded-for", "10.0.0.9");
    assert_eq!(forwarded.send().await.unwrap().status(), StatusCode::TOO_MANY_REQUESTS);
    let git = house.ask(Method::GET, "/jiwoo/x.git/info/refs?service=git-receive-pack", "jiwoo");
    assert_eq!(git.send().await.unwrap().status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(house.get("/api/v1/user", "minsu").await.0, StatusCode::OK, "others are not kept out");
    house.stop().await;
}

#[actix_web::test]
async fn a_new_password_or_a_closed_account_ends_everything_at_once() {
    let house = House::new().await;
    let (_, made) = house.post("/api/v1/users/jiwoo/tokens", "jiwoo", json!({"name": "t"})).await;
    let with_token = async || {
        let request = house.ask(Method::GET, "/api/v1/user", "").bearer_auth(made["sha1"].as_str().unwrap());
        answer(request).await.0.as_u16()
    };
    let change = async |body: Value| {
        answer(house.ask(Method::PATCH, "/api/v1/admin/users/jiwoo", "admin").json(&body)).await.0.as_u16()
    };
    // Checked once, so remembered; then changed.
    assert_eq!(house.get("/api/v1/user", "jiwoo").await.0, StatusCode::OK);
    assert_eq!(change(json!({"password": "another quiet kettle"})).await, 200);
    assert_eq!(house.get("/api/v1/user", "jiwoo").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(change(json!({"password": PASSWORD})).await, 200);
    assert_eq!((house.get("/api/v1/user", "jiwoo").await.0.as_u16(), with_token().await), (200, 200));
    assert_eq!(change(json!({"prohibit_login": true})).await, 200);
    assert_eq!((house.get("/api/v1/user", "jiwoo").await.0.as_u16(), with_token().await), (401, 401));
    assert_eq!(change(json!({"prohibit_login": false})).await, 200);
    assert_eq!(house.get("/api/v1/user", "jiwoo").await.0, StatusCode::OK);
    let own =
        house.ask(Method::PATCH, "/api/v1/admin/users/admin", "admin").json(&json!({"prohibit_login": true}));
    assert_eq!(answer(own).await.0, StatusCode::CONFLICT);
    house.stop().await;
}

#[actix_web::test]
async fn sessions_begin_anew_and_need_their_token() {
    let house = House::new().await;
    let sign_in = async |cookie: &str, password: &str, csrf: &str| {
        let form = form(&[("name", "minsu"), ("password", password), ("next", "/activity"), ("csrf", csrf)]);
        let request = house.ask(Method::POST, "/sign-in", "").header("cookie", cookie);
        request.header("content-type", "application/x-www-form-urlencoded").body(form).send().await.unwrap()
    };
    assert_eq!(sign_in("", "guess", "").await.status(), StatusCode::UNAUTHORIZED);
    let fixed = format!("ropewalk_session={}", "a".repeat(64));
    let answer = sign_in(&fixed, PASSWORD, "").await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["location"]),
        (303, &"/activity".parse().unwrap())
    );
    let set = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax") && !set.contains("Secure"), "{set}");
    let cookie = set.split(';').next().unwrap().to_owned();
    assert_ne!(cookie, fixed);
    let id = cookie.split('=').nth(1).unwrap();
    let database = std::fs::read(house.folder.path().join("ropewalk.db-wal")).unwrap();
    assert!(!database.windows(id.len()).any(|bytes| bytes == id.as_bytes()), "only a hash is kept");

    let with = |method: Method, path: &str| house.ask(method, path, "").header("cookie", &cookie);
    let page = with(Method::GET, "/").send().await.unwrap().text().await.unwrap();
    let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(csrf.len(), 64);
    let create = |name: &str| with(Method::POST, "/api/v1/user/repos").json(&json!({ "name": name }));
    assert_eq!(create("a").send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(create("a").header("x-csrf-token", "b".repeat(64)).send().await.unwrap().status(), 403);
    assert_eq!(create("a").header("x-csrf-token", &csrf).send().await.unwrap().status(), StatusCode::CREATED);
    let sign_out = |token: &str| {
        let request =
            with(Method::POST, "/sign-out").header("content-type", "application/x-www-form-urlencoded");
        request.body(form(&[("csrf", token)]))
    };
    assert_eq!(sign_out("").send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(with(Method::GET, "/api/v1/user").send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(sign_in(&cookie, PASSWORD, "").await.status(), 403, "nor may anybody sign others in");
    assert_eq!(sign_in(&cookie, PASSWORD, &csrf).await.status(), 303);
    assert_eq!(
        with(Method::GET, "/api/v1/user").send().await.unwrap().status(),
        401,
        "the session before has ended"
    );
    house.stop().await;
}

fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Every `(method, path)` of the OpenAPI document, with parameters filled in.
async fn routes(house: &House) -> Vec<(Method, String)> {
    let (status, document) = house.get("/api/v1/openapi.json", "").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(document["openapi"], "3.1.0");
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let mut address = path.clone();
        for (name, value) in [
            ("owner", "minsu"),
            ("repo", "numbers"),
            ("pipeline", "default"),
            ("number", "1"),
            ("stage", "0"),
            ("username", "minsu"),
            ("token", "1"),
            ("stream", "base"),
            ("tag", "1"),
            ("id", "1"),
            ("name", "a/b"),
            ("digest", &digest),
            ("event", "1"),
        ] {
            address = address.replace(&format!("{{{name}}}"), value);
        }
        assert!(!address.contains('{'), "{path}");
        for method in item.as_object().unwrap().keys().filter(|key| *key != "parameters") {
            all.push((method.to_uppercase().parse().unwrap(), address.clone()));
        }
    }
    assert!(all.len() > 25, "{all:?}");
    all
}

#[actix_web::test]
async fn nothing_changes_by_get_or_from_another_site() {
    let house = House::new().await;
    let work = house.work(SCRIPTS);
    let url = house.remote("minsu", "minsu/numbers.git");
    house.push_until_decided(&work, &["push", "-q", &url, "main"], nothing_to_do).await;
    house.post("/api/v1/repos/minsu/numbers/pipelines/default/runs", "minsu", json!({})).await;
    let id = house.door.store.read(|c| runs::by_id(c, 1)).unwrap().unwrap().id;
    house
        .door
        .store
        .write(move |c| runs::finish(c, id, Status::Failed, None, Timestamp::now()))
        .await
        .unwrap();
    let mut bell = house.door.store.bell();
    bell.borrow_and_update();
    for (method, path) in routes(&house).await {
        let safe = method == Method::GET;
        for (header, value) in
            [("origin", "http://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")]
        {
            let request =
                house.ask(method.clone(), &path, "admin").header(header, value).json(&json!({"name": "x"}));
            let status = request.send().await.unwrap().status();
            assert!(if safe { status != 403 } else { status == 403 }, "{method} {path} {header}: {status}");
        }
        if safe {
            for who in ["", "jiwoo", "admin"] {
                let response = house.ask(Method::GET, &path, who).send().await.unwrap();
                assert!(response.status() != 500, "{path} as {who}");
                for header in [
                    "content-security-policy",
                    "x-content-type-options",
                    "referrer-policy",
                    "cross-origin-opener-policy",
                ] {
                    assert!(response.headers().contains_key(header), "{path} has no {header}");
                }
            }
        }
    }
    assert!(!bell.has_changed().unwrap(), "something was written");
    house.stop().await;
}

#[actix_web::test]
async fn health_and_refusals_have_their_shapes() {
    let house = House::new().await;
    assert_eq!(house.get("/healthz", "").await.0, StatusCode::OK);
    let (status, health) = house.get("/health", "").await;
    assert_eq!((status, &health["status"]), (StatusCode::OK, &json!("degraded")));
    let (status, error) = house.get("/api/v1/nothing", "").await;
    assert_eq!((status, &error["error"]["code"]), (StatusCode::NOT_FOUND, &json!("api-not-found")));
    let korean = house.ask(Method::GET, "/api/v1/user", "").header("accept-language", "ko");
    assert!(answer(korean).await.1["error"]["message"].as_str().unwrap().contains("로그인"));
    let large =
        house.ask(Method::POST, "/api/v1/user/repos", "minsu").header("content-type", "application/json");
    let large = large.body("x".repeat(2 << 20)).send().await.unwrap();
    assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
    for (name, wanted) in [
        ("a/b", 422),
        ("..", 422),
        ("CON", 422),
        ("x.git", 422),
        ("ok\u{200c}", 422),
        ("", 422),
        ("good", 201),
    ] {
        assert_eq!(
            house.post("/api/v1/user/repos", "minsu", json!({"name": name})).await.0.as_u16(),
            wanted,
            "{name:?}"
        );
    }
    assert_eq!(
        house.post("/api/v1/user/repos", "minsu", json!({"name": "GOOD"})).await.0,
        StatusCode::CONFLICT
    );
    let mirror = |address: &str| {
        house.post(
            "/api/v1/repos/migrate",
            "minsu",
            json!({"clone_addr": address, "repo_name": "m", "auth_password": "hunter2-hunter2"}),
        )
    };
    for bad in [
        "ext::sh -c id",
        "file:///etc",
        "/data/x.git",
        "--upload-pack=x",
        "http://x/$(touch /tmp/p)",
        "ssh://x/y",
    ] {
        assert_eq!(mirror(bad).await.0.as_u16(), 422, "{bad}");
    }
    let (status, made) = mirror("https://git.example.org/a/b.git").await;
    assert_eq!((status, &made["mirror"]), (StatusCode::CREATED, &json!(true)), "{made}");
    assert!(!made.to_string().contains("hunter2"));
    let push = house
        .ask(Method::GET, "/minsu/m.git/info/refs?service=git-receive-pack", "minsu")
        .send()
        .await
        .unwrap();
    assert_eq!(push.status(), StatusCode::FORBIDDEN);
    let user = json!({"username": "sora", "password": "three quiet kettles", "email": "s@example.org"});
    assert_eq!(house.post("/api/v1/admin/users", "minsu", user.clone()).await.0, StatusCode::FORBIDDEN);
    assert_eq!(house.post("/api/v1/admin/users", "admin", user).await.0, StatusCode::CREATED);
    let weak = json!({"username": "weak", "password": "password1234"});
    assert_eq!(house.post("/api/v1/admin/users", "admin", weak).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    house.stop().await;
}
