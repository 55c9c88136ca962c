//! The front ends from outside: whole files in, definitions or findings with places out.

#![allow(clippy::too_many_lines)] // Tables of cases.

use proptest::prelude::*;

use super::*;
use crate::model::{Action, Piece, Step, Text, VariableUse};

/// A pipeline in a subfolder, in the shape teams copy from books: stages that run one-line scripts.
pub const JENKINSFILE: &str = r#"pipeline {
  agent any
  environment { REGISTRY = "registry.local:5000" }
  stages {
    stage('Verify') {
      steps {
        dir('apps/numbers') {
          sh 'chmod +x ci/00-verify.bat'
          sh 'ci/00-verify.bat'
        }
      }
    }
    stage('Build') {
      steps {
        dir('apps/numbers') {
          sh 'chmod +x ci/01-build.bat'
          sh 'ci/01-build.bat'
        }
      }
    }
    stage('Test') {
      steps {
        dir('apps/numbers') {
          sh 'chmod +x ci/02-test.bat'
          sh 'ci/02-test.bat'
        }
      }
    }
    stage('Push') {
      steps {
        dir('apps/numbers') {
          sh 'chmod +x ci/03-push.bat'
          sh 'ci/03-push.bat'
          echo "Release candidates: http://$REGISTRY/v2/_catalog"
        }
      }
    }
  }
}
"#;

/// As many ways of writing as one file takes.
const EVERYTHING: &str = r#"#!/usr/bin/env groovy
// a comment with 'quotes {
/* and
   another } */
pipeline
{
    environment {
        NAME = 'api'
        IMAGE = "${REGISTRY}/numbers/" + NAME + ":${env.BUILD_NUMBER}"; EMPTY = ''
    }
    stages {
        stage("All") {
            agent any
            environment { COLOUR = """blue
and "green" """ }
            steps {
                echo("$COLOUR $IMAGE, \$5"); echo message: 'named'
                sh(script: 'docker build .', label: 'Build', returnStdout: false)
                sh '''
                    for x in $LIST; do
                        echo "${x}"
                    done
                '''
                sh script: "test " +
                    'now'
                dir('a') { dir("b/../c") { bat '.\\build.bat' } }
                echo env.NAME
            }
        }
    }
    agent any
}
"#;

pub const ROPEWALK: &str = r#"# A pipeline of our own.
image: registry.local:5000/ropewalk/step:1
env:
  NAME: api
  IMAGE: ${REGISTRY}/numbers/${NAME}:${BUILD_NUMBER}
  PRICE: $5 and $${NAME}
inputs:
  COLOUR: {type: choice, choices: [red, blue], default: red, description: Which one}
  VERSION: {}
  PUSH: true
  COUNT: 3
  RATIO: "1.10"
branches: [main, "release/*"]
triggers: {push: true, tag: true}
timeout: 1h30m
stages:
  - name: Build
    env: &common {MODE: fast}
    dir: apps/api
    timeout: 10m
    steps:
      - make
      - |
        set -u
        echo "$HOME ${MODE}"
      - run: make push
        dir: .
        image: debian:trixie-slim
        env: {TOKEN: "${COLOUR}-${MODE}"}
        timeout: 90s
      - echo: Built ${IMAGE}
  - name: Test
    env: *common
    steps: [make test]
"#;

fn file(path: &str, text: &str) -> Result<Definition, Vec<Finding>> {
    read(path, &Source::File(text.as_bytes()))
}

/// The findings as `line:column key(first argument)`.
fn found(path: &str, text: &str) -> Vec<String> {
    let one = |f: Finding| {
        let names = ["name", "key", "found", "code", "stage", "value", "path", "glob", "opener"];
        let argument = names.iter().find_map(|name| f.message.args.get(*name));
        let key = f.message.key.strip_prefix("pipeline-").unwrap_or(&f.message.key).to_owned();
        format!("{}:{} {key} {}", f.line, f.column, argument.map_or("", String::as_str)).trim_end().to_owned()
    };
    lint(path, text.as_bytes()).into_iter().map(one).collect()
}

