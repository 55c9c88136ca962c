//! What a run costs above its containers: T2, B1 and L1.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use serde_json::json;

use super::Bench;
use super::docker::{self, IMAGE, docker};
use super::git::Copy;
use super::measure::{self, in_millis, pairs, until};
use super::server::Server;

/// The engine finishes what a container leaves after its end has been told.
const SETTLE: Duration = Duration::from_millis(1500);

fn one_step(script: &str) -> String {
    format!("stages:\n  - name: Only\n    steps:\n      - run: {script}\n")
}

fn newest_run(server: &Server) -> i64 {
    let database = server.database();
    database.query_row("SELECT coalesce(max(id), 0) FROM runs", [], |row| row.get(0)).unwrap()
}

/// Waits for the end of a run; panics with its log unless it passed.
fn passed(server: &Server, run: i64) {
    let database = server.database();
    let mut look = database.prepare("SELECT status FROM runs WHERE id = ?1").unwrap();
    let status = until("the end of a run", Duration::from_millis(2), || {
        let status: Option<String> = look.query_row([run], |row| row.get(0)).ok();
        status.filter(|status| !["queued", "waiting", "running"].contains(&status.as_str()))
    });
    let log = |stage| fs::read_to_string(server.log_file(run, stage)).unwrap_or_default();
    assert_eq!(status, "passed", "{}", (0..4).map(log).collect::<String>());
}

/// T2. The peer: from the start of `docker run --rm` to the first line at its output, same image and script.
/// Ours: from the push's event in the journal (written before git's client hears of success) to the line in
/// the stage's log file. Container and network of ours are made in that time as the peer's are; only an
/// empty network is kept in stock.
pub fn first_line(bench: &mut Bench) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&bench.program, folder.path(), &[]);
    let copy = Copy::new();
    copy.write("ropewalk.yml", &one_step("echo the-first-line"));
    let ours = || {
        std::thread::sleep(SETTLE);
        let run = newest_run(&server) + 1;
        copy.commit("One more");
        let (log, remote) = (server.log_file(run, 0), server.remote("admin/first"));
        let seen = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                until("the first line", Duration::from_micros(300), || {
                    let text = fs::read_to_string(&log).unwrap_or_default();
                    text.contains("the-first-line").then(SystemTime::now)
                })
            });
            copy.push(&remote);
            waiting.join().unwrap()
        });
        passed(&server, run);
        let accepted: u64 = server
            .database()
            .query_row(
                "SELECT e.at FROM runs n JOIN events e ON e.id = n.event_id WHERE n.id = ?1",
                [run],
                |r| r.get(0),
            )
            .unwrap();
        let accepted = SystemTime::UNIX_EPOCH + Duration::from_millis(accepted);
        seen.duration_since(accepted).unwrap().as_secs_f64()
    };
    let peer = || {
        std::thread::sleep(SETTLE);
        docker::first_line("echo the-first-line")
    };
    ours();
    let measured = pairs(bench.pairs, peer, ours);
    bench.sheet.ratios("T2", &measure::ratios(&measured), 1.10, &in_millis(&measured));
}

/// B1. The peer: a shell loop over the sample's four scripts in a container of the step image that is already
/// running, with the same socket, hosts and workspace: the person's shell is open, nothing of its start is
/// counted. Ours: from the start of `git push` until the run is recorded as passed, so that push, checkout,
/// eight containers, logs and the questions to the registry are all added time. Both build with their own
/// build number, so both make new layers of labels and push new tags.
///
/// The note is the same against this machine's own shell and docker-compose, which is slower.
pub fn sample(bench: &mut Bench) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&bench.program, folder.path(), &[]);
    server.create_repository("numbers");
    let pipeline = json!({"name": "numbers", "path": "ch11/exercises/Jenkinsfile", "branches": []});
    server.post("/api/v1/repos/admin/numbers/pipelines", &pipeline);
    let copy = Copy::of_sample();
    let scripts = copy.path.join("ch11/exercises");
    let (mut host, mut inside) = (Hand::at_host(&scripts), Hand::in_step_image(&scripts));
    let ours = || {
        std::thread::sleep(SETTLE);
        let run = newest_run(&server) + 1;
        copy.commit("One more");
        let begun = Instant::now();
        copy.push(&server.remote("admin/numbers"));
        passed(&server, run);
        begun.elapsed().as_secs_f64()
    };
    let rested = |hand: &mut Hand| {
        std::thread::sleep(SETTLE);
        hand.work()
    };
    rested(&mut host);
    rested(&mut inside);
    ours();
    let measured = pairs(bench.pairs, || rested(&mut inside), ours);
    let added: Vec<f64> = measured.iter().map(|(ours, peer)| (ours - peer) / 0.3).collect();
    bench.sheet.ratios("B1", &measure::ratios(&measured), 1.05, &in_millis(&measured));
    bench.sheet.ratios("B1-added", &added, 1.0, "of 300 ms");
    let at_host = pairs(bench.pairs, || rested(&mut host), ours);
    let ratio = measure::median(&measure::ratios(&at_host));
    bench.sheet.note("B1", &format!("{ratio:.2} of this machine's own shell ({})", in_millis(&at_host)));
}

