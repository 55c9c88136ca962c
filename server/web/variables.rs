//! What may be said about a variable: the API and the page end here. The value of a secret one comes in and never
//! goes out; whoever calls has asked whether the caller is an administrator.

use jiff::Timestamp;

use super::errors::Failure;
use super::state::Door;
use crate::logs;
use crate::model::{Error, Result, Secret, VariableName};
use crate::msg;
use crate::store::variables::{self, Value, Variable};

const LONGEST_VALUE: usize = 4 * 1024;
const LONGEST_DESCRIPTION: usize = 500;

/// What somebody wants it to be.
pub struct Wanted {
    pub description: String,
    /// `None` leaves it as it is.
    pub value: Option<Secret>,
    pub secret: bool,
}

pub fn find(door: &Door, name: &str) -> Result<Variable, Failure> {
    let found = door.store.read(|c| variables::by_name(c, name))?;
    found.ok_or_else(|| Error::NotFound(variables::not_found(name)).into())
}

pub async fn create(door: &Door, name: &str, wanted: Wanted, by: String) -> Result<Variable, Failure> {
    let name = VariableName::new(name.trim())?;
    let description = described(&wanted)?;
    let value = value(door, wanted.value.as_ref().unwrap_or(&Secret::new("")), wanted.secret)?;
    let made = door.store.write(move |c| {
        variables::create(c, &name, (&description, &value), &by, Timestamp::now())?;
        kept(c, &name)
    });
    Ok(made.await?)
}

pub async fn change(door: &Door, seen: Variable, wanted: Wanted) -> Result<Variable, Failure> {
    let description = described(&wanted)?;
    let value = match &wanted.value {
        Some(given) => value(door, given, wanted.secret)?,
        None => match (&seen.value, wanted.secret) {
            (Value::Regular(before), true) => value(door, &Secret::new(before.as_str()), true)?,
            (Value::Secret(_), false) => {
                return Err(Error::Conflict(msg!("variables-stays-secret", name = seen.name)).into());
            }
            (before, _) => before.clone(),
        },
    };
    let changed = door.store.write(move |c| {
        variables::update(c, &seen, (&description, &value), Timestamp::now())?;
        kept(c, &seen.name)
    });
    Ok(changed.await?)
}

fn kept(c: &crate::store::Connection, name: &VariableName) -> Result<Variable> {
    let found = variables::by_name(c, name.as_str())?;
    found.ok_or_else(|| Error::Internal("a saved variable is missing".into()))
}

fn described(wanted: &Wanted) -> Result<String> {
    let description = wanted.description.trim().to_owned();
    match description.chars().count() > LONGEST_DESCRIPTION {
        true => Err(Error::Invalid(msg!("endpoints-description-long", longest = LONGEST_DESCRIPTION))),
        false => Ok(description),
    }
}

fn value(door: &Door, given: &Secret, secret: bool) -> Result<Value> {
    let text = given.reveal();
    // A null byte cannot be in an environment.
    if text.len() > LONGEST_VALUE || text.contains('\0') || (secret && text.is_empty()) {
        return Err(Error::Invalid(msg!("variables-value-invalid", longest = LONGEST_VALUE)));
    }
    if secret {
        logs::check_secret(text)?;
    }
    match secret {
        true => door.store.sealer().seal(given).map(Value::Secret),
        false => Ok(Value::Regular(text.to_owned())),
    }
}
