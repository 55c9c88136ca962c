//! Starting runs by hand: the API and the page's form end here. The definition is read from the commit
//! that was asked for, and everything the run depends on is written into its row; what carries it out
//! is elsewhere and only sees the row.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::errors::Failure;
use super::state::Door;
use crate::git::OpenRepository;
use crate::model::{
    Cause, CommitId, Definition, Error, Finding, Happened, Input, PipelineName, RefName, Result, Run,
};
use crate::pin::{self, Wanted};
use crate::store::pipelines::{self, NewPipeline, Pipeline};
use crate::store::repositories::Repository;
use crate::store::runs::{self, NewRun};
use crate::store::{Connection, events, images};
use crate::{msg, pipeline};

/// The pipeline that is found at a repository's root without being asked.
pub const DEFAULT: &str = "default";

/// A definition as it stands in a commit.
pub struct Found {
    pub reference: RefName,
    pub commit: CommitId,
    pub path: String,
    /// Id of the file or folder in git.
    pub blob: String,
    pub definition: Result<Definition, Vec<Finding>>,
}

impl Found {
    /// What a person may fill in.
    pub fn inputs(&self) -> &[Input] {
        self.definition.as_ref().map_or(&[], |definition| &definition.inputs)
    }
}

/// Reads the definition of the pipeline called `name` at `revision` (a branch, a tag or a full ref name;
/// empty for the default branch). `Invalid` when there is none.
pub async fn find(
    door: &Door,
    repository: &Repository,
    name: &PipelineName,
    revision: &str,
) -> Result<Found, Failure> {
    let known = door.store.read(|c| pipelines::by_name(c, repository.id, name))?;
    let path = match known {
        Some(pipeline) if !pipeline.discovered => Some(pipeline.path),
        Some(_) => None,
        None if name.as_str().eq_ignore_ascii_case(DEFAULT) => None,
        None => return Err(Error::NotFound(msg!("api-pipeline-not-found", name = name)).into()),
    };
    let default = repository.default_branch.clone();
    let revision = match revision.trim() {
        "" => default.ok_or_else(|| Error::Invalid(msg!("api-repository-empty")))?,
        given => given.to_owned(),
    };
    Ok(door.git.read(&repository.path, move |open| look(open, &revision, path)).await?)
}

fn look(open: &OpenRepository, revision: &str, path: Option<String>) -> Result<Found> {
    let resolved = open.resolve(revision)?;
    let Some(reference) = resolved.reference else {
        return Err(Error::Invalid(msg!("api-not-a-ref", revision = shown(revision))));
    };
    let commit = resolved.commit;
    let path = match path {
        Some(path) => path,
        None => discover(open, &commit)?.ok_or_else(|| Error::Invalid(msg!("api-no-definition-found")))?,
    };
    let missing = || Error::Invalid(msg!("api-no-definition", path = path, name = reference.short()));
    let source = open.definition_source(&commit, &path)?.ok_or_else(missing)?;
    let definition = pipeline::read_found(&path, &source);
    Ok(Found { reference, commit, path, blob: source.object, definition })
}

/// The path of the definition at the commit's root, if there is one.
fn discover(open: &OpenRepository, commit: &CommitId) -> Result<Option<String>> {
    Ok(pipeline::discover(&open.definition_names(commit)?).map(str::to_owned))
}

