//! `stages { }` and each `stage('X') { }` in it.

use std::ops::Range;

use super::super::finding::{Place, shown};
use super::super::variables::Scope;
use super::super::{MAX_STAGES, MAX_STEPS};
use super::call::Call;
use super::parser::Parser;
use super::steps::Around;
use super::vocabulary::{STAGE, STAGE_WORK, unknown_section};
use crate::model::{Piece, Stage, is_invisible};
use crate::msg;

impl Parser<'_, '_> {
    pub fn stages(&mut self, body: Range<usize>, around: &Around) -> Vec<Stage> {
        let mut stages = Vec::new();
        for statement in self.source.statements(body) {
            if self.findings.is_full() {
                break;
            }
            let token = &self.source.tokens[statement.start];
            let (place, found) = (token.place, token.shown());
            match self.source.call(statement) {
                Some(call) if call.name == "stage" => {
                    if self.stage_names.len() == MAX_STAGES {
                        self.findings.at(place, msg!("pipeline-too-many-stages", most = MAX_STAGES));
                        break;
                    }
                    stages.extend(self.stage(&call, place, around));
                }
                Some(call) => self.findings.at(place, unknown_section(&call.name, &["stage"])),
                None => self.findings.at(place, msg!("pipeline-unexpected", found = found)),
            }
        }
        stages
    }

    fn stage(&mut self, call: &Call, place: Place, around: &Around) -> Option<Stage> {
        let name = self.stage_name(call, place);
        let Some(body) = call.body.clone() else {
            self.findings.at(place, msg!("pipeline-needs-block", name = "stage"));
            return None;
        };
        if let Some(rest) = call.rest {
            self.unexpected(rest);
        }
        let calls = self.sections(body, STAGE);
        let mut scope = around.scope.clone();
        let (mut environment, mut variables) = (Vec::new(), Vec::new());
        for (call, place) in calls.iter().filter(|(call, _)| call.name == "environment") {
            environment.extend(self.environment(call, *place, &mut scope, &mut variables));
        }
        let label = shown(name.as_deref().unwrap_or("?"));
        let mut steps = Vec::new();
        for (call, place) in &calls {
            match call.name.as_str() {
                "environment" => {}
                "agent" => self.agent(call, *place, false),
                "steps" => {
                    if let Some(body) = self.only_block(call, *place) {
                        if self.source.statements(body.clone()).is_empty() {
                            self.findings.at(*place, msg!("pipeline-no-steps", stage = label));
                        }
                        let around = Around { scope: &scope, directory: String::new(), depth: 0 };
                        self.steps(body, &around, &mut steps);
                    }
                }
                _ => self.refuse(call, *place, &scope, around.depth),
            }
        }
        match calls.iter().filter(|(call, _)| STAGE_WORK.contains(&call.name.as_str())).count() {
            0 => self.findings.at(place, msg!("pipeline-stage-work-missing", stage = label)),
            1 => {}
            _ => self.findings.at(place, msg!("pipeline-stage-work-many", stage = label)),
        }
        self.step_count += steps.len();
        if self.step_count > MAX_STEPS {
            self.findings.at(place, msg!("pipeline-too-many-steps", most = MAX_STEPS));
        }
        Some(Stage { name: name?, image: None, environment, variables, timeout_seconds: None, steps })
    }

    /// A stage's name: one string without variables, used once.
    fn stage_name(&mut self, call: &Call, place: Place) -> Option<String> {
        let text = self.text(call.arguments.clone(), &Scope::builtin(), place)?;
        let name = match text.0.as_slice() {
            [Piece::Literal(name)] if is_stage_name(name) => name.clone(),
            _ => {
                self.findings.at(place, msg!("pipeline-stage-name", name = shown(&text.source())));
                return None;
            }
        };
        if self.stage_names.contains(&name) {
            self.findings.at(place, msg!("pipeline-stage-twice", name = shown(&name)));
        }
        self.stage_names.push(name.clone());
        Some(name)
    }
}

/// A name that fits in a column and hides nothing.
pub fn is_stage_name(name: &str) -> bool {
    let odd = |c: char| c.is_control() || is_invisible(c);
    !name.trim().is_empty() && name.chars().count() <= 100 && !name.contains(odd)
}
