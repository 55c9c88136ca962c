//! Reading logs (L3).

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::process::Command;

use super::Bench;
use super::http::{self, Connection};
use super::measure::{self, at_share, in_millis, pairs, timed};
use super::server::{AUTHORIZATION, Server};

/// L3. The last 1,000 lines of a log of 1 GB by HTTP, against a `tail -n 1000` process on the same file.
pub fn tail(bench: &mut Bench) {
    let data = bench.many_runs();
    let folder = data.join("logs/7");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("0.log");
    let mut file = BufWriter::new(File::create(&path).unwrap());
    (0..10_000_000).for_each(|n| {
        writeln!(
            file,
            "{n:09} a line of the usual length of such lines, with words in it, and 100 bytes in all here."
        )
        .unwrap()
    });
    drop(file);
    let length = fs::metadata(&path).unwrap().len();
    let server = Server::start(&bench.program, &data, &[]);
    // As the page does: the last part by its offset.
    let from = length - 100_000;
    let address = format!("/api/v1/repos/admin/repo-7/pipelines/default/runs/1/stages/0/log?from={from}");
    let request = http::get(&address, AUTHORIZATION);
    let mut connection = Connection::open(server.port).unwrap();
    let ours = || {
        let ((status, length), taken) = timed(|| {
            let (status, body) = connection.ask(&request).unwrap();
            (status, body.len())
        });
        assert!((200..300).contains(&status) && length >= 100_000, "{status} {length}");
        taken
    };
    let peer = || timed(|| Command::new("tail").args(["-n", "1000"]).arg(&path).output().unwrap()).1;
    let measured = pairs(bench.pairs * 20, peer, ours);
    let ours: Vec<f64> = measured.iter().map(|pair| pair.0 * 1000.0).collect();
    let note = format!("{}; our p99 {:.2} ms", in_millis(&measured), at_share(&ours, 0.99));
    bench.sheet.ratios("L3", &measure::ratios(&measured), 1.0, &note);
    fs::remove_dir_all(&folder).unwrap();
}
