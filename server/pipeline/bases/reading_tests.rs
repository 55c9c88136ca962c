//! What is read of a commit, input by input, as compose 2.26 (`docker compose config`) and the builder read it; and
//! that whatever is not read is named.

use std::collections::BTreeMap;

use super::*;
use crate::model::{Action, CommitFiles, Dialect, Piece, Stage, Step, Text, Triggers};
use proptest::prelude::*;

type Commit<'c> = &'c [(&'c str, &'c str)];

/// A definition with steps: folder and script.
fn definition(steps: &[(&str, &str)]) -> Definition {
    let steps: Vec<_> = steps
        .iter()
        .map(|(directory, script)| {
            let action = Action::Sh(Text(vec![Piece::Literal((*script).to_owned())]));
            let (image, environment, timeout_seconds) = (None, Vec::new(), None);
            Step { line: 1, image, directory: (*directory).to_owned(), environment, timeout_seconds, action }
        })
        .collect();
    let (name, environment, variables) = ("A".to_owned(), Vec::new(), Vec::new());
    let stage = Stage { name, image: None, environment, variables, timeout_seconds: None, steps };
    Definition {
        dialect: Dialect::Ropewalk,
        image: None,
        environment: Vec::new(),
        inputs: Vec::new(),
        variables: Vec::new(),
        branches: Vec::new(),
        triggers: Triggers::default(),
        timeout_seconds: None,
        keep: false,
        stages: vec![stage],
    }
}

/// Everything that is found, as `path:line reference` or `path:line !message`.
fn found_by(definition: &Definition, commit: Commit<'_>) -> Vec<String> {
    let values = Values::of(definition, &BTreeMap::new(), "registry.local:5000", &[]);
    let read = |(folders, named): (&[String], &[String])| {
        let is_below = |path: &str| {
            folders.iter().any(|folder| folder.is_empty() || path.starts_with(&format!("{folder}/")))
        };
        let mut found = CommitFiles::default();
        for (path, text) in commit {
            let is_named = named.iter().any(|name| name == path);
            if is_named || is_below(path) && is_candidate(path) {
                found.files.push(((*path).to_owned(), text.as_bytes().to_vec()));
            }
        }
        let is_there = |path: &String| commit.iter().any(|(known, _)| known == path);
        found.missing = named.iter().filter(|path| !is_there(path)).cloned().collect();
        Ok(found)
    };
    let sources = Sources::gather(&values, &read).unwrap();
    let mut all = sites(&sources.files, &values);
    all.extend(sources.unread);
    let shown = |site: Site| {
        let place = if site.line == 0 { site.path } else { format!("{}:{}", site.path, site.line) };
        match site.note {
            Some(note) => format!("{place} !{}", note.key),
            None => format!("{place} {}", site.reference),
        }
    };
    let mut all: Vec<String> = all.into_iter().map(shown).collect();
    all.sort();
    all
}

fn found(commit: Commit<'_>) -> Vec<String> {
    found_by(&definition(&[("", "docker compose up")]), commit)
}

#[track_caller]
fn check(commit: Commit<'_>, expected: &[&str]) {
    let mut expected = expected.to_vec();
    expected.sort();
    assert_eq!(found(commit), expected, "{commit:?}");
}

const D: &str = "Dockerfile";
const C: &str = "compose.yml";

#[test]
fn quoted_text_in_column_one_hides_nothing() {
    for quoted in
        ["'{\n\"k\": 1\n}'", "\"{\n'k': 1\n}\"", "'{\n    \"k\": 1\n      }'", "'\n'", "'a\n\n\nb\n\n'"]
    {
        let text =
            format!("services:\n  a:\n    environment:\n      J: {quoted}\n    image: debian:trixie-slim\n");
        let line = text.lines().count();
        check(&[(C, &text)], &[&format!("compose.yml:{line} debian:trixie-slim")]);
    }
    let flow = "services: {\n\"a\": {\n\"image\": \"debian:trixie-slim\"\n}\n}\n";
    check(&[(C, flow)], &["compose.yml:3 debian:trixie-slim"]);
}

