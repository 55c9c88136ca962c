//! What its owner may change about a repository, and deleting it. Deleting wants the name typed: it
//! takes the runs and their logs along, and nothing brings them back.

use actix_web::web;
use serde::Deserialize;

use super::pieces::{self, head};
use super::visit::{Answer, Sent, Visit, complaint, see_with};
use crate::git::OpenRepository;
use crate::model::Message;
use crate::msg;
use crate::store::repositories::Repository;
use crate::web::api::repositories::{RepositoryChange, change_repository, delete_repository};
use crate::web::pages::repository::Tab;
use crate::web::pages::repository_settings::RepositorySettings;
use crate::web::pages::{links, respond_with};

const MOST_BRANCHES: usize = 500;

type Path = web::Path<(String, String)>;

/// `GET /{owner}/{name}/settings`.
pub async fn form(visit: Visit, path: Path) -> Answer {
    visit.identity.require()?;
    let repository = pieces::writable(&visit, &path)?;
    show(visit, &repository, actix_web::http::StatusCode::OK, [None, None]).await
}

async fn show(
    visit: Visit,
    repository: &Repository,
    status: actix_web::http::StatusCode,
    [error, delete_error]: [Option<Message>; 2],
) -> Answer {
    let branches = |open: &OpenRepository| {
        let (all, _) = open.branches(MOST_BRANCHES)?;
        Ok(all.iter().map(|branch| branch.name.short().to_owned()).collect())
    };
    let branches = visit.door.git.read(&repository.path, branches).await.unwrap_or_default();
    let head = head(&visit, repository, Tab::Settings);
    let (description, private) = (repository.description.clone(), repository.private);
    let page =
        RepositorySettings { page: visit.page, head, description, private, branches, error, delete_error };
    Ok(respond_with(status, &page))
}

#[derive(Deserialize)]
pub struct Form {
    #[serde(default)]
    description: String,
    #[serde(default)]
    private: bool,
    #[serde(default)]
    default_branch: String,
}

/// `POST /{owner}/{name}/settings`.
pub async fn change(sent: Sent<Form>, path: Path) -> Answer {
    let Sent { visit, form } = sent;
    let repository = pieces::writable(&visit, &path)?;
    let branch = Some(form.default_branch).filter(|name| !name.is_empty());
    let branch = branch.filter(|name| repository.default_branch.as_ref() != Some(name));
    let change = RepositoryChange {
        description: Some(form.description.trim().to_owned()),
        private: Some(form.private),
        default_branch: branch,
    };
    match change_repository(&visit.door, &repository, change).await {
        Ok(changed) => {
            Ok(see_with(&links::repository_settings(&changed.path.to_string()), &msg!("pages-saved")))
        }
        Err(failure) => {
            let status = failure.status();
            let error = complaint(failure)?;
            show(visit, &repository, status, [Some(error), None]).await
        }
    }
}

#[derive(Deserialize)]
pub struct Deletion {
    #[serde(default)]
    name: String,
}

/// `POST /{owner}/{name}/delete`.
pub async fn delete(sent: Sent<Deletion>, path: Path) -> Answer {
    let Sent { visit, form } = sent;
    let repository = pieces::writable(&visit, &path)?;
    let name = repository.path.to_string();
    if !form.name.trim().eq_ignore_ascii_case(&name) {
        let error = msg!("pages-delete-name", name = name);
        let status = actix_web::http::StatusCode::UNPROCESSABLE_ENTITY;
        return show(visit, &repository, status, [None, Some(error)]).await;
    }
    match delete_repository(&visit.door, &repository, visit.by()?).await {
        Ok(()) => Ok(see_with("/", &msg!("pages-deleted", name = name))),
        Err(failure) => {
            let status = failure.status();
            let error = complaint(failure)?;
            show(visit, &repository, status, [None, Some(error)]).await
        }
    }
}
