//! Endpoints, variables and tokens through the front door: secrets that never come out again, a registry with a
//! password and a certificate that changes, and hosts that are not contacted whatever anybody writes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use reqwest::Method;
use ropewalk::store::variables;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::kit::real_registry::RealRegistry;
use crate::kit::stand_in::{Reply, StandIn};
use crate::kit::{House, PASSWORD};

pub const SECRET: &str = "rope-walk-1";
/// Of the secret, for the user `ropemaker`.
const HTPASSWD: &str = "ropemaker:$2y$05$abcdefghijklmnopqrstuuaKBHc0nkyNTNupbSD03T5D9gI2B/TKy\n";

/// A registry with TLS, a certificate of its own, and a password.
pub fn registry_with_password() -> RealRegistry {
    let folder = tempfile::tempdir().unwrap();
    let mut openssl = Command::new("openssl");
    openssl.current_dir(folder.path()).args(["req", "-x509", "-newkey", "ec", "-pkeyopt"]);
    openssl.args(["ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-keyout", "key.pem", "-out"]);
    openssl.args(["cert.pem", "-subj", "/CN=registry.test", "-addext", "subjectAltName=IP:127.0.0.1"]);
    assert!(openssl.output().unwrap().status.success());
    std::fs::write(folder.path().join("htpasswd"), HTPASSWD).unwrap();
    let tls = ", tls: {certificate: 'ROOT/cert.pem', key: 'ROOT/key.pem'}";
    RealRegistry::start(folder, tls, "auth: {htpasswd: {realm: r, path: 'ROOT/htpasswd'}}")
}

/// One address that leads to this registry today and to that one tomorrow.
pub struct Turntable {
    pub address: SocketAddr,
    pub to: Arc<Mutex<u16>>,
    _serving: JoinSet<()>,
}

impl Turntable {
    pub async fn to(port: u16) -> Turntable {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, to) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(port)));
        let (target, mut serving) = (to.clone(), JoinSet::new());
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut from, _)) = listener.accept().await {
                let port = *target.lock().unwrap();
                connections.spawn(async move {
                    let mut to = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
                });
            }
        });
        Turntable { address, to, _serving: serving }
    }
}

async fn ask(house: &House, method: Method, path: &str, body: Value) -> (u16, Value) {
    let request =
        house.http.request(method, format!("{}{path}", house.url)).basic_auth("admin", Some(PASSWORD));
    let answer = request.json(&body).send().await.unwrap();
    let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
    assert!(!text.contains(SECRET), "{path} tells the secret: {text}");
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap_or_default()
}

/// Codes of the steps, with whether each went well.
fn steps(answer: &Value) -> Vec<(String, bool)> {
    let steps = answer["check"]["steps"].as_array().cloned().unwrap_or_default();
    steps
        .iter()
        .map(|step| (step["code"].as_str().unwrap().to_owned(), step["ok"].as_bool().unwrap()))
        .collect()
}

