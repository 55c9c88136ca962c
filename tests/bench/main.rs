//! The bars of performance: what the server may cost, as ratios against a peer measured in the same run.
//!
//! `ci-scripts/bench [BAR...]` builds the release server and runs this. Peer and server take turns, the
//! result is the median ratio of the pairs with its extremes, one line per bar. It never runs with the
//! tests, and it refuses to judge on a busy machine unless told to go on `--anyway`.
//! Data sets are generated; nothing is fetched. How each comparison is made stands with its function.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

mod dashboard;
mod data;
mod docker;
mod git;
mod hooks;
mod http;
mod idle;
mod images;
mod logs;
mod measure;
mod poll;
mod registry;
mod runs;
mod server;
mod tags;

use std::path::PathBuf;
use std::process::ExitCode;

use measure::Sheet;

/// What the bars share.
pub struct Bench {
    /// The program that is measured.
    pub program: PathBuf,
    pub pairs: usize,
    pub sheet: Sheet,
    /// Made when the first bar needs it.
    pub many_runs: Option<data::ManyRuns>,
}

type Bar = (&'static str, fn(&mut Bench), &'static str);

const BARS: [Bar; 19] = [
    ("T2", runs::first_line, "push accepted to first line of a container, against docker run"),
    ("B1", runs::sample, "push of the sample to four green stages, against its scripts by hand"),
    ("L1", runs::ingest, "300 MB of output to a stored log, against docker run with json-file"),
    ("T3", poll::idle, "polling 1,000 and 10,000 idle repositories, against git ls-remote"),
    ("T4", poll::out_of_band, "a ref moved behind the server's back to its queued run"),
    ("S1", idle::memory, "resident memory after a minute, 200 repositories and 100,000 runs"),
    ("S2", idle::cold_start, "start of the program to its first page"),
    ("D1", dashboard::home, "home page at 100,000 runs, 32 connections; pages far down the lists"),
    ("L3", logs::tail, "the last 1,000 lines of a 1 GB log, against tail"),
    ("G3", git::nothing_new, "fetch of one branch with nothing new, 100,000 refs, against http-backend"),
    ("G6", git::small_push, "push of one commit, against http-backend"),
    ("G7", git::large_push, "push of 300 MB, against index-pack"),
    ("R1", tags::followed, "comparing 1,000 followed tags, against a client that does nothing else"),
    ("R2", images::copied, "an image to another repository of its registry, against docker push and skopeo"),
    ("R3", tags::pages, "a page of 10,000 tags, against the registry's own list"),
    ("R5", images::announced, "a registry's notification to the run it starts"),
    ("W1", hooks::taken, "durable deliveries a second at 32 connections, against sqlite3"),
    ("W2", hooks::kept, "deliveries that were answered and lost when the server is killed"),
    ("W3", hooks::matched, "finding which of 2,000 Docker triggers want an image"),
];

fn main() -> ExitCode {
    let Some(asked) = Asked::read(std::env::args().skip(1)) else {
        eprintln!("usage: ci-scripts/bench [--anyway] [--pairs N] [BAR...]");
        BARS.iter().for_each(|(name, _, what)| eprintln!("  {name}  {what}"));
        return ExitCode::from(2);
    };
    let mut sheet = Sheet::new(asked.anyway);
    if !sheet.may_judge() {
        return ExitCode::from(3);
    }
    sheet.print_machine();
    let mut bench = Bench { program: asked.program, pairs: asked.pairs, sheet, many_runs: None };
    for (name, bar, _) in BARS {
        if asked.bars.is_empty() || asked.bars.iter().any(|bar| bar.eq_ignore_ascii_case(name)) {
            bar(&mut bench);
        }
    }
    bench.sheet.print_machine();
    if bench.sheet.missed() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

struct Asked {
    bars: Vec<String>,
    pairs: usize,
    anyway: bool,
    program: PathBuf,
}

impl Asked {
    fn read(mut words: impl Iterator<Item = String>) -> Option<Asked> {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_ropewalk"));
        let mut asked = Asked { bars: Vec::new(), pairs: 7, anyway: false, program };
        while let Some(word) = words.next() {
            match word.as_str() {
                // cargo says this to every benchmark.
                "--bench" => {}
                "--anyway" => asked.anyway = true,
                "--pairs" => asked.pairs = words.next()?.parse().ok().filter(|n| *n > 0)?,
                "--server" => asked.program = std::path::absolute(words.next()?).ok()?,
                bar if BARS.iter().any(|(name, _, _)| bar.eq_ignore_ascii_case(name)) => {
                    asked.bars.push(word)
                }
                _ => return None,
            }
        }
        Some(asked)
    }
}