#[test]
fn merges_are_followed_in_arguments_services_and_contexts() {
    let dockerfile = (D, "ARG BASE=nginx:1\nFROM $BASE\n");
    for (args, line) in [
        (
            "x-args: &args\n  BASE: debian:trixie-slim\nservices:\n  a:\n    build:\n      context: .\n      args:\n        <<: *args\n        X: 1\n",
            2,
        ),
        (
            "x-a: &a {BASE: debian:trixie-slim}\nx-b: &b {Y: 1}\nservices:\n  a:\n    build: {context: ., args: {<<: [*b, *a]}}\n",
            1,
        ),
        (
            "x-a: &a {BASE: debian:trixie-slim}\nx-b: &b {<<: *a, Y: 1}\nservices:\n  a:\n    build: {context: ., args: {<<: *b}}\n",
            1,
        ),
        (
            "x-s: &s\n  build: {context: ., args: {BASE: debian:trixie-slim}}\nservices:\n  a:\n    <<: *s\n",
            2,
        ),
        ("x-s: &s {a: {build: {context: ., args: [BASE=debian:trixie-slim]}}}\nservices:\n  <<: *s\n", 1),
        (
            "x-b: &b {args: {BASE: debian:trixie-slim}}\nservices:\n  a:\n    build:\n      <<: *b\n      context: .\n",
            1,
        ),
        (
            "services:\n  a:\n    build:\n      context: .\n      args: &x\n        BASE: debian:trixie-slim\n  b:\n    build: {context: ., args: *x}\n",
            6,
        ),
    ] {
        check(&[dockerfile, (C, args)], &[&format!("compose.yml:{line} debian:trixie-slim")]);
    }
    // What a service says itself comes before what is merged into it.
    let own = "x-a: &a {BASE: redis:7}\nservices:\n  a:\n    build: {context: ., args: {BASE: debian:12, <<: *a}}\n";
    check(&[dockerfile, (C, own)], &["compose.yml:4 debian:12"]);
}

#[test]
fn arguments_without_a_value_are_the_environments() {
    let dockerfile = (D, "ARG BASE=nginx:1\nFROM $BASE\n");
    for args in
        ["args: [BASE]", "args:\n        - BASE", "args: {BASE: }", "args: {BASE: null}", "args: {BASE: ~}"]
    {
        let text = format!("services:\n  a:\n    build:\n      context: .\n      {args}\n");
        let all = found(&[(".env", "BASE=debian:trixie-slim\n"), dockerfile, (C, &text)]);
        assert_eq!(all, ["compose.yml:4 debian:trixie-slim"], "{args}");
        // Nobody has it: the Dockerfile's default counts.
        check(
            &[dockerfile, (C, &text)],
            &["Dockerfile:1 nginx:1"].map(|s| s.replace(":1 n", ":2 n")).each_ref().map(String::as_str),
        );
    }
    for none in ["args:", "args: null", "args: []", "args: {}"] {
        let text = format!("services:\n  a:\n    build:\n      context: .\n      {none}\n");
        check(&[dockerfile, (C, &text)], &["Dockerfile:2 nginx:1"]);
    }
    let empty = "services:\n  a:\n    build: {context: ., args: {BASE: ''}}\n";
    check(&[dockerfile, (C, empty)], &["compose.yml:3 !pin-unreadable"]);
}

