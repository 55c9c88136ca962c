//! What a stage pushed. Its log and the engine's events are hints, and a step can print anything: an image is the run's
//! only when its own label names the run, or when a system that took part says that this tag got this digest while the
//! stage went on (`Proof`). What is named in the log and cannot be shown is not recorded, and the log says so.
//!
//! As long as all runs use one registry without credentials of their own, a step that prints another's digest while that
//! other pushes just that tag is believed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::House;
use super::builtin::build_tag;
use super::proof::{Proof, Window};
use crate::model::{Digest, Error, Happened, ImageReference, Message, Result, Run, RunImage};
use crate::msg;
use crate::registry::{Candidate, Confirmed, Patience};
use crate::store::{events, images};

const LONGEST_NAME: usize = 200;
/// The label that names the run an image was built by.
const BUILD_TAG: &str = "build_tag";

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

type Name = (String, String);

/// Asks the registry for everything the stage may have pushed and records what is really there and the stage's own.
/// Returns a sentence for the log for each image that was named and is not recorded.
///
/// A failure to ask is an error: without an answer nobody may say that the stage passed.
pub async fn record(house: &House, run: &Run, stage: Stage<'_>) -> Result<Vec<Message>> {
    let named: BTreeMap<Name, Option<Digest>> =
        stage.found.iter().cloned().map(|c| ((c.repository, c.tag), c.digest)).collect();
    let window = Window { since: stage.since, run_since: run.started_at.unwrap_or(stage.since) };
    let mut proof = Proof::new(house, window, hints(house, stage.since).await);
    let asked: BTreeSet<Name> = proof.seen_at_engine().chain(named.keys()).cloned().collect();
    let mut judge = Judge { house, run, stage, spoken: Spoken::default() };
    let mut sentences = Vec::new();
    let mut pushed = Vec::new();
    for name in asked {
        let said = named.get(&name);
        let found = judge.find(&mut proof, &name, said.and_then(Option::as_ref)).await?;
        let ours = match &found {
            Some(there) => judge.is_ours(&mut proof, (&name, said), there).await?,
            None => false,
        };
        let (repository, tag) = name;
        let image = format!("{repository}:{tag}");
        match found {
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
            None if said.is_some() => sentences.push(msg!("run-image-missing", image = image)),
            Some(_) if said.is_some() => sentences.push(msg!("run-image-unproved", image = image)),
            _ => {}
        }
    }
    keep(house, run, pushed).await?;
    Ok(sentences)
}

/// Decides for one stage.
struct Judge<'a> {
    house: &'a House,
    run: &'a Run,
    stage: Stage<'a>,
    spoken: Spoken,
}

impl Judge<'_> {
    /// The image to be judged: the one with the digest that the tool said, else the one that the engine pushed, else
    /// what the tag names now. A tag may have been moved by somebody else since.
    async fn find(
        &self,
        proof: &mut Proof<'_>,
        (repository, tag): &Name,
        said: Option<&Digest>,
    ) -> Result<Option<Confirmed>> {
        let registry = self.house.registry.with_patience(self.stage.patience);
        let now = registry.confirm(repository, tag).await?;
        let is_now = |digest: &Digest| now.as_ref().is_some_and(|now| now.digest == *digest);
        let wanted = match said {
            Some(digest) => digest.clone(),
            None => {
                let local = proof.at_engine(repository, tag).await;
                match local {
                    [] => return Ok(now),
                    all if all.iter().any(is_now) => return Ok(now),
                    [one] => one.clone(),
                    _ => return Ok(None),
                }
            }
        };
        if is_now(&wanted) { Ok(now) } else { registry.confirm(repository, wanted.as_str()).await }
    }

    async fn is_ours(
        &mut self,
        proof: &mut Proof<'_>,
        (name, said): (&Name, Option<&Option<Digest>>),
        there: &Confirmed,
    ) -> Result<bool> {
        let label = there.labels.get(BUILD_TAG);
        if label == Some(&build_tag(self.run)) {
            return Ok(true);
        }
        let with_digest = matches!(said, Some(Some(_)));
        // Without a digest only a step that ended well says that the push was completed.
        if !with_digest && !self.stage.passed {
            return Ok(false);
        }
        // The engine tells of everybody's pushes; one that the log does not speak of is not ours.
        if said.is_none() && !self.spoken.of(self.house, (self.run.id, self.stage.index), name).await? {
            return Ok(false);
        }
        if label.is_some() && (!with_digest || self.is_of_another(&there.digest)?) {
            return Ok(false);
        }
        proof.of(name, there, with_digest).await
    }

    /// Whether another run has pushed this very image. A label may also come from the image it was built on.
    fn is_of_another(&self, digest: &Digest) -> Result<bool> {
        let run = self.run.id;
        let all = self.house.store.read(|c| images::by_digest(c, digest))?;
        Ok(all.iter().any(|image| image.run_id != run))
    }
}

/// Which tags the log names. Each is looked for once, as a log may be a gigabyte.
#[derive(Default)]
struct Spoken(BTreeMap<Name, bool>);

impl Spoken {
    async fn of(&mut self, house: &House, (run, stage): (i64, u32), name: &Name) -> Result<bool> {
        if let Some(known) = self.0.get(name) {
            return Ok(*known);
        }
        let (repository, tag) = name;
        let whole = format!("{}/{repository}:{tag}", house.registry.host());
        let logs = house.logs.clone();
        let look = tokio::task::spawn_blocking(move || {
            // So much of the name as can be searched for.
            let query: String = whole.chars().take(LONGEST_NAME).collect();
            let found = logs.find(run, stage, &query, MOST_HITS)?;
            for hit in found.hits {
                let after = logs.read(run, stage, hit.offset, whole.len() + 1)?;
                if ends_there(&after, whole.as_bytes()) {
                    return Ok(true);
                }
            }
            Ok::<_, Error>(false)
        });
        let spoken = look.await.map_err(|e| Error::internal("search a log", e))??;
        self.0.insert(name.clone(), spoken);
        Ok(spoken)
    }
}

/// Lines in which a name is looked for in its whole length.
const MOST_HITS: usize = 100;

/// Whether `text` begins with `name` and goes on with something that no tag has in it: `:1` is not `:10`.
fn ends_there(text: &[u8], name: &[u8]) -> bool {
    let more = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    text.len() >= name.len()
        && text[..name.len()].eq_ignore_ascii_case(name)
        && !text.get(name.len()).is_some_and(more)
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
async fn hints(house: &House, since: Timestamp) -> BTreeSet<Name> {
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

#[cfg(test)]
mod tests {
    use super::ends_there;

    #[test]
    fn a_name_is_spoken_of_in_its_whole_length() {
        let name = b"registry.local:5000/a/b:1";
        for text in
            ["registry.local:5000/a/b:1", "registry.local:5000/a/b:1 done", "registry.local:5000/a/b:1\n"]
        {
            assert!(ends_there(text.as_bytes(), name), "{text}");
        }
        for text in ["registry.local:5000/a/b:10", "registry.local:5000/a/b:1-x", "registry.local:5000/a/b:"]
        {
            assert!(!ends_there(text.as_bytes(), name), "{text}");
        }
    }
}
