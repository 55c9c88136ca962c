//! `run start`: asks for a run, and with `-f` stays until it has ended.

use clap::Args;
use serde_json::{Map, Value, json};

use super::follow::{Following, follow};
use super::{Place, Runs, told};
use crate::cli::Session;
use crate::cli::arguments::about;
use crate::cli::client::{Client, strange};
use crate::cli::exit::Exit;
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
    if !start.following.wanted() {
        return session.answer(&run, &told(&run));
    }
    session.terminal.note(&told(&run));
    let number = run.get("number").and_then(Value::as_u64).ok_or_else(strange)?;
    follow(session, &runs, number, &start.following).await
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
