//! `ropewalk.yml` from outside: what a file becomes, and where each mistake is found.

#![allow(clippy::too_many_lines)] // Tables of cases.

use super::super::tests::ROPEWALK;
use super::super::{Source, lint, read};
use crate::model::{Action, InputKind, Piece, Text};

fn found(text: &str) -> Vec<String> {
    let one = |f: crate::model::Finding| {
        let argument = ["key", "name", "value", "glob", "path", "image"]
            .iter()
            .find_map(|name| f.message.args.get(*name));
        let key = f.message.key.strip_prefix("pipeline-").unwrap_or(&f.message.key).to_owned();
        format!("{}:{} {key} {}", f.line, f.column, argument.map_or("", String::as_str)).trim_end().to_owned()
    };
    lint("ropewalk.yml", text.as_bytes()).into_iter().map(one).collect()
}

#[test]
fn a_whole_file_is_read_as_written() {
    let definition =
        read("ropewalk.yml", &Source::File(ROPEWALK.as_bytes())).unwrap_or_else(|f| panic!("{f:#?}"));
    assert_eq!(definition.image.as_deref(), Some("registry.local:5000/ropewalk/step:1"));
    assert_eq!(definition.environment[2].1, Text::literal("$5 and ${NAME}"));
    let inputs: Vec<_> =
        definition.inputs.iter().map(|i| (i.name.as_str(), &i.kind, i.default.as_deref())).collect();
    assert_eq!(
        inputs,
        [
            ("COLOUR", &InputKind::Choice(vec!["red".into(), "blue".into()]), Some("red")),
            ("VERSION", &InputKind::String, None),
            ("PUSH", &InputKind::Boolean, Some("true")),
            ("COUNT", &InputKind::Number, Some("3")),
            ("RATIO", &InputKind::String, Some("1.10")),
        ]
    );
    assert_eq!(definition.branches, ["main", "release/*"]);
    assert!(definition.triggers.tag);
    assert_eq!(definition.timeout_seconds, Some(5400));
    let build = &definition.stages[0];
    assert_eq!(build.steps[0].action, Action::Sh(Text::literal("make")));
    assert_eq!(build.steps[1].action, Action::Sh(Text::literal("set -u\necho \"$HOME ${MODE}\"\n")));
    assert_eq!((build.steps[1].directory.as_str(), build.steps[2].directory.as_str()), ("apps/api", ""));
    assert_eq!(build.steps[2].timeout_seconds, Some(90));
    assert_eq!(build.steps[2].line, 26);
    let echo = Text(vec![Piece::Literal("Built ".into()), Piece::Variable("IMAGE".into())]);
    assert_eq!(build.steps[3].action, Action::Echo(echo));
    assert_eq!(definition.stages[1].environment, build.environment);
}

#[test]
fn stored_variables_are_named() {
    let text = "variables: [DEPLOY_KEY, REGION]\nenv: {URL: 'https://x:${DEPLOY_KEY}@y'}\n\
        stages: [{name: a, steps: [{echo: '${REGION}'}]}]";
    let definition =
        read("ropewalk.yml", &Source::File(text.as_bytes())).unwrap_or_else(|f| panic!("{f:#?}"));
    let named: Vec<_> =
        definition.variables.iter().map(|v| (v.name.as_str(), v.as_name.as_str(), v.line)).collect();
    assert_eq!(named, [("DEPLOY_KEY", "DEPLOY_KEY", 1), ("REGION", "REGION", 1)]);
    let stages = "stages: [{name: a, steps: [b]}]\n";
    let too_many =
        format!("{stages}variables: [{}]", (0..=200).map(|n| format!("V{n}, ")).collect::<String>());
    assert!(found(&too_many)[0].contains("too-many-variables"));
    for (text, expected) in [
        ("variables: NAME", vec!["2:12 want-list variables"]),
        ("variables: {NAME: x}", vec!["2:12 want-list variables"]),
        (
            "variables: [A, a-b, ~, A, [x]]",
            vec![
                "2:16 variable-name a-b",
                "2:21 want-text variables",
                "2:24 variable-twice A",
                "2:27 want-text variables",
            ],
        ),
        ("variable: [A]", vec!["2:1 key-similar variable"]),
    ] {
        assert_eq!(found(&format!("{stages}{text}")), expected, "{text}");
    }
}

