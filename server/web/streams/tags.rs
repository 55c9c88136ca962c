//! What a person does to the tags of a stream: set, follow, roll back, untag, import.

use jiff::Timestamp;

use super::super::auth::Identity;
use super::super::errors::Failure;
use super::super::state::Door;
use super::{may_change, own_repository};
use crate::model::{
    Digest, Error, ImageReference, ReferencePolicy, Result, Sighting, StreamPath, StreamSpec, StreamTagName,
    TagAddress, TagSource, TagSpec, is_tag,
};
use crate::msg;
use crate::store::Connection;
use crate::store::streams::spec::{self, Stream};
use crate::store::streams::{self, NewItem, by_hand};

/// What a tag is to name, and how.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// An image reference.
    pub image: Option<String>,
    /// Another tag of the stream.
    pub tag: Option<String>,
    /// Follows it from now on instead of naming what it names now.
    pub follow: bool,
    pub scheduled: bool,
    pub local: bool,
}

/// Sets a tag by hand, or gives it a source to follow; a stream that is not there is made.
pub async fn tag(
    door: &Door,
    identity: &Identity,
    name: &StreamTagName,
    target: Target,
) -> Result<(), Failure> {
    may_change(identity, &name.stream.owner)?;
    let by = identity.require()?.account.name.to_string();
    if !is_tag(&name.tag) {
        return Err(Error::Invalid(msg!("openshift-tag-name", name = name.tag.escape_debug())).into());
    }
    let other = target.tag.clone().filter(|other| !other.is_empty());
    let image = target.image.clone().filter(|image| !image.is_empty());
    let source = match (image, other) {
        (Some(image), None) => TagSource::DockerImage(ImageReference::parse(&image)?.to_string()),
        (None, Some(other)) if is_tag(&other) && other != name.tag => TagSource::ImageStreamTag(other),
        _ => return Err(Error::Invalid(msg!("streams-which-image")).into()),
    };
    if target.scheduled && !matches!(source, TagSource::DockerImage(_)) {
        return Err(Error::Invalid(msg!("openshift-scheduled-alias")).into());
    }
    let found = match &source {
        TagSource::DockerImage(image) if !target.follow => Some(resolve(door, image).await?),
        _ => None,
    };
    let (name, repository) = (name.clone(), own_repository(door, &name.stream));
    let write = move |c: &Connection| {
        let at = Timestamp::now();
        let stream = made(c, &name.stream, (repository, &by), at)?;
        if target.follow {
            let spec = followed(&name.tag, source, &target);
            return by_hand::follow(c, stream.id, &spec, &by, at);
        }
        let (reference, digest) = match (found, source) {
            (Some(found), _) => found,
            (None, TagSource::ImageStreamTag(other)) => {
                let other = StreamTagName { stream: name.stream.clone(), tag: other };
                let missing = || Error::NotFound(msg!("streams-tag-not-found", name = other));
                let item = streams::current(c, &other)?.ok_or_else(missing)?;
                (item.reference, item.digest)
            }
            (None, _) => return Err(Error::Invalid(msg!("streams-which-image"))),
        };
        let new = NewItem { reference, digest: digest.as_ref(), by: Some(&by), cause_id: None };
        by_hand::set(c, (stream.id, &name.tag), &new, at).map(|_| ())
    };
    Ok(door.store.write(write).await?)
}

fn followed(name: &str, source: TagSource, target: &Target) -> TagSpec {
    TagSpec {
        source: Some(source),
        scheduled: target.scheduled,
        reference_policy: if target.local { ReferencePolicy::Local } else { ReferencePolicy::Source },
        generation: 0,
        ..TagSpec::bare(name.to_owned())
    }
}

/// The stream; made when there is none.
fn made(
    c: &Connection,
    path: &StreamPath,
    (repository, by): (Option<String>, &str),
    at: Timestamp,
) -> Result<Stream> {
    if let Some(stream) = spec::by_path(c, path)? {
        return Ok(stream);
    }
    let wanted = StreamSpec { repository, ..StreamSpec::bare(path.clone()) };
    spec::apply(c, &wanted, by, at)?;
    spec::by_path(c, path)?.ok_or_else(|| Error::Internal("a new stream is missing".into()))
}

