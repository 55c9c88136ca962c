//! Manifests and configurations lately read, by digest. What a digest names never changes, so nothing
//! here can be stale; whether the registry still has it is asked each time by the caller. Bounded in bytes.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use super::base::Repository;
use crate::model::Digest;

const CAPACITY: usize = 8 * 1024 * 1024;
/// A few large configurations must not drive out everything else.
const LARGEST: usize = CAPACITY / 8;
/// What an entry costs besides its body, roughly.
const OVERHEAD: usize = 512;

/// The repository belongs to the key: a digest known from one must not be found in another.
type Key = (Repository, Digest);

#[derive(Default)]
pub(super) struct Cache {
    shelf: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    entries: HashMap<Key, Entry>,
    /// Oldest use first.
    uses: BTreeMap<u64, Key>,
    clock: u64,
    bytes: usize,
}

struct Entry {
    used: u64,
    media_type: String,
    body: Bytes,
}

impl Cache {
    /// Media type and body.
    pub fn get(&self, repository: &Repository, digest: &Digest) -> Option<(String, Bytes)> {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (repository.clone(), digest.clone());
        shelf.clock += 1;
        let now = shelf.clock;
        let entry = shelf.entries.get_mut(&key)?;
        let before = std::mem::replace(&mut entry.used, now);
        let found = (entry.media_type.clone(), entry.body.clone());
        shelf.uses.remove(&before);
        shelf.uses.insert(now, key);
        Some(found)
    }

    /// Only what was checked against its digest may be put here.
    pub fn put(&self, repository: &Repository, digest: &Digest, media_type: &str, body: Bytes) {
        if body.len() > LARGEST {
            return;
        }
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (repository.clone(), digest.clone());
        if shelf.entries.contains_key(&key) {
            return;
        }
        shelf.clock += 1;
        let used = shelf.clock;
        shelf.bytes += body.len() + OVERHEAD;
        shelf.uses.insert(used, key.clone());
        shelf.entries.insert(key, Entry { used, media_type: media_type.to_owned(), body });
        while shelf.bytes > CAPACITY {
            let Some((_, oldest)) = shelf.uses.pop_first() else { break };
            if let Some(entry) = shelf.entries.remove(&oldest) {
                shelf.bytes -= entry.body.len() + OVERHEAD;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_lately_used_makes_room_and_the_bound_holds() {
        let cache = Cache::default();
        let repository = Repository::new("a").unwrap();
        let digest = |n: usize| Digest::new(format!("sha256:{n:064x}")).unwrap();
        let body = Bytes::from(vec![0; LARGEST]);
        for n in 0..7 {
            cache.put(&repository, &digest(n), "m", body.clone());
        }
        assert!(cache.get(&repository, &digest(0)).is_some());
        cache.put(&repository, &digest(7), "m", body.clone());
        assert!(cache.get(&repository, &digest(1)).is_none(), "the oldest use goes first");
        assert!(cache.get(&repository, &digest(0)).is_some());
        assert!(cache.get(&Repository::new("b").unwrap(), &digest(0)).is_none());
        cache.put(&repository, &digest(8), "m", Bytes::from(vec![0; LARGEST + 1]));
        assert!(cache.get(&repository, &digest(8)).is_none());
        let shelf = cache.shelf.lock().unwrap();
        assert!(shelf.bytes <= CAPACITY && shelf.uses.len() == shelf.entries.len());
    }
}
