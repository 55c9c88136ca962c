//! A file of OpenShift objects: each is checked, permitted and written by itself, as `oc apply` does it, and what came
//! of each is said.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::super::auth::{self, Identity};
use super::super::errors::Failure;
use super::super::state::Door;
use super::tags::{Target, tag};
use super::{may_change, own_repository};
use crate::model::{
    Error, Finding, ImageToTag, Message, OwnerName, PipelineName, RepositoryPath, Result, StreamSpec,
    StreamTagName, TagsSpec, TriggerSpec, TriggersSpec,
};
use crate::pipeline::openshift::{self, Given, Object, What};
use crate::store::Connection;
use crate::store::pipelines::{self, Pipeline};
use crate::store::streams::others;
use crate::store::streams::spec::{self, Applied};
use crate::store::triggers::changes::{By, Wanted};
use crate::store::triggers::waiting;
use crate::{msg, store};

/// What is to be applied.
#[derive(Clone, Debug, Default)]
pub struct File<'a> {
    /// For places in it.
    pub name: &'a str,
    pub bytes: &'a [u8],
    /// Stands for a namespace that is not written; without it the caller's own.
    pub namespace: Option<OwnerName>,
    /// Values for the parameters of templates.
    pub parameters: BTreeMap<String, String>,
    pub ignore_unknown: bool,
}

/// What became of one object.
pub struct Done {
    pub kind: String,
    /// `owner/name` of a stream, `owner/repository pipeline` for triggers; as it is written where it was not applied.
    pub name: String,
    pub line: u32,
    pub column: u32,
    pub outcome: Outcome,
}

pub enum Outcome {
    Applied(Applied),
    /// Not carried out here, and why.
    Left(Message),
    /// What is wrong with it, with places.
    Refused(Vec<Finding>),
    Failed(Failure),
}

pub struct Report {
    /// In the order of the file.
    pub done: Vec<Done>,
    /// What is in the file and not carried out.
    pub notes: Vec<Finding>,
    /// Said when no object of the file is of a kind that is ours.
    pub nothing: Option<Finding>,
}

/// Why nothing of a file was even tried.
pub enum Refused {
    /// What is wrong in the file, with places.
    Findings(Vec<Finding>),
    Failure(Failure),
}

impl<E: Into<Failure>> From<E> for Refused {
    fn from(error: E) -> Self {
        Refused::Failure(error.into())
    }
}

/// One object, checked and permitted.
enum Step {
    Stream(StreamSpec),
    Tags(TagsSpec, StreamSpec),
    Triggers(RepositoryPath, Box<Pipeline>, Option<Vec<Wanted>>),
}

