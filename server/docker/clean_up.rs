//! Removes what runs leave on the engine, found by label; nothing without this server's label is touched.
//!
//! What a step started itself through the socket is the business of `projects`.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig};
use bollard::query_parameters::StartContainerOptions;
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListVolumesOptionsBuilder, RemoveVolumeOptions,
};
use futures_util::future::join_all;

use super::step::{LABEL_RUN, LABEL_SERVER, Mount, mount};
use super::{Engine, EngineError};
use crate::model::Error;

/// Empties each folder given as an argument; what is not there is fine.
const EMPTY: &str = r#"for d; do rm -rf -- "$d"/* "$d"/.[!.]* "$d"/..?*; done"#;

/// What a clean-up found and removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    pub containers: usize,
    pub networks: usize,
    pub volumes: usize,
}

impl Engine {
    /// Removes the containers and volumes of one run. Its place is given back by whoever has it.
    pub async fn clean_up(&self, run: i64) -> Result<Removed, EngineError> {
        let mine = |label: Option<i64>| label == Some(run);
        self.remove_labelled(&mine).await
    }

    /// Removes what every run left that is not `live`. That is asked after the engine was, so that a run that
    /// begins in between keeps what it has; say yes before a run's first call here.
    pub async fn clean_up_all_except(
        &self,
        live: &(dyn Fn(i64) -> bool + Sync),
    ) -> Result<Removed, EngineError> {
        let stray = |label: Option<i64>| label.is_none_or(|run| !live(run));
        let mut removed = self.remove_labelled(&stray).await?;
        removed.networks = self.remove_stray_networks().await?;
        Ok(removed)
    }

    async fn remove_labelled(
        &self,
        wanted: &(dyn Fn(Option<i64>) -> bool + Sync),
    ) -> Result<Removed, EngineError> {
        let client = self.client().await?;
        let filters = HashMap::from([("label", vec![format!("{LABEL_SERVER}={}", self.0.server)])]);
        let run = |labels: &HashMap<String, String>| labels.get(LABEL_RUN).and_then(|run| run.parse().ok());
        let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
        let listed =
            client.list_containers(Some(options)).await.map_err(|e| self.failed("list containers", e))?;
        self.places_settled().await;
        let containers: Vec<String> = listed
            .into_iter()
            .filter(|c| wanted(run(c.labels.as_ref().unwrap_or(&HashMap::new()))))
            .filter_map(|c| c.id)
            .filter(|id| !self.is_placed(id))
            .collect();
        for done in join_all(containers.iter().map(|id| self.remove_container(id))).await {
            done?;
        }
        let options = ListVolumesOptionsBuilder::new().filters(&filters).build();
        let listed = client.list_volumes(Some(options)).await.map_err(|e| self.failed("list volumes", e))?;
        let volumes = listed.volumes.unwrap_or_default();
        let volumes: Vec<_> = volumes.into_iter().filter(|v| wanted(run(&v.labels))).collect();
        for volume in &volumes {
            let removed = client.remove_volume(&volume.name, None::<RemoveVolumeOptions>).await;
            removed.map_err(|e| self.failed("remove a volume", e))?;
        }
        Ok(Removed { containers: containers.len(), networks: 0, volumes: volumes.len() })
    }

    /// Deletes folders of the host that steps may have filled with files of another user. First directly; where
    /// that is not allowed, a container of `image` empties them. The paths must be the same on the host.
    pub async fn remove_tree(&self, paths: &[PathBuf], image: &str) -> Result<(), EngineError> {
        let mut left = Vec::new();
        for path in paths {
            match tokio::fs::remove_dir_all(path).await {
                Ok(()) => {}
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) if e.kind() == io::ErrorKind::PermissionDenied => left.push(path.clone()),
                Err(e) => return Err(Error::internal(format!("remove {}", path.display()), e).into()),
            }
        }
        if left.is_empty() {
            return Ok(());
        }
        self.empty(&left, image).await?;
        for path in left {
            // It is empty now; a step may have taken away our right to look into it.
            let gone = tokio::fs::remove_dir(&path).await;
            gone.map_err(|e| Error::internal(format!("remove {}", path.display()), e))?;
        }
        Ok(())
    }

    /// Empties folders as root, in a container that sees nothing else.
    pub(super) async fn empty(&self, paths: &[PathBuf], image: &str) -> Result<(), EngineError> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let mut command: Vec<String> = ["/bin/sh", "-c", EMPTY, "sh"].map(str::to_owned).to_vec();
        command.extend(paths.iter().map(|p| text(p)));
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            entrypoint: Some(command),
            cmd: Some(Vec::new()),
            user: Some("0:0".to_owned()),
            labels: Some(HashMap::from([(LABEL_SERVER.to_owned(), self.0.server.clone())])),
            host_config: Some(HostConfig {
                mounts: Some(paths.iter().map(|p| mount(&Mount::same(p))).collect()),
                network_mode: Some("none".to_owned()),
                log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
                ..Default::default()
            }),
            ..Default::default()
        };
        let doing = "empty a workspace";
        let client = self.client().await?;
        let id = client.create_container(None, body).await.map_err(|e| self.failed(doing, e))?.id;
        let started = client.start_container(&id, None::<StartContainerOptions>).await;
        let ended = match started {
            Ok(()) => super::ending::exit_code(&client, &id).await,
            Err(cause) => Err(cause),
        };
        self.remove_container(&id).await?;
        match ended.map_err(|e| self.failed(doing, e))? {
            0 => Ok(()),
            code => Err(Error::internal(doing, format!("exit code {code}")).into()),
        }
    }
}
