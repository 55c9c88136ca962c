//! Something that listens where a registry should be, and answers as it is told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What to do with a request.
pub enum Reply {
    /// These bytes, then the end of the connection.
    Bytes(Vec<u8>),
    /// The same, after a while.
    Late(Duration, Vec<u8>),
    /// Nothing, for ever.
    Silence,
}

impl Reply {
    /// An answer that says its right length.
    pub fn http(status: &str, headers: &str, body: &[u8]) -> Reply {
        let head = format!(
            "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        Reply::Bytes([head.as_bytes(), body].concat())
    }
}

pub struct StandIn {
    pub host: String,
    /// `METHOD /path` of every request so far.
    pub asked: Arc<Mutex<Vec<String>>>,
    /// The whole head of each.
    pub heads: Arc<Mutex<Vec<String>>>,
    _serving: JoinSet<()>,
}

impl StandIn {
    /// `reply` is told the request line's method and path, and how often it was asked the same before.
    pub async fn start(reply: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> StandIn {
        let of_head = move |head: &str, before| {
            let first = head.lines().next().unwrap_or_default();
            reply(first.rsplit_once(' ').unwrap().0, before)
        };
        Self::heeding(of_head, "127.0.0.1").await
    }

    /// `reply` is told the whole head of the request; it listens at `address`.
    pub async fn heeding(
        reply: impl Fn(&str, usize) -> Reply + Send + Sync + 'static,
        address: &str,
    ) -> StandIn {
        let listener = TcpListener::bind((address, 0)).await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::<String>::new()));
        let heads = Arc::new(Mutex::new(Vec::<String>::new()));
        let (known, reply) = ((asked.clone(), heads.clone()), Arc::new(reply));
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(answer(stream, known.clone(), reply.clone()));
            }
        });
        StandIn { host, asked, heads, _serving: serving }
    }

    pub fn times(&self, request: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == request).count()
    }
}

async fn answer<F: Fn(&str, usize) -> Reply>(
    stream: TcpStream,
    (known, heads): (Arc<Mutex<Vec<String>>>, Arc<Mutex<Vec<String>>>),
    reply: Arc<F>,
) {
    let mut stream = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        match stream.read_line(&mut line).await {
            Ok(1..) if !line.trim().is_empty() => lines.push(line),
            _ => break,
        }
    }
    let Some(first) = lines.first() else { return };
    let request = first.rsplit_once(' ').unwrap().0.to_owned();
    let before = {
        let mut known = known.lock().unwrap();
        known.push(request.clone());
        known.iter().filter(|asked| **asked == request).count() - 1
    };
    let head = lines.concat();
    heads.lock().unwrap().push(head.clone());
    let reply = match reply(&head, before) {
        Reply::Late(wait, bytes) => {
            tokio::time::sleep(wait).await;
            Reply::Bytes(bytes)
        }
        other => other,
    };
    match reply {
        Reply::Late(..) => {}
        Reply::Bytes(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Reply::Silence => std::future::pending().await,
    }
}
