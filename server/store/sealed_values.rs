//! Everything the database keeps sealed, and whether the key beside it opens it. No value leaves this file.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rusqlite::Connection;

use super::sealed::Sealer;
use super::settings;
use crate::model::{Result, Secret};

/// What every key that belongs to this database opens.
const CHECK: &str = "key-check";
/// Kept in `settings`, as text.
const TEXTS: [&str; 1] = ["registry-hook-token"];

/// Place (`variables/NAME`) and value.
const TABLES: [&str; 4] = [
    "SELECT 'repositories/' || owner || '/' || name, remote_secret FROM repositories WHERE remote_secret IS NOT NULL",
    "SELECT 'endpoints/' || name, secret FROM endpoints WHERE secret IS NOT NULL",
    "SELECT 'webhooks/' || name, secret FROM docker_webhooks",
    "SELECT 'variables/' || name, sealed FROM variables WHERE sealed IS NOT NULL",
];

/// How much is sealed, and the places of what does not open (`variables/NAME`, `settings/registry-hook-token`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub count: usize,
    pub closed: Vec<String>,
}

impl Seen {
    fn add(&mut self, place: String, opens: bool) {
        self.count += 1;
        if !opens {
            self.closed.push(place);
        }
    }
}

/// Tries everything.
pub fn look(c: &Connection, sealer: &Sealer) -> Result<Seen> {
    let mut seen = Seen::default();
    for query in TABLES {
        let mut statement = c.prepare(query)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let opens = sealer.unseal(row.get_ref(1)?.as_blob().unwrap_or_default()).is_ok();
            seen.add(row.get(0)?, opens);
        }
    }
    for name in TEXTS {
        if let Some(text) = settings::get(c, name)? {
            seen.add(format!("settings/{name}"), opens(sealer, &text));
        }
    }
    Ok(seen)
}

fn opens(sealer: &Sealer, text: &str) -> bool {
    STANDARD.decode(text).is_ok_and(|sealed| sealer.unseal(&sealed).is_ok())
}

/// Whether the key is this database's; `None` when the database does not know yet.
pub fn is_own_key(c: &Connection, sealer: &Sealer) -> Result<Option<bool>> {
    Ok(settings::get(c, CHECK)?.map(|text| opens(sealer, &text)))
}

/// From now on the key is this database's.
pub fn own_key(c: &Connection, sealer: &Sealer) -> Result<()> {
    settings::set(c, CHECK, &STANDARD.encode(sealer.seal(&Secret::new("ropewalk"))?))
}
