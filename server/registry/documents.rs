//! What a tag or digest names, and the documents behind it. Whatever comes back was checked against its digest; a body
//! that does not match is never handed out and never asked for again in silence. What is no manifest is no image.

use bytes::Bytes;
use reqwest::{Method, StatusCode};

use super::base::{Place, Reference, Repository};
use super::client::{Client, Descriptor, Document, digest_of};
use super::manifest::{self, ACCEPT, is_schema1};
use super::state::Trouble;
use super::wire::{Answer, Ask};
use crate::model::{Digest, Error, Result};
use crate::msg;

const MANIFEST_LIMIT: usize = 4 * 1024 * 1024;
const CONFIG_LIMIT: usize = 8 * 1024 * 1024;

impl Client {
    /// What a tag or digest names now; `None` when the registry has no such thing.
    /// `Invalid` for names that cannot be and for the old image format, `Conflict` or `Denied` when the
    /// registry gives no usable answer.
    pub async fn head(&self, repository: &str, tag_or_digest: &str) -> Result<Option<Descriptor>> {
        self.described(&Repository::new(repository)?, &Reference::new(tag_or_digest)?).await
    }

    pub(super) async fn described(
        &self,
        repository: &Repository,
        reference: &Reference,
    ) -> Result<Option<Descriptor>> {
        let place = Place::Manifest { repository, reference };
        let ask = Ask { method: Method::HEAD, place, accept: Some(ACCEPT), limit: MANIFEST_LIMIT };
        let answer = self.wire.ask(self.patience, &ask).await?;
        let kind = answer.header("content-type");
        let media_type = manifest::media_type(kind, &[]);
        if answer.status == StatusCode::OK && is_schema1(&media_type) {
            return Err(Error::Invalid(msg!("registry-schema1")));
        }
        let size = answer.header("content-length").and_then(|size| size.parse().ok());
        let told = answer.status == StatusCode::OK && manifest::may_be_manifest(kind);
        let stated = if told { self.stated(&answer)? } else { None };
        let (Some(digest), Some(size)) = (stated, size) else {
            // A registry that leaves out what it should say, or does not take the question, is asked for the bytes.
            let document = self.fetched(repository, reference).await?;
            return Ok(document.map(|document| Descriptor {
                digest: document.digest,
                size: document.body.len() as u64,
                media_type: document.media_type,
            }));
        };
        if let Reference::Digest(asked) = reference
            && *asked != digest
        {
            return Err(self.mismatch(repository, asked, &digest).into());
        }
        Ok(Some(Descriptor { digest, size, media_type }))
    }

    /// Whether the registry has a manifest that this is really the digest of: a word about a digest costs a liar nothing.
    pub async fn verify(&self, repository: &str, digest: &Digest) -> Result<()> {
        let repository = Repository::new(repository)?;
        match self.document(&repository, &Reference::Digest(digest.clone())).await? {
            Some(_) => Ok(()),
            None => {
                let message =
                    msg!("registry-digest-missing", repository = repository.as_str(), digest = digest);
                Err(Trouble::damaged(message).into())
            }
        }
    }

    /// The digest that an answer states; none when it is made in another way than ours are: then the bytes count.
    fn stated(&self, answer: &Answer) -> Result<Option<Digest>> {
        let Some(text) = answer.header("docker-content-digest") else { return Ok(None) };
        if text.split_once(':').is_some_and(|(algorithm, _)| is_other_algorithm(algorithm)) {
            return Ok(None);
        }
        let odd = |_| {
            let shown: String = text.chars().take(120).collect();
            let message = msg!("registry-digest-odd", host = self.host(), digest = shown.escape_debug());
            Error::from(Trouble::damaged(message))
        };
        Digest::new(text).map(Some).map_err(odd)
    }