/// Whether a text stands in one of the files of a data directory.
fn is_written(data: &Path, text: &str) -> bool {
    ["ropewalk.db", "ropewalk.db-wal"].iter().any(|name| {
        let bytes = std::fs::read(data.join(name)).unwrap_or_default();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_is_added_looked_at_accepted_used_and_missed_when_it_changes() {
    let house = House::start().await;
    let (first, second) = (registry_with_password(), registry_with_password());
    let turntable = Turntable::to(first.port).await;
    let host = turntable.address.to_string();
    let new =
        json!({"name": "team", "url": format!("https://{host}"), "user": "ropemaker", "password": SECRET});
    let (status, made) = ask(&house, Method::POST, "/api/v1/endpoints", new.clone()).await;
    assert_eq!((status, made["host"].as_str()), (201, Some(host.as_str())), "{made}");
    assert_eq!((&made["authentication"], &made["check"]), (&json!("password"), &Value::Null));
    assert!(!is_written(house.data.path(), SECRET), "the password is sealed");
    assert_eq!(code(&ask(&house, Method::POST, "/api/v1/endpoints", new).await.1), "endpoints-name-taken");

    // Nobody believes the certificate yet.
    let validate = "/api/v1/endpoints/team/validate";
    let (_, seen) = ask(&house, Method::POST, validate, json!({})).await;
    assert!(steps(&seen).contains(&("registry-tls".to_owned(), false)), "{seen}");
    let certificate = "/api/v1/endpoints/team/certificate";
    let (_, shown) = ask(&house, Method::GET, certificate, json!({})).await;
    let fingerprint = shown["presented"][0]["fingerprint"].as_str().unwrap().to_owned();
    assert_eq!(shown["presented"][0]["subject"], "CN=registry.test");
    let wrong = json!({"fingerprint": fingerprint.replace('A', "B")});
    assert_eq!(code(&ask(&house, Method::POST, certificate, wrong).await.1), "endpoints-certificate-other");
    let right = json!({"fingerprint": fingerprint});
    let (status, accepted) = ask(&house, Method::POST, certificate, right).await;
    assert_eq!((status, &accepted["certificate_by"]), (200, &json!("admin")));
    let (_, seen) = ask(&house, Method::POST, validate, json!({})).await;
    assert_eq!(seen["check"]["ok"], true, "{seen}");
    assert_eq!(steps(&seen).last().unwrap().0, "endpoints-step-signed-in");

    // The loops have a client for it, without being asked and after a restart.
    let registries = house.app.registries.clone();
    let waiting = async {
        while registries.at(&host).is_none_or(|client| !client.address().starts_with("https")) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), waiting)
        .await
        .expect("a client for the endpoint");
    let data = house.stop().await;
    let house = House::on(data, &[]).await;
    let client = house.app.registries.at(&host).expect("known from the start");
    assert_eq!(client.all_repositories(10).await.unwrap().items, Vec::<String>::new());

    // Another certificate at the same address.
    *turntable.to.lock().unwrap() = second.port;
    let (_, seen) = ask(&house, Method::POST, validate, json!({})).await;
    assert!(steps(&seen).contains(&("endpoints-certificate-changed".to_owned(), false)), "{seen}");
    let (_, shown) = ask(&house, Method::GET, certificate, json!({})).await;
    assert_eq!(
        (shown["is_accepted"].as_bool(), shown["accepted"].as_array().unwrap().len()),
        (Some(false), 1)
    );

    // The password does not move to another host by itself.
    let moved = json!({"url": "https://10.0.0.1:5000"});
    assert_eq!(
        code(&ask(&house, Method::PATCH, "/api/v1/endpoints/team", moved).await.1),
        "endpoints-secret-again"
    );
    let renamed = json!({"name": "other", "description": "the team's"});
    let (status, renamed) = ask(&house, Method::PATCH, "/api/v1/endpoints/team", renamed).await;
    assert_eq!(
        (status, &renamed["name"], &renamed["certificate_by"]),
        (200, &json!("other"), &json!("admin"))
    );
    assert_eq!(ask(&house, Method::GET, "/api/v1/endpoints/team", json!({})).await.0, 404);
    assert_eq!(ask(&house, Method::DELETE, "/api/v1/endpoints/other", json!({})).await.0, 204);
    let gone = async {
        while house.app.registries.at(&host).is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), gone).await.expect("no client any more");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_inside_is_contacted() {
    let house = House::start().await;
    let inside = StandIn::start(|_, _| Reply::http("200 OK", "", b"{}")).await;
    let port = house.url.rsplit_once(':').unwrap().1;
    let add = async |url: &str| {
        let new = json!({"name": "inside", "url": url});
        ask(&house, Method::POST, "/api/v1/endpoints", new).await
    };
    for (url, sentence) in [
        (house.url.clone(), "endpoints-address-refused"),
        (format!("http://[::ffff:127.0.0.1]:{port}"), "endpoints-address-refused"),
        ("http://169.254.169.254".into(), "endpoints-address-refused"),
        ("http://0.0.0.0:5000".into(), "endpoints-address-refused"),
        ("http://[fe80::1]:5000".into(), "endpoints-address-refused"),
        (house.app.registry.address(), "endpoints-own-registry"),
        (format!("http://u:p@{}", inside.host), "registry-url-invalid"),
        (format!("http://{}/v2/", inside.host), "registry-url-invalid"),
        ("file:///etc/passwd".into(), "registry-url-invalid"),
    ] {
        let (status, answer) = add(&url).await;
        assert_eq!((status, code(&answer)), (422, sentence), "{url}");
    }
    // A name that leads here is found out when it is looked up.
    let (status, _) = add(&format!("http://localhost:{}", inside.host.rsplit_once(':').unwrap().1)).await;
    assert_eq!(status, 201);
    let (_, seen) = ask(&house, Method::POST, "/api/v1/endpoints/inside/validate", json!({})).await;
    assert_eq!(steps(&seen), [("endpoints-address-refused".to_owned(), false)]);
    assert_eq!(inside.asked.lock().unwrap().len(), 0);
    // An address that a person wrote is meant.
    let change = json!({"url": format!("http://{}", inside.host)});
    assert_eq!(ask(&house, Method::PATCH, "/api/v1/endpoints/inside", change).await.0, 200);
    let (_, seen) = ask(&house, Method::POST, "/api/v1/endpoints/inside/validate", json!({})).await;
    assert_eq!(seen["check"]["ok"], true, "{seen}");
    assert!(!inside.asked.lock().unwrap().is_empty());
    house.stop().await;
}

/// A browser of somebody who is signed in.
struct Visitor<'a> {
    house: &'a House,
    cookie: String,
    csrf: String,
}

impl<'a> Visitor<'a> {
    async fn sign_in(house: &'a House, name: &str, password: &str) -> Visitor<'a> {
        let form = BTreeMap::from([("name", name), ("password", password), ("next", "/"), ("csrf", "")]);
        let answer = house.http.post(format!("{}/sign-in", house.url)).form_of(&form).send().await.unwrap();
        assert_eq!(answer.status(), 303);
        let cookies = answer.headers().get_all("set-cookie").iter();
        let cookie =
            cookies.map(|c| c.to_str().unwrap().split(';').next().unwrap()).collect::<Vec<_>>().join("; ");
        let mut visitor = Visitor { house, cookie, csrf: String::new() };
        let page = visitor.page("/settings").await.1;
        visitor.csrf = page.split_once("name=\"csrf\" value=\"").unwrap().1[..64].to_owned();
        visitor
    }

    async fn page(&self, path: &str) -> (u16, String) {
        let request = self.house.http.get(format!("{}{path}", self.house.url)).header("cookie", &self.cookie);
        let answer = request.header("accept", "text/html").send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
        let mut form = BTreeMap::from([("csrf", self.csrf.as_str())]);
        form.extend(fields.iter().copied());
        let request =
            self.house.http.post(format!("{}{path}", self.house.url)).header("cookie", &self.cookie);
        let answer = request.form_of(&form).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.text().await.unwrap())
    }
}

trait FormOf {
    fn form_of(self, fields: &BTreeMap<&str, &str>) -> Self;
}

impl FormOf for reqwest::RequestBuilder {
    fn form_of(self, fields: &BTreeMap<&str, &str>) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.header("content-type", "application/x-www-form-urlencoded").body(body)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_see_endpoints_and_variables_and_administrators_change_them() {
    let house = House::start().await;
    let registry = StandIn::start(|_, _| Reply::http("200 OK", "", b"{}")).await;
    let admin = Visitor::sign_in(&house, "admin", PASSWORD).await;
    let (status, _) =
        admin.post("/admin/users", &[("name", "dora"), ("password", "tin-roof-42-geese")]).await;
    assert_eq!(status, 303);
    let dora = Visitor::sign_in(&house, "dora", "tin-roof-42-geese").await;

    let url = format!("http://{}", registry.host);
    let form = [
        ("name", "team"),
        ("kind", "distribution"),
        ("url", &url),
        ("auth", "password"),
        ("user", "ropemaker"),
        ("secret", SECRET),
    ];
    assert_eq!(
        admin.post("/endpoints", &[&form[..], &[("csrf", "0")]].concat()).await.0,
        403,
        "another site's form"
    );
    assert_eq!(dora.post("/endpoints", &form).await.0, 403);
    let wrong = admin.post("/endpoints", &[&form[..], &[("url", "gopher://x")]].concat()).await;
    assert!(wrong.0 == 422 && wrong.1.contains("value=\"ropemaker\"") && !wrong.1.contains(SECRET));
    assert_eq!(admin.post("/endpoints", &form).await.0, 303);
    assert_eq!(admin.post("/endpoints/team/validate", &[]).await.0, 303);
    let shown = admin.page("/endpoints/team").await.1;
    assert!(shown.contains("without asking for the user name") && shown.contains("ropemaker"), "{shown}");
    assert!(!shown.contains(SECRET) && !admin.page("/endpoints/team/edit").await.1.contains(SECRET));
    // An empty field keeps the secret.
    let kept = [
        ("name", "team"),
        ("kind", "distribution"),
        ("url", &url),
        ("auth", "password"),
        ("user", "ropemaker"),
    ];
    assert_eq!(admin.post("/endpoints/team", &kept).await.0, 303);
    let found = house.app.store.read(|c| ropewalk::store::endpoints::by_name(c, "team")).unwrap().unwrap();
    assert!(found.given.sealed.is_some() && found.checked.is_none());

    let seen = dora.page("/endpoints/team").await;
    assert!(seen.0 == 200 && !seen.1.contains("ropemaker") && !seen.1.contains("/validate"));
    for path in [
        "/endpoints/team",
        "/endpoints/team/validate",
        "/endpoints/team/delete",
        "/endpoints/team/certificate",
    ] {
        let fields = [&kept[..], &[("fingerprint", "AB")]].concat();
        assert_eq!(dora.post(path, &fields).await.0, 403, "{path}");
    }
    for path in ["/endpoints/new", "/endpoints/team/edit", "/endpoints/team/certificate"] {
        assert_eq!(dora.page(path).await.0, 403, "{path}");
    }
    assert_eq!(house.http.get(format!("{}/api/v1/endpoints", house.url)).send().await.unwrap().status(), 401);
    assert_eq!(admin.post("/endpoints/team/delete", &[]).await.0, 303);
    assert_eq!(admin.page("/endpoints/team").await.0, 404);

    // Variables.
    let (status, _) = admin
        .post("/settings/variables", &[("name", "DEPLOY_KEY"), ("value", SECRET), ("secret", "true")])
        .await;
    assert_eq!(status, 303);
    assert_eq!(admin.post("/settings/variables", &[("name", "1X"), ("value", "x")]).await.0, 422);
    let (status, made) =
        ask(&house, Method::POST, "/api/v1/variables", json!({"name": "REGION", "value": "north"})).await;
    assert_eq!((status, &made["value"]), (201, &json!("north")));
    let (_, secret) = ask(&house, Method::GET, "/api/v1/variables/DEPLOY_KEY", json!({})).await;
    assert_eq!((&secret["secret"], &secret["value"]), (&json!(true), &Value::Null));
    let bared =
        ask(&house, Method::PATCH, "/api/v1/variables/DEPLOY_KEY", json!({"secret": false, "value": "x"}))
            .await;
    assert_eq!(code(&bared.1), "variables-stays-secret");
    assert!(
        !admin.page("/settings/variables").await.1.contains(SECRET) && !is_written(house.data.path(), SECRET)
    );
    assert_eq!(dora.post("/settings/variables/REGION", &[("value", "south")]).await.0, 403);
    assert_eq!(dora.post("/settings/variables/REGION/delete", &[]).await.0, 403);
    assert_eq!(admin.post("/settings/variables/REGION", &[("value", "south")]).await.0, 303);
    let store = &house.app.store;
    let open = |name: &str| store.read(|c| variables::for_run(c, store.sealer(), name)).unwrap();
    assert!(matches!(open("REGION"), Some(variables::Opened::Regular(value)) if value == "south"));
    assert!(
        matches!(open("DEPLOY_KEY"), Some(variables::Opened::Secret(secret)) if secret.reveal() == SECRET)
    );
    assert_eq!(ask(&house, Method::DELETE, "/api/v1/variables/REGION", json!({})).await.0, 204);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_lasts_half_a_year_and_a_renewed_one_replaces_it() {
    let house = House::start().await;
    let tokens = "/api/v1/users/admin/tokens";
    let (status, made) = house.post(tokens, json!({"name": "laptop", "scope": "write"})).await;
    assert_eq!(status, 201, "{made}");
    let time = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let lasts = |made: &Value| time(&made["expires_at"]).duration_since(time(&made["created_at"])).as_hours();
    assert!((lasts(&made) - 183 * 24).abs() <= 1, "{made}");
    let (_, endless) = house.post(tokens, json!({"name": "clock", "expires_in_days": 0})).await;
    assert_eq!(endless["expires_at"], Value::Null);
    let user = async |token: &Value| {
        let token = format!("token {}", token["sha1"].as_str().unwrap());
        let asked = house.http.get(format!("{}/api/v1/user", house.url)).header("authorization", token);
        asked.send().await.unwrap().status().as_u16()
    };
    assert_eq!(user(&made).await, 200);
    let (status, renewed) = house.post(&format!("{tokens}/laptop/rotate"), json!({})).await;
    assert_eq!((status, &renewed["id"], &renewed["scope"]), (200, &made["id"], &json!("write")), "{renewed}");
    assert!((lasts(&renewed) - 183 * 24).abs() <= 1);
    assert_eq!((user(&made).await, user(&renewed).await), (401, 200), "the old one is dead at once");
    // A token that is no administrator's does not renew itself.
    let itself = house.http.post(format!("{}{tokens}/laptop/rotate", house.url));
    let itself = itself.header("authorization", format!("token {}", renewed["sha1"].as_str().unwrap()));
    assert_eq!(itself.send().await.unwrap().status(), 403);

    let admin = Visitor::sign_in(&house, "admin", PASSWORD).await;
    let page = admin.post(&format!("/settings/tokens/{}/rotate", made["id"]), &[]).await.1;
    assert!(page.contains(">rw_") && page.contains("value=\"183\""));
    assert_eq!(user(&renewed).await, 401);
    house.stop().await;
}
