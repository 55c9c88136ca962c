//! The last status for other programs: a picture for a README, and `cc.xml` for build lights and trays.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::pieces;
use super::visit::{Answer, Visit};
use crate::messages::{self, Language};
use crate::model::{Error, Result, Run, Status};
use crate::store::repositories::Repository;
use crate::store::{Connection, pipelines, repositories, runs};
use crate::web::errors::Failure;
use crate::web::pages::{links, pieces::status_message};

/// Runs looked through for one of the branch that was asked for.
const LOOK_BACK: u32 = 50;
const MOST_REPOSITORIES: u32 = 1000;

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    branch: String,
    #[serde(default)]
    pipeline: String,
}

#[derive(Template)]
#[template(path = "badge.svg", escape = "html")]
struct Badge {
    word: String,
    colour: &'static str,
    width: usize,
}

/// `GET /badges/{owner}/{name}.svg?branch=&pipeline=`: the newest run of the default branch that has ended.
pub async fn badge(visit: Visit, path: web::Path<(String, String)>, asked: web::Query<Asked>) -> Answer {
    let name = path.1.strip_suffix(".svg").ok_or_else(Failure::not_found)?.to_owned();
    let repository = pieces::readable(&visit, &(path.0.clone(), name))?;
    let branch = Some(asked.branch.as_str()).filter(|branch| !branch.is_empty());
    let branch = branch.or(repository.default_branch.as_deref()).unwrap_or_default();
    let found = visit.door.store.read(|c| runs::of_repository(c, repository.id, None, LOOK_BACK))?;
    let fits = |run: &&Run| {
        let pipeline =
            asked.pipeline.is_empty() || run.pipeline.as_str().eq_ignore_ascii_case(&asked.pipeline);
        pipeline && run.reference.branch_name() == Some(branch) && run.status.is_final()
    };
    let status = found.iter().find(fits).map(|run| run.status);
    // English everywhere: a badge is seen by whoever reads the page it is on.
    let word = status.map_or_else(
        || "–".to_owned(),
        |status| messages::render(Language::English, &status_message(status)),
    );
    let width = 14 + word.chars().count() * 7;
    let badge = Badge { word, colour: colour(status), width };
    let body = badge.render().map_err(|e| Error::internal("write a badge", e))?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "image/svg+xml"))
        .insert_header((CACHE_CONTROL, "no-cache"))
        // A README elsewhere may show it.
        .insert_header(("Cross-Origin-Resource-Policy", "cross-origin"))
        .body(body))
}

const fn colour(status: Option<Status>) -> &'static str {
    match status {
        Some(Status::Passed) => "#1f7a3d",
        Some(Status::Failed | Status::Lost) => "#b3261e",
        Some(Status::Unstable) => "#8a5a00",
        _ => "#5f6368",
    }
}

#[derive(Template)]
#[template(path = "cc.xml", escape = "xml")]
struct Tray {
    projects: Vec<Project>,
}

struct Project {
    name: String,
    activity: &'static str,
    status: &'static str,
    label: String,
    time: String,
    url: String,
}

/// `GET /cc.xml`: every pipeline the visitor may see.
pub async fn cc(visit: Visit) -> Answer {
    let viewer = visit.identity.viewer();
    let url = &visit.door.settings.url;
    let projects = visit.door.store.read(|c| {
        let all = repositories::page(c, viewer, None, MOST_REPOSITORIES)?;
        let mut projects = Vec::new();
        for repository in all {
            projects.extend(projects_of(c, &repository, url)?);
        }
        Ok(projects)
    })?;
    let body = Tray { projects }.render().map_err(|e| Error::internal("write cc.xml", e))?;
    Ok(HttpResponse::Ok().insert_header((CONTENT_TYPE, "application/xml; charset=utf-8")).body(body))
}

fn projects_of(c: &Connection, repository: &Repository, url: &str) -> Result<Vec<Project>> {
    let mut projects = Vec::new();
    for pipeline in pipelines::of_repository(c, repository.id)? {
        let last = runs::of_pipeline(c, pipeline.id, None, 5)?;
        let Some(ended) = last.iter().find(|run| run.status.is_final()) else { continue };
        let name = repository.path.to_string();
        projects.push(Project {
            url: format!("{url}{}", links::pipeline(&name, pipeline.name.as_str())),
            name: format!("{name} {}", pipeline.name),
            activity: if last.iter().any(|run| !run.status.is_final()) { "Building" } else { "Sleeping" },
            status: match ended.status {
                Status::Passed => "Success",
                Status::Failed | Status::Unstable => "Failure",
                _ => "Exception",
            },
            label: ended.number.to_string(),
            time: ended.finished_at.unwrap_or(ended.queued_at).to_string(),
        });
    }
    Ok(projects)
}
