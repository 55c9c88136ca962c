//! The words of a Jenkinsfile: tokens with places, and the brackets among them matched up.

use super::super::finding::{Findings, Place, shown};
use crate::msg;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Name(String),
    Number(String),
    Str(Vec<Part>),
    /// A slashy or dollar-slashy string: read over, never used.
    Slashy,
    /// Any other character, one at a time.
    Symbol(char),
    Newline,
}

/// A piece of a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Literal(String),
    /// `$A.b` or `${A.b}`: the dotted names.
    Path(Vec<String>, Place),
    /// Any other code in `${ }`, as it was written.
    Code(String, Place),
}

#[derive(Clone, Debug)]
pub struct Token {
    pub kind: Kind,
    pub place: Place,
}

impl Token {
    pub fn is(&self, symbol: char) -> bool {
        self.kind == Kind::Symbol(symbol)
    }

    pub fn name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Name(name) => Some(name),
            _ => None,
        }
    }

    /// As a message shows it.
    pub fn shown(&self) -> String {
        match &self.kind {
            Kind::Name(text) | Kind::Number(text) => shown(text),
            Kind::Str(parts) => match parts.first() {
                Some(Part::Literal(text)) => format!("'{}'", shown(text)),
                _ => "''".to_owned(),
            },
            Kind::Slashy => "/".to_owned(),
            Kind::Symbol(symbol) => shown(&symbol.to_string()),
            Kind::Newline => "\\n".to_owned(),
        }
    }
}

/// For every opening bracket the index of its closing one (0 elsewhere); `None` when they do not match.
pub fn match_brackets(tokens: &[Token], findings: &mut Findings) -> Option<Vec<usize>> {
    let mut closes = vec![0; tokens.len()];
    let mut open: Vec<(usize, char)> = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let Kind::Symbol(symbol) = token.kind else { continue };
        match symbol {
            '{' => open.push((index, '}')),
            '(' => open.push((index, ')')),
            '[' => open.push((index, ']')),
            '}' | ')' | ']' => match open.pop() {
                Some((opener, expected)) if expected == symbol => closes[opener] = index,
                Some((opener, expected)) => {
                    let line = tokens[opener].place.line;
                    findings.at(
                        token.place,
                        msg!("pipeline-bracket-other", found = symbol, expected = expected, line = line),
                    );
                    return None;
                }
                None => {
                    findings.at(token.place, msg!("pipeline-bracket-extra", found = symbol));
                    return None;
                }
            },
            _ => {}
        }
    }
    if let Some((opener, expected)) = open.pop() {
        let token = &tokens[opener];
        findings.at(token.place, msg!("pipeline-bracket-open", opener = token.shown(), expected = expected));
        return None;
    }
    Some(closes)
}
