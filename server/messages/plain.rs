//! Sentences without choices: text with arguments in it, which is nearly all of them. They are cut into
//! pieces once and joined without Fluent, which would cost a page more than everything else it does.
//! What has choices, or anything else than `{ $name }`, is left to Fluent.

/// A part of a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    Text(&'static str),
    Argument(&'static str),
}

/// A key and its sentence.
type Sentence = (&'static str, Box<[Piece]>);

/// The plain sentences of a catalogue file, and the rest of the file for Fluent.
pub fn split(text: &'static str) -> (Vec<Sentence>, String) {
    let (mut plain, mut rest) = (Vec::new(), String::new());
    for entry in entries(text) {
        match sentence(entry) {
            Some(found) => plain.push(found),
            None => rest.push_str(entry),
        }
    }
    (plain, rest)
}

/// Each message with the lines that belong to it; comments are left out.
fn entries(text: &'static str) -> Vec<&'static str> {
    let mut starts = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with(|c: char| c.is_ascii_alphabetic() || c == '#' || c == '-') {
            starts.push(at);
        }
        at += line.len();
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let found = starts.iter().zip(ends).map(|(start, end)| &text[*start..end]);
    found.filter(|entry| !entry.starts_with('#')).collect()
}

/// `key = text { $argument } text`, on one line.
fn sentence(entry: &'static str) -> Option<Sentence> {
    let (key, value) = entry.trim_end().split_once('=')?;
    let value = value.trim();
    if value.contains('\n') || value.is_empty() || key.starts_with('-') {
        return None;
    }
    let mut pieces = Vec::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('{') {
        let (inner, after) = after.split_once('}')?;
        let name = inner.trim().strip_prefix('$')?;
        if !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
            || before.contains('}')
        {
            return None;
        }
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        pieces.push(Piece::Argument(name));
        rest = after;
    }
    if rest.contains('}') {
        return None;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Some((key.trim(), pieces.into_boxed_slice()))
}

/// The sentence with its arguments; one that is not given is shown by its name, as Fluent does.
pub fn join(pieces: &[Piece], args: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(pieces.len() * 24);
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Argument(name) => match args.iter().find(|(given, _)| given == name) {
                Some((_, value)) => out.push_str(value),
                None => {
                    out.push_str("{$");
                    out.push_str(name);
                    out.push('}');
                }
            },
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use fluent_bundle::concurrent::FluentBundle;
    use fluent_bundle::{FluentArgs, FluentResource};

    use super::super::{FILES, argument};
    use super::*;

    #[test]
    fn what_has_choices_is_left_to_fluent() {
        let text = "# note\na-b = One { $n } two.\n\nc = { $n ->\n    [one] 1\n   *[other] { $n }\n}\nd = { \"x\" }\ne=f\n";
        let (plain, rest) = split(text);
        let keys: Vec<_> = plain.iter().map(|(key, _)| *key).collect();
        assert_eq!(keys, ["a-b", "e"]);
        assert_eq!(join(&plain[0].1, &[("n", "<7>")]), "One <7> two.");
        assert_eq!(join(&plain[0].1, &[]), "One {$n} two.");
        assert!(rest.starts_with("c = {") && rest.contains("*[other]") && rest.contains("d ="), "{rest}");
    }

    #[test]
    fn every_plain_sentence_is_what_fluent_would_say() {
        let mut compared = 0;
        for (language, room, text) in FILES {
            let mut bundle = FluentBundle::new_concurrent(vec![language.as_str().parse().unwrap()]);
            bundle.set_use_isolating(false);
            bundle.add_resource(FluentResource::try_new((*text).to_owned()).unwrap()).unwrap();
            for (key, pieces) in split(text).0 {
                let names = pieces.iter().filter_map(|piece| match piece {
                    Piece::Argument(name) => Some(*name),
                    Piece::Text(_) => None,
                });
                let args: Vec<_> = names.map(|name| (name, "a <b> 7")).collect();
                let mut values = FluentArgs::new();
                args.iter().for_each(|(name, value)| values.set(*name, argument(value)));
                let pattern = bundle.get_message(key).unwrap().value().unwrap();
                let said = bundle.format_pattern(pattern, Some(&values), &mut Vec::new()).into_owned();
                assert_eq!(join(&pieces, &args), said, "{language} {room} {key}");
                compared += 1;
            }
        }
        assert!(compared > 1000, "{compared}");
    }
}
