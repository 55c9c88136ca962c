//! `user add` and `token create`: accounts and tokens, written straight into the database of `--data`.
//!
//! Whoever may write that folder may do everything already, so nothing is asked for. It works while the
//! server runs and when it does not, which makes it the way back in for those who lost their password.

use std::io::Read as _;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::json;

use super::Session;
use super::arguments::about;
use super::exit::Exit;
use super::language::say;
use crate::model::{Happened, OwnerName, PasswordHash, Result, Secret};
use crate::msg;
use crate::store::accounts::{self, NewToken, Scope};
use crate::store::{Store, events};

/// In the journal, in place of the account that did it.
const BY: &str = "command line";
/// Tokens begin so, that they can be told from passwords and found where they should not be.
const TOKEN_PREFIX: &str = "rw_";
const TOKEN_BYTES: usize = 20;

#[derive(Debug, Subcommand)]
pub enum User {
    #[command(about = about(msg!("cli-user-add")))]
    Add(Add),
    #[command(about = about(msg!("cli-user-password")))]
    Password(Password),
}

#[derive(Debug, Args)]
pub struct Add {
    #[arg(help = about(msg!("cli-arg-account")))]
    name: String,
    #[arg(long, help = about(msg!("cli-flag-admin")))]
    admin: bool,
    #[arg(long, help = about(msg!("cli-flag-password-stdin")))]
    password_stdin: bool,
    #[arg(long, value_name = "DIR", help = about(msg!("cli-flag-data")))]
    data: Option<String>,
}

