//! `stream list`, `show`, `tag`, `untag`, `import`, `rollback`.

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::Session;
use super::arguments::about;
use super::client::Client;
use super::exit::Exit;
use super::run::list;
use super::terminal::field;
use crate::model::{StreamPath, StreamTagName};
use crate::msg;

#[derive(Debug, Subcommand)]
pub enum Stream {
    #[command(about = about(msg!("cli-stream-list")))]
    List(List),
    #[command(about = about(msg!("cli-stream-show")))]
    Show(Show),
    #[command(about = about(msg!("cli-stream-tag")))]
    Tag(Tag),
    #[command(about = about(msg!("cli-stream-untag")))]
    Untag(One),
    #[command(about = about(msg!("cli-stream-import")))]
    Import(One),
    #[command(about = about(msg!("cli-stream-rollback")))]
    Rollback(Rollback),
}

#[derive(Debug, Args)]
pub struct List {
    #[arg(long, default_value_t = 100, value_name = "N", help = about(msg!("cli-flag-limit")))]
    limit: usize,
}

#[derive(Debug, Args)]
pub struct Show {
    #[arg(value_name = "OWNER/STREAM", help = about(msg!("cli-arg-stream")))]
    stream: StreamPath,
    #[arg(long, help = about(msg!("cli-flag-yaml")))]
    yaml: bool,
}

#[derive(Debug, Args)]
pub struct Tag {
    #[arg(value_name = "OWNER/STREAM:TAG", help = about(msg!("cli-arg-stream-tag")))]
    tag: StreamTagName,
    #[arg(value_name = "IMAGE", required_unless_present = "other", help = about(msg!("cli-arg-stream-image")))]
    image: Option<String>,
    #[arg(long = "from-tag", value_name = "TAG", conflicts_with = "image", help = about(msg!("cli-flag-from-tag")))]
    other: Option<String>,
    #[arg(long, help = about(msg!("cli-flag-follow-source")))]
    follow: bool,
    #[arg(long, requires = "follow", help = about(msg!("cli-flag-scheduled")))]
    scheduled: bool,
    #[arg(long, requires = "follow", help = about(msg!("cli-flag-local")))]
    local: bool,
}

#[derive(Debug, Args)]
pub struct One {
    #[arg(value_name = "OWNER/STREAM:TAG", help = about(msg!("cli-arg-stream-tag")))]
    tag: StreamTagName,
}

#[derive(Debug, Args)]
pub struct Rollback {
    #[arg(value_name = "OWNER/STREAM:TAG", help = about(msg!("cli-arg-stream-tag")))]
    tag: StreamTagName,
    #[arg(value_name = "DIGEST", help = about(msg!("cli-arg-stream-digest")))]
    image: Option<String>,
}

pub async fn stream(session: &Session, command: Stream) -> Result<(), Exit> {
    let client = Client::new(session)?;
    match command {
        Stream::List(list) => {
            let all = client.list(&["image-streams"], list.limit).await?;
            session.answer_list(all, |stream| {
                let tags = tags_of(stream).map(|tag| field(tag, "/tag"));
                vec![
                    format!("{}/{}", field(stream, "/metadata/namespace"), field(stream, "/metadata/name")),
                    tags.collect::<Vec<_>>().join(","),
                ]
            })
        }
        Stream::Show(show) => self::show(session, &client, &show).await,
        Stream::Tag(tag) => {
            let body = json!({
                "image": tag.image,
                "tag": tag.other,
                "follow": tag.follow,
                "scheduled": tag.scheduled,
                "local": tag.local,
            });
            told(session, &client.post(&of(&tag.tag, &[]), &body).await?, &tag.tag)
        }
        Stream::Untag(one) => {
            client.send(Method::DELETE, client.url(&of(&one.tag, &[])), None).await?;
            Ok(())
        }
        Stream::Import(one) => {
            told(session, &client.post(&of(&one.tag, &["import"]), &json!({})).await?, &one.tag)
        }
        Stream::Rollback(back) => {
            let body = json!({ "image": back.image });
            told(session, &client.post(&of(&back.tag, &["rollback"]), &body).await?, &back.tag)
        }
    }
}

async fn show(session: &Session, client: &Client, show: &Show) -> Result<(), Exit> {
    let parts = ["image-streams", show.stream.owner.as_str(), show.stream.name.as_str()];
    if show.yaml {
        let mut url = client.url(&parts);
        url.set_query(Some("format=yaml"));
        let answer = client.send(Method::GET, url, None).await?;
        let text = answer.text().await.map_err(|e| Exit::failed(msg!("cli-answer", cause = e)))?;
        return text.lines().try_for_each(|line| session.terminal.line(line));
    }
    let stream = client.get(&parts).await?;
    if session.json {
        return session.terminal.json(&stream);
    }
    let mut rows = Vec::new();
    for tag in tags_of(&stream) {
        let failed = list(tag, "conditions").next();
        let why = failed.map(|why| format!("{}: {}", field(why, "/reason"), field(why, "/message")));
        rows.push(vec![
            field(tag, "/tag"),
            field(tag, "/items/0/dockerImageReference"),
            field(tag, "/items/0/created"),
            why.unwrap_or_default(),
        ]);
    }
    session.terminal.table(&rows)
}

fn tags_of(stream: &Value) -> impl Iterator<Item = &Value> {
    list(stream.get("status").unwrap_or(&Value::Null), "tags")
}

/// `image-streams/OWNER/NAME/tags/TAG` and what follows.
fn of<'a>(name: &'a StreamTagName, more: &[&'a str]) -> Vec<&'a str> {
    let (owner, stream) = (name.stream.owner.as_str(), name.stream.name.as_str());
    let mut parts = vec!["image-streams", owner, stream, "tags", &name.tag];
    parts.extend(more);
    parts
}

/// What the tag names now.
fn told(session: &Session, stream: &Value, name: &StreamTagName) -> Result<(), Exit> {
    let tag = tags_of(stream).find(|tag| field(tag, "/tag") == name.tag);
    let reference = tag.map(|tag| field(tag, "/items/0/dockerImageReference")).unwrap_or_default();
    session.answer(stream, &reference)
}