/// Queues a run of the definition with these inputs. Findings make a run that failed before it started,
/// so that they have a page; `Invalid` when an input is missing, unknown or not of its kind.
pub async fn start(
    door: &Door,
    repository: &Repository,
    name: &PipelineName,
    (found, given): (Found, BTreeMap<String, String>),
    by: &str,
) -> Result<Run, Failure> {
    let inputs = match &found.definition {
        Ok(definition) => pipeline::fill_inputs(&definition.inputs, &given)?,
        Err(_) => given,
    };
    let refusal = match &found.definition {
        Ok(_) => None,
        Err(findings) => Some(msg!("api-run-refused", path = found.path, count = findings.len())),
    };
    let known = door.store.read(|c| pipelines::by_name(c, repository.id, name))?;
    let mut stands = bases(door, repository, (&found, &inputs), known.map(|pipeline| pipeline.id)).await;
    let of_default = found.reference.branch_name().is_some()
        && found.reference.branch_name() == repository.default_branch.as_deref()
        && found.definition.is_ok();
    let discovered = NewPipeline {
        repository_id: repository.id,
        name: name.clone(),
        path: found.path.clone(),
        branches: Vec::new(),
        discovered: true,
    };
    let new = NewRun {
        repository_id: repository.id,
        pipeline_id: 0,
        cause: Cause::Person { by: by.to_owned() },
        reference: found.reference,
        commit: found.commit,
        definition_path: found.path,
        definition_blob: found.blob,
        definition: found.definition,
        inputs,
        event_id: None,
        bases: std::mem::take(&mut stands.bases),
        started_by: Vec::new(),
        refusal,
    };
    let by = by.to_owned();
    let write = move |c: &Connection| {
        let id = match pipelines::by_name(c, discovered.repository_id, &discovered.name)? {
            Some(known) => known.id,
            None => pipelines::create(c, &discovered, Timestamp::now())?,
        };
        if of_default {
            stands.note(c, id, Timestamp::now())?;
        }
        queue(c, &NewRun { pipeline_id: id, ..new }, by)
    };
    Ok(door.store.write(write).await?)
}

/// What a run of the definition would stand on now.
async fn bases(
    door: &Door,
    repository: &Repository,
    (found, inputs): (&Found, &BTreeMap<String, String>),
    pipeline_id: Option<i64>,
) -> pin::Found {
    let Ok(definition) = &found.definition else { return pin::Found::default() };
    let wanted = Wanted {
        repository: &repository.path,
        commit: &found.commit,
        pipeline_id,
        definition_path: &found.path,
        definition,
        inputs,
        changes: &[],
    };
    door.pin.bases(&wanted).await
}

/// Queues `run` once more: the same commit, the same inputs, the definition it was pinned to.
pub async fn rerun(door: &Door, run: &Run, by: &str) -> Result<Run, Failure> {
    let definition = match door.store.read(|c| runs::definition(c, run.id))? {
        Some(definition) => Ok(definition),
        None => Err(run.findings.clone()),
    };
    let new = NewRun {
        repository_id: run.repository_id,
        pipeline_id: run.pipeline_id,
        cause: Cause::Rerun { by: by.to_owned(), of: run.number },
        reference: run.reference.clone(),
        commit: run.commit.clone(),
        definition_path: run.definition_path.clone(),
        definition_blob: run.definition_blob.clone(),
        refusal: definition.is_err().then(|| run.message.clone()).flatten(),
        definition,
        inputs: run.inputs.clone(),
        event_id: None,
        bases: door.store.read(|c| images::bases(c, run.id))?,
        started_by: Vec::new(),
    };
    let by = by.to_owned();
    Ok(door.store.write(move |c| queue(c, &new, by)).await?)
}

fn queue(c: &Connection, new: &NewRun, by: String) -> Result<Run> {
    let now = Timestamp::now();
    let (id, _) = runs::queue(c, new, now)?;
    events::add(c, Some(new.repository_id), &Happened::RunRequested { run_id: id, by }, now)?;
    runs::by_id(c, id)?.ok_or_else(|| Error::Internal("a queued run is missing".into()))
}

/// Asks for the end of a run.
pub async fn cancel(door: &Door, run: &Run, by: &str) -> Result<Run, Failure> {
    let (run, by) = (run.clone(), by.to_owned());
    let write = move |c: &Connection| {
        runs::cancel(c, &run, &by, &msg!("api-run-cancelled", by = by), Timestamp::now())?;
        runs::by_id(c, run.id)?.ok_or_else(|| Error::Internal("a cancelled run is missing".into()))
    };
    Ok(door.store.write(write).await?)
}

/// The run of that number, with its pipeline.
pub fn run_of(door: &Door, pipeline: &Pipeline, number: u64) -> Result<Run, Failure> {
    let found = door.store.read(|c| runs::by_number(c, pipeline.id, number))?;
    found.ok_or_else(|| Error::NotFound(msg!("api-run-not-found", number = number)).into())
}

fn shown(text: &str) -> String {
    text.chars().take(100).collect::<String>().escape_debug().to_string()
}
