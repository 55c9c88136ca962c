//! The loops of the house, each driven the same way: work until idle, then wait for the bell or the clock.
//! What a loop does is in its own room; here is only when.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;
use tokio::sync::watch;

use super::{App, endpoints};
use crate::health::Health;
use crate::model::{Result, Turn};

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

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

const ALL: [fn(Arc<App>) -> Work; 9] = [
    |app| Box::pin(async move { drive_watch(&app).await }),
    |app| Box::pin(async move { drive(&app, "trigger", || app.trigger.tick()).await }),
    |app| Box::pin(async move { drive(&app, "run", || app.runs.tick()).await }),
    |app| Box::pin(async move { drive_health(&app).await }),
    |app| Box::pin(async move { sweep(&app).await }),
    |app| Box::pin(async move { drive_endpoints(&app).await }),
    |app| Box::pin(async move { drive_tags(&app).await }),
    |app| Box::pin(async move { drive_deliveries(&app).await }),
    |app| Box::pin(async move { drive_imports(&app).await }),
];

/// All of a copy of another server's data: it looks around, and does nothing.
const OF_A_COPY: [fn(Arc<App>) -> Work; 1] = [|app| Box::pin(async move { drive_health(&app).await })];

pub fn start(app: &Arc<App>, halted: &watch::Receiver<bool>) -> Vec<tokio::task::JoinHandle<()>> {
    let spawn = |begin: fn(Arc<App>) -> Work| {
        let (app, mut halted) = (app.clone(), halted.clone());
        tokio::spawn(async move {
            let work = async {
                tokio::time::sleep(DOOR_FIRST).await;
                begin(app).await;
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

/// Works until idle, then waits for the bell, or for the next look around: an engine that came back changes
/// no row. Both are read before the work, so nothing falls between.
async fn drive<F: Future<Output = Result<Turn>>>(app: &App, name: &str, tick: impl Fn() -> F) {
    let mut bell = app.store.bell();
    let mut looks = app.surroundings.subscribe();
    loop {
        bell.borrow_and_update();
        looks.borrow_and_update();
        let looked = Instant::now();
        match tick().await {
            Ok(Turn::Worked) => continue,
            Ok(Turn::Idle) => {}
            Err(error) => {
                tracing::error!(name, %error, "a loop failed; it goes on in a second");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        }
        tokio::select! {
            rung = paced(&mut bell, looked) => if !rung { return },
            changed = looks.changed() => if changed.is_err() { return },
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
        if let Err(error) = looked.await {
            tracing::error!(%error, "the watch loop failed; it goes on in a second");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
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
                lanes.extend(taken.into_iter().map(|taken| app.watch.handle_taken(taken)));
                again
            }
            Err(error) => {
                tracing::error!(%error, "deliveries could not be read; once more in a second");
                Some(Instant::now() + Duration::from_secs(1))
            }
        };
        let done = tokio::select! {
            rung = paced(&mut bell, looked) => if rung { Ok(Turn::Idle) } else { return },
            Some(done) = lanes.next() => done,
            () = tokio::time::sleep_until(again.unwrap_or_else(Instant::now).into()), if again.is_some() => Ok(Turn::Idle),
        };
        if let Err(error) = done {
            tracing::error!(%error, "deliveries could not be handled; they are tried again in a second");
            tokio::time::sleep(Duration::from_secs(1)).await;
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
        if let Err(error) = known.refresh(&app.store, &app.registries) {
            tracing::error!(%error, "the endpoints could not be read; once more in a second");
            tokio::time::sleep(Duration::from_secs(1)).await;
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
        if let Err(error) = app.watch.tick_tags().await {
            tracing::error!(%error, "the loop that follows tags failed; it goes on in a second");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
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
                lanes.extend(taken.into_iter().map(|taken| app.watch.import_taken(taken)));
                wait
            }
            Err(error) => {
                tracing::error!(%error, "what is to be imported could not be read; once more in a second");
                Some(Duration::from_secs(1))
            }
        };
        let done = tokio::select! {
            rung = paced(&mut bell, looked) => if rung { Ok(()) } else { return },
            Some(done) = lanes.next() => done,
            () = tokio::time::sleep(wait.unwrap_or(LONG)) => Ok(()),
        };
        if let Err(error) = done {
            tracing::error!(%error, "what was imported could not be written; it is imported again in a second");
            tokio::time::sleep(Duration::from_secs(1)).await;
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
        tokio::time::sleep(good_for).await;
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
