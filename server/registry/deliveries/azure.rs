//! Azure Container Registry: its own webhooks send one event in Distribution's shape by itself, Event Grid sends the
//! same as `data`.

use super::distribution::event_of;
use super::told::other_event;
use super::{Sent, all_of, unknown};
use crate::model::Reading;

const SENDER: &str = "Azure Container Registry";

pub(super) fn read(sent: Sent<'_>) -> Option<Reading> {
    if let Some(kind) = sent.text(&["eventType"]).filter(|kind| kind.starts_with("Microsoft.")) {
        return Some(grid(sent, kind));
    }
    sent.text(&["timestamp"])?;
    let action = sent.text(&["action"])?;
    if sent.object("target").is_none() {
        // `az acr webhook ping` sends an id, a time and the word.
        return (action == "ping").then(|| unknown(other_event(SENDER, action)));
    }
    Some(all_of([event_of(sent.body, SENDER, "azure")]))
}

/// An event of Event Grid, in its own schema or as a CloudEvent.
pub(super) fn grid(sent: Sent<'_>, kind: &str) -> Reading {
    match sent.object("data").filter(|_| kind.starts_with("Microsoft.ContainerRegistry.Image")) {
        Some(data) => all_of([event_of(data, SENDER, "azure")]),
        None => unknown(other_event(SENDER, kind)),
    }
}
