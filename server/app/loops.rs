//! The loops of the house, each driven the same way: work until idle, then wait for the bell or the clock.
//! What a loop does is in its own room; here is only when.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use jiff::Timestamp;
use tokio::sync::watch;

use super::{App, endpoints};
use crate::health::Health;
use crate::model::{Error, Result, Turn};

/// After a start the door comes first: the loops begin when the first page can be out.
const DOOR_FIRST: Duration = Duration::from_millis(100);

/// Where a moment later is soon enough, many commits in a row are one reason to look.
const MOMENT: Duration = Duration::from_millis(20);
/// Where a commit is answered at once, those that follow within this are answered together: under load each would be
/// a look of every loop.
const PACE: Duration = Duration::from_millis(5);
/// Where only a row brings work.
const LONG: Duration = Duration::from_secs(3600);
/// How often the histories of image streams are gone through.
const PRUNE_EVERY: Duration = Duration::from_secs(3600);

/// Between two looks around.
const SOONEST: Duration = Duration::from_secs(1);

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A loop by its name.
type Begin = (&'static str, fn(Arc<App>) -> Work);

const ALL: [Begin; 9] = [
    ("watch", |app| Box::pin(async move { drive_watch(&app).await })),
    ("trigger", |app| Box::pin(async move { drive_trigger(&app).await })),
    ("run", |app| Box::pin(async move { drive_runs(&app).await })),
    ("health", |app| Box::pin(async move { drive_health(&app).await })),
    ("sweep", |app| Box::pin(async move { sweep(&app).await })),
    ("endpoints", |app| Box::pin(async move { drive_endpoints(&app).await })),
    ("tags", |app| Box::pin(async move { drive_tags(&app).await })),
    ("deliveries", |app| Box::pin(async move { drive_deliveries(&app).await })),
    ("imports", |app| Box::pin(async move { drive_imports(&app).await })),
];

/// All of a copy of another server's data: it looks around, and does nothing.
const OF_A_COPY: [Begin; 1] = [("health", |app| Box::pin(async move { drive_health(&app).await }))];

pub fn start(app: &Arc<App>, halted: &watch::Receiver<bool>) -> Vec<tokio::task::JoinHandle<()>> {
    let spawn = |(name, begin): Begin| {
        let (app, mut halted) = (app.clone(), halted.clone());
        tokio::spawn(async move {
            let work = async {
                tokio::time::sleep(DOOR_FIRST).await;
                // A mistake of ours in one turn must not be the end of all others.
                while AssertUnwindSafe(begin(app.clone())).catch_unwind().await.is_err() {
                    let panicked = Error::Internal("the loop panicked".into());
                    tokio::time::sleep(app.loops.failed(name, &panicked)).await;
                }
            };
            tokio::select! {
                () = work => {}
                _ = halted.wait_for(|stop| *stop) => {}
            }
        })
    };
    match app.held() {
        None => ALL.map(spawn).into(),
        Some(_) => OF_A_COPY.map(spawn).into(),
    }
}

/// Notes how a turn of the loop went, and pauses when it failed.
async fn rest_if_failed<T>(app: &App, name: &'static str, turn: Result<T>) -> Option<T> {
    match turn {
        Ok(done) => {
            app.loops.well(name);
            Some(done)
        }
        Err(error) => {
            tokio::time::sleep(app.loops.failed(name, &error)).await;
            None
        }
    }
}

/// Works until idle, then waits for the bell, or for the next look around: an engine that came back changes
/// no row. Both are read before the work, so nothing falls between.
async fn drive_runs(app: &App) {
    let mut bell = app.store.bell();
    let mut looks = app.surroundings.subscribe();
    loop {
        bell.borrow_and_update();
        looks.borrow_and_update();
        let looked = Instant::now();
        match rest_if_failed(app, "run", app.runs.tick().await).await {
            Some(Turn::Idle) => {}
            Some(Turn::Worked) | None => continue,
        }
        tokio::select! {
            rung = paced(&mut bell, looked) => if !rung { return },
            changed = looks.changed() => if changed.is_err() { return },
        }
    }
}

/// Repositories' turns, each on its own: one that takes long holds up nobody. While the house lacks something nothing
/// new is taken.
async fn drive_trigger(app: &App) {
    let mut bell = app.store.bell();
    let mut turns = FuturesUnordered::new();
    let mut paused: Option<Instant> = None;
    loop {
        bell.borrow_and_update();
        let looked = Instant::now();
        if paused.is_none_or(|until| until <= looked) {
            paused = None;
            match app.trigger.take().await {
                Ok(taken) => {
                    if taken.is_empty() && turns.is_empty() {
                        app.loops.well("trigger");
                    }
                    turns.extend(taken.into_iter().map(|taken| app.trigger.decide_taken(taken)));
                }
                Err(error) => paused = Some(Instant::now() + app.loops.failed("trigger", &error)),
            }
        }
        let until = paused.unwrap_or(looked);
        tokio::select! {
            Some(done) = turns.next() => match done {
                Ok(()) => app.loops.well("trigger"),
                Err(error) if paused.is_none() => {
                    paused = Some(Instant::now() + app.loops.failed("trigger", &error));
                }
                Err(error) => tracing::debug!(%error, "another turn failed"),
            },
            rung = paced(&mut bell, looked), if paused.is_none() => if !rung { return },
            () = tokio::time::sleep_until(until.into()), if paused.is_some() => {}
        }
    }
}

/// False when nothing will ring any more.
async fn soon(bell: &mut watch::Receiver<u64>) -> bool {
    let rung = bell.changed().await.is_ok();
    tokio::time::sleep(MOMENT).await;
    rung
}

/// As `soon`, but at once when the last look is not just behind.
async fn paced(bell: &mut watch::Receiver<u64>, looked: Instant) -> bool {
    let rung = bell.changed().await.is_ok();
    tokio::time::sleep_until((looked + PACE).into()).await;
    rung
}

async fn drive_watch(app: &App) {
    let noticed = app.watch.noticed();
    let mut bell = app.store.bell();
    loop {
        bell.borrow_and_update();
        let looked = async {
            app.watch.tick().await?;
            app.watch.follow_new().await
        };
        rest_if_failed(app, "watch", looked.await).await;
        tokio::select! {
            () = noticed.notified() => {}
            rung = soon(&mut bell) => if !rung { return },
            () = tokio::time::sleep_until(app.watch.next_poll().into()) => {}
        }
    }
}

/// What registries sent, each registry's in its own lane: apart from the tags, which a long look at all of them must
/// not hold up, and from what others sent.
async fn drive_deliveries(app: &App) {
    let mut bell = app.store.bell();
    let mut lanes = FuturesUnordered::new();
    loop {
        bell.borrow_and_update();
        let looked = Instant::now();
        let again = match app.watch.take_deliveries() {
            Ok((taken, again)) => {
                if taken.is_empty() && lanes.is_empty() {
                    app.loops.well("deliveries");
                }
                lanes.extend(taken.into_iter().map(|taken| app.watch.handle_taken(taken)));
                again
            }
            Err(error) => Some(Instant::now() + app.loops.failed("deliveries", &error)),
        };
        let done = tokio::select! {
            rung = paced(&mut bell, looked) => if rung { None } else { return },
            Some(done) = lanes.next() => Some(done),
            () = tokio::time::sleep_until(again.unwrap_or_else(Instant::now).into()), if again.is_some() => None,
        };
        if let Some(done) = done {
            rest_if_failed(app, "deliveries", done).await;
        }
    }
}

/// The clients of the endpoints follow their rows.
async fn drive_endpoints(app: &App) {
    let mut known = endpoints::Known::default();
    let mut bell = app.store.bell();
    loop {
        bell.borrow_and_update();
        let looked = Instant::now();
        if rest_if_failed(app, "endpoints", known.refresh(&app.store, &app.registries)).await.is_none() {
            continue;
        }
        if !paced(&mut bell, looked).await {
            return;
        }
    }
}

/// Tags at our registry: apart from git, which no slow registry may hold up.
async fn drive_tags(app: &App) {
    let mut bell = app.store.bell();
    loop {
        bell.borrow_and_update();
        rest_if_failed(app, "tags", app.watch.tick_tags().await).await;
        tokio::select! {
            rung = soon(&mut bell) => if !rung { return },
            () = tokio::time::sleep_until(app.watch.next_tags().into()) => {}
        }
    }
}

/// Imports from any registry, each in its own lane: apart from ours, and from each other.
async fn drive_imports(app: &App) {
    let mut bell = app.store.bell();
    let mut lanes = FuturesUnordered::new();
    loop {
        bell.borrow_and_update();
        let looked = Instant::now();
        let wait = match app.watch.take_imports(Timestamp::now()) {
            Ok((taken, wait)) => {
                if taken.is_empty() && lanes.is_empty() {
                    app.loops.well("imports");
                }
                lanes.extend(taken.into_iter().map(|taken| app.watch.import_taken(taken)));
                wait
            }
            Err(error) => Some(app.loops.failed("imports", &error)),
        };
        let done = tokio::select! {
            rung = paced(&mut bell, looked) => if rung { None } else { return },
            Some(done) = lanes.next() => Some(done),
            () = tokio::time::sleep(wait.unwrap_or(LONG)) => None,
        };
        if let Some(done) = done {
            rest_if_failed(app, "imports", done).await;
        }
    }
}

async fn drive_health(app: &App) {
    let mut pruned: Option<Instant> = None;
    loop {
        app.look_around().await;
        if app.held().is_none() && pruned.is_none_or(|at| at.elapsed() >= PRUNE_EVERY) {
            pruned = Some(Instant::now());
            app.prune_streams().await;
        }
        let good_for = Health::good_for(&app.surroundings.borrow());
        tokio::select! {
            () = tokio::time::sleep(good_for) => {}
            // Not more often than this, however they come and go.
            () = async { tokio::join!(app.loops.changed(), tokio::time::sleep(SOONEST)); } => {}
        }
    }
}

/// What an earlier process left in the engine goes as soon as the engine can be asked; so does what a run of
/// this one left while the engine was gone.
async fn sweep(app: &App) {
    loop {
        while let Err(error) = app.runs.sweep().await {
            tracing::debug!(%error, "the engine cannot be swept yet");
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
        app.runs.untidy().await;
    }
}
