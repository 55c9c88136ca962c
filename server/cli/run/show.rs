//! `run list` and `run show`: a run as text. Everything in it came from outside and is cleaned on its way out.

use jiff::Timestamp;
use serde_json::Value;

use crate::cli::Session;
use crate::cli::exit::Exit;
use crate::cli::terminal::{cut, field};

/// Number, status, ref, commit, cause, when.
pub fn row(run: &Value) -> Vec<String> {
    let kind = field(run, "/cause/kind");
    let by = field(run, "/cause/by");
    let cause = if by.is_empty() { kind } else { format!("{kind} ({by})") };
    vec![
        format!("#{}", field(run, "/number")),
        field(run, "/status"),
        field(run, "/ref"),
        cut(&field(run, "/commit"), 10),
        cause,
        field(run, "/queued_at"),
        took(run),
    ]
}

pub fn show(session: &Session, run: &Value) -> Result<(), Exit> {
    if session.json {
        return session.terminal.json(run);
    }
    session.terminal.table(&[row(run)])?;
    for line in [field(run, "/html_url"), field(run, "/message")] {
        if !line.is_empty() {
            session.terminal.line(&line)?;
        }
    }
    for finding in findings(run) {
        session.terminal.line(&finding)?;
    }
    let stages = list(run, "stages").enumerate().map(|(at, stage)| {
        vec![format!("  {at}"), field(stage, "/status"), field(stage, "/name"), took(stage)]
    });
    session.terminal.table(&stages.collect::<Vec<_>>())?;
    let images = list(run, "images").map(|image| {
        let name = format!("  {}:{}", field(image, "/repository"), field(image, "/tag"));
        vec![name, field(image, "/digest")]
    });
    session.terminal.table(&images.collect::<Vec<_>>())
}

/// `path:line:column: sentence`, for a run whose definition could not be read.
pub fn findings(run: &Value) -> Vec<String> {
    let one = |f: &Value| {
        let place = [field(f, "/path"), field(f, "/line"), field(f, "/column")].join(":");
        format!("{place}: {}", field(f, "/message"))
    };
    list(run, "findings").map(one).collect()
}

pub fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice).iter()
}

/// `1m 12s` between start and end; empty when one of them is missing.
fn took(value: &Value) -> String {
    let time = |name: &str| value.get(name)?.as_str()?.parse::<Timestamp>().ok();
    let (Some(start), Some(end)) = (time("started_at"), time("finished_at")) else { return String::new() };
    let seconds = end.duration_since(start).as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {}s", seconds / 60, seconds % 60),
        _ => format!("{}h {}m", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_row_has_what_a_person_looks_for() {
        let run = json!({
            "number": 7, "status": "failed", "cause": { "kind": "push", "by": "marta" }, "ref": "refs/heads/main",
            "commit": "0123456789abcdef0123456789abcdef01234567", "queued_at": "2026-11-20T12:00:00Z",
            "started_at": "2026-11-20T12:00:01Z", "finished_at": "2026-11-20T12:01:13Z",
        });
        let row = row(&run);
        assert_eq!(row[..5], ["#7", "failed", "refs/heads/main", "0123456789", "push (marta)"]);
        assert_eq!(row[6], "1m 12s");
        assert_eq!(took(&json!({ "started_at": "nonsense", "finished_at": null })), "");
    }
}
