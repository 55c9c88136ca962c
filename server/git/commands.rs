//! The head of a push: what receive-pack is asked to do, read from the bytes on their way to git so
//! that a push can be refused before git acts. Pure; it keeps to the reading of git's own parser, so
//! that both see the same commands.

use crate::model::{CommitId, RefName};

use super::packet::{self, BadPacket, Packet};

/// Far beyond real pushes (a mirror of 100,000 refs is about 15 MB).
const LONGEST_HEAD: usize = 32 * 1024 * 1024;
const MOST_COMMANDS: usize = 200_000;
const MOST_OPTIONS: usize = 1000;

/// `old new name` of one ref; all zeros are `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    pub old: Option<CommitId>,
    pub new: Option<CommitId>,
    /// As sent, for the answer.
    pub sent_name: String,
    /// `None` when the house does not take the name.
    pub name: Option<RefName>,
}

/// Reads the head piece by piece; see [`PushHead::feed`].
#[derive(Debug, Default)]
pub(super) struct PushHead {
    pub commands: Vec<Command>,
    pub options: Vec<String>,
    capabilities: Vec<String>,
    /// The push is signed, which was not offered: what is in the certificate is not read.
    pub signed: bool,
    /// Everything received so far, head and beginning of the pack.
    pub bytes: Vec<u8>,
    at: usize,
    part: Part,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Commands,
    Options,
    Complete,
}

