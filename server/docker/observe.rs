//! Looks at what happens on the engine beside our steps: what was pushed, what runs where.

use std::collections::HashMap;

use bollard::models::EventMessage;
use bollard::query_parameters::{EventsOptionsBuilder, ListContainersOptionsBuilder, ListImagesOptions};
use futures_util::{Stream, StreamExt as _};
use jiff::Timestamp;

use super::{Engine, EngineError};
use crate::model::RunningContainer;

impl Engine {
    /// References (`registry.local:5000/numbers/api:v3-build-1`) the engine pushed between two times, in order, each
    /// once. A hint: the engine remembers its last 256 events only, and tools that push without it are not seen.
    pub async fn recent_pushes(
        &self,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<String>, EngineError> {
        let options = pushes().since(&seconds(since)).until(&seconds(until)).build();
        let client = self.client().await?;
        let mut events = Box::pin(client.events(Some(options)));
        let mut pushed = Vec::new();
        while let Some(event) = events.next().await {
            let event = event.map_err(|e| self.failed("read the engine's events", e))?;
            pushed.extend(reference(event).filter(|r| !pushed.contains(r)));
        }
        Ok(pushed)
    }

    /// The same from `since` on, without end: also what the engine would have forgotten by the end of a long stage.
    pub async fn follow_pushes(
        &self,
        since: Timestamp,
    ) -> Result<impl Stream<Item = Result<String, EngineError>> + Send + use<>, EngineError> {
        let options = pushes().since(&seconds(since)).build();
        let (engine, client) = (self.clone(), self.client().await?);
        Ok(client.events(Some(options)).filter_map(move |event| {
            let event = event.map(reference).map_err(|e| engine.failed("read the engine's events", e));
            std::future::ready(event.transpose())
        }))
    }

    /// Every running container, with the digests of its image; but for those that only hold a place.
    pub async fn running_containers(&self) -> Result<Vec<RunningContainer>, EngineError> {
        let client = self.client().await?;
        let options = ListContainersOptionsBuilder::new().build();
        let all =
            client.list_containers(Some(options)).await.map_err(|e| self.failed("list containers", e))?;
        let images = client.list_images(None::<ListImagesOptions>).await;
        let images = images.map_err(|e| self.failed("list images", e))?;
        let digests: HashMap<_, _> = images.into_iter().map(|image| (image.id, image.repo_digests)).collect();
        let one = |container: bollard::models::ContainerSummary| {
            let image_id = container.image_id.unwrap_or_default();
            let names = container.names.unwrap_or_default();
            let name = names.first().map(|n| n.trim_start_matches('/').to_owned()).unwrap_or_default();
            RunningContainer {
                id: container.id.unwrap_or_default(),
                name,
                image: container.image.unwrap_or_default(),
                digests: digests.get(&image_id).cloned().unwrap_or_default(),
                image_id,
                labels: container.labels.unwrap_or_default().into_iter().collect(),
                state: container.state.map(|s| s.to_string()).unwrap_or_default(),
            }
        };
        let held = |c: &bollard::models::ContainerSummary| c.id.as_ref().is_some_and(|id| self.is_placed(id));
        Ok(all.into_iter().filter(|c| !held(c)).map(one).collect())
    }
}

fn pushes() -> EventsOptionsBuilder {
    EventsOptionsBuilder::new().filters(&HashMap::from([("type", vec!["image"]), ("event", vec!["push"])]))
}

fn reference(event: EventMessage) -> Option<String> {
    event.actor.and_then(|actor| actor.id).filter(|id| !id.is_empty())
}

/// Seconds with nanoseconds, as the engine reads times.
pub(super) fn seconds(time: Timestamp) -> String {
    format!("{}.{:09}", time.as_second(), time.subsec_nanosecond().max(0))
}