#[test]
fn dockerfiles_that_only_compose_files_name_are_read_wherever_they_are() {
    let prod = "FROM debian:trixie-slim\n";
    for (build, path) in [
        ("{context: ., dockerfile: Dockerfile-prod}", "Dockerfile-prod"),
        ("{context: ./x, dockerfile: ../docker/api}", "docker/api"),
        ("{dockerfile: build/image.txt}", "build/image.txt"),
        ("{context: \"${DIR:-x}\", dockerfile: prod}", "x/prod"),
    ] {
        let text = format!("services:\n  a:\n    build: {build}\n");
        check(&[(path, prod), (C, &text)], &[&format!("{path}:1 debian:trixie-slim")]);
    }
    let missing = "services:\n  a:\n    build: {context: x, dockerfile: none}\n";
    check(&[(C, missing)], &["x/none !bases-missing"]);
    for (build, key) in [
        ("https://github.com/a/b.git#main", "bases-remote"),
        ("git@host:a/b", "bases-remote"),
        ("../../x", "bases-outside"),
        ("/srv/x", "bases-outside"),
        ("${BUILD_NUMBER}", "bases-path-later"),
        ("{context: ., dockerfile: ../D}", "bases-outside"),
        ("[x]", "bases-compose-shape"),
    ] {
        let text = format!("services:\n  a:\n    build: {build}\n");
        let all = found(&[(C, &text)]);
        assert!(all.len() == 1 && all[0].ends_with(&format!("!{key}")), "{build} {all:?}");
    }
}

#[test]
fn files_outside_of_the_steps_folder_are_read_when_something_in_it_names_them() {
    let deploy = definition(&[("deploy", "docker-compose build")]);
    let commit = [
        ("deploy/docker-compose.yml", "services:\n  api:\n    build: ../api\n"),
        ("api/Dockerfile", "FROM debian:trixie-slim\n"),
        ("other/Dockerfile", "FROM nginx:1\n"),
    ];
    assert_eq!(found_by(&deploy, &commit), ["api/Dockerfile:1 debian:trixie-slim"]);
    let commit = [("compose.yml", "services:\n  a: {image: debian:12}\n"), ("Dockerfile", "FROM nginx:1\n")];
    assert_eq!(
        found_by(&definition(&[("deploy/x", "docker compose up")]), &commit),
        ["compose.yml:2 debian:12"]
    );
    for (script, path) in [
        ("docker build -t x ../api", "api/Dockerfile"),
        ("docker build --build-arg A=b -f ../api/Dockerfile-prod .", "api/Dockerfile-prod"),
        ("docker buildx build --push --file=../x/y.txt ..", "x/y.txt"),
        ("sudo DOCKER_BUILDKIT=1 docker image build -f\"../x/prod\" .", "x/prod"),
        ("(cd ../api && docker build .)", "api/Dockerfile"),
        ("cd ..; docker build -f $WORKSPACE/x/prod .", "x/prod"),
        ("docker -H tcp://h:1 build ../api", "api/Dockerfile"),
        ("if true; then docker build ../api; fi", "api/Dockerfile"),
    ] {
        let all = found_by(&definition(&[("deploy", script)]), &[(path, "FROM debian:12\n")]);
        assert_eq!(all, [format!("{path}:1 debian:12")], "{script}");
    }
    for (script, key) in [
        ("docker build https://host/x.git", "bases-remote"),
        ("docker build - < x", "bases-stdin"),
        ("docker build -f $(ls *.x) .", "bases-path-later"),
        ("docker build -f ${BUILD_TAG}.x .", "bases-path-later"),
        ("docker build ../../x", "bases-outside"),
        ("docker build -f none .", "bases-missing"),
        ("docker compose -f none.yml up", "bases-missing"),
        ("docker compose -f - up < x", "bases-stdin"),
        ("docker buildx bake", "bases-bake"),
    ] {
        let all = found_by(&definition(&[("", script)]), &[]);
        assert!(all.len() == 1 && all[0].ends_with(&format!("!{key}")), "{script} {all:?}");
    }
}

