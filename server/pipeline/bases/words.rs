//! The words and flags of an instruction, with their places.

/// A word and where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word<'t> {
    pub text: &'t str,
    pub at: usize,
}

/// `--name=value`; without a value that is empty.
#[derive(Debug, PartialEq, Eq)]
pub struct Flag<'t> {
    pub name: &'t str,
    pub value: Word<'t>,
}

/// The words of `text` from `from` on; quotes keep a word together.
pub fn words(text: &str, from: usize) -> Vec<Word<'_>> {
    let mut found = Vec::new();
    let mut at = from;
    while let Some(word) = word(text, at) {
        at = word.at + word.text.len();
        found.push(word);
    }
    found
}

fn word(text: &str, from: usize) -> Option<Word<'_>> {
    let rest = text.get(from..)?;
    let trimmed = rest.trim_start();
    let at = from + rest.len() - trimmed.len();
    let mut quote = None;
    let mut end = trimmed.len();
    for (index, c) in trimmed.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, c) if c.is_whitespace() => {
                end = index;
                break;
            }
            (None, _) => {}
        }
    }
    // A quote without its other half keeps nothing together.
    if quote.is_some() {
        end = trimmed.find(char::is_whitespace).unwrap_or(trimmed.len());
    }
    (end > 0).then(|| Word { text: &trimmed[..end], at })
}

/// The flags that follow an instruction's keyword, and where what is behind them begins.
pub fn flags(text: &str, from: usize) -> (Vec<Flag<'_>>, usize) {
    let mut found = Vec::new();
    let mut at = from;
    while let Some(word) = word(text, at)
        && let Some(flag) = word.text.strip_prefix("--")
    {
        at = word.at + word.text.len();
        if flag.is_empty() {
            break;
        }
        let (name, value) = flag.split_once('=').unwrap_or((flag, ""));
        let value = Word { text: value, at: at - value.len() };
        found.push(Flag { name, value });
    }
    (found, at)
}

/// Where the text within quotes around all of it begins, and that text. Within single quotes nothing is put in, so
/// they only come off where that makes no difference.
pub fn unquoted(text: &str) -> (usize, &str) {
    let within = |quote: char| {
        let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
        (!inner.contains(['"', '\'']) && (quote == '"' || !inner.contains(['$', '\\']))).then_some(inner)
    };
    match within('"').or_else(|| within('\'')) {
        Some(inner) => (1, inner),
        None => (0, text),
    }
}

/// How a named context is found: by the image's name as Docker completes it.
pub fn context_key(name: &str) -> String {
    let name = name.to_lowercase();
    let name = name.strip_prefix("docker.io/").unwrap_or(&name);
    let name = name.strip_prefix("library/").unwrap_or(name);
    name.strip_suffix(":latest").unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_and_words_are_found_with_their_places() {
        let text = "COPY  --from=\"a b\" --link --chown=1:1 x 'y z' w";
        let (found, rest) = flags(text, 4);
        let names: Vec<_> = found.iter().map(|flag| (flag.name, flag.value.text)).collect();
        assert_eq!(names, [("from", "\"a b\""), ("link", ""), ("chown", "1:1")]);
        assert_eq!(&text[found[0].value.at..][..5], "\"a b\"");
        let rest: Vec<_> = words(text, rest).into_iter().map(|word| word.text).collect();
        assert_eq!(rest, ["x", "'y z'", "w"]);
        assert_eq!(flags("RUN -- --x", 3).1, 6);
        let open: Vec<_> = words("it's so", 0).into_iter().map(|word| word.text).collect();
        assert_eq!(open, ["it's", "so"]);
    }

    #[test]
    fn only_quotes_around_everything_come_off() {
        for (text, expected) in [
            ("\"a\"", (1, "a")),
            ("'a'", (1, "a")),
            ("'$a'", (0, "'$a'")),
            ("\"$a\"", (1, "$a")),
            ("\"a\"b\"c\"", (0, "\"a\"b\"c\"")),
            ("\"", (0, "\"")),
            ("a\"b\"", (0, "a\"b\"")),
        ] {
            assert_eq!(unquoted(text), expected);
        }
        assert_eq!(context_key("docker.io/library/Debian:latest"), "debian");
    }
}
