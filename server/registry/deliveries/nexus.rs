//! Sonatype Nexus: a component of the format `docker`, whose version is the tag. There is no digest in it. Where
//! Nexus is reached by a path for each repository, its name stands before the image's.

use super::told::{Told, key, or_in, other_event, shown, time};
use super::{Sent, all_of, text, unknown};
use crate::model::Reading;
use crate::msg;

const SENDER: &str = "Sonatype Nexus";

pub(super) fn read(sent: Sent<'_>) -> Option<Reading> {
    if let (Some(audit), Some(_)) = (sent.object("audit"), sent.text(&["nodeId"])) {
        let parts = [text(audit, &["domain"]), text(audit, &["type"])].map(Option::unwrap_or_default);
        return Some(unknown(other_event(SENDER, format!("audit {}", parts.join(" ")).trim())));
    }
    let place = sent.text(&["repositoryName"])?;
    let action = sent.text(&["action"])?;
    let Some(component) = sent.object("component") else {
        let what = if sent.object("asset").is_some() { "asset" } else { "repository" };
        return Some(unknown(other_event(SENDER, &format!("{what} {action}"))));
    };
    let format = text(component, &["format"]).unwrap_or_default();
    if format != "docker" {
        return Some(unknown(msg!("hook-other-package", sender = SENDER, kind = shown(format))));
    }
    let pushed = match action {
        "CREATED" | "UPDATED" => true,
        "DELETED" => false,
        other => return Some(unknown(other_event(SENDER, &format!("component {other}")))),
    };
    let Some(image) = text(component, &["name"]) else { return Some(unknown(msg!("hook-no-repository"))) };
    let id = sent.header("x-nexus-webhook-delivery").map(|id| key(&["nexus", id]));
    let at = sent.text(&["timestamp"]).zip(text(component, &["id"]));
    let told = Told {
        sender: SENDER,
        event: action,
        pushed,
        repository: image.trim_matches('/'),
        tag: text(component, &["version"]),
        digest: None,
        // The user, then the address it came from.
        owner: sent.text(&["initiator"]).and_then(|who| who.split('/').next()),
        at: time(sent.text(&["timestamp"])),
        key: id.or_else(|| at.map(|(at, id)| key(&["nexus", at, id, action]))),
    };
    let place = format!("{place}/{image}");
    Some(all_of([told.notice().map(|notice| or_in(notice, &place))]))
}
