//! `stages` and their `steps`.

use super::super::finding::shown;
use super::super::jenkinsfile::is_stage_name;
use super::super::paths::folder;
use super::super::variables::Scope;
use super::super::{MAX_STAGES, MAX_STEPS};
use super::node::{Node, Value};
use super::reader::{Fields, Reader};
use crate::model::{Action, Stage, Step, Text};
use crate::msg;

pub const STAGE_KEYS: &[&str] = &["name", "image", "env", "timeout", "dir", "steps"];
pub const STEP_KEYS: &[&str] = &["run", "echo", "image", "env", "timeout", "dir"];

impl Reader<'_> {
    pub fn stages(&mut self, fields: &Fields, scope: &Scope) -> Vec<Stage> {
        let mut found: Vec<Stage> = Vec::new();
        let Some(node) = fields.get("stages") else {
            self.say(fields.place, msg!("pipeline-key-missing", key = "stages"));
            return found;
        };
        let Some(list) = self.list(node, "stages") else { return found };
        if list.is_empty() {
            self.say(node.place, msg!("pipeline-no-stages"));
        }
        if let Some(node) = list.get(MAX_STAGES) {
            self.say(node.place, msg!("pipeline-too-many-stages", most = MAX_STAGES));
            return found;
        }
        for node in list {
            let Some(stage) = self.stage(node, scope) else { continue };
            if found.iter().any(|earlier| earlier.name == stage.name) {
                self.say(node.place, msg!("pipeline-stage-twice", name = shown(&stage.name)));
            }
            found.push(stage);
        }
        found
    }

    fn stage(&mut self, node: &Node, scope: &Scope) -> Option<Stage> {
        let fields = self.fields(node, "stages", STAGE_KEYS)?;
        let name = self.stage_name(&fields);
        let mut scope = scope.clone();
        let environment = self.environment(&fields, &mut scope);
        let (image, timeout_seconds) = (self.image(&fields), self.timeout(&fields));
        let directory = self.directory(&fields).unwrap_or_default();
        let steps = self.steps(&fields, &directory, &scope);
        Some(Stage { name: name?, image, environment, variables: Vec::new(), timeout_seconds, steps })
    }

    fn stage_name(&mut self, fields: &Fields) -> Option<String> {
        let Some(node) = fields.get("name") else {
            self.say(fields.place, msg!("pipeline-key-missing", key = "name"));
            return None;
        };
        let name = self.string(node, "name")?;
        if !is_stage_name(name) {
            self.say(node.place, msg!("pipeline-stage-name", name = shown(name)));
            return None;
        }
        Some(name.to_owned())
    }

    /// `dir`, below the workspace's root.
    fn directory(&mut self, fields: &Fields) -> Option<String> {
        let node = fields.get("dir")?;
        let text = self.string(node, "dir")?;
        let found = folder("", text);
        if found.is_none() {
            self.say(node.place, msg!("pipeline-dir", path = shown(text)));
        }
        found
    }

    fn steps(&mut self, fields: &Fields, directory: &str, scope: &Scope) -> Vec<Step> {
        let mut found = Vec::new();
        let Some(node) = fields.get("steps") else {
            self.say(fields.place, msg!("pipeline-key-missing", key = "steps"));
            return found;
        };
        let Some(list) = self.list(node, "steps") else { return found };
        if list.is_empty() {
            self.say(node.place, msg!("pipeline-empty-list", key = "steps"));
        }
        self.step_count += list.len();
        if self.step_count > MAX_STEPS {
            self.say(node.place, msg!("pipeline-too-many-steps", most = MAX_STEPS));
            return found;
        }
        for node in list {
            found.extend(self.step(node, directory, scope));
        }
        found
    }

    fn step(&mut self, node: &Node, directory: &str, scope: &Scope) -> Option<Step> {
        let line = node.place.line;
        let plain = |action| Step {
            line,
            image: None,
            directory: directory.to_owned(),
            environment: Vec::new(),
            timeout_seconds: None,
            action,
        };
        if let Value::Text { .. } = node.value {
            // The shell's text is the shell's: no variable of ours in it.
            return self.string(node, "steps").map(|script| plain(Action::Sh(Text::literal(script))));
        }
        let fields = self.fields(node, "steps", STEP_KEYS)?;
        let mut scope = scope.clone();
        let environment = self.environment(&fields, &mut scope);
        let own = self.directory(&fields);
        let (image, timeout_seconds) = (self.image(&fields), self.timeout(&fields));
        let action = match (fields.get("run"), fields.get("echo")) {
            (Some(node), None) => Action::Sh(Text::literal(self.string(node, "run")?)),
            (None, Some(node)) => Action::Echo(self.text(node, "echo", &scope)?),
            _ => {
                self.say(node.place, msg!("pipeline-step-kind"));
                return None;
            }
        };
        let directory = own.unwrap_or_else(|| directory.to_owned());
        Some(Step { line, image, directory, environment, timeout_seconds, action })
    }
}
