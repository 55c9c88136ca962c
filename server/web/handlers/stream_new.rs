//! The form for a new image stream, and the one that takes OpenShift's YAML.

use actix_web::http::StatusCode;
use serde::Deserialize;

use super::streams::said;
use super::visit::{Answer, Sent, Visit, see};
use crate::model::{Message, StreamPath, StreamTagName};
use crate::msg;
use crate::store::streams::spec::Applied;
use crate::web::errors::Failure;
use crate::web::pages::streams::NewStream;
use crate::web::pages::{links, respond, respond_with};
use crate::web::streams::{self, Refused, Report, Target};

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
        let applied = streams::apply(&visit.door, &visit.identity, ("YAML", form.yaml.as_bytes())).await;
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
        Ok(report) => {
            let done = report.done.into_iter();
            let done = done.map(|done| (done.kind.to_owned(), done.name, word(done.applied))).collect();
            Ok(respond(&NewStream { done, notes: report.notes, ..shown }))
        }
        Err(Refused::Findings(findings)) => {
            Ok(respond_with(StatusCode::UNPROCESSABLE_ENTITY, &NewStream { findings, ..shown }))
        }
        Err(Refused::Failure(failure)) => {
            let status = failure.status();
            Ok(respond_with(status, &NewStream { error: Some(said(failure)?), ..shown }))
        }
    }
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
