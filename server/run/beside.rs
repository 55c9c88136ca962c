//! What a run's steps make in the engine beside themselves: it is watched while the run is under way, so that published
//! ports answer at the steps' `localhost`, and removed at the run's end unless the pipeline keeps it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::House;
use super::workspace::{Taken, Workspace, remove_all};
use crate::docker::{EngineError, Place, Projects};
use crate::model::{Result, Run};

/// The end of a run does not wait longer for an engine; the next sweep tries again.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two attempts to hear of the engine's events.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Watches until it is dropped.
pub struct Watch(JoinHandle<()>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Watch {
    pub fn begin(house: &Arc<House>, run: &Run, taken: &Taken, place: Place) -> Watch {
        let (house, id, taken) = (house.clone(), run.id, taken.clone());
        Watch(tokio::spawn(async move {
            let all = &house.settings.workspaces;
            let projects = Workspace::of(all, &taken.name).projects(taken.seen, Some(taken.since));
            let seen = |project| house.names.saw(id, project);
            loop {
                let watched = house.engine.attend(&place, (&projects, all), taken.since, &seen).await;
                if let Err(error) = watched {
                    tracing::warn!(run = id, %error, "published ports may not answer at localhost");
                }
                tokio::time::sleep(AGAIN_AFTER).await;
            }
        }))
    }
}

/// Removes what the run's steps made, and makes its folders' names free; returns the folders. What cannot be removed
/// now stays, with the folders to tell of it, for the next sweep.
pub async fn remove(house: &House, run: &Run) -> Vec<PathBuf> {
    let Some(taken) = house.names.of(run.id) else { return Vec::new() };
    let workspace = Workspace::of(&house.settings.workspaces, &taken.name);
    let projects = workspace.projects(taken.seen, Some(taken.since));
    let aside = match tokio::time::timeout(PATIENCE, of_projects(house, &workspace, &projects)).await {
        Ok(Ok(())) => workspace.set_aside(run.id).await,
        Ok(Err(error)) => {
            tracing::warn!(run = run.id, %error, "what a run made in the engine could not be removed");
            house.untidy.notify_one();
            Vec::new()
        }
        Err(_) => {
            tracing::warn!(run = run.id, "removing what a run made in the engine takes too long");
            house.untidy.notify_one();
            Vec::new()
        }
    };
    house.names.release(run.id);
    aside
}

/// Removes what an earlier run left under a workspace's name; call with the name taken.
pub async fn clear(house: &House, workspace: &Workspace) -> Result<()> {
    of_projects(house, workspace, &workspace.projects(BTreeSet::new(), None)).await?;
    let all = workspace.folders().into_iter().chain([&workspace.keep]).cloned().collect();
    super::carry_out::remove(house, remove_all(all).await).await;
    Ok(())
}

async fn of_projects(house: &House, workspace: &Workspace, projects: &Projects) -> Result<(), EngineError> {
    // Without the engine's socket a step makes nothing there.
    if workspace.keep.exists() || house.settings.step_socket.is_none() {
        return Ok(());
    }
    house.engine.remove_projects(projects).await.map(drop)
}
