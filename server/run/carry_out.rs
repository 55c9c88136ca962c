//! One run from its claim to its end: workspace, network, stages in order, images, status.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::ahead::{self, Ahead, Work};
use super::beside::{self, Watch};
use super::builtin::{builtin, git_url};
use super::guard::Guard;
use super::pins::Pins;
use super::stage::{Ended, Stage};
use super::stop::{Reason, Stop};
use super::used::{note_bases, pushed_so_far, unpinned};
use super::variables::Variables;
use super::workspace::{Workspace, remove_all};
use super::{House, pushed, submodules};
use crate::docker::EngineError;
use crate::git::Head;
use crate::model::{Definition, Error, Message, Result, Run, Status};
use crate::msg;
use crate::registry::{Candidate, Patience};
use crate::store::runs;

/// The last line of a log that a crash cut short. Logs are not translated.
pub const CRASH_MARK: &str = "[ropewalk] the server stopped here; this run is lost";

/// How long to wait before a run's end is written once more.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Returns folders that are still to be removed.
pub async fn carry_out(house: Arc<House>, run: Run, stop: Stop) -> Vec<PathBuf> {
    let mut ended = match attempt(&house, &run, stop.clone()).await {
        Ok(ended) => ended,
        Err(error) => {
            // What has a sentence is the business of whoever reads the run.
            if error.message().is_none() {
                tracing::error!(run = run.id, %error, "a run could not be carried out");
            }
            Ended::failed(error.message().cloned().unwrap_or_else(|| msg!("run-internal", id = run.id)))
        }
    };
    // Before the end is told: whoever reads that the run is over finds nothing of it in the engine.
    let aside = beside::remove(&house, &run).await;
    // Until it is written the run is under way for everybody, and the next one of its pipeline waits.
    while let Err(error) = end(&house, &run, ended.clone()).await {
        tracing::error!(run = run.id, %error, "a run's end could not be written; it is tried again");
        if error.message().is_none() {
            ended = Ended { status: Status::Lost, message: Some(msg!("run-lost-task")) };
        }
        house.store.make_room();
        if stop.reason() == Some(Reason::ShuttingDown) {
            return aside;
        }
        tokio::time::sleep(AGAIN_AFTER).await;
    }
    aside
}

async fn end(house: &House, run: &Run, ended: Ended) -> Result<()> {
    let id = run.id;
    house
        .store
        .write(move |c| {
            let now = Timestamp::now();
            runs::skip_rest(c, id, ended.status, now)?;
            runs::finish(c, id, ended.status, ended.message.as_ref(), now)
        })
        .await
}

async fn attempt(house: &Arc<House>, run: &Run, stop: Stop) -> Result<Ended> {
    let definition = house.store.read(|c| runs::definition(c, run.id))?;
    let definition = definition.ok_or_else(|| Error::Internal("a queued run without a definition".into()))?;
    let stored = Variables::open(house, &definition).await?;
    let taken = house.names.take(run);
    let workspace = Workspace::of(&house.settings.workspaces, &taken.name);
    if workspace.is_left() {
        beside::clear(house, &workspace).await?;
    }
    workspace.create(definition.keep).await?;
    let mut ahead = Ahead::new(house.clone(), run.clone(), workspace.clone());
    let _watch = Watch::begin(house, run, &taken, ahead.place());
    stored.hide(stages(house, run, &definition, (&workspace, &mut ahead, stop), &stored).await)
}

