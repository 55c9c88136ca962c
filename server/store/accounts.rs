//! Accounts, their sessions and their API tokens. Only hashes of session ids and tokens are kept.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::rows::{millis, text, time, time_opt};
use crate::model::{Error, OwnerName, Result};
use crate::msg;

#[derive(Clone, Debug)]
pub struct Account {
    pub id: i64,
    pub name: OwnerName,
    /// PHC string of argon2id.
    pub password_hash: String,
    pub admin: bool,
    pub disabled: bool,
    /// `en`, `ko`, `zh-TW` or `pt-BR` when the person chose one.
    pub language: Option<String>,
    pub created_at: Timestamp,
}

impl Account {
    /// Whether it may change what is below `owner`: its own, or everything for an administrator.
    pub fn may_change(&self, owner: &OwnerName) -> bool {
        self.admin || self.name.as_str().eq_ignore_ascii_case(owner.as_str())
    }
}

const ACCOUNT: &str = "a.id, a.name, a.password_hash, a.admin, a.disabled, a.language, a.created_at";

fn account(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        id: row.get(0)?,
        name: text(row, 1)?,
        password_hash: row.get(2)?,
        admin: row.get(3)?,
        disabled: row.get(4)?,
        language: row.get(5)?,
        created_at: time(row, 6)?,
    })
}

/// `Conflict` when the name is taken, also in other case.
pub fn create(
    c: &Connection,
    name: &OwnerName,
    password_hash: &str,
    admin: bool,
    at: Timestamp,
) -> Result<i64> {
    let made = c.prepare_cached(
        "INSERT INTO accounts (name, password_hash, admin, created_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
    )?
    .execute(params![name.as_str(), password_hash, admin, millis(at)])?;
    if made == 0 {
        return Err(Error::Conflict(msg!("account-exists", name = name)));
    }
    Ok(c.last_insert_rowid())
}

pub fn by_name(c: &Connection, name: &str) -> Result<Option<Account>> {
    let mut statement = c.prepare_cached(&format!("SELECT {ACCOUNT} FROM accounts a WHERE a.name = ?1"))?;
    Ok(statement.query_row([name], account).optional()?)
}

pub fn by_id(c: &Connection, id: i64) -> Result<Option<Account>> {
    let mut statement = c.prepare_cached(&format!("SELECT {ACCOUNT} FROM accounts a WHERE a.id = ?1"))?;
    Ok(statement.query_row([id], account).optional()?)
}

/// All accounts by name.
pub fn list(c: &Connection) -> Result<Vec<Account>> {
    let mut statement = c.prepare_cached(&format!("SELECT {ACCOUNT} FROM accounts a ORDER BY a.name"))?;
    Ok(statement.query_map([], account)?.collect::<rusqlite::Result<_>>()?)
}

pub fn any(c: &Connection) -> Result<bool> {
    Ok(c.query_row("SELECT EXISTS (SELECT 1 FROM accounts)", [], |row| row.get(0))?)
}

/// Sets a new hash and ends every session of the account but `keep` (a session id's hash).
pub fn set_password(c: &Connection, id: i64, password_hash: &str, keep: Option<&[u8; 32]>) -> Result<()> {
    c.execute("UPDATE accounts SET password_hash = ?2 WHERE id = ?1", params![id, password_hash])?;
    let keep = keep.map(|k| &k[..]);
    c.execute("DELETE FROM sessions WHERE account_id = ?1 AND id_hash IS NOT ?2", params![id, keep])?;
    Ok(())
}

pub fn set_language(c: &Connection, id: i64, language: Option<&str>) -> Result<()> {
    c.execute("UPDATE accounts SET language = ?2 WHERE id = ?1", params![id, language])?;
    Ok(())
}

/// A disabled account's sessions and tokens end in the same transaction.
pub fn set_disabled(c: &Connection, id: i64, disabled: bool) -> Result<()> {
    c.execute("UPDATE accounts SET disabled = ?2 WHERE id = ?1", params![id, disabled])?;
    if disabled {
        c.execute("DELETE FROM sessions WHERE account_id = ?1", [id])?;
        c.execute("DELETE FROM tokens WHERE account_id = ?1", [id])?;
    }
    Ok(())
}

pub fn set_admin(c: &Connection, id: i64, admin: bool) -> Result<()> {
    c.execute("UPDATE accounts SET admin = ?2 WHERE id = ?1", params![id, admin])?;
    Ok(())
}

