//! One tag of a stream (`TagReference`), wherever it stands, and what it comes from.

use super::fields::{File, Reference};
use super::image;
use super::scalars::is_nothing;
use crate::model::{
    Digest, ImageReference, Message, ReferencePolicy, RepositoryPath, StreamImageName, StreamTagName,
    TagSource, TagSpec, is_tag,
};
use crate::msg;
use crate::pipeline::finding::{Place, shown};
use crate::pipeline::ropewalk::node::{Node, Value};
use crate::pipeline::ropewalk::reader::Fields;

const TAG: [&str; 7] =
    ["name", "annotations", "from", "reference", "generation", "importPolicy", "referencePolicy"];

/// `importPolicy`, and where it says that it is scheduled.
pub struct ImportPolicy {
    insecure: bool,
    scheduled: Option<Place>,
    mode: &'static str,
}

impl File<'_> {
    /// The tag at `node`; `given` is its name, where another field says it.
    pub fn tag(&mut self, node: &Node, stream: &RepositoryPath, given: Option<&str>) -> Option<TagSpec> {
        let fields = self.fields(node, "tags", &TAG)?;
        let name = match (fields.get("name").filter(|name| !is_nothing(name)), given) {
            (Some(written), _) => {
                let name = self.string(written, "name")?;
                if !self.is_tag_name(&name, written.place) {
                    return None;
                }
                if let Some(given) = given.filter(|given| *given != name && !name.is_empty()) {
                    let wrong = msg!("openshift-other-tag", name = shown(&name), tag = shown(given));
                    self.reader.say(written.place, wrong);
                }
                name
            }
            (None, Some(given)) => given.to_owned(),
            (None, None) => {
                self.reader.say(node.place, msg!("openshift-missing", key = "name"));
                return None;
            }
        };
        let from = fields.get("from").filter(|from| !is_nothing(from));
        let source = match from {
            Some(_) => Some(self.source(&fields, (stream, &name))?),
            None => None,
        };
        let policy = self.import_policy(&fields);
        self.may_be_scheduled(&policy, source.as_ref());
        let reference_policy = self.reference_policy(&fields);
        Some(TagSpec {
            source,
            reference: self.flag(&fields, "reference"),
            insecure: policy.insecure,
            scheduled: policy.scheduled.is_some(),
            import_mode: policy.mode.to_owned(),
            reference_policy,
            annotations: self.strings(&fields, "annotations"),
            generation: self.generation(&fields),
            ..TagSpec::bare(name)
        })
    }

    pub fn is_tag_name(&mut self, name: &str, place: Place) -> bool {
        if !is_tag(name) {
            self.reader.say(place, msg!("openshift-tag-name", name = shown(name)));
        }
        is_tag(name)
    }

    /// OpenShift: only tags that point to a registry may be scheduled for import.
    fn may_be_scheduled(&mut self, policy: &ImportPolicy, source: Option<&TagSource>) {
        if let Some(place) = policy.scheduled
            && source.is_some_and(|source| !matches!(source, TagSource::DockerImage(_)))
        {
            self.reader.say(place, msg!("openshift-scheduled-alias"));
        }
    }

    /// Only nought has a meaning: import anew.
    fn generation(&mut self, fields: &Fields) -> i64 {
        let Some(node) = fields.get("generation").filter(|node| !is_nothing(node)) else { return 1 };
        let number = match &node.value {
            Value::Text { text, plain: true } => text.parse::<i64>().ok(),
            _ => None,
        };
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

    pub fn reference_policy(&mut self, fields: &Fields) -> ReferencePolicy {
        let policy = fields.get("referencePolicy").filter(|policy| !is_nothing(policy));
        let policy = policy.and_then(|policy| self.fields(policy, "referencePolicy", &["type"]));
        match policy.map(|policy| self.one_of(&policy, "type", ["Source", "Local"])) {
            Some("Local") => ReferencePolicy::Local,
            _ => ReferencePolicy::Source,
        }
    }

    pub fn import_policy(&mut self, fields: &Fields) -> ImportPolicy {
        let none = ImportPolicy { insecure: false, scheduled: None, mode: "Legacy" };
        let Some(node) = fields.get("importPolicy").filter(|policy| !is_nothing(policy)) else { return none };
        let known = ["insecure", "scheduled", "importMode"];
        let Some(policy) = self.fields(node, "importPolicy", &known) else { return none };
        let insecure = self.flag(&policy, "insecure");
        if insecure {
            self.note_that(node.place, msg!("openshift-insecure"));
        }
        let mode = policy.get("importMode");
        if mode.is_some_and(|mode| matches!(&mode.value, Value::Text { text, .. } if text == "Legacy")) {
            self.note_that(node.place, msg!("openshift-legacy"));
        }
        let mode = self.one_of(&policy, "importMode", ["Legacy", "PreserveOriginal"]);
        let scheduled = self.flag(&policy, "scheduled");
        let place = policy.get("scheduled").map_or(node.place, |node| node.place);
        ImportPolicy { insecure, scheduled: scheduled.then_some(place), mode }
    }

    fn source(&mut self, fields: &Fields, (stream, tag): (&RepositoryPath, &str)) -> Option<TagSource> {
        let from = self.reference(fields, "from")?;
        let found = match from.kind.as_str() {
            "DockerImage" => {
                if from.namespace.is_some() {
                    self.note(from.place, "from.namespace");
                }
                image::image(&from.name).map(|_| TagSource::DockerImage(from.name.clone()))
            }
            "ImageStreamTag" => self.of_tag(&from, stream, tag)?,
            "ImageStreamImage" => self.of_image(&from, stream)?,
            other => {
                let known = "DockerImage, ImageStreamTag, ImageStreamImage";
                Err(msg!("openshift-value", key = "from.kind", value = shown(other), known = known))
            }
        };
        match found {
            Ok(source) => Some(source),
            Err(message) => {
                self.reader.say(from.named, message);
                None
            }
        }
    }

    /// The stream a reference names, by its part before the tag or digest; a bare one means its own name.
    fn other(
        &mut self,
        from: &Reference,
        part: Option<&str>,
        stream: &RepositoryPath,
    ) -> Option<RepositoryPath> {
        let namespace = from.namespace.as_deref().unwrap_or(stream.owner.as_str());
        self.path_of(Some(namespace), part.unwrap_or(stream.name.as_str()), from.named)
    }

    fn of_tag(
        &mut self,
        from: &Reference,
        stream: &RepositoryPath,
        tag: &str,
    ) -> Option<Result<TagSource, Message>> {
        let (part, other) = match from.name.split_once(':') {
            Some((part, other)) => (Some(part), other),
            None => (None, from.name.as_str()),
        };
        if !is_tag(other) {
            return Some(Err(msg!("openshift-from-tag", name = shown(&from.name))));
        }
        let of = self.other(from, part, stream)?;
        Some(match is_same(&of, stream) {
            true if other == tag => Err(msg!("openshift-alias-itself", name = tag)),
            true => Ok(TagSource::ImageStreamTag(other.to_owned())),
            false => Ok(TagSource::OtherTag(StreamTagName { stream: of, tag: other.to_owned() })),
        })
    }

    fn of_image(&mut self, from: &Reference, stream: &RepositoryPath) -> Option<Result<TagSource, Message>> {
        let (part, digest) = match from.name.split_once('@') {
            Some((part, digest)) => (Some(part), digest),
            None => (None, from.name.as_str()),
        };
        let Ok(digest) = Digest::new(digest) else {
            return Some(Err(msg!("openshift-from-image", name = shown(&from.name))));
        };
        let of = self.other(from, part, stream)?;
        Some(Ok(match is_same(&of, stream) {
            true => TagSource::ImageStreamImage(digest),
            false => TagSource::OtherImage(StreamImageName { stream: of, digest }),
        }))
    }

    /// An item of `ImageStreamImport.spec.images`: a tag whose source is imported now.
    pub fn imported(&mut self, node: &Node) -> Option<TagSpec> {
        let known = ["from", "to", "importPolicy", "referencePolicy", "includeManifest"];
        let fields = self.fields(node, "images", &known)?;
        if let Some(found) = fields.get("includeManifest").filter(|found| !is_nothing(found)) {
            self.note(found.place, "includeManifest");
        }
        let source = self.docker_image(&fields, node.place)?;
        let to = match fields.get("to").filter(|to| !is_nothing(to)) {
            Some(to) => {
                let to = self.fields(to, "to", &["name"])?;
                self.text(&to, "name")
            }
            None => image::image(&source).ok().and_then(tag_of),
        };
        let Some(name) = to else {
            self.reader.say(node.place, msg!("openshift-missing", key = "to.name"));
            return None;
        };
        if !self.is_tag_name(&name, node.place) {
            return None;
        }
        let policy = self.import_policy(&fields);
        Some(TagSpec {
            source: Some(TagSource::DockerImage(source)),
            insecure: policy.insecure,
            scheduled: policy.scheduled.is_some(),
            import_mode: policy.mode.to_owned(),
            reference_policy: self.reference_policy(&fields),
            generation: 0,
            ..TagSpec::bare(name)
        })
    }

    /// `from`, which can be nothing but a reference to an image in a registry.
    pub fn docker_image(&mut self, fields: &Fields, place: Place) -> Option<String> {
        if fields.get("from").is_none_or(is_nothing) {
            self.reader.say(place, msg!("openshift-missing", key = "from"));
            return None;
        }
        let from = self.reference(fields, "from")?;
        let wrong = match from.kind.as_str() {
            "DockerImage" => image::image(&from.name).err(),
            other => {
                Some(msg!("openshift-value", key = "from.kind", value = shown(other), known = "DockerImage"))
            }
        };
        match wrong {
            Some(message) => {
                self.reader.say(from.named, message);
                None
            }
            None => Some(from.name),
        }
    }
}

/// The tag that an image is imported to when none is named; one by digest alone has none.
fn tag_of(image: ImageReference) -> Option<String> {
    match (image.tag, image.digest) {
        (Some(tag), _) => Some(tag),
        (None, None) => Some("latest".to_owned()),
        (None, Some(_)) => None,
    }
}

fn is_same(one: &RepositoryPath, other: &RepositoryPath) -> bool {
    one.owner.as_str().eq_ignore_ascii_case(other.owner.as_str())
        && one.name.as_str().eq_ignore_ascii_case(other.name.as_str())
}
