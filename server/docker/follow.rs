//! What happens in the engine while a run is under way: names that images get, and containers that are made. Told by
//! the engine as it happens; what a tool makes without telling (BuildKit of older engines) is not among it.

use std::collections::HashMap;

use bollard::models::EventMessage;
use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::{Stream, StreamExt as _};
use jiff::Timestamp;

use super::observe::seconds;
use super::{Engine, EngineError};

/// Labels that docker-compose 1.x and 2.x give their containers: where the project is.
const PROJECT_FOLDER: &str = "com.docker.compose.project.working_dir";

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// An image was tagged, loaded, imported or pulled.
    Image,
    /// A container was made.
    Container {
        /// Its image as whoever made it wrote it.
        image: String,
        /// The folder of the compose project that it is of.
        project: Option<String>,
        at: Timestamp,
    },
}

impl Engine {
    /// From `since` on, without end. `Gone` when the engine does not tell any more.
    pub async fn follow(
        &self,
        since: Timestamp,
    ) -> Result<impl Stream<Item = Result<Happening, EngineError>> + Send + use<>, EngineError> {
        let filters = HashMap::from([
            ("type", vec!["image", "container"]),
            ("event", vec!["tag", "load", "import", "pull", "create"]),
        ]);
        let options = EventsOptionsBuilder::new().filters(&filters).since(&seconds(since)).build();
        let (engine, client) = (self.clone(), self.client().await?);
        Ok(client.events(Some(options)).filter_map(move |event| {
            let event = event.map(happening).map_err(|e| engine.failed("read the engine's events", e));
            std::future::ready(event.transpose())
        }))
    }
}

fn happening(event: EventMessage) -> Option<Happening> {
    let actor = event.actor?;
    if event.action.as_deref() != Some("create") {
        return Some(Happening::Image);
    }
    let mut attributes = actor.attributes.unwrap_or_default();
    let at = event.time_nano.and_then(|nano| Timestamp::from_nanosecond(nano.into()).ok());
    let image = attributes.remove("image")?;
    Some(Happening::Container {
        image,
        project: attributes.remove(PROJECT_FOLDER),
        at: at.unwrap_or_else(Timestamp::now),
    })
}