fn describe(step: &Step) -> String {
    let (word, text) = match &step.action {
        Action::Sh(text) => ("sh", text),
        Action::Bat(text) => ("bat", text),
        Action::Echo(text) => ("echo", text),
    };
    format!("{}:{}:{word} {}", step.line, step.directory, text.source())
}

#[test]
fn the_book_shaped_jenkinsfile_is_read_whole() {
    let definition = file("apps/numbers/Jenkinsfile", JENKINSFILE).expect("no findings");
    assert_eq!(definition.environment, [("REGISTRY".to_owned(), Text::literal("registry.local:5000"))]);
    let names: Vec<&str> = definition.stages.iter().map(|stage| stage.name.as_str()).collect();
    assert_eq!(names, ["Verify", "Build", "Test", "Push"]);
    let push: Vec<String> = definition.stages[3].steps.iter().map(describe).collect();
    assert_eq!(
        push,
        [
            "32:apps/numbers:sh chmod +x ci/03-push.bat",
            "33:apps/numbers:sh ci/03-push.bat",
            "34:apps/numbers:echo Release candidates: http://${REGISTRY}/v2/_catalog",
        ]
    );
    let windows = JENKINSFILE.replace("sh '", "bat '").replace('\n', "\r\n");
    let twin = file("apps/numbers/Jenkinsfile.windows", &format!("\u{feff}{windows}")).expect("no findings");
    assert_eq!(twin.stages[0].steps[1].action, Action::Bat(Text::literal("ci/00-verify.bat")));
    assert_eq!(twin.stages[3].steps[2], definition.stages[3].steps[2]);
}

#[test]
fn every_way_of_writing_is_understood() {
    let definition = file("Jenkinsfile", EVERYTHING).unwrap_or_else(|found| panic!("{found:#?}"));
    let variable = |name: &str| Piece::Variable(name.to_owned());
    let literal = |text: &str| Piece::Literal(text.to_owned());
    let image = [
        variable("REGISTRY"),
        literal("/numbers/"),
        variable("NAME"),
        literal(":"),
        variable("BUILD_NUMBER"),
    ];
    assert_eq!(definition.environment[1], ("IMAGE".to_owned(), Text(image.to_vec())));
    assert_eq!(definition.environment[2].1, Text::literal(""));
    let stage = &definition.stages[0];
    assert_eq!(stage.environment[0].1, Text::literal("blue\nand \"green\" "));
    let steps: Vec<String> = stage.steps.iter().map(describe).collect();
    assert_eq!(steps[0], "17::echo ${COLOUR} ${IMAGE}, $5");
    assert_eq!(steps[1], "17::echo named");
    assert_eq!(steps[2], "18::sh docker build .");
    assert!(steps[3].contains("in $LIST; do\n") && steps[3].contains("\"${x}\""));
    assert_eq!(steps[4..], ["24::sh test now", "26:a/c:bat .\\build.bat", "27::echo ${NAME}"]);
}

/// `body` in place of the steps of an otherwise right file; it starts at line 6, column 1.
fn in_steps(body: &str) -> String {
    format!("pipeline {{\nagent any\nstages {{\nstage('S') {{\nsteps {{\n{body}\n}}\n}}\n}}\n}}\n")
}

/// `body` beside the stages of an otherwise right file; it starts at line 3, column 1.
fn in_pipeline(body: &str) -> String {
    format!("pipeline {{\nagent any\n{body}\nstages {{\nstage('S') {{\nsteps {{\nsh 'x'\n}}\n}}\n}}\n}}\n")
}

