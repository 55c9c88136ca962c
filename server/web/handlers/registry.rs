//! The registry's repositories, the tags of one, and one image; each with the run it comes from. What the
//! registry does not say is said so: a registry that is down is a sentence, not an error page.

use std::sync::Arc;

use actix_web::web;
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;

use super::pieces::brief_of;
use super::provenance::{self, visible_run};
use super::visit::{Answer, Visit, complaint};
use crate::model::{Digest, Error, Message, Result, is_repository};
use crate::msg;
use crate::registry;
use crate::store::images;
use crate::web::errors::Failure;
use crate::web::pages::registry::{Image, Layer, Registry, RegistryRow, RegistryTags, TagRow};
use crate::web::pages::{links, respond};

const REPOSITORIES: usize = 50;
const TAGS: usize = 25;
/// Questions to the registry at a time.
const AT_ONCE: usize = 5;

#[derive(Deserialize)]
pub struct After {
    #[serde(default)]
    after: String,
}

/// What the registry answered, or the sentence about why it did not.
fn told<T>(answer: Result<T>) -> Result<Result<T, Message>, Failure> {
    match answer {
        Ok(found) => Ok(Ok(found)),
        Err(Error::NotFound(message)) => Ok(Err(message)),
        Err(error) => complaint(error.into()).map(Err),
    }
}

/// `GET /registry?after=`.
pub async fn repositories(visit: Visit, after: web::Query<After>) -> Answer {
    visit.identity.require()?;
    let after = Some(after.after.as_str()).filter(|after| is_repository(after));
    let (names, next, error) = match told(visit.door.registry.repositories(after, REPOSITORIES).await)? {
        Ok(found) => (found.items, found.next, None),
        Err(message) => (Vec::new(), None, Some(message)),
    };
    let mut rows = Vec::new();
    for name in names {
        let last = visit.door.store.read(|c| images::newest(c, &name, visit.identity.viewer()))?;
        let run = match &last {
            Some(image) => visible_run(&visit, image.run_id)?,
            None => None,
        };
        let run = match run {
            Some(run) => Some(brief_of(&visit, &run).await?),
            None => None,
        };
        let last_pushed = last.as_ref().map(|image| image.pushed_at);
        rows.push(RegistryRow { name, last_tag: last.map(|image| image.tag), last_pushed, run });
    }
    let host = visit.door.settings.registry_host.clone();
    let next = next.map(|key| links::registry_after(&key));
    Ok(respond(&Registry { page: visit.page, host, repositories: rows, error, next }))
}

/// `GET /registry/repositories/{name}?after=`: newest names first, as people count.
pub async fn tags(visit: Visit, name: web::Path<String>, after: web::Query<After>) -> Answer {
    visit.identity.require()?;
    let repository = name.into_inner();
    if !is_repository(&repository) {
        return Err(Failure::not_found());
    }
    let (all, error) = match told(visit.door.registry.tags_lately(&repository).await)? {
        Ok(tags) => (tags, None),
        Err(message) => (Arc::default(), Some(message)),
    };
    let start = all.iter().rev().position(|tag| *tag == after.after).map_or(0, |at| at + 1);
    let shown: Vec<String> = all.iter().rev().skip(start).take(TAGS).cloned().collect();
    let more = start + shown.len() < all.len();
    let next = shown.last().filter(|_| more).map(|tag| links::registry_tags_after(&repository, tag));
    let rows = stream::iter(shown).map(|tag| tag_row(&visit, &repository, tag)).buffered(AT_ONCE);
    let rows: Vec<_> = rows.collect().await;
    let tags = rows.into_iter().collect::<Result<Vec<_>, Failure>>()?;
    let (host, total) = (visit.door.settings.registry_host.clone(), all.len());
    Ok(respond(&RegistryTags { page: visit.page, host, repository, tags, total, error, next }))
}

async fn tag_row(visit: &Visit, repository: &str, tag: String) -> Result<TagRow, Failure> {
    let image = match told(visit.door.registry.image(repository, &tag).await)? {
        Ok(image) => image,
        Err(error) => return Ok(TagRow { error: Some(error), ..bare(tag) }),
    };
    let run = match provenance::push_of(visit, &image.digest, (repository, &tag))? {
        Some((_, run)) => Some(brief_of(visit, &run).await?),
        None => None,
    };
    Ok(TagRow {
        href: links::image(repository, image.digest.as_str()),
        digest: image.digest.to_string(),
        size: image.total_size,
        created_at: image.created,
        labels: image.labels.into_iter().collect(),
        run,
        ..bare(tag)
    })
}

