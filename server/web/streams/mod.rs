//! Changes of image streams and image triggers: the API, the forms and `ropewalk apply` end here. What is wanted is
//! checked and written as rows; importing is done elsewhere.

mod apply;
mod tags;

use jiff::Timestamp;

use super::auth::{self, Identity};
use super::errors::Failure;
use super::state::Door;
use crate::model::{Error, OwnerName, Result, StreamPath, is_repository};
use crate::store::streams::spec::{self, Stream};
use crate::{msg, store};

pub use apply::{Done, File, Outcome, Refused, Report, apply};
pub use tags::{Target, create, import, roll_back, tag, untag};

/// `Denied` unless the streams of `owner` are the caller's to change.
pub fn may_change(identity: &Identity, owner: &OwnerName) -> Result<(), Failure> {
    auth::require_scope(identity, store::accounts::Scope::Write)?;
    match auth::can_create(identity, owner) {
        true => Ok(()),
        false => Err(Error::Denied(msg!("streams-denied", owner = owner)).into()),
    }
}

/// Whether the caller may change streams of `owner`, for what a page offers.
pub fn can_change(identity: &Identity, owner: &OwnerName) -> bool {
    auth::can_create(identity, owner)
}

/// The stream's own repository in our registry, where one can be called so.
pub fn own_repository(door: &Door, path: &StreamPath) -> Option<String> {
    let name = path.to_string().to_lowercase();
    is_repository(&name).then(|| format!("{}/{name}", door.settings.registry_host))
}

pub async fn delete(door: &Door, identity: &Identity, path: &StreamPath) -> Result<(), Failure> {
    may_change(identity, &path.owner)?;
    let (path, by) = (path.clone(), identity.require()?.account.name.to_string());
    Ok(door.store.write(move |c| spec::delete(c, &path, &by, Timestamp::now())).await?)
}

/// The stream of that name; whoever is signed in may see all.
pub fn find(door: &Door, identity: &Identity, path: &StreamPath) -> Result<Stream, Failure> {
    identity.require()?;
    let found = door.store.read(|c| spec::by_path(c, path))?;
    found.ok_or_else(|| Error::NotFound(msg!("streams-not-found", name = path)).into())
}
