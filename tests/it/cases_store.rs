//! The store is what it seems: the database file alone is whole, what is lost is not begun anew in silence, and a copy
//! of the data does nothing beside the server it was copied from.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::kit::data::Data;
use crate::kit::server::{Server, Start};
use crate::kit::{Copy, one_step};
use ropewalk::store::Connection;

const NO_ENGINE: (&str, &str) = ("docker", "unix:///nowhere.sock");

fn copy_of(data: &Path) -> Data {
    let copy = Data::new();
    let done = Command::new("cp").arg("-a").arg(data.join(".")).arg(copy.path()).status().unwrap();
    assert!(done.success());
    copy
}

fn refused(data: &Path, through: &[&str]) -> String {
    match Server::begin(&Start { data, flags: &[NO_ENGINE], user: None, through, program: None }) {
        Err(said) => said,
        Ok(server) => panic!("it started: {}", server.said()),
    }
}

fn ropewalk(arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_ropewalk")).args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8_lossy(&text).into_owned())
}

/// What `sql` counts in a copy of the database file alone.
fn count_alone(data: &Path, sql: &str) -> i64 {
    let alone = tempfile::tempdir().unwrap();
    let path = alone.path().join("ropewalk.db");
    std::fs::copy(data.join("ropewalk.db"), &path).unwrap();
    let database = Connection::open(path).unwrap();
    let whole: String =
        database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap_or_default();
    if whole != "ok" {
        // Copied while it was written to.
        return -1;
    }
    database.query_row(sql, [], |row| row.get(0)).unwrap_or(-1)
}

