//! The images a Dockerfile names: `FROM` of every stage, `COPY --from`, `RUN --mount=from`. Read with the spans of
//! what is written, so that exactly those bytes can be put differently. It builds nothing and asks nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use parse_dockerfile::{Flag, Instruction, UnescapedString, parse_iter};

use super::expand::{Alone, Dialect, Known, Problem, expand};

/// Most references of one file.
const MOST: usize = 100;
/// Most `ARG`s before the first stage.
const MOST_ARGS: usize = 200;
/// Variables that the builder sets by the platform it builds for.
const PLATFORM: [&str; 8] = [
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETARCH",
    "TARGETVARIANT",
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDARCH",
    "BUILDVARIANT",
];

/// A place where an image is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Offset of what is written, for the line.
    pub at: usize,
    /// As it is written.
    pub written: String,
    pub reference: Result<String, Problem>,
    /// The bytes to replace; `None` when they are not in this file, or not in one piece.
    pub span: Option<Range<usize>>,
    /// The argument that decides alone.
    pub argument: Option<String>,
    /// Variables that take part.
    pub used: Vec<String>,
    /// `false` for a stage of the same file and for `scratch`.
    pub is_base: bool,
}

/// What was found, and whether the file could be read to its end.
#[derive(Debug, Default)]
pub struct Found {
    pub named: Vec<Named>,
    pub whole: bool,
}

/// A value in the text: `ARG NAME=value`.
struct Default {
    value: Result<String, Problem>,
    span: Option<Range<usize>>,
}

struct Reader<'t> {
    text: &'t str,
    given: &'t BTreeMap<String, Known>,
    arguments: BTreeMap<String, Default>,
    stages: BTreeSet<String>,
    found: Found,
}

/// The images of `text`; `given` are build arguments that are known to be passed. The order of what is found does
/// not depend on `given`. What is no Dockerfile names nothing.
pub fn look(text: &str, given: &BTreeMap<String, Known>) -> Found {
    let bom = text.len() - text.strip_prefix('\u{feff}').unwrap_or(text).len();
    let body = &text[bom..];
    // The parser is not ours, and a stranger's text must not end the loop that reads it.
    let read = || {
        let reader = Reader {
            text: body,
            given,
            arguments: BTreeMap::new(),
            stages: BTreeSet::new(),
            found: Found::default(),
        };
        reader.read()
    };
    let mut found = std::panic::catch_unwind(read).unwrap_or_default();
    for named in &mut found.named {
        named.at += bom;
        named.span = named.span.take().map(|span| span.start + bom..span.end + bom);
    }
    found
}

