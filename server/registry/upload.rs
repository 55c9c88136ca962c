//! Writing: blobs as streams, blobs that another repository of the registry has already, manifests. Every byte that
//! passes is hashed; what does not have the digest it was announced with never becomes a blob, because the last piece
//! is only sent once all of it is right.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use reqwest::header::LOCATION;
use reqwest::{Method, Response, StatusCode};
use tokio::time::timeout;
use url::Url;

use super::base::{Place, Reference, Repository};
use super::client::{Client, digest_of};
use super::meter::{Fault, Meter, metered, moving};
use super::state::{Condition, Trouble};
use super::wire::{self, Call, Content};
use crate::model::{Digest, Result};
use crate::msg;

const LARGEST_REFUSAL: usize = 64 * 1024;

/// How an upload begins.
pub(super) enum Begun {
    /// The registry has the blob.
    There,
    /// It is to be sent here.
    At(Url),
}

impl Client {
    /// Whether the repository has the blob.
    pub async fn has_blob(&self, repository: &str, digest: &Digest) -> Result<bool> {
        let repository = Repository::new(repository)?;
        Ok(self.patience.persist(&self.wire.base, || self.holds(&repository, digest)).await?)
    }

    /// Sends a blob of known digest as it comes; `size` in bytes, if it is known. Nothing of it is kept in memory or
    /// on disk. `Conflict` when what comes has another digest or length (the repository then does not have it), when
    /// `stream` fails, and when the registry refuses. Not tried again: a stream flows once.
    pub async fn push_blob_stream(
        &self,
        repository: &str,
        digest: &Digest,
        size: Option<u64>,
        stream: impl Stream<Item = Result<Bytes>> + Send + 'static,
    ) -> Result<()> {
        let repository = Repository::new(repository)?;
        if self.holds(&repository, digest).await? {
            return Ok(());
        }
        let host = self.clone();
        let stream = stream.map(move |piece| {
            piece.map_err(|error| {
                let other = || msg!("registry-unreachable", host = host.host(), cause = "read");
                Trouble::damaged(error.message().cloned().unwrap_or_else(other))
            })
        });
        match self.begin(&repository, None).await? {
            Begun::There => Ok(()),
            Begun::At(url) => Ok(self.flow(&repository, (url, digest, size), stream).await?),
        }
    }

    /// Has the registry take over a blob from another of its repositories; `false` when it does not (or does not
    /// offer that), and the blob has to be sent.
    pub async fn mount_blob(&self, repository: &str, digest: &Digest, from: &str) -> Result<bool> {
        let (repository, from) = (Repository::new(repository)?, Repository::new(from)?);
        let mount = Some((digest, &from));
        match self.patience.persist(&self.wire.base, || self.begin(&repository, mount)).await? {
            Begun::There => Ok(true),
            Begun::At(url) => {
                self.give_up(&repository, url).await;
                Ok(false)
            }
        }
    }

    /// Puts a manifest under a tag or its digest, and returns its digest. All it names must be there.
    pub async fn put_manifest(
        &self,
        repository: &str,
        reference: &str,
        (media_type, body): (&str, Bytes),
    ) -> Result<Digest> {
        let (repository, reference) = (Repository::new(repository)?, Reference::new(reference)?);
        let digest = digest_of(&body)?;
        if let Reference::Digest(asked) = &reference
            && *asked != digest
        {
            return Err(self.mismatch(&repository, asked, &digest).into());
        }
        let place = Place::Manifest { repository: &repository, reference: &reference };
        let put = || async {
            let call = Call {
                content_type: Some(media_type.to_owned()),
                content: Content::Bytes(body.clone()),
                ..Call::new(Method::PUT, self.wire.base.url(&place), place.scopes(true))
            };
            let response = self.wire.send(call).await?;
            match response.status() {
                StatusCode::CREATED | StatusCode::OK | StatusCode::ACCEPTED => Ok(stated(&response)),
                _ => Err(self.refusal(response).await),
            }
        };
        let found = self.patience.persist(&self.wire.base, put).await?;
        self.tags_changed(repository.as_str());
        match found.filter(|found| *found != digest) {
            Some(other) => Err(self.mismatch(&repository, &digest, &other).into()),
            None => Ok(digest),
        }
    }