/// A stream without tags, which follows its own repository. `Conflict` when it is there.
pub async fn create(door: &Door, identity: &Identity, path: &StreamPath) -> Result<(), Failure> {
    may_change(identity, &path.owner)?;
    let by = identity.require()?.account.name.to_string();
    let (path, repository) = (path.clone(), own_repository(door, path));
    let write = move |c: &Connection| {
        if spec::by_path(c, &path)?.is_some() {
            return Err(Error::Conflict(msg!("streams-exists", name = path)));
        }
        made(c, &path, (repository, &by), Timestamp::now()).map(|_| ())
    };
    Ok(door.store.write(write).await?)
}

/// `host/repository@sha256:...` of what the reference names now.
async fn resolve(door: &Door, text: &str) -> Result<(String, Option<Digest>), Failure> {
    let image = ImageReference::parse(text)?;
    let gone = || Error::NotFound(msg!("streams-source-gone", source = image));
    let untagged = ImageReference { digest: None, ..image.clone() };
    let address = TagAddress::of(&untagged).ok_or_else(gone)?;
    let at = door.registries.located(&address);
    if let Some(digest) = &image.digest {
        let client = door.registries.at(&at.host);
        let client = client.ok_or_else(|| Error::Denied(msg!("registry-host-unknown", host = at.host)))?;
        client.head(&at.repository, digest.as_str()).await?.ok_or_else(gone)?;
        return Ok((address.pinned(digest), Some(digest.clone())));
    }
    match door.registries.sight(&at, None).await? {
        Sighting::Image(digest) => Ok((address.pinned(&digest), Some(digest))),
        Sighting::NoDigest => Ok((address.to_string(), None)),
        Sighting::Gone => Err(gone().into()),
    }
}

/// Back to an image of the tag's history: the one with this digest (or reference), else the one before.
pub async fn roll_back(
    door: &Door,
    identity: &Identity,
    name: &StreamTagName,
    image: Option<String>,
) -> Result<(), Failure> {
    may_change(identity, &name.stream.owner)?;
    let by = identity.require()?.account.name.to_string();
    let name = name.clone();
    let write = move |c: &Connection| {
        let missing = || Error::NotFound(msg!("streams-tag-not-found", name = name));
        let stream = spec::by_path(c, &name.stream)?.ok_or_else(missing)?;
        let history = streams::items(c, stream.id, &name.tag, u32::MAX)?;
        let newest = history.first().ok_or_else(missing)?;
        let wanted = |item: &&crate::model::TagItem| match &image {
            Some(image) => {
                item.reference == *image
                    || item.digest.as_ref().is_some_and(|digest| digest.as_str() == image)
            }
            None => item.reference != newest.reference,
        };
        let item = history.iter().find(wanted);
        let item = item.ok_or_else(|| Error::NotFound(msg!("streams-no-such-image")))?;
        by_hand::roll_back(c, (stream.id, &name.tag), item.id, (&by, Timestamp::now())).map(|_| ())
    };
    Ok(door.store.write(write).await?)
}

pub async fn untag(door: &Door, identity: &Identity, name: &StreamTagName) -> Result<(), Failure> {
    may_change(identity, &name.stream.owner)?;
    let (name, by) = (name.clone(), identity.require()?.account.name.to_string());
    Ok(door.store.write(move |c| by_hand::untag(c, &name, &by, Timestamp::now())).await?)
}

pub async fn import(door: &Door, identity: &Identity, name: &StreamTagName) -> Result<(), Failure> {
    may_change(identity, &name.stream.owner)?;
    let (name, by) = (name.clone(), identity.require()?.account.name.to_string());
    Ok(door.store.write(move |c| by_hand::import_now(c, &name, &by, Timestamp::now())).await?)
}
