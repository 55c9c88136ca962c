//! One line of a terminal: cells, a cursor and the current style. Knows nothing of lines above or
//! below, so cursor movements between lines are ignored: a log keeps what was printed.

use std::fmt::Write as _;

use super::palette;
use crate::model::is_invisible;

/// Cells a line may have; what comes after is counted and not shown.
const LONGEST_LINE: usize = 8192;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    pub fg: Option<u8>,
    pub bg: Option<u8>,
    pub flags: u8,
}

impl Style {
    const BOLD: u8 = 1;
    const DIM: u8 = 2;
    const ITALIC: u8 = 4;
    const UNDERLINE: u8 = 8;
    const INVERSE: u8 = 16;
    const STRIKE: u8 = 32;
    /// Our own sign for a character that cannot be shown.
    const MARK: u8 = 64;
    /// What a sequence can set, and a reader may bring back.
    pub const KEPT: u8 = 63;

    pub fn is_mark(self) -> bool {
        self.flags & Style::MARK != 0
    }

    /// Class names as in the stylesheet: `f`/`b` and a colour of 256; `g` is `f` on a background of its own.
    pub fn classes(self) -> String {
        let mut names = String::new();
        for (flag, name) in [
            (Style::BOLD, "o "),
            (Style::DIM, "d "),
            (Style::ITALIC, "i "),
            (Style::UNDERLINE, "u "),
            (Style::STRIKE, "k "),
            (Style::MARK, "c "),
        ] {
            if self.flags & flag != 0 {
                names.push_str(name);
            }
        }
        let (mut fg, mut bg) = (self.fg, self.bg);
        if self.flags & Style::INVERSE != 0 {
            // The default pair, turned round, is black on light grey.
            (fg, bg) = (Some(bg.unwrap_or(0)), Some(fg.unwrap_or(7)));
        }
        if let Some(index) = fg {
            let _ = write!(names, "{}{index} ", if bg.is_some() { 'g' } else { 'f' });
        }
        if let Some(index) = bg {
            let _ = write!(names, "b{index} ");
        }
        names.truncate(names.trim_end().len());
        names
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Cell {
    pub symbol: char,
    pub style: Style,
}

#[derive(Debug, Default)]
pub struct Screen {
    pub cells: Vec<Cell>,
    pub style: Style,
    /// Characters beyond `LONGEST_LINE`.
    pub overflow: u64,
    pub cursor: usize,
}

impl Screen {
    pub fn carriage_return(&mut self) {
        self.cursor = 0;
    }

    /// An empty line; the style goes on.
    pub fn clear(&mut self) {
        self.cells.clear();
        self.cursor = 0;
        self.overflow = 0;
    }

    fn put(&mut self, symbol: char, style: Style) {
        if self.cursor >= LONGEST_LINE {
            self.overflow += 1;
            return;
        }
        let cell = Cell { symbol, style };
        self.pad_to(self.cursor);
        match self.cells.get_mut(self.cursor) {
            Some(old) => *old = cell,
            None => self.cells.push(cell),
        }
        self.cursor += 1;
    }

    fn pad_to(&mut self, length: usize) {
        while self.cells.len() < length.min(LONGEST_LINE) {
            self.cells.push(Cell { symbol: ' ', style: Style::default() });
        }
    }

    fn put_mark(&mut self, text: &str) {
        let style = Style { flags: Style::MARK, ..Style::default() };
        text.chars().for_each(|c| self.put(c, style));
    }

    fn erase(&mut self, how: u16) {
        let blank = Cell { symbol: ' ', style: Style::default() };
        let end = self.cursor.min(self.cells.len());
        match how {
            0 => self.cells.truncate(end),
            1 => self.cells[..end].fill(blank),
            2 => self.cells.clear(),
            _ => {}
        }
    }

    /// Select Graphic Rendition (ECMA-48, 8.3.117, and the colour forms of ITU T.416 and xterm).
    fn render_as(&mut self, params: &vte::Params) {
        let mut groups = params.iter();
        while let Some(group) = groups.next() {
            let code = group.first().copied().unwrap_or(0);
            match code {
                0 => self.style = Style::default(),
                1 => self.style.flags |= Style::BOLD,
                2 => self.style.flags |= Style::DIM,
                3 => self.style.flags |= Style::ITALIC,
                4 if group.get(1) == Some(&0) => self.style.flags &= !Style::UNDERLINE,
                4 | 21 => self.style.flags |= Style::UNDERLINE,
                7 => self.style.flags |= Style::INVERSE,
                9 => self.style.flags |= Style::STRIKE,
                22 => self.style.flags &= !(Style::BOLD | Style::DIM),
                23 => self.style.flags &= !Style::ITALIC,
                24 => self.style.flags &= !Style::UNDERLINE,
                27 => self.style.flags &= !Style::INVERSE,
                29 => self.style.flags &= !Style::STRIKE,
                30..=37 => self.style.fg = colour(code - 30),
                40..=47 => self.style.bg = colour(code - 40),
                90..=97 => self.style.fg = colour(code - 82),
                100..=107 => self.style.bg = colour(code - 92),
                39 => self.style.fg = None,
                49 => self.style.bg = None,
                38 | 48 => {
                    let chosen =
                        if group.len() > 1 { extended(&group[1..]) } else { extended_from(&mut groups) };
                    match (code, chosen) {
                        (38, Some(index)) => self.style.fg = Some(index),
                        (48, Some(index)) => self.style.bg = Some(index),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
    }
}

fn colour(index: u16) -> Option<u8> {
    u8::try_from(index).ok()
}

/// `5:n`, `2:r:g:b` or `2:space:r:g:b`.
fn extended(parts: &[u16]) -> Option<u8> {
    match parts {
        [5, index, ..] => colour(*index),
        [2, _, r, g, b, ..] | [2, r, g, b] => Some(palette::nearest([*r, *g, *b])),
        _ => None,
    }
}

/// `5;n` or `2;r;g;b`, as most programs write it.
fn extended_from(groups: &mut vte::ParamsIter<'_>) -> Option<u8> {
    let mut next = || groups.next().and_then(|g| g.first().copied());
    match next()? {
        5 => colour(next()?),
        2 => Some(palette::nearest([next()?, next()?, next()?])),
        _ => None,
    }
}

impl vte::Perform for Screen {
    fn print(&mut self, c: char) {
        match c {
            // Parts of emoji, harmless and without a look of their own.
            '\u{FE00}'..='\u{FE0F}' | '\u{200D}' => {}
            c if c.is_control() || is_invisible(c) || matches!(c, '\u{2028}' | '\u{2029}') => {
                self.put_mark(&format!("⟨U+{:04X}⟩", u32::from(c)));
            }
            c => self.put(c, self.style),
        }
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\r' => self.carriage_return(),
            0x08 => self.cursor = self.cursor.saturating_sub(1),
            b'\t' => {
                self.cursor = (self.cursor / 8 + 1) * 8;
                self.pad_to(self.cursor);
            }
            0x07 | b'\n' => {}
            0x7f => self.put_mark("␡"),
            // The pictures of the control characters stand in their order from U+2400.
            0..=0x1f => self
                .put_mark(char::from_u32(0x2400 + u32::from(byte)).unwrap_or('?').encode_utf8(&mut [0; 4])),
            _ => self.put_mark(&format!("⟨U+{byte:04X}⟩")),
        }
    }

    fn csi_dispatch(&mut self, params: &vte::Params, intermediates: &[u8], ignore: bool, action: char) {
        if ignore || !intermediates.is_empty() {
            return;
        }
        let first = params.iter().next().and_then(|g| g.first().copied()).unwrap_or(0);
        let count = usize::from(first.max(1));
        match action {
            'm' => self.render_as(params),
            'K' => self.erase(first),
            'C' => self.cursor = (self.cursor + count).min(LONGEST_LINE),
            'D' => self.cursor = self.cursor.saturating_sub(count),
            'G' => self.cursor = (count - 1).min(LONGEST_LINE),
            _ => {}
        }
    }
}
