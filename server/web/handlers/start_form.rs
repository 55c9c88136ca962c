//! The form that starts a run: the inputs are those that the definition declares at the revision chosen.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web;

use super::browse;
use super::pieces::{self, head};
use super::repository::At;
use super::visit::{Answer, Sent, Visit, complaint, see};
use crate::model::{Input, InputKind, Message, PipelineName};
use crate::store::repositories::Repository;
use crate::web::errors::Failure;
use crate::web::pages::pipeline::{InputField, Start};
use crate::web::pages::repository::Tab;
use crate::web::pages::{links, respond_with};
use crate::web::start::{self, Found};

type Path = web::Path<(String, String, String)>;

/// What a person has typed.
#[derive(Default)]
struct Typed {
    reference: String,
    /// `None` before the form was sent.
    inputs: Option<BTreeMap<String, String>>,
}

fn place(visit: &Visit, path: &Path) -> Result<(Repository, PipelineName), Failure> {
    visit.identity.require()?;
    let repository = pieces::writable(visit, &(path.0.clone(), path.1.clone()))?;
    let name = PipelineName::new(path.2.as_str()).map_err(|_| Failure::not_found())?;
    Ok((repository, name))
}

/// `GET /{owner}/{name}/pipelines/{pipeline}/start?at=`.
pub async fn form(visit: Visit, path: Path, at: web::Query<At>) -> Answer {
    let (repository, name) = place(&visit, &path)?;
    let reference = at.or_default(&repository).unwrap_or_default();
    let typed = Typed { reference, inputs: None };
    match start::find(&visit.door, &repository, &name, &typed.reference).await {
        Ok(found) => show(visit, (&repository, &name), typed, Some(found), None),
        Err(failure) => {
            let error = complaint_or_missing(failure)?;
            show(visit, (&repository, &name), typed, None, Some(error))
        }
    }
}

/// A revision that is not there is a mistake in the form, not in the address.
fn complaint_or_missing(failure: Failure) -> Result<Message, Failure> {
    match failure {
        Failure::Known(crate::model::Error::NotFound(message)) if message.key.starts_with("git-") => {
            Ok(message)
        }
        other => complaint(other),
    }
}

fn show(
    visit: Visit,
    (repository, name): (&Repository, &PipelineName),
    typed: Typed,
    found: Option<Found>,
    error: Option<Message>,
) -> Answer {
    let head = head(&visit, repository, Tab::Pipelines);
    let refs = browse::refs(&visit.door, repository)?;
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let declared = found.as_ref().map(|found| found.inputs().to_vec()).unwrap_or_default();
    let about = |input: &Input| error.clone().filter(|m| m.args.get("name") == Some(&input.name));
    let inputs: Vec<_> = declared.iter().map(|input| field(input, &typed, about(input))).collect();
    let findings = found.and_then(|found| found.definition.err()).unwrap_or_default();
    // A complaint about one field stands beside that field.
    let error = error.filter(|_| inputs.iter().all(|input| input.error.is_none()));
    let page = Start {
        page: visit.page,
        head,
        name: name.to_string(),
        reference: typed.reference,
        refs,
        inputs,
        error,
        findings,
    };
    Ok(respond_with(status, &page))
}

fn field(input: &Input, typed: &Typed, error: Option<Message>) -> InputField {
    let given = typed.inputs.as_ref().and_then(|inputs| inputs.get(&input.name));
    InputField {
        name: input.name.clone(),
        kind: input.kind.clone(),
        description: input.description.clone(),
        value: given.or(input.default.as_ref()).cloned().unwrap_or_default(),
        required: input.default.is_none(),
        error,
    }
}

/// `POST /{owner}/{name}/pipelines/{pipeline}/start`: `ref`, and each input as `input.NAME`.
pub async fn start(sent: Sent<Vec<(String, String)>>, path: Path) -> Answer {
    let Sent { visit, form } = sent;
    let (repository, name) = place(&visit, &path)?;
    let mut typed = Typed::default();
    let mut inputs = BTreeMap::new();
    for (field, value) in form {
        match field.strip_prefix("input.") {
            // Browsers send line ends as CR LF; scripts would trip over the CR.
            Some(input) => drop(inputs.insert(input.to_owned(), value.replace("\r\n", "\n"))),
            None if field == "ref" => typed.reference = value,
            None => {}
        }
    }
    let found = match start::find(&visit.door, &repository, &name, &typed.reference).await {
        Ok(found) => found,
        Err(failure) => {
            let error = complaint_or_missing(failure)?;
            typed.inputs = Some(inputs);
            return show(visit, (&repository, &name), typed, None, Some(error));
        }
    };
    // A box that is not ticked is not sent at all.
    for input in found.inputs().iter().filter(|input| input.kind == InputKind::Boolean) {
        inputs.entry(input.name.clone()).or_insert_with(|| "false".to_owned());
    }
    typed.inputs = Some(inputs.clone());
    let declared =
        found.definition.as_ref().map(|definition| crate::pipeline::fill_inputs(&definition.inputs, &inputs));
    if let Ok(Err(error)) = declared {
        let error = complaint(error.into())?;
        return show(visit, (&repository, &name), typed, Some(found), Some(error));
    }
    let run = start::start(&visit.door, &repository, &name, (found, inputs), &visit.by()?).await?;
    Ok(see(&links::run(&repository.path.to_string(), run.pipeline.as_str(), run.number)))
}
