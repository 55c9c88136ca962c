//! Two kinds of files that a workspace must treat by what is in them: scripts that were committed on Windows, which no
//! Linux can run as they are, and the pointers that Git LFS leaves in the place of files. Pure.

use std::path::Path;

const BOM: &[u8] = b"\xef\xbb\xbf";
/// A script that is longer is left alone.
const LONGEST: usize = 4 * 1024 * 1024;
/// Pointers are some 130 bytes; the specification allows 1024.
const LONGEST_POINTER: usize = 1024;
const SHELL_ENDINGS: [&str; 5] = ["sh", "bash", "dash", "ksh", "zsh"];

/// The script with `\n` at its lines' ends and without a byte order mark; `None` when it has neither, or is no script.
pub(super) fn with_unix_lines(path: &Path, bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.len() > LONGEST {
        return None;
    }
    let body = bytes.strip_prefix(BOM).unwrap_or(bytes);
    if !body.starts_with(b"#!") && !is_shell_script(path) {
        return None;
    }
    let first = memchr::memchr(b'\n', body).unwrap_or(body.len());
    let is_windows = body[..first].ends_with(b"\r");
    if body.len() == bytes.len() && !is_windows {
        return None;
    }
    if !is_windows {
        return Some(body.to_vec());
    }
    let mut unix = Vec::with_capacity(body.len());
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let (text, end) = line.strip_suffix(b"\n").map_or((line, &b""[..]), |text| (text, &b"\n"[..]));
        let length = text.iter().rposition(|byte| *byte != b'\r').map_or(0, |last| last + 1);
        unix.extend_from_slice(&text[..length]);
        unix.extend_from_slice(end);
    }
    Some(unix)
}

/// By its ending, or without one by the number that a pipeline's scripts begin with (`00-verify`).
fn is_shell_script(path: &Path) -> bool {
    if let Some(ending) = path.extension() {
        return SHELL_ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known));
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let digits = name.bytes().take_while(u8::is_ascii_digit).count();
    (2..=4).contains(&digits) && name[digits..].starts_with('-')
}

/// Whether this stands for a file that is kept elsewhere.
pub(super) fn is_pointer(bytes: &[u8]) -> bool {
    bytes.len() <= LONGEST_POINTER
        && [&b"version https://git-lfs.github.com/spec/"[..], b"version https://hawser.github.com/spec/"]
            .iter()
            .any(|lead| bytes.starts_with(lead))
        && memchr::memmem::find(bytes, b"\noid sha256:").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unix(path: &str, text: &str) -> Option<String> {
        with_unix_lines(Path::new(path), text.as_bytes()).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn only_scripts_from_windows_are_changed() {
        assert_eq!(unix("a.sh", "echo a\r\nb\r\n").as_deref(), Some("echo a\nb\n"));
        assert_eq!(unix("ci/00-verify", "if true\r\nthen a; fi\r").as_deref(), Some("if true\nthen a; fi"));
        assert_eq!(unix("gradlew", "\u{feff}#!/bin/sh\r\nx\r").as_deref(), Some("#!/bin/sh\nx"));
        assert_eq!(unix("A.SH", "\u{feff}echo\n").as_deref(), Some("echo\n"));
        for (path, text) in [
            ("a.sh", "echo 'a\r'\n"),
            ("a.txt", "a\r\n"),
            ("a.bat", "a\r\n"),
            ("00-x.bat", "a\r\n"),
            ("1-x", "a\r\n"),
            ("a.sh", ""),
        ] {
            assert_eq!(unix(path, text), None, "{path} {text:?}");
        }
        assert!(is_pointer(b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n"));
        assert!(!is_pointer(b"version https://git-lfs.github.com/spec/v1 is what pointers begin with\n"));
    }

    proptest! {
        #[test]
        fn what_was_changed_needs_no_further_change(text in "(\u{feff})?(#!x)?(\r\n|\n|\r|a){0,12}") {
            if let Some(once) = unix("a.sh", &text) {
                prop_assert!(!once.lines().next().unwrap_or_default().ends_with('\r'));
                prop_assert_eq!(once.replace(['\r', '\n'], ""), text.trim_start_matches('\u{feff}').replace(['\r', '\n'], ""));
            }
        }
    }
}
