//! The triggers of `BuildConfig` of `build.openshift.io/v1`. What is built and how, the pipeline's own definition
//! says: everything else of the object is a note.

use std::collections::BTreeSet;

use super::{File, Metadata, is_nothing};
use crate::model::{RepositoryPath, TriggerSource, TriggerSpec, TriggersSpec, is_tag};
use crate::msg;
use crate::pipeline::finding::shown;
use crate::pipeline::ropewalk::node::{Node, Value};
use crate::pipeline::ropewalk::reader::Fields;

/// Names the git repository, `owner/name`.
const REPOSITORY: &str = "ropewalk.io/repository";
/// Names the pipeline, where the object's own name is another.
const PIPELINE: &str = "ropewalk.io/pipeline";
/// Pauses the whole object: here, each of its triggers.
const PAUSED: &str = "openshift.io/build-config.paused";
const SPEC: [&str; 14] = [
    "triggers",
    "source",
    "strategy",
    "output",
    "runPolicy",
    "serviceAccount",
    "revision",
    "resources",
    "postCommit",
    "completionDeadlineSeconds",
    "nodeSelector",
    "mountTrustedCA",
    "successfulBuildsHistoryLimit",
    "failedBuildsHistoryLimit",
];
const TYPES: [&str; 9] = [
    "ImageChange",
    "ConfigChange",
    "GitHub",
    "GitLab",
    "Bitbucket",
    "Generic",
    "imageChange",
    "github",
    "generic",
];
const MOST_TRIGGERS: usize = 100;

impl File<'_, '_> {
    pub(super) fn build_config(&mut self, node: &Node) -> Option<TriggersSpec> {
        let fields = self.top(node, "BuildConfig", ["build.openshift.io/v1", "v1"])?;
        let Metadata { place, name, namespace, annotations } = self.metadata(&fields)?;
        let repository = match annotations.get(REPOSITORY).map(|text| text.parse::<RepositoryPath>()) {
            Some(Ok(path)) => Some(path),
            None => None,
            Some(Err(error)) => {
                let message = error.message().cloned();
                self.reader
                    .say(place, message.unwrap_or_else(|| msg!("openshift-missing", key = REPOSITORY)));
                return None;
            }
        };
        for key in annotations.keys().filter(|key| !matches!(key.as_str(), REPOSITORY | PIPELINE | PAUSED)) {
            self.note(place, &format!("metadata.annotations.{key}"));
        }
        let pipeline = annotations.get(PIPELINE).cloned().unwrap_or(name);
        let mut found = TriggersSpec { repository, source: None, namespace, pipeline, triggers: None };
        let Some(spec) = fields.get("spec").filter(|spec| !is_nothing(spec)) else { return Some(found) };
        let spec = self.reader.fields(spec, "spec", &SPEC)?;
        for key in SPEC.iter().skip(2) {
            if let Some(node) = spec.get(key).filter(|node| !is_nothing(node)) {
                self.note(node.place, &format!("spec.{key}"));
            }
        }
        found.source = self.git_uri(&spec);
        found.triggers = match spec.get("triggers").filter(|node| !is_nothing(node)) {
            Some(node) => Some(self.triggers(node)?),
            None => None,
        };
        if annotations.get(PAUSED).is_some_and(|text| text.eq_ignore_ascii_case("true")) {
            found.triggers.iter_mut().flatten().for_each(|trigger| trigger.paused = true);
        }
        Some(found)
    }

    /// `source.git.uri`; what else the source says is not carried out.
    fn git_uri(&mut self, spec: &Fields) -> Option<String> {
        const SOURCE: [&str; 9] = [
            "git",
            "type",
            "contextDir",
            "binary",
            "dockerfile",
            "images",
            "sourceSecret",
            "secrets",
            "configMaps",
        ];
        let node = spec.get("source").filter(|node| !is_nothing(node))?;
        let source = self.reader.fields(node, "source", &SOURCE)?;
        for key in SOURCE.iter().skip(2) {
            if let Some(node) = source.get(key).filter(|node| !is_nothing(node)) {
                self.note(node.place, &format!("spec.source.{key}"));
            }
        }
        let git = source.get("git").filter(|node| !is_nothing(node))?;
        let known = ["uri", "ref", "httpProxy", "httpsProxy", "noProxy"];
        let git = self.reader.fields(git, "git", &known)?;
        for key in known.iter().skip(1) {
            if let Some(node) = git.get(key).filter(|node| !is_nothing(node)) {
                self.note(node.place, &format!("spec.source.git.{key}"));
            }
        }
        self.text(&git, "uri")
    }

