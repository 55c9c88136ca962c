//! `lint`: what a run would say about a definition, before it is pushed. Reads one file or folder of
//! scripts, asks no server.

use std::path::Path;

use clap::Args;
use serde_json::json;

use super::Session;
use super::arguments::about;
use super::exit::Exit;
use super::language::say;
use crate::model::Finding;
use crate::msg;
use crate::pipeline::{self, Script, Source};

#[derive(Debug, Args)]
pub struct Lint {
    #[arg(required_unless_present = "schema", value_name = "FILE", help = about(msg!("cli-arg-definition")))]
    file: Option<String>,
    #[arg(long, help = about(msg!("cli-flag-schema")))]
    schema: bool,
}

pub fn lint(session: &Session, lint: &Lint) -> Result<(), Exit> {
    let Some(file) = lint.file.as_deref().filter(|_| !lint.schema) else {
        return session.terminal.json(&pipeline::schema());
    };
    let findings = findings(Path::new(file))?;
    if session.json {
        let one = |f: &Finding| json!({ "path": file, "line": f.line, "column": f.column, "code": f.message.key, "message": say(&f.message) });
        session.terminal.json(&findings.iter().map(one).collect())?;
    } else {
        for finding in &findings {
            let place = format!("{file}:{}:{}", finding.line, finding.column);
            session.terminal.line(&format!("{place}: {}", say(&finding.message)))?;
        }
    }
    if findings.is_empty() { Ok(()) } else { Err(Exit::silent()) }
}

fn findings(path: &Path) -> Result<Vec<Finding>, Exit> {
    let unreadable = |cause: std::io::Error| match cause.kind() {
        std::io::ErrorKind::NotFound => Exit::not_found(msg!("cli-no-file", path = path.display())),
        _ => Exit::failed(msg!("cli-unreadable", path = path.display(), cause = cause)),
    };
    // In a repository the path would be relative; what decides is the name alone.
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_else(|| "ci".to_owned());
    if !path.is_dir() {
        return Ok(pipeline::lint(&name, &std::fs::read(path).map_err(unreadable)?));
    }
    let mut scripts = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let about = entry.metadata().map_err(unreadable)?;
        if about.is_file() {
            let name = entry.file_name().to_string_lossy().into_owned();
            scripts.push(Script { name, executable: executable(&about) });
        }
    }
    Ok(pipeline::read(&name, &Source::Folder(&scripts)).err().unwrap_or_default())
}

fn executable(about: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    about.permissions().mode() & 0o111 != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::tests::session;

    #[test]
    fn good_bad_missing() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            Lint { file: Some(path.to_str().unwrap().to_owned()), schema: false }
        };
        let good = "pipeline {\n  agent any\n  stages {\n    stage('Test') {\n      steps { sh 'make' }\n    }\n  }\n}\n";
        lint(&session(), &write("Jenkinsfile", good)).unwrap();
        let bad = write("Jenkinsfile", &good.replace("sh 'make'", "parallel()"));
        assert_eq!(lint(&session(), &bad).unwrap_err().number(), 1);
        let found = findings(&directory.path().join("Jenkinsfile")).unwrap();
        assert_eq!(found[0].line, 5, "{found:?}");
        let missing = Lint { file: Some("no/such/file".into()), schema: false };
        assert_eq!(lint(&session(), &missing).unwrap_err().number(), 4);
        write("00-verify.sh", "true\n");
        assert!(findings(directory.path()).unwrap().is_empty());
        lint(&session(), &Lint { file: None, schema: true }).unwrap();
    }
}
