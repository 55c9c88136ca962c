//! The few lines of shell that wait inside a step's container for its turn, and the end mark they print.
//!
//! Starting a container costs about 200 ms and noticing its end another 70 ms, most of it network set-up and
//! tear-down (measured, see `running`). So a container is started ahead of its turn and its shell waits for one
//! line on standard input; and when the script has ended, the shell says so in the output itself, with a random
//! word that the script never saw. Both outputs of the script are one: as two streams they would reach us in any
//! order, a command's trace after what it printed. Whatever follows an end mark is not the script's.

use bytes::{Bytes, BytesMut};

/// Separates records in ASCII; does not occur in text.
const SEPARATOR: u8 = 0x1e;
/// Three digits and the closing separator.
const LONGEST_CODE: usize = 4;

/// `sh -c LAUNCHER sh DIRECTORY CREATE TOOLS COMMAND...`: reads the word, enters the directory (making it when CREATE is
/// `1`), puts the folder TOOLS, if any, last into the path, runs the command without standard input, prints the end mark. On SIGTERM it lets the script end first:
/// init sends the signal to the whole process group.
pub(super) const LAUNCHER: &str = r#"
exec 2>&1
unset TINI_KILL_PROCESS_GROUP
trap : TERM
[ -z "$3" ] || export PATH="$PATH:$3"
IFS= read -r ropewalk_word || exit 125
[ "$2" != 1 ] || mkdir -p "$1"
if cd "$1"
then shift 3; "$@" </dev/null; ropewalk_code=$?
else ropewalk_code=1
fi
printf '\036%s %s\036' "$ropewalk_word" "$ropewalk_code"
exit "$ropewalk_code"
"#;

/// Looks for the end mark in a stream, however it is cut into pieces.
pub(super) struct EndMark {
    lead: Vec<u8>,
    held: BytesMut,
    code: Option<i64>,
}

enum Seen {
    /// A whole mark with this exit code.
    Mark(i64),
    /// May become one with the next piece.
    Maybe,
    Text,
}

impl EndMark {
    pub fn new(word: &str) -> Self {
        EndMark { lead: format!("\u{1e}{word} ").into_bytes(), held: BytesMut::new(), code: None }
    }

    /// The exit code, once the mark has come.
    pub fn code(&self) -> Option<i64> {
        self.code
    }

    /// The script's part of this piece; empty when there is none.
    pub fn push(&mut self, piece: Bytes) -> Bytes {
        if self.code.is_some() {
            return Bytes::new();
        }
        let mut bytes = piece;
        if !self.held.is_empty() {
            let mut joined = std::mem::take(&mut self.held);
            joined.extend_from_slice(&bytes);
            bytes = joined.freeze();
        }
        let mut from = 0;
        while let Some(at) = memchr::memchr(SEPARATOR, &bytes[from..]).map(|at| from + at) {
            match self.look(&bytes[at..]) {
                Seen::Mark(code) => {
                    self.code = Some(code);
                    return bytes.slice(..at);
                }
                Seen::Maybe => {
                    self.held.extend_from_slice(&bytes[at..]);
                    return bytes.slice(..at);
                }
                Seen::Text => from = at + 1,
            }
        }
        bytes
    }

    /// The stream broke off: what was held back was the script's.
    pub fn rest(&mut self) -> Bytes {
        std::mem::take(&mut self.held).freeze()
    }

    fn look(&self, bytes: &[u8]) -> Seen {
        if bytes.len() <= self.lead.len() {
            return if self.lead.starts_with(bytes) { Seen::Maybe } else { Seen::Text };
        }
        let Some(after) = bytes.strip_prefix(self.lead.as_slice()) else { return Seen::Text };
        let digits = after.iter().take(LONGEST_CODE).take_while(|b| b.is_ascii_digit()).count();
        match after.get(digits) {
            Some(&SEPARATOR) if digits > 0 => {
                Seen::Mark(after[..digits].iter().fold(0, |n, b| n * 10 + i64::from(b - b'0')))
            }
            None if digits < LONGEST_CODE => Seen::Maybe,
            _ => Seen::Text,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(pieces: &[&[u8]]) -> (Vec<u8>, Option<i64>) {
        let mut mark = EndMark::new("word");
        let mut out = Vec::new();
        for piece in pieces {
            out.extend_from_slice(&mark.push(Bytes::copy_from_slice(piece)));
        }
        out.extend_from_slice(&mark.rest());
        (out, mark.code())
    }

    #[test]
    fn marks_that_are_not_ours_are_text() {
        for text in [
            "\u{1e}work 0\u{1e}",
            "\u{1e}word \u{1e}",
            "\u{1e}word 12345\u{1e}",
            "\u{1e}word x\u{1e}",
            "\u{1e}\u{1e}",
        ] {
            assert_eq!(read(&[text.as_bytes()]), (text.as_bytes().to_vec(), None), "{text:?}");
        }
        assert_eq!(read(&[b"a\x1eword 137\x1e later"]), (b"a".to_vec(), Some(137)));
    }

    proptest! {
        #[test]
        fn cutting_changes_nothing(before in "(\u{1e}|wo?r?d?| ?[0-9]?|x){0,12}", code in 0i64..256, a in 0usize..40, b in 0usize..40) {
            let mut text = before.clone().into_bytes();
            text.extend_from_slice(format!("\u{1e}word {code}\u{1e}tail").as_bytes());
            let (a, b) = (a.min(text.len()), b.min(text.len()));
            let (a, b) = (a.min(b), a.max(b));
            let whole = read(&[&text]);
            prop_assert!(whole.1.is_some());
            prop_assert_eq!(read(&[&text[..a], &text[a..b], &text[b..]]), whole);
            let single: Vec<&[u8]> = text.chunks(1).collect();
            prop_assert_eq!(read(&single), read(&[&text]));
        }
    }
}
