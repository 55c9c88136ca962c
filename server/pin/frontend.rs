//! The image that a Dockerfile's line `# syntax=` names: BuildKit fetches it before it reads the file, so a build
//! without internet fails when the registry does not have it. It is looked for and never pinned.

use tokio::time::{Instant, timeout_at};

use super::Pin;
use super::ask::{Answer, One};
use crate::model::{BaseImage, ImageReference, Message, Sighting, TagAddress};
use crate::msg;
use crate::registry::Patience;

impl Pin {
    pub(super) async fn frontend(&self, mut image: BaseImage, parsed: ImageReference, until: Instant) -> One {
        let digest = parsed.digest.clone();
        // A digest needs no tag; the registry is found by any.
        let Some(address) = TagAddress::of(&ImageReference { digest: None, ..parsed }) else {
            return One::of(image);
        };
        let address = self.registries.located(&address);
        let answer = match &digest {
            None => self.ask(&address, None, until).await,
            Some(digest) => {
                let is_there = match self.registries.at(&address.host) {
                    Some(client) => {
                        let client = client.with_patience(Patience::NONE);
                        let asked = client.head(&address.repository, digest.as_str());
                        timeout_at(self.patience(&address.host, until), asked).await.ok().and_then(Result::ok)
                    }
                    None => None,
                };
                match is_there {
                    Some(Some(_)) => Answer { digest: Some(digest.clone()), note: None, sighting: None },
                    Some(None) => Answer { digest: None, note: None, sighting: Some(Sighting::Gone) },
                    None => {
                        let note = Some(msg!("pin-silent", host = address.host));
                        Answer { digest: None, note, sighting: None }
                    }
                }
            }
        };
        let said =
            matches!(answer.sighting, Some(Sighting::Gone)).then(|| missing(&image.reference, &address));
        image.note = said.clone().or(answer.note).or_else(|| Some(msg!("pin-frontend")));
        image.digest = answer.digest;
        One { image, standing: None, seen: None, said }
    }
}

/// What to do: where it is to be, for a name with a digest under a tag that says so.
fn missing(reference: &str, address: &TagAddress) -> Message {
    msg!("pin-frontend-missing", image = reference, target = address)
}