impl PushHead {
    /// Takes more of the body; `true` when the head is complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<bool, BadPacket> {
        self.bytes.extend_from_slice(bytes);
        while self.part != Part::Complete {
            let rest = std::mem::take(&mut self.bytes);
            let read = self.packet(rest.get(self.at..).unwrap_or_default());
            self.bytes = rest;
            match read? {
                Some(length) => self.at += length,
                None if self.bytes.len() > LONGEST_HEAD => return Err(BadPacket),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Whether the client reads messages and the report on side bands.
    pub fn side_band(&self) -> bool {
        self.has("side-band-64k")
    }

    /// Whether the client wants to know what became of each ref.
    pub fn wants_report(&self) -> bool {
        self.has("report-status") || self.has("report-status-v2")
    }

    /// Whether a pack follows the head; a push that only deletes has none.
    pub fn brings_pack(&self) -> bool {
        self.commands.iter().any(|command| command.new.is_some())
    }

    fn has(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|found| found == capability)
    }

    fn packet(&mut self, bytes: &[u8]) -> Result<Option<usize>, BadPacket> {
        let Some((packet, length)) = packet::first(bytes)? else { return Ok(None) };
        match (&self.part, packet) {
            (_, Packet::Special) => return Err(BadPacket),
            (Part::Commands, Packet::Flush) => {
                let more = self.has("push-options") && !self.commands.is_empty();
                self.part = if more { Part::Options } else { Part::Complete };
            }
            (_, Packet::Flush) => self.part = Part::Complete,
            (Part::Options, Packet::Data(line)) => {
                if self.options.len() >= MOST_OPTIONS {
                    return Err(BadPacket);
                }
                self.options.push(packet::plain_line(&String::from_utf8_lossy(chomp(line))));
            }
            (_, Packet::Data(line)) => self.line(chomp(line))?,
        }
        Ok(Some(length))
    }

    fn line(&mut self, line: &[u8]) -> Result<(), BadPacket> {
        let (text, capabilities) = match memchr::memchr(0, line) {
            Some(end) => (&line[..end], line.get(end + 1..).unwrap_or_default()),
            None => (line, &[][..]),
        };
        self.capabilities.extend(String::from_utf8_lossy(capabilities).split_whitespace().map(str::to_owned));
        if text.starts_with(b"shallow ") {
            return Ok(());
        }
        if text == b"push-cert" {
            self.signed = true;
            // Its lines are read by nobody: the push is refused and the body drained.
            self.part = Part::Complete;
            return Ok(());
        }
        if self.commands.len() >= MOST_COMMANDS {
            return Err(BadPacket);
        }
        self.commands.push(command(text).ok_or(BadPacket)?);
        Ok(())
    }
}

fn chomp(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

fn command(text: &[u8]) -> Option<Command> {
    let (old, rest) = id(text)?;
    let (new, name) = id(rest)?;
    let name = match std::str::from_utf8(name) {
        Ok(name) => (name.to_owned(), RefName::new(name).ok()),
        Err(_) => (String::from_utf8_lossy(name).into_owned(), None),
    };
    Some(Command { old, new, sent_name: name.0, name: name.1 })
}

/// Forty hex digits and a space; zeros are `None`.
fn id(text: &[u8]) -> Option<(Option<CommitId>, &[u8])> {
    let (digits, rest) = text.split_at_checked(40)?;
    let rest = rest.strip_prefix(b" ")?;
    let id = CommitId::new(std::str::from_utf8(digits).ok()?.to_ascii_lowercase()).ok()?;
    let zero = id.as_str().bytes().all(|digit| digit == b'0');
    Some(((!zero).then_some(id), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ZERO: &str = "0000000000000000000000000000000000000000";
    const ONE: &str = "1111111111111111111111111111111111111111";

    fn head(lines: &[&str], after: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        lines.iter().for_each(|line| packet::put(&mut bytes, line.as_bytes()));
        bytes.extend_from_slice(packet::FLUSH);
        bytes.extend_from_slice(after.as_bytes());
        bytes
    }

    #[test]
    fn reads_commands_options_and_shallow_lines() {
        let mut bytes = head(
            &[
                &format!("shallow {ONE}\n"),
                &format!("{ZERO} {ONE} refs/heads/main\0 report-status side-band-64k push-options agent=x\n"),
                &format!("{ONE} {ZERO} refs/heads/$(id)"),
            ],
            "",
        );
        packet::put(&mut bytes, b"ci.skip\n");
        bytes.extend_from_slice(b"0000PACK");
        for piece in [1, 3, 1000] {
            let mut head = PushHead::default();
            let done: Vec<bool> = bytes.chunks(piece).map(|chunk| head.feed(chunk).unwrap()).collect();
            assert!(done.last().unwrap());
            assert_eq!(head.commands.len(), 2);
            assert_eq!(head.commands[0].name.as_ref().unwrap().as_str(), "refs/heads/main");
            assert_eq!((&head.commands[0].old, head.commands[0].new.is_some()), (&None, true));
            assert_eq!(
                (&head.commands[1].name, head.commands[1].sent_name.as_str()),
                (&None, "refs/heads/$(id)")
            );
            assert_eq!(head.options, ["ci.skip"]);
            assert!(head.side_band() && head.wants_report() && head.brings_pack());
            assert_eq!(head.bytes, bytes);
        }
    }

    #[test]
    fn probes_and_certificates() {
        let mut probe = PushHead::default();
        assert!(probe.feed(b"0000").unwrap());
        assert!(probe.commands.is_empty());
        let mut signed = PushHead::default();
        let lines =
            ["push-cert\0report-status side-band-64k\n", "certificate version 0.1\n", "push-cert-end\n"];
        assert!(signed.feed(&head(&lines, "")).unwrap());
        assert!(signed.signed && signed.side_band());
        assert!(PushHead::default().feed(b"0009hello").is_err());
        assert!(PushHead::default().feed(b"GET / HTTP/1.1").is_err());
    }

    proptest! {
        #[test]
        fn never_panics(lines in proptest::collection::vec("\\PC{0,90}", 0..5), tail in proptest::collection::vec(any::<u8>(), 0..60)) {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let mut bytes = head(&lines, "");
            bytes.extend(&tail);
            let _ = PushHead::default().feed(&bytes);
            let _ = PushHead::default().feed(&tail);
        }
    }
}