impl Reader<'_> {
    fn read(mut self) -> Found {
        let Ok(instructions) = parse_iter(self.text) else { return self.found };
        self.found.whole = true;
        let mut in_stage = false;
        for instruction in instructions {
            let Ok(instruction) = instruction else {
                self.found.whole = false;
                break;
            };
            if self.found.named.len() >= MOST {
                self.found.whole = false;
                break;
            }
            match instruction {
                Instruction::Arg(arg) if !in_stage => self.arguments(arg.arguments.span),
                Instruction::From(from) => {
                    in_stage = true;
                    self.from(&from.image);
                    if let Some((_, name)) = &from.as_ {
                        self.stages.insert(name.value.to_lowercase());
                    }
                }
                Instruction::Copy(copy) => self.copy(&copy.options),
                Instruction::Run(run) => self.mounts(&run.options),
                _ => {}
            }
        }
        self.found
    }

    fn arguments(&mut self, span: Range<usize>) {
        let Some(raw) = self.text.get(span.clone()) else { return };
        for (start, word) in words(raw) {
            if self.arguments.len() >= MOST_ARGS {
                return;
            }
            let Some((name, value)) = word.split_once('=') else {
                self.arguments
                    .insert(word.to_owned(), Default { value: Err(Problem::Malformed), span: None });
                continue;
            };
            let (from, inner) = unquoted(value);
            let from = span.start + start + name.len() + 1 + from;
            let expanded = expand(inner, Dialect::Dockerfile, &|name| self.known(name));
            let default = Default {
                value: expanded.map(|expanded| expanded.text),
                span: Some(from..from + inner.len()),
            };
            self.arguments.insert(name.to_owned(), default);
        }
    }

    /// What a variable of a `FROM` is.
    fn known(&self, name: &str) -> Known {
        if let Some(given) = self.given.get(name).filter(|_| self.arguments.contains_key(name)) {
            return given.clone();
        }
        match self.arguments.get(name) {
            Some(Default { value: Ok(value), .. }) => Known::Set(value.clone()),
            // Without a default, whoever builds has to pass it.
            Some(Default { value: Err(_), .. }) => Known::Later,
            None if PLATFORM.contains(&name) => Known::Later,
            None => Known::Unset,
        }
    }

    fn from(&mut self, image: &UnescapedString<'_>) {
        let (shift, inner) = unquoted(&image.value);
        let whole = self.text.get(image.span.clone()) == Some(&*image.value);
        let start = image.span.start + shift;
        let written = inner.to_owned();
        let mut named = Named {
            at: image.span.start,
            written: written.clone(),
            reference: Err(Problem::Malformed),
            span: Some(if whole { start..start + inner.len() } else { image.span.clone() }),
            argument: None,
            used: Vec::new(),
            is_base: true,
        };
        match expand(inner, Dialect::Dockerfile, &|name| self.known(name)) {
            Ok(expanded) => {
                match expanded.alone {
                    Some(Alone::Variable(name)) => {
                        named.span = self.arguments.get(&name).and_then(|default| default.span.clone());
                        named.argument = Some(name);
                    }
                    Some(Alone::Default(range)) if whole => {
                        named.span = Some(start + range.start..start + range.end);
                    }
                    Some(Alone::Default(_)) | None => {}
                }
                named.used = expanded.used;
                named.is_base = expanded.text != "scratch" && !self.is_stage(&expanded.text);
                named.reference = Ok(expanded.text);
            }
            Err(problem) => {
                named.span = None;
                named.reference = Err(problem);
            }
        }
        self.found.named.push(named);
    }

    fn is_stage(&self, name: &str) -> bool {
        self.stages.contains(&name.to_lowercase())
    }

    fn copy(&mut self, options: &[Flag<'_>]) {
        for flag in options.iter().filter(|flag| flag.name.value.eq_ignore_ascii_case("from")) {
            if let Some(value) = &flag.value {
                let (shift, inner) = unquoted(&value.value);
                let whole = self.text.get(value.span.clone()) == Some(&*value.value);
                let start = value.span.start + shift;
                let span = if whole { start..start + inner.len() } else { value.span.clone() };
                self.plain(inner.to_owned(), span);
            }
        }
    }

    fn mounts(&mut self, options: &[Flag<'_>]) {
        for flag in options.iter().filter(|flag| flag.name.value.eq_ignore_ascii_case("mount")) {
            let Some(value) = &flag.value else { continue };
            // A value over several lines is not in one piece.
            let whole = self.text.get(value.span.clone()) == Some(&*value.value);
            let mut at = 0;
            for part in value.value.split(',') {
                if let Some(image) = part.strip_prefix("from=").filter(|_| whole) {
                    let start = value.span.start + at + "from=".len();
                    self.plain(image.to_owned(), start..start + image.len());
                }
                at += part.len() + 1;
            }
        }
    }

    /// A reference in which there are no variables: an image, a stage's name or its number.
    fn plain(&mut self, written: String, span: Range<usize>) {
        let is_number = written.bytes().all(|b| b.is_ascii_digit());
        let is_base = !is_number && written != "scratch" && !self.is_stage(&written);
        let reference = if written.contains('$') { Err(Problem::Malformed) } else { Ok(written.clone()) };
        self.found.named.push(Named {
            at: span.start,
            span: reference.is_ok().then_some(span),
            written,
            reference,
            argument: None,
            used: Vec::new(),
            is_base,
        });
    }
}

/// Where the text within matching quotes begins, and that text.
fn unquoted(text: &str) -> (usize, &str) {
    let within = |quote: char| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    match within('"').or_else(|| within('\'')) {
        Some(inner) => (1, inner),
        None => (0, text),
    }
}

/// The words of an instruction with their offsets. Lines that go on are one; quotes keep a word together.
fn words(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut start = None;
    let mut quote = None;
    for (at, c) in text.char_indices() {
        let goes_on =
            matches!(c, '\\' | '`') && text[at + 1..].trim_start_matches([' ', '\t', '\r']).starts_with('\n');
        let ends = quote.is_none() && (c.is_whitespace() || goes_on);
        match (ends, start) {
            (true, Some(from)) => {
                found.push((from, &text[from..at]));
                start = None;
            }
            (false, None) => start = Some(at),
            _ => {}
        }
        match (c, quote) {
            ('"' | '\'', None) if !ends => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            _ => {}
        }
    }
    found.extend(start.map(|from| (from, &text[from..])));
    found
}
