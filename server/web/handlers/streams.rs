//! Pages of image streams, and what their forms do.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde::Deserialize;

use super::live_part::{self, Part, Since};
use super::visit::{Answer, Sent, Visit, complaint, see_with};
use crate::model::{Error, Message, Result, StreamPath, StreamTagName, TagItem, TagSource};
use crate::msg;
use crate::store::streams as rows;
use crate::store::streams::spec::{self, StreamTag};
use crate::web::auth;
use crate::web::errors::Failure;
use crate::web::pages::streams::{self as page, ItemLine, StreamRow, Streams, TagLine};
use crate::web::pages::{links, respond, respond_with};
use crate::web::streams::{self, Target};

const STREAMS: u32 = 50;
const HISTORY: u32 = 200;

#[derive(Deserialize)]
pub struct After {
    #[serde(default)]
    after: String,
}

/// `GET /image-streams?after=`.
pub async fn list(visit: Visit, after: web::Query<After>) -> Answer {
    visit.identity.require()?;
    let after = after.after.parse::<StreamPath>().ok();
    let (rows, more) = visit.door.store.read(|c| {
        let mut found = spec::page(c, after.as_ref(), STREAMS + 1)?;
        let more = found.len() > STREAMS as usize;
        found.truncate(STREAMS as usize);
        let rows = found.into_iter().map(|stream| {
            let tags = spec::tags(c, stream.id)?;
            Ok(StreamRow {
                name: stream.path.to_string(),
                repository: stream.repository.unwrap_or_default(),
                failed: tags.iter().filter(|tag| tag.condition.is_some()).count(),
                moved_at: rows::moved_at(c, stream.id)?,
                tags: tags.len(),
            })
        });
        Ok((rows.collect::<Result<Vec<_>>>()?, more))
    })?;
    let next = rows.last().filter(|_| more).map(|row| links::streams(&row.name));
    Ok(respond(&Streams { page: visit.page, rows, next }))
}

type Path = web::Path<(String, String)>;
type TagPath = web::Path<(String, String, String)>;

fn name_of(path: &TagPath) -> Result<StreamTagName, Failure> {
    Ok(StreamTagName { stream: auth::path_of(&path.0, &path.1)?, tag: path.2.clone() })
}

/// `GET /image-streams/{owner}/{name}`.
pub async fn show(visit: Visit, path: Path) -> Answer {
    let path = auth::path_of(&path.0, &path.1)?;
    stream_page(visit, &path, (StatusCode::OK, None), page::SetFields::default())
}

fn stream_page(
    visit: Visit,
    path: &StreamPath,
    (status, error): (StatusCode, Option<Message>),
    typed: page::SetFields,
) -> Answer {
    let stream = streams::find(&visit.door, &visit.identity, path)?;
    let tags = visit.door.store.read(|c| {
        let tags = spec::tags(c, stream.id)?;
        let lines = tags.into_iter().map(|tag| {
            let newest = rows::items(c, stream.id, &tag.spec.name, 1)?.into_iter().next();
            Ok(line(&visit, path, tag, newest))
        });
        lines.collect::<Result<Vec<_>>>()
    })?;
    let shown = page::Stream {
        name: stream.path.to_string(),
        repository: stream.repository.unwrap_or_default(),
        created_at: stream.created_at,
        created_by: stream.created_by,
        annotations: stream.annotations.into_iter().collect(),
        tags,
        may_change: streams::can_change(&visit.identity, &path.owner),
        page: visit.page,
        error,
        typed,
    };
    Ok(respond_with(status, &shown))
}

fn line(visit: &Visit, stream: &StreamPath, tag: StreamTag, newest: Option<TagItem>) -> TagLine {
    let StreamTag { spec, import_at, condition, .. } = tag;
    let in_registry = matches!(spec.source, Some(TagSource::DockerImage(_)));
    TagLine {
        stream: stream.to_string(),
        item: newest.map(|item| item_line(visit, item)),
        source: match &spec.source {
            Some(TagSource::DockerImage(name)) => name.clone(),
            Some(TagSource::ImageStreamTag(tag)) => format!("{stream}:{tag}"),
            Some(TagSource::ImageStreamImage(digest)) => format!("{stream}@{digest}"),
            Some(TagSource::OtherTag(name)) => name.to_string(),
            Some(TagSource::OtherImage(name)) => name.to_string(),
            None => String::new(),
        },
        importable: in_registry && !spec.reference,
        scheduled: spec.scheduled,
        local: spec.reference_policy == crate::model::ReferencePolicy::Local,
        reference: spec.reference,
        import_at,
        condition: condition.map(|condition| (condition.reason, condition.message, condition.at)),
        tag: spec.name,
    }
}

fn item_line(visit: &Visit, item: TagItem) -> ItemLine {
    let host = format!("{}/", visit.door.settings.registry_host);
    let digest = item.digest.map(|digest| digest.to_string()).unwrap_or_default();
    let ours = item.reference.strip_prefix(&host).and_then(|rest| rest.split_once('@'));
    ItemLine {
        href: ours.map(|(repository, _)| links::image(repository, &digest)).unwrap_or_default(),
        reference: item.reference,
        digest,
        created_at: item.created_at,
        by: item.by,
    }
}

