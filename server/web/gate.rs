//! Who may come in: checks passwords and tokens, with a limit on failures and on the work spent.
//!
//! An unknown account costs the same time as a wrong password. Clients of git and the API send their
//! password with every request, so a checked one is remembered for five minutes: not the password, but
//! a keyed hash of it together with the account's present password hash, so that a new password or a
//! disabled account ends it at once.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::web;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use super::attempts::Attempts;
use super::errors::Failure;
use super::first_push::FirstPushes;
use crate::model::{Error, LONGEST_PASSWORD, PasswordHash, Result, Secret};
use crate::msg;
use crate::store::Store;
use crate::store::accounts::{self, Account, Scope};

/// Checks at a time: each takes 19 MiB and a core.
const CHECKS: usize = 2;
const REMEMBERED_FOR: Duration = Duration::from_secs(5 * 60);
const REMEMBERED: usize = 1000;

/// What all workers share; cheap to clone.
#[derive(Clone)]
pub struct Gate {
    inner: Arc<Inner>,
}

struct Inner {
    attempts: Attempts,
    checks: Semaphore,
    key: Secret,
    remembered: Mutex<HashMap<[u8; 32], Instant>>,
    /// When the use of a token was last written down.
    noted: Mutex<HashMap<i64, Instant>>,
    first_pushes: FirstPushes,
}

impl Gate {
    pub fn new() -> Result<Gate> {
        let key = Secret::random(32)?;
        let (remembered, noted) = (Mutex::default(), Mutex::default());
        let (attempts, checks) = (Attempts::default(), Semaphore::new(CHECKS));
        let first_pushes = FirstPushes::default();
        Ok(Gate { inner: Arc::new(Inner { attempts, checks, key, remembered, noted, first_pushes }) })
    }

    pub fn first_pushes(&self) -> FirstPushes {
        self.inner.first_pushes.clone()
    }

    /// The account whose name and password these are. `Unauthenticated` says no more than that it is not
    /// so; `TooMany` when it was tried too often from this address.
    pub async fn password(
        &self,
        store: &Store,
        name: &str,
        password: &str,
        from: IpAddr,
    ) -> Result<Account, Failure> {
        let account = store.read(|c| accounts::by_name(c, name))?.filter(|account| !account.disabled);
        let hash = account.as_ref().map(|account| account.password_hash.clone());
        let mark = self.mark(name, password, hash.as_deref().unwrap_or_default());
        let remembered = account.is_some() && self.is_remembered(&mark);
        if !remembered {
            // Whoever guesses does not lock out those who are at work.
            self.check_attempts(name, from)?;
        }
        let right = remembered || self.verify(password, hash).await?;
        match account.filter(|_| right) {
            Some(account) => {
                self.remember(mark);
                self.inner.attempts.succeeded(name, from);
                Ok(account)
            }
            None => {
                self.inner.attempts.failed(name, from, Instant::now());
                tracing::info!(name = %name.escape_debug(), %from, "wrong name or password");
                Err(Failure::Unauthenticated(msg!("auth-wrong-password")))
            }
        }
    }

    /// The owner and scope of the API token with this fingerprint.
    pub fn token(&self, store: &Store, hash: &[u8; 32], from: IpAddr) -> Result<(Account, Scope), Failure> {
        match store.read(|c| accounts::by_token(c, hash, Timestamp::now()))? {
            Some((account, scope, id)) => {
                self.note_use(store, id);
                Ok((account, scope))
            }
            None => {
                // A right token is let in all the same: many programs share an address, and nobody guesses one.
                self.check_attempts("", from)?;
                self.inner.attempts.failed("", from, Instant::now());
                tracing::info!(%from, "unknown or expired token");
                Err(Failure::Unauthenticated(msg!("auth-wrong-token")))
            }
        }
    }

    /// Hashes a new password off the event loop; `Invalid` when the rules refuse it.
    pub async fn hash(&self, password: &str, account: &str) -> Result<String> {
        let _turn = self.turn().await?;
        let (password, account) = (Secret::new(password), account.to_owned());
        let made = web::block(move || PasswordHash::new(&password, &account)).await;
        Ok(made.map_err(|e| Error::internal("hash", e))??.as_str().to_owned())
    }

    /// At most once a minute, and nobody waits for it.
    fn note_use(&self, store: &Store, id: i64) {
        let now = Instant::now();
        let mut noted = self.inner.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.get(&id).is_some_and(|at| now.duration_since(*at) < Duration::from_secs(60)) {
            return;
        }
        noted.insert(id, now);
        let store = store.clone();
        tokio::spawn(async move {
            let written = store.write(move |c| accounts::token_used(c, id, Timestamp::now())).await;
            if let Err(error) = written {
                tracing::warn!(%error, "the use of a token could not be noted");
            }
        });
    }

    fn check_attempts(&self, name: &str, from: IpAddr) -> Result<(), Failure> {
        match self.inner.attempts.blocked(name, from, Instant::now()) {
            Some(wait) => Err(Failure::TooMany { seconds: wait.as_secs().max(1) }),
            None => Ok(()),
        }
    }

    /// `None` is nobody's hash: it takes as long and matches nothing.
    async fn verify(&self, password: &str, hash: Option<String>) -> Result<bool> {
        if password.len() > LONGEST_PASSWORD * 4 {
            return Ok(false);
        }
        let _turn = self.turn().await?;
        let password = Secret::new(password);
        let check = move || match hash {
            Some(hash) => PasswordHash::stored(hash).verify(&password),
            None => {
                PasswordHash::verify_nobody(&password);
                false
            }
        };
        web::block(check).await.map_err(|e| Error::internal("verify", e))
    }

    async fn turn(&self) -> Result<tokio::sync::SemaphorePermit<'_>> {
        self.inner.checks.acquire().await.map_err(|e| Error::internal("wait for a turn", e))
    }

    /// Keyed hash of everything that must still be so for a remembered password to count.
    fn mark(&self, name: &str, password: &str, hash: &str) -> [u8; 32] {
        let key = self.inner.key.reveal();
        let mut inside = Sha256::new_with_prefix(key);
        for part in [name, password, hash] {
            inside.update((part.len() as u64).to_le_bytes());
            inside.update(part);
        }
        Sha256::new_with_prefix(key).chain_update(inside.finalize()).finalize().into()
    }

    fn is_remembered(&self, mark: &[u8; 32]) -> bool {
        let all = self.inner.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(mark).is_some_and(|until| *until > Instant::now())
    }

    fn remember(&self, mark: [u8; 32]) {
        let mut all = self.inner.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if all.len() >= REMEMBERED {
            all.retain(|_, until| *until > now);
        }
        if all.len() >= REMEMBERED {
            all.clear();
        }
        all.entry(mark).or_insert(now + REMEMBERED_FOR);
    }
}
