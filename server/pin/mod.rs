//! The images a run stands on, each by its digest, found out before the run is queued: what the commit's Dockerfiles,
//! compose files and the definition name, and what the registries say those names mean now.
//!
//! It never keeps a push waiting for long: every registry is asked at the same time, once for each image, and when
//! one does not answer soon, what its tag named when it was last seen counts. It writes nothing by itself: what it
//! found goes into the transaction that queues the run.

mod ask;
mod frontend;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::git::{OpenRepository, Repositories};
use crate::model::{
    BaseImage, CommitId, Definition, Digest, ImageChange, ImageReference, Message, RepositoryPath, Result,
    Sighting, StreamTagName, TagAddress,
};
use crate::msg;
use crate::pipeline::bases::{self, Site, Sources, Values};
use crate::registry::Registries;
use crate::store::triggers::{self, PipelineBase};
use crate::store::{Connection, Store, images, tags};

/// For all questions together.
const WITHIN: Duration = Duration::from_secs(2);
/// Most images that are asked about.
const MOST: usize = 64;
/// Most places that are kept of one image.
const MOST_PLACES: usize = 50;

/// The room; cheap to clone.
#[derive(Clone)]
pub struct Pin {
    store: Store,
    git: Repositories,
    registries: Registries,
    /// For steps that name no image; only when it is in a registry.
    step_image: Option<String>,
    made: Arc<Mutex<BTreeMap<Digest, Option<Timestamp>>>>,
    /// Registries that did not answer, and when that was found: pushes in a row do not wait for them in a row.
    silent: Arc<Mutex<BTreeMap<String, Instant>>>,
}

/// A run that is to be queued.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    pub repository: &'a RepositoryPath,
    pub commit: &'a CommitId,
    /// `None` for a pipeline that has no row yet.
    pub pipeline_id: Option<i64>,
    pub definition_path: &'a str,
    pub definition: &'a Definition,
    pub inputs: &'a BTreeMap<String, String>,
    /// The images whose move starts it: it stands on exactly these.
    pub changes: &'a [ImageChange],
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// For the run.
    pub bases: Vec<BaseImage>,
    /// For the pipeline, when the commit is of its default branch.
    pub standing: Vec<PipelineBase>,
    /// Tags that nobody had looked at before.
    pub seen: Vec<(TagAddress, Sighting)>,
    /// What whoever starts the run should know at once.
    pub said: Vec<Message>,
}

impl Found {
    /// Notes what the pipeline stands on. Belongs into the transaction that queues the run, before it does.
    pub fn note(&self, c: &Connection, pipeline_id: i64, at: Timestamp) -> Result<()> {
        triggers::set_bases(c, pipeline_id, &self.standing)?;
        for (address, sighting) in &self.seen {
            if tags::get(c, address)?.is_none() {
                tags::observe(c, address, (sighting, None), at)?;
            }
        }
        Ok(())
    }
}

/// An image by the name the repository gives it.
struct Base {
    reference: String,
    places: Vec<String>,
    note: Option<Message>,
    /// It is fetched to read a Dockerfile, and nothing is built on it.
    is_frontend: bool,
    /// Why a file stays as it is.
    left: Option<Message>,
    /// Whether it stands somewhere where it is pinned.
    pinned: bool,
}

impl Pin {
    pub fn new(store: Store, git: Repositories, registries: Registries, step_image: &str) -> Self {
        let image = ImageReference::parse(step_image).ok();
        let in_registry = image.is_some_and(|image| image.host.is_some());
        let step_image = in_registry.then(|| step_image.to_owned());
        Pin { store, git, registries, step_image, made: Arc::default(), silent: Arc::default() }
    }

    /// The bases of a run. Never fails: what cannot be found out is a base with a note.
    pub async fn bases(&self, wanted: &Wanted<'_>) -> Found {
        let mut named = match self.named(wanted).await {
            Ok(named) => named,
            Err(error) => {
                tracing::warn!(%error, repository = %wanted.repository, "the bases of a commit could not be read");
                let place = wanted.definition_path.to_owned();
                let note = Some(msg!("pin-commit-unreadable"));
                let (left, pinned, is_frontend) = (None, false, false);
                vec![Base { reference: place.clone(), places: vec![place], note, left, pinned, is_frontend }]
            }
        };
        for base in named.iter_mut().skip(MOST) {
            base.note.get_or_insert_with(|| msg!("pin-too-many", most = MOST));
        }
        let answers = Instant::now() + WITHIN;
        let each = named.into_iter().map(|base| self.one(wanted, base, answers));
        let mut found = Found::default();
        for one in futures_util::future::join_all(each).await {
            found.bases.push(one.image);
            found.standing.extend(one.standing);
            found.seen.extend(one.seen);
            found.said.extend(one.said);
        }
        found
    }

