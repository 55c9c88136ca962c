//! What a value without quotes is in the YAML that OpenShift's tools read, which is version 1.1: `1.10` is a number
//! and `yes` is true. A text of that kind needs quotes, there as here.

use super::super::ropewalk::node::{Node, Value};
use super::super::ropewalk::reader::is_null;

#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    Nothing,
    Boolean(bool),
    /// As it would be read.
    Number(String),
    Text,
}

pub fn is_nothing(node: &Node) -> bool {
    matches!(&node.value, Value::Text { text, plain: true } if is_null(text))
}

/// Of a value without quotes.
pub fn scalar(text: &str) -> Scalar {
    if is_null(text) {
        return Scalar::Nothing;
    }
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Scalar::Boolean(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Scalar::Boolean(false)
        }
        _ => number(text).map_or(Scalar::Text, Scalar::Number),
    }
}

fn number(text: &str) -> Option<String> {
    let bare = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(bare, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(text.to_owned());
    }
    let plain = text.replace('_', "");
    let bare = plain.strip_prefix(['+', '-']).unwrap_or(&plain);
    if !bare.starts_with(|c: char| c.is_ascii_digit() || c == '.') || text.starts_with('_') {
        return None;
    }
    let sign = if text.starts_with('-') { "-" } else { "" };
    let based = [("0x", 16), ("0X", 16), ("0b", 2), ("0B", 2), ("0o", 8), ("0O", 8), ("0", 8)];
    for (prefix, base) in based {
        let digits =
            bare.strip_prefix(prefix).filter(|digits| !digits.is_empty() && !digits.starts_with(['+', '-']));
        if let Some(number) = digits.and_then(|digits| u64::from_str_radix(digits, base).ok()) {
            return Some(format!("{sign}{number}"));
        }
    }
    if bare.bytes().all(|b| b.is_ascii_digit()) {
        return Some(format!("{sign}{}", bare.trim_start_matches('0')).replace("-0", "0"))
            .map(|found| if found.is_empty() || found == "-" { "0".to_owned() } else { found });
    }
    is_decimal(bare).then(|| plain.parse::<f64>().map_or(plain.clone(), |value| value.to_string()))
}

/// Digits with a point, and an exponent.
fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let exponent = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    digits(whole) && digits(part) && !(whole.is_empty() && part.is_empty()) && exponent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_quotes_is_what_openshifts_yaml_says() {
        for (text, read) in [
            ("1.10", "1.1"),
            ("3.12", "3.12"),
            ("7", "7"),
            ("0x1F", "31"),
            ("010", "8"),
            ("09", "9"),
            ("1_000", "1000"),
            ("1e3", "1000"),
            (".5", "0.5"),
            ("5.", "5"),
            ("-2", "-2"),
            ("0", "0"),
            ("0b11", "3"),
            (".inf", ".inf"),
            ("-0", "0"),
        ] {
            assert_eq!(scalar(text), Scalar::Number(read.to_owned()), "{text}");
        }
        for text in [
            "1.2.3",
            "v1",
            "latest",
            "2024-01-01",
            "1.10-slim",
            "12e",
            "0x",
            "1:30",
            "e3",
            ".",
            "-",
            "_1",
            "3.12a",
        ] {
            assert_eq!(scalar(text), Scalar::Text, "{text}");
        }
        assert_eq!((scalar("on"), scalar("n")), (Scalar::Boolean(true), Scalar::Boolean(false)));
        assert_eq!(scalar("~"), Scalar::Nothing);
    }
}
