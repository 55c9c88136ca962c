//! YAML for export. Every text that any version of YAML might take for something else is in quotes, so that what is
//! exported is read as the same by us and by OpenShift's own tools.

use std::fmt::Write as _;

use serde_json::Value;

use super::scalars::{Scalar, scalar};

/// A value as YAML, for export.
pub fn write(value: &Value) -> String {
    let mut out = String::new();
    block(value, 0, &mut out);
    out
}

/// The value on lines of its own, at this depth.
fn block(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                indent(depth, out);
                out.push_str(&text(key));
                out.push(':');
                behind(value, depth, out);
            }
        }
        Value::Array(list) if !list.is_empty() => {
            for item in list {
                indent(depth, out);
                out.push('-');
                match item {
                    // The first line of a map stands beside the dash.
                    Value::Object(map) if !map.is_empty() => {
                        let mut inner = String::new();
                        block(item, depth + 1, &mut inner);
                        out.push(' ');
                        out.push_str(inner.trim_start());
                    }
                    other => behind(other, depth, out),
                }
            }
        }
        other => {
            indent(depth, out);
            out.push_str(&short(other));
            out.push('\n');
        }
    }
}

/// The value behind its key or dash.
fn behind(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            out.push('\n');
            block(value, depth + 1, out);
        }
        Value::Array(list) if !list.is_empty() => {
            out.push('\n');
            block(value, depth, out);
        }
        other => {
            out.push(' ');
            out.push_str(&short(other));
            out.push('\n');
        }
    }
}

fn indent(depth: usize, out: &mut String) {
    out.push_str(&"  ".repeat(depth));
}

fn short(value: &Value) -> String {
    match value {
        Value::String(value) => text(value),
        Value::Object(_) => "{}".to_owned(),
        Value::Array(_) => "[]".to_owned(),
        other => other.to_string(),
    }
}

fn text(value: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/');
    let begins = value.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    if begins && value.bytes().all(plain) && scalar(value) == Scalar::Text {
        return value.to_owned();
    }
    let mut out = String::from("\"");
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            ' '..='~' => out.push(c),
            // Control characters, and those that some readers take for the end of a line or leave out.
            '\u{0}'..='\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
