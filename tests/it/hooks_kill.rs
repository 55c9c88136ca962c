//! The real binary killed while deliveries arrive: what was answered 202 is there afterwards, and counts once.
//!
//! Forty kills in every run of the tests; `KILL_ROUNDS=500 cargo test --test it hooks_kill:: -- --nocapture` for more,
//! and `KILL_SEED` for the same places again.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ropewalk::model::Happened;
use ropewalk::store::events::{self, Filter};
use ropewalk::store::{Store, deliveries, repositories, runs};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::hooks::{envelope, event, push_image, repository};
use crate::kit::data::Data;
use crate::kit::server::Server;
use crate::kit::{Copy, PASSWORD};

/// Kills, unless `KILL_ROUNDS` says how many; and after so many everything that waits is handled.
const ROUNDS: usize = 40;
const SENDERS: usize = 4;
const LONGEST: Duration = Duration::from_millis(120);

/// Where to kill: the same places for the same seed, which a failure names.
struct Places {
    seed: u64,
    state: u64,
}

impl Places {
    fn new() -> Places {
        let given = std::env::var("KILL_SEED").ok().map(|text| text.parse().unwrap());
        let seed = given.unwrap_or_else(|| RandomState::new().build_hasher().finish());
        Places { seed, state: seed | 1 }
    }

    fn next(&mut self) -> Duration {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        LONGEST.mul_f64((self.state >> 11) as f64 / (1u64 << 53) as f64)
    }
}

/// What was answered 202.
#[derive(Clone, Default)]
struct Taken {
    ids: Arc<Mutex<BTreeSet<String>>>,
    count: watch::Sender<usize>,
}

/// Sends until the server is gone; every id that was answered 202 is noted.
async fn sender(server: String, token: String, (round, number): (usize, usize), taken: Taken) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for n in 0.. {
        let id = format!("round-{round}-sender-{number}-{n}");
        let body = envelope(&[event(&id, "push", &repository("kill"), "1")]);
        let request = http.post(format!("{server}/hooks/registry")).bearer_auth(&token).body(body);
        match request.send().await {
            Ok(answer) if answer.status() == 202 => {
                taken.ids.lock().unwrap().insert(id);
                taken.count.send_modify(|count| *count += 1);
            }
            Ok(answer) => panic!("{}", answer.status()),
            Err(_) => return,
        }
    }
}

/// Until every delivery is handled and every event decided.
fn settle(server: &Server, store: &Store) {
    server.until(|_| store.read(|c| deliveries::waiting(c, 0, 1)).unwrap().is_empty());
    server.until(|_| store.read(|c| events::undecided(c, 1)).unwrap().is_empty());
}

