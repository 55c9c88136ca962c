//! Values that are made up by an expression such as `[a-zA-Z0-9]{16}`: sets of characters with a count each, and texts
//! between them that stay.

use crate::model::{Message, Result};
use crate::msg;
use crate::pipeline::finding::shown;

const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const SIGNS: &str = "~!@#$%^&*()-_+={}[]\\|<,>.?/\"';:`";
/// Longest value that is made up, in bytes.
const LONGEST: usize = 4096;
/// Most characters of one set.
const MOST: usize = 255;

/// A value by this expression; the error is the sentence for a person.
pub fn generate(from: &str) -> Result<String, Message> {
    let (mut out, mut rest) = (String::new(), from);
    while let Some(at) = rest.find('[') {
        out.push_str(&rest[..at]);
        match set(&rest[at..]) {
            Some((set, count, behind)) => {
                let alphabet = alphabet(set).filter(|_| (1..=MOST).contains(&count));
                let alphabet = alphabet.ok_or_else(|| msg!("openshift-expression", from = shown(from)))?;
                for _ in 0..count {
                    out.push(pick(&alphabet)?);
                }
                rest = behind;
            }
            None => {
                out.push('[');
                rest = &rest[at + 1..];
            }
        }
        if out.len() > LONGEST {
            return Err(msg!("openshift-expression", from = shown(from)));
        }
    }
    out.push_str(rest);
    match out.len() > LONGEST {
        true => Err(msg!("openshift-expression", from = shown(from))),
        false => Ok(out),
    }
}

/// `[SET]{COUNT}` at the start: its parts, and what stands behind.
fn set(text: &str) -> Option<(&str, usize, &str)> {
    let (set, rest) = text.strip_prefix('[')?.split_once("]{")?;
    let (count, behind) = rest.split_once('}')?;
    let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'\\');
    let is_set = !set.is_empty() && set.bytes().all(known);
    let is_count = !count.is_empty() && count.bytes().all(|b| b.is_ascii_digit());
    (is_set && is_count).then(|| (set, count.parse().unwrap_or(usize::MAX), behind))
}

/// The characters of a set; `None` when it says none.
fn alphabet(set: &str) -> Option<Vec<char>> {
    let all: Vec<char> = LETTERS.chars().chain(DIGITS.chars()).collect();
    let place = |c: char| all.iter().position(|other| *other == c);
    let mut found = Vec::new();
    let mut rest: &[char] = &set.chars().collect::<Vec<_>>();
    while let [first, behind @ ..] = rest {
        rest = match (*first, behind) {
            ('\\', ['w', behind @ ..]) => {
                found.extend(all.iter().copied().chain(['_']));
                behind
            }
            ('\\', ['d', behind @ ..]) => {
                found.extend(DIGITS.chars());
                behind
            }
            ('\\', ['a', behind @ ..]) => {
                found.extend(all.iter());
                behind
            }
            ('\\', ['A', behind @ ..]) => {
                found.extend(SIGNS.chars());
                behind
            }
            (from, ['-', to, behind @ ..]) => {
                let (from, to) = (place(from)?, place(*to)?);
                found.extend(all.get(from..=to).filter(|range| !range.is_empty())?);
                behind
            }
            (one, behind) => {
                place(one)?;
                found.push(one);
                behind
            }
        };
    }
    Some(found).filter(|found| !found.is_empty())
}

/// Any of these, each as likely.
fn pick(alphabet: &[char]) -> Result<char, Message> {
    let failed = || msg!("openshift-expression-random");
    let count = u32::try_from(alphabet.len()).map_err(|_| failed())?;
    let end = u32::MAX - u32::MAX % count.max(1);
    loop {
        let number = getrandom::u32().map_err(|_| failed())?;
        if number < end {
            let at = usize::try_from(number % count).map_err(|_| failed())?;
            return alphabet.get(at).copied().ok_or_else(failed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_made_up_as_the_expression_says() {
        let of = |from: &str| generate(from).unwrap();
        let all = |text: &str, set: fn(&char) -> bool| text.chars().all(|c| set(&c));
        let value = of("[a-zA-Z0-9]{16}");
        assert!(value.len() == 16 && all(&value, char::is_ascii_alphanumeric), "{value}");
        assert_ne!(value, of("[a-zA-Z0-9]{16}"));
        let value = of("0x[A-F0-9]{4}-[0-1]{8}");
        assert!(value.starts_with("0x") && value.len() == 15 && value.as_bytes()[6] == b'-', "{value}");
        assert!(value[7..].bytes().all(|b| b == b'0' || b == b'1'), "{value}");
        assert!(of(r"[\w]{99}").chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
        assert!(all(&of(r"[\d]{9}"), char::is_ascii_digit));
        assert!(all(&of(r"[\A]{9}"), char::is_ascii_punctuation));
        assert_eq!(of("test"), "test");
        assert_eq!(of("[x-x]{3}[]{2}[a]"), "xxx[]{2}[a]");
        for wrong in [
            "[z-a]{3}",
            "[a-z]{0}",
            "[a-z]{256}",
            "[a-z]{99999999999999999999}",
            "[-]{3}",
            &"[a-z]{255}".repeat(17),
        ] {
            assert!(generate(wrong).is_err(), "{wrong}");
        }
    }
}
