//! `check`: whether what is stored is whole, and whether its parts belong together: the database by SQLite's own checks,
//! sealed values against their key, refs and commits of the record against the repositories, every repository by
//! `git fsck`, the logs of runs against their files, and, when it is asked to, the images that runs pushed against the
//! registry. It changes nothing, repairs nothing, and says what it did not look at.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::Session;
use super::arguments::about;
use super::exit::Exit;
use super::language::say;
use crate::git::Repositories;
use crate::model::{CommitId, Error, Message, RepositoryPath};
use crate::store::audit::Audit;
use crate::store::lease::{self, Place};
use crate::store::repositories::{self, Repository};
use crate::store::{accounts, refs};
use crate::{logs, msg, registry};

/// Of one kind at one place; the rest is counted.
const MOST: usize = 20;
/// Images that a registry is asked for.
const MOST_IMAGES: usize = 10_000;

#[derive(Debug, Args)]
pub struct Check {
    #[arg(long, value_name = "URL", help = about(msg!("cli-flag-images")))]
    images: Option<String>,
    #[arg(long, value_name = "DIR", help = about(msg!("cli-flag-data")))]
    data: Option<String>,
}

/// What was found so far.
#[derive(Default)]
struct Found {
    repositories: usize,
    faults: Vec<(String, Message)>,
    /// What was not looked at, and what a person should know.
    notes: Vec<Message>,
}

impl Found {
    fn add(&mut self, part: &str, message: Message) {
        self.faults.push((part.to_owned(), message));
    }

    /// The first of many, and how many more there are.
    fn add_some(&mut self, part: &str, all: Vec<Message>) {
        let more = all.len().saturating_sub(MOST);
        self.faults.extend(all.into_iter().take(MOST).map(|message| (part.to_owned(), message)));
        if more > 0 {
            self.add(part, msg!("cli-check-more", count = more));
        }
    }
}

pub async fn check(session: &Session, check: &Check) -> Result<(), Exit> {
    let data = session.data(check.data.as_deref())?;
    let mut found = Found::default();
    match Audit::open(&data) {
        Ok(audit) => look(session, check, (&data, &audit), &mut found).await?,
        Err(Error::Conflict(message)) => {
            found.add("database", message);
            found.notes.push(msg!("cli-check-not-rest"));
        }
        Err(other) => return Err(other.into()),
    }
    found.notes.push(msg!("cli-check-not-engine"));
    report(session, &found)
}

async fn look(
    session: &Session,
    check: &Check,
    (data, audit): (&Path, &Audit),
    found: &mut Found,
) -> Result<(), Exit> {
    let words = audit.integrity()?.into_iter().map(|words| msg!("cli-check-database", found = words));
    found.add_some("database", words.collect());
    if let Some(message) = audit.other_version() {
        found.add("database", message);
        found.notes.push(msg!("cli-check-not-rest"));
        return Ok(());
    }
    if !accounts::any(audit.rows())? {
        found.add("database", msg!("cli-check-no-accounts"));
    }
    if let Some(lease) = lease::of_another(audit.rows(), &Place::of(data)?)? {
        found.notes.push(msg!("cli-check-copy", other = lease.place.path.display(), host = lease.place.host));
    }
    for (part, message) in audit.key(data)? {
        found.add(&part, message);
    }
    all_repositories(session, (data, audit), found).await?;
    session.terminal.progress(&say(&msg!("cli-check-progress-logs")));
    all_logs(&data.join("logs"), audit, found)?;
    match &check.images {
        Some(url) => all_images(session, url, audit, found).await?,
        None => found.notes.push(msg!("cli-check-not-images")),
    }
    if audit.has_changed() {
        found.add("database", msg!("cli-check-changed"));
    }
    Ok(())
}

async fn all_repositories(
    session: &Session,
    (data, audit): (&Path, &Audit),
    found: &mut Found,
) -> Result<(), Exit> {
    let all = repositories::all(audit.rows())?;
    found.repositories = all.len();
    let Some(git) = Repositories::existing_in(data) else {
        if !all.is_empty() {
            let path = data.join("repositories");
            found
                .add("repositories", msg!("store-no-repositories", path = path.display(), count = all.len()));
        }
        return Ok(());
    };
    for (at, repository) in all.iter().enumerate() {
        let path = &repository.path;
        let progress = msg!("cli-check-progress", at = at + 1, count = all.len(), path = path);
        session.terminal.progress(&say(&progress));
        if git.exists(path) {
            one_repository(&git, repository, audit, found).await?;
        } else if repository.remote.is_none() {
            found.add(&path.to_string(), msg!("cli-check-no-folder"));
        }
    }
    let known: BTreeSet<PathBuf> = all.iter().map(|repository| git.directory(&repository.path)).collect();
    let strays = folders(git.root()).into_iter().filter(|folder| !known.contains(folder));
    let strays = strays.map(|folder| msg!("cli-check-stray-folder", path = folder.display()));
    found.add_some("repositories", strays.collect());
    Ok(())
}

/// `OWNER/NAME.git` below `root`.
fn folders(root: &Path) -> Vec<PathBuf> {
    let inside = |path: PathBuf| {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect::<Vec<_>>()
    };
    let mut all: Vec<PathBuf> = inside(root.to_owned()).into_iter().flat_map(inside).collect();
    all.retain(|path| path.extension().is_some_and(|extension| extension == "git"));
    all.sort();
    all
}