#[test]
fn compose_files_that_a_list_or_a_command_names_are_read() {
    let text =
        "services:\n  a:\n    image: debian:12\n    build: {context: api}\n  b: {image: \"x:${T:-1}\"}\n";
    let expected = ["api/Dockerfile:1 nginx:1", "deploy/prod.yml:5 x:2"];
    let commit =
        [("api/Dockerfile", "FROM nginx:1\n"), ("deploy/prod.yml", text), ("base.yml", "services: {}\n")];
    for (script, env) in [
        ("docker compose -f base.yml -f deploy/prod.yml up", "T=2\n"),
        ("docker-compose --file=base.yml --file deploy/prod.yml -p x up", "T=2\n"),
        ("COMPOSE_FILE=base.yml:deploy/prod.yml docker compose up", "T=2\n"),
        ("export COMPOSE_FILE=base.yml:deploy/prod.yml\ndocker compose up", "T=2\n"),
        ("docker stack deploy -c base.yml -c deploy/prod.yml x", "T=2\n"),
        ("docker compose up", "T=2\nCOMPOSE_FILE=base.yml:deploy/prod.yml\n"),
        ("docker compose up", "T=2\nCOMPOSE_PATH_SEPARATOR=;\nCOMPOSE_FILE=base.yml;./deploy/prod.yml\n"),
        ("docker compose -f deploy/prod.yml --project-directory . up", "T=2\n"),
    ] {
        let mut all = commit.to_vec();
        all.push((".env", env));
        assert_eq!(found_by(&definition(&[("", script)]), &all), expected, "{script} {env}");
    }
    let all = found(&[(".env", "COMPOSE_FILE=none.yml\n")]);
    assert_eq!(all, ["none.yml !bases-missing"]);
}

#[test]
fn included_and_extended_files_are_read() {
    let base = ("common.yml", "services:\n  base:\n    image: debian:trixie-slim\n");
    let db = ("infra/db.yml", "services:\n  db:\n    image: \"debian:${V:-trixie-slim}\"\n");
    let both = (
        "compose.yml",
        "include:\n  - infra/db.yml\nservices:\n  a:\n    extends:\n      file: common.yml\n      service: base\n",
    );
    check(&[base, db, both], &["common.yml:3 debian:trixie-slim", "infra/db.yml:3 debian:trixie-slim"]);
    let long = (
        "compose.yml",
        "include:\n  - path: [infra/db.yml]\n    project_directory: .\n    env_file: infra/x.env\n",
    );
    check(&[db, long, ("infra/x.env", "V=12\n")], &["infra/db.yml:3 debian:12"]);
    check(&[db, long], &["infra/db.yml:3 debian:trixie-slim", "infra/x.env !bases-missing"]);
    // The included project's own `.env` counts after that of the outer one.
    let short = ("compose.yml", "include: [infra/db.yml]\n");
    check(&[db, short, ("infra/.env", "V=11\n")], &["infra/db.yml:3 debian:11"]);
    check(&[db, short, ("infra/.env", "V=11\n"), (".env", "V=10\n")], &["infra/db.yml:3 debian:10"]);
    check(&[short], &["infra/db.yml !bases-missing"]);
    // Chains, over files and folders; a path is that of the file it stands in.
    let chain = [
        ("compose.yml", "services:\n  a: {extends: {file: x/one.yml, service: one}}\n  b: {extends: a}\n"),
        ("x/one.yml", "services:\n  one: {extends: {file: y/two.yml, service: two}}\n  no: {image: no:1}\n"),
        ("x/y/two.yml", "services:\n  two: {build: {context: ., dockerfile: D, args: {V: 12}}}\n"),
        ("x/y/D", "ARG V=1\nFROM debian:$V\n"),
    ];
    check(&chain, &["x/y/D:2 debian:12"]);
    let circle = [
        ("compose.yml", "include: [b.yml]\nservices:\n  a: {extends: {file: b.yml, service: b}}\n"),
        (
            "b.yml",
            "include: [compose.yml]\nservices:\n  b: {image: debian:12, extends: {file: compose.yml, service: a}}\n",
        ),
    ];
    let all = found(&circle);
    assert!(all.contains(&"b.yml:3 debian:12".to_owned()), "{all:?}");
    assert!(all.iter().any(|one| one.ends_with("!bases-circle")), "{all:?}");
    let itself = "services:\n  a: {extends: a, image: debian:12}\n";
    check(&[(C, itself)], &["compose.yml:2 debian:12", "compose.yml:2 !bases-circle"]);
    let none = "services:\n  a: {extends: {service: none}}\n";
    check(&[(C, none)], &["compose.yml:2 !bases-no-service"]);
    // What the extending service says itself counts.
    let own = "services:\n  a: {image: debian:12, extends: {file: common.yml, service: base}}\n";
    check(&[base, (C, own)], &["compose.yml:2 debian:12"]);
}

