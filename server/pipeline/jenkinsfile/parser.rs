//! The sections of a Declarative Pipeline: the file, the `pipeline` block, its agent and environment.

use std::ops::Range;

use super::super::MAX_VARIABLES;
use super::super::finding::{Findings, Place, shown};
use super::super::variables::{Scope, is_name};
use super::call::{Call, Source};
use super::steps::Around;
use super::token::Kind;
use super::vocabulary::{AGENTS, PIPELINE, outside, unknown_section, unsupported};
use crate::model::{Definition, Dialect, Text, Triggers, VariableUse};
use crate::msg;

pub struct Parser<'a, 'f> {
    pub source: Source<'a>,
    pub findings: &'f mut Findings,
    pub stage_names: Vec<String>,
    pub step_count: usize,
}

impl Parser<'_, '_> {
    /// The file: one `pipeline` block and nothing beside it.
    pub fn file(&mut self) -> Option<Definition> {
        let mut definition = None;
        let mut seen = false;
        for statement in self.source.statements(0..self.source.tokens.len()) {
            if self.findings.is_full() {
                return None;
            }
            let place = self.source.tokens[statement.start].place;
            match self.source.call(statement.clone()) {
                Some(call) if call.name == "pipeline" && !seen => {
                    seen = true;
                    if let Some(body) = self.only_block(&call, place) {
                        definition = self.pipeline(body, place);
                    }
                }
                Some(call) if call.name == "pipeline" => {
                    self.findings.at(place, msg!("pipeline-section-twice", name = "pipeline"));
                }
                Some(call) => self.findings.at(place, outside(&call.name)),
                None => self.outside_nameless(statement),
            }
        }
        if !seen && self.findings.is_empty() {
            self.findings.at(Place::START, msg!("pipeline-none"));
        }
        definition
    }

    fn outside_nameless(&mut self, statement: Range<usize>) {
        let token = &self.source.tokens[statement.start];
        let annotation = self.source.tokens.get(statement.start + 1).filter(|_| statement.len() > 1);
        let name = annotation.and_then(|next| next.name()).filter(|_| token.is('@'));
        let message = name.map_or_else(|| msg!("pipeline-unexpected", found = token.shown()), outside);
        self.findings.at(token.place, message);
    }

    fn pipeline(&mut self, body: Range<usize>, place: Place) -> Option<Definition> {
        let calls = self.sections(body, PIPELINE);
        let mut scope = Scope::builtin();
        let (mut environment, mut variables) = (Vec::new(), Vec::new());
        // First, since it holds for the stages wherever it is written.
        for (call, place) in calls.iter().filter(|(call, _)| call.name == "environment") {
            environment.extend(self.environment(call, *place, &mut scope, &mut variables));
        }
        let mut stages = Vec::new();
        for (call, place) in &calls {
            match call.name.as_str() {
                "environment" => {}
                "agent" => self.agent(call, *place, true),
                "stages" => {
                    if let Some(body) = self.only_block(call, *place) {
                        stages.extend(
                            self.stages(body, &Around { scope: &scope, directory: String::new(), depth: 0 }),
                        );
                        if self.stage_names.is_empty() {
                            self.findings.at(*place, msg!("pipeline-no-stages"));
                        }
                    }
                }
                _ => self.refuse(call, *place, &scope, 0),
            }
        }
        for required in ["agent", "stages"] {
            if !calls.iter().any(|(call, _)| call.name == required) {
                self.findings.at(place, msg!("pipeline-section-missing", name = required));
            }
        }
        Some(Definition {
            dialect: Dialect::Jenkinsfile,
            image: None,
            environment,
            inputs: Vec::new(),
            variables,
            branches: Vec::new(),
            triggers: Triggers::default(),
            timeout_seconds: None,
            keep: false,
            stages,
        })
    }

