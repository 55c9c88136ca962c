//! Git over HTTP (G3, G6, G7), against `git http-backend` behind the least CGI host there can be: it spawns
//! the program and copies, nothing else. A real web server in its place costs more.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::Bench;
use super::measure::{self, at_share, in_millis, pairs, timed};
use super::server::{AUTHORIZATION, Server};

/// A working copy with no settings but ours.
pub struct Copy {
    pub path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Copy {
    pub fn new() -> Copy {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy");
        fs::create_dir(&path).unwrap();
        let copy = Copy { path, _folder: folder };
        copy.git(&["init", "-q", "-b", "main"]);
        copy
    }

    pub fn of_sample() -> Copy {
        let copy = Copy::new();
        let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples/numbers/.");
        assert!(Command::new("cp").args(["-a", sample]).arg(&copy.path).status().unwrap().success());
        copy
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path.join(name), text).unwrap();
    }

    pub fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
    }

    pub fn push(&self, remote: &str) {
        self.git(&["push", "-q", remote, "HEAD"]);
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]).args(arguments);
        command.current_dir(&self.path).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        command.env("GIT_TERMINAL_PROMPT", "0").stdin(Stdio::null());
        command
    }

    /// `count` commits on `main`, each with a file of its own.
    pub fn grow(&self, count: usize) {
        let mut stream = String::new();
        for n in 0..count {
            stream.push_str(&format!(
                "commit refs/heads/main\nmark :{}\ncommitter Ada <ada@example.org> {} +0000\ndata <<E\nNumber {n}\nE\nM 100644 inline src/{n}\ndata <<E\n{n}\nE\n",
                n + 1,
                1_700_000_000 + n
            ));
        }
        self.import(stream.as_bytes());
    }

    fn import(&self, stream: &[u8]) -> Output {
        let mut child = self.command(&["fast-import", "--quiet"]).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(stream).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        self.git(&["reset", "-q", "--hard"]);
        output
    }
}

/// Serves the repositories below a folder with `git http-backend`; lives as long as the process.
fn http_backend(root: &Path) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let root = root.to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let root = root.clone();
            std::thread::spawn(move || {
                let _ = stream.set_nodelay(true);
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                while let Ok(true) = answer(&root, &mut reader, &stream) {}
            });
        }
    });
    port
}

/// One request; `false` when there is none.
#[allow(clippy::too_many_lines, reason = "one CGI exchange, told in order")]
fn answer(root: &Path, reader: &mut BufReader<TcpStream>, mut stream: &TcpStream) -> std::io::Result<bool> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split(' ');
    let (Some(method), Some(target)) = (words.next().map(str::to_owned), words.next().map(str::to_owned))
    else {
        return Ok(false);
    };
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut command = Command::new("git");
    command.args([
        "-c",
        "safe.directory=*",
        "-c",
        "http.receivepack=true",
        "-c",
        "receive.autogc=false",
        "http-backend",
    ]);
    command.env("GIT_PROJECT_ROOT", root).env("GIT_HTTP_EXPORT_ALL", "1").env("REQUEST_METHOD", &method);
    command.env("PATH_INFO", path).env("QUERY_STRING", query).env("REMOTE_USER", "admin");
    let (mut length, mut chunked) = (0usize, false);
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap_or(0),
            "content-type" => drop(command.env("CONTENT_TYPE", value)),
            "content-encoding" => drop(command.env("HTTP_CONTENT_ENCODING", value)),
            "git-protocol" => drop(command.env("GIT_PROTOCOL", value)),
            "transfer-encoding" => chunked = true,
            _ => {}
        }
    }
    if !chunked {
        command.env("CONTENT_LENGTH", length.to_string());
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut input = child.stdin.take().unwrap();
    if chunked {
        copy_chunks(reader, &mut input)?;
    } else {
        std::io::copy(&mut reader.take(length as u64), &mut input)?;
    }
    drop(input);
    let mut output = BufReader::with_capacity(64 * 1024, child.stdout.take().unwrap());
    let (mut head, mut status) = (String::new(), "200 OK".to_owned());
    loop {
        line.clear();
        output.read_line(&mut line)?;
        match line.trim().split_once(": ") {
            Some(("Status", value)) => status = value.to_owned(),
            Some(_) => head.push_str(&line),
            None => break,
        }
    }
    let mut bytes = format!("HTTP/1.1 {status}\r\n{head}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
    loop {
        let piece = output.fill_buf()?;
        let read = piece.len();
        bytes.extend_from_slice(format!("{read:x}\r\n").as_bytes());
        bytes.extend_from_slice(piece);
        bytes.extend_from_slice(b"\r\n");
        stream.write_all(&bytes)?;
        bytes.clear();
        if read == 0 {
            break;
        }
        output.consume(read);
    }
    child.wait()?;
    Ok(true)
}

fn copy_chunks(reader: &mut BufReader<TcpStream>, input: &mut impl std::io::Write) -> std::io::Result<()> {
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let size = u64::from_str_radix(line.trim(), 16).unwrap_or(0);
        std::io::copy(&mut reader.by_ref().take(size), input)?;
        line.clear();
        reader.read_line(&mut line)?;
        if size == 0 {
            return Ok(());
        }
    }
}

