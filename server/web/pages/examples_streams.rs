//! The pages of image streams with example data, some of it hostile, for `examples`.

use askama::Template;
use jiff::Timestamp;

use super::streams::{
    ItemLine, NewStream, SetFields, Stream, StreamRow, StreamTag, Streams, TagLine, TagNow, TriggerRow,
};
use super::*;
use crate::model::{Finding, ImageChange};
use crate::msg;

const HOSTILE: &str = "<script>alert('x')</script>\"'& {{7*7}}";
const DIGEST: &str = "sha256:3f1c9a0be5d27c6688a4bb0f5d2a9c11f00d5e3b7a6c4d2e1f0a9b8c7d6e5f40";

fn item(at: Timestamp, by: Option<&str>) -> ItemLine {
    ItemLine {
        reference: format!("registry.local:5000/base/rust@{DIGEST}"),
        digest: DIGEST.into(),
        href: links::image("base/rust", DIGEST),
        created_at: at,
        by: by.map(str::to_owned),
    }
}

fn line(at: Timestamp, tag: &str, hostile: bool) -> TagLine {
    TagLine {
        stream: "admin/base".into(),
        tag: tag.into(),
        item: (!hostile).then(|| item(at, None)),
        source: if hostile { HOSTILE.into() } else { "registry.local:5000/base/rust:1.95".into() },
        importable: true,
        scheduled: hostile,
        local: hostile,
        reference: hostile,
        import_at: hostile.then_some(at),
        condition: hostile.then(|| ("Unreachable".to_owned(), msg!("registry-refused", host = HOSTILE), at)),
    }
}

fn finding() -> Finding {
    let message = msg!("openshift-not-carried-out", key = HOSTILE);
    Finding { path: "YAML".into(), line: 3, column: 5, message }
}

pub fn triggers(at: Timestamp) -> Vec<TriggerRow> {
    let change = ImageChange {
        watched: HOSTILE.into(),
        old: Some(format!("registry.local:5000/base@{DIGEST}")),
        new: HOSTILE.into(),
    };
    vec![
        TriggerRow {
            id: 1,
            from: String::new(),
            from_href: String::new(),
            paused: false,
            last_at: Some(at),
            last: vec![("debian:13".into(), format!("docker.io/library/debian@{DIGEST}"))],
            pending: Vec::new(),
            waits: None,
        },
        TriggerRow {
            id: 2,
            from: "admin/base:1.95".into(),
            from_href: links::stream_tag("admin/base", "1.95"),
            paused: true,
            last_at: None,
            last: Vec::new(),
            pending: vec![change],
            waits: Some(msg!("trigger-waits-image", name = HOSTILE)),
        },
    ]
}

fn new_stream(page: Page, error: bool) -> NewStream {
    NewStream {
        page,
        name: HOSTILE.into(),
        tag: HOSTILE.into(),
        image: HOSTILE.into(),
        scheduled: true,
        local: false,
        yaml: format!("</textarea>{HOSTILE}"),
        error: error.then(|| msg!("streams-exists", name = HOSTILE)),
        findings: if error { vec![finding()] } else { Vec::new() },
        notes: if error { Vec::new() } else { vec![finding()] },
        done: if error {
            Vec::new()
        } else {
            vec![("ImageStream".into(), HOSTILE.into(), msg!("streams-created"))]
        },
    }
}

type Render = fn(Page) -> askama::Result<String>;

pub const PAGES: &[(&str, &str, Render)] = &[
    ("streams", "/image-streams", |page| {
        let at = page.now;
        let row = |name: &str, failed| StreamRow {
            name: name.into(),
            repository: format!("registry.local:5000/{name}"),
            tags: 12,
            moved_at: Some(at),
            failed,
        };
        let rows = vec![row("admin/base", 0), row(HOSTILE, 2)];
        Streams { page, rows, next: Some(links::streams("admin/base")) }.render()
    }),
    ("streams-none", "/image-streams", |page| Streams { page, rows: Vec::new(), next: None }.render()),
    ("stream", "/image-streams/admin/base", |page| {
        let at = page.now;
        Stream {
            page,
            name: "admin/base".into(),
            repository: "registry.local:5000/admin/base".into(),
            created_at: at,
            created_by: "yuna".into(),
            annotations: vec![(HOSTILE.into(), HOSTILE.into())],
            tags: vec![line(at, "1.95", false), line(at, "stable", true)],
            may_change: true,
            error: Some(msg!("streams-tag-not-found", name = HOSTILE)),
            typed: SetFields {
                tag: HOSTILE.into(),
                image: HOSTILE.into(),
                follow: true,
                ..SetFields::default()
            },
        }
        .render()
    }),
    ("stream-tag", "/image-streams/admin/base/tags/1.95", |page| {
        let at = page.now;
        let history = vec![item(at, None), item(at, Some(HOSTILE))];
        let now = TagNow { line: line(at, "1.95", false), history, may_change: true };
        StreamTag { page, as_of: "0.1".into(), now }.render()
    }),
    ("stream-new", "/image-streams/new", |page| new_stream(page, false).render()),
    ("stream-new-refused", "/image-streams/new", |page| new_stream(page, true).render()),
];
