//! What compose files say, in shapes: services with their images and how they are built, and the files taken in.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::expand::Problem;
use super::inline::Inline;
use crate::model::Message;

/// A text with its variables put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// Which of the files it is in.
    pub file: usize,
    pub at: usize,
    pub written: String,
    pub value: Result<String, Problem>,
    /// The bytes to replace.
    pub span: Option<Range<usize>>,
    /// Variables that take part, unless one decides alone.
    pub used: Vec<String>,
    /// The variable of the environment that it is, in whole: nothing here can be replaced.
    pub from: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Service {
    pub name: String,
    pub image: Option<Value>,
    pub build: Option<Build>,
    /// `!reset`: what other files say of building it does not count.
    pub never_built: bool,
    pub extends: Option<Extends>,
}

#[derive(Clone, Debug)]
pub struct Extends {
    pub at: usize,
    /// Below the repository's root; `None` for the same file.
    pub file: Option<String>,
    pub service: String,
}

#[derive(Clone, Debug, Default)]
pub struct Build {
    pub at: usize,
    /// The project's folder, which is the context where none is said.
    pub base: String,
    /// Below the repository's root; the error when it is somewhere else, which is said already.
    pub context: Option<Result<String, ()>>,
    /// Below the context.
    pub dockerfile: Option<Result<String, ()>>,
    pub inline: Option<Inline>,
    pub arguments: BTreeMap<String, Value>,
    /// Names that are contexts and no images.
    pub contexts: BTreeSet<String>,
    /// Images that contexts are.
    pub images: Vec<Value>,
}

#[derive(Debug, Default)]
pub struct Include {
    pub at: usize,
    pub paths: Vec<String>,
    pub folder: Option<String>,
    /// `None` for the `.env` in its folder.
    pub environments: Option<Vec<String>>,
}

/// What a file says.
#[derive(Debug, Default)]
pub struct Composed {
    pub services: Vec<Service>,
    pub includes: Vec<Include>,
    /// What was not read, with its place.
    pub notes: Vec<(usize, Message)>,
}

impl Build {
    /// With what it leaves to `other`.
    pub fn filled(mut self, other: &Build) -> Build {
        let names_file = self.dockerfile.is_some() || self.inline.is_some();
        self.context = self.context.or_else(|| other.context.clone());
        if !names_file {
            self.dockerfile = other.dockerfile.clone();
            self.inline = other.inline.clone();
        }
        for (name, value) in &other.arguments {
            self.arguments.entry(name.clone()).or_insert_with(|| value.clone());
        }
        self.contexts.extend(other.contexts.iter().cloned());
        self.images.extend(other.images.iter().cloned());
        self
    }
}
