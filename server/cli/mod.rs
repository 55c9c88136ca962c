//! The door for a terminal: the arguments, and one file per verb.
//!
//! Verbs of the first kind (`user`, `token`, `check`, `adopt`) work on the data directory itself, verbs of
//! the second kind (`run`, `repo`, `pipeline`, `image`, `stream`, `apply`) talk to a server through its API and know
//! nothing of its files. `serve` is only read here; `main` hands it to `app`. Exit codes are part of the
//! interface: 0 done, 1 failed, 2 usage, 3 not allowed, 4 not found, 124 out of time.

mod account;
mod adopt;
mod apply;
mod arguments;
mod check;
mod client;
#[cfg(test)]
mod documentation;
mod exit;
mod image;
mod language;
mod lint;
mod ping;
mod pipeline;
mod repository;
mod run;
mod stream;
mod terminal;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use crate::config::{self, Environment};
use crate::model::Result;
use crate::msg;
use arguments::{Command, Line};
use exit::Exit;
use terminal::Terminal;

/// What every verb gets: where to write, and the `ROPEWALK_*` variables.
struct Session {
    terminal: Terminal,
    environment: Environment,
    /// `--json`.
    json: bool,
}

/// Reads the process's arguments and carries them out; `serve` is what starts the server.
pub fn run(serve: impl FnOnce(config::Serve) -> Result<()>) -> ExitCode {
    let line = match arguments::parse(std::env::args_os()) {
        Ok(line) => line,
        Err(refused) => return arguments::explain(&refused),
    };
    let session = Session { terminal: Terminal::of_process(), environment: environment(), json: line.json };
    let outcome = match line.command {
        Command::Serve(flags) => start(&session, &flags.given, serve),
        other => carry_out(&session, other),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(exit) => {
            session.terminal.complain(&exit);
            exit.code()
        }
    }
}

/// The arguments as clap knows them, for documentation and its test.
pub fn command() -> clap::Command {
    <Line as clap::CommandFactory>::command()
}

/// The password that was made up for `admin`, once, on standard error: there the first start's log is read.
pub fn tell_first_password(password: &crate::model::Secret) {
    // In English always: `compose/up` looks for this line.
    Terminal::of_process().note(&format!("first password for admin: {}", password.reveal()));
}

fn start(
    session: &Session,
    flags: &std::collections::BTreeMap<String, String>,
    serve: impl FnOnce(config::Serve) -> Result<()>,
) -> Result<(), Exit> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    serve(config::resolve(flags, &session.environment, cores)?)?;
    Ok(())
}

fn carry_out(session: &Session, command: Command) -> Result<(), Exit> {
    match command {
        Command::Ping(ping) => ping::ping(session, &ping),
        Command::Version => {
            let version = env!("CARGO_PKG_VERSION");
            session.answer(&serde_json::json!({ "version": version }), &format!("ropewalk {version}"))
        }
        Command::Lint(lint) => lint::lint(session, &lint),
        Command::User(user) => wait(account::user(session, user)),
        Command::Token(token) => wait(account::token(session, token)),
        Command::Adopt(adopt) => wait(adopt::adopt(session, &adopt)),
        Command::Check(check) => wait(check::check(session, &check)),
        Command::Repo(repo) => wait(repository::repository(session, repo)),
        Command::Pipeline(command) => wait(pipeline::pipeline(session, command)),
        Command::Run(command) => wait(run::run(session, command)),
        Command::Image(command) => wait(image::image(session, command)),
        Command::Apply(apply) => wait(apply::apply(session, apply)),
        Command::Stream(command) => wait(stream::stream(session, command)),
        // Taken care of by `run`.
        Command::Serve(_) => Ok(()),
    }
}

fn wait(work: impl Future<Output = Result<(), Exit>>) -> Result<(), Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|e| Exit::failed(msg!("cli-runtime", cause = e)))?.block_on(work)
}

fn environment() -> Environment {
    let ours = std::env::vars_os().map(|(name, value)| (name.to_string_lossy().into_owned(), value));
    ours.filter(|(name, _)| name.starts_with("ROPEWALK_"))
        .map(|(name, value)| (name, value.to_string_lossy().into_owned()))
        .collect()
}

impl Session {
    /// One or the other, by `--json`.
    fn answer(&self, value: &serde_json::Value, text: &str) -> Result<(), Exit> {
        if self.json { self.terminal.json(value) } else { self.terminal.line(text) }
    }

    /// A list: as JSON, or one row each.
    fn answer_list(
        &self,
        items: Vec<serde_json::Value>,
        row: impl Fn(&serde_json::Value) -> Vec<String>,
    ) -> Result<(), Exit> {
        if self.json {
            return self.terminal.json(&items.into());
        }
        self.terminal.table(&items.iter().map(row).collect::<Vec<_>>())
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The data directory of `--data`, else of `ROPEWALK_DATA`, else `./data`.
    fn data(&self, flag: Option<&str>) -> Result<std::path::PathBuf, Exit> {
        let data = config::absolute(flag.or(self.variable("ROPEWALK_DATA")).unwrap_or("./data"))?;
        if data.is_dir() {
            return Ok(data);
        }
        Err(Exit::not_found(msg!("cli-no-data", path = data.display())))
    }
}
