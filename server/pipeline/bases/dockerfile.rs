//! The images a Dockerfile names: `FROM` of every stage, `COPY --from`, `RUN --mount=from`, and the frontend. Read with
//! the spans of what is written, so that exactly those bytes can be put differently. Instructions that name no image
//! are not looked into, so none of them ends the reading. It builds nothing and asks nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::expand::{Alone, Dialect, Known, Problem, expand};
use super::lines::{Line, Lines, directives};
use super::words::{Word, context_key, flags, unquoted, words};

/// Most references of one file.
const MOST: usize = 500;
/// Most `ARG`s before the first stage.
const MOST_ARGS: usize = 500;
/// Stands for what is not known in the name of a stage.
const ANYTHING: &str = "\u{1}";
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
    /// `false` for a stage of the same file, a named context and for `scratch`.
    pub is_base: bool,
    /// It is what the file is built with, not what it is built on.
    pub is_frontend: bool,
}

/// What is passed to a build.
#[derive(Debug, Default)]
pub struct Passed {
    pub arguments: BTreeMap<String, Known>,
    /// Named contexts, by `context_key`.
    pub contexts: BTreeSet<String>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    pub named: Vec<Named>,
    /// Where the reading ended before the file did, or went wrong.
    pub stopped_at: Option<usize>,
}

/// A value in the text: `ARG NAME=value`.
struct Default {
    value: Result<String, Problem>,
    span: Option<Range<usize>>,
}

struct Reader<'t> {
    passed: &'t Passed,
    arguments: BTreeMap<String, Default>,
    /// There are more arguments than are kept.
    has_more: bool,
    stages: BTreeSet<String>,
    found: Found,
}

/// The images of `text`. The order of what is found does not depend on what is passed. What is no Dockerfile names
/// nothing.
pub fn look(text: &str, passed: &Passed) -> Found {
    let mut reader = Reader {
        passed,
        arguments: BTreeMap::new(),
        has_more: false,
        stages: BTreeSet::new(),
        found: Found::default(),
    };
    let directives = directives(text);
    if let Some(span) = directives.syntax {
        reader.frontend(&text[span.clone()], span);
    }
    let mut lines = Lines::of(text, directives.escape);
    let mut in_stage = false;
    for line in &mut lines {
        if reader.found.named.len() >= MOST {
            reader.found.stopped_at = Some(line.source(0..1).start);
            break;
        }
        in_stage |= reader.instruction(&line, in_stage);
    }
    let mut found = reader.found;
    found.stopped_at = found.stopped_at.or(lines.unclosed.first().copied());
    found
}

