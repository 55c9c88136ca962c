//! `ImageStream` of `image.openshift.io/v1`.

use std::collections::BTreeMap;

use super::fields::{File, Metadata};
use super::image;
use super::scalars::is_nothing;
use crate::model::{RepositoryPath, StreamSpec, TagSource, TagSpec};
use crate::msg;
use crate::pipeline::finding::{Place, shown};
use crate::pipeline::ropewalk::node::Node;
use crate::pipeline::ropewalk::reader::Fields;

/// Most tags of a stream.
pub const MOST_TAGS: usize = 1000;

impl File<'_> {
    pub fn stream(&mut self, node: &Node) -> Option<StreamSpec> {
        let known = (["image.openshift.io/v1", "v1"], &["spec", "status"][..]);
        let fields = self.top(node, "ImageStream", known)?;
        let metadata = self.metadata(&fields, true)?;
        let path = self.path(&metadata)?;
        let Metadata { annotations, labels, .. } = metadata;
        let mut spec = StreamSpec { annotations, labels, ..StreamSpec::bare(path) };
        let Some(wanted) = fields.get("spec").filter(|wanted| !is_nothing(wanted)) else { return Some(spec) };
        let wanted = self.fields(wanted, "spec", &["lookupPolicy", "dockerImageRepository", "tags"])?;
        if let Some(policy) = wanted.get("lookupPolicy").filter(|policy| !is_nothing(policy))
            && let Some(policy) = self.fields(policy, "lookupPolicy", &["local"])
        {
            spec.lookup_local = self.flag(&policy, "local");
        }
        (spec.repository, spec.written_repository) = self.repository(&wanted).unzip();
        if let Some(tags) = wanted.get("tags").filter(|tags| !is_nothing(tags)) {
            spec.tags = self.tags(tags, &spec.path);
        }
        Some(spec)
    }

    /// `owner/name` of what is described.
    pub fn path(&mut self, metadata: &Metadata) -> Option<RepositoryPath> {
        self.path_of(metadata.namespace.as_deref(), &metadata.name, metadata.place)
    }

    pub fn path_of(&mut self, namespace: Option<&str>, name: &str, place: Place) -> Option<RepositoryPath> {
        match RepositoryPath::new(namespace.unwrap_or(self.owner.as_str()), name) {
            Ok(path) => Some(path),
            Err(error) => {
                let message = error.message().cloned();
                self.reader.say(place, message.unwrap_or_else(|| msg!("openshift-missing", key = "name")));
                None
            }
        }
    }

    /// As it is to be followed, and as it is written.
    fn repository(&mut self, fields: &Fields) -> Option<(String, String)> {
        let text = self.text(fields, "dockerImageRepository")?;
        let place = fields.get("dockerImageRepository")?.place;
        match image::repository(&text) {
            Ok(repository) => Some((repository, text)),
            Err(message) => {
                self.reader.say(place, message);
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
        let (mut found, mut places) = (Vec::new(), BTreeMap::new());
        for node in list {
            if self.reader.findings.is_full() {
                break;
            }
            let Some(tag) = self.tag(node, stream, None) else { continue };
            if places.insert(tag.name.clone(), node.place).is_some() {
                self.reader.say(node.place, msg!("openshift-twice", name = tag.name));
                continue;
            }
            found.push(tag);
        }
        if let Some(way) = circle(&found) {
            let place = way.first().and_then(|tag| places.get(*tag)).copied().unwrap_or(node.place);
            self.reader.say(place, msg!("openshift-alias-circle", way = shown_way(&way)));
        }
        found
    }
}

fn shown_way(way: &[&str]) -> String {
    let shown: Vec<String> = way.iter().take(8).map(|tag| shown(tag)).collect();
    shown.join(" → ")
}

/// Tags that stand for each other in a circle, the first one last again; if there is such a circle.
fn circle(tags: &[TagSpec]) -> Option<Vec<&str>> {
    let next: BTreeMap<&str, &str> = tags
        .iter()
        .filter_map(|tag| match &tag.source {
            Some(TagSource::ImageStreamTag(other)) => Some((tag.name.as_str(), other.as_str())),
            _ => None,
        })
        .collect();
    let mut good = std::collections::BTreeSet::new();
    for start in next.keys() {
        let mut way = vec![*start];
        while let Some(tag) = way.last().and_then(|tag| next.get(tag)) {
            if good.contains(tag) {
                break;
            }
            if let Some(at) = way.iter().position(|seen| seen == tag) {
                let mut way = way.split_off(at);
                way.push(tag);
                return Some(way);
            }
            way.push(tag);
        }
        good.extend(way);
    }
    None
}
