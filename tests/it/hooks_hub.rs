//! Webhooks that are made at Docker Hub as well: against a listener that speaks like it.

use std::sync::{Arc, Mutex};

use ropewalk::model::Secret;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::kit::{House, PASSWORD};

const PLACE: &str = "/v2/repositories/team/app/webhook_pipeline/";

/// What the stand-in knows.
#[derive(Default)]
struct Known {
    /// Slug, name and the address that is called.
    webhooks: Vec<(String, String, String)>,
    broken: bool,
    made: usize,
}

struct Hub {
    url: String,
    known: Arc<Mutex<Known>>,
}

async fn hub() -> Hub {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let known = Arc::new(Mutex::new(Known::default()));
    let shared = known.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, shared.clone()));
        }
    });
    Hub { url, known }
}

async fn serve(mut stream: TcpStream, known: Arc<Mutex<Known>>) {
    let mut bytes = Vec::new();
    let (head, length) = loop {
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).await.unwrap();
        bytes.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let lower = head.to_lowercase();
            let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            let length: usize = length.unwrap_or(0);
            if body.len() >= length {
                break (head.to_owned(), length);
            }
        }
        if read == 0 {
            return;
        }
    };
    let body: Value = serde_json::from_slice(&bytes[bytes.len() - length..]).unwrap_or_default();
    let (status, answer) = reply(&head, &body, &mut known.lock().unwrap());
    let answer = answer.to_string();
    let text = format!(
        "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
        answer.len()
    );
    let _ = stream.write_all(text.as_bytes()).await;
}

fn reply(head: &str, body: &Value, known: &mut Known) -> (u16, Value) {
    let mut words = head.split_whitespace();
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let path = path.split('?').next().unwrap();
    if known.broken {
        return (503, json!({}));
    }
    if path == "/v2/users/login/" {
        let good = body == &json!({"username": "team", "password": "hub-password"});
        return if good { (200, json!({"token": "jwt-1"})) } else { (401, json!({"detail": "no"})) };
    }
    if !head.to_lowercase().contains("authorization: jwt jwt-1") {
        return (401, json!({}));
    }
    match (method, path.strip_prefix(PLACE)) {
        ("POST", Some("")) => {
            known.made += 1;
            let slug = format!("slug-{}", known.made);
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let hook = (slug.clone(), text(&body["name"]), text(&body["webhooks"][0]["hook_url"]));
            known.webhooks.push(hook);
            (201, json!({"slug": slug}))
        }
        ("GET", Some("")) => {
            let all = known.webhooks.iter().map(|(slug, name, _)| json!({"slug": slug, "name": name}));
            (200, json!({"results": all.collect::<Vec<_>>()}))
        }
        ("DELETE", Some(slug)) => {
            known.webhooks.retain(|(known, _, _)| *known != slug.trim_end_matches('/'));
            (204, json!(null))
        }
        _ => (404, json!({})),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_to_a_webhook_is_done_at_docker_hub_too_and_a_failure_loses_nothing() {
    let hub = hub().await;
    let house = House::start().await;
    let sealed = house.app.store.sealer().seal(&Secret::new("hub-password")).unwrap();
    let url = hub.url.clone();
    let insert = move |c: &ropewalk::store::Connection| {
        let sql = format!(
            "INSERT INTO endpoints (name, kind, url, host, user, secret, created_at, updated_at)
             VALUES ('hub', 'docker-hub', '{url}', 'docker.io', 'team', ?1, 0, 0)"
        );
        Ok(c.execute(&sql, [&sealed])?)
    };
    house.app.store.write(insert).await.unwrap();
    let of_hub = || hub.known.lock().unwrap().webhooks.clone();

    let new =
        json!({"name": "app", "endpoint": "hub", "serverType": "DockerHub", "image_pattern": "team/app"});
    let (status, made) = house.post("/api/v1/webhooks/docker", new).await;
    assert_eq!((status, &made["remote_error"]), (201, &Value::Null), "{made}");
    assert_eq!(made["remote_id"], "team/app#slug-1");
    let address = made["docker_hub_url"].as_str().unwrap().to_owned();
    assert_eq!(of_hub(), [("slug-1".to_owned(), "ropewalk-app".to_owned(), address)]);

    // A new token is a new address there, in place of the old one.
    let (_, rotated) = house.post("/api/v1/webhooks/docker/app/rotate", json!({})).await;
    let all = of_hub();
    assert_eq!((all.len(), all[0].2.as_str()), (1, rotated["docker_hub_url"].as_str().unwrap()));

    // What fails stays and says so; trying again mends it.
    hub.known.lock().unwrap().broken = true;
    let (status, changed) = house.patch("/api/v1/webhooks/docker/app", json!({"description": "x"})).await;
    assert_eq!((status, &changed["description"], &changed["remote_id"]), (200, &json!("x"), &Value::Null));
    assert!(changed["remote_error"].as_str().unwrap().contains("503"), "{changed}");
    let page = house.get("/webhooks/app").await.text().await.unwrap();
    assert!(page.contains("Try again") && page.contains("503"), "{page}");
    hub.known.lock().unwrap().broken = false;
    let (_, again) = house.post("/api/v1/webhooks/docker/app/mirror", json!({})).await;
    assert_eq!((of_hub().len(), &again["remote_error"]), (1, &Value::Null));

    // A pattern names no one repository; a wrong password is said as such.
    let (_, vague) = house.patch("/api/v1/webhooks/docker/app", json!({"image_pattern": "team/.*"})).await;
    assert!(vague["remote_error"].as_str().unwrap().contains("namespace/name"), "{vague}");
    assert_eq!(of_hub(), []);
    house.patch("/api/v1/webhooks/docker/app", json!({"image_pattern": "team/app"})).await;
    assert_eq!(of_hub().len(), 1);
    let wrong = house.app.store.sealer().seal(&Secret::new("other")).unwrap();
    let update =
        move |c: &ropewalk::store::Connection| Ok(c.execute("UPDATE endpoints SET secret = ?1", [&wrong])?);
    house.app.store.write(update).await.unwrap();
    let (_, refused) = house.post("/api/v1/webhooks/docker/app/mirror", json!({})).await;
    assert!(refused["remote_error"].as_str().unwrap().contains("password"), "{refused}");
    let right = house.app.store.sealer().seal(&Secret::new("hub-password")).unwrap();
    let update =
        move |c: &ropewalk::store::Connection| Ok(c.execute("UPDATE endpoints SET secret = ?1", [&right])?);
    house.app.store.write(update).await.unwrap();
    house.post("/api/v1/webhooks/docker/app/mirror", json!({})).await;

    let gone = house.http.delete(format!("{}/api/v1/webhooks/docker/app", house.url));
    assert_eq!(gone.basic_auth("admin", Some(PASSWORD)).send().await.unwrap().status(), 204);
    assert_eq!(of_hub(), []);
    house.stop().await;
}
