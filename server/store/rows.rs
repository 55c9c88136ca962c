//! Turning columns into the model's types and back; a row that does not fit is an `Internal` error.

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Error as Sql, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::model::{Error, Result};

pub fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

fn misfit(index: usize, cause: impl std::fmt::Display) -> Sql {
    Sql::FromSqlConversionFailure(index, Type::Text, cause.to_string().into())
}

/// A time column.
pub fn time(row: &Row<'_>, index: usize) -> Result<Timestamp, Sql> {
    Timestamp::from_millisecond(row.get(index)?).map_err(|e| misfit(index, e))
}

pub fn time_opt(row: &Row<'_>, index: usize) -> Result<Option<Timestamp>, Sql> {
    match row.get::<_, Option<i64>>(index)? {
        Some(at) => Timestamp::from_millisecond(at).map(Some).map_err(|e| misfit(index, e)),
        None => Ok(None),
    }
}

/// A text column read by the type's own parser.
pub fn text<T: std::str::FromStr<Err: std::fmt::Display>>(row: &Row<'_>, index: usize) -> Result<T, Sql> {
    row.get_ref(index)?.as_str()?.parse().map_err(|e| misfit(index, e))
}

/// A text column that may be empty of anything, read by the type's own parser.
pub fn text_opt<T: std::str::FromStr<Err: std::fmt::Display>>(
    row: &Row<'_>,
    index: usize,
) -> Result<Option<T>, Sql> {
    match row.get_ref(index)?.as_str_or_null()? {
        Some(text) => text.parse().map(Some).map_err(|e| misfit(index, e)),
        None => Ok(None),
    }
}

pub fn json<T: DeserializeOwned>(row: &Row<'_>, index: usize) -> Result<T, Sql> {
    serde_json::from_str(row.get_ref(index)?.as_str()?).map_err(|e| misfit(index, e))
}

pub fn json_opt<T: DeserializeOwned>(row: &Row<'_>, index: usize) -> Result<Option<T>, Sql> {
    match row.get_ref(index)?.as_str_or_null()? {
        Some(text) => serde_json::from_str(text).map(Some).map_err(|e| misfit(index, e)),
        None => Ok(None),
    }
}

pub fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|e| Error::internal("write JSON", e))
}
