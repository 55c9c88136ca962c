//! Distribution's notifications: an envelope of events, as the code sends it and the specification describes it.
//! GitLab's registry and others that grew out of Distribution send the same.

use serde_json::Value;

use super::told::{Kind, Told, key, kind_of, other_event, shown, time};
use super::{Sent, all_of, text};
use crate::model::{Message, Notice, Reading};
use crate::msg;

const SENDER: &str = "Distribution";

pub(super) fn read(sent: Sent<'_>) -> Option<Reading> {
    let events = sent.body.get("events")?.as_array()?;
    Some(all_of(events.iter().map(|event| event_of(event, SENDER, "distribution"))))
}

/// One event. Azure's webhooks have the same, by itself.
pub(super) fn event_of(event: &Value, sender: &str, family: &str) -> Result<Notice, Message> {
    let Some(action) = text(event, &["action"]) else { return Err(msg!("hook-unknown-body")) };
    let pushed = match action {
        "push" => true,
        "delete" => false,
        other => return Err(other_event(sender, other)),
    };
    let media_type = text(event, &["target", "mediaType"]);
    let tag = text(event, &["target", "tag"]);
    if pushed {
        is_of_image(media_type, tag, text(event, &["target", "url"]))?;
    }
    let Some(repository) = text(event, &["target", "repository"]) else {
        return Err(msg!("hook-no-repository"));
    };
    let told = Told {
        sender,
        event: action,
        pushed,
        repository,
        tag,
        digest: text(event, &["target", "digest"]),
        owner: text(event, &["actor", "name"]),
        at: time(text(event, &["timestamp"])),
        key: text(event, &["id"]).map(|id| key(&[family, id])),
    };
    told.notice()
}

/// Only manifests have tags, so that a tag counts where the media type says nothing.
fn is_of_image(media_type: Option<&str>, tag: Option<&str>, url: Option<&str>) -> Result<(), Message> {
    let of_blob = url.is_some_and(|url| url.contains("/blobs/"));
    match kind_of(media_type) {
        Kind::Manifest => Ok(()),
        Kind::Unsaid if tag.is_some() && !of_blob => Ok(()),
        Kind::Unsaid | Kind::Other => {
            Err(msg!("hook-no-image", kind = shown(media_type.unwrap_or("application/octet-stream"))))
        }
    }
}