fn post(server: &Server, path: &str, body: &Value) {
    let credentials = format!("admin:{PASSWORD}");
    let address = format!("{}{path}", server.url());
    let mut command = crate::kit::server::curl();
    command.args(["-sSf", "--user", &credentials, "--json", &body.to_string(), &address]);
    assert!(command.output().unwrap().status.success(), "{path}");
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stdout, reason = "the figures, for those who ask for more kills")]
async fn every_202_is_kept_and_counts_once_whenever_the_server_dies() {
    push_image(&repository("kill"), "1", "kill").await;
    let data = Arc::new(Data::new());
    let mut server = Server::start(data.path());
    let copy = Copy::new();
    // Its runs fail before they start: what counts here is that there is one of each.
    copy.write("images.yml", "stages: 3\n").commit("A definition with a finding");
    copy.push(&server.remote("admin/images")).await;
    post(&server, "/api/v1/repos/admin/images/pipelines", &json!({"name": "on-image", "path": "images.yml"}));
    post(&server, "/api/v1/webhooks/docker", &json!({"name": "base", "pipeline": "admin/images/on-image"}));
    let token = server.api("/api/v1/webhooks/registry")["token"].as_str().unwrap().to_owned();

    let given = std::env::var("KILL_ROUNDS").ok().map(|text| text.parse().unwrap());
    let rounds = given.unwrap_or(ROUNDS);
    let mut places = Places::new();
    let taken = Taken::default();
    let mut answered = taken.count.subscribe();
    for round in 0..rounds {
        let mut senders = JoinSet::new();
        for number in 0..SENDERS {
            senders.spawn(sender(server.url(), token.clone(), (round, number), taken.clone()));
        }
        // From the first answer on: how long a start takes is the machine's business.
        answered.changed().await.unwrap();
        tokio::time::sleep(places.next()).await;
        server.kill();
        senders.join_all().await;
        answered.borrow_and_update();
        server = Server::start(data.path());
        if round % ROUNDS == ROUNDS - 1 {
            settle(&server, &Store::open(data.path()).unwrap());
        }
    }
    let what = format!("KILL_SEED={}", places.seed);
    let store = Store::open(data.path()).unwrap();
    settle(&server, &store);

    let all = store.read(|c| deliveries::page(c, None, None, u32::MAX)).unwrap();
    let mut kept = BTreeMap::new();
    for delivery in &all {
        let body: Value = serde_json::from_slice(&delivery.body).unwrap();
        let id = body["events"][0]["id"].as_str().unwrap().to_owned();
        assert!(kept.insert(id, delivery.id).is_none(), "{what}: kept twice");
    }
    let taken = taken.ids.lock().unwrap().clone();
    assert!(taken.len() > rounds, "{what}: only {} were taken", taken.len());
    let lost: Vec<_> = taken.iter().filter(|id| !kept.contains_key(*id)).collect();
    assert!(lost.is_empty(), "{what}: answered 202 and lost: {lost:?}");

    let kind = Filter { kind: Some("image-announced".into()), ..Filter::default() };
    let announced = store.read(|c| events::page(c, &kind, u32::MAX)).unwrap();
    let mut of_deliveries = BTreeMap::<i64, usize>::new();
    for event in &announced {
        let Happened::ImageAnnounced { delivery_id, .. } = &event.happened else { continue };
        *of_deliveries.entry(*delivery_id).or_default() += 1;
    }
    assert!(of_deliveries.values().all(|count| *count == 1), "{what}: {of_deliveries:?}");
    assert_eq!(of_deliveries.len(), kept.len(), "{what}: every delivery is announced once");
    let found = store.read(|c| {
        let repository = repositories::by_path(c, &"admin/images".parse()?)?.unwrap();
        runs::of_repository(c, repository.id, None, u32::MAX)
    });
    assert_eq!(found.unwrap().len(), 1, "{what}: it was one push, however often it was told of");
    println!(
        "{what}: {rounds} kills, {} answered 202, {} kept, each announced once",
        taken.len(),
        kept.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_is_in_a_log_that_says_everything() {
    let data = Data::new();
    let server = Server::with(data.path(), &[("log", "trace")]);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let own = server.api("/api/v1/webhooks/registry")["token"].as_str().unwrap().to_owned();
    post(
        &server,
        "/api/v1/webhooks/docker",
        &json!({"name": "base", "secret_token": "a-very-secret-token-1"}),
    );
    for (path, bearer, status) in [
        ("/pipelines/api/docker-hub-webhooks?secureToken=a-very-secret-token-1", "", 202),
        ("/pipelines/api/docker-hub-webhooks?secureToken=a-very-secret-token-2", "", 401),
        ("/hooks/registry", own.as_str(), 202),
        ("/hooks/registry", "a-very-secret-token-3", 401),
    ] {
        let request = http.post(format!("{}{path}", server.url())).bearer_auth(bearer).body("{}");
        assert_eq!(request.send().await.unwrap().status(), status, "{path}");
    }
    let handled = |all: &Value| all.as_array().unwrap().iter().all(|one| one["handled"] == true);
    let kept = server.api_until("/api/v1/deliveries", handled).to_string();
    let said = server.said();
    assert!(said.contains("wrong token"), "{said}");
    for text in [&said, &kept] {
        assert!(!text.contains("very-secret") && !text.contains(&own), "{text}");
    }
}