async fn stages(
    house: &Arc<House>,
    run: &Run,
    definition: &Definition,
    (workspace, ahead, stop): (&Workspace, &mut Ahead, Stop),
    stored: &Variables,
) -> Result<Ended> {
    let limit = definition.timeout_seconds.map_or(house.settings.run_timeout, Duration::from_secs);
    let deadline = (Instant::now() + limit, msg!("run-timeout-run", seconds = limit.as_secs()));
    let pins = Pins::read(house, run)?;
    let mut variables = builtin(run, workspace, &house.settings.addresses);
    variables.extend(pins.variables());
    variables.extend(stored.environment(&definition.variables));
    let count = u32::try_from(definition.stages.len()).unwrap_or(u32::MAX);
    let works: Vec<_> = (0..count)
        .map(|index| ahead::of_stage(house, run, definition, index, (&variables, &pins, stored)))
        .collect::<Result<_>>()?;
    // The containers start while the files are laid out.
    ahead.begin_some(works.iter().flatten());
    let names = pins.names().chain(unpinned(house, &works));
    let guard = Guard::begin(house, (run.id, workspace.root.clone()), names);
    let head = Head { reference: Some(run.reference.clone()), url: git_url(run, &house.settings.addresses) };
    let laid = house.git.checkout(&run.repository, &run.commit, &workspace.root, &head);
    let (laid, guard) = tokio::join!(laid, guard);
    let laid = laid?;
    let guard = match guard {
        Ok(guard) => Arc::new(guard),
        Err(error) => return unanswered(error),
    };
    ahead.guard = Some(guard.clone());
    let mut notes = submodules::fill_in(house, run, &laid).await?;
    guard.written(pins.apply(house, (run, definition), &workspace.root).await?).await?;
    notes.extend(laid.finish().await?);
    notes.extend(pins.sentences());
    let ended = in_order(house, run, definition, (ahead, stop, deadline), (&works, notes, stored)).await;
    note_bases(house, run, guard.outcome(pins.bases())).await?;
    match ended? {
        ended if ended.status == Status::Passed => match guard.verdict().await {
            Ok(Some(reason)) => Ok(Ended::failed(reason)),
            Ok(None) => Ok(ended),
            Err(error) => unanswered(error),
        },
        ended => Ok(ended),
    }
}

/// Without the engine's answer a run is lost.
fn unanswered(error: EngineError) -> Result<Ended> {
    match error {
        EngineError::Gone(message) => Ok(Ended { status: Status::Lost, message: Some(message) }),
        EngineError::Failed(error) => Err(error),
    }
}

/// The stages, up to the first that does not pass.
async fn in_order(
    house: &House,
    run: &Run,
    definition: &Definition,
    (ahead, stop, deadline): (&mut Ahead, Stop, (Instant, Message)),
    (works, notes, stored): (&[Vec<Work>], Vec<Message>, &Variables),
) -> Result<Ended> {
    for (index, steps) in (0u32..).zip(works) {
        let later: Vec<&Work> = works.iter().skip(index as usize + 1).flatten().collect();
        let stage = ahead::stage(definition, index)?;
        set_stage(house, run, index, Status::Running).await?;
        let since = Timestamp::now();
        let mut work = Stage {
            house,
            run,
            name: &stage.name,
            ahead: &mut *ahead,
            log: house.logs.writer(run.id, index, stored.mask())?,
            scanner: house.registry.scanner(),
            stop: stop.clone(),
            deadline: earlier(&deadline, stage),
        };
        if index == 0 {
            for sentence in &notes {
                work.log.line(&house.say(sentence))?;
            }
        }
        let ended = work.carry_out(steps, &later).await;
        let Stage { log, scanner, stop, .. } = work;
        let ended = close(house, run, index, (ended, log, scanner.finish(), since, stop)).await?;
        ahead.pushed = pushed_so_far(house, run)?;
        if ended.status != Status::Passed {
            return Ok(ended);
        }
    }
    Ok(Ended { status: Status::Passed, message: None })
}

fn earlier(deadline: &(Instant, Message), stage: &crate::model::Stage) -> (Instant, Message) {
    let own = stage.timeout_seconds.map(|seconds| {
        let at = Instant::now() + Duration::from_secs(seconds);
        (at, msg!("run-timeout-stage", stage = stage.name, seconds = seconds))
    });
    own.filter(|(at, _)| *at < deadline.0).unwrap_or_else(|| deadline.clone())
}

