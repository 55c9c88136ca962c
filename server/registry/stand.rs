//! What the tests of this room meet: a real registry as a child process, and a listener that gives
//! scripted answers for the faults a real one cannot be made to have.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::client::digest_of;
use super::{Client, Patience};
use crate::model::Digest;

/// Tries as often as a page does, without its waits.
pub const QUICK: Patience = Patience {
    tries: 3,
    first_wait: Duration::from_millis(1),
    one: Duration::from_secs(10),
    all: Duration::from_secs(30),
};

pub const USER: &str = "ropemaker";
pub const PASSWORD: &str = "rope-walk-1";
const BCRYPT: &str = "$2y$05$abcdefghijklmnopqrstuuaKBHc0nkyNTNupbSD03T5D9gI2B/TKy";

/// Debian's docker-registry in a folder of its own, on a port the kernel chose.
pub struct Registry {
    child: Child,
    pub address: String,
    http: reqwest::Client,
    _folder: tempfile::TempDir,
}

impl Registry {
    /// `more` is added to the configuration, as YAML at top level.
    pub fn start(more: &str) -> Registry {
        Self::start_in(tempfile::tempdir().unwrap(), ("http", ""), more)
    }

    /// Asks for the name and the password below.
    pub fn with_password() -> Registry {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("htpasswd"), format!("{USER}:{BCRYPT}\n")).unwrap();
        Self::start_in(folder, ("http", ""), "auth: {htpasswd: {realm: r, path: 'ROOT/htpasswd'}}\n")
    }

    /// Speaks TLS with what is in `cert.pem` and `key.pem` of the folder.
    pub fn with_tls(folder: tempfile::TempDir) -> Registry {
        let tls = ", tls: {certificate: 'ROOT/cert.pem', key: 'ROOT/key.pem'}";
        Self::start_in(folder, ("https", tls), "")
    }

    fn start_in(folder: tempfile::TempDir, (scheme, http): (&str, &str), more: &str) -> Registry {
        let root = folder.path().display();
        let http = http.replace("ROOT", &root.to_string());
        let config = format!(
            "version: 0.1\nlog: {{level: info}}\nhttp: {{addr: '127.0.0.1:0', secret: s{http}}}\n\
             storage: {{filesystem: {{rootdirectory: '{root}/data'}}, delete: {{enabled: true}}}}\n{}",
            more.replace("ROOT", &root.to_string())
        );
        let file = folder.path().join("config.yml");
        fs::write(&file, config).unwrap();
        let mut child = Command::new("docker-registry")
            .args(["serve".as_ref(), file.as_os_str()])
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("docker-registry (Debian package docker-registry) is needed for this test");
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let port = lines
            .find_map(|line| {
                let (_, rest) = line.split_once("listening on 127.0.0.1:")?;
                Some(rest.chars().take_while(char::is_ascii_digit).collect::<String>())
            })
            .expect("the registry did not start");
        std::thread::spawn(move || lines.for_each(drop));
        let address = format!("{scheme}://127.0.0.1:{port}");
        // Made after a client of ours, which sees to it that there is a TLS provider.
        let _ = Client::new(&address).unwrap();
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        Registry { child, address, http, _folder: folder }
    }

    pub fn client(&self) -> Client {
        Client::new(&self.address).unwrap().with_patience(QUICK)
    }

    pub async fn put_blob(&self, repository: &str, body: &[u8]) -> Digest {
        let digest = digest_of(body).unwrap();
        let url = format!("{}/v2/{repository}/blobs/uploads/", self.address);
        let started = self.http.post(url).send().await.unwrap();
        let to = started.headers()["location"].to_str().unwrap();
        let put = self.http.put(format!("{to}&digest={digest}")).body(body.to_vec()).send().await.unwrap();
        assert_eq!(put.status(), 201);
        digest
    }

    pub async fn put_manifest(&self, repository: &str, reference: &str, manifest: &Value) -> Digest {
        let body = manifest.to_string();
        let digest = digest_of(body.as_bytes()).unwrap();
        let url = format!("{}/v2/{repository}/manifests/{reference}", self.address);
        let kind = manifest["mediaType"].as_str().unwrap().to_owned();
        let put = self.http.put(url).header("content-type", kind).body(body).send().await.unwrap();
        let status = put.status();
        assert_eq!(status, 201, "{}", put.text().await.unwrap());
        digest
    }

    /// An image of two layers and three steps, with the label `version`.
    pub async fn put_image(&self, repository: &str, reference: &str, version: &str) -> Digest {
        let config = json!({
            "created": "2024-05-01T10:00:00Z", "architecture": "amd64", "os": "linux",
            "config": {"Labels": {"version": version}, "Env": ["A=1"], "Entrypoint": null, "Cmd": ["/bin/api"]},
            "rootfs": {"type": "layers", "diff_ids": []},
            "history": [
                {"created_by": "ADD rootfs"}, {"created_by": "ENV A=1", "empty_layer": true}, {"created_by": "COPY api"},
            ],
        })
        .to_string();
        let kind = "application/vnd.docker.image.rootfs.diff.tar.gzip";
        let mut layers = Vec::new();
        for layer in [b"first layer".as_slice(), b"second"] {
            let digest = self.put_blob(repository, layer).await;
            layers.push(json!({"mediaType": kind, "size": layer.len(), "digest": digest}));
        }
        let manifest = json!({
            "schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {
                "mediaType": "application/vnd.docker.container.image.v1+json",
                "size": config.len(), "digest": self.put_blob(repository, config.as_bytes()).await,
            },
            "layers": layers,
        });
        self.put_manifest(repository, reference, &manifest).await
    }

    pub async fn delete(&self, repository: &str, digest: &Digest) {
        let url = format!("{}/v2/{repository}/manifests/{digest}", self.address);
        assert_eq!(self.http.delete(url).send().await.unwrap().status(), 202);
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the scripted listener does with a request.
pub enum Reply {
    /// These bytes, then the connection is closed.
    Bytes(Vec<u8>),
    /// Nothing, with the connection left open.
    Silence,
}

pub struct Faulty {
    pub address: String,
    to: SocketAddr,
    asked: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
}

impl Faulty {
    /// `script` gets the number of the request, from 0, and its first line.
    pub fn start(script: impl Fn(usize, &str) -> Reply + Send + 'static) -> Faulty {
        Self::reading(move |number, head| script(number, head.lines().next().unwrap_or_default()))
    }

    /// `script` gets the whole head of the request.
    pub fn reading(script: impl Fn(usize, &str) -> Reply + Send + 'static) -> Faulty {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = listener.local_addr().unwrap();
        let (asked, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (counter, stop) = (asked.clone(), over.clone());
        std::thread::spawn(move || {
            let open = Mutex::new(Vec::new());
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                let mut stream = stream.unwrap();
                let Some(line) = head(&mut stream) else { continue };
                match script(counter.fetch_add(1, Ordering::SeqCst), &line) {
                    Reply::Bytes(bytes) => drop(stream.write_all(&bytes)),
                    Reply::Silence => open.lock().unwrap().push(stream),
                }
            }
        });
        Faulty { address: format!("http://{to}"), to, asked, over }
    }

    pub fn client(&self) -> Client {
        Client::new(&self.address).unwrap().with_patience(QUICK)
    }

    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.to));
    }
}

/// What a TLS client sends first.
const TLS_GREETING: u8 = 0x16;

fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        if head.is_empty() && byte[0] == TLS_GREETING {
            // Read to its end: closing with bytes unread would reset the connection and lose the answer.
            let mut rest = [0; 4];
            stream.read_exact(&mut rest).ok()?;
            stream.read_exact(&mut vec![0; u16::from_be_bytes([rest[2], rest[3]]).into()]).ok()?;
            return Some("TLS".to_owned());
        }
        head.push(byte[0]);
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

/// A whole answer: status line, headers, length, body.
pub fn answer(status: &str, headers: &str, body: &[u8]) -> Reply {
    let mut bytes =
        format!("HTTP/1.1 {status}\r\n{headers}Connection: close\r\nContent-Length: {}\r\n\r\n", body.len())
            .into_bytes();
    bytes.extend_from_slice(body);
    Reply::Bytes(bytes)
}
