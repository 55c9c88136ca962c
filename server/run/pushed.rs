//! What a stage pushed: its log and the engine give hints, the registry gives the truth.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::House;
use super::workspace::build_tag;
use crate::model::{Digest, Error, Happened, ImageReference, Result, Run, RunImage};
use crate::registry::{Candidate, Patience};
use crate::store::{events, images};

const LONGEST_NAME: usize = 200;

/// A stage whose pushes are asked after.
#[derive(Clone, Copy)]
pub struct Stage<'a> {
    pub index: u32,
    pub since: Timestamp,
    /// Whether every step of it ended with 0: only then does a name without a digest count.
    pub passed: bool,
    /// What its log says.
    pub found: &'a [Candidate],
    pub patience: Patience,
}

/// Asks the registry for everything the stage may have pushed and records what is really there.
/// Returns one line for the log per image that was named but is not there.
///
/// A failure to ask is an error: without an answer nobody may say that the stage passed.
pub async fn record(house: &House, run: &Run, stage: Stage<'_>) -> Result<Vec<String>> {
    let registry = house.registry.with_patience(stage.patience);
    let named: BTreeMap<(String, String), Option<Digest>> =
        stage.found.iter().cloned().map(|c| ((c.repository, c.tag), c.digest)).collect();
    let mut asked: BTreeSet<(String, String)> = hints(house, stage.since).await;
    asked.extend(named.keys().cloned());
    let mut spoken = Spoken::default();
    let mut missing = Vec::new();
    let mut pushed = Vec::new();
    for name in asked {
        let confirmed = registry.confirm(&name.0, &name.1).await?;
        let ours = match (&confirmed, named.get(&name)) {
            (Some(there), _) if there.labels.get("build_tag") == Some(&build_tag(run)) => true,
            // A digest of the log that is not the tag's: somebody has moved the tag since.
            (Some(there), Some(Some(digest))) => there.digest == *digest,
            (Some(_), Some(None)) => stage.passed,
            // The engine tells of everybody's pushes; one that the log does not speak of is not ours.
            (Some(_), None) => stage.passed && spoken.of(house, (run.id, stage.index), &name.0).await?,
            (None, _) => false,
        };
        let (repository, tag) = name.clone();
        match confirmed {
            Some(there) if ours => pushed.push(RunImage {
                run_id: run.id,
                stage: stage.index,
                repository,
                tag,
                digest: there.digest,
                size: there.size,
                labels: there.labels,
                pushed_at: Timestamp::now(),
            }),
            _ if named.contains_key(&name) => missing.push(format!("{repository}:{tag}")),
            _ => {}
        }
    }
    keep(house, run, pushed).await?;
    Ok(missing)
}

/// Which repositories the log names. Each is looked for once, as a log may be a gigabyte.
#[derive(Default)]
struct Spoken(BTreeMap<String, bool>);

impl Spoken {
    async fn of(&mut self, house: &House, (run, stage): (i64, u32), repository: &str) -> Result<bool> {
        if let Some(known) = self.0.get(repository) {
            return Ok(*known);
        }
        // So much of the name as can be searched for.
        let name: String =
            format!("{}/{repository}", house.registry.host()).chars().take(LONGEST_NAME).collect();
        let logs = house.logs.clone();
        let look = tokio::task::spawn_blocking(move || logs.find(run, stage, &name, 1)).await;
        let found = look.map_err(|e| Error::internal("search a log", e))??;
        let spoken = !found.hits.is_empty();
        self.0.insert(repository.to_owned(), spoken);
        Ok(spoken)
    }
}

async fn keep(house: &House, run: &Run, pushed: Vec<RunImage>) -> Result<()> {
    if pushed.is_empty() {
        return Ok(());
    }
    let repository_id = run.repository_id;
    house
        .store
        .write(move |c| {
            for image in &pushed {
                if !images::record(c, image)? {
                    continue;
                }
                let happened = Happened::ImagePushed {
                    run_id: image.run_id,
                    repository: image.repository.clone(),
                    tag: image.tag.clone(),
                    digest: image.digest.clone(),
                };
                events::add(c, Some(repository_id), &happened, image.pushed_at)?;
            }
            Ok(())
        })
        .await
}

/// Pushes to our registry that the engine has seen since the stage began.
async fn hints(house: &House, since: Timestamp) -> BTreeSet<(String, String)> {
    let seen = match house.engine.recent_pushes(since, Timestamp::now()).await {
        Ok(seen) => seen,
        Err(error) => {
            tracing::debug!(%error, "the engine did not tell its pushes");
            Vec::new()
        }
    };
    let ours = |text: &String| {
        let image = ImageReference::parse(text).ok()?;
        (image.host.as_deref() == Some(house.registry.host())).then_some((image.repository, image.tag?))
    };
    seen.iter().filter_map(ours).collect()
}