#[test]
fn what_steps_cannot_hold_is_found_with_its_place() {
    for (body, expected) in [
        ("junit 'x.xml'; sh 'y'", vec!["6:1 no-archive junit"]),
        ("  ech 'x'\n\tshh 'y'", vec!["6:3 unknown-step-similar ech", "7:2 unknown-step-similar shh"]),
        ("frobnicate()", vec!["6:1 unknown-step frobnicate"]),
        ("docker.build('x').push()", vec!["6:1 no-docker docker.build"]),
        ("script {\n sh 'x' }\nx = 1", vec!["6:1 no-script", "8:1 groovy x"]),
        ("if (a) { sh 'x' } else { sh 'y' }", vec!["6:1 groovy if"]),
        ("def x = sh(script: 'y', returnStdout: true)", vec!["6:1 groovy def"]),
        ("sh(script: 'y', returnStdout: true)", vec!["6:17 argument-unsupported returnStdout"]),
        ("sh(scrpt: 'y')", vec!["6:4 argument-similar scrpt"]),
        ("sh 'a', 'b'", vec!["6:4 unexpected 'a'"]),
        ("sh\nsh()\nsh 'a' +", vec!["6:1 step-needs", "7:1 step-needs", "8:8 value-missing"]),
        ("sh 'a' 'b'", vec!["6:8 unexpected 'b'"]),
        ("sh 'a' { }", vec!["6:8 unexpected {"]),
        (
            "sh \"$NOPE ${env.REGISTRI} ${1 + 1}\"",
            vec![
                "6:5 unknown-variable NOPE",
                "6:11 unknown-variable-similar REGISTRI",
                "6:27 expression 1 + 1",
            ],
        ),
        (
            "echo \"${params.X}\"\necho \"$REGISTRY.local\"",
            vec!["6:7 params params.X", "7:7 expression REGISTRY.local"],
        ),
        (
            "sh makeIt()\nsh 'a'.trim()\nsh /a/\nsh [1]",
            vec!["6:4 expression makeIt", "7:7 unexpected .", "8:4 expression /", "9:1 groovy sh"],
        ),
        (
            "withCredentials([a(b: 'c')]) {\n junit 'x'\n sh 'y' }",
            vec!["6:1 no-credentials withCredentials", "7:2 no-archive junit"],
        ),
        (
            "dir('/etc') { foo() }\ndir('../x') { }\ndir(\"$NAME\") { sh 'x' }\ndir('a')",
            vec![
                "6:1 dir /etc",
                "6:15 unknown-step foo",
                "7:1 dir ../x",
                "8:6 unknown-variable NAME",
                "9:1 needs-block dir",
            ],
        ),
        (
            "stage('T') { }\nparallel a: { }\nnode { junit 'x' }",
            vec![
                "6:1 unsupported stage",
                "7:1 no-parallel parallel",
                "8:1 unsupported node",
                "8:8 no-archive junit",
            ],
        ),
        ("'한글' sh 'x'\n  한글()", vec!["6:1 unexpected '한글'", "7:3 unknown-step 한글"]),
        ("echo '한글' junit", vec!["6:11 unexpected junit"]),
        ("", vec!["5:1 no-steps S"]),
    ] {
        let mut expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        let mut actual = found("Jenkinsfile", &in_steps(body));
        expected.sort();
        actual.sort();
        assert_eq!(actual, expected, "{body}");
    }
}

#[test]
fn what_sections_cannot_hold_is_found_with_its_place() {
    for (body, expected) in [
        ("options { timeout(time: 1, unit: 'HOURS') }", vec!["3:1 no-options options"]),
        (
            "parameters { string(name: 'X') }\ntriggers { cron('H * * * *') }",
            vec!["3:1 no-parameters", "4:1 no-triggers"],
        ),
        (
            "tools { maven 'x' }\nlibraries { lib('x') }",
            vec!["3:1 no-tools tools", "4:1 no-libraries libraries"],
        ),
        (
            "post { always { junit 'x'\n mail to: 'y' } }",
            vec!["3:1 no-post", "3:17 no-archive junit", "4:2 unsupported mail"],
        ),
        ("enviroment { A = 'b' }", vec!["3:1 unknown-section-similar enviroment"]),
        ("frob { }\nagent any", vec!["3:1 unknown-section frob", "4:1 section-twice agent"]),
        (
            "environment { A-B = 'x'\nC 'x'\nD = credentials('x')\nE = 1\nF = \"$G\"\nH = 'x'\nH = 'y' }",
            vec![
                "3:15 environment-entry A",
                "4:1 environment-entry C",
                "6:5 expression 1",
                "7:6 unknown-variable G",
                "9:1 variable-twice H",
            ],
        ),
        ("environment = 'x'\n'a'\n;", vec!["3:1 needs-block environment", "4:1 unexpected 'a'"]),
    ] {
        assert_eq!(found("Jenkinsfile", &in_pipeline(body)), expected, "{body}");
    }
}

