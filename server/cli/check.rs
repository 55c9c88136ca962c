//! `check`: whether what is stored is whole: the database by SQLite's own checks, every repository by
//! `git fsck`, and that each repository's row has its folder. It reads only and repairs nothing.

use clap::Args;
use serde_json::json;

use super::Session;
use super::arguments::about;
use super::exit::Exit;
use super::language::say;
use crate::git::Repositories;
use crate::msg;
use crate::store::{Store, repositories};

#[derive(Debug, Args)]
pub struct Check {
    #[arg(long, value_name = "DIR", help = about(msg!("cli-flag-data")))]
    data: Option<String>,
}

/// Something that is not whole: which part, and the checking program's own words.
struct Problem {
    part: String,
    text: String,
}

pub async fn check(session: &Session, check: &Check) -> Result<(), Exit> {
    let data = session.data(check.data.as_deref())?;
    let store = Store::open(&data)?;
    let git = Repositories::open_in(&data)?;
    let named = |part: &str, lines: Vec<String>| {
        let part = part.to_owned();
        lines.into_iter().map(move |text| Problem { part: part.clone(), text })
    };
    let mut problems: Vec<Problem> = named("database", store.check()?).collect();
    let all = store.read(repositories::all)?;
    for repository in &all {
        let part = repository.path.to_string();
        if git.exists(&repository.path) {
            problems.extend(named(&part, git.fsck(&repository.path).await?));
        } else if repository.remote.is_none() {
            problems.extend(named(&part, vec![say(&msg!("cli-check-no-folder"))]));
        }
    }
    report(session, all.len(), &problems)
}

fn report(session: &Session, repositories: usize, problems: &[Problem]) -> Result<(), Exit> {
    if session.json {
        let one = |p: &Problem| json!({ "part": p.part, "message": p.text });
        let problems: Vec<_> = problems.iter().map(one).collect();
        let value = json!({ "ok": problems.is_empty(), "repositories": repositories, "problems": problems });
        session.terminal.json(&value)?;
    } else {
        for problem in problems {
            session.terminal.line(&format!("{}: {}", problem.part, problem.text))?;
        }
        if problems.is_empty() {
            session.terminal.line(&say(&msg!("cli-check-ok", repositories = repositories)))?;
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(Exit::silent()) }
}
