//! From what Dockerfiles and compose files say to sites: one for each place that names an image, with its bytes or
//! with why it cannot be pinned.

use std::collections::BTreeMap;
use std::ops::Range;

use super::super::finding::shown;
use super::compose::{Service, Value};
use super::dockerfile::{self, Named, Passed};
use super::expand::{Known, Problem, tail_default};
use super::inline::Inline;
use super::plan::{Plan, Way};
use super::{MOST_SITES, Site, SourceFile};
use crate::model::{ImageReference, Message};
use crate::msg;

/// The reference that came of what is written, or what is written and why nothing came of it.
fn resolved(value: &Result<String, Problem>, written: &str) -> (String, Option<Message>) {
    let note = match value {
        Ok(reference) if ImageReference::parse(reference).is_ok() => return (reference.clone(), None),
        Err(Problem::Later(name)) => msg!("pin-variable-later", name = shown(name)),
        Ok(_) | Err(Problem::Malformed) => msg!("pin-unreadable", reference = shown(written)),
    };
    (shown(written), Some(note))
}

/// What may be changed of a place.
#[derive(Default)]
struct Edit {
    span: Option<Range<usize>>,
    /// Whether only the digest is put behind the span.
    after: bool,
    /// Why nothing may be.
    left: Option<Message>,
}

impl Edit {
    fn none(left: Message) -> Edit {
        Edit { left: Some(left), ..Edit::default() }
    }
}

/// What may be changed where `span` names `reference`: the whole of what is plain, else no more than a default, so that
/// whoever sets the variable still decides, as without pins.
fn edit(
    file: &SourceFile,
    (reference, line): (&str, u32),
    span: Option<Range<usize>>,
    used: &[String],
) -> Edit {
    let Some(text) = span.as_ref().and_then(|span| file.text.get(span.clone())) else {
        return Edit::default();
    };
    if !text.contains('$') {
        return Edit { span, ..Edit::default() };
    }
    let names_host = ImageReference::parse(reference).is_ok_and(|image| image.host.is_some());
    if let (Some(end), true, Some(span)) = (tail_default(text), names_host, &span) {
        return Edit { span: Some(span.start..span.start + end), after: true, left: None };
    }
    let names: Vec<String> = match used {
        [] => text.split('$').skip(1).map(|rest| name(rest).to_owned()).collect(),
        used => used.to_vec(),
    };
    let (names, place) = (shown(&names.join(", ")), format!("{}:{line}", shown(&file.path)));
    Edit { span, after: false, left: Some(msg!("pin-environment", names = names, place = place)) }
}

/// The variable's name behind a dollar.
fn name(text: &str) -> &str {
    let text = text.trim_start_matches('{');
    let end = text.bytes().position(|b| !b.is_ascii_alphanumeric() && b != b'_').unwrap_or(text.len());
    &text[..end]
}

/// Whether a line that names images uses an argument as a part of something: then another default than it was meant for
/// would change that, too.
fn is_part_of_others(text: &str, argument: &str) -> bool {
    let mut goes_on = false;
    let mut counts = false;
    for line in text.lines() {
        let first = line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        if !goes_on {
            counts = matches!(first.as_str(), "FROM" | "ARG");
        }
        goes_on = line.trim_end().ends_with(['\\', '`']);
        if counts
            && line.match_indices('$').any(|(at, _)| name(&line[at + 1..]) == argument && !is_alone(line, at))
        {
            return true;
        }
    }
    false
}

/// Whether the variable at `at` is a word by itself.
fn is_alone(line: &str, at: usize) -> bool {
    let ends = |c: Option<char>| c.is_none_or(|c| c.is_whitespace() || matches!(c, '"' | '\'' | '='));
    let before = line[..at].chars().next_back();
    let rest = &line[at + 1..];
    let length = match rest.strip_prefix('{') {
        Some(inner) => match inner.find('}') {
            Some(end) if inner[name(inner).len()..end].trim_start_matches(':').starts_with(['-', '?']) => {
                end + 2
            }
            Some(end) if name(inner).len() == end => end + 2,
            _ => return false,
        },
        None => name(rest).len(),
    };
    // `ARG OTHER=$NAME` gives it on to another use.
    before != Some('=') && ends(before) && ends(rest[length..].chars().next())
}

/// A value that names an image.
fn site(file: &SourceFile, value: &Value, plan: &Plan<'_>) -> Site {
    let line = plan.line(file, value.at);
    let (reference, note) = resolved(&value.value, &value.written);
    let Edit { span, after, left } = match (&value.from, &value.span) {
        (Some(name), _) => Edit::none(msg!("pin-from-environment", name = shown(name))),
        (None, None) => Edit::none(msg!("pin-not-plain")),
        (None, span) => edit(file, (&reference, line), span.clone(), &value.used),
    };
    Site { path: file.path.clone(), line, reference, note, left, span, after, is_frontend: false }
}

