//! The answer of a push: what git reports for each ref, taken apart so that it can be held back, and
//! changed, until the push is recorded; and put together again in the form the client asked for.
//! Pure.

use std::collections::HashSet;

use super::packet::{self, BadPacket, Packet};

/// A report of 200,000 refs with reasons stays far below.
const LONGEST: usize = 64 * 1024 * 1024;

/// Takes git's output apart as it comes: the report is kept, everything else may go out at once.
#[derive(Debug)]
pub(super) struct Answer {
    side_band: bool,
    pending: Vec<u8>,
    /// The report's own packets, out of their side band.
    report: Vec<u8>,
    /// Band 3, if git ended with one.
    pub fatal: Option<Vec<u8>>,
}

impl Answer {
    pub fn new(side_band: bool) -> Self {
        Answer { side_band, pending: Vec::new(), report: Vec::new(), fatal: None }
    }

    /// Takes more of git's output and returns what the client should have now: messages and
    /// keep-alives.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Vec<u8>, BadPacket> {
        if self.report.len() + bytes.len() > LONGEST {
            return Err(BadPacket);
        }
        if !self.side_band {
            self.report.extend_from_slice(bytes);
            return Ok(Vec::new());
        }
        self.pending.extend_from_slice(bytes);
        let (mut now, mut at) = (Vec::new(), 0);
        while let Some((packet, length)) = packet::first(self.pending.get(at..).unwrap_or_default())? {
            match packet {
                Packet::Flush => {}
                Packet::Special => return Err(BadPacket),
                // A keep-alive is data without a byte.
                Packet::Data([1]) | Packet::Data([2, ..]) => {
                    now.extend_from_slice(&self.pending[at..at + length]);
                }
                Packet::Data([1, report @ ..]) => self.report.extend_from_slice(report),
                Packet::Data([3, text @ ..]) => self.fatal = Some(text.to_vec()),
                Packet::Data(_) => return Err(BadPacket),
            }
            at += length;
        }
        self.pending.drain(..at);
        Ok(now)
    }

    pub fn report(&self) -> Option<Report> {
        Report::parse(&self.report)
    }
}

/// What became of a push, in git's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Report {
    /// `ok` or the reason why nothing could be unpacked.
    pub unpack: String,
    /// `ok NAME`, `ng NAME REASON`, and `option ...` lines after an `ok`, as git wrote them.
    lines: Vec<Vec<u8>>,
}

impl Report {
    pub fn new(unpack: &str) -> Self {
        Report { unpack: packet::plain_line(unpack), lines: Vec::new() }
    }

    pub fn ok(&mut self, name: &str) {
        self.lines.push(format!("ok {name}").into_bytes());
    }

    pub fn refuse(&mut self, name: &str, reason: &str) {
        self.lines.push(format!("ng {name} {}", packet::plain_line(reason)).into_bytes());
    }

    /// `None` when it does not begin as a report or is cut off.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (mut rest, mut lines) = (bytes, Vec::new());
        loop {
            let (packet, length) = packet::first(rest).ok()??;
            match packet {
                Packet::Data(line) => lines.push(line.strip_suffix(b"\n").unwrap_or(line).to_vec()),
                Packet::Flush => break,
                Packet::Special => return None,
            }
            rest = rest.get(length..)?;
        }
        let first = String::from_utf8(lines.first()?.clone()).ok()?;
        let unpack = first.strip_prefix("unpack ")?.to_owned();
        lines.remove(0);
        Some(Report { unpack, lines })
    }

    /// Names of the refs that moved.
    pub fn moved(&self) -> HashSet<&[u8]> {
        self.lines.iter().filter_map(|line| line.strip_prefix(b"ok ")).collect()
    }

    /// Every `ok` becomes `ng` with `reason`; what git refused keeps git's reason.
    pub fn withdraw(&mut self, reason: &str) {
        self.lines.retain(|line| !line.starts_with(b"option "));
        for line in &mut self.lines {
            if let Some(name) = line.strip_prefix(b"ok ") {
                let name = name.to_vec();
                *line = [b"ng ", &name[..], b" ", packet::plain_line(reason).as_bytes()].concat();
            }
        }
    }

    /// The report as packets, with its flush.
    fn packets(&self) -> Vec<u8> {
        let mut out = Vec::new();
        packet::put(&mut out, format!("unpack {}\n", self.unpack).as_bytes());
        for line in &self.lines {
            packet::put(&mut out, &[&line[..], b"\n"].concat());
        }
        out.extend_from_slice(packet::FLUSH);
        out
    }
}

/// The end of an answer: lines for the pusher's terminal, the report, the last flush.
pub(super) struct Ending<'a> {
    pub side_band: bool,
    pub lines: &'a [String],
    pub report: Option<&'a Report>,
    pub fatal: Option<&'a [u8]>,
}

impl Ending<'_> {
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.side_band {
            out.extend(self.report.map(Report::packets).unwrap_or_default());
            return out;
        }
        for line in self.lines {
            packet::put_band(&mut out, 2, format!("{}\n", packet::plain_line(line)).as_bytes());
        }
        if let Some(report) = self.report {
            packet::put_band(&mut out, 1, &report.packets());
        }
        if let Some(text) = self.fatal {
            packet::put_band(&mut out, 3, text);
        }
        out.extend_from_slice(packet::FLUSH);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn held_back_changed_and_put_together() {
        let mut report = Report::new("ok");
        report.ok("refs/heads/a");
        report.refuse("refs/heads/b", "because\nof this");
        let lines = ["run 1".to_owned()];
        let ending = Ending { side_band: true, lines: &lines, report: Some(&report), fatal: None };
        let mut answer = Answer::new(true);
        let mut now = Vec::new();
        for piece in ending.bytes().chunks(3) {
            now.extend(answer.feed(piece).unwrap());
        }
        assert_eq!(now, b"000b\x02run 1\n");
        let mut parsed = answer.report().unwrap();
        assert_eq!(parsed, report);
        assert_eq!(parsed.moved(), HashSet::from([&b"refs/heads/a"[..]]));
        parsed.withdraw("not recorded");
        assert!(parsed.moved().is_empty());
        let text = String::from_utf8(parsed.packets()).unwrap();
        assert!(
            text.contains("ng refs/heads/a not recorded\n")
                && text.contains("ng refs/heads/b because of this\n")
        );
    }

    #[test]
    fn a_cut_report_is_none() {
        let mut answer = Answer::new(false);
        answer.feed(b"000eunpack ok\n0017ok refs/heads/main\n").unwrap();
        assert_eq!(answer.report(), None);
        answer.feed(b"0000").unwrap();
        assert!(answer.report().unwrap().moved().contains(&b"refs/heads/main"[..]));
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..120), band in any::<bool>()) {
            let mut answer = Answer::new(band);
            let _ = answer.feed(&bytes);
            let _ = answer.report();
        }
    }
}
