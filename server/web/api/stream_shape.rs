//! An image stream as OpenShift writes it: `ImageStream` of `image.openshift.io/v1`, field for field.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::super::errors::Failure;
use super::super::state::Door;
use super::super::streams::own_repository;
use crate::messages::{self, Language};
use crate::model::{Error, ReferencePolicy, Result, TagItem, TagSource};
use crate::store::streams::items;
use crate::store::streams::spec::{self, Stream, StreamTag};

/// Most items of a tag's history that are shown.
const MOST_ITEMS: u32 = 100;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamShape {
    kind: &'static str,
    api_version: &'static str,
    metadata: Value,
    spec: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Value>,
}

impl StreamShape {
    /// With its status: tags newest first, and why imports failed in the reader's language.
    pub fn of(door: &Door, stream: &Stream, language: Language) -> Result<Self, Failure> {
        let (tags, histories) = door.store.read(|c| {
            let tags = spec::tags(c, stream.id)?;
            let histories = tags.iter().map(|tag| items(c, stream.id, &tag.spec.name, MOST_ITEMS));
            let histories = histories.collect::<Result<Vec<_>>>()?;
            Ok((tags, histories))
        })?;
        let status = tags.iter().zip(&histories).filter_map(|(tag, items)| status(tag, items, language));
        let status = json!({
            "dockerImageRepository": stream.repository.clone().unwrap_or_default(),
            "tags": status.collect::<Vec<_>>(),
        });
        let mut metadata = metadata(stream);
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.insert("creationTimestamp".into(), stream.created_at.to_string().into());
        }
        Ok(StreamShape { metadata, spec: wanted(door, stream, &tags), status: Some(status), ..bare() })
    }

    /// What can be applied again, here or elsewhere.
    pub fn export(door: &Door, stream: &Stream) -> Result<Value, Failure> {
        let tags = door.store.read(|c| spec::tags(c, stream.id))?;
        let shape = StreamShape { metadata: metadata(stream), spec: wanted(door, stream, &tags), ..bare() };
        serde_json::to_value(shape).map_err(|e| Error::internal("write a stream", e).into())
    }
}

fn bare() -> StreamShape {
    StreamShape {
        kind: "ImageStream",
        api_version: "image.openshift.io/v1",
        metadata: Value::Null,
        spec: Value::Null,
        status: None,
    }
}

fn metadata(stream: &Stream) -> Value {
    let mut found = json!({ "name": stream.path.name, "namespace": stream.path.owner });
    for (key, texts) in [("annotations", &stream.annotations), ("labels", &stream.labels)] {
        if let (Some(found), false) = (found.as_object_mut(), texts.is_empty()) {
            found.insert(key.into(), json!(texts));
        }
    }
    found
}

fn wanted(door: &Door, stream: &Stream, tags: &[StreamTag]) -> Value {
    let mut found = BTreeMap::from([("lookupPolicy", json!({ "local": stream.lookup_local }))]);
    // One that was noted before it was kept as it is written.
    let other =
        || stream.repository.as_ref().filter(|_| stream.repository != own_repository(door, &stream.path));
    if let Some(repository) = stream.written_repository.as_ref().or_else(other) {
        found.insert("dockerImageRepository", json!(repository));
    }
    let named = tags.iter().filter(|tag| tag.in_spec);
    let tags: Vec<Value> = named.map(|tag| tag_spec(stream, tag)).collect();
    if !tags.is_empty() {
        found.insert("tags", tags.into());
    }
    json!(found)
}

fn tag_spec(stream: &Stream, tag: &StreamTag) -> Value {
    let spec = &tag.spec;
    let mut policy = BTreeMap::new();
    for (name, set) in [("insecure", spec.insecure), ("scheduled", spec.scheduled)] {
        if set {
            policy.insert(name, json!(true));
        }
    }
    if spec.import_mode != "Legacy" {
        policy.insert("importMode", json!(spec.import_mode));
    }
    let local = spec.reference_policy == ReferencePolicy::Local;
    let mut found = BTreeMap::from([
        ("name", json!(spec.name)),
        ("generation", json!(spec.generation)),
        ("importPolicy", json!(policy)),
        ("referencePolicy", json!({ "type": if local { "Local" } else { "Source" } })),
    ]);
    if spec.reference {
        found.insert("reference", json!(true));
    }
    if !spec.annotations.is_empty() {
        found.insert("annotations", json!(spec.annotations));
    }
    if let Some(source) = &spec.source {
        found.insert("from", from(stream, source));
    }
    json!(found)
}

fn from(stream: &Stream, source: &TagSource) -> Value {
    match source {
        TagSource::DockerImage(name) => json!({ "kind": "DockerImage", "name": name }),
        TagSource::ImageStreamTag(tag) => json!({ "kind": "ImageStreamTag", "name": tag }),
        TagSource::ImageStreamImage(digest) => {
            json!({ "kind": "ImageStreamImage", "name": format!("{}@{digest}", stream.path.name) })
        }
        TagSource::OtherTag(of) => {
            let name = format!("{}:{}", of.stream.name, of.tag);
            json!({ "kind": "ImageStreamTag", "name": name, "namespace": of.stream.owner })
        }
        TagSource::OtherImage(of) => {
            let name = format!("{}@{}", of.stream.name, of.digest);
            json!({ "kind": "ImageStreamImage", "name": name, "namespace": of.stream.owner })
        }
    }
}

/// Nothing for a tag that neither names anything nor has failed.
fn status(tag: &StreamTag, items: &[TagItem], language: Language) -> Option<Value> {
    if items.is_empty() && tag.condition.is_none() {
        return None;
    }
    let item = |item: &TagItem| {
        json!({
            "created": item.created_at.to_string(),
            "dockerImageReference": item.reference,
            "image": item.digest.as_ref().map(ToString::to_string).unwrap_or_default(),
            "generation": item.generation,
        })
    };
    let items: Vec<Value> = items.iter().map(item).collect();
    let mut found = json!({ "tag": tag.spec.name, "items": items });
    if let (Some(found), Some(condition)) = (found.as_object_mut(), &tag.condition) {
        let condition = json!([{
            "type": "ImportSuccess",
            "status": "False",
            "lastTransitionTime": condition.at.to_string(),
            "reason": condition.reason,
            "message": messages::render(language, &condition.message),
            "generation": condition.generation,
        }]);
        found.insert("conditions".into(), condition);
    }
    Some(found)
}
