//! Manifests: the documents that say what an image is made of. Read leniently where the world is loose
//! (nulls, unknown keys) and strictly where it matters (digests, one meaning per document). Pure; knows no
//! connection.

use std::collections::BTreeMap;
use std::fmt;

use oci_client::manifest::{
    IMAGE_CONFIG_MEDIA_TYPE, IMAGE_DOCKER_CONFIG_MEDIA_TYPE, IMAGE_MANIFEST_LIST_MEDIA_TYPE,
    IMAGE_MANIFEST_MEDIA_TYPE, OCI_IMAGE_INDEX_MEDIA_TYPE, OCI_IMAGE_MEDIA_TYPE,
};
use serde::Deserialize;

use crate::model::{Digest, Message};
use crate::msg;

/// Every kind of manifest this client reads. Without it a registry turns new manifests into old ones.
pub(super) const ACCEPT: &str = "application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json";

/// One of the images an index names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    pub os: String,
    pub architecture: String,
    /// Empty, or e.g. `v7`.
    pub variant: String,
    pub digest: Digest,
    /// Of the manifest, in bytes.
    pub size: u64,
    /// True for what BuildKit adds about an image (provenance, SBOM), which nobody can run.
    pub attestation: bool,
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        if !self.variant.is_empty() {
            write!(f, "/{}", self.variant)?;
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    pub digest: Digest,
    /// Compressed, in bytes, as the manifest states it.
    pub size: u64,
    pub media_type: String,
    /// The build step it came from; empty when the history does not say.
    pub created_by: String,
}

/// What a manifest is.
#[derive(Clone, Debug)]
pub(super) enum Manifest {
    Image(ImageManifest),
    Index(Vec<Platform>),
}

#[derive(Clone, Debug)]
pub(super) struct ImageManifest {
    pub config: Digest,
    pub config_size: u64,
    pub config_media_type: String,
    /// Without `created_by`, which only the configuration knows.
    pub layers: Vec<Layer>,
}

impl ImageManifest {
    /// Whether the configuration is an image's, not that of some other artifact kept in the registry.
    pub fn has_image_config(&self) -> bool {
        matches!(self.config_media_type.as_str(), IMAGE_CONFIG_MEDIA_TYPE | IMAGE_DOCKER_CONFIG_MEDIA_TYPE)
    }

    /// Configuration and layers, in bytes.
    pub fn total_size(&self) -> u64 {
        self.layers.iter().fold(self.config_size, |sum, layer| sum.saturating_add(layer.size))
    }
}

/// True for the formats of before 2016, whose digest is not that of their bytes.
pub(super) fn is_schema1(media_type: &str) -> bool {
    media_type.starts_with("application/vnd.docker.distribution.manifest.v1+")
}

/// The media type of a manifest: what the header says, else what the document says of itself.
pub(super) fn media_type(header: Option<&str>, body: &[u8]) -> String {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Kind {
        #[serde(default)]
        schema_version: Option<u64>,
        #[serde(default)]
        media_type: Option<String>,
        #[serde(default)]
        manifests: Option<serde::de::IgnoredAny>,
    }
    let header = header.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if header.starts_with("application/vnd.") {
        return header.to_owned();
    }
    match serde_json::from_slice::<Kind>(body) {
        Ok(Kind { schema_version: Some(1), .. }) => {
            "application/vnd.docker.distribution.manifest.v1+json".to_owned()
        }
        Ok(Kind { media_type: Some(own), .. }) => own,
        Ok(Kind { manifests: Some(_), .. }) => OCI_IMAGE_INDEX_MEDIA_TYPE.to_owned(),
        _ => OCI_IMAGE_MEDIA_TYPE.to_owned(),
    }
}

/// Whether an answer with this content type can hold a manifest: a page cannot.
pub(super) fn may_be_manifest(content_type: Option<&str>) -> bool {
    content_type.is_none_or(|kind| kind.to_ascii_lowercase().contains("json") || kind.contains("prettyjws"))
}

/// Whether it is a page for people.
pub(super) fn is_page(content_type: Option<&str>) -> bool {
    content_type.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html"))
}

/// Whether a document is a manifest of some kind, and not whatever else a server may answer with.
pub(super) fn is_manifest(body: &[u8]) -> bool {
    let known = ["schemaVersion", "mediaType", "config", "layers", "manifests", "fsLayers", "blobs"];
    serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(body)
        .is_ok_and(|map| known.iter().any(|name| map.contains_key(*name)))
}

