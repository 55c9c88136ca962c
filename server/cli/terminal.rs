//! The only file that writes to the terminal. What comes from a server, a repository or a log cannot
//! speak to the terminal itself: control characters are taken out (CVE-2025-64494 was that), and of
//! a log's escape sequences only colours are left, and those only where a person looks.

use std::io::{self, IsTerminal as _, Write};

use super::exit::{Exit, Said};
use super::language::say;
use crate::model::is_invisible;
use crate::msg;

/// Characters of a line about how far it is.
const PROGRESS: usize = 70;

pub struct Terminal {
    /// Standard output is a terminal.
    seen: bool,
    /// Standard output is a terminal and `NO_COLOR` is not set.
    colours: bool,
}

impl Terminal {
    pub fn of_process() -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let seen = io::stdout().is_terminal();
        Terminal { seen, colours: seen && !refused }
    }

    /// Whether a person looks.
    pub fn is_seen(&self) -> bool {
        self.seen
    }

    pub fn colours(&self) -> bool {
        self.colours
    }

    /// One line of text on standard output.
    pub fn line(&self, text: &str) -> Result<(), Exit> {
        self.bytes(format!("{}\n", clean(text)).as_bytes())
    }

    /// Rows with their columns below each other; numbers of characters count, not their widths.
    pub fn table(&self, rows: &[Vec<String>]) -> Result<(), Exit> {
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| clean(cell)).collect()).collect();
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|c| c.chars().count()).max();
        let widths: Vec<usize> = (0..columns).map(|at| width(at).unwrap_or(0)).collect();
        for row in &rows {
            let padded: Vec<String> =
                row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            self.line(padded.join("  ").trim_end())?;
        }
        Ok(())
    }

    /// JSON for programs, with everything escaped that a terminal might act on.
    pub fn json(&self, value: &serde_json::Value) -> Result<(), Exit> {
        let text =
            serde_json::to_string_pretty(value).map_err(|e| Exit::failed(msg!("cli-internal", cause = e)))?;
        self.bytes(format!("{}\n", escape_json(&text)).as_bytes())
    }

    /// Bytes as they are; for what has been cleaned or what a person asked for raw.
    pub fn bytes(&self, bytes: &[u8]) -> Result<(), Exit> {
        let mut out = io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush()).map_err(broken)
    }

    /// A line on standard error, for what is not the answer.
    pub fn note(&self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{}", clean(text));
    }

    /// In place of the last, on one line that somebody may be waiting at; nothing takes it away.
    pub fn progress(&self, text: &str) {
        if io::stderr().is_terminal() {
            let short: String = clean(text).chars().take(PROGRESS).collect();
            let _ = write!(io::stderr().lock(), "\r\x1b[2K{short}");
        }
    }

    /// As `note`, for what only a person wants.
    pub fn note_unless(&self, json: bool, text: &str) {
        if !json {
            self.note(text);
        }
    }

    /// Why the command ends.
    pub fn complain(&self, exit: &Exit) {
        match &exit.said {
            Said::Message(message) => self.note(&format!("ropewalk: {}", say(message))),
            Said::Text(text) => self.note(&format!("ropewalk: {text}")),
            Said::Nothing => {}
        }
    }
}

/// A reader that went away (`| head`) is no failure worth a sentence.
fn broken(cause: io::Error) -> Exit {
    match cause.kind() {
        io::ErrorKind::BrokenPipe => Exit::silent(),
        _ => Exit::failed(msg!("cli-output", cause = cause)),
    }
}

/// One line without anything a terminal acts on: control characters become U+FFFD, invisible ones vanish.
pub fn clean(text: &str) -> String {
    let seen = |c: char| match c {
        '\t' => Some(' '),
        c if c.is_control() => Some('\u{fffd}'),
        c if is_invisible(c) => None,
        c => Some(c),
    };
    text.chars().filter_map(seen).collect()
}

