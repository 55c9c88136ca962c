//! What OpenShift's documentation shows is read; what it does not have is refused with its place; nothing panics.

use proptest::prelude::*;

use super::{Given, Object, Objects, What, read, write};
use crate::model::{
    Digest, Finding, OwnerName, ReferencePolicy, StreamSpec, TagSource, TagSpec, TriggersSpec,
};

/// A file all of whose objects are ours.
#[derive(Debug)]
struct Ours {
    objects: Vec<Object>,
    notes: Vec<Finding>,
}

fn given(parameters: &[(&str, &str)]) -> Given {
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let owner = OwnerName::new("ada").unwrap();
    Given { owner, parameters: parameters.collect(), ignore_unknown: false }
}

fn all(text: &str) -> Result<Objects, Vec<Finding>> {
    read("-", text.as_bytes(), &given(&[]))
}

/// The error is what is wrong with the first object that is.
fn ours(read: Result<Objects, Vec<Finding>>) -> Result<Ours, Vec<Finding>> {
    let read = read?;
    let mut found = Ours { objects: Vec::new(), notes: read.notes };
    for piece in read.pieces {
        found.notes.extend(piece.notes);
        match piece.what {
            What::Ours(object) => found.objects.push(object),
            What::Left(message) => {
                let (line, column) = (piece.line, piece.column);
                return Err(vec![Finding { path: "-".into(), line, column, message }]);
            }
            What::Refused(findings) => return Err(findings),
        }
    }
    Ok(found)
}

fn objects(text: &str) -> Result<Ours, Vec<Finding>> {
    ours(all(text))
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
    let said = |found: &Ours| -> Vec<String> {
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
    assert_eq!(said(&objects(&stream).unwrap()).len(), 2, "labels are kept");
}

#[test]
fn what_openshift_does_not_have_is_refused_with_its_place() {
    let wrong = |from: &str, to: &str| {
        let text = STREAM.replace(from, to);
        assert_ne!(text, STREAM, "{from}");
        objects(&text).unwrap_err()
    };
    assert_eq!(keys(&wrong("scheduled: true", "sheduled: true")), [(12, 20, "pipeline-key-similar")]);
    assert_eq!(keys(&wrong("type: Local", "type: Elsewhere")), [(13, 29, "openshift-value")]);
    assert_eq!(keys(&wrong("base:3.12", "stable")), [(15, 40, "openshift-alias-itself")]);
    assert_eq!(keys(&wrong("'3.12'", "'3 12'")), [(10, 11, "openshift-tag-name")]);
    assert_eq!(keys(&wrong("kind: ImageStream\n", "kind: Pod\n")), [(1, 1, "openshift-left")]);
    assert_eq!(
        keys(&wrong("image.openshift.io/v1", "image.openshift.io/v2")),
        [(1, 13, "openshift-version")]
    );
    assert_eq!(keys(&wrong("name: stable", "name: '3.12'")).last().unwrap().2, "openshift-alias-itself");
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
        Just(Some(TagSource::OtherTag("bob/base:1.10".parse().unwrap()))),
        Just(Some(TagSource::OtherImage(format!("ada/dev@sha256:{}", "0".repeat(64)).try_into().unwrap()))),
        Just(Some(TagSource::ImageStreamImage(Digest::new(format!("sha256:{}", "0".repeat(64))).unwrap()))),
    ]
}