async fn one_repository(
    git: &Repositories,
    repository: &Repository,
    audit: &Audit,
    found: &mut Found,
) -> Result<(), Exit> {
    let path = &repository.path;
    let part = path.to_string();
    let words = match git.fsck(path).await {
        Ok(words) => words,
        Err(Error::Internal(cause)) => return Err(Error::Internal(cause).into()),
        Err(other) => {
            found.add_some(&part, other.message().cloned().into_iter().collect());
            return Ok(());
        }
    };
    found.add_some(&part, words.into_iter().map(|words| msg!("cli-check-git", found = words)).collect());
    compare_refs(git, (path, repository.id), audit, found)?;
    let commits = audit.commits(repository.id)?;
    let ids: Vec<CommitId> = commits.iter().map(|(commit, _)| commit.clone()).collect();
    let lost: BTreeSet<CommitId> = git.missing(path, ids).await?.into_iter().collect();
    let lost = commits.into_iter().filter(|(commit, _)| lost.contains(commit));
    let lost = lost.map(|(commit, run)| msg!("cli-check-lost", commit = commit, run = run));
    found.add_some(&part, lost.collect());
    Ok(())
}

/// A push in between moves both; the record is read again before a difference counts.
fn compare_refs(
    git: &Repositories,
    (path, id): (&RepositoryPath, i64),
    audit: &Audit,
    found: &mut Found,
) -> Result<(), Exit> {
    let differences = || -> Result<BTreeSet<(String, String, String)>, Error> {
        let recorded = refs::seen(audit.rows(), id)?;
        let present: std::collections::BTreeMap<_, _> = git.list_refs(path)?.refs.into_iter().collect();
        let names: BTreeSet<_> = recorded.keys().chain(present.keys()).collect();
        let text = |commit: Option<&CommitId>| commit.map_or("-".to_owned(), ToString::to_string);
        let differ = names.into_iter().filter(|name| recorded.get(*name) != present.get(*name));
        Ok(differ.map(|name| (name.to_string(), text(recorded.get(name)), text(present.get(name)))).collect())
    };
    let first = differences()?;
    if first.is_empty() {
        return Ok(());
    }
    let again = differences()?;
    let still = first.intersection(&again).map(|(name, recorded, present)| {
        msg!("cli-check-ref", reference = name, recorded = recorded, found = present)
    });
    found.add_some(&path.to_string(), still.collect());
    Ok(())
}

fn all_logs(folder: &Path, audit: &Audit, found: &mut Found) -> Result<(), Exit> {
    let mut missing = Vec::new();
    audit.each_log(|log| {
        let length = logs::length(folder, log.run, log.stage);
        match length {
            None => missing.push(msg!("cli-check-log-missing", run = log.run, stage = log.stage)),
            Some(length) if length < log.least => missing.push(msg!(
                "cli-check-log-short",
                run = log.run,
                stage = log.stage,
                found = length,
                wanted = log.least
            )),
            Some(_) => {}
        }
    })?;
    found.add_some("logs", missing);
    let mut strays = Vec::new();
    for run in logs::runs(folder) {
        if !audit.has_run(run)? {
            strays.push(msg!("cli-check-stray-log", run = run));
        }
    }
    found.add_some("logs", strays);
    Ok(())
}

async fn all_images(session: &Session, url: &str, audit: &Audit, found: &mut Found) -> Result<(), Exit> {
    // reqwest and rustls take the one that is installed; that another was first is as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = registry::Client::new(url)?;
    let images = audit.images(MOST_IMAGES)?;
    let mut lost = Vec::new();
    for (at, (repository, digest, tag)) in images.iter().enumerate() {
        let image = format!("{repository}:{tag}");
        session.terminal.progress(&say(&msg!(
            "cli-check-progress",
            at = at + 1,
            count = images.len(),
            path = image
        )));
        match client.head(repository, digest.as_str()).await {
            Ok(Some(_)) => {}
            Ok(None) => lost.push(msg!("cli-check-image", image = image, digest = digest)),
            Err(error) => {
                // Nobody knows of the rest.
                found.add("registry", error.message().cloned().unwrap_or(msg!("run-registry-silent")));
                break;
            }
        }
    }
    found.add_some("registry", lost);
    if images.len() == MOST_IMAGES {
        found.notes.push(msg!("cli-check-not-all-images", count = MOST_IMAGES));
    }
    Ok(())
}

fn report(session: &Session, found: &Found) -> Result<(), Exit> {
    session.terminal.progress("");
    let whole = found.faults.is_empty();
    if session.json {
        let one = |(part, message): &(String, Message)| json!({ "part": part, "code": message.key, "message": say(message) });
        let problems: Vec<_> = found.faults.iter().map(one).collect();
        let notes: Vec<_> = found.notes.iter().map(say).collect();
        let value =
            json!({ "ok": whole, "repositories": found.repositories, "problems": problems, "notes": notes });
        session.terminal.json(&value)?;
    } else {
        for (part, message) in &found.faults {
            session.terminal.line(&format!("{part}: {}", say(message)))?;
        }
        if whole {
            session.terminal.line(&say(&msg!("cli-check-ok", repositories = found.repositories)))?;
        }
        for note in &found.notes {
            session.terminal.note(&say(note));
        }
    }
    if whole { Ok(()) } else { Err(Exit::silent()) }
}
