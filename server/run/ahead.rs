//! What every step of a run is, worked out before the first begins; and the next steps' containers,
//! started while the present one works, so that a new container per step costs no time between steps.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::House;
use super::guard::Guard;
use super::pins::Pins;
use super::variables::Variables;
use super::workspace::Workspace;
use crate::docker::{EngineError, Limits, LocalImage, Place, Prepared, RunLabels, Shell, StepSpec};
use crate::logs::Writer;
use crate::model::{Action, Definition, Error, Result, Run, Stage, Step};
use crate::pipeline;

/// How many containers wait for their turn: a short step (`chmod`) before a long one is over sooner than the
/// long one's container can start.
pub const AT_MOST: usize = 2;
/// How often a container is made anew since its image's name has moved meanwhile.
const MOST_CHANGES: usize = 3;

/// A step with everything resolved. It does not print: secrets may be in it.
#[derive(Clone)]
pub struct Work {
    pub stage: u32,
    pub step: u32,
    pub directory: String,
    pub environment: BTreeMap<String, String>,
    /// As the definition names it.
    pub image: String,
    /// What it is pinned to.
    pub pinned: Option<String>,
    pub timeout_seconds: Option<u64>,
    pub action: Resolved,
}

#[derive(Clone)]
pub enum Resolved {
    Script(String),
    Echo(String),
}

impl Work {
    fn is_script(&self) -> bool {
        matches!(self.action, Resolved::Script(_))
    }
}

/// The steps of one stage, or why one of them cannot be: an unknown variable is found before the stage begins.
pub fn of_stage(
    house: &House,
    run: &Run,
    definition: &Definition,
    index: u32,
    (builtin, pins, stored): (&BTreeMap<String, String>, &Pins, &Variables),
) -> Result<Vec<Work>> {
    let stage = stage(definition, index)?;
    let mut builtin = builtin.clone();
    builtin.entry("STAGE_NAME".into()).or_insert_with(|| stage.name.clone());
    let own = stored.layer(&stage.variables, &run.inputs);
    let one = |(number, step): (u32, &Step)| {
        let layers: [&[_]; 4] = [&definition.environment, &own, &stage.environment, &step.environment];
        let mut environment = pipeline::environment(&builtin, &run.inputs, &layers)?;
        pins.overwrite(&mut environment);
        let action = match &step.action {
            Action::Sh(text) | Action::Bat(text) => Resolved::Script(pipeline::resolve(text, &environment)?),
            Action::Echo(text) => Resolved::Echo(pipeline::resolve(text, &environment)?),
        };
        let image = [&step.image, &stage.image, &definition.image].into_iter().flatten().next();
        let written = image.unwrap_or(&house.settings.step_image).clone();
        Ok(Work {
            stage: index,
            step: number,
            directory: step.directory.clone(),
            environment,
            pinned: pins.image(&written),
            image: written,
            timeout_seconds: step.timeout_seconds,
            action,
        })
    };
    (0u32..).zip(&stage.steps).map(one).collect()
}

pub fn stage(definition: &Definition, index: u32) -> Result<&Stage> {
    let found = usize::try_from(index).ok().and_then(|i| definition.stages.get(i));
    found.ok_or_else(|| Error::Internal(format!("the definition has no stage {index}")))
}

/// The containers of the steps that are next, in their order.
pub struct Ahead {
    house: Arc<House>,
    run: Run,
    workspace: Workspace,
    place: Place,
    next: VecDeque<Next>,
    /// Set before the first step's turn.
    pub guard: Option<Arc<Guard>>,
    /// What the stages so far have pushed: tags, and `host/repository@sha256:...`.
    pub pushed: BTreeMap<String, String>,
}

struct Next {
    key: (u32, u32),
    /// What it was asked to be made of.
    image: String,
    /// With the image that was.
    task: JoinHandle<Result<(Prepared, LocalImage), EngineError>>,
    /// What the engine says while it fetches an image.
    progress: mpsc::UnboundedReceiver<String>,
}

impl Ahead {
    pub fn new(house: Arc<House>, run: Run, workspace: Workspace) -> Self {
        let place = house.engine.place(&house.settings.step_hosts);
        Ahead { house, run, workspace, place, next: VecDeque::new(), guard: None, pushed: BTreeMap::new() }
    }

    pub fn place(&self) -> Place {
        self.place.clone()
    }

