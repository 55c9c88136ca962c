//! Git's pkt-lines: four hex digits of length, then the payload; and side bands, where the first
//! byte of a payload says whether it is data (1), a message for the person (2) or an error (3).
//! Pure; it never waits for input.

/// The longest packet git takes, its four length digits included.
const LONGEST: usize = 65_520;

pub(super) const FLUSH: &[u8] = b"0000";

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Packet<'a> {
    Flush,
    /// A delimiter or response-end packet of protocol v2; a push has neither.
    Special,
    Data(&'a [u8]),
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadPacket;

/// The first packet of `bytes` and its whole length; `None` when more bytes are needed.
pub(super) fn first(bytes: &[u8]) -> Result<Option<(Packet<'_>, usize)>, BadPacket> {
    let Some(digits) = bytes.get(..4) else { return Ok(None) };
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(BadPacket);
    }
    let text = std::str::from_utf8(digits).map_err(|_| BadPacket)?;
    match usize::from_str_radix(text, 16).map_err(|_| BadPacket)? {
        0 => Ok(Some((Packet::Flush, 4))),
        1 | 2 => Ok(Some((Packet::Special, 4))),
        3 => Err(BadPacket),
        length if length > LONGEST => Err(BadPacket),
        length => Ok(bytes.get(4..length).map(|payload| (Packet::Data(payload), length))),
    }
}

/// Appends one packet; the caller keeps `payload` below 65,516 bytes.
pub(super) fn put(out: &mut Vec<u8>, payload: &[u8]) {
    out.extend_from_slice(format!("{:04x}", payload.len() + 4).as_bytes());
    out.extend_from_slice(payload);
}

/// Appends `payload` on a side band, in as many packets as it needs.
pub(super) fn put_band(out: &mut Vec<u8>, band: u8, payload: &[u8]) {
    for piece in payload.chunks(LONGEST - 5) {
        out.extend_from_slice(format!("{:04x}", piece.len() + 5).as_bytes());
        out.push(band);
        out.extend_from_slice(piece);
    }
}

/// One line of text without control characters, cut at 1,000 characters: what may stand in a
/// protocol answer and on a pusher's terminal.
pub(super) fn plain_line(text: &str) -> String {
    let visible = |c: &char| !crate::model::is_invisible(*c);
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).filter(visible).take(1000).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn borders() {
        assert_eq!(first(b"000"), Ok(None));
        assert_eq!(first(b"0000x"), Ok(Some((Packet::Flush, 4))));
        assert_eq!(first(b"0006ab"), Ok(Some((Packet::Data(b"ab"), 6))));
        assert_eq!(first(b"0006a"), Ok(None));
        assert_eq!(first(b"0003"), Err(BadPacket));
        assert_eq!(first(b"+006"), Err(BadPacket));
        assert_eq!(first(b"ffff"), Err(BadPacket));
        assert_eq!(plain_line("a\x1b[31m\nb\u{202e}"), "a [31m b");
    }

    proptest! {
        #[test]
        fn first_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = first(&bytes);
        }

        #[test]
        fn what_is_put_is_read(payload in proptest::collection::vec(any::<u8>(), 0..200), band in 1u8..4) {
            let mut out = Vec::new();
            put(&mut out, &payload);
            prop_assert_eq!(first(&out), Ok(Some((Packet::Data(&payload), out.len()))));
            let mut banded = Vec::new();
            put_band(&mut banded, band, &payload);
            prop_assert_eq!(banded.is_empty(), payload.is_empty());
        }
    }
}