fn log_size(data: &Path) -> u64 {
    std::fs::metadata(data.join("ropewalk.db-wal")).map_or(0, |file| file.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_file_alone_is_whole_when_idle_and_after_an_orderly_stop() {
    let data = Data::new();
    let server = Server::with(data.path(), &[NO_ENGINE]);
    let copy = Copy::new();
    copy.write("a", "1").commit("One");
    copy.push(&server.remote("admin/whole")).await;
    let repositories = "SELECT count(*) FROM repositories WHERE name = 'whole'";
    server.until(|_| log_size(data.path()) == 0 && count_alone(data.path(), repositories) == 1);
    copy.write("a", "2").commit("Two");
    let commit = copy.git(&["rev-parse", "HEAD"]).trim().to_owned();
    copy.push(&server.remote("admin/whole")).await;
    server.terminate();
    assert!(server.ended().success());
    assert_eq!(log_size(data.path()), 0, "a log is left");
    let seen = format!("SELECT count(*) FROM refs_seen WHERE object = '{commit}'");
    assert_eq!(count_alone(data.path(), &seen), 1);
    assert_eq!(count_alone(data.path(), "SELECT count(*) FROM accounts"), 1);
}

/// Every file with its size, and the database's bytes.
fn all_of(data: &Path) -> (BTreeMap<PathBuf, u64>, Vec<u8>) {
    let mut found = BTreeMap::new();
    let mut open = vec![data.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                open.push(entry.path());
            }
            // What every start takes and makes first.
            if !["lock", "reserve"].contains(&entry.file_name().to_str().unwrap()) {
                found.insert(entry.path(), if kind.is_file() { entry.metadata().unwrap().len() } else { 0 });
            }
        }
    }
    (found, std::fs::read(data.join("ropewalk.db")).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lost_is_not_begun_anew() {
    let data = Data::new();
    let server = Server::with(data.path(), &[NO_ENGINE]);
    let copy = Copy::new();
    copy.write("a", "1").commit("One");
    copy.push(&server.remote("admin/kept")).await;
    server.terminate();
    assert!(server.ended().success());

    let database = |data: &Path| data.join("ropewalk.db");
    let sql = |data: &Path, sql: &str| {
        let connection = Connection::open(data.join("ropewalk.db")).unwrap();
        connection.execute_batch(&format!("PRAGMA foreign_keys = 0; {sql}")).unwrap();
    };
    type Harm<'a> = (&'a str, &'a str, Box<dyn Fn(&Path) + 'a>);
    let remove = |data: &Path, name: &str| {
        let path = data.join(name);
        if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }.unwrap();
    };
    let harms: Vec<Harm<'_>> = vec![
        ("no database", "not a new data directory", Box::new(|d| remove(d, "ropewalk.db"))),
        ("an empty file", "not a new data directory", Box::new(|d| std::fs::write(database(d), "").unwrap())),
        (
            "a header and no table",
            "not a new data directory",
            Box::new(|d| {
                remove(d, "ropewalk.db");
                sql(d, "PRAGMA journal_mode = wal");
            }),
        ),
        ("no account", "not a new data directory", Box::new(|d| sql(d, "DELETE FROM accounts"))),
        (
            "repositories only",
            "admin/kept.git",
            Box::new(|d| {
                remove(d, "ropewalk.db");
                remove(d, "key");
            }),
        ),
        ("no key", "adopt --new-key", Box::new(|d| remove(d, "key"))),
        ("another key", "adopt --new-key", Box::new(|d| std::fs::write(d.join("key"), [7; 32]).unwrap())),
        ("half a key", "has 16 bytes", Box::new(|d| std::fs::write(d.join("key"), [7; 16]).unwrap())),
        ("no repositories", "knows 1 repositories", Box::new(|d| remove(d, "repositories"))),
        (
            "a folder in place of the database",
            "not a regular file",
            Box::new(|d| {
                remove(d, "ropewalk.db");
                std::fs::create_dir(database(d)).unwrap();
            }),
        ),
        (
            "a link to a database elsewhere",
            "not a regular file",
            Box::new(|d| {
                remove(d, "ropewalk.db");
                symlink(data.path().join("ropewalk.db"), database(d)).unwrap();
            }),
        ),
        (
            "a link to nothing",
            "not a regular file",
            Box::new(|d| {
                remove(d, "ropewalk.db");
                symlink("/nowhere", database(d)).unwrap();
            }),
        ),
    ];
    for (what, sentence, harm) in harms {
        let copy = copy_of(data.path());
        harm(copy.path());
        let before = all_of(copy.path());
        let said = refused(copy.path(), &[]);
        assert!(said.contains(sentence) && !said.contains("password for admin"), "{what}: {said}");
        assert_eq!(all_of(copy.path()), before, "{what}: something was changed");
    }

    // A disk mounted read-only.
    let copy = copy_of(data.path());
    let mount =
        format!("mount --bind {0} {0} && mount -o remount,ro,bind {0} && exec \"$@\"", copy.path().display());
    let said = refused(copy.path(), &["unshare", "--mount", "sh", "-c", &mount, "sh"]);
    assert!(said.contains("cannot be used") && said.contains(copy.path().to_str().unwrap()), "{said}");

    // A key that is lost for good: said by a person, and everything else goes on.
    let key = std::fs::read(data.path().join("key")).unwrap();
    remove(data.path(), "key");
    sql(data.path(), "INSERT INTO variables VALUES (1, 'PW', '', 'secret', NULL, x'00', 0, 'admin', 0)");
    let (code, said) = ropewalk(&["adopt", "--new-key", "--data", data.path().to_str().unwrap()]);
    assert!(code == 0 && said.contains("variables/PW"), "{code} {said}");
    assert_ne!(std::fs::read(data.path().join("key")).unwrap(), key);
    let server = Server::with(data.path(), &[NO_ENGINE]);
    assert!(server.health_of("sealed").contains("variables/PW"));
    server.kill();
}

fn health(server: &Server) -> serde_json::Value {
    server.api("/health")
}

fn lease_of(health: &serde_json::Value) -> Option<String> {
    let checks = health["checks"].as_array()?;
    let lease = checks.iter().find(|check| check["part"] == "lease")?;
    Some(lease["message"].as_str()?.to_owned())
}

