//! Docker Hub's payloads. There is no digest in them, sometimes no tag, and times may be fractions. Names are shown as
//! their owner wrote them; in the registry they are in lower case.

use jiff::Timestamp;
use serde_json::Value;

use super::told::{Told, key};
use super::{Sent, all_of, unknown};
use crate::model::Reading;
use crate::msg;

pub(super) fn read(sent: Sent<'_>) -> Option<Reading> {
    let pushed = sent.body.get("push_data");
    if pushed.is_none() && sent.text(&["repository", "repo_name"]).is_none() {
        return None;
    }
    let parts = (sent.text(&["repository", "namespace"]), sent.text(&["repository", "name"]));
    let repository = match (sent.text(&["repository", "repo_name"]), parts) {
        (Some(name), _) => name.to_owned(),
        (None, (Some(namespace), Some(name))) => format!("{namespace}/{name}"),
        (None, (None, Some(name))) => name.to_owned(),
        _ => return Some(unknown(msg!("hook-no-repository"))),
    };
    let Some(tag) = sent.text(&["push_data", "tag"]) else { return Some(unknown(msg!("hook-no-tag"))) };
    let at = pushed.and_then(|data| data.get("pushed_at")).and_then(Value::as_f64);
    let lower = repository.to_ascii_lowercase();
    let told = Told {
        sender: "Docker Hub",
        event: "push",
        pushed: true,
        repository: &repository,
        tag: Some(tag),
        digest: None,
        owner: sent.text(&["push_data", "pusher"]).or_else(|| sent.text(&["repository", "owner"])),
        at: at.and_then(|at| Timestamp::from_millisecond((at * 1000.0) as i64).ok()),
        key: at.map(|at| key(&["docker-hub", &lower, tag, &format!("{at:.0}")])),
    };
    Some(all_of([told.notice()]))
}
