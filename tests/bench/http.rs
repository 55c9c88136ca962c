//! As little HTTP as can measure: one connection, one request after another, and many such at once.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::measure::timed;

pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    head: usize,
}

impl Connection {
    pub fn open(port: u16) -> io::Result<Self> {
        Self::to(&format!("127.0.0.1:{port}"))
    }

    pub fn to(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Connection { stream, buffer: Vec::with_capacity(256 * 1024), head: 0 })
    }

    /// Sends the request as it is; the answer's status, and its body until the next call.
    pub fn ask(&mut self, request: &[u8]) -> io::Result<(u16, &[u8])> {
        self.stream.write_all(request)?;
        self.buffer.clear();
        let head = loop {
            self.more()?;
            if let Some(at) = self.buffer.windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
        };
        let text = String::from_utf8_lossy(&self.buffer[..head]).to_ascii_lowercase();
        let status = text.split(' ').nth(1).and_then(|n| n.parse().ok()).unwrap_or(0);
        let header = |name: &str| text.lines().find_map(|l| l.strip_prefix(name)).map(str::trim);
        let length = header("content-length:").and_then(|n| n.parse::<usize>().ok());
        let has_body = !request.starts_with(b"HEAD ");
        if let Some(length) = length.filter(|_| has_body) {
            while self.buffer.len() < head + length {
                self.more()?;
            }
        } else if has_body && header("transfer-encoding:").is_some() {
            while !self.buffer.ends_with(b"0\r\n\r\n") {
                self.more()?;
            }
        }
        self.head = head;
        Ok((status, &self.buffer[head..]))
    }

    /// Of the last answer of `ask`; `name` in small letters.
    pub fn header(&self, name: &str) -> Option<String> {
        let text = String::from_utf8_lossy(&self.buffer[..self.head]);
        let of = |line: &str| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        };
        text.lines().find_map(of)
    }

    /// As `ask`, for an answer without a body, at the least cost for who asks; the status.
    pub fn ask_bare(&mut self, request: &[u8]) -> io::Result<u16> {
        self.stream.write_all(request)?;
        let mut piece = [0; 4096];
        let mut read = 0;
        while read < 4 || piece[read - 4..read] != *b"\r\n\r\n" {
            match self.stream.read(&mut piece[read..])? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                more => read += more,
            }
        }
        let digits = std::str::from_utf8(&piece[9..12]).ok().and_then(|text| text.parse().ok());
        digits.ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    fn more(&mut self) -> io::Result<()> {
        let mut piece = [0; 64 * 1024];
        match self.stream.read(&mut piece)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                self.buffer.extend_from_slice(&piece[..read]);
                Ok(())
            }
        }
    }
}

/// A GET with `more` header lines, each ending in CRLF.
pub fn get(path: &str, more: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\n{more}\r\n").into_bytes()
}

/// What came of many connections asking for the same: seconds of each answer, and answers a second.
pub struct Load {
    pub taken: Vec<f64>,
    pub rate: f64,
}

/// `connections` ask again and again for `length`; the first fifth of it warms up and does not count.
pub fn load(port: u16, request: &[u8], connections: usize, length: Duration) -> Load {
    let begun = Instant::now();
    let (counts, ends) = (begun + length / 5, begun + length);
    let one = || {
        let mut connection = Connection::open(port).unwrap();
        let mut taken = Vec::new();
        while Instant::now() < ends {
            let ((status, length), seconds) = timed(|| {
                let (status, body) = connection.ask(request).unwrap();
                (status, body.len())
            });
            assert!(status == 200 && length > 0, "HTTP {status}");
            if Instant::now() >= counts {
                taken.push(seconds);
            }
        }
        taken
    };
    let taken: Vec<f64> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..connections).map(|_| scope.spawn(one)).collect();
        all.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let rate = taken.len() as f64 / (length * 4 / 5).as_secs_f64();
    Load { taken, rate }
}
