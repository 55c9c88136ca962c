//! Changes of image streams and image triggers: the API, the forms and `ropewalk apply` end here. What is wanted is
//! checked and written as rows; importing is done elsewhere.

mod tags;

use jiff::Timestamp;

use super::auth::{self, Identity};
use super::errors::Failure;
use super::state::Door;
use crate::model::{
    Error, Finding, OwnerName, PipelineName, RepositoryPath, Result, StreamPath, StreamSpec, StreamTagName,
    TriggersSpec, is_repository,
};
use crate::pipeline::openshift::{self, Object};
use crate::store::Connection;
use crate::store::pipelines::{self, Pipeline};
use crate::store::streams::spec::{self, Applied, Stream};
use crate::store::triggers::changes::{By, Wanted};
use crate::{msg, store};

pub use tags::{Target, create, import, roll_back, tag, untag};

/// What `apply` did with one object.
pub struct Done {
    pub kind: &'static str,
    /// `owner/name` of a stream, `owner/repository pipeline` for triggers.
    pub name: String,
    pub applied: Applied,
}

pub struct Report {
    pub done: Vec<Done>,
    /// What is in the file and not carried out.
    pub notes: Vec<Finding>,
}

/// Why nothing was applied.
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
    Triggers(RepositoryPath, Box<Pipeline>, Option<Vec<Wanted>>),
}

/// Applies all objects of a file, or none.
pub async fn apply(
    door: &Door,
    identity: &Identity,
    (name, bytes): (&str, &[u8]),
) -> Result<Report, Refused> {
    let known = auth::require_scope(identity, store::accounts::Scope::Write)?;
    let by = known.account.name.to_string();
    let read = openshift::read(name, bytes, &known.account.name).map_err(Refused::Findings)?;
    let mut steps = Vec::new();
    for object in read.objects {
        steps.push(match object {
            Object::Stream(spec) => Step::Stream(stream(door, identity, spec)?),
            Object::Triggers(spec) => triggers(door, identity, spec)?,
        });
    }
    let write = move |c: &Connection| {
        let at = Timestamp::now();
        steps.iter().map(|step| carry_out(c, step, &by, at)).collect::<Result<Vec<_>>>()
    };
    Ok(Report { done: door.store.write(write).await?, notes: read.notes })
}

fn carry_out(c: &Connection, step: &Step, by: &str, at: Timestamp) -> Result<Done> {
    Ok(match step {
        Step::Stream(wanted) => {
            let applied = spec::apply(c, wanted, by, at)?;
            Done { kind: "ImageStream", name: wanted.path.to_string(), applied }
        }
        Step::Triggers(repository, pipeline, wanted) => {
            let by = By { pipeline, account: by, at };
            let changed = match wanted {
                Some(wanted) => by.replace(c, wanted)?,
                None => false,
            };
            let applied = if changed { Applied::Configured } else { Applied::Unchanged };
            Done { kind: "BuildConfig", name: format!("{repository} {}", pipeline.name), applied }
        }
    })
}

/// `Denied` unless the streams of `owner` are the caller's to change.
pub fn may_change(identity: &Identity, owner: &OwnerName) -> Result<(), Failure> {
    auth::require_scope(identity, store::accounts::Scope::Write)?;
    match auth::can_create(identity, owner) {
        true => Ok(()),
        false => Err(Error::Denied(msg!("streams-denied", owner = owner)).into()),
    }
}

/// Whether the caller may change streams of `owner`, for what a page offers.
pub fn can_change(identity: &Identity, owner: &OwnerName) -> bool {
    auth::can_create(identity, owner)
}

/// The stream's own repository in our registry, where one can be called so.
pub fn own_repository(door: &Door, path: &StreamPath) -> Option<String> {
    let name = path.to_string().to_lowercase();
    is_repository(&name).then(|| format!("{}/{name}", door.settings.registry_host))
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
        let one = |trigger: crate::model::TriggerSpec| -> Result<Wanted> {
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

pub async fn delete(door: &Door, identity: &Identity, path: &StreamPath) -> Result<(), Failure> {
    may_change(identity, &path.owner)?;
    let (path, by) = (path.clone(), identity.require()?.account.name.to_string());
    Ok(door.store.write(move |c| spec::delete(c, &path, &by, Timestamp::now())).await?)
}

/// The stream of that name; whoever is signed in may see all.
pub fn find(door: &Door, identity: &Identity, path: &StreamPath) -> Result<Stream, Failure> {
    identity.require()?;
    let found = door.store.read(|c| spec::by_path(c, path))?;
    found.ok_or_else(|| Error::NotFound(msg!("streams-not-found", name = path)).into())
}