/// `GET /image-streams/{owner}/{name}/tags/{tag}`.
pub async fn tag(visit: Visit, path: TagPath) -> Answer {
    let as_of = live_part::as_of(&visit);
    let now = tag_now(&visit, &name_of(&path)?)?;
    Ok(respond(&page::StreamTag { page: visit.page, as_of, now }))
}

/// `GET /image-streams/{owner}/{name}/tags/{tag}/live`.
pub async fn tag_live(request: HttpRequest, visit: Visit, path: TagPath, since: web::Query<Since>) -> Answer {
    let name = name_of(&path)?;
    tag_now(&visit, &name)?;
    Ok(live_part::follow(&request, visit, &since, Tag(name)))
}

/// What a tag names, and has named.
struct Tag(StreamTagName);

impl Part for Tag {
    async fn html(&self, visit: &Visit) -> Result<String, Failure> {
        let now = tag_now(visit, &self.0)?;
        live_part::html(&page::TagPiece { page: &visit.page, now: &now })
    }
}

fn tag_now(visit: &Visit, name: &StreamTagName) -> Result<page::TagNow, Failure> {
    let stream = streams::find(&visit.door, &visit.identity, &name.stream)?;
    let (found, history) = visit.door.store.read(|c| {
        Ok((spec::tag(c, stream.id, &name.tag)?, rows::items(c, stream.id, &name.tag, HISTORY)?))
    })?;
    let missing = || Error::NotFound(msg!("streams-tag-not-found", name = name));
    let found = found.ok_or_else(missing)?;
    Ok(page::TagNow {
        line: line(visit, &name.stream, found, history.first().cloned()),
        history: history.into_iter().map(|item| item_line(visit, item)).collect(),
        may_change: streams::can_change(&visit.identity, &name.stream.owner),
    })
}

#[derive(Deserialize)]
pub struct SetForm {
    tag: String,
    #[serde(default)]
    image: String,
    #[serde(default)]
    other: String,
    #[serde(default)]
    follow: bool,
    #[serde(default)]
    scheduled: bool,
    #[serde(default)]
    local: bool,
}

/// `POST /image-streams/{owner}/{name}/tag`.
pub async fn set(sent: Sent<SetForm>, path: Path) -> Answer {
    let Sent { visit, form } = sent;
    let stream = auth::path_of(&path.0, &path.1)?;
    let name = StreamTagName { stream: stream.clone(), tag: form.tag.trim().to_owned() };
    let target = Target {
        image: Some(form.image.trim().to_owned()),
        tag: Some(form.other.trim().to_owned()),
        follow: form.follow || form.scheduled || form.local,
        scheduled: form.scheduled,
        local: form.local,
    };
    match streams::tag(&visit.door, &visit.identity, &name, target).await {
        Ok(()) => Ok(see_with(&links::stream(&stream.to_string()), &msg!("streams-tag-set", name = name))),
        Err(failure) => {
            let status = failure.status();
            let error = said(failure)?;
            let SetForm { tag, image, other, follow, scheduled, local } = form;
            let typed = page::SetFields { tag, image, other, follow, scheduled, local };
            stream_page(visit, &stream, (status, Some(error)), typed)
        }
    }
}

/// As `complaint`; what the form names may be missing.
pub(super) fn said(failure: Failure) -> Result<Message, Failure> {
    match failure {
        Failure::Known(Error::NotFound(message)) => Ok(message),
        other => complaint(other),
    }
}

#[derive(Deserialize)]
pub struct Nothing {}

/// `POST .../delete`.
pub async fn delete(sent: Sent<Nothing>, path: Path) -> Answer {
    let stream = auth::path_of(&path.0, &path.1)?;
    streams::delete(&sent.visit.door, &sent.visit.identity, &stream).await?;
    Ok(see_with(&links::streams(""), &msg!("pages-deleted", name = stream)))
}

/// `POST .../tags/{tag}/import`.
pub async fn import(sent: Sent<Nothing>, path: TagPath) -> Answer {
    let name = name_of(&path)?;
    streams::import(&sent.visit.door, &sent.visit.identity, &name).await?;
    let address = links::stream_tag(&name.stream.to_string(), &name.tag);
    Ok(see_with(&address, &msg!("streams-import-asked", name = name)))
}

/// `POST .../tags/{tag}/untag`.
pub async fn untag(sent: Sent<Nothing>, path: TagPath) -> Answer {
    let name = name_of(&path)?;
    streams::untag(&sent.visit.door, &sent.visit.identity, &name).await?;
    Ok(see_with(&links::stream(&name.stream.to_string()), &msg!("pages-deleted", name = name)))
}

#[derive(Deserialize)]
pub struct BackForm {
    image: String,
}

/// `POST .../tags/{tag}/rollback`.
pub async fn roll_back(sent: Sent<BackForm>, path: TagPath) -> Answer {
    let name = name_of(&path)?;
    streams::roll_back(&sent.visit.door, &sent.visit.identity, &name, Some(sent.form.image)).await?;
    let address = links::stream_tag(&name.stream.to_string(), &name.tag);
    Ok(see_with(&address, &msg!("streams-tag-set", name = name)))
}