#[test]
fn override_files_complete_what_they_override() {
    let commit = [
        (
            "docker-compose.yml",
            "services:\n  a:\n    build: {context: api, dockerfile: D}\n    image: made:1\n  b:\n    build: .\n    image: debian:11\n",
        ),
        (
            "docker-compose.override.yml",
            "services:\n  a:\n    build: {args: {V: 12}}\n  b:\n    build: !reset null\n  c: {image: made:1}\n",
        ),
        ("api/D", "ARG V=1\nFROM debian:$V\n"),
    ];
    let all = found(&commit);
    assert!(all.contains(&"docker-compose.yml:7 debian:11".to_owned()), "{all:?}");
    assert!(all.contains(&"docker-compose.override.yml:6 !pin-built-here".to_owned()), "{all:?}");
    assert!(all.iter().any(|one| one == "api/D:2 !pin-several"), "with and without the override: {all:?}");
}

#[test]
fn named_contexts_are_images_or_none() {
    let dockerfile = (D, "FROM base\nCOPY --from=tools /a /b\nFROM Alpine\nCOPY --from=redis:7 /a /b\n");
    let text = "services:\n  a:\n    build:\n      context: .\n      additional_contexts:\n        base: docker-image://debian:trixie-slim\n        tools: ../tools\n        alpine: docker-image://${IMG:-alpine:3}\n        redis:7: service:cache\n";
    check(&[dockerfile, (C, text)], &["compose.yml:6 debian:trixie-slim", "compose.yml:8 alpine:3"]);
    let list = "services:\n  a:\n    build:\n      context: .\n      additional_contexts:\n        - base=docker-image://debian:12\n        - tools=https://host/x.git\n        - alpine=oci-layout://x\n        - redis:7=y\n";
    check(&[dockerfile, (C, list)], &["compose.yml:6 debian:12", "compose.yml:7 !bases-remote"]);
    let script = definition(&[(
        "",
        "docker build --build-context base=docker-image://x --build-context tools=. --build-context alpine=a --build-context redis:7=b .",
    )]);
    assert_eq!(found_by(&script, &[dockerfile]), [""; 0]);
    let pins = Pins::from([("debian:trixie-slim".to_owned(), "r/x@sha256:1".to_owned())]);
    assert!(pin_compose(text, &pins).unwrap().contains("base: docker-image://r/x@sha256:1\n"));
}

#[test]
fn dockerfiles_within_compose_files_are_read_and_pinned() {
    let text = "services:\n  a:\n    build:\n      context: .\n      dockerfile_inline: |\n        ARG V=12\n        FROM debian:trixie-slim AS x\n        FROM \"$${W:-nginx:1}\"\n        COPY --from=x /a /b\n        FROM debian:$${V}\n        FROM ${OUT:-redis:7}\n";
    check(
        &[(C, text)],
        &[
            "compose.yml:6 debian:12",
            "compose.yml:6 nginx:1",
            "compose.yml:6 redis:7",
            "compose.yml:7 debian:trixie-slim",
        ],
    );
    let pins = Pins::from([("debian:trixie-slim".to_owned(), "r/x@sha256:1".to_owned())]);
    assert_eq!(pin_compose(text, &pins).unwrap(), text.replace("debian:trixie-slim", "r/x@sha256:1"));
    let quoted = "services:\n  a:\n    build:\n      dockerfile_inline: \"FROM debian:12\\nRUN x\"\n";
    let all = found(&[(C, quoted)]);
    assert_eq!(all, ["compose.yml:4 debian:12"]);
    let all = sites(&[SourceFile::of_text(C, quoted)], &Values::default());
    assert_eq!(all[0].left.as_ref().map(|left| &*left.key), Some("pin-not-plain"));
    let plain = "services:\n  a:\n    build:\n      dockerfile_inline: FROM debian:12\n";
    check(&[(C, plain)], &["compose.yml:4 debian:12"]);
}

