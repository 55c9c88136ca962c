//! Home: the repositories the viewer may see, those with the newest runs first, and what runs now.

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes};
use askama::Template as _;
use serde::Deserialize;

use super::kept::{Kept, Moment};
use super::pieces::{briefs, cut};
use super::visit::{Answer, Visit, see};
use crate::model::{Error, Result};
use crate::store::repositories::{self, Repository};
use crate::store::runs::{self, Past};
use crate::web::errors::Failure;
use crate::web::pages::home::{Home, HomeRow};
use crate::web::pages::{Bars, answer, links};

const PER_PAGE: usize = 30;
/// Runs shown of those that wait or go on.
const ACTIVE: u32 = 10;

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    after: String,
}

/// `GET /`.
pub async fn home(visit: Visit, asked: web::Query<Asked>) -> Answer {
    let (shared, moment, key) = (visit.shared.clone(), Moment::now(&visit), Kept::key(&visit));
    if let Some(known) = key.as_ref().and_then(|key| shared.kept.find(key, moment)) {
        return Ok(known);
    }
    let Some(page) = fill(visit, &asked).await? else { return Ok(see(&links::sign_in(""))) };
    let html = Bytes::from(page.render().map_err(|e| Error::internal("write the home page", e))?);
    if let Some(key) = key {
        shared.kept.keep(key, moment, &html);
    }
    Ok(answer(StatusCode::OK, html))
}

/// `None` when there is nothing for a visitor who has not signed in.
async fn fill(visit: Visit, asked: &Asked) -> Result<Option<Home>, Failure> {
    let query = asked.q.trim().chars().take(100).collect::<String>();
    let after = asked.after.split_once('-').and_then(|(run, id)| Some((run.parse().ok()?, id.parse().ok()?)));
    let viewer = visit.identity.viewer();
    let (mut found, active, counts) = visit.door.store.read(|c| {
        let limit = PER_PAGE as u32 + 1;
        let found = match query.is_empty() {
            true => repositories::page(c, viewer, after, limit)?,
            false => repositories::named(c, viewer, &query, limit)?,
        };
        Ok((found, runs::active(c, viewer, ACTIVE)?, runs::counts(c)?))
    })?;
    if found.is_empty() && query.is_empty() && visit.identity.known().is_none() {
        return Ok(None);
    }
    let more = cut(&mut found, PER_PAGE);
    let key =
        |last: &Repository| links::home(&query, &format!("{}-{}", last.last_run_id.unwrap_or(0), last.id));
    let next = found.last().filter(|_| more && query.is_empty()).map(key);
    let repositories = rows(&visit, found).await?;
    let active = briefs(&visit, active).await?;
    Ok(Some(Home { query, repositories, active, counts, next, page: visit.page }))
}

async fn rows(visit: &Visit, found: Vec<Repository>) -> Result<Vec<HomeRow>> {
    let ids: Vec<i64> = found.iter().map(|repository| repository.id).collect();
    let (last, past) = visit.door.store.read(|c| {
        let one = |id: Option<i64>| id.map_or(Ok(None), |id| runs::by_id(c, id));
        let last = found.iter().map(|repository| one(repository.last_run_id)).collect::<Result<Vec<_>>>()?;
        Ok((last, runs::of_repositories(c, &ids, Bars::PLACES as u32)?))
    })?;
    let with_runs: Vec<_> = last.iter().flatten().cloned().collect();
    let mut briefs = briefs(visit, with_runs).await?.into_iter();
    let row = |((repository, last), past): ((Repository, bool), Vec<Past>)| HomeRow {
        repository: repository.path.to_string(),
        description: repository.description,
        private: repository.private,
        mirror_of: repository.remote.map(|remote| remote.url),
        last: if last { briefs.next() } else { None },
        bars: bars(visit, &past),
    };
    Ok(found.into_iter().zip(last.iter().map(Option::is_some)).zip(past).map(row).collect())
}

fn bars(visit: &Visit, past: &[Past]) -> Bars {
    let bar = |one: &Past| (one.status, u64::try_from(one.duration / 1000).ok());
    Bars::new(&visit.page, &past.iter().map(bar).collect::<Vec<_>>())
}
