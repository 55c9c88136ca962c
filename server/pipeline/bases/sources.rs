//! The files that may name images, as they are read: those with a usual name below the steps' folders, and those that
//! only another file or a step's command names, wherever in the commit they are. What is not read is a site with a
//! note. This opens nothing; whoever has the commit passes the way to read.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::plan::Plan;
use super::{Site, Values};
use crate::model::{CommitFiles, Message, Result};
use crate::msg;

/// How often files name further files.
const MOST_ROUNDS: usize = 8;
/// Most files that are asked for by name.
const MOST_NAMED: usize = 500;

/// Reads the files below folders with a usual name, and those at paths.
pub type Read<'r> = &'r dyn Fn((&[String], &[String])) -> Result<CommitFiles>;

/// A file of the commit.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Below the repository's root.
    pub path: String,
    /// Each byte as one character when the file is no UTF-8.
    pub text: String,
    is_utf8: bool,
}

impl SourceFile {
    /// The error says why it is no text.
    pub fn of(path: String, bytes: Vec<u8>) -> std::result::Result<SourceFile, Message> {
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return Err(msg!("bases-utf16"));
        }
        if bytes.contains(&0) {
            return Err(msg!("bases-no-text"));
        }
        // Builders read bytes, and only those of a comment are usually others than UTF-8's.
        Ok(match String::from_utf8(bytes) {
            Ok(text) => SourceFile { path, text, is_utf8: true },
            Err(error) => {
                let text = error.as_bytes().iter().map(|byte| char::from(*byte)).collect();
                SourceFile { path, text, is_utf8: false }
            }
        })
    }

    pub fn of_text(path: &str, text: &str) -> SourceFile {
        SourceFile { path: path.to_owned(), text: text.to_owned(), is_utf8: true }
    }

    /// The same file with another text.
    pub fn with_text(&self, text: String) -> SourceFile {
        SourceFile { path: self.path.clone(), text, is_utf8: self.is_utf8 }
    }

    pub fn is_utf8(&self) -> bool {
        self.is_utf8
    }

    /// As it stands in the file.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        match self.is_utf8 {
            true => Cow::Borrowed(self.text.as_bytes()),
            false => self.text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect(),
        }
    }

    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// What was read of a commit, and what was not.
#[derive(Debug, Default)]
pub struct Sources {
    pub files: Vec<SourceFile>,
    pub unread: Vec<Site>,
}

/// Why a path is read that has no usual name or place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// What names it, as a person finds it.
    pub by: String,
    /// Whether it is missed when it is not there.
    pub required: bool,
}

impl Sources {
    /// Reads what the steps of `values`' definition can build with, and what that names in turn.
    pub fn gather(values: &Values, read: Read<'_>) -> Result<Sources> {
        let mut sources = Sources::default();
        let mut folders = values.commands.folders.clone();
        let mut wishes = values.commands.wishes.clone();
        let mut known: BTreeSet<String> = BTreeSet::new();
        for _ in 0..MOST_ROUNDS {
            let left = MOST_NAMED.saturating_sub(known.len());
            let new: Vec<String> = wishes.keys().filter(|path| !known.contains(*path)).cloned().collect();
            if new.is_empty() && folders.is_empty() {
                break;
            }
            for path in new.iter().skip(left) {
                sources.unread(path, msg!("bases-too-many-named", most = MOST_NAMED));
            }
            known.extend(new.iter().cloned());
            let now = new.get(..left).unwrap_or(&new);
            sources.add(read((&folders, now))?, &wishes);
            folders.clear();
            known.extend(sources.files.iter().map(|file| file.path.clone()));
            for (path, wish) in Plan::of(&sources.files, values).wishes {
                wishes.entry(path).or_insert(wish);
            }
        }
        let deeper: Vec<String> = wishes.into_keys().filter(|path| !known.contains(path)).collect();
        for path in &deeper {
            sources.unread(path, msg!("bases-nested", most = MOST_ROUNDS));
        }
        sources.files.sort_by(|a, b| a.path.cmp(&b.path));
        sources.files.dedup_by(|a, b| a.path == b.path);
        Ok(sources)
    }

    fn add(&mut self, found: CommitFiles, wishes: &BTreeMap<String, Wish>) {
        for (path, bytes) in found.files {
            match SourceFile::of(path.clone(), bytes) {
                Ok(file) => self.files.push(file),
                Err(reason) => self.unread(&path, reason),
            }
        }
        for (path, reason) in found.unread {
            self.unread(&path, reason);
        }
        for path in found.missing {
            if let Some(wish) = wishes.get(&path).filter(|wish| wish.required) {
                self.unread(&path, msg!("bases-missing", by = wish.by));
            }
        }
    }

    fn unread(&mut self, path: &str, reason: Message) {
        if self.unread.iter().any(|known| known.path == path) {
            return;
        }
        self.unread.push(Site::of_file(path, 0, reason));
    }
}