    /// The statements of a block as sections: each name is one of `known`, each at most once.
    pub fn sections(&mut self, body: Range<usize>, known: &[&'static str]) -> Vec<(Call, Place)> {
        let mut calls: Vec<(Call, Place)> = Vec::new();
        for statement in self.source.statements(body) {
            if self.findings.is_full() {
                break;
            }
            let token = &self.source.tokens[statement.start];
            let (place, found) = (token.place, token.shown());
            match self.source.call(statement) {
                None => self.findings.at(place, msg!("pipeline-unexpected", found = found)),
                Some(call) if !known.contains(&call.name.as_str()) => {
                    self.findings.at(place, unknown_section(&call.name, known));
                }
                Some(call) if calls.iter().any(|(earlier, _)| earlier.name == call.name) => {
                    self.findings.at(place, msg!("pipeline-section-twice", name = call.name));
                }
                Some(call) => calls.push((call, place)),
            }
        }
        calls
    }

    /// Reports a section we do not carry out, and what is wrong in the steps inside it.
    pub fn refuse(&mut self, call: &Call, place: Place, scope: &Scope, depth: usize) {
        self.findings.at(place, unsupported(&call.name));
        let around = Around { scope, directory: String::new(), depth: depth + 1 };
        match (call.name.as_str(), call.body.clone()) {
            ("parallel" | "stages", Some(body)) if depth < 8 => drop(self.stages(body, &around)),
            ("post", Some(body)) => {
                for condition in self.source.statements(body) {
                    if let Some(body) = self.source.call(condition).and_then(|call| call.body) {
                        self.inner(body, place, &around);
                    }
                }
            }
            _ => {}
        }
    }

    pub fn agent(&mut self, call: &Call, place: Place, top: bool) {
        let typed = match &call.body {
            Some(body) => body.clone(),
            None => call.arguments.clone(),
        };
        let Some(index) = typed.clone().find(|&index| self.source.tokens[index].kind != Kind::Newline) else {
            self.findings.at(place, msg!("pipeline-agent-empty"));
            return;
        };
        let token = &self.source.tokens[index];
        let alone = call.body.is_none() && !call.parentheses && typed.len() == 1;
        let message = match token.name() {
            Some("any") if alone => match call.rest {
                None => return,
                Some(rest) => return self.unexpected(rest),
            },
            Some("none") if alone && top => msg!("pipeline-agent-none"),
            Some("docker" | "dockerfile" | "kubernetes") => {
                msg!("pipeline-agent-image", name = token.shown())
            }
            Some(name) if AGENTS.contains(&name) => msg!("pipeline-agent-other", name = name),
            _ => msg!("pipeline-agent-unknown", name = token.shown(), known = AGENTS.join(", ")),
        };
        self.findings.at(token.place, message);
    }

    /// `environment { NAME = 'text' ... }`; the names become known in `scope`. Entries with `credentials('NAME')` are
    /// put into `variables`.
    pub fn environment(
        &mut self,
        call: &Call,
        place: Place,
        scope: &mut Scope,
        variables: &mut Vec<VariableUse>,
    ) -> Vec<(String, Text)> {
        let mut entries: Vec<(String, Text)> = Vec::new();
        let Some(body) = self.only_block(call, place) else { return entries };
        for statement in self.source.statements(body) {
            let token = &self.source.tokens[statement.start];
            let assigned = statement.len() > 1 && self.source.tokens[statement.start + 1].is('=');
            let Some(name) = token.name().filter(|_| assigned).map(str::to_owned) else {
                self.findings.at(token.place, msg!("pipeline-environment-entry", found = token.shown()));
                continue;
            };
            if self.findings.is_full() {
                return entries;
            }
            if entries.len() + variables.len() == MAX_VARIABLES {
                self.findings.at(token.place, msg!("pipeline-too-many-variables", most = MAX_VARIABLES));
                return entries;
            }
            if !is_name(&name) {
                self.findings.at(token.place, msg!("pipeline-variable-name", name = shown(&name)));
            } else if entries.iter().any(|(earlier, _)| *earlier == name)
                || variables.iter().any(|earlier| earlier.as_name == name)
            {
                self.findings.at(token.place, msg!("pipeline-variable-twice", name = shown(&name)));
            }
            let place = token.place;
            let value = statement.start + 2..statement.end;
            if self.source.is_credentials(value.clone()) {
                let stored = self.credentials(value, place);
                variables.extend(stored.map(|stored| VariableUse {
                    name: stored,
                    as_name: name.clone(),
                    line: place.line,
                }));
            } else if let Some(text) = self.text(value, scope, place) {
                entries.push((name.clone(), text));
            }
            scope.add(&name);
        }
        entries
    }

    /// The body of a section that takes nothing else.
    pub fn only_block(&mut self, call: &Call, place: Place) -> Option<Range<usize>> {
        let odd = if call.arguments.is_empty() { call.rest } else { Some(call.arguments.start) };
        match (&call.body, odd) {
            (Some(body), None) => return Some(body.clone()),
            (Some(_), Some(odd)) => self.unexpected(odd),
            (None, _) => self.findings.at(place, msg!("pipeline-needs-block", name = call.name)),
        }
        None
    }

    pub fn unexpected(&mut self, index: usize) {
        let token = &self.source.tokens[index];
        self.findings.at(token.place, msg!("pipeline-unexpected", found = token.shown()));
    }
}
