//! Numbered scripts: a folder of `00-verify.sh`, `01-build.sh`, ... is a pipeline, one stage per script.
//!
//! Files without a number are the scripts' own business and left alone; a numbered file that we cannot
//! run is a finding, not a gap.

use std::collections::BTreeMap;

use super::finding::{Findings, Place, shown};
use crate::model::{Action, Definition, Dialect, Stage, Step, Text, Triggers};
use crate::msg;

/// A file of the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The file's name without folders.
    pub name: String,
    /// Whether git records it as executable (mode 100755): then its first line may choose the interpreter.
    pub executable: bool,
}

/// Endings in the order of preference: of two twins, Linux runs the first.
const ENDINGS: &[&str] = &[".sh", "", ".bat"];

/// A numbered file's number, stage part of the name, and rank of its ending.
struct Numbered<'a> {
    number: u32,
    stem: &'a str,
    rank: usize,
}

/// Whether `name` is `NN-something`: two to four digits, a hyphen, a name.
pub fn is_numbered(name: &str) -> bool {
    split_number(name).is_some()
}

fn split_number(name: &str) -> Option<(u32, &str)> {
    let (digits, rest) = name.split_once('-')?;
    let number = (2..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if !number || rest.is_empty() || rest.contains('/') {
        return None;
    }
    digits.parse().ok().map(|number| (number, rest))
}

fn parse(name: &str) -> Option<Numbered<'_>> {
    let (number, rest) = split_number(name)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let known = |&(_, ending): &(usize, &&str)| {
        rest.strip_suffix(*ending).is_some_and(|stem| {
            stem.starts_with(|c: char| c.is_ascii_alphanumeric()) && stem.chars().all(plain)
        })
    };
    let (rank, ending) = ENDINGS.iter().enumerate().find(known)?;
    Some(Numbered { number, stem: rest.strip_suffix(ending)?, rank })
}

/// The pipeline of the scripts in folder `path`; they are run from the folder that holds it.
pub fn read(path: &str, files: &[Script], findings: &mut Findings) -> Option<Definition> {
    let (parent, folder) = path.rsplit_once('/').unwrap_or(("", path));
    let mut chosen: BTreeMap<(u32, &str), (usize, &Script)> = BTreeMap::new();
    for file in files.iter().filter(|file| is_numbered(&file.name)) {
        if findings.is_full() {
            return None;
        }
        let Some(Numbered { number, stem, rank }) = parse(&file.name) else {
            findings.at(Place::NONE, msg!("pipeline-script-name", name = shown(&file.name)));
            continue;
        };
        let twin = chosen.entry((number, stem)).or_insert((rank, file));
        if rank < twin.0 {
            *twin = (rank, file);
        }
    }
    if chosen.len() > super::MAX_STAGES {
        findings.at(Place::NONE, msg!("pipeline-too-many-stages", most = super::MAX_STAGES));
        return None;
    }
    let mut stages: Vec<Stage> = Vec::new();
    for ((_, stem), (_, file)) in chosen {
        let name = title(stem);
        if stages.iter().any(|stage| stage.name == name) {
            findings.at(Place::NONE, msg!("pipeline-stage-twice", name = name));
        }
        stages.push(stage(name, parent, folder, file));
    }
    if stages.is_empty() {
        findings.at(Place::NONE, msg!("pipeline-no-scripts", path = shown(path)));
        return None;
    }
    Some(Definition {
        dialect: Dialect::Scripts,
        image: None,
        environment: Vec::new(),
        inputs: Vec::new(),
        variables: Vec::new(),
        branches: Vec::new(),
        triggers: Triggers::default(),
        timeout_seconds: None,
        keep: false,
        stages,
    })
}

fn stage(name: String, parent: &str, folder: &str, file: &Script) -> Stage {
    let script = quoted(&format!("./{folder}/{}", file.name));
    // A file without the executable bit, as a Windows checkout makes them, is handed to a shell. With the
    // bit, the shell starts it: by its first line, or itself where there is none.
    let command = if file.executable { script } else { format!("sh {script}") };
    let step = Step {
        line: 0,
        image: None,
        directory: parent.to_owned(),
        environment: Vec::new(),
        timeout_seconds: None,
        action: Action::Sh(Text::literal(command)),
    };
    Stage {
        name,
        image: None,
        environment: Vec::new(),
        variables: Vec::new(),
        timeout_seconds: None,
        steps: vec![step],
    }
}

/// `unit-tests` as people read it: `Unit tests`.
fn title(stem: &str) -> String {
    let mut words = stem.replace(['-', '_'], " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

/// For a shell, in single quotes unless nothing in it needs them.
fn quoted(path: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/');
    if path.bytes().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::super::{Source, read};
    use super::*;

    fn files(names: &[&str]) -> Vec<Script> {
        names
            .iter()
            .map(|name| Script { name: (*name).to_owned(), executable: name.ends_with("-run") })
            .collect()
    }

    fn commands(path: &str, names: &[&str]) -> Vec<(String, String, String)> {
        let definition = read(path, &Source::Folder(&files(names))).expect("a pipeline");
        let one = |stage: Stage| {
            let Action::Sh(text) = &stage.steps[0].action else { panic!("not a script") };
            (stage.name, stage.steps[0].directory.clone(), text.source())
        };
        definition.stages.into_iter().map(one).collect()
    }

    fn owned(rows: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
        rows.iter().map(|(a, b, c)| ((*a).to_owned(), (*b).to_owned(), (*c).to_owned())).collect()
    }

    #[test]
    fn scripts_become_stages_in_order() {
        let names = [
            "03-push.bat",
            "00-verify.sh",
            "README.md",
            "02-unit-tests-run",
            "00-verify.bat",
            "010-late.sh",
            "lib.sh",
        ];
        assert_eq!(
            commands("ci", &names),
            owned(&[
                ("Verify", "", "sh ./ci/00-verify.sh"),
                ("Unit tests run", "", "./ci/02-unit-tests-run"),
                ("Push", "", "sh ./ci/03-push.bat"),
                ("Late", "", "sh ./ci/010-late.sh"),
            ])
        );
        assert_eq!(commands("my app/ci", &["01-a"]), owned(&[("A", "my app", "sh ./ci/01-a")]));
        assert_eq!(commands("it's", &["01-a"]), owned(&[("A", "", r"sh './it'\''s/01-a'")]));
    }

    #[test]
    fn what_cannot_be_run_is_a_finding() {
        for (names, keys) in [
            (vec!["00-a.sh", "01-b.py", "02-$(id).sh"], vec!["pipeline-script-name", "pipeline-script-name"]),
            (vec!["00-a.sh", "01-a.sh"], vec!["pipeline-stage-twice"]),
            (vec!["README.md"], vec!["pipeline-no-scripts"]),
        ] {
            let found = read("ci", &Source::Folder(&files(&names))).unwrap_err();
            assert_eq!(found.iter().map(|f| f.message.key.as_ref()).collect::<Vec<_>>(), keys, "{names:?}");
        }
        assert!(read("../ci", &Source::Folder(&files(&["00-a.sh"]))).is_err());
    }
}