#[test]
fn no_instruction_ends_the_reading() {
    for odd in [
        "ENTRYPOINT []",
        "CMD []",
        "CMD [ ]",
        "SHELL []",
        "CMD [\"a\"",
        "CMD [a, b]",
        "ENTRYPOINT [ \"a\" , ]",
        "VOLUME []",
        "UNKNOWN x",
        "ONBUILD",
        "ONBUILD FROM x",
        "HEALTHCHECK",
        "LABEL a=\"b",
        "ENV A",
        "EXPOSE",
        "RUN",
        "RUN []",
        "COPY",
        "COPY [\"a\"]",
        "ADD --x",
        "ARG",
        "STOPSIGNAL",
        "USER",
        "MAINTAINER",
        "RUN a \\\n# c\n\n && b",
        "RUN <<E\nFROM no:1\nE",
        "}",
        "FROM",
        "RUN echo 'x",
        "RUN echo \\",
        "é",
        "RUN --mount",
    ] {
        let text =
            format!("FROM debian:trixie-slim AS a\n{odd}\n\nFROM nginx:1\nCOPY --from=redis:7 /a /b\n");
        let all = found(&[(D, &text)]);
        let has = |reference: &str| all.iter().any(|one| one.ends_with(reference));
        let eaten = odd.ends_with('\\');
        assert!(
            has(" debian:trixie-slim") && has(" redis:7") && (eaten || has(" nginx:1")),
            "{odd}: {all:?}"
        );
    }
}

#[test]
fn references_are_what_the_builder_makes_of_the_word() {
    for (text, reference) in [
        ("ARG R=trixie\nFROM debian:\"${R}-slim\"\n", "debian:trixie-slim"),
        ("ARG R=trixie\nFROM \"debian\":'trixie'-slim\n", "debian:trixie-slim"),
        ("ARG R=\"trixie\"\nFROM \"debian:$R\"-\"slim\"\n", "debian:trixie-slim"),
        ("ARG R=tri\"xie\"\nFROM debian:${R}-slim\n", "debian:trixie-slim"),
        ("from debian:trixie-slim\n", "debian:trixie-slim"),
        ("FROM --platform=$BUILDPLATFORM debian:trixie-slim as x\n", "debian:trixie-slim"),
        ("  \\\n\tFROM debian:trixie-slim\n", "debian:trixie-slim"),
        ("FROM --platform=linux/amd64 \\\n  # c\n  debian:trixie-slim AS x\n", "debian:trixie-slim"),
        ("ARG A\nARG B=debian:trixie-slim\nFROM ${B}\n", "debian:trixie-slim"),
        ("\u{feff}# escape=`\r\nFROM `\r\n debian:trixie-slim\r\n", "debian:trixie-slim"),
    ] {
        let all = found(&[(D, text)]);
        assert!(all.len() == 1 && all[0].ends_with(&format!(" {reference}")), "{text}: {all:?}");
    }
    for text in [
        "FROM debian:${V#x}\n",
        "FROM debian:${V%x}\n",
        "FROM ${V/a/b}\n",
        "FROM debian:${V##*.}\n",
        "FROM a\nARG V=1\nFROM debian:$V\n",
        "FROM \"debian\n",
        "FROM ''\n",
    ] {
        let all = found(&[(D, text)]);
        assert!(all.last().is_some_and(|one| one.ends_with("!pin-unreadable")), "{text}: {all:?}");
    }
}

