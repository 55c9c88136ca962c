//! What is found in files and what pins make of them, and that no text breaks it.

use super::*;
use proptest::prelude::*;

const DEBIAN: &str = "registry.local:5000/library/debian@sha256:1111111111111111111111111111111111111111111111111111111111111111";

fn pins(references: &[&str]) -> Pins {
    references.iter().map(|reference| ((*reference).to_owned(), DEBIAN.to_owned())).collect()
}

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile::of_text(path, text)
}

fn named(files: &[SourceFile]) -> Vec<(String, String)> {
    let all = sites(files, &Values::default());
    all.into_iter()
        .map(|s| (format!("{}:{}", s.path, s.line), s.note.map_or(s.reference, |n| format!("!{}", n.key))))
        .collect()
}

fn check(found: &[(String, String)], expected: &[(&str, &str)]) {
    let found: Vec<_> = found.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(found, expected);
}

#[test]
fn dockerfiles_are_read_with_their_arguments_stages_and_mounts() {
    let text = "# escape=`\nARG V=12\nARG BASE=debian:${V} X=\"busybox\"\nARG NEEDED\n\
        FROM --platform=$BUILDPLATFORM debian:${V} AS build\nRUN --mount=type=bind,from=tools:1,source=/a,target=/b x\n\
        FROM $BASE\nFROM `\n  ${X} as Second\nFROM ${NEEDED}\nFROM scratch\nFROM second\nFROM ${NO:-alpine:3}\n\
        COPY --from=build /a /b\nCOPY --from=0 /a /b\nCOPY --from=nginx:1 /a /b\nRUN <<EOF\nFROM nothing\nEOF\n";
    check(
        &named(&[file("a/Dockerfile", text)]),
        &[
            ("a/Dockerfile:10", "!pin-variable-later"),
            ("a/Dockerfile:7", "debian:12"),
            ("a/Dockerfile:9", "busybox"),
            ("a/Dockerfile:5", "debian:12"),
            ("a/Dockerfile:6", "tools:1"),
            ("a/Dockerfile:13", "alpine:3"),
            ("a/Dockerfile:16", "nginx:1"),
        ],
    );
}

#[test]
fn only_the_reference_is_replaced() {
    let pins = pins(&["debian:12", "debian", "debian:11"]);
    for (before, after) in [
        ("FROM debian:12 AS b\nRUN echo debian:12\n", "FROM @ AS b\nRUN echo debian:12\n"),
        ("ARG B=debian:12\nFROM $B\n", "ARG B=@\nFROM $B\n"),
        ("ARG B=\"debian:12\" C=1\nFROM ${B}\n", "ARG B=\"@\" C=1\nFROM ${B}\n"),
        ("FROM ${B:-debian:12} as x\n", "FROM ${B:-@} as x\n"),
        (
            "\u{feff}FROM debian\r\nCOPY --chown=1 --from=debian:12 a b\r\n",
            "\u{feff}FROM @\r\nCOPY --chown=1 --from=@ a b\r\n",
        ),
        (
            "FROM debian\nRUN --mount=from=debian:12,target=/x true\n",
            "FROM @\nRUN --mount=from=@,target=/x true\n",
        ),
        ("FROM deb\\\nian:12\n", "FROM @\n"),
    ] {
        assert_eq!(
            pin_dockerfile(before, &pins).as_deref(),
            Some(after.replace('@', DEBIAN).as_str()),
            "{before}"
        );
    }
    for kept in [
        "FROM busybox\n",
        // Whoever builds may pass another value.
        "ARG V=12\nFROM debian:${V}\n",
        "ARG V=12\nARG B=debian:${V}\nFROM $B\n",
        "ARG B=debian:12\nFROM $B\nFROM ${B}-slim\n",
        "ARG B=debian:12\nARG C=$B\nFROM $B\nFROM $C\n",
        "FROM debian:${V:-12}\n",
    ] {
        assert_eq!(pin_dockerfile(kept, &pins), None, "{kept}");
    }
    assert_eq!(pin_dockerfile("not one", &pins), None);
    for (before, after) in [
        (
            "services:\n  a:\n    image: debian:12 # x\n  b:\n    image: 'own'\n    build: .\n",
            "services:\n  a:\n    image: @ # x\n  b:\n    image: 'own'\n    build: .\n",
        ),
        ("services: {a: {image: \"${I:-debian:12}\"}}\n", "services: {a: {image: \"${I:-@}\"}}\n"),
        (
            "x-base: &b\n  image: debian:11\nservices:\n  é:\n    <<: *b\n  d: *b\n",
            "x-base: &b\n  image: @\nservices:\n  é:\n    <<: *b\n  d: *b\n",
        ),
    ] {
        assert_eq!(
            pin_compose(before, &pins).as_deref(),
            Some(after.replace('@', DEBIAN).as_str()),
            "{before}"
        );
    }
    assert_eq!(pin_compose("services:\n  a: {image: \"debian:\\x31\\x32\"}\n", &pins), None);
    assert_eq!(pin_compose("services: [", &pins), None);
    for kept in ["debian:${V-12}", "${D:-debian}:12", "${I:-debian:${V:-12}}"] {
        assert_eq!(pin_compose(&format!("services: {{a: {{image: \"{kept}\"}}}}\n"), &pins), None, "{kept}");
    }
}

