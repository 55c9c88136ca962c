//! Deliveries: how many are taken durably (W1), that none is lost (W2), and finding the triggers they concern (W3).

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::Bench;
use super::docker::clear;
use super::http::Connection;
use super::images::there;
use super::measure::{at_share, median, pairs, timed, until};
use super::registry::{Registry, notification};
use super::server::{AUTHORIZATION, Server};

const SENDERS: usize = 32;
const LENGTH: Duration = Duration::from_secs(3);
/// Rows that the peer writes, each in a transaction of its own.
const ROWS: usize = 3000;
const TRIGGERS: usize = 2000;
const IMAGES: usize = 600;
/// Takes the place of a delivery's id: as long as one.
const MARK: &str = "00000000-0000-0000-0000-000000000000";

/// The request by which a registry delivers `body`.
pub fn delivery(token: &str, body: &str) -> Vec<u8> {
    format!(
        "POST /hooks/registry HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Go-http-client/1.1\r\n\
         Authorization: Bearer {token}\r\nContent-Type: application/vnd.docker.distribution.events.v1+json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// What was answered 202: by sender, when it was, and how long it took.
struct Taken {
    sender: usize,
    number: usize,
    at: Instant,
    seconds: f64,
}

fn id(sender: usize, number: usize) -> String {
    format!("{sender:08x}-{number:027x}")
}

/// `SENDERS` connections deliver without pause until `ends`, or until the server is gone. `count` is what was taken so far.
fn storm((port, token): (u16, &str), ends: Option<Instant>, count: &AtomicUsize) -> Vec<Taken> {
    let body = notification(MARK, "bench/stormy", "1").to_string();
    let template = delivery(token, &body);
    let place = template.windows(MARK.len()).position(|part| part == MARK.as_bytes()).unwrap();
    let one = |sender: usize| {
        let mut request = template.clone();
        let mut connection = Connection::open(port).unwrap();
        let mut taken = Vec::new();
        for number in 0.. {
            if ends.is_some_and(|ends| Instant::now() >= ends) {
                break;
            }
            request[place..place + MARK.len()].copy_from_slice(id(sender, number).as_bytes());
            let begun = Instant::now();
            match connection.ask_bare(&request) {
                Ok(status) => assert_eq!(status, 202),
                // Killed: whatever is not answered may be lost.
                Err(_) if ends.is_none() => break,
                Err(error) => panic!("a delivery: {error}"),
            }
            let at = Instant::now();
            count.fetch_add(1, Ordering::Relaxed);
            taken.push(Taken { sender, number, at, seconds: (at - begun).as_secs_f64() });
        }
        taken
    };
    std::thread::scope(|scope| {
        let one = &one;
        let all: Vec<_> = (0..SENDERS).map(|sender| scope.spawn(move || one(sender))).collect();
        all.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

/// W1. Deliveries of 1.4 KB taken a second at 32 connections; the one that sends shares the machine, and the server
/// handles what it took meanwhile. The peer: the `sqlite3` shell inserting the very rows that the server wrote into the
/// same table, on the same disk, WAL with synchronous=FULL as ours has it, each row its own transaction; no HTTP.
/// The ratio is the peer's rate over ours, of which four times the peer is 0.25. p99 of each window against 20 ms.
pub fn taken(bench: &mut Bench) {
    if !there("sqlite3") {
        return bench.sheet.unjudged("W1", "sqlite3 is not installed");
    }
    let program = bench.program.clone();
    let script = tempfile::NamedTempFile::new().unwrap();
    let mut p99 = Vec::new();
    let mut ours = || {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(&program, folder.path(), &[]);
        let token = server.registry_token();
        let begun = Instant::now();
        let all = storm((server.port, &token), Some(begun + LENGTH), &AtomicUsize::new(0));
        // The first fifth warms up.
        let counted: Vec<f64> =
            all.iter().filter(|one| one.at >= begun + LENGTH / 5).map(|one| one.seconds).collect();
        p99.push(at_share(&counted, 0.99) / 0.02);
        if fs::metadata(script.path()).unwrap().len() == 0 {
            write_script(&server, script.as_file());
        }
        (LENGTH * 4 / 5).as_secs_f64() / counted.len() as f64
    };
    ours();
    let peer = || {
        let folder = tempfile::tempdir().unwrap();
        let mut shell = Command::new("sqlite3");
        shell
            .arg(folder.path().join("peer.db"))
            .stdin(File::open(script.path()).unwrap())
            .stdout(Stdio::null());
        let (status, taken) = timed(|| shell.status().unwrap());
        assert!(status.success());
        taken / ROWS as f64
    };
    let measured = pairs(bench.pairs, peer, &mut ours);
    let ratios: Vec<f64> = measured.iter().map(|(ours, peer)| ours / peer).collect();
    let rate = |pick: fn(&(f64, f64)) -> f64| 1.0 / median(&measured.iter().map(pick).collect::<Vec<_>>());
    let note = format!("ours {:.0} a second, peer {:.0}", rate(|pair| pair.0), rate(|pair| pair.1));
    bench.sheet.ratios("W1", &ratios, 0.25, &note);
    let p99 = p99.split_off(1);
    bench.sheet.ratios("W1-p99", &p99, 1.0, &format!("of 20 ms; median {:.1} ms", median(&p99) * 20.0));
    bench.sheet.print_machine();
}

/// What the peer does: the table as the server made it, and one row of it again and again.
fn write_script(server: &Server, mut to: &File) {
    let database = server.database();
    let mut schema = database
        .prepare("SELECT sql FROM sqlite_schema WHERE tbl_name = 'deliveries' AND sql IS NOT NULL")
        .unwrap();
    let schema: Vec<String> =
        schema.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    let row = "SELECT quote(received_at) || ',' || quote(source) || ',' || quote(webhook_id) || ',' || quote(address)
        || ',' || quote(headers) || ',CAST(' || quote(CAST(body AS TEXT)) || ' AS BLOB)' FROM deliveries LIMIT 1";
    let row: String = database.query_row(row, [], |row| row.get(0)).unwrap();
    let insert = format!(
        "INSERT INTO deliveries (received_at, source, webhook_id, address, headers, body) VALUES ({row});\n"
    );
    let begin = format!("PRAGMA journal_mode=WAL;\nPRAGMA synchronous=FULL;\n{};\n", schema.join(";\n"));
    to.write_all(begin.as_bytes()).unwrap();
    to.write_all(insert.repeat(ROWS).as_bytes()).unwrap();
}

/// W2. The server is killed (SIGKILL) some time after its first hundred answers of a storm of 32 connections; every
/// delivery that was answered 202 must be in the database. The worst round counts.
pub fn kept(bench: &mut Bench) {
    let (mut lost, mut left) = (Vec::new(), Vec::new());
    let mut all = 0;
    for round in 0..bench.pairs * 3 {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Server::start(&bench.program, folder.path(), &[]);
        let (port, token) = (server.port, server.registry_token());
        let count = AtomicUsize::new(0);
        let (taken, label) = std::thread::scope(|scope| {
            let storm = scope.spawn(|| storm((port, &token), None, &count));
            until("a hundred answers", Duration::from_micros(100), || {
                (count.load(Ordering::Relaxed) >= 100).then_some(())
            });
            std::thread::sleep(Duration::from_millis((round as u64 * 37) % 500));
            let label = server.kill();
            (storm.join().unwrap(), label)
        });
        let database = server.database();
        let mut bodies =
            database.prepare("SELECT json_extract(body, '$.events[0].id') FROM deliveries").unwrap();
        let there: BTreeSet<String> =
            bodies.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        let missing = taken.iter().filter(|one| !there.contains(&id(one.sender, one.number))).count();
        all += taken.len();
        lost.push(missing as f64);
        clear(&label);
        left.push(label);
    }
    // The engine may have gone on with what it was asked for last.
    left.iter().for_each(|label| clear(label));
    let worst = lost.iter().copied().fold(0.0, f64::max);
    bench.sheet.ratios("W2", &[worst], 0.0, &format!("lost of {all} answered 202, {} kills", lost.len()));
}

/// W3. 2,000 Docker triggers of the stack's registry, each with a pattern for image and tag, and in each window 600
/// notifications of other images that few of them want: how long it took to find those, as the server writes it into
/// its log at debug level. p99 of each window against 0.2 ms; the note has that of the first, which finds everything
/// as it was just compiled.
pub fn matched(bench: &mut Bench) {
    let registry = Registry::start();
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--registry", &registry.address(), "--log", "info,ropewalk::watch=debug"];
    let server = Server::start(&bench.program, folder.path(), &flags);
    let mut connection = Connection::open(server.port).unwrap();
    for n in 0..TRIGGERS {
        let (image, tag) = patterns(n);
        let form =
            json!({"name": format!("trigger-{n}"), "image_pattern": image, "tag_pattern": tag}).to_string();
        let request = format!(
            "POST /api/v1/webhooks/docker HTTP/1.1\r\nHost: 127.0.0.1\r\n{AUTHORIZATION}Content-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{form}",
            form.len()
        );
        let (status, said) = connection.ask(request.as_bytes()).unwrap();
        assert_eq!(status, 201, "{}", String::from_utf8_lossy(said));
    }
    let token = server.registry_token();
    let all = IMAGES * (bench.pairs + 1);
    let begun = Instant::now();
    for n in 0..all {
        let (image, tag) = image(n);
        let body = notification(&format!("w3-{n}"), &image, &tag).to_string();
        assert_eq!(connection.ask(&delivery(&token, &body)).unwrap().0, 202);
    }
    let database = server.database();
    until("the deliveries to be handled", Duration::from_millis(5), || {
        let open = "SELECT count(*) FROM deliveries WHERE handled = 0";
        (database.query_row(open, [], |row| row.get::<_, i64>(0)).unwrap() == 0).then_some(())
    });
    let each = begun.elapsed().as_secs_f64() * 1000.0 / all as f64;
    let line = "an image was held against the filters";
    let (triggers, fitting) = (server.logged(line, "triggers"), server.logged(line, "fitting"));
    let taken: Vec<f64> = server.logged(line, "micros").iter().map(|micros| micros / 1000.0).collect();
    assert!(taken.len() == all && triggers.iter().all(|n| *n == TRIGGERS as f64), "{}", taken.len());
    let wanted: f64 = fitting.iter().sum();
    assert!(wanted > 0.0, "no trigger wanted any image");
    let note = format!(
        "p99 of 0.2 ms; median {:.3} ms, longest {:.2} ms; {:.1} triggers want an image",
        median(&taken),
        at_share(&taken, 1.0),
        wanted / all as f64
    );
    let p99: Vec<f64> = taken.chunks(IMAGES).map(|window| at_share(window, 0.99) / 0.2).collect();
    bench.sheet.ratios("W3", &p99[1..], 1.0, &note);
    let compiled = server.logged("the filters of a registry were compiled", "micros");
    let note = format!(
        "compiled once, in {:.1} ms; p99 just after that {:.2} ms; {each:.2} ms from one delivery to the next, the registry's answer in it",
        compiled.last().copied().unwrap_or(f64::NAN) / 1000.0,
        p99[0] * 0.2
    );
    bench.sheet.note("W3", &note);
}

/// As people write them: one image, some images of a team, all of a service's; releases, branches, numbers.
fn patterns(n: usize) -> (String, String) {
    let team = n % 100;
    let image = match n % 5 {
        0 => format!("team-{team}/service-{n}"),
        1 => format!("team-{team}/(api|web)-{n}"),
        2 => format!("team-{team}/.*-{n}"),
        3 => format!(r"[a-z]+-{team}/service-\d+{n}"),
        _ => format!(".*/service-{n}"),
    };
    let tag = match n % 7 {
        0 => String::new(),
        1 => r"v?\d+(\.\d+)*".to_owned(),
        2 => "main|master|latest".to_owned(),
        3 => format!("release-{}-.*", n % 50),
        4 => r"\d{4}-\d{2}-\d{2}(-rc\d+)?".to_owned(),
        5 => format!(r"build-\d+-{n}"),
        _ => ".+".to_owned(),
    };
    (image, tag)
}

fn image(n: usize) -> (String, String) {
    let number = n * 7919 % TRIGGERS;
    let team = number % 100;
    let image = match n % 4 {
        0 => format!("team-{team}/service-{number}"),
        1 => format!("team-{team}/api-{number}"),
        2 => format!("team-{team}/tool-{n}-{number}"),
        _ => format!("other-{team}/service-4{number}"),
    };
    let tag = match n % 5 {
        0 => format!("v1.{n}"),
        1 => "main".to_owned(),
        2 => format!("release-{}-{n}", number % 50),
        3 => format!("2026-11-{:02}", n % 30 + 1),
        _ => format!("build-{n}-{number}"),
    };
    (image, tag)
}