/// A person at an open shell.
struct Hand {
    /// The container that the shell is in.
    container: Option<String>,
    shell: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    number: u32,
}

impl Hand {
    /// At this machine's shell.
    fn at_host(folder: &Path) -> Hand {
        let mut command = Command::new("/bin/sh");
        command.current_dir(folder).env("REGISTRY", "registry.local:5000");
        Hand::open(command, None)
    }

    /// In a container of the step image that is already running: nothing of its start is counted.
    fn in_step_image(folder: &Path) -> Hand {
        let folder = folder.to_str().unwrap();
        let container = docker(&[
            "run",
            "--rm",
            "-d",
            "--init",
            "--add-host",
            "registry.local:host-gateway",
            "-w",
            folder,
            "-v",
            "/var/run/docker.sock:/var/run/docker.sock",
            "-v",
            &format!("{folder}:{folder}"),
            IMAGE,
            "sleep",
            "86400",
        ]);
        let mut command = Command::new("docker");
        command.args(["exec", "-i", "-e", "REGISTRY=registry.local:5000", &container, "/bin/sh"]);
        Hand::open(command, Some(container))
    }

    fn open(mut command: Command, container: Option<String>) -> Hand {
        let mut shell = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (shell.stdin.take().unwrap(), BufReader::new(shell.stdout.take().unwrap()));
        Hand { container, shell, input, output, number: 0 }
    }

    fn work(&mut self) -> f64 {
        self.number += 1;
        // A number of this hand's own, so that no layer was built before.
        let number = format!("{}{}", std::process::id(), self.number);
        let begun = Instant::now();
        writeln!(
            self.input,
            "export BUILD_NUMBER={number} BUILD_TAG=hand-{number}; \
             bad=0; for s in ci/*.bat; do chmod +x $s; ./$s || {{ bad=1; break; }}; done 2>&1; echo end-of-work $bad"
        )
        .unwrap();
        let mut text = String::new();
        loop {
            let from = text.len();
            assert!(self.output.read_line(&mut text).unwrap() > 0, "the shell ended: {text}");
            if let Some(code) = text[from..].strip_prefix("end-of-work ") {
                let taken = begun.elapsed().as_secs_f64();
                assert_eq!(code.trim(), "0", "{text}");
                return taken;
            }
        }
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        let _ = self.shell.kill();
        let _ = self.shell.wait();
        if let Some(container) = &self.container {
            let _ = Command::new("docker").args(["rm", "-f", container]).stdout(Stdio::null()).status();
        }
    }
}

/// L1. Both sides from nothing to the end: `docker run` with its default json-file driver, output thrown away,
/// against the push's event until the run is recorded as passed and its log is durable. The note is the limit:
/// the same without any driver.
pub fn ingest(bench: &mut Bench) {
    const SCRIPT: &str = "yes 0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789 | head -c 300000000";
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&bench.program, folder.path(), &[]);
    let copy = Copy::new();
    copy.write("ropewalk.yml", &one_step(SCRIPT));
    let mut ours = || {
        std::thread::sleep(SETTLE);
        let run = newest_run(&server) + 1;
        copy.commit("One more");
        copy.push(&server.remote("admin/noise"));
        passed(&server, run);
        assert!(fs::metadata(server.log_file(run, 0)).unwrap().len() >= 300_000_000);
        fs::remove_file(server.log_file(run, 0)).unwrap();
        let span =
            "SELECT n.finished_at - e.at FROM runs n JOIN events e ON e.id = n.event_id WHERE n.id = ?1";
        let millis: i64 = server.database().query_row(span, [run], |row| row.get(0)).unwrap();
        millis as f64 / 1000.0
    };
    let peer = || {
        std::thread::sleep(SETTLE);
        docker::whole_run("json-file", SCRIPT)
    };
    ours();
    let measured = pairs(bench.pairs, peer, &mut ours);
    bench.sheet.ratios("L1", &measure::ratios(&measured), 0.35, &in_millis(&measured));
    let limit: Vec<f64> =
        pairs(3, || docker::whole_run("none", SCRIPT), ours).iter().map(|(a, b)| a / b).collect();
    bench.sheet.note("L1", &format!("{:.2} of docker run without a log driver", measure::median(&limit)));
}
