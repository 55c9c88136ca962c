//! Lists of tags lately read: a registry gives all of them or none, and a person wants a page. A list is good for a few
//! seconds, and only until something is known to have changed in its repository. For what people look at; nothing
//! is decided by it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::base::Repository;
use super::client::Client;
use crate::model::Result;

/// How old a list may be: a registry that tells us of nothing is shown at most so late.
const GOOD_FOR: Duration = Duration::from_secs(10);
/// Of all lists together, in bytes.
const CAPACITY: usize = 8 * 1024 * 1024;

#[derive(Default)]
pub(super) struct Lists {
    shelf: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    lists: HashMap<Repository, List>,
    /// How often a repository was known to have changed.
    changes: u64,
}

struct List {
    tags: Arc<[String]>,
    read: Instant,
    bytes: usize,
}

impl Lists {
    fn get(&self, repository: &Repository, now: Instant) -> Option<Arc<[String]>> {
        let shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let list = shelf.lists.get(repository)?;
        (now.duration_since(list.read) < GOOD_FOR).then(|| list.tags.clone())
    }

    /// To be asked before the registry is: a list that was read across a change is not kept.
    fn changes(&self) -> u64 {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner).changes
    }

    fn put(&self, repository: Repository, tags: &Arc<[String]>, (changes, read): (u64, Instant)) {
        let bytes = tags.iter().map(|tag| tag.len() + size_of::<String>()).sum();
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        if shelf.changes != changes || bytes > CAPACITY {
            return;
        }
        shelf.lists.retain(|_, list| read.saturating_duration_since(list.read) < GOOD_FOR);
        shelf.lists.remove(&repository);
        while shelf.lists.values().map(|list| list.bytes).sum::<usize>() + bytes > CAPACITY {
            let oldest = shelf.lists.iter().min_by_key(|(_, list)| list.read).map(|(name, _)| name.clone());
            let Some(oldest) = oldest else { break };
            shelf.lists.remove(&oldest);
        }
        shelf.lists.insert(repository, List { tags: tags.clone(), read, bytes });
    }

    fn forget(&self, repository: &Repository) {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.changes += 1;
        shelf.lists.remove(repository);
    }
}

impl Client {
    /// As `tags`, but what was read in the last seconds comes from memory, if nobody said that it changed. For pages.
    pub async fn tags_lately(&self, repository: &str) -> Result<Arc<[String]>> {
        let known = Repository::new(repository)?;
        if let Some(tags) = self.lists.get(&known, Instant::now()) {
            return Ok(tags);
        }
        let seen = (self.lists.changes(), Instant::now());
        let tags: Arc<[String]> = self.tags(repository).await?.into();
        self.lists.put(known, &tags, seen);
        Ok(tags)
    }

    /// Somebody pushed or deleted a tag there.
    pub fn tags_changed(&self, repository: &str) {
        if let Ok(repository) = Repository::new(repository) {
            self.lists.forget(&repository);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_shown_for_seconds_until_something_changed_and_within_the_bound() {
        let lists = Lists::default();
        let name = |name: &str| Repository::new(name).unwrap();
        let tags = |length: usize| Arc::from([String::from_utf8(vec![b'x'; length]).unwrap()]);
        let now = Instant::now();
        let put = |at: &str, length: usize, read: Instant| {
            lists.put(name(at), &tags(length), (lists.changes(), read));
        };
        put("a", 1, now);
        assert_eq!(lists.get(&name("a"), now + GOOD_FOR / 2), Some(tags(1)));
        assert_eq!(lists.get(&name("a"), now + GOOD_FOR), None);
        assert_eq!(lists.get(&name("b"), now), None);

        let before = lists.changes();
        lists.forget(&name("a"));
        assert_eq!(lists.get(&name("a"), now), None);
        lists.put(name("a"), &tags(1), (before, now));
        assert_eq!(lists.get(&name("a"), now), None, "read across a change");

        put("a", CAPACITY / 2, now);
        put("b", CAPACITY / 4, now + GOOD_FOR / 10);
        put("c", CAPACITY / 2, now + GOOD_FOR / 5);
        put("d", CAPACITY, now + GOOD_FOR / 5);
        let there = ["a", "b", "c", "d"].map(|at| lists.get(&name(at), now + GOOD_FOR / 5).is_some());
        assert_eq!(
            there,
            [false, true, true, false],
            "the oldest goes first, and what is too large never stays"
        );
        put("e", 1, now + GOOD_FOR * 2);
        assert_eq!(lists.shelf.lock().unwrap().lists.len(), 1, "what is old takes no room");
    }
}
