//! The bodies that registries send, one file per sender, and what else comes to the same addresses: hooks of Git
//! hosts, scans, pings. Read leniently, because senders differ and change; every name that is handed out was checked.
//! What is not about an image that was pushed is told what it is. Nothing here asks anybody, and nothing is believed:
//! a delivery is a hint. Pure.
//!
//! Fields and events are those that the senders document or that their code has; the table in
//! `docs/reference/docker-triggers.md` names the page or file for each, and what is not read.

mod artifactory;
mod azure;
mod cloudevents;
mod distribution;
mod docker_hub;
mod ecr;
mod git_hosts;
mod harbor;
mod mirantis;
mod nexus;
mod packages;
mod plain;
mod quay;
#[cfg(test)]
mod tests;
mod told;
mod zot;

use serde_json::Value;
use url::form_urlencoded;

use crate::model::{Message, Notice, Reading};
use crate::msg;

/// Most notices of one delivery that are followed up; most senders send one.
const MOST: usize = 100;

/// A delivery as the readers see it.
#[derive(Clone, Copy)]
struct Sent<'a> {
    /// Names in lower case, as HTTP has them; without credentials.
    headers: &'a [(String, String)],
    body: &'a Value,
}

impl<'a> Sent<'a> {
    fn header(&self, name: &str) -> Option<&'a str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(found.1.trim()).filter(|value| !value.is_empty())
    }
    fn text(&self, path: &[&str]) -> Option<&'a str> {
        text(self.body, path)
    }
    fn object(&self, name: &str) -> Option<&'a Value> {
        self.body.get(name).filter(|value| value.is_object())
    }
}

/// Every reader, in the order they are asked: those whose bodies others could be taken for come last. `None` says that
/// it is of another sender.
const READERS: [fn(Sent<'_>) -> Option<Reading>; 14] = [
    cloudevents::read,
    distribution::read,
    harbor::read,
    mirantis::read,
    ecr::read,
    artifactory::read,
    nexus::read,
    quay::read,
    packages::read,
    docker_hub::read,
    git_hosts::read,
    zot::read_without_type,
    azure::read,
    plain::read,
];

/// Whatever it is, from its headers and its shape. `headers` as they are kept with a delivery.
pub fn read_delivery(headers: &[(String, String)], body: &[u8]) -> Reading {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
    if body.is_empty() {
        return Reading::Unknown(msg!("hook-empty-body"));
    }
    let form = form_payload(body);
    let json = form.as_deref().map_or(body, str::as_bytes);
    let value: Value = match serde_json::from_slice(json) {
        Ok(value) => value,
        Err(cause) => return Reading::Unknown(msg!("hook-no-json", cause = cause)),
    };
    match &value {
        Value::Array(all) if !all.is_empty() => {
            let one = |body| read_one(Sent { headers, body });
            all.iter().map(one).fold(Readings::default(), Readings::and).whole()
        }
        body => read_one(Sent { headers, body }),
    }
}

/// The field `payload` of a body that is a form, as Git hosts send it when they are told to.
pub fn form_payload(body: &[u8]) -> Option<String> {
    let body = body.trim_ascii_start();
    if matches!(body.first(), Some(b'{' | b'[') | None) {
        return None;
    }
    let mut fields = form_urlencoded::parse(body);
    fields.find(|(name, _)| name == "payload").map(|(_, value)| value.into_owned())
}

fn read_one(sent: Sent<'_>) -> Reading {
    READERS.iter().find_map(|read| read(sent)).unwrap_or_else(|| unknown(msg!("hook-unknown-body")))
}

fn text<'a>(value: &'a Value, path: &[&str]) -> Option<&'a str> {
    let found = path.iter().try_fold(value, |value, name| value.get(name))?;
    found.as_str().filter(|text| !text.is_empty())
}

fn unknown(message: Message) -> Reading {
    Reading::Unknown(message)
}

/// What a delivery tells, thing by thing.
fn all_of(told: impl IntoIterator<Item = Result<Notice, Message>>) -> Reading {
    let one = |told: Result<Notice, Message>| match told {
        Ok(notice) => Reading::Notices { notices: vec![notice], skipped: 0 },
        Err(message) => Reading::Unknown(message),
    };
    told.into_iter().map(one).fold(Readings::default(), Readings::and).whole()
}

/// Several readings on their way to be one.
#[derive(Default)]
struct Readings {
    notices: Vec<Notice>,
    skipped: usize,
    first: Option<Message>,
}

impl Readings {
    fn and(mut self, one: Reading) -> Self {
        match one {
            Reading::Notices { notices, skipped } => {
                let room = MOST.saturating_sub(self.notices.len());
                self.skipped += skipped + notices.len().saturating_sub(room);
                self.notices.extend(notices.into_iter().take(room));
            }
            Reading::Unknown(message) => {
                self.skipped += 1;
                self.first.get_or_insert(message);
            }
        }
        self
    }

    /// One thing that counts for nothing is told why; of several it is told how many.
    fn whole(self) -> Reading {
        match self.first {
            Some(message) if self.skipped == 1 && self.notices.is_empty() => Reading::Unknown(message),
            _ => Reading::Notices { notices: self.notices, skipped: self.skipped },
        }
    }
}
