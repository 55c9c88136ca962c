//! One event, and what each pipeline of its repository has to say to it. Reads git and the store,
//! writes nothing.

use std::collections::BTreeMap;

use crate::git;
use crate::model::{
    Cause, CommitId, Definition, Event, Finding, Happened, Message, Outcome, PipelineName, RefName, Result,
};
use crate::msg;
use crate::pin::{Found, Pin, Wanted};
use crate::pipeline;
use crate::store::repositories::{self, Repository};
use crate::store::{Store, pipelines, runs};

/// What is to be written for one event.
pub struct Plan {
    pub decisions: Vec<Decision>,
}

pub enum Decision {
    Nothing(Outcome),
    /// Nothing yet: it is decided once more when that run has ended.
    Wait(Outcome, i64),
    Start(Box<Start>),
}

pub struct Start {
    pub pipeline: String,
    /// Set when the pipeline was found at the root and may have no row yet.
    pub discovered: Option<pipelines::NewPipeline>,
    pub run: runs::NewRun,
    /// What the pipeline stands on, when the run is of its default branch.
    pub found: Option<Found>,
    pub message: Message,
}

/// The name of the pipeline that is found without being asked.
const DEFAULT: &str = "default";

pub(super) fn nothing(pipeline: Option<&str>, message: Message) -> Decision {
    let pipeline = pipeline.map(str::to_owned);
    Decision::Nothing(Outcome { pipeline, run_id: None, run_number: None, message })
}

pub(super) fn wait(pipeline: &str, message: Message, run_id: i64) -> Decision {
    let pipeline = Some(pipeline.to_owned());
    Decision::Wait(Outcome { pipeline, run_id: None, run_number: None, message }, run_id)
}

pub(super) fn only(message: Message) -> Plan {
    Plan { decisions: vec![nothing(None, message)] }
}

pub async fn decide(store: &Store, (git, pin): (&git::Repositories, &Pin), event: &Event) -> Result<Plan> {
    let Happened::RefMoved { reference, new, by, .. } = &event.happened else {
        return Ok(only(msg!("trigger-not-a-trigger")));
    };
    let Some(repository) =
        event.repository_id.map(|id| store.read(|c| repositories::by_id(c, id))).transpose()?.flatten()
    else {
        return Ok(only(msg!("trigger-no-repository")));
    };
    let Some(object) = new else {
        return Ok(only(msg!("trigger-ref-deleted", name = reference.short())));
    };
    let tip = Tip { repository: &repository, reference, by: by.as_deref(), event_id: event.id, git, pin };
    let tag = object.clone();
    match git.read(&repository.path, move |open| open.peel(&tag)).await {
        Ok(commit) => tip.decide(store, &commit).await,
        Err(error) => Ok(only(unreadable(&error))),
    }
}

pub(super) fn unreadable(error: &crate::model::Error) -> Message {
    tracing::warn!(%error, "an event's commit could not be read");
    error.message().cloned().unwrap_or_else(|| msg!("trigger-unreadable"))
}

/// A ref that moved.
struct Tip<'a> {
    repository: &'a Repository,
    reference: &'a RefName,
    by: Option<&'a str>,
    event_id: i64,
    git: &'a git::Repositories,
    pin: &'a Pin,
}

/// A pipeline that may be started: one with a row, or one just found.
struct Candidate {
    id: Option<i64>,
    name: PipelineName,
    path: String,
    branches: Vec<String>,
    discovered: bool,
}

/// What the run will be carried out with, whatever moves meanwhile.
struct Pinned {
    commit: CommitId,
    blob: String,
    definition: Result<Definition, Vec<Finding>>,
    inputs: BTreeMap<String, String>,
}