/// The repository as it lies in the server's data, for the peer a copy of its own.
fn twin(server: &Server, name: &str, root: &Path) {
    let from = server.data.join(format!("repositories/admin/{name}.git"));
    assert!(
        Command::new("cp")
            .arg("-a")
            .arg(from)
            .arg(root.join(format!("{name}.git")))
            .status()
            .unwrap()
            .success()
    );
}

/// Both sides get the credentials at once, so that none of them is asked twice.
fn with_header(arguments: &[&str]) -> Vec<String> {
    let header = format!("http.extraHeader={}", AUTHORIZATION.trim());
    ["-c", &header].into_iter().chain(arguments.iter().copied()).map(str::to_owned).collect()
}

fn taken(copy: &Copy, arguments: &[&str]) -> f64 {
    let all = with_header(arguments);
    timed(|| copy.git(&all.iter().map(String::as_str).collect::<Vec<_>>())).1
}

/// G3. `git fetch` of one branch that has not moved, from a repository with 100,000 refs: the whole client.
pub fn nothing_new(bench: &mut Bench) {
    let folder = tempfile::tempdir().unwrap();
    let root = tempfile::tempdir().unwrap();
    let server = Server::start(&bench.program, folder.path(), &[]);
    let copy = Copy::new();
    copy.grow(50);
    copy.push(&server.remote("admin/refs"));
    let directory = folder.path().join("repositories/admin/refs.git");
    let tip = copy.git(&["rev-parse", "HEAD"]);
    let mut packed = "# pack-refs with: peeled fully-peeled sorted \n".to_owned();
    packed.push_str(&format!("{} refs/heads/main\n", tip.trim()));
    (0..100_000).for_each(|n| packed.push_str(&format!("{} refs/tags/t{n:06}\n", tip.trim())));
    fs::write(directory.join("packed-refs"), packed).unwrap();
    twin(&server, "refs", root.path());
    let port = http_backend(root.path());
    let (ours, peer) = (server.remote("admin/refs"), format!("http://127.0.0.1:{port}/refs.git"));
    let fetch = |remote: &str, version: &str| {
        taken(
            &copy,
            &["-c", version, "fetch", "-q", "--no-tags", remote, "refs/heads/main:refs/remotes/x/main"],
        )
    };
    for (name, version, bar) in [("G3-v2", "protocol.version=2", 0.85), ("G3-v0", "protocol.version=0", 0.25)]
    {
        let (peer_one, ours_one) = (|| fetch(&peer, version), || fetch(&ours, "protocol.version=2"));
        peer_one();
        ours_one();
        let measured = pairs(bench.pairs * 3, peer_one, ours_one);
        bench.sheet.ratios(name, &measure::ratios(&measured), bar, &in_millis(&measured));
    }
}

