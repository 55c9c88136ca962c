//! Single values the server keeps about itself.

use rusqlite::{Connection, OptionalExtension as _};

use crate::model::Result;

pub fn get(c: &Connection, name: &str) -> Result<Option<String>> {
    let mut statement = c.prepare_cached("SELECT value FROM settings WHERE name = ?1")?;
    Ok(statement.query_row([name], |row| row.get(0)).optional()?)
}

pub fn set(c: &Connection, name: &str, value: &str) -> Result<()> {
    c.prepare_cached(
        "INSERT INTO settings VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )?
    .execute([name, value])?;
    Ok(())
}
