//! Amazon ECR through EventBridge, sent by an API destination as it is or wrapped by SNS. Only a push that succeeded
//! counts.

use serde_json::Value;

use super::told::{Told, key, other_event, time};
use super::{Sent, all_of, text, unknown};
use crate::model::Reading;
use crate::msg;

const SENDER: &str = "Amazon ECR";

pub(super) fn read(sent: Sent<'_>) -> Option<Reading> {
    if let (Some(kind), Some(_)) = (sent.text(&["Type"]), sent.text(&["TopicArn"])) {
        let inner = sent.text(&["Message"]).and_then(|inner| serde_json::from_str::<Value>(inner).ok());
        let read = inner
            .as_ref()
            .filter(|_| kind == "Notification")
            .and_then(|inner| event(Sent { headers: sent.headers, body: inner }));
        return Some(read.unwrap_or_else(|| unknown(other_event("Amazon SNS", kind))));
    }
    event(sent)
}

fn event(sent: Sent<'_>) -> Option<Reading> {
    let source = sent.text(&["source"]).filter(|source| source.starts_with("aws."))?;
    let kind = sent.text(&["detail-type"])?;
    let detail = sent.object("detail")?;
    if source != "aws.ecr" || kind != "ECR Image Action" {
        return Some(unknown(other_event(if source == "aws.ecr" { SENDER } else { source }, kind)));
    }
    let action = text(detail, &["action-type"]).unwrap_or_default();
    let result = text(detail, &["result"]).unwrap_or_default();
    let pushed = match (action, result) {
        ("PUSH", "SUCCESS") => true,
        ("DELETE", "SUCCESS") => false,
        _ => return Some(unknown(other_event(SENDER, format!("{action} {result}").trim()))),
    };
    let Some(repository) = text(detail, &["repository-name"]) else {
        return Some(unknown(msg!("hook-no-repository")));
    };
    let told = Told {
        sender: SENDER,
        event: action,
        pushed,
        repository,
        tag: text(detail, &["image-tag"]),
        digest: text(detail, &["image-digest"]),
        owner: None,
        at: time(sent.text(&["time"])),
        // EventBridge may send one event more than once, under the same id.
        key: sent.text(&["id"]).map(|id| key(&["ecr", id])),
    };
    Some(all_of([told.notice()]))
}
