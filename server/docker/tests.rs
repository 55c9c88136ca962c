//! The room against a real engine. Each test names a server of its own, so that they neither see nor remove each
//! other's things, and removes what it made.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use jiff::Timestamp;

use super::*;
use crate::model::{PipelineName, RepositoryPath, Secret};

const IMAGE: &str = "debian:trixie-slim";
const RUN: i64 = 7;

struct Bench {
    engine: Engine,
    place: Place,
    dir: tempfile::TempDir,
}

fn hosts() -> Vec<String> {
    vec!["registry.local:host-gateway".to_owned()]
}

impl Bench {
    fn new() -> Self {
        let server = format!("test-{}", Secret::random(6).unwrap().reveal());
        let engine = Engine::connect("unix:///var/run/docker.sock", &server).unwrap();
        let place = engine.place(&hosts());
        Bench { engine, place, dir: tempfile::tempdir().unwrap() }
    }

    fn spec(&self, script: &str) -> StepSpec {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.dir.path().join(format!("{}.sh", Secret::random(4).unwrap().reveal()));
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        StepSpec {
            labels: RunLabels {
                run: RUN,
                repository: RepositoryPath::new("admin", "numbers").unwrap(),
                pipeline: PipelineName::new("default").unwrap(),
                number: 12,
            },
            stage: 0,
            step: 0,
            image: IMAGE.to_owned(),
            image_id: None,
            tools: None,
            script: path,
            shell: Shell::of(script),
            directory: self.dir.path().to_owned(),
            create_directory: false,
            environment: vec![("GREETING".to_owned(), "a 'b' \"c\" $d".to_owned())],
            mounts: vec![Mount::same(self.dir.path())],
            docker_socket: None,
            limits: Limits::default(),
            user: None,
        }
    }

    async fn run(&self, spec: &StepSpec) -> (String, Result<Exit, EngineError>) {
        drain(self.prepare(spec).await.unwrap().release().await.unwrap()).await
    }

    async fn prepare(&self, spec: &StepSpec) -> Result<Prepared, EngineError> {
        self.engine.prepare(&self.place, spec).await
    }

    async fn clean(self) {
        self.engine.clean_up(RUN).await.unwrap();
        self.engine.places_forgotten();
        self.engine.clean_up_all_except(&|_| false).await.unwrap();
        let left = self.engine.clean_up_all_except(&|_| false).await.unwrap();
        assert_eq!(left, Removed::default());
    }
}

impl Engine {
    /// As after a crash: what is kept ready and what runs have counts as stray.
    fn places_forgotten(&self) {
        *self.0.places.lock().unwrap() = place::Places::default();
    }
}

async fn drain(mut running: Running) -> (String, Result<Exit, EngineError>) {
    let mut text = Vec::new();
    while let Some(output) = running.output().await {
        text.extend_from_slice(&output.bytes);
    }
    (String::from_utf8_lossy(&text).into_owned(), running.wait().await)
}

/// Reads until the text has come.
async fn until(running: &mut Running, text: &str) {
    let mut seen = String::new();
    while !seen.contains(text) {
        seen.push_str(&String::from_utf8_lossy(&running.output().await.unwrap().bytes));
    }
}

#[tokio::test]
async fn docker_a_step_waits_for_its_turn_and_reports_its_exit() {
    let bench = Bench::new();
    let spec = bench.spec("echo out; printf '%s|' \"$GREETING\"; echo err >&2; cat; pwd; env | grep -i -e tini -e word && exit 9; exit 3");
    let prepared = bench.prepare(&spec).await.unwrap();
    // What happens before its turn is there when it comes.
    std::fs::write(bench.dir.path().join("later"), "x").unwrap();
    let (text, exit) = drain(prepared.release().await.unwrap()).await;
    let exit = exit.unwrap();
    assert_eq!((exit.code, exit.signal, exit.out_of_memory), (3, None, false), "{text}");
    for part in ["+ echo out\n", "out\n", "a 'b' \"c\" $d|", "err\n", bench.dir.path().to_str().unwrap()] {
        assert!(text.contains(part), "{part:?} in {text:?}");
    }
    assert!(!text.contains('\u{1e}'));
    let (text, exit) = bench.run(&bench.spec("true")).await;
    assert_eq!((text.as_str(), exit.unwrap().code), ("+ true\n", 0));
    // A command's trace, what it prints and what it complains about come in the order of writing.
    let (text, exit) = bench.run(&bench.spec("for i in 1 2 3; do echo out $i; echo err $i >&2; done")).await;
    let lines: String =
        (1..4).map(|i| format!("+ echo out {i}\nout {i}\n+ echo err {i}\nerr {i}\n")).collect();
    assert_eq!((text, exit.unwrap().code), (lines, 0));
    bench.clean().await;
}

