//! The words of Jenkins we know: the few we carry out, and the many we only know enough of to say what
//! to do instead. A word that is in no list is reported as unknown; none is passed over.

use super::super::finding::{nearest, shown};
use crate::model::Message;
use crate::msg;

/// Sections of `pipeline { }`: first ours, then Jenkins' others.
pub const PIPELINE: &[&str] =
    &["agent", "environment", "stages", "options", "parameters", "triggers", "tools", "libraries", "post"];
/// Sections of `stage('X') { }`.
pub const STAGE: &[&str] = &[
    "agent",
    "environment",
    "steps",
    "stages",
    "parallel",
    "matrix",
    "tools",
    "options",
    "input",
    "when",
    "post",
    "failFast",
];
/// What a stage may hold one of.
pub const STAGE_WORK: &[&str] = &["steps", "stages", "parallel", "matrix"];
pub const AGENTS: &[&str] = &["any", "none", "docker", "dockerfile", "kubernetes", "label", "node"];
/// Steps we carry out.
pub const STEPS: &[&str] = &["sh", "bat", "echo", "dir"];

const PLAIN_STEPS: &[&str] = &[
    "archive",
    "build",
    "catchError",
    "cleanWs",
    "deleteDir",
    "emailext",
    "error",
    "fileExists",
    "fingerprint",
    "getContext",
    "isUnix",
    "library",
    "load",
    "mail",
    "milestone",
    "parallel",
    "powershell",
    "properties",
    "publishHTML",
    "pwd",
    "pwsh",
    "readFile",
    "readJSON",
    "readYaml",
    "retry",
    "slackSend",
    "sleep",
    "stage",
    "step",
    "svn",
    "timeout",
    "timestamps",
    "tool",
    "tm",
    "unarchive",
    "unstable",
    "waitUntil",
    "warnError",
    "withContext",
    "wrap",
    "writeFile",
    "writeJSON",
    "ws",
    "ansiColor",
    "configFileProvider",
    "container",
    "sshagent",
    "lock",
    "withCredentials",
    "withEnv",
    "script",
    "node",
    "checkout",
    "git",
    "archiveArtifacts",
    "junit",
    "stash",
    "unstash",
    "docker",
    "input",
];
/// Steps that wrap others: what is inside is read as well, for its findings.
pub const WRAPPERS: &[&str] = &[
    "withCredentials",
    "withEnv",
    "timeout",
    "retry",
    "timestamps",
    "ansiColor",
    "catchError",
    "warnError",
    "lock",
    "ws",
    "wrap",
    "container",
    "sshagent",
    "configFileProvider",
    "node",
    "waitUntil",
];

/// Groovy's own words, where a statement may start with one.
const GROOVY: &[&str] = &[
    "def",
    "if",
    "else",
    "for",
    "while",
    "do",
    "switch",
    "case",
    "try",
    "catch",
    "finally",
    "return",
    "throw",
    "class",
    "enum",
    "interface",
    "import",
    "package",
    "assert",
    "final",
    "static",
    "void",
    "int",
    "long",
    "double",
    "float",
    "boolean",
    "String",
    "List",
    "Map",
    "println",
    "print",
    "new",
    "break",
    "continue",
];

/// What to say of a word of Jenkins that we do not carry out.
pub fn unsupported(name: &str) -> Message {
    match name {
        "options" | "timeout" | "timestamps" | "retry" => msg!("pipeline-no-options", name = name),
        "parameters" => msg!("pipeline-no-parameters"),
        "triggers" => msg!("pipeline-no-triggers"),
        "tools" | "tool" => msg!("pipeline-no-tools", name = name),
        "libraries" | "library" | "Library" => msg!("pipeline-no-libraries", name = name),
        "post" => msg!("pipeline-no-post"),
        "when" => msg!("pipeline-no-when"),
        "input" => msg!("pipeline-no-input"),
        "parallel" | "matrix" | "stages" => msg!("pipeline-no-parallel", name = name),
        "script" => msg!("pipeline-no-script"),
        "withCredentials" | "credentials" | "sshagent" => msg!("pipeline-no-credentials", name = name),
        "withEnv" => msg!("pipeline-no-with-env"),
        "checkout" | "git" => msg!("pipeline-no-checkout", name = name),
        "archiveArtifacts" | "archive" | "junit" | "stash" | "unstash" | "unarchive" | "publishHTML" => {
            msg!("pipeline-no-archive", name = name)
        }
        "powershell" | "pwsh" => msg!("pipeline-no-powershell", name = name),
        _ => msg!("pipeline-unsupported", name = shown(name)),
    }
}

/// What to say of a statement in `steps` that starts with `name` (dotted, as `docker.build`).
pub fn unknown_step(name: &str) -> Message {
    let first = name.split('.').next().unwrap_or(name);
    if first == "docker" {
        return msg!("pipeline-no-docker", name = shown(name));
    }
    if GROOVY.contains(&first) {
        return msg!("pipeline-groovy", name = first);
    }
    if first != name {
        return msg!("pipeline-groovy", name = shown(name));
    }
    if PLAIN_STEPS.contains(&name) {
        return unsupported(name);
    }
    match nearest(name, STEPS.iter().copied()) {
        Some(known) => msg!("pipeline-unknown-step-similar", name = shown(name), known = known),
        None => msg!("pipeline-unknown-step", name = shown(name), known = STEPS.join(", ")),
    }
}

/// What to say of a section that is not in `known`.
pub fn unknown_section(name: &str, known: &[&'static str]) -> Message {
    match nearest(name, known.iter().copied()) {
        Some(known) => msg!("pipeline-unknown-section-similar", name = shown(name), known = known),
        None => msg!("pipeline-unknown-section", name = shown(name)),
    }
}

/// What to say of a statement outside the `pipeline` block.
pub fn outside(name: &str) -> Message {
    match name {
        "node" | "stage" | "stages" | "steps" | "agent" => msg!("pipeline-scripted", name = name),
        "Library" | "library" => unsupported(name),
        _ => match nearest(name, ["pipeline"]) {
            Some(known) => msg!("pipeline-unknown-section-similar", name = shown(name), known = known),
            None => msg!("pipeline-outside", name = shown(name)),
        },
    }
}
