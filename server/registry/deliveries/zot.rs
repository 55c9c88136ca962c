//! zot: CloudEvents whose data has the repository, the reference (a tag or a digest), the digest and the manifest.

use serde_json::Value;

use super::cloudevents::Attributes;
use super::told::{Kind, Told, kind_of, other_event, shown, time};
use super::{Sent, all_of, text, unknown};
use crate::model::Reading;
use crate::msg;

const SENDER: &str = "zot";

pub(super) fn event(attributes: Attributes<'_>, data: &Value) -> Reading {
    let pushed = match attributes.kind {
        "zotregistry.image.updated" => true,
        "zotregistry.image.deleted" => false,
        other => return unknown(other_event(SENDER, other)),
    };
    let key = attributes.key(text(data, &["reference"]).unwrap_or_default());
    let found = Told {
        sender: SENDER,
        event: attributes.kind,
        pushed,
        repository: "",
        tag: None,
        digest: None,
        owner: None,
        at: time(attributes.time),
        key,
    };
    of_data(data, found)
}

/// The data without its attributes: a proxy dropped the headers, or a person tries a body. Only what has a manifest is
/// taken for a push, since a deletion looks the same but for that.
pub(super) fn read_without_type(sent: Sent<'_>) -> Option<Reading> {
    let all = ["name", "reference", "digest", "mediaType", "manifest"];
    let found = Told {
        sender: SENDER,
        event: "image",
        pushed: true,
        repository: "",
        tag: None,
        digest: None,
        owner: None,
        at: None,
        key: None,
    };
    all.iter().all(|field| sent.text(&[field]).is_some()).then(|| of_data(sent.body, found))
}

fn of_data<'a>(data: &'a Value, told: Told<'a>) -> Reading {
    let media_type = text(data, &["mediaType"]);
    if told.pushed && kind_of(media_type) == Kind::Other {
        return unknown(msg!("hook-no-image", kind = shown(media_type.unwrap_or_default())));
    }
    let Some(repository) = text(data, &["name"]) else { return unknown(msg!("hook-no-repository")) };
    let (tag, digest) = (text(data, &["reference"]), text(data, &["digest"]));
    all_of([Told { repository, tag, digest, ..told }.notice()])
}
