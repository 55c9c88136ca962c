//! From what Dockerfiles and compose files say to sites: one for each place that names an image, with its bytes or
//! with why it cannot be pinned.

use std::collections::BTreeMap;
use std::ops::Range;

use super::super::finding::shown;
use super::compose::{Service, Value};
use super::dockerfile::{self, Named, Passed};
use super::expand::{Known, Problem};
use super::inline::Inline;
use super::plan::{Plan, Way};
use super::{MOST_SITES, Site, SourceFile, Values};
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

/// A value that names an image.
fn site(file: &SourceFile, value: &Value, (plan, values): (&Plan<'_>, &Values)) -> Site {
    let (reference, mut note) = resolved(&value.value, &value.written);
    if let Some(name) = values.sets_one_of(&value.used) {
        note = Some(msg!("pin-variable-later", name = shown(name)));
    }
    if let (None, Some(name)) = (&note, &value.from) {
        note = Some(msg!("pin-from-environment", name = shown(name)));
    }
    if note.is_none() && value.span.is_none() {
        note = Some(msg!("pin-unreadable", reference = shown(&value.written)));
    }
    Site {
        path: file.path.clone(),
        line: plan.line(file, value.at),
        reference,
        note,
        span: value.span.clone(),
        is_frontend: false,
    }
}

pub fn of_compose(
    file: &SourceFile,
    services: &[Service],
    (plan, values): (&Plan<'_>, &Values),
    all: &mut Vec<Site>,
) {
    for service in services.iter().filter(|service| !plan.is_built(&file.path, &service.name)) {
        all.extend(service.image.as_ref().map(|image| site(file, image, (plan, values))));
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

pub fn of_dockerfile(file: &SourceFile, (plan, values): (&Plan<'_>, &Values), all: &mut Vec<Site>) {
    let ways = plan.ways.get(&file.path).map(Vec::as_slice).unwrap_or_default();
    let source = Source { file, text: &file.text, inline: None };
    let by_itself = Passed { arguments: BTreeMap::new(), contexts: plan.contexts_of(&file.path) };
    of_source(&source, (&by_itself, ways), (plan, values), all);
}

/// The Dockerfiles within compose files, and images that are contexts.
pub fn within_compose((plan, values): (&Plan<'_>, &Values), all: &mut Vec<Site>) {
    for (inline, way) in &plan.inlines {
        let source = Source { file: plan.inlined(inline), text: &inline.text, inline: Some(inline) };
        let ways = std::slice::from_ref(way);
        of_source(&source, (&Passed::default(), ways), (plan, values), all);
    }
    for image in &plan.contexts {
        all.push(site(plan.file(image), image, (plan, values)));
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
    (plan, values): (&Plan<'_>, &Values),
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
        of_place(source, (named, &in_ways), (plan, values), all);
    }
}

/// One `FROM`, `COPY` or `RUN`, in each way that it is built.
fn of_place(
    source: &Source<'_>,
    (by_itself, ways): (&Named, &[(&Way, &Named)]),
    (plan, values): (&Plan<'_>, &Values),
    all: &mut Vec<Site>,
) {
    let mut plain = Vec::new();
    for (way, named) in ways {
        let passed = named.argument.as_ref().and_then(|argument| way.arguments.get(argument));
        match passed {
            // The image is decided by what the compose file passes, so it is pinned there.
            Some(value) if named.is_base => all.push(site(plan.file(value), value, (plan, values))),
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
        if named.argument.is_none()
            && let Some(name) = values.sets_one_of(&named.used)
        {
            note = Some(msg!("pin-variable-later", name = shown(name)));
        }
        if several {
            note = Some(msg!("pin-several", reference = shown(&named.written)));
        }
        let line = source.line(plan, named.at);
        let span = source.span(named.span.clone());
        if note.is_none() && span.is_none() && !named.is_frontend {
            note = Some(msg!("pin-not-plain"));
        }
        let path = source.file.path.clone();
        all.push(Site { path, line, reference, note, span, is_frontend: named.is_frontend });
    }
}
