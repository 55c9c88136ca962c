//! Images on the engine: make sure one is there, look at one.

use std::collections::BTreeMap;
use std::time::Duration;

use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::StreamExt as _;

use super::failure::reason;
use super::{Engine, EngineError};
use crate::model::{Error, ImageReference};
use crate::msg;

/// A pull that takes longer is given up.
const PULL_WITHIN: Duration = Duration::from_secs(15 * 60);

/// An image the engine has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalImage {
    /// `sha256:...` of its configuration: what `StepSpec::image` may name to be safe from a moved tag.
    pub id: String,
    pub tags: Vec<String>,
    /// `repository@sha256:...`, one per registry repository it was pulled from or pushed to.
    pub digests: Vec<String>,
    pub labels: BTreeMap<String, String>,
    /// Bytes, unpacked.
    pub size: u64,
}

impl Engine {
    /// The image as the engine has it, by reference, id or digest; `NotFound` names it.
    pub async fn inspect_image(&self, reference: &str) -> Result<LocalImage, EngineError> {
        let found = self.client().await?.inspect_image(reference).await;
        let image = found.map_err(|e| match self.failed("inspect an image", e) {
            EngineError::Failed(Error::NotFound(_)) => {
                Error::NotFound(msg!("docker-image-unknown", image = reference)).into()
            }
            other => other,
        })?;
        let labels = image.config.and_then(|config| config.labels).unwrap_or_default();
        Ok(LocalImage {
            id: image.id.unwrap_or_default(),
            tags: image.repo_tags.unwrap_or_default(),
            digests: image.repo_digests.unwrap_or_default(),
            labels: labels.into_iter().collect(),
            size: image.size.and_then(|n| u64::try_from(n).ok()).unwrap_or_default(),
        })
    }

    /// The image, pulled first when the engine does not have it; `progress` gets one line per step of the pull.
    /// `NotFound` (`docker-image-missing`) with the engine's reason when it cannot be had.
    pub async fn ensure_image(
        &self,
        reference: &str,
        progress: &mut (dyn FnMut(&str) + Send),
    ) -> Result<LocalImage, EngineError> {
        match self.inspect_image(reference).await {
            Err(EngineError::Failed(Error::NotFound(_))) => {}
            known => return known,
        }
        let parsed = ImageReference::parse(reference)?;
        progress(&format!("pulling {reference}"));
        match tokio::time::timeout(PULL_WITHIN, self.pull(&parsed, progress)).await {
            Ok(Ok(())) => self.inspect_image(reference).await,
            Ok(Err(EngineError::Failed(error))) => {
                let why = EngineError::Failed(error);
                Err(Error::NotFound(msg!("docker-image-missing", image = reference, reason = why.said()))
                    .into())
            }
            Ok(Err(gone)) => Err(gone),
            Err(_) => {
                let minutes = PULL_WITHIN.as_secs() / 60;
                Err(Error::Conflict(msg!("docker-pull-slow", image = reference, minutes = minutes)).into())
            }
        }
    }

    async fn pull(
        &self,
        reference: &ImageReference,
        progress: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), EngineError> {
        let bare = ImageReference { tag: None, digest: None, ..reference.clone() };
        // Without a tag the engine would pull every tag there is.
        let tag = match (&reference.digest, &reference.tag) {
            (Some(digest), _) => digest.as_str(),
            (None, Some(tag)) => tag,
            (None, None) => "latest",
        };
        let options = CreateImageOptionsBuilder::new().from_image(&bare.to_string()).tag(tag).build();
        let client = self.client().await?;
        let mut lines = Box::pin(client.create_image(Some(options), None, None));
        while let Some(line) = lines.next().await {
            let line = line.map_err(|e| self.failed("pull an image", e))?;
            if let Some(detail) = line.error_detail {
                let said = detail.message.unwrap_or_default();
                return Err(Error::NotFound(msg!("docker-refused", reason = reason(&said))).into());
            }
            // Lines with a bar are repeated many times a second; the others are worth a line of a log.
            let moving = line.progress_detail.is_some_and(|p| p.total.is_some() || p.current.is_some());
            if let (false, Some(status)) = (moving, line.status) {
                let id = line.id.map(|id| format!("{id}: ")).unwrap_or_default();
                progress(&reason(&format!("{id}{status}")));
            }
        }
        Ok(())
    }
}