#[test]
fn behind_a_tag_that_is_a_default_only_the_digest_is_put() {
    let pins = pins(&["registry.local:5000/library/debian:12", "other.local/debian:12"]);
    let digest = &DEBIAN[DEBIAN.find('@').unwrap()..];
    let text = "FROM registry.local:5000/library/debian:${V:-12} AS x\n";
    let expected = format!("FROM registry.local:5000/library/debian:${{V:-12{digest}}} AS x\n");
    assert_eq!(pin_dockerfile(text, &pins), Some(expected));
    let text = "services: {a: {image: \"registry.local:5000/library/debian:${V-12}\"}}\n";
    let expected =
        format!("services: {{a: {{image: \"registry.local:5000/library/debian:${{V-12{digest}}}\"}}}}\n");
    assert_eq!(pin_compose(text, &pins), Some(expected));
    // The digest is of another repository.
    assert_eq!(pin_compose("services: {a: {image: \"other.local/debian:${V-12}\"}}\n", &pins), None);
}

#[test]
fn what_the_environment_decides_is_left_with_a_reason() {
    let files = [
        file("Dockerfile", "ARG V=12\nFROM debian:$V\n"),
        file("compose.yml", "services:\n  a:\n    image: ${REGISTRY}/a:1\n"),
        file(".env", "REGISTRY=r.local\n"),
    ];
    let all = sites(&files, &Values::default());
    let found: Vec<_> = all
        .iter()
        .map(|site| (site.reference.as_str(), site.left.as_ref().map(|left| left.args["names"].as_str())))
        .collect();
    assert_eq!(found, [("debian:12", Some("V")), ("r.local/a:1", Some("REGISTRY"))]);
    assert!(all.iter().all(|site| site.note.is_none()));
}

#[test]
fn compose_files_say_how_dockerfiles_are_built() {
    let files = [
        file("x/.env", "REGISTRY=r.local\nIMAGE=debian:12\n"),
        file("x/api/Dockerfile", "ARG BASE\nARG V=12\nFROM $BASE\nFROM debian:$V\nFROM r.local/web:1\n"),
        file(
            "x/compose.yml",
            "services:\n  web: {image: \"$REGISTRY/web:1\"}\n  db: {image: \"${IMAGE}\"}\n",
        ),
        file(
            "x/docker-compose-build.yml",
            "services:\n  web:\n    build: {context: ./api, args: [BASE=debian:11]}\n  two:\n    build:\n      context: api\n      args:\n        BASE: ${IMAGE}\n        V: 11\n",
        ),
    ];
    check(
        &named(&files),
        &[
            ("x/api/Dockerfile:4", "!pin-several"),
            ("x/api/Dockerfile:4", "!pin-several"),
            ("x/api/Dockerfile:5", "!pin-built-here"),
            ("x/compose.yml:3", "debian:12"),
            ("x/docker-compose-build.yml:3", "debian:11"),
            ("x/docker-compose-build.yml:8", "debian:12"),
        ],
    );
    let changed = pinned(&files, &Values::default(), &pins(&["debian:11", "debian:12"]));
    let paths: Vec<_> = changed.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["x/docker-compose-build.yml"]);
    assert!(changed[0].text.contains(&format!("args: [BASE={DEBIAN}]")), "{}", changed[0].text);
}

#[test]
fn the_sample_stands_on_debian_alone() {
    let read = |path: &str| {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples/numbers/");
        file(path, &std::fs::read_to_string(format!("{root}{path}")).unwrap())
    };
    let files =
        [".env", "api/Dockerfile", "docker-compose-build.yml", "docker-compose.yml", "web/Dockerfile"];
    let files: Vec<_> = files.iter().map(|name| read(&format!("ch11/exercises/{name}"))).collect();
    let references: BTreeSet<_> =
        sites(&files, &Values::default()).into_iter().map(|site| site.reference).collect();
    assert_eq!(references.into_iter().collect::<Vec<_>>(), ["debian:trixie-slim"]);
}

#[test]
fn files_are_chosen_by_name() {
    for name in [
        "Dockerfile",
        "a/Dockerfile.dev",
        "api.dockerfile",
        "Containerfile",
        "compose.yaml",
        "docker-compose.x.yml",
        "b/.env",
        "Dockerfile-prod",
        "dockerfile_arm",
        "Containerfile.dev",
        "x.Containerfile",
    ] {
        assert!(is_candidate(name), "{name}");
    }
    for name in [
        "Dockerfiles",
        "README.md",
        "compose.txt",
        "my-compose.yml",
        ".envrc",
        "Dockerfile.md",
        "Dockerfile.dockerignore",
        "Dockerfile-build.sh",
    ] {
        assert!(!is_candidate(name), "{name}");
    }
}