/// Only what is imported can be.
fn is_scheduled(source: &Option<TagSource>) -> bool {
    matches!(source, None | Some(TagSource::DockerImage(_)))
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
        tags in prop::collection::btree_map("[a-y0-9][a-z0-9.]{0,6}", (source(), any::<bool>(), any::<bool>(), any::<bool>()), 0..6),
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
                Some(TagSource::OtherTag(of)) =>
                    serde_json::json!({"kind": "ImageStreamTag", "name": format!("{}:{}", of.stream.name, of.tag), "namespace": of.stream.owner}),
                Some(TagSource::OtherImage(of)) =>
                    serde_json::json!({"kind": "ImageStreamImage", "name": format!("{}@{}", of.stream.name, of.digest), "namespace": of.stream.owner}),
            };
            serde_json::json!({"name": name, "from": from, "reference": reference,
                "importPolicy": {"scheduled": *scheduled && is_scheduled(source)}, "referencePolicy": {"type": if *local { "Local" } else { "Source" }}})
        };
        let value = serde_json::json!({"apiVersion": "image.openshift.io/v1", "kind": "ImageStream",
            "metadata": {"name": "base", "annotations": {"note": note}}, "spec": {"tags": tags.iter().map(spec).collect::<Vec<_>>()}});
        let text = write(&value);
        let read = objects(&text).unwrap_or_else(|e| panic!("{text}\n{e:?}"));
        let [Object::Stream(stream)] = &read.objects[..] else { panic!() };
        prop_assert_eq!(&stream.annotations["note"], &note);
        prop_assert_eq!(stream.tags.len(), tags.len());
        for (read, (name, (source, scheduled, local, reference))) in stream.tags.iter().zip(&tags) {
            let TagSpec { name: read_name, source: read_source, .. } = read;
            prop_assert_eq!((read_name, read_source), (name, source));
            prop_assert_eq!((read.scheduled, read.reference), (*scheduled && is_scheduled(source), *reference));
            prop_assert_eq!(read.reference_policy == ReferencePolicy::Local, *local);
        }
    }
}

/// What becomes of each object: `ok`, `left`, or the keys of what is wrong.
fn became(text: &str, parameters: &[(&str, &str)]) -> Vec<String> {
    let of = |findings: &[Finding]| {
        findings.iter().map(|f| f.message.key.to_string()).collect::<Vec<_>>().join(" ")
    };
    match read("-", text.as_bytes(), &given(parameters)) {
        Err(findings) => vec![format!("file: {}", of(&findings))],
        Ok(read) => read
            .pieces
            .iter()
            .map(|piece| match &piece.what {
                What::Ours(_) => "ok".to_owned(),
                What::Left(_) => format!("left {} {}", piece.kind, piece.name).trim_end().to_owned(),
                What::Refused(findings) => of(findings),
            })
            .collect(),
    }
}

fn stream_with(tag: &str) -> String {
    format!(
        "apiVersion: image.openshift.io/v1\nkind: ImageStream\nmetadata: {{name: y1}}\nspec:\n  tags:\n  - {tag}\n"
    )
}