    fn triggers(&mut self, node: &Node) -> Option<Vec<TriggerSpec>> {
        let list = self.reader.list(node, "triggers")?;
        if let Some(node) = list.get(MOST_TRIGGERS) {
            self.reader.say(node.place, msg!("openshift-too-many", most = MOST_TRIGGERS));
            return None;
        }
        let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
        for node in list {
            let Some(trigger) = self.trigger(node) else { continue };
            let key = trigger.from.as_ref().map(|from| (&from.namespace, &from.name, &from.tag));
            if !seen.insert(format!("{key:?}")) {
                self.reader.say(node.place, msg!("openshift-trigger-twice"));
                continue;
            }
            found.push(trigger);
        }
        Some(found)
    }

    fn trigger(&mut self, node: &Node) -> Option<TriggerSpec> {
        let known = ["type", "imageChange", "github", "gitlab", "bitbucket", "generic"];
        let fields = self.reader.fields(node, "triggers", &known)?;
        let Some(kind) = self.text(&fields, "type") else {
            self.reader.say(node.place, msg!("openshift-missing", key = "type"));
            return None;
        };
        if !TYPES.contains(&kind.as_str()) {
            let value = shown(&kind);
            let known = TYPES.get(..6).unwrap_or_default().join(", ");
            self.reader.say(node.place, msg!("openshift-value", key = "type", value = value, known = known));
            return None;
        }
        if !kind.eq_ignore_ascii_case("ImageChange") {
            self.note_that(node.place, msg!("openshift-trigger-type", kind = kind));
            return None;
        }
        for key in known.iter().skip(2) {
            if let Some(node) = fields.get(key).filter(|node| !is_nothing(node)) {
                self.note(node.place, &format!("triggers.{key}"));
            }
        }
        let bare = TriggerSpec { from: None, paused: false };
        let Some(change) = fields.get("imageChange").filter(|node| !is_nothing(node)) else {
            return Some(bare);
        };
        let change =
            self.reader.fields(change, "imageChange", &["from", "paused", "lastTriggeredImageID"])?;
        if let Some(last) = change.get("lastTriggeredImageID").filter(|node| !is_nothing(node)) {
            self.note(last.place, "imageChange.lastTriggeredImageID");
        }
        let paused = self.flag(&change, "paused");
        let from = match change.get("from").filter(|node| !is_nothing(node)) {
            Some(node) if !matches!(&node.value, Value::Map(entries) if entries.is_empty()) => {
                Some(self.trigger_source(node)?)
            }
            _ => None,
        };
        Some(TriggerSpec { from, paused })
    }

    fn trigger_source(&mut self, node: &Node) -> Option<TriggerSource> {
        let known = ["kind", "name", "namespace", "apiVersion", "uid", "resourceVersion", "fieldPath"];
        let fields = self.reader.fields(node, "from", &known)?;
        for key in known.iter().skip(3) {
            if let Some(found) = fields.get(key).filter(|found| !is_nothing(found)) {
                self.note(found.place, &format!("from.{key}"));
            }
        }
        let kind = self.text(&fields, "kind").unwrap_or_default();
        if kind != "ImageStreamTag" {
            let wrong =
                msg!("openshift-value", key = "from.kind", value = shown(&kind), known = "ImageStreamTag");
            self.reader.say(node.place, wrong);
            return None;
        }
        let text = self.text(&fields, "name").unwrap_or_default();
        let split = text.split_once(':').filter(|(name, tag)| !name.is_empty() && is_tag(tag));
        let Some((name, tag)) = split else {
            let name = shown(&text);
            self.reader.say(node.place, msg!("openshift-stream-tag", name = name));
            return None;
        };
        let namespace = self.text(&fields, "namespace");
        Some(TriggerSource { namespace, name: name.to_owned(), tag: tag.to_owned() })
    }
}
