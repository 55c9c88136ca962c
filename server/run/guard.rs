//! Watches over the names that a run's bases have in the engine: an image that is made under such a name while the run
//! is under way is what the same files would get without pins, so from then on the name counts and not the pin. The
//! engine tells of most at once and is asked for the rest, as not every way of building an image is told of. What used
//! the pin nevertheless after that is found at the end.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::task::JoinHandle;

use super::House;
use super::names::{Name, is_made, local};
use super::restore::Written;
use super::used::{is_of, used};
use crate::docker::{EngineError, Happening, LocalImage};
use crate::model::{BaseImage, Error, Message, Result, UsedBy};
use crate::msg;

/// How often the engine is asked for what it does not tell.
const EVERY: Duration = Duration::from_millis(250);
/// Most uses of pins that are remembered.
const MOST_USES: usize = 1000;
/// Most images that are kept as used.
const MOST_SEEN: usize = 200;

/// A container that was made with an image.
#[derive(Clone, Debug)]
struct Use {
    image: String,
    at: Timestamp,
}

#[derive(Default)]
struct State {
    names: Vec<Name>,
    written: Option<Written>,
    uses: Vec<Use>,
    /// What was really used, and what the engine knew of it.
    seen: Vec<(String, UsedBy, LocalImage)>,
    /// For the log of the stage that is under way.
    lines: Vec<Message>,
    /// Whether the engine has stopped telling.
    blind: bool,
}

struct Inner {
    run: i64,
    house: Arc<House>,
    /// One look at a time, so that what is found is acted upon once.
    looking: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    workspace: PathBuf,
}

/// Ends its watch when it is dropped.
pub struct Guard {
    inner: Arc<Inner>,
    watch: JoinHandle<()>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.watch.abort();
        super::makers(&self.inner.house).retain(|(run, _)| *run != self.inner.run);
    }
}

impl Guard {
    /// Before any step of the run works. `pins` are the names and what they are pinned to.
    pub async fn begin(
        house: &Arc<House>,
        (run, workspace): (i64, PathBuf),
        pins: impl Iterator<Item = (String, String)>,
    ) -> std::result::Result<Guard, EngineError> {
        let now = Timestamp::now();
        let mut names = Vec::new();
        for (reference, pinned) in pins.filter(|(reference, _)| !reference.contains('@')) {
            names.push(Name { reference, pinned, before: None, clean: now, made: false });
        }
        let all = join_all(names.iter().map(|name| local(&house.engine, &name.reference))).await;
        for (name, found) in names.iter_mut().zip(all) {
            name.before = found?;
            // Made here before, and in no registry: the engine would use it, whatever the registry has.
            let local = name.before.as_ref().is_some_and(|image| image.digests.is_empty());
            name.made = local;
        }
        let lines = names
            .iter()
            .filter(|name| name.made && name.is_pinned())
            .map(|name| msg!("run-base-local", reference = name.reference))
            .collect();
        let state = Mutex::new(State { names, lines, ..State::default() });
        let looking = tokio::sync::Mutex::default();
        let inner = Arc::new(Inner { run, house: house.clone(), looking, state, workspace });
        let watch = tokio::spawn(watch(inner.clone(), now));
        Ok(Guard { inner, watch })
    }

    /// The files that pins have changed: what is made under a name is put back there, at once and from now on.
    pub async fn written(&self, written: Written) -> Result<()> {
        super::makers(&self.inner.house).push((self.inner.run, written.values.made().clone()));
        let _looking = self.inner.looking.lock().await;
        let made: Vec<String> = {
            let mut state = self.inner.state();
            state.written = Some(written);
            state.names.iter().filter(|name| name.made).map(|name| name.reference.clone()).collect()
        };
        self.inner.unpin(made).await
    }

    /// Looks now. Messages for the log come from `lines`.
    pub async fn look(&self) -> std::result::Result<(), EngineError> {
        self.inner.look().await
    }

    /// What is to be said, once.
    pub fn lines(&self) -> Vec<Message> {
        std::mem::take(&mut self.inner.state().lines)
    }

    /// Whether an image has been made under this name, as far as was looked.
    pub fn is_made(&self, reference: &str) -> bool {
        self.inner.state().names.iter().any(|name| name.made && name.reference == reference)
    }

    /// An image that a step runs in.
    pub fn used(&self, image: &str, found: &LocalImage) {
        self.inner.saw(image, UsedBy::Step, found);
    }

    /// What became of the run's bases: which were made anew, and what was used of them.
    pub fn outcome(&self, bases: &[BaseImage]) -> Vec<BaseImage> {
        let made = self.made();
        let state = self.inner.state();
        let one = |base: &BaseImage| {
            let mut ended = base.clone();
            if made.contains(&base.reference) {
                ended.note = Some(msg!("pin-made", reference = base.reference));
            }
            let of_base = state.seen.iter().filter(|(image, ..)| is_of(base, image));
            ended.used = of_base.map(|(image, by, found)| used(base, image, *by, found)).collect();
            (ended != *base).then_some(ended)
        };
        bases.iter().filter_map(one).collect()
    }

