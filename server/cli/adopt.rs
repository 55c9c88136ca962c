//! `adopt`: a person says that the house goes on in this data directory, which is a copy; and that a lost key is lost
//! for good. A server that runs on the directory and does nothing notices it and begins.

use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use super::Session;
use super::arguments::about;
use super::exit::Exit;
use super::language::say;
use crate::msg;
use crate::store::Store;
use crate::store::lease::{self, Place};

#[derive(Debug, Args)]
pub struct Adopt {
    #[arg(long, help = about(msg!("cli-flag-new-key")))]
    new_key: bool,
    #[arg(long, value_name = "DIR", help = about(msg!("cli-flag-data")))]
    data: Option<String>,
}

pub async fn adopt(session: &Session, adopt: &Adopt) -> Result<(), Exit> {
    let data = session.data(adopt.data.as_deref())?;
    let closed = if adopt.new_key { Some(renew(session, &data)?) } else { None };
    let store = Store::open(&data)?;
    let here = Place::of(&data)?;
    let is_copy = store.read(|c| lease::of_another(c, &here))?.is_some();
    let old = match is_copy {
        true => store.write(move |c| lease::adopt(c, &here, Timestamp::now())).await?.unwrap_or_default(),
        false => String::new(),
    };
    let path = data.display();
    let text = match is_copy {
        true => say(&msg!("cli-adopted", path = path, old = old)),
        false => say(&msg!("cli-adopt-own", path = path)),
    };
    session.answer(&json!({ "adopted": is_copy, "closed": closed }), &text)
}

/// The places of what has to be entered again.
fn renew(session: &Session, data: &std::path::Path) -> Result<Vec<String>, Exit> {
    // Held until the key is there: a server would seal with the one before.
    let _lock =
        lease::lock(data).map_err(|_| Exit::failed(msg!("cli-adopt-running", path = data.display())))?;
    let (aside, closed) = Store::renew_key(data)?;
    session.terminal.note_unless(session.json, &say(&msg!("cli-key-renewed", count = closed.len())));
    for place in &closed {
        session.terminal.note_unless(session.json, &format!("  {place}"));
    }
    if let Some(aside) = aside {
        session.terminal.note_unless(session.json, &say(&msg!("cli-key-aside", path = aside.display())));
    }
    Ok(closed)
}
