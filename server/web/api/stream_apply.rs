//! OpenShift's files through the API: what became of each object, and why.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, HttpResponse, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::auth::Identity;
use super::super::errors::{self, ErrorBody, ErrorDetail, Failure};
use super::super::state::Door;
use super::super::streams::{self, Done, File, Outcome, Refused, Report};
use crate::messages::{self, Language};
use crate::model::{Error, Finding, OwnerName};
use crate::msg;
use crate::store::streams::spec::Applied;

/// A file with what goes with it, as JSON.
const WITH_PARAMETERS: &str = "application/vnd.ropewalk.apply+json";
/// Most parameters that are given.
const MOST_PARAMETERS: usize = 500;

#[derive(Serialize, ToSchema)]
pub struct ReportShape {
    /// Every object of the file, in its order.
    pub applied: Vec<AppliedShape>,
    /// What is in the file and not carried out, with its place.
    pub notes: Vec<FindingShape>,
    /// What is wrong, with its place; left out when all went well.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<FindingShape>,
    /// Of the first object that was not applied; the message is of all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorDetail>,
}

#[derive(Serialize, ToSchema)]
pub struct AppliedShape {
    pub kind: String,
    pub name: String,
    /// `created`, `configured` or `unchanged`; `left` for what is not carried out here, `refused` for what is wrong.
    pub result: &'static str,
    /// Why it was left or refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    pub line: u32,
    pub column: u32,
}

#[derive(Serialize, ToSchema)]
pub struct FindingShape {
    pub line: u32,
    pub column: u32,
    pub code: String,
    pub message: String,
}

impl FindingShape {
    fn of(finding: &Finding, language: Language) -> Self {
        FindingShape {
            line: finding.line,
            column: finding.column,
            code: finding.message.key.to_string(),
            message: messages::render(language, &finding.message),
        }
    }

    /// With its place.
    fn line(&self) -> String {
        format!("{}:{}: {}", self.line, self.column, self.message)
    }
}

/// A file and what goes with it, as `application/vnd.ropewalk.apply+json`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyForm {
    /// YAML or JSON.
    pub text: String,
    /// Stands for a namespace that is not written; without it the caller's own.
    #[serde(default)]
    pub namespace: Option<String>,
    /// Values for the parameters of templates, by name.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// A parameter that a template does not have is no mistake.
    #[serde(default)]
    pub ignore_unknown_parameters: bool,
}

/// Applies OpenShift YAML or JSON, each object by itself: `ImageStream`, `ImageStreamTag`, `ImageStreamImport`,
/// `ImageStreamMapping`, the triggers of `BuildConfig`, and `List`s and `Template`s of them. Other kinds are left. The
/// body is the file, or `ApplyForm` as `application/vnd.ropewalk.apply+json`. `param=NAME=VALUE` (any number) and
/// `namespace` may stand in the query. When an object was refused the status is that of the first one; the others
/// are applied.
#[utoipa::path(tag = "image streams", request_body(content((String = "application/yaml"), (ApplyForm = "application/vnd.ropewalk.apply+json"))),
    responses((status = 200, body = ReportShape), (status = 403, body = ErrorBody), (status = 422, body = ReportShape)))]
#[post("/image-streams")]
pub async fn apply(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    query: web::Query<Vec<(String, String)>>,
    body: web::Bytes,
) -> Result<HttpResponse, Failure> {
    identity.require()?;
    let language = errors::language(&request);
    let form = form(&request, query.into_inner(), &body)?;
    let namespace = form.namespace.filter(|name| !name.is_empty()).map(OwnerName::new).transpose()?;
    let file = File {
        name: "-",
        bytes: form.text.as_ref().map_or(&body[..], String::as_bytes),
        namespace,
        parameters: form.parameters,
        ignore_unknown: form.ignore_unknown,
    };
    match streams::apply(&door, &identity, file).await {
        Ok(report) => Ok(answer(&report, language)),
        Err(Refused::Failure(failure)) => Err(failure),
        Err(Refused::Findings(findings)) => {
            let findings = findings.iter().map(|finding| FindingShape::of(finding, language)).collect();
            Ok(refused(StatusCode::UNPROCESSABLE_ENTITY, None, findings))
        }
    }
}

/// What was sent; `text` is `None` when the body is the file.
struct Sent {
    text: Option<String>,
    namespace: Option<String>,
    parameters: BTreeMap<String, String>,
    ignore_unknown: bool,
}