#[tokio::test]
async fn docker_scripts_directories_and_shells() {
    let bench = Bench::new();
    let (text, exit) =
        bench.run(&bench.spec("#!/bin/bash\necho ${BASH_VERSION:+bash}; false; echo on")).await;
    assert_eq!((text.as_str(), exit.unwrap().code), ("bash\non\n", 0));
    let (text, exit) = bench.run(&bench.spec("false; echo on")).await;
    assert_eq!((text.as_str(), exit.unwrap().code), ("+ false\n", 1));
    let sub = bench.dir.path().join("sub dir");
    let spec = StepSpec { directory: sub.clone(), ..bench.spec("pwd") };
    let (text, exit) = bench.run(&spec).await;
    assert_eq!(exit.unwrap().code, 1, "{text}");
    assert!(text.contains("sub dir") && !sub.exists());
    let (text, exit) = bench.run(&StepSpec { create_directory: true, ..spec }).await;
    assert_eq!((exit.unwrap().code, text.lines().last()), (0, sub.to_str()));
    bench.clean().await;
}

#[tokio::test]
async fn docker_what_cannot_start_says_why() {
    let bench = Bench::new();
    let missing = "registry.local:5000/no/such-image:1";
    let spec = StepSpec { image: missing.to_owned(), ..bench.spec("true") };
    let key = |error: EngineError| Error::from(error).message().unwrap().key.to_string();
    assert_eq!(key(bench.prepare(&spec).await.err().unwrap()), "docker-image-missing");
    let error = bench.engine.ensure_image(missing, &mut |_| {}).await.unwrap_err();
    assert!(error.to_string().contains("such-image"), "{error}");
    assert_eq!(key(error), "docker-image-missing");
    assert!(!bench.engine.ensure_image(IMAGE, &mut |_| {}).await.unwrap().id.is_empty());
    let spec = StepSpec { mounts: vec![Mount::same("/no/such/folder")], ..bench.spec("true") };
    let error = bench.prepare(&spec).await.err().unwrap();
    assert!(error.said().contains("/no/such/folder"), "{error}");
    // An image without a shell: the registry's is built from scratch here or there; ours has nothing at /bin/sh.
    let empty = bench.dir.path().join("no-shell");
    std::fs::write(&empty, "").unwrap();
    let hidden = Mount { source: empty, target: PathBuf::from("/bin/sh"), read_only: true };
    let mut spec = bench.spec("true");
    spec.mounts.push(hidden);
    let (_, exit) = bench.run(&spec).await;
    assert_eq!(key(exit.unwrap_err()), "docker-no-shell");
    bench.clean().await;
}

