//! A run as the API shows it. The names here are promises: programs rely on them.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::super::state::Door;
use crate::messages::{self, Language};
use crate::model::{
    BaseImage, Cause, ImageChange, Result, Run, RunImage, StageRecord, Status, StepRecord, UsedBy, UsedImage,
};
use crate::store::{images, runs};

#[derive(Serialize, ToSchema)]
pub struct RunShape {
    pub number: u64,
    pub status: Status,
    pub cause: CauseShape,
    /// Short name of the branch or tag.
    #[serde(rename = "ref")]
    pub reference: String,
    pub commit: String,
    pub inputs: BTreeMap<String, String>,
    pub queued_at: String,
    pub started_at: Option<String>,
    pub finished_at: Option<String>,
    pub stages: Vec<StageShape>,
    pub images: Vec<ImageShape>,
    pub base_images: Vec<BaseShape>,
    /// Why it ended as it did, or what a queued one waits for, in the caller's language.
    pub message: Option<String>,
    /// Why it could not start: what of its definition is not carried out here, and where that stands.
    pub findings: Vec<FindingShape>,
    pub html_url: String,
    /// `owner/name`.
    pub repository: String,
    pub pipeline: String,
    /// Of the definition in the repository.
    pub path: String,
}

#[derive(Serialize, ToSchema)]
pub struct CauseShape {
    /// `push`, `poll`, `person`, `rerun`, `image-change` or `webhook`.
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Of a re-run: the number of the run it repeats.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
    /// Of an image change: the images that moved.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<ChangeShape>,
    /// Of a Docker trigger: its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
    /// And the image that was pushed, `host/repository:tag`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
}

/// One image that moved.
#[derive(Serialize, ToSchema)]
pub struct ChangeShape {
    /// `owner/name:tag` of a stream, or a base as the repository writes it.
    pub watched: String,
    /// `host/repository@sha256:...`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    pub new: String,
}

#[derive(Serialize, ToSchema)]
pub struct StageShape {
    pub name: String,
    pub status: Status,
    pub started_at: Option<String>,
    pub finished_at: Option<String>,
    pub steps: Vec<StepShape>,
}

#[derive(Serialize, ToSchema)]
pub struct StepShape {
    /// First line of the script.
    pub title: String,
    pub status: Status,
    /// `null` until it ended by itself.
    pub exit_code: Option<i64>,
    pub started_at: Option<String>,
    pub finished_at: Option<String>,
    /// Where its output starts in the stage's log, in bytes.
    pub log_from: Option<u64>,
}

#[derive(Serialize, ToSchema)]
pub struct ImageShape {
    pub repository: String,
    pub tag: String,
    pub digest: String,
    /// Name of the stage that pushed it.
    pub stage: String,
    /// Configuration and layers, compressed, in bytes.
    pub size: u64,
    pub labels: BTreeMap<String, String>,
}

#[derive(Serialize, ToSchema)]
pub struct BaseShape {
    /// As the repository writes it.
    pub reference: String,
    /// `host/repository@sha256:...`, what the run uses instead; absent when it could not be pinned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Why it is not pinned, or not for certain, in the caller's language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When the image was made, as its configuration says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made_at: Option<String>,
    /// What steps and containers of compose projects were seen to use of it.
    pub used: Vec<UsedShape>,
}

#[derive(Serialize, ToSchema)]
pub struct UsedShape {
    /// As whoever made the container named it.
    pub image: String,
    /// `repository@sha256:...` as a registry knows it, else the engine's `sha256:...`.
    pub id: String,
    /// `step` or `container`.
    pub by: &'static str,
    /// Whether it is another image than the name meant when the run was queued.
    pub differs: bool,
}

impl UsedShape {
    fn of(used: UsedImage) -> Self {
        let by = match used.by {
            UsedBy::Step => "step",
            UsedBy::Container => "container",
        };
        UsedShape { image: used.image, id: used.id, by, differs: used.differs }
    }
}

