//! Request bodies that are cut off, inflate without end or never come, and clients that go away: nothing of them
//! stays, and nobody else notices.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use base64::Engine as _;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use crate::kit::data::Data;
use crate::kit::server::Server;
use crate::kit::{Copy, PASSWORD};

const MIB: usize = 1 << 20;

/// Sends the head of a POST of `length` bytes.
fn post(server: &Server, path: &str, headers: &str, length: usize) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let credentials = base64::engine::general_purpose::STANDARD.encode(format!("admin:{PASSWORD}"));
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {credentials}\r\n\
         Connection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

fn git_type(service: &str) -> String {
    format!("Content-Type: application/x-git-{service}-request\r\n")
}

/// The whole answer; empty when the server closed without one.
fn answer(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn packet(line: &str) -> String {
    format!("{:04x}{line}", line.len() + 4)
}

/// The head of a push of `new` to a branch that does not exist.
fn push_head(branch: &str, new: &str) -> Vec<u8> {
    let zero = "0".repeat(40);
    let command = format!("{zero} {new} refs/heads/{branch}\0report-status side-band-64k");
    format!("{}0000", packet(&command)).into_bytes()
}

fn refs(copy: &Copy, server: &Server) -> String {
    copy.git(&["ls-remote", &server.remote("admin/bodies")])
}

/// Bytes that cannot be made smaller.
fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    std::fs::File::open("/dev/urandom").unwrap().read_exact(&mut bytes).unwrap();
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_vanish_leave_no_process_and_no_file() {
    let data = Data::new();
    let server = Server::start(data.path());
    let copy = Copy::new();
    std::fs::write(copy.path.join("noise"), noise(24 * MIB)).unwrap();
    let commit = copy.commit("Large");
    copy.push(&server.remote("admin/bodies")).await;
    let before = refs(&copy, &server);

    let fetch = format!(
        "{}0001{}{}0000",
        packet("command=fetch"),
        packet(&format!("want {commit}\n")),
        packet("done\n")
    );
    let kind = format!("{}Git-Protocol: version=2\r\n", git_type("upload-pack"));
    let pack = copy.path.join("half.pack");
    let packed = Command::new("sh")
        .args(["-c", &format!("echo {commit} | git pack-objects --revs --stdout >half.pack")])
        .current_dir(&copy.path)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .status();
    assert!(packed.unwrap().success());
    let pack = std::fs::read(pack).unwrap();
    let mut open = Vec::new();
    for round in 0..12usize {
        // Goes away in the middle of what it gets.
        let mut stream = post(&server, "/admin/bodies.git/git-upload-pack", &kind, fetch.len());
        stream.write_all(fetch.as_bytes()).unwrap();
        stream.read_exact(&mut [0; 1000]).unwrap();
        open.push(stream);
        // Goes away in the middle of what it sends.
        let mut body = push_head("half", &commit);
        body.extend_from_slice(&pack[..pack.len() * round / 12]);
        let length = body.len() + pack.len();
        let mut stream =
            post(&server, "/admin/bodies.git/git-receive-pack", &git_type("receive-pack"), length);
        stream.write_all(&body).unwrap();
        open.push(stream);
    }
    drop(open);
    server.until(|server| server.children().is_empty());
    assert_eq!(refs(&copy, &server), before);
    let objects = data.path().join("repositories/admin/bodies.git/objects");
    server.until(|_| {
        let names = std::fs::read_dir(&objects).unwrap().flatten().map(|entry| entry.file_name());
        !names.into_iter().any(|name| name.to_string_lossy().starts_with("tmp_objdir"))
    });
    server.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn bombs_and_broken_packs_are_refused_in_little_memory() {
    let data = Data::new();
    let server = Server::with(data.path(), &[("max-push", "32m")]);
    let copy = Copy::new();
    let commit = copy.write("a", "1").commit("One");
    copy.push(&server.remote("admin/bodies")).await;
    let before = refs(&copy, &server);
    server.forget_peak();
    let ground = server.peak();

    // A thousand times as large as it looks.
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&push_head("bomb", &commit)).unwrap();
    for _ in 0..512 {
        bomb.write_all(&vec![0; MIB]).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    for service in ["receive-pack", "upload-pack"] {
        let kind = format!("{}Content-Encoding: gzip\r\n", git_type(service));
        let mut stream = post(&server, &format!("/admin/bodies.git/git-{service}"), &kind, bomb.len());
        let _ = stream.write_all(&bomb);
        let said = answer(stream);
        assert!(!said.contains("ok refs/heads/bomb"), "{service}: {said}");
    }
    let kind = "Content-Type: application/json\r\nContent-Encoding: gzip\r\n";
    let mut stream = post(&server, "/api/v1/user/repos", kind, bomb.len());
    let _ = stream.write_all(&bomb);
    let said = answer(stream);
    assert!(said.starts_with("HTTP/1.1 4"), "{said}");

    // Packs that are cut off, larger than allowed, or would unpack to gigabytes.
    let large = Copy::new();
    std::fs::write(large.path.join("noise"), noise(40 * MIB)).unwrap();
    large.commit("Large");
    let (ok, said) = large.try_git(&["push", &server.remote("admin/bodies"), "HEAD:large"]).await;
    assert!(!ok && said.contains("exceeds maximum allowed size"), "{said}");
    let blob = copy.git(&["rev-parse", "HEAD:a"]).trim().to_owned();
    let whole = delta_bomb(&blob);
    for (what, pack, cut) in [("bomb", &whole[..], 0), ("cut", &whole[..whole.len() / 2], 100)] {
        let mut body = push_head("packed", &commit);
        body.extend_from_slice(pack);
        let kind = git_type("receive-pack");
        let mut stream = post(&server, "/admin/bodies.git/git-receive-pack", &kind, body.len() + cut);
        stream.write_all(&body).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let said = answer(stream);
        assert!(!said.contains("ok refs/heads/packed"), "{what}: {said}");
        assert!(what != "bomb" || said.contains("over limit"), "{what}: {said}");
    }
    let grown = server.peak().saturating_sub(ground);
    assert!(grown < 64 << 20, "the server grew by {} MiB", grown >> 20);
    assert_eq!(refs(&copy, &server), before);
    server.until(|server| server.children().is_empty());
    copy.write("a", "2").commit("Two");
    copy.push(&server.remote("admin/bodies")).await;
    server.kill();
}

/// A pack of a hundred kilobytes with one object of two gigabytes, as a delta on a blob of two bytes.
fn delta_bomb(base: &str) -> Vec<u8> {
    let size = |mut left: usize| {
        let mut bytes = Vec::new();
        while left >= 0x80 {
            bytes.push(u8::try_from(left & 0x7f).unwrap() | 0x80);
            left >>= 7;
        }
        bytes.push(u8::try_from(left).unwrap());
        bytes
    };
    let result = 2usize << 30;
    let mut delta = [size(1), size(result)].concat();
    // "Copy one byte from the start", ever again; the size is asked for before the first.
    delta.extend([0x90, 1].repeat(50_000));
    let mut pack = b"PACK\0\0\0\x02\0\0\0\x01".to_vec();
    let length = delta.len();
    // Type 7, then the length: four bits, then seven at a time.
    pack.push(0x80 | 0x70 | u8::try_from(length & 0xf).unwrap());
    pack.extend(size(length >> 4));
    let digits = base.as_bytes().chunks(2).map(|two| std::str::from_utf8(two).unwrap());
    pack.extend(digits.map(|two| u8::from_str_radix(two, 16).unwrap()));
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&delta).unwrap();
    pack.extend(packed.finish().unwrap());
    let mut sum = Command::new("sha1sum");
    let mut sum =
        sum.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    sum.stdin.take().unwrap().write_all(&pack).unwrap();
    let sum = sum.wait_with_output().unwrap().stdout;
    let digits = sum[..40].chunks(2).map(|two| std::str::from_utf8(two).unwrap());
    pack.extend(digits.map(|two| u8::from_str_radix(two, 16).unwrap()));
    pack
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_say_nothing_delay_nobody_and_are_sent_away() {
    let data = Data::new();
    let server = Server::start(data.path());
    let mut silent = Vec::new();
    for _ in 0..300 {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHo").unwrap();
        silent.push(stream);
        // A body of which only the first byte comes.
        let mut stream = post(&server, "/api/v1/user/repos", "Content-Type: application/json\r\n", 1000);
        stream.write_all(b"{").unwrap();
        silent.push(stream);
    }
    let copy = Copy::new();
    copy.write("a", "1").commit("One");
    copy.push(&server.remote("admin/bodies")).await;
    assert!(refs(&copy, &server).contains("refs/heads/main"));
    for stream in silent {
        // Waits until the server gives up on it, which its head's time limit makes it do.
        let said = answer(stream);
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{said}");
    }
    server.kill();
}