/// What a manifest holds when that is no image that can be run: a signature, a chart, a build cache.
pub(super) fn other_than_image(media_type: &str, body: &[u8]) -> Option<String> {
    use serde_json::Value;
    let value: Value = serde_json::from_slice(body).ok()?;
    let text = |value: &Value, name: &str| {
        value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(shown)
    };
    let kinds = |name: &str| {
        let all = value.get(name).and_then(Value::as_array).into_iter().flatten();
        all.map(|one| text(one, "mediaType").unwrap_or_default()).collect::<Vec<_>>()
    };
    if let Some(kind) = text(&value, "artifactType") {
        return Some(kind);
    }
    if value.get("subject").is_some_and(Value::is_object) {
        return Some(shown(media_type));
    }
    match media_type {
        IMAGE_MANIFEST_MEDIA_TYPE | OCI_IMAGE_MEDIA_TYPE => {
            let config = value.get("config").and_then(|config| text(config, "mediaType")).unwrap_or_default();
            let layers = kinds("layers");
            let of_image = |kind: &String| {
                kind.is_empty() || kind.contains("image.layer.") || kind.contains("image.rootfs.")
            };
            let odd = layers.first().filter(|_| !layers.iter().any(of_image)).cloned();
            let known = [IMAGE_CONFIG_MEDIA_TYPE, IMAGE_DOCKER_CONFIG_MEDIA_TYPE, ""];
            if known.contains(&config.as_str()) { odd } else { Some(config) }
        }
        IMAGE_MANIFEST_LIST_MEDIA_TYPE | OCI_IMAGE_INDEX_MEDIA_TYPE => {
            let parts = kinds("manifests");
            let of_image =
                |kind: &String| kind.is_empty() || kind.contains("manifest") || kind.contains("image.index");
            match parts.iter().any(of_image) {
                true => None,
                false => Some(parts.into_iter().next().unwrap_or_else(|| shown(media_type))),
            }
        }
        other => Some(shown(other)),
    }
}

/// Reads a manifest whose bytes were checked against their digest.
pub(super) fn parse(media_type: &str, body: &[u8]) -> Result<Manifest, Message> {
    #[derive(Deserialize)]
    struct Document {
        config: Option<RawDescriptor>,
        layers: Option<Vec<RawDescriptor>>,
        manifests: Option<Vec<RawDescriptor>>,
    }
    let unreadable = |cause: &dyn fmt::Display| msg!("registry-manifest-unreadable", cause = cause);
    let unsupported = || msg!("registry-manifest-unsupported", kind = shown(media_type));
    if is_schema1(media_type) {
        return Err(msg!("registry-schema1"));
    }
    let document: Document = serde_json::from_slice(body).map_err(|cause| unreadable(&cause))?;
    match media_type {
        IMAGE_MANIFEST_MEDIA_TYPE | OCI_IMAGE_MEDIA_TYPE => {
            // A document that could be read both ways would mean one image here and another elsewhere.
            let (Some(config), None) = (document.config, document.manifests) else {
                return Err(unsupported());
            };
            let layers = document
                .layers
                .unwrap_or_default()
                .into_iter()
                .map(RawDescriptor::layer)
                .collect::<Result<_, _>>()?;
            Ok(Manifest::Image(ImageManifest {
                config: config.digest()?,
                config_size: config.size,
                config_media_type: config.media_type,
                layers,
            }))
        }
        IMAGE_MANIFEST_LIST_MEDIA_TYPE | OCI_IMAGE_INDEX_MEDIA_TYPE => {
            let (Some(children), None, None) = (document.manifests, document.layers, document.config) else {
                return Err(unsupported());
            };
            children.into_iter().map(RawDescriptor::platform).collect::<Result<_, _>>().map(Manifest::Index)
        }
        _ => Err(unsupported()),
    }
}

/// The child whose details stand for an index: linux/amd64, else the first that can be run.
pub(super) fn preferred(platforms: &[Platform]) -> Option<&Platform> {
    let runnable = || platforms.iter().filter(|platform| !platform.attestation);
    runnable().find(|p| p.os == "linux" && p.architecture == "amd64").or_else(|| runnable().next())
}