impl Reader<'_> {
    fn instruction(&mut self, line: &Line, in_stage: bool) -> bool {
        // A line that only goes on may stand before it.
        let start = line.text.len() - line.text.trim_start().len();
        let length = line.text[start..].find(char::is_whitespace).unwrap_or(line.text.len() - start);
        let keyword_end = start + length;
        let (flags, rest) = flags(&line.text, keyword_end);
        match line.text[start..keyword_end].to_ascii_uppercase().as_str() {
            "ARG" if !in_stage => self.arguments(line, keyword_end),
            "FROM" => {
                self.from(line, rest);
                return true;
            }
            "COPY" | "ADD" => {
                for flag in flags.iter().filter(|flag| flag.name.eq_ignore_ascii_case("from")) {
                    let (shift, inner) = unquoted(flag.value.text);
                    let from = flag.value.at + shift;
                    self.plain(inner, line.source(from..from + inner.len()));
                }
            }
            "RUN" => {
                for flag in flags.iter().filter(|flag| flag.name.eq_ignore_ascii_case("mount")) {
                    self.mount(line, &flag.value);
                }
            }
            _ => {}
        }
        false
    }

    fn arguments(&mut self, line: &Line, from: usize) {
        for word in words(&line.text, from) {
            if self.arguments.len() >= MOST_ARGS {
                self.has_more = true;
                return;
            }
            let Some((name, value)) = word.text.split_once('=') else {
                let none = Default { value: Err(Problem::Malformed), span: None };
                self.arguments.insert(word.text.to_owned(), none);
                continue;
            };
            let (shift, inner) = unquoted(value);
            let from = word.at + name.len() + 1 + shift;
            let expanded = expand(inner, Dialect::Dockerfile, &|name| self.known(name));
            let value = expanded.map(|expanded| expanded.text);
            let span = Some(line.source(from..from + inner.len()));
            self.arguments.insert(name.to_owned(), Default { value, span });
        }
    }

    /// What a variable of a `FROM` is.
    fn known(&self, name: &str) -> Known {
        let given = self.passed.arguments.get(name);
        if let Some(given) = given.filter(|_| self.arguments.contains_key(name)) {
            return given.clone();
        }
        match self.arguments.get(name) {
            Some(Default { value: Ok(value), .. }) => Known::Set(value.clone()),
            // Without a default, whoever builds has to pass it.
            Some(Default { value: Err(_), .. }) => Known::Later,
            None if PLATFORM.contains(&name) || self.has_more => Known::Later,
            None => Known::Unset,
        }
    }

    fn from(&mut self, line: &Line, rest: usize) {
        let all = words(&line.text, rest);
        let Some(image) = all.first() else { return };
        let (shift, inner) = unquoted(image.text);
        let start = image.at + shift;
        let mut named = Named {
            at: line.source(image.at..image.at + 1).start,
            written: inner.to_owned(),
            reference: Err(Problem::Malformed),
            span: Some(line.source(start..start + inner.len())),
            argument: None,
            used: Vec::new(),
            is_base: true,
            is_frontend: false,
        };
        match expand(inner, Dialect::Dockerfile, &|name| self.known(name)) {
            Ok(expanded) => {
                match expanded.alone {
                    Some(Alone::Variable(name)) => {
                        named.span = self.arguments.get(&name).and_then(|default| default.span.clone());
                        named.argument = Some(name);
                    }
                    Some(Alone::Default(range)) => {
                        named.span = Some(line.source(start + range.start..start + range.end));
                    }
                    None => {}
                }
                named.used = expanded.used;
                named.is_base = self.is_image(&expanded.text);
                named.reference = Ok(expanded.text);
            }
            Err(problem) => {
                named.is_base = !self.may_be_stage(inner);
                named.span = None;
                named.reference = Err(problem);
            }
        }
        self.found.named.push(named);
        if let [_, keyword, name, ..] = all.as_slice()
            && keyword.text.eq_ignore_ascii_case("as")
        {
            self.stages.insert(name.text.to_lowercase());
        }
    }

    fn is_image(&self, name: &str) -> bool {
        name != "scratch"
            && !self.stages.contains(&name.to_lowercase())
            && !self.passed.contexts.contains(&context_key(name))
    }

    /// Whether a stage is chosen by what only the build knows: `FROM base-$TARGETARCH`. Its images are named where it
    /// is defined.
    fn may_be_stage(&self, word: &str) -> bool {
        let known = |name: &str| match self.known(name) {
            Known::Later => Known::Set(ANYTHING.to_owned()),
            known => known,
        };
        let Ok(expanded) = expand(word, Dialect::Dockerfile, &known) else { return false };
        let text = expanded.text.to_lowercase();
        let parts: Vec<&str> = text.split(ANYTHING).collect();
        let [first, middle @ .., last] = parts.as_slice() else { return false };
        if parts.iter().all(|part| part.is_empty()) {
            return false;
        }
        self.stages.iter().any(|stage| {
            let inner = stage.strip_prefix(first).and_then(|rest| rest.strip_suffix(last));
            let left = middle.iter().try_fold(inner, |rest, part| {
                let rest = rest?;
                Some(rest.find(part).map(|at| &rest[at + part.len()..]))
            });
            left.flatten().is_some()
        })
    }

    fn mount(&mut self, line: &Line, value: &Word<'_>) {
        let (shift, inner) = unquoted(value.text);
        let mut at = value.at + shift;
        for part in inner.split(',') {
            let (shift, field) = unquoted(part);
            if let Some(image) = field.strip_prefix("from=") {
                let (more, image) = unquoted(image);
                let start = at + shift + "from=".len() + more;
                self.plain(image, line.source(start..start + image.len()));
            }
            at += part.len() + 1;
        }
    }

    /// A reference in which there are no variables: an image, a stage's name or its number.
    fn plain(&mut self, written: &str, span: Range<usize>) {
        let is_number = !written.is_empty() && written.bytes().all(|b| b.is_ascii_digit());
        let is_base = !is_number && self.is_image(written);
        let is_plain = !written.contains(['$', '"', '\'', '\\']);
        let reference = if is_plain { Ok(written.to_owned()) } else { Err(Problem::Malformed) };
        self.found.named.push(Named {
            at: span.start,
            span: is_plain.then_some(span),
            written: written.to_owned(),
            reference,
            argument: None,
            used: Vec::new(),
            is_base,
            is_frontend: false,
        });
    }

    /// It is fetched by its name, so nothing is put in its place.
    fn frontend(&mut self, written: &str, span: Range<usize>) {
        self.found.named.push(Named {
            at: span.start,
            span: None,
            written: written.to_owned(),
            reference: Ok(written.to_owned()),
            argument: None,
            used: Vec::new(),
            is_base: true,
            is_frontend: true,
        });
    }
}
