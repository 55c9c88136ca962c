//! Pages under load (D1): the home page of a house with many runs, and pages far down its lists.

use std::time::Duration;

use super::Bench;
use super::http::{self, Load};
use super::measure::{at_share, median};
use super::server::{AUTHORIZATION, Server};

const CONNECTIONS: usize = 32;
const LENGTH: Duration = Duration::from_secs(5);

/// D1. 32 connections ask for the same page without pause; the one that asks shares the machine. p99 of each
/// window against 5 ms. Pages far down are reached as a person reaches them, by the link to the next part;
/// their median against the first page's, in turns, may be 1.5.
pub fn home(bench: &mut Bench) {
    let data = bench.many_runs();
    let server = Server::start(&bench.program, &data, &[]);
    for (name, who) in [("D1", ""), ("D1-signed-in", AUTHORIZATION)] {
        let request = http::get("/", who);
        let windows: Vec<Load> =
            (0..bench.pairs.min(5)).map(|_| http::load(server.port, &request, CONNECTIONS, LENGTH)).collect();
        let p99: Vec<f64> = windows.iter().map(|w| at_share(&w.taken, 0.99) / 0.005).collect();
        let p50 = median(&windows.iter().map(|w| median(&w.taken)).collect::<Vec<_>>()) * 1000.0;
        let rate = median(&windows.iter().map(|w| w.rate).collect::<Vec<_>>());
        bench.sheet.ratios(
            name,
            &p99,
            1.0,
            &format!("p99 of 5 ms; p50 {p50:.2} ms, {rate:.0} pages a second"),
        );
    }
    let floor = http::load(server.port, &http::get("/healthz", ""), CONNECTIONS, LENGTH);
    bench.sheet.note(
        "D1",
        &format!(
            "an answer without a page: {:.0} a second, p99 {:.2} ms",
            floor.rate,
            at_share(&floor.taken, 0.99) * 1000.0
        ),
    );
    for (name, path) in
        [("D2-home", "/"), ("D2-activity", "/activity"), ("D2-runs", "/admin/repo-7/pipelines/default")]
    {
        let Some(last) = far_down(&server, path) else {
            bench.sheet.note(name, "has one page only");
            continue;
        };
        let one = |path: &str| {
            median(&http::load(server.port, &http::get(path, AUTHORIZATION), 1, Duration::from_secs(1)).taken)
        };
        let ratios: Vec<f64> = (0..bench.pairs).map(|_| one(&last) / one(path)).collect();
        bench.sheet.ratios(name, &ratios, 1.5, &format!("{last} against {path}"));
    }
}

/// Follows `rel="next"` to the last page, at most a few thousand times.
fn far_down(server: &Server, first: &str) -> Option<String> {
    let mut last = None;
    let mut path = first.to_owned();
    for _ in 0..3000 {
        let (status, body) = server.get(&path)?;
        assert_eq!(status, 200, "{path}");
        let text = String::from_utf8_lossy(&body).into_owned();
        let Some(at) = text.find("rel=\"next\"") else { break };
        let tag = &text[text[..at].rfind('<')?..];
        let address = tag[..tag.find('>')?].split("href=\"").nth(1)?.split('"').next()?;
        path = address.replace("&amp;", "&");
        last = Some(path.clone());
    }
    last
}
