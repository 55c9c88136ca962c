//! A plain form for everything else, as people write it: `{"image": "host/name:tag"}`, or
//! `{"repository": "name", "tag": "1"}`; with `id`, `owner`, `digest` if there is one. Here the host counts.

use super::told::{Told, key};
use super::{Sent, all_of, unknown};
use crate::model::{ImageReference, Reading, is_repository, is_tag};
use crate::msg;

pub(super) fn read(sent: Sent<'_>) -> Option<Reading> {
    let (host, repository, tag, digest) = match (sent.text(&["image"]), sent.text(&["repository"])) {
        (Some(image), _) => {
            let image = ImageReference::parse(image).ok()?;
            (image.host, image.repository, image.tag, image.digest.map(String::from))
        }
        (None, Some(repository)) => {
            let digest = sent.text(&["digest"]).map(str::to_owned);
            (None, repository.to_owned(), sent.text(&["tag"]).map(str::to_owned), digest)
        }
        (None, None) => return None,
    };
    let Some(tag) = tag else { return Some(unknown(msg!("hook-no-tag"))) };
    if !is_repository(&repository) || !is_tag(&tag) {
        return None;
    }
    let told = Told {
        sender: "",
        event: "push",
        pushed: true,
        repository: &repository,
        tag: Some(&tag),
        digest: digest.as_deref(),
        owner: sent.text(&["owner"]),
        at: None,
        key: sent.text(&["id"]).map(|id| key(&["generic", id])),
    };
    let notice = told.notice().map(|mut notice| {
        notice.host = host;
        notice
    });
    Some(all_of([notice]))
}
