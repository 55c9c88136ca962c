//! A name that a run's guard watches, and whether an image has been made under it.

use jiff::Timestamp;

use crate::docker::{Engine, EngineError, LocalImage};
use crate::model::Error;

/// One name.
#[derive(Clone, Debug)]
pub struct Name {
    /// As the files write it.
    pub reference: String,
    /// `host/repository@sha256:...`; empty for a step's image that is not pinned and may be made by the run.
    pub pinned: String,
    /// What the engine had of it when the run began, or what another run made of it.
    pub before: Option<LocalImage>,
    /// When it was last seen not to be made by the run; `made` is true when it has been since.
    pub clean: Timestamp,
    pub made: bool,
}

impl Name {
    pub fn is_pinned(&self) -> bool {
        !self.pinned.is_empty()
    }
}

pub async fn local(engine: &Engine, reference: &str) -> Result<Option<LocalImage>, EngineError> {
    match engine.inspect_image(reference).await {
        Ok(image) => Ok(Some(image)),
        Err(EngineError::Failed(Error::NotFound(_))) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the engine's image is another than before, and not the pinned one.
pub fn is_made(name: &Name, now: Option<&LocalImage>) -> bool {
    let Some(now) = now else { return false };
    let digest = name.pinned.split_once('@').map_or("", |(_, digest)| digest);
    let is_pinned = now.digests.iter().any(|known| known.split_once('@').is_some_and(|(_, d)| d == digest));
    let is_old = name.before.as_ref().is_some_and(|before| before.id == now.id);
    !is_pinned && !is_old
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(id: &str, digest: Option<&str>) -> LocalImage {
        let digests = digest.map(|digest| format!("debian@{digest}")).into_iter().collect();
        LocalImage { id: id.into(), tags: Vec::new(), digests, labels: Default::default(), size: 1 }
    }

    #[test]
    fn what_was_there_before_and_what_was_pulled_by_the_pin_is_not_made() {
        let mut name = Name {
            reference: "debian:12".into(),
            pinned: "registry.local:5000/library/debian@sha256:1".into(),
            before: None,
            clean: Timestamp::now(),
            made: false,
        };
        assert!(!is_made(&name, None));
        assert!(is_made(&name, Some(&image("a", None))));
        assert!(!is_made(&name, Some(&image("a", Some("sha256:1")))));
        assert!(is_made(&name, Some(&image("a", Some("sha256:2")))));
        name.before = Some(image("a", None));
        assert!(!is_made(&name, Some(&image("a", None))));
        assert!(is_made(&name, Some(&image("b", None))));
    }
}