#[test]
fn mistakes_are_found_with_their_place() {
    let good = "stages: [{name: a, steps: [b]}]\n";
    for (text, expected) in [
        ("", vec!["1:1 empty"]),
        ("# nothing\n", vec!["1:1 empty"]),
        ("just text", vec!["1:1 want-map ropewalk.yml"]),
        ("stage: []", vec!["1:1 key-similar stage", "1:1 key-missing stages"]),
        ("stages: 5", vec!["1:9 want-list stages"]),
        ("stages: []", vec!["1:9 no-stages"]),
        ("stages:\n  - name: a\n    step: [b]", vec!["2:5 key-missing steps", "3:5 key-similar step"]),
        (
            "stages: [{name: a, steps: []}, {name: a, steps: [x]}, {steps: [x]}]",
            vec!["1:27 empty-list steps", "1:32 stage-twice a", "1:55 key-missing name"],
        ),
        (
            "stages: [{name: '', steps: [~, {run: x, echo: y}, {dir: x}, [x]]}]",
            vec![
                "1:17 stage-name",
                "1:29 want-text steps",
                "1:32 step-kind",
                "1:51 step-kind",
                "1:61 want-map steps",
            ],
        ),
        (
            "stages: [{name: a, dir: ../x, timeout: 5, image: 'a b', steps: [{echo: '${NO}'}]}]",
            vec!["1:25 dir ../x", "1:40 timeout 5", "1:50 image-invalid a b", "1:72 unknown-variable NO"],
        ),
        (
            "a: 1\nA: 2\na: 3\nstages: [{name: a, steps: [b]}]",
            vec!["1:1 key-unknown a", "2:1 key-unknown A", "3:1 key-twice a", "3:1 key-unknown a"],
        ),
        ("stages: [{name: a, steps: [b]}]\n---\nstages: []", vec!["2:1 yaml-documents"]),
        ("stages: !!seq []", vec!["1:9 yaml-tag"]),
        ("? [a]\n: b", vec!["1:3 yaml-key"]),
        ("a: *b", vec!["1:4 yaml"]),
        ("a: [", vec!["1:4 yaml"]),
    ] {
        assert_eq!(found(text), expected, "{text}");
    }
    for (text, expected) in [
        (
            "env: {1A: x, B: [], C: ~, D: '${X}', E: '${', F: '${a b}'}",
            vec![
                "2:7 variable-name 1A",
                "2:17 want-text B",
                "2:24 want-text C",
                "2:30 unknown-variable X",
                "2:41 variable-open E",
                "2:50 variable-name a b",
            ],
        ),
        (
            "branches: ['!x', 'a[', ok]\ntriggers: {push: yes, pull: true}",
            vec![
                "2:12 branch-glob !x",
                "2:18 branch-glob a[",
                "3:18 want-boolean push",
                "3:23 key-unknown pull",
            ],
        ),
        (
            "branches: []\nimage: ~\ntimeout: 8d",
            vec!["1:1 empty-list branches", "3:8 want-text image", "4:10 timeout 8d"],
        ),
        (
            "inputs: {a-b: x, CI: x, N: {type: number, default: x}, T: {typ: text}, K: {type: colour}}",
            vec![
                "2:10 variable-name a-b",
                "2:18 input-builtin CI",
                "2:52 input-number N",
                "2:60 key-similar typ",
                "2:82 input-type colour",
            ],
        ),
        (
            "inputs: {A: {type: choice}, B: {choices: [x], type: text}, C: {choices: [x], default: y}, D: [x]}",
            vec![
                "2:20 input-choices-missing",
                "2:42 input-choices-extra",
                "2:87 input-choice C",
                "2:94 want-text D",
            ],
        ),
    ] {
        assert_eq!(found(&format!("{good}{text}")), expected, "{text}");
    }
}
