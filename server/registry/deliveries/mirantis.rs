//! Docker Trusted Registry, now Mirantis Secure Registry: a type, a time and `contents`.

use super::told::{Told, key, other_event, time};
use super::{Sent, all_of, text, unknown};
use crate::model::Reading;
use crate::msg;

const SENDER: &str = "Docker Trusted Registry";

pub(super) fn read(sent: Sent<'_>) -> Option<Reading> {
    let contents = sent.object("contents")?;
    let kind = sent.text(&["type"])?;
    let pushed = match kind {
        "TAG_PUSH" => true,
        "TAG_DELETE" => false,
        other => return Some(unknown(other_event(SENDER, other))),
    };
    let names = (text(contents, &["namespace"]), text(contents, &["repository"]));
    let (Some(namespace), Some(repository)) = names else {
        return Some(unknown(msg!("hook-no-repository")));
    };
    let (tag, digest) = (text(contents, &["tag"]), text(contents, &["digest"]));
    let repository = format!("{namespace}/{repository}");
    // No id; the time has nanoseconds.
    let about = [&repository, tag.unwrap_or_default(), digest.unwrap_or_default()].join(" ");
    let told = Told {
        sender: SENDER,
        event: kind,
        pushed,
        repository: &repository,
        tag,
        digest,
        owner: text(contents, &["author"]),
        at: time(sent.text(&["createdAt"])),
        key: sent.text(&["createdAt"]).map(|at| key(&["mirantis", kind, at, &about])),
    };
    Some(all_of([told.notice()]))
}
