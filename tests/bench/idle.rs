//! What the server takes when nobody asks anything of it (S1), and how soon it is there (S2).

use std::time::{Duration, Instant};

use super::data::ManyRuns;
use super::http::{self, Connection};
use super::measure::{self, until};
use super::server::Server;
use super::{Bench, docker};

impl Bench {
    /// The data directory with many runs, made once.
    pub fn many_runs(&mut self) -> std::path::PathBuf {
        let program = self.program.clone();
        self.many_runs.get_or_insert_with(|| ManyRuns::make(&program)).path().to_owned()
    }
}

/// S1. Resident memory a minute after the start, home page and one run's page looked at once; against 20 MiB,
/// and against the resident memory of the registry that runs beside it.
pub fn memory(bench: &mut Bench) {
    let data = bench.many_runs();
    let server = Server::start(&bench.program, &data, &[]);
    server.get("/").unwrap();
    server.get("/admin/repo-7").unwrap();
    std::thread::sleep(Duration::from_secs(60));
    let (all, file) = measure::resident(server.pid());
    bench.sheet.ratios(
        "S1",
        &[all / 20.0],
        1.0,
        &format!("{all:.1} of 20 MiB, {file:.1} of it the program's file"),
    );
    match docker::registry_resident() {
        Some(registry) => {
            let note = format!("the registry has {registry:.1} MiB");
            bench.sheet.ratios("S1-registry", &[all / registry], 1.0, &note);
        }
        None => bench.sheet.note("S1", "no registry runs here to compare with"),
    }
}

/// S2. From the start of the process to the last byte of the home page, signed in, with many runs; 25 ms.
pub fn cold_start(bench: &mut Bench) {
    let data = bench.many_runs();
    let request = http::get("/", "");
    let one = || {
        let begun = Instant::now();
        let server = Server::spawn(&bench.program, &data, &[]);
        let page = until("the first page", Duration::from_micros(200), || {
            let mut connection = Connection::open(server.port).ok()?;
            let (status, body) = connection.ask(&request).ok()?;
            Some((status, body.len()))
        });
        let taken = begun.elapsed().as_secs_f64();
        assert!(page.0 == 200 && page.1 > 1000, "{page:?}");
        drop(server);
        std::thread::sleep(Duration::from_millis(500));
        taken
    };
    one();
    let taken: Vec<f64> = (0..bench.pairs.max(7)).map(|_| one() / 0.025).collect();
    let note = format!("of 25 ms; median {:.1} ms", measure::median(&taken) * 25.0);
    bench.sheet.ratios("S2", &taken, 1.0, &note);
}