#[derive(Debug, Args)]
pub struct Password {
    #[arg(help = about(msg!("cli-arg-account")))]
    name: String,
    #[arg(long, help = about(msg!("cli-flag-password-stdin")))]
    password_stdin: bool,
    #[arg(long, value_name = "DIR", help = about(msg!("cli-flag-data")))]
    data: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum Token {
    #[command(about = about(msg!("cli-token-create")))]
    Create(Create),
}

#[derive(Debug, Args)]
pub struct Create {
    #[arg(help = about(msg!("cli-arg-account")))]
    user: String,
    #[arg(long, default_value = "write", value_name = "read|write|admin", help = about(msg!("cli-flag-scope")))]
    scope: String,
    #[arg(long, value_name = "DAYS", help = about(msg!("cli-flag-expires")))]
    expires: Option<u16>,
    #[arg(long, default_value = "command line", help = about(msg!("cli-flag-token-name")))]
    name: String,
    #[arg(long, value_name = "DIR", help = about(msg!("cli-flag-data")))]
    data: Option<String>,
}

pub async fn user(session: &Session, command: User) -> Result<(), Exit> {
    match command {
        User::Add(add) => add_user(session, add).await,
        User::Password(password) => set_password(session, password).await,
    }
}

pub async fn token(session: &Session, command: Token) -> Result<(), Exit> {
    let Token::Create(create) = command;
    create_token(session, create).await
}

async fn add_user(session: &Session, add: Add) -> Result<(), Exit> {
    let name = OwnerName::new(add.name)?;
    let store = Store::open(&session.data(add.data.as_deref())?)?;
    let (password, made) = password(add.password_stdin)?;
    let hash = PasswordHash::new(&password, name.as_str())?;
    let (account, admin) = (name.clone(), add.admin);
    store
        .write(move |c| {
            let now = Timestamp::now();
            accounts::create(c, &account, hash.as_str(), admin, now)?;
            let happened = Happened::AccountCreated { name: account.to_string(), by: BY.into() };
            events::add(c, None, &happened, now)
        })
        .await?;
    session.terminal.note_unless(session.json, &say(&msg!("cli-user-added", name = name)));
    let mut value = json!({ "name": name, "admin": admin });
    tell_password(session, &mut value, made.then_some(&password))
}

async fn set_password(session: &Session, change: Password) -> Result<(), Exit> {
    let store = Store::open(&session.data(change.data.as_deref())?)?;
    let account = account(&store, &change.name)?;
    let (password, made) = password(change.password_stdin)?;
    let hash = PasswordHash::new(&password, account.name.as_str())?;
    store.write(move |c| accounts::set_password(c, account.id, hash.as_str(), None)).await?;
    session.terminal.note_unless(session.json, &say(&msg!("cli-password-set", name = account.name)));
    let mut value = json!({ "name": account.name });
    tell_password(session, &mut value, made.then_some(&password))
}

/// The password alone on standard output, so that `$(...)` catches it and nothing else.
fn tell_password(
    session: &Session,
    value: &mut serde_json::Value,
    made: Option<&Secret>,
) -> Result<(), Exit> {
    let Some(password) = made else {
        return if session.json { session.terminal.json(value) } else { Ok(()) };
    };
    value["password"] = password.reveal().into();
    session.answer(value, password.reveal())
}

async fn create_token(session: &Session, create: Create) -> Result<(), Exit> {
    let scope: Scope = create.scope.parse()?;
    let store = Store::open(&session.data(create.data.as_deref())?)?;
    let account = account(&store, &create.user)?;
    let token = Secret::new(format!("{TOKEN_PREFIX}{}", Secret::random(TOKEN_BYTES)?.reveal()));
    let days = create.expires.map_or(accounts::TOKEN_DAYS, u32::from);
    let expires_at = (days > 0).then(|| in_days(days)).transpose()?;
    let (hash, name, owner) = (token.fingerprint(), create.name, account.name.to_string());
    store
        .write(move |c| {
            let new = NewToken { account_id: account.id, name: &name, hash, scope, expires_at };
            accounts::create_token(c, &new)?;
            events::add(c, None, &Happened::TokenCreated { name: owner, by: BY.into() }, Timestamp::now())
        })
        .await?;
    session.terminal.note_unless(session.json, &say(&msg!("cli-token-once")));
    let value = json!({
        "token": token.reveal(), "user": account.name, "scope": scope.as_str(),
        "expires_at": expires_at.map(|at| at.to_string()),
    });
    session.answer(&value, token.reveal())
}

fn in_days(days: u32) -> Result<Timestamp, Exit> {
    let span = jiff::SignedDuration::from_hours(24 * i64::from(days));
    Timestamp::now().checked_add(span).map_err(|e| Exit::failed(msg!("cli-internal", cause = e)))
}

fn account(store: &Store, name: &str) -> Result<accounts::Account, Exit> {
    let found = store.read(|c| accounts::by_name(c, name))?;
    found.ok_or_else(|| Exit::not_found(msg!("cli-no-account", name = name.escape_debug())))
}

/// The first line of standard input, or one made up (and whether it was).
fn password(from_stdin: bool) -> Result<(Secret, bool), Exit> {
    if from_stdin { Ok((password_from_stdin()?, false)) } else { Ok((Secret::random(12)?, true)) }
}

/// The first line of standard input.
pub fn password_from_stdin() -> Result<Secret, Exit> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(4096).read_to_string(&mut text);
    read.map_err(|e| Exit::failed(msg!("cli-stdin", cause = e)))?;
    Ok(Secret::new(text.lines().next().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::tests::session;

    #[tokio::test]
    async fn an_account_a_token_and_a_new_password() {
        let directory = tempfile::tempdir().unwrap();
        let data = Some(directory.path().to_str().unwrap().to_owned());
        let session = session();
        let add = || Add { name: "marta".into(), admin: true, password_stdin: false, data: data.clone() };
        add_user(&session, add()).await.unwrap();
        assert_eq!(add_user(&session, add()).await.unwrap_err().number(), 1, "taken");
        let create = |user: &str, scope: &str| Create {
            user: user.into(),
            scope: scope.into(),
            expires: Some(30),
            name: "laptop".into(),
            data: data.clone(),
        };
        create_token(&session, create("Marta", "write")).await.unwrap();
        assert_eq!(create_token(&session, create("nobody", "write")).await.unwrap_err().number(), 4);
        assert_eq!(create_token(&session, create("marta", "everything")).await.unwrap_err().number(), 2);
        let store = Store::open(directory.path()).unwrap();
        let account = store.read(|c| accounts::by_name(c, "marta")).unwrap().unwrap();
        let tokens = store.read(|c| accounts::tokens(c, account.id)).unwrap();
        assert_eq!((account.admin, tokens.len(), tokens[0].scope), (true, 1, Scope::Write));
        assert!(tokens[0].expires_at.is_some());
        let change = Password { name: "marta".into(), password_stdin: false, data };
        set_password(&session, change).await.unwrap();
        let changed = store.read(|c| accounts::by_name(c, "marta")).unwrap().unwrap();
        assert_ne!(changed.password_hash, account.password_hash);
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_is_not_made() {
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("typing-error");
        let data = Some(missing.to_str().unwrap().to_owned());
        let add = Add { name: "marta".into(), admin: false, password_stdin: false, data };
        assert_eq!(add_user(&session(), add).await.unwrap_err().number(), 4);
        assert!(!missing.exists());
    }
}