    pub(super) async fn holds(&self, repository: &Repository, digest: &Digest) -> Result<bool, Trouble> {
        let place = Place::Blob { repository, digest };
        // With the right to write from the start: nearly always a push follows.
        let call =
            Call { follow: true, ..Call::new(Method::HEAD, self.wire.base.url(&place), place.scopes(true)) };
        match self.wire.send(call).await?.status() {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            status => Err(self.unexpected(status)),
        }
    }

    pub(super) async fn begin(
        &self,
        repository: &Repository,
        mount: Option<(&Digest, &Repository)>,
    ) -> Result<Begun, Trouble> {
        let place = Place::Uploads { repository, mount };
        let url = self.wire.base.url(&place);
        let response = self.wire.send(Call::new(Method::POST, url.clone(), place.scopes(true))).await?;
        match response.status() {
            StatusCode::CREATED if mount.is_some() => Ok(Begun::There),
            StatusCode::ACCEPTED => {
                let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
                // An upload stays at the registry it was begun at, with the credentials that go there.
                self.wire.base.within(&url, to).map(Begun::At).ok_or_else(|| self.wire.redirected(to))
            }
            _ => Err(self.refusal(response).await),
        }
    }

    /// Sends `stream` to where the upload has begun, and gives the upload up when that fails.
    pub(super) async fn flow(
        &self,
        repository: &Repository,
        (at, digest, size): (Url, &Digest, Option<u64>),
        stream: impl Stream<Item = Result<Bytes, Trouble>> + Send + 'static,
    ) -> Result<(), Trouble> {
        let fault: Fault = Arc::default();
        let moved = Arc::new(AtomicU64::new(0));
        let wrong = {
            let (client, repository, digest) = (self.clone(), repository.clone(), digest.clone());
            move |found| match found {
                Some(found) if found == digest => None,
                Some(found) => Some(client.mismatch(&repository, &digest, &found)),
                None => Some(Trouble::damaged(msg!("endpoints-blob-length", digest = digest))),
            }
        };
        let meter = Meter::new(size, Box::new(wrong), (moved.clone(), fault.clone()));
        let mut url = at.clone();
        url.query_pairs_mut().append_pair("digest", digest.as_str());
        let scopes = Place::Uploads { repository, mount: None }.scopes(true);
        let call = Call {
            content_type: Some("application/octet-stream".to_owned()),
            content: Content::Stream(Some(reqwest::Body::wrap_stream(metered(meter, stream))), size),
            ..Call::new(Method::PUT, url, scopes)
        };
        let outcome = match moving(&moved, self.wire.send(call)).await {
            None => Err(Trouble::timeout(&self.wire.base)),
            Some(Ok(response)) if response.status() == StatusCode::CREATED => Ok(()),
            Some(Ok(response)) => Err(self.refusal(response).await),
            Some(Err(trouble)) => Err(trouble),
        };
        // What broke the stream is the reason; that the request broke follows from it.
        let fault = fault.lock().unwrap_or_else(PoisonError::into_inner).take();
        let outcome = fault.map_or(outcome, Err);
        if outcome.is_err() {
            self.give_up(repository, at).await;
        }
        outcome
    }

    /// Tells the registry that nothing more comes; it would find out by itself after some days.
    pub(super) async fn give_up(&self, repository: &Repository, at: Url) {
        let scopes = Place::Uploads { repository, mount: None }.scopes(true);
        let gone = self.wire.send(Call::new(Method::DELETE, at, scopes));
        if !matches!(timeout(Duration::from_secs(5), gone).await, Ok(Ok(_))) {
            tracing::debug!(
                host = self.host(),
                "an upload that was given up stays until the registry clears it"
            );
        }
    }

    /// What the registry says against it, in its own words.
    async fn refusal(&self, response: Response) -> Trouble {
        let status = response.status();
        let body = wire::body(&self.wire.base, response, LARGEST_REFUSAL).await.unwrap_or_default();
        let said = serde_json::from_slice::<serde_json::Value>(&body).ok();
        let said = said.as_ref().and_then(|said| said.pointer("/errors/0"));
        let part = |name: &str| said.and_then(|said| said.get(name)?.as_str()).unwrap_or_default();
        let answer = format!("{status} {} {}", part("code"), part("message"));
        let answer: String = answer.trim().chars().take(200).collect();
        let message = msg!("endpoints-push-refused", host = self.host(), answer = answer.escape_debug());
        Trouble::new(Condition::Damaged, message)
    }
}

fn stated(response: &Response) -> Option<Digest> {
    let stated = response.headers().get("docker-content-digest")?.to_str().ok()?;
    Digest::new(stated).ok()
}
