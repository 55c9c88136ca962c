//! Lists: repositories and tags. Of a `Link` header only the query is taken, never its address: a hostile one could point
//! anywhere. A link that leads nowhere new, as old registries write them, gives way to the name where the page ended.

use std::cmp::Ordering;
use std::collections::BTreeSet;

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
/// Longest query of a link, in bytes.
const LONGEST_QUERY: usize = 4096;

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
        if let Some(after) = after {
            Repository::new(after)?;
        }
        let limit = limit.clamp(1, MOST_PER_PAGE);
        let (mut items, answer) = self.some_repositories((after, limit), None).await?;
        let more = has_next(&answer) || items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).cloned();
        Ok(Page { items, next })
    }

    /// A page of the catalogue, by key and length or by the query of a link.
    async fn some_repositories(
        &self,
        (after, limit): (Option<&str>, usize),
        query: Option<&str>,
    ) -> Result<(Vec<String>, Answer)> {
        #[derive(Deserialize)]
        struct Catalogue {
            repositories: Option<Vec<String>>,
        }
        let place = Place::Catalogue { limit: Some(limit), after, query };
        let mut answer = self.list(place, CATALOGUE_LIMIT).await?;
        if answer.status == StatusCode::BAD_REQUEST {
            // Its own limit is lower than ours; without a number it gives what it allows.
            let place = Place::Catalogue { limit: None, after, query };
            answer = self.list(place, CATALOGUE_LIMIT).await?;
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
        Ok((items, answer))
    }

    /// All repositories, sorted, but not more than `most`; `next` is set when there are more.
    pub async fn all_repositories(&self, most: usize) -> Result<Page<String>> {
        let (mut all, mut pages) = (BTreeSet::new(), Pages::default());
        let mut more = false;
        for _ in 0..MOST_PAGES {
            let key = (None, MOST_PER_PAGE);
            let (found, answer) = self.some_repositories(key, pages.query()).await?;
            more = pages.turn(&answer, found, &mut all);
            if !more || all.len() >= most {
                break;
            }
        }
        let cut = all.len() > most;
        let items: Vec<String> = all.into_iter().take(most).collect();
        let next = items.last().filter(|_| more || cut).cloned();
        Ok(Page { items, next })
    }

    /// Tags in natural order (`v3-build-9` before `v3-build-10`). Empty for a repository whose tags are all
    /// gone; `NotFound` for one the registry does not know.
    pub async fn tags(&self, repository: &str) -> Result<Vec<String>> {
        #[derive(Deserialize)]
        struct Tags {
            tags: Option<Vec<String>>,
        }
        let repository = Repository::new(repository)?;
        let (mut all, mut pages) = (BTreeSet::new(), Pages::default());
        for _ in 0..MOST_PAGES {
            let place = Place::Tags { repository: &repository, query: pages.query() };
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
            let found = page.tags.unwrap_or_default();
            if !pages.turn(&answer, found, &mut all) || all.len() >= MOST_TAGS {
                break;
            }
        }
        let mut tags: Vec<String> = all.into_iter().filter(|tag| is_tag(tag)).collect();
        tags.sort_by(|a, b| natural(a, b));
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

/// Goes from page to page of a list.
#[derive(Default)]
struct Pages {
    query: Option<String>,
    /// Where the page before ended.
    last: Option<String>,
    /// Whether `query` is made of that name, because a link led nowhere new.
    by_name: bool,
}

impl Pages {
    fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// Takes what a page has; whether another one is to be asked for.
    fn turn(&mut self, answer: &Answer, found: Vec<String>, all: &mut BTreeSet<String>) -> bool {
        let (before, last) = (all.len(), found.last().cloned());
        all.extend(found);
        if all.len() == before && (self.by_name || self.query.is_none()) {
            // The same page again and again would keep us here for ever.
            return false;
        }
        if all.len() == before {
            self.by_name = true;
        } else if has_next(answer) {
            self.last = last;
        } else {
            return false;
        }
        self.query = link_query(answer).filter(|_| !self.by_name).or_else(|| {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            Some(query.append_pair("last", self.last.as_deref()?).finish())
        });
        self.query.is_some()
    }
}

/// The query of the registry's own link to its next page: only that is taken from it, so that it leads to the same place.
fn link_query(answer: &Answer) -> Option<String> {
    let links = answer.headers.get_all("link").into_iter().filter_map(|link| link.to_str().ok());
    links.flat_map(|links| links.split(',')).find_map(|link| {
        let (target, attributes) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = attributes.split(';').any(|one| matches!(one.trim(), "rel=\"next\"" | "rel=next"));
        let (_, query) = target.split_once('?').filter(|_| is_next)?;
        let query = query.split('#').next().unwrap_or_default();
        (!query.is_empty() && query.len() <= LONGEST_QUERY).then(|| query.to_owned())
    })
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
