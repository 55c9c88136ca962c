//! `run log`: the log so far, or with `-f` until the run has ended. By byte offset: what was shown is never
//! asked for again, and an answer that was cut off costs nothing.

use std::time::Duration;

use clap::Args;
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::time::Instant;

use super::{Place, Runs, told};
use crate::cli::Session;
use crate::cli::arguments::about;
use crate::cli::client::{Client, strange};
use crate::cli::exit::Exit;
use crate::cli::terminal::{LogFilter, field};
use crate::model::Status;
use crate::msg;

/// Between two looks at a log that has nothing new.
const PAUSE: Duration = Duration::from_millis(500);
/// How long a server may be away while it is followed.
const AWAY: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
pub struct Log {
    #[command(flatten)]
    place: Place,
    #[arg(help = about(msg!("cli-arg-number")))]
    number: u64,
    #[arg(long, value_name = "NAME|INDEX", help = about(msg!("cli-flag-stage")))]
    stage: Option<String>,
    #[arg(long, help = about(msg!("cli-flag-raw")))]
    raw: bool,
    #[command(flatten)]
    following: Following,
}

#[derive(Debug, Args)]
pub struct Following {
    #[arg(short, long, help = about(msg!("cli-flag-follow")))]
    follow: bool,
    #[arg(long, value_name = "SECONDS", requires = "follow", help = about(msg!("cli-flag-timeout")))]
    timeout: Option<u64>,
}

impl Following {
    pub fn wanted(&self) -> bool {
        self.follow
    }
    fn deadline(&self) -> Option<Instant> {
        self.timeout.and_then(|seconds| Instant::now().checked_add(Duration::from_secs(seconds)))
    }
}

pub async fn log(session: &Session, client: &Client, log: &Log) -> Result<(), Exit> {
    let runs = Runs::find(client, &log.place).await?;
    let stage = match &log.stage {
        Some(stage) => Some(stage_index(&runs.get(log.number).await?, stage)?),
        None => None,
    };
    let filter = (!log.raw).then(|| LogFilter::new(session.terminal.colours()));
    let mut tail = Tail { session, runs: &runs, number: log.number, stage, from: 0, filter };
    if log.following.wanted() {
        tail.until_the_end(log.following.deadline()).await?;
        return verdict(session, &runs, log.number).await;
    }
    while tail.more().await? == Seen::Something {}
    Ok(())
}

/// Shows the whole log as it grows and ends as the run ends. With `--json` only the run at its end is shown.
pub async fn follow(
    session: &Session,
    runs: &Runs<'_>,
    number: u64,
    following: &Following,
) -> Result<(), Exit> {
    let filter = Some(LogFilter::new(session.terminal.colours()));
    let mut tail = Tail { session, runs, number, stage: None, from: 0, filter };
    tail.until_the_end(following.deadline()).await?;
    verdict(session, runs, number).await
}

/// The run once it has ended: exit 0 only for `passed`.
async fn verdict(session: &Session, runs: &Runs<'_>, number: u64) -> Result<(), Exit> {
    let run = runs.get(number).await?;
    if session.json {
        session.terminal.json(&run)?;
    } else {
        session.terminal.note(&told(&run));
    }
    let status: Status = field(&run, "/status").parse()?;
    if status == Status::Passed { Ok(()) } else { Err(Exit::silent()) }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Something,
    NothingYet,
    End,
}

struct Tail<'a> {
    session: &'a Session,
    runs: &'a Runs<'a>,
    number: u64,
    stage: Option<u64>,
    /// The first byte that has not been shown.
    from: u64,
    filter: Option<LogFilter>,
}

impl Tail<'_> {
    async fn until_the_end(&mut self, deadline: Option<Instant>) -> Result<(), Exit> {
        let mut last_answer = Instant::now();
        loop {
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Err(Exit::out_of_time(msg!("cli-out-of-time", number = self.number)));
            }
            let seen = match self.more().await {
                Ok(seen) => {
                    last_answer = Instant::now();
                    seen
                }
                Err(exit) if exit.is_unreachable() && last_answer.elapsed() < AWAY => Seen::NothingYet,
                Err(exit) => return Err(exit),
            };
            match seen {
                Seen::Something => {}
                Seen::NothingYet => tokio::time::sleep(PAUSE).await,
                Seen::End => return Ok(()),
            }
        }
    }

    /// One look: shows what is new.
    async fn more(&mut self) -> Result<Seen, Exit> {
        let (number, from) = (self.number.to_string(), self.from.to_string());
        let stage = self.stage.map(|index| index.to_string());
        let below: Vec<&str> = match &stage {
            Some(index) => vec![&number, "stages", index, "log"],
            None => vec![&number, "log"],
        };
        let mut url = self.runs.client.url(&self.runs.parts(&below));
        url.query_pairs_mut().append_pair("from", &from);
        let mut response = self.runs.client.send(Method::GET, url, None).await?;
        let more = is_more(response.headers());
        let before = self.from;
        // A connection that breaks in the middle: what came was shown, the rest is asked for again.
        let mut broken = false;
        loop {
            match response.chunk().await {
                Ok(Some(bytes)) => {
                    self.from += bytes.len() as u64;
                    self.show(&bytes)?;
                }
                Ok(None) => break,
                Err(_) => {
                    broken = true;
                    break;
                }
            }
        }
        Ok(match (self.from > before, more || broken) {
            (true, true) => Seen::Something,
            (false, true) => Seen::NothingYet,
            (_, false) => Seen::End,
        })
    }

    fn show(&mut self, bytes: &[u8]) -> Result<(), Exit> {
        if self.session.json {
            return Ok(());
        }
        match &mut self.filter {
            Some(filter) => self.session.terminal.bytes(&filter.pass(bytes)),
            None => self.session.terminal.bytes(bytes),
        }
    }
}

fn is_more(headers: &HeaderMap) -> bool {
    headers.get("x-more-data").is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"))
}

/// By number from 0, or by name.
fn stage_index(run: &Value, wanted: &str) -> Result<u64, Exit> {
    let stages = run.get("stages").and_then(Value::as_array).ok_or_else(strange)?;
    let by_name = stages.iter().position(|stage| field(stage, "/name").eq_ignore_ascii_case(wanted));
    let by_number = wanted.parse().ok().filter(|index| *index < stages.len());
    let found = by_name.or(by_number).map(|index| index as u64);
    found.ok_or_else(|| Exit::not_found(msg!("cli-no-stage", stage = wanted.escape_debug())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_stage_is_found_by_name_or_number() {
        let run = json!({ "stages": [{ "name": "Verify" }, { "name": "0" }] });
        assert_eq!(stage_index(&run, "verify").unwrap(), 0);
        assert_eq!(stage_index(&run, "0").unwrap(), 1, "a name wins");
        assert_eq!(stage_index(&run, "1").unwrap(), 1);
        assert_eq!(stage_index(&run, "2").unwrap_err().number(), 4);
        assert_eq!(stage_index(&run, "-1").unwrap_err().number(), 4);
    }
}
