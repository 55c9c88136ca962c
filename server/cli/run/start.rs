//! `run start`: asks for a run, and with `-f` stays until it has ended.

use clap::Args;
use serde_json::{Map, Value, json};

use super::follow::{Following, follow};
use super::show::findings;
use super::{Place, Runs, told};
use crate::cli::Session;
use crate::cli::arguments::about;
use crate::cli::client::{Client, strange};
use crate::cli::exit::Exit;
use crate::cli::terminal::field;
use crate::model::Status;
use crate::msg;

#[derive(Debug, Args)]
pub struct Start {
    #[command(flatten)]
    place: Place,
    #[arg(long = "ref", value_name = "REF", help = about(msg!("cli-flag-ref")))]
    reference: Option<String>,
    #[arg(long = "input", value_name = "NAME=VALUE", help = about(msg!("cli-flag-input")))]
    inputs: Vec<String>,
    #[command(flatten)]
    following: Following,
}

pub async fn start(session: &Session, client: &Client, start: &Start) -> Result<(), Exit> {
    let inputs = inputs(&start.inputs)?;
    let runs = Runs::find(client, &start.place).await?;
    let mut body = json!({ "inputs": inputs });
    if let Some(reference) = &start.reference {
        body["ref"] = reference.as_str().into();
    }
    let run = client.post(&runs.parts(&[]), &body).await?;
    let status: Status = field(&run, "/status").parse()?;
    if status.is_final() || !start.following.wanted() {
        session.answer(&run, &told(&run))?;
        return ended(session, &run, status);
    }
    session.terminal.note(&told(&run));
    let number = run.get("number").and_then(Value::as_u64).ok_or_else(strange)?;
    follow(session, &runs, number, &start.following).await
}

/// A run may fail before it starts: then that is what this command has to say.
fn ended(session: &Session, run: &Value, status: Status) -> Result<(), Exit> {
    if !status.is_final() || status == Status::Passed {
        return Ok(());
    }
    for line in std::iter::once(field(run, "/message")).chain(findings(run)) {
        session.terminal.note_unless(session.json || line.is_empty(), &line);
    }
    Err(Exit::silent())
}

/// `NAME=VALUE` each; the value may have `=` and may be empty.
fn inputs(given: &[String]) -> Result<Map<String, Value>, Exit> {
    let one = |text: &String| match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), Value::from(value))),
        _ => Err(Exit::usage(msg!("cli-input", input = text.escape_debug()))),
    };
    given.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_split_at_the_first_sign() {
        let good = inputs(&["A=b=c".into(), "EMPTY=".into()]).unwrap();
        assert_eq!(Value::Object(good), json!({ "A": "b=c", "EMPTY": "" }));
        assert_eq!(inputs(&["=x".into()]).unwrap_err().number(), 2);
        assert_eq!(inputs(&["x".into()]).unwrap_err().number(), 2);
    }
}
