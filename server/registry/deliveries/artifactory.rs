//! JFrog Artifactory: a domain, an event and its data. The image stands in one of Artifactory's repositories, whose key
//! is in the path of references (`host/KEY/image`) or in the name of the host, as the instance is set up.

use super::told::{Told, as_digest, or_in, other_event};
use super::{Sent, all_of, text, unknown};
use crate::model::Reading;
use crate::msg;

const SENDER: &str = "JFrog Artifactory";

pub(super) fn read(sent: Sent<'_>) -> Option<Reading> {
    let event = sent.text(&["event_type"])?;
    let (domain, data) = match (sent.text(&["domain"]), sent.object("data")) {
        (Some(domain), Some(data)) => (domain, data),
        // Some pages of its documentation show the data alone.
        _ => {
            sent.text(&["repo_key"])?;
            sent.text(&["image_name"])?;
            ("docker", sent.body)
        }
    };
    let pushed = match (domain, event) {
        ("docker", "pushed") => true,
        ("docker", "deleted") => false,
        _ => return Some(unknown(other_event(SENDER, &format!("{domain} {event}")))),
    };
    let Some(image) = text(data, &["image_name"]) else {
        return Some(unknown(msg!("hook-no-repository")));
    };
    let digest = as_digest(text(data, &["sha256"]));
    let repository = text(data, &["repo_key"]).map_or(image.to_owned(), |key| format!("{key}/{image}"));
    let told = Told {
        sender: SENDER,
        event,
        pushed,
        repository: &repository,
        tag: text(data, &["tag"]),
        digest: digest.as_deref(),
        owner: None,
        at: None,
        // There is neither an id nor a time in it: the same bytes may be another push.
        key: None,
    };
    Some(all_of([told.notice().map(|notice| or_in(notice, image))]))
}