    /// Starts containers for the first few of `works`, as far as that has not been done.
    pub fn begin_some<'w>(&mut self, works: impl Iterator<Item = &'w Work>) {
        works.filter(|work| work.is_script()).take(AT_MOST).for_each(|work| self.begin(work));
    }

    /// Starts the container for `work` unless that has been done.
    fn begin(&mut self, work: &Work) {
        let key = (work.stage, work.step);
        let Resolved::Script(script) = &work.action else { return };
        if self.next.iter().any(|next| next.key == key) {
            return;
        }
        let (tell, progress) = mpsc::unbounded_channel();
        let (house, run, workspace) = (self.house.clone(), self.run.clone(), self.workspace.clone());
        let (work, script, place) = (work.clone(), script.clone(), self.place.clone());
        let wanted = self.image(&work);
        let image = wanted.clone();
        let prepare = async move {
            let path = workspace.add_script(work.stage, work.step, &script).await?;
            let mut say = |line: &str| drop(tell.send(line.to_owned()));
            let image = house.engine.ensure_image(&wanted, &mut say).await;
            let image = image.map_err(|error| error.about(&work.image))?;
            let mut spec = spec(&house, &run, &workspace, (&work, path, &script));
            // By its id, so that a tag that moves meanwhile changes nothing.
            spec.image_id = Some(image.id.clone());
            Ok((house.engine.prepare(&place, &spec).await?, image))
        };
        // Dropping a task that was not taken drops its container, which removes it.
        self.next.push_back(Next { key, image, task: tokio::spawn(prepare), progress });
    }

    /// What the step's image is to be taken by: the name when an image of that name was made in the engine meanwhile,
    /// what the run has pushed under it, its pin, or again the name.
    fn image(&self, work: &Work) -> String {
        if self.guard.as_ref().is_some_and(|guard| guard.is_made(&work.image)) {
            return work.image.clone();
        }
        let pushed = self.pushed.get(&work.image);
        pushed.or(work.pinned.as_ref()).unwrap_or(&work.image).clone()
    }

    /// The container for `work`, waiting for its word to go: of the image that its name means now, at its turn, whatever
    /// it meant when the container was made ahead. Safe to drop and call again.
    pub async fn take(&mut self, work: &Work, log: &mut Writer) -> Result<Prepared, EngineError> {
        let mut changed = 0;
        loop {
            let was_ahead = self.next.iter().any(|next| next.key == (work.stage, work.step));
            let (image, (prepared, found)) = match self.ready(work, log).await {
                // An earlier step had yet to make its image when this was tried.
                Err(EngineError::Failed(_)) if was_ahead && changed < MOST_CHANGES => {
                    changed += 1;
                    continue;
                }
                ready => ready?,
            };
            // Somebody who moves the name again and again has got what it was a moment ago.
            if changed == MOST_CHANGES
                || image == self.image(work) && self.is_still(&image, &found.id).await?
            {
                self.guard.iter().for_each(|guard| guard.used(&work.image, &found));
                return Ok(prepared);
            }
            changed += 1;
        }
    }

    /// Whether the name still means this image in the engine.
    async fn is_still(&self, image: &str, id: &str) -> Result<bool, EngineError> {
        if image.contains('@') {
            return Ok(true);
        }
        match self.house.engine.inspect_image(image).await {
            Ok(now) => Ok(now.id == id),
            // The name is gone: it is fetched, or the step says why it cannot be.
            Err(EngineError::Failed(Error::NotFound(_))) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The container that was made for `work`, with what it was made of.
    async fn ready(
        &mut self,
        work: &Work,
        log: &mut Writer,
    ) -> Result<(String, (Prepared, LocalImage)), EngineError> {
        self.begin(work);
        let key = (work.stage, work.step);
        while self.next.front().is_some_and(|next| next.key != key) {
            self.next.pop_front();
        }
        let Some(next) = self.next.front_mut() else {
            return Err(Error::Internal("a step without a script has no container".into()).into());
        };
        let mut talks = true;
        let prepared = loop {
            tokio::select! {
                line = next.progress.recv(), if talks => match line {
                    Some(line) => log.line(&format!("[ropewalk] {line}"))?,
                    None => talks = false,
                },
                prepared = &mut next.task, if !talks => break prepared,
            }
        };
        let image = self.next.pop_front().map(|next| next.image).unwrap_or_default();
        let prepared = prepared.map_err(|e| Error::internal("start a step's container", e))?;
        Ok((image, prepared?))
    }
}

fn spec(
    house: &House,
    run: &Run,
    workspace: &Workspace,
    (work, script, text): (&Work, PathBuf, &str),
) -> StepSpec {
    let settings = &house.settings;
    StepSpec {
        labels: run_labels(run),
        stage: work.stage,
        step: work.step,
        image: work.image.clone(),
        image_id: None,
        script,
        shell: Shell::of(text),
        directory: workspace.root.join(&work.directory),
        create_directory: true,
        tools: Some(workspace.tools()),
        environment: work.environment.clone().into_iter().collect(),
        mounts: workspace.mounts(),
        docker_socket: settings.step_socket.clone(),
        limits: Limits {
            memory: settings.limits.memory,
            cpus: settings.limits.cpus,
            processes: settings.limits.processes,
        },
        // The workspace belongs to the server's user; the steps' images bring users of their own.
        user: Some("0:0".to_owned()),
    }
}

fn run_labels(run: &Run) -> RunLabels {
    RunLabels {
        run: run.id,
        repository: run.repository.clone(),
        pipeline: run.pipeline.clone(),
        number: run.number,
    }
}
