//! What the API and the pages do with deliveries: who may look at them, and sending one again.

use jiff::Timestamp;

use super::auth::{self, Identity};
use super::errors::Failure;
use super::state::Door;
use super::webhooks;
use crate::model::{Delivery, Error, Result};
use crate::msg;
use crate::store::accounts::Scope;
use crate::store::{deliveries, docker_webhooks};

/// A delivery and the name of the webhook whose token it bore, while that exists.
pub struct Seen {
    pub delivery: Delivery,
    pub webhook: Option<String>,
}

/// Whoever may change its webhook, and administrators. `NotFound` for everybody else.
pub fn seen(door: &Door, identity: &Identity, id: i64) -> Result<Seen, Failure> {
    identity.require()?;
    let missing = || Failure::Known(Error::NotFound(msg!("hook-delivery-not-found", id = id)));
    let delivery = door.store.read(|c| deliveries::by_id(c, id))?.ok_or_else(missing)?;
    let webhook = match delivery.webhook_id {
        Some(id) => door.store.read(|c| docker_webhooks::by_id(c, id))?,
        None => None,
    };
    let name = webhook.as_ref().map(|webhook| webhook.name.clone());
    let mine = match webhook {
        Some(webhook) => webhooks::may_change(identity, &webhooks::whole(door, webhook)?),
        None => false,
    };
    match mine || auth::is_admin(identity) {
        true => Ok(Seen { delivery, webhook: name }),
        false => Err(missing()),
    }
}

/// Handles what was sent once more; returns the id of the new delivery.
pub async fn replay(door: &Door, identity: &Identity, id: i64) -> Result<i64, Failure> {
    auth::require_scope(identity, Scope::Write)?;
    seen(door, identity, id)?;
    let by = identity.require()?.account.name.to_string();
    Ok(door.store.write(move |c| deliveries::replay(c, id, &by, Timestamp::now())).await?)
}
