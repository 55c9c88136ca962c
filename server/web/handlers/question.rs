//! What somebody means who pastes something and wants to know where it comes from: a digest, an image's
//! name, labels, what `docker inspect` prints, a container, a `BUILD_TAG`. Pure: nothing is looked up here.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::{Digest, ImageReference};

/// Longest question in bytes; more than `docker inspect` prints of a few containers.
const LONGEST: usize = 256 * 1024;
/// Clues of one question that are followed.
const MOST: usize = 20;

/// Something to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clue {
    /// Of a manifest, or of an image's configuration: they look alike.
    Digest(Digest),
    /// With a tag or a digest.
    Image(ImageReference),
    /// Labels of an image or a container.
    Labels(BTreeMap<String, String>),
    /// Anything else in one word: a container's name or id, a `BUILD_TAG`, an image's bare name.
    Word(String),
}

/// The clues in a text, those that say most first; empty when there is nothing in it.
pub fn clues(text: &str) -> Vec<Clue> {
    let text = text.trim();
    if text.is_empty() || text.len() > LONGEST {
        return Vec::new();
    }
    let mut found = Vec::new();
    match serde_json::from_str::<Value>(text) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => of_json(&value, &mut found, 0),
        Ok(Value::String(inner)) => return clues_of_plain(&inner),
        _ => return clues_of_plain(text),
    }
    finish(found)
}

fn clues_of_plain(text: &str) -> Vec<Clue> {
    let text = text.trim().trim_matches(['"', '\'', '`']);
    let mut found = Vec::new();
    let labels = pairs(text);
    if !labels.is_empty() {
        found.push(Clue::Labels(labels));
    } else {
        text.split_whitespace().take(MOST).for_each(|word| of_word(word, &mut found));
    }
    finish(found)
}

fn finish(found: Vec<Clue>) -> Vec<Clue> {
    let mut once: Vec<Clue> = Vec::new();
    for clue in found {
        if !once.contains(&clue) {
            once.push(clue);
        }
    }
    once.sort_by_key(|clue| match clue {
        Clue::Digest(_) => 1,
        Clue::Image(image) if image.digest.is_some() => 0,
        Clue::Image(_) => 2,
        Clue::Labels(_) => 3,
        Clue::Word(_) => 4,
    });
    once.truncate(MOST);
    once
}

fn of_word(word: &str, found: &mut Vec<Clue>) {
    let word = word.trim_matches([',', ';', '"', '\'']).trim_start_matches("docker.io/");
    let bare = word.strip_prefix("http://").or(word.strip_prefix("https://")).unwrap_or(word);
    if let Ok(digest) = Digest::new(bare) {
        found.push(Clue::Digest(digest));
    } else if let Ok(digest) = Digest::new(format!("sha256:{bare}")) {
        // 64 digits alone are a container's id as well.
        found.push(Clue::Word(bare.to_owned()));
        found.push(Clue::Digest(digest));
    } else {
        match ImageReference::parse(bare) {
            Ok(image) if image.tag.is_some() || image.digest.is_some() => found.push(Clue::Image(image)),
            _ => found.push(Clue::Word(bare.trim_start_matches('/').to_owned())),
        }
    }
}

/// `name=value`, one to a line or separated by commas, as `docker ps` prints labels.
fn pairs(text: &str) -> BTreeMap<String, String> {
    let is_name = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'/'))
    };
    let lines = text.lines().flat_map(|line| line.split(','));
    let pair = |part: &str| {
        let (name, value) = part.trim().split_once('=')?;
        is_name(name).then(|| (name.to_owned(), value.trim_matches('"').to_owned()))
    };
    lines.filter_map(pair).collect()
}

/// `docker inspect` of containers and images, lists of references, plain labels.
fn of_json(value: &Value, found: &mut Vec<Clue>, depth: usize) {
    match value {
        Value::Array(items) if depth < 3 => {
            items.iter().take(MOST).for_each(|item| of_json(item, found, depth + 1))
        }
        Value::String(text) => of_word(text, found),
        Value::Object(fields) => {
            let is_inspect =
                ["Id", "Config", "RepoDigests", "Image"].iter().any(|name| fields.contains_key(*name));
            if !is_inspect {
                let text =
                    |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
                let labels: BTreeMap<_, _> = fields.iter().filter_map(text).collect();
                if !labels.is_empty() {
                    found.push(Clue::Labels(labels));
                }
                return;
            }
            for name in ["RepoDigests", "RepoTags"] {
                fields.get(name).into_iter().for_each(|list| of_json(list, found, depth + 1));
            }
            let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
            let config = fields.get("Config");
            let named = text(config.and_then(|config| config.get("Image")));
            let words = [named, text(fields.get("Image")), text(fields.get("Name"))];
            words.iter().flatten().filter(|word| !word.is_empty()).for_each(|word| of_word(word, found));
            let labels = config.and_then(|config| config.get("Labels")).or(fields.get("Labels"));
            if let Some(labels @ Value::Object(_)) = labels {
                of_json(labels, found, depth + 1);
            }
        }
        _ => {}
    }
}