    /// The names that count instead of their pins.
    pub fn made(&self) -> Vec<String> {
        let state = self.inner.state();
        let made = state.names.iter().filter(|name| name.made && name.is_pinned());
        made.map(|name| name.reference.clone()).collect()
    }

    /// At the run's end: the sentence of a failure when something used a pin although its name had been made anew.
    pub async fn verdict(&self) -> std::result::Result<Option<Message>, EngineError> {
        self.inner.look().await?;
        let state = self.inner.state();
        for name in state.names.iter().filter(|name| name.made && name.is_pinned()) {
            if state.uses.iter().any(|one| one.image == name.pinned && one.at > name.clean) {
                return Ok(Some(msg!("run-base-late", reference = name.reference, pinned = name.pinned)));
            }
        }
        Ok(None)
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn look(&self) -> std::result::Result<(), EngineError> {
        let _looking = self.looking.lock().await;
        let open: Vec<Name> = self.state().names.iter().filter(|name| !name.made).cloned().collect();
        if open.is_empty() {
            return Ok(());
        }
        let begun = Timestamp::now();
        let all = join_all(open.iter().map(|name| local(&self.house.engine, &name.reference))).await;
        let mut made = Vec::new();
        for (name, found) in open.iter().zip(all) {
            let found = found?;
            let is_made = is_made(name, found.as_ref());
            let by_other = is_made && self.is_made_by_another(&name.reference);
            let mut state = self.state();
            let Some(known) = state.names.iter_mut().find(|known| known.reference == name.reference) else {
                continue;
            };
            match (is_made, by_other) {
                (false, _) => known.clean = begun,
                (true, true) => known.before = found,
                (true, false) => {
                    known.made = true;
                    if name.is_pinned() {
                        state.lines.push(msg!("run-base-made", reference = name.reference));
                        made.push(name.reference.clone());
                    }
                }
            }
        }
        self.unpin(made).await.map_err(EngineError::from)
    }

    /// Whether another run that is under way says of itself that it makes this image.
    fn is_made_by_another(&self, reference: &str) -> bool {
        let makers = super::makers(&self.house);
        makers.iter().any(|(run, makers)| *run != self.run && makers.may_make(reference))
    }

    async fn unpin(&self, made: Vec<String>) -> Result<()> {
        if made.is_empty() {
            return Ok(());
        }
        let Some(mut written) = self.state().written.take() else { return Ok(()) };
        let work = tokio::task::spawn_blocking(move || {
            let done = made.iter().try_for_each(|reference| written.unpin(reference));
            (written, done)
        });
        let (written, done) = work.await.map_err(|e| Error::internal("put references back", e))?;
        self.state().written = Some(written);
        done
    }

    async fn happened(&self, happening: Happening) {
        let Happening::Container { image, project, at } = happening else { return };
        let in_workspace =
            project.as_ref().is_some_and(|folder| Path::new(folder).starts_with(&self.workspace));
        if project.is_some() && !in_workspace {
            return;
        }
        {
            let mut state = self.state();
            let is_pin = state.names.iter().any(|name| name.pinned == image);
            if is_pin && state.uses.len() < MOST_USES {
                state.uses.push(Use { image: image.clone(), at });
            }
        }
        if in_workspace && let Ok(Some(found)) = local(&self.house.engine, &image).await {
            self.saw(&image, UsedBy::Container, &found);
        }
    }

    fn saw(&self, image: &str, by: UsedBy, found: &LocalImage) {
        let mut state = self.state();
        let is_known = state.seen.iter().any(|(i, b, f)| i == image && *b == by && f.id == found.id);
        if !is_known && state.seen.len() < MOST_SEEN {
            state.seen.push((image.to_owned(), by, found.clone()));
        }
    }
}

/// Until the run's end.
async fn watch(inner: Arc<Inner>, since: Timestamp) {
    let followed = inner.house.engine.follow(since).await;
    let mut told = match followed {
        Ok(stream) => stream.boxed(),
        Err(_) => futures_util::stream::empty().boxed(),
    };
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut hears = true;
    loop {
        tokio::select! {
            event = told.next(), if hears => match event {
                Some(Ok(Happening::Image)) => {}
                Some(Ok(happening)) => {
                    inner.happened(happening).await;
                    continue;
                }
                Some(Err(_)) | None => {
                    hears = false;
                    let mut state = inner.state();
                    if !std::mem::replace(&mut state.blind, true) {
                        state.lines.push(msg!("run-engine-silent"));
                    }
                    continue;
                }
            },
            _ = tick.tick() => {}
        }
        if let Err(error) = inner.look().await {
            tracing::debug!(run = inner.run, %error, "the names of a run's bases could not be looked at");
        }
    }
}
