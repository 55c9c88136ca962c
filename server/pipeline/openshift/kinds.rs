//! `ImageStreamTag`, `ImageTag`, `ImageStreamImport` and `ImageStreamMapping` of `image.openshift.io/v1`: tags of a stream,
//! said one by one.

use super::fields::{File, Metadata};
use super::scalars::is_nothing;
use super::stream::MOST_TAGS;
use super::{Object, image};
use crate::model::{ImageToTag, StreamTagName, TagsSpec};
use crate::msg;
use crate::pipeline::finding::shown;
use crate::pipeline::ropewalk::node::Node;
use crate::pipeline::ropewalk::reader::Fields;

const VERSIONS: [&str; 2] = ["image.openshift.io/v1", "v1"];

impl File<'_> {
    /// `ImageStreamTag`, whose tag is at `tag`, or `ImageTag`, where it is at `spec`.
    pub fn stream_tag(&mut self, node: &Node, kind: &str) -> Option<Object> {
        let at = if kind == "ImageTag" { "spec" } else { "tag" };
        let known = ["tag", "spec", "image", "generation", "lookupPolicy", "conditions", "status"];
        let fields = self.top(node, kind, (VERSIONS, &known))?;
        for key in known.iter().skip(2).filter(|key| **key != "status") {
            if let Some(found) = fields.get(key).filter(|found| !is_nothing(found)) {
                self.note(found.place, key);
            }
        }
        let metadata = self.metadata(&fields, false)?;
        let name = self.named_tag(&metadata)?;
        let Some(tag) = fields.get(at).filter(|tag| !is_nothing(tag)) else {
            self.reader.say(fields.place, msg!("openshift-missing", key = at));
            return None;
        };
        let mut tag = self.tag(tag, &name.stream, Some(&name.tag))?;
        if tag.annotations.is_empty() && kind != "ImageTag" {
            tag.annotations = metadata.annotations;
        }
        Some(Object::Tags(TagsSpec { path: name.stream, tags: vec![tag] }))
    }

    /// `STREAM:TAG`, as the name of an object.
    fn named_tag(&mut self, metadata: &Metadata) -> Option<StreamTagName> {
        let Some((stream, tag)) = metadata.name.split_once(':') else {
            self.reader.say(metadata.place, msg!("openshift-stream-tag", name = shown(&metadata.name)));
            return None;
        };
        let stream = self.path_of(metadata.namespace.as_deref(), stream, metadata.place)?;
        self.is_tag_name(tag, metadata.place).then(|| StreamTagName { stream, tag: tag.to_owned() })
    }

    /// Images that are imported into tags now.
    pub fn import(&mut self, node: &Node) -> Option<Object> {
        let fields = self.top(node, "ImageStreamImport", (VERSIONS, &["spec", "status"]))?;
        let metadata = self.metadata(&fields, false)?;
        let path = self.path(&metadata)?;
        let Some(spec) = fields.get("spec").filter(|spec| !is_nothing(spec)) else {
            self.reader.say(fields.place, msg!("openshift-missing", key = "spec"));
            return None;
        };
        let place = spec.place;
        let spec = self.fields(spec, "spec", &["import", "images", "repository"])?;
        if !self.flag(&spec, "import") {
            self.reader.say(place, msg!("openshift-import-only-looks"));
            return None;
        }
        if let Some(whole) = spec.get("repository").filter(|whole| !is_nothing(whole)) {
            self.reader.say(whole.place, msg!("openshift-import-repository"));
        }
        let tags = self.imports(&spec)?;
        if tags.is_empty() {
            self.reader.say(place, msg!("openshift-missing", key = "spec.images"));
            return None;
        }
        Some(Object::Tags(TagsSpec { path, tags }))
    }

    fn imports(&mut self, spec: &Fields) -> Option<Vec<crate::model::TagSpec>> {
        let Some(node) = spec.get("images").filter(|node| !is_nothing(node)) else { return Some(Vec::new()) };
        let list = self.reader.list(node, "images")?;
        if let Some(node) = list.get(MOST_TAGS) {
            self.reader.say(node.place, msg!("openshift-too-many", most = MOST_TAGS));
            return None;
        }
        let mut tags: Vec<crate::model::TagSpec> = Vec::new();
        for node in list {
            let tag = self.imported(node)?;
            if tags.iter().any(|before| before.name == tag.name) {
                self.reader.say(node.place, msg!("openshift-twice", name = tag.name));
                continue;
            }
            tags.push(tag);
        }
        Some(tags)
    }

    /// An image that a tag is to name, as the registry of OpenShift says it.
    pub fn mapping(&mut self, node: &Node) -> Option<Object> {
        let known = ["image", "tag", "status"];
        let fields = self.top(node, "ImageStreamMapping", (VERSIONS, &known))?;
        let metadata = self.metadata(&fields, false)?;
        let stream = self.path(&metadata)?;
        let tag = self.text(&fields, "tag");
        let whole = fields.get("image").filter(|image| !is_nothing(image));
        let image = whole.and_then(|node| self.reader.any_fields(node, "image"));
        let image = image.and_then(|image| self.text(&image, "dockerImageReference"));
        for (key, value) in [("tag", &tag), ("image.dockerImageReference", &image)] {
            if value.is_none() {
                self.reader.say(fields.place, msg!("openshift-missing", key = key));
            }
        }
        let (tag, image) = (tag?, image?);
        if let Err(message) = image::image(&image) {
            self.reader.say(whole.map_or(fields.place, |node| node.place), message);
            return None;
        }
        let place = fields.get("tag").map_or(fields.place, |node| node.place);
        if !self.is_tag_name(&tag, place) {
            return None;
        }
        Some(Object::Image(ImageToTag { tag: StreamTagName { stream, tag }, image }))
    }
}
