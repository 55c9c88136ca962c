//! What steps and containers were seen to use, beside the bases of the run. Pure.

use crate::docker::LocalImage;
use crate::model::{BaseImage, ImageReference, UsedBy, UsedImage};

/// Whether an image that was used is what became of a base: the same repository, by its name or by its pin's.
pub fn is_of(base: &BaseImage, image: &str) -> bool {
    let repository =
        |text: &str| ImageReference::parse(text).ok().map(|image| (image.host, image.repository));
    let Some(found) = repository(image) else { return false };
    let names = [Some(base.reference.as_str()), base.pinned.as_deref()];
    names.into_iter().flatten().any(|name| repository(name).as_ref() == Some(&found))
}

pub fn used(base: &BaseImage, image: &str, by: UsedBy, found: &LocalImage) -> UsedImage {
    let is_it = |known: &&String| base.digest.as_ref().is_some_and(|digest| known.ends_with(digest.as_str()));
    let same = found.digests.iter().find(is_it);
    let differs = base.digest.is_some() && same.is_none();
    let id = same.or(found.digests.first()).unwrap_or(&found.id).clone();
    UsedImage { image: image.to_owned(), id, by, differs }
}
