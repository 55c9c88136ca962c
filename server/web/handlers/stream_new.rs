//! The form for a new image stream, and the one that takes OpenShift's YAML.

use actix_web::http::StatusCode;
use serde::Deserialize;

use super::streams::said;
use super::visit::{Answer, Sent, Visit, see};
use crate::model::{Finding, Message, StreamPath, StreamTagName};
use crate::msg;
use crate::store::streams::spec::Applied;
use crate::web::errors::Failure;
use crate::web::pages::streams::NewStream;
use crate::web::pages::{links, respond, respond_with};
use crate::web::streams::{self, File, Outcome, Refused, Report, Target};

/// Both forms of the page; which one was sent shows in `yaml`.
#[derive(Default, Deserialize)]
pub struct NewForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    tag: String,
    #[serde(default)]
    image: String,
    #[serde(default)]
    scheduled: bool,
    #[serde(default)]
    local: bool,
    #[serde(default)]
    yaml: String,
}

fn new_page(visit: Visit, form: NewForm) -> NewStream {
    let NewForm { name, tag, image, scheduled, local, yaml } = form;
    NewStream {
        page: visit.page,
        name,
        tag,
        image,
        scheduled,
        local,
        yaml,
        error: None,
        findings: Vec::new(),
        notes: Vec::new(),
        done: Vec::new(),
    }
}

/// `GET /image-streams/new`.
pub async fn form(visit: Visit) -> Answer {
    let owner = visit.identity.require()?.account.name.to_string();
    let form = NewForm { name: format!("{owner}/"), ..NewForm::default() };
    Ok(respond(&new_page(visit, form)))
}

/// `POST /image-streams/new`.
pub async fn create(sent: Sent<NewForm>) -> Answer {
    let Sent { visit, form } = sent;
    visit.identity.require()?;
    if !form.yaml.trim().is_empty() {
        let file = File { name: "YAML", bytes: form.yaml.as_bytes(), ..File::default() };
        let applied = streams::apply(&visit.door, &visit.identity, file).await;
        return applied_page(visit, form, applied);
    }
    match made(&visit, &form).await {
        Ok(path) => Ok(see(&links::stream(&path.to_string()))),
        Err(failure) => {
            let status = failure.status();
            let error = Some(said(failure)?);
            Ok(respond_with(status, &NewStream { error, ..new_page(visit, form) }))
        }
    }
}

fn applied_page(visit: Visit, form: NewForm, applied: Result<Report, Refused>) -> Answer {
    let shown = new_page(visit, form);
    match applied {
        Ok(report) => reported(shown, report),
        Err(Refused::Findings(findings)) => {
            Ok(respond_with(StatusCode::UNPROCESSABLE_ENTITY, &NewStream { findings, ..shown }))
        }
        Err(Refused::Failure(failure)) => {
            let status = failure.status();
            Ok(respond_with(status, &NewStream { error: Some(said(failure)?), ..shown }))
        }
    }
}

/// What became of each object; the status is that of the first that was refused.
fn reported(shown: NewStream, report: Report) -> Answer {
    let (mut status, mut findings, mut done) = (StatusCode::OK, Vec::new(), Vec::new());
    for one in report.done {
        let (line, column) = (one.line, one.column);
        let at = |message| Finding { path: "YAML".to_owned(), line, column, message };
        let (said, failed) = match one.outcome {
            Outcome::Applied(applied) => (word(applied), None),
            Outcome::Left(why) => (why, None),
            Outcome::Refused(wrong) => {
                findings.extend(wrong);
                (msg!("streams-refused"), Some(StatusCode::UNPROCESSABLE_ENTITY))
            }
            Outcome::Failed(failure) => {
                findings.push(at(failure.shown().message));
                (msg!("streams-refused"), Some(failure.status()))
            }
        };
        if let Some(failed) = failed.filter(|_| status == StatusCode::OK) {
            status = failed;
        }
        done.push((one.kind, one.name, said));
    }
    if let Some(nothing) = report.nothing {
        status = StatusCode::UNPROCESSABLE_ENTITY;
        findings.push(nothing);
    }
    Ok(respond_with(status, &NewStream { done, findings, notes: report.notes, ..shown }))
}

fn word(applied: Applied) -> Message {
    match applied {
        Applied::Created => msg!("streams-created"),
        Applied::Configured => msg!("streams-configured"),
        Applied::Unchanged => msg!("streams-unchanged"),
    }
}

/// The stream with its first tag, or alone.
async fn made(visit: &Visit, form: &NewForm) -> Result<StreamPath, Failure> {
    let path: StreamPath = form.name.trim().parse()?;
    let (tag, image) = (form.tag.trim(), form.image.trim());
    if tag.is_empty() && image.is_empty() {
        streams::create(&visit.door, &visit.identity, &path).await?;
        return Ok(path);
    }
    let name = StreamTagName { stream: path.clone(), tag: tag.to_owned() };
    let target = Target {
        image: Some(image.to_owned()),
        tag: None,
        follow: true,
        scheduled: form.scheduled,
        local: form.local,
    };
    streams::tag(&visit.door, &visit.identity, &name, target).await?;
    Ok(path)
}
