//! A repository's front page: what is in it, what its README says, its pipelines and last runs; before
//! the first push, what to type.

use actix_web::web;
use serde::Deserialize;

use super::browse::{self, Look};
use super::pieces::{self, briefs};
use super::visit::{Answer, Visit};
use crate::model::Error;
use crate::store::repositories::Repository;
use crate::store::runs;
use crate::web::errors::Failure;
use crate::web::pages::repository::{self as page, EmptyRepository, Tab};
use crate::web::pages::respond;

const RUNS: u32 = 10;

#[derive(Deserialize)]
pub struct At {
    #[serde(default)]
    pub at: String,
}

impl At {
    /// What was asked for, else the default branch; `None` in an empty repository.
    pub fn or_default(&self, repository: &Repository) -> Option<String> {
        match self.at.is_empty() {
            false => Some(self.at.clone()),
            true => repository.default_branch.clone(),
        }
    }
}

/// `GET /{owner}/{name}`.
pub async fn show(visit: Visit, path: web::Path<(String, String)>, at: web::Query<At>) -> Answer {
    let repository = pieces::readable(&visit, &path)?;
    let Some(at) = at.or_default(&repository) else {
        let head = pieces::head(&visit, &repository, Tab::Files);
        return Ok(respond(&EmptyRepository { page: visit.page, head }));
    };
    let look = Look { repository: repository.path.to_string(), at: at.clone(), path: String::new() };
    let seen = visit.door.git.read(&repository.path, move |open| browse::folder(open, &look)).await;
    let seen = match seen {
        Ok(seen) => Some(seen.ok_or_else(Failure::not_found)?),
        // Of a damaged repository the page shows what there is, and says what is damaged.
        Err(Error::Conflict(_)) if visit.door.git.damage_of(&repository.path).is_some() => None,
        Err(error) => return Err(error.into()),
    };
    let head = pieces::head(&visit, &repository, Tab::Files);
    let (last_commit, entries, readme) = match seen {
        Some(seen) => (Some(seen.commit), seen.entries, seen.readme),
        None => (None, Vec::new(), None),
    };
    let runs = visit.door.store.read(|c| runs::of_repository(c, repository.id, None, RUNS))?;
    let runs = briefs(&visit, runs).await?;
    let pipelines = pieces::pipeline_rows(&visit, &repository)?;
    Ok(respond(&page::Repository {
        page: visit.page,
        head,
        at,
        refs: browse::refs(&visit.door, &repository).unwrap_or_default(),
        last_commit,
        entries,
        readme,
        pipelines,
        runs,
    }))
}
