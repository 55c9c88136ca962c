//! The second half of a push, under the update lock: git has acted, now its work is made durable and
//! recorded, and only then reported. When it cannot be recorded the refs are put back.

use std::path::Path;

use tokio::io::AsyncWriteExt as _;

use super::commands::{Command, PushHead};
use super::durable::{ObjectFolders, io_error, sync_ref_folders};
use super::program::{Invocation, collect_errors, reap};
use super::push::{Push, RefUpdate, Say, Settle};
use super::receive::{Carried, Session};
use super::refs;
use super::report::{Ending, Report};
use super::repositories::{in_background, set_head};
use crate::model::{CommitId, Error, RefName, Result};
use crate::msg;

impl Session {
    pub(super) async fn conclude(self, carried: Carried, head: PushHead, say: &Say, settle: Settle) {
        let Carried { report, fatal, folders, died, _guard } = carried;
        let updates = judge(&self.directory, &head.commands, report.as_ref());
        let mut report = match report {
            None if died => Some(report_of_the_dead(&updates, say)),
            other => other,
        };
        let (mut lines, mut fatal) = (Vec::new(), fatal);
        if updates.iter().any(|update| update.ok) {
            match self.record(updates.clone(), head.options.clone(), folders, settle).await {
                Ok(said) => lines = said,
                Err(cause) => {
                    tracing::error!(repository = %self.path, %cause, "a push could not be recorded");
                    let reason =
                        cause.message().map_or_else(|| say(&msg!("git-push-not-recorded")), |m| say(m));
                    put_back(&self.directory, &updates).await;
                    match report.as_mut().filter(|_| head.wants_report()) {
                        Some(report) => report.withdraw(&reason),
                        None => fatal = Some(reason.into_bytes()),
                    }
                }
            }
        }
        let report = report.as_ref().filter(|_| head.wants_report());
        self.end(&Ending { side_band: head.side_band(), lines: &lines, report, fatal: fatal.as_deref() })
            .await;
    }

    async fn record(
        &self,
        updates: Vec<RefUpdate>,
        options: Vec<String>,
        folders: ObjectFolders,
        settle: Settle,
    ) -> Result<Vec<String>> {
        let (directory, moved) = (self.directory.clone(), updates.clone());
        in_background(move || make_durable(&directory, &moved, &folders)).await?;
        settle(Push { updates, options }).await
    }
}

/// Which refs moved: by git's report, or without one by looking at the refs.
fn judge(repository: &Path, commands: &[Command], report: Option<&Report>) -> Vec<RefUpdate> {
    let moved = report.map(Report::moved);
    let judge_one = |command: &Command| {
        let name = command.name.clone()?;
        let ok = match &moved {
            Some(moved) => moved.contains(name.as_str().as_bytes()),
            None => {
                command.old != command.new
                    && refs::read(repository, &name).is_ok_and(|found| found == command.new)
            }
        };
        Some(RefUpdate { name, old: command.old.clone(), new: command.new.clone(), ok })
    };
    commands.iter().filter_map(judge_one).collect()
}

fn report_of_the_dead(updates: &[RefUpdate], say: &Say) -> Report {
    let reason = say(&msg!("git-push-died"));
    let any_moved = updates.iter().any(|update| update.ok);
    let mut report = Report::new(if any_moved { "ok" } else { &reason });
    for update in updates {
        match update.ok {
            true => report.ok(update.name.as_str()),
            false => report.refuse(update.name.as_str(), &reason),
        }
    }
    report
}

/// Syncs what git does not, and gives the repository its default branch with the first push.
fn make_durable(repository: &Path, updates: &[RefUpdate], folders: &ObjectFolders) -> Result<()> {
    folders.sync_touched(repository).map_err(|e| io_error("sync objects", &e))?;
    let moved: Vec<&RefName> = updates.iter().filter(|u| u.ok).map(|u| &u.name).collect();
    sync_ref_folders(repository, &moved).map_err(|e| io_error("sync refs", &e))?;
    if refs::read(repository, &refs::head(repository)?)?.is_some() {
        return Ok(());
    }
    let new = updates.iter().filter(|u| u.ok && u.new.is_some() && u.name.branch_name().is_some());
    let new: Vec<&RefName> = new.map(|update| &update.name).collect();
    // `git push --all` sends branches by name; the usual names go first.
    let usual = new.iter().find(|name| matches!(name.short(), "main" | "master"));
    match usual.or(new.first()) {
        Some(branch) => set_head(repository, branch),
        None => Ok(()),
    }
}

/// Undoes ref updates in one transaction, each only if the ref is still where the push put it. When
/// that fails too (a full disk), the next comparison of refs will find the push.
async fn put_back(repository: &Path, updates: &[RefUpdate]) {
    let moved = updates.iter().filter(|update| update.ok);
    let lines: String = moved.map(undo_line).collect();
    let outcome = update_refs(repository, lines).await;
    if let Err(cause) = outcome {
        tracing::error!(repository = %repository.display(), %cause, "refs of a push could not be put back");
    }
}

fn undo_line(update: &RefUpdate) -> String {
    let id = |id: &Option<CommitId>| id.as_ref().map_or("0".repeat(40), |id| id.to_string());
    format!("update {}\0{}\0{}\0", update.name, id(&update.old), id(&update.new))
}

/// `git update-ref --stdin -z`.
async fn update_refs(repository: &Path, lines: String) -> Result<()> {
    let mut child = Invocation::new("update-ref", repository).option("--stdin").option("-z").spawn_fed()?;
    let errors = collect_errors(child.stderr.take());
    if let Some(mut stdin) = child.stdin.take() {
        let _ = stdin.write_all(lines.as_bytes()).await;
    }
    match reap(&mut child).await {
        Some(status) if status.success() => Ok(()),
        _ => Err(Error::internal("git update-ref", errors.await.unwrap_or_default())),
    }
}