/// The ways to read a `BUILD_TAG`: `ropewalk-OWNER-REPOSITORY-PIPELINE-NUMBER`, where each part may have
/// dashes of its own.
pub fn build_tags(text: &str) -> Vec<(String, String, String, u64)> {
    const MOST_PARTS: usize = 16;
    let Some((middle, number)) = text.strip_prefix("ropewalk-").and_then(|rest| rest.rsplit_once('-')) else {
        return Vec::new();
    };
    let Ok(number) = number.parse() else { return Vec::new() };
    let parts: Vec<&str> = middle.split('-').collect();
    if parts.len() > MOST_PARTS {
        return Vec::new();
    }
    let mut ways = Vec::new();
    for first in 1..parts.len() {
        for second in first + 1..parts.len() {
            let join = |parts: &[&str]| parts.join("-");
            ways.push((join(&parts[..first]), join(&parts[first..second]), join(&parts[second..]), number));
        }
    }
    ways
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEX: &str = "3f1c9a0be5d27c6688a4bb0f5d2a9c11f00d5e3b7a6c4d2e1f0a9b8c7d6e5f40";

    #[test]
    fn a_word_is_what_it_looks_like() {
        let digest = Digest::new(format!("sha256:{HEX}")).unwrap();
        assert_eq!(clues(&format!(" sha256:{HEX}\n")), [Clue::Digest(digest.clone())]);
        assert_eq!(clues(HEX), [Clue::Digest(digest.clone()), Clue::Word(HEX.into())]);
        let image = clues("registry.local:5000/numbers/api:v3-build-1");
        assert!(matches!(&image[..], [Clue::Image(image)] if image.tag.as_deref() == Some("v3-build-1")));
        let pinned = clues(&format!("registry.local:5000/numbers/api@sha256:{HEX}"));
        assert!(matches!(&pinned[..], [Clue::Image(image)] if image.digest == Some(digest.clone())));
        assert_eq!(clues("/exercises_api_1"), [Clue::Word("exercises_api_1".into())]);
        assert!(clues("  ").is_empty());
    }

    #[test]
    fn labels_come_in_several_forms() {
        let wanted = BTreeMap::from([
            ("build_tag".to_owned(), "ropewalk-a-b-c-1".to_owned()),
            ("version".to_owned(), "3.0".to_owned()),
        ]);
        for text in [
            "build_tag=ropewalk-a-b-c-1\nversion=3.0",
            "build_tag=ropewalk-a-b-c-1,version=3.0",
            r#"{"build_tag":"ropewalk-a-b-c-1","version":"3.0"}"#,
        ] {
            assert_eq!(clues(text), [Clue::Labels(wanted.clone())], "{text}");
        }
    }

    #[test]
    fn what_docker_inspect_prints_is_read() {
        let container = format!(
            r#"[{{"Id":"{HEX}","Image":"sha256:{HEX}","Name":"/api","Config":{{"Image":"registry.local:5000/numbers/api:v3","Labels":{{"build_tag":"x"}}}}}}]"#
        );
        let found = clues(&container);
        assert!(
            matches!(&found[..], [Clue::Digest(_), Clue::Image(_), Clue::Labels(_), Clue::Word(name)] if name == "api"),
            "{found:?}"
        );
        let digests = format!(r#"["registry.local:5000/numbers/api@sha256:{HEX}"]"#);
        assert!(matches!(&clues(&digests)[..], [Clue::Image(_)]));
    }

    #[test]
    fn build_tags_are_read_in_every_way() {
        let ways = build_tags("ropewalk-admin-my-numbers-default-12");
        assert!(ways.contains(&("admin".into(), "my-numbers".into(), "default".into(), 12)));
        assert_eq!(ways.len(), 3);
        assert!(build_tags("jenkins-x-1").is_empty() && build_tags("ropewalk-a-b-1").is_empty());
    }

    proptest! {
        #[test]
        fn anything_may_be_pasted(text in "\\PC{0,120}") {
            prop_assert!(clues(&text).len() <= MOST);
            build_tags(&text);
        }

        #[test]
        fn any_json_may_be_pasted(text in "[\\[\\]{}\",:a-zA-Z0-9 ]{0,80}") {
            clues(&text);
        }
    }
}