#[derive(Deserialize)]
struct RawDescriptor {
    #[serde(default, rename = "mediaType", deserialize_with = "or_default")]
    media_type: String,
    digest: String,
    #[serde(default)]
    size: u64,
    #[serde(default, deserialize_with = "or_default")]
    platform: RawPlatform,
    #[serde(default, deserialize_with = "or_default")]
    annotations: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawPlatform {
    os: String,
    architecture: String,
    variant: String,
}

impl RawDescriptor {
    fn digest(&self) -> Result<Digest, Message> {
        Digest::new(self.digest.as_str())
            .map_err(|_| msg!("registry-manifest-unreadable", cause = shown(&self.digest)))
    }

    fn layer(self) -> Result<Layer, Message> {
        let digest = self.digest()?;
        Ok(Layer { digest, size: self.size, media_type: self.media_type, created_by: String::new() })
    }

    fn platform(self) -> Result<Platform, Message> {
        let digest = self.digest()?;
        let attestation = self.annotations.contains_key("vnd.docker.reference.type")
            || (self.platform.os == "unknown" && self.platform.architecture == "unknown");
        let RawPlatform { os, architecture, variant } = self.platform;
        Ok(Platform { os, architecture, variant, digest, size: self.size, attestation })
    }
}

/// Go writes `null` for what is empty.
pub(super) fn or_default<'de, D: serde::Deserializer<'de>, T: Default + Deserialize<'de>>(
    from: D,
) -> Result<T, D::Error> {
    Option::<T>::deserialize(from).map(Option::unwrap_or_default)
}

fn shown(text: &str) -> String {
    text.chars().take(120).collect::<String>().escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn digest(n: u8) -> String {
        format!("sha256:{}", format!("{n:02x}").repeat(32))
    }

    #[test]
    fn an_index_prefers_what_can_run_here_and_knows_attestations() {
        let body = format!(
            r#"{{"schemaVersion":2,"manifests":[
            {{"digest":"{}","size":1,"platform":{{"os":"unknown","architecture":"unknown"}},"annotations":{{"vnd.docker.reference.type":"attestation-manifest"}}}},
            {{"digest":"{}","size":2,"platform":{{"os":"linux","architecture":"arm","variant":"v7"}}}},
            {{"digest":"{}","size":3,"platform":{{"os":"linux","architecture":"amd64"}}}}]}}"#,
            digest(1),
            digest(2),
            digest(3)
        );
        let kind = media_type(Some("application/json"), body.as_bytes());
        assert_eq!(kind, OCI_IMAGE_INDEX_MEDIA_TYPE);
        let Manifest::Index(platforms) = parse(&kind, body.as_bytes()).unwrap() else { panic!("an index") };
        assert!(platforms[0].attestation && platforms[1].to_string() == "linux/arm/v7");
        assert_eq!(preferred(&platforms).unwrap().digest.as_str(), digest(3));
        assert_eq!(preferred(&platforms[..2]).unwrap().digest.as_str(), digest(2));
        assert!(preferred(&platforms[..1]).is_none());
    }

    #[test]
    fn a_document_with_two_meanings_and_the_old_format_are_refused() {
        let both = format!(
            r#"{{"config":{{"digest":"{0}","size":1}},"layers":[],"manifests":[{{"digest":"{0}","size":1}}]}}"#,
            digest(1)
        );
        for kind in [OCI_IMAGE_MEDIA_TYPE, OCI_IMAGE_INDEX_MEDIA_TYPE] {
            assert_eq!(parse(kind, both.as_bytes()).unwrap_err().key, "registry-manifest-unsupported");
        }
        let old = br#"{"schemaVersion":1,"name":"a","fsLayers":[]}"#;
        assert_eq!(parse(&media_type(None, old), old).unwrap_err().key, "registry-schema1");
    }

    proptest! {
        #[test]
        fn reading_never_panics(body in proptest::collection::vec(any::<u8>(), 0..300), kind in 0usize..4) {
            let kinds = [IMAGE_MANIFEST_MEDIA_TYPE, OCI_IMAGE_MEDIA_TYPE, OCI_IMAGE_INDEX_MEDIA_TYPE, ""];
            let _ = parse(kinds[kind], &body);
            let _ = media_type(None, &body);
        }
    }
}
