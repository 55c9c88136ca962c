//! `ping`: whether a server answers. It is the health check of the image and runs every few seconds,
//! so it is one connection and one request by hand, without a runtime or an HTTP library.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::Session;
use super::arguments::about;
use super::client::first_url;
use super::exit::Exit;
use super::language::say;
use crate::msg;

#[derive(Debug, Args)]
pub struct Ping {
    #[arg(long, help = about(msg!("cli-flag-ping-url")))]
    url: Option<String>,
    #[arg(long, default_value_t = 5, value_name = "SECONDS", help = about(msg!("cli-flag-ping-timeout")))]
    timeout: u64,
}

pub fn ping(session: &Session, ping: &Ping) -> Result<(), Exit> {
    let url = address(session, ping.url.as_deref())?;
    let limit = Duration::from_secs(ping.timeout.clamp(1, 3600));
    match ask(&url, limit) {
        Ok(200) => {
            if session.json {
                return session.terminal.json(&json!({ "ok": true, "url": url.as_str() }));
            }
            // A health check reads the exit code only, and should not pay for looking up a sentence.
            if session.terminal.is_seen() {
                session.terminal.line(&say(&msg!("cli-ping-ok", url = url)))
            } else {
                Ok(())
            }
        }
        Ok(status) => Err(Exit::failed(msg!("cli-ping-status", url = url, status = status))),
        Err(cause) => Err(Exit::failed(msg!("cli-unreachable", url = url, cause = cause))),
    }
}

/// `--url`; else the port of `ROPEWALK_LISTEN` on this machine, which is what the image's own server
/// hears on; else `ROPEWALK_URL`.
fn address(session: &Session, flag: Option<&str>) -> Result<url::Url, Exit> {
    let port = session.variable("ROPEWALK_LISTEN").and_then(|listen| listen.rsplit_once(':'));
    let own = port.map(|(_, port)| format!("http://127.0.0.1:{port}"));
    let text = match (flag, own, session.variable("ROPEWALK_URL")) {
        (Some(text), _, _) => text.to_owned(),
        (None, Some(own), _) => own,
        (None, None, Some(text)) => first_url(text).to_owned(),
        (None, None, None) => "http://127.0.0.1:3000".to_owned(),
    };
    let refuse = || Exit::usage(msg!("cli-setting-value", name = "url", value = text.escape_debug()));
    let mut url = url::Url::parse(&text).map_err(|_| refuse())?;
    // An https address is answered by a proxy; the server itself speaks http.
    if url.scheme() != "http" || url.host().is_none() {
        return Err(refuse());
    }
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_path(&format!("{}/healthz", url.path().trim_end_matches('/')));
    url.set_query(None);
    Ok(url)
}

/// The status of the answer.
fn ask(url: &url::Url, limit: Duration) -> std::io::Result<u16> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = url.port_or_known_default().unwrap_or(80);
    let mut last = std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, limit) {
            Ok(stream) => return exchange(stream, url, limit),
            Err(cause) => last = cause,
        }
    }
    Err(last)
}

fn exchange(mut stream: TcpStream, url: &url::Url, limit: Duration) -> std::io::Result<u16> {
    stream.set_read_timeout(Some(limit))?;
    stream.set_write_timeout(Some(limit))?;
    let authority = url.authority();
    let request = format!("GET {} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n", url.path());
    stream.write_all(request.as_bytes())?;
    // "HTTP/1.1 200"
    let mut start = [0u8; 12];
    stream.read_exact(&mut start)?;
    let status =
        std::str::from_utf8(&start).ok().and_then(|text| text.strip_prefix("HTTP/1.1 ")?.parse().ok());
    status.ok_or_else(|| std::io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::tests::{session, session_with};

    #[test]
    fn the_own_server_comes_before_the_public_address() {
        let listen = ("ROPEWALK_LISTEN", "0.0.0.0:4000");
        let url = ("ROPEWALK_URL", "http://ci.example/rope/");
        let address =
            |flag, variables: &[(&str, &str)]| address(&session_with(variables), flag).unwrap().to_string();
        assert_eq!(address(None, &[]), "http://127.0.0.1:3000/healthz");
        assert_eq!(address(None, &[url, listen]), "http://127.0.0.1:4000/healthz");
        assert_eq!(address(None, &[url]), "http://ci.example/rope/healthz");
        assert_eq!(address(Some("http://u:p@[::1]:5"), &[url, listen]), "http://[::1]:5/healthz");
        assert_eq!(super::address(&session(), Some("-x")).unwrap_err().number(), 2);
    }

    #[test]
    fn the_status_decides() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            for answer in ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 503 No\r\n\r\n", "nonsense", ""] {
                let (mut stream, _) = listener.accept().unwrap();
                let mut asked = [0u8; 4096];
                let length = stream.read(&mut asked).unwrap();
                assert!(asked[..length].starts_with(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:"));
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        let ping = Ping { url: Some(url), timeout: 30 };
        super::ping(&session(), &ping).unwrap();
        for _ in 0..3 {
            assert_eq!(super::ping(&session(), &ping).unwrap_err().number(), 1);
        }
        server.join().unwrap();
        assert_eq!(super::ping(&session(), &ping).unwrap_err().number(), 1, "nobody there");
    }
}
