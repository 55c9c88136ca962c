//! Lists: repositories and tags. Of a `Link` header only the fact that there is more is taken, never its
//! address: old registries write broken ones, and a hostile one could point anywhere.

use std::cmp::Ordering;

use reqwest::{Method, StatusCode};
use serde::Deserialize;

use super::base::{Place, Repository};
use super::client::Client;
use super::wire::{Answer, Ask};
use crate::model::{Error, Result, is_repository, is_tag};
use crate::msg;

/// What a registry's own limit (`catalog.maxentries`) is unless somebody changed it.
const MOST_PER_PAGE: usize = 1000;
const CATALOGUE_LIMIT: usize = 4 * 1024 * 1024;
const TAGS_LIMIT: usize = 64 * 1024 * 1024;
const MOST_TAGS: usize = 1_000_000;
const MOST_PAGES: usize = 1000;

/// A part of a list. `next` is the key to ask for what follows; `None` at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
}

impl Client {
    /// Repositories in the registry's order, after the key `after`, at most `limit` (1 to 1000).
    /// A repository stays listed when its last tag is gone.
    pub async fn repositories(&self, after: Option<&str>, limit: usize) -> Result<Page<String>> {
        #[derive(Deserialize)]
        struct Catalogue {
            repositories: Option<Vec<String>>,
        }
        if let Some(after) = after {
            Repository::new(after)?;
        }
        let limit = limit.clamp(1, MOST_PER_PAGE);
        let mut answer = self.list(Place::Catalogue { limit: Some(limit), after }, CATALOGUE_LIMIT).await?;
        if answer.status == StatusCode::BAD_REQUEST {
            // Its own limit is lower than ours; without a number it gives what it allows.
            answer = self.list(Place::Catalogue { limit: None, after }, CATALOGUE_LIMIT).await?;
        }
        match answer.status {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
                return Err(Error::Conflict(msg!("registry-no-catalogue", host = self.host())));
            }
            status => return Err(self.unexpected(status).into()),
        }
        let catalogue: Catalogue = self.read(&answer)?;
        let mut items = catalogue.repositories.unwrap_or_default();
        items.retain(|name| is_repository(name));
        let more = has_next(&answer) || items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).cloned();
        Ok(Page { items, next })
    }

    /// All repositories, sorted, but not more than `most`; `next` is set when there are more.
    pub async fn all_repositories(&self, most: usize) -> Result<Page<String>> {
        let mut all = Page { items: Vec::new(), next: None };
        for _ in 0..MOST_PAGES {
            let page = self.repositories(all.next.as_deref(), MOST_PER_PAGE).await?;
            // A registry that gives the same key again would keep us here for ever.
            let stuck = page.next.is_some() && page.next == all.next;
            all.items.extend(page.items);
            all.next = page.next.filter(|_| !stuck);
            if all.next.is_none() || all.items.len() >= most {
                break;
            }
        }
        if all.items.len() > most {
            all.items.truncate(most);
            all.next = all.items.last().cloned();
        }
        all.items.sort();
        all.items.dedup();
        Ok(all)
    }

    /// Tags in natural order (`v3-build-9` before `v3-build-10`). Empty for a repository whose tags are all
    /// gone; `NotFound` for one the registry does not know.
    pub async fn tags(&self, repository: &str) -> Result<Vec<String>> {
        #[derive(Deserialize)]
        struct Tags {
            tags: Option<Vec<String>>,
        }
        let repository = Repository::new(repository)?;
        let mut tags: Vec<String> = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let place = Place::Tags { repository: &repository, after: after.as_deref() };
            let answer = self.list(place, TAGS_LIMIT).await?;
            match answer.status {
                StatusCode::OK => {}
                StatusCode::NOT_FOUND => {
                    let message = msg!("registry-repository-unknown", repository = repository.as_str());
                    return Err(Error::NotFound(message));
                }
                status => return Err(self.unexpected(status).into()),
            }
            let page: Tags = self.read(&answer)?;
            let before = after.take();
            let found = page.tags.unwrap_or_default();
            after = found.last().filter(|_| has_next(&answer)).cloned();
            tags.extend(found.into_iter().filter(|tag| is_tag(tag)));
            if after.is_none() || after == before || tags.len() >= MOST_TAGS {
                break;
            }
        }
        tags.sort_by(|a, b| natural(a, b));
        tags.dedup();
        Ok(tags)
    }

    async fn list(&self, place: Place<'_>, limit: usize) -> Result<Answer> {
        let ask = Ask { method: Method::GET, place, accept: Some("application/json"), limit };
        Ok(self.wire.ask(self.patience, &ask).await?)
    }

    fn read<'a, T: Deserialize<'a>>(&self, answer: &'a Answer) -> Result<T> {
        serde_json::from_slice(&answer.body).map_err(|cause| {
            Error::Conflict(msg!("registry-list-unreadable", host = self.host(), cause = cause))
        })
    }
}

fn has_next(answer: &Answer) -> bool {
    let links = answer.headers.get_all("link").into_iter().filter_map(|link| link.to_str().ok());
    links
        .flat_map(|links| links.split([';', ',']))
        .any(|part| matches!(part.trim(), "rel=\"next\"" | "rel=next"))
}

/// Numbers within names by value, the rest byte by byte; equal only for equal names.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.as_bytes(), b.as_bytes());
    while let (Some(&x), Some(&y)) = (left.first(), right.first()) {
        if x.is_ascii_digit() && y.is_ascii_digit() {
            let (one, rest_left) = number(left);
            let (two, rest_right) = number(right);
            let order = one.len().cmp(&two.len()).then_with(|| one.cmp(two));
            if order.is_ne() {
                return order;
            }
            (left, right) = (rest_left, rest_right);
        } else if x != y {
            return x.cmp(&y);
        } else {
            (left, right) = (&left[1..], &right[1..]);
        }
    }
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

/// The digits at the start without leading zeros, and what follows them.
fn number(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let zeros = digits.iter().take_while(|b| **b == b'0').count();
    (&digits[zeros..], rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tags_are_sorted_as_people_count() {
        let mut tags = ["v3-build-10", "v3-build-9", "v3-build-010", "latest", "v3", "1.10", "1.9"];
        tags.sort_by(|a, b| natural(a, b));
        assert_eq!(tags, ["1.9", "1.10", "latest", "v3", "v3-build-9", "v3-build-010", "v3-build-10"]);
    }

    proptest! {
        /// A sort panics on an order that contradicts itself.
        #[test]
        fn the_order_is_total(a in "[0-2a-]{0,5}", b in "[0-2a-]{0,5}", c in "[0-2a-]{0,5}") {
            prop_assert_eq!(natural(&a, &b), natural(&b, &a).reverse());
            prop_assert_eq!(natural(&a, &b) == Ordering::Equal, a == b);
            if natural(&a, &b).is_le() && natural(&b, &c).is_le() {
                prop_assert!(natural(&a, &c).is_le(), "{} {} {}", a, b, c);
            }
        }
    }
}
