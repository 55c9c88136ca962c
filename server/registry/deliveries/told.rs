//! One thing that a sender tells of a tag, from what its reader found to a notice whose names were checked.

use jiff::Timestamp;

use crate::model::{Digest, Message, Notice, Secret, is_repository, is_tag};
use crate::msg;

/// Longest name of who pushed, in characters.
const LONGEST_OWNER: usize = 100;
/// Longest piece of a body that is shown in a sentence, in characters.
const LONGEST_SHOWN: usize = 100;

/// As the sender has it.
pub(super) struct Told<'a> {
    /// As people call it.
    pub sender: &'a str,
    pub event: &'a str,
    /// Pushed; else deleted.
    pub pushed: bool,
    pub repository: &'a str,
    pub tag: Option<&'a str>,
    pub digest: Option<&'a str>,
    pub owner: Option<&'a str>,
    pub at: Option<Timestamp>,
    pub key: Option<String>,
}

impl Told<'_> {
    /// The notice, or why this is none. Registries know lower case alone; senders that show a name as its owner wrote it
    /// mean that.
    pub fn notice(self) -> Result<Notice, Message> {
        let repository = self.repository.to_ascii_lowercase();
        if !is_repository(&repository) {
            return Err(msg!("hook-bad-repository", name = shown(self.repository)));
        }
        let tag = match self.tag.filter(|tag| !is_digest(tag)) {
            Some(tag) => tag,
            None if self.pushed => return Err(msg!("hook-untagged", sender = self.sender)),
            None => return Err(other_event(self.sender, self.event)),
        };
        if !is_tag(tag) {
            return Err(msg!("hook-bad-tag", name = shown(tag)));
        }
        if self.pushed && is_attachment(tag) {
            return Err(msg!("hook-attachment", tag = tag));
        }
        Ok(Notice {
            key: self.key,
            pushed: self.pushed,
            host: None,
            repository,
            elsewhere: None,
            tag: tag.to_owned(),
            digest: self.digest.and_then(|digest| Digest::new(digest).ok()),
            pushed_at: self.at,
            owner: name(self.owner),
        })
    }
}

/// A notice of an image that may stand in that repository instead.
pub(super) fn or_in(notice: Notice, repository: &str) -> Notice {
    let other = repository.to_ascii_lowercase();
    let elsewhere = Some(other).filter(|other| *other != notice.repository && is_repository(other));
    Notice { elsewhere, ..notice }
}

/// One line of bounded length, whoever wrote it.
fn name(text: Option<&str>) -> String {
    let plain = text.unwrap_or_default().chars().filter(|c| !c.is_control());
    plain.take(LONGEST_OWNER).collect::<String>().trim().to_owned()
}

/// A piece of a body in a sentence.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(LONGEST_SHOWN).collect::<String>().escape_debug().to_string()
}

/// Senders choose their ids; ours have one length.
pub(super) fn key(parts: &[&str]) -> String {
    let print = Secret::new(parts.join("\n")).fingerprint();
    print.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn other_event(sender: &str, event: &str) -> Message {
    msg!("hook-other-event", sender = shown(sender), event = shown(event))
}

/// A time as senders write it; that of a clock that was never set says nothing.
pub(super) fn time(text: Option<&str>) -> Option<Timestamp> {
    text?.parse().ok().filter(|at: &Timestamp| at.as_second() > 0)
}

/// Some senders put the digest where the tag would be.
fn is_digest(tag: &str) -> bool {
    tag.split_once(':').is_some_and(|(kind, hex)| {
        kind.starts_with("sha") && hex.len() >= 32 && hex.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

/// The tag under which signatures, attestations and lists of referrers of an image stand: `sha256-HEX`, and what cosign
/// puts behind it.
fn is_attachment(tag: &str) -> bool {
    let Some(rest) = tag.strip_prefix("sha256-") else { return false };
    let end = rest.bytes().position(|b| !b.is_ascii_hexdigit()).unwrap_or(rest.len());
    end == 64 && matches!(rest.as_bytes().get(end), None | Some(b'.' | b'-'))
}

/// What is pushed, as far as its media type says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An image, or an index of images.
    Manifest,
    /// The sender does not say.
    Unsaid,
    Other,
}

/// Media types are the same in whatever case, with parameters or without.
pub(super) fn kind_of(media_type: Option<&str>) -> Kind {
    let bare = media_type.unwrap_or_default().split(';').next().unwrap_or_default();
    match bare.trim().to_ascii_lowercase().as_str() {
        "application/vnd.docker.distribution.manifest.v1+json"
        | "application/vnd.docker.distribution.manifest.v1+prettyjws"
        | "application/vnd.docker.distribution.manifest.v2+json"
        | "application/vnd.docker.distribution.manifest.list.v2+json"
        | "application/vnd.oci.image.manifest.v1+json"
        | "application/vnd.oci.image.index.v1+json" => Kind::Manifest,
        "" | "application/octet-stream" | "application/json" => Kind::Unsaid,
        _ => Kind::Other,
    }
}

/// `sha256:` and the digits, of senders that write the digits alone.
pub(super) fn as_digest(hex: Option<&str>) -> Option<String> {
    hex.map(|hex| if hex.contains(':') { hex.to_owned() } else { format!("sha256:{hex}") })
}
