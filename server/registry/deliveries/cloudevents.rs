//! CloudEvents over HTTP: `structured`, where the body is the event, and `binary`, where the body is its data and the
//! attributes are headers `ce-...`. Whose event it is stands in its type.

use serde_json::{Value, json};

use super::told::{key, other_event};
use super::{Sent, azure, harbor, unknown, zot};
use crate::model::Reading;

/// Where the event came from and what it is called there.
#[derive(Clone, Copy)]
pub(super) struct Attributes<'a> {
    pub kind: &'a str,
    /// Who did it, of senders that add that.
    pub operator: Option<&'a str>,
    pub time: Option<&'a str>,
    id: Option<&'a str>,
    source: Option<&'a str>,
}

impl Attributes<'_> {
    /// Source and id together are unique; one event may tell of several tags.
    pub fn key(&self, about: &str) -> Option<String> {
        Some(key(&["cloudevent", self.source.unwrap_or_default(), self.id?, about]))
    }
}

pub(super) fn read(sent: Sent<'_>) -> Option<Reading> {
    if let Some(kind) = sent.header("ce-type") {
        let attributes = Attributes {
            kind,
            operator: sent.header("ce-operator"),
            time: sent.header("ce-time"),
            id: sent.header("ce-id"),
            source: sent.header("ce-source"),
        };
        return Some(of(sent, attributes, sent.body));
    }
    sent.text(&["specversion"])?;
    let attributes = Attributes {
        kind: sent.text(&["type"])?,
        operator: sent.text(&["operator"]),
        time: sent.text(&["time"]),
        id: sent.text(&["id"]),
        source: sent.text(&["source"]),
    };
    // Data may be JSON within a string.
    let inner = sent.text(&["data"]).and_then(|data| serde_json::from_str::<Value>(data).ok());
    let none = json!({});
    let data = inner.as_ref().or_else(|| sent.body.get("data")).unwrap_or(&none);
    Some(of(sent, attributes, data))
}

fn of(sent: Sent<'_>, attributes: Attributes<'_>, data: &Value) -> Reading {
    let kind = attributes.kind;
    if kind.starts_with("zotregistry.") {
        zot::event(attributes, data)
    } else if kind.starts_with("harbor.") {
        harbor::cloud_event(attributes, data)
    } else if kind.starts_with("Microsoft.") {
        azure::grid(Sent { headers: sent.headers, body: &json!({ "data": data }) }, kind)
    } else {
        unknown(other_event(attributes.source.unwrap_or("CloudEvents"), kind))
    }
}
