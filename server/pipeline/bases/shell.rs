//! A shell script as the search for files reads it: simple commands of words, subshells marked. Quotes come off,
//! variables stay as they are written. It understands no more than that, and every text is a script to it.

use std::iter::Peekable;
use std::str::Chars;

/// Deepest `$(... $(...))`.
const DEEPEST: usize = 4;
/// Most words of a script.
const MOST_WORDS: usize = 100_000;

#[derive(Debug, PartialEq, Eq)]
pub enum Token {
    /// A subshell begins.
    Open,
    Close,
    Command(Vec<String>),
}

pub fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !text.as_bytes()[0].is_ascii_digit()
}

#[derive(Default)]
struct Reader {
    found: Vec<Token>,
    words: Vec<String>,
    word: Option<String>,
    count: usize,
}

impl Reader {
    fn end_word(&mut self) {
        if let Some(word) = self.word.take() {
            self.count += 1;
            self.words.push(word);
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        if !self.words.is_empty() {
            self.found.push(Token::Command(std::mem::take(&mut self.words)));
        }
    }

    fn push(&mut self, c: char) {
        self.word.get_or_insert_default().push(c);
    }
}

/// The simple commands of a script, in order; those within `$(...)` before the one they are a part of.
pub fn commands(script: &str) -> Vec<Token> {
    let mut reader = Reader::default();
    read(script, 0, &mut reader);
    reader.found
}

/// What stands in `$(` or `` ` `` until that ends.
fn inner(chars: &mut Peekable<Chars<'_>>, ends: char) -> String {
    let mut text = String::new();
    let mut open = 1usize;
    for c in chars.by_ref() {
        match c {
            c if c == ends => open -= 1,
            '(' if ends == ')' => open += 1,
            _ => {}
        }
        if open == 0 {
            break;
        }
        text.push(c);
    }
    text
}

/// The commands within `$(...)`; the word has a backtick in their place, as only the shell knows what comes of them.
fn substituted(text: &str, depth: usize, reader: &mut Reader) {
    if depth < DEEPEST {
        let mut within = Reader { count: reader.count, ..Reader::default() };
        read(text, depth + 1, &mut within);
        reader.count = within.count;
        reader.found.push(Token::Open);
        reader.found.append(&mut within.found);
        reader.found.push(Token::Close);
    }
    reader.push('`');
}

fn read(script: &str, depth: usize, reader: &mut Reader) {
    let mut chars = script.chars().peekable();
    let mut quote: Option<char> = None;
    // Braces of `${...}` that are open.
    let mut braces = 0usize;
    while let Some(c) = chars.next() {
        if reader.count >= MOST_WORDS {
            break;
        }
        match (quote, c) {
            (Some('\''), c) if c != '\'' => reader.push(c),
            (_, '$' | '`') if braces == 0 && (c == '`' || chars.peek() == Some(&'(')) => {
                let ends = if c == '`' { '`' } else { chars.next().map_or(')', |_| ')') };
                substituted(&inner(&mut chars, ends), depth, reader);
            }
            (_, '\\') => match chars.next() {
                Some('\n') | None => {}
                Some('\r') if chars.peek() == Some(&'\n') => drop(chars.next()),
                Some(next) => reader.push(next),
            },
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => reader.push(c),
            (None, '"' | '\'') => {
                quote = Some(c);
                reader.word.get_or_insert_default();
            }
            (None, '$') if chars.peek() == Some(&'{') => {
                braces += 1;
                reader.push('$');
            }
            (None, '}') if braces > 0 => {
                braces -= 1;
                reader.push('}');
            }
            (None, c) if braces > 0 => reader.push(c),
            (None, '#') if reader.word.is_none() => {
                while chars.peek().is_some_and(|c| *c != '\n') {
                    chars.next();
                }
            }
            (None, '\n' | ';' | '&' | '|') => reader.end_command(),
            (None, '(') => {
                reader.end_command();
                reader.found.push(Token::Open);
            }
            (None, ')') => {
                reader.end_command();
                reader.found.push(Token::Close);
            }
            (None, '<' | '>') => {
                // What a command reads or writes is none of its words.
                reader.end_word();
                reader.push(c);
            }
            (None, '{' | '}') if reader.word.is_none() => {}
            (None, c) if c.is_whitespace() => reader.end_word(),
            (None, c) => reader.push(c),
        }
    }
    reader.end_command();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_apart() {
        let found = commands("cd 'a b' && (cd ../c; docker build \\\n -f \"${X:-a b}\" .) # no\nx | y");
        let command = |words: &[&str]| Token::Command(words.iter().map(|word| (*word).to_owned()).collect());
        assert_eq!(
            found,
            [
                command(&["cd", "a b"]),
                Token::Open,
                command(&["cd", "../c"]),
                command(&["docker", "build", "-f", "${X:-a b}", "."]),
                Token::Close,
                command(&["x"]),
                command(&["y"]),
            ]
        );
        let found = commands("a=\"x$(docker build -q `b`)\" c");
        assert_eq!(
            found,
            [
                Token::Open,
                Token::Open,
                command(&["b"]),
                Token::Close,
                command(&["docker", "build", "-q", "`"]),
                Token::Close,
                command(&["a=x`", "c"]),
            ]
        );
    }
}
