//! What the steps of a run made in the engine themselves, through its socket: Compose projects whose files lie in the
//! run's folders, with their networks and volumes; containers that bind one of these folders; and those that live in a
//! network of such a project alone. The engine does not know who made what, so everything else stays: a container of a
//! plain `docker run` that touches nothing of the run is nobody's.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use bollard::models::{ContainerSummary, Network, Volume};
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListVolumesOptionsBuilder, RemoveVolumeOptions,
};
use futures_util::future::{join_all, join3};
use jiff::Timestamp;

use super::clean_up::Removed;
use super::step::LABEL_SERVER;
use super::{Engine, EngineError};

pub(super) const LABEL_PROJECT: &str = "com.docker.compose.project";
pub(super) const LABEL_FOLDER: &str = "com.docker.compose.project.working_dir";

/// What tells a run's projects from others.
#[derive(Clone, Debug)]
pub struct Projects {
    /// The project that Compose takes unless it is told another.
    pub name: String,
    /// The run's folders on the host.
    pub folders: Vec<PathBuf>,
    /// Others that were seen to start in the run's folders.
    pub seen: BTreeSet<String>,
    /// Nothing older is the run's. `None` after a crash, when that is not known any more.
    pub since: Option<Timestamp>,
}

impl Projects {
    /// Whether a project whose file is in `folder`, as its containers' label says, is the run's.
    pub(super) fn has(&self, labels: &HashMap<String, String>) -> bool {
        let Some(folder) = labels.get(LABEL_FOLDER) else { return false };
        let is_named = labels.get(LABEL_PROJECT).is_some_and(|project| *project == self.name);
        // `/tmp` is the run's own in its steps, and everybody's outside of them.
        self.holds(folder) || is_named && Path::new(folder).starts_with("/tmp")
    }

    fn holds(&self, path: &str) -> bool {
        self.folders.iter().any(|folder| Path::new(path).starts_with(folder))
    }

    fn is_young(&self, created: Option<Timestamp>) -> Option<bool> {
        Some(created? >= self.since?)
    }

    fn is_ours(&self, container: &ContainerSummary) -> bool {
        let none = HashMap::new();
        let labels = container.labels.as_ref().unwrap_or(&none);
        if labels.contains_key(LABEL_SERVER) {
            return false;
        }
        let created = container.created.and_then(|at| Timestamp::from_second(at).ok());
        let is_named = labels.get(LABEL_PROJECT).is_some_and(|project| *project == self.name);
        let mut mounts = container.mounts.iter().flatten();
        self.has(labels)
            || is_named && self.is_young(created) == Some(true)
            || mounts.any(|mount| mount.source.as_deref().is_some_and(|source| self.holds(source)))
    }

    fn select(&self, listed: Listed) -> Found {
        let Listed { containers, networks, volumes } = listed;
        let project = |labels: Option<&HashMap<String, String>>| labels?.get(LABEL_PROJECT).cloned();
        let (mut ours, others): (Vec<_>, Vec<_>) = containers.into_iter().partition(|c| self.is_ours(c));
        let mut projects: BTreeSet<String> = ours.iter().filter_map(|c| project(c.labels.as_ref())).collect();
        projects.extend(self.seen.iter().cloned());
        projects.insert(self.name.clone());
        for foreign in others.iter().filter_map(|c| project(c.labels.as_ref())) {
            projects.remove(&foreign);
        }
        let is_of = |labels: Option<&HashMap<String, String>>, created: Option<Timestamp>| {
            project(labels).is_some_and(|project| projects.contains(&project))
                && self.is_young(created) != Some(false)
        };
        let time = |text: String| text.parse::<Timestamp>().ok();
        let networks: Vec<Network> = networks
            .into_iter()
            .filter(|n| is_of(n.labels.as_ref(), n.created.as_ref().and_then(|at| time(at.to_string()))))
            .collect();
        let names: BTreeSet<&String> = networks.iter().filter_map(|n| n.name.as_ref()).collect();
        ours.extend(others.into_iter().filter(|container| {
            let settings = container.network_settings.as_ref().and_then(|s| s.networks.as_ref());
            settings
                .is_some_and(|within| !within.is_empty() && within.keys().all(|name| names.contains(name)))
        }));
        let of_volume =
            |v: &Volume| is_of(Some(&v.labels), v.created_at.as_ref().and_then(|at| time(at.to_string())));
        Found {
            containers: ours.into_iter().filter_map(|c| c.id).collect(),
            volumes: volumes.into_iter().filter(of_volume).map(|v| v.name).collect(),
            networks: networks.into_iter().filter_map(|n| n.id).collect(),
        }
    }
}

/// What the engine has.
#[derive(Default)]
struct Listed {
    containers: Vec<ContainerSummary>,
    networks: Vec<Network>,
    volumes: Vec<Volume>,
}

/// What is the run's.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    containers: Vec<String>,
    networks: Vec<String>,
    volumes: Vec<String>,
}

