//! Pushes: the body streams through us into receive-pack and its answer back. Before git acts the
//! commands are read and a name the house does not take refuses the push; after git acted the report
//! is held back until the caller has recorded the push, and only then the pusher hears of success.
//!
//! It never decides who may push. It finishes what git has begun even when the client goes away.

use std::io;
use std::path::PathBuf;

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{ChildStdin, ChildStdout};

use super::commands::PushHead;
use super::durable::{ObjectFolders, io_error};
use super::exchange::{Input, Line, Output, Piece, exchange};
use super::gate::UpdateGuard;
use super::packet;
use super::program::{Invocation, collect_errors, reap};
use super::push::{Receive, Say};
use super::report::{Answer, Ending, Report};
use super::repositories::Repositories;
use super::serve::CHUNK;
use crate::model::{Message, RepositoryPath, Result};
use crate::msg;

/// How much of a refused push is still read, so that its client gets to see the answer.
const DRAINED: usize = 256 * 1024 * 1024;

impl Repositories {
    /// The body of the answer to `POST git-receive-pack`; `body` is the request's, inflated. Must be
    /// called within a tokio runtime; the stream is to be polled by whoever owns `body`.
    pub fn receive_pack<S>(
        &self,
        path: &RepositoryPath,
        body: S,
        receive: Receive,
    ) -> Result<impl Stream<Item = io::Result<Bytes>> + Unpin + use<S>>
    where
        S: Stream<Item = io::Result<Bytes>> + 'static,
    {
        let directory = self.served(path)?;
        let (line, answer) = exchange(body);
        let Line { input, output } = line;
        let session = Session { repositories: self.clone(), path: path.clone(), directory, output };
        tokio::spawn(session.run(input, receive));
        Ok(answer)
    }

    /// The body of the answer to a push of which nothing is done, for `reason`: git shows no other answer's text.
    pub fn refuse_push<S>(
        &self,
        path: &RepositoryPath,
        body: S,
        (say, reason): (Say, Message),
    ) -> impl Stream<Item = io::Result<Bytes>> + Unpin + use<S>
    where
        S: Stream<Item = io::Result<Bytes>> + 'static,
    {
        let (line, answer) = exchange(body);
        let Line { mut input, output } = line;
        let directory = self.directory(path);
        let session = Session { repositories: self.clone(), path: path.clone(), directory, output };
        tokio::spawn(async move {
            let Some(head) = session.head(&mut input, &say).await else { return };
            input.drain(DRAINED).await;
            session.end_refused(&head, &say(&reason)).await;
        });
        answer
    }
}

/// One push under way.
pub(super) struct Session {
    pub repositories: Repositories,
    pub path: RepositoryPath,
    pub directory: PathBuf,
    output: Output,
}

/// What came out of git.
pub(super) struct Carried {
    pub report: Option<Report>,
    pub fatal: Option<Vec<u8>>,
    pub folders: ObjectFolders,
    /// receive-pack ended without a word of what it did.
    pub died: bool,
    pub _guard: UpdateGuard,
}

impl Session {
    /// The head of the push; `None` when there is none to answer.
    async fn head(&self, input: &mut Input, say: &Say) -> Option<PushHead> {
        let mut head = PushHead::default();
        loop {
            let complete = match input.next().await {
                Piece::Bytes(bytes) => head.feed(&bytes),
                Piece::End => Err(packet::BadPacket),
                Piece::Gone => return None,
            };
            match complete {
                Ok(true) => return Some(head),
                Ok(false) => {}
                Err(packet::BadPacket) => {
                    self.refuse_unread(input, say).await;
                    return None;
                }
            }
        }
    }

    async fn run(self, mut input: Input, receive: Receive) {
        let Some(head) = self.head(&mut input, &receive.say).await else { return };
        if let Some(report) = refusal(&head, &receive.say) {
            input.drain(DRAINED).await;
            let lines = [report.unpack.clone()];
            // A client that wants no report gets the reason as the last thing it hears.
            let fatal = (!head.wants_report()).then(|| lines[0].as_bytes());
            let report = head.wants_report().then_some(&report);
            self.end(&Ending { side_band: head.side_band(), lines: &[], report, fatal }).await;
        } else if !head.commands.is_empty() {
            self.push(input, head, receive).await;
        }
        // No command at all is the client's probe before a large body: an empty answer.
    }

    async fn push(self, input: Input, head: PushHead, receive: Receive) {
        let Receive { protocol, pusher, max_bytes, say, settle } = receive;
        let mut call = Invocation::new("receive-pack", &self.directory).option("--stateless-rpc");
        call = call.protocol(protocol).committer(pusher.as_str());
        if let Some(bytes) = max_bytes {
            call = call.setting("receive.maxInputSize", bytes.to_string());
        }
        match self.carry_out(call.data(&self.directory), input, &head).await {
            Ok(carried) => self.conclude(carried, head, &say, settle).await,
            Err(cause) => {
                tracing::error!(repository = %self.path, %cause, "push");
                let reason = match cause.message() {
                    Some(message) => say(message),
                    None => say(&msg!("git-push-failed")),
                };
                self.end_refused(&head, &reason).await;
            }
        }
    }