/// When each account last signed in, as far as its sessions still tell.
pub fn last_sign_ins(c: &Connection) -> Result<Vec<(i64, Timestamp)>> {
    let mut statement =
        c.prepare_cached("SELECT account_id, max(created_at) FROM sessions GROUP BY account_id")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, time(row, 1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

#[derive(Clone, Debug)]
pub struct Session {
    pub account: Account,
    /// Hex; forms carry it back.
    pub csrf: String,
}

pub fn open_session(
    c: &Connection,
    id_hash: &[u8; 32],
    account_id: i64,
    csrf: &str,
    until: Timestamp,
) -> Result<()> {
    let now = Timestamp::now();
    c.execute("DELETE FROM sessions WHERE expires_at < ?1", [millis(now)])?;
    c.execute(
        "INSERT INTO sessions (id_hash, account_id, csrf, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![&id_hash[..], account_id, csrf, millis(now), millis(until)],
    )?;
    Ok(())
}

/// The session, unless it has expired or its account is disabled.
pub fn session(c: &Connection, id_hash: &[u8; 32], now: Timestamp) -> Result<Option<Session>> {
    let mut statement = c.prepare_cached(&format!(
        "SELECT {ACCOUNT}, s.csrf FROM sessions s JOIN accounts a ON a.id = s.account_id
         WHERE s.id_hash = ?1 AND s.expires_at > ?2 AND a.disabled = 0"
    ))?;
    let found = statement.query_row(params![&id_hash[..], millis(now)], |row| {
        Ok(Session { account: account(row)?, csrf: row.get(7)? })
    });
    Ok(found.optional()?)
}

pub fn close_session(c: &Connection, id_hash: &[u8; 32]) -> Result<()> {
    c.execute("DELETE FROM sessions WHERE id_hash = ?1", [&id_hash[..]])?;
    Ok(())
}

/// What a token may do: `read` everything its owner may read, `write` (push, start runs), `admin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    Read,
    Write,
    Admin,
}

impl Scope {
    pub const fn as_str(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::Write => "write",
            Scope::Admin => "admin",
        }
    }
}

impl std::str::FromStr for Scope {
    type Err = Error;
    fn from_str(value: &str) -> Result<Self> {
        match value {
            "read" => Ok(Scope::Read),
            "write" => Ok(Scope::Write),
            "admin" => Ok(Scope::Admin),
            other => Err(Error::Invalid(msg!("token-scope", scope = other.escape_debug()))),
        }
    }
}

/// How many days a token lasts unless somebody says otherwise: six months.
pub const TOKEN_DAYS: u32 = 183;

#[derive(Clone, Debug)]
pub struct Token {
    pub id: i64,
    pub name: String,
    pub scope: Scope,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
}

pub struct NewToken<'a> {
    pub account_id: i64,
    pub name: &'a str,
    pub hash: [u8; 32],
    pub scope: Scope,
    pub expires_at: Option<Timestamp>,
}

pub fn create_token(c: &Connection, new: &NewToken<'_>) -> Result<i64> {
    c.execute(
        "INSERT INTO tokens (account_id, name, hash, scope, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            new.account_id,
            new.name,
            &new.hash[..],
            new.scope.as_str(),
            millis(Timestamp::now()),
            new.expires_at.map(millis)
        ],
    )?;
    Ok(c.last_insert_rowid())
}

pub fn tokens(c: &Connection, account_id: i64) -> Result<Vec<Token>> {
    let mut statement = c.prepare_cached(
        "SELECT id, name, scope, created_at, expires_at, last_used_at FROM tokens WHERE account_id = ?1 ORDER BY id",
    )?;
    let rows = statement.query_map([account_id], |row| {
        Ok(Token {
            id: row.get(0)?,
            name: row.get(1)?,
            scope: text(row, 2)?,
            created_at: time(row, 3)?,
            expires_at: time_opt(row, 4)?,
            last_used_at: time_opt(row, 5)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The owner and scope of a token that has not expired and whose owner is not disabled, with the token's id.
pub fn by_token(c: &Connection, hash: &[u8; 32], now: Timestamp) -> Result<Option<(Account, Scope, i64)>> {
    let mut statement = c.prepare_cached(&format!(
        "SELECT {ACCOUNT}, t.scope, t.id FROM tokens t JOIN accounts a ON a.id = t.account_id
         WHERE t.hash = ?1 AND (t.expires_at IS NULL OR t.expires_at > ?2) AND a.disabled = 0"
    ))?;
    let found = statement
        .query_row(params![&hash[..], millis(now)], |row| Ok((account(row)?, text(row, 7)?, row.get(8)?)));
    Ok(found.optional()?)
}

/// Notes the use, at most once a minute so that a busy token does not cost a write each time.
pub fn token_used(c: &Connection, id: i64, now: Timestamp) -> Result<()> {
    c.execute(
        "UPDATE tokens SET last_used_at = ?2 WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at < ?2 - 60000)",
        params![id, millis(now)],
    )?;
    Ok(())
}

/// `NotFound` when the account has no such token.
pub fn delete_token(c: &Connection, account_id: i64, id: i64) -> Result<()> {
    match c.execute("DELETE FROM tokens WHERE id = ?1 AND account_id = ?2", params![id, account_id])? {
        0 => Err(Error::NotFound(msg!("token-not-found"))),
        _ => Ok(()),
    }
}

/// Gives a token a new secret: the old one is dead at once, and what it lasts begins anew. `NotFound` when the account
/// has no such token.
pub fn rotate_token(c: &Connection, account_id: i64, id: i64, hash: &[u8; 32], now: Timestamp) -> Result<()> {
    let changed = c.execute(
        "UPDATE tokens SET hash = ?3, expires_at = ?4 + expires_at - created_at, created_at = ?4, last_used_at = NULL
         WHERE id = ?1 AND account_id = ?2",
        params![id, account_id, &hash[..], millis(now)],
    )?;
    match changed {
        0 => Err(Error::NotFound(msg!("token-not-found"))),
        _ => Ok(()),
    }
}