type StageEnd = (Result<Ended>, crate::logs::Writer, Vec<Candidate>, Timestamp, Stop);

/// Records what the stage pushed, whatever became of it, then its end.
async fn close(
    house: &House,
    run: &Run,
    index: u32,
    (ended, mut log, found, since, mut stop): StageEnd,
) -> Result<Ended> {
    // What the log says is looked for in its file.
    log.end_line()?;
    log.flush()?;
    let passed = ended.as_ref().is_ok_and(|ended| ended.status == Status::Passed);
    let ask = |patience| {
        let stage = pushed::Stage { index, since, passed, found: &found, patience };
        pushed::record(house, run, stage)
    };
    let recorded = tokio::select! {
        biased;
        // Somebody waits for the end: what answers at once is recorded, and nothing is waited for.
        _ = stop.wanted() => ask(Patience::NONE).await,
        recorded = ask(Patience::RUN) => recorded,
    };
    let mut ended = ended?;
    if let (Status::Passed, Err(_), Some(reason)) = (ended.status, &recorded, stop.reason()) {
        ended = Ended { status: reason.status(), message: Some(reason.message()) };
    }
    match recorded {
        Ok(sentences) => {
            for sentence in sentences {
                log.line(&house.say(&sentence))?;
            }
        }
        Err(error) if ended.status == Status::Passed => {
            let reason = error.message().cloned().unwrap_or_else(|| msg!("run-registry-silent"));
            log.line(&house.say(&reason))?;
            ended = Ended::failed(reason);
        }
        Err(error) => tracing::warn!(run = run.id, %error, "pushed images could not be recorded"),
    }
    log.finish().await?;
    set_stage(house, run, index, ended.status).await?;
    Ok(ended)
}

async fn set_stage(house: &House, run: &Run, index: u32, to: Status) -> Result<()> {
    let id = run.id;
    house.store.write(move |c| runs::set_stage(c, id, index, to, Timestamp::now())).await?;
    house.logs.ring(id);
    Ok(())
}

/// Removes what the run made in the engine and on the disk; what cannot be removed now goes at the next sweep.
pub async fn clean_up(house: &House, run: &Run, aside: Vec<PathBuf>) {
    if let Err(error) = house.engine.clean_up(run.id).await {
        tracing::warn!(run = run.id, %error, "containers of a run could not be removed");
        house.untidy.notify_one();
    }
    house.names.release(run.id);
    remove(house, remove_all(aside).await).await;
}

pub async fn remove(house: &House, left: Vec<PathBuf>) {
    if left.is_empty() {
        return;
    }
    // Steps run as root in their containers; what they leave may not be ours to remove.
    if let Err(error) = house.engine.remove_tree(&left, &house.settings.step_image).await {
        tracing::warn!(%error, "files of a run could not be removed");
    }
}

pub async fn sweep(house: &House) -> Result<()> {
    house.engine.clean_up_all_except(&|run| house.active_ids().contains(&run)).await?;
    house.engine.set_own_ports(house.settings.addresses.loopback_ports());
    house.engine.warm_up(&house.settings.step_image, &house.settings.step_hosts).await?;
    let Ok(entries) = std::fs::read_dir(&house.settings.workspaces) else { return Ok(()) };
    let found: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    let mut left = Vec::new();
    let mut names: BTreeSet<String> = BTreeSet::new();
    for path in found {
        match Workspace::name_of(&path) {
            Some(name) => drop(names.insert(name)),
            None => left.push(path),
        }
    }
    remove(house, remove_all(left).await).await;
    for name in names {
        // Asked after the look, and kept: a run that begins meanwhile has another name.
        let Some(held) = house.names.hold(&name) else { continue };
        let cleared = beside::clear(house, &Workspace::of(&house.settings.workspaces, &name)).await;
        house.names.release(held);
        cleared?;
    }
    Ok(())
}
