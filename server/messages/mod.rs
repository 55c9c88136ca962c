//! The message catalogue: keys to sentences in four languages.
//!
//! The sentences are Fluent files, one per room and language, compiled into the server. Whoever has a
//! `Message` gets its text here and nowhere else; an argument is inserted as it is and is never read as
//! markup or as Fluent, so the place that shows the text has to escape it (the templates do). A key that
//! a language lacks is shown in English, a key that nobody knows is shown itself: a page never fails for
//! want of a word. The tests see to it that neither happens.

#[cfg(test)]
mod catalogue_test;
mod language;
mod plain;

use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use jiff::Timestamp;

pub use language::Language;
use plain::Piece;

use crate::model::Message;

/// `(language, room, text)` of every catalogue file. A room that gets its first sentence adds its line
/// to the list below; a test finds files that are not on it.
macro_rules! catalogue_files {
    ($($room:literal),* $(,)?) => {
        &[$(
            (Language::English, $room, include_str!(concat!("../../web-templates/messages/en/", $room, ".ftl"))),
            (Language::Korean, $room, include_str!(concat!("../../web-templates/messages/ko/", $room, ".ftl"))),
            (
                Language::TraditionalChinese,
                $room,
                include_str!(concat!("../../web-templates/messages/zh-TW/", $room, ".ftl")),
            ),
            (
                Language::BrazilianPortuguese,
                $room,
                include_str!(concat!("../../web-templates/messages/pt-BR/", $room, ".ftl")),
            ),
        )*]
    };
}

const FILES: &[(Language, &str, &str)] = catalogue_files![
    "app",
    "cli",
    "docker",
    "endpoints",
    "git",
    "health",
    "hooks",
    "logs",
    "model",
    "pins",
    "pipeline",
    "registry",
    "run",
    "store",
    "streams",
    "trigger",
    "variables",
    "watch",
    "web",
    "web-api",
    "web-pages",
];

/// One language's sentences.
struct Spoken {
    plain: HashMap<&'static str, Box<[Piece]>>,
    /// Those with choices in them.
    chosen: FluentBundle<FluentResource>,
}

/// One per language, in the order of `Language::ALL`; read when the first sentence of it is wanted.
static CATALOGUES: [OnceLock<Spoken>; 4] = [const { OnceLock::new() }; 4];

fn find(language: Language, key: &str, args: &[(&str, &str)]) -> Option<String> {
    let spoken = CATALOGUES[language as usize].get_or_init(|| Spoken::load(language));
    if let Some(pieces) = spoken.plain.get(key) {
        return Some(plain::join(pieces, args));
    }
    let pattern = spoken.chosen.get_message(key)?.value()?;
    let mut values = FluentArgs::new();
    for (name, value) in args {
        values.set((*name).to_owned(), argument(value));
    }
    Some(spoken.chosen.format_pattern(pattern, Some(&values), &mut Vec::new()).into_owned())
}

impl Spoken {
    fn load(language: Language) -> Self {
        let identifier = language.as_str().parse().unwrap_or_default();
        let mut chosen = FluentBundle::new_concurrent(vec![identifier]);
        // Isolation marks are invisible characters around each argument; they would end up in copied commands.
        chosen.set_use_isolating(false);
        let mut plain = HashMap::new();
        for (_, _, text) in FILES.iter().filter(|(l, _, _)| *l == language) {
            let (sentences, rest) = plain::split(text);
            plain.extend(sentences);
            let resource = FluentResource::try_new(rest).unwrap_or_else(|(part, _)| part);
            let _ = chosen.add_resource(resource);
        }
        Spoken { plain, chosen }
    }
}

/// The sentence in `language`, else in English, else the key. Plain text: escape it where it is shown.
pub fn render(language: Language, message: &Message) -> String {
    let args = message.args.iter().map(|(name, value)| (&**name, value.as_str()));
    render_parts(language, &message.key, args)
}

/// As `render`, from a key and `(name, value)` pairs.
pub fn render_parts<'a>(
    language: Language,
    key: &str,
    args: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let args: Vec<_> = args.into_iter().collect();
    find(language, key, &args)
        .or_else(|| find(Language::English, key, &args))
        .unwrap_or_else(|| key.to_owned())
}

/// Whole numbers are given as numbers, so that `[one]` and `[other]` work; everything else as text.
/// Only where the number prints exactly as it was given: an id of digits must not lose its zeros.
fn argument(value: &str) -> FluentValue<'static> {
    match value.parse::<u32>() {
        Ok(number) if number.to_string() == value => FluentValue::from(number),
        _ => FluentValue::from(value.to_owned()),
    }
}

/// `2026-11-20 12:52:03 UTC`: dates are ISO with their zone in every language.
pub fn date_time(at: Timestamp) -> impl fmt::Display {
    at.strftime("%Y-%m-%d %H:%M:%S UTC")
}

/// `2026-11-20T12:52:03Z`, for `datetime` attributes.
pub fn date_time_machine(at: Timestamp) -> impl fmt::Display {
    at.strftime("%Y-%m-%dT%H:%M:%SZ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_text_and_stay_as_they_are() {
        let hostile = "<img src=x> { $other } \u{202e} 007";
        let text = render(Language::English, &crate::msg!("name-reserved", name = hostile));
        assert!(text.contains(hostile), "{text}");
        assert!(!text.contains('\u{2068}'), "no isolation marks");
        assert!(render(Language::Korean, &crate::msg!("status-unknown", status = "007")).contains("007"));
    }

    #[test]
    fn an_unknown_key_is_shown_itself() {
        assert_eq!(render(Language::Korean, &Message::new("no-such-key")), "no-such-key");
    }

    #[test]
    fn dates_are_iso_with_zone() {
        let at: Timestamp = "2026-11-20T12:52:03.5Z".parse().unwrap();
        assert_eq!(date_time(at).to_string(), "2026-11-20 12:52:03 UTC");
        assert_eq!(date_time_machine(at).to_string(), "2026-11-20T12:52:03Z");
    }
}