impl BaseShape {
    pub fn of(base: BaseImage, language: Language) -> Self {
        BaseShape {
            reference: base.reference,
            pinned: base.pinned,
            digest: base.digest.map(Into::into),
            note: base.note.map(|note| messages::render(language, &note)),
            made_at: base.made_at.map(|at| at.to_string()),
            used: base.used.into_iter().map(UsedShape::of).collect(),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct FindingShape {
    pub path: String,
    /// From 1; 0 where there is no line.
    pub line: u32,
    pub column: u32,
    pub code: String,
    pub message: String,
}

impl RunShape {
    /// With everything that belongs to the run, as it is now.
    pub fn read(door: &Door, run: &Run, language: Language) -> Result<Self> {
        let (stages, images, bases) = door.store.read(|c| {
            Ok((runs::stages(c, run.id)?, images::of_run(c, run.id)?, images::bases(c, run.id)?))
        })?;
        let name_of = |index: u32| stages.iter().find(|s| s.index == index).map(|s| s.name.clone());
        let image = |image: RunImage| ImageShape {
            stage: name_of(image.stage).unwrap_or_default(),
            repository: image.repository,
            tag: image.tag,
            digest: image.digest.to_string(),
            size: image.size,
            labels: image.labels,
        };
        let images = images.into_iter().map(image).collect();
        let mut shape = RunShape::brief(door, run, language);
        shape.images = images;
        shape.base_images = bases.into_iter().map(|base| BaseShape::of(base, language)).collect();
        shape.stages = stages.iter().map(StageShape::of).collect();
        Ok(shape)
    }

    /// Without stages and images, for lists.
    pub fn brief(door: &Door, run: &Run, language: Language) -> Self {
        let finding = |finding: &crate::model::Finding| FindingShape {
            path: finding.path.clone(),
            line: finding.line,
            column: finding.column,
            code: finding.message.key.to_string(),
            message: messages::render(language, &finding.message),
        };
        let waits_for = || (run.status == Status::Queued).then(|| door.engine_trouble()).flatten();
        let message = run.message.clone().or_else(waits_for);
        RunShape {
            number: run.number,
            status: run.status,
            cause: CauseShape::of(&run.cause),
            reference: run.reference.short().to_owned(),
            commit: run.commit.to_string(),
            inputs: run.inputs.clone(),
            queued_at: run.queued_at.to_string(),
            started_at: run.started_at.map(|at| at.to_string()),
            finished_at: run.finished_at.map(|at| at.to_string()),
            stages: Vec::new(),
            images: Vec::new(),
            base_images: Vec::new(),
            message: message.map(|message| messages::render(language, &message)),
            findings: run.findings.iter().map(finding).collect(),
            html_url: url(door, run),
            repository: run.repository.to_string(),
            pipeline: run.pipeline.to_string(),
            path: run.definition_path.clone(),
        }
    }
}

/// The run's page.
pub fn url(door: &Door, run: &Run) -> String {
    format!("{}/{}/pipelines/{}/runs/{}", door.settings.url, run.repository, run.pipeline, run.number)
}

impl CauseShape {
    fn of(cause: &Cause) -> Self {
        let mut shape = CauseShape {
            kind: cause.kind(),
            by: cause.by().map(str::to_owned),
            of: None,
            changes: Vec::new(),
            webhook: None,
            image: None,
        };
        match cause {
            Cause::Rerun { of, .. } => shape.of = Some(*of),
            Cause::ImageChange { changes } => shape.changes = changes.iter().map(ChangeShape::of).collect(),
            Cause::Webhook { webhook, image, .. } => {
                shape.webhook = Some(webhook.clone());
                shape.image = Some(image.clone());
            }
            Cause::Push { .. } | Cause::Poll | Cause::Person { .. } => {}
        }
        shape
    }
}

impl ChangeShape {
    pub fn of(change: &ImageChange) -> Self {
        ChangeShape { watched: change.watched.clone(), old: change.old.clone(), new: change.new.clone() }
    }
}

impl StageShape {
    fn of(stage: &StageRecord) -> Self {
        StageShape {
            name: stage.name.clone(),
            status: stage.status,
            started_at: stage.started_at.map(|at| at.to_string()),
            finished_at: stage.finished_at.map(|at| at.to_string()),
            steps: stage.steps.iter().map(StepShape::of).collect(),
        }
    }
}

impl StepShape {
    fn of(step: &StepRecord) -> Self {
        StepShape {
            title: step.title.clone(),
            status: step.status,
            exit_code: step.exit_code,
            started_at: step.started_at.map(|at| at.to_string()),
            finished_at: step.finished_at.map(|at| at.to_string()),
            log_from: step.log_from,
        }
    }
}
