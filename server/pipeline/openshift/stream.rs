//! `ImageStream` of `image.openshift.io/v1`.

use std::collections::BTreeSet;

use super::{File, Metadata, is_nothing};
use crate::model::{
    Digest, Error, ImageReference, ReferencePolicy, RepositoryPath, StreamSpec, TagSource, TagSpec, is_tag,
};
use crate::msg;
use crate::pipeline::finding::shown;
use crate::pipeline::ropewalk::node::{Node, Value};
use crate::pipeline::ropewalk::reader::Fields;

/// Most tags of a stream.
const MOST_TAGS: usize = 1000;
const TAG: [&str; 7] =
    ["name", "annotations", "from", "reference", "generation", "importPolicy", "referencePolicy"];
/// Of an object reference.
const FROM: [&str; 7] = ["kind", "name", "namespace", "apiVersion", "uid", "resourceVersion", "fieldPath"];

impl File<'_, '_> {
    pub(super) fn stream(&mut self, node: &Node) -> Option<StreamSpec> {
        let fields = self.top(node, "ImageStream", ["image.openshift.io/v1", "v1"])?;
        let Metadata { place, name, namespace, annotations } = self.metadata(&fields)?;
        let owner = namespace.unwrap_or_else(|| self.owner.to_string());
        let path = match RepositoryPath::new(&owner, &name) {
            Ok(path) => path,
            Err(error) => {
                let message = error.message().cloned();
                self.reader.say(place, message.unwrap_or_else(|| msg!("openshift-missing", key = "name")));
                return None;
            }
        };
        let mut spec =
            StreamSpec { path, repository: None, lookup_local: false, annotations, tags: Vec::new() };
        let Some(wanted) = fields.get("spec").filter(|wanted| !is_nothing(wanted)) else { return Some(spec) };
        let wanted =
            self.reader.fields(wanted, "spec", &["lookupPolicy", "dockerImageRepository", "tags"])?;
        if let Some(policy) = wanted.get("lookupPolicy").filter(|policy| !is_nothing(policy))
            && let Some(policy) = self.reader.fields(policy, "lookupPolicy", &["local"])
        {
            spec.lookup_local = self.flag(&policy, "local");
        }
        spec.repository = self.repository(&wanted);
        if let Some(tags) = wanted.get("tags").filter(|tags| !is_nothing(tags)) {
            spec.tags = self.tags(tags, &spec.path);
        }
        Some(spec)
    }

    fn repository(&mut self, fields: &Fields) -> Option<String> {
        let text = self.text(fields, "dockerImageRepository")?;
        let place = fields.get("dockerImageRepository")?.place;
        match ImageReference::parse(&text) {
            Ok(image) if image.tag.is_none() && image.digest.is_none() && image.host.is_some() => Some(text),
            _ => {
                self.reader.say(place, msg!("openshift-repository", value = shown(&text)));
                None
            }
        }
    }

    fn tags(&mut self, node: &Node, stream: &RepositoryPath) -> Vec<TagSpec> {
        let Some(list) = self.reader.list(node, "tags") else { return Vec::new() };
        if let Some(node) = list.get(MOST_TAGS) {
            self.reader.say(node.place, msg!("openshift-too-many", most = MOST_TAGS));
            return Vec::new();
        }
        let (mut found, mut names) = (Vec::new(), BTreeSet::new());
        for node in list {
            if self.reader.findings.is_full() {
                break;
            }
            let Some(tag) = self.tag(node, stream) else { continue };
            if !names.insert(tag.name.clone()) {
                self.reader.say(node.place, msg!("openshift-twice", name = tag.name));
                continue;
            }
            found.push(tag);
        }
        found
    }

    fn tag(&mut self, node: &Node, stream: &RepositoryPath) -> Option<TagSpec> {
        let fields = self.reader.fields(node, "tags", &TAG)?;
        let Some(name) = fields.get("name") else {
            self.reader.say(node.place, msg!("openshift-missing", key = "name"));
            return None;
        };
        let place = name.place;
        let name = self.reader.string(name, "name")?.to_owned();
        if !is_tag(&name) {
            self.reader.say(place, msg!("openshift-tag-name", name = shown(&name)));
            return None;
        }
        let from = fields.get("from").filter(|from| !is_nothing(from));
        let source = match from {
            Some(from) => Some(self.source(from, stream, &name)?),
            None => None,
        };
        let (insecure, scheduled, import_mode) = self.import_policy(&fields);
        let local = match fields.get("referencePolicy").filter(|policy| !is_nothing(policy)) {
            Some(policy) => {
                let policy = self.reader.fields(policy, "referencePolicy", &["type"])?;
                self.one_of(&policy, "type", ["Source", "Local"]) == "Local"
            }
            None => false,
        };
        Some(TagSpec {
            name,
            source,
            reference: self.flag(&fields, "reference"),
            insecure,
            scheduled,
            import_mode: import_mode.to_owned(),
            reference_policy: if local { ReferencePolicy::Local } else { ReferencePolicy::Source },
            annotations: self.annotations(&fields),
            generation: self.generation(&fields),
        })
    }

