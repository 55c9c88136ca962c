//! What the steps' commands name: the folders they work in. Read from the definition alone.

use std::collections::BTreeMap;

use super::expand::Known;
use super::folders;
use super::sources::Wish;
use crate::model::Definition;

/// What the commands of a definition's steps name.
#[derive(Clone, Debug, Default)]
pub struct Commands {
    /// Folders whose files are read.
    pub folders: Vec<String>,
    /// Files that are read wherever they are.
    pub wishes: BTreeMap<String, Wish>,
}

impl Commands {
    pub fn of(definition: &Definition, _look: &dyn Fn(&str) -> Known) -> Commands {
        Commands { folders: folders(definition), wishes: BTreeMap::new() }
    }
}
