//! How it is measured and written down: pairs in turns, medians with extremes, the state of the machine.

use std::fs;
use std::io::Write as _;
use std::time::{Duration, Instant};

/// Of the machine's processors, at most this share may be busy when judging begins.
const MOST_BUSY: f64 = 0.25;

/// The lines that were written.
pub struct Sheet {
    anyway: bool,
    busy: bool,
    missed: bool,
}

impl Sheet {
    pub fn new(anyway: bool) -> Self {
        Sheet { anyway, busy: false, missed: false }
    }

    /// Looks at the machine for three seconds.
    pub fn may_judge(&mut self) -> bool {
        let share = busy_share(Duration::from_secs(3));
        self.busy = share > MOST_BUSY;
        if self.busy {
            println!("machine {:.0} % busy at the start; the bars are for a quiet one", share * 100.0);
        }
        if self.busy && !self.anyway {
            eprintln!("Nothing was measured. Wait until it is quiet, or say --anyway.");
        }
        !self.busy || self.anyway
    }

    pub fn print_machine(&self) {
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load: Vec<&str> = load.split(' ').take(3).collect();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        println!(
            "machine {cores} cores, load {}, 4 KiB append+fdatasync {:.2} ms",
            load.join(" "),
            sync_millis()
        );
    }

    /// One line: the median of `ratios` must not exceed `bar`. `note` is for people.
    pub fn ratios(&mut self, name: &str, ratios: &[f64], bar: f64, note: &str) {
        let (median, least, most) = (median(ratios), least(ratios), most(ratios));
        let ok = median <= bar;
        self.missed |= !ok;
        let word = if ok { "ok" } else { "MISSED" };
        let busy = if self.busy { " (machine was busy)" } else { "" };
        println!("ratio {name} {median:.3} bar {bar:.3} {word}{busy} [{least:.3}..{most:.3}] {note}");
    }

    /// A bar whose peer is not here: it is not met.
    pub fn unjudged(&mut self, name: &str, why: &str) {
        self.missed = true;
        println!("ratio {name} unjudged MISSED {why}");
    }

    /// Something measured that no bar judges.
    pub fn note(&self, name: &str, text: &str) {
        println!("note  {name} {text}");
    }

    pub fn missed(&self) -> bool {
        self.missed
    }
}

/// One value of each side, in turns; the pairs as (ours, peer), in seconds.
pub fn pairs(count: usize, mut peer: impl FnMut() -> f64, mut ours: impl FnMut() -> f64) -> Vec<(f64, f64)> {
    let one = |turn: usize| {
        // Who goes first changes, so that neither always finds what the other left.
        if turn.is_multiple_of(2) {
            let theirs = peer();
            (ours(), theirs)
        } else {
            let mine = ours();
            (mine, peer())
        }
    };
    (0..count).map(one).collect()
}

pub fn ratios(pairs: &[(f64, f64)]) -> Vec<f64> {
    pairs.iter().map(|(ours, peer)| ours / peer).collect()
}

/// `ours 231 ms, peer 262 ms` (medians).
pub fn in_millis(pairs: &[(f64, f64)]) -> String {
    let side = |pick: fn(&(f64, f64)) -> f64| median(&pairs.iter().map(pick).collect::<Vec<_>>()) * 1000.0;
    format!("ours {:.1} ms, peer {:.1} ms", side(|p| p.0), side(|p| p.1))
}

pub fn median(values: &[f64]) -> f64 {
    at_share(values, 0.5)
}

pub fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

pub fn most(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// The value below which this share of all lies.
pub fn at_share(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

pub fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let begun = Instant::now();
    let made = work();
    (made, begun.elapsed().as_secs_f64())
}

/// Looks every `pause` until there is something; panics after two minutes.
pub fn until<T>(what: &str, pause: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "waited in vain for {what}");
        std::thread::sleep(pause);
    }
}

fn busy_share(window: Duration) -> f64 {
    let before = processor_ticks();
    std::thread::sleep(window);
    let after = processor_ticks();
    let (busy, all) = (after.0 - before.0, after.1 - before.1);
    busy as f64 / (all as f64).max(1.0)
}

/// (busy, all) of all processors since the machine started.
fn processor_ticks() -> (u64, u64) {
    let text = fs::read_to_string("/proc/stat").unwrap();
    let ticks: Vec<u64> =
        text.lines().next().unwrap().split_whitespace().skip(1).filter_map(|n| n.parse().ok()).collect();
    let all = ticks.iter().take(8).sum();
    (all - ticks[3] - ticks[4], all)
}

/// Median milliseconds of an append of 4 KiB made durable: it moves every durable rate.
fn sync_millis() -> f64 {
    let mut file = tempfile::tempfile().unwrap();
    let one = |_| {
        let write = || file.write_all(&[7; 4096]).and_then(|()| file.sync_data());
        timed(write).1 * 1000.0
    };
    median(&(0..100).map(one).collect::<Vec<_>>())
}

/// Processor seconds of this process's ended children.
pub fn children_seconds() -> f64 {
    let fields = stat_fields("self");
    (fields[13] + fields[14]) / 100.0
}

/// Processor seconds a process has used, all its threads, without its children.
pub fn process_seconds(pid: u32) -> f64 {
    let fields = stat_fields(&pid.to_string());
    (fields[11] + fields[12]) / 100.0
}

/// The numbers of `/proc/PID/stat` after the name, which may hold spaces: `state` is 0.
fn stat_fields(process: &str) -> Vec<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let (_, rest) = text.rsplit_once(')').unwrap();
    rest.split_whitespace().map(|field| field.parse().unwrap_or(0.0)).collect()
}

/// Resident memory in MiB: (all, of which files of the program).
pub fn resident(pid: u32) -> (f64, f64) {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = |name: &str| -> f64 {
        let found = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("0");
        found.split_whitespace().next().unwrap_or("0").parse::<f64>().unwrap_or(0.0) / 1024.0
    };
    (line("VmRSS:"), line("RssFile:"))
}
