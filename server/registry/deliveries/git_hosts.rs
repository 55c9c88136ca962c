//! What Git hosts send of commits, issues and the like: told what it is, since it is the same page of settings on which
//! their hooks of packages stand. Nothing of it starts anything here.

use serde_json::Value;

use super::told::{other_event, shown};
use super::{Sent, unknown};
use crate::model::Reading;
use crate::msg;

/// The header in which each host names the event. Forgejo sends Gitea's as well, and both send GitHub's.
const HEADERS: [(&str, &str); 6] = [
    ("x-forgejo-event", "Forgejo"),
    ("x-gitea-event", "Gitea"),
    ("x-gogs-event", "Gogs"),
    ("x-github-event", "GitHub"),
    ("x-gitlab-event", "GitLab"),
    ("x-event-key", "Bitbucket"),
];

/// The host and its event, as the headers say.
pub(super) fn by_header<'a>(sent: Sent<'a>) -> Option<(&'static str, &'a str)> {
    HEADERS.iter().find_map(|(header, sender)| Some((*sender, sent.header(header)?)))
}

pub(super) fn read(sent: Sent<'_>) -> Option<Reading> {
    if let Some((sender, event)) = by_header(sent) {
        let pushed = ["push", "push hook", "tag push hook", "repo:push"];
        let is_push = pushed.iter().any(|one| event.eq_ignore_ascii_case(one));
        return Some(told(sent, sender, event, is_push));
    }
    if let Some(event) = sent.text(&["object_kind"]).or_else(|| sent.text(&["event_name"])) {
        return Some(told(sent, "GitLab", event, matches!(event, "push" | "tag_push")));
    }
    if sent.object("push").is_some_and(|push| push.get("changes").is_some_and(Value::is_array)) {
        return Some(told(sent, "Bitbucket", "push", true));
    }
    if sent.text(&["zen"]).is_some() {
        return Some(told(sent, "GitHub", "ping", false));
    }
    let commits = sent.text(&["ref"]).is_some() && sent.object("repository").is_some();
    let is_push = commits && (sent.text(&["after"]).is_some() || sent.text(&["before"]).is_some());
    // Of those that send a push in GitHub's shape, GitHub names the pusher, Gitea and Forgejo show the account.
    let sender = if sent.text(&["pusher", "login"]).is_some() { "Gitea" } else { "GitHub" };
    is_push.then(|| told(sent, sender, "push", true))
}

fn told(sent: Sent<'_>, sender: &str, event: &str, is_push: bool) -> Reading {
    if !is_push {
        return unknown(other_event(sender, event));
    }
    let places =
        [&["repository", "full_name"][..], &["project", "path_with_namespace"], &["repository", "name"]];
    let repository = places.iter().find_map(|place| sent.text(place)).unwrap_or("?");
    unknown(msg!("hook-git-push", sender = sender, repository = shown(repository)))
}
