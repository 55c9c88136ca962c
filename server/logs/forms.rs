//! The shapes in which a secret can show up in output: as it is, in base64, in a URL, in JSON, in a shell trace.
//!
//! Pure. A shape shorter than four bytes is never returned: it would mask half the log and hide nothing.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::model::{Error, Result};
use crate::msg;

/// Fewer characters than this cannot be masked without masking ordinary text.
pub(super) const SHORTEST: usize = 4;

/// Call when a secret is saved: `Invalid` when no line of it is long enough to be masked.
pub fn check_secret(value: &str) -> Result<()> {
    if value.lines().all(|line| line.trim().chars().count() < SHORTEST) {
        return Err(Error::Invalid(msg!("logs-secret-short", least = SHORTEST)));
    }
    Ok(())
}

/// Every shape of one secret, none shorter than `SHORTEST` bytes, none with a line break in it.
pub(super) fn forms(secret: &str) -> BTreeSet<Vec<u8>> {
    let mut all = BTreeSet::new();
    let mut add = |form: &[u8]| {
        if form.len() >= SHORTEST {
            all.insert(form.to_vec());
        }
    };
    let trimmed = secret.trim();
    // Nothing holds a line break, so each line is masked by itself, wherever output is broken or indented.
    for line in trimmed.lines() {
        add(line.trim().as_bytes());
        add(line.trim().replace('\'', "'\\''").as_bytes());
        add(line.trim().replace('\'', "'\"'\"'").as_bytes());
    }
    for whole in BTreeSet::from([secret, trimmed]) {
        base64_forms(whole.as_bytes(), &mut add);
        url_forms(whole, &mut add);
        json_forms(whole, &mut add);
    }
    all
}

/// A secret inside a larger text that is encoded as a whole starts at one of three places in a group of
/// three bytes; only the characters that it decides alone are the same every time.
fn base64_forms(secret: &[u8], add: &mut impl FnMut(&[u8])) {
    for lead in 0..3usize {
        let mut padded = vec![0u8; lead];
        padded.extend_from_slice(secret);
        let from = (lead * 8).div_ceil(6);
        let to = padded.len() * 8 / 6;
        for encoded in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            let decided = encoded.as_bytes().get(from..to).unwrap_or_default();
            add(decided);
            if lead == 0 {
                // `base64` breaks lines after 76 characters, PEM after 64.
                for width in [64, 76] {
                    decided
                        .chunks(width)
                        .filter(|c| decided.len() > width && c.len() >= 8)
                        .for_each(&mut *add);
                }
            }
        }
    }
}

fn url_forms(secret: &str, add: &mut impl FnMut(&[u8])) {
    let encode = |upper: bool, plus: bool| {
        let mut out = String::new();
        for byte in secret.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte.into()),
                b' ' if plus => out.push('+'),
                _ if upper => out.push_str(&format!("%{byte:02X}")),
                _ => out.push_str(&format!("%{byte:02x}")),
            }
        }
        out
    };
    for (upper, plus) in [(true, false), (false, false), (true, true), (false, true)] {
        add(encode(upper, plus).as_bytes());
    }
}

fn json_forms(secret: &str, add: &mut impl FnMut(&[u8])) {
    let Ok(quoted) = serde_json::to_string(secret) else { return };
    let plain = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    add(plain.as_bytes());
    add(plain.replace('/', "\\/").as_bytes());
    // Go escapes what would matter inside HTML; many encoders escape all that is not ASCII.
    let html = plain.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
    add(html.as_bytes());
    let mut ascii = String::new();
    for c in plain.chars() {
        match c {
            ' '..='~' => ascii.push(c),
            _ => {
                c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| ascii.push_str(&format!("\\u{unit:04x}")))
            }
        }
    }
    add(ascii.as_bytes());
}
