//! Packages of Git hosts: Gitea and Forgejo (`package`), GitHub (`package` and `registry_package`). Of the many kinds
//! of packages only containers are images.

use serde_json::Value;

use super::told::{Told, key, other_event, shown, time};
use super::{Sent, all_of, git_hosts, text, unknown};
use crate::model::Reading;
use crate::msg;

pub(super) fn read(sent: Sent<'_>) -> Option<Reading> {
    let action = sent.text(&["action"])?;
    let package = sent.object("registry_package").or_else(|| sent.object("package"))?;
    match package.get("package_version") {
        Some(version) => Some(github(sent, action, package, version)),
        None if package.get("version").is_some() => Some(gitea(sent, action, package)),
        None => None,
    }
}

fn gitea(sent: Sent<'_>, action: &str, package: &Value) -> Reading {
    let sender = git_hosts::by_header(sent).map_or("Gitea", |(sender, _)| sender);
    let kind = text(package, &["type"]).unwrap_or_default();
    if kind != "container" {
        return unknown(msg!("hook-other-package", sender = sender, kind = shown(kind)));
    }
    let pushed = match action {
        "created" => true,
        "deleted" => false,
        other => return unknown(other_event(sender, &format!("package {other}"))),
    };
    let names = (text(package, &["owner", "login"]), text(package, &["name"]));
    let (Some(owner), Some(image)) = names else { return unknown(msg!("hook-no-repository")) };
    let version = text(package, &["version"]);
    // A version that is pushed anew gets a new id and time.
    let id = package.get("id").map(Value::to_string).zip(text(package, &["created_at"]));
    let told = Told {
        sender,
        event: action,
        pushed,
        repository: &format!("{owner}/{image}"),
        tag: version,
        digest: None,
        owner: sent.text(&["sender", "login"]).or_else(|| text(package, &["creator", "login"])),
        at: time(text(package, &["created_at"])),
        key: delivery_key(sent)
            .or_else(|| id.map(|(id, at)| key(&["gitea", action, &id, at, version.unwrap_or_default()]))),
    };
    all_of([told.notice()])
}

fn github(sent: Sent<'_>, action: &str, package: &Value, version: &Value) -> Reading {
    let sender = "GitHub";
    let container = version.get("container_metadata").filter(|metadata| metadata.is_object());
    let kinds = [text(package, &["package_type"]), text(package, &["ecosystem"])];
    let is_image = |kind: &str| ["container", "docker"].iter().any(|one| kind.eq_ignore_ascii_case(one));
    if container.is_none() && !kinds.iter().flatten().any(|kind| is_image(kind)) {
        let kind = kinds[0].or(kinds[1]).unwrap_or_default();
        return unknown(msg!("hook-other-package", sender = sender, kind = shown(kind)));
    }
    if !matches!(action, "published" | "updated") {
        return unknown(other_event(sender, &format!("package {action}")));
    }
    let tag = container.and_then(|metadata| metadata.get("tag")).unwrap_or(&Value::Null);
    let names = (text(package, &["owner", "login"]), text(package, &["name"]));
    // As it is pulled, with a host before it and a tag or nothing behind the colon.
    let url = text(version, &["package_url"]).and_then(|url| url.split_once('/'));
    let of_url = url.and_then(|(_, path)| path.split([':', '@']).next()).filter(|path| !path.is_empty());
    let repository = match (of_url, names) {
        (Some(path), _) => path.to_owned(),
        (None, (Some(owner), Some(image))) => format!("{owner}/{image}"),
        (None, _) => return unknown(msg!("hook-no-repository")),
    };
    let told = Told {
        sender,
        event: action,
        pushed: true,
        repository: &repository,
        tag: text(tag, &["name"]),
        digest: text(tag, &["digest"]).or_else(|| text(version, &["version"])),
        owner: sent.text(&["sender", "login"]),
        at: time(text(package, &["updated_at"])),
        key: delivery_key(sent),
    };
    all_of([told.notice()])
}

/// A Git host gives each delivery an id, and keeps it when it sends the same again.
fn delivery_key(sent: Sent<'_>) -> Option<String> {
    let headers = ["x-forgejo-delivery", "x-gitea-delivery", "x-github-delivery"];
    headers.iter().find_map(|name| sent.header(name)).map(|id| key(&["git-host", id]))
}
