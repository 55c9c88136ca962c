//! `run start|list|show|log|cancel|rerun`: runs, through the API. Following a run is asking for
//! the log's next bytes again and again; a server that restarts in between is waited for.

mod follow;
mod show;
mod start;

pub use show::list;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Session;
use super::arguments::about;
use super::client::Client;
use super::exit::Exit;
use super::language::say;
use super::terminal::field;
use crate::model::{PipelineName, RepositoryPath};
use crate::msg;

#[derive(Debug, Subcommand)]
pub enum Run {
    #[command(about = about(msg!("cli-run-start")))]
    Start(start::Start),
    #[command(about = about(msg!("cli-run-list")))]
    List(List),
    #[command(about = about(msg!("cli-run-show")))]
    Show(One),
    #[command(about = about(msg!("cli-run-log")))]
    Log(follow::Log),
    #[command(about = about(msg!("cli-run-cancel")))]
    Cancel(One),
    #[command(about = about(msg!("cli-run-rerun")))]
    Rerun(One),
}

#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    place: Place,
    #[arg(long, default_value_t = 20, value_name = "N", help = about(msg!("cli-flag-limit")))]
    limit: usize,
}

/// A run by its number.
#[derive(Debug, Args)]
pub struct One {
    #[command(flatten)]
    place: Place,
    #[arg(help = about(msg!("cli-arg-number")))]
    number: u64,
}

#[derive(Debug, Args)]
pub struct Place {
    #[arg(value_name = "OWNER/REPO", help = about(msg!("cli-arg-repo")))]
    repo: RepositoryPath,
    #[arg(long, value_name = "NAME", help = about(msg!("cli-flag-pipeline")))]
    pipeline: Option<PipelineName>,
}

pub async fn run(session: &Session, command: Run) -> Result<(), Exit> {
    let client = Client::new(session)?;
    match command {
        Run::Start(start) => start::start(session, &client, &start).await,
        Run::List(list) => {
            let runs = Runs::find(&client, &list.place).await?;
            let all = client.list(&runs.parts(&[]), list.limit).await?;
            session.answer_list(all, show::row)
        }
        Run::Show(one) => {
            let found = Runs::find(&client, &one.place).await?.get(one.number).await?;
            show::show(session, &found)
        }
        Run::Log(log) => follow::log(session, &client, &log).await,
        Run::Cancel(one) => act(session, &client, &one, "cancel").await,
        Run::Rerun(one) => act(session, &client, &one, "rerun").await,
    }
}

async fn act(session: &Session, client: &Client, one: &One, verb: &str) -> Result<(), Exit> {
    let runs = Runs::find(client, &one.place).await?;
    let number = one.number.to_string();
    let answer = client.post(&runs.parts(&[&number, verb]), &json!({})).await?;
    // An answer without a body means the run that was named.
    let run = if answer.get("number").is_some() { answer } else { runs.get(one.number).await? };
    session.answer(&run, &told(&run))
}

/// `Run 5 is queued: http://...`
fn told(run: &Value) -> String {
    say(&msg!(
        "cli-run-told",
        number = field(run, "/number"),
        status = field(run, "/status"),
        url = field(run, "/html_url")
    ))
}

/// The runs of one pipeline.
pub struct Runs<'a> {
    client: &'a Client,
    owner: String,
    repo: String,
    pipeline: String,
}

impl<'a> Runs<'a> {
    /// The pipeline that was named; else the only one of the repository, else the one named `default`.
    pub async fn find(client: &'a Client, place: &Place) -> Result<Self, Exit> {
        let pipeline = match &place.pipeline {
            Some(name) => name.to_string(),
            None => only_pipeline(client, &place.repo).await?,
        };
        let (owner, repo) = (place.repo.owner.to_string(), place.repo.name.to_string());
        Ok(Runs { client, owner, repo, pipeline })
    }

    pub fn parts<'b>(&'b self, below: &[&'b str]) -> Vec<&'b str> {
        let mut parts = vec!["repos", &self.owner, &self.repo, "pipelines", &self.pipeline, "runs"];
        parts.extend(below);
        parts
    }

    pub async fn get(&self, number: u64) -> Result<Value, Exit> {
        self.client.get(&self.parts(&[&number.to_string()])).await
    }
}

async fn only_pipeline(client: &Client, repo: &RepositoryPath) -> Result<String, Exit> {
    let all = client.list(&super::pipeline::of(repo), usize::MAX).await?;
    let names: Vec<&str> = all.iter().filter_map(|p| p.get("name")?.as_str()).collect();
    match names[..] {
        [] => Err(Exit::not_found(msg!("cli-no-pipeline", repo = repo))),
        [only] => Ok(only.to_owned()),
        _ if names.contains(&"default") => Ok("default".to_owned()),
        _ => Err(Exit::usage(msg!("cli-which-pipeline", names = names.join(", ")))),
    }
}
