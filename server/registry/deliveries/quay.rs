//! Quay: a repository and the tags that a push moved, often several. No digest, no id, no time, and not who pushed.

use serde_json::Value;

use super::told::{Told, other_event};
use super::{Sent, all_of, unknown};
use crate::model::Reading;
use crate::msg;

const SENDER: &str = "Quay";

pub(super) fn read(sent: Sent<'_>) -> Option<Reading> {
    sent.text(&["docker_url"])?;
    let repository = sent.text(&["repository"])?;
    let tags: Vec<&str> = match sent.body.get("updated_tags") {
        Some(Value::Array(tags)) => tags.iter().filter_map(Value::as_str).collect(),
        // Long ago: an object from tags to images.
        Some(Value::Object(tags)) => tags.keys().map(String::as_str).collect(),
        _ => return Some(unknown(other_event(SENDER, event(sent)))),
    };
    if tags.is_empty() {
        return Some(unknown(msg!("hook-untagged", sender = SENDER)));
    }
    let told = tags.into_iter().map(|tag| {
        let told = Told {
            sender: SENDER,
            event: "repo_push",
            pushed: true,
            repository,
            tag: Some(tag).filter(|tag| !tag.is_empty()),
            digest: None,
            owner: None,
            at: None,
            key: None,
        };
        told.notice()
    });
    Some(all_of(told))
}

/// Quay does not say which event it sends; its fields do.
fn event(sent: Sent<'_>) -> &'static str {
    let has = |field: &str| sent.body.get(field).is_some();
    if has("vulnerability") || has("vulnerabilities") {
        "vulnerability_found"
    } else if has("build_id") {
        "build"
    } else {
        "notification"
    }
}
