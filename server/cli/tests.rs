//! What several verbs need for their tests, and the command line as a whole.

use super::*;

pub fn session() -> Session {
    session_with(&[])
}

pub fn session_with(variables: &[(&str, &str)]) -> Session {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Session {
        terminal: Terminal::of_process(),
        environment: variables.iter().map(pair).collect(),
        json: false,
    }
}

fn parse(line: &str) -> Result<Line, clap::Error> {
    arguments::parse(line.split_whitespace().map(std::ffi::OsString::from))
}

#[test]
fn the_whole_command_line_is_consistent() {
    command().debug_assert();
}

#[test]
fn usage_errors_exit_with_two_and_help_with_zero() {
    for bad in [
        "ropewalk",
        "ropewalk sevre",
        "ropewalk serve --colour red",
        "ropewalk user add",
        "ropewalk run show marta/x notanumber",
        "ropewalk run list justaname",
        "ropewalk run list marta/../x",
        "ropewalk run log marta/x 1 --timeout 5",
        "ropewalk lint",
        "ropewalk image trace sha256:abc",
    ] {
        let refused = parse(bad).unwrap_err();
        assert_eq!(refused.exit_code(), 2, "{bad}: {refused}");
    }
    for good in ["ropewalk --help", "ropewalk run --help", "ropewalk run start --help", "ropewalk --version"]
    {
        assert_eq!(parse(good).unwrap_err().exit_code(), 0, "{good}");
    }
}

#[test]
fn what_a_value_may_not_be_is_said_in_a_sentence() {
    for bad in [
        "ropewalk image trace sha256:abc",
        "ropewalk stream show nothing",
        "ropewalk stream tag marta/x image",
        "ropewalk stream untag marta/x:",
        "ropewalk run list justaname",
        "ropewalk pipeline list ../x",
    ] {
        let refused = parse(bad).unwrap_err();
        let Some(said) = arguments::sentence(&refused) else { panic!("{bad}: {refused}") };
        let key = std::error::Error::source(&refused).unwrap().to_string();
        let key = key.split([' ', ':']).find(|word| word.contains('-')).unwrap().to_owned();
        assert!(!said.contains(&key) && said.split_whitespace().count() > 4, "{bad}: {said}");
    }
}

#[test]
fn json_is_taken_everywhere() {
    for line in [
        "ropewalk version --json",
        "ropewalk --json run list marta/x",
        "ropewalk run start marta/x --pipeline p --ref main --input A=1 -f --timeout 9 --json",
        "ropewalk check --data /x --json",
        "ropewalk token create marta --scope read --expires 30 --name laptop --json",
        "ropewalk image trace sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef --json",
    ] {
        assert!(parse(line).unwrap().json, "{line}");
    }
}

#[test]
fn every_argument_says_what_it_is_for() {
    fn below(command: &clap::Command, path: &str) {
        assert!(command.get_about().is_some_and(|about| !about.to_string().is_empty()), "{path}");
        for argument in command.get_arguments().filter(|a| !matches!(a.get_id().as_str(), "help" | "version"))
        {
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(!help.is_empty() && !help.starts_with("cli-"), "{path} {}: {help:?}", argument.get_id());
        }
        for inner in command.get_subcommands() {
            below(inner, &format!("{path} {}", inner.get_name()));
        }
    }
    below(&command(), "ropewalk");
}

#[test]
fn serve_takes_every_setting() {
    let line =
        parse("ropewalk serve --data /srv/rope --listen 127.0.0.1:0 --admin-password-file /x").unwrap();
    let Command::Serve(flags) = line.command else { panic!() };
    assert_eq!(flags.given.len(), 3);
    assert_eq!(flags.given["admin-password-file"], "/x");
}
