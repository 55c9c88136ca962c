//! What follows a push: its events are written before git says so, and for a moment we wait for what the
//! trigger loop makes of them, so that the pusher reads the run's number and address. The wait decides
//! nothing: whatever comes later is on the pages.

use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use jiff::Timestamp;

use super::first_push::FirstPush;
use super::state::Door;
use crate::git::{self, Push};
use crate::messages::{self, Language};
use crate::model::{
    CommitId, Error, Event, Finding, Happened, Message, Outcome, OwnerName, RefName, RepositoryPath, Result,
};
use crate::msg;
use crate::store::repositories::{self, NewRepository, Repository};
use crate::store::{Connection, accounts, events, refs, runs};

/// A terminal's worth; the rest is on the run's page.
const MOST_LINES: usize = 50;

#[derive(Clone)]
pub struct Pusher {
    pub name: OwnerName,
    pub language: Language,
}

pub enum Target {
    Known(Box<Repository>),
    /// Made by this push; what is held keeps its folder.
    New(#[expect(dead_code, reason = "held, not read")] FirstPush),
}

/// What git's empty repository says to a client that wants to push, for one that does not exist yet.
pub fn empty_advertisement() -> Vec<u8> {
    // In git's order, the agent last: libgit2 reads what stands last to the end of the line, newline and all, and an
    // object format with a newline is none it knows.
    let capabilities = concat!(
        "report-status report-status-v2 delete-refs side-band-64k quiet atomic ofs-delta push-options ",
        "object-format=sha1 agent=git/ropewalk-",
        env!("CARGO_PKG_VERSION")
    );
    let mut out = Vec::new();
    let mut put = |line: &str| out.extend_from_slice(format!("{:04x}{line}", line.len() + 4).as_bytes());
    put("# service=git-receive-pack\n");
    out.extend_from_slice(b"0000");
    let mut put = |line: &str| out.extend_from_slice(format!("{:04x}{line}", line.len() + 4).as_bytes());
    put(&format!("{} capabilities^{{}}\0{capabilities}\n", "0".repeat(40)));
    out.extend_from_slice(b"0000");
    out
}

/// Repositories are made only below accounts that exist.
pub fn check_owner(door: &Door, path: &RepositoryPath) -> Result<()> {
    match door.store.read(|c| accounts::by_name(c, path.owner.as_str()))? {
        Some(_) => Ok(()),
        None => Err(Error::NotFound(msg!("api-account-not-found", name = path.owner))),
    }
}

/// For the git room to call under the repository's update lock.
pub fn settle(door: Door, path: RepositoryPath, target: Target, pusher: Pusher) -> git::Settle {
    Box::new(move |push: Push| {
        async move {
            let written = record(&door, &path, &target, &pusher, &push).await;
            // To put the refs back takes room, too.
            let written = written.inspect_err(|_| door.store.make_room())?;
            let decided = wait(&door, &written).await;
            let lines = Lines { door: &door, path: &path, language: pusher.language };
            drop(target);
            Ok(lines.of(&decided))
        }
        .boxed()
    })
}

/// Writes the push's events, and with a first push the repository; durable when it returns.
async fn record(
    door: &Door,
    path: &RepositoryPath,
    target: &Target,
    pusher: &Pusher,
    push: &Push,
) -> Result<Recorded> {
    let moved: Vec<(RefName, Option<CommitId>)> =
        push.updates.iter().filter(|u| u.ok).map(|u| (u.name.clone(), u.new.clone())).collect();
    let known = match target {
        Target::Known(repository) => Some((repository.id, repository.default_branch.is_some())),
        Target::New(_) => None,
    };
    let default = match known {
        Some((_, true)) => None,
        _ => default_branch(door, path),
    };
    let (path, by) = (path.clone(), pusher.name.to_string());
    let (first, rest) = moved.split_at(moved.len().min(refs::TOGETHER));
    let (some, name) = (first.to_vec(), by.clone());
    let write = move |c: &Connection| {
        let now = Timestamp::now();
        let id = match known {
            Some((id, _)) => id,
            None => create(c, &path, &name, now)?,
        };
        if let Some(branch) = default {
            repositories::set_default_branch(c, id, &branch)?;
        }
        Ok((id, refs::observe(c, id, &some, Some(&name), now)?))
    };
    let (id, mut written) = door.store.write(write).await?;
    // When one of the parts fails, the refs are put back, and the next comparison brings what was written in line.
    for some in rest.chunks(refs::TOGETHER) {
        let (some, by) = (some.to_vec(), by.clone());
        let write = move |c: &Connection| refs::observe(c, id, &some, Some(&by), Timestamp::now());
        written.extend(door.store.write(write).await?);
    }
    Ok(Recorded { repository_id: id, events: written })
}

/// What a push was recorded as.
struct Recorded {
    repository_id: i64,
    events: Vec<i64>,
}

/// Makes the row, unless another first push was quicker.
fn create(c: &Connection, path: &RepositoryPath, by: &str, now: Timestamp) -> Result<i64> {
    if let Some(known) = repositories::by_path(c, path)? {
        return Ok(known.id);
    }
    let new = NewRepository { path: path.clone(), description: String::new(), private: false, remote: None };
    let id = repositories::create(c, &new, now)?;
    events::add(c, Some(id), &Happened::RepositoryCreated { by: by.to_owned() }, now)?;
    Ok(id)
}

/// The branch git now has as default, once it exists.
fn default_branch(door: &Door, path: &RepositoryPath) -> Option<String> {
    let head = door.git.default_branch(path).ok()?;
    let exists = door.git.read_ref(path, &head).ok()?.is_some();
    head.branch_name().filter(|_| exists).map(str::to_owned)
}

/// Events whose outcomes are shown; a push of more is read on the pages.
const MOST_EVENTS: usize = 500;

/// What became of the push's events: the first of them, and whether all are decided, when they are or patience ends.
async fn wait(door: &Door, push: &Recorded) -> (Vec<Event>, bool) {
    let mut bell = door.store.bell();
    let until = Instant::now() + door.settings.push_patience;
    let (Some(first), Some(last)) = (push.events.first(), push.events.last()) else {
        return (Vec::new(), true);
    };
    let decided = loop {
        bell.borrow_and_update();
        let look = |c: &Connection| events::any_undecided(c, push.repository_id, (*first, *last));
        let decided = door.store.read(look).is_ok_and(|any| !any);
        let left = until.saturating_duration_since(Instant::now());
        if left == Duration::ZERO || decided {
            break decided;
        }
        let _ = tokio::time::timeout(left, bell.changed()).await;
    };
    let read = |c: &Connection| {
        push.events.iter().take(MOST_EVENTS).map(|id| events::by_id(c, *id)).collect::<Result<Vec<_>>>()
    };
    (door.store.read(read).unwrap_or_default().into_iter().flatten().collect(), decided)
}

/// The lines a pusher sees.
struct Lines<'a> {
    door: &'a Door,
    path: &'a RepositoryPath,
    language: Language,
}

