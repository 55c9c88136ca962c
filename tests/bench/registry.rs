//! A registry of our own for as long as it is needed, and what the bars put into it. It is the stack's image; the bars
//! reach it at its container's own address, so that no proxy of the engine stands between, except where the engine
//! itself is asked to push.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::docker::docker;
use super::http::Connection;
use super::measure::until;

const IMAGE: &str = "ropewalk/registry";
pub const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const CONFIG: &str = "application/vnd.docker.container.image.v1+json";
/// What our client says it takes; a peer that took less would be given less.
const ACCEPT: &str = "application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json";

pub struct Registry {
    container: String,
    /// `ADDRESS:PORT` of the container, and the port of this machine that leads to it.
    pub host: String,
    pub published: String,
}

impl Registry {
    pub fn start() -> Registry {
        let container = docker(&["run", "-d", "--rm", "-p", "127.0.0.1::5000", IMAGE]);
        let address = docker(&[
            "inspect",
            "--format",
            "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}",
            &container,
        ]);
        let published = docker(&["port", &container, "5000/tcp"]);
        let published = published.lines().next().unwrap_or_default().to_owned();
        let registry = Registry { container, host: format!("{address}:5000"), published };
        until("the registry", Duration::from_millis(20), || {
            let mut connection = Connection::to(&registry.host).ok()?;
            let request = registry.request("GET", "/v2/", "", b"");
            connection.ask(&request).ok().filter(|answer| answer.0 == 200).map(|_| ())
        });
        registry
    }

    pub fn address(&self) -> String {
        format!("http://{}", self.host)
    }

    pub fn connect(&self) -> Connection {
        Connection::to(&self.host).unwrap()
    }

    /// `more` are header lines, each ending in CRLF.
    pub fn request(&self, method: &str, path: &str, more: &str, body: &[u8]) -> Vec<u8> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{more}Content-Length: {}\r\n\r\n",
            self.host,
            body.len()
        );
        [head.as_bytes(), body].concat()
    }

    /// The question that a comparison of tags asks.
    pub fn head(&self, repository: &str, tag: &str) -> Vec<u8> {
        let path = format!("/v2/{repository}/manifests/{tag}");
        format!("HEAD {path} HTTP/1.1\r\nHost: {}\r\nAccept: {ACCEPT}\r\n\r\n", self.host).into_bytes()
    }

    /// An image that holds nothing but `mark`: its configuration is there afterwards; returns its manifest.
    pub fn image(&self, connection: &mut Connection, repository: &str, mark: &str) -> Vec<u8> {
        let config = json!({"architecture": "amd64", "os": "linux", "config": {"Labels": {"mark": mark}}});
        let config = config.to_string();
        let begin = self.request("POST", &format!("/v2/{repository}/blobs/uploads/"), "", b"");
        let (status, _) = connection.ask(&begin).unwrap();
        assert_eq!(status, 202, "begin an upload");
        let place = connection.header("location").unwrap();
        let path = &place[place.find("/v2/").unwrap()..];
        let joint = if path.contains('?') { '&' } else { '?' };
        let digest = sha256(config.as_bytes());
        let kind = "Content-Type: application/octet-stream\r\n";
        let put = self.request("PUT", &format!("{path}{joint}digest={digest}"), kind, config.as_bytes());
        let (status, said) = connection.ask(&put).unwrap();
        assert_eq!(status, 201, "{}", String::from_utf8_lossy(said));
        let config = json!({"mediaType": CONFIG, "size": config.len(), "digest": digest});
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "layers": [], "config": config});
        manifest.to_string().into_bytes()
    }

    pub fn put(&self, connection: &mut Connection, (repository, tag): (&str, &str), manifest: &[u8]) {
        let path = format!("/v2/{repository}/manifests/{tag}");
        let put = self.request("PUT", &path, &format!("Content-Type: {MANIFEST}\r\n"), manifest);
        let (status, said) = connection.ask(&put).unwrap();
        assert_eq!(status, 201, "{}", String::from_utf8_lossy(said));
    }

    /// One image under many tags, over four connections.
    pub fn tags(&self, repository: &str, tags: &[String]) {
        let manifest = self.image(&mut self.connect(), repository, repository);
        std::thread::scope(|scope| {
            for part in tags.chunks(tags.len().div_ceil(4)) {
                let manifest = &manifest;
                scope.spawn(move || {
                    let mut connection = self.connect();
                    part.iter().for_each(|tag| self.put(&mut connection, (repository, tag), manifest));
                });
            }
        });
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ =
            Command::new("docker").args(["rm", "-f", "-v", &self.container]).stdout(Stdio::null()).status();
    }
}

fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect::<String>())
}

/// As Distribution tells of a pushed tag: one event in an envelope, as long as they are.
pub fn notification(id: &str, repository: &str, tag: &str) -> Value {
    let digest = sha256(id.as_bytes());
    let url = format!("http://registry.local:5000/v2/{repository}/manifests/{digest}");
    json!({"events": [{
        "id": id, "timestamp": "2026-11-20T12:00:00.123456789Z", "action": "push",
        "target": {"mediaType": MANIFEST, "size": 1570, "digest": digest, "length": 1570, "repository": repository,
            "url": url, "tag": tag, "references": [
                {"mediaType": CONFIG, "size": 7023, "digest": digest},
                {"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": 29124842, "digest": digest},
                {"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": 1842, "digest": digest}]},
        "request": {"id": "c3f5a2b1-9d52-4f3c-8a0e-6a7f3f1d9b10", "addr": "172.18.0.1:51234", "host": "registry.local:5000",
            "method": "PUT", "useragent": "docker/20.10.24+dfsg1 go/go1.19.8 git-commit/5d6db84 kernel/6.1.0 os/linux"},
        "actor": {}, "source": {"addr": "0f2e6c1a7b34:5000", "instanceID": "5b6e2b1c-71d0-4b0e-93d6-0d0c4e1c7a55"}}]})
}
