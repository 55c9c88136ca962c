//! What scripts are seen to make; and that whatever way a name is hidden in, it is seen.

use super::*;
use proptest::prelude::*;

fn look(name: &str) -> Known {
    match name {
        "REGISTRY" => Known::Set("r.local:5000".into()),
        "BUILD_NUMBER" => Known::Later,
        _ => Known::Unset,
    }
}

fn of(files: &[(&str, &str)]) -> Makers {
    let mut texts = Texts::default();
    for (path, text) in files {
        match *path {
            "" => texts.add_script(text),
            path => texts.add_file(path, text),
        }
    }
    texts.makers(&look)
}

const APP: &str = "r.local:5000/team/app:latest";

/// Each makes `APP`.
const MAKING: &[&str] = &[
    "docker build -q -t \"$REGISTRY/team/app:latest\" .",
    "docker build -q -t $REGISTRY/team/app .",
    "for t in latest v1; do docker build -q -t $REGISTRY/team/app:$t .; done",
    "for s in api app; do docker build -t \"${REGISTRY}/team/$s:$t\" $s; done",
    "I=$REGISTRY/team/app; docker build -t $I .",
    "I=$REGISTRY/team\ndocker build -t \"$I\"/app .",
    "docker tag $(docker build -q .) $REGISTRY/team/app:v9",
    "docker tag `docker build -q .` r.local:5000/team/app",
    "id=$(docker build -q . -t r.local:5000/team/app) && echo $id",
    "docker buildx build --output type=image,name=$REGISTRY/team/app:latest,push=true .",
    "docker buildx build -o \"type=registry,\\\"name=x/y,$REGISTRY/team/app\\\"\" .",
    "docker build \\\n  --file x/Dockerfile \\\n  --tag=$REGISTRY/team/app:${BUILD_NUMBER} .",
    "docker --context x image build -t$REGISTRY/team/app .",
    "docker build -qt $REGISTRY/team/app .",
    "podman build -t r.local:5000/team/app:$V .",
    "buildah bud -t r.local:5000/team/app . && buildah push r.local:5000/team/app docker://r.local:5000/x/y",
    "buildah push work docker://r.local:5000/team/app:2",
    "skopeo copy docker://debian:12 docker://$REGISTRY/team/app:latest",
    "crane copy debian:12 $REGISTRY/team/app:latest",
    "crane tag $REGISTRY/team/app:1 latest",
    "/kaniko/executor --context . --destination=$REGISTRY/team/app:1",
    "docker commit box $REGISTRY/team/app",
    "docker import x.tar $REGISTRY/team/app:latest",
    "docker push $REGISTRY/team/app",
    "docker buildx imagetools create -t $REGISTRY/team/app:latest $REGISTRY/team/x:1",
    "docker buildx bake --set app.tags=$REGISTRY/team/app:1",
    "$DOCKER build -t $REGISTRY/team/app .",
    "mvn package -Djib.to.image=$REGISTRY/team/app",
    "sh -c \"docker build -t r.local:5000/team/app:1 .\"",
    "build() { docker build -t \"$REGISTRY/team/$1\" .; }\nbuild app",
    "build() { docker build -t \"$1\" .; }; build r.local:5000/team/app:3",
    "IMG=$(cat name); docker build -t $IMG . && echo r.local:5000/team/app",
    "docker build \"$@\" . # x\nset -- -t r.local:5000/team/app",
    "docker load -i r.tar; docker-compose run x; echo r.local:5000/team/app",
    "sudo docker build --build-context debian:12=docker-image://x --push -t r.local:5000/team/app .",
];

