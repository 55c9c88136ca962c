//! `apply`: OpenShift's YAML from files, folders and standard input. Each file is sent by itself; the server applies each
//! object by itself, and says what became of it.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::Session;
use super::arguments::about;
use super::client::Client;
use super::exit::Exit;
use super::run::list;
use super::terminal::field;
use crate::model::OwnerName;
use crate::msg;

/// Longest file, in bytes; what the server takes.
const LONGEST: u64 = 1024 * 1024;
/// Most files of one call, and most entries of folders that are looked at.
const MOST_FILES: usize = 1000;
const MOST_ENTRIES: usize = 100_000;
/// How deep folders are gone into.
const DEEPEST: usize = 32;
const KIND: &str = "application/vnd.ropewalk.apply+json";

#[derive(Debug, Args)]
pub struct Apply {
    #[arg(short = 'f', long = "filename", value_name = "FILE", required = true, help = about(msg!("cli-flag-apply-file")))]
    files: Vec<String>,
    #[arg(short = 'R', long, help = about(msg!("cli-flag-recursive")))]
    recursive: bool,
    #[arg(short = 'p', long = "param", value_name = "NAME=VALUE", help = about(msg!("cli-flag-param")))]
    parameters: Vec<String>,
    #[arg(long = "param-file", value_name = "FILE", help = about(msg!("cli-flag-param-file")))]
    parameter_files: Vec<String>,
    #[arg(long = "ignore-unknown-parameters", help = about(msg!("cli-flag-ignore-unknown")))]
    ignore_unknown: bool,
    #[arg(short = 'n', long, value_name = "OWNER", help = about(msg!("cli-flag-namespace")))]
    namespace: Option<OwnerName>,
}

pub async fn apply(session: &Session, apply: Apply) -> Result<(), Exit> {
    let parameters = parameters(session, &apply)?;
    // Whatever is missing is found before anything is applied.
    let files = files(&apply)?;
    let client = Client::new(session)?;
    let mut all = All { reports: Vec::new(), ours: 0, failed: None, nothing: None };
    for file in &files {
        let body = json!({
            "text": read(file)?,
            "namespace": apply.namespace,
            "parameters": parameters,
            "ignore_unknown_parameters": apply.ignore_unknown,
        });
        let (status, report) = client.post_as(&["image-streams"], (KIND, body.to_string())).await?;
        all.take(session, file, (status, report))?;
    }
    if session.json {
        let shown = if files.len() == 1 { all.reports.pop().unwrap_or_default() } else { all.reports.into() };
        session.terminal.json(&shown)?;
    }
    match (all.failed, all.nothing) {
        (Some(exit), _) => Err(exit),
        (None, Some(exit)) if all.ours == 0 => Err(exit),
        _ => Ok(()),
    }
}

/// What came of the files.
struct All {
    reports: Vec<Value>,
    /// Objects that are carried out here.
    ours: usize,
    /// Of the first file of which something was not applied.
    failed: Option<Exit>,
    /// Of the first file in which nothing is ours.
    nothing: Option<Exit>,
}

impl All {
    fn take(&mut self, session: &Session, file: &str, (status, report): (u16, Value)) -> Result<(), Exit> {
        let place = |one: &Value| format!("{file}:{}:{}", field(one, "/line"), field(one, "/column"));
        let is = |one: &Value, word: &str| field(one, "/result") == word;
        let mut ours = 0;
        for one in list(&report, "applied").filter(|one| !is(one, "left")) {
            ours += 1;
            if !is(one, "refused") && !session.json {
                let line =
                    format!("{} {} {}", field(one, "/kind"), field(one, "/name"), field(one, "/result"));
                session.terminal.line(&line)?;
            }
        }
        for one in list(&report, "applied").filter(|one| is(one, "left") && !session.json) {
            let what = format!("{} {}", field(one, "/kind"), field(one, "/name"));
            session.terminal.note(&format!(
                "{}: {}: {}",
                place(one),
                what.trim_end(),
                field(one, "/message")
            ));
        }
        for note in list(&report, "notes") {
            session
                .terminal
                .note_unless(session.json, &format!("{}: {}", place(note), field(note, "/message")));
        }
        self.ours += ours;
        if !(200..300).contains(&status) {
            for wrong in list(&report, "findings") {
                session.terminal.note(&format!("{}: {}", place(wrong), field(wrong, "/message")));
            }
            let said = field(&report, "/error/message");
            // The findings have said it all.
            let exit = match list(&report, "findings").next() {
                Some(_) => Exit::told(status),
                None => Exit::of_status(status, said),
            };
            let is_empty = report.get("applied").is_some() && ours == 0;
            let slot = if is_empty { &mut self.nothing } else { &mut self.failed };
            slot.get_or_insert(exit);
        }
        self.reports.push(report);
        Ok(())
    }
}

