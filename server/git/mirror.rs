//! Remote repositories, fetched into one of ours by the git program: http and https only, no
//! redirect, no prompt, a time limit; credentials travel in the environment of one child and appear
//! neither in an argument, a file, nor an error text. It never pushes.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::packet::plain_line;
use super::program::{Invocation, reap};
use super::refs;
use super::repositories::{Repositories, set_head};
use crate::model::{CommitId, Error, RefName, RepositoryPath, Result, Secret};
use crate::msg;

/// For asking a remote for its refs, and for fetching what a minute brought.
const ASKING: Duration = Duration::from_secs(30);
/// For the first fetch of a large repository; a stalled one ends after 30 s by `http.lowSpeedTime`.
const FETCHING: Duration = Duration::from_secs(60 * 60);

/// A remote repository's address: `http://` or `https://`, a host, a path; no credentials, query,
/// fragment or shell characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteUrl(String);

impl RemoteUrl {
    /// `Invalid` says what is wrong.
    pub fn new(text: &str) -> Result<Self> {
        let shown = || super::objects::shown(text);
        let invalid = || Error::Invalid(msg!("git-remote-url", url = shown()));
        let lower = text.to_ascii_lowercase();
        if !lower.starts_with("http://") && !lower.starts_with("https://") {
            return Err(Error::Invalid(msg!("git-remote-scheme", url = shown())));
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || b":/.-_~%+,=@[]".contains(&b);
        if text.len() > 2000 || !text.bytes().all(plain) {
            return Err(invalid());
        }
        let url = url::Url::parse(text).map_err(|_| invalid())?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::Invalid(msg!("git-remote-credentials")));
        }
        match url.host() {
            Some(url::Host::Domain(name)) if !name.is_empty() && !name.starts_with('-') => {}
            Some(url::Host::Ipv4(ip))
                if !(ip.is_link_local() || ip.is_unspecified() || ip.is_multicast()) => {}
            Some(url::Host::Ipv6(ip)) if is_addressable(ip) => {}
            _ => return Err(invalid()),
        }
        Ok(RemoteUrl(url.to_string()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Addresses of clouds' metadata services and the like are no repositories.
fn is_addressable(ip: std::net::Ipv6Addr) -> bool {
    let mapped_ok = ip.to_ipv4_mapped().is_none_or(|ip| !ip.is_link_local() && !ip.is_unspecified());
    mapped_ok && !ip.is_unicast_link_local() && !ip.is_unspecified() && !ip.is_multicast()
}

impl std::fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A user and a password or token for HTTP Basic.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub user: String,
    pub password: Secret,
}

/// What a fetch found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// The remote has the refs we have.
    Unchanged,
    Changed,
}

/// One remote, for the length of a fetch.
struct Remote<'a> {
    url: &'a RemoteUrl,
    credentials: Option<&'a Credentials>,
    directory: &'a Path,
}

impl Repositories {
    /// Makes branches and tags of the repository `into` those of the remote; refs that are gone
    /// there go here. An unchanged remote costs one request. `Denied` when it wants other
    /// credentials, `Conflict` with git's reason for anything else.
    pub async fn fetch_remote(
        &self,
        url: &RemoteUrl,
        credentials: Option<&Credentials>,
        into: &RepositoryPath,
    ) -> Result<Fetched> {
        let directory = self.served(into)?;
        let remote = Remote { url, credentials, directory: &directory };
        let theirs = remote.refs().await?;
        let ours = refs::list(&directory)?;
        if ours.skipped.is_empty() && ours.refs == theirs {
            return Ok(Fetched::Unchanged);
        }
        let before = ours;
        self.cleaned().await;
        remote.fetch().await?;
        let now = refs::list(&directory)?;
        remote.choose_head(&now.refs).await?;
        Ok(if now == before { Fetched::Unchanged } else { Fetched::Changed })
    }
}