    /// Everything the commit names, each once.
    async fn named(&self, wanted: &Wanted<'_>) -> Result<Vec<Base>> {
        let commit = wanted.commit.clone();
        let (definition, inputs) = (wanted.definition.clone(), wanted.inputs.clone());
        let (path, host) = (wanted.definition_path.to_owned(), self.registries.own().host().to_owned());
        // In the background, as large files take their time.
        let read = move |open: &OpenRepository| {
            let read = |paths: (&[String], &[String])| open.candidates(&commit, paths, bases::is_candidate);
            let scripts = open.candidates(&commit, bases::EVERYWHERE, bases::is_script)?;
            let unread = bases::unread_scripts(&scripts);
            let values = Values::of(&definition, &inputs, &host, &bases::scripts(scripts));
            let sources = Sources::gather(&values, &read)?;
            let mut sites = bases::of_definition(&path, &definition, &values);
            sites.extend(bases::sites(&sources.files, &values));
            sites.extend(sources.unread);
            sites.extend(unread);
            Ok(sites)
        };
        let mut sites: Vec<Site> = self.default_image(wanted).into_iter().collect();
        sites.extend(self.git.read(wanted.repository, read).await?);
        Ok(gathered(sites))
    }

    fn default_image(&self, wanted: &Wanted<'_>) -> Option<Site> {
        let image = self.step_image.clone()?;
        let definition = wanted.definition;
        let mut stages = definition.stages.iter().filter(|stage| stage.image.is_none());
        let needed = definition.image.is_none()
            && stages.any(|stage| stage.steps.iter().any(|step| step.image.is_none()));
        let path = wanted.definition_path.to_owned();
        needed.then_some(Site { path, reference: image, ..Site::default() })
    }

    /// Whether the pipeline pushes images of this repository itself, whatever their tags: then a run may build it anew
    /// before it is used.
    fn is_own(&self, wanted: &Wanted<'_>, address: &TagAddress) -> Result<bool> {
        let Some(pipeline) = wanted.pipeline_id else { return Ok(false) };
        if address.host != self.registries.own().host() {
            return Ok(false);
        }
        self.store.read(|c| images::is_pushed_by(c, pipeline, &address.repository))
    }
}

/// Each reference once, with the places it stands at; a note of one place counts for all.
fn gathered(sites: Vec<Site>) -> Vec<Base> {
    let mut all: Vec<Base> = Vec::new();
    let mut index: BTreeMap<String, usize> = BTreeMap::new();
    for site in sites {
        let place = if site.line == 0 { site.path } else { format!("{}:{}", site.path, site.line) };
        match index.get(&site.reference).and_then(|known| all.get_mut(*known)) {
            Some(known) => {
                if known.places.len() < MOST_PLACES && !known.places.contains(&place) {
                    known.places.push(place);
                }
                known.pinned |= site.note.is_none() && site.left.is_none();
                known.note = known.note.take().or(site.note);
                known.left = known.left.take().or(site.left);
                known.is_frontend &= site.is_frontend;
            }
            None => {
                index.insert(site.reference.clone(), all.len());
                let pinned = site.note.is_none() && site.left.is_none();
                let Site { reference, note, left, is_frontend, .. } = site;
                all.push(Base { reference, places: vec![place], note, left, pinned, is_frontend });
            }
        }
    }
    all
}

/// The image that a change of this run makes of a base, if one does.
fn changed(changes: &[ImageChange], reference: &str, address: &TagAddress) -> Option<Digest> {
    let image = |change: &ImageChange| ImageReference::parse(&change.new).ok();
    let same = changes.iter().find(|change| change.watched == reference).and_then(image);
    let found = same.or_else(|| {
        // A stream's tag: the base that is the same tag of the same repository.
        let of_stream = |change: &&ImageChange| {
            let stream = change.watched.parse::<StreamTagName>();
            let new = image(change);
            stream.is_ok_and(|stream| stream.tag == address.tag)
                && new.is_some_and(|new| {
                    new.repository == address.repository && new.host.as_deref() == Some(&address.host)
                })
        };
        changes.iter().find(of_stream).and_then(image)
    })?;
    found.digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_the_image_of_its_base_and_of_no_other() {
        let digest = format!("sha256:{}", "1".repeat(64));
        let change = |watched: &str| ImageChange {
            watched: watched.into(),
            old: None,
            new: format!("registry.local:5000/team/base@{digest}"),
        };
        let address = |tag: &str| TagAddress {
            host: "registry.local:5000".into(),
            repository: "team/base".into(),
            tag: tag.into(),
        };
        let found = |watched: &str, reference: &str, tag: &str| {
            changed(&[change(watched)], reference, &address(tag)).is_some()
        };
        assert!(found("registry.local:5000/team/base:1", "registry.local:5000/team/base:1", "1"));
        assert!(found("ada/stream:1", "registry.local:5000/team/base:1", "1"));
        assert!(!found("ada/stream:2", "registry.local:5000/team/base:1", "1"));
        assert!(!found("debian:12", "registry.local:5000/team/base:1", "2"));
    }
}
