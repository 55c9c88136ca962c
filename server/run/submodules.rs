//! Submodules of the workspace: those that are repositories of this server, hosted or mirrors of remote ones, are laid at
//! the commit that is recorded for them. Only what everybody may read, or what belongs to the same owner, so that a
//! `.gitmodules` gives nobody another's files. What is not filled in is said with the reason, never left out in silence.

use std::collections::VecDeque;
use std::path::PathBuf;

use super::House;
use super::workspace::git_url_of;
use crate::git::{Head, Laid, Submodule};
use crate::model::{CommitId, Error, Message, OwnerName, RepositoryPath, Result, Run};
use crate::msg;
use crate::store::repositories::{self, Repository};

/// How deep submodules of submodules go, and how many there may be together.
const DEEPEST: usize = 5;
const MOST: usize = 50;

/// A repository that is laid out and whose submodules are to be.
struct Parent {
    repository: RepositoryPath,
    commit: CommitId,
    /// Where it lies.
    folder: PathBuf,
    /// Below the workspace, for messages.
    shown: String,
    depth: usize,
}

/// Fills in what can be; returns a sentence for each that is not, and for what `Laid::finish` says of the others.
pub async fn fill_in(house: &House, run: &Run, laid: &Laid) -> Result<Vec<Message>> {
    let mut notes = Vec::new();
    if !laid.has_submodules() {
        return Ok(notes);
    }
    let first = Parent {
        repository: run.repository.clone(),
        commit: run.commit.clone(),
        folder: laid.folder().to_owned(),
        shown: String::new(),
        depth: 1,
    };
    let of_run = of(house, &first, laid)?;
    let mut waiting: VecDeque<(Parent, Vec<Submodule>)> = VecDeque::from([(first, of_run)]);
    let mut count = 0;
    while let Some((parent, modules)) = waiting.pop_front() {
        for module in modules {
            let path = format!("{}{}", parent.shown, module.path);
            count += 1;
            if count > MOST || parent.depth > DEEPEST {
                notes.push(msg!("run-submodules-many", path = path, most = MOST, deepest = DEEPEST));
                return Ok(notes);
            }
            match lay(house, (&parent, &module)).await {
                Ok((child, laid)) => {
                    let modules = of(house, &child, &laid)?;
                    notes.extend(laid.finish().await?);
                    waiting.push_back((child, modules));
                }
                // A disk that is full fails the run; an address or a commit that is not here does not.
                Err(error) => {
                    let reason = error.message().cloned().ok_or(error)?;
                    notes.push(msg!("run-submodule-empty", path = path, reason = house.words(&reason)));
                }
            }
        }
    }
    Ok(notes)
}

fn of(house: &House, parent: &Parent, laid: &Laid) -> Result<Vec<Submodule>> {
    if !laid.has_submodules() {
        return Ok(Vec::new());
    }
    let open = house.git.open(&parent.repository)?;
    open.submodules(&parent.commit, laid)
}

async fn lay(house: &House, (parent, module): (&Parent, &Submodule)) -> Result<(Parent, Laid)> {
    let repository = source(house, &parent.repository, module)?;
    let addresses = &house.settings.addresses;
    // HEAD is detached, as `git submodule update` leaves it.
    let head = Head::detached(git_url_of(&repository.path, addresses));
    let folder = parent.folder.join(&module.path);
    let known = house.git.read(&repository.path, {
        let commit = module.commit.clone();
        move |open| open.has_commit(&commit)
    });
    if !known.await? {
        return Err(Error::NotFound(msg!(
            "run-submodule-commit",
            repository = repository.path,
            commit = module.commit
        )));
    }
    let laid = house.git.checkout(&repository.path, &module.commit, &folder, &head).await?;
    let child = Parent {
        repository: repository.path,
        commit: module.commit.clone(),
        folder,
        shown: format!("{}{}/", parent.shown, module.path),
        depth: parent.depth + 1,
    };
    Ok((child, laid))
}

