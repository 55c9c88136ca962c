//! The blast radius of an image: which pipelines, runs, images and running containers stand on it, for each digest
//! that its name has had. Asked of the store and of what was last seen of the engine; no registry is asked.

use std::collections::BTreeSet;

use super::auth::{self, Identity};
use super::causality::visible_run;
use super::errors::Failure;
use super::state::Door;
use crate::model::{
    Digest, Error, Happened, ImageReference, Result, Run, RunImage, RunningContainer, StreamTagName,
    TagAddress,
};
use crate::msg;
use crate::store::causality::{self, Naming};
use crate::store::events::{self, Filter};
use crate::store::{Connection, images, pipelines, repositories, streams, tags, triggers};

/// Most digests of one name.
const MOST_DIGESTS: usize = 20;
/// Most runs of one digest.
const MOST_RUNS: u32 = 50;
/// How far the journal is searched for earlier digests of a tag.
const MOST_EVENTS: u32 = 2000;

pub struct Impact {
    /// As it was asked for.
    pub asked: String,
    /// Pipelines whose newest commit stands on it.
    pub pipelines: Vec<Standing>,
    /// Newest first.
    pub digests: Vec<OfDigest>,
}

pub struct Standing {
    /// `owner/name`.
    pub repository: String,
    pub pipeline: String,
    /// As the repository writes it.
    pub reference: String,
    pub places: Vec<String>,
}

pub struct OfDigest {
    pub digest: Digest,
    /// Whether the name means it now.
    pub current: bool,
    /// Who pushed it.
    pub made_by: Option<Run>,
    /// Tags of streams that name it, or did.
    pub streams: Vec<Naming>,
    /// Runs that stood on it, newest first.
    pub runs: Vec<Run>,
    /// What those runs pushed.
    pub images: Vec<RunImage>,
    /// Containers of it, or of what stands on it.
    pub containers: Vec<RunningContainer>,
}

/// What is asked about: a name that has had several images, or one image.
struct Asked {
    digests: Vec<Digest>,
    current: Option<Digest>,
    pipelines: Vec<i64>,
    /// Of the pipelines' bases, those that count.
    address: Option<TagAddress>,
}

/// For `owner/name:tag` of a stream, a tag at a registry, or an image by digest. `Invalid` for anything else.
pub fn of(door: &Door, identity: &Identity, text: &str) -> Result<Impact, Failure> {
    let image = ImageReference::parse(text)?;
    let asked = door.store.read(|c| asked(door, c, &image))?;
    let mut digests = Vec::new();
    for digest in asked.digests.iter().take(MOST_DIGESTS) {
        let current = asked.current.as_ref() == Some(digest);
        digests.push(of_digest(door, identity, digest, current)?);
    }
    let mut standing = Vec::new();
    for id in &asked.pipelines {
        standing.extend(of_pipeline(door, identity, *id, &asked)?);
    }
    Ok(Impact { asked: text.to_owned(), pipelines: standing, digests })
}

fn asked(door: &Door, c: &Connection, image: &ImageReference) -> Result<Asked> {
    if let Some(digest) = &image.digest {
        let pipelines = causality::pipelines_on(c, digest)?;
        return Ok(Asked { digests: vec![digest.clone()], current: None, pipelines, address: None });
    }
    if let Some(stream) = stream(c, image)? {
        return of_stream(c, &stream);
    }
    let address = TagAddress::of(image)
        .ok_or_else(|| Error::Invalid(msg!("image-invalid", image = image.to_string().escape_debug())))?;
    let address = door.registries.located(&address);
    let current = tags::get(c, &address)?.and_then(|seen| seen.digest);
    let mut digests: Vec<Digest> = current.iter().cloned().collect();
    digests.extend(causality::digests_used(c, &address, MOST_RUNS)?);
    let filter = Filter { kind: Some("tag-moved".into()), ..Filter::default() };
    for event in events::page(c, &filter, MOST_EVENTS)? {
        if let Happened::TagMoved { address: moved, old, new, .. } = event.happened
            && moved == address
        {
            digests.extend(new.into_iter().chain(old));
        }
    }
    if address.host == door.registries.own().host() {
        let pushed = images::by_tag(c, &address.repository, &address.tag)?;
        digests.extend(pushed.into_iter().map(|image| image.digest));
    }
    let pipelines = triggers::standing_on(c, &address)?;
    Ok(Asked { digests: each_once(digests), current, pipelines, address: Some(address) })
}

