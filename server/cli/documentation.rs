//! `docs/reference/cli.md` and `configuration.md` say what the program says: the parts between their marks
//! are made from clap and from the table of settings. Run with `ROPEWALK_WRITE_DOCS=1` to write them anew.

use std::fmt::Write as _;

use crate::config::SETTINGS;

use super::language::say;

const BEGIN: &str = "<!-- made from the program; do not edit below -->\n";

fn check(page: &str, made: &str) {
    let path = format!("{}/docs/reference/{page}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, committed) = text.split_once(BEGIN).expect("the page has its mark");
    if std::env::var_os("ROPEWALK_WRITE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{made}")).unwrap();
        return;
    }
    assert_eq!(committed, made, "{page} is not what the program says; run with ROPEWALK_WRITE_DOCS=1");
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

fn section(command: &clap::Command, path: &str, out: &mut String) {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let verbs: Vec<_> = command.get_subcommands().collect();
    if !verbs.is_empty() {
        for verb in verbs {
            section(verb, &format!("{path} {}", verb.get_name()), out);
        }
        return;
    }
    let _ = write!(out, "\n## `{path}`\n\n{about}.\n");
    if path == "ropewalk serve" {
        out.push_str("\nIts flags are the settings of [configuration.md](configuration.md).\n");
        return;
    }
    let arguments: Vec<_> = command
        .get_arguments()
        .filter(|argument| !matches!(argument.get_id().as_str(), "help" | "json" | "version"))
        .collect();
    if arguments.is_empty() {
        return;
    }
    out.push_str("\n| argument | |\n|---|---|\n");
    for argument in arguments {
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default().replace('|', "\\|");
        let usage = argument.to_string();
        let short = argument.get_short().map(|short| format!("-{short}, ")).unwrap_or_default();
        let default = argument
            .get_default_values()
            .first()
            .filter(|v| *v != "false")
            .map(|v| format!(" ({})", v.to_string_lossy()));
        let _ =
            writeln!(out, "| {} | {help}{} |", code(&format!("{short}{usage}")), default.unwrap_or_default());
    }
}

#[test]
fn the_page_of_commands_is_what_clap_says() {
    let mut made = String::new();
    let mut command = super::command();
    command.build();
    section(&command, "ropewalk", &mut made);
    assert!(made.matches("\n## ").count() >= 20, "{made}");
    check("cli.md", &made);
}

#[test]
fn the_page_of_settings_is_the_table() {
    let mut made = "\n| flag | variable | without it | |\n|---|---|---|---|\n".to_owned();
    for setting in SETTINGS {
        let mut variable = code(&setting.variable());
        if setting.is_secret() {
            let _ = write!(variable, ", or {} with a file", code(&format!("{}_FILE", setting.variable())));
        }
        let default = if setting.default.is_empty() { String::new() } else { code(setting.default) };
        let flag = code(&format!("--{} {}", setting.flag, setting.value));
        let _ = writeln!(made, "| {flag} | {variable} | {default} | {} |", say(&(setting.help)()));
    }
    check("configuration.md", &made);
}