/// The repository of this server that the submodule's address means.
fn source(house: &House, parent: &RepositoryPath, module: &Submodule) -> Result<Repository> {
    let Some(url) = &module.url else {
        return Err(Error::NotFound(msg!("run-submodule-unnamed")));
    };
    let elsewhere = || Error::NotFound(msg!("run-submodule-elsewhere", url = url));
    let known = house.store.read(|c| {
        let of_parent = repositories::by_path(c, parent)?;
        let remote = of_parent.and_then(|parent| parent.remote).map(|remote| remote.url);
        let addresses = &house.settings.addresses;
        let own: Vec<&str> =
            std::iter::once(&addresses.url).chain(&addresses.other_urls).map(String::as_str).collect();
        let means = meaning(url, parent, remote.as_deref(), &own);
        let path = match means {
            Some(Meaning::Here(path)) => return repositories::by_path(c, &path),
            Some(Meaning::There(url)) => url,
            None => return Ok(None),
        };
        // A mirror of that address; one of the same owner before others'.
        let mut all = repositories::all(c)?;
        all.retain(|one| one.remote.as_ref().is_some_and(|remote| same(&remote.url, &path)));
        all.sort_by_key(|one| (!may_read(&parent.owner, one), !is_owner(&parent.owner, one), one.id));
        Ok(all.into_iter().next())
    })?;
    // One that is another's and private is not told from one that is not there.
    known.filter(|found| may_read(&parent.owner, found)).ok_or_else(elsewhere)
}

fn is_owner(owner: &OwnerName, repository: &Repository) -> bool {
    repository.path.owner.as_str().eq_ignore_ascii_case(owner.as_str())
}

fn may_read(owner: &OwnerName, repository: &Repository) -> bool {
    !repository.private || is_owner(owner, repository)
}

#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    Here(RepositoryPath),
    /// An address that a mirror may be of.
    There(String),
}

/// What an address in `.gitmodules` means: one that begins with `./` or `../` is beside the repository that has it, or
/// beside what that one is a mirror of.
fn meaning(url: &str, parent: &RepositoryPath, remote: Option<&str>, own: &[&str]) -> Option<Meaning> {
    if url.starts_with("./") || url.starts_with("../") {
        return match remote {
            Some(remote) => Some(Meaning::There(beside(remote, url)?)),
            None => Some(Meaning::Here(path(&beside(&format!("/{parent}"), url)?)?)),
        };
    }
    let here = own.iter().find_map(|own| url.strip_prefix(own)?.strip_prefix('/'));
    match here {
        Some(rest) => path(rest).map(Meaning::Here),
        None => Some(Meaning::There(url.to_owned())),
    }
}

fn path(text: &str) -> Option<RepositoryPath> {
    let text = text.trim_matches('/');
    text.strip_suffix(".git").unwrap_or(text).parse().ok()
}

/// As git resolves it: each `../` takes one part of the address away. `None` when none is left.
fn beside(base: &str, relative: &str) -> Option<String> {
    let (mut base, mut rest) = (base.trim_end_matches('/'), relative);
    loop {
        if let Some(after) = rest.strip_prefix("./") {
            rest = after;
        } else if let Some(after) = rest.strip_prefix("../") {
            (base, rest) = (base.rsplit_once('/')?.0, after);
        } else {
            return Some(format!("{base}/{rest}"));
        }
    }
}

/// Two addresses of one repository: case of the host, `.git` and a slash at the end make no difference.
fn same(one: &str, other: &str) -> bool {
    let plain = |text: &str| {
        let text = text.trim_end_matches('/');
        let text = text.strip_suffix(".git").unwrap_or(text);
        url::Url::parse(text).map_or_else(|_| text.to_owned(), |url| url.to_string())
    };
    plain(one) == plain(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_mean_what_git_takes_them_for() {
        let parent: RepositoryPath = "admin/app".parse().unwrap();
        let here = |text: &str| Some(Meaning::Here(text.parse().unwrap()));
        let there = |text: &str| Some(Meaning::There(text.to_owned()));
        let own = ["http://other.test", "http://ropewalk.test/rope"];
        for (url, remote, means) in [
            ("../lib.git", None, here("admin/lib")),
            ("../../ada/lib", None, here("ada/lib")),
            ("../../../lib", None, None),
            ("./lib", None, None),
            ("http://ropewalk.test/rope/ada/lib.git", None, here("ada/lib")),
            ("http://ropewalk.test/ropes/ada/lib.git", None, there("http://ropewalk.test/ropes/ada/lib.git")),
            ("../lib.git", Some("https://git.test/team/app.git"), there("https://git.test/team/lib.git")),
            ("git@git.test:team/lib", None, there("git@git.test:team/lib")),
        ] {
            assert_eq!(meaning(url, &parent, remote, &own), means, "{url}");
        }
        assert!(same("https://Git.test/team/lib.git", "https://git.test/team/lib/"));
        assert!(!same("https://git.test/team/lib", "https://git.test/team/Lib"));
    }
}