/// The stream's tag of that name, if there is one.
fn stream(c: &Connection, image: &ImageReference) -> Result<Option<StreamTagName>> {
    let Ok(name) = image.to_string().parse::<StreamTagName>() else { return Ok(None) };
    Ok(streams::current(c, &name)?.map(|_| name))
}

fn of_stream(c: &Connection, name: &StreamTagName) -> Result<Asked> {
    let current = streams::current(c, name)?.and_then(|item| item.digest);
    let mut digests: Vec<Digest> = current.iter().cloned().collect();
    let filter = Filter { kind: Some("stream-tag-moved".into()), ..Filter::default() };
    for event in events::page(c, &filter, MOST_EVENTS)? {
        if let Happened::StreamTagMoved { stream, new: Some(new), .. } = event.happened
            && stream == *name
        {
            digests.extend(ImageReference::parse(&new).ok().and_then(|image| image.digest));
        }
    }
    let pipelines = triggers::watching_stream(c, name)?;
    Ok(Asked { digests: each_once(digests), current, pipelines, address: None })
}

fn each_once(digests: Vec<Digest>) -> Vec<Digest> {
    let mut seen = BTreeSet::new();
    digests.into_iter().filter(|digest| seen.insert(digest.clone())).collect()
}

fn of_digest(door: &Door, identity: &Identity, digest: &Digest, current: bool) -> Result<OfDigest> {
    let (pushes, streams, ids) = door.store.read(|c| {
        Ok((
            images::by_digest(c, digest)?,
            causality::streams_naming(c, digest, MOST_RUNS)?,
            images::runs_on(c, digest, MOST_RUNS)?,
        ))
    })?;
    let mut made_by = None;
    for push in pushes.iter().rev() {
        made_by = visible_run(door, identity, push.run_id)?;
        if made_by.is_some() {
            break;
        }
    }
    let (mut runs, mut made) = (Vec::new(), Vec::new());
    for id in ids {
        if let Some(run) = visible_run(door, identity, id)? {
            made.extend(door.store.read(|c| images::of_run(c, id))?);
            runs.push(run);
        }
    }
    let containers = match identity.known() {
        Some(_) => containers(door, digest, &made),
        None => Vec::new(),
    };
    Ok(OfDigest { digest: digest.clone(), current, made_by, streams, runs, images: made, containers })
}

fn containers(door: &Door, digest: &Digest, made: &[RunImage]) -> Vec<RunningContainer> {
    let wanted: BTreeSet<&str> =
        made.iter().map(|image| image.digest.as_str()).chain([digest.as_str()]).collect();
    let seen = door.surroundings.borrow();
    let stands = |container: &&RunningContainer| {
        container.digests.iter().any(|known| known.rsplit('@').next().is_some_and(|d| wanted.contains(d)))
    };
    seen.containers.iter().filter(stands).cloned().collect()
}

fn of_pipeline(door: &Door, identity: &Identity, id: i64, asked: &Asked) -> Result<Vec<Standing>> {
    door.store.read(|c| {
        let Some(pipeline) = pipelines::by_id(c, id)? else { return Ok(Vec::new()) };
        let repository = repositories::by_id(c, pipeline.repository_id)?;
        let Some(repository) = repository.filter(|repository| auth::can_read(identity, repository)) else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for base in triggers::bases(c, id)? {
            let counts = match &asked.address {
                Some(address) => base.address == *address,
                None => {
                    let now = tags::get(c, &base.address)?.and_then(|seen| seen.digest);
                    now.is_some_and(|now| asked.digests.contains(&now))
                }
            };
            if counts {
                found.push(Standing {
                    repository: repository.path.to_string(),
                    pipeline: pipeline.name.to_string(),
                    reference: base.reference,
                    places: base.places,
                });
            }
        }
        if found.is_empty() {
            // It watches the stream without standing on it.
            let (repository, pipeline) = (repository.path.to_string(), pipeline.name.to_string());
            found.push(Standing { repository, pipeline, reference: String::new(), places: Vec::new() });
        }
        Ok(found)
    })
}