    /// The manifest a tag or digest names, checked.
    pub(super) async fn document(
        &self,
        repository: &Repository,
        reference: &Reference,
    ) -> Result<Option<Document>> {
        if let Reference::Digest(digest) = reference
            && let Some((media_type, body)) = self.cache.get(repository, digest)
        {
            return Ok(Some(Document { digest: digest.clone(), media_type, body }));
        }
        self.fetched(repository, reference).await
    }

    /// The same, from the registry itself.
    async fn fetched(&self, repository: &Repository, reference: &Reference) -> Result<Option<Document>> {
        let Some(answer) = self.manifest_answer(repository, reference).await? else {
            return Ok(None);
        };
        let media_type = manifest::media_type(answer.header("content-type"), &answer.body);
        if is_schema1(&media_type) {
            return Err(Error::Invalid(msg!("registry-schema1")));
        }
        if !manifest::is_manifest(&answer.body) {
            return Err(self.no_manifest(repository, &answer).into());
        }
        let found = digest_of(&answer.body)?;
        let stated = match reference {
            Reference::Digest(asked) => Some(asked.clone()),
            Reference::Tag(_) => self.stated(&answer)?,
        };
        if let Some(stated) = stated.filter(|stated| *stated != found) {
            return Err(self.mismatch(repository, &stated, &found).into());
        }
        self.cache.put(repository, &found, &media_type, answer.body.clone());
        Ok(Some(Document { digest: found, media_type, body: answer.body }))
    }

    /// A configuration, checked. Never for layers: it is held in memory.
    pub(super) async fn config(&self, repository: &Repository, digest: &Digest) -> Result<Bytes> {
        if let Some((_, body)) = self.cache.get(repository, digest) {
            return Ok(body);
        }
        let place = Place::Blob { repository, digest };
        let ask = Ask { method: Method::GET, place, accept: None, limit: CONFIG_LIMIT };
        let answer = self.wire.ask(self.patience, &ask).await?;
        match answer.status {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => {
                let message =
                    msg!("registry-blob-missing", repository = repository.as_str(), digest = digest);
                return Err(Trouble::damaged(message).into());
            }
            status => return Err(self.unexpected(status).into()),
        }
        let found = digest_of(&answer.body)?;
        if found != *digest {
            return Err(self.mismatch(repository, digest, &found).into());
        }
        self.cache.put(repository, digest, "", answer.body.clone());
        Ok(answer.body)
    }

    async fn manifest_answer(
        &self,
        repository: &Repository,
        reference: &Reference,
    ) -> Result<Option<Answer>> {
        let place = Place::Manifest { repository, reference };
        let ask = Ask { method: Method::GET, place, accept: Some(ACCEPT), limit: MANIFEST_LIMIT };
        let answer = self.wire.ask(self.patience, &ask).await?;
        match answer.status {
            StatusCode::OK => Ok(Some(answer)),
            // No registry says in HTML that it lacks an image; a server in front of it does.
            StatusCode::NOT_FOUND if manifest::is_page(answer.header("content-type")) => {
                Err(self.unexpected(StatusCode::NOT_FOUND).into())
            }
            StatusCode::NOT_FOUND => Ok(None),
            status => Err(self.unexpected(status).into()),
        }
    }

    fn no_manifest(&self, repository: &Repository, answer: &Answer) -> Trouble {
        let kind: String = answer.header("content-type").unwrap_or("?").chars().take(100).collect();
        let (host, kind) = (self.host(), kind.escape_debug());
        Trouble::damaged(msg!(
            "registry-no-manifest",
            host = host,
            repository = repository.as_str(),
            kind = kind
        ))
    }

    /// Whether the document is known already.
    pub(super) fn has_read(&self, repository: &Repository, digest: &Digest) -> bool {
        self.cache.get(repository, digest).is_some()
    }
}

/// The name of a way to make digests that is not ours.
fn is_other_algorithm(name: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'+' | b'.' | b'_' | b'-');
    name != "sha256" && !name.is_empty() && name.bytes().all(word)
}
