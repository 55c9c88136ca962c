//! OpenShift's own YAML: streams and their tags, the triggers of `BuildConfig`, `List`s and `Template`s of them, one
//! document or several.
//!
//! Each object is read by itself: what is wrong with one keeps no other back, and a kind that is not ours is named and
//! left. A field that OpenShift does not have is a note, unless it is nearly one that it has; a value of another type
//! than OpenShift takes is a finding with its place. Nothing is looked up here.

mod build_config;
mod documents;
mod fields;
mod image;
mod kinds;
mod scalars;
mod stream;
mod tag;
mod template;
#[cfg(test)]
mod tests;
mod walk;
mod write;

use std::collections::BTreeMap;

use super::finding::{Findings, Place};
use crate::model::{Finding, ImageToTag, Message, OwnerName, Result, StreamSpec, TagsSpec, TriggersSpec};
use crate::msg;

pub use write::write;

/// What goes with a file.
#[derive(Clone, Debug)]
pub struct Given {
    /// Stands for a namespace that is not written.
    pub owner: OwnerName,
    /// Values of templates' parameters, by name.
    pub parameters: BTreeMap<String, String>,
    /// A parameter that a template does not have is no mistake.
    pub ignore_unknown: bool,
}

/// What a file has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Objects {
    /// In the order of the file.
    pub pieces: Vec<Piece>,
    /// What is to be said of the file itself and its templates.
    pub notes: Vec<Finding>,
}

/// One object.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    pub kind: String,
    /// `metadata.name` as it is written; empty where there is none.
    pub name: String,
    pub line: u32,
    pub column: u32,
    pub what: What,
    /// What is there but not carried out.
    pub notes: Vec<Finding>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum What {
    Ours(Object),
    /// Not carried out here, and why.
    Left(Message),
    /// What is wrong with it; never empty.
    Refused(Vec<Finding>),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Object {
    Stream(StreamSpec),
    Tags(TagsSpec),
    Image(ImageToTag),
    Triggers(TriggersSpec),
}

/// Reads a file. The error is why nothing of it can be read, never empty.
pub fn read(name: &str, bytes: &[u8], given: &Given) -> Result<Objects, Vec<Finding>> {
    let mut findings = Findings::new(name);
    let Some(text) = super::text_of(bytes, &mut findings) else { return Err(findings.into_vec()) };
    let (documents, twice) = documents::all(name, &text)?;
    let mut walk = walk::Walk::new(name, given, twice);
    for document in documents.iter().filter(|document| !scalars::is_nothing(document)) {
        walk.object(document, 0, None)?;
    }
    let found = walk.done()?;
    if found.pieces.is_empty() {
        findings.at(Place::START, msg!("openshift-nothing"));
        return Err(findings.into_vec());
    }
    Ok(found)
}
