//! From what Dockerfiles and compose files say to sites: one for each place that names an image, with its bytes or
//! with why it cannot be pinned.

use std::collections::BTreeMap;
use std::ops::Range;

use super::super::finding::shown;
use super::compose::{Service, Value};
use super::dockerfile::{self, Named};
use super::expand::{Known, Problem, tail_default};
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
    let (reference, mut note) = resolved(&value.value, &value.written);
    if note.is_none() && value.span.is_none() {
        note = Some(msg!("pin-unreadable", reference = shown(&value.written)));
    }
    let Edit { span, after, left } = edit(file, (&reference, line), value.span.clone(), &value.used);
    Site { path: file.path.clone(), line, reference, note, left, span, after }
}

pub fn of_compose(file: &SourceFile, services: &[Service], plan: &Plan<'_>, all: &mut Vec<Site>) {
    for service in services.iter().filter(|service| !plan.is_built(&file.path, &service.name)) {
        all.extend(service.image.as_ref().map(|image| site(file, image, plan)));
    }
}

pub fn of_dockerfile(file: &SourceFile, plan: &Plan<'_>, all: &mut Vec<Site>) {
    let plain = Vec::new();
    let ways = plan.ways.get(&file.path).unwrap_or(&plain);
    let given = |way: &Way<'_>| -> BTreeMap<String, Known> {
        let known = |value: &Value| match &value.value {
            Ok(text) => Known::Set(text.clone()),
            Err(_) => Known::Later,
        };
        way.arguments.iter().map(|(name, value)| (name.clone(), known(value))).collect()
    };
    let by_itself = dockerfile::look(&file.text, &BTreeMap::new());
    if !by_itself.whole && !by_itself.named.is_empty() {
        let note = Some(msg!("pin-dockerfile-unreadable"));
        all.push(Site { path: file.path.clone(), reference: file.path.clone(), note, ..Site::default() });
    }
    let each: Vec<Vec<Named>> =
        ways.iter().map(|way| dockerfile::look(&file.text, &given(way)).named).collect();
    for (index, named) in by_itself.named.iter().enumerate() {
        if all.len() > MOST_SITES {
            return;
        }
        let in_ways: Vec<(&Way<'_>, &Named)> =
            ways.iter().zip(&each).filter_map(|(way, found)| Some((way, found.get(index)?))).collect();
        of_place(file, (named, &in_ways), plan, all);
    }
}

/// One `FROM`, `COPY` or `RUN`, in each way that it is built.
fn of_place(
    file: &SourceFile,
    (by_itself, ways): (&Named, &[(&Way<'_>, &Named)]),
    plan: &Plan<'_>,
    all: &mut Vec<Site>,
) {
    let mut plain = Vec::new();
    for (way, named) in ways {
        let passed = named.argument.as_ref().and_then(|argument| way.arguments.get(argument));
        match passed {
            // The image is decided by what the compose file passes, so it is pinned there.
            Some(value) if named.is_base => all.push(site(way.file, value, plan)),
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
        let line = plan.line(file, named.at);
        // The default of an argument stands somewhere else than its use.
        let shared = named.argument.as_ref().filter(|argument| is_part_of_others(&file.text, argument));
        let Edit { span, after, left } = match shared {
            Some(argument) => {
                let (names, place) = (shown(argument), format!("{}:{line}", shown(&file.path)));
                let left = Some(msg!("pin-environment", names = names, place = place));
                Edit { span: named.span.clone(), after: false, left }
            }
            None => edit(file, (&reference, line), named.span.clone(), &named.used),
        };
        if note.is_none() && left.is_none() && span.is_none() {
            note = Some(msg!("pin-unreadable", reference = shown(&named.written)));
        }
        all.push(Site { path: file.path.clone(), line, reference, note, left, span, after });
    }
}
