//! From a digest, a tag, labels or a running container back to the run and the commit. When nothing is
//! found the page says of each clue what was looked for and why that was not enough.

use actix_web::web;
use serde::Deserialize;

use super::browse::shown;
use super::pieces::brief_of;
use super::provenance::{self, push_of, running};
use super::question::{Clue, build_tags, clues};
use super::trace_records::{by_build_tag, named_run, recorded, runs_of_commit};
use super::visit::{Answer, Visit};
use crate::model::{
    CommitId, Digest, Error, ImageReference, Message, Result, Run, RunImage, RunningContainer,
};
use crate::msg;
use crate::store::images;
use crate::web::pages::registry::{Found, Provenance, Trace};
use crate::web::pages::respond;

/// Running containers offered to choose from.
const MOST_CONTAINERS: usize = 50;

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
}

/// What came of a question.
#[derive(Default)]
struct Search {
    found: Vec<Found>,
    missing: Vec<Message>,
}

/// `GET /trace?q=`, and `POST /trace` for what is too long for an address.
pub async fn trace(visit: Visit, asked: web::Query<Asked>) -> Answer {
    answer(visit, asked.into_inner().q).await
}

/// `POST /trace`; it changes nothing.
pub async fn posted(sent: super::visit::Sent<Asked>) -> Answer {
    answer(sent.visit, sent.form.q).await
}

async fn answer(visit: Visit, question: String) -> Answer {
    visit.identity.require()?;
    let mut search = Search::default();
    for clue in clues(&question) {
        follow(&visit, &mut search, clue).await?;
    }
    if search.found.is_empty() && search.missing.is_empty() && !question.trim().is_empty() {
        search.missing.push(msg!("pages-trace-unclear"));
    }
    if !search.found.is_empty() {
        search.missing.clear();
    }
    let containers = if search.found.is_empty() { ours_running(&visit) } else { Vec::new() };
    Ok(respond(&Trace {
        host: visit.door.settings.registry_host.clone(),
        page: visit.page,
        question,
        found: search.found,
        missing: search.missing,
        containers,
    }))
}

/// Containers of images from our registry.
fn ours_running(visit: &Visit) -> Vec<crate::web::pages::registry::ContainerRow> {
    let host = format!("{}/", visit.door.settings.registry_host);
    let mut all = running(visit, |container| container.image.starts_with(&host));
    all.truncate(MOST_CONTAINERS);
    all
}

async fn follow(visit: &Visit, search: &mut Search, clue: Clue) -> Result<()> {
    match clue {
        Clue::Digest(digest) => by_digest(visit, search, &digest, ("", "")).await,
        Clue::Image(image) => by_image(visit, search, &image).await,
        Clue::Labels(labels) => by_labels(visit, search, &labels).await,
        Clue::Word(word) => by_word(visit, search, &word).await,
    }
}

/// Of a manifest; else of the configuration of an image that runs here.
async fn by_digest(visit: &Visit, search: &mut Search, digest: &Digest, wanted: (&str, &str)) -> Result<()> {
    if let Some((image, run)) = push_of(visit, digest, wanted)? {
        return add(visit, search, &image, &run, Vec::new()).await;
    }
    let containers = visit.door.surroundings.borrow().containers.clone();
    let of_image = containers.iter().filter(|container| container.image_id == digest.as_str());
    for known in of_image.flat_map(|container| &container.digests) {
        let known = known.rsplit('@').next().and_then(|digest| Digest::new(digest).ok());
        if let Some(known) = known.filter(|known| known != digest)
            && let Some((image, run)) = push_of(visit, &known, wanted)?
        {
            let note = msg!("pages-trace-image-id");
            return add(visit, search, &image, &run, vec![note]).await;
        }
    }
    search.missing.push(msg!("pages-trace-digest", digest = digest.short()));
    Ok(())
}

async fn by_image(visit: &Visit, search: &mut Search, image: &ImageReference) -> Result<()> {
    if let Some(digest) = &image.digest {
        return by_digest(visit, search, digest, (&image.repository, "")).await;
    }
    let Some(tag) = image.tag.as_deref() else { return Ok(()) };
    let ours = &visit.door.settings.registry_host;
    if let Some(host) = image.host.as_ref().filter(|host| *host != ours) {
        search.missing.push(msg!("pages-trace-other-registry", host = host, ours = ours));
        return Ok(());
    }
    let recorded = recorded(visit, &image.repository, tag)?;
    let present = match visit.door.registry.head(&image.repository, tag).await {
        Ok(present) => Ok(present.map(|descriptor| descriptor.digest)),
        Err(Error::Internal(cause)) => return Err(Error::Internal(cause)),
        Err(error) => Err(error.message().cloned()),
    };
    let name = format!("{}:{tag}", image.repository);
    match (present, recorded) {
        // What the tag names today counts, not what a run once called so.
        (Ok(Some(digest)), _) if push_of(visit, &digest, (&image.repository, tag))?.is_some() => {
            by_digest(visit, search, &digest, (&image.repository, tag)).await
        }
        (Ok(Some(digest)), Some((image, run))) => {
            let note = msg!("pages-trace-moved", image = name, digest = digest.short());
            add(visit, search, &image, &run, vec![note]).await
        }
        (Ok(Some(digest)), None) => {
            search.missing.push(msg!("pages-trace-not-ours", image = name, digest = digest.short()));
            Ok(())
        }
        (Ok(None), Some((image, run))) => {
            add(visit, search, &image, &run, vec![msg!("pages-trace-gone", image = name)]).await
        }
        (Ok(None), None) => {
            search.missing.push(msg!("pages-trace-no-tag", image = name, host = ours));
            Ok(())
        }
        (Err(why), Some((image, run))) => add(visit, search, &image, &run, why.into_iter().collect()).await,
        (Err(why), None) => {
            search.missing.extend(why);
            search.missing.push(msg!("pages-trace-no-record", image = name));
            Ok(())
        }
    }
}

