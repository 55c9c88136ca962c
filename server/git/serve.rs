//! Fetches over smart HTTP: the advertisement of refs and `upload-pack`, streamed both ways between
//! the client and the git program. It never buffers a pack and never outlives its client.

use std::io;
use std::path::Path;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _, stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, ChildStdout};

use super::exchange::{Input, Line, Output, Piece, exchange};
use super::packet;
use super::program::{Invocation, Protocol, collect_errors, reap};
use super::repositories::Repositories;
use crate::model::{Error, RepositoryPath, Result};

/// How much of a child's output travels at once.
pub(super) const CHUNK: usize = 64 * 1024;

/// The two services of smart HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    UploadPack,
    ReceivePack,
}

impl Service {
    /// From the last part of an address or a `service=` argument: `git-upload-pack` or `git-receive-pack`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "git-upload-pack" => Some(Service::UploadPack),
            "git-receive-pack" => Some(Service::ReceivePack),
            _ => None,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Service::UploadPack => "git-upload-pack",
            Service::ReceivePack => "git-receive-pack",
        }
    }

    const fn subcommand(self) -> &'static str {
        match self {
            Service::UploadPack => "upload-pack",
            Service::ReceivePack => "receive-pack",
        }
    }
}

impl Repositories {
    /// The body of `GET info/refs?service=...`, content type `application/x-{service}-advertisement`.
    /// In protocol v2 it is the same for every repository and needs no process after the first time.
    pub async fn advertise(
        &self,
        path: &RepositoryPath,
        service: Service,
        protocol: Option<Protocol>,
    ) -> Result<impl Stream<Item = io::Result<Bytes>> + Unpin + use<>> {
        let directory = self.served(path)?;
        if service == Service::UploadPack && protocol == Some(Protocol::V2) {
            let ask = || capabilities_of_v2(&directory);
            let bytes = self.capabilities().get_or_try_init(ask).await?.clone();
            return Ok(stream::once(std::future::ready(Ok(bytes))).left_stream());
        }
        let call = advertisement(service, &directory).protocol(protocol);
        let (line, answer) = exchange(stream::empty());
        let child = call.spawn_fed()?;
        let mut head = Vec::new();
        packet::put(&mut head, format!("# service={}\n", service.name()).as_bytes());
        head.extend_from_slice(packet::FLUSH);
        tokio::spawn(async move {
            if line.output.send(head).await {
                converse(child, line).await;
            }
        });
        Ok(answer.right_stream())
    }

    /// The body of the answer to `POST git-upload-pack`; `body` is the request's, inflated. Must be
    /// called within a tokio runtime; the stream is to be polled by whoever owns `body`.
    pub fn upload_pack<S>(
        &self,
        path: &RepositoryPath,
        protocol: Option<Protocol>,
        body: S,
    ) -> Result<impl Stream<Item = io::Result<Bytes>> + Unpin + use<S>>
    where
        S: Stream<Item = io::Result<Bytes>> + 'static,
    {
        let directory = self.served(path)?;
        let call = Invocation::new("upload-pack", &directory).option("--stateless-rpc").option("--strict");
        let child = call.data(&directory).protocol(protocol).spawn_fed()?;
        let (line, answer) = exchange(body);
        tokio::spawn(converse(child, line));
        Ok(answer)
    }
}

fn advertisement(service: Service, directory: &Path) -> Invocation {
    let call = Invocation::new(service.subcommand(), directory).option("--stateless-rpc");
    let call = if service == Service::UploadPack { call.option("--strict") } else { call };
    call.option("--http-backend-info-refs").data(directory)
}

async fn capabilities_of_v2(directory: &Path) -> Result<Bytes> {
    let call = advertisement(Service::UploadPack, directory).protocol(Some(Protocol::V2));
    let output = call.command().output().await.map_err(|e| Error::internal("git upload-pack", e))?;
    if output.status.success() && output.stdout.starts_with(b"000eversion 2\n") {
        return Ok(output.stdout.into());
    }
    Err(Error::internal("git upload-pack", String::from_utf8_lossy(&output.stderr)))
}

/// Feeds the child and passes its output on until it is done or the client is gone.
async fn converse(mut child: Child, line: Line) {
    let errors = collect_errors(child.stderr.take());
    let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else { return };
    let Line { input, output } = line;
    let fed = async {
        feed(input, stdin).await;
        std::future::pending::<()>().await;
    };
    // The output decides: a child that has said everything need not read everything. When the client
    // is gone the pipes close, and git ends itself and its pack-objects at the next write.
    let mut sent = 0;
    tokio::select! {
        () = pass_on(stdout, &output, &mut sent) => {}
        () = fed => {}
        () = output.closed() => {}
    }
    let status = reap(&mut child).await;
    if !status.is_some_and(|status| status.success()) {
        let text = errors.await.unwrap_or_default();
        tracing::debug!(?status, errors = %packet::plain_line(&text), "git upload-pack");
        if sent == 0 {
            // What git said before it failed is for the client; nothing at all must not look like an answer.
            output.fail("git did not finish".into()).await;
        }
    }
}

async fn feed(mut input: Input, mut stdin: ChildStdin) {
    while let Piece::Bytes(bytes) = input.next().await {
        if stdin.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

async fn pass_on(mut stdout: ChildStdout, output: &Output, sent: &mut u64) {
    loop {
        let mut buffer = BytesMut::with_capacity(CHUNK);
        match stdout.read_buf(&mut buffer).await {
            Ok(read @ 1..) if output.send(buffer.freeze()).await => *sent += read as u64,
            _ => return,
        }
    }
}