#[test]
fn stored_variables_are_named_in_a_jenkinsfile() {
    let text = "pipeline { agent any\n\
        environment { A = 'a'\nTOKEN = credentials('DEPLOY_KEY')\n URL = \"https://x:$TOKEN@y\" }\n\
        stages { stage('S') { environment { KEY = credentials( \"OTHER\" ); B = KEY }\n\
        steps { sh \"use $TOKEN $KEY\" } } } }";
    let definition = file("Jenkinsfile", text).unwrap_or_else(|f| panic!("{f:#?}"));
    let named = |all: &[VariableUse]| {
        all.iter().map(|v| format!("{} {} {}", v.name, v.as_name, v.line)).collect::<Vec<_>>()
    };
    assert_eq!(named(&definition.variables), ["DEPLOY_KEY TOKEN 3"]);
    assert_eq!(named(&definition.stages[0].variables), ["OTHER KEY 5"]);
    assert_eq!(definition.environment.len(), 2);
    for (body, expected) in [
        ("environment { A = credentials('a-b') }", vec!["3:15 credentials-name"]),
        ("environment { A = credentials(\"$CI\") }", vec!["3:15 credentials-name"]),
        ("environment { A = credentials() }", vec!["3:15 credentials-name"]),
        ("environment { A = credentials('X', 'Y') }", vec!["3:15 credentials-name"]),
        ("environment { A = credentials('X') + 'y' }", vec!["3:15 credentials-name"]),
        ("environment { A = 'y' + credentials('X') }", vec!["3:25 no-credentials credentials"]),
        (
            "environment { A = credentials('X')\nA = 'y'\nB = 'y'\nB = credentials('Y') }",
            vec!["4:1 variable-twice A", "6:1 variable-twice B"],
        ),
        ("environment { A = \"$B\"\nB = credentials('Y') }", vec!["3:20 unknown-variable B"]),
    ] {
        assert_eq!(found("Jenkinsfile", &in_pipeline(body)), expected, "{body}");
    }
}

