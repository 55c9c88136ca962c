//! The `/v2/` client: what one registry holds, and whether it really holds what a stage says it pushed.
//!
//! It reads and never writes or deletes; it keeps nothing on disk; it contacts the one host it was made
//! for and no other, whatever a `Link` or `Location` header says. Everything it hands out was checked
//! against its digest first, because a page or a record built on damaged bytes would be believed.
//!
//! oci-client names the media types here. Its reading calls take bodies of any size and follow
//! redirects to any host, so reading goes through reqwest with limits of our own (`wire`).

mod base;
mod cache;
mod catalogue;
mod client;
mod config;
mod deliveries;
mod hub;
mod image;
mod manifest;
mod push_log;
mod registries;
mod state;
mod wire;

#[cfg(test)]
mod stand;
#[cfg(test)]
mod tests;

pub use catalogue::Page;
pub use client::{Client, Descriptor};
pub use config::History;
pub use deliveries::read_delivery;
pub use hub::{Hub, HubWebhook};
pub use image::{Confirmed, Image};
pub use manifest::{Layer, Platform};
pub use push_log::{Candidate, PushScanner};
pub use registries::{DOCKER_HUB, Registries};
pub use state::{Condition, RegistryState};
pub use wire::Patience;