/// Applies the objects of a file, each by itself.
pub async fn apply(door: &Door, identity: &Identity, file: File<'_>) -> Result<Report, Refused> {
    let known = auth::require_scope(identity, store::accounts::Scope::Write)?;
    let by = known.account.name.to_string();
    let given = Given {
        owner: file.namespace.unwrap_or_else(|| known.account.name.clone()),
        parameters: file.parameters,
        ignore_unknown: file.ignore_unknown,
    };
    let read = openshift::read(file.name, file.bytes, &given).map_err(Refused::Findings)?;
    let mut report = Report { done: Vec::new(), notes: read.notes, nothing: None };
    for piece in read.pieces {
        report.notes.extend(piece.notes);
        let mut done = Done {
            kind: piece.kind,
            name: piece.name,
            line: piece.line,
            column: piece.column,
            outcome: Outcome::Refused(Vec::new()),
        };
        done.outcome = match piece.what {
            What::Left(why) => Outcome::Left(why),
            What::Refused(findings) => Outcome::Refused(findings),
            What::Ours(object) => match one(door, identity, object, &by).await {
                Ok((name, applied, waits)) => {
                    done.name = name;
                    let said = |message| Finding {
                        path: file.name.to_owned(),
                        line: done.line,
                        column: done.column,
                        message,
                    };
                    report.notes.extend(waits.into_iter().map(said));
                    Outcome::Applied(applied)
                }
                Err(failure) => Outcome::Failed(failure),
            },
        };
        report.done.push(done);
    }
    if report.done.iter().all(|done| matches!(done.outcome, Outcome::Left(_))) {
        let mut kinds: Vec<&str> = report.done.iter().map(|done| done.kind.as_str()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds.truncate(10);
        let message = msg!("openshift-none-is-ours", kinds = kinds.join(", "));
        report.nothing = Some(Finding { path: file.name.to_owned(), line: 1, column: 1, message });
    }
    Ok(report)
}

/// Its name, what became of it, and what it waits for.
type One = (String, Applied, Vec<Message>);

async fn one(door: &Door, identity: &Identity, object: Object, by: &str) -> Result<One, Failure> {
    let step = match object {
        Object::Stream(spec) => Step::Stream(stream(door, identity, spec)?),
        Object::Tags(spec) => {
            let whole = stream(door, identity, StreamSpec::bare(spec.path.clone()))?;
            Step::Tags(spec, whole)
        }
        Object::Image(wanted) => return named(door, identity, wanted).await,
        Object::Triggers(spec) => triggers(door, identity, spec)?,
    };
    let by = by.to_owned();
    Ok(door.store.write(move |c| carry_out(c, step, &by, Timestamp::now())).await?)
}

/// The registry is asked before the tag names the image.
async fn named(door: &Door, identity: &Identity, wanted: ImageToTag) -> Result<One, Failure> {
    let before = door.store.read(|c| store::streams::current(c, &wanted.tag))?;
    let target = Target { image: Some(wanted.image), ..Target::default() };
    tag(door, identity, &wanted.tag, target).await?;
    let after = door.store.read(|c| store::streams::current(c, &wanted.tag))?;
    let reference = |item: Option<crate::model::TagItem>| item.map(|item| item.reference);
    let applied = match before.is_none() {
        true => Applied::Created,
        false if reference(before) == reference(after) => Applied::Unchanged,
        false => Applied::Configured,
    };
    Ok((wanted.tag.to_string(), applied, Vec::new()))
}

fn carry_out(c: &Connection, step: Step, by: &str, at: Timestamp) -> Result<One> {
    match step {
        Step::Stream(mut wanted) => {
            others::are_there(c, &wanted.path, &mut wanted.tags)?;
            let applied = spec::apply(c, &wanted, by, at)?;
            let waits = others::waiting(c, &wanted.path, &wanted.tags)?;
            Ok((wanted.path.to_string(), applied, waits))
        }
        Step::Tags(mut wanted, stream) => {
            others::are_there(c, &wanted.path, &mut wanted.tags)?;
            let applied = spec::apply_tags(c, &wanted, &stream, (by, at))?;
            let waits = others::waiting(c, &wanted.path, &wanted.tags)?;
            let name = match &wanted.tags[..] {
                [one] => format!("{}:{}", wanted.path, one.name),
                _ => wanted.path.to_string(),
            };
            Ok((name, applied, waits))
        }
        Step::Triggers(repository, pipeline, wanted) => {
            let changes = By { pipeline: &pipeline, account: by, at };
            let changed = match &wanted {
                Some(wanted) => changes.replace(c, wanted)?,
                None => false,
            };
            let applied = if changed { Applied::Configured } else { Applied::Unchanged };
            let mut waits = Vec::new();
            for from in wanted.iter().flatten().filter_map(|(from, _)| from.as_ref()) {
                waits.extend(waiting::of(c, from)?);
            }
            Ok((format!("{repository} {}", pipeline.name), applied, waits))
        }
    }
}

fn stream(door: &Door, identity: &Identity, mut spec: StreamSpec) -> Result<StreamSpec, Failure> {
    may_change(identity, &spec.path.owner)?;
    match &spec.repository {
        None => spec.repository = own_repository(door, &spec.path),
        Some(repository) => {
            let host = repository.split_once('/').map_or("", |(host, _)| host);
            if host != door.settings.registry_host {
                let message = msg!("streams-repository-elsewhere", host = door.settings.registry_host);
                return Err(Error::Invalid(message).into());
            }
        }
    }
    Ok(spec)
}

/// The pipeline a `BuildConfig` is about, if its triggers are the caller's to change.
fn triggers(door: &Door, identity: &Identity, spec: TriggersSpec) -> Result<Step, Failure> {
    let path = match (spec.repository, &spec.source) {
        (Some(path), _) => path,
        (None, Some(uri)) => repository_of(door, uri)?,
        (None, None) => return Err(Error::Invalid(msg!("streams-which-repository")).into()),
    };
    let repository = auth::writable(door, identity, &path)?;
    let missing = || Error::NotFound(msg!("streams-no-pipeline", repository = path, name = spec.pipeline));
    let name = PipelineName::new(spec.pipeline.clone()).map_err(|_| missing())?;
    let pipeline = door.store.read(|c| pipelines::by_name(c, repository.id, &name))?;
    let pipeline = pipeline.ok_or_else(missing)?;
    let owner = spec.namespace.unwrap_or_else(|| path.owner.to_string());
    let wanted = spec.triggers.map(|triggers| {
        let one = |trigger: TriggerSpec| -> Result<Wanted> {
            let from = match trigger.from {
                None => None,
                Some(from) => {
                    let owner = from.namespace.as_deref().unwrap_or(&owner);
                    Some(StreamTagName { stream: RepositoryPath::new(owner, &from.name)?, tag: from.tag })
                }
            };
            Ok((from, trigger.paused))
        };
        triggers.into_iter().map(one).collect::<Result<Vec<_>>>()
    });
    Ok(Step::Triggers(path, Box::new(pipeline), wanted.transpose()?))
}

/// `owner/name` of an address of this server's.
fn repository_of(door: &Door, uri: &str) -> Result<RepositoryPath, Failure> {
    let refuse = || Failure::Known(Error::Invalid(msg!("streams-source-elsewhere", url = door.settings.url)));
    let host = |text: &str| url::Url::parse(text).ok().and_then(|url| url.host_str().map(str::to_owned));
    if host(uri).is_none() || host(uri) != host(&door.settings.url) {
        return Err(refuse());
    }
    let url = url::Url::parse(uri).map_err(|_| refuse())?;
    let mut parts = url.path().trim_matches('/').rsplit('/');
    let (name, owner) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    RepositoryPath::new(owner, name).map_err(|_| refuse())
}
