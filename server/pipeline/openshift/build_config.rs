//! The triggers of `BuildConfig` of `build.openshift.io/v1`. What is built and how, the pipeline's own definition
//! says: everything else of the object is a note.

use std::collections::BTreeSet;

use super::fields::{File, Metadata};
use super::scalars::is_nothing;
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
/// With the spellings of the first versions of OpenShift, which it still takes.
const TYPES: [&str; 6] = ["ImageChange", "ConfigChange", "GitHub", "GitLab", "Bitbucket", "Generic"];
/// What belongs into `imageChange`, and is often put beside it.
const INNER: [&str; 4] = ["from", "paused", "lastTriggeredImageID", "imageChangeParams"];
const MOST_TRIGGERS: usize = 100;

impl File<'_> {
    pub fn build_config(&mut self, node: &Node) -> Option<TriggersSpec> {
        let known = (["build.openshift.io/v1", "v1"], &["spec", "status"][..]);
        let fields = self.top(node, "BuildConfig", known)?;
        let Metadata { place, name, namespace, annotations, .. } = self.metadata(&fields, false)?;
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
        let spec = self.fields(spec, "spec", &SPEC)?;
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
        self.strategy(&spec, found.triggers.as_deref().unwrap_or_default());
        if annotations.get(PAUSED).is_some_and(|text| text.eq_ignore_ascii_case("true")) {
            found.triggers.iter_mut().flatten().for_each(|trigger| trigger.paused = true);
        }
        Some(found)
    }

    /// A trigger without `from` watches what the pipeline really stands on. OpenShift watches the strategy's stream.
    fn strategy(&mut self, spec: &Fields, triggers: &[TriggerSpec]) {
        let Some(Value::Map(kinds)) = spec.get("strategy").map(|node| &node.value) else { return };
        if triggers.iter().all(|trigger| trigger.from.is_some()) {
            return;
        }
        for kind in kinds {
            let from = super::walk::entry(&kind.value, "from");
            let text = |key: &str| match &super::walk::entry(from?, key)?.value {
                Value::Text { text, .. } => Some(text.as_str()),
                _ => None,
            };
            if let (Some("ImageStreamTag"), Some(name)) = (text("kind"), text("name")) {
                self.note_that(kind.place, msg!("openshift-strategy-from", name = shown(name)));
            }
        }
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
        let source = self.fields(node, "source", &SOURCE)?;
        for key in SOURCE.iter().skip(2) {
            if let Some(node) = source.get(key).filter(|node| !is_nothing(node)) {
                self.note(node.place, &format!("spec.source.{key}"));
            }
        }
        let git = source.get("git").filter(|node| !is_nothing(node))?;
        let known = ["uri", "ref", "httpProxy", "httpsProxy", "noProxy"];
        let git = self.fields(git, "git", &known)?;
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
        let fields = self.reader.any_fields(node, "triggers")?;
        if let Some(entry) = fields.entries().iter().find(|entry| INNER.contains(&entry.key.as_str())) {
            self.reader.say(entry.place, msg!("openshift-misplaced", key = shown(&entry.key)));
            return None;
        }
        let fields = self.fields(node, "triggers", &known)?;
        let Some(kind) = self.text(&fields, "type") else {
            if fields.get("type").is_none_or(is_nothing) {
                self.reader.say(node.place, msg!("openshift-missing", key = "type"));
            }
            return None;
        };
        let is = |known: &&str| {
            known.eq_ignore_ascii_case(&kind) || (kind == "config" && **known == *"ConfigChange")
        };
        let Some(kind) = TYPES.into_iter().find(|known| is(known)) else {
            let (value, known) = (shown(&kind), TYPES.join(", "));
            self.reader.say(node.place, msg!("openshift-value", key = "type", value = value, known = known));
            return None;
        };
        if kind != "ImageChange" {
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
        let change = self.fields(change, "imageChange", &["from", "paused", "lastTriggeredImageID"])?;
        if let Some(last) = change.get("lastTriggeredImageID").filter(|node| !is_nothing(node)) {
            self.note(last.place, "imageChange.lastTriggeredImageID");
        }
        let paused = self.flag(&change, "paused");
        let from = match change.get("from").filter(|node| !is_nothing(node)) {
            Some(node) if !matches!(&node.value, Value::Map(entries) if entries.is_empty()) => {
                Some(self.trigger_source(&change)?)
            }
            _ => None,
        };
        Some(TriggerSpec { from, paused })
    }

    fn trigger_source(&mut self, change: &Fields) -> Option<TriggerSource> {
        let from = self.reference(change, "from")?;
        if from.kind != "ImageStreamTag" {
            self.reader.say(from.place, msg!("openshift-trigger-kind", kind = shown(&from.kind)));
            return None;
        }
        let split = from.name.split_once(':').filter(|(name, tag)| !name.is_empty() && is_tag(tag));
        let Some((name, tag)) = split else {
            self.reader.say(from.named, msg!("openshift-stream-tag", name = shown(&from.name)));
            return None;
        };
        let owner = from.namespace.as_deref().unwrap_or(self.owner.as_str());
        self.path_of(Some(owner), name, from.named)?;
        Some(TriggerSource { name: name.to_owned(), tag: tag.to_owned(), namespace: from.namespace })
    }
}
