//! Statements: where each ends, and its shape `name(arguments) { body }` or `name arguments`.
//!
//! Brackets are matched before, so a statement that we do not understand is passed over by jumping, and
//! every token is looked at a fixed number of times however deep it stands.

use std::ops::Range;

use super::token::{Kind, Token};

/// Tokens with their brackets matched.
pub struct Source<'a> {
    pub tokens: &'a [Token],
    pub closes: Vec<usize>,
}

/// A statement taken apart. Ranges are of token indices.
#[derive(Clone, Debug)]
pub struct Call {
    /// The dotted names it starts with.
    pub name: String,
    pub arguments: Range<usize>,
    /// Whether the arguments stand in parentheses.
    pub parentheses: bool,
    /// What stands between the braces.
    pub body: Option<Range<usize>>,
    /// The first token that belongs to none of these, if any.
    pub rest: Option<usize>,
}

/// One argument: `value` or `name: value`.
pub struct Argument {
    pub name: Option<usize>,
    pub value: Range<usize>,
}

impl Source<'_> {
    /// The statements in `range`: cut at newlines and semicolons that stand in no bracket. An opening
    /// brace on a line of its own belongs to the line before, as people write it.
    pub fn statements(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut at = range.start;
        while at < range.end {
            if matches!(self.tokens[at].kind, Kind::Newline | Kind::Symbol(';')) {
                at += 1;
                continue;
            }
            let end = self.statement_end(at, range.end);
            found.push(at..end);
            at = end;
        }
        found
    }

    fn statement_end(&self, start: usize, limit: usize) -> usize {
        let mut at = start;
        while at < limit {
            match self.tokens[at].kind {
                Kind::Symbol(';') => return at,
                Kind::Newline => {
                    let next = self.next_word(at, limit);
                    let goes_on = self
                        .tokens
                        .get(next)
                        .filter(|_| next < limit)
                        .is_some_and(|t| t.is('{') || t.is('.'));
                    let before = &self.tokens[at - 1];
                    let waits = ['+', ',', '=', ':', '.'].iter().any(|&symbol| before.is(symbol));
                    if !goes_on && !waits {
                        return at;
                    }
                    at = next;
                }
                Kind::Symbol('{' | '(' | '[') => at = self.closes[at] + 1,
                _ => at += 1,
            }
        }
        limit
    }

    /// The first token from `at` on that is no newline, or `limit`.
    fn next_word(&self, at: usize, limit: usize) -> usize {
        (at..limit).find(|&index| self.tokens[index].kind != Kind::Newline).unwrap_or(limit)
    }

    /// The statement as a call; `None` when it does not start with a name.
    pub fn call(&self, statement: Range<usize>) -> Option<Call> {
        let Range { start, end } = statement;
        let mut name = self.tokens[start].name()?.to_owned();
        let mut at = start + 1;
        while at + 1 < end && self.tokens[at].is('.') && name.len() < 200 {
            let Some(next) = self.tokens[at + 1].name() else { break };
            name = format!("{name}.{next}");
            at += 2;
        }
        let mut call = Call { name, arguments: at..at, parentheses: false, body: None, rest: None };
        if at < end && self.tokens[at].is('(') {
            call.arguments = at + 1..self.closes[at];
            call.parentheses = true;
            at = self.closes[at] + 1;
        }
        at = self.next_word(at, end);
        if at < end && self.tokens[at].is('{') {
            call.body = Some(at + 1..self.closes[at]);
            at = self.next_word(self.closes[at] + 1, end);
        } else if !call.parentheses {
            call.arguments = at..end;
            at = end;
        }
        call.rest = (at < end).then_some(at);
        Some(call)
    }

    /// Whether a value starts as `credentials(...)` does.
    pub fn is_credentials(&self, value: Range<usize>) -> bool {
        let start = self.next_word(value.start, value.end);
        let opens = start + 1 < value.end && self.tokens[start + 1].is('(');
        opens && self.tokens[start].name() == Some("credentials")
    }

    /// The arguments in `range`, cut at commas that stand in no bracket.
    pub fn arguments(&self, range: Range<usize>) -> Vec<Argument> {
        let mut found = Vec::new();
        let mut start = range.start;
        let mut at = range.start;
        while at <= range.end {
            if at == range.end || self.tokens[at].is(',') {
                found.extend(self.argument(start..at));
                start = at + 1;
            }
            let opens = at < range.end && ['{', '(', '['].iter().any(|&symbol| self.tokens[at].is(symbol));
            at = if opens { self.closes[at] + 1 } else { at + 1 };
        }
        found
    }

    fn argument(&self, range: Range<usize>) -> Option<Argument> {
        let start = self.next_word(range.start, range.end);
        if start == range.end {
            return None;
        }
        let named =
            self.tokens[start].name().is_some() && start + 1 < range.end && self.tokens[start + 1].is(':');
        Some(match named {
            true => Argument { name: Some(start), value: start + 2..range.end },
            false => Argument { name: None, value: start..range.end },
        })
    }
}
