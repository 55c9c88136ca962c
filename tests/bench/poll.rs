//! What looking costs when nothing happens (T3), and how soon a change behind the server's back is seen (T4).

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::Bench;
use super::git::Copy;
use super::measure::{self, at_share, children_seconds, process_seconds, until};
use super::server::Server;

/// Seconds between two polls while measuring, so that a window holds several.
const EVERY: u64 = 5;
/// Repositories that one sample of the peer asks.
const ASKED: usize = 200;

/// T3. The peer: processor seconds of `git ls-remote` on the paths of the repositories (no server, no
/// network), `ASKED` of them scaled to all. Ours: processor seconds of the whole idle server per poll,
/// measured over three polls, so whatever else it does when idle counts against it five seconds a poll.
pub fn idle(bench: &mut Bench) {
    for count in [1_000, 10_000] {
        let folder = tempfile::tempdir().unwrap();
        super::data::repositories(&bench.program, folder.path(), count, 3);
        let begun = Instant::now();
        let server = Server::start(&bench.program, folder.path(), &["--poll-seconds", &EVERY.to_string()]);
        let answered = begun.elapsed().as_secs_f64() * 1000.0;
        let settled = quiet(&server, begun);
        let peer = |turn: usize| {
            let before = children_seconds();
            (0..ASKED).for_each(|at| ls_remote(folder.path(), (turn * ASKED + at) % count + 1));
            (children_seconds() - before) * count as f64 / ASKED as f64
        };
        let ours = || {
            let before = process_seconds(server.pid());
            std::thread::sleep(Duration::from_secs(EVERY * 3));
            (process_seconds(server.pid()) - before) / 3.0
        };
        let ratios: Vec<f64> = (0..bench.pairs).map(|turn| ours() / peer(turn)).collect();
        let name = format!("T3-{count}");
        let note = format!(
            "first answer after {answered:.0} ms, first poll done after {settled:.1} s, {:.1} MiB",
            measure::resident(server.pid()).0
        );
        bench.sheet.ratios(&name, &ratios, 0.01, &note);
    }
}

/// Seconds from `begun` until the server has used no processor for a second: the first comparison is done.
fn quiet(server: &Server, begun: Instant) -> f64 {
    until("the first poll", Duration::ZERO, || {
        let before = process_seconds(server.pid());
        std::thread::sleep(Duration::from_secs(1));
        (process_seconds(server.pid()) - before < 0.02).then(|| begun.elapsed().as_secs_f64() - 1.0)
    })
}

fn ls_remote(data: &Path, number: usize) {
    let path = data.join(format!("repositories/admin/repo-{number}.git"));
    let mut command = Command::new("git");
    command.arg("ls-remote").arg(path).stdout(Stdio::null()).env("GIT_CONFIG_COUNT", "1");
    command.env("GIT_CONFIG_KEY_0", "safe.directory").env("GIT_CONFIG_VALUE_0", "*");
    assert!(command.status().unwrap().success());
}

/// T4. From the end of a plain `git push` to the path until the run's row is there; p99 of 50, against 50 ms.
pub fn out_of_band(bench: &mut Bench) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&bench.program, folder.path(), &["--jobs", "1"]);
    let copy = Copy::new();
    // A definition with a finding makes a run's row and no container.
    copy.write("ropewalk.yml", "stages: [{name: A, steps: [{unknown: x}]}]\n");
    copy.commit("One");
    copy.push(&server.remote("admin/behind"));
    let path = folder.path().join("repositories/admin/behind.git");
    // A new repository is followed at the next turn of the loop.
    std::thread::sleep(Duration::from_secs(2));
    let database = server.database();
    let mut count = database.prepare("SELECT count(*) FROM runs").unwrap();
    let mut runs = move || -> i64 { count.query_row([], |row| row.get(0)).unwrap() };
    let mut one = || {
        let before = runs();
        copy.commit("One more");
        copy.push(path.to_str().unwrap());
        let begun = Instant::now();
        until("the run", Duration::from_micros(200), || (runs() > before).then_some(()));
        begun.elapsed().as_secs_f64()
    };
    let taken: Vec<f64> = (0..50).map(|_| one()).collect();
    let note = format!("p99 of 50 ms; median {:.1} ms", measure::median(&taken) * 1000.0);
    bench.sheet.ratios("T4", &[at_share(&taken, 0.99) / 0.05], 1.0, &note);
}