fn form(request: &HttpRequest, query: Vec<(String, String)>, body: &[u8]) -> Result<Sent, Failure> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let invalid = |cause: String| {
        let cause = cause.chars().take(200).collect::<String>().escape_debug().to_string();
        Failure::Known(Error::Invalid(msg!("api-malformed", cause = cause)))
    };
    let mut sent = Sent { text: None, namespace: None, parameters: BTreeMap::new(), ignore_unknown: false };
    if kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(WITH_PARAMETERS)) {
        let form: ApplyForm = serde_json::from_slice(body).map_err(|e| invalid(e.to_string()))?;
        sent.text = Some(form.text);
        sent.namespace = form.namespace;
        sent.parameters = form.parameters;
        sent.ignore_unknown = form.ignore_unknown_parameters;
    }
    for (name, value) in query {
        match name.as_str() {
            "param" => {
                let (name, value) = value
                    .split_once('=')
                    .ok_or_else(|| Error::Invalid(msg!("openshift-param-form", text = value)))?;
                sent.parameters.insert(name.to_owned(), value.to_owned());
            }
            "namespace" => sent.namespace = Some(value),
            "ignore_unknown_parameters" => sent.ignore_unknown = value == "true",
            _ => return Err(invalid(format!("?{name}="))),
        }
    }
    match sent.parameters.len() > MOST_PARAMETERS {
        true => Err(Error::Invalid(msg!("openshift-too-many", most = MOST_PARAMETERS)).into()),
        false => Ok(sent),
    }
}

/// `created`, `configured`, `unchanged`: what the command line of OpenShift says.
fn word(applied: Applied) -> &'static str {
    match applied {
        Applied::Created => "created",
        Applied::Configured => "configured",
        Applied::Unchanged => "unchanged",
    }
}

fn answer(report: &Report, language: Language) -> HttpResponse {
    let mut status = StatusCode::OK;
    let mut findings = Vec::new();
    let mut applied = Vec::new();
    for done in &report.done {
        let (result, why, failed) = one(done, language);
        if let Some(failed) = failed.filter(|_| status == StatusCode::OK) {
            status = failed;
        }
        let message = match result {
            "left" => why.first().map(|why| why.message.clone()),
            "refused" => Some(why.iter().map(|why| why.message.as_str()).collect::<Vec<_>>().join("; ")),
            _ => None,
        };
        if failed.is_some() {
            findings.extend(why);
        }
        let (kind, name) = (done.kind.clone(), done.name.clone());
        applied.push(AppliedShape { kind, name, result, message, line: done.line, column: done.column });
    }
    if let Some(nothing) = &report.nothing {
        status = StatusCode::UNPROCESSABLE_ENTITY;
        findings.push(FindingShape::of(nothing, language));
    }
    let notes = report.notes.iter().map(|note| FindingShape::of(note, language)).collect();
    let shape = ReportShape { applied, notes, findings: Vec::new(), error: None };
    match status {
        StatusCode::OK => HttpResponse::Ok().json(shape),
        status => refused(status, Some(shape), findings),
    }
}

/// The word for what became of an object, why, and the status when it was refused.
fn one(done: &Done, language: Language) -> (&'static str, Vec<FindingShape>, Option<StatusCode>) {
    let at = |message| {
        let finding = Finding { path: String::new(), line: done.line, column: done.column, message };
        vec![FindingShape::of(&finding, language)]
    };
    match &done.outcome {
        Outcome::Applied(applied) => (word(*applied), Vec::new(), None),
        Outcome::Left(why) => ("left", at(why.clone()), None),
        Outcome::Refused(findings) => {
            let findings = findings.iter().map(|finding| FindingShape::of(finding, language)).collect();
            ("refused", findings, Some(StatusCode::UNPROCESSABLE_ENTITY))
        }
        Outcome::Failed(failure) => ("refused", at(failure.shown().message), Some(failure.status())),
    }
}

/// The usual form of an error, and every finding beside it; `report` is what became of the others.
fn refused(status: StatusCode, report: Option<ReportShape>, findings: Vec<FindingShape>) -> HttpResponse {
    let message = findings.iter().map(FindingShape::line).collect::<Vec<_>>().join("; ");
    let code = findings.first().map(|finding| finding.code.clone()).unwrap_or_default();
    let error = ErrorDetail { code, message, id: None };
    match report {
        Some(report) => {
            HttpResponse::build(status).json(ReportShape { findings, error: Some(error), ..report })
        }
        None => HttpResponse::build(status)
            .json(serde_json::json!({ "error": error, "findings": findings, "notes": [] })),
    }
}