fn only_stream(text: &str, parameters: &[(&str, &str)]) -> StreamSpec {
    match &ours(read("-", text.as_bytes(), &given(parameters))).unwrap().objects[..] {
        [Object::Stream(stream)] => stream.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_tag_is_what_openshift_makes_of_it() {
    let docker = "from: {kind: DockerImage, name: 'registry.example:5000/x/a:1'}";
    let from = |name: &str| format!("{{name: a, from: {{kind: DockerImage, name: \"{name}\"}}}}");
    for (tag, wanted) in [
        (format!("{{name: 1.10, {docker}}}"), "openshift-text-number"),
        (format!("{{name: 7, {docker}}}"), "openshift-text-number"),
        (format!("{{name: on, {docker}}}"), "openshift-text-boolean"),
        (format!("{{name: !!str 1.10, {docker}}}"), "ok"),
        (format!("{{name: '1.10', {docker}}}"), "ok"),
        (format!("{{name: 1.10.2, {docker}}}"), "ok"),
        (format!("{{name: a, {docker}, importPolicy: {{scheduled: \"true\"}}}}"), "openshift-boolean-text"),
        (format!("{{name: a, {docker}, importPolicy: {{scheduled: 1}}}}"), "pipeline-want-boolean"),
        (format!("{{name: a, {docker}, importPolicy: {{scheduled: yes, insecure: Off}}}}"), "ok"),
        (format!("{{name: a, {docker}, importPolicy: {{importMode: ''}}}}"), "ok"),
        (format!("{{name: a, {docker}, referencePolicy: {{type: ''}}}}"), "ok"),
        (format!("{{name: a, {docker}, referencePolicy: {{type: local}}}}"), "openshift-value"),
        (format!("{{name: a, {docker}, annotations: null, importPolicy: {{}}, generation: null}}"), "ok"),
        (format!("{{name: a, {docker}, annotations: {{n: 1}}}}"), "openshift-text-number"),
        (format!("{{name: a, {docker}, annotations: {{n: null}}}}"), "ok"),
        (format!("{{name: a, {docker}, generation: '2'}}"), "openshift-value"),
        (format!("{{name: a, {docker}, extra: 1}}"), "ok"),
        (format!("{{name: a, {docker}, importPolicy: {{sheduled: true}}}}"), "pipeline-key-similar"),
        ("{name: a, from: {kind: ImageStreamTag, name: later}}".into(), "ok"),
        (
            "{name: a, from: {kind: ImageStreamTag, name: later}, importPolicy: {scheduled: true}}".into(),
            "openshift-scheduled-alias",
        ),
        ("{name: a, from: {kind: ImageStreamTag, name: a}}".into(), "openshift-alias-itself"),
        ("{name: a, from: {kind: ImageStreamTag, name: 'x:y:z'}}".into(), "openshift-from-tag"),
        ("{name: a, from: {kind: ImageStreamTag, name: 'other:1', namespace: bob}}".into(), "ok"),
        ("{name: a, from: {kind: ImageStreamImage, name: 'dev@sha256:ab'}}".into(), "openshift-from-image"),
        ("{name: a, from: {kind: Secret, name: x}}".into(), "openshift-value"),
        ("{name: a, from: {kind: DockerImage}}".into(), "openshift-missing"),
        ("{name: a, from: {}}".into(), "openshift-missing openshift-missing"),
        ("{name: a, from: null}".into(), "ok"),
        (from("docker://registry.example:5000/x/a:1"), "openshift-image-scheme"),
        (from("https://registry.example/x/a"), "openshift-image-scheme"),
        (from("[::1]:5000/x/a:1"), "openshift-image-ipv6"),
        (from("registry.example:5000/Team/App:1"), "openshift-image-upper"),
        (from("Centos:7"), "openshift-image-upper"),
        (from("registry.example:5000/x/a:V1"), "ok"),
        (from("registry.example:5000/x/a:1 "), "image-invalid"),
        (from(&format!("x/a@sha256:{}", "0".repeat(64))), "ok"),
        (from("x/a@sha256:00"), "digest-invalid"),
    ] {
        assert_eq!(became(&stream_with(&tag), &[]), [wanted], "{tag}");
    }
    let refused = all(&stream_with(&format!("{{name: 1.10, {docker}}}"))).unwrap().pieces.remove(0).what;
    let What::Refused(findings) = refused else { panic!() };
    let said: Vec<&str> = findings[0].message.args.values().map(String::as_str).collect();
    assert_eq!((findings[0].line, findings[0].column, said), (6, 12, vec!["name", "1.1", "1.10"]));
}

#[test]
fn tags_in_a_circle_are_refused_with_the_way_round() {
    let alias =
        |name: &str, of: &str| format!("  - {{name: {name}, from: {{kind: ImageStreamTag, name: {of}}}}}\n");
    let text = |tags: &str| {
        format!("apiVersion: v1\nkind: ImageStream\nmetadata: {{name: y1}}\nspec:\n  tags:\n{tags}")
    };
    let good = text(&format!("{}{}{}", alias("a", "b"), alias("b", "c"), alias("d", "b")));
    assert_eq!(became(&good, &[]), ["ok"]);
    let refused = objects(&text(&format!("{}{}{}", alias("x", "b"), alias("b", "'y1:c'"), alias("c", "b"))));
    let findings = refused.unwrap_err();
    assert_eq!(keys(&findings), [(7, 5, "openshift-alias-circle")]);
    assert_eq!(findings[0].message.args["way"], "b → c → b");
    let long: String = (0..1000).map(|n| alias(&format!("t{n}"), &format!("t{}", (n + 1) % 1000))).collect();
    assert_eq!(became(&text(&long), &[]), ["openshift-alias-circle"]);
}

#[test]
fn files_are_read_as_people_have_them() {
    let stream = "apiVersion: image.openshift.io/v1\nkind: ImageStream\nmetadata: {name: y1}\n";
    for (text, wanted) in [
        (format!("\u{feff}{}", stream.replace('\n', "\r\n")), vec!["ok"]),
        (format!("---\n{stream}...\n"), vec!["ok"]),
        (format!("%YAML 1.1\n---\n{stream}...\n---\n{stream}"), vec!["ok", "ok"]),
        (format!("{stream}spec:\nstatus:\n"), vec!["ok"]),
        ("{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"ImageStream\",\n\t\"metadata\": {\"name\": \"y1\"}\n}\n".into(), vec!["ok"]),
        (r#"{"kind":"ImageStream","apiVersion":"v1","metadata":{"name":"a"}}{"kind":"Pod","apiVersion":"v1"}"#.into(), vec!["ok", "left Pod"]),
        (r#"{"kind":"ImageStream","apiVersion":"v1","metadata":{"name":"a","annotations":{"x":"\ud83d\ude00\/"}}}"#.into(), vec!["ok"]),
        (format!("{stream}---\napiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec: {{a: 1, a: 2}}\n"), vec!["ok", "left Service s"]),
        (format!("{stream}---\n{stream}spec: {{lookupPolicy: {{local: true, local: false}}}}\n"), vec!["ok", "pipeline-key-twice"]),
        (format!("{stream}---\nkind: Secret\napiVersion: v1\ndata: {{x: !!binary aGk=, y: !Ref z}}\n"), vec!["ok", "left Secret"]),
        (format!("{stream}---\nkind: ImageStream\napiVersion: other.example/v1\n"), vec!["ok", "left ImageStream"]),
        (format!("{stream}---\nkind: ImageStream\napiVersion: image.openshift.io/v2\nmetadata: {{name: x}}\n"), vec!["ok", "openshift-version"]),
        (format!("{stream}---\nmetadata: {{name: x}}\n---\n- 1\n---\nkind: 5\n"), vec!["ok", "openshift-missing", "pipeline-want-map", "openshift-text-number"]),
        ("kind: List\napiVersion: v1\nitems:\n- kind: List\n  items:\n  - {kind: ImageStream, apiVersion: v1, metadata: {name: a}}\n- {kind: Route}\n".into(), vec!["ok", "left Route"]),
        ("kind: ImageStreamList\napiVersion: image.openshift.io/v1\nitems:\n- {metadata: {name: a}}\n".into(), vec!["ok"]),
        ("kind: List\napiVersion: v1\n".into(), vec!["openshift-missing"]),
        ("a: &a [x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c]\ne: &e [*d, *d, *d, *d, *d, *d, *d, *d]\nf: [*e, *e, *e, *e, *e, *e, *e, *e]\n".into(), vec!["file: pipeline-yaml-too-large"]),
        ("x: [".into(), vec!["file: pipeline-yaml"]),
        ("---\n".into(), vec!["file: openshift-nothing"]),
    ] {
        assert_eq!(became(&text, &[]), wanted, "{text}");
    }
    // Merge keys: what stands in the map itself counts.
    let merged = "apiVersion: v1\nkind: ImageStream\nmetadata: {name: y1}\nspec:\n  tags:\n  - &t\n    name: a\n    importPolicy: &p {scheduled: true}\n    from: {kind: DockerImage, name: 'r.example/a:1'}\n  - <<: *t\n    name: b\n  - name: c\n    importPolicy: *p\n    from: {kind: DockerImage, name: 'r.example/a:2'}\n";
    let stream = only_stream(merged, &[]);
    let told: Vec<_> = stream.tags.iter().map(|tag| (tag.name.as_str(), tag.scheduled)).collect();
    assert_eq!(told, [("a", true), ("b", true), ("c", true)]);
    // What OpenShift exports is taken, and what its server wrote is named.
    let exported = include_str!("../../../tests/samples/cases/openshift/exported.yml");
    let found = objects(exported).unwrap();
    let said: Vec<_> = found.notes.iter().filter_map(|note| note.message.args.get("key")).collect();
    assert_eq!(
        said,
        [
            "status",
            "metadata.uid",
            "metadata.resourceVersion",
            "metadata.creationTimestamp",
            "metadata.generation"
        ]
    );
}

#[test]
fn a_template_is_processed_as_oc_does_it() {
    let text = "apiVersion: template.openshift.io/v1\nkind: Template\nmetadata: {name: t}\nlabels: {app: '${NAME}', '${NAME}-x': 'y'}\nobjects:\n\
        - apiVersion: image.openshift.io/v1\n  kind: ImageStream\n  metadata: {name: '${NAME}', namespace: openshift, labels: {own: z, app: q}}\n  \
        spec:\n    lookupPolicy: {local: '${{LOCAL}}'}\n    tags:\n    - name: ${TAG}\n      annotations: {'k-${NAME}': '$${TAG} ${WHAT} ${NAME}${NAME}'}\n      \
        from: {kind: DockerImage, name: 'r.example/${NAME}:${TAG}'}\n- {kind: Service, apiVersion: v1, metadata: {name: '${NAME}'}}\n\
        parameters:\n- {name: NAME, value: y1, displayName: Name}\n- {name: TAG, required: true}\n- {name: LOCAL, value: 'true'}\n- {name: KEY, generate: expression, from: '[A-Z]{8}'}\n";
    assert_eq!(became(text, &[]), ["openshift-parameter-required"]);
    assert_eq!(became(text, &[("TAG", "1"), ("OTHER", "x")]), ["openshift-parameter-unknown"]);
    assert_eq!(became(text, &[("TAG", "1.10")]), ["ok", "left Service y1"]);
    assert_eq!(became(text, &[("TAG", "1"), ("LOCAL", "maybe")])[0], "openshift-boolean-text");
    let read = read("-", text.as_bytes(), &given(&[("TAG", "1.10"), ("NAME", "web")])).unwrap();
    let What::Ours(Object::Stream(stream)) = &read.pieces[0].what else { panic!("{read:?}") };
    assert_eq!((stream.path.to_string().as_str(), stream.lookup_local), ("ada/web", true));
    let labels: Vec<_> = stream.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(labels, ["app=web", "own=z", "web-x=y"]);
    assert_eq!(stream.tags[0].name, "1.10", "a text stays a text");
    assert_eq!(stream.tags[0].annotations["k-web"], "$1.10 ${WHAT} webweb");
    let notes: Vec<_> = read.notes.iter().map(|note| note.message.key.as_ref()).collect();
    assert_eq!(notes, ["openshift-parameter-generated", "openshift-parameter-undeclared"]);
    // A namespace with a parameter in it stays; a parameter may say a whole value.
    let placed = text
        .replace("namespace: openshift", "namespace: '${OWNER}'")
        .replace("parameters:\n", "parameters:\n- {name: OWNER, value: bob}\n");
    assert_eq!(
        only_stream(
            &placed.replace("- {kind: Service, apiVersion: v1, metadata: {name: '${NAME}'}}\n", ""),
            &[("TAG", "1")]
        )
        .path
        .to_string(),
        "bob/y1"
    );
    // Without a value at all, and with one that is empty: only a required one is missed.
    let empty = "kind: Template\napiVersion: v1\nobjects: [{kind: ImageStream, apiVersion: v1, metadata: {name: 'a${B}'}}]\nparameters: [{name: B}]\n";
    assert_eq!(only_stream(empty, &[]).path.to_string(), "ada/a");
    assert_eq!(became(&empty.replace("{name: B}", "{name: B, value: 5}"), &[]), ["openshift-text-number"]);
    assert_eq!(became(&empty.replace("{name: B}", "{name: B, generate: dice}"), &[]), ["openshift-value"]);
    assert_eq!(became("kind: Template\napiVersion: v1\nobjects: null\n", &[]), ["file: openshift-nothing"]);
    // Never more than there may be, however often a value is named.
    let many = "${B}".repeat(10_000);
    let bomb = empty.replace("a${B}", &many);
    assert_eq!(became(&bomb, &[("B", &"x".repeat(10_000))]), ["openshift-template-too-large"]);
    let notes = read_notes("kind: ImageStream\napiVersion: v1\nmetadata: {name: a}\n", &[("A", "b")]);
    assert_eq!(notes, ["openshift-no-template"]);
}

fn read_notes(text: &str, parameters: &[(&str, &str)]) -> Vec<String> {
    let read = read("-", text.as_bytes(), &given(parameters)).unwrap();
    read.notes.iter().map(|note| note.message.key.to_string()).collect()
}

#[test]
fn tags_are_said_one_by_one() {
    let docker = "from: {kind: DockerImage, name: 'r.example/a:1'}";
    let tag = format!(
        "apiVersion: image.openshift.io/v1\nkind: ImageStreamTag\nmetadata: {{name: 'y1:latest'}}\ntag:\n  name: latest\n  {docker}\n"
    );
    let import = format!(
        "apiVersion: image.openshift.io/v1\nkind: ImageStreamImport\nmetadata: {{name: y1}}\nspec:\n  import: true\n  images:\n  - {{{docker}, to: {{name: latest}}}}\n"
    );
    let mapping = "kind: ImageStreamMapping\napiVersion: v1\nmetadata: {name: y1}\nimage: {metadata: {name: x}, dockerImageReference: 'r.example/a:1'}\ntag: latest\n";
    for text in [&tag, &import] {
        let found = objects(text).unwrap();
        let [Object::Tags(tags)] = &found.objects[..] else { panic!("{found:?}") };
        assert_eq!((tags.path.to_string().as_str(), tags.tags[0].name.as_str()), ("ada/y1", "latest"));
        assert_eq!(tags.tags[0].source, Some(TagSource::DockerImage("r.example/a:1".into())));
    }
    assert!(
        matches!(&objects(mapping).unwrap().objects[..], [Object::Image(one)] if one.tag.to_string() == "ada/y1:latest")
    );
    for (text, wanted) in [
        (tag.replace("'y1:latest'", "y1"), "openshift-stream-tag"),
        (tag.replace("name: latest", "name: other"), "openshift-other-tag"),
        (tag.replace("  name: latest\n", ""), "ok"),
        (format!("{}image: {{}}\n", tag.split("tag:\n").next().unwrap()), "openshift-missing"),
        (tag.replace("kind: ImageStreamTag", "kind: ImageTag").replace("\ntag:", "\nspec:"), "ok"),
        (import.replace("import: true", "import: false"), "openshift-import-only-looks"),
        (import.replace("to: {name: latest}", ""), "ok"),
        (
            import
                .replace(", to: {name: latest}", "")
                .replace("a:1'", &format!("a@sha256:{}'", "0".repeat(64))),
            "openshift-missing",
        ),
        (import.replace("kind: DockerImage", "kind: ImageStreamTag"), "openshift-value"),
        (import.replace("images:", "repository: {}\n  images:"), "openshift-import-repository"),
        (mapping.replace("tag: latest", ""), "openshift-missing"),
    ] {
        assert_eq!(became(&text, &[]), [wanted], "{text}");
    }
}

#[test]
fn triggers_are_taken_in_every_spelling_and_misplaced_ones_named() {
    let with = |trigger: &str| {
        format!(
            "apiVersion: build.openshift.io/v1\nkind: BuildConfig\nmetadata: {{name: default, annotations: {{ropewalk.io/repository: admin/app}}}}\nspec:\n  triggers:\n  - {trigger}\n"
        )
    };
    for (trigger, wanted, count) in [
        ("type: ImageChange", "ok", 1),
        ("{type: imageChange, imageChange: {}}", "ok", 1),
        ("{type: ImageChange, imageChange: null}", "ok", 1),
        ("{type: ImageChange, imageChange: {from: {}}}", "ok", 1),
        ("{type: config}", "ok", 0),
        ("{type: generic, generic: {secret: x}}", "ok", 0),
        ("{type: github}", "ok", 0),
        (
            "{type: ImageChange, imageChange: {from: {kind: DockerImage, name: 'r.example/a:1'}}}",
            "openshift-trigger-kind",
            0,
        ),
        ("{type: ImageChange, from: {kind: ImageStreamTag, name: 'base:1'}}", "openshift-misplaced", 0),
        ("{type: ImageChange, imageChangeParams: {automatic: true}}", "openshift-misplaced", 0),
        (
            "{type: ImageChange, imageChange: {from: {kind: ImageStreamTag, name: 'base'}}}",
            "openshift-stream-tag",
            0,
        ),
        (
            "{type: ImageChange, imageChange: {from: {kind: ImageStreamTag, name: 'base:1', namespace: 'a b'}}}",
            "name-characters",
            0,
        ),
        ("{type: Moon}", "openshift-value", 0),
        ("{}", "openshift-missing", 0),
    ] {
        let text = with(trigger);
        assert_eq!(became(&text, &[]), [wanted], "{trigger}");
        if wanted == "ok" {
            let found = objects(&text).unwrap();
            let [Object::Triggers(spec)] = &found.objects[..] else { panic!("{found:?}") };
            assert_eq!(spec.triggers.as_ref().unwrap().len(), count, "{trigger}");
        }
    }
    let strategy = format!(
        "{}  strategy: {{sourceStrategy: {{from: {{kind: ImageStreamTag, name: 'ruby:3'}}}}}}\n",
        with("type: ImageChange")
    );
    let found = objects(&strategy).unwrap();
    let codes: Vec<_> = found.notes.iter().map(|note| note.message.key.as_ref()).collect();
    assert_eq!(codes, ["openshift-not-carried-out", "openshift-strategy-from"]);
}