pub fn of_compose(file: &SourceFile, services: &[Service], plan: &Plan<'_>, all: &mut Vec<Site>) {
    for service in services.iter().filter(|service| !plan.is_built(&file.path, &service.name)) {
        all.extend(service.image.as_ref().map(|image| site(file, image, plan)));
    }
}

/// A Dockerfile: a file, or a text within a compose file.
struct Source<'s> {
    file: &'s SourceFile,
    text: &'s str,
    inline: Option<&'s Inline>,
}

impl Source<'_> {
    fn line(&self, plan: &Plan<'_>, at: usize) -> u32 {
        plan.line(self.file, self.inline.map_or(at, |inline| inline.source(at)))
    }

    fn span(&self, span: Option<Range<usize>>) -> Option<Range<usize>> {
        match self.inline {
            Some(inline) => inline.span(span?),
            None => span,
        }
    }
}

pub fn of_dockerfile(file: &SourceFile, plan: &Plan<'_>, all: &mut Vec<Site>) {
    let ways = plan.ways.get(&file.path).map(Vec::as_slice).unwrap_or_default();
    let source = Source { file, text: &file.text, inline: None };
    let by_itself = Passed { arguments: BTreeMap::new(), contexts: plan.contexts_of(&file.path) };
    of_source(&source, (&by_itself, ways), plan, all);
}

/// The Dockerfiles within compose files, and images that are contexts.
pub fn within_compose(plan: &Plan<'_>, all: &mut Vec<Site>) {
    for (inline, way) in &plan.inlines {
        let source = Source { file: plan.inlined(inline), text: &inline.text, inline: Some(inline) };
        let ways = std::slice::from_ref(way);
        of_source(&source, (&Passed::default(), ways), plan, all);
    }
    for image in &plan.contexts {
        all.push(site(plan.file(image), image, plan));
    }
}

fn passed(way: &Way) -> Passed {
    let known = |value: &Value| match &value.value {
        Ok(text) => Known::Set(text.clone()),
        Err(_) => Known::Later,
    };
    let arguments = way.arguments.iter().map(|(name, value)| (name.clone(), known(value))).collect();
    Passed { arguments, contexts: way.contexts.clone() }
}

fn of_source(
    source: &Source<'_>,
    (by_itself, ways): (&Passed, &[Way]),
    plan: &Plan<'_>,
    all: &mut Vec<Site>,
) {
    let by_itself = dockerfile::look(source.text, by_itself);
    if let Some(at) = by_itself.stopped_at {
        let line = source.line(plan, at);
        all.push(Site::of_file(&source.file.path, line, msg!("pin-dockerfile-unreadable")));
    }
    let each: Vec<Vec<Named>> =
        ways.iter().map(|way| dockerfile::look(source.text, &passed(way)).named).collect();
    for (index, named) in by_itself.named.iter().enumerate() {
        if all.len() > MOST_SITES {
            return;
        }
        let in_ways: Vec<(&Way, &Named)> =
            ways.iter().zip(&each).filter_map(|(way, found)| Some((way, found.get(index)?))).collect();
        of_place(source, (named, &in_ways), plan, all);
    }
}

/// One `FROM`, `COPY` or `RUN`, in each way that it is built.
fn of_place(
    source: &Source<'_>,
    (by_itself, ways): (&Named, &[(&Way, &Named)]),
    plan: &Plan<'_>,
    all: &mut Vec<Site>,
) {
    let mut plain = Vec::new();
    for (way, named) in ways {
        let passed = named.argument.as_ref().and_then(|argument| way.arguments.get(argument));
        match passed {
            // The image is decided by what the compose file passes, so it is pinned there.
            Some(value) if named.is_base => all.push(site(plan.file(value), value, plan)),
            Some(_) => {}
            None => plain.push(*named),
        }
    }
    if ways.is_empty() {
        plain.push(by_itself);
    }
    plain.retain(|named| named.is_base);
    let several = plain.iter().any(|named| named.reference != plain[0].reference);
    for named in plain {
        let (reference, mut note) = resolved(&named.reference, &named.written);
        if several {
            note = Some(msg!("pin-several", reference = shown(&named.written)));
        }
        let line = source.line(plan, named.at);
        let path = source.file.path.clone();
        let shared = named.argument.as_ref().filter(|argument| is_part_of_others(source.text, argument));
        let Edit { span, after, left } = match (shared, source.span(named.span.clone())) {
            // The default of an argument stands somewhere else than its use.
            (Some(argument), span) => {
                let (names, place) = (shown(argument), format!("{}:{line}", shown(&path)));
                Edit { span, after: false, left: Some(msg!("pin-environment", names = names, place = place)) }
            }
            (None, None) if !named.is_frontend => Edit::none(msg!("pin-not-plain")),
            (None, span) => edit(source.file, (&reference, line), span, &named.used),
        };
        let is_frontend = named.is_frontend;
        all.push(Site { path, line, reference, note, left, span, after, is_frontend });
    }
}