/// G6. `git push` of one commit, the whole client. Ours writes it durably, records the event and asks the
/// triggers; no pipeline matches. The note is the peer made as durable as ours.
pub fn small_push(bench: &mut Bench) {
    let folder = tempfile::tempdir().unwrap();
    let root = tempfile::tempdir().unwrap();
    let server = Server::start(&bench.program, folder.path(), &[]);
    let copy = Copy::new();
    copy.grow(50);
    copy.push(&server.remote("admin/push"));
    twin(&server, "push", root.path());
    let port = http_backend(root.path());
    let (ours, peer) = (server.remote("admin/push"), format!("http://127.0.0.1:{port}/push.git"));
    let push = |remote: &str| {
        copy.commit("One more");
        taken(&copy, &["push", "-q", remote, "HEAD:refs/heads/main"])
    };
    push(&peer);
    push(&ours);
    let measured = pairs(bench.pairs * 5, || push(&peer), || push(&ours));
    let of = |pick: fn(&(f64, f64)) -> f64| {
        at_share(&measured.iter().map(pick).collect::<Vec<_>>(), 0.99) * 1000.0
    };
    let note = format!("{}; p99 {:.1} and {:.1} ms", in_millis(&measured), of(|p| p.0), of(|p| p.1));
    bench.sheet.ratios("G6", &measure::ratios(&measured), 0.9, &note);
}

/// G7. A push of 300 MB that does not compress, against `git index-pack --stdin` of the same pack, with the
/// same checks and made as durable. And what the server itself grows by meanwhile, against 8 MiB.
#[allow(clippy::too_many_lines, reason = "one measurement, told in order")]
pub fn large_push(bench: &mut Bench) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&bench.program, folder.path(), &[]);
    let copy = Copy::new();
    copy.git(&["config", "core.compression", "0"]);
    let mut random = fs::File::open("/dev/urandom").unwrap();
    for n in 0..300 {
        let mut bytes = vec![0; 1_000_000];
        random.read_exact(&mut bytes).unwrap();
        fs::write(copy.path.join(format!("{n}.bin")), bytes).unwrap();
    }
    copy.commit("300 MB");
    copy.git(&["repack", "-q", "-a", "-d"]);
    let pack = fs::read_dir(copy.path.join(".git/objects/pack")).unwrap().map(|e| e.unwrap().path());
    let pack = pack.into_iter().find(|path| path.extension().is_some_and(|end| end == "pack")).unwrap();
    server.create_repository("warm");
    let before = measure::resident(server.pid()).0;
    let (mut number, mut most) = (0, before);
    let ours = || {
        number += 1;
        let remote = server.remote(&format!("admin/large-{number}"));
        let arguments = with_header(&["push", "-q", &remote, "HEAD:refs/heads/main"]);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (_, taken) = std::thread::scope(|scope| {
            let pushing = scope.spawn(|| timed(|| copy.git(&arguments)));
            while !pushing.is_finished() {
                most = most.max(measure::resident(server.pid()).0);
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            pushing.join().unwrap()
        });
        taken
    };
    let peer = || {
        let target = tempfile::tempdir().unwrap();
        let git = |arguments: &[&str]| {
            let mut command = Command::new("git");
            command.arg("-C").arg(target.path()).args(arguments);
            command
        };
        assert!(git(&["init", "-q", "--bare", "."]).status().unwrap().success());
        let input = fs::File::open(&pack).unwrap();
        let index = [
            "-c",
            "core.fsync=objects,derived-metadata,reference",
            "index-pack",
            "--stdin",
            "--strict",
            "--fix-thin",
        ];
        let mut command = git(&index);
        let (status, taken) = timed(|| command.stdin(input).stdout(Stdio::null()).status().unwrap());
        assert!(status.success());
        taken
    };
    let measured = pairs(bench.pairs.min(5), peer, ours);
    bench.sheet.ratios("G7", &measure::ratios(&measured), 1.1, &in_millis(&measured));
    bench.sheet.ratios(
        "G7-memory",
        &[(most - before) / 8.0],
        1.0,
        &format!("{:.1} of 8 MiB growth", most - before),
    );
}
