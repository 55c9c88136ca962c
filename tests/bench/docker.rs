//! The engine's own command line: the peer of every container bar.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Everything runs in the image that steps run in by default.
pub const IMAGE: &str = "ropewalk/step";

/// Seconds from `docker run` until the first line of its output is here.
pub fn first_line(script: &str) -> f64 {
    let begun = Instant::now();
    let mut child = run(&["--rm", IMAGE, "/bin/sh", "-c", script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    let taken = begun.elapsed().as_secs_f64();
    assert!(!line.is_empty(), "docker run printed nothing");
    output.read_to_end(&mut Vec::new()).unwrap();
    assert!(child.wait().unwrap().success());
    taken
}

/// Seconds until `docker run` with this log driver has ended and handed over all output.
pub fn whole_run(driver: &str, script: &str) -> f64 {
    let begun = Instant::now();
    let arguments = ["--rm", "--log-driver", driver, IMAGE, "/bin/sh", "-c", script];
    let status = run(&arguments).stdout(Stdio::null()).status().unwrap();
    assert!(status.success());
    begun.elapsed().as_secs_f64()
}

fn run(arguments: &[&str]) -> Command {
    let mut command = Command::new("docker");
    command.arg("run").args(arguments).stdin(Stdio::null());
    command
}

/// Standard output without the line's end.
pub fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().unwrap();
    assert!(output.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Takes away what a server that was killed had here.
pub fn clear(label: &str) {
    let each = |list: &[&str], remove: &[&str]| {
        for one in docker(&[list, &["-q", "--filter", label]].concat()).lines() {
            // One that is just being made is left for the next time.
            let _ = Command::new("docker").args(remove).arg(one).stdout(Stdio::null()).status();
        }
    };
    each(&["ps", "-a"], &["rm", "-f"]);
    each(&["network", "ls"], &["network", "rm"]);
}

/// Resident MiB of the registry that serves `registry.local:5000`, if it runs here.
pub fn registry_resident() -> Option<f64> {
    let names = docker(&["ps", "--format", "{{.Names}} {{.Ports}}"]);
    let name = names.lines().find(|line| line.contains(":5000->"))?.split(' ').next()?;
    let pid: u32 = docker(&["inspect", "--format", "{{.State.Pid}}", name]).parse().ok()?;
    // An init process may stand before it.
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let all = children.split_whitespace().filter_map(|pid| pid.parse().ok()).chain([pid]);
    all.map(|pid| super::measure::resident(pid).0).reduce(f64::max)
}
