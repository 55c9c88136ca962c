//! What every step of a run is, worked out before the first begins; and the next step's container,
//! started while the present one works, so that a new container per step costs no time between steps.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::JoinHandle;

use super::House;
use super::workspace::Workspace;
use crate::docker::{Mount, Prepared, StepLimits, StepSpec};
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
    network: String,
    next: Option<((u32, u32), JoinHandle<Result<Prepared>>)>,
}

impl Ahead {
    pub fn new(house: Arc<House>, run: Run, workspace: Workspace, network: String) -> Self {
        Ahead { house, run, workspace, network, next: None }
    }

    /// Starts the container for `work` unless that has been done.
    pub fn begin(&mut self, work: &Work) {
        let key = (work.stage, work.step);
        let Resolved::Script(script) = &work.action else { return };
        if self.next.as_ref().is_some_and(|(known, _)| *known == key) {
            return;
        }
        self.abandon();
        let (house, run, workspace) = (self.house.clone(), self.run.clone(), self.workspace.clone());
        let (network, work, script) = (self.network.clone(), work.clone(), script.clone());
        let prepare = async move {
            let path = workspace.add_script(work.stage, work.step, &script).await?;
            let spec = spec(&house, &run, &workspace, (&work, &path, &network));
            house.engine.prepare(spec).await
        };
        self.next = Some((key, tokio::spawn(prepare)));
    }

    /// The container for `work`, waiting for its word to go.
    pub async fn take(&mut self, work: &Work) -> Result<Prepared> {
        self.begin(work);
        match self.next.take() {
            Some((_, task)) => task.await.map_err(|e| Error::internal("start a step's container", e))?,
            None => Err(Error::Internal("a step without a script has no container".into())),
        }
    }

    /// Gives up the container that will not be used.
    pub fn abandon(&mut self) {
        if let Some((_, task)) = self.next.take() {
            tokio::spawn(async move {
                if let Ok(Ok(prepared)) = task.await {
                    prepared.discard().await;
                }
            });
        }
    }
}

fn spec(
    house: &House,
    run: &Run,
    workspace: &Workspace,
    (work, script, network): (&Work, &std::path::Path, &str),
) -> StepSpec {
    let settings = &house.settings;
    let mut mounts = vec![Mount::same(&workspace.root), Mount::same(&workspace.scripts)];
    if let Some(socket) = &settings.step_socket {
        mounts.push(Mount { host: socket.clone(), container: "/var/run/docker.sock".into() });
    }
    StepSpec {
        labels: labels(run, work),
        image: work.image.clone(),
        script: script.to_owned(),
        directory: workspace.root.join(&work.directory),
        environment: work.environment.clone(),
        mounts,
        hosts: settings.step_hosts.clone(),
        network: network.to_owned(),
        limits: StepLimits { memory: settings.limits.memory, cpus: settings.limits.cpus, pids: settings.limits.pids },
    }
}

/// What stands on everything the run makes in the engine.
pub fn run_labels(run: &Run) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("ropewalk.run".to_owned(), run.id.to_string()),
        ("ropewalk.repository".to_owned(), run.repository.to_string()),
        ("ropewalk.pipeline".to_owned(), run.pipeline.to_string()),
        ("ropewalk.number".to_owned(), run.number.to_string()),
        ("ropewalk.commit".to_owned(), run.commit.to_string()),
    ])
}

fn labels(run: &Run, work: &Work) -> BTreeMap<String, String> {
    let mut labels = run_labels(run);
    labels.insert("ropewalk.stage".into(), work.stage.to_string());
    labels.insert("ropewalk.step".into(), work.step.to_string());
    labels
}
