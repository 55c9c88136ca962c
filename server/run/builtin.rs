//! What a run says of itself to its steps, and how the house is reached from inside and outside of them. It makes
//! nothing and reads nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::workspace::Workspace;
use crate::model::{RepositoryPath, Run};

/// What the run's steps see as `BUILD_TAG`, and what its images carry as a label.
pub fn build_tag(run: &Run) -> String {
    format!("ropewalk-{}-{}-{}-{}", run.repository.owner, run.repository.name, run.pipeline, run.number)
}

/// The variables every step has without anybody setting them, but for `STAGE_NAME`.
pub fn builtin(run: &Run, workspace: &Workspace, addresses: &Addresses) -> BTreeMap<String, String> {
    let number = run.number.to_string();
    let page = format!("{}/{}/pipelines/{}/runs/{}", addresses.url, run.repository, run.pipeline, run.number);
    let mut all = BTreeMap::from([
        ("BUILD_ID", number.clone()),
        ("BUILD_NUMBER", number),
        ("BUILD_TAG", build_tag(run)),
        ("BUILD_URL", page),
        ("CI", "true".into()),
        ("GIT_BRANCH", run.reference.short().to_owned()),
        ("GIT_COMMIT", run.commit.to_string()),
        ("GIT_URL", git_url(run, addresses)),
        ("JOB_NAME", format!("{}/{}", run.repository, run.pipeline)),
        ("NODE_NAME", "ropewalk".into()),
        ("REGISTRY", addresses.registry_host.clone()),
        ("WORKSPACE", workspace.root.to_string_lossy().into_owned()),
        ("HOME", workspace.home.to_string_lossy().into_owned()),
        ("COMPOSE_PROJECT_NAME", workspace.name.clone()),
    ]);
    if let Some(branch) = run.reference.branch_name() {
        all.insert("BRANCH_NAME", branch.to_owned());
    }
    if let Some(tag) = run.reference.tag_name() {
        all.insert("TAG_NAME", tag.to_owned());
        all.insert("BRANCH_NAME", tag.to_owned());
    }
    all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// How the house is reached from outside.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// Base URL of the dashboard without a trailing slash.
    pub url: String,
    /// The same by other names.
    pub other_urls: Vec<String>,
    /// `registry.local:5000`.
    pub registry_host: String,
}

impl Addresses {
    /// Ports of the host at which the house and its registry answer people who call them `localhost`.
    pub fn loopback_ports(&self) -> Vec<u16> {
        let registry = format!("http://{}", self.registry_host);
        let here = |address: &str| {
            let url = url::Url::parse(address).ok()?;
            let is_here = match url.host()? {
                url::Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
                url::Host::Ipv4(ip) => ip.is_loopback(),
                url::Host::Ipv6(ip) => ip.is_loopback(),
            };
            url.port_or_known_default().filter(|_| is_here)
        };
        let all = [&self.url, &registry].into_iter().chain(&self.other_urls);
        all.filter_map(|address| here(address)).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// What `git clone` takes, and what the workspace's `origin` is.
pub fn git_url(run: &Run, addresses: &Addresses) -> String {
    git_url_of(&run.repository, addresses)
}

pub fn git_url_of(repository: &RepositoryPath, addresses: &Addresses) -> String {
    format!("{}/{repository}.git", addresses.url)
}
