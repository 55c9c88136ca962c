//! A folder of repositories and the real git program for this room's tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::repositories::Repositories;
use crate::model::RepositoryPath;

pub(super) struct Place {
    pub folder: tempfile::TempDir,
    pub repositories: Repositories,
    pub path: RepositoryPath,
}

/// git as a user has it, without the machine's configuration; returns stdout, fails with stderr.
pub(super) fn git(directory: &Path, arguments: &[&str]) -> String {
    let output = try_git(directory, arguments);
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(super) fn user_git(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(directory).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", "/nonexistent");
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "Ada").env(format!("GIT_{who}_EMAIL"), "ada@example.org");
    }
    command
}

pub(super) fn try_git(directory: &Path, arguments: &[&str]) -> std::process::Output {
    user_git(directory, arguments).output().unwrap()
}

impl Place {
    /// An empty repository `admin/numbers`.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let repositories = Repositories::open_in(folder.path()).unwrap();
        let path = RepositoryPath::new("admin", "numbers").unwrap();
        repositories.create(&path).unwrap();
        Place { folder, repositories, path }
    }

    /// With commits `1..=count` on main, each changing `number` and adding `src/N.txt`.
    pub fn with_commits(count: usize) -> Self {
        let place = Place::new();
        let work = place.work();
        for number in 1..=count {
            std::fs::create_dir_all(work.join("src")).unwrap();
            std::fs::write(work.join("number"), format!("{number}\n")).unwrap();
            std::fs::write(work.join(format!("src/{number}.txt")), format!("{number}\n")).unwrap();
            git(&work, &["add", "-A"]);
            git(&work, &["commit", "-q", "-m", &format!("Commit {number}\n\nBody {number}")]);
        }
        place.push_to_path();
        place
    }

    pub fn directory(&self) -> PathBuf {
        self.repositories.directory(&self.path)
    }

    /// A user's working copy, made at the first call.
    pub fn work(&self) -> PathBuf {
        let work = self.folder.path().join("work");
        if !work.exists() {
            git(self.folder.path(), &["init", "-q", "-b", "main", "work"]);
        }
        work
    }

    pub fn push_to_path(&self) {
        git(&self.work(), &["push", "-q", self.directory().to_str().unwrap(), "HEAD:refs/heads/main"]);
    }
}
