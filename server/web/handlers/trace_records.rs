//! What the store knows of a clue: pushes of a tag, the run of a `BUILD_TAG`, the runs of a commit. Only what
//! the visitor may see is found.

use super::provenance::visible_run;
use super::question::build_tags;
use super::visit::Visit;
use crate::model::{CommitId, PipelineName, RepositoryPath, Result, Run, RunImage};
use crate::store::{images, pipelines, repositories, runs};

/// Repositories that are searched for a commit.
const MOST_REPOSITORIES: u32 = 10_000;

/// The newest push of a tag that the visitor may see.
pub fn recorded(visit: &Visit, repository: &str, tag: &str) -> Result<Option<(RunImage, Run)>> {
    for image in visit.door.store.read(|c| images::by_tag(c, repository, tag))? {
        if let Some(run) = visible_run(visit, image.run_id)? {
            return Ok(Some((image, run)));
        }
    }
    Ok(None)
}

pub fn by_build_tag(visit: &Visit, text: &str) -> Result<Option<Run>> {
    for (owner, name, pipeline, number) in build_tags(text) {
        if let Some(run) = named_run(visit, (&owner, &name, &pipeline, number))? {
            return Ok(Some(run));
        }
    }
    Ok(None)
}

pub fn named_run(
    visit: &Visit,
    (owner, name, pipeline, number): (&str, &str, &str, u64),
) -> Result<Option<Run>> {
    let (Ok(path), Ok(pipeline)) = (RepositoryPath::new(owner, name), PipelineName::new(pipeline)) else {
        return Ok(None);
    };
    let found = visit.door.store.read(|c| {
        let Some(repository) = repositories::by_path(c, &path)? else { return Ok(None) };
        let Some(pipeline) = pipelines::by_name(c, repository.id, &pipeline)? else { return Ok(None) };
        runs::by_number(c, pipeline.id, number)
    })?;
    found.map_or(Ok(None), |run| visible_run(visit, run.id))
}

/// The newest runs of a commit, in whatever repository the visitor may see.
pub fn runs_of_commit(visit: &Visit, commit: &CommitId) -> Result<Vec<Run>> {
    const MOST: usize = 5;
    let viewer = visit.identity.viewer();
    visit.door.store.read(|c| {
        let mut all = Vec::new();
        for repository in repositories::page(c, viewer, None, MOST_REPOSITORIES)? {
            all.extend(runs::of_commit(c, repository.id, commit, MOST as u32)?);
            if all.len() >= MOST {
                break;
            }
        }
        all.truncate(MOST);
        Ok(all)
    })
}
