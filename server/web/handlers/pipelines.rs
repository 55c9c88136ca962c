//! The pipelines of a repository: all of them, one as a matrix of stages by runs, new ones, deleting.

use actix_web::http::StatusCode;
use actix_web::web;
use serde::Deserialize;

use super::pieces::{self, briefs, cut, head, seconds};
use super::visit::{Answer, Sent, Visit, complaint, see_with};
use crate::git::OpenRepository;
use crate::model::{Finding, Result, Run, StageRecord};
use crate::msg;
use crate::store::pipelines::Pipeline;
use crate::store::repositories::Repository;
use crate::store::runs;
use crate::web::api::pipelines::{self as api, NewPipelineForm};
use crate::web::errors::Failure;
use crate::web::pages::pipeline::{
    self as page, MatrixCell, MatrixRow, NewPipeline, Pipelines, TriggerFields,
};
use crate::web::pages::repository::Tab;
use crate::web::pages::{RunBrief, links, respond, respond_with};
use crate::web::start;

const RUNS_PER_PAGE: usize = 30;
const MATRIX_ROWS: usize = 20;
const MOST_CANDIDATES: usize = 100;

#[derive(Deserialize)]
pub struct After {
    after: Option<i64>,
}

/// `GET /{owner}/{name}/pipelines?after=`.
pub async fn list(visit: Visit, path: web::Path<(String, String)>, after: web::Query<After>) -> Answer {
    let repository = pieces::readable(&visit, &path)?;
    let limit = RUNS_PER_PAGE as u32 + 1;
    let mut found = visit.door.store.read(|c| runs::of_repository(c, repository.id, after.after, limit))?;
    let more = cut(&mut found, RUNS_PER_PAGE);
    let last = found.last().filter(|_| more).map(|run| run.id);
    let head = head(&visit, &repository, Tab::Pipelines);
    let next = last.map(|id| links::pipelines_after(&head.repository, id));
    let pipelines = pieces::pipeline_rows(&visit, &repository)?;
    let runs = briefs(&visit, found).await?;
    Ok(respond(&Pipelines { page: visit.page, head, pipelines, runs, next }))
}

#[derive(Deserialize)]
pub struct Before {
    after: Option<u64>,
}

type Path = web::Path<(String, String, String)>;

fn parts(path: &Path) -> (String, String) {
    (path.0.clone(), path.1.clone())
}

/// `GET /{owner}/{name}/pipelines/{pipeline}?after=`.
pub async fn show(visit: Visit, path: Path, before: web::Query<Before>) -> Answer {
    let repository = pieces::readable(&visit, &parts(&path))?;
    let pipeline = api::find(&visit.door, &repository, &path.2)?;
    matrix(visit, (&repository, pipeline), before.after, (StatusCode::OK, TriggerFields::default())).await
}

/// The pipeline's page, with the runs before one and what is in the form for a trigger.
pub async fn matrix(
    visit: Visit,
    (repository, pipeline): (&Repository, Pipeline),
    before: Option<u64>,
    (status, typed): (StatusCode, TriggerFields),
) -> Answer {
    let head = head(&visit, repository, Tab::Pipelines);
    let (mut found, stages, medians) = visit.door.store.read(|c| {
        let found = runs::of_pipeline(c, pipeline.id, before, MATRIX_ROWS as u32 + 1)?;
        let shown = found.iter().take(MATRIX_ROWS);
        let stages = shown.map(|run| runs::stages(c, run.id)).collect::<Result<Vec<_>>>()?;
        Ok((found, stages, runs::durations(c, pipeline.id)?))
    })?;
    let more = cut(&mut found, MATRIX_ROWS);
    let last = found.last().filter(|_| more).map(|run: &Run| run.number);
    let names = columns(&stages);
    let rows = briefs(&visit, found).await?.into_iter().zip(stages);
    let rows = rows.map(|(run, stages)| row(&visit, run, &stages, &names)).collect();
    let median = |name: &String| {
        let known = medians.iter().find(|median| median.name == *name)?;
        u64::try_from(known.median).ok().map(|milliseconds| milliseconds.div_ceil(1000))
    };
    let (dialect, findings) = definition(&visit, repository, &pipeline).await?;
    let branch = repository.default_branch.clone().unwrap_or_default();
    let triggers = super::triggers::rows(&visit, &pipeline)?;
    let shown = page::Pipeline {
        path_href: links::file(&head.repository, &branch, &pipeline.path),
        next: last.map(|number| links::pipeline_after(&head.repository, pipeline.name.as_str(), number)),
        stages: names.iter().map(|name| (name.clone(), median(name))).collect(),
        name: pipeline.name.to_string(),
        path: pipeline.path,
        discovered: pipeline.discovered,
        branches: pipeline.branches,
        triggers,
        typed,
        page: visit.page,
        head,
        dialect,
        rows,
        findings,
    };
    Ok(respond_with(status, &shown))
}

