//! Two views of how images lead to runs: the tree of what came of an event, and what stands on an image.

use askama::Template;
use jiff::Timestamp;

use super::registry::{ContainerRow, ImageBrief};
use super::{Page, RunBrief, links};
use crate::model::Message;

/// As deep as the stylesheet shows it.
const DEEPEST: usize = 8;

#[derive(Template)]
#[template(path = "causality.html")]
pub struct Causality {
    pub page: Page,
    pub lines: Vec<CausalLine>,
    /// The page's own address.
    pub here: String,
    /// As of when it is, for `live`.
    pub as_of: String,
    /// Whether something has not ended, so that the page comes again by itself where scripts do not run.
    pub under_way: bool,
}

impl Causality {
    pub(super) fn live_href(&self) -> String {
        format!("{}/live", self.here)
    }
}

/// Of `Causality`, what `live` sends.
#[derive(Template)]
#[template(path = "partials/causal_tree.html")]
pub struct CausalTree<'a> {
    pub page: &'a Page,
    pub lines: &'a [CausalLine],
}

pub struct CausalLine {
    pub depth: usize,
    pub at: Option<Timestamp>,
    /// An icon's name.
    pub icon: &'static str,
    pub what: CausalThing,
}

pub enum CausalThing {
    /// An event, or why nothing came of one; with where to read more.
    Sentence {
        text: Message,
        href: Option<String>,
    },
    Run(Box<RunBrief>),
    Image(ImageBrief),
    /// A stream's tag; whether it names the image still.
    Stream {
        name: String,
        current: bool,
    },
}

impl CausalLine {
    pub(super) fn level(&self) -> usize {
        self.depth.min(DEEPEST)
    }
}

#[derive(Template)]
#[template(path = "impact.html")]
pub struct ImpactPage {
    pub page: Page,
    /// What was asked.
    pub image: String,
    /// Why there is no answer.
    pub error: Option<Message>,
    pub pipelines: Vec<StandingRow>,
    pub digests: Vec<DigestView>,
}

pub struct StandingRow {
    pub repository: String,
    pub pipeline: String,
    /// As the repository writes it; empty for one that only watches the stream.
    pub reference: String,
    pub places: Vec<String>,
}

impl StandingRow {
    pub(super) fn href(&self) -> String {
        links::pipeline(&self.repository, &self.pipeline)
    }
}

pub struct DigestView {
    pub digest: String,
    pub current: bool,
    pub made_by: Option<RunBrief>,
    /// Tags of streams, and whether they name it still.
    pub streams: Vec<(String, bool)>,
    pub runs: Vec<RunBrief>,
    pub images: Vec<ImageBrief>,
    pub containers: Vec<ContainerRow>,
}

impl DigestView {
    pub(super) fn short_digest(&self) -> &str {
        self.digest.strip_prefix("sha256:").and_then(|hex| hex.get(..12)).unwrap_or(&self.digest)
    }
    pub(super) fn is_bare(&self) -> bool {
        self.runs.is_empty() && self.images.is_empty() && self.containers.is_empty()
    }
}
