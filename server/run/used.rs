//! What steps and containers are to use and were seen to use, beside the bases of the run.

use std::collections::{BTreeMap, BTreeSet};

use super::House;
use super::ahead::Work;
use crate::docker::LocalImage;
use crate::model::{BaseImage, ImageReference, Result, Run, RunImage, UsedBy, UsedImage};
use crate::store::images;

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

/// The steps' images at the stack's registry that are not pinned: the run may make them.
pub fn unpinned(house: &House, works: &[Vec<Work>]) -> impl Iterator<Item = (String, String)> {
    let own = format!("{}/", house.settings.addresses.registry_host);
    let all = works.iter().flatten().filter(|work| work.pinned.is_none() && work.image.starts_with(&own));
    let names: BTreeSet<String> = all.map(|work| work.image.clone()).collect();
    names.into_iter().map(|name| (name, String::new()))
}

/// The tags that the run has pushed, with the images behind them.
pub fn pushed_so_far(house: &House, run: &Run) -> Result<BTreeMap<String, String>> {
    let host = &house.settings.addresses.registry_host;
    let all = house.store.read(|c| images::of_run(c, run.id))?;
    let one = |image: RunImage| {
        let name = format!("{host}/{}", image.repository);
        (format!("{name}:{}", image.tag), format!("{name}@{}", image.digest))
    };
    Ok(all.into_iter().map(one).collect())
}

/// With the run's bases stands what became of them in its course.
pub async fn note_bases(house: &House, run: &Run, ended: Vec<BaseImage>) -> Result<()> {
    if ended.is_empty() {
        return Ok(());
    }
    let id = run.id;
    house.store.write(move |c| ended.iter().try_for_each(|base| images::end_base(c, id, base))).await
}
