//! Terminal output to HTML that cannot do anything: `span` and `a` elements with classes, nothing else.
//!
//! Whatever a build prints is hostile until it has been through here. A line is laid out as a terminal
//! would (carriage returns overwrite, colours are remembered), then written escaped. Title sequences,
//! hyperlinks of the terminal and every other command are dropped; control, bidirectional and invisible
//! characters are made visible; only `http` and `https` addresses in the text become links. A sequence
//! that is not finished ends with its line, so that nothing can hide the rest of a log, and no line
//! takes more than a fixed amount of memory.

mod palette;
mod screen;

use std::fmt::{self, Write as _};
use std::str::FromStr;

pub use palette::{contrast, rules};
use screen::{Cell, Screen, Style};

/// Bytes since the last carriage return that are laid out; the rest of such a line is only counted.
const LONGEST_PART: usize = 64 * 1024;

/// Where in a stage's log a `Terminal` stands: as an SSE id it lets a reader go on where they were.
///
/// As text: `offset.line.fg.bg.flags`, numbers in decimal, `-` for a colour that is not set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Byte after the last whole line.
    pub offset: u64,
    /// Lines before that.
    pub line: u64,
    style: Style,
}

impl Place {
    /// At the start of a line, with no colour carried over.
    pub fn plain(offset: u64, line: u64) -> Self {
        Place { offset, line, style: Style::default() }
    }
}

/// One stage's log on its way to a page. Feed it the bytes in order, in pieces of any size.
pub struct Terminal {
    stage: u32,
    parser: vte::Parser,
    screen: Screen,
    /// State after the last whole line.
    place: Place,
    /// Bytes taken in since `place`.
    pending: u64,
    part: usize,
    dropped: u64,
}

impl Terminal {
    pub fn new(stage: u32) -> Self {
        Terminal::resume(stage, Place::default())
    }

    /// Goes on at `place`; the next byte fed must be the one at `place.offset`.
    pub fn resume(stage: u32, place: Place) -> Self {
        let screen = Screen { style: place.style, ..Screen::default() };
        Terminal { stage, parser: vte::Parser::new(), screen, place, pending: 0, part: 0, dropped: 0 }
    }

    /// Where the last whole line ended.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Takes the next bytes and appends the HTML of every line that is whole now.
    pub fn feed(&mut self, bytes: &[u8], html: &mut String) {
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            self.take(&rest[..end]);
            self.end_line(html);
            rest = &rest[end + 1..];
        }
        self.take(rest);
    }

    /// The HTML of the line that has no end yet (a progress bar, a prompt); empty when there is none.
    pub fn unfinished(&self) -> String {
        let mut html = String::new();
        if self.pending > 0 {
            self.write_line(&mut html);
        }
        html
    }

    /// Ends the last line of a log that stops without a newline.
    pub fn finish(&mut self, html: &mut String) {
        if self.pending > 0 {
            self.end_line(html);
            self.place.offset -= 1;
        }
    }

    /// Bytes without a newline.
    fn take(&mut self, bytes: &[u8]) {
        self.pending += bytes.len() as u64;
        for (index, part) in bytes.split(|b| *b == b'\r').enumerate() {
            if index > 0 {
                self.screen.carriage_return();
                self.parser = vte::Parser::new();
                self.part = 0;
            }
            let room = LONGEST_PART.saturating_sub(self.part).min(part.len());
            self.parser.advance(&mut self.screen, &part[..room]);
            self.part += room;
            self.dropped += (part.len() - room) as u64;
        }
    }

    fn end_line(&mut self, html: &mut String) {
        self.write_line(html);
        self.place = Place {
            offset: self.place.offset + self.pending + 1,
            line: self.place.line + 1,
            style: self.screen.style,
        };
        self.screen.clear();
        self.parser = vte::Parser::new();
        (self.pending, self.part, self.dropped) = (0, 0, 0);
    }

    fn write_line(&self, html: &mut String) {
        let (stage, line) = (self.stage, self.place.line + 1);
        let _ = write!(
            html,
            "<span class=\"l\" id=\"s{stage}-L{line}\"><a class=\"n\" href=\"#s{stage}-L{line}\">{line}</a><span class=\"x\">"
        );
        write_cells(&self.screen.cells, html);
        let lost = self.dropped + self.screen.overflow;
        if lost > 0 {
            let _ = write!(html, "<span class=\"c\"> ⋯ +{lost}</span>");
        }
        html.push_str("</span></span>");
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.", self.offset, self.line)?;
        for colour in [self.style.fg, self.style.bg] {
            match colour {
                Some(index) => write!(f, "{index}.")?,
                None => f.write_str("-.")?,
            }
        }
        write!(f, "{}", self.style.flags)
    }
}