impl Remote<'_> {
    /// Branches and tags of the remote whose names the house takes.
    async fn refs(&self) -> Result<Vec<(RefName, CommitId)>> {
        let call =
            self.call("ls-remote").option("--heads").option("--tags").option("--refs").option("--quiet");
        let text = self.run(call.data(self.url.as_str()), ASKING).await?;
        let parse = |line: &str| {
            let (id, name) = line.split_once('\t')?;
            Some((RefName::new(name).ok()?, CommitId::new(id).ok()?))
        };
        let found: BTreeMap<RefName, CommitId> = text.lines().filter_map(parse).collect();
        Ok(found.into_iter().collect())
    }

    async fn fetch(&self) -> Result<()> {
        let mut call = self.call("fetch");
        for option in ["--prune", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--quiet"] {
            call = call.option(option);
        }
        call = call.option("--no-recurse-submodules").data(self.url.as_str());
        let call = call.data("+refs/heads/*:refs/heads/*").data("+refs/tags/*:refs/tags/*");
        self.run(call, FETCHING).await.map(drop)
    }

    /// The remote's default branch becomes ours while ours points to nothing.
    async fn choose_head(&self, refs: &[(RefName, CommitId)]) -> Result<()> {
        let has = |name: &RefName| refs.iter().any(|(found, _)| found == name);
        if has(&refs::head(self.directory)?) || refs.is_empty() {
            return Ok(());
        }
        let call = self.call("ls-remote").option("--symref").option("--quiet");
        let text = self.run(call.data(self.url.as_str()).data("HEAD"), ASKING).await?;
        let theirs = text
            .lines()
            .find_map(|line| RefName::new(line.strip_prefix("ref: ")?.strip_suffix("\tHEAD")?).ok());
        let first = || refs.iter().map(|(name, _)| name).find(|name| name.branch_name().is_some()).cloned();
        match theirs.filter(has).or_else(first) {
            Some(branch) => set_head(self.directory, &branch),
            None => Ok(()),
        }
    }

    fn call(&self, subcommand: &'static str) -> Invocation {
        let mut call = Invocation::new(subcommand, self.directory);
        for (key, value) in [
            ("protocol.http.allow", "always"),
            ("protocol.https.allow", "always"),
            ("http.followRedirects", "false"),
            ("http.lowSpeedLimit", "100"),
            ("http.lowSpeedTime", "30"),
            ("credential.helper", ""),
            ("core.askPass", "false"),
        ] {
            call = call.setting(key, value);
        }
        match self.credentials {
            Some(credentials) => call.setting("http.extraHeader", header(credentials)),
            None => call,
        }
    }

    async fn run(&self, call: Invocation, limit: Duration) -> Result<String> {
        let mut child = call.spawn()?;
        let errors = super::program::collect_errors(child.stderr.take());
        let mut stdout = child.stdout.take();
        let mut text = Vec::new();
        let done = tokio::time::timeout(limit, async {
            use tokio::io::AsyncReadExt as _;
            if let Some(stdout) = stdout.as_mut() {
                // A remote with more than 64 MiB of refs is no repository of a small team.
                let _ = stdout.take(64 * 1024 * 1024).read_to_end(&mut text).await;
            }
            child.wait().await
        })
        .await;
        drop(stdout);
        match done {
            Ok(Ok(status)) if status.success() => Ok(String::from_utf8_lossy(&text).into_owned()),
            Ok(_) => Err(self.explain(&errors.await.unwrap_or_default())),
            Err(_) => {
                let _ = child.start_kill();
                reap(&mut child).await;
                Err(Error::Conflict(msg!("git-remote-slow", url = self.url, seconds = limit.as_secs())))
            }
        }
    }

    fn explain(&self, errors: &str) -> Error {
        let errors = self.scrub(errors);
        let refused = ["Authentication failed", "could not read Username", "error: 401", "error: 403"];
        if refused.iter().any(|text| errors.contains(text)) {
            return Error::Denied(msg!("git-remote-denied", url = self.url));
        }
        let wanted = |line: &&str| line.starts_with("fatal: ") || line.starts_with("error: ");
        let line = errors.lines().rfind(wanted).or(errors.lines().last()).unwrap_or_default();
        Error::Conflict(msg!("git-remote-failed", url = self.url, reason = plain_line(line)))
    }

    /// Takes the credentials, in every form git may print them, out of a text.
    fn scrub(&self, text: &str) -> String {
        let Some(credentials) = self.credentials else { return text.to_owned() };
        let password = credentials.password.reveal();
        let encoded: String = url::form_urlencoded::byte_serialize(password.as_bytes()).collect();
        let forms =
            [header(credentials).split_off("Authorization: Basic ".len()), password.to_owned(), encoded];
        let forms = forms.iter().filter(|form| !form.is_empty());
        forms.fold(text.to_owned(), |text, form| text.replace(form.as_str(), "***"))
    }
}

fn header(credentials: &Credentials) -> String {
    let pair = format!("{}:{}", credentials.user, credentials.password.reveal());
    format!("Authorization: Basic {}", STANDARD.encode(pair))
}