fn statuses(data: &Path) -> Vec<String> {
    let database = Connection::open(data.join("ropewalk.db")).unwrap();
    let mut statement = database.prepare("SELECT status FROM runs ORDER BY id").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_does_nothing_beside_the_living_until_it_is_told() {
    let data = Data::new();
    let living = Server::with(data.path(), &[("jobs", "1")]);
    let copy = Copy::new();
    // The first run waits for a file; the second waits for the first.
    let script = "echo begun; if [ \"$BUILD_NUMBER\" = 1 ]; then until [ -e go ]; do sleep 0.2; done; fi";
    copy.write("ropewalk.yml", &one_step(script)).commit("One");
    copy.push(&living.remote("admin/leased")).await;
    let begun = |data: &Path, run: u32| {
        std::fs::read_to_string(data.join(format!("logs/{run}/0.log"))).is_ok_and(|log| log.contains("begun"))
    };
    living.until(|_| begun(data.path(), 1));
    copy.write("a", "2").commit("Two");
    copy.push(&living.remote("admin/leased")).await;
    living.until(|_| statuses(data.path()) == ["running", "queued"] && log_size(data.path()) == 0);

    let other = copy_of(data.path());
    let second = Server::begin(&Start {
        data: other.path(),
        flags: &[("jobs", "1")],
        user: None,
        through: &[],
        program: None,
    });
    let second = second.unwrap();
    let seen = second.api_until("/health", |health| lease_of(health).is_some());
    let lease = lease_of(&seen).unwrap();
    assert!(lease.contains(data.path().to_str().unwrap()) && lease.contains("ropewalk adopt"), "{lease}");
    assert_eq!(seen["status"], "failing");
    assert!(second.said().contains("copy of another server's data"), "{}", second.said());
    // It shows what it has, and takes nothing in.
    assert_eq!(
        second.api("/api/v1/repos/admin/leased/pipelines/default/runs").as_array().map(Vec::len),
        Some(2)
    );
    let page = Command::new("curl").args(["-s", &format!("{}/", second.url())]).output().unwrap();
    assert!(String::from_utf8_lossy(&page.stdout).contains("ropewalk adopt"), "no banner");
    copy.write("a", "3").commit("Three");
    let (pushed, said) = copy.try_git(&["push", &second.remote("admin/leased"), "HEAD:main"]).await;
    assert!(!pushed, "{said}");
    let post = ["-s", "-X", "POST", "-H", "Content-Type: application/json", "-d", "{}", "-u"];
    let start = format!("{}/api/v1/repos/admin/leased/pipelines/default/runs", second.url());
    let answer =
        Command::new("curl").args(post).args([&format!("admin:{}", crate::kit::PASSWORD), &start]).output();
    let answer = String::from_utf8_lossy(&answer.unwrap().stdout).into_owned();
    assert!(answer.contains("app-copy"), "{answer}");
    // Two looks around, which are as long as a loop waits for anything.
    let at = |health: &serde_json::Value| health["checks"][0]["at"].as_str().unwrap().to_owned();
    let first = at(&health(&second));
    second.api_until("/health", |health| at(health) != first);

    let workspaces = std::fs::read_dir(data.path().join("workspaces")).unwrap().flatten();
    for workspace in workspaces.filter(|entry| entry.path().is_dir()) {
        std::fs::write(workspace.path().join("go"), "").unwrap();
    }
    living.until(|_| statuses(data.path()) == ["passed", "passed"]);
    assert_eq!(statuses(other.path()), ["running", "queued"], "the copy has carried something out");

    // Told to go on, it does, under another name; what the living has stays.
    let installation = |data: &Path| -> String {
        let database = Connection::open(data.join("ropewalk.db")).unwrap();
        let sql = "SELECT value FROM settings WHERE name = 'installation'";
        database.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let name = installation(other.path());
    let (code, said) = ropewalk(&["adopt", "--data", other.path().to_str().unwrap()]);
    assert!(code == 0 && said.contains(&name), "{code} {said}");
    second.until(|_| statuses(other.path()) == ["lost", "passed"]);
    second.api_until("/health", |health| lease_of(health).is_none());
    assert_ne!(installation(other.path()), name);
    assert_eq!(installation(data.path()), name);

    // The folder moved: the same house.
    living.terminate();
    assert!(living.ended().success());
    let elsewhere = Data::new();
    let moved = elsewhere.path().join("moved");
    std::fs::rename(data.path(), &moved).unwrap();
    let server = Server::with(&moved, &[NO_ENGINE]);
    server
        .api_until("/health", |health| health["checks"].as_array().is_some_and(|checks| !checks.is_empty()));
    assert_eq!(lease_of(&health(&server)), None);
    server.kill();
    std::fs::rename(&moved, data.path()).unwrap();
    second.kill();
}

/// Exit code, and the parts and codes of what is not whole.
fn checked(data: &Path, more: &[&str]) -> (i32, Vec<(String, String)>) {
    let output = Command::new(env!("CARGO_BIN_EXE_ropewalk"))
        .args(["check", "--json", "--data", data.to_str().unwrap()])
        .args(more)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let answer: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"));
    assert!(!answer["notes"].as_array().unwrap().is_empty(), "it says what it did not look at");
    let text = |problem: &serde_json::Value, name: &str| problem[name].as_str().unwrap().to_owned();
    let problems = answer["problems"].as_array().unwrap();
    let problems: Vec<_> = problems.iter().map(|one| (text(one, "part"), text(one, "code"))).collect();
    assert_eq!(answer["ok"], problems.is_empty());
    (output.status.code().unwrap(), problems)
}

#[tokio::test(flavor = "multi_thread")]
async fn check_finds_what_is_lost_across_stores_and_changes_nothing() {
    let data = Data::new();
    let server = Server::start(data.path());
    let copy = Copy::new();
    let definition = "stages:\n  - name: Only\n    steps:\n      - run: echo one\n      - run: echo two\n";
    copy.write("ropewalk.yml", definition).commit("One");
    copy.push(&server.remote("admin/checked")).await;
    server.until(|_| statuses(data.path()) == ["passed"]);
    assert_eq!(checked(data.path(), &[]), (0, Vec::new()), "beside a running server");
    server.kill();
    // As a crash leaves it: something is in the log beside the database alone.
    let writing = copy_of(data.path());
    let connection = Connection::open(writing.path().join("ropewalk.db")).unwrap();
    connection.execute_batch("UPDATE accounts SET language = 'ko'").unwrap();
    let crashed = copy_of(writing.path());
    assert!(log_size(crashed.path()) > 0);
    drop(connection);
    let before = all_of(crashed.path());
    assert_eq!(checked(crashed.path(), &[]), (0, Vec::new()), "after a crash");
    assert_eq!(all_of(crashed.path()), before, "after a crash something was changed");
    let server = Server::start(data.path());
    server.terminate();
    assert!(server.ended().success());

    let sql = |data: &Path, sql: &str| {
        let connection = Connection::open(data.join("ropewalk.db")).unwrap();
        connection.execute_batch(&format!("PRAGMA foreign_keys = 0; {sql}")).unwrap();
    };
    let repository = |data: &Path| data.join("repositories/admin/checked.git");
    let gone = |path: PathBuf| {
        if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }.unwrap();
    };
    type Harm<'a> = (&'a str, Option<&'a str>, Box<dyn Fn(&Path) + 'a>);
    let harms: Vec<Harm<'_>> = vec![
        ("nothing", None, Box::new(|_| {})),
        ("no database", Some("store-begins-anew"), Box::new(|d| gone(d.join("ropewalk.db")))),
        (
            "an empty one",
            Some("store-begins-anew"),
            Box::new(|d| std::fs::write(d.join("ropewalk.db"), "").unwrap()),
        ),
        ("no account", Some("store-begins-anew"), Box::new(|d| sql(d, "DELETE FROM accounts"))),
        ("a newer one", Some("store-newer"), Box::new(|d| sql(d, "PRAGMA user_version = 9999"))),
        ("an older one", Some("cli-check-older"), Box::new(|d| sql(d, "PRAGMA user_version = 3"))),
        (
            "a row of nobody",
            Some("cli-check-database"),
            Box::new(|d| sql(d, "UPDATE pipelines SET repository_id = 99")),
        ),
        ("no key", Some("store-key-lost"), Box::new(|d| gone(d.join("key")))),
        (
            "another key",
            Some("store-key-other"),
            Box::new(|d| std::fs::write(d.join("key"), [7; 32]).unwrap()),
        ),
        (
            "a value of another key",
            Some("cli-check-sealed"),
            Box::new(|d| {
                sql(d, "INSERT INTO variables VALUES (1, 'PW', '', 'secret', NULL, x'00', 0, 'admin', 0)")
            }),
        ),
        ("no repositories", Some("store-no-repositories"), Box::new(|d| gone(d.join("repositories")))),
        ("no folder", Some("cli-check-no-folder"), Box::new(|d| gone(repository(d)))),
        (
            "a folder too many",
            Some("cli-check-stray-folder"),
            Box::new(|d| {
                let other = d.join("repositories/admin/other.git");
                assert!(
                    Command::new("cp").arg("-a").args([repository(d), other]).status().unwrap().success()
                );
            }),
        ),
        ("no ref", Some("cli-check-ref"), Box::new(|d| gone(repository(d).join("refs/heads/main")))),
        (
            "a broken ref",
            Some("cli-check-git"),
            Box::new(|d| std::fs::write(repository(d).join("refs/heads/x"), "no").unwrap()),
        ),
        (
            "no objects",
            Some("cli-check-lost"),
            Box::new(|d| {
                gone(repository(d).join("objects"));
                std::fs::create_dir_all(repository(d).join("objects/pack")).unwrap();
            }),
        ),
        ("no log", Some("cli-check-log-missing"), Box::new(|d| gone(d.join("logs/1/0.log")))),
        (
            "half a log",
            Some("cli-check-log-short"),
            Box::new(|d| std::fs::write(d.join("logs/1/0.log"), "").unwrap()),
        ),
        (
            "a log too many",
            Some("cli-check-stray-log"),
            Box::new(|d| std::fs::create_dir(d.join("logs/77")).unwrap()),
        ),
        (
            "an image that is gone",
            Some("cli-check-image"),
            Box::new(|d| {
                let digest = format!("sha256:{}", "5".repeat(64));
                sql(
                    d,
                    &format!(
                        "INSERT INTO run_images VALUES (1, 'ropewalk-tests/nowhere', '1', 0, '{digest}', 1, '{{}}', 0)"
                    ),
                );
            }),
        ),
    ];
    let registry = ["--images", "http://registry.local:5000"];
    for (what, code, harm) in harms {
        let copy = copy_of(data.path());
        harm(copy.path());
        let before = all_of(copy.path());
        let (exit, problems) = checked(copy.path(), &registry);
        match code {
            None => assert_eq!((exit, problems), (0, Vec::new()), "{what}"),
            Some(code) => {
                assert!(
                    exit == 1 && problems.iter().any(|(_, found)| found == code),
                    "{what}: {exit} {problems:?}"
                );
            }
        }
        assert_eq!(all_of(copy.path()), before, "{what}: something was changed");
    }

    // Where nothing can be written.
    let place = data.path().display();
    let mount = format!("mount --bind {place} {place} && mount -o remount,ro,bind {place} && exec \"$@\"");
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", &mount, "sh", env!("CARGO_BIN_EXE_ropewalk"), "check", "--data"]);
    let output = command.arg(data.path()).output().unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