#[test]
fn stages_that_the_platform_chooses_are_no_images() {
    for text in [
        "FROM debian:12 AS base-amd64\nFROM debian:12 AS base-arm64\nFROM base-$TARGETARCH\n",
        "FROM debian:12 AS base-amd64\nFROM base-${TARGETARCH} AS x\n",
        "FROM debian:12 AS amd64-base\nFROM ${TARGETARCH}-base\n",
        "FROM debian:12 AS b-linux-amd64\nFROM B-${TARGETOS}-${TARGETARCH}\n",
        "ARG KIND\nFROM debian:12 AS is-prod\nFROM is-$KIND\n",
        "ARG KIND=prod\nFROM debian:12 AS is-prod\nFROM is-$KIND\n",
        "FROM debian:12 AS One\nFROM ONE\nCOPY --from=oNe a b\nCOPY --from=0 a b\nRUN --mount=type=bind,from=one x\n",
    ] {
        let all: BTreeSet<String> = found(&[(D, text)])
            .into_iter()
            .map(|one| one.split(' ').next_back().unwrap().to_owned())
            .collect();
        assert_eq!(all.into_iter().collect::<Vec<_>>(), ["debian:12"], "{text}");
    }
    check(
        &[(D, "FROM debian:12 AS x-amd64\nFROM y-$TARGETARCH\nFROM $TARGETARCH\n")],
        &["Dockerfile:1 debian:12", "Dockerfile:2 !pin-variable-later", "Dockerfile:3 !pin-variable-later"],
    );
}

#[test]
fn frontends_are_images_that_are_fetched() {
    let values = Values::default();
    let all = sites(&[SourceFile::of_text(D, "# syntax=docker/dockerfile:1\nFROM debian:12\n")], &values);
    let all: Vec<_> = all.iter().map(|s| (s.line, s.reference.as_str(), s.is_frontend)).collect();
    assert_eq!(all, [(1, "docker/dockerfile:1", true), (2, "debian:12", false)]);
    let pins = Pins::from([("docker/dockerfile:1".to_owned(), "r/d@sha256:1".to_owned())]);
    assert_eq!(
        pin_dockerfile("#syntax = docker/dockerfile:1\nFROM x\n", &pins),
        None,
        "it is fetched by its name"
    );
}

#[test]
fn bytes_that_are_no_utf8_hide_nothing_and_stay_as_they_are() {
    let bytes = b"# caf\xe9\nFROM debian:trixie-slim\nRUN echo \xff\n".to_vec();
    let file = SourceFile::of(D.into(), bytes.clone()).unwrap();
    let all = sites(std::slice::from_ref(&file), &Values::default());
    assert_eq!((all.len(), all[0].reference.as_str(), all[0].line), (1, "debian:trixie-slim", 2));
    assert_eq!(*file.bytes(), *bytes);
    let pins = Pins::from([("debian:trixie-slim".to_owned(), "r/d@sha256:1".to_owned())]);
    let changed = pinned(&[file], &Values::default(), &pins).pop().unwrap();
    assert_eq!(*changed.bytes(), *b"# caf\xe9\nFROM r/d@sha256:1\nRUN echo \xff\n");
    for (bytes, key) in [
        (b"\xff\xfeF\0R\0O\0M\0".to_vec(), "bases-utf16"),
        (b"\xfe\xff\0F\0R".to_vec(), "bases-utf16"),
        (b"FROM x\0\n".to_vec(), "bases-no-text"),
    ] {
        assert_eq!(SourceFile::of(D.into(), bytes).unwrap_err().key, key);
    }
    let compose = SourceFile::of(C.into(), b"services: {a: {image: 'x'}} # \xe9".to_vec()).unwrap();
    let all = sites(&[compose], &Values::default());
    assert_eq!(all[0].note.as_ref().map(|note| &*note.key), Some("bases-compose-utf8"));
}

