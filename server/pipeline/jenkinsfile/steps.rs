//! `steps { }`: `sh`, `bat`, `echo`, and `dir` around them.

use std::ops::Range;

use super::super::finding::{Place, nearest, shown};
use super::super::paths::folder;
use super::super::variables::Scope;
use super::call::{Argument, Call};
use super::parser::Parser;
use super::token::Kind;
use super::vocabulary::{WRAPPERS, unknown_step};
use crate::model::{Action, Step, Text};
use crate::msg;

/// Deepest nesting of blocks that is read; a person writes three or four.
const DEEPEST: usize = 32;

/// Where the steps stand that are being read.
#[derive(Clone)]
pub struct Around<'a> {
    pub scope: &'a Scope,
    pub directory: String,
    pub depth: usize,
}

impl Parser<'_, '_> {
    /// The steps in `body`, added to `steps`.
    pub fn steps(&mut self, body: Range<usize>, around: &Around, steps: &mut Vec<Step>) {
        for statement in self.source.statements(body) {
            if self.findings.is_full() {
                return;
            }
            let place = self.source.tokens[statement.start].place;
            match self.source.call(statement.clone()) {
                Some(call) => self.step(&call, place, around, steps),
                None => {
                    let found = self.source.tokens[statement.start].shown();
                    self.findings.at(place, msg!("pipeline-unexpected", found = found));
                }
            }
        }
    }

    fn step(&mut self, call: &Call, place: Place, around: &Around, steps: &mut Vec<Step>) {
        if self.is_assignment(call) {
            self.findings.at(place, msg!("pipeline-groovy", name = shown(&call.name)));
            return;
        }
        let action: fn(Text) -> Action = match call.name.as_str() {
            "sh" => Action::Sh,
            "bat" => Action::Bat,
            "echo" => Action::Echo,
            "dir" => return self.dir(call, place, around, steps),
            name => {
                self.findings.at(place, unknown_step(name));
                if let Some(body) = call.body.clone().filter(|_| WRAPPERS.contains(&name)) {
                    self.inner(body, place, around);
                }
                return;
            }
        };
        if let Some(body) = &call.body {
            self.unexpected(body.start - 1);
        } else if let Some(rest) = call.rest {
            self.unexpected(rest);
        } else {
            let key = if call.name == "echo" { "message" } else { "script" };
            let Some(text) = self.argument_text(call, key, place, around.scope) else { return };
            steps.push(Step {
                line: place.line,
                image: None,
                directory: around.directory.clone(),
                environment: Vec::new(),
                timeout_seconds: None,
                action: action(text),
            });
        }
    }

    fn is_assignment(&self, call: &Call) -> bool {
        let first = self.source.tokens.get(call.arguments.start).filter(|_| !call.arguments.is_empty());
        !call.parentheses && first.is_some_and(|token| token.is('=') || token.is('['))
    }

    /// Reads steps we do not carry out, for the findings in them.
    pub fn inner(&mut self, body: Range<usize>, place: Place, around: &Around) {
        if around.depth >= DEEPEST {
            self.findings.at(place, msg!("pipeline-too-deep"));
            return;
        }
        let around = Around { depth: around.depth + 1, ..around.clone() };
        self.steps(body, &around, &mut Vec::new());
    }

    fn dir(&mut self, call: &Call, place: Place, around: &Around, steps: &mut Vec<Step>) {
        if let Some(rest) = call.rest {
            self.unexpected(rest);
        }
        let text = self.argument_text(call, "path", place, around.scope);
        let below = match text.as_ref().map(|text| text.0.as_slice()) {
            Some([crate::model::Piece::Literal(below)]) => folder(&around.directory, below),
            Some([]) => Some(around.directory.clone()),
            _ => None,
        };
        if let (Some(text), None) = (&text, &below) {
            self.findings.at(place, msg!("pipeline-dir", path = shown(&text.source())));
        }
        let Some(body) = call.body.clone() else {
            self.findings.at(place, msg!("pipeline-needs-block", name = "dir"));
            return;
        };
        if around.depth >= DEEPEST {
            self.findings.at(place, msg!("pipeline-too-deep"));
            return;
        }
        let directory = below.unwrap_or_default();
        self.steps(body, &Around { scope: around.scope, directory, depth: around.depth + 1 }, steps);
    }

    /// The one text of a step: its only argument, or the one named `key`.
    fn argument_text(&mut self, call: &Call, key: &str, place: Place, scope: &Scope) -> Option<Text> {
        let arguments = self.source.arguments(call.arguments.clone());
        if let [Argument { name: None, value }] = arguments.as_slice() {
            return self.text(value.clone(), scope, place);
        }
        let mut found = None;
        let mut good = true;
        for Argument { name, value } in arguments {
            let Some(name) = name else {
                self.unexpected(value.start);
                return None;
            };
            let token = &self.source.tokens[name];
            let (name, at) = (token.name().unwrap_or_default(), token.place);
            if name == key && found.is_none() {
                found = self.text(value, scope, at);
                good &= found.is_some();
            } else if name != key && self.is_harmless(name, value.clone(), key) {
            } else {
                self.findings.at(at, self.unknown_argument(&call.name, name, key));
                good = false;
            }
        }
        if good && found.is_none() {
            self.findings.at(place, msg!("pipeline-step-needs", step = call.name, argument = key));
        }
        found.filter(|_| good)
    }

    fn unknown_argument(&self, step: &str, name: &str, key: &str) -> crate::model::Message {
        if ["label", "returnStdout", "returnStatus", "encoding"].contains(&name) || name == key {
            return msg!("pipeline-argument-unsupported", step = step, name = name);
        }
        match nearest(name, [key, "label"]) {
            Some(known) => msg!("pipeline-argument-similar", name = shown(name), known = known),
            None => msg!("pipeline-argument-unsupported", step = step, name = shown(name)),
        }
    }

    /// Arguments of `sh` and `bat` that ask for what happens anyway: a label for people, UTF-8, and the
    /// `false` of what we do not carry out.
    fn is_harmless(&self, name: &str, value: Range<usize>, key: &str) -> bool {
        if key != "script" || value.len() != 1 {
            return false;
        }
        match (name, &self.source.tokens[value.start].kind) {
            ("label", Kind::Str(_)) => true,
            ("returnStdout" | "returnStatus", Kind::Name(value)) => value == "false",
            ("encoding", Kind::Str(parts)) => {
                matches!(parts.as_slice(), [super::token::Part::Literal(text)] if text.eq_ignore_ascii_case("utf-8"))
            }
            _ => false,
        }
    }
}
