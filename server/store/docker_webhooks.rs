//! Docker triggers: the objects that Code Stream calls webhooks for Docker. Their tokens are sealed and found by
//! their hash; of the API tokens only the hash is kept.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::accounts::{self, Scope};
use super::endpoints;
use super::pipelines::{self, Pipeline};
use super::repositories::{self, Repository};
use super::rows::{json, json_opt, millis, text, time, to_json};
use super::settings;
use crate::model::{Circumstances, DockerWebhook, Error, Filters, Message, Result, ServerType, TokenRight};
use crate::msg;

/// The setting that says how often a webhook was made, changed or deleted.
const CHANGES: &str = "docker-webhook-changes";

const COLUMNS: &str = "id, name, description, project, pipeline_id, endpoint_id, image_pattern, tag_pattern, server_type,
    api_token, enabled, inputs, remote_id, remote_error, version, created_at, created_by, updated_at, updated_by";

fn webhook(row: &Row<'_>) -> rusqlite::Result<DockerWebhook> {
    Ok(DockerWebhook {
        id: row.get(0)?,
        name: row.get(1)?,
        description: row.get(2)?,
        project: row.get(3)?,
        pipeline_id: row.get(4)?,
        endpoint_id: row.get(5)?,
        image_pattern: row.get(6)?,
        tag_pattern: row.get(7)?,
        server_type: text(row, 8)?,
        api_token: row.get(9)?,
        enabled: row.get(10)?,
        inputs: json(row, 11)?,
        remote_id: row.get(12)?,
        remote_error: json_opt(row, 13)?,
        version: row.get(14)?,
        created_at: time(row, 15)?,
        created_by: row.get(16)?,
        updated_at: time(row, 17)?,
        updated_by: row.get(18)?,
    })
}

/// Everything a person says of a webhook.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub name: String,
    pub description: String,
    pub project: String,
    pub pipeline_id: Option<i64>,
    pub endpoint_id: Option<i64>,
    pub image_pattern: String,
    pub tag_pattern: String,
    pub server_type: ServerType,
    pub api_token: Option<[u8; 32]>,
    pub enabled: bool,
    pub inputs: BTreeMap<String, String>,
}

/// A token, sealed, with the hash that finds it.
#[derive(Clone)]
pub struct Token {
    pub sealed: Vec<u8>,
    pub hash: [u8; 32],
}

/// `Conflict` when the name or the token is taken.
pub fn create(c: &Connection, new: &Wanted, token: &Token, (by, at): (&str, Timestamp)) -> Result<i64> {
    let made = c
        .prepare_cached(
            "INSERT INTO docker_webhooks (name, description, project, pipeline_id, endpoint_id, image_pattern, tag_pattern,
                server_type, api_token, enabled, inputs, secret, secret_hash, created_at, created_by, updated_at, updated_by)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?14, ?15) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            new.name,
            new.description,
            new.project,
            new.pipeline_id,
            new.endpoint_id,
            new.image_pattern,
            new.tag_pattern,
            new.server_type.as_str(),
            new.api_token.as_ref().map(|hash| &hash[..]),
            new.enabled,
            to_json(&new.inputs)?,
            token.sealed,
            &token.hash[..],
            millis(at),
            by
        ])?;
    match made {
        0 => Err(Error::Conflict(msg!("webhook-exists", name = new.name))),
        _ => {
            let id = c.last_insert_rowid();
            changed(c)?;
            Ok(id)
        }
    }
}

/// How often any of them was made, changed or deleted: as long as this is the same, so are their filters.
pub fn changes(c: &Connection) -> Result<i64> {
    Ok(settings::get(c, CHANGES)?.and_then(|text| text.parse().ok()).unwrap_or_default())
}

/// To be called whenever `filters` may give something else from now on.
pub(super) fn changed(c: &Connection) -> Result<()> {
    settings::set(c, CHANGES, &(changes(c)? + 1).to_string())
}

/// `Conflict` when the name is taken, or when somebody changed it since it was at `version`.
pub fn update(
    c: &Connection,
    (id, version): (i64, i64),
    new: &Wanted,
    (by, at): (&str, Timestamp),
) -> Result<()> {
    let other = c
        .prepare_cached("SELECT 1 FROM docker_webhooks WHERE name = ?1 AND id <> ?2")?
        .exists(params![new.name, id])?;
    if other {
        return Err(Error::Conflict(msg!("webhook-exists", name = new.name)));
    }
    let updated = c
        .prepare_cached(
            "UPDATE docker_webhooks SET name = ?3, description = ?4, project = ?5, pipeline_id = ?6, endpoint_id = ?7,
                image_pattern = ?8, tag_pattern = ?9, server_type = ?10, api_token = ?11, enabled = ?12, inputs = ?13,
                updated_at = ?14, updated_by = ?15, version = version + 1 WHERE id = ?1 AND version = ?2",
        )?
        .execute(params![
            id,
            version,
            new.name,
            new.description,
            new.project,
            new.pipeline_id,
            new.endpoint_id,
            new.image_pattern,
            new.tag_pattern,
            new.server_type.as_str(),
            new.api_token.as_ref().map(|hash| &hash[..]),
            new.enabled,
            to_json(&new.inputs)?,
            millis(at),
            by
        ])?;
    if updated == 0 {
        return Err(Error::Conflict(msg!("webhook-changed")));
    }
    changed(c)
}

