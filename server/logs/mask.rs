//! Replaces secrets in a stream of bytes by `********`, however the stream is cut into pieces.
//!
//! Every byte that belongs to an occurrence of any shape of any secret is replaced, also where occurrences
//! overlap; a run of such bytes becomes one mark. The result does not depend on where the pieces end: the only
//! bytes held back are those that may still become a secret, so ordinary output is never delayed. Colour
//! codes inside a secret (as `grep --color` puts them) do not hide it.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use super::forms::{check_secret, forms};
use super::patterns::{Patterns, State};
use crate::model::{Result, Secret};

/// What a reader sees instead of a secret.
pub const MARK: &str = "********";

const ESCAPE: u8 = 0x1b;
/// A colour code is shorter; a longer one is text.
const LONGEST_CODE: usize = 32;

/// The secrets of a run, ready for searching. Cheap to clone.
#[derive(Clone, Default)]
pub struct Mask(Option<Arc<Patterns>>);

impl Mask {
    /// `Invalid` when a secret has fewer than four characters: it is refused, not left unmasked.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Result<Self> {
        let mut all = BTreeSet::new();
        for secret in secrets {
            check_secret(secret.reveal())?;
            all.extend(forms(secret.reveal()));
        }
        if all.is_empty() {
            return Ok(Mask(None));
        }
        Ok(Mask(Some(Arc::new(Patterns::new(&all)?))))
    }

    /// A whole text at once, for messages and titles.
    pub fn text(&self, text: &str) -> String {
        let mut out = Vec::new();
        let mut masker = self.masker();
        masker.push(text.as_bytes(), &mut out);
        masker.finish(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    pub(super) fn masker(&self) -> Masker {
        Masker {
            patterns: self.0.clone(),
            state: self.0.as_ref().map(|patterns| patterns.start()).unwrap_or_default(),
            held: Vec::new(),
            given: 0,
            read: 0,
            places: Places::default(),
            secrets: VecDeque::new(),
            marked: false,
        }
    }
}

/// The state of one stream between two pieces. Each byte is read once, when it comes.
pub(super) struct Masker {
    patterns: Option<Arc<Patterns>>,
    state: State,
    /// What came last. The first `given` bytes have been given out, the first `read` ones have been read; what
    /// follows those is a colour code without its end.
    held: Vec<u8>,
    given: usize,
    read: usize,
    places: Places,
    /// Parts of `held` that are secrets, in their order, none touching another.
    secrets: VecDeque<(usize, usize)>,
    /// The last byte given out was part of a mark.
    marked: bool,
}

impl Masker {
    /// Appends to `out` what is decided after this piece.
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        let Some(patterns) = self.patterns.clone() else {
            out.extend_from_slice(piece);
            return;
        };
        self.held.extend_from_slice(piece);
        self.read(&patterns);
        let open = patterns.reach(self.state).open as usize;
        let decided = self.places.begin_at(self.places.seen - open);
        self.give_until(decided, out);
        self.forget();
    }

    /// The stream has ended, or ends a step: gives out what was held back.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.give_until(self.held.len(), out);
        let patterns = self.patterns.take();
        *self = Mask(patterns).masker();
    }

    fn read(&mut self, patterns: &Patterns) {
        while let Some(rest) = self.held.get(self.read..).filter(|rest| !rest.is_empty()) {
            if self.state == patterns.start() {
                let idle =
                    rest.iter().position(|b| *b == ESCAPE || !patterns.is_idle(*b)).unwrap_or(rest.len());
                if idle > 0 {
                    self.read += idle;
                    self.places.pass(idle);
                    continue;
                }
            }
            if rest[0] == ESCAPE {
                match code(rest) {
                    Code::Whole(length) => {
                        self.read += length;
                        self.places.leave_out(length);
                        continue;
                    }
                    Code::Cut => return,
                    Code::Text => {}
                }
            }
            self.state = patterns.next(self.state, rest[0]);
            self.read += 1;
            self.places.pass(1);
            let secret = patterns.reach(self.state).secret as usize;
            if secret > 0 {
                self.note((self.places.of(self.places.seen - secret), self.read));
            }
        }
    }

    /// One more secret, which ends after all that were noted before.
    fn note(&mut self, (mut start, end): (usize, usize)) {
        while let Some((before, _)) = self.secrets.pop_back_if(|(_, before)| *before >= start) {
            start = start.min(before);
        }
        self.secrets.push_back((start, end));
    }

    fn give_until(&mut self, decided: usize, out: &mut Vec<u8>) {
        while self.given < decided {
            let secret = self.secrets.front().copied().unwrap_or((decided, decided));
            let (is_secret, until) =
                if secret.0 <= self.given { (true, secret.1) } else { (false, secret.0) };
            if is_secret && until <= decided {
                self.secrets.pop_front();
            }
            let until = until.min(decided);
            if !is_secret {
                out.extend_from_slice(&self.held[self.given..until]);
            } else if !self.marked {
                out.extend_from_slice(MARK.as_bytes());
            }
            self.marked = is_secret;
            self.given = until;
        }
    }

    /// Lets go of what has been given out once that is half of what is held: so no byte is moved often.
    fn forget(&mut self) {
        if self.given < self.held.len() / 2 {
            return;
        }
        let gone = std::mem::take(&mut self.given);
        self.held.drain(..gone);
        self.read -= gone;
        self.places.gone += gone;
        for (start, end) in &mut self.secrets {
            (*start, *end) = (start.saturating_sub(gone), *end - gone);
        }
    }
}
/// Where the visible bytes of a stream stand in what is held of it, between colour codes.
#[derive(Default)]
struct Places {
    /// Visible bytes of the whole stream so far.
    seen: usize,
    /// Bytes of the stream that are not held any more.
    gone: usize,
    /// Colour codes: how many visible bytes came before each, and the bytes of all codes up to its end.
    codes: VecDeque<(usize, usize)>,
    /// The same bytes for the codes that nobody asks about any more.
    before: usize,
}