impl Engine {
    /// Removes what a run's steps made. What cannot go (somebody else has joined its network) stays and is logged.
    pub async fn remove_projects(&self, projects: &Projects) -> Result<Removed, EngineError> {
        let client = self.client().await?;
        let all = ListContainersOptionsBuilder::new().all(true).build();
        let filters = HashMap::from([("label", vec![LABEL_PROJECT])]);
        let of_projects = ListVolumesOptionsBuilder::new().filters(&filters).build();
        // At once: every run's end waits for this.
        let (containers, networks, volumes) = join3(
            client.list_containers(Some(all)),
            self.list_networks(LABEL_PROJECT),
            client.list_volumes(Some(of_projects)),
        )
        .await;
        let containers = containers.map_err(|e| self.failed("list containers", e))?;
        let volumes = volumes.map_err(|e| self.failed("list volumes", e))?.volumes.unwrap_or_default();
        let networks = networks?;
        let found = projects.select(Listed { containers, networks, volumes });
        for done in join_all(found.containers.iter().map(|id| self.remove_container(id))).await {
            done?;
        }
        let mut removed = Removed { containers: found.containers.len(), ..Removed::default() };
        for id in &found.networks {
            match self.remove_network(id).await {
                Ok(()) => removed.networks += 1,
                Err(EngineError::Failed(error)) => tracing::warn!(%error, "a network of a run stays"),
                Err(gone) => return Err(gone),
            }
        }
        for name in &found.volumes {
            match client
                .remove_volume(name, None::<RemoveVolumeOptions>)
                .await
                .map_err(|e| self.failed("remove a volume", e))
            {
                Ok(()) => removed.volumes += 1,
                Err(EngineError::Failed(error)) => tracing::warn!(%error, "a volume of a run stays"),
                Err(gone) => return Err(gone),
            }
        }
        Ok(removed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, from_value, json};

    const BEGUN: i64 = 1_800_000_000;

    fn listed(containers: Value) -> Listed {
        let network = |id: &str, project: &str, created: &str| json!({"Id": id, "Name": id, "Created": created, "Labels": {LABEL_PROJECT: project}});
        let volume = |name: &str, project: &str, created: &str| json!({"Name": name, "Driver": "local", "Mountpoint": "", "Options": {}, "Scope": "local", "CreatedAt": created, "Labels": {LABEL_PROJECT: project}});
        let (young, old) = ("2027-01-15T08:00:01Z", "2027-01-15T07:00:00Z");
        Listed {
            containers: from_value(containers).unwrap(),
            networks: from_value(json!([
                network("a-b-c_default", "a-b-c", young),
                network("old", "a-b-c", old),
                network("own", "own", young),
                network("mixed", "mixed", young),
                network("other", "other", young),
            ]))
            .unwrap(),
            volumes: from_value(json!([
                volume("data", "a-b-c", young),
                volume("kept", "a-b-c", old),
                volume("theirs", "other", young)
            ]))
            .unwrap(),
        }
    }

    fn projects(since: Option<i64>) -> Projects {
        Projects {
            name: "a-b-c".into(),
            folders: vec!["/w/a-b-c".into(), "/w/a-b-c@home".into()],
            seen: BTreeSet::new(),
            since: since.map(|at| Timestamp::from_second(at).unwrap()),
        }
    }

    #[test]
    fn only_what_the_run_made_goes() {
        let container = |id: &str, project: &str, folder: &str, more: Value| {
            let mut one = json!({"Id": id, "Created": BEGUN + 5, "Labels": {LABEL_PROJECT: project, LABEL_FOLDER: folder}});
            one.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            one
        };
        let plain = |id: &str, more: Value| {
            let mut one = json!({"Id": id, "Created": BEGUN + 5, "Labels": {}});
            one.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            one
        };
        let all = json!([
            container("in", "a-b-c", "/w/a-b-c/sub", json!({})),
            container("own", "own", "/w/a-b-c", json!({})),
            container("mixed", "mixed", "/w/a-b-c", json!({})),
            container("mixed-elsewhere", "mixed", "/home/ada", json!({})),
            container("beside", "other", "/w/a-b-c-2", json!({})),
            plain("bound", json!({"Mounts": [{"Type": "bind", "Source": "/w/a-b-c@home/x"}]})),
            plain("joined", json!({"NetworkSettings": {"Networks": {"own": {}}}})),
            plain("half", json!({"NetworkSettings": {"Networks": {"own": {}, "bridge": {}}}})),
            plain("nobody", json!({"NetworkSettings": {"Networks": {"bridge": {}}}})),
            plain(
                "step",
                json!({"Labels": {LABEL_SERVER: "s"}, "Mounts": [{"Type": "bind", "Source": "/w/a-b-c"}]})
            ),
        ]);
        let found = projects(Some(BEGUN)).select(listed(all.clone()));
        assert_eq!(found.containers, ["in", "own", "mixed", "bound", "joined"]);
        assert_eq!(found.networks, ["a-b-c_default", "own"]);
        assert_eq!(found.volumes, ["data"]);
        // A project of that name elsewhere is somebody's own, unless it came up during the run.
        let elsewhere = json!([container("named", "a-b-c", "/srv/a", json!({}))]);
        assert_eq!(projects(Some(BEGUN)).select(listed(elsewhere.clone())).containers, ["named"]);
        for since in [Some(BEGUN + 60), None] {
            assert_eq!(projects(since).select(listed(elsewhere.clone())), Found::default(), "{since:?}");
        }
        let after_a_crash = projects(None).select(listed(json!([])));
        assert_eq!((after_a_crash.networks.len(), after_a_crash.volumes.len()), (2, 2));
    }
}
