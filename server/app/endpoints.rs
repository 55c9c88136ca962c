//! The clients of the endpoints: made from the rows at the start, and again after a change of one of them. A client
//! whose endpoint did not change stays, with its connections and its tokens.

use std::collections::BTreeMap;

use crate::model::Result;
use crate::registry::{Client, Registries};
use crate::store::Store;
use crate::store::endpoints::{self, Endpoint, Given};

/// By host: what a client was made from, and the client; none when it cannot be made.
#[derive(Default)]
pub struct Known(BTreeMap<String, (Given, Option<Client>)>);

impl Known {
    /// Compares with the rows and hands the clients over when something changed.
    pub fn refresh(&mut self, store: &Store, registries: &Registries) -> Result<()> {
        let rows = store.read(endpoints::list)?;
        let same = rows.len() == self.0.len()
            && rows.iter().all(|row| self.0.get(&row.host).is_some_and(|(given, _)| *given == row.given));
        if same {
            return Ok(());
        }
        let mut before = std::mem::take(&mut self.0);
        for row in rows {
            let client = match before.remove(&row.host) {
                Some((given, client)) if given == row.given => client,
                _ => made(store, registries, &row),
            };
            self.0.insert(row.host, (row.given, client));
        }
        let clients = self.0.iter().filter_map(|(host, (_, client))| Some((host.clone(), client.clone()?)));
        registries.set_others(clients.collect());
        Ok(())
    }
}

/// One endpoint that cannot be used must not take the others away.
fn made(store: &Store, registries: &Registries, row: &Endpoint) -> Option<Client> {
    let client = row.access(store.sealer()).and_then(|access| registries.client_for(&access));
    client
        .inspect_err(|error| tracing::warn!(name = %row.given.name, %error, "an endpoint cannot be used"))
        .ok()
}
