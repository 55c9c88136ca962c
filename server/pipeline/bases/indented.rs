//! Lines of a quoted text that begin in column one, as other programs let them: they are read with space before them,
//! which is none of the text's own, and every place is told as it is in the file.

use std::borrow::Cow;

/// Deeper than any block.
const SPACE: usize = 256;

/// The lines before which space is put, by where they begin, in order.
#[derive(Debug, Default)]
pub struct Indented(Vec<usize>);

impl Indented {
    /// Adds a line, from 1; `false` when it is one already.
    pub fn add(&mut self, text: &str, line: usize) -> bool {
        let start = match line.checked_sub(2) {
            Some(before) => text.match_indices('\n').nth(before).map_or(text.len(), |(at, _)| at + 1),
            None => 0,
        };
        match self.0.binary_search(&start) {
            Ok(_) => false,
            Err(place) => {
                self.0.insert(place, start);
                true
            }
        }
    }

    /// The text with the space.
    pub fn applied<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.0.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len() + self.0.len() * SPACE);
        let mut behind = 0;
        for start in &self.0 {
            out.push_str(&text[behind..*start]);
            out.extend(std::iter::repeat_n(' ', SPACE));
            behind = *start;
        }
        out.push_str(&text[behind..]);
        Cow::Owned(out)
    }

    /// Where a byte of the text with the space stands in the text itself.
    pub fn at(&self, byte: usize) -> usize {
        let is_before = |(index, start): &(usize, &usize)| **start + index * SPACE < byte;
        byte.saturating_sub(self.0.iter().enumerate().take_while(is_before).count() * SPACE)
    }
}
