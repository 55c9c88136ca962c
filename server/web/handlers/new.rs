//! The forms for a new repository and for following a remote one.

use serde::Deserialize;

use super::visit::{Answer, Sent, Visit, complaint, see, see_with};
use crate::git::RemoteUrl;
use crate::model::{RepositoryName, RepositoryPath, Secret};
use crate::msg;
use crate::store::repositories::{NewRepository as New, Remote, Repository};
use crate::web::api::repositories::create_repository;
use crate::web::errors::Failure;
use crate::web::pages::repository::{NewMirror, NewRepository};
use crate::web::pages::{links, respond, respond_with};

/// `GET /new`.
pub async fn form(visit: Visit) -> Answer {
    visit.identity.require()?;
    let page = visit.page;
    Ok(respond(&NewRepository {
        page,
        name: String::new(),
        description: String::new(),
        private: false,
        error: None,
    }))
}

#[derive(Deserialize)]
pub struct Form {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    private: bool,
}

/// `POST /new`.
pub async fn create(sent: Sent<Form>) -> Answer {
    let Sent { visit, form } = sent;
    match made(&visit, &form.name, (&form.description, form.private), None).await {
        Ok(repository) => Ok(see(&links::repository(&repository.path.to_string()))),
        Err(failure) => {
            let status = failure.status();
            let error = Some(complaint(failure)?);
            let Form { name, description, private } = form;
            Ok(respond_with(status, &NewRepository { page: visit.page, name, description, private, error }))
        }
    }
}

async fn made(
    visit: &Visit,
    name: &str,
    (description, private): (&str, bool),
    remote: Option<Remote>,
) -> Result<Repository, Failure> {
    let owner = visit.identity.require()?.account.name.clone();
    let path = RepositoryPath { owner, name: RepositoryName::new(name.trim())? };
    let new = New { path, description: description.trim().to_owned(), private, remote };
    create_repository(&visit.door, &visit.identity, new).await
}

/// `GET /new/mirror`.
pub async fn mirror_form(visit: Visit) -> Answer {
    visit.identity.require()?;
    Ok(respond(&NewMirror {
        page: visit.page,
        url: String::new(),
        name: String::new(),
        username: String::new(),
        private: false,
        error: None,
    }))
}

#[derive(Deserialize)]
pub struct MirrorForm {
    url: String,
    name: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    private: bool,
}

/// `POST /new/mirror`.
pub async fn create_mirror(sent: Sent<MirrorForm>) -> Answer {
    let Sent { visit, form } = sent;
    match mirror(&visit, &form).await {
        Ok(repository) => {
            let address = links::repository(&repository.path.to_string());
            Ok(see_with(&address, &msg!("pages-mirror-made")))
        }
        Err(failure) => {
            let status = failure.status();
            let error = Some(complaint(failure)?);
            let MirrorForm { url, name, username, private, .. } = form;
            Ok(respond_with(status, &NewMirror { page: visit.page, url, name, username, private, error }))
        }
    }
}

async fn mirror(visit: &Visit, form: &MirrorForm) -> Result<Repository, Failure> {
    let url = RemoteUrl::new(form.url.trim())?.as_str().to_owned();
    let user = Some(form.username.trim().to_owned()).filter(|user| !user.is_empty());
    let password = Some(&form.password).filter(|password| !password.is_empty());
    let seal = |password: &String| visit.door.store.sealer().seal(&Secret::new(password.as_str()));
    let sealed = password.map(seal).transpose()?;
    let remote = Remote { url, user, sealed, polled_at: None, error: None };
    made(visit, &form.name, ("", form.private), Some(remote)).await
}
