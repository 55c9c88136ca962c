//! What its owner may change about a repository, and how to delete it.

use askama::Template;

use super::Page;
use super::repository::Head;
use crate::model::Message;

/// `POST .../settings`: `description`, `private`, `default_branch`. `POST .../delete`: `name`, as it is.
#[derive(Template)]
#[template(path = "repository_settings.html")]
pub struct RepositorySettings {
    pub page: Page,
    pub head: Head,
    pub description: String,
    pub private: bool,
    pub branches: Vec<String>,
    pub error: Option<Message>,
    pub delete_error: Option<Message>,
}