#[test]
fn a_name_is_seen_however_it_is_written() {
    for script in MAKING {
        assert!(of(&[("", script)]).may_make(APP), "{script}");
    }
    for (path, text) in [
        (
            "Makefile",
            "IMAGE ?= $(REGISTRY)/team/app\nimage:\n\tdocker build -t $(IMAGE):$(shell git rev-parse HEAD) .\n",
        ),
        ("build/image.mk", "T := $(REGISTRY)/team\nx:\n\t@docker build --tag $(T)/app .\n"),
        ("justfile", "image:\n  docker build -t {{REGISTRY}}/team/app .\n"),
        ("package.json", r#"{"scripts":{"image":"docker build -t r.local:5000/team/app ."}}"#),
        (
            "docker-bake.hcl",
            "target \"app\" {\n  contexts = { base = \"docker-image://debian:12\" }\n  tags = [\"${REGISTRY}/team/app:latest\"]\n}\n",
        ),
        ("docker-bake.json", r#"{"target":{"app":{"tags":["r.local:5000/team/app:latest"]}}}"#),
        ("Taskfile.yml", "tasks:\n  image:\n    cmds:\n      - docker build -t {{.REGISTRY}}/team/app .\n"),
        ("build.gradle", "jib { from { image = 'debian:12' }\n to { image = 'r.local:5000/team/app' } }"),
        ("pom.xml", "<configuration><to><image>r.local:5000/team/app</image></to></configuration>"),
        ("build.py", "subprocess.run([\"docker\", \"build\", \"-t\", \"r.local:5000/team/app\", \".\"])"),
        ("ci/deep/build", "#!/bin/sh\nexec docker build -t r.local:5000/team/app \"$PWD\"\n"),
        ("make.bat", "docker build -t %REGISTRY%/team/app ."),
    ] {
        assert!(is_script(path), "{path}");
        assert!(of(&[(path, text)]).may_make(APP), "{path}: {text}");
    }
    // A variable of one file names what another builds.
    let files = [("", ". ./v.env; docker build -t $IMG ."), ("v.env", "IMG=r.local:5000/team/app\n")];
    assert!(of(&files).may_make(APP));
    assert!(of(&[("", "docker build -t tool .")]).may_make("docker.io/library/tool:2"));
}

#[test]
fn what_is_only_used_is_not_made() {
    let script = "docker build -q --build-arg BASE=debian:12 --cache-from alpine:3 -f Dockerfile -t $REGISTRY/team/x .\n\
        docker run --rm debian:12 cat /x\ndocker pull busybox:1\ndocker tag redis:7 $REGISTRY/team/y:1\n\
        docker cp c:/a b\n# docker build -t nginx:1 .\ndocker build -t $REGISTRY/team/z:1 $DIR\ndocker-compose run --rm app\n";
    let found = of(&[("", script)]);
    for used in ["debian:12", "alpine:3", "busybox:1", "redis:7", "nginx:1", "r.local:5000/team/app:1"] {
        assert!(!found.may_make(used), "{used}: {found:?}");
    }
    for made in ["r.local:5000/team/x:9", "r.local:5000/team/y", "r.local:5000/team/z"] {
        assert!(found.may_make(made), "{made}");
    }
}

#[test]
fn patterns_fit_whole_names() {
    for (pattern, text, expected) in [
        ("a*c", "abc", true),
        ("a*c", "ab", false),
        ("*/app", "r/team/app", true),
        ("*/app", "app", false),
        ("a*", "a", true),
        ("ab*ba", "aba", false),
        ("a*b*c", "axxbyyc", true),
        ("a*b*c", "axxcyyb", false),
    ] {
        assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
    }
}

/// A name in pieces, as scripts put it together, with the statements that come before.
fn hidden() -> impl Strategy<Value = (String, String)> {
    let name = ("[a-z]{1,5}", "[a-z]{1,5}").prop_map(|(a, b)| (a, b));
    (name, 0..6usize).prop_map(|((team, app), way)| {
        let full = format!("r.local:5000/{team}/{app}");
        let script = match way {
            0 => format!("docker build -t {full} ."),
            1 => format!("N={app}\nT=$REGISTRY/{team}\ndocker build -t \"$T/${{N}}:$BUILD_NUMBER\" ."),
            2 => format!("for n in x {app}; do\n docker tag $(docker build -q $n) $REGISTRY/{team}/$n\ndone"),
            3 => format!("push() {{ docker push \"$1\"; }}\npush {full}:1"),
            4 => format!("export IMG=${{IMG:-{full}}}; docker buildx build --output type=image,name=$IMG ."),
            _ => format!("A={team}/{app}; B=$A; docker build -q --tag=${{REGISTRY}}/$B:latest ."),
        };
        (full, script)
    })
}

proptest! {
    #[test]
    fn a_hidden_name_is_seen((name, script) in hidden(), before in "[a-z =\n]{0,20}") {
        let found = of(&[("", &format!("{before}\n{script}\n"))]);
        prop_assert!(found.may_make(&format!("{name}:any")), "{} {:?}", script, found);
        prop_assert!(!found.may_make("debian:12"), "{} {:?}", script, found);
    }

    #[test]
    fn no_text_breaks_it(text in "[\\PC\n\t]{0,200}", shell in "[$(){}`\"' a-z=:/%\n-]{0,80}") {
        for path in ["", "Makefile", "x.json", "docker-bake.hcl"] {
            let _ = of(&[(path, &text), (path, &format!("docker build -t {shell}"))]).may_make("a/b");
        }
    }
}