/// Labels: a `BUILD_TAG` in any of them, else the commit that `org.opencontainers.image.revision` names.
async fn by_labels(
    visit: &Visit,
    search: &mut Search,
    labels: &std::collections::BTreeMap<String, String>,
) -> Result<()> {
    for value in labels.values() {
        if let Some(run) = by_build_tag(visit, value)? {
            return add_run(visit, search, &run).await;
        }
    }
    let ours = ["ropewalk.repository", "ropewalk.pipeline", "ropewalk.number"].map(|name| labels.get(name));
    if let [Some(repository), Some(pipeline), Some(number)] = ours
        && let (Some((owner, name)), Ok(number)) = (repository.split_once('/'), number.parse())
        && let Some(run) = named_run(visit, (owner, name, pipeline, number))?
    {
        return add_run(visit, search, &run).await;
    }
    let revision = labels.iter().find(|(name, _)| name.ends_with("revision") || name.ends_with("commit"));
    if let Some(commit) = revision.and_then(|(_, value)| CommitId::new(value.as_str()).ok()) {
        let before = search.found.len();
        for run in runs_of_commit(visit, &commit)? {
            add_run(visit, search, &run).await?;
        }
        if search.found.len() == before {
            search.missing.push(msg!("pages-trace-commit", commit = commit.short()));
        }
        return Ok(());
    }
    search.missing.push(msg!("pages-trace-labels", count = labels.len()));
    Ok(())
}

async fn by_word(visit: &Visit, search: &mut Search, word: &str) -> Result<()> {
    if let Some(run) = by_build_tag(visit, word)? {
        return add_run(visit, search, &run).await;
    }
    if word.starts_with("ropewalk-") && !build_tags(word).is_empty() {
        search.missing.push(msg!("pages-trace-build-tag", tag = shown(word)));
        return Ok(());
    }
    let containers = visit.door.surroundings.borrow().containers.clone();
    let is_id = word.len() >= 4 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let called = |container: &&RunningContainer| {
        container.name.eq_ignore_ascii_case(word) || is_id && container.id.starts_with(word)
    };
    if let Some(container) = containers.iter().find(called) {
        return by_container(visit, search, container).await;
    }
    if let Ok(commit) = CommitId::new(word) {
        for run in runs_of_commit(visit, &commit)? {
            add_run(visit, search, &run).await?;
        }
        if search.found.is_empty() {
            search.missing.push(msg!("pages-trace-commit", commit = commit.short()));
        }
        return Ok(());
    }
    search.missing.push(msg!("pages-trace-word", word = shown(word)));
    Ok(())
}

async fn by_container(visit: &Visit, search: &mut Search, container: &RunningContainer) -> Result<()> {
    for known in &container.digests {
        let digest = known.rsplit('@').next().and_then(|digest| Digest::new(digest).ok());
        if let Some(digest) = digest
            && let Some((image, run)) = push_of(visit, &digest, ("", ""))?
        {
            return add(visit, search, &image, &run, Vec::new()).await;
        }
    }
    let before = search.found.len();
    if !container.labels.is_empty() {
        by_labels(visit, search, &container.labels).await?;
    }
    if search.found.len() == before {
        let image = shown(&container.image);
        search.missing.push(msg!("pages-trace-container", name = shown(&container.name), image = image));
    }
    Ok(())
}

/// A run, by everything it pushed.
async fn add_run(visit: &Visit, search: &mut Search, run: &Run) -> Result<()> {
    let pushed = visit.door.store.read(|c| images::of_run(c, run.id))?;
    for image in &pushed {
        add(visit, search, image, run, Vec::new()).await?;
    }
    if pushed.is_empty() {
        let bases = visit.door.store.read(|c| images::bases(c, run.id))?;
        let brief = brief_of(visit, run).await?;
        let provenance = Provenance {
            stage: String::new(),
            pushed_at: run.finished_at.unwrap_or(run.queued_at),
            commit: brief.commit.clone(),
            commit_id: run.commit.to_string(),
            base_images: bases,
            run: brief,
        };
        let notes = vec![msg!("pages-trace-no-images")];
        let containers = Vec::new();
        search.found.push(Found { image: None, provenance: Some(provenance), containers, notes });
    }
    Ok(())
}

async fn add(
    visit: &Visit,
    search: &mut Search,
    image: &RunImage,
    run: &Run,
    notes: Vec<Message>,
) -> Result<()> {
    let digest = image.digest.as_str();
    let same = |found: &Found| {
        found.image.as_ref().is_some_and(|known| known.digest == digest && known.tag == image.tag)
    };
    if search.found.iter().any(same) {
        return Ok(());
    }
    let (brief, made) = provenance::provenance(visit, image, run).await?;
    let mut containers = provenance::containers(visit, digest);
    containers.truncate(MOST_CONTAINERS);
    search.found.push(Found { image: Some(brief), provenance: Some(made), containers, notes });
    Ok(())
}