/// The files that are named, and those of the folders that are; `-` is standard input.
fn files(apply: &Apply) -> Result<Vec<String>, Exit> {
    let mut found = Vec::new();
    let mut looked = 0;
    for file in &apply.files {
        if file == "-" {
            found.push(file.clone());
            continue;
        }
        if file.starts_with("http://") || file.starts_with("https://") {
            return Err(Exit::usage(msg!("cli-apply-address", address = file)));
        }
        let path = Path::new(file);
        match path.metadata() {
            Ok(about) if about.is_dir() => {
                let depth = if apply.recursive { DEEPEST } else { 0 };
                folder(path, depth, (&mut found, &mut looked))?;
            }
            Ok(_) => found.push(file.clone()),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
                return Err(Exit::not_found(msg!("cli-no-file", path = file)));
            }
            Err(cause) => return Err(Exit::failed(msg!("cli-unreadable", path = file, cause = cause))),
        }
    }
    if found.len() > MOST_FILES {
        return Err(Exit::usage(msg!("cli-apply-too-many", most = MOST_FILES)));
    }
    match found.is_empty() {
        true => Err(Exit::usage(msg!("cli-apply-no-files", folder = apply.files.join(", ")))),
        false => Ok(found),
    }
}

/// `*.yaml`, `*.yml` and `*.json` by name; links to folders are not gone into.
fn folder(path: &Path, depth: usize, (found, looked): (&mut Vec<String>, &mut usize)) -> Result<(), Exit> {
    let unreadable =
        |cause: std::io::Error| Exit::failed(msg!("cli-unreadable", path = path.display(), cause = cause));
    let mut entries: Vec<(PathBuf, bool)> = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        *looked += 1;
        if *looked > MOST_ENTRIES {
            return Err(Exit::usage(msg!("cli-apply-too-many", most = MOST_FILES)));
        }
        let is_folder = entry.file_type().map_err(unreadable)?.is_dir();
        entries.push((entry.path(), is_folder));
    }
    entries.sort();
    for (path, is_folder) in entries {
        if found.len() > MOST_FILES {
            break;
        }
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if is_folder && depth > 0 {
            folder(&path, depth - 1, (found, looked))?;
        } else if !is_folder && path.is_file() && matches!(ending, "yaml" | "yml" | "json") {
            found.push(path.to_string_lossy().into_owned());
        }
    }
    Ok(())
}

/// From `-p` and `--param-file`; what the line says stands before what a file says.
fn parameters(session: &Session, apply: &Apply) -> Result<BTreeMap<String, String>, Exit> {
    let mut found = BTreeMap::new();
    for text in &apply.parameters {
        let (name, value) =
            text.split_once('=').ok_or_else(|| Exit::usage(msg!("openshift-param-form", text = text)))?;
        if found.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(Exit::usage(msg!("cli-param-twice", name = name)));
        }
    }
    for file in &apply.parameter_files {
        let text = read(file)?;
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (name, value) =
                line.split_once('=').ok_or_else(|| Exit::usage(msg!("openshift-param-form", text = line)))?;
            if found.contains_key(name) {
                let said = msg!("cli-param-file-ignored", name = name, path = file);
                session.terminal.note(&super::language::say(&said));
                continue;
            }
            found.insert(name.to_owned(), value.to_owned());
        }
    }
    Ok(found)
}

/// A file, or standard input for `-`.
fn read(path: &str) -> Result<String, Exit> {
    let mut bytes = Vec::new();
    let done = match path {
        "-" => std::io::stdin().take(LONGEST + 1).read_to_end(&mut bytes),
        _ => std::fs::File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes)),
    };
    match done {
        Ok(read) if read as u64 > LONGEST => {
            Err(Exit::usage(msg!("cli-apply-too-large", path = path, longest = LONGEST)))
        }
        Ok(_) => String::from_utf8(bytes).map_err(|_| Exit::usage(msg!("cli-apply-not-utf8", path = path))),
        Err(cause) if path == "-" => Err(Exit::failed(msg!("cli-stdin", cause = cause))),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            Err(Exit::not_found(msg!("cli-no-file", path = path)))
        }
        Err(cause) => Err(Exit::failed(msg!("cli-unreadable", path = path, cause = cause))),
    }
}
