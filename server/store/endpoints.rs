//! Other registries: address, credentials, certificate, and how the last look at each went. Credentials are sealed
//! before they get here; only `access` opens them, for whoever is about to speak with the endpoint.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::rows::{json, json_opt, millis, text, time, time_opt, to_json};
use super::{Sealer, docker_webhooks};
use crate::model::{
    Access, CheckStep, Credentials, EndpointKind, EndpointName, Error, Message, Result, Secret,
};
use crate::msg;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub id: i64,
    pub given: Given,
    /// As it stands in image references.
    pub host: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub checked: Option<Checked>,
}

/// What a person says about an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    pub name: EndpointName,
    pub description: String,
    pub kind: EndpointKind,
    pub url: String,
    pub user: Option<String>,
    /// The password or token, sealed.
    pub sealed: Option<Vec<u8>>,
    /// Whether the secret is a token to be sent as it is.
    pub bearer: bool,
    /// PEM, and the account that accepted or gave it.
    pub certificate: Option<(String, String)>,
    /// Other hosts that its registry may lead to, each `host` or `host:port`.
    pub allowed: Vec<String>,
}

/// How the last look went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    pub at: Timestamp,
    pub ok: bool,
    pub steps: Vec<CheckStep>,
}

impl Endpoint {
    /// What is needed to speak with it, opened.
    pub fn access(&self, sealer: &Sealer) -> Result<Access> {
        self.given.access(sealer)
    }
}

impl Given {
    pub fn access(&self, sealer: &Sealer) -> Result<Access> {
        let secret = self.sealed.as_deref().map(|sealed| sealer.unseal(sealed)).transpose()?;
        let credentials = match (secret, &self.user) {
            (Some(token), _) if self.bearer => Credentials::Token(token),
            (None, None) => Credentials::Anonymous,
            (password, user) => Credentials::Basic {
                user: user.clone().unwrap_or_default(),
                password: password.unwrap_or_else(|| Secret::new("")),
            },
        };
        let certificate = self.certificate.as_ref().map(|(pem, _)| pem.clone());
        let (url, allowed) = (self.url.clone(), self.allowed.clone());
        Ok(Access { kind: self.kind, url, credentials, certificate, allowed })
    }
}

const COLUMNS: &str = "id, name, description, kind, url, host, user, secret, bearer, certificate, certificate_by, \
     created_at, updated_at, checked_at, check_ok, check_report, allowed_hosts";

fn endpoint(row: &Row<'_>) -> rusqlite::Result<Endpoint> {
    let certificate = row.get::<_, Option<String>>(9)?;
    let by = row.get::<_, Option<String>>(10)?.unwrap_or_default();
    let checked = match (time_opt(row, 13)?, row.get::<_, Option<bool>>(14)?, json_opt(row, 15)?) {
        (Some(at), Some(ok), steps) => Some(Checked { at, ok, steps: steps.unwrap_or_default() }),
        _ => None,
    };
    Ok(Endpoint {
        id: row.get(0)?,
        given: Given {
            name: text(row, 1)?,
            description: row.get(2)?,
            kind: text(row, 3)?,
            url: row.get(4)?,
            user: row.get(6)?,
            sealed: row.get(7)?,
            bearer: row.get(8)?,
            certificate: certificate.map(|pem| (pem, by)),
            allowed: json(row, 16)?,
        },
        host: row.get(5)?,
        created_at: time(row, 11)?,
        updated_at: time(row, 12)?,
        checked,
    })
}

/// All endpoints by name.
pub fn list(c: &Connection) -> Result<Vec<Endpoint>> {
    let mut statement = c.prepare_cached(&format!("SELECT {COLUMNS} FROM endpoints ORDER BY name"))?;
    Ok(statement.query_map([], endpoint)?.collect::<rusqlite::Result<_>>()?)
}

pub fn by_id(c: &Connection, id: i64) -> Result<Option<Endpoint>> {
    let mut statement = c.prepare_cached(&format!("SELECT {COLUMNS} FROM endpoints WHERE id = ?1"))?;
    Ok(statement.query_row([id], endpoint).optional()?)
}

/// In any case of letters.
pub fn by_name(c: &Connection, name: &str) -> Result<Option<Endpoint>> {
    let mut statement = c.prepare_cached(&format!("SELECT {COLUMNS} FROM endpoints WHERE name = ?1"))?;
    Ok(statement.query_row([name], endpoint).optional()?)
}

/// The endpoint of a host as it stands in image references, e.g. `docker.io`.
pub fn by_host(c: &Connection, host: &str) -> Result<Option<Endpoint>> {
    let mut statement = c.prepare_cached(&format!("SELECT {COLUMNS} FROM endpoints WHERE host = ?1"))?;
    Ok(statement.query_row([host], endpoint).optional()?)
}

