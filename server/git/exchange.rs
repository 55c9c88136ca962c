//! The two ends of a conversation over HTTP: the door gets one stream that, while it is polled,
//! takes in the request's body and gives out the answer; a task of its own holds the child process.
//!
//! The answer begins when the body has ended. An HTTP/1.1 proxy that is still sending the request takes an answer's
//! head for the end of it: it stops sending, and both sides wait until one gives up.
//!
//! The body may be `!Send` (actix's is): it is only polled inside the returned stream, on the door's
//! thread. Everything behind the channels is spawned with `tokio::spawn` and works on any runtime.
//! When the door drops the stream, the task sees it and ends in an orderly way, or finishes what
//! must not be left half done.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use tokio::sync::mpsc;

/// How long a client may stay silent, or refuse to read, in the middle of a conversation.
const PATIENCE: Duration = Duration::from_secs(180);

/// Pieces in flight each way; a piece is at most about 64 KiB.
const IN_FLIGHT: usize = 8;

/// So much of an answer is held back while the body is still coming, in bytes: progress of a large push is far less.
/// What is more goes out at once, since nothing is kept without a limit.
const MOST_HELD: usize = 1024 * 1024;

pub(super) enum Piece {
    Bytes(Bytes),
    /// The body ended as it should.
    End,
    /// The client went away, or stayed silent too long.
    Gone,
}

/// The task's end.
pub(super) struct Line {
    pub input: Input,
    pub output: Output,
}

pub(super) struct Input(mpsc::Receiver<Piece>);

#[derive(Clone)]
pub(super) struct Output(mpsc::Sender<io::Result<Bytes>>);

impl Input {
    pub async fn next(&mut self) -> Piece {
        match tokio::time::timeout(PATIENCE, self.0.recv()).await {
            Ok(Some(piece)) => piece,
            Ok(None) | Err(_) => Piece::Gone,
        }
    }

    /// Reads and forgets up to `bytes`, so that a client that is still sending gets to read the answer.
    pub async fn drain(&mut self, bytes: usize) {
        let mut left = bytes;
        while let Piece::Bytes(piece) = self.next().await {
            match left.checked_sub(piece.len()) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    }
}

impl Output {
    /// `false` when the client is gone.
    pub async fn send(&self, bytes: impl Into<Bytes>) -> bool {
        self.0.send_timeout(Ok(bytes.into()), PATIENCE).await.is_ok()
    }

    /// Returns when the client is gone.
    pub async fn closed(&self) {
        self.0.closed().await;
    }

    /// Breaks the answer off, so that the client cannot take what it has for the whole.
    pub async fn fail(&self, cause: String) {
        let _ = self.0.send_timeout(Err(io::Error::other(cause)), PATIENCE).await;
    }
}

/// Both ends, joined.
pub(super) fn exchange<S>(body: S) -> (Line, impl Stream<Item = io::Result<Bytes>> + Unpin + use<S>)
where
    S: Stream<Item = io::Result<Bytes>> + 'static,
{
    let (to_task, input) = mpsc::channel(IN_FLIGHT);
    let (output, answer) = mpsc::channel(IN_FLIGHT);
    let pump: Pump = Box::pin(forward(body, to_task));
    let mut joined = Joined { pump: Some(pump), answer, held: VecDeque::new(), bytes: 0 };
    let joined = stream::poll_fn(move |context| joined.poll(context));
    (Line { input: Input(input), output: Output(output) }, joined)
}

type Pump = Pin<Box<dyn Future<Output = ()>>>;

/// The door's end.
struct Joined {
    /// `None` once the body has ended, or nobody wants more of it.
    pump: Option<Pump>,
    answer: mpsc::Receiver<io::Result<Bytes>>,
    held: VecDeque<io::Result<Bytes>>,
    bytes: usize,
}

impl Joined {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if let Some(running) = self.pump.as_mut()
            && let Poll::Ready(()) = running.as_mut().poll(context)
        {
            self.pump = None;
        }
        // Taken in even while it is held back: git stops reading while nobody takes what it says.
        while self.pump.is_some() && self.bytes < MOST_HELD {
            match self.answer.poll_recv(context) {
                Poll::Ready(Some(piece)) => {
                    self.bytes += piece.as_ref().map_or(0, Bytes::len);
                    self.held.push_back(piece);
                }
                // The task is over and will read nothing more.
                Poll::Ready(None) => break,
                Poll::Pending => return Poll::Pending,
            }
        }
        match self.held.pop_front() {
            Some(piece) => Poll::Ready(Some(piece)),
            None => self.answer.poll_recv(context),
        }
    }
}

async fn forward<S: Stream<Item = io::Result<Bytes>>>(body: S, to_task: mpsc::Sender<Piece>) {
    let mut body = std::pin::pin!(body);
    while let Some(chunk) = body.next().await {
        let Ok(bytes) = chunk else { return };
        if !bytes.is_empty() && to_task.send(Piece::Bytes(bytes)).await.is_err() {
            return;
        }
    }
    let _ = to_task.send(Piece::End).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_that_breaks_off_is_not_an_end() {
        let body = stream::iter([Ok(Bytes::from("a")), Err(io::Error::other("reset"))]);
        let (mut line, mut answer) = exchange(body);
        let task = tokio::spawn(async move {
            assert!(matches!(line.input.next().await, Piece::Bytes(_)));
            assert!(matches!(line.input.next().await, Piece::Gone));
            line.output.send("b").await
        });
        assert_eq!(answer.next().await.unwrap().unwrap(), "b");
        assert!(answer.next().await.is_none());
        assert!(task.await.unwrap());
    }
}