fn bare(tag: String) -> TagRow {
    TagRow {
        tag,
        digest: String::new(),
        size: 0,
        created_at: None,
        labels: Vec::new(),
        run: None,
        error: None,
        href: String::new(),
    }
}

#[derive(Deserialize)]
pub struct Of {
    #[serde(default)]
    repository: String,
}

/// `GET /registry/images/{digest}?repository=`.
pub async fn image(visit: Visit, digest: web::Path<String>, of: web::Query<Of>) -> Answer {
    visit.identity.require()?;
    let digest = Digest::new(digest.into_inner()).map_err(|_| Failure::not_found())?;
    let pushed = provenance::push_of(&visit, &digest, (&of.repository, ""))?;
    let repository = match &pushed {
        _ if is_repository(&of.repository) => of.repository.clone(),
        Some((image, _)) => image.repository.clone(),
        None => return Err(Error::NotFound(msg!("pages-image-where", digest = digest.short())).into()),
    };
    let known = visit.door.store.read(|c| images::by_digest(c, &digest))?;
    let mut tags: Vec<String> = Vec::new();
    for image in known.into_iter().filter(|image| image.repository == repository) {
        if !tags.contains(&image.tag) && visible_run(&visit, image.run_id)?.is_some() {
            tags.push(image.tag);
        }
    }
    let (found, error) = match told(visit.door.registry.image(&repository, digest.as_str()).await)? {
        Ok(image) => (Some(image), None),
        Err(message) => (None, Some(message)),
    };
    let provenance = match &pushed {
        Some((image, run)) => Some(provenance::provenance(&visit, image, run).await?.1),
        None => None,
    };
    let containers = provenance::containers(&visit, digest.as_str());
    let size = found.as_ref().map(|image| image.total_size).or(pushed.as_ref().map(|(image, _)| image.size));
    Ok(respond(&Image {
        host: visit.door.settings.registry_host.clone(),
        page: visit.page,
        repository,
        digest: digest.to_string(),
        tags,
        media_type: found.as_ref().map(|image| image.media_type.clone()).unwrap_or_default(),
        platform: found.as_ref().map(platform).unwrap_or_default(),
        size: size.unwrap_or_default(),
        created_at: found.as_ref().and_then(|image| image.created),
        labels: labels(found.as_ref(), pushed.as_ref().map(|(image, _)| image)),
        layers: found.map(layers).unwrap_or_default(),
        provenance,
        containers,
        error,
    }))
}

/// As the registry has them; as the run saw them when the registry cannot be asked.
fn labels(found: Option<&registry::Image>, pushed: Option<&crate::model::RunImage>) -> Vec<(String, String)> {
    let labels = found.map(|image| &image.labels).or(pushed.map(|image| &image.labels));
    labels.map(|labels| labels.clone().into_iter().collect()).unwrap_or_default()
}

fn platform(image: &registry::Image) -> String {
    let of_index = image.platforms.iter().filter(|platform| !platform.attestation);
    let all: Vec<String> = of_index.map(ToString::to_string).collect();
    match all.is_empty() {
        true if image.os.is_empty() => String::new(),
        true => format!("{}/{}", image.os, image.architecture),
        false => all.join(", "),
    }
}

/// The layers between the instructions that made none, in the order of the history.
fn layers(image: registry::Image) -> Vec<Layer> {
    let layer = |layer: &registry::Layer| Layer {
        digest: layer.digest.to_string(),
        size: layer.size,
        created_by: layer.created_by.clone(),
    };
    let filled = image.history.iter().filter(|step| !step.empty_layer).count();
    if filled != image.layers.len() {
        return image.layers.iter().map(layer).collect();
    }
    let mut layers = image.layers.iter();
    let step = |step: &registry::History| match step.empty_layer {
        true => Some(Layer { digest: String::new(), size: 0, created_by: step.created_by.clone() }),
        false => layers.next().map(layer),
    };
    image.history.iter().filter_map(step).collect()
}