impl FromStr for Place {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('.');
        let mut number = || {
            parts
                .next()
                .ok_or(())
                .and_then(|p| if p == "-" { Ok(None) } else { p.parse().map(Some).map_err(|_| ()) })
        };
        let (offset, line): (Option<u64>, Option<u64>) = (number()?, number()?);
        let mut byte = || number().and_then(|n| n.map(u8::try_from).transpose().map_err(|_| ()));
        let (fg, bg, flags) = (byte()?, byte()?, byte()?);
        let style = Style { fg, bg, flags: flags.ok_or(())? & Style::KEPT };
        match parts.next() {
            None => Ok(Place { offset: offset.ok_or(())?, line: line.ok_or(())?, style }),
            Some(_) => Err(()),
        }
    }
}

/// Runs of equal style as spans, addresses as links around them.
fn write_cells(cells: &[Cell], html: &mut String) {
    let mut at = 0;
    while at < cells.len() {
        match address_at(cells, at) {
            Some((end, address)) => {
                html.push_str("<a rel=\"noopener noreferrer nofollow\" href=\"");
                address.chars().for_each(|c| escape(c, html));
                html.push_str("\">");
                write_spans(&cells[at..end], html);
                html.push_str("</a>");
                at = end;
            }
            None => {
                let next = (at + 1..cells.len()).find(|i| address_at(cells, *i).is_some());
                let end = next.unwrap_or(cells.len());
                write_spans(&cells[at..end], html);
                at = end;
            }
        }
    }
}

fn write_spans(cells: &[Cell], html: &mut String) {
    for run in cells.chunk_by(|a, b| a.style == b.style) {
        let classes = run.first().map(|c| c.style.classes()).unwrap_or_default();
        if !classes.is_empty() {
            let _ = write!(html, "<span class=\"{classes}\">");
        }
        run.iter().for_each(|cell| escape(cell.symbol, html));
        if !classes.is_empty() {
            html.push_str("</span>");
        }
    }
}

fn escape(c: char, html: &mut String) {
    match c {
        '<' => html.push_str("&lt;"),
        '>' => html.push_str("&gt;"),
        '&' => html.push_str("&amp;"),
        '"' => html.push_str("&quot;"),
        '\'' => html.push_str("&#39;"),
        other => html.push(other),
    }
}

