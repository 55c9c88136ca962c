//! Harbor: its own format, with a type and an object of data, and the same data as a CloudEvent. An artifact that was
//! pushed by digest has the digest for a tag.

use jiff::Timestamp;
use serde_json::Value;

use super::cloudevents::Attributes;
use super::told::{Told, key, other_event, time};
use super::{Sent, all_of, text, unknown};
use crate::model::{ImageReference, Message, Notice, Reading};
use crate::msg;

const SENDER: &str = "Harbor";

pub(super) fn read(sent: Sent<'_>) -> Option<Reading> {
    let data = sent.object("event_data")?;
    let kind = sent.text(&["type"])?;
    let second = sent.body.get("occur_at").map(Value::to_string);
    // There is no id, and times are whole seconds: the digest tells two pushes of one second apart.
    let keyed = |about: &str| second.as_ref().map(|at| key(&["harbor", kind, at, about]));
    let pushed = match kind {
        // The second is what versions before 2 send.
        "PUSH_ARTIFACT" | "pushImage" => true,
        "DELETE_ARTIFACT" | "deleteImage" => false,
        other => return Some(unknown(other_event(SENDER, other))),
    };
    let seconds = sent.body.get("occur_at").and_then(Value::as_i64);
    let at = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    Some(artifacts(data, (kind, pushed), (sent.text(&["operator"]), at), keyed))
}

pub(super) fn cloud_event(attributes: Attributes<'_>, data: &Value) -> Reading {
    let pushed = match attributes.kind {
        "harbor.artifact.pushed" => true,
        "harbor.artifact.deleted" => false,
        other => return unknown(other_event(SENDER, other)),
    };
    let by = (attributes.operator, time(attributes.time));
    artifacts(data, (attributes.kind, pushed), by, |about| attributes.key(about))
}

fn artifacts(
    data: &Value,
    (event, pushed): (&str, bool),
    (owner, at): (Option<&str>, Option<Timestamp>),
    keyed: impl Fn(&str) -> Option<String>,
) -> Reading {
    let Some(resources) = data.get("resources").and_then(Value::as_array) else {
        return unknown(other_event(SENDER, event));
    };
    let one = |resource: &Value| -> Result<Notice, Message> {
        // As it is pulled; the host is Harbor's own idea of its name, which is not asked.
        let url = text(resource, &["resource_url"]).and_then(|url| ImageReference::parse(url).ok());
        let parts = (text(data, &["repository", "namespace"]), text(data, &["repository", "name"]));
        let repository = match (text(data, &["repository", "repo_full_name"]), parts, &url) {
            (Some(full), ..) => full.to_owned(),
            (None, (Some(namespace), Some(name)), _) => format!("{namespace}/{name}"),
            (None, _, Some(url)) => url.repository.clone(),
            (None, _, None) => return Err(msg!("hook-no-repository")),
        };
        let of_url = url.as_ref().and_then(|url| url.tag.as_deref());
        let tag = text(resource, &["tag"]).or(of_url);
        let digest = text(resource, &["digest"]);
        let about = [&repository, tag.unwrap_or_default(), digest.unwrap_or_default()].join(" ");
        let told = Told {
            sender: SENDER,
            event,
            pushed,
            repository: &repository,
            tag,
            digest,
            owner,
            at,
            key: keyed(&about),
        };
        told.notice()
    };
    all_of(resources.iter().map(one))
}
