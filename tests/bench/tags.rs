//! Tags at a registry: comparing a thousand that are followed (R1), and a page of ten thousand (R3).

use std::time::Duration;

use super::Bench;
use super::http::{self, Connection};
use super::measure::{at_share, in_millis, median, pairs, process_seconds, ratios, timed, until};
use super::registry::Registry;
use super::server::{AUTHORIZATION, Server};

const STREAMS: usize = 10;
const EACH: usize = 100;
/// Seconds between two comparisons, so that the limit is measured while the server waits.
const EVERY: u64 = 8;
const CONNECTIONS: usize = 4;
const MANY: usize = 10_000;
const PAGE: usize = 100;

/// R1. Ours: how long one comparison of 1,000 tags took, as the server writes it into its log at debug level. They
/// belong to ten image streams, each tag with its own source. The limit: the same 1,000 HEADs by a client that does
/// nothing else, over four kept connections, while the server waits (wrk cannot ask HEAD: it waits for a body).
/// Processor seconds are those of the whole server from the end of one comparison to the end of the next.
pub fn followed(bench: &mut Bench) {
    let registry = Registry::start();
    let names: Vec<String> = (0..EACH).map(|n| format!("1.{n}")).collect();
    let repository = |n: usize| format!("bench/followed-{n}");
    (0..STREAMS).for_each(|n| registry.tags(&repository(n), &names));
    let folder = tempfile::tempdir().unwrap();
    let every = EVERY.to_string();
    let flags =
        ["--registry", &registry.address(), "--poll-seconds", &every, "--log", "info,ropewalk::watch=debug"];
    let server = Server::start(&bench.program, folder.path(), &flags);
    for n in 0..STREAMS {
        let head = format!(
            "apiVersion: image.openshift.io/v1\nkind: ImageStream\nmetadata: {{name: followed-{n}}}\n"
        );
        let image = format!("{}/{}", registry.host, repository(n));
        let tag = |tag: &String| {
            format!("  - {{name: '{tag}', from: {{kind: DockerImage, name: '{image}:{tag}'}}}}\n")
        };
        let yaml = format!("{head}spec:\n  tags:\n{}", names.iter().map(tag).collect::<String>());
        server.post_as("/api/v1/image-streams", "application/yaml", &yaml);
    }
    let mut seen = 0;
    let mut processor = process_seconds(server.pid());
    let mut used = Vec::new();
    let mut ours = || {
        // Seldom: how long it took stands in the log, and whoever reads that takes processor from what is measured.
        let micros = until("a comparison of the tags", Duration::from_millis(250), || {
            let all = server.logged("the followed tags were compared", "micros");
            let new = all.len() > seen;
            seen = all.len();
            new.then(|| all[all.len() - 1])
        });
        let now = process_seconds(server.pid());
        used.push((now - processor) / 0.15);
        processor = now;
        micros / 1_000_000.0
    };
    // The first ones find everything new.
    (0..3).for_each(|_| {
        ours();
    });
    let asked = server.logged("the followed tags were compared", "tags");
    assert_eq!(asked.last(), Some(&((STREAMS * EACH) as f64)), "{asked:?}");
    let peer = || {
        let one = |share: usize| {
            let mut connection = registry.connect();
            for n in (share..STREAMS * EACH).step_by(CONNECTIONS) {
                let head = registry.head(&repository(n / EACH), &names[n % EACH]);
                assert_eq!(connection.ask(&head).unwrap().0, 200);
            }
        };
        timed(|| std::thread::scope(|scope| (0..CONNECTIONS).for_each(|n| drop(scope.spawn(move || one(n))))))
            .1
    };
    let measured = pairs(bench.pairs, peer, &mut ours);
    let used = used.split_off(3);
    bench.sheet.ratios("R1", &ratios(&measured), 1.1, &in_millis(&measured));
    bench.sheet.ratios(
        "R1-processor",
        &used,
        1.0,
        &format!("of 0.15 s; median {:.3} s", median(&used) * 0.15),
    );
}

/// R3. A page of 100 tags of a repository with 10,000, the first and the last in turns, by our API with the
/// administrator's password in each request; the peer is the registry's own list, which is always whole. Our lists are
/// kept for ten seconds, so that most pages come from memory; the note says what one costs for which the
/// registry is asked. A page in a hundred may take 5 ms.
pub fn pages(bench: &mut Bench) {
    let registry = Registry::start();
    let names: Vec<String> = (1..=MANY).map(|n| format!("build-{n}")).collect();
    registry.tags("bench/many", &names);
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&bench.program, folder.path(), &["--registry", &registry.address()]);
    let path = format!("/api/v1/registry/repositories/bench/many/tags?limit={PAGE}");
    let page = |after: usize, last: usize| {
        let path = if after == 0 { path.clone() } else { format!("{path}&after=build-{after}") };
        (http::get(&path, AUTHORIZATION), format!("\"build-{last}\""))
    };
    let ends = [("R3-first", page(0, PAGE)), ("R3-last", page(MANY - PAGE, MANY))];
    let mut connection = Connection::open(server.port).unwrap();
    let mut ask = |(request, wanted): &(Vec<u8>, String)| {
        let (found, taken) = timed(|| {
            let (status, body) = connection.ask(request).unwrap();
            (status, body.to_vec())
        });
        let text = String::from_utf8_lossy(&found.1);
        assert!(found.0 == 200 && text.contains(wanted.as_str()), "HTTP {} without {wanted}", found.0);
        taken
    };
    let cold = ask(&ends[0].1);
    let mut own = registry.connect();
    let list = registry.request("GET", "/v2/bench/many/tags/list", "", b"");
    let mut peer = || {
        let (length, taken) = timed(|| own.ask(&list).unwrap().1.len());
        assert!(length > MANY * 8, "{length}");
        taken
    };
    for (name, end) in &ends {
        let measured = pairs(bench.pairs * 40, &mut peer, || ask(end));
        let ours: Vec<f64> = measured.iter().map(|pair| pair.0).collect();
        let p99 = at_share(&ours, 0.99);
        bench.sheet.ratios(name, &ratios(&measured), 0.3, &in_millis(&measured));
        let note = format!("p99 of 5 ms; {:.2} ms", p99 * 1000.0);
        bench.sheet.ratios(&format!("{name}-p99"), &[p99 / 0.005], 1.0, &note);
    }
    bench.sheet.note("R3", &format!("a page for which the registry is asked: {:.1} ms", cold * 1000.0));
}
