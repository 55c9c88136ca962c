//! What OpenShift's documentation shows is read; what it does not have is refused with its place; nothing panics.

use proptest::prelude::*;

use super::{Object, Objects, read, write};
use crate::model::{
    Digest, Finding, OwnerName, ReferencePolicy, StreamSpec, TagSource, TagSpec, TriggersSpec,
};

fn objects(text: &str) -> Result<Objects, Vec<Finding>> {
    read("-", text.as_bytes(), &OwnerName::new("ada").unwrap())
}

fn keys(findings: &[Finding]) -> Vec<(u32, u32, &str)> {
    findings.iter().map(|f| (f.line, f.column, f.message.key.as_ref())).collect()
}

const STREAM: &str = "\
apiVersion: image.openshift.io/v1
kind: ImageStream
metadata:
  name: base
  namespace: marta
  annotations: {team: walk}
spec:
  lookupPolicy: {local: true}
  tags:
  - name: '3.12'
    from: {kind: DockerImage, name: 'registry.local:5000/python:3.12'}
    importPolicy: {scheduled: true, importMode: PreserveOriginal}
    referencePolicy: {type: Local}
  - name: stable
    from: {kind: ImageStreamTag, name: 'base:3.12'}
";

const BUILD: &str = "\
kind: BuildConfig
apiVersion: build.openshift.io/v1
metadata:
  name: numbers
  annotations:
    ropewalk.io/repository: ada/numbers
spec:
  source: {git: {uri: 'http://localhost:3000/ada/numbers.git', ref: main}}
  strategy: {dockerStrategy: {}}
  triggers:
  - type: ConfigChange
  - type: ImageChange
    imageChange: {}
  - type: ImageChange
    imageChange:
      paused: true
      from: {kind: ImageStreamTag, name: 'base:3.12', namespace: marta}
";

#[test]
fn a_stream_is_read_whole() {
    let found = objects(STREAM).unwrap();
    let [Object::Stream(StreamSpec { path, lookup_local, annotations, tags, .. })] = &found.objects[..]
    else {
        panic!("{found:?}")
    };
    assert_eq!((path.to_string().as_str(), *lookup_local), ("marta/base", true));
    assert_eq!(annotations["team"], "walk");
    let first = &tags[0];
    assert_eq!(first.source, Some(TagSource::DockerImage("registry.local:5000/python:3.12".into())));
    assert!(first.scheduled && first.reference_policy == ReferencePolicy::Local && !first.reference);
    assert_eq!(first.import_mode, "PreserveOriginal");
    assert_eq!(tags[1].source, Some(TagSource::ImageStreamTag("3.12".into())));
    assert!(found.notes.is_empty(), "{:?}", found.notes);
    // JSON is YAML.
    let json =
        r#"{"apiVersion":"image.openshift.io/v1","kind":"ImageStream","metadata":{"name":"base"},"spec":{}}"#;
    let found = objects(json).unwrap();
    assert!(matches!(&found.objects[..], [Object::Stream(s)] if s.path.to_string() == "ada/base"));
}

#[test]
fn triggers_are_read_and_the_rest_is_named() {
    let found = objects(&format!("{BUILD}---\n{STREAM}---\n")).unwrap();
    let [Object::Triggers(TriggersSpec { repository, pipeline, triggers, source, .. }), Object::Stream(_)] =
        &found.objects[..]
    else {
        panic!("{found:?}")
    };
    assert_eq!(repository.as_ref().unwrap().to_string(), "ada/numbers");
    assert_eq!(source.as_deref(), Some("http://localhost:3000/ada/numbers.git"));
    assert_eq!(pipeline, "numbers");
    let triggers = triggers.as_ref().unwrap();
    assert_eq!(triggers.len(), 2);
    assert!(triggers[0].from.is_none() && !triggers[0].paused && triggers[1].paused);
    let from = triggers[1].from.as_ref().unwrap();
    assert_eq!(
        (from.namespace.as_deref(), from.name.as_str(), from.tag.as_str()),
        (Some("marta"), "base", "3.12")
    );
    let said = |found: &Objects| -> Vec<String> {
        found.notes.iter().map(|n| n.message.args.values().next().unwrap().clone()).collect()
    };
    assert_eq!(said(&found), ["spec.strategy", "spec.source.git.ref", "ConfigChange"]);
    // What OpenShift's server writes into an object.
    let written = "  name: numbers\n  uid: x\n  labels: {a: b}\nstatus: {lastVersion: 3}\n";
    let object = format!("kind: BuildConfig\napiVersion: v1\nmetadata:\n{written}");
    let mut noted = said(&objects(&object).unwrap());
    noted.sort();
    assert_eq!(noted, ["metadata.labels", "metadata.uid", "status"]);
    let stream = object.replace("BuildConfig", "ImageStream");
    assert_eq!(said(&objects(&stream).unwrap()).len(), 3);
}