#[test]
fn agents_stages_and_whole_files_are_checked() {
    let stage = |inside: &str| format!("pipeline {{ agent any\nstages {{ stage('S') {{ {inside} }} }} }}");
    let agent = |agent: &str| in_pipeline("").replace("agent any", agent);
    let second = |head: &str| {
        in_pipeline("").replace("stages {", &format!("stages {{\n{head} {{ steps {{ sh 'x' }} }}"))
    };
    for (text, expected) in [
        (agent("agent none"), vec!["2:7 agent-none"]),
        (agent("agent { docker 'maven:3' }"), vec!["2:9 agent-image docker"]),
        (agent("agent {\n label 'linux' }"), vec!["3:2 agent-other label"]),
        (agent("agent linux"), vec!["2:7 agent-unknown linux"]),
        (agent("agent { any }\n"), vec!["2:9 agent-other any"]),
        (agent("agent"), vec!["2:1 agent-empty"]),
        (agent(""), vec!["1:1 section-missing agent"]),
        ("pipeline { agent any }".into(), vec!["1:1 section-missing stages"]),
        ("pipeline { agent any; stages { } }".into(), vec!["1:23 no-stages"]),
        (stage(""), vec!["2:10 stage-work-missing S"]),
        (stage("step { sh 'x' }"), vec!["2:10 stage-work-missing S", "2:23 unknown-section-similar step"]),
        (
            stage("parallel { stage('A') { steps { junit 'x' } } }"),
            vec!["2:23 no-parallel parallel", "2:55 no-archive junit"],
        ),
        (
            stage("steps { sh 'x' }\nparallel { }\nwhen { branch 'x' }"),
            vec!["2:10 stage-work-many S", "3:1 no-parallel parallel", "4:1 no-when"],
        ),
        (
            stage("failFast true; steps { sh 'x' }; input { message 'ok' }"),
            vec!["2:23 unsupported failFast", "2:56 no-input"],
        ),
        (stage("agent { docker 'x' }; steps { sh 'x' }"), vec!["2:31 agent-image docker"]),
        (second("stage('S')"), vec!["6:1 stage-twice S"]),
        (second("stage(\"$CI\")"), vec!["5:1 stage-name ${CI}"]),
        (second("stage ''"), vec!["5:1 needs-block stage", "5:10 unexpected {"]),
        (second("stages"), vec!["5:1 unknown-section-similar stages"]),
        ("".into(), vec!["1:1 none"]),
        ("// only a comment".into(), vec!["1:1 none"]),
        ("node('x') {\n sh 'x' }".into(), vec!["1:1 scripted node"]),
        (
            format!("@Library('x') _\nimport a.b\ndef f() {{ }}\n{}junit 'x'", in_pipeline("")),
            vec!["1:1 no-libraries Library", "2:1 outside import", "3:1 outside def", "15:1 outside junit"],
        ),
        (format!("{0}{0}", in_pipeline("")), vec!["12:1 section-twice pipeline"]),
        ("pipelin { }".into(), vec!["1:1 unknown-section-similar pipelin"]),
        ("pipeline('x') { }".into(), vec!["1:10 unexpected 'x'"]),
        ("pipeline {\n agent any\n".into(), vec!["1:10 bracket-open {"]),
        ("pipeline { ) }".into(), vec!["1:12 bracket-other )"]),
        ("}".into(), vec!["1:1 bracket-extra }"]),
        ("pipeline { agent any\n sh 'x }".into(), vec!["2:5 string-open"]),
    ] {
        assert_eq!(found("Jenkinsfile", &text), expected, "{text}");
    }
}

#[test]
fn files_that_cannot_be_read_are_refused() {
    assert_eq!(found("Makefile", "x"), ["0:0 kind-unknown Makefile"]);
    assert_eq!(found("a/../Jenkinsfile", JENKINSFILE), ["0:0 path a/../Jenkinsfile"]);
    assert_eq!(found("Jenkinsfile", &" ".repeat(MAX_BYTES + 1)), ["0:0 too-large"]);
    let bytes = lint("Jenkinsfile", b"pipeline {\n  '\xff");
    assert_eq!((bytes[0].line, bytes[0].column, bytes[0].message.key.as_ref()), (2, 4, "pipeline-not-utf8"));
}

/// Each would take a stack, a square of the time, or memory out of proportion from a careless reader.
#[test]
fn hostile_files_are_answered() {
    let half = MAX_BYTES / 2;
    for text in [
        "{".repeat(MAX_BYTES),
        format!("{}{}", "{".repeat(half), "}".repeat(half)),
        in_steps(&format!("{}{}", "dir('a'){".repeat(50_000), "}".repeat(50_000))),
        in_steps(&format!("sh {}'x'{}", "(".repeat(400_000), ")".repeat(400_000))),
        in_steps(&"zh 'x'\n".repeat(140_000)),
        in_steps(&"sh 'x'\n".repeat(140_000)),
        in_steps(&format!("sh \"{}\"", "$REGISTRI ".repeat(100_000))),
        in_steps(&format!("sh \"{}\"", "${\"".repeat(300_000))),
        in_steps(&format!("sh {}", "'x' + ".repeat(150_000))),
        format!("pipeline {{ agent any\nstages {{ {} }} }}", "stage('a') { steps { } }\n".repeat(40_000)),
        in_pipeline(&format!("environment {{ {} }}", "A = 'b'\n".repeat(100_000))),
        "\n".repeat(MAX_BYTES),
        format!("pipeline{}", "\n".repeat(MAX_BYTES - 8)),
    ] {
        assert!(!lint("Jenkinsfile", text.as_bytes()).is_empty());
    }
    for text in [
        "[".repeat(MAX_BYTES),
        "- ".repeat(half),
        "{a: ".repeat(MAX_BYTES / 4),
        format!("stages: [{}]", "[],".repeat(300_000)),
        format!("stages: [{}]", "x,".repeat(500_000)),
        "a: 1\n".repeat(200_000),
        (0..100_000).map(|n| format!("k{n}: 1\n")).collect(),
        "a: &a [*a]".into(),
        (1..40).fold("a0: &a0 [x]\n".to_owned(), |text, n| {
            text + &format!("a{n}: &a{n} [*a{m}, *a{m}]\n", m = n - 1)
        }),
        format!("stages: [{{name: a, steps: [echo: '{}']}}]", "${REGISTRI}".repeat(90_000)),
    ] {
        assert!(!lint("ropewalk.yml", text.as_bytes()).is_empty());
    }
}

