//! `pipeline create`, `pipeline list` and `pipeline triggers`.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Session;
use super::arguments::about;
use super::client::Client;
use super::exit::Exit;
use super::language;
use super::terminal::field;
use crate::model::{Message, PipelineName, RepositoryPath};
use crate::msg;

#[derive(Debug, Subcommand)]
pub enum Pipeline {
    #[command(about = about(msg!("cli-pipeline-create")))]
    Create(Create),
    #[command(about = about(msg!("cli-pipeline-list")))]
    List(List),
    #[command(about = about(msg!("cli-pipeline-triggers")))]
    Triggers(One),
}

#[derive(Debug, Args)]
pub struct One {
    #[arg(value_name = "OWNER/REPO", help = about(msg!("cli-arg-repo")))]
    repo: RepositoryPath,
    #[arg(help = about(msg!("cli-arg-pipeline")))]
    name: PipelineName,
}

#[derive(Debug, Args)]
pub struct Create {
    #[arg(value_name = "OWNER/REPO", help = about(msg!("cli-arg-repo")))]
    repo: RepositoryPath,
    #[arg(help = about(msg!("cli-arg-pipeline")))]
    name: PipelineName,
    #[arg(long, help = about(msg!("cli-flag-path")))]
    path: String,
    #[arg(long = "branch", value_name = "GLOB", help = about(msg!("cli-flag-branch")))]
    branches: Vec<String>,
}

#[derive(Debug, Args)]
pub struct List {
    #[arg(value_name = "OWNER/REPO", help = about(msg!("cli-arg-repo")))]
    repo: RepositoryPath,
}

pub async fn pipeline(session: &Session, command: Pipeline) -> Result<(), Exit> {
    let client = Client::new(session)?;
    match command {
        Pipeline::Create(create) => {
            let body = json!({ "name": create.name, "path": create.path, "branches": create.branches });
            let made = client.post(&of(&create.repo), &body).await?;
            session.answer(&made, &field(&made, "/html_url"))
        }
        Pipeline::Triggers(one) => {
            let mut parts = of(&one.repo).to_vec();
            parts.extend([one.name.as_str(), "triggers"]);
            let all = client.get(&parts).await?;
            let all = all.as_array().cloned().unwrap_or_default();
            session.answer_list(all, |trigger| {
                let word = |message: Message| language::say(&message);
                let from = match field(trigger, "/from") {
                    from if from.is_empty() => word(msg!("streams-own-bases")),
                    from => from,
                };
                let state = match field(trigger, "/paused") == "true" {
                    true => word(msg!("streams-paused")),
                    false => word(msg!("streams-active")),
                };
                vec![from, state, field(trigger, "/waits_for")]
            })
        }
        Pipeline::List(list) => {
            let all = client.list(&of(&list.repo), usize::MAX).await?;
            session.answer_list(all, |p| {
                let globs = p.get("branches").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                let globs: Vec<&str> = globs.iter().filter_map(Value::as_str).collect();
                vec![field(p, "/name"), field(p, "/path"), globs.join(",")]
            })
        }
    }
}

/// Where the pipelines of a repository are.
pub fn of(repo: &RepositoryPath) -> [&str; 4] {
    ["repos", repo.owner.as_str(), repo.name.as_str(), "pipelines"]
}
