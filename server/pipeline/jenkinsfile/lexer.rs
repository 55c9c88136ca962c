//! Cuts a Jenkinsfile's text into tokens in one pass: names, numbers, Groovy's strings, symbols,
//! newlines. Comments and the first line's `#!` are left out. It knows no keyword.

use super::super::finding::{Findings, Place};
use super::token::{Kind, Token};
use crate::msg;

pub struct Lexer<'a, 'f> {
    rest: &'a str,
    place: Place,
    pub(super) findings: &'f mut Findings,
}

/// The tokens of `text` (newlines are `\n` only), or `None` when a string or comment does not end.
pub fn tokens(text: &str, findings: &mut Findings) -> Option<Vec<Token>> {
    let mut lexer = Lexer { rest: text, place: Place::START, findings };
    if text.starts_with("#!") {
        lexer.skip_line();
    }
    let mut tokens: Vec<Token> = Vec::new();
    while let Some(c) = lexer.peek() {
        let place = lexer.place;
        let kind = match c {
            '\n' => lexer.take(Kind::Newline),
            c if c.is_whitespace() => {
                lexer.bump();
                continue;
            }
            '\\' if lexer.rest.starts_with("\\\n") => {
                lexer.bump();
                lexer.bump();
                continue;
            }
            '/' if lexer.rest.starts_with("//") => {
                lexer.skip_line();
                continue;
            }
            '/' if lexer.rest.starts_with("/*") => {
                lexer.skip_comment()?;
                continue;
            }
            '/' if !ends_value(tokens.last()) => lexer.slashy("/", "/")?,
            '$' if lexer.rest.starts_with("$/") && !ends_value(tokens.last()) => lexer.slashy("$/", "/$")?,
            '\'' | '"' => Kind::Str(lexer.string(c)?),
            c if c.is_alphabetic() || matches!(c, '_' | '$') => Kind::Name(lexer.word()),
            c if c.is_ascii_digit() => Kind::Number(lexer.word()),
            c => lexer.take(Kind::Symbol(c)),
        };
        tokens.push(Token { kind, place });
    }
    Some(tokens)
}

/// Whether a `/` behind this token divides; anywhere else it opens a string.
fn ends_value(token: Option<&Token>) -> bool {
    token.is_some_and(|token| match &token.kind {
        Kind::Name(_) | Kind::Number(_) | Kind::Str(_) | Kind::Slashy => true,
        Kind::Symbol(symbol) => matches!(symbol, ')' | ']' | '}'),
        Kind::Newline => false,
    })
}

impl<'a> Lexer<'a, '_> {
    pub fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub fn rest(&self) -> &'a str {
        self.rest
    }

    pub fn place(&self) -> Place {
        self.place
    }

    pub fn bump(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        self.place = self.place.past(c);
        Some(c)
    }

    /// Moves over `count` characters.
    pub fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.bump();
        }
    }

    fn take(&mut self, kind: Kind) -> Kind {
        self.bump();
        kind
    }

    /// Letters, digits, `_` and `$` from here on.
    pub fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(c) = self.peek().filter(|&c| c.is_alphanumeric() || matches!(c, '_' | '$')) {
            word.push(c);
            self.bump();
        }
        word
    }

    fn skip_line(&mut self) {
        while self.peek().is_some_and(|c| c != '\n') {
            self.bump();
        }
    }

    fn skip_comment(&mut self) -> Option<()> {
        let start = self.place;
        self.skip(2);
        while !self.rest.starts_with("*/") {
            if self.bump().is_none() {
                self.findings.at(start, msg!("pipeline-comment-open"));
                return None;
            }
        }
        self.skip(2);
        Some(())
    }

    /// A string between slashes, to its end; what is in it does not matter, since it is never carried out.
    fn slashy(&mut self, opener: &str, closer: &str) -> Option<Kind> {
        let start = self.place;
        let escape = if closer == "/" { '\\' } else { '$' };
        self.skip(opener.len());
        while !self.rest.starts_with(closer) {
            match self.bump() {
                Some(c) if c == escape => {
                    self.bump();
                }
                Some(_) => {}
                None => {
                    self.findings.at(start, msg!("pipeline-string-open"));
                    return None;
                }
            }
        }
        self.skip(closer.len());
        Some(Kind::Slashy)
    }
}
