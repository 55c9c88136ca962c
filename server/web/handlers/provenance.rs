//! From an image to the run that made it, and to the containers that run it. Runs of repositories that
//! the visitor may not see made nothing, as far as the visitor is told.

use super::pieces::brief_of;
use super::run_view::image_brief;
use super::visit::Visit;
use crate::model::{Digest, Result, Run, RunImage, RunningContainer};
use crate::store::{images, repositories, runs};
use crate::web::auth;
use crate::web::pages::registry::{ContainerRow, ImageBrief, Provenance};

/// The run, when the visitor may see its repository.
pub fn visible_run(visit: &Visit, run: i64) -> Result<Option<Run>> {
    visit.door.store.read(|c| {
        let Some(run) = runs::by_id(c, run)? else { return Ok(None) };
        let repository = repositories::by_id(c, run.repository_id)?;
        let visible = repository.is_some_and(|repository| auth::can_read(&visit.identity, &repository));
        Ok(visible.then_some(run))
    })
}

/// The newest push of a digest that the visitor may see: of this tag if there is one, else of any.
pub fn push_of(visit: &Visit, digest: &Digest, wanted: (&str, &str)) -> Result<Option<(RunImage, Run)>> {
    let mut all = visit.door.store.read(|c| images::by_digest(c, digest))?;
    let (repository, tag) = wanted;
    all.sort_by_key(|image| (image.repository != repository, image.tag != tag));
    for image in all {
        if let Some(run) = visible_run(visit, image.run_id)? {
            return Ok(Some((image, run)));
        }
    }
    Ok(None)
}

/// Which run made the image, and of what.
pub async fn provenance(visit: &Visit, image: &RunImage, run: &Run) -> Result<(ImageBrief, Provenance)> {
    let (stages, bases) =
        visit.door.store.read(|c| Ok((runs::stages(c, run.id)?, images::bases(c, run.id)?)))?;
    let image_brief = image_brief(image, &stages);
    let brief = brief_of(visit, run).await?;
    let provenance = Provenance {
        stage: image_brief.stage.clone(),
        pushed_at: image.pushed_at,
        commit: brief.commit.clone(),
        commit_id: run.commit.to_string(),
        base_images: bases,
        run: brief,
    };
    Ok((image_brief, provenance))
}

/// The running containers of an image. Only whoever is signed in is told what runs on the engine.
pub fn containers(visit: &Visit, digest: &str) -> Vec<ContainerRow> {
    let uses = |container: &&RunningContainer| {
        container.digests.iter().any(|known| known.rsplit('@').next() == Some(digest))
    };
    running(visit, uses)
}

pub fn running(visit: &Visit, wanted: impl Fn(&&RunningContainer) -> bool) -> Vec<ContainerRow> {
    if visit.identity.known().is_none() {
        return Vec::new();
    }
    let seen = visit.door.surroundings.borrow();
    seen.containers.iter().filter(wanted).map(container_row).collect()
}

pub fn container_row(container: &RunningContainer) -> ContainerRow {
    ContainerRow {
        name: container.name.clone(),
        id: container.id.chars().take(12).collect(),
        image: container.image.clone(),
        state: container.state.clone(),
    }
}
