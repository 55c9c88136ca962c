//! Image references as they stand in files, and what is wrong with those that are none, with the remedy.

use super::super::finding::shown;
use crate::model::{ImageReference, Message, TagAddress};
use crate::msg;

/// The reference; the error is the sentence for a person.
pub fn image(text: &str) -> Result<ImageReference, Message> {
    if let Some((scheme, rest)) = text.split_once("://") {
        return Err(msg!("openshift-image-scheme", scheme = shown(scheme), image = shown(rest)));
    }
    if text.starts_with('[') {
        return Err(msg!("openshift-image-ipv6", image = shown(text)));
    }
    let error = match ImageReference::parse(text) {
        Ok(image) => return Ok(image),
        Err(error) => error,
    };
    let (path, rest) = match text.find(['@']).or_else(|| tag_at(text)) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let lower = format!("{}{rest}", path.to_lowercase());
    if lower != text && ImageReference::parse(&lower).is_ok() {
        return Err(msg!("openshift-image-upper", image = shown(text), lower = shown(&lower)));
    }
    Err(error.message().cloned().unwrap_or_else(|| msg!("image-invalid", image = shown(text))))
}

/// Where the tag begins, if there is one.
fn tag_at(text: &str) -> Option<usize> {
    text.rfind(':').filter(|at| !text[*at..].contains('/'))
}

/// `host/path` of a whole repository; the error is the sentence for a person.
pub fn repository(text: &str) -> Result<String, Message> {
    let found = image(text)?;
    if found.tag.is_some() || found.digest.is_some() {
        return Err(msg!("openshift-repository", value = shown(text)));
    }
    let address = TagAddress::of(&found).ok_or_else(|| msg!("openshift-repository", value = shown(text)))?;
    Ok(format!("{}/{}", address.host, address.repository))
}