/// `Conflict` when another webhook has the token.
pub fn set_token(c: &Connection, id: i64, token: &Token, (by, at): (&str, Timestamp)) -> Result<()> {
    let mut update = c.prepare_cached(
        "UPDATE OR IGNORE docker_webhooks SET secret = ?2, secret_hash = ?3, updated_at = ?4, updated_by = ?5,
            version = version + 1 WHERE id = ?1",
    )?;
    match update.execute(params![id, token.sealed, &token.hash[..], millis(at), by])? {
        0 => Err(Error::Conflict(msg!("webhook-token-taken"))),
        _ => Ok(()),
    }
}

pub fn delete(c: &Connection, id: i64) -> Result<()> {
    c.prepare_cached("DELETE FROM docker_webhooks WHERE id = ?1")?.execute([id])?;
    changed(c)
}

/// What Docker Hub calls it, and why the last change did not get there.
pub fn set_remote(c: &Connection, id: i64, remote: Option<&str>, error: Option<&Message>) -> Result<()> {
    c.prepare_cached("UPDATE docker_webhooks SET remote_id = ?2, remote_error = ?3 WHERE id = ?1")?
        .execute(params![id, remote, error.map(to_json).transpose()?])?;
    Ok(())
}

fn one(c: &Connection, narrowed: &str, key: &dyn rusqlite::ToSql) -> Result<Option<DockerWebhook>> {
    let mut statement =
        c.prepare_cached(&format!("SELECT {COLUMNS} FROM docker_webhooks WHERE {narrowed}"))?;
    Ok(statement.query_row([key], webhook).optional()?)
}

pub fn by_id(c: &Connection, id: i64) -> Result<Option<DockerWebhook>> {
    one(c, "id = ?1", &id)
}

pub fn by_name(c: &Connection, name: &str) -> Result<Option<DockerWebhook>> {
    one(c, "name = ?1", &name)
}

pub fn by_token(c: &Connection, hash: &[u8; 32]) -> Result<Option<DockerWebhook>> {
    one(c, "secret_hash = ?1", &&hash[..])
}

/// The sealed token.
pub fn token(c: &Connection, id: i64) -> Result<Option<Vec<u8>>> {
    let mut statement = c.prepare_cached("SELECT secret FROM docker_webhooks WHERE id = ?1")?;
    Ok(statement.query_row([id], |row| row.get(0)).optional()?)
}

/// All, by name.
pub fn list(c: &Connection) -> Result<Vec<DockerWebhook>> {
    let mut statement = c.prepare_cached(&format!("SELECT {COLUMNS} FROM docker_webhooks ORDER BY name"))?;
    Ok(statement.query_map([], webhook)?.collect::<rusqlite::Result<_>>()?)
}

/// The filters of those that hear of pushes to a registry: an endpoint, or with `None` the stack's own.
pub fn filters(c: &Connection, endpoint_id: Option<i64>) -> Result<Filters> {
    let mut statement = c.prepare_cached(
        "SELECT id, image_pattern, tag_pattern FROM docker_webhooks WHERE endpoint_id IS ?1
         AND (endpoint_id IS NOT NULL OR server_type <> 'DockerHub') ORDER BY id",
    )?;
    let patterns = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let rows = statement.query_map([endpoint_id], patterns)?;
    let rows: Vec<(i64, String, String)> = rows.collect::<rusqlite::Result<_>>()?;
    Ok(Filters::new(rows.iter().map(|(id, image, tag)| (*id, image.as_str(), tag.as_str()))))
}

/// The registry that a webhook hears of, as it stands in image references; `own` is the stack's.
pub fn host(c: &Connection, webhook: &DockerWebhook, own: &str) -> Result<String> {
    let endpoint = webhook.endpoint_id.map(|id| endpoints::by_id(c, id)).transpose()?.flatten();
    Ok(match (endpoint, webhook.server_type) {
        (Some(endpoint), _) => endpoint.host,
        (None, ServerType::DockerHub) => "docker.io".to_owned(),
        (None, ServerType::DockerTrustedRegistry | ServerType::Distribution) => own.to_owned(),
    })
}

/// What is known of the world around a webhook: its pipeline, and whether its API token's owner may start that now.
pub fn circumstances(c: &Connection, webhook: &DockerWebhook, now: Timestamp) -> Result<Around> {
    let pipeline = webhook.pipeline_id.map(|id| pipelines::by_id(c, id)).transpose()?.flatten();
    let place = match pipeline {
        Some(pipeline) => repositories::by_id(c, pipeline.repository_id)?.map(|found| (found, pipeline)),
        None => None,
    };
    let token = match (&webhook.api_token, &place) {
        (None, _) => TokenRight::NotSet,
        (Some(_), None) => TokenRight::Bad,
        (Some(hash), Some((repository, _))) => {
            let may = accounts::by_token(c, hash, now)?.is_some_and(|(account, scope, _)| {
                scope >= Scope::Write && account.may_change(&repository.path.owner)
            });
            if may { TokenRight::Good } else { TokenRight::Bad }
        }
    };
    let facts = Circumstances {
        pipeline: place
            .as_ref()
            .map(|(repository, pipeline)| format!("{}/{}", repository.path, pipeline.name)),
        branch: place.as_ref().and_then(|(repository, _)| repository.default_branch.clone()),
        token,
    };
    Ok(Around { facts, place })
}

/// What `circumstances` found.
pub struct Around {
    pub facts: Circumstances,
    /// Where the run would be.
    pub place: Option<(Repository, Pipeline)>,
}
