//! Whether this data directory is the one that its database belongs to. A copy of it looks like the house and is not:
//! it shows what it has and does nothing until a person says that the house goes on here (`ropewalk adopt`).

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use crate::docker::Starts;
use crate::model::{Message, Result, Secret};
use crate::msg;
use crate::store::lease::{self, Lease, Place};
use crate::store::{Connection, Store};

/// How often a copy looks whether it was adopted: another process writes that.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What this start of the server is.
pub struct Here {
    /// The installation's name.
    pub name: String,
    pub starts: Starts,
    place: Place,
    /// Why nothing may be done here.
    pub held: Option<Message>,
}

impl Here {
    /// Notes this start, unless the directory is a copy. Call with the directory's lock.
    pub async fn claim(store: &Store, data: &Path) -> Result<Here> {
        let place = Place::of(data)?;
        let start = Secret::random(8)?.reveal().to_owned();
        let lease = Lease {
            place: place.clone(),
            start: start.clone(),
            process: std::process::id(),
            since: Timestamp::now(),
        };
        let take = move |c: &Connection| {
            let other = lease::of_another(c, &lease.place)?;
            let before = if other.is_none() { lease::claim(c, &lease)? } else { Vec::new() };
            Ok((lease::installation(c)?, other, before))
        };
        let (name, other, before) = store.write(take).await?;
        let held = other.map(|other| copy_of(&other, data.to_owned()));
        if let Some(message) = &held {
            let path = data.display();
            tracing::warn!(%path, %message, "this is a copy of another server's data: it does nothing until it is adopted");
        }
        let starts = Starts { own: start, over: before.into_iter().collect() };
        Ok(Here { name, starts, place, held })
    }

    /// Resolves when a person has said that the house goes on here.
    pub async fn adopted(&self, store: &Store) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            match store.read(|c| lease::of_another(c, &self.place)) {
                Ok(None) => return,
                Ok(Some(_)) => {}
                Err(error) => tracing::warn!(%error, "the lease cannot be read"),
            }
        }
    }
}

fn copy_of(other: &Lease, data: PathBuf) -> Message {
    msg!(
        "app-copy",
        path = data.display(),
        other = other.place.path.display(),
        host = other.place.host,
        since = other.since
    )
}