impl Places {
    fn pass(&mut self, visible: usize) {
        self.seen += visible;
    }

    fn leave_out(&mut self, code: usize) {
        let before = self.codes.back().map_or(self.before, |(_, bytes)| *bytes);
        self.codes.push_back((self.seen, before + code));
    }

    /// Where visible byte `number` stands; for the one that has not come yet, the end of what has been read.
    fn of(&self, number: usize) -> usize {
        let known = self.codes.partition_point(|(at, _)| *at <= number);
        let left_out = known.checked_sub(1).and_then(|last| self.codes.get(last));
        number + left_out.map_or(self.before, |(_, bytes)| *bytes) - self.gone
    }

    /// As `of`; nobody will ask for one before `number` any more.
    fn begin_at(&mut self, number: usize) -> usize {
        while let Some((_, bytes)) = self.codes.pop_front_if(|(at, _)| *at <= number) {
            self.before = bytes;
        }
        self.of(number)
    }
}

enum Code {
    Whole(usize),
    /// It may still become one with the next piece.
    Cut,
    Text,
}

/// Reads `ESC [ parameters final` at the start of `bytes`.
fn code(bytes: &[u8]) -> Code {
    match bytes.get(1) {
        None => return Code::Cut,
        Some(b'[') => {}
        Some(_) => return Code::Text,
    }
    for (at, byte) in bytes.iter().enumerate().skip(2).take(LONGEST_CODE) {
        match byte {
            0x20..=0x3f => {}
            0x40..=0x7e => return Code::Whole(at + 1),
            _ => return Code::Text,
        }
    }
    if bytes.len() < 2 + LONGEST_CODE { Code::Cut } else { Code::Text }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mask(secrets: &[&str]) -> Mask {
        let secrets: Vec<Secret> = secrets.iter().map(|s| Secret::new(*s)).collect();
        Mask::new(&secrets).unwrap()
    }

    fn in_pieces(mask: &Mask, text: &[u8], ends: &[usize]) -> Vec<u8> {
        let (mut masker, mut out, mut at) = (mask.masker(), Vec::new(), 0);
        for end in ends.iter().copied().chain([text.len()]) {
            masker.push(&text[at..end], &mut out);
            at = end;
        }
        masker.finish(&mut out);
        out
    }

    #[test]
    fn every_shape_is_masked() {
        let secret = "pä$$ w/<&>\"rd'";
        let m = mask(&[secret]);
        let encode = |text: String| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text);
        let json = serde_json::to_string(secret).unwrap();
        for text in [
            secret.to_owned(),
            format!("PASSWORD={secret}\r"),
            encode(secret.to_owned()),
            encode(format!("u:{secret}")),
            encode(format!("u{secret}")),
            encode(format!("user:{secret}:x")),
            "p%C3%A4%24%24%20w%2F%3C%26%3E%22rd%27".to_owned(),
            "p%c3%a4%24%24+w%2f%3c%26%3e%22rd%27".to_owned(),
            json.clone(),
            json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026"),
            "'pä$$ w/<&>\"rd'\"'\"''".to_owned(),
            "pä$\u{1b}[01;31m\u{1b}[K$ w/\u{1b}[m<&>\"rd'".to_owned(),
        ] {
            let got = m.text(&text);
            assert!(got.contains(MARK), "{text} -> {got}");
            assert!(!got.contains("rd") && !got.contains("w/"), "{text} -> {got}");
        }
        assert_eq!(m.text("nothing to hide, pä$$ w/"), "nothing to hide, pä$$ w/");
    }

    #[test]
    fn lines_of_a_key_are_masked_alone_and_in_wrapped_base64() {
        let key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n}\n-----END KEY-----\n";
        let m = mask(&[key]);
        assert_eq!(m.text("  hkiG9w0BAQEFAASC\r\n}\n"), format!("  {MARK}\r\n}}\n"));
        let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, key);
        let (one, two) = encoded.split_at(76);
        assert_eq!(m.text(&format!("{one}\n{two}\n")).matches(MARK).count(), 2);
    }

    #[test]
    fn overlaps_leave_nothing_and_short_secrets_are_refused() {
        let m = mask(&["abcdef", "defghi"]);
        assert_eq!(m.text("1 abcdefghi 2"), format!("1 {MARK} 2"));
        assert!(Mask::new(&[Secret::new("abc")]).is_err());
        assert!(Mask::new(&[Secret::new(" abc\n ")]).is_err());
        assert_eq!(mask(&[]).text("abc"), "abc");
    }

    #[test]
    fn only_what_may_become_a_secret_is_held_back() {
        let m = mask(&["hunter22"]);
        let (mut masker, mut out) = (m.masker(), Vec::new());
        masker.push(b"Password? ", &mut out);
        assert_eq!(out, b"Password? ");
        masker.push(b"hunter", &mut out);
        assert_eq!(out, b"Password? ");
        masker.push(b"s\n", &mut out);
        assert_eq!(out, b"Password? hunters\n");
    }

    #[test]
    fn output_that_may_long_become_a_secret_is_read_once() {
        let one = "abc".repeat(10_000);
        let two = format!("{}!", &one[3..]);
        let m = mask(&[&one, &two]);
        let text = "abc".repeat(9_000) + "-" + &"abc".repeat(12_000) + "\u{1b}[mab" + &two + "c";
        let (mut masker, mut out) = (m.masker(), Vec::new());
        for piece in text.as_bytes().chunks(7) {
            masker.push(piece, &mut out);
            // What a piece costs is its own bytes and those that were left unread: never what is held.
            assert!(masker.held.len() - masker.read < 2 + LONGEST_CODE);
        }
        masker.finish(&mut out);
        let first = "abc".repeat(9_000) + "-";
        assert_eq!(String::from_utf8(out).unwrap(), format!("{first}{MARK}\u{1b}[mab{MARK}c"));
    }

    /// The rule in its plainest form: mark every byte of every occurrence, then write runs as one mark.
    fn plainly(patterns: &BTreeSet<Vec<u8>>, text: &[u8]) -> Vec<u8> {
        let mut hidden = vec![false; text.len()];
        for pattern in patterns {
            for at in 0..=text.len().saturating_sub(pattern.len()) {
                if text[at..].starts_with(pattern) {
                    hidden[at..at + pattern.len()].fill(true);
                }
            }
        }
        let mut out = Vec::new();
        for at in 0..text.len() {
            if !hidden[at] {
                out.push(text[at]);
            } else if at == 0 || !hidden[at - 1] {
                out.extend_from_slice(MARK.as_bytes());
            }
        }
        out
    }

    proptest! {
        #[test]
        fn cutting_changes_nothing(text in "([abc]{1,9}|\u{1b}\\[1?m?){0,12}", one in "[ab]{4,9}", two in "[ab]{4,6}") {
            let m = mask(&[&one, &two]);
            let text = text.into_bytes();
            let whole = in_pieces(&m, &text, &[]);
            for a in 0..=text.len() {
                prop_assert_eq!(&in_pieces(&m, &text, &[a]), &whole);
                let b = (a * 7 + 3) % (text.len() + 1);
                prop_assert_eq!(&in_pieces(&m, &text, &[a.min(b), a.max(b)]), &whole);
            }
            let single: Vec<usize> = (0..text.len()).collect();
            prop_assert_eq!(&in_pieces(&m, &text, &single), &whole);
            if !text.contains(&ESCAPE) {
                let patterns: BTreeSet<_> = [&one, &two].into_iter().flat_map(|secret| forms(secret)).collect();
                prop_assert_eq!(&plainly(&patterns, &text), &whole);
            }
        }

        #[test]
        fn a_secret_never_comes_through(before in "\\PC{0,20}", secret in "\\PC{4,30}", after in "\\PC{0,20}", a in 0usize..80, b in 0usize..80) {
            prop_assume!(check_secret(&secret).is_ok());
            let secret = secret.trim().to_owned();
            let m = mask(&[&secret]);
            let text = format!("{before}{secret}{after}").into_bytes();
            let (a, b) = (a.min(text.len()), b.min(text.len()));
            let out = in_pieces(&m, &text, &[a.min(b), a.max(b)]);
            prop_assert!(memchr::memmem::find(&out, MARK.as_bytes()).is_some());
            prop_assert!(secret.contains('*') || memchr::memmem::find(&out, secret.as_bytes()).is_none());
        }
    }
}
