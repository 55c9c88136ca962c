//! Remote repositories: fetched into their mirrors once a minute, a few at a time. One that does not
//! answer holds up nobody else, and its error and age are kept for its page.

use futures_util::StreamExt as _;
use jiff::Timestamp;

use super::Watch;
use crate::git::{Credentials, RemoteUrl};
use crate::model::{Error, Message, Result};
use crate::msg;
use crate::store::repositories::{self, Remote, Repository};

/// How many fetches are under way at once.
const AT_ONCE: usize = 4;

impl Watch {
    pub(super) async fn fetch_mirrors(&self, all: &[Repository]) {
        let mirrors = all.iter().filter_map(|r| r.remote.as_ref().map(|remote| (r, remote)));
        futures_util::stream::iter(mirrors)
            .for_each_concurrent(AT_ONCE, |(repository, remote)| self.fetch_one(repository, remote))
            .await;
    }

    async fn fetch_one(&self, repository: &Repository, remote: &Remote) {
        let outcome = self.fetch(repository, remote).await;
        let error = outcome.as_ref().err().map(described);
        if error == remote.error && remote.polled_at.is_some() && error.is_none() {
            // Nothing new to say; the age is known from the clock of the poll.
            return;
        }
        if let Some(error) = &error {
            tracing::warn!(repository = %repository.path, %error, "a remote repository could not be fetched");
        }
        let id = repository.id;
        let noted = self
            .store
            .write(move |c| repositories::set_polled(c, id, Timestamp::now(), error.as_ref()))
            .await;
        if let Err(error) = noted {
            tracing::warn!(%error, "a poll's outcome could not be kept");
        }
    }

    async fn fetch(&self, repository: &Repository, remote: &Remote) -> Result<()> {
        let url = RemoteUrl::new(&remote.url)?;
        let credentials = match (&remote.user, &remote.sealed) {
            (Some(user), Some(sealed)) => {
                Some(Credentials { user: user.clone(), password: self.store.sealer().unseal(sealed)? })
            }
            _ => None,
        };
        if !self.git.exists(&repository.path) {
            self.git.create(&repository.path)?;
        }
        self.git.fetch_remote(&url, credentials.as_ref(), &repository.path).await?;
        Ok(())
    }
}

fn described(error: &Error) -> Message {
    error.message().cloned().unwrap_or_else(|| msg!("watch-fetch-failed"))
}
