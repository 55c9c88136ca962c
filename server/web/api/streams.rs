//! Image streams, as OpenShift's JSON and YAML; and what a person does to their tags.

use actix_web::http::header::ACCEPT;
use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::auth::{self, Identity};
use super::super::errors::{self, ErrorBody, Failure};
use super::super::state::Door;
use super::super::streams::{self, Target};
use super::paging::{self, Paging};
use super::stream_shape::StreamShape;
use crate::model::{StreamPath, StreamTagName};
use crate::pipeline::openshift;
use crate::store::streams::spec;

fn path_of(owner: &str, name: &str) -> Result<StreamPath, Failure> {
    auth::path_of(owner, name)
}

fn tag_of(path: &(String, String, String)) -> Result<StreamTagName, Failure> {
    Ok(StreamTagName { stream: path_of(&path.0, &path.1)?, tag: path.2.clone() })
}

/// All streams by name, as OpenShift's `ImageStream`.
#[utoipa::path(tag = "image streams", params(Paging), responses((status = 200, body = Vec<Object>), (status = 401, body = ErrorBody)))]
#[get("/image-streams")]
pub async fn list(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    paging: web::Query<Paging>,
) -> Result<HttpResponse, Failure> {
    identity.require()?;
    let language = errors::language(&request);
    let after = paging.after.as_deref().and_then(|key| key.parse::<StreamPath>().ok());
    let mut found = door.store.read(|c| spec::page(c, after.as_ref(), paging.limit() + 1))?;
    let more = paging::cut(&mut found, paging.limit());
    let next = found.last().filter(|_| more).map(|stream| stream.path.to_string());
    let shapes = found.iter().map(|stream| StreamShape::of(&door, stream, language));
    let shapes = shapes.collect::<Result<Vec<_>, Failure>>()?;
    Ok(paging::answer(&door, request.path(), &paging, &shapes, next))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Format {
    /// `yaml` for what can be applied again; JSON with the status otherwise.
    pub format: Option<String>,
}

/// One stream with its status; as YAML without it, for export.
#[utoipa::path(tag = "image streams", params(Format), responses((status = 200, body = Object), (status = 404, body = ErrorBody)))]
#[get("/image-streams/{owner}/{stream}")]
pub async fn show(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<(String, String)>,
    format: web::Query<Format>,
) -> Result<HttpResponse, Failure> {
    let stream = streams::find(&door, &identity, &path_of(&path.0, &path.1)?)?;
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if format.format.as_deref() == Some("yaml") || accept.contains("yaml") {
        let text = openshift::write(&StreamShape::export(&door, &stream)?);
        return Ok(HttpResponse::Ok().content_type("application/yaml").body(text));
    }
    Ok(HttpResponse::Ok().json(StreamShape::of(&door, &stream, errors::language(&request))?))
}

/// Deletes a stream with its tags and histories; the images stay in the registry.
#[utoipa::path(tag = "image streams", responses((status = 204), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
#[delete("/image-streams/{owner}/{stream}")]
pub async fn remove(
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    streams::delete(&door, &identity, &path_of(&path.0, &path.1)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TagForm {
    /// An image reference; or `tag`.
    #[schema(example = "registry.local:5000/base:1")]
    pub image: Option<String>,
    /// Another tag of the stream.
    pub tag: Option<String>,
    /// Follows it from now on; otherwise the tag names what it names now.
    #[serde(default)]
    pub follow: bool,
    /// With `follow`: imported every quarter of an hour.
    #[serde(default)]
    pub scheduled: bool,
    /// With `follow`: copied into our registry.
    #[serde(default)]
    pub local: bool,
}

/// Makes a tag name an image, or follow one. A stream that is not there is made.
#[utoipa::path(tag = "image streams", request_body = TagForm,
    responses((status = 200, body = Object), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
#[post("/image-streams/{owner}/{stream}/tags/{tag}")]
pub async fn tag(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<(String, String, String)>,
    form: web::Json<TagForm>,
) -> Result<HttpResponse, Failure> {
    let name = tag_of(&path)?;
    let TagForm { image, tag, follow, scheduled, local } = form.into_inner();
    streams::tag(&door, &identity, &name, Target { image, tag, follow, scheduled, local }).await?;
    told(&request, &door, &identity, &name)
}

/// Takes a tag away with its history.
#[utoipa::path(tag = "image streams", responses((status = 204), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
#[delete("/image-streams/{owner}/{stream}/tags/{tag}")]
pub async fn untag(
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, Failure> {
    streams::untag(&door, &identity, &tag_of(&path)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Has a tag imported now. Answers before it is done.
#[utoipa::path(tag = "image streams", responses((status = 202, body = Object), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
#[post("/image-streams/{owner}/{stream}/tags/{tag}/import")]
pub async fn import(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, Failure> {
    let name = tag_of(&path)?;
    streams::import(&door, &identity, &name).await?;
    let stream = streams::find(&door, &identity, &name.stream)?;
    Ok(HttpResponse::Accepted().json(StreamShape::of(&door, &stream, errors::language(&request))?))
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RollBackForm {
    /// Digest or reference of an item of the tag's history; the one before without it.
    #[serde(default)]
    pub image: Option<String>,
}

/// Lets a tag name an image of its history again; what depends on it follows.
#[utoipa::path(tag = "image streams", request_body = RollBackForm,
    responses((status = 200, body = Object), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
#[post("/image-streams/{owner}/{stream}/tags/{tag}/rollback")]
pub async fn roll_back(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<(String, String, String)>,
    form: web::Json<RollBackForm>,
) -> Result<HttpResponse, Failure> {
    let name = tag_of(&path)?;
    streams::roll_back(&door, &identity, &name, form.into_inner().image).await?;
    told(&request, &door, &identity, &name)
}

fn told(
    request: &HttpRequest,
    door: &Door,
    identity: &Identity,
    name: &StreamTagName,
) -> Result<HttpResponse, Failure> {
    let stream = streams::find(door, identity, &name.stream)?;
    Ok(HttpResponse::Ok().json(StreamShape::of(door, &stream, errors::language(request))?))
}
