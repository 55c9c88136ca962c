//! Git over HTTP: who may fetch and push where, and the bytes from and to the git room. Permission
//! follows from the path of the request alone, never from its query. The answers carry exactly git's
//! headers: clients and git's own tests compare them.

use std::io;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, EXPIRES, HeaderName, PRAGMA,
    WWW_AUTHENTICATE,
};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;

use super::auth::{self, Identity};
use super::errors::{self, Failure, Shown};
use super::first_push::FirstPush;
use super::push::{self, Pusher, Target};
use super::state::Door;
use crate::git::{self, Protocol, Receive, Service};
use crate::messages::{self, Language};
use crate::model::{Error, RepositoryPath};
use crate::msg;
use crate::store::repositories::{self, Repository};

/// With `.git` and without: people copy both from their browsers.
pub fn routes(cfg: &mut web::ServiceConfig) {
    for repository in ["/{owner}/{name}.git", "/{owner}/{name}"] {
        cfg.route(&format!("{repository}/info/refs"), web::get().to(info_refs))
            .route(&format!("{repository}/git-upload-pack"), web::post().to(upload_pack))
            .route(&format!("{repository}/git-receive-pack"), web::post().to(receive_pack));
    }
    // Files of the repository are never served as files.
    cfg.route("/{owner}/{name}.git/{rest:.*}", web::to(nothing));
}

async fn nothing() -> Result<HttpResponse, Failure> {
    Err(Failure::not_found())
}

/// Whether a request to the address may take as long as its body: git's exchanges, which watch over their clients
/// themselves.
pub fn is_exchange(path: &str) -> bool {
    let mut parts = path.splitn(4, '/').skip(3);
    matches!(parts.next(), Some("git-upload-pack" | "git-receive-pack"))
}

/// Whether an address belongs to git.
pub fn is_address(path: &str) -> bool {
    let mut parts = path.splitn(4, '/').skip(2);
    let (name, rest) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    name.ends_with(".git") || matches!(rest, "info/refs" | "git-upload-pack" | "git-receive-pack")
}

#[derive(Deserialize)]
struct Advertised {
    service: Option<String>,
}

async fn info_refs(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<(String, String)>,
    query: web::Query<Advertised>,
) -> Result<HttpResponse, Failure> {
    let path = auth::path_of(&path.0, &path.1)?;
    let Some(service) = query.service.as_deref().and_then(Service::from_name) else {
        return Err(Error::Denied(msg!("git-http-dumb")).into());
    };
    let mut answer = answer(&format!("application/x-{}-advertisement", service.name()));
    match service {
        Service::UploadPack => drop(may_fetch(&door, &identity, &path)?),
        Service::ReceivePack => {
            if may_push(&door, &identity, &path)?.is_none() {
                return Ok(answer.body(push::empty_advertisement()));
            }
        }
    }
    Ok(answer.streaming(door.git.advertise(&path, service, protocol(&request)).await?))
}

async fn upload_pack(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<(String, String)>,
    body: web::Payload,
) -> Result<HttpResponse, Failure> {
    let path = auth::path_of(&path.0, &path.1)?;
    may_fetch(&door, &identity, &path)?;
    check_type(&request, Service::UploadPack)?;
    let answer = answer("application/x-git-upload-pack-result");
    let body = received(body);
    if is_gzip(&request)? {
        let body = git::inflate(body, Some(git::UPLOAD_PACK_LIMIT));
        return Ok(begun(answer, door.git.upload_pack(&path, protocol(&request), body)?).await);
    }
    Ok(begun(answer, door.git.upload_pack(&path, protocol(&request), body)?).await)
}

async fn receive_pack(
    request: HttpRequest,
    door: web::Data<Door>,
    identity: Identity,
    path: web::Path<(String, String)>,
    body: web::Payload,
) -> Result<HttpResponse, Failure> {
    let path = auth::path_of(&path.0, &path.1)?;
    let found = may_push(&door, &identity, &path)?;
    check_type(&request, Service::ReceivePack)?;
    let is_gzip = is_gzip(&request)?;
    let account = &identity.require()?.account;
    let language = language(&request, account.language.as_deref());
    let pusher = Pusher { name: account.name.clone(), language };
    let say: git::Say = Arc::new(move |message| messages::render(language, message));
    let answer = answer("application/x-git-receive-pack-result");
    let body = received(body);
    let target = match found {
        Some(repository) => Target::Known(Box::new(repository)),
        None => match FirstPush::begin(&door, &path).await {
            Ok(first) => Target::New(first),
            Err(error) => {
                let reason = error.message().cloned().ok_or(error)?;
                return Ok(begun(answer, door.git.refuse_push(&path, body, (say, reason))).await);
            }
        },
    };
    let protocol = protocol(&request);
    let max_bytes = Some(door.settings.max_push_bytes);
    let settle = push::settle(door.as_ref().clone(), path.clone(), target, pusher.clone());
    let receive = Receive { protocol, pusher: pusher.name, max_bytes, say, settle };
    if is_gzip {
        return Ok(begun(answer, door.git.receive_pack(&path, git::inflate(body, None), receive)?).await);
    }
    Ok(begun(answer, door.git.receive_pack(&path, body, receive)?).await)
}

