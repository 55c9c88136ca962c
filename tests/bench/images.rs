//! Images that move: a copy within a registry (R2), and a push that starts what depends on it (R5).

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::Bench;
use super::docker::docker;
use super::git::Copy;
use super::http::Connection;
use super::measure::{at_share, in_millis, median, ratios, timed, until};
use super::registry::{Registry, notification};
use super::server::Server;

const LAYERS: usize = 5;
const LAYER: usize = 14 * 1024 * 1024;
const PUSHES: usize = 300;

/// R2. An image of five layers, 70 MiB packed, is brought to a repository that never held it, in the registry where
/// another repository has all of it; each pair has an image of its own, which nobody has copied before. Ours: from
/// the request that makes an image stream's tag of the kind Local until the import with its copy is on record, so two
/// durable writes are in it. The peers begin and end as processes: `docker push` of an image that the engine itself
/// pushed to the first repository, and `skopeo copy` from the one to the other. skopeo remembers what it has
/// copied and takes over what it knows; the note has its second copy of the same image. All of them go by the
/// port that the engine has published.
pub fn copied(bench: &mut Bench) {
    let registry = Registry::start();
    let folder = tempfile::tempdir().unwrap();
    let address = format!("http://{}", registry.published);
    let server = Server::start(&bench.program, folder.path(), &["--registry", &address]);
    let has_skopeo = there("skopeo");
    let (mut by_docker, mut by_skopeo, mut again) = (Vec::new(), Vec::new(), Vec::new());
    // One more for warming up.
    for turn in 0..=bench.pairs {
        let source = format!("{}/bench/source:{turn}", registry.published);
        build(&source);
        docker(&["push", "-q", &source]);
        let target = |who: &str| format!("{}/bench/{who}-{turn}:1", registry.published);
        let mut taken = [0.0; 3];
        // Who goes first changes.
        for who in 0..3 {
            match (who + turn) % 3 {
                0 => taken[0] = local_copy(&server, &registry, &source, turn),
                1 => taken[1] = push(&source, &target("pushed")),
                _ if has_skopeo => taken[2] = skopeo(&source, &target("skopeo")),
                _ => {}
            }
        }
        if turn > 0 {
            by_docker.push((taken[0], taken[1]));
            by_skopeo.push((taken[0], taken[2]));
            again.extend(has_skopeo.then(|| skopeo(&source, &target("again"))));
        }
        docker(&["rmi", &source]);
    }
    bench.sheet.ratios("R2-docker", &ratios(&by_docker), 1.0, &in_millis(&by_docker));
    if has_skopeo {
        bench.sheet.ratios("R2-skopeo", &ratios(&by_skopeo), 0.2, &in_millis(&by_skopeo));
        bench.sheet.note("R2", &format!("skopeo a second time: {:.1} ms", median(&again) * 1000.0));
    } else {
        bench.sheet.unjudged("R2-skopeo", "skopeo is not installed");
    }
}

fn local_copy(server: &Server, registry: &Registry, source: &str, turn: usize) -> f64 {
    let database = server.database();
    let mut look = database.prepare("SELECT count(*) FROM stream_items WHERE reference LIKE ?1").unwrap();
    let wanted = format!("{}/admin/copy-{turn}@%", registry.published);
    let form = json!({"image": source, "follow": true, "local": true});
    let begun = Instant::now();
    server.post(&format!("/api/v1/image-streams/admin/copy-{turn}/tags/1"), &form);
    until("the copy", Duration::from_micros(200), || {
        let there: i64 = look.query_row([&wanted], |row| row.get(0)).unwrap();
        (there > 0).then_some(())
    });
    let taken = begun.elapsed().as_secs_f64();
    let head = registry.head(&format!("admin/copy-{turn}"), "1");
    assert_eq!(registry.connect().ask(&head).unwrap().0, 200, "the copy is at the registry");
    taken
}

fn push(source: &str, target: &str) -> f64 {
    docker(&["tag", source, target]);
    let taken = timed(|| docker(&["push", "-q", target])).1;
    docker(&["rmi", target]);
    taken
}

