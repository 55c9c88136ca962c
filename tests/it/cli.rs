//! The program itself, as a person or a script calls it: exit codes, output for both, and a whole server process.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::kit::{Copy, House, PASSWORD, one_step};

/// `ropewalk ARGS` with nothing of this process's environment that could change it.
fn program(args: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ropewalk"));
    command.args(args).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.envs(variables.iter().copied()).stdin(Stdio::null());
    command
}

/// Off the async threads, which serve the other side.
async fn call(args: &[&str], variables: &[(&str, &str)]) -> (i32, String, String) {
    let mut command = program(args, variables);
    let output: Output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_from_the_command_line() {
    let house = House::start().await;
    let data = house.data.path().to_str().unwrap().to_owned();
    let (code, token, said) = call(&["token", "create", "admin", "--data", &data], &[]).await;
    assert_eq!((code, token.starts_with("rw_"), token.trim().len()), (0, true, 43), "{token} {said}");
    let variables = [("ROPEWALK_URL", house.url.as_str()), ("ROPEWALK_TOKEN", token.trim())];

    assert_eq!(call(&["ping"], &variables).await.0, 0);
    let (code, address, said) = call(&["repo", "create", "tool"], &variables).await;
    assert_eq!((code, address.trim()), (0, format!("{}/admin/tool.git", house.url).as_str()), "{said}");
    assert_eq!(call(&["repo", "create", "tool"], &variables).await.0, 1, "taken");
    assert_eq!(call(&["repo", "create", "../x"], &variables).await.0, 2, "no name");

    let copy = Copy::new();
    let script = "printf 'a\\033[31mred\\033[0m\\033]0;title\\007b\\n'; [ \"$FAIL\" != true ]";
    copy.write("ropewalk.yml", &format!("inputs:\n  FAIL: false\n{}", one_step(script))).commit("One");
    copy.push(&house.remote("admin/tool")).await;
    house.run_ended("admin/tool", "default", 1).await;

    let (code, log, said) = call(&["run", "log", "admin/tool", "1", "-f"], &variables).await;
    assert_eq!(code, 0, "{log}\n{said}");
    assert!(log.contains("\naredb\n") && !log.contains('\u{1b}'), "{log:?}");
    let (_, raw, _) = call(&["run", "log", "admin/tool", "1", "--stage", "only", "--raw"], &variables).await;
    assert!(raw.contains("\u{1b}[31mred"), "{raw:?}");
    let start = ["run", "start", "admin/tool", "--input", "FAIL=true", "-f", "--json"];
    let (code, run, said) = call(&start, &variables).await;
    let run: Value = serde_json::from_str(&run).unwrap();
    assert_eq!((code, &run["status"], &run["number"]), (1, &"failed".into(), &2.into()), "{said}");
    let (code, list, _) = call(&["run", "list", "admin/tool", "--limit", "1"], &variables).await;
    assert_eq!((code, list.lines().count()), (0, 1), "{list}");
    assert!(list.starts_with("#2  failed  main  "), "{list}");
    let (code, told, _) = call(&["run", "rerun", "admin/tool", "1"], &variables).await;
    assert!(code == 0 && told.starts_with("Run 3 is "), "{told}");
    house.run_ended("admin/tool", "default", 3).await;

    refusals(&variables).await;
    house.stop().await;
}

async fn refusals(variables: &[(&str, &str)]) {
    let url = variables[0];
    for (args, expected) in [
        (&["run", "start", "admin/tool", "--input", "NO_SUCH=1"][..], 2),
        (&["run", "show", "admin/tool", "99"], 4),
        (&["run", "show", "admin/other", "1", "--pipeline", "default"], 4),
        (&["run", "cancel", "admin/tool", "1"], 1),
        (&["run", "log", "admin/tool", "1", "--stage", "Nothing"], 4),
        (&["lint", "no/such/file"], 4),
    ] {
        let (code, out, said) = call(args, variables).await;
        assert_eq!((code, out.as_str()), (expected, ""), "{args:?}: {said}");
    }
    let start = ["run", "start", "admin/tool"];
    let (code, _, said) = call(&start, &[url, ("ROPEWALK_TOKEN", "rw_0"), ("LANG", "ko_KR.UTF-8")]).await;
    assert_eq!(code, 3);
    assert!(said.contains("토큰"), "the server's sentence is in the reader's language: {said}");
    assert_eq!(call(&start, &[url]).await.0, 3, "nobody");
    let nowhere = [("ROPEWALK_URL", "http://127.0.0.1:1")];
    let (code, _, said) = call(&start, &nowhere).await;
    assert!(code == 1 && said.contains("http://127.0.0.1:1 does not answer"), "{said}");
    assert_eq!(call(&["ping"], &nowhere).await.0, 1);
}

/// A server process; killed if the test ends without it.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_server_process_says_its_first_password_once_and_keeps_its_folder_to_itself() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_str().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let listen = format!("127.0.0.1:{port}");
    let serve = ["serve", "--data", data, "--listen", &listen, "--docker", "unix:///nowhere.sock"];

    let mut server = Server(program(&serve, &[]).stderr(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(server.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    let first = lines.find(|line| line.contains("password")).unwrap();
    let password = first.strip_prefix("first password for admin: ").unwrap().to_owned();
    lines.find(|line| line.contains("serving")).unwrap();
    // Bound before that line, so it can be asked from here on.
    let ping = program(&["ping"], &[("ROPEWALK_LISTEN", &listen)]).output().unwrap();
    assert!(ping.status.success(), "{}", String::from_utf8_lossy(&ping.stderr));

    let second = ["serve", "--data", data, "--listen", "127.0.0.1:0"];
    let refused = program(&second, &[]).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains(data) && said.contains(&server.0.id().to_string()), "{said}");

    // The password is not `admin`'s for ever: whoever may write the folder can set another.
    let mut change = program(&["user", "password", "admin", "--password-stdin", "--data", data], &[]);
    let mut change = change.stdin(Stdio::piped()).spawn().unwrap();
    change.stdin.take().unwrap().write_all(format!("{PASSWORD}\n").as_bytes()).unwrap();
    assert!(change.wait().unwrap().success());
    let list = |password: &str| {
        let url = format!("http://admin:{password}@{listen}");
        program(&["repo", "list"], &[("ROPEWALK_URL", &url)]).output().unwrap().status.code().unwrap()
    };
    assert_eq!((list(&password), list(PASSWORD)), (3, 0));

    let check = program(&["check", "--json", "--data", data], &[]).output().unwrap();
    let check: Value = serde_json::from_slice(&check.stdout).unwrap();
    assert_eq!((&check["ok"], &check["repositories"]), (&true.into(), &0.into()));

    let stop = Command::new("kill").arg(server.0.id().to_string()).status().unwrap();
    assert!(stop.success() && server.0.wait().unwrap().success(), "SIGTERM ends it with 0");
    assert_eq!(program(&["ping"], &[("ROPEWALK_LISTEN", &listen)]).output().unwrap().status.code(), Some(1));
}

#[test]
fn settings_that_are_not_known_stop_the_start() {
    let refused = program(&["serve"], &[("ROPEWALK_REGISTERY", "http://x")]).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2));
    assert!(said.contains("ROPEWALK_REGISTERY") && said.contains("ROPEWALK_REGISTRY?"), "{said}");
    let refused = program(&["serve", "--listen", "here"], &[("LC_ALL", "pt_BR.UTF-8")]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("não pode ser"));
}