/// `Conflict` when the name or the host is taken by another one.
fn refuse_doubles(c: &Connection, id: Option<i64>, given: &Given, host: &str) -> Result<()> {
    let other = |found: Option<Endpoint>| found.filter(|found| Some(found.id) != id);
    if other(by_name(c, given.name.as_str())?).is_some() {
        return Err(Error::Conflict(msg!("endpoints-name-taken", name = given.name)));
    }
    if let Some(found) = other(by_host(c, host)?) {
        return Err(Error::Conflict(msg!("endpoints-host-taken", host = host, name = found.given.name)));
    }
    Ok(())
}

/// Returns the id. `Conflict` when the name or the host is taken.
pub fn create(c: &Connection, given: &Given, host: &str, at: Timestamp) -> Result<i64> {
    refuse_doubles(c, None, given, host)?;
    let (pem, by) = given.certificate.clone().unzip();
    c.execute(
        "INSERT INTO endpoints (name, description, kind, url, host, user, secret, bearer, certificate,
             certificate_by, created_at, updated_at, allowed_hosts)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11, ?12)",
        params![
            given.name.as_str(),
            given.description,
            given.kind.as_str(),
            given.url,
            host,
            given.user,
            given.sealed,
            given.bearer,
            pem,
            by,
            millis(at),
            to_json(&given.allowed)?
        ],
    )?;
    Ok(c.last_insert_rowid())
}

/// Changes what is said about it; how the last look went no longer counts. `Conflict` when the name or the host is
/// taken, or when somebody else has changed it since `seen` was read.
pub fn update(c: &Connection, seen: &Endpoint, given: &Given, host: &str, at: Timestamp) -> Result<()> {
    refuse_doubles(c, Some(seen.id), given, host)?;
    let (pem, by) = given.certificate.clone().unzip();
    // Two changes within a millisecond must differ, too.
    let now = millis(at).max(millis(seen.updated_at) + 1);
    let changed = c.execute(
        "UPDATE endpoints SET name = ?3, description = ?4, kind = ?5, url = ?6, host = ?7, user = ?8, secret = ?9,
             bearer = ?10, certificate = ?11, certificate_by = ?12, updated_at = ?13, checked_at = NULL,
             check_ok = NULL, check_report = NULL, allowed_hosts = ?14
         WHERE id = ?1 AND updated_at = ?2",
        params![
            seen.id,
            millis(seen.updated_at),
            given.name.as_str(),
            given.description,
            given.kind.as_str(),
            given.url,
            host,
            given.user,
            given.sealed,
            given.bearer,
            pem,
            by,
            now,
            to_json(&given.allowed)?
        ],
    )?;
    match changed {
        0 => Err(Error::Conflict(msg!("endpoints-changed-meanwhile", name = seen.given.name))),
        _ => Ok(()),
    }
}

/// `NotFound` when it is gone already. Webhooks that named it stay, without it.
pub fn delete(c: &Connection, name: &str) -> Result<()> {
    match c.execute("DELETE FROM endpoints WHERE name = ?1", [name])? {
        0 => Err(Error::NotFound(not_found(name))),
        // Its webhooks are of no endpoint now.
        _ => docker_webhooks::changed(c),
    }
}

pub fn not_found(name: &str) -> Message {
    let shown = name.chars().take(64).collect::<String>().escape_debug().to_string();
    msg!("endpoints-not-found", name = shown)
}

/// Writes down how a look at it went, unless it was changed since `seen` was read.
pub fn record_check(c: &Connection, seen: &Endpoint, steps: &[CheckStep], at: Timestamp) -> Result<()> {
    let ok = steps.iter().all(|step| step.ok);
    c.execute(
        "UPDATE endpoints SET checked_at = ?3, check_ok = ?4, check_report = ?5 WHERE id = ?1 AND updated_at = ?2",
        params![seen.id, millis(seen.updated_at), millis(at), ok, to_json(&steps)?],
    )?;
    Ok(())
}

/// What is to be written when an endpoint was used and that showed trouble, or none: nothing when that is known.
fn news(c: &Connection, host: &str, trouble: Option<&Message>) -> Result<Option<(Endpoint, CheckStep)>> {
    let Some(endpoint) = by_host(c, host)? else { return Ok(None) };
    let bad = endpoint.checked.as_ref().filter(|known| !known.ok);
    let step = match trouble {
        Some(message) => {
            let told = bad.and_then(|bad| bad.steps.last()).is_some_and(|last| last.message == *message);
            (!told).then(|| CheckStep { ok: false, message: message.clone() })
        }
        None => bad
            .map(|_| CheckStep { ok: true, message: msg!("endpoints-step-registry", host = endpoint.host) }),
    };
    Ok(step.map(|step| (endpoint, step)))
}

