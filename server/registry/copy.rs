//! An image from one registry to another, or to another name in the same one: whole, with every image of an index,
//! streaming, each part checked on its way. What the target has already is not sent; within one registry blobs change
//! their repository without travelling.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::{Method, StatusCode};

use super::base::{Place, Reference, Repository};
use super::client::{Client, Descriptor, Document};
use super::manifest::{self, Manifest};
use super::patience::Patience;
use super::state::Trouble;
use super::upload::Begun;
use super::wire::Call;
use crate::model::{Digest, Error, Result};
use crate::msg;

/// Blobs on their way at a time.
const AT_A_TIME: usize = 3;
/// Manifests of one image: an index has one per platform, and attestations.
const MOST_MANIFESTS: usize = 500;
const MOST_BLOBS: usize = 5000;

/// Copies what `reference` (a tag or digest) names in `repository` of `from` to `tag` in `target` of `to`, and returns
/// what the tag names then: the same digest. `NotFound` when there is no such image; `Conflict` when one of the
/// registries fails or gives something else than it should; the tag is moved last, or not at all.
pub async fn copy_image(
    from: &Client,
    (repository, reference): (&str, &str),
    to: &Client,
    (target, tag): (&str, &str),
) -> Result<Descriptor> {
    let source = Repository::new(repository)?;
    let reference = Reference::new(reference)?;
    let copy = Copy { from, to, source, target: Repository::new(target)? };
    let document = from.document(&copy.source, &reference).await?.ok_or_else(|| {
        Error::NotFound(msg!(
            "registry-image-unknown",
            repository = repository,
            reference = reference.as_str()
        ))
    })?;
    let copied = Descriptor {
        digest: document.digest.clone(),
        size: document.body.len() as u64,
        media_type: document.media_type.clone(),
    };
    let by_digest = Reference::Digest(copied.digest.clone());
    let known = to.described(&copy.target, &by_digest).await?.is_some();
    let top = (document.media_type.clone(), document.body.clone());
    if !known {
        let plan = copy.plan(document).await?;
        copy.send_blobs(&plan.blobs).await?;
        for child in plan.children {
            to.put_manifest(target, child.digest.as_str(), (&child.media_type, child.body)).await?;
        }
    }
    to.put_manifest(target, tag, (&top.0, top.1)).await?;
    Ok(copied)
}

struct Copy<'a> {
    from: &'a Client,
    to: &'a Client,
    source: Repository,
    target: Repository,
}

/// What has to be there before the manifest itself.
struct Plan {
    /// Images first, then the indexes that name them.
    children: Vec<Document>,
    /// With their sizes, where they are known.
    blobs: BTreeMap<Digest, Option<u64>>,
}

impl Copy<'_> {
    /// Reads all manifests below `top`.
    async fn plan(&self, top: Document) -> Result<Plan> {
        let too_many =
            || Error::Conflict(msg!("endpoints-image-too-large", repository = self.source.as_str()));
        let mut plan = Plan { children: Vec::new(), blobs: BTreeMap::new() };
        let mut seen = BTreeSet::from([top.digest.clone()]);
        let mut open = vec![top];
        let (mut is_top, mut indexes) = (true, Vec::new());
        while let Some(document) = open.pop() {
            let is_index =
                match manifest::parse(&document.media_type, &document.body).map_err(Error::Conflict)? {
                    Manifest::Image(image) => {
                        let size = |size: u64| (size > 0).then_some(size);
                        plan.blobs.insert(image.config.clone(), size(image.config_size));
                        let ours = image.layers.into_iter().filter(|layer| !is_foreign(&layer.media_type));
                        plan.blobs.extend(ours.map(|layer| (layer.digest, size(layer.size))));
                        false
                    }
                    Manifest::Index(platforms) => {
                        for platform in platforms.into_iter().filter(|p| seen.insert(p.digest.clone())) {
                            open.push(self.child(platform.digest).await?);
                        }
                        true
                    }
                };
            if seen.len() > MOST_MANIFESTS || plan.blobs.len() > MOST_BLOBS {
                return Err(too_many());
            }
            match (std::mem::take(&mut is_top), is_index) {
                (true, _) => {}
                (false, true) => indexes.push(document),
                (false, false) => plan.children.push(document),
            }
        }
        // An index came before what it names.
        plan.children.extend(indexes.into_iter().rev());
        Ok(plan)
    }

    async fn child(&self, digest: Digest) -> Result<Document> {
        let reference = Reference::Digest(digest.clone());
        let missing = || {
            Error::Conflict(msg!("registry-blob-missing", repository = self.source.as_str(), digest = digest))
        };
        self.from.document(&self.source, &reference).await?.ok_or_else(missing)
    }

    async fn send_blobs(&self, blobs: &BTreeMap<Digest, Option<u64>>) -> Result<()> {
        let send = |(digest, size): (Digest, Option<u64>)| async move {
            let base = &self.to.wire.base;
            Patience::TRANSFER.persist(base, || self.send_blob(&digest, size)).await
        };
        let all = stream::iter(blobs.clone().into_iter().map(send));
        Ok(all.buffer_unordered(AT_A_TIME).try_collect::<()>().await?)
    }

    async fn send_blob(&self, digest: &Digest, size: Option<u64>) -> Result<(), Trouble> {
        let neighbours = self.from.wire.base.host == self.to.wire.base.host;
        // A registry that takes the blob over need not be asked before whether it has it.
        if !neighbours && self.to.holds(&self.target, digest).await? {
            return Ok(());
        }
        let mount = neighbours.then_some((digest, &self.source));
        let Begun::At(url) = self.to.begin(&self.target, mount).await? else { return Ok(()) };
        if neighbours && self.to.holds(&self.target, digest).await? {
            self.to.give_up(&self.target, url).await;
            return Ok(());
        }
        let place = Place::Blob { repository: &self.source, digest };
        let wire = &self.from.wire;
        let call =
            Call { follow: true, ..Call::new(Method::GET, wire.base.url(&place), place.scopes(false)) };
        let response = wire.send(call).await?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => {
                let repository = self.source.as_str();
                return Err(Trouble::damaged(msg!(
                    "registry-blob-missing",
                    repository = repository,
                    digest = digest
                )));
            }
            status => return Err(self.from.unexpected(status)),
        }
        let base = wire.base.clone();
        let pieces =
            response.bytes_stream().map(move |piece| piece.map_err(|e| Trouble::from_http(&base, &e)));
        self.to.flow(&self.target, (url, digest, size), pieces).await
    }
}

/// Layers that no registry may hand on, by their makers' wish.
fn is_foreign(media_type: &str) -> bool {
    media_type.contains(".foreign.") || media_type.contains(".nondistributable.")
}