    /// Only nought has a meaning: import anew.
    fn generation(&mut self, fields: &Fields) -> i64 {
        let Some(node) = fields.get("generation").filter(|node| !is_nothing(node)) else { return 1 };
        let number = self.reader.string(node, "generation").and_then(|text| text.parse::<i64>().ok());
        if number.is_none() {
            let value = match &node.value {
                Value::Text { text, .. } => shown(text),
                _ => String::new(),
            };
            let known = "0, 1, 2, ...";
            self.reader
                .say(node.place, msg!("openshift-value", key = "generation", value = value, known = known));
        }
        number.unwrap_or(1)
    }

    fn import_policy(&mut self, fields: &Fields) -> (bool, bool, &'static str) {
        const DEFAULT: (bool, bool, &str) = (false, false, "Legacy");
        let Some(node) = fields.get("importPolicy").filter(|policy| !is_nothing(policy)) else {
            return DEFAULT;
        };
        let Some(policy) = self.reader.fields(node, "importPolicy", &["insecure", "scheduled", "importMode"])
        else {
            return DEFAULT;
        };
        let insecure = self.flag(&policy, "insecure");
        if insecure {
            self.note_that(node.place, msg!("openshift-insecure"));
        }
        if policy
            .get("importMode")
            .is_some_and(|mode| matches!(&mode.value, Value::Text { text, .. } if text == "Legacy"))
        {
            self.note_that(node.place, msg!("openshift-legacy"));
        }
        let mode = self.one_of(&policy, "importMode", ["Legacy", "PreserveOriginal"]);
        (insecure, self.flag(&policy, "scheduled"), mode)
    }

    fn source(&mut self, node: &Node, stream: &RepositoryPath, tag: &str) -> Option<TagSource> {
        let fields = self.reader.fields(node, "from", &FROM)?;
        for key in FROM.iter().skip(3) {
            if let Some(found) = fields.get(key).filter(|found| !is_nothing(found)) {
                self.note(found.place, &format!("from.{key}"));
            }
        }
        let Some(name) = self.text(&fields, "name") else {
            self.reader.say(node.place, msg!("openshift-missing", key = "from.name"));
            return None;
        };
        let place = fields.get("name").map_or(node.place, |name| name.place);
        let kind = self.text(&fields, "kind").unwrap_or_default();
        let namespace = self.text(&fields, "namespace");
        let elsewhere =
            namespace.is_some_and(|namespace| !namespace.eq_ignore_ascii_case(stream.owner.as_str()));
        let same = |written: &str| written.eq_ignore_ascii_case(stream.name.as_str());
        let found = match kind.as_str() {
            "DockerImage" => ImageReference::parse(&name).map(|_| TagSource::DockerImage(name.clone())),
            "ImageStreamTag" | "ImageStreamImage" if elsewhere => {
                Err(Error::Invalid(msg!("openshift-same-stream")))
            }
            "ImageStreamTag" => match name.split_once(':').unwrap_or((stream.name.as_str(), &name)) {
                (of, other) if same(of) && is_tag(other) && other != tag => {
                    Ok(TagSource::ImageStreamTag(other.to_owned()))
                }
                _ => Err(Error::Invalid(msg!("openshift-same-stream"))),
            },
            "ImageStreamImage" => match name.split_once('@').unwrap_or((stream.name.as_str(), &name)) {
                (of, digest) if same(of) => Digest::new(digest).map(TagSource::ImageStreamImage),
                _ => Err(Error::Invalid(msg!("openshift-same-stream"))),
            },
            other => Err(Error::Invalid(msg!(
                "openshift-value",
                key = "from.kind",
                value = shown(other),
                known = "DockerImage, ImageStreamTag, ImageStreamImage"
            ))),
        };
        match found {
            Ok(source) => Some(source),
            Err(error) => {
                let message = error.message().cloned();
                self.reader
                    .say(place, message.unwrap_or_else(|| msg!("openshift-missing", key = "from.name")));
                None
            }
        }
    }
}
