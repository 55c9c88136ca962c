//! Replaces secrets in a stream of bytes by `********`, however the stream is cut into pieces.
//!
//! Every byte that belongs to an occurrence of any shape of any secret is replaced, also where occurrences
//! overlap; a run of such bytes becomes one mark. The result does not depend on where the pieces end: the only
//! bytes held back are those that may still become a secret, so ordinary output is never delayed. Colour
//! codes inside a secret (as `grep --color` puts them) do not hide it.

use std::borrow::Cow;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};

use super::forms::{check_secret, forms};
use crate::model::{Error, Result, Secret};

/// What a reader sees instead of a secret.
pub const MARK: &str = "********";

const ESCAPE: u8 = 0x1b;
/// A colour code is shorter; a longer one is text.
const LONGEST_CODE: usize = 32;

/// The secrets of a run, ready for searching. Cheap to clone.
#[derive(Clone, Default)]
pub struct Mask(Option<Arc<Patterns>>);

struct Patterns {
    finder: AhoCorasick,
    /// Sorted, for asking whether some bytes begin any of them.
    sorted: Vec<Vec<u8>>,
    first: [bool; 256],
    longest: usize,
}

impl Mask {
    /// `Invalid` when a secret has fewer than four characters: it is refused, not left unmasked.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Result<Self> {
        let mut sorted = Vec::new();
        for secret in secrets {
            check_secret(secret.reveal())?;
            sorted.extend(forms(secret.reveal()));
        }
        if sorted.is_empty() {
            return Ok(Mask(None));
        }
        sorted.sort();
        sorted.dedup();
        let finder = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(&sorted)
            .map_err(|e| Error::internal("prepare the masking of secrets", e))?;
        let mut first = [false; 256];
        sorted.iter().filter_map(|p| p.first()).for_each(|b| first[usize::from(*b)] = true);
        let longest = sorted.iter().map(Vec::len).max().unwrap_or_default();
        Ok(Mask(Some(Arc::new(Patterns { finder, sorted, first, longest }))))
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
        Masker { mask: self.clone(), held: Vec::new(), covered: 0, marked: false }
    }
}

/// The state of one stream between two pieces.
pub(super) struct Masker {
    mask: Mask,
    held: Vec<u8>,
    /// So many bytes at the start of `held` belong to a secret that has been found already.
    covered: usize,
    /// The last byte given out was part of a mark.
    marked: bool,
}

impl Masker {
    /// Appends to `out` what is decided after this piece.
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        let Some(patterns) = self.mask.0.clone() else {
            out.extend_from_slice(piece);
            return;
        };
        if self.held.is_empty() {
            let keep = self.scan(&patterns, piece, out);
            self.held.extend_from_slice(&piece[keep..]);
        } else {
            let mut joined = std::mem::take(&mut self.held);
            joined.extend_from_slice(piece);
            let keep = self.scan(&patterns, &joined, out);
            joined.drain(..keep);
            self.held = joined;
        }
    }

    /// The stream has ended, or ends a step: gives out what was held back.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        let held = std::mem::take(&mut self.held);
        if let Some(patterns) = self.mask.0.clone() {
            let view = View { end: held.len(), ..View::of(&held) };
            self.decide(&patterns, &view, held.len(), out);
        }
        self.marked = false;
    }

    /// Gives out the decided part of `bytes` and returns where the undecided part starts.
    fn scan(&mut self, patterns: &Patterns, bytes: &[u8], out: &mut Vec<u8>) -> usize {
        let view = View::of(bytes);
        let keep = view.raw(patterns.undecided(&view.visible)).min(view.end);
        self.decide(patterns, &view, keep, out);
        keep
    }

    /// Gives out `bytes` up to `keep`. What lies after it comes again with the next piece.
    fn decide(&mut self, patterns: &Patterns, view: &View, keep: usize, out: &mut Vec<u8>) {
        let bytes = view.bytes;
        let mut spans = vec![(0, self.covered)];
        if patterns.finder.is_match(&*view.visible) {
            let found = patterns.finder.find_overlapping_iter(&*view.visible);
            spans.extend(found.map(|m| (view.raw(m.start()), view.raw(m.end() - 1) + 1)));
            spans.sort_unstable();
        }
        let (mut at, mut covered) = (0, 0);
        for (start, end) in spans {
            if start > keep {
                break;
            }
            if start > at {
                self.give(&bytes[at..start], false, out);
                at = start;
            }
            let stop = end.min(keep);
            if stop > at {
                self.give(&bytes[at..stop], true, out);
                at = stop;
            }
            covered = covered.max(end.saturating_sub(keep));
        }
        self.give(&bytes[at..keep], false, out);
        self.covered = covered;
    }

    fn give(&mut self, bytes: &[u8], secret: bool, out: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        if !secret {
            out.extend_from_slice(bytes);
        } else if !self.marked {
            out.extend_from_slice(MARK.as_bytes());
        }
        self.marked = secret;
    }
}

impl Patterns {
    /// Where the longest ending of `bytes` starts that begins a pattern without completing it.
    fn undecided(&self, bytes: &[u8]) -> usize {
        let from = bytes.len().saturating_sub(self.longest.saturating_sub(1));
        (from..bytes.len())
            .find(|at| self.first[usize::from(bytes[*at])] && self.begins(&bytes[*at..]))
            .unwrap_or(bytes.len())
    }

    fn begins(&self, ending: &[u8]) -> bool {
        let next = self.sorted.partition_point(|p| p.as_slice() <= ending);
        self.sorted.get(next).is_some_and(|p| p.starts_with(ending))
    }
}

/// Some bytes, the same without their colour codes, and where each of those stands among all.
struct View<'a> {
    bytes: &'a [u8],
    visible: Cow<'a, [u8]>,
    /// `None` when nothing was left out.
    places: Option<Vec<usize>>,
    /// Where an unfinished colour code starts, or the end.
    end: usize,
}

impl<'a> View<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        let Some(mut at) = memchr::memchr(ESCAPE, bytes) else {
            return View { bytes, visible: Cow::Borrowed(bytes), places: None, end: bytes.len() };
        };
        let mut visible = bytes[..at].to_vec();
        let mut places: Vec<usize> = (0..at).collect();
        let mut end = bytes.len();
        while at < bytes.len() {
            match (bytes[at] == ESCAPE).then(|| code(&bytes[at..])) {
                Some(Code::Whole(length)) => at += length,
                Some(Code::Cut) => {
                    end = at;
                    break;
                }
                Some(Code::Text) | None => {
                    visible.push(bytes[at]);
                    places.push(at);
                    at += 1;
                }
            }
        }
        View { bytes, visible: Cow::Owned(visible), places: Some(places), end }
    }

    fn raw(&self, place: usize) -> usize {
        match &self.places {
            Some(places) => places.get(place).copied().unwrap_or(self.end),
            None => place,
        }
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

    /// The rule in its plainest form: mark every byte of every occurrence, then write runs as one mark.
    fn plainly(patterns: &[Vec<u8>], text: &[u8]) -> Vec<u8> {
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
                let patterns = m.0.clone().unwrap();
                prop_assert_eq!(&plainly(&patterns.sorted, &text), &whole);
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
