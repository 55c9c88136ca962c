//! Output without measure: hundreds of megabytes, and a line that never ends, with people reading along.

use std::process::Stdio;

use crate::kit::data::Data;
use crate::kit::server::Server;
use crate::kit::{Copy, PASSWORD, one_step};

const MIB: u64 = 1 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn the_server_does_not_grow_with_a_log() {
    let data = Data::new();
    let server = Server::with(data.path(), &[("log-limit", "192m")]);
    let copy = Copy::new();
    let run = |number: u32| format!("/api/v1/repos/admin/large/pipelines/default/runs/{number}");
    let read = |path: &str| {
        let mut command = crate::kit::server::curl();
        command.args(["-sSN", "--user", &format!("admin:{PASSWORD}"), &format!("{}{path}", server.url())]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    // Everything has been done once before it is measured.
    copy.write("ropewalk.yml", &one_step("seq 100000")).commit("Small");
    copy.push(&server.remote("admin/large")).await;
    server.api_until(&run(1), |run| run["status"] == "passed");
    for path in [run(1) + "/events", run(1) + "/log", "/admin/large/pipelines/default/runs/1".into()] {
        read(&path).wait().unwrap();
    }
    server.forget_peak();
    let ground = server.peak();

    let script = "yes 'a line of a log that goes on and on and on' | head -c 160m\n\
                  head -c 64m /dev/zero | tr '\\0' x\necho the end";
    copy.write("ropewalk.yml", &one_step(script)).commit("Large");
    copy.push(&server.remote("admin/large")).await;
    server.api_until(&run(2), |run| run["status"] == "running");
    let page = "/admin/large/pipelines/default/runs/2";
    let follow = [run(2) + "/events", format!("{page}/live")];
    let mut readers: Vec<_> = follow.iter().map(|path| read(path)).collect();
    // One who asks and never reads.
    let stalled = std::net::TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let ask = format!("GET {}/events HTTP/1.1\r\nHost: x\r\n\r\n", run(2));
    std::io::Write::write_all(&mut &stalled, ask.as_bytes()).unwrap();
    // They are through when the run has ended.
    for reader in &mut readers {
        reader.wait().unwrap();
    }
    let ended = server.api(&run(2));
    assert_eq!(ended["status"], "passed", "{ended}");
    for path in [page.to_owned(), run(2) + "/log"] {
        assert!(read(&path).wait().unwrap().success(), "{path}");
    }
    let grown = server.peak().saturating_sub(ground);
    assert!(grown < 20 * MIB, "the server grew by {} MiB", grown / MIB);
    let log = std::fs::metadata(data.path().join("logs/2/0.log")).unwrap().len();
    assert!((192 * MIB..193 * MIB).contains(&log), "capped with a mark: {log}");
    drop(stalled);
    server.kill();
}
