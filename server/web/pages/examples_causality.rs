//! Examples of the pages about what led to what, for `examples`.

use askama::Template;

use super::causality::{CausalLine, CausalThing, Causality, DigestView, ImpactPage, StandingRow};
use super::examples::{DIGEST, HOSTILE, ago, run};
use super::registry::{ContainerRow, ImageBrief};
use super::*;
use crate::msg;

fn image() -> ImageBrief {
    ImageBrief {
        repository: "numbers/api".into(),
        tag: HOSTILE.into(),
        digest: DIGEST.into(),
        size: 1,
        stage: String::new(),
    }
}

pub fn causality(page: Page) -> askama::Result<String> {
    let sentence = |href: Option<&str>| CausalThing::Sentence {
        text: msg!("name-reserved", name = HOSTILE),
        href: href.map(str::to_owned),
    };
    let all = [
        sentence(Some("/x")),
        CausalThing::Run(Box::new(run(128, Status::Passed))),
        CausalThing::Image(image()),
        CausalThing::Stream { name: HOSTILE.into(), current: false },
        sentence(None),
    ];
    let line = |(depth, what)| CausalLine {
        depth: depth * 4,
        at: (depth != 3).then(|| ago(60)),
        icon: "image",
        what,
    };
    let lines = all.into_iter().enumerate().map(line).collect();
    let here = links::run_causality("admin/numbers", HOSTILE, 1);
    Causality { page, lines, here, as_of: "0.1".into(), under_way: true }.render()
}

pub fn impact(page: Page) -> askama::Result<String> {
    let container = ContainerRow {
        name: HOSTILE.into(),
        id: "0123456789ab".into(),
        image: HOSTILE.into(),
        state: "running".into(),
    };
    let digest = |current, containers| DigestView {
        digest: DIGEST.into(),
        current,
        made_by: current.then(|| run(7, Status::Passed)),
        streams: vec![(HOSTILE.into(), current)],
        runs: if current { vec![run(8, Status::Failed)] } else { vec![] },
        images: if current { vec![image()] } else { vec![] },
        containers,
    };
    let row = |reference: &str| StandingRow {
        repository: "admin/numbers".into(),
        pipeline: HOSTILE.into(),
        reference: reference.into(),
        places: vec!["Dockerfile:1".into(), HOSTILE.into()],
    };
    ImpactPage {
        page,
        image: HOSTILE.into(),
        error: Some(msg!("web-impact-unknown", image = HOSTILE)),
        pipelines: vec![row("debian:12"), row("")],
        digests: vec![digest(true, vec![container]), digest(false, vec![])],
    }
    .render()
}
