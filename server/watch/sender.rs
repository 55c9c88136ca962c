//! Who sent a delivery, and which Docker triggers want to hear of it. Their filters are held compiled until one of
//! the triggers changes, so that a push costs the same however many there are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::Watch;
use crate::model::{Delivery, DeliverySource, Filters, Result, TagAddress};
use crate::store::{Connection, docker_webhooks, endpoints};

/// So many triggers whose filters miss get an event all the same: Activity says of each why it started nothing. Of
/// more the delivery says how many they were.
const MOST_MISSED: usize = 20;

/// Where a delivery comes from.
pub(super) struct Sender {
    /// The registry, as it stands in image references.
    pub host: String,
    /// Begins the keys of its events: different senders may use the same ids.
    pub prefix: String,
    audience: Audience,
}

enum Audience {
    /// The trigger whose token it bore, whatever its filters are.
    One(i64),
    /// A registry speaks for all triggers of it, whichever of their tokens it was given.
    Registry(Vec<Arc<Filters>>),
}

/// The triggers that get an event of a push, and how many others there are.
#[derive(Default)]
pub(super) struct Heard {
    pub ids: Vec<i64>,
    pub missed: usize,
}

/// The filters by registry, as `docker_webhooks::filters` takes it.
#[derive(Default)]
pub(super) struct Held {
    changes: i64,
    filters: BTreeMap<Option<i64>, Arc<Filters>>,
}

impl Sender {
    pub fn heard(&self, address: &TagAddress) -> Heard {
        let registry = match &self.audience {
            Audience::One(id) => return Heard { ids: vec![*id], missed: 0 },
            Audience::Registry(registry) => registry,
        };
        let begun = Instant::now();
        let fitting = |filters: &Arc<Filters>| filters.fitting(&address.repository, &address.tag);
        let ids: Vec<i64> = registry.iter().flat_map(fitting).collect();
        let all: usize = registry.iter().map(|filters| filters.ids().len()).sum();
        let micros = begun.elapsed().as_micros() as u64;
        tracing::debug!(triggers = all, fitting = ids.len(), micros, "an image was held against the filters");
        match all - ids.len() {
            missed if missed <= MOST_MISSED => {
                Heard { ids: registry.iter().flat_map(|filters| filters.ids()).collect(), missed: 0 }
            }
            missed => Heard { ids, missed },
        }
    }
}

impl Watch {
    /// `None` when the webhook whose token it bore is no longer there.
    pub(super) fn sender(&self, delivery: &Delivery) -> Result<Option<Sender>> {
        let own = self.registries.own().host();
        self.store.read(|c| {
            let Some(id) = delivery.webhook_id else {
                let mut registry = vec![self.filters(c, None)?];
                if let Some(endpoint) = endpoints::by_host(c, own)? {
                    registry.push(self.filters(c, Some(endpoint.id))?);
                }
                let (host, prefix) = (own.to_owned(), String::new());
                return Ok(Some(Sender { host, prefix, audience: Audience::Registry(registry) }));
            };
            let Some(webhook) = docker_webhooks::by_id(c, id)? else { return Ok(None) };
            let host = docker_webhooks::host(c, &webhook, own)?;
            let (audience, prefix) = match delivery.source {
                DeliverySource::Distribution => {
                    let filters = self.filters(c, webhook.endpoint_id)?;
                    let is_one = filters.ids().any(|one| one == id);
                    let audience = match is_one {
                        true => Audience::Registry(vec![filters]),
                        false => Audience::One(id),
                    };
                    (audience, if host == own { String::new() } else { format!("{host} ") })
                }
                DeliverySource::DockerHub | DeliverySource::Generic => {
                    (Audience::One(id), format!("webhook {id} "))
                }
            };
            Ok(Some(Sender { host, prefix, audience }))
        })
    }

    fn filters(&self, c: &Connection, endpoint_id: Option<i64>) -> Result<Arc<Filters>> {
        // Read before them: filters that are newer than their number are only made once more.
        let changes = docker_webhooks::changes(c)?;
        {
            let held = &mut self.lock().held;
            if held.changes != changes {
                *held = Held { changes, filters: BTreeMap::new() };
            }
            if let Some(filters) = held.filters.get(&endpoint_id) {
                return Ok(filters.clone());
            }
        }
        let begun = Instant::now();
        let filters = Arc::new(docker_webhooks::filters(c, endpoint_id)?);
        let (triggers, micros) = (filters.ids().len(), begun.elapsed().as_micros() as u64);
        tracing::debug!(triggers, micros, "the filters of a registry were compiled");
        let held = &mut self.lock().held;
        if held.changes == changes {
            held.filters.insert(endpoint_id, filters.clone());
        }
        Ok(filters)
    }
}