#[test]
fn aliases_do_not_multiply() {
    let mut text = String::from("x: &a0 {k: v}\nservices:\n s0: {image: debian:12}\n");
    for n in 1..3000 {
        text.push_str(&format!(" s{n}: &a{n} {{<<: [*a{0}, *a{0}, *a{0}], n: *a{0}}}\n", n - 1));
    }
    // Nested too deep to be meant.
    check(&named(&[file("compose.yml", &text)]), &[("compose.yml:0", "!bases-compose-large")]);
    let wide: String =
        (1..30).map(|n| format!(" s{n}: &a{n} {{<<: [*a{0}, *a{0}, *a{0}]}}\n", n - 1)).collect();
    let text = format!("x: &a0 {{k: v}}\nservices:\n s0: {{image: debian:12}}\n{wide}");
    check(&named(&[file("compose.yml", &text)]), &[("compose.yml:0", "!bases-compose-large")]);
}

/// Lines of Dockerfiles and compose files, whole and broken.
fn lines() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        "FROM (--platform=x )?(debian:12|\\$B|\\$\\{B:-debian:12\\}|a|\"debian:12\")( AS a)?",
        "ARG (B|V)(=debian:12|=\"x\"|=\\$V)?( V=1)?",
        "COPY --from=(debian:12|a|0) a b",
        "RUN --mount=type=x,from=debian:12 \\\\",
        "RUN <<E",
        "E",
        "  image: (debian:12|\\$B|\"\\$\\{B-debian:12\\}\"|&a|\\*a|!t x)",
        "services:( \\{\\})?",
        " a:( \\*b)?",
        "  build: (.|\\{args: \\[B=debian:12\\]\\})",
        "\\PC{0,20}",
        "# escape=`",
    ];
    proptest::collection::vec(line, 0..12).prop_map(|lines| lines.join("\n"))
}

/// What a builder takes for the text of an image behind `FROM` or `image:`, with a variable or without it.
fn taken(written: &str, tag: Option<&str>) -> String {
    match (written.split_once("${T:-"), tag) {
        (Some((before, rest)), Some(tag)) => {
            let (_, after) = rest.split_once('}').unwrap();
            format!("{before}{tag}{after}")
        }
        (Some((before, rest)), None) => {
            let (default, after) = rest.split_once('}').unwrap();
            format!("{before}{default}{after}")
        }
        (None, _) => written.to_owned(),
    }
}

proptest! {
    /// Whatever the environment says in the run, the builder takes what it would have taken without pins; and where the
    /// environment says nothing, either that or the pinned image of it.
    #[test]
    fn a_pinned_file_names_what_the_file_names(
        repository in "registry\\.local:5000/(x|library/debian)",
        shape in 0..5usize,
        environment in proptest::option::of("[a-z]{1,4}"),
    ) {
        let repository = repository.as_str();
        let written = match shape {
            0 => format!("{repository}:old"),
            1 => format!("{repository}:${{T:-old}}"),
            2 => format!("${{T:-{repository}:old}}"),
            3 => format!("{repository}:${{T:-old}}-slim"),
            _ => format!("{repository}-${{T:-a}}:old"),
        };
        let digest = &DEBIAN[DEBIAN.find('@').unwrap()..];
        let without = taken(&written, environment.as_deref());
        let pins: Pins = [taken(&written, None)]
            .into_iter()
            .map(|reference| {
                let name = reference.rsplit_once(':').unwrap().0.to_owned();
                (reference, format!("{name}{digest}"))
            })
            .collect();
        let before = format!("services: {{a: {{image: \"{written}\"}}}}\n");
        let after = pin_compose(&before, &pins).unwrap_or(before);
        let image = after.split('"').nth(1).unwrap();
        let with = taken(image, environment.as_deref());
        let plain = with.replace(digest, "");
        let is_pin = with != plain;
        // A pin is of the very image that is named.
        let name = without.rsplit_once(':').map_or(without.as_str(), |(name, _)| name);
        prop_assert!(plain == without || is_pin && plain == name, "{} {} {}", image, with, without);
        if is_pin {
            prop_assert_eq!(without, taken(&written, None));
        }
    }

    #[test]
    fn no_text_breaks_it_and_only_references_change(text in lines()) {
        let pins = pins(&["debian:12"]);
        for path in ["Dockerfile", "compose.yml", ".env"] {
            let files = [file(path, &text)];
            let before = sites(&files, &Values::default());
            let Some(after) = pinned(&files, &Values::default(), &pins).pop() else { continue };
            prop_assert!(after.text.contains(DEBIAN));
            let again = sites(std::slice::from_ref(&after), &Values::default());
            let shape = |all: &[Site]| all.iter().map(|s| (s.line, s.note.clone())).collect::<Vec<_>>();
            if !text.contains("debian:12\\") && before.len() == again.len() {
                prop_assert_eq!(shape(&before), shape(&again));
            }
            prop_assert_eq!(pinned(&[after], &Values::default(), &pins).len(), 0);
        }
    }

    #[test]
    fn bytes_of_any_kind_are_read(text in "[\\PC\\n\\r\\t$\\\\`\"'{}&*<]{0,200}") {
        for path in ["Dockerfile", "compose.yml", ".env"] {
            let _ = sites(&[file(path, &text)], &Values::default());
        }
    }
}