/// A field of the API's JSON as text, by JSON pointer; empty when it is not there.
pub fn field(value: &serde_json::Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(serde_json::Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

/// The first `length` characters.
pub fn cut(text: &str, length: usize) -> String {
    text.chars().take(length).collect()
}

/// What is left after JSON's own escaping stands inside of strings, where `\u` means the same.
fn escape_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c != '\n' && (c.is_control() || is_invisible(c)) {
            let mut units = [0u16; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// Takes escape sequences out of a log that arrives in pieces; colours (`ESC [ ... m`) stay if wanted.
#[derive(Debug)]
pub struct LogFilter {
    colours: bool,
    state: State,
    /// A sequence whose end has not come, or the first bytes of a character.
    held: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Text,
    Escape,
    /// `ESC [` and its parameters.
    Control,
    /// `ESC ]` and the like: until BEL or `ESC \`.
    Words,
    /// `ESC` within those.
    WordsEscape,
}

/// Longest colour sequence that is passed on, in bytes.
const LONGEST_SEQUENCE: usize = 64;

impl LogFilter {
    pub fn new(colours: bool) -> Self {
        LogFilter { colours, state: State::Text, held: Vec::new() }
    }

    /// What of `bytes` may be shown; nothing is held back but unfinished sequences.
    pub fn pass(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        for byte in bytes {
            self.byte(*byte, &mut out);
        }
        out
    }

    fn byte(&mut self, byte: u8, out: &mut Vec<u8>) {
        match (self.state, byte) {
            (State::Text, 0x1b) => self.enter(State::Escape),
            // C1 controls are U+0080-U+009F, in UTF-8 0xC2 and the code itself.
            (State::Text, 0xc2) => self.held = vec![0xc2],
            (State::Text, 0x80..=0x9f) if self.held == [0xc2] => self.held.clear(),
            (State::Text, b'\n' | b'\t' | b'\r') => {
                self.held.clear();
                out.push(byte);
            }
            (State::Text, 0x00..=0x1f | 0x7f) => self.held.clear(),
            (State::Text, _) => {
                out.append(&mut self.held);
                out.push(byte);
            }
            (State::Escape, b'[') => self.enter(State::Control),
            (State::Escape, b']' | b'P' | b'X' | b'^' | b'_') => self.enter(State::Words),
            (State::Escape, 0x20..=0x2f) => {}
            (State::Escape, 0x1b) => {}
            (State::Escape, _) => self.enter(State::Text),
            (State::Control, 0x20..=0x3f) => self.parameter(byte),
            (State::Control, 0x40..=0x7e) => self.end_control(byte, out),
            (State::Control, 0x1b) => self.enter(State::Escape),
            (State::Control, b'\n') => {
                self.enter(State::Text);
                out.push(byte);
            }
            (State::Control, _) => self.enter(State::Text),
            (State::Words, 0x07) => self.enter(State::Text),
            (State::Words, b'\n') => {
                self.enter(State::Text);
                out.push(byte);
            }
            (State::Words, 0x1b) => self.state = State::WordsEscape,
            (State::Words, _) => {}
            (State::WordsEscape, _) => self.enter(State::Text),
        }
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.held.clear();
    }

    /// Only digits and their separators make a colour; anything else is held too, and fails the test at the end.
    fn parameter(&mut self, byte: u8) {
        if self.held.len() <= LONGEST_SEQUENCE {
            self.held.push(byte);
        }
    }

    fn end_control(&mut self, byte: u8, out: &mut Vec<u8>) {
        let plain = self.held.iter().all(|b| matches!(b, b'0'..=b'9' | b';' | b':'));
        if byte == b'm' && self.colours && plain && self.held.len() <= LONGEST_SEQUENCE {
            out.extend_from_slice(b"\x1b[");
            out.append(&mut self.held);
            out.push(b'm');
        }
        self.enter(State::Text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_cannot_speak_to_the_terminal() {
        assert_eq!(
            clean("a\u{1b}[2Jb\u{9b}c\r\nd\u{202e}e\tf"),
            "a\u{fffd}[2Jb\u{fffd}c\u{fffd}\u{fffd}de f"
        );
        assert_eq!(
            escape_json("{\"a\": \"\u{9b}\u{202e}\u{e0041}한\"\n}"),
            "{\"a\": \"\\u009b\\u202e\\udb40\\udc41한\"\n}"
        );
    }

    #[test]
    fn of_a_log_only_text_and_colours_are_left() {
        let log = "a\u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7}b\u{1b}]8;;javascript:x\u{1b}\\c\u{1b}[2J\u{1b}[?25ld\u{9b}31me\u{7}\u{8}한é\u{1b}(Bf\u{1b}cg\n";
        let coloured = LogFilter::new(true).pass(log.as_bytes());
        assert_eq!(String::from_utf8(coloured).unwrap(), "a\u{1b}[31mred\u{1b}[0m bcd31me한éfg\n");
        let plain = LogFilter::new(false).pass(log.as_bytes());
        assert_eq!(String::from_utf8(plain).unwrap(), "ared bcd31me한éfg\n");
    }

    #[test]
    fn an_unfinished_sequence_does_not_swallow_the_next_line() {
        let log = "a\u{1b}]0;never ends\nb\u{1b}[31\nc\n";
        assert_eq!(LogFilter::new(true).pass(log.as_bytes()), b"a\nb\nc\n");
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference_and_nothing_dangerous_passes(
            log in "(\\PC|[\u{1b}\u{7}\u{9b}\n\\[\\];m?01]){0,60}", cut in 0usize..200,
        ) {
            let bytes = log.as_bytes();
            let cut = cut.min(bytes.len());
            let whole = LogFilter::new(false).pass(bytes);
            let mut filter = LogFilter::new(false);
            let mut pieces = filter.pass(&bytes[..cut]);
            pieces.extend(filter.pass(&bytes[cut..]));
            prop_assert_eq!(&whole, &pieces);
            let text = String::from_utf8_lossy(&whole).into_owned();
            prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{:?}", text);
        }
    }
}
