//! The values we understand: strings, the variables in them, and both joined with `+`.

use std::ops::Range;

use super::super::finding::{Place, shown};
use super::super::variables::Scope;
use super::parser::Parser;
use super::token::{Kind, Part};
use crate::model::{Piece, Text, VariableName};
use crate::msg;

impl Parser<'_, '_> {
    /// The text in `range`, or `None` after saying what is wrong with it. `place` is where it should stand.
    pub fn text(&mut self, range: Range<usize>, scope: &Scope, place: Place) -> Option<Text> {
        let tokens = self.source.tokens;
        let words: Vec<usize> = range.filter(|&index| tokens[index].kind != Kind::Newline).collect();
        if words.is_empty() {
            self.findings.at(place, msg!("pipeline-value-missing"));
            return None;
        }
        let mut pieces = Vec::new();
        let mut good = true;
        let mut at = 0;
        loop {
            let (next, understood) = self.term(&words, at, scope, &mut pieces);
            good &= understood;
            at = next;
            match words.get(at).map(|&index| &tokens[index]) {
                None => return good.then(|| Text(joined(pieces))),
                Some(token) if token.is('+') && understood => at += 1,
                Some(token) => {
                    if understood {
                        self.findings.at(token.place, msg!("pipeline-unexpected", found = token.shown()));
                    }
                    return None;
                }
            }
        }
    }

    /// The name in `credentials('NAME')`, which stands for the whole value of an entry; `None` after saying that it is
    /// none. `place` is the entry's.
    pub fn credentials(&mut self, range: Range<usize>, place: Place) -> Option<String> {
        let tokens = self.source.tokens;
        let words = range.map(|index| &tokens[index].kind).filter(|kind| **kind != Kind::Newline);
        let name = match words.collect::<Vec<_>>().as_slice() {
            [_, Kind::Symbol('('), Kind::Str(parts), Kind::Symbol(')')] => match parts.as_slice() {
                [Part::Literal(name)] => VariableName::new(name).ok(),
                _ => None,
            },
            _ => None,
        };
        if name.is_none() {
            self.findings.at(place, msg!("pipeline-credentials-name"));
        }
        name.map(|name| name.to_string())
    }

    /// One operand of `+` at `words[at]`: where the next one starts and whether we understood it.
    fn term(&mut self, words: &[usize], at: usize, scope: &Scope, pieces: &mut Vec<Piece>) -> (usize, bool) {
        let tokens = self.source.tokens;
        let Some(token) = words.get(at).map(|&index| &tokens[index]) else {
            let place = words.last().map_or(Place::NONE, |&index| tokens[index].place);
            self.findings.at(place, msg!("pipeline-value-missing"));
            return (at, false);
        };
        match &token.kind {
            Kind::Str(parts) => {
                let mut good = true;
                for part in parts {
                    good &= self.part(part, scope, pieces);
                }
                (at + 1, good)
            }
            Kind::Name(first) => {
                let mut path = vec![first.clone()];
                let mut next = at + 1;
                let symbol = |at: usize, symbol| words.get(at).is_some_and(|&index| tokens[index].is(symbol));
                while symbol(next, '.') && path.len() < 10 {
                    let Some(name) = words.get(next + 1).and_then(|&index| tokens[index].name()) else {
                        break;
                    };
                    path.push(name.to_owned());
                    next += 2;
                }
                if ['(', '[', '.', '{'].iter().any(|&opener| symbol(next, opener)) {
                    let message = match first.as_str() {
                        "credentials" => super::vocabulary::unsupported("credentials"),
                        _ => msg!("pipeline-expression", code = shown(&path.join("."))),
                    };
                    self.findings.at(token.place, message);
                    return (next, false);
                }
                (next, self.variable(&path, token.place, scope, pieces))
            }
            Kind::Slashy => {
                self.findings.at(token.place, msg!("pipeline-slashy"));
                (at + 1, false)
            }
            Kind::Number(_) | Kind::Symbol(_) | Kind::Newline => {
                self.findings.at(token.place, msg!("pipeline-expression", code = token.shown()));
                (at + 1, false)
            }
        }
    }

    fn part(&mut self, part: &Part, scope: &Scope, pieces: &mut Vec<Piece>) -> bool {
        match part {
            Part::Literal(text) => {
                pieces.push(Piece::Literal(text.clone()));
                true
            }
            Part::Path(path, place) => self.variable(path, *place, scope, pieces),
            Part::Code(code, place) => {
                self.findings.at(*place, msg!("pipeline-expression", code = shown(code.trim())));
                false
            }
        }
    }

    /// `X` and `env.X` from the step's environment. `params.X` has nothing to come from, since the
    /// `parameters` section is not carried out.
    fn variable(&mut self, path: &[String], place: Place, scope: &Scope, pieces: &mut Vec<Piece>) -> bool {
        if self.findings.is_full() {
            return false;
        }
        let objection = match path {
            [scope_name, name] if scope_name == "env" => scope.objection(name),
            [name] => scope.objection(name),
            [scope_name, _] if scope_name == "params" => {
                Some(msg!("pipeline-params", name = shown(&path.join("."))))
            }
            _ => Some(msg!("pipeline-expression", code = shown(&path.join(".")))),
        };
        match objection {
            Some(message) => {
                self.findings.at(place, message);
                false
            }
            None => {
                pieces.extend(path.last().cloned().map(Piece::Variable));
                true
            }
        }
    }
}

/// Neighbouring literals as one.
fn joined(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::new();
    for piece in pieces {
        match (out.last_mut(), piece) {
            (Some(Piece::Literal(before)), Piece::Literal(text)) => before.push_str(&text),
            (_, piece) => out.push(piece),
        }
    }
    out
}
