//! What registries send, and what came of it. Nothing here trusts a delivery: it only says what somebody
//! claims to have happened, and every name in it has been checked against the rules of names.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Digest, Error, Message, Result, TagAddress};
use crate::msg;

/// Which of our addresses it came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliverySource {
    /// Distribution's notifications.
    Distribution,
    /// Docker Hub's address, which is Code Stream's.
    DockerHub,
    /// Signed, from anything.
    Generic,
}

impl DeliverySource {
    pub const fn as_str(self) -> &'static str {
        match self {
            DeliverySource::Distribution => "distribution",
            DeliverySource::DockerHub => "docker-hub",
            DeliverySource::Generic => "generic",
        }
    }
}

impl fmt::Display for DeliverySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for DeliverySource {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let all = [DeliverySource::Distribution, DeliverySource::DockerHub, DeliverySource::Generic];
        let found = all.into_iter().find(|source| source.as_str() == text);
        found.ok_or_else(|| Error::Invalid(msg!("hook-source", source = text.escape_debug())))
    }
}

/// One delivery as it came, and what came of it.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub id: i64,
    pub received_at: Timestamp,
    pub source: DeliverySource,
    /// The webhook whose token it bore; `None` for the stack's own registry.
    pub webhook_id: Option<i64>,
    /// Who sent it.
    pub address: String,
    /// Without credentials.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The delivery that a person sent again, and who did.
    pub replay_of: Option<i64>,
    pub replay_by: Option<String>,
    pub handled: bool,
    /// How often a registry was asked in vain.
    pub tries: u32,
    pub handled_at: Option<Timestamp>,
    /// While it is not handled: why not.
    pub outcome: Vec<DeliveryPart>,
}

/// What came of one thing a delivery says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryPart {
    /// `host/repository:tag`; empty when it is about the delivery as a whole.
    pub image: String,
    pub message: Message,
    /// Events that follow from it.
    #[serde(default)]
    pub events: Vec<i64>,
}

impl DeliveryPart {
    pub fn whole(message: Message) -> Self {
        DeliveryPart { image: String::new(), message, events: Vec::new() }
    }
}

/// One thing that a delivery says has happened to a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Tells it from the sender's other notices; `None` when the sender gives it no name.
    pub key: Option<String>,
    /// Pushed; else deleted.
    pub pushed: bool,
    /// As image references have it, when the delivery says so.
    pub host: Option<String>,
    pub repository: String,
    /// Where the image stands if not there: some registries are reached with the name of one of their repositories in
    /// the path, or without.
    pub elsewhere: Option<String>,
    pub tag: String,
    /// What was pushed, as the sender says. It counts when the registry has it.
    pub digest: Option<Digest>,
    /// When, by the sender's clock.
    pub pushed_at: Option<Timestamp>,
    /// Who did it, as far as is said.
    pub owner: String,
}

impl Notice {
    /// The tag at that host. Docker Hub's own images have a namespace that nobody writes.
    pub fn address(&self, host: &str) -> TagAddress {
        let official = host == "docker.io" && !self.repository.contains('/');
        let repository =
            if official { format!("library/{}", self.repository) } else { self.repository.clone() };
        TagAddress { host: host.to_owned(), repository, tag: self.tag.clone() }
    }
}

/// What a delivery's body turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// In the order they were sent; `skipped` others are about nothing that is followed here.
    Notices {
        notices: Vec<Notice>,
        skipped: usize,
    },
    Unknown(Message),
}