    /// Runs receive-pack on the push; returns under the update lock, when git has ended.
    async fn carry_out(&self, call: Invocation, mut input: Input, head: &PushHead) -> Result<Carried> {
        self.repositories.cleaned().await;
        let receiving = self.repositories.gate(&self.path).enter();
        let folders = ObjectFolders::look(&self.directory).map_err(|e| io_error("look at objects", &e))?;
        let mut child = call.spawn_fed()?;
        let errors = collect_errors(child.stderr.take());
        let mut answer = Answer::new(head.side_band());
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let (guard, understood) =
            tokio::join!(self.feed(&mut input, stdin, head), self.listen(stdout, &mut answer));
        let status = reap(&mut child).await;
        let report = answer.report();
        let success = understood && status.is_some_and(|status| status.success());
        if !success {
            let errors = packet::plain_line(&errors.await.unwrap_or_default());
            tracing::warn!(repository = %self.path, ?status, %errors, "git receive-pack");
            receiving.note_leftovers();
        }
        if receiving.may_clear() {
            super::clean::clear_quarantines(&self.directory).await;
        }
        let _guard = match guard {
            Some(guard) => guard,
            None => self.repositories.lock_updates(&self.path).await,
        };
        Ok(Carried { died: !success && report.is_none(), report, fatal: answer.fatal, folders, _guard })
    }

    /// Forwards the body one piece late: git cannot act before its last byte, and before that goes
    /// out we hold the lock. `None` when the body broke off.
    async fn feed(
        &self,
        input: &mut Input,
        stdin: Option<ChildStdin>,
        head: &PushHead,
    ) -> Option<UpdateGuard> {
        let mut stdin = stdin?;
        let mut held = Bytes::from(head.bytes.clone());
        loop {
            match input.next().await {
                // Nothing belongs after the head of a push that only deletes.
                Piece::Bytes(_) if !head.brings_pack() => {}
                Piece::Bytes(bytes) => {
                    let late = std::mem::replace(&mut held, bytes);
                    if stdin.write_all(&late).await.is_err() {
                        // git has ended already and said why.
                        drop(stdin);
                        input.drain(DRAINED).await;
                        return None;
                    }
                }
                Piece::End => break,
                Piece::Gone => return None,
            }
        }
        let guard = self.repositories.lock_updates(&self.path).await;
        let _ = stdin.write_all(&held).await;
        Some(guard)
    }

    /// Reads git's answer to its end and passes messages on. `false` when it is not understood.
    async fn listen(&self, stdout: Option<ChildStdout>, answer: &mut Answer) -> bool {
        let Some(mut stdout) = stdout else { return false };
        let mut understood = true;
        let mut connected = true;
        loop {
            let mut buffer = BytesMut::with_capacity(CHUNK);
            match stdout.read_buf(&mut buffer).await {
                Ok(1..) => {}
                _ => return understood,
            }
            match answer.feed(&buffer) {
                Ok(now) if now.is_empty() || !connected => {}
                Ok(now) => connected = self.output.send(now).await,
                Err(packet::BadPacket) => understood = false,
            }
        }
    }

    pub async fn end(&self, ending: &Ending<'_>) {
        let bytes = ending.bytes();
        if !bytes.is_empty() {
            self.output.send(bytes).await;
        }
    }

    /// Ends a push of which nothing was done.
    async fn end_refused(&self, head: &PushHead, reason: &str) {
        let mut report = Report::new(reason);
        head.commands.iter().for_each(|command| report.refuse(&command.sent_name, reason));
        let fatal = (!head.wants_report()).then_some(reason.as_bytes());
        let report = head.wants_report().then_some(&report);
        self.end(&Ending { side_band: head.side_band(), lines: &[], report, fatal }).await;
    }

    async fn refuse_unread(&self, input: &mut Input, say: &Say) {
        input.drain(DRAINED).await;
        let mut bytes = Vec::new();
        let text = packet::plain_line(&say(&msg!("git-push-unreadable")));
        packet::put(&mut bytes, format!("ERR {text}").as_bytes());
        self.output.send(bytes).await;
    }
}

/// Why the push is refused before git sees it, as the report its client prints.
fn refusal(head: &PushHead, say: &Say) -> Option<Report> {
    if head.signed {
        return Some(Report::new(&say(&msg!("git-push-signed"))));
    }
    if head.commands.iter().all(|command| command.name.is_some()) {
        return None;
    }
    let mut report = Report::new("ok");
    for command in &head.commands {
        let reason = match command.name {
            Some(_) => say(&msg!("git-push-refused-with")),
            None => say(&msg!("git-push-ref-refused")),
        };
        report.refuse(&packet::plain_line(&command.sent_name), &reason);
    }
    Some(report)
}