impl Tip<'_> {
    async fn decide(&self, store: &Store, commit: &CommitId) -> Result<Plan> {
        let mut decisions = Vec::new();
        for candidate in self.candidates(store, commit).await? {
            decisions.push(self.one(commit, candidate).await?);
        }
        if decisions.is_empty() {
            decisions.push(nothing(None, msg!("trigger-no-pipeline")));
        }
        Ok(Plan { decisions })
    }

    /// The pipelines with a row, and the one found at the root of this commit.
    async fn candidates(&self, store: &Store, commit: &CommitId) -> Result<Vec<Candidate>> {
        let known = store.read(|c| pipelines::of_repository(c, self.repository.id))?;
        let at = commit.clone();
        let found = self.git.read(&self.repository.path, move |open| open.definition_names(&at)).await?;
        let found = pipeline::discover(&found).map(str::to_owned);
        let mut all = Vec::new();
        let mut default_known = false;
        for row in known {
            let mut path = row.path;
            default_known |= row.name.as_str().eq_ignore_ascii_case(DEFAULT);
            if row.discovered {
                match &found {
                    Some(now) => path.clone_from(now),
                    None => continue,
                }
            }
            all.push(Candidate {
                id: Some(row.id),
                name: row.name,
                path,
                branches: row.branches,
                discovered: row.discovered,
            });
        }
        if let (Some(path), false) = (found, default_known) {
            let name = PipelineName::new(DEFAULT)?;
            all.push(Candidate { id: None, name, path, branches: Vec::new(), discovered: true });
        }
        Ok(all)
    }

    async fn one(&self, commit: &CommitId, candidate: Candidate) -> Result<Decision> {
        let name = candidate.name.as_str().to_owned();
        let refuse = |message| Ok(nothing(Some(&name), message));
        if let Some(branch) = self.reference.branch_name()
            && !pipeline::branch_matches(&candidate.branches, branch)
        {
            return refuse(msg!("trigger-branch-filtered", branch = branch));
        }
        let (at, path) = (commit.clone(), candidate.path.clone());
        let read = move |open: &git::OpenRepository| open.definition_source(&at, &path);
        let source = match self.git.read(&self.repository.path, read).await {
            Ok(Some(source)) => source,
            Ok(None) => return refuse(msg!("trigger-no-definition", path = candidate.path)),
            Err(error) => return refuse(unreadable(&error)),
        };
        let definition = pipeline::read_found(&candidate.path, &source);
        let inputs = match &definition {
            Err(_) if self.reference.tag_name().is_some() => return refuse(msg!("trigger-tags-off")),
            Err(_) => Ok(BTreeMap::new()),
            Ok(definition) => match self.objection(definition) {
                Some(message) => return refuse(message),
                None => pipeline::fill_inputs(&definition.inputs, &BTreeMap::new()),
            },
        };
        let inputs = match inputs {
            Ok(inputs) => inputs,
            Err(error) => return refuse(unreadable(&error)),
        };
        let pinned = Pinned { commit: commit.clone(), blob: source.object, definition, inputs };
        let found = self.bases(&candidate, &pinned).await;
        Ok(Decision::Start(Box::new(self.start(candidate, pinned, found))))
    }

    /// Why the definition does not want to be started by this ref.
    fn objection(&self, definition: &Definition) -> Option<Message> {
        if self.reference.tag_name().is_some() {
            return (!definition.triggers.tag).then(|| msg!("trigger-tags-off"));
        }
        if !definition.triggers.push {
            return Some(msg!("trigger-push-off"));
        }
        let branch = self.reference.short();
        let wanted = pipeline::branch_matches(&definition.branches, branch);
        (!wanted).then(|| msg!("trigger-branch-filtered", branch = branch))
    }

    /// What the run stands on; nothing when it cannot start.
    async fn bases(&self, candidate: &Candidate, pinned: &Pinned) -> Found {
        let Ok(definition) = &pinned.definition else { return Found::default() };
        let wanted = Wanted {
            repository: &self.repository.path,
            commit: &pinned.commit,
            pipeline_id: candidate.id,
            definition_path: &candidate.path,
            definition,
            inputs: &pinned.inputs,
            changes: &[],
        };
        self.pin.bases(&wanted).await
    }

    fn start(&self, candidate: Candidate, pinned: Pinned, mut found: Found) -> Start {
        let Pinned { commit, blob, definition, inputs } = pinned;
        let (message, refusal) = match &definition {
            Ok(_) => (msg!("trigger-started"), None),
            Err(findings) => {
                let text = msg!("trigger-findings", count = findings.len(), path = candidate.path);
                (text.clone(), Some(text))
            }
        };
        let cause = match self.by {
            Some(by) => Cause::Push { by: by.to_owned() },
            None => Cause::Poll,
        };
        let discovered = candidate.discovered.then(|| pipelines::NewPipeline {
            repository_id: self.repository.id,
            name: candidate.name.clone(),
            path: candidate.path.clone(),
            branches: Vec::new(),
            discovered: true,
        });
        let run = runs::NewRun {
            repository_id: self.repository.id,
            pipeline_id: candidate.id.unwrap_or_default(),
            cause,
            reference: self.reference.clone(),
            commit,
            definition_path: candidate.path,
            definition_blob: blob,
            definition,
            inputs,
            event_id: Some(self.event_id),
            bases: std::mem::take(&mut found.bases),
            started_by: Vec::new(),
            refusal,
        };
        let default = self.repository.default_branch.as_deref();
        let is_default = default.is_some() && self.reference.branch_name() == default;
        let found = (is_default && run.definition.is_ok()).then_some(found);
        Start { pipeline: candidate.name.as_str().to_owned(), discovered, run, found, message }
    }
}