#[test]
fn what_cannot_be_read_is_named() {
    for (text, expected) in [
        ("services: [", "compose.yml !bases-compose-yaml"),
        ("services:\n\ta: {image: x}\n", "compose.yml !bases-compose-yaml"),
        ("services:\n  - image: x\n", "compose.yml:2 !bases-compose-shape"),
        ("services: x\n", "compose.yml:1 !bases-compose-shape"),
        ("just text\n", "compose.yml !bases-compose-shape"),
        ("a: *b\n", "compose.yml !bases-compose-yaml"),
    ] {
        check(&[(C, text)], &[expected]);
    }
    for fine in ["", "services:\n", "services: {}\n", "version: '3'\n", "x-a: {image: y}\n", "# nothing\n"] {
        let all = found(&[(C, fine)]);
        assert!(all.is_empty() || fine.is_empty() || fine.starts_with('#'), "{fine:?} {all:?}");
    }
    check(&[(C, "web:\n  image: debian:12\nx-no: {image: y}\n")], &["compose.yml:2 debian:12"]);
    check(
        &[(C, "services:\n  a: {image: debian:11}\n---\nservices:\n  b: {image: debian:12}\n")],
        &["compose.yml:2 debian:11", "compose.yml:5 debian:12"],
    );
    check(
        &[(
            C,
            "services:\n  x-a: {image: no:1}\n  b: {image: debian:12, volumes: [{type: image, source: redis:7, target: /x}]}\n",
        )],
        &["compose.yml:3 debian:12", "compose.yml:3 redis:7"],
    );
    check(&[(C, "services:\n  a: {image: null}\n  b: {image: , build: null}\n")], &[]);
    let many: String = (0..600).map(|n| format!("FROM img{n}:1\n")).collect();
    let all = found(&[(D, &many)]);
    assert!(all.iter().any(|one| one == "Dockerfile:501 !pin-dockerfile-unreadable"), "{:?}", all.last());
    let many: Vec<(String, String)> =
        (0..1100).map(|n| (format!("d{n:04}/Dockerfile"), format!("FROM img{n}:1\n"))).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let all = found(&many);
    assert_eq!((all.len(), all.last().map(String::as_str)), (1001, Some("d0999/Dockerfile:1 img999:1")));
    assert_eq!(all[0], ". !bases-sites");
    assert_eq!(found(&many[..250]).len(), 250);
}

/// Lines that a Dockerfile may have, in the main without a `FROM`.
fn other_line() -> impl Strategy<Value = String> {
    prop_oneof![
        "(RUN|CMD|ENTRYPOINT|COPY|ADD|ENV|LABEL|ARG|ONBUILD|SHELL|x) [a-z0-9 =:.,/$&|@_-]{0,20}",
        "#[ -~]{0,20}",
        "[ \\t]{0,3}",
        "(CMD|ENTRYPOINT|SHELL) \\[[\"a, ]{0,6}\\]?",
        "\\PC{0,12}",
    ]
}

proptest! {
    /// A simple model: a line `FROM img<n>:1` that no line before continues and no here-document holds names an image.
    #[test]
    fn no_image_is_lost_that_a_simple_reader_sees(lines in proptest::collection::vec((other_line(), any::<bool>()), 0..12)) {
        let mut text = String::new();
        let mut expected = Vec::new();
        for (n, (line, from)) in lines.iter().enumerate() {
            if line.trim_end().ends_with(['\\', '`']) || line.contains("<<") || line.contains(['\n', '\r']) {
                continue;
            }
            text.push_str(line);
            text.push('\n');
            if *from {
                text.push_str(&format!("FROM img{n}:1 AS s\n"));
                expected.push(format!("img{n}:1"));
            }
        }
        let all = sites(&[SourceFile::of_text(D, &text)], &Values::default());
        for reference in expected {
            prop_assert!(all.iter().any(|site| site.reference == reference), "{} in {}", reference, text);
        }
    }

    #[test]
    fn no_definition_and_no_commit_breaks_it(
        script in "[ -~\\n]{0,80}",
        compose in "(services:\\n|include: \\[x.yml\\]\\n)?( a:\\n)?(  (build|extends|image|env_file): [ -~]{0,20}\\n){0,4}[ -~\\n]{0,40}",
        env in "(COMPOSE_FILE=[a-z./:]{0,12}\\n)?[ -~\\n]{0,30}",
    ) {
        let definition = definition(&[("a/b", &format!("docker build {script}\ndocker compose -f {script}\n{script}")), ("", &script)]);
        let commit = [(C, compose.as_str()), (".env", env.as_str()), ("x.yml", compose.as_str()), ("a/compose.yml", compose.as_str())];
        let _ = found_by(&definition, &commit);
    }
}
