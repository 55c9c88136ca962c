//! What every step of a run is, worked out before the first begins; and the next step's container,
//! started while the present one works, so that a new container per step costs no time between steps.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::House;
use super::workspace::Workspace;
use crate::docker::{EngineError, Limits, Mount, Prepared, RunLabels, Shell, StepSpec};
use crate::logs::Writer;
use crate::model::{Action, Definition, Error, Result, Run, Stage, Step};
use crate::pipeline;

/// A step with everything resolved.
#[derive(Clone, Debug)]
pub struct Work {
    pub stage: u32,
    pub step: u32,
    pub directory: String,
    pub environment: BTreeMap<String, String>,
    pub image: String,
    pub timeout_seconds: Option<u64>,
    pub action: Resolved,
}

#[derive(Clone, Debug)]
pub enum Resolved {
    Script(String),
    Echo(String),
}

/// The steps of one stage, or why one of them cannot be: an unknown variable is found before the stage begins.
pub fn of_stage(
    house: &House,
    run: &Run,
    definition: &Definition,
    index: u32,
    builtin: &BTreeMap<String, String>,
) -> Result<Vec<Work>> {
    let stage = stage(definition, index)?;
    let mut builtin = builtin.clone();
    builtin.insert("STAGE_NAME".into(), stage.name.clone());
    let one = |(number, step): (u32, &Step)| {
        let layers: [&[_]; 3] = [&definition.environment, &stage.environment, &step.environment];
        let environment = pipeline::environment(&builtin, &run.inputs, &layers)?;
        let action = match &step.action {
            Action::Sh(text) | Action::Bat(text) => Resolved::Script(pipeline::resolve(text, &environment)?),
            Action::Echo(text) => Resolved::Echo(pipeline::resolve(text, &environment)?),
        };
        let image = [&step.image, &stage.image, &definition.image].into_iter().flatten().next();
        Ok(Work {
            stage: index,
            step: number,
            directory: step.directory.clone(),
            environment,
            image: image.unwrap_or(&house.settings.step_image).clone(),
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

/// The container of at most one step that is not running yet.
pub struct Ahead {
    house: Arc<House>,
    run: Run,
    workspace: Workspace,
    next: Option<Next>,
}

struct Next {
    key: (u32, u32),
    task: JoinHandle<Result<Prepared, EngineError>>,
    /// What the engine says while it fetches an image.
    progress: mpsc::UnboundedReceiver<String>,
}

impl Ahead {
    pub fn new(house: Arc<House>, run: Run, workspace: Workspace) -> Self {
        Ahead { house, run, workspace, next: None }
    }

    /// Starts the container for `work` unless that has been done.
    pub fn begin(&mut self, work: &Work) {
        let key = (work.stage, work.step);
        let Resolved::Script(script) = &work.action else { return };
        if self.next.as_ref().is_some_and(|next| next.key == key) {
            return;
        }
        let (tell, progress) = mpsc::unbounded_channel();
        let (house, run, workspace) = (self.house.clone(), self.run.clone(), self.workspace.clone());
        let (work, script) = (work.clone(), script.clone());
        let prepare = async move {
            let path = workspace.add_script(work.stage, work.step, &script).await?;
            let mut say = |line: &str| drop(tell.send(line.to_owned()));
            let image = house.engine.ensure_image(&work.image, &mut say).await?;
            let mut spec = spec(&house, &run, &workspace, (&work, path, &script));
            // By its id, so that a tag that moves meanwhile changes nothing.
            spec.image = image.id;
            house.engine.prepare(&spec).await
        };
        // Dropping a task that was not taken drops its container, which removes it.
        self.next = Some(Next { key, task: tokio::spawn(prepare), progress });
    }

    /// The container for `work`, waiting for its word to go. Safe to drop and call again.
    pub async fn take(&mut self, work: &Work, log: &mut Writer) -> Result<Prepared, EngineError> {
        self.begin(work);
        let Some(next) = self.next.as_mut() else {
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
        self.next = None;
        prepared.map_err(|e| Error::internal("start a step's container", e))?
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
        script,
        shell: Shell::of(text),
        directory: workspace.root.join(&work.directory),
        create_directory: true,
        environment: work.environment.clone().into_iter().collect(),
        mounts: vec![Mount::same(&workspace.root), Mount::same(&workspace.scripts)],
        docker_socket: settings.step_socket.clone(),
        extra_hosts: settings.step_hosts.clone(),
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
