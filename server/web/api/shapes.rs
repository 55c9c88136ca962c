//! What the API answers with: accounts, repositories, tokens and pipelines. Field names are those of
//! Gogs and Gitea where they have the thing; times are RFC 3339.

use serde::Serialize;
use utoipa::ToSchema;

use super::super::auth::{self, Identity};
use super::super::state::Door;
use crate::messages::{self, Language};
use crate::model::{Message, OwnerName};
use crate::store::accounts::{Account, Token};
use crate::store::pipelines::Pipeline;
use crate::store::repositories::Repository;

#[derive(Serialize, ToSchema)]
pub struct UserShape {
    pub id: i64,
    pub username: String,
    pub login: String,
    pub full_name: String,
    pub email: String,
    pub is_admin: bool,
    pub created: String,
}

impl UserShape {
    pub fn of(account: &Account) -> Self {
        UserShape {
            id: account.id,
            username: account.name.to_string(),
            login: account.name.to_string(),
            full_name: String::new(),
            email: String::new(),
            is_admin: account.admin,
            created: account.created_at.to_string(),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct OwnerShape {
    pub username: String,
    pub login: String,
}

impl OwnerShape {
    fn of(name: &OwnerName) -> Self {
        OwnerShape { username: name.to_string(), login: name.to_string() }
    }
}

#[derive(Serialize, ToSchema)]
pub struct RepositoryShape {
    pub id: i64,
    pub owner: OwnerShape,
    pub name: String,
    pub full_name: String,
    pub description: String,
    pub private: bool,
    pub fork: bool,
    /// No branch was pushed yet.
    pub empty: bool,
    pub mirror: bool,
    /// Where a mirror comes from, without credentials.
    pub original_url: Option<String>,
    /// When a mirror was last asked for changes, and what went wrong then.
    pub mirror_updated: Option<String>,
    pub mirror_error: Option<String>,
    pub html_url: String,
    pub clone_url: String,
    /// Short name; `null` until the first branch was pushed.
    pub default_branch: Option<String>,
    pub created_at: String,
    pub permissions: PermissionsShape,
}

#[derive(Serialize, ToSchema)]
pub struct PermissionsShape {
    pub admin: bool,
    pub push: bool,
    pub pull: bool,
}

impl RepositoryShape {
    pub fn of(door: &Door, identity: &Identity, repository: &Repository) -> Self {
        let path = &repository.path;
        let html_url = format!("{}/{path}", door.settings.url);
        let writes = auth::can_write(identity, repository);
        let remote = repository.remote.as_ref();
        RepositoryShape {
            id: repository.id,
            owner: OwnerShape::of(&path.owner),
            name: path.name.to_string(),
            full_name: path.to_string(),
            description: repository.description.clone(),
            private: repository.private,
            fork: false,
            empty: repository.default_branch.is_none(),
            mirror: remote.is_some(),
            original_url: remote.map(|r| r.url.clone()),
            mirror_updated: remote.and_then(|r| r.polled_at).map(|at| at.to_string()),
            mirror_error: remote.and_then(|r| r.error.as_ref()).map(told),
            clone_url: format!("{html_url}.git"),
            html_url,
            default_branch: repository.default_branch.clone(),
            created_at: repository.created_at.to_string(),
            permissions: PermissionsShape { admin: writes, push: writes && remote.is_none(), pull: true },
        }
    }
}

/// In English, as a log line would be.
fn told(error: &Message) -> String {
    messages::render(Language::English, error)
}

#[derive(Serialize, ToSchema)]
pub struct TokenShape {
    pub id: i64,
    pub name: String,
    /// The token itself; only in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha1: Option<String>,
    /// `read`, `write` or `admin`.
    pub scope: String,
    pub created_at: String,
    pub expires_at: Option<String>,
    pub last_used_at: Option<String>,
}

impl TokenShape {
    pub fn of(token: &Token) -> Self {
        TokenShape {
            id: token.id,
            name: token.name.clone(),
            sha1: None,
            scope: token.scope.as_str().to_owned(),
            created_at: token.created_at.to_string(),
            expires_at: token.expires_at.map(|at| at.to_string()),
            last_used_at: token.last_used_at.map(|at| at.to_string()),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct PipelineShape {
    pub name: String,
    /// Of the definition in the repository; a folder for numbered scripts.
    pub path: String,
    /// Globs; empty means all.
    pub branches: Vec<String>,
    /// Found at the root without being asked.
    pub discovered: bool,
    pub created_at: String,
    pub html_url: String,
}

impl PipelineShape {
    pub fn of(door: &Door, repository: &Repository, pipeline: &Pipeline) -> Self {
        PipelineShape {
            name: pipeline.name.to_string(),
            path: pipeline.path.clone(),
            branches: pipeline.branches.clone(),
            discovered: pipeline.discovered,
            created_at: pipeline.created_at.to_string(),
            html_url: format!("{}/{}/pipelines/{}", door.settings.url, repository.path, pipeline.name),
        }
    }
}
