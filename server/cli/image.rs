//! `image list`, `image tags` and `image trace`: what the registry holds, and which run made it.

use clap::{Args, Subcommand};

use super::Session;
use super::arguments::about;
use super::client::Client;
use super::exit::Exit;
use super::run::list;
use super::terminal::field;
use crate::model::Digest;
use crate::msg;

#[derive(Debug, Subcommand)]
pub enum Image {
    #[command(about = about(msg!("cli-image-list")))]
    List(List),
    #[command(about = about(msg!("cli-image-tags")))]
    Tags(Tags),
    #[command(about = about(msg!("cli-image-trace")))]
    Trace(Trace),
}

#[derive(Debug, Args)]
pub struct List {
    #[arg(long, default_value_t = 100, value_name = "N", help = about(msg!("cli-flag-limit")))]
    limit: usize,
}

#[derive(Debug, Args)]
pub struct Tags {
    #[arg(help = about(msg!("cli-arg-image-name")))]
    name: String,
}

#[derive(Debug, Args)]
pub struct Trace {
    #[arg(help = about(msg!("cli-arg-digest")))]
    digest: Digest,
}

pub async fn image(session: &Session, command: Image) -> Result<(), Exit> {
    let client = Client::new(session)?;
    match command {
        Image::List(list) => {
            let all = client.list(&["registry", "repositories"], list.limit).await?;
            session.answer_list(all, |r| vec![field(r, "/name")])
        }
        Image::Tags(tags) => {
            if !crate::model::is_repository(&tags.name) {
                return Err(Exit::usage(msg!("image-invalid", image = tags.name.escape_debug())));
            }
            let mut parts = vec!["registry", "repositories"];
            parts.extend(tags.name.split('/'));
            parts.push("tags");
            let all = client.list(&parts, usize::MAX).await?;
            session
                .answer_list(all, |t| vec![field(t, "/tag"), field(t, "/digest"), field(t, "/run/html_url")])
        }
        Image::Trace(trace) => {
            let found = client.get(&["registry", "images", trace.digest.as_str()]).await?;
            if session.json {
                return session.terminal.json(&found);
            }
            let rows = list(&found, "pushes").map(|push| {
                let image = format!("{}:{}", field(push, "/repository"), field(push, "/tag"));
                let run = format!("{} #{}", field(push, "/run/pipeline"), field(push, "/run/number"));
                vec![
                    image,
                    field(push, "/run/repository"),
                    run,
                    field(push, "/run/commit"),
                    field(push, "/run/html_url"),
                ]
            });
            session.terminal.table(&rows.collect::<Vec<_>>())
        }
    }
}