#[test]
fn what_openshift_does_not_have_is_refused_with_its_place() {
    let wrong = |from: &str, to: &str| {
        let text = STREAM.replace(from, to);
        assert_ne!(text, STREAM, "{from}");
        objects(&text).unwrap_err()
    };
    assert_eq!(keys(&wrong("  lookupPolicy", "  lookup")), [(8, 3, "pipeline-key-unknown")]);
    assert_eq!(keys(&wrong("scheduled: true", "sheduled: true")), [(12, 20, "pipeline-key-similar")]);
    assert_eq!(keys(&wrong("type: Local", "type: Elsewhere")), [(13, 29, "openshift-value")]);
    assert_eq!(keys(&wrong("base:3.12", "other:3.12")), [(15, 40, "openshift-same-stream")]);
    assert_eq!(keys(&wrong("base:3.12", "stable")), [(15, 40, "openshift-same-stream")]);
    assert_eq!(keys(&wrong("'3.12'", "'3 12'")), [(10, 11, "openshift-tag-name")]);
    assert_eq!(keys(&wrong("kind: ImageStream\n", "kind: Pod\n")), [(1, 1, "openshift-kind")]);
    assert_eq!(
        keys(&wrong("image.openshift.io/v1", "image.openshift.io/v2")),
        [(1, 13, "openshift-version")]
    );
    assert_eq!(keys(&wrong("name: stable", "name: '3.12'")).last().unwrap().2, "openshift-same-stream");
    let twice = BUILD.replace("  - type: ConfigChange\n", "  - type: ImageChange\n");
    assert_eq!(keys(&objects(&twice).unwrap_err()), [(12, 5, "openshift-trigger-twice")]);
    assert_eq!(keys(&objects("---\n").unwrap_err())[0].2, "openshift-nothing");
    assert!(objects("kind: List\napiVersion: v1\nitems: [{kind: List, items: []}]\n").is_err());
}

fn source() -> impl Strategy<Value = Option<TagSource>> {
    prop_oneof![
        Just(None),
        "[a-z]{1,8}(:[a-z0-9]{1,5})?".prop_map(|name| Some(TagSource::DockerImage(name))),
        Just(Some(TagSource::ImageStreamTag("zz".into()))),
        Just(Some(TagSource::ImageStreamImage(Digest::new(format!("sha256:{}", "0".repeat(64))).unwrap()))),
    ]
}

proptest! {
    #[test]
    fn nothing_panics(text in "\\PC{0,200}") {
        let _ = objects(&text);
    }

    #[test]
    fn nothing_panics_where_it_is_nearly_right(at in 0usize..600, put in "[\\PC\n]{0,12}") {
        for text in [STREAM, BUILD] {
            let at = at.min(text.len());
            let _ = objects(&format!("{}{put}{}", &text[..at], &text[at..]));
            let _ = objects(&text[..at]);
        }
    }

    #[test]
    fn what_is_written_is_what_is_read(
        tags in prop::collection::btree_map("[a-y][a-z0-9.]{0,6}", (source(), any::<bool>(), any::<bool>(), any::<bool>()), 0..6),
        note in "\\PC{0,20}",
    ) {
        let tags: Vec<_> = tags.into_iter().collect();
        let spec = |(name, (source, scheduled, local, reference)): &(String, (Option<TagSource>, bool, bool, bool))| {
            let from = match source {
                None => serde_json::Value::Null,
                Some(TagSource::DockerImage(name)) => serde_json::json!({"kind": "DockerImage", "name": name}),
                Some(TagSource::ImageStreamTag(name)) => serde_json::json!({"kind": "ImageStreamTag", "name": name}),
                Some(TagSource::ImageStreamImage(digest)) =>
                    serde_json::json!({"kind": "ImageStreamImage", "name": format!("base@{digest}")}),
            };
            serde_json::json!({"name": name, "from": from, "reference": reference,
                "importPolicy": {"scheduled": scheduled}, "referencePolicy": {"type": if *local { "Local" } else { "Source" }}})
        };
        let value = serde_json::json!({"apiVersion": "image.openshift.io/v1", "kind": "ImageStream",
            "metadata": {"name": "base", "annotations": {"note": note}}, "spec": {"tags": tags.iter().map(spec).collect::<Vec<_>>()}});
        let text = write(&value).unwrap();
        let read = objects(&text).unwrap_or_else(|e| panic!("{text}\n{e:?}"));
        let [Object::Stream(stream)] = &read.objects[..] else { panic!() };
        prop_assert_eq!(&stream.annotations["note"], &note);
        prop_assert_eq!(stream.tags.len(), tags.len());
        for (read, (name, (source, scheduled, local, reference))) in stream.tags.iter().zip(&tags) {
            let TagSpec { name: read_name, source: read_source, .. } = read;
            prop_assert_eq!((read_name, read_source), (name, source));
            prop_assert_eq!((read.scheduled, read.reference), (*scheduled, *reference));
            prop_assert_eq!(read.reference_policy == ReferencePolicy::Local, *local);
        }
    }
}
