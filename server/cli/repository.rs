//! `repo create`, `repo mirror` and `repo list`.

use clap::{Args, Subcommand};
use serde_json::json;

use super::Session;
use super::account::password_from_stdin;
use super::arguments::about;
use super::client::Client;
use super::exit::Exit;
use super::terminal::field;
use crate::model::RepositoryName;
use crate::msg;

#[derive(Debug, Subcommand)]
pub enum Repo {
    #[command(about = about(msg!("cli-repo-create")))]
    Create(Create),
    #[command(about = about(msg!("cli-repo-mirror")))]
    Mirror(Mirror),
    #[command(about = about(msg!("cli-repo-list")))]
    List(List),
}

#[derive(Debug, Args)]
pub struct Create {
    #[arg(help = about(msg!("cli-arg-repo-name")))]
    name: String,
    #[arg(long, help = about(msg!("cli-flag-private")))]
    private: bool,
    #[arg(long, default_value = "", help = about(msg!("cli-flag-description")))]
    description: String,
}

#[derive(Debug, Args)]
pub struct Mirror {
    #[arg(help = about(msg!("cli-arg-repo-name")))]
    name: String,
    #[arg(help = about(msg!("cli-arg-remote")))]
    url: String,
    #[arg(long, value_name = "NAME", help = about(msg!("cli-flag-remote-user")))]
    user: Option<String>,
    #[arg(long, help = about(msg!("cli-flag-password-stdin")))]
    password_stdin: bool,
    #[arg(long, help = about(msg!("cli-flag-private")))]
    private: bool,
}

#[derive(Debug, Args)]
pub struct List {
    #[arg(long, default_value_t = 100, value_name = "N", help = about(msg!("cli-flag-limit")))]
    limit: usize,
}

pub async fn repository(session: &Session, command: Repo) -> Result<(), Exit> {
    let client = Client::new(session)?;
    match command {
        Repo::Create(create) => {
            let name = RepositoryName::new(create.name)?;
            let body = json!({ "name": name, "private": create.private, "description": create.description });
            let made = client.post(&["user", "repos"], &body).await?;
            session.answer(&made, &field(&made, "/clone_url"))
        }
        Repo::Mirror(mirror) => {
            let name = RepositoryName::new(mirror.name)?;
            let mut body = json!({ "repo_name": name, "clone_addr": mirror.url, "private": mirror.private });
            if let Some(user) = mirror.user {
                body["auth_username"] = user.into();
            }
            if mirror.password_stdin {
                body["auth_password"] = password_from_stdin()?.reveal().into();
            }
            let made = client.post(&["repos", "migrate"], &body).await?;
            session.answer(&made, &field(&made, "/html_url"))
        }
        Repo::List(list) => {
            let all = client.list(&["user", "repos"], list.limit).await?;
            let row = |r: &serde_json::Value| vec![field(r, "/full_name"), field(r, "/clone_url")];
            session.answer_list(all, row)
        }
    }
}
