//! The command line as clap reads it: every verb, flag and their one-line descriptions.
//!
//! The descriptions are messages like every other sentence. They are looked up only when
//! somebody asks for help, so that `ping`, which is run every few seconds, does not pay for them.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, FromArgMatches, Parser, Subcommand};

use super::terminal::Terminal;
use super::{account, apply, check, image, language, lint, ping, pipeline, repository, run, stream};
use crate::config::SETTINGS;
use crate::model::{Error, Message};
use crate::msg;

thread_local! {
    static WANTED: Cell<bool> = const { Cell::new(true) };
}

/// The description's text, or nothing while nobody is going to read it.
pub fn about(message: Message) -> String {
    if WANTED.get() { language::say(&message) } else { String::new() }
}

#[derive(Debug, Parser)]
#[command(name = "ropewalk", version, about = about(msg!("cli-about")), disable_help_subcommand = true)]
pub struct Line {
    /// JSON instead of text.
    #[arg(long, global = true, help = about(msg!("cli-flag-json")))]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    #[command(about = about(msg!("cli-serve")))]
    Serve(ServeFlags),
    #[command(about = about(msg!("cli-ping")))]
    Ping(ping::Ping),
    #[command(about = about(msg!("cli-check")))]
    Check(check::Check),
    #[command(about = about(msg!("cli-lint")))]
    Lint(lint::Lint),
    #[command(subcommand, about = about(msg!("cli-user")))]
    User(account::User),
    #[command(subcommand, about = about(msg!("cli-token")))]
    Token(account::Token),
    #[command(subcommand, about = about(msg!("cli-repo")))]
    Repo(repository::Repo),
    #[command(subcommand, about = about(msg!("cli-pipeline")))]
    Pipeline(pipeline::Pipeline),
    #[command(subcommand, about = about(msg!("cli-run")))]
    Run(run::Run),
    #[command(subcommand, about = about(msg!("cli-image")))]
    Image(image::Image),
    #[command(about = about(msg!("cli-apply")))]
    Apply(apply::Apply),
    #[command(subcommand, about = about(msg!("cli-stream")))]
    Stream(stream::Stream),
    #[command(about = about(msg!("cli-version")))]
    Version,
}

/// The flags of `serve`, made from the table of settings.
#[derive(Clone, Debug)]
pub struct ServeFlags {
    /// By the flag's name without dashes.
    pub given: BTreeMap<String, String>,
}

impl Args for ServeFlags {
    fn augment_args(mut command: clap::Command) -> clap::Command {
        for setting in SETTINGS {
            let mut help = about((setting.help)());
            if !help.is_empty() {
                let default = if setting.default.is_empty() {
                    String::new()
                } else {
                    format!(" [{}]", setting.default)
                };
                help = format!("{help}{default} [{}]", setting.variable());
            }
            let flag = clap::Arg::new(setting.flag).long(setting.flag).value_name(setting.value).help(help);
            command = command.arg(flag);
        }
        command
    }
    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ServeFlags {
    fn from_arg_matches(matches: &clap::ArgMatches) -> Result<Self, clap::Error> {
        let one = |setting: &crate::config::Setting| {
            let value = matches.get_one::<String>(setting.flag)?;
            Some((setting.flag.to_owned(), value.clone()))
        };
        Ok(ServeFlags { given: SETTINGS.iter().filter_map(one).collect() })
    }
    fn update_from_arg_matches(&mut self, matches: &clap::ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Reads the arguments; the error is what clap has to say, help included.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Line, clap::Error> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    WANTED.set(false);
    let quick = Line::try_parse_from(&arguments);
    WANTED.set(true);
    match quick {
        Err(refused) if is_help(&refused) => Line::try_parse_from(&arguments),
        other => other,
    }
}

fn is_help(refused: &clap::Error) -> bool {
    matches!(refused.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand)
}

/// What is wrong with the value of an argument, when one of our own types has refused it.
pub fn sentence(refused: &clap::Error) -> Option<String> {
    let cause = std::error::Error::source(refused)?.downcast_ref::<Error>()?;
    let text = language::say(cause.message()?);
    let argument = match refused.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(argument)) => argument,
        _ => return Some(text),
    };
    Some(format!("{argument}: {text}"))
}

/// Prints help, the version or what is wrong with the arguments.
pub fn explain(refused: &clap::Error) -> ExitCode {
    match sentence(refused) {
        // What a value may not be is said by a message of ours, of which clap knows the key alone.
        Some(sentence) => Terminal::of_process().note(&format!("ropewalk: {sentence}")),
        None => drop(refused.print()),
    }
    match refused.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
        _ => ExitCode::from(2),
    }
}
