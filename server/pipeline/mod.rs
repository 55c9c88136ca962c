//! Front ends that read `Jenkinsfile`, `ropewalk.yml` and numbered scripts into the one model.
//!
//! A definition is untrusted text. It is read whole or refused whole: whatever we do not carry out
//! becomes a `Finding` with its place, and one finding is enough to keep a run from starting. This
//! room opens no file and starts nothing; bytes come in, the model goes out.

mod announced;
pub mod bases;
mod branches;
mod environment;
mod finding;
mod inputs;
mod jenkinsfile;
pub mod openshift;
mod paths;
mod ropewalk;
mod scripts;
mod variables;

pub use announced::announced_inputs;
pub use branches::{branch_matches, check_branches};
pub use environment::{environment, resolve};
pub use inputs::fill_inputs;
pub use paths::{check_path, discover};
pub use ropewalk::schema;
pub use scripts::Script;
pub use variables::BUILTIN_NAMES;

use crate::model::{Definition, DefinitionContent, DefinitionSource, Finding};
use crate::msg;
use finding::{Findings, Place};
use paths::Kind;

/// Longest definition file in bytes.
pub const MAX_BYTES: usize = 1024 * 1024;
/// Most stages of a pipeline.
pub const MAX_STAGES: usize = 100;
/// Most steps of a pipeline, all stages together.
pub const MAX_STEPS: usize = 1000;
/// Most entries of one `environment` block.
const MAX_VARIABLES: usize = 200;

/// What stands at a definition's path in the commit.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// A file's bytes.
    File(&'a [u8]),
    /// A folder's files (not its subfolders), for numbered scripts.
    Folder(&'a [Script]),
}

/// Reads the definition at `path` (below the repository's root). The front end follows from the file's
/// name. The error is every finding, in order of place; it is never empty.
pub fn read(path: &str, source: &Source) -> Result<Definition, Vec<Finding>> {
    let mut findings = Findings::new(path);
    if let Err(error) = check_path(path) {
        findings.at(
            Place::NONE,
            error.message().cloned().unwrap_or_else(|| msg!("pipeline-path", path = finding::shown(path))),
        );
        return Err(findings.into_vec());
    }
    let definition = match source {
        Source::Folder(files) => scripts::read(path, files, &mut findings),
        Source::File(bytes) => read_file(path, bytes, &mut findings),
    };
    match definition {
        Some(definition) if findings.is_empty() => Ok(definition),
        _ => Err(findings.into_vec()),
    }
}

/// `read` for what the git room found at `path`.
pub fn read_found(path: &str, found: &DefinitionSource) -> Result<Definition, Vec<Finding>> {
    match &found.content {
        DefinitionContent::File(bytes) => read(path, &Source::File(bytes)),
        DefinitionContent::Folder(files) => {
            let script =
                |(name, executable): &(String, bool)| Script { name: name.clone(), executable: *executable };
            read(path, &Source::Folder(&files.iter().map(script).collect::<Vec<_>>()))
        }
    }
}

/// The findings of one definition file; empty when a run could start from it.
pub fn lint(path: &str, bytes: &[u8]) -> Vec<Finding> {
    read(path, &Source::File(bytes)).err().unwrap_or_default()
}

fn read_file(path: &str, bytes: &[u8], findings: &mut Findings) -> Option<Definition> {
    let text = text_of(bytes, findings)?;
    match Kind::of(path) {
        Some(Kind::Jenkinsfile) => jenkinsfile::read(&text, findings),
        Some(Kind::Ropewalk) => ropewalk::read(&text, findings),
        None => {
            findings.at(Place::NONE, msg!("pipeline-kind-unknown", path = finding::shown(path)));
            None
        }
    }
}

/// The bytes as text with plain line ends, or `None` after saying why they are none.
fn text_of(bytes: &[u8], findings: &mut Findings) -> Option<String> {
    if bytes.len() > MAX_BYTES {
        findings.at(Place::NONE, msg!("pipeline-too-large", longest = MAX_BYTES));
        return None;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            Some(text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n"))
        }
        Err(error) => {
            let before = &bytes[..error.valid_up_to()];
            findings.at(Place::after(&String::from_utf8_lossy(before)), msg!("pipeline-not-utf8"));
            None
        }
    }
}

#[cfg(test)]
mod tests;
