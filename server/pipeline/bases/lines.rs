//! A Dockerfile's text as the builder takes it apart: directives, then one line for each instruction, continued lines
//! joined, comments and here-documents left out; every piece with the bytes it stands at. It knows no instruction
//! and refuses nothing: a line that makes no sense ends nothing but itself.

use std::ops::Range;

/// Most here-documents without an end; after them `<<` is no longer looked for.
const MOST_UNCLOSED: usize = 16;

/// The lines at the top of the file that speak to the builder.
#[derive(Debug, PartialEq, Eq)]
pub struct Directives {
    pub escape: char,
    /// Where the image stands that `# syntax=` names.
    pub syntax: Option<Range<usize>>,
}

/// `# name=value` until the first line that is anything else. The frontend's line may also begin with `//` or be below `#!`.
pub fn directives(text: &str) -> Directives {
    let mut found = Directives { escape: '\\', syntax: None };
    let mut escape_is_told = false;
    let start = text.len() - text.strip_prefix('\u{feff}').unwrap_or(text).len();
    let begins_with_slashes = text[start..].starts_with("//");
    let mut at = start;
    for (number, line) in text[start..].split_inclusive('\n').enumerate() {
        let from = at;
        at += line.len();
        if number == 0 && line.starts_with("#!") {
            continue;
        }
        let mark = if begins_with_slashes { "//" } else { "#" };
        let Some((name, value)) = line.trim().strip_prefix(mark).and_then(|rest| rest.split_once('=')) else {
            break;
        };
        let name = name.trim();
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric()) {
            break;
        }
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "escape" if !escape_is_told && !begins_with_slashes => {
                escape_is_told = true;
                found.escape = if value == "`" { '`' } else { '\\' };
            }
            "syntax" if found.syntax.is_none() => {
                let image = value.split(' ').next().unwrap_or_default();
                let equals = line.find('=').unwrap_or_default() + 1;
                let shift = line[equals..].find(image).unwrap_or_default() + equals;
                found.syntax = (!image.is_empty()).then_some(from + shift..from + shift + image.len());
            }
            _ => {}
        }
    }
    found
}

/// One instruction with all its lines.
#[derive(Debug)]
pub struct Line {
    pub text: String,
    /// Where a piece begins in `text` and in the file.
    pieces: Vec<(usize, usize)>,
}

impl Line {
    fn at(&self, at: usize) -> usize {
        let index = self.pieces.partition_point(|(start, _)| *start <= at).saturating_sub(1);
        self.pieces.get(index).map_or(0, |(start, source)| source + at.saturating_sub(*start))
    }

    /// The bytes of the file that these bytes of the text stand at; over lines, with what ends them.
    pub fn source(&self, range: Range<usize>) -> Range<usize> {
        let from = self.at(range.start);
        match range.end.checked_sub(1) {
            Some(last) if !range.is_empty() => from..self.at(last) + 1,
            _ => from..from,
        }
    }
}

/// The instructions of a text.
pub struct Lines<'t> {
    text: &'t str,
    escape: char,
    at: usize,
    /// Where here-documents begin that have no end.
    pub unclosed: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub fn of(text: &'t str, escape: char) -> Lines<'t> {
        let bom = text.len() - text.strip_prefix('\u{feff}').unwrap_or(text).len();
        Lines { text, escape, at: bom, unclosed: Vec::new() }
    }

    /// The next line as it is in the file, without its end, and where it begins.
    fn raw(&mut self) -> Option<(usize, &'t str)> {
        let from = self.at;
        let rest = self.text.get(from..).filter(|rest| !rest.is_empty())?;
        let line = rest.split_inclusive('\n').next()?;
        self.at += line.len();
        let line = line.strip_suffix('\n').unwrap_or(line);
        Some((from, line.strip_suffix('\r').unwrap_or(line)))
    }

    /// A line without the character that continues it, if it ends with one that is not itself escaped.
    fn continued<'l>(&self, line: &'l str) -> Option<&'l str> {
        let body = line.trim_end_matches([' ', '\t']).strip_suffix(self.escape)?;
        (!body.ends_with(self.escape)).then_some(body)
    }

    fn skip_documents(&mut self, line: &Line) {
        for (name, strips_tabs) in documents(&line.text) {
            let behind = self.at;
            loop {
                let Some((_, raw)) = self.raw() else {
                    // Read on: better an image too many than one too few.
                    self.at = behind;
                    self.unclosed.push(line.at(0));
                    break;
                };
                let raw = if strips_tabs { raw.trim_start_matches('\t') } else { raw };
                if raw == name {
                    break;
                }
            }
        }
    }
}

impl Iterator for Lines<'_> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        let mut line = Line { text: String::new(), pieces: Vec::new() };
        while let Some((from, raw)) = self.raw() {
            let trimmed = raw.trim_start();
            if trimmed.is_empty() || trimmed.starts_with('#') {
                continue;
            }
            // Within an instruction the space before the words counts.
            let (from, raw) = if line.pieces.is_empty() {
                (from + raw.len() - trimmed.len(), trimmed)
            } else {
                (from, raw)
            };
            let body = self.continued(raw);
            line.pieces.push((line.text.len(), from));
            line.text.push_str(body.unwrap_or(raw));
            if body.is_none() {
                break;
            }
        }
        if line.pieces.is_empty() {
            return None;
        }
        if self.unclosed.len() < MOST_UNCLOSED {
            self.skip_documents(&line);
        }
        Some(line)
    }
}

