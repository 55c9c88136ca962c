//! What a server finds when it starts: another server, locks of a crash, a damaged database or repository, a
//! kernel that refuses notices.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::Arc;

use crate::kit::data::Data;
use crate::kit::server::{Server, Start};
use crate::kit::{Copy, House, one_step};
use ropewalk::model::Status;
use ropewalk::store::Connection;

fn refused(data: &Path) -> String {
    let start = Start { data, flags: &[], user: None, through: &[], program: None };
    match Server::begin(&start) {
        Err(said) => said,
        Ok(_) => panic!("it started"),
    }
}

#[test]
fn a_second_server_on_the_same_data_is_told_of_the_first() {
    let data = Data::new();
    let first = Server::start(data.path());
    let said = refused(data.path());
    assert!(said.contains(&first.id().to_string()) && said.contains(data.path().to_str().unwrap()), "{said}");
    first.kill();
    // A lock file without a process behind it is no lock.
    Server::start(data.path()).kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn locks_and_halves_that_a_crash_left_block_nothing() {
    let house = House::start().await;
    let copy = Copy::new();
    copy.write("a", "1").commit("One");
    copy.push(&house.remote("admin/locked")).await;
    let repository = house.app.git.directory(&"admin/locked".parse().unwrap());
    let data = house.stop().await;
    let left = [
        "refs/heads/main.lock",
        "packed-refs.lock",
        "shallow.lock",
        "config.lock",
        "HEAD.lock",
        "objects/pack/pack-0.keep",
        "objects/tmp_objdir-incoming-x/pack/y",
    ];
    for path in left.map(|path| repository.join(path)) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "receive-pack 1 on here").unwrap();
    }
    let house = House::on(data, &[]).await;
    // A push waits until all of it is gone.
    let commit = copy.write("a", "2").commit("Two");
    copy.push(&house.remote("admin/locked")).await;
    for path in left {
        assert!(!repository.join(path).exists(), "{path}");
    }
    let branches = house.json("/api/v1/repos/admin/locked/branches").await;
    assert_eq!(branches[0]["commit"]["id"], commit.as_str());
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_database_is_refused_by_name_and_left_as_it_is() {
    let data = Data::new();
    let server = Server::start(data.path());
    let copy = Copy::new();
    copy.write("a", "1").commit("One");
    copy.push(&server.remote("admin/torn")).await;
    server.kill();
    let path = data.path().join("ropewalk.db");
    let database = Connection::open(&path).unwrap();
    database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(database);
    let whole = std::fs::read(&path).unwrap();
    let half = whole.len() / 2;
    let scribbled = |from: usize, to: usize| {
        let mut bytes = whole.clone();
        bytes[from..to].fill(0xa5);
        bytes
    };
    for (what, bytes) in [
        ("no header", scribbled(0, 100)),
        ("no pages", scribbled(4096, whole.len())),
        ("a page in the middle", scribbled(half & !4095, (half & !4095) + 4096)),
        ("cut off", whole[..half].to_vec()),
        ("empty", Vec::new()),
    ] {
        std::fs::write(&path, &bytes).unwrap();
        let said = refused(data.path());
        let sentence = if bytes.is_empty() { "not a new data directory" } else { "damaged" };
        assert!(said.contains("ropewalk.db") && said.contains(sentence), "{what}: {said}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "{what}");
    }
    std::fs::remove_file(&path).unwrap();
    assert!(refused(data.path()).contains("ropewalk.db"), "repositories without their database");
    std::fs::write(&path, &whole).unwrap();
    Server::start(data.path()).kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_repository_says_so_and_the_others_are_served() {
    let house = House::start().await;
    let copy = Copy::new();
    copy.commit("Zero");
    copy.commit("Half");
    copy.write("ropewalk.yml", &one_step("true")).commit("One");
    for name in ["admin/broken", "admin/middle", "admin/whole"] {
        copy.push(&house.remote(name)).await;
        house.run_ended(name, "default", 1).await;
    }
    let repository = house.app.git.directory(&"admin/broken".parse().unwrap());
    let mut open = vec![repository.join("objects")];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            match entry.file_type().unwrap().is_dir() {
                true => open.push(entry.path()),
                false => tear(&entry.path()),
            }
        }
    }
    std::fs::write(repository.join("refs/heads/empty"), "").unwrap();
    // Of this one only a commit in the middle of the history.
    let directory = house.app.git.directory(&"admin/middle".parse().unwrap());
    let middle = copy.git(&["rev-parse", "HEAD~1"]);
    tear(&directory.join("objects").join(&middle[..2]).join(middle[2..].trim()));
    let answer = house.get("/api/v1/repos/admin/middle/commits").await;
    assert_eq!(answer.status(), 409, "{}", answer.text().await.unwrap());
    assert_eq!(house.get("/api/v1/repos/admin/middle/branches").await.status(), 200);

    let answer = house.get("/api/v1/repos/admin/broken/commits").await;
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert!(status == 409 && text.contains("git-repository-damaged"), "{status} {text}");
    let page = house.get("/admin/broken").await;
    let (status, text) = (page.status(), page.text().await.unwrap());
    assert!(status == 200 && text.contains("This repository is damaged"), "{status} {text}");
    for page in ["/", "/api/v1/user/repos", "/api/v1/repos/admin/whole/commits", "/admin/whole"] {
        assert_eq!(house.get(page).await.status(), 200, "{page}");
    }
    copy.commit("Two");
    copy.push(&house.remote("admin/whole")).await;
    assert_eq!(house.run_ended("admin/whole", "default", 2).await.status, Status::Passed);
    house.stop().await;
}

/// Overwrites the file's second half.
fn tear(path: &Path) {
    let length = std::fs::metadata(path).unwrap().len();
    let mut permissions = std::fs::metadata(path).unwrap().permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "a file of a test")]
    permissions.set_readonly(false);
    std::fs::set_permissions(path, permissions).unwrap();
    let mut file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(length / 2)).unwrap();
    file.write_all(&vec![0xa5; usize::try_from(length - length / 2).unwrap()]).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_kernel_gives_no_notices_the_poll_finds_changes() {
    let data = Arc::new(Data::new());
    // A user namespace has limits of its own, which end with the server.
    let limit = "echo 1 >/proc/sys/user/max_inotify_watches && exec \"$0\" \"$@\"";
    let through = ["unshare", "--user", "--map-root-user", "sh", "-c", limit];
    let flags = [("poll-seconds", "1")];
    let start = Start { data: data.path(), flags: &flags, user: None, through: &through, program: None };
    let server = Server::begin(&start).unwrap();
    let copy = Copy::new();
    copy.write("ropewalk.yml", &one_step("true")).commit("One");
    copy.push(&server.remote("admin/unseen")).await;
    let directory = data.path().join("repositories/admin/unseen.git");
    let commit = copy.commit("Two");
    let (ok, said) = copy.try_git(&["push", directory.to_str().unwrap(), "HEAD:main"]).await;
    assert!(ok, "{said}");
    server.api_until("/api/v1/repos/admin/unseen/pipelines/default/runs/2", |run| {
        run["commit"] == commit.as_str()
    });
    server.api_until("/health", |health| health.to_string().contains("fs.inotify.max_user_watches"));
    server.kill();
}
