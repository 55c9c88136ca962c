//! A Dockerfile within a compose file, with where its lines stand in that file.

use std::ops::Range;

use super::expand::{Dialect, Known, expand};

/// One line of it.
#[derive(Clone, Copy, Debug)]
struct Line {
    /// Where it begins in the text.
    start: usize,
    /// Where it stands in the file; `None` when it does not stand there as it is.
    source: Option<usize>,
}

#[derive(Clone, Debug)]
pub struct Inline {
    /// Which of the files it is in.
    pub file: usize,
    pub text: String,
    at: usize,
    lines: Vec<Line>,
}

impl Inline {
    /// The text as it stands, its variables put in line by line as compose does: a line in which that fails is kept.
    pub fn of(
        (file, source): (usize, &str),
        (written, span, at): (&str, Option<Range<usize>>, usize),
        look: &dyn Fn(&str) -> Known,
    ) -> Inline {
        let places = match span {
            Some(span) => vec![Some(span.start)],
            None => literal_lines(source, at, written),
        };
        let mut inline = Inline { file, text: String::with_capacity(written.len()), at, lines: Vec::new() };
        for (index, line) in written.lines().enumerate() {
            let expanded = line.contains('$').then(|| expand(line, Dialect::Compose, look).ok()).flatten();
            let now = expanded.as_ref().map_or(line, |expanded| &expanded.text);
            let source = places.get(index).copied().flatten().filter(|_| now == line);
            inline.lines.push(Line { start: inline.text.len(), source });
            inline.text.push_str(now);
            inline.text.push('\n');
        }
        inline
    }

    fn line(&self, at: usize) -> Option<Line> {
        let index = self.lines.partition_point(|line| line.start <= at);
        self.lines.get(index.checked_sub(1)?).copied()
    }

    /// Where this byte of the text, or at least the text itself, stands in the file.
    pub fn source(&self, at: usize) -> usize {
        let exact = self.line(at).and_then(|line| Some(line.source? + at - line.start));
        exact.unwrap_or(self.at)
    }

    /// These bytes of the text in the file.
    pub fn span(&self, span: Range<usize>) -> Option<Range<usize>> {
        let line = self.line(span.start)?;
        let ends_here = self.line(span.end.checked_sub(1)?)?.start == line.start;
        let from = line.source.filter(|_| ends_here)? + span.start - line.start;
        Some(from..from + span.len())
    }
}

/// Where each line of a text in literal style (`|`) stands in the file; `None` for one that cannot be told.
fn literal_lines(text: &str, at: usize, value: &str) -> Vec<Option<usize>> {
    let wanted: Vec<&str> = value.lines().collect();
    let from = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    let mut lines = Vec::new();
    let mut start = from;
    for line in text.get(from..).unwrap_or_default().split_inclusive('\n').take(wanted.len() + 1) {
        lines.push((start, line.trim_end_matches(['\n', '\r'])));
        start += line.len();
    }
    // The place is that of the `|` or that of the first line below it.
    let fits = |skip: usize| {
        let pairs = wanted.iter().enumerate();
        let found = pairs.map(|(index, wanted)| {
            let (start, line) = lines.get(index + skip)?;
            line.ends_with(wanted).then(|| start + line.len() - wanted.len())
        });
        found.collect::<Vec<_>>()
    };
    let (below, here) = (fits(1), fits(0));
    let count = |all: &[Option<usize>]| all.iter().flatten().count();
    if count(&here) > count(&below) { here } else { below }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_literal_text_are_found() {
        let text = "a:\n  i: |\n    FROM x\n\n      RUN y\n  b: 1\n";
        let all = super::super::yaml::documents(text).unwrap();
        let Some(super::super::yaml::Node::Text { value, at, .. }) = all[0].get("a").unwrap().get("i") else {
            panic!()
        };
        let lines = literal_lines(text, *at, value);
        assert_eq!(lines[0].map(|at| &text[at..at + 6]), Some("FROM x"));
        assert_eq!(lines[2].map(|at| &text[at..at + 7]), Some("  RUN y"));
    }
}