pub fn there(program: &str) -> bool {
    let version = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

fn build(name: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut random = fs::File::open("/dev/urandom").unwrap();
    let mut recipe = String::from("FROM scratch\n");
    for n in 0..LAYERS {
        let file = fs::File::create(folder.path().join(n.to_string())).unwrap();
        std::io::copy(&mut std::io::Read::take(&mut random, LAYER as u64), &mut &file).unwrap();
        recipe.push_str(&format!("COPY {n} /{n}\n"));
    }
    fs::write(folder.path().join("Dockerfile"), recipe).unwrap();
    docker(&["build", "-q", "-t", name, folder.path().to_str().unwrap()]);
}

fn skopeo(from: &str, to: &str) -> f64 {
    let mut command = Command::new("skopeo");
    command.args(["--insecure-policy", "copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false"]);
    command.args([format!("docker://{from}"), format!("docker://{to}")]);
    let (output, taken) = timed(|| command.output().unwrap());
    assert!(output.status.success(), "skopeo: {}", String::from_utf8_lossy(&output.stderr));
    taken
}

/// R5. From the moment a registry's notification is sent until the run that its image starts is a row: the delivery is
/// made durable, the registry asked, the stream's tag moved, the pipeline's definition read, and what it stands on
/// looked up. The image is pushed before, and the runs queue up behind one that sleeps. p99 of 300, against 100 ms.
pub fn announced(bench: &mut Bench) {
    let registry = Registry::start();
    let mut connection = registry.connect();
    let mut push = |mark: &str| {
        let manifest = registry.image(&mut connection, "bench/base", mark);
        registry.put(&mut connection, ("bench/base", "1"), &manifest);
    };
    push("first");
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--registry", &registry.address(), "--jobs", "1", "--poll-seconds", "3600"];
    let server = Server::start(&bench.program, folder.path(), &flags);
    let copy = Copy::new();
    copy.write("ropewalk.yml", "stages:\n  - name: Only\n    steps:\n      - run: sleep 3600\n");
    copy.commit("One");
    copy.push(&server.remote("admin/app"));
    let database = server.database();
    let mut count = database.prepare("SELECT count(*) FROM runs").unwrap();
    let mut runs = || -> i64 { count.query_row([], |row| row.get(0)).unwrap() };
    until("the first run", Duration::from_millis(5), || (runs() == 1).then_some(()));
    let source = format!("{}/bench/base:1", registry.host);
    server.post("/api/v1/image-streams/admin/base/tags/1", &json!({"image": source, "follow": true}));
    let moved = "SELECT count(*) FROM stream_items";
    until("the import", Duration::from_millis(5), || {
        (database.query_row(moved, [], |row| row.get::<_, i64>(0)).unwrap() > 0).then_some(())
    });
    server.post("/api/v1/repos/admin/app/pipelines/default/triggers", &json!({"from": "admin/base:1"}));
    until("the second run", Duration::from_millis(5), || (runs() == 2).then_some(()));
    let token = server.registry_token();
    let mut sender = Connection::open(server.port).unwrap();
    let mut one = |n: usize| {
        push(&format!("push {n}"));
        let before = runs();
        let body = notification(&format!("r5-{n}"), "bench/base", "1").to_string();
        let request = super::hooks::delivery(&token, &body);
        let begun = Instant::now();
        assert_eq!(sender.ask(&request).unwrap().0, 202);
        until("the run", Duration::from_micros(200), || (runs() > before).then_some(()));
        begun.elapsed().as_secs_f64()
    };
    let taken: Vec<f64> = (0..PUSHES).map(&mut one).collect();
    let note = format!("p99 of 100 ms; median {:.1} ms", median(&taken) * 1000.0);
    bench.sheet.ratios("R5", &[at_share(&taken, 0.99) / 0.1], 1.0, &note);
    // The first one last, or the next would begin; and nothing of them stays at the engine.
    for number in (1..=runs()).rev() {
        server.post(&format!("/api/v1/repos/admin/app/pipelines/default/runs/{number}/cancel"), &json!({}));
    }
    let open = "SELECT count(*) FROM runs WHERE status IN ('queued', 'waiting', 'running')";
    until("the end of the runs", Duration::from_millis(20), || {
        (database.query_row(open, [], |row| row.get::<_, i64>(0)).unwrap() == 0).then_some(())
    });
}