/// Whether `met` would write something.
pub fn is_news(c: &Connection, host: &str, trouble: Option<&Message>) -> Result<bool> {
    Ok(news(c, host, trouble)?.is_some())
}

/// What came of using it, by the loops: trouble, or none. Written only when it is not what is known already.
pub fn met(c: &Connection, host: &str, trouble: Option<&Message>, at: Timestamp) -> Result<()> {
    match news(c, host, trouble)? {
        Some((endpoint, step)) => record_check(c, &endpoint, &[step], at),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    fn given(name: &str, sealed: Option<Vec<u8>>) -> Given {
        Given {
            name: EndpointName::new(name).unwrap(),
            description: String::new(),
            kind: EndpointKind::Distribution,
            url: "https://registry.example:5000".into(),
            user: Some("ci".into()),
            sealed,
            bearer: false,
            certificate: None,
            allowed: vec!["minio.example:9000".into()],
        }
    }

    #[tokio::test]
    async fn an_endpoint_is_kept_sealed_changed_checked_and_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let sealed = store.sealer().seal(&Secret::new("hunter2-hunter2")).unwrap();
        let first = given("team", Some(sealed));
        let kept = first.clone();
        let now = Timestamp::now();
        let host = "registry.example:5000";
        store.write(move |c| create(c, &kept, host, now)).await.unwrap();
        let seen = store.read(|c| by_host(c, host)).unwrap().unwrap();
        assert_eq!((&seen.given, seen.checked.is_none()), (&first, true));
        let Credentials::Basic { user, password } = seen.access(store.sealer()).unwrap().credentials else {
            panic!("a user and a password")
        };
        assert_eq!((user.as_str(), password.reveal()), ("ci", "hunter2-hunter2"));
        assert!(!format!("{seen:?} {:?}", seen.access(store.sealer()).unwrap()).contains("hunter2"));

        let again = store.write(move |c| create(c, &given("TEAM", None), "elsewhere", now)).await;
        assert!(matches!(again, Err(Error::Conflict(m)) if m.key == "endpoints-name-taken"));
        let again = store.write(move |c| create(c, &given("other", None), host, now)).await;
        assert!(matches!(again, Err(Error::Conflict(m)) if m.key == "endpoints-host-taken"));

        let before = seen.clone();
        let steps = vec![CheckStep { ok: false, message: msg!("registry-schema1") }];
        let noted = steps.clone();
        store.write(move |c| record_check(c, &before, &noted, now)).await.unwrap();
        let checked = store.read(|c| by_id(c, seen.id)).unwrap().unwrap().checked.unwrap();
        assert_eq!((checked.ok, checked.steps), (false, steps));

        // What the loops meet counts as a look; the same again is not written.
        let later = move |seconds: i64| Timestamp::from_second(now.as_second() + seconds).unwrap();
        let met_with = async |trouble: Option<Message>, n: i64| {
            let write = move |c: &Connection| met(c, host, trouble.as_ref(), later(n));
            store.write(write).await.unwrap();
            let checked = store.read(|c| by_id(c, seen.id)).unwrap().unwrap().checked.unwrap();
            (checked.ok, checked.at == later(n), checked.steps.len())
        };
        assert_eq!(met_with(Some(msg!("registry-schema1")), 1).await, (false, false, 1));
        assert_eq!(met_with(Some(Message::new("registry-timeout")), 2).await, (false, true, 1));
        assert_eq!(met_with(None, 3).await, (true, true, 1));
        assert_eq!(met_with(None, 4).await, (true, false, 1));
        store
            .write(|c| met(c, "elsewhere", Some(&Message::new("registry-timeout")), Timestamp::now()))
            .await
            .unwrap();

        let (old, stale) = (seen.clone(), seen.clone());
        store.write(move |c| update(c, &old, &given("team2", None), "new:1", now)).await.unwrap();
        let late = store.write(move |c| update(c, &stale, &given("team3", None), "new:1", now)).await;
        assert!(matches!(late, Err(Error::Conflict(m)) if m.key == "endpoints-changed-meanwhile"));
        let found = store.read(|c| by_name(c, "Team2")).unwrap().unwrap();
        assert!(
            found.checked.is_none() && found.given.sealed.is_none() && found.updated_at > seen.updated_at
        );
        store.write(|c| delete(c, "team2")).await.unwrap();
        assert!(matches!(store.write(|c| delete(c, "team2")).await, Err(Error::NotFound(_))));
        assert!(store.read(list).unwrap().is_empty());
    }
}
