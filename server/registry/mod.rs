//! The `/v2/` client: what one registry holds, and whether it really holds what a stage says it pushed.
//!
//! It copies images from one registry to another and deletes nothing; it keeps nothing on disk; it contacts the one
//! host it was made for and those that are allowed beside it by name, and no other, whatever a `Link`, `Location` or
//! `WWW-Authenticate` header says. Everything it
//! hands out was checked against its digest first, because a page or a record built on damaged bytes would be believed.
//!
//! oci-client names the media types here. Its reading calls take bodies of any size and follow
//! redirects to any host, so reading goes through reqwest with limits of our own (`wire`).
//!
//! ```text
//! base, allowed, guard, trust   where to, whether to   wire, connect, patience, rest   one request, how often
//! challenge, login     who we are                   client, documents, catalogue, lists, image, manifest, config   reading
//! deliveries, said     what others say of it, and what the registry bears out
//! upload, meter, copy  writing                      certificate, validate   what a person is shown of an endpoint
//! ```

mod allowed;
mod base;
mod cache;
mod catalogue;
mod certificate;
mod challenge;
mod client;
mod config;
mod connect;
mod copy;
mod deliveries;
mod documents;
mod guard;
mod hub;
mod image;
mod lists;
mod login;
mod manifest;
mod meter;
mod patience;
mod push_log;
mod registries;
mod rest;
mod said;
mod state;
mod trust;
mod upload;
mod validate;
mod wire;

#[cfg(test)]
mod stand;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_endpoints;

pub use catalogue::Page;
pub use certificate::Certificate;
pub use client::{Client, Descriptor};
pub use config::History;
pub use copy::copy_image;
pub use deliveries::{form_payload, read_delivery};
pub use hub::{Hub, HubWebhook};
pub use image::{Confirmed, Image};
pub use manifest::{Layer, Platform};
pub use patience::Patience;
pub use push_log::{Candidate, PushScanner};
pub use registries::{DOCKER_HUB, Registries};
pub use said::{Borne, Held, bear_out};
pub use state::{Condition, RegistryState};
