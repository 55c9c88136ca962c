//! What the registry holds, and which run each of it comes from.

use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::auth::{self, Identity};
use super::super::errors::{self, ErrorBody, Failure};
use super::super::state::Door;
use super::paging::{self, Paging};
use super::run_shape;
use crate::model::{Digest, Error, Result, Run, RunImage, is_repository};
use crate::msg;
use crate::store::repositories;
use crate::store::{images, runs};

#[derive(Serialize, ToSchema)]
pub struct RegistryRepositoryShape {
    pub name: String,
}

#[derive(Serialize, ToSchema)]
pub struct TagShape {
    pub tag: String,
    /// The digest the run saw; `null` for tags no run of ours pushed.
    pub digest: Option<String>,
    /// The newest run that pushed it.
    pub run: Option<ProvenanceShape>,
}

/// Where an image comes from.
#[derive(Serialize, ToSchema)]
pub struct ProvenanceShape {
    /// `owner/name` of the git repository.
    pub repository: String,
    pub pipeline: String,
    pub number: u64,
    pub status: crate::model::Status,
    pub commit: String,
    #[serde(rename = "ref")]
    pub reference: String,
    pub html_url: String,
}

#[derive(Serialize, ToSchema)]
pub struct ImageProvenanceShape {
    pub digest: String,
    /// Every run that pushed it, newest first.
    pub pushes: Vec<PushShape>,
}

#[derive(Serialize, ToSchema)]
pub struct PushShape {
    pub repository: String,
    pub tag: String,
    pub size: u64,
    pub labels: std::collections::BTreeMap<String, String>,
    pub pushed_at: String,
    pub run: ProvenanceShape,
    pub base_images: Vec<run_shape::BaseShape>,
}

/// The registry's repositories, in its own order.
#[utoipa::path(tag = "registry", params(Paging), responses((status = 200, body = Vec<RegistryRepositoryShape>), (status = 409, body = ErrorBody)))]
#[get("/registry/repositories")]
pub async fn registry_repositories(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    paging: web::Query<Paging>,
) -> Result<HttpResponse, Failure> {
    identity.require()?;
    let page = door.registry.repositories(paging.after.as_deref(), paging.limit() as usize).await?;
    let shapes: Vec<_> = page.items.into_iter().map(|name| RegistryRepositoryShape { name }).collect();
    Ok(paging::answer(&door, request.path(), &paging, &shapes, page.next))
}

/// The tags of a registry repository, each with the run that pushed it.
#[utoipa::path(tag = "registry", params(Paging), responses((status = 200, body = Vec<TagShape>), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
#[get("/registry/repositories/{name:.+}/tags")]
pub async fn registry_tags(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    name: web::Path<String>,
    paging: web::Query<Paging>,
) -> Result<HttpResponse, Failure> {
    identity.require()?;
    if !is_repository(&name) {
        return Err(Failure::not_found());
    }
    let all = door.registry.tags_lately(&name).await?;
    let pushed = door.store.read(|c| images::of_repository(c, &name))?;
    let behind = |key: &str| all.iter().position(|tag| tag == key).map_or(all.len(), |at| at + 1);
    let start = paging.after.as_deref().map_or(0, behind);
    let mut page: Vec<&String> = all.iter().skip(start).take(paging.limit() as usize + 1).collect();
    let more = paging::cut(&mut page, paging.limit());
    let next = page.last().filter(|_| more).map(|tag| (*tag).clone());
    let shape = |tag: &&String| -> Result<TagShape> {
        let image = pushed.iter().find(|image| image.tag == **tag);
        let run = image.map(|image| provenance(&door, &identity, image)).transpose()?.flatten();
        let digest = image.filter(|_| run.is_some()).map(|image| image.digest.to_string());
        Ok(TagShape { tag: (*tag).clone(), digest, run })
    };
    let shapes = page.iter().map(shape).collect::<Result<Vec<_>>>()?;
    Ok(paging::answer(&door, request.path(), &paging, &shapes, next))
}

/// Which runs pushed an image.
#[utoipa::path(tag = "registry", responses((status = 200, body = ImageProvenanceShape), (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
#[get("/registry/images/{digest}")]
pub async fn registry_image(
    door: web::Data<Door>,
    identity: Identity,
    digest: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    identity.require()?;
    let language = errors::language(&request);
    let digest = Digest::new(digest.into_inner())?;
    let found = door.store.read(|c| images::by_digest(c, &digest))?;
    let mut pushes = Vec::new();
    for image in found {
        let Some(run) = provenance(&door, &identity, &image)? else { continue };
        let bases = door.store.read(|c| images::bases(c, image.run_id))?;
        pushes.push(PushShape {
            repository: image.repository,
            tag: image.tag,
            size: image.size,
            labels: image.labels,
            pushed_at: image.pushed_at.to_string(),
            run,
            base_images: bases.into_iter().map(|base| run_shape::BaseShape::of(base, language)).collect(),
        });
    }
    if pushes.is_empty() {
        return Err(Error::NotFound(msg!("api-image-unknown", digest = digest.short())).into());
    }
    Ok(HttpResponse::Ok().json(ImageProvenanceShape { digest: digest.into(), pushes }))
}

/// `None` when the run is of a repository the caller may not see.
fn provenance(door: &Door, identity: &Identity, image: &RunImage) -> Result<Option<ProvenanceShape>> {
    let Some(run) = door.store.read(|c| runs::by_id(c, image.run_id))? else { return Ok(None) };
    let repository = door.store.read(|c| repositories::by_id(c, run.repository_id))?;
    let visible = repository.is_some_and(|repository| auth::can_read(identity, &repository));
    Ok(visible.then(|| shape(door, run)))
}

fn shape(door: &Door, run: Run) -> ProvenanceShape {
    ProvenanceShape {
        html_url: run_shape::url(door, &run),
        repository: run.repository.to_string(),
        pipeline: run.pipeline.to_string(),
        number: run.number,
        status: run.status,
        commit: run.commit.to_string(),
        reference: run.reference.short().to_owned(),
    }
}
