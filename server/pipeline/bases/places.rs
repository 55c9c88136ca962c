//! From what Dockerfiles and compose files say to sites: one for each place that names an image, with its bytes or
//! with why it cannot be pinned.

use std::collections::BTreeMap;

use super::super::finding::shown;
use super::compose::{Service, Value};
use super::dockerfile::{self, Named};
use super::expand::{Known, Problem};
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
    if note.is_none() && value.span.is_none() {
        note = Some(msg!("pin-unreadable", reference = shown(&value.written)));
    }
    Site {
        path: file.path.clone(),
        line: plan.line(file, value.at),
        reference,
        note,
        span: value.span.clone(),
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

pub fn of_dockerfile(file: &SourceFile, (plan, values): (&Plan<'_>, &Values), all: &mut Vec<Site>) {
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
        all.push(Site { path: file.path.clone(), line: 0, reference: file.path.clone(), note, span: None });
    }
    let each: Vec<Vec<Named>> =
        ways.iter().map(|way| dockerfile::look(&file.text, &given(way)).named).collect();
    for (index, named) in by_itself.named.iter().enumerate() {
        if all.len() > MOST_SITES {
            return;
        }
        let in_ways: Vec<(&Way<'_>, &Named)> =
            ways.iter().zip(&each).filter_map(|(way, found)| Some((way, found.get(index)?))).collect();
        of_place(file, (named, &in_ways), (plan, values), all);
    }
}

/// One `FROM`, `COPY` or `RUN`, in each way that it is built.
fn of_place(
    file: &SourceFile,
    (by_itself, ways): (&Named, &[(&Way<'_>, &Named)]),
    (plan, values): (&Plan<'_>, &Values),
    all: &mut Vec<Site>,
) {
    let mut plain = Vec::new();
    for (way, named) in ways {
        let passed = named.argument.as_ref().and_then(|argument| way.arguments.get(argument));
        match passed {
            // The image is decided by what the compose file passes, so it is pinned there.
            Some(value) if named.is_base => all.push(site(way.file, value, (plan, values))),
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
        let line = plan.line(file, named.at);
        all.push(Site { path: file.path.clone(), line, reference, note, span: named.span.clone() });
    }
}