impl Lines<'_> {
    fn of(&self, (events, decided): &(Vec<Event>, bool)) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for outcome in events.iter().filter_map(|event| event.outcome.as_ref()).flatten() {
            for line in self.of_outcome(outcome) {
                // A push of twenty branches without a pipeline says so once.
                if !lines.contains(&line) {
                    lines.push(line);
                }
            }
        }
        if !decided {
            let url = format!("{}/{}/pipelines", self.door.settings.url, self.path);
            lines.push(self.say(&msg!("git-http-undecided", url = url)));
        }
        if lines.len() > MOST_LINES {
            let more = lines.len() - MOST_LINES + 1;
            lines.truncate(MOST_LINES - 1);
            lines.push(self.say(&msg!("git-http-more-lines", count = more)));
        }
        lines
    }

    fn of_outcome(&self, outcome: &Outcome) -> Vec<String> {
        let (Some(pipeline), Some(id), Some(number)) =
            (&outcome.pipeline, outcome.run_id, outcome.run_number)
        else {
            let why = self.say(&outcome.message);
            return vec![match &outcome.pipeline {
                Some(pipeline) => format!("{pipeline}: {why}"),
                None => why,
            }];
        };
        let url = format!("{}/{}/pipelines/{pipeline}/runs/{number}", self.door.settings.url, self.path);
        let findings = self.door.store.read(|c| runs::by_id(c, id)).ok().flatten().map(|run| run.findings);
        let findings = findings.unwrap_or_default();
        if findings.is_empty() {
            let mut lines =
                vec![self.say(&msg!("git-http-run", number = number, pipeline = pipeline, url = url))];
            lines.extend(self.door.engine_trouble().map(|trouble| self.say(&trouble)));
            return lines;
        }
        let count = findings.len();
        let mut lines = vec![self.say(&msg!(
            "git-http-run-refused",
            number = number,
            pipeline = pipeline,
            count = count
        ))];
        lines.extend(findings.iter().map(|finding| format!("  {}", self.finding(finding))));
        lines.push(self.say(&msg!("git-http-run-page", url = url)));
        lines
    }

    /// `path:line:column: message`, without the place where there is none.
    fn finding(&self, finding: &Finding) -> String {
        let text = self.say(&finding.message);
        match finding.line {
            0 => format!("{}: {text}", finding.path),
            line => format!("{}:{line}:{}: {text}", finding.path, finding.column),
        }
    }

    fn say(&self, message: &Message) -> String {
        messages::render(self.language, message)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_empty_advertisement_is_whole_packets() {
        let bytes = super::empty_advertisement();
        let (mut at, mut flushes) = (0, 0);
        while at < bytes.len() {
            let text = std::str::from_utf8(&bytes[at..at + 4]).unwrap();
            match usize::from_str_radix(text, 16).unwrap() {
                0 => (at, flushes) = (at + 4, flushes + 1),
                length => at += length,
            }
        }
        assert_eq!((at, flushes), (bytes.len(), 2));
    }
}