/// End (exclusive) and normalized form of an `http(s)` address that starts at `start`.
fn address_at(cells: &[Cell], start: usize) -> Option<(usize, String)> {
    const LONGEST: usize = 2048;
    if cells[start].symbol != 'h' || start > 0 && cells[start - 1].symbol.is_alphanumeric() {
        return None;
    }
    let here = &cells[start..cells.len().min(start + LONGEST)];
    let begins =
        |scheme: &str| scheme.chars().zip(here).filter(|(a, b)| *a == b.symbol).count() == scheme.len();
    if !begins("http://") && !begins("https://") {
        return None;
    }
    let stops = |c: &Cell| {
        c.symbol.is_whitespace() || matches!(c.symbol, '<' | '>' | '"' | '\'' | '`') || c.style.is_mark()
    };
    let mut length = here.iter().position(stops).unwrap_or(here.len());
    while length > 0 && matches!(here[length - 1].symbol, '.' | ',' | ';' | ':' | '!' | '?' | ')' | ']' | '}')
    {
        length -= 1;
    }
    let text: String = here[..length].iter().map(|c| c.symbol).collect();
    let address = url::Url::parse(&text).ok()?;
    let plain =
        matches!(address.scheme(), "http" | "https") && address.has_host() && address.username().is_empty();
    plain.then(|| (start + length, address.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn render(bytes: &[u8]) -> String {
        let mut terminal = Terminal::new(2);
        let mut html = String::new();
        terminal.feed(bytes, &mut html);
        terminal.finish(&mut html);
        html
    }

    /// The text a reader sees, line numbers taken out.
    fn text(bytes: &[u8]) -> String {
        let html = render(bytes);
        let mut out = String::new();
        for line in html.split("<span class=\"l\"").skip(1) {
            let inner = line.split_once("<span class=\"x\">").unwrap().1;
            let mut inside = false;
            for c in inner.chars() {
                match c {
                    '<' => inside = true,
                    '>' => inside = false,
                    c if !inside => out.push(c),
                    _ => {}
                }
            }
            out.push('\n');
        }
        out
    }

    /// Only the two elements, only our attributes, only harmless addresses; balanced.
    fn check(html: &str) {
        let mut open = Vec::new();
        for tag in html.split('<').skip(1) {
            let (tag, after) = tag.split_once('>').expect("every < is a tag");
            assert!(!after.contains('"') && !after.contains('\''), "unescaped quote in text: {after}");
            match tag {
                "/span" => assert_eq!(open.pop(), Some("span")),
                "/a" => assert_eq!(open.pop(), Some("a")),
                _ if tag.starts_with("span class=\"") => open.push("span"),
                _ if tag.starts_with("a class=\"n\" href=\"#s2-L") => open.push("a"),
                _ => {
                    let address =
                        tag.strip_prefix("a rel=\"noopener noreferrer nofollow\" href=\"").expect(tag);
                    assert!(address.starts_with("http://") || address.starts_with("https://"), "{tag}");
                    assert_eq!(address.matches('"').count(), 1, "{tag}");
                    open.push("a");
                }
            }
        }
        assert!(open.is_empty(), "{open:?} left open in {html}");
        let shown = |c: char| !c.is_control() && !crate::model::is_invisible(c);
        assert!(html.chars().all(shown), "control or invisible character in {html:?}");
    }

    #[test]
    fn hostile_lines_become_text() {
        let long = vec![b'<'; 1 << 20];
        let corpus: &[&[u8]] = &[
            b"<script>alert(1)</script>",
            b"<img src=x onerror=alert(1)>",
            b"\x1b[31m<b>\x1b[0m</b>",
            b"\x1b[31<i>m",
            b"\x1b]8;;javascript:alert(1)\x1b\\click\x1b]8;;\x1b\\",
            b"\x1b]8;;javascript:alert(1)\x07click",
            b"\x1b]0;title never ends",
            b"\x1b[38;5;",
            b"\x1b[38;2;300;-1;9999999999m x",
            b"\x1b[999999999C x",
            b"\x1bP+q544e\x1b\\dcs \x1b_apc\x1b\\ \x1b^pm\x1b\\",
            b"first\rSECOND",
            b"nul \0 bell \x07 del \x7f vt \x0b ff \x0c",
            "bidi \u{202e}gpj.exe \u{2066}x\u{2069}".as_bytes(),
            "zero\u{200b}width \u{feff} \u{e0041} \u{9b}31m".as_bytes(),
            b"\xff\xfe\x80 not utf-8 \xed\xa0\x80",
            b"javascript:alert(1) data:text/html,x vbscript:x",
            b"http://x/\"onmouseover=\"alert(1) http://a'b/ https://user:pw@x/ http://",
            b"https://example.org/a?b=<c>&d=e#f).",
            &long,
        ];
        for line in corpus {
            check(&render(line));
        }
        check(&render(&corpus.join(&b'\n')));
        assert!(render(&long).len() < 300_000, "a line has a longest form");
        assert!(text(b"\x1b]0;never ends\nstill here\n").contains("still here"));
        assert!(!render(b"\x1b]8;;javascript:alert(1)\x07click").contains("javascript"));
        assert!(
            render(b"see https://example.org/x?a=1&b=2.")
                .contains("href=\"https://example.org/x?a=1&amp;b=2\"")
        );
        assert!(text("a\u{202e}b".as_bytes()).contains("a⟨U+202E⟩b"));
    }

    #[test]
    fn lines_are_laid_out_as_a_terminal_does() {
        assert_eq!(text(b"10%\r20%\r100%\n"), "100%\n");
        assert_eq!(text(b"abcdef\rxy\x1b[K\n"), "xy\n");
        assert_eq!(text(b"ab\x08c\r\n\tx\n"), "ac\n        x\n");
        assert!(render(b"\x1b[1;32mok\x1b[0m").contains("<span class=\"o f2\">ok</span>"));
        assert!(render(b"\x1b[38;5;208mx").contains("f208"));
        assert!(render(b"\x1b[38;2;255;135;0mx").contains("f208"), "true colour goes to the nearest");
        assert!(render(b"\x1b[38:2::255:135:0mx").contains("f208"), "and with colons");
        assert!(render(b"\x1b[97;41mx").contains("<span class=\"g15 b1\">x"));
        assert!(render(b"\x1b[31ma\nb\n").matches("f1").count() == 2, "colours go on after the line");
    }

    #[test]
    fn addresses_keep_their_colours() {
        let html = render(b"\x1b[4mhttp://localhost:3000/a\x1b[0m/b, end");
        assert!(html.contains(
            "href=\"http://localhost:3000/a/b\"><span class=\"u\">http://localhost:3000/a</span>/b</a>, end"
        ));
    }

    proptest! {
        #[test]
        fn anything_is_safe_in_any_pieces(
            bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(0x1b), Just(b'['), Just(b'm'), Just(b'\n'), Just(b'\r'), Just(b'<'), Just(b';')], 0..400),
            cut in any::<prop::sample::Index>(),
        ) {
            let whole = render(&bytes);
            check(&whole);
            let (left, right) = bytes.split_at(cut.index(bytes.len() + 1));
            let (mut terminal, mut html) = (Terminal::new(2), String::new());
            terminal.feed(left, &mut html);
            check(&terminal.unfinished());
            // A reader who comes back with the id of the last event gets the rest, and nothing twice.
            let place: Place = terminal.place().to_string().parse().unwrap();
            prop_assert_eq!(place, terminal.place());
            let mut resumed = Terminal::resume(2, place);
            let from = usize::try_from(place.offset).unwrap();
            resumed.feed(&bytes[from..], &mut html);
            resumed.finish(&mut html);
            prop_assert_eq!(&html, &whole);
            terminal.feed(right, &mut String::new());
        }

        #[test]
        fn any_place_is_read_or_refused(text in "\\PC{0,40}") {
            if let Ok(place) = text.parse::<Place>() {
                check(&{ let mut h = String::new(); Terminal::resume(2, place).feed(b"x\n", &mut h); h });
            }
        }
    }
}
