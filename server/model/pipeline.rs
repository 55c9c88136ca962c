//! The one pipeline model that every front end (Jenkinsfile, `ropewalk.yml`, numbered scripts) is read into.
//!
//! A definition either becomes a complete `Definition` or a list of `Finding`s; there is nothing in
//! between, so that nothing is ever skipped in silence.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Message;

/// How a definition was written; decides the defaults a person expects of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    Jenkinsfile,
    Ropewalk,
    Scripts,
}

/// A whole pipeline, ready to be queued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    pub dialect: Dialect,
    /// Image for steps that name none; `None` is the server's default step image.
    pub image: Option<String>,
    /// In order of writing; later entries may refer to earlier ones.
    pub environment: Vec<(String, Text)>,
    pub inputs: Vec<Input>,
    /// Stored variables for every step, below `environment`. Definitions of version 1 have none.
    #[serde(default)]
    pub variables: Vec<VariableUse>,
    /// Globs on branch names; empty means every branch. Triggers by push and poll only.
    pub branches: Vec<String>,
    pub triggers: Triggers,
    /// Whole-run limit in seconds.
    pub timeout_seconds: Option<u64>,
    /// What its steps start in the engine stays after the run. Definitions of version 1 say nothing of it.
    #[serde(default)]
    pub keep: bool,
    pub stages: Vec<Stage>,
}

/// Which changes start runs by themselves. A person can always start one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Triggers {
    pub push: bool,
    pub tag: bool,
}

impl Default for Triggers {
    fn default() -> Self {
        Triggers { push: true, tag: false }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Unique within the pipeline.
    pub name: String,
    pub image: Option<String>,
    pub environment: Vec<(String, Text)>,
    /// Stored variables for the stage's steps, below its `environment`.
    #[serde(default)]
    pub variables: Vec<VariableUse>,
    pub timeout_seconds: Option<u64>,
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Where it stands in the definition, 1-based; 0 where there is no line (numbered scripts).
    pub line: u32,
    /// Overrides the stage's image.
    pub image: Option<String>,
    /// Below the workspace's root, `/`-separated, without `..`; empty is the root itself.
    pub directory: String,
    pub environment: Vec<(String, Text)>,
    pub timeout_seconds: Option<u64>,
    pub action: Action,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Run by `/bin/sh -xe` as Jenkins does, unless the script starts with `#!`.
    Sh(Text),
    /// A Windows batch line. On a Linux engine it is run by a shell, since the book's `.bat` files are plain lines.
    Bat(Text),
    /// Written to the log by the server; needs no container.
    Echo(Text),
}

/// A string with variables still in it: the front end decides which `$NAME` are its own
/// (Groovy's double quotes) and which belong to the shell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text(pub Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Piece {
    Literal(String),
    /// Replaced from the step's environment and the pipeline's inputs; unknown names fail the step.
    Variable(String),
}

impl Text {
    pub fn literal(text: impl Into<String>) -> Self {
        Text(vec![Piece::Literal(text.into())])
    }

    /// The text with its variables put in; the error is the name of the first unknown one.
    pub fn resolve(&self, values: &BTreeMap<String, String>) -> Result<String, String> {
        let mut out = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Variable(name) => out.push_str(values.get(name).ok_or_else(|| name.clone())?),
            }
        }
        Ok(out)
    }

    /// As it was written, for titles: variables as `${NAME}`.
    pub fn source(&self) -> String {
        let one = |piece: &Piece| match piece {
            Piece::Literal(text) => text.clone(),
            Piece::Variable(name) => format!("${{{name}}}"),
        };
        self.0.iter().map(one).collect()
    }
}

/// A value a run is given; steps see it as an environment variable of the same name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// `[A-Za-z_][A-Za-z0-9_]*`.
    pub name: String,
    pub kind: InputKind,
    pub description: String,
    /// `None` makes the input mandatory.
    pub default: Option<String>,
}

/// A stored variable that a definition names; its value is looked up when a run starts and stays out of the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariableUse {
    /// What it is stored as.
    pub name: String,
    /// What the steps see it as.
    pub as_name: String,
    /// Where the definition names it, 1-based.
    pub line: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputKind {
    String,
    Text,
    Boolean,
    Number,
    Choice(Vec<String>),
}

/// Something in a definition that we do not carry out, by name and place. Any finding fails the run before it starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The definition's path in the repository.
    pub path: String,
    /// 1-based; 0 where there is no line.
    pub line: u32,
    pub column: u32,
    pub message: Message,
}

/// What stands at a definition's path in a commit, as `git` reads it and `pipeline` wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefinitionSource {
    /// Object id of the file or folder.
    pub object: String,
    pub content: DefinitionContent,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DefinitionContent {
    File(Vec<u8>),
    /// (file name, whether it is executable) of each file in the folder: numbered scripts.
    Folder(Vec<(String, bool)>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_stored_before_there_were_variables_are_still_read() {
        let text = r#"{"dialect":"ropewalk","image":null,"environment":[],"inputs":[],"branches":[],
            "triggers":{"push":true,"tag":false},"timeout_seconds":null,
            "stages":[{"name":"a","image":null,"environment":[],"timeout_seconds":null,"steps":[]}]}"#;
        let definition: Definition = serde_json::from_str(text).unwrap();
        assert!(definition.variables.is_empty() && definition.stages[0].variables.is_empty());
    }
}
