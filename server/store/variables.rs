//! Variables: values that pipelines may use by name. The value of a secret one is sealed and never read again but
//! for a run.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::Sealer;
use super::rows::{millis, text, time};
use crate::model::{Error, Result, Secret, VariableName};
use crate::msg;

#[derive(Clone, Debug)]
pub struct Variable {
    pub id: i64,
    pub name: VariableName,
    pub description: String,
    pub value: Value,
    pub created_at: Timestamp,
    pub created_by: String,
    pub updated_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Regular(String),
    /// Sealed.
    Secret(Vec<u8>),
}

impl Value {
    pub fn is_secret(&self) -> bool {
        matches!(self, Value::Secret(_))
    }

    fn columns(&self) -> (&'static str, Option<&str>, Option<&[u8]>) {
        match self {
            Value::Regular(value) => ("regular", Some(value), None),
            Value::Secret(sealed) => ("secret", None, Some(sealed)),
        }
    }
}

fn variable(row: &Row<'_>) -> rusqlite::Result<Variable> {
    let secret = row.get_ref(3)?.as_str()? == "secret";
    let value = if secret { Value::Secret(row.get(5)?) } else { Value::Regular(row.get(4)?) };
    Ok(Variable {
        id: row.get(0)?,
        name: text(row, 1)?,
        description: row.get(2)?,
        value,
        created_at: time(row, 6)?,
        created_by: row.get(7)?,
        updated_at: time(row, 8)?,
    })
}

const COLUMNS: &str = "id, name, description, kind, value, sealed, created_at, created_by, updated_at";

/// All variables by name.
pub fn list(c: &Connection) -> Result<Vec<Variable>> {
    let mut statement = c.prepare_cached(&format!("SELECT {COLUMNS} FROM variables ORDER BY name"))?;
    Ok(statement.query_map([], variable)?.collect::<rusqlite::Result<_>>()?)
}

pub fn by_name(c: &Connection, name: &str) -> Result<Option<Variable>> {
    let mut statement = c.prepare_cached(&format!("SELECT {COLUMNS} FROM variables WHERE name = ?1"))?;
    Ok(statement.query_row([name], variable).optional()?)
}

/// `Conflict` when the name is taken. Returns the id.
pub fn create(
    c: &Connection,
    name: &VariableName,
    (description, value): (&str, &Value),
    by: &str,
    at: Timestamp,
) -> Result<i64> {
    let (kind, plain, sealed) = value.columns();
    let made = c.execute(
        "INSERT INTO variables (name, description, kind, value, sealed, created_at, created_by, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?6) ON CONFLICT DO NOTHING",
        params![name.as_str(), description, kind, plain, sealed, millis(at), by],
    )?;
    match made {
        0 => Err(Error::Conflict(msg!("variables-name-taken", name = name))),
        _ => Ok(c.last_insert_rowid()),
    }
}

/// Changes description and value. `Conflict` when somebody else has changed it since `seen` was read; a secret one
/// stays secret.
pub fn update(
    c: &Connection,
    seen: &Variable,
    (description, value): (&str, &Value),
    at: Timestamp,
) -> Result<()> {
    if seen.value.is_secret() && !value.is_secret() {
        return Err(Error::Conflict(msg!("variables-stays-secret", name = seen.name)));
    }
    let (kind, plain, sealed) = value.columns();
    let now = millis(at).max(millis(seen.updated_at) + 1);
    let changed = c.execute(
        "UPDATE variables SET description = ?3, kind = ?4, value = ?5, sealed = ?6, updated_at = ?7
         WHERE id = ?1 AND updated_at = ?2",
        params![seen.id, millis(seen.updated_at), description, kind, plain, sealed, now],
    )?;
    match changed {
        0 => Err(Error::Conflict(msg!("variables-changed-meanwhile", name = seen.name))),
        _ => Ok(()),
    }
}

/// `NotFound` when it is gone already.
pub fn delete(c: &Connection, name: &str) -> Result<()> {
    match c.execute("DELETE FROM variables WHERE name = ?1", [name])? {
        0 => Err(Error::NotFound(not_found(name))),
        _ => Ok(()),
    }
}

pub fn not_found(name: &str) -> crate::model::Message {
    let shown = name.chars().take(100).collect::<String>().escape_debug().to_string();
    msg!("variables-not-found", name = shown)
}

/// A variable's value, open, for one run.
pub enum Opened {
    Regular(String),
    /// Has to be masked in the run's logs.
    Secret(Secret),
    /// Its value was sealed with another key or is damaged.
    Closed,
}

/// `None` when there is no such variable.
pub fn for_run(c: &Connection, sealer: &Sealer, name: &str) -> Result<Option<Opened>> {
    let opened = by_name(c, name)?.map(|variable| match variable.value {
        Value::Regular(value) => Opened::Regular(value),
        Value::Secret(sealed) => sealer.unseal(&sealed).map_or(Opened::Closed, Opened::Secret),
    });
    Ok(opened)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[tokio::test]
    async fn a_secret_stays_one_and_opens_for_a_run_only() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let sealed = Value::Secret(store.sealer().seal(&Secret::new("hunter2-hunter2")).unwrap());
        let now = Timestamp::now();
        let name = |name: &str| VariableName::new(name).unwrap();
        store.write(move |c| create(c, &name("KEY"), ("", &sealed), "ada", now)).await.unwrap();
        let plain = Value::Regular("1".into());
        let first = plain.clone();
        store.write(move |c| create(c, &name("LEVEL"), ("", &first), "ada", now)).await.unwrap();
        let again = plain.clone();
        let double = store.write(move |c| create(c, &name("LEVEL"), ("", &again), "ada", now)).await;
        assert!(matches!(double, Err(Error::Conflict(m)) if m.key == "variables-name-taken"));

        let open = |name: &str| store.read(|c| for_run(c, store.sealer(), name)).unwrap();
        assert!(matches!(open("LEVEL"), Some(Opened::Regular(value)) if value == "1"));
        assert!(matches!(open("KEY"), Some(Opened::Secret(secret)) if secret.reveal() == "hunter2-hunter2"));
        assert!(open("NONE").is_none());

        let seen = store.read(|c| by_name(c, "KEY")).unwrap().unwrap();
        let bared = store.write(move |c| update(c, &seen, ("", &plain), now)).await;
        assert!(matches!(bared, Err(Error::Conflict(m)) if m.key == "variables-stays-secret"));
        let seen = store.read(|c| by_name(c, "LEVEL")).unwrap().unwrap();
        let late = seen.clone();
        let two = Value::Regular("2".into());
        let three = two.clone();
        store.write(move |c| update(c, &seen, ("verbosity", &two), now)).await.unwrap();
        assert!(store.write(move |c| update(c, &late, ("", &three), now)).await.is_err());
        store.write(|c| delete(c, "LEVEL")).await.unwrap();
        assert!(matches!(store.write(|c| delete(c, "LEVEL")).await, Err(Error::NotFound(_))));
    }
}