#[tokio::test]
async fn docker_a_step_that_ignores_sigterm_and_leaves_daemons_is_ended() {
    let bench = Bench::new();
    let spec = bench.spec("(setsid sh -c 'trap \"\" TERM; while :; do sleep 1; done' &) \ntrap '' TERM; echo up; while :; do sleep 1; done");
    let mut running = bench.prepare(&spec).await.unwrap().release().await.unwrap();
    until(&mut running, "up\n").await;
    let killer = running.killer();
    let ended = tokio::spawn(async move { killer.kill(Duration::from_secs(1)).await });
    let (_, exit) = drain(running).await;
    assert_eq!(exit.unwrap().signal, Some(9));
    ended.await.unwrap().unwrap();
    // One that listens is given its time.
    let spec = bench.spec("trap 'echo bye; exit 4' TERM; echo up; while :; do sleep 0.1; done");
    let mut running = bench.prepare(&spec).await.unwrap().release().await.unwrap();
    until(&mut running, "up\n").await;
    let killer = running.killer();
    let ended = tokio::spawn(async move { killer.kill(Duration::from_secs(60)).await });
    let (text, exit) = drain(running).await;
    assert!(text.contains("bye\n"), "{text}");
    assert_eq!(exit.unwrap().code, 4);
    ended.await.unwrap().unwrap();
    // A daemon that outlives its script neither holds up the step nor is heard of again.
    let (text, exit) =
        bench.run(&bench.spec("(setsid sh -c 'while :; do echo noise; sleep 0.01; done' &) ; exit 0")).await;
    assert_eq!(exit.unwrap().code, 0, "{text}");
    bench.clean().await;
}

#[tokio::test]
async fn docker_the_memory_limit_is_named() {
    let bench = Bench::new();
    let limits = Limits { memory: Some(32 << 20), ..Limits::default() };
    let spec = StepSpec { limits, ..bench.spec("#!/usr/bin/perl\nmy $x = 'a' x (512 << 20);") };
    let (text, exit) = bench.run(&spec).await;
    let exit = exit.unwrap();
    assert_eq!((exit.code, exit.signal, exit.out_of_memory), (137, Some(9), true), "{text}");
    assert_eq!(exit.message(Some(32 << 20)).unwrap().key, "docker-exit-memory");
    bench.clean().await;
}

#[tokio::test]
async fn docker_a_killed_container_is_not_a_success_and_an_unused_one_is_removed() {
    let bench = Bench::new();
    let mut running =
        bench.prepare(&bench.spec("echo up; sleep 100")).await.unwrap().release().await.unwrap();
    until(&mut running, "up\n").await;
    let client = bench.engine.client().await.unwrap();
    client
        .kill_container(running.id(), None::<bollard::query_parameters::KillContainerOptions>)
        .await
        .unwrap();
    let exit = drain(running).await.1.unwrap();
    assert_eq!((exit.code, exit.signal), (137, Some(9)));
    let prepared = bench.prepare(&bench.spec("echo never")).await.unwrap();
    let other = bench.prepare(&bench.spec("echo never")).await.unwrap();
    std::mem::forget(other);
    drop(prepared);
    assert!(bench.engine.clean_up(RUN).await.unwrap().containers >= 1);
    bench.clean().await;
}

#[tokio::test]
async fn docker_runs_keep_apart_and_networks_are_used_again() {
    let bench = Bench::new();
    let (engine, client) = (&bench.engine, bench.engine.client().await.unwrap());
    engine.warm_up("no/such-image", &hosts()).await.unwrap();
    engine.warm_up(IMAGE, &hosts()).await.unwrap();
    engine.close().await.unwrap();
    assert_eq!(engine.clean_up_all_except(&|_| false).await.unwrap(), Removed::default());
    engine.warm_up(IMAGE, &hosts()).await.unwrap();
    let (one, two) = (engine.place(&hosts()), engine.place(&hosts()));
    let of_one = one.holder(IMAGE).await.unwrap();
    let network = network_of(&client, &of_one).await;
    assert_ne!(network, network_of(&client, &two.holder(IMAGE).await.unwrap()).await);
    assert_eq!(one.clone().holder(IMAGE).await.unwrap(), of_one);
    // What is in use or kept ready is no stray.
    assert_eq!(engine.clean_up_all_except(&|_| false).await.unwrap(), Removed::default());
    drop(one);
    let spare = spare(engine).await;
    assert_ne!(spare, of_one, "a step may have written to the holder's hosts file");
    assert_eq!(network_of(&client, &spare).await, network);
    assert_eq!(engine.place(&hosts()).holder(IMAGE).await.unwrap(), spare);
    // Somebody prunes between two steps.
    let gone = bench.place.holder(IMAGE).await.unwrap();
    engine.remove_container(&gone).await.unwrap();
    let text = bench.run(&bench.spec("grep registry.local /etc/hosts; echo $HOSTNAME")).await.0;
    assert!(text.contains("\tregistry.local") && text.contains("default-12"), "{text}");
    assert_ne!(bench.place.holder(IMAGE).await.unwrap(), gone);
    engine.places_forgotten();
    let strays = engine.clean_up_all_except(&|_| false).await.unwrap();
    assert!(strays.networks >= 2 && strays.containers >= 2, "{strays:?}");
    bench.clean().await;
}