/// The answer, once there is something of it: its head would go out at once, while the body is still coming.
async fn begun<S>(mut answer: HttpResponseBuilder, mut pieces: S) -> HttpResponse
where
    S: Stream<Item = io::Result<Bytes>> + Unpin + 'static,
{
    let first = pieces.next().await;
    answer.streaming(stream::iter(first).chain(pieces))
}

/// A repository nobody may see and one that does not exist look alike, signed in or not.
fn may_fetch(door: &Door, identity: &Identity, path: &RepositoryPath) -> Result<Repository, Failure> {
    auth::readable(door, identity, path).map_err(|failure| match identity {
        Identity::Anonymous if failure.status() == StatusCode::NOT_FOUND => Failure::unauthenticated(),
        _ => failure,
    })
}

/// The repository to push to; `None` when the push may make it.
fn may_push(door: &Door, identity: &Identity, path: &RepositoryPath) -> Result<Option<Repository>, Failure> {
    identity.require()?;
    if door.store.read(|c| repositories::by_path(c, path))?.is_none()
        && auth::can_create(identity, &path.owner)
    {
        push::check_owner(door, path)?;
        return Ok(None);
    }
    let repository = auth::writable(door, identity, path)?;
    match repository.remote {
        None => Ok(Some(repository)),
        Some(_) => Err(Error::Denied(msg!("git-http-mirror", path = path)).into()),
    }
}

/// `git` sends its own type only; a form of another site could not.
fn check_type(request: &HttpRequest, service: Service) -> Result<(), Failure> {
    let wanted = format!("application/x-{}-request", service.name());
    match request.headers().get(CONTENT_TYPE).is_some_and(|given| given == wanted.as_str()) {
        true => Ok(()),
        false => Err(Failure::Unsupported(msg!("git-http-type", wanted = wanted))),
    }
}

fn is_gzip(request: &HttpRequest) -> Result<bool, Failure> {
    match request.headers().get(CONTENT_ENCODING).map(|value| value.as_bytes()) {
        None | Some(b"identity") => Ok(false),
        Some(b"gzip" | b"x-gzip") => Ok(true),
        Some(_) => Err(Failure::Unsupported(msg!("git-http-encoding"))),
    }
}

fn protocol(request: &HttpRequest) -> Option<Protocol> {
    let header = request.headers().get("git-protocol").and_then(|value| value.to_str().ok());
    Protocol::from_header(header)
}

fn received(body: web::Payload) -> impl Stream<Item = io::Result<Bytes>> + 'static {
    body.map_err(io::Error::other).boxed_local()
}

/// What a pusher reads in: their setting, else what git sends for their system's language.
fn language(request: &HttpRequest, setting: Option<&str>) -> Language {
    let accept = request.headers().get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    Language::negotiate(setting.and_then(|name| name.parse().ok()), None, accept)
}

/// As git's own server answers.
fn answer(media_type: &str) -> HttpResponseBuilder {
    let mut answer = HttpResponse::Ok();
    answer.insert_header((CONTENT_TYPE, media_type));
    for (name, value) in NOT_KEPT {
        answer.insert_header((name, value));
    }
    answer
}

const NOT_KEPT: [(HeaderName, &str); 3] = [
    (EXPIRES, "Fri, 01 Jan 1980 00:00:00 GMT"),
    (PRAGMA, "no-cache"),
    (CACHE_CONTROL, "no-cache, max-age=0, must-revalidate"),
];

/// A failure as git shows it: plain text becomes `remote:` lines.
pub fn failure(request: &HttpRequest, status: StatusCode, shown: &Shown) -> HttpResponse {
    let mut answer = HttpResponse::build(status);
    if status == StatusCode::UNAUTHORIZED {
        answer.insert_header((WWW_AUTHENTICATE, "Basic realm=\"Ropewalk\""));
    }
    answer.insert_header((CONTENT_TYPE, "text/plain; charset=utf-8"));
    answer.body(format!("{}\n", messages::render(errors::language(request), &shown.message)))
}