/// The stages of the newest run, then those that only older runs had.
fn columns(stages: &[Vec<StageRecord>]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for stage in stages.iter().flatten() {
        if !names.contains(&stage.name) {
            names.push(stage.name.clone());
        }
    }
    names
}

fn row(visit: &Visit, run: RunBrief, stages: &[StageRecord], names: &[String]) -> MatrixRow {
    let cell = |name: &String| {
        let stage = stages.iter().find(|stage| stage.name == *name)?;
        Some(MatrixCell {
            status: stage.status,
            seconds: seconds(stage.started_at, stage.finished_at, visit.page.now),
            href: format!("{}#stage-{}", run.href, stage.index),
        })
    };
    MatrixRow { cells: names.iter().map(cell).collect(), run }
}

/// How the definition on the default branch is written, and what is wrong with it.
async fn definition(
    visit: &Visit,
    repository: &Repository,
    pipeline: &Pipeline,
) -> Result<(Option<crate::model::Dialect>, Vec<Finding>), Failure> {
    if repository.default_branch.is_none() {
        return Ok((None, Vec::new()));
    }
    match start::find(&visit.door, repository, &pipeline.name, "").await {
        Ok(found) => Ok(match found.definition {
            Ok(definition) => (Some(definition.dialect), Vec::new()),
            Err(findings) => (None, findings),
        }),
        Err(failure) => {
            let message = complaint(failure)?;
            Ok((None, vec![Finding { path: pipeline.path.clone(), line: 0, column: 0, message }]))
        }
    }
}

/// `GET /{owner}/{name}/new-pipeline`.
pub async fn form(visit: Visit, path: web::Path<(String, String)>) -> Answer {
    visit.identity.require()?;
    let repository = pieces::writable(&visit, &path)?;
    let candidates = candidates(&visit, &repository).await;
    let head = head(&visit, &repository, Tab::Pipelines);
    let (name, path, branches) = (String::new(), String::new(), String::new());
    Ok(respond(&NewPipeline { page: visit.page, head, name, path, branches, candidates, error: None }))
}

/// What looks like a definition on the default branch.
async fn candidates(visit: &Visit, repository: &Repository) -> Vec<String> {
    let Some(branch) = repository.default_branch.clone() else { return Vec::new() };
    let look = move |open: &OpenRepository| {
        let commit = open.resolve(&branch)?.commit;
        open.find_files(&commit, MOST_CANDIDATES, looks_like_definition)
    };
    visit.door.git.read(&repository.path, look).await.unwrap_or_default()
}

fn looks_like_definition(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let ours = name == "ropewalk.yml" || name == "ropewalk.yaml";
    ours || name == "jenkinsfile" || name.starts_with("jenkinsfile.") || name.ends_with(".jenkinsfile")
}

#[derive(Deserialize)]
pub struct Form {
    name: String,
    path: String,
    #[serde(default)]
    branches: String,
}

/// `POST /{owner}/{name}/new-pipeline`.
pub async fn create(sent: Sent<Form>, path: web::Path<(String, String)>) -> Answer {
    let Sent { visit, form } = sent;
    let repository = pieces::writable(&visit, &path)?;
    let branches = form.branches.split_whitespace().map(str::to_owned).collect();
    let new =
        NewPipelineForm { name: form.name.trim().to_owned(), path: form.path.trim().to_owned(), branches };
    match api::create_pipeline(&visit.door, &repository, new, visit.by()?).await {
        Ok(made) => {
            let address = links::pipeline(&repository.path.to_string(), made.name.as_str());
            Ok(see_with(&address, &msg!("pages-pipeline-made")))
        }
        Err(failure) => {
            let status = failure.status();
            let error = Some(complaint(failure)?);
            let candidates = candidates(&visit, &repository).await;
            let head = head(&visit, &repository, Tab::Pipelines);
            let Form { name, path, branches } = form;
            Ok(respond_with(
                status,
                &NewPipeline { page: visit.page, head, name, path, branches, candidates, error },
            ))
        }
    }
}

#[derive(Deserialize)]
pub struct Nothing {}

/// `POST /{owner}/{name}/pipelines/{pipeline}/delete`.
pub async fn delete(sent: Sent<Nothing>, path: Path) -> Answer {
    let visit = sent.visit;
    let repository = pieces::writable(&visit, &parts(&path))?;
    let pipeline = api::find(&visit.door, &repository, &path.2)?;
    api::delete_pipeline(&visit.door, &pipeline, visit.by()?).await?;
    let address = links::pipelines(&repository.path.to_string());
    Ok(see_with(&address, &msg!("pages-deleted", name = pipeline.name)))
}