async fn network_of(client: &Docker, container: &str) -> String {
    let found =
        client.inspect_container(container, None::<bollard::query_parameters::InspectContainerOptions>);
    found.await.unwrap().host_config.unwrap().network_mode.unwrap()
}

/// The holder of the spare, when it has been made; a place is given back by a task of its own.
async fn spare(engine: &Engine) -> String {
    loop {
        if let Some(holder) = engine.spare_holder() {
            return holder;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn docker_only_other_runs_are_cleaned_up() {
    let bench = Bench::new();
    let prepared = bench.prepare(&bench.spec("echo still here")).await.unwrap();
    let mut other = bench.spec("true");
    other.labels.run = 8;
    std::mem::forget(bench.prepare(&other).await.unwrap());
    assert_eq!(bench.engine.clean_up_all_except(&|run| run == RUN).await.unwrap().containers, 1);
    let (text, exit) = drain(prepared.release().await.unwrap()).await;
    assert!(text.contains("still here"));
    assert_eq!(exit.unwrap().code, 0);
    bench.clean().await;
}

#[tokio::test]
async fn docker_workspaces_are_emptied_as_root() {
    let bench = Bench::new();
    let tree = bench.dir.path().join("w s");
    std::fs::create_dir_all(tree.join("a/b")).unwrap();
    for name in [".hidden", "..odd", "-x", "a/b/c"] {
        std::fs::write(tree.join(name), "x").unwrap();
    }
    bench.engine.empty(std::slice::from_ref(&tree), IMAGE).await.unwrap();
    assert_eq!(std::fs::read_dir(&tree).unwrap().count(), 0);
    bench.engine.remove_tree(&[tree.clone(), bench.dir.path().join("never")], IMAGE).await.unwrap();
    assert!(!tree.exists());
    bench.clean().await;
}

#[tokio::test]
async fn docker_what_is_pushed_and_what_runs_is_seen() {
    let bench = Bench::new();
    let since = Timestamp::now();
    let reference = format!("registry.local:5000/ropewalk-tests/docker-room:{}", bench.engine.0.server);
    let client = bench.engine.client().await.unwrap();
    let (repository, tag) = reference.rsplit_once(':').unwrap();
    let to = bollard::query_parameters::TagImageOptionsBuilder::new().repo(repository).tag(tag).build();
    client.tag_image(IMAGE, Some(to)).await.unwrap();
    let mut following = Box::pin(bench.engine.follow_pushes(since).await.unwrap());
    let options = bollard::query_parameters::PushImageOptionsBuilder::new().tag(tag).build();
    let mut push = Box::pin(client.push_image(repository, Some(options), None));
    while let Some(line) = push.next().await {
        line.unwrap();
    }
    while following.next().await.unwrap().unwrap() != reference {}
    assert!(bench.engine.recent_pushes(since, Timestamp::now()).await.unwrap().contains(&reference));
    let image = bench.engine.inspect_image(&reference).await.unwrap();
    assert!(image.tags.contains(&reference) && image.digests.iter().any(|d| d.starts_with(repository)));
    let spec = StepSpec { image: reference.clone(), ..bench.spec("true") };
    let prepared = bench.prepare(&spec).await.unwrap();
    let running = bench.engine.running_containers().await.unwrap();
    let ours =
        running.iter().find(|c| c.labels.get("ropewalk.server") == Some(&bench.engine.0.server)).unwrap();
    assert_eq!((&ours.image, &ours.image_id, ours.state.as_str()), (&reference, &image.id, "running"));
    assert_eq!(ours.labels["ropewalk.repository"], "admin/numbers");
    assert!(ours.digests.iter().any(|d| d.starts_with(repository)));
    drop(prepared);
    bench.engine.clean_up(RUN).await.unwrap();
    client
        .remove_image(&reference, None::<bollard::query_parameters::RemoveImageOptions>, None)
        .await
        .unwrap();
    bench.clean().await;
}

#[tokio::test]
async fn docker_an_absent_engine_is_named_and_gone() {
    let engine = Engine::connect("unix:///no/such.sock", "x").unwrap();
    assert!(matches!(engine.state().await, EngineState::Absent(_)));
    assert!(matches!(engine.running_containers().await, Err(EngineError::Gone(_))));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let engine = Engine::connect(&format!("unix://{}", path.display()), "x").unwrap();
    assert!(matches!(engine.state().await, EngineState::Silent(_)));
    drop(listener);
    assert!(matches!(engine.state().await, EngineState::Absent(_)));
    assert!(Bench::new().engine.state().await.is_ready());
    assert!(Engine::connect("ssh://x", "x").is_err() && Engine::connect("unix:///x", "a b").is_err());
}

/// Passes connections on to the engine until it is told to die.
fn relay(path: PathBuf) -> tokio::task::JoinHandle<()> {
    let listener = tokio::net::UnixListener::bind(path).unwrap();
    tokio::spawn(async move {
        let mut connections = tokio::task::JoinSet::new();
        while let Ok((mut near, _)) = listener.accept().await {
            connections.spawn(async move {
                let mut far = tokio::net::UnixStream::connect("/var/run/docker.sock").await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            });
        }
    })
}

#[tokio::test]
async fn docker_an_engine_that_goes_away_mid_step_leaves_the_outcome_unknown() {
    let mut bench = Bench::new();
    let sockets = tempfile::tempdir().unwrap();
    let path = sockets.path().join("s");
    let alive = relay(path.clone());
    let server = bench.engine.0.server.clone();
    bench.engine = Engine::connect(&format!("unix://{}", path.display()), &server).unwrap();
    bench.place = bench.engine.place(&hosts());
    let mut running =
        bench.prepare(&bench.spec("echo up; sleep 100")).await.unwrap().release().await.unwrap();
    until(&mut running, "up\n").await;
    alive.abort();
    let (_, exit) = drain(running).await;
    assert!(matches!(exit, Err(EngineError::Gone(_))), "{exit:?}");
    assert!(matches!(bench.engine.place(&[]).holder(IMAGE).await, Err(EngineError::Gone(_))));
    std::fs::remove_file(&path).unwrap();
    let _alive = relay(path);
    assert_eq!(bench.engine.clean_up(RUN).await.unwrap().containers, 1);
    bench.clean().await;
}

/// By hand: `cargo test --lib docker_times -- --ignored --nocapture`.
#[tokio::test]
#[ignore = "prints times for a person"]
async fn docker_times() {
    let bench = Bench::new();
    bench.engine.warm_up(IMAGE, &hosts()).await.unwrap();
    for _ in 0..5 {
        let at = Instant::now();
        let prepared = bench.prepare(&bench.spec("#!/bin/sh\necho hi")).await.unwrap();
        let prepare = at.elapsed();
        let at = Instant::now();
        let mut running = prepared.release().await.unwrap();
        until(&mut running, "hi").await;
        let first = at.elapsed();
        let exit = running.wait().await.unwrap();
        println!(
            "prepare {prepare:?} release->first byte {first:?} ->exit {:?} {exit:?}",
            at.elapsed() - first
        );
    }
    let spec = bench.spec("#!/bin/sh\nhead -c 1000000000 /dev/zero | tr '\\0' x");
    let mut running = bench.prepare(&spec).await.unwrap().release().await.unwrap();
    let (at, mut bytes, mut pieces) = (Instant::now(), 0u64, 0u64);
    while let Some(output) = running.output().await {
        bytes += output.bytes.len() as u64;
        pieces += 1;
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    println!("{bytes} bytes in {:?}, {pieces} pieces, {peak}, {:?}", at.elapsed(), running.wait().await);
    bench.clean().await;
}
