//! What a run was pinned to when it was queued, put to use: step images, the names in Dockerfiles and compose files
//! of the workspace, and the environment. It asks no registry: another image than the recorded one never counts.

use std::collections::BTreeMap;
use std::path::Path;

use super::House;
use super::restore::Written;
use crate::git::OpenRepository;
use crate::model::{BaseImage, Cause, Definition, ImageReference, Message, Result, Run};
use crate::msg;
use crate::pipeline::bases::{self, Pins as ByReference, Sources, Values};
use crate::store::{images, runs};

/// The name that OpenShift's custom builders know.
const CUSTOM_BASE: &str = "OPENSHIFT_CUSTOM_BUILD_BASE_IMAGE";
/// How far re-runs of re-runs are followed to what started the first of them.
const MOST_RERUNS: usize = 100;

pub struct Pins {
    bases: Vec<BaseImage>,
    by_reference: ByReference,
    /// `BASE_IMAGE_*`.
    variables: BTreeMap<String, String>,
    /// The base whose move started the run, else its first.
    custom: Option<String>,
}

impl Pins {
    pub fn read(house: &House, run: &Run) -> Result<Pins> {
        let (bases, cause) = house.store.read(|c| {
            let mut first = run.cause.clone();
            for _ in 0..MOST_RERUNS {
                let Cause::Rerun { of, .. } = first else { break };
                let Some(before) = runs::by_number(c, run.pipeline_id, of)? else { break };
                first = before.cause;
            }
            Ok((images::bases(c, run.id)?, first))
        })?;
        let pinned = |base: &BaseImage| Some((base.reference.clone(), base.pinned.clone()?));
        let by_reference: ByReference = bases.iter().filter_map(pinned).collect();
        let moved = match cause {
            Cause::ImageChange { changes } => changes.into_iter().next().map(|change| change.new),
            _ => None,
        };
        let custom = moved.or_else(|| bases.iter().find_map(|base| base.pinned.clone()));
        let variables = variables(by_reference.values());
        Ok(Pins { bases, by_reference, variables, custom })
    }

    /// What a step's image is pinned to.
    pub fn image(&self, reference: &str) -> Option<String> {
        self.by_reference.get(reference).cloned()
    }

    /// As they were recorded.
    pub fn bases(&self) -> &[BaseImage] {
        &self.bases
    }

    /// Names and what they are pinned to.
    pub fn names(&self) -> impl Iterator<Item = (String, String)> {
        self.by_reference.clone().into_iter()
    }

    /// For the environment, below whatever the definition says.
    pub fn variables(&self) -> impl Iterator<Item = (String, String)> {
        self.variables.clone().into_iter()
    }

    /// For the environment, above whatever the definition says.
    pub fn overwrite(&self, environment: &mut BTreeMap<String, String>) {
        if let Some(custom) = &self.custom {
            environment.insert(CUSTOM_BASE.to_owned(), custom.clone());
        }
    }

    /// One sentence per base, for the log.
    pub fn sentences(&self) -> impl Iterator<Item = Message> {
        self.bases.iter().filter_map(|base| {
            let pinned = base.pinned.as_ref().filter(|pinned| **pinned != base.reference)?;
            Some(msg!("run-base-pinned", reference = base.reference, pinned = pinned))
        })
    }

    /// Rewrites the workspace's files as it was checked out; no step has begun yet.
    pub async fn apply(
        &self,
        house: &House,
        (run, definition): (&Run, &Definition),
        root: &Path,
    ) -> Result<Written> {
        let (definition, inputs) = (definition.clone(), run.inputs.clone());
        let host = house.settings.addresses.registry_host.clone();
        let (commit, pins, root) = (run.commit.clone(), self.by_reference.clone(), root.to_owned());
        let rewrite = move |open: &OpenRepository| {
            let read = |paths: (&[String], &[String])| open.candidates(&commit, paths, bases::is_candidate);
            let scripts = bases::scripts(open.candidates(&commit, bases::EVERYWHERE, bases::is_script)?);
            let values = Values::of(&definition, &inputs, &host, &scripts);
            let files = if pins.is_empty() { Vec::new() } else { Sources::gather(&values, &read)?.files };
            Written::pin(root, files, values, pins)
        };
        house.git.read(&run.repository, rewrite).await
    }
}

/// `BASE_IMAGE_DEBIAN` and so on; the second of a name is `BASE_IMAGE_DEBIAN_2`.
fn variables<'a>(pinned: impl Iterator<Item = &'a String>) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for reference in pinned {
        let Ok(image) = ImageReference::parse(reference) else { continue };
        let last = image.repository.rsplit('/').next().unwrap_or_default();
        let upper = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
        let name = format!("BASE_IMAGE_{}", last.chars().map(upper).collect::<String>());
        if all.values().any(|known| known == reference) {
            continue;
        }
        let free = (1..=all.len() + 1).map(|n| if n == 1 { name.clone() } else { format!("{name}_{n}") });
        if let Some(name) = free.into_iter().find(|name| !all.contains_key(name)) {
            all.insert(name, reference.clone());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases_get_names_of_their_own() {
        let digest = |n: u8| format!("sha256:{}", n.to_string().repeat(64));
        let all = [
            format!("registry.local:5000/library/debian@{}", digest(1)),
            format!("other.local/my/debian@{}", digest(2)),
            format!("other.local/my/node-20.slim@{}", digest(3)),
            format!("registry.local:5000/library/debian@{}", digest(1)),
        ];
        let found = variables(all.iter());
        let names: Vec<_> = found.keys().map(String::as_str).collect();
        assert_eq!(names, ["BASE_IMAGE_DEBIAN", "BASE_IMAGE_DEBIAN_2", "BASE_IMAGE_NODE_20_SLIM"]);
    }
}