/// A file of tokens that fits in no known place.
fn mutated(base: &'static str, at: usize, cut: usize, put: &str) -> String {
    let chars: Vec<char> = base.chars().collect();
    let at = at % (chars.len() + 1);
    let end = (at + cut).min(chars.len());
    chars[..at].iter().copied().chain(put.chars()).chain(chars[end..].iter().copied()).collect()
}

proptest! {
    #[test]
    fn no_text_makes_a_reader_panic(text in "(\\PC|[\\n{}()\\[\\]'\"$/\\\\:#&*-]|sh |echo |pipeline|stages|steps|name: ){0,80}") {
        for path in ["Jenkinsfile", "ropewalk.yml"] {
            let findings = lint(path, text.as_bytes());
            let lines = u32::try_from(text.lines().count()).expect("few") + 2;
            prop_assert!(findings.iter().all(|f| f.line <= lines && (f.line == 0) == (f.column == 0)));
        }
    }

    #[test]
    fn no_mutation_makes_a_reader_panic(at in 0usize..3000, cut in 0usize..20, put in "(\\PC|[\\n{}()'\"$/\\\\:& *-]){0,6}") {
        let _ = lint("Jenkinsfile", mutated(EVERYTHING, at, cut, &put).as_bytes());
        let _ = lint("ropewalk.yml", mutated(ROPEWALK, at, cut, &put).as_bytes());
    }

    /// Wherever a statement with an unknown word is put between the lines of a good file, a finding
    /// stands exactly on it: nothing is passed over. (Inside a stage's steps, sections, environment.)
    #[test]
    fn every_unknown_word_is_reported(word in "[a-z]{2,12}", line in 1u32..38, form in 0usize..4) {
        prop_assume!(!["sh", "bat", "echo", "dir"].contains(&word.as_str()));
        let statement = match form {
            0 => format!("{word} 'x'"),
            1 => format!("{word}('x') {{ sh 'y' }}"),
            2 => format!("{word} {{ sh 'y' }}"),
            _ => format!("{word}()"),
        };
        let mut lines: Vec<&str> = JENKINSFILE.lines().collect();
        let at = usize::try_from(line).expect("small");
        lines.insert(at, &statement);
        let findings = lint("Jenkinsfile", lines.join("\n").as_bytes());
        prop_assert!(findings.iter().any(|f| f.line == line + 1 && f.column >= 1), "{statement} at {line}: {findings:?}");
    }

    #[test]
    fn every_unknown_key_is_reported(key in "[a-z]{3,10}", line in 0usize..3) {
        let known = ["image", "env", "inputs", "branches", "triggers", "timeout", "stages", "name", "dir", "steps"];
        prop_assume!(!known.contains(&key.as_str()));
        let text = match line {
            0 => format!("{key}: 1\nstages:\n  - {{name: a, steps: [b]}}\n"),
            1 => format!("stages:\n  - {{name: a, steps: [b], {key}: 1}}\n"),
            _ => format!("stages:\n  - name: a\n    steps:\n      - {key}: x\n"),
        };
        prop_assume!(line != 2 || !["run", "echo"].contains(&key.as_str()));
        prop_assert!(found("ropewalk.yml", &text).iter().any(|f| f.contains(&key)));
    }
}