/// The here-documents that an instruction begins: `<<NAME`, `<<-NAME`, the name in quotes or not.
fn documents(text: &str) -> Vec<(String, bool)> {
    let mut words = text.split_ascii_whitespace();
    let mut keyword = words.next().unwrap_or_default().to_ascii_lowercase();
    if keyword == "onbuild" {
        keyword = words.next().unwrap_or_default().to_ascii_lowercase();
    }
    if !matches!(keyword.as_str(), "run" | "copy" | "add") || !text.contains("<<") {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut quote = None;
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, c) if c.is_whitespace() => {
                found.extend(start.take().and_then(|from| document(&text[from..at])));
            }
            (None, c) => {
                start.get_or_insert(at);
                if matches!(c, '"' | '\'') {
                    quote = Some(c);
                }
            }
        }
    }
    found
}

fn document(word: &str) -> Option<(String, bool)> {
    let rest = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<")?;
    let (name, strips_tabs) = rest.strip_prefix('-').map_or((rest, false), |name| (name, true));
    let name: String = name.chars().filter(|c| !matches!(c, '"' | '\'' | '\\')).collect();
    (!name.is_empty() && !name.contains('<')).then_some((name, strips_tabs))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        Lines::of(text, directives(text).escape).map(|line| line.text).collect()
    }

    #[test]
    fn lines_are_joined_and_comments_are_not_in_them() {
        for (text, expected) in [
            ("\u{feff}FROM a\r\n\r\n  RUN b \\\r\n  c\r\n", vec!["FROM a", "RUN b   c"]),
            ("RUN a \\\n# no\n\n   # no\n b\nFROM x", vec!["RUN a  b", "FROM x"]),
            ("RUN a \\  \n b\nRUN c:\\\\\nFROM x", vec!["RUN a  b", "RUN c:\\\\", "FROM x"]),
            ("# escape=`\nRUN c:\\\nFROM a`\nb", vec!["RUN c:\\", "FROM ab"]),
            ("# no\n# escape=`\nRUN a`\nFROM b", vec!["RUN a`", "FROM b"]),
            ("RUN a \\", vec!["RUN a "]),
            (
                "RUN cat <<A <<-'B' > x\nFROM no\nA\nFROM no\n\tB\nFROM x",
                vec!["RUN cat <<A <<-'B' > x", "FROM x"],
            ),
            ("RUN echo \"<<A\" $((1<<2))\nFROM x", vec!["RUN echo \"<<A\" $((1<<2))", "FROM x"]),
            ("COPY <<\"E F\" /x\nFROM no\nE F\nFROM x", vec!["COPY <<\"E F\" /x", "FROM x"]),
            ("ONBUILD RUN <<E\nFROM no\nE\nFROM x", vec!["ONBUILD RUN <<E", "FROM x"]),
            ("RUN cat <<NO\nFROM x", vec!["RUN cat <<NO", "FROM x"]),
            ("CMD a <<E\nFROM x\n", vec!["CMD a <<E", "FROM x"]),
            ("\n \n", vec![]),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
        let mut lines = Lines::of("FROM x\nRUN <<A\nb\n", '\\');
        assert_eq!((lines.by_ref().count(), lines.unclosed), (3, vec![7]));
    }

    #[test]
    fn the_bytes_of_a_line_are_those_of_the_file() {
        let text = "# x\n  FROM de\\\n# é\nbi\\  \nan:12 AS é\n";
        let line = Lines::of(text, '\\').next().unwrap();
        assert_eq!(line.text, "FROM debian:12 AS é");
        assert_eq!(&text[line.source(5..14)], "de\\\n# é\nbi\\  \nan:12");
        assert_eq!(&text[line.source(18..20)], "é");
        assert_eq!(&text[line.source(7..9)], "bi");
        assert!(line.source(3..3).is_empty());
    }

    #[test]
    fn the_frontend_is_found_as_the_builder_finds_it() {
        for (text, expected) in [
            ("# syntax=docker/dockerfile:1\nFROM x", Some("docker/dockerfile:1")),
            ("#syntax = a/b:1-labs  more\r\nFROM x", Some("a/b:1-labs")),
            ("\u{feff}# SYNTAX=a@sha256:1", Some("a@sha256:1")),
            ("# escape=`\n# check=skip=all\n# syntax=a", Some("a")),
            ("#!/usr/bin/env x\n# syntax=a\n", Some("a")),
            ("// syntax=a\nFROM x", Some("a")),
            ("# a comment\n# syntax=a\n", None),
            ("\n# syntax=a\n", None),
            ("FROM x\n# syntax=a\n", None),
            ("# syntax=\nFROM x", None),
        ] {
            let found = directives(text).syntax;
            assert_eq!(found.map(|range| &text[range]), expected, "{text:?}");
        }
    }
}
